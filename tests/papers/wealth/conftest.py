"""Six made-up rows of each source: enough to work every result out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commonweal.sources import Store
from commonweal.sources.catalogue import local_source

if TYPE_CHECKING:
    from pathlib import Path

NATURAL = "Natural capital (timber, non-timber, protected areas, land, sub-soil assets)"
REST = "Human capital,Net foreign assets,Gross national income,GDP"

FILES = {
    "trust-world": """country.name,wave,survey,n,p_response,trust,years
Norway,5,WVS,1000,0.9,0.7,2005-2009
Norway,4,EVS,1000,0.9,0.5,2008-2010
Norway,7,WVS,1000,0.9,0.1,2017-2021
Norway,1,GPS,1000,0.9,-1.3,2012
Brazil,5,WVS,400,0.9,0.1,2005-2009
Mexico,5,WVS,400,0.9,0.2,2005-2009
Northern Ireland,4,EVS,500,0.9,0.4,2008-2010
Czechia,4,EVS,500,0.9,0.3,2008-2010
""",
    "wealth-per-head-world": f"""Entity,Year,Total wealth per capita,Produced capital,"{NATURAL}",{REST}
Norway,2010,1000,300,200,450,50,80,79
Brazil,2010,100,40,30,40,-10,,9
Mexico,2010,200,50,50,110,-10,20,21
Nepal,2010,10,3,3,4,0,1,1
Norway,2014,1100,330,220,495,55,85,84
""",
    "population-world": """Entity,Year,Total population (Gapminder up to 1949; UN Population Division 1950 to 2015)
Norway,2010,5
Brazil,2010,200
Mexico,2010,100
Nepal,2010,30
World,2010,7000
""",
}


@pytest.fixture
def world(tmp_path: Path) -> Store:
    """A store of a world of five countries."""
    for id_, content in FILES.items():
        (tmp_path / f"{id_}.csv").write_text(content, "utf-8")
    catalogue = {id_: local_source(tmp_path / f"{id_}.csv", name=id_) for id_ in FILES}
    return Store(tmp_path / "cache", offline=True, catalogue=catalogue)
