"""Pictures of ranks: how sure they are, what moves them, and which choice matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.index.arguments import AboveZero, Count, strict
from commonweal.index.drawing import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    Plot,
    axis,
    circle,
    line,
    numeral,
    picture,
    rank_ticks,
    rectangle,
    shorten,
    text,
    ticks,
)
from commonweal.index.lists import column, row_of, units_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.rank import Floats
    from commonweal.index.sensitivity import Sobol

__all__ = ["rank_plot", "sensitivity_plot", "shift_plot"]

_LEFT, _RIGHT, _ROW, _TOP = 230.0, 700.0, 20.0, 34.0
_WIDTH = 760.0


@strict
def rank_plot(
    units: Sequence[str],
    ranks: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    rows: Sequence[int | str] | None = None,
    cut: AboveZero | None = None,
    interval: str = "5 % to 95 % of the runs",
    title: str = "How sure the ranks are",
) -> Plot:
    """Draw the rank of units as a dot, with the interval that it may lie in.

    Parameters
    ----------
    units
        (n_units,) codes or names, each once.
    ranks
        (n_units,) ranks as they stand, 1 = first; a unit without a rank (NaN) is left out.
    low, high
        (n_units,) ends of the interval, 1 or more; none where either is missing.
    rows
        Which units to draw, by position or code; the first 40 by rank if not given.
    cut
        Rank of a cut-off, drawn after it; dots beyond it are hollow.
    interval
        What the ends are, in words.
    title
        Of the picture.

    Returns
    -------
    Plot
        Numbers: what is drawn, with unit, rank, low and high.

    Raises
    ------
    DataError
        If the arrays differ in length, a rank is below 1, an interval ends before it begins, a row
        is not there, or there is nothing to draw.
    """
    import polars as pl

    called, (now, near, far) = _alike(units, ranks=ranks, low=low, high=high)
    if (near > far).any():
        i = int((near > far).argmax())
        raise DataError(f"'{called[i]}': low {near[i]:g} and high {far[i]:g}; expected low first")
    if rows is None:
        chosen = np.argsort(now, kind="stable")[: min(40, np.count_nonzero(~np.isnan(now)))]
    else:
        wanted = np.array([row_of(row, called, len(called), "row") for row in rows], dtype=np.intp)
        wanted = wanted[~np.isnan(now[wanted])]
        chosen = wanted[np.argsort(now[wanted], kind="stable")]
    if not len(chosen):
        raise DataError("no unit with a rank to draw; expected at least one")
    spread = np.concatenate(
        [now[chosen], near[chosen], far[chosen], [np.nan if cut is None else cut]]
    )
    least, most = float(np.nanmin(spread)), float(np.nanmax(spread))
    at = rank_ticks(least, most)
    first, last = at[0], at[-1]
    bottom = _TOP + _ROW * len(chosen) + 4

    def place(value: float) -> float:
        return _LEFT + (value - first) / (last - first) * (_RIGHT - _LEFT)

    parts = axis(at, _LEFT, _RIGHT, first, last, _TOP - 4, bottom)
    for k, i in enumerate(chosen.tolist()):
        y = _TOP + (k + 0.5) * _ROW
        parts.append(text(_LEFT - 10, y + 4, shorten(called[i], 32), anchor="end"))
        if not (np.isnan(near[i]) or np.isnan(far[i])):
            parts.append(line(place(near[i]), y, place(far[i]), y, GREY, 2.5))
        inside = cut is None or now[i] <= cut
        parts.append(circle(place(now[i]), y, 4.5, BLUE if inside else "#ffffff", BLUE))
    about = f"The dot is the rank as it stands, 1 = first. The line runs from {interval}."
    about += _part_of(len(chosen), int(np.count_nonzero(~np.isnan(now))), "" if rows else "first ")
    if cut is not None:
        x = place(cut + 0.5)
        parts.append(line(x, _TOP - 4, x, bottom, VERMILION, 2, "6 4"))
        parts.append(
            text(x, bottom + 16, f"cut-off after {numeral(cut)}", anchor="middle", fill=INK)
        )
        about += " Filled: within the cut-off. Hollow: beyond it."
    numbers = pl.DataFrame(
        {
            "unit": [called[i] for i in chosen],
            "rank": now[chosen],
            "low": near[chosen],
            "high": far[chosen],
        }
    ).fill_nan(None)
    return picture(title, about, _WIDTH, bottom + 28, parts, numbers)


@strict
def shift_plot(
    units: Sequence[str],
    before: ArrayLike,
    after: ArrayLike,
    *,
    most: Count = 30,
    named: tuple[str, str] = ("before", "after"),
    title: str = "Whose rank moves most",
) -> Plot:
    """Draw how far the units that move most go from one version of a ranking to another.

    Parameters
    ----------
    units
        (n_units,) codes or names.
    before, after
        (n_units,) ranks, 1 = first; a unit without either (NaN) is left out.
    most
        How many units to draw.
    named
        What the two versions are called.
    title
        Of the picture.

    Returns
    -------
    Plot
        Numbers: what is drawn, the largest shift first, with unit, before, after and shift (above
        0: towards rank 1).

    Raises
    ------
    DataError
        If the arrays differ in length, `most` is below 1, or there is nothing to draw.
    """
    import polars as pl

    called, (old, new) = _alike(units, before=before, after=after)
    shift = old - new
    both = np.flatnonzero(~np.isnan(shift))
    if not len(both):
        raise DataError("no unit has both ranks; expected at least one")
    # Those that move equally far stand in the order of the later rank.
    order = both[np.lexsort((new[both], -np.abs(shift[both])))][:most]
    at = rank_ticks(0, float(max(old[order].max(), new[order].max())))
    first, last = at[0], at[-1]
    bottom = _TOP + _ROW * len(order) + 4

    def place(value: float) -> float:
        return _LEFT + (value - first) / (last - first) * (_RIGHT - _LEFT - 40)

    parts = axis(at, _LEFT, _RIGHT - 40, first, last, _TOP - 4, bottom)
    for k, i in enumerate(order.tolist()):
        y = _TOP + (k + 0.5) * _ROW
        x0, x1 = place(old[i]), place(new[i])
        colour = BLUE if shift[i] > 0 else VERMILION if shift[i] < 0 else GREY
        parts.append(text(_LEFT - 10, y + 4, shorten(called[i], 32), anchor="end"))
        parts.append(line(x0, y, x1, y, colour, 2.5))
        parts.append(circle(x0, y, 3.5, "#ffffff", colour))
        if shift[i]:
            back = 8 if x1 > x0 else -8
            parts.append(
                f'<path d="M{x1:.1f} {y:.1f}l{-back} -5v10z" fill="{colour}" stroke="{colour}"/>'
            )
        told = f"{'+' if shift[i] > 0 else ''}{numeral(shift[i])}"
        parts.append(text(_WIDTH - 12, y + 4, told, anchor="end"))
    about = (
        f"From the ring ({named[0]}) to the arrow head ({named[1]}); rank 1 is at the left. "
        "The number: places gained (+) or lost (−)."
    )
    about += _part_of(len(order), len(both), "")
    numbers = pl.DataFrame(
        {
            "unit": [called[i] for i in order],
            "before": old[order],
            "after": new[order],
            "shift": shift[order],
        }
    )
    return picture(title, about, _WIDTH, bottom + 12, parts, numbers)


@strict
def sensitivity_plot(
    found: Sobol,
    output: int | str = 0,
    *,
    units: Sequence[str] | None = None,
    of: str | None = None,
    title: str = "Which choice matters",
) -> Plot:
    """Draw first-order and total sensitivity of one output to each input, the most first.

    Parameters
    ----------
    found
        From `commonweal.index.sensitivity.sobol`.
    output
        Position of the output; or, where outputs are units, the code of one.
    units
        (n_outputs,) codes, where outputs are units.
    of
        What the output is, in words: ``the mean rank shift``, ``the rank of Ashby``; the result, or
        the result of its unit, if not given.
    title
        Of the picture.

    Returns
    -------
    Plot
        Numbers: input, first, first_low, first_high, total, total_low and total_high, null where
        there is none.

    Raises
    ------
    DataError
        If there is no such output, or it does not vary, so that nothing can be explained.
    """
    import polars as pl

    n_outputs = found.total.shape[1]
    called = None if units is None else units_of(units, n_outputs)
    output = row_of(output, called, n_outputs, "output")
    if of is None:
        of = "the result" + ("" if called is None else f" of {called[output]}")
    first, total = found.first[:, output], found.total[:, output]
    if np.isnan(total).all():
        raise DataError(f"{of} (output {output}) does not vary: no choice matters to it")
    nothing = np.full((len(total), 2), np.nan)
    ends = [
        nothing if interval is None else interval[:, output]
        for interval in (found.first_interval, found.total_interval)
    ]
    order = np.argsort(-total, kind="stable")
    all_values = np.concatenate([first, total, *(e.ravel() for e in ends), [0.0]])
    at = ticks(float(np.nanmin(all_values)), max(float(np.nanmax(all_values)), 0.1))
    low, high = at[0], at[-1]
    row = 52.0
    bottom = _TOP + row * len(order)

    def place(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (_RIGHT - _LEFT)

    parts = axis(at, _LEFT, _RIGHT, low, high, _TOP - 4, bottom)
    for k, i in enumerate(order.tolist()):
        y = _TOP + k * row + 6
        parts.append(text(_LEFT - 10, y + 23, shorten(found.inputs[i], 32), anchor="end"))
        for value, its, fill, dy in (
            (first[i], ends[0][i], BLUE, 0.0),
            (total[i], ends[1][i], "url(#stripes)", 19.0),
        ):
            x0, x1 = sorted((place(0), place(value)))
            stroke = BLUE if dy == 0 else VERMILION
            parts.append(rectangle(x0, y + dy, x1 - x0, 17, fill, stroke))
            if not np.isnan(its).any():
                a, b, mid = place(its[0]), place(its[1]), y + dy + 8.5
                parts += [
                    line(a, mid, b, mid, "#ffffff", 5),
                    line(a, mid, b, mid, INK, 2),
                    line(a, mid - 4, a, mid + 4, INK, 2),
                    line(b, mid - 4, b, mid + 4, INK, 2),
                ]
    parts.append(line(place(0), _TOP - 4, place(0), bottom, INK))
    key = bottom + 14
    parts += [
        rectangle(_LEFT, key, 18, 14, BLUE, BLUE),
        text(_LEFT + 26, key + 12, "by itself (first order)"),
        rectangle(_LEFT + 200, key, 18, 14, "url(#stripes)", VERMILION),
        text(_LEFT + 226, key + 12, "with all that it acts on (total)"),
    ]
    about = f"Share of the variance of {of} that each choice explains."
    if found.total_interval is not None:
        about += " The line over a bar: its bootstrap interval, 5 % to 95 %."

    def column(values: Floats) -> Floats:
        return values[order]

    numbers = pl.DataFrame(
        {
            "input": [found.inputs[i] for i in order],
            "first": column(first),
            "first_low": column(ends[0][:, 0]),
            "first_high": column(ends[0][:, 1]),
            "total": column(total),
            "total_low": column(ends[1][:, 0]),
            "total_high": column(ends[1][:, 1]),
        }
    ).fill_nan(None)
    return picture(title, about, _WIDTH, key + 30, parts, numbers)


def _alike(units: Sequence[str], **arrays: ArrayLike) -> tuple[list[str], list[Floats]]:
    """Take in units, each once, and ranks of 1 or more, one a unit."""
    n = len(column(next(iter(arrays.values())), next(iter(arrays))))
    called = [str(unit) for unit in units_of(units, n)]
    taken = [column(x, name, n) for name, x in arrays.items()]
    for name, values in zip(arrays, taken, strict=True):
        if (values < 1).any():
            at = int((values < 1).argmax())
            raise DataError(f"{name}, '{called[at]}': {values[at]:g} found; expected 1 or more")
    return called, taken


def _part_of(n_drawn: int, n_all: int, which: str) -> str:
    """Say that not all units are drawn."""
    return f" Drawn: {which}{n_drawn:,} of {n_all:,} units." if n_drawn < n_all else ""
