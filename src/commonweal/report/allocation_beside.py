"""Who gains and who loses: an allocation beside another list, as a section of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.model import Section, Table
from commonweal.document.table import Shown
from commonweal.document.words import people
from commonweal.report.allocation_told import HEADS, ROWS, named, shares_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.allocation.comparing import Difference
    from commonweal.invest.allocation.worked import Worked

__all__ = ["beside_section"]


def beside_section(worked: Worked, title: str, difference: Difference, which: str = "") -> Section:
    """Tell who gains and who loses beside another list.

    Parameters
    ----------
    worked
        A programme worked out on its study.
    title
        Of the other list.
    difference
        The programme beside it.
    which
        Sets its tables apart where a report has several.
    """
    d = difference
    words = {
        "both": "In both",
        "this_only": f"In {worked.allocation.programme.title} only",
        "other_only": f"In {title} only",
    }
    rows = [
        (
            words[k],
            int((share > 0).sum()),
            round(d.people(share)),
            round(d.people(share, in_need=True)),
        )
        for k, share in shares_of(d).items()
    ]
    schema = {
        "Who": pl.String,
        "Areas": pl.Int64,
        "People": pl.Int64,
        "People in areas in need": pl.Int64,
    }
    sides = pl.DataFrame(rows, schema=schema, orient="row")
    frame = d.to_frame().filter(pl.col("selected_by") != "both")
    only = {"first only": words["this_only"], "second only": words["other_only"]}
    rename = {k: h for k, h in HEADS.items() if k in frame.columns}
    listed = frame.select(*rename, "selected_by").with_columns(
        pl.col("selected_by").replace(only),
        pl.col("population").round(0).cast(pl.Int64),
        in_need=pl.when("in_need").then(pl.lit("yes")).otherwise(pl.lit("no")),
    )
    tables = [
        Table(named(worked, f"sides{which}"), "Who gains and who loses", Shown(sides)),
        *_by_region(worked, d.areas.table, shares_of(d), d.areas.population, words, which),
    ]
    if len(listed):
        tables.append(
            Table(
                named(worked, f"gains-losses{which}"),
                f"{d.areas.plural.capitalize()} in one and not in the other",
                Shown(listed.rename({**rename, "selected_by": "Selected by"})),
                rows=ROWS,
            )
        )
    return Section(
        f"Beside {title}",
        text=(
            f"Both lists were put on the {len(d.areas):,} {d.areas.plural} of {d.areas.title}. One that is selected in "
            "part counts by the share of its people, and where both select a part, the parts are taken to overlap as "
            f"far as they can. In need are those that meet this programme's yardstick there: {int(d.in_need.sum()):,} "
            f"{d.areas.plural} with {people(float(np.nansum(d.areas.population[d.in_need])))}.",
            *(() if len(listed) else ("Both lists are the same.",)),
        ),
        tables=tuple(tables),
    )


def _by_region(
    worked: Worked,
    table: pl.DataFrame,
    shares: dict[str, NDArray[np.float64]],
    residents: NDArray[np.float64],
    words: dict[str, str],
    which: str,
) -> list[Table]:
    """Give people on each side by region, where regions are known."""
    if "region_name" not in table.columns:
        return []
    columns = {words[k]: np.nan_to_num(residents * share) for k, share in shares.items()}
    frame = (
        pl.DataFrame({"Region": table["region_name"], **columns})
        .drop_nulls("Region")
        .group_by("Region")
        .agg(pl.all().sum().round(0).cast(pl.Int64))
        .sort("Region")
    )
    return [Table(named(worked, f"regions{which}"), "People by region", Shown(frame))]
