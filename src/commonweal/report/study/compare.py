"""A comparison of two designations, told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonweal.document.columns import MOST_LINES, capped
from commonweal.document.words import coded_name
from commonweal.study.names import authority_of, counted_areas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from commonweal.designation import Comparison, Designation

__all__ = ["comparison_data", "comparison_lines"]


def comparison_lines(
    c: Comparison, before: str, after: str, most: int = MOST_LINES, where: str = ""
) -> Iterator[str]:
    """Give a comparison as lines of text.

    Parameters
    ----------
    c
        The comparison.
    before, after
        Titles of the two studies.
    most
        How many areas of each kind to name; 0 for counts alone.
    where
        What larger area is counted alone; '' for everything.
    """
    old, new = c.before, c.after
    within = f" in {where}" if where else ""
    whole = ", everywhere" if where and c.report else within
    yield f"From {before} ({_of(old)}{whole})"
    yield f"  to {after} ({_of(new)}{within}):"
    yield f"{c.stay.sum():,} stay, {c.leave.sum():,} leave, {c.enter.sum():,} enter."
    if c.report:
        told = ", ".join(
            f"{n:,} {what}" for what, n in c.report.items() if n and "areas" not in what
        )
        yield (
            f"Carried from {old.areas.title} to {new.areas.title}: {told}. "
            "A place counts as selected before where at least half of its people lived in one that was."
        )
        sizes = sorted(len(d.areas) for d in (old, new))
        if sizes[1] > 2 * sizes[0]:
            yield (
                f"The two are of different size ({len(old.areas):,} {old.areas.plural}, "
                f"{len(new.areas):,} {new.areas.plural}): much of the difference is the size, not the places."
            )
    frame = c.to_frame()
    parent = authority_of(new.areas)
    for change in ("leaves", "enters", "stays"):
        rows = frame.filter(frame["change"] == change)
        if rows.is_empty() or not most:
            continue
        yield ""
        yield f"{change.capitalize()}:"
        named = (_named(row, parent) for row in rows.iter_rows(named=True))
        yield from capped(named, "--all names each; --out FILE writes them", most)


def _named(row: Mapping[str, Any], parent: str | None) -> str:
    where = f", {row[f'{parent}_name']}" if parent and row[f"{parent}_name"] else ""
    return f"  {coded_name(row['code'], row['name'], '{code}  {name}')}{where}"


def _of(d: Designation) -> str:
    return counted_areas(int(d.selected.sum()), d.areas)


def comparison_data(c: Comparison, before: str, after: str) -> dict[str, Any]:
    """Give a comparison as plain data for ``--json``; `before` and `after` name the studies."""
    frame = c.to_frame()
    named = {
        change: frame.filter(frame["change"] == change).select("code", "name").to_dicts()
        for change in ("stays", "enters", "leaves")
    }
    counts = {change: len(rows) for change, rows in named.items()}
    return {"before": before, "after": after, "counts": counts, "carried": c.report, **named}
