"""Pictures of ranks: how sure they are, what moves them, and which choice matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.format import shorten
from commonweal.errors import DataError
from commonweal.files.extras import needs
from commonweal.index.methods import AboveZero, Count, strict
from commonweal.index.tables import column, row_of, units_of
from commonweal.toolbox.figure import BLUE, GREY, INK, SKY, VERMILION, blank, numeral, plot, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from commonweal.index.sensitivity import Sobol
    from commonweal.index.tables import Floats
    from commonweal.toolbox.figure import Plot

__all__ = ["rank_plot", "sensitivity_plot", "shift_plot"]

_ROW = 17.0


# Wide: four arrays, and four words on how they are drawn.
@strict
def rank_plot(
    units: Sequence[str],
    ranks: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    rows: Sequence[int | str] | None = None,
    cut: AboveZero | None = None,
    interval: str = "5% to 95% of the runs",
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
    numbers = pl.DataFrame(
        {
            "unit": [called[i] for i in chosen],
            "rank": now[chosen],
            "low": near[chosen],
            "high": far[chosen],
        }
    ).fill_nan(None)
    with style():
        figure = blank(_ROW * len(chosen) + 88)
        inside = now[chosen] <= (np.inf if cut is None else cut)
        spread = np.concatenate([now[chosen], near[chosen], far[chosen], [cut or np.nan]])
        axes = _rows(figure, [called[i] for i in chosen], spread)
        y = np.arange(len(chosen))
        axes.hlines(y, near[chosen], far[chosen], color=GREY, lw=2.2, label=interval)
        looks = ((inside, BLUE, "rank as it stands"), (~inside, "white", "rank beyond the cut-off"))
        for part, face, told in looks:
            if part.any():
                _dots(axes, now[chosen][part], y[part], BLUE, face, told)
        if cut is not None:
            told = f"cut-off after {numeral(cut)}"
            axes.axvline(cut + 0.5, color=VERMILION, lw=1.6, ls=(0, (5, 3)), label=told)
        figure.legend(loc="outside lower center", ncols=4)
        ranked = int(np.count_nonzero(~np.isnan(now)))
        about = _shown(len(chosen), ranked)
        about += f" The dot is the rank as it stands, 1 = first. The line runs from {interval}."
        if cut is not None:
            about += " Filled: within the cut-off. Hollow: beyond it."
        return plot(figure, title, about, numbers)


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

    with needs("toolbox"):
        from matplotlib.markers import CARETLEFT, CARETRIGHT  # their tips are at the point

    called, (old, new) = _alike(units, before=before, after=after)
    shift = old - new
    both = np.flatnonzero(~np.isnan(shift))
    if not len(both):
        raise DataError("no unit has both ranks; expected at least one")
    # Those that move equally far stand in the order of the later rank.
    order = both[np.lexsort((new[both], -np.abs(shift[both])))][:most]
    numbers = pl.DataFrame(
        {
            "unit": [called[i] for i in order],
            "before": old[order],
            "after": new[order],
            "shift": shift[order],
        }
    )
    with style():
        figure = blank(_ROW * len(order) + 88)
        axes = _rows(figure, [called[i] for i in order], np.concatenate([old[order], new[order]]))
        y = np.arange(len(order))
        looks = (
            (1, CARETLEFT, BLUE, "up"),
            (-1, CARETRIGHT, VERMILION, "down"),
            (0, "|", GREY, "same"),
        )
        for sign, mark, colour, told in looks:
            part = np.sign(shift[order]) == sign
            if part.any():
                x0, x1 = old[order][part], new[order][part]
                axes.hlines(y[part], x0, x1, color=colour, lw=2.2)
                _dots(axes, x0, y[part], colour)
                told = shorten(f"{named[1]}: {told}", 40)
                axes.plot(x1, y[part], ls="", marker=mark, ms=8, color=colour, label=told)
        _dots(axes, [], [], GREY, label=shorten(named[0], 40))
        right = axes.secondary_yaxis("right")
        right.set_yticks(y, [f"{'+' * (s > 0)}{numeral(s)}" for s in shift[order].tolist()])
        right.tick_params(length=0, labelcolor=INK)
        right.spines[:].set_visible(False)
        figure.legend(loc="outside lower center", ncols=4)
        about = _shown(len(order), len(both), ": those that move most")
        about += (
            f" From the ring ({named[0]}) to the arrow head ({named[1]}); rank 1 is at the left. "
            "The number: places gained (+) or lost (−)."
        )
        return plot(figure, title, about, numbers)


def _result(units: Sequence[str] | None, output: int) -> str:
    """Say what an output is: the result, or that of its unit."""
    return "the result" if units is None else f"the result of {units[output]}"


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
    of = _result(called, output) if of is None else of
    first, total = found.first[:, output], found.total[:, output]
    if np.isnan(total).all():
        raise DataError(f"{of} (output {output}) does not vary: no choice matters to it")
    nothing = np.full((len(total), 2), np.nan)
    ends = [
        nothing if interval is None else interval[:, output]
        for interval in (found.first_interval, found.total_interval)
    ]
    order = np.argsort(-total, kind="stable")
    numbers = pl.DataFrame(
        {
            "input": [found.inputs[i] for i in order],
            "first": first[order],
            "first_low": ends[0][order, 0],
            "first_high": ends[0][order, 1],
            "total": total[order],
            "total_low": ends[1][order, 0],
            "total_high": ends[1][order, 1],
        }
    ).fill_nan(None)
    with style():
        figure = blank(46.0 * len(order) + 80)
        axes = figure.add_subplot()
        y = np.arange(len(order))
        looks: list[dict[str, Any]] = [
            {"color": SKY, "label": "by itself (first order)"},
            {"color": "white", "label": "with all that it acts on (total)"},
        ]
        looks[1] |= {"edgecolor": VERMILION, "hatch": "////"}
        for value, its, look, up in zip((first, total), ends, looks, (-0.2, 0.2), strict=True):
            axes.barh(y + up, value[order], 0.38, **look)
            middle, half = its[order].mean(axis=1), np.diff(its[order])[:, 0] / 2
            axes.errorbar(middle, y + up, xerr=half, fmt="none", ecolor=INK, lw=1.5, capsize=4)
        axes.axvline(0, color=INK, lw=1)
        axes.set_yticks(y, [shorten(found.inputs[i], 32) for i in order])
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.set_xlabel("share of the variance")
        axes.spines[["left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        figure.legend(loc="outside lower center", ncols=2)
        about = f"Share of the variance of {of} that each choice explains."
        if found.total_interval is not None:
            about += " The line over a bar: its bootstrap interval, 5% to 95%."
        return plot(figure, title, about, numbers)


def _rows(figure: Figure, units: Sequence[str], ranks: Floats) -> Axes:
    """Make axes with a row a unit, from the top, and ranks from 1 at the left.

    Far down the table they begin nearer to the ranks that are drawn, to tell them apart.
    """
    with needs("toolbox"):
        from matplotlib.ticker import MaxNLocator

    least, most = float(np.nanmin(ranks)), float(np.nanmax(ranks))
    least = least if least > most / 2 else 1.0
    nice = MaxNLocator(7, integer=True, steps=[1, 2, 5, 10])
    at = np.asarray(nice.tick_values(least, max(most, least + 1)))
    at = at[(at > least) & (at <= most)]
    space = max((most - least) * 0.02, 0.3)
    axes = figure.add_subplot()
    axes.set_xticks([least, *at[at - least > 2 * space]])
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlim=(least - space, most + space), ylim=(len(units) - 0.4, -0.6))
    axes.set_yticks(range(len(units)), [shorten(unit, 32) for unit in units])
    axes.set_xlabel("rank")
    axes.tick_params(length=0, top=True, labeltop=True)
    axes.spines[:].set_visible(False)
    axes.grid()
    return axes


def _dots(
    axes: Axes,
    x: ArrayLike,
    y: ArrayLike,
    colour: str,
    face: str = "white",
    label: str | None = None,
) -> None:
    axes.plot(x, y, "o", ms=5.5, mfc=face, mec=colour, mew=1.4, label=label)


def _shown(some: int, of: int, which: str = "") -> str:
    return f"{some:,} of {of:,} units shown{which}." if some < of else f"All {of:,} units shown."


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
