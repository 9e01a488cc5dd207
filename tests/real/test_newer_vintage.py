"""The page on newer vintages, run: an indicator, a register and a lookup are replaced in a real study."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.spec.study import load_study
from commonweal.study.run import run

if TYPE_CHECKING:
    from commonweal.sources import Store

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "newer-vintage.md"
RUTLAND = "E06000017"


def test_an_indicator_a_register_and_a_lookup_are_replaced(
    real_store: Store, tmp_path: Path
) -> None:
    study = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)[0]
    (tmp_path / "newer.yaml").write_text(study, "utf-8")
    lookup = real_store.table("lookup-lsoa21-wd24-lad24")
    inside = lookup.filter(pl.col("ltla24_code") == RUTLAND)
    gone = inside["lsoa21_code"].sort()[0]
    # One neighbourhood has moved to another authority, loneliness is all 7, and Oakham's library has shut.
    lookup.with_columns(
        ltla24_code=pl.when(pl.col("lsoa21_code") == gone)
        .then(pl.lit("E06000016"))
        .otherwise("ltla24_code")
    ).write_csv(tmp_path / "lookup2026.csv")
    lonely = real_store.table("loneliness-lsoa21").with_columns(perc=pl.lit(7.0))
    lonely.write_csv(tmp_path / "loneliness2026.csv")
    libraries = real_store.table("libraries-england")
    open_now = libraries.filter(~pl.col("name").str.contains("Oakham"))
    assert len(open_now) < len(libraries)
    open_now.write_csv(tmp_path / "libraries2026.csv")
    keep = {"designate": {}, "certainty": None, "sensitivity": None, "agreement": (), "since": ""}
    newer = load_study(tmp_path / "newer.yaml").model_copy(update=keep)
    older = newer.model_copy(update={"replace": {}})
    new, old = (run(s, real_store, draws=None, geometry=False) for s in (newer, older))
    assert set(old.areas.codes) - set(new.areas.codes) == {gone}
    value = {}
    for results in (old, new):
        read = results.indicators["social_infrastructure"]
        names = [m.name for m in read.meta]
        value[results.study.replace == {}] = (
            read.values[:, names.index("library")],
            read.values[:, names.index("loneliness")],
        )
    rows = [old.areas.position[c] for c in new.areas.codes]
    assert (value[False][0] >= value[True][0][rows]).all()
    assert value[False][0].max() > value[True][0].max()
    np.testing.assert_allclose(value[False][1], 7.0)
    entries = {s["id"]: s for s in new.provenance["sources"] if "replaces" in s}
    assert {id_: s["path"] for id_, s in entries.items()} == {
        "loneliness-lsoa21": "loneliness2026.csv",
        "libraries-england": "libraries2026.csv",
        "lookup-lsoa21-wd24-lad24": "lookup2026.csv",
    }
    for id_, entry in entries.items():
        assert entry["replaces"]["sha256"] == real_store.source(id_).sha256 != entry["sha256"]
