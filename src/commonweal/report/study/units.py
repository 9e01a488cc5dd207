"""A study on smaller and on larger areas, told."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.columns import coefficient, in_columns
from commonweal.document.words import counted, people, percent
from commonweal.study.names import counted_areas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.compare import UnitComparison

__all__ = ["unit_data", "unit_lines", "unit_table"]


def unit_lines(
    comparisons: Sequence[UnitComparison], title: str, label: str, where: str = ""
) -> Iterator[str]:
    """Give the comparisons of a study's areas with larger ones as lines of text.

    Parameters
    ----------
    comparisons
        At least one; the small areas are the same in all.
    title
        The study's.
    label
        What a selected area is called, such as ``left behind``.
    where
        What larger area is counted alone; '' for everything.
    """
    yield f"{title}: the same recipe on areas of different size"
    if where:
        yield ""
        yield f"Counted are the {counted_areas(len(comparisons[0].small), comparisons[0].small)} in {where},"
        yield "and the larger ones that they lie in; ranks and cut-offs are set among all of the study."
    names = comparisons[0].designations
    for name in names["designation"] if len(names) else ():
        yield ""
        yield f"Who is {label if len(names) == 1 else name.replace('_', ' ')}:"
        rows = []
        for k, c in enumerate(comparisons):
            d = c.designations.row(by_predicate=pl.col("designation") == name, named=True)
            for unit, areas in (("small", c.small), ("large", c.large)):
                if unit == "large" or k == 0:
                    n = d[f"{unit}_selected"]
                    rows.append(
                        [
                            areas.title,
                            f"{len(areas):,}",
                            f"{n:,}",
                            f"{d[f'{unit}_people']:,.0f}",
                            _share(d[f"{unit}_share"]),
                        ]
                    )
        yield from in_columns(["Areas", ">All", ">Selected", ">People", ">Of all people"], rows)
        for c in comparisons:
            d = c.designations.row(by_predicate=pl.col("designation") == name, named=True)
            yield ""
            yield f"  On {c.large.title}:"
            held = counted(
                d["large_selected"], "selected larger one holds", "selected larger ones hold"
            )
            yield (
                f"    {d['small_inside']:,} of the {d['small_selected']:,} selected small areas lie in a "
                "selected larger one;"
            )
            yield f"    {d['large_holding']:,} of the {held} a selected small one."
            gained, lost = (
                f"{people(d[key])} live" if d[key] == d[key] else "it is not known how many live"
                for key in ("people_gained", "people_lost")
            )
            yield f"    {gained} in a selected larger area, but not in a selected small one;"
            yield f"    {lost} in a selected small one, but not in a selected larger one."
    for c in comparisons:
        yield ""
        yield f"Small areas beside the larger ones that they lie in ({c.large.title}):"
        yield "rank correlation; how many are in the same decile, or at most one apart; how many of the small"
        yield "ones in the worst tenth lie in a larger one that is too; and which share of all people lives in"
        yield "the worst tenth of the larger ones."
        if c.nodes["spearman"].is_nan().any():
            yield "There is no correlation where all that is counted ranks the same on one of the two."
        rows = [
            [
                ("  " if "." in row["index"] else "") + row["label"],
                coefficient(row["spearman"]),
                percent(row["same_decile"]),
                percent(row["within_one_decile"]),
                f"{row['worst_both']:,} of {row['worst_tenth']:,}",
                _share(row["people_large"]),
            ]
            for row in c.nodes.iter_rows(named=True)
        ]
        yield from in_columns(
            ["", ">Correlation", ">Same decile", ">One apart", ">In both tenths", ">People"], rows
        )


def _share(share: float) -> str:
    """Say a share of people for a cell: empty where nobody is known to live in what is counted."""
    return "" if math.isnan(share) else f"{share:.1%}".replace("%", " %")


def unit_data(comparisons: Sequence[UnitComparison], where: str = "") -> list[dict[str, Any]]:
    """Give the comparisons as plain data for ``--json``: without the single areas.

    Parameters
    ----------
    comparisons, where
        As in `unit_lines`.
    """
    return [
        {
            **({"focus": {"name": where, "areas": len(c.small)}} if where else {}),
            "small": {"areas": c.small.system, "number": len(c.small)},
            "large": {"areas": c.large.system, "number": len(c.large)},
            "indices": c.nodes.fill_nan(None).to_dicts(),
            "designations": c.designations.fill_nan(None).to_dicts(),
        }
        for c in comparisons
    ]


def unit_table(comparisons: Sequence[UnitComparison]) -> pl.DataFrame:
    """Give every small area beside each larger one that it lies in: one row for each of them."""
    return pl.concat(
        c.places.select(pl.lit(c.large.system).alias("larger_areas"), pl.all()) for c in comparisons
    )
