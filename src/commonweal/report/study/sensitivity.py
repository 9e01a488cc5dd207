"""Sensitivity for readers: what a study varies, and which assumption is the biggest source of uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.chart.rows import Bar, Row, row_chart
from commonweal.chart.theme import BLUE, RUST, Axis, hatch, solid
from commonweal.chart.vega import stacked
from commonweal.document.format import format_count, join_words, percent, shorten
from commonweal.document.model import TableData, table_from_columns
from commonweal.document.words import words
from commonweal.errors import CommonwealError
from commonweal.index.assumptions import (
    Aggregation,
    CutOff,
    Inclusion,
    Normalisation,
    Parameter,
    SamplingError,
    SmallCounts,
    Treatment,
    Weights,
    where_of,
)
from commonweal.index.runs import label_of
from commonweal.index.targets import checked
from commonweal.study.names import counted_areas, index_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from commonweal.designation.uncertainty import Sensitivity
    from commonweal.document.model import Chart
    from commonweal.index.assumptions import Assumption
    from commonweal.index.methods import MethodSpec
    from commonweal.index.sensitivity import Sobol
    from commonweal.study.results import Results

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]


_KINDS = {
    Weights: "weights",
    Aggregation: "aggregation",
    Normalisation: "normalisation",
    Treatment: "treatment",
    Inclusion: "inclusion",
    Parameter: "parameter",
    SamplingError: "sampling",
    SmallCounts: "small_counts",
    CutOff: "cut_off",
}
"""What each kind of assumption is called in the files of words."""

NOT_RECALCULATED = "The list was not recalculated with other assumptions."
BIGGEST = (
    "The biggest source of uncertainty is {assumption}: it most often changes the result for {n} of the {areas} "
    "whose result can change."
)
NO_SOURCE = "No assumption, changed alone, changes the list."
METHOD = (
    "We recalculated the results {n} times. Each of these assumptions varies over its whole range: {assumptions}. A "
    "share “alone” is how much of the difference between recalculations would go if that assumption were settled. "
    "A share “with others” is how much would stay if all others were settled. Shares are estimates: one below 0 is "
    "shown as 0%, and one can come out above 100%."
)
CHART = (
    "Each bar is one assumption. Solid: the share of the difference between {runs} that it explains alone. "
    "Striped: with other assumptions. Line: margin of error (90%)."
)


def assumption_kinds(vary: Iterable[Assumption]) -> list[str]:
    """Name the kinds that some assumptions are of, each once, in a fixed order."""
    found = {
        CutOff if isinstance(a, Parameter) and a.part == "cut" else type(a): None for a in vary
    }
    return [word for kind, word in _KINDS.items() if kind in found]


def recalculated(n: int, vary: Iterable[Assumption]) -> str:
    """Say how often a list was recalculated, and with what different assumptions."""
    say = words("place", package="commonweal.report")
    return say("recalculated", times=n, kinds=assumption_kinds(vary))


def describe_assumption(results: Results, a: Assumption, *, law: bool = True) -> str:
    """Say what one assumption lets vary: by its own name, if it has one."""
    what, between = _told(results, a)
    what = a.name or what
    return f"{what} ({between})" if law and between else what


def _told(results: Results, a: Assumption) -> tuple[str, str]:
    where = _where(results, a)
    if isinstance(a, Weights):
        return f"the weights within {where}" if where else "all weights", str(a)
    if isinstance(a, Aggregation):
        return f"the way of combining {where or 'each index'}", _ways(a.of)
    if isinstance(a, Normalisation):
        of = f"the domains of {where}" if where else "indicators"
        return f"the way of making {of} comparable", _ways(a.of)
    if isinstance(a, Treatment):
        return f"the treatment of outliers{f' in {where}' if where else ''}", _ways(a.of)
    if isinstance(a, Inclusion):
        return f"whether {where} is included", ""
    if isinstance(a, Parameter):
        law = a.law_in_words()
        if a.setting == "cut":
            return f"the cut-offs{f' on {where}' if where else ''}", f"times {law}"
        if a.setting == "available":
            return f"how much an area must have of {where or 'each domain'}", law
        return f"the setting '{a.key}' of {where or 'every method that has it'}", law
    if isinstance(a, SamplingError):
        of = f" of {where}" if where else " of the published figures"
        return f"the sampling error{of}", ""
    if isinstance(a, SmallCounts):
        return f"the error of small counts{f' in {where}' if where else ''}", ""
    low, high = a.cut
    return "the cut-offs", f"times {low:g} to {high:g}"


def _where(results: Results, a: Assumption) -> str:
    """Name where an assumption acts; '' for everywhere."""
    where = where_of(a)
    if where is None or where == "all":
        return ""
    names = [where] if isinstance(where, str) else list(where)
    labels = [_label(results, name) for name in names]
    return join_words(f"the {label}" for label in labels)


def _label(results: Results, name: str) -> str:
    paths = {p for i, s in results.scores.items() for p, _ in s.tree.walk(i)}
    try:
        return index_label(results, checked(name, paths, "index or domain"))
    except CommonwealError:  # an indicator's own name
        spec = results.study.indicators.get(name)
        return spec.label if spec and spec.label else name.replace("_", " ")


def _ways(of: Iterable[MethodSpec]) -> str:
    return ", ".join(label_of(how).replace("_", " ") for how in of)


def assumption_labels(results: Results, found: Sensitivity) -> list[str]:
    """Say what each assumption lets vary."""
    return [describe_assumption(results, a, law=False) for a in found.settings.assumptions]


def most_often(results: Results, found: Sensitivity) -> list[int]:
    """Count the areas listed that each assumption, of all, most often moves on or off the list."""
    here = results.focus
    return [int((here & (found.mover == k)).sum()) for k in range(len(found.inputs))]


def describe_sensitivity(results: Results, name: str) -> str:
    """Name the biggest source of uncertainty of a list; '' where that was not asked."""
    found = results.sensitivity.get(name)
    if found is None:
        return ""
    areas = most_often(results, found)
    if not any(areas):
        return NO_SOURCE
    k = int(np.argmax(areas))
    return BIGGEST.format(
        assumption=assumption_labels(results, found)[k],
        n=f"{areas[k]:,}",
        areas=counted_areas(sum(areas), results.areas),
    )


def sensitivity_method(results: Results, name: str) -> str:
    """Say what was varied, how often, and what the shares mean."""
    found = results.sensitivity[name]
    told = "; ".join(describe_assumption(results, a) for a in found.settings.assumptions)
    return METHOD.format(n=f"{found.selected.n_runs:,}", assumptions=told)


def moved_by_choice(results: Results, name: str) -> TableData | None:
    """Count the areas whose result each assumption changes most often; None if not asked."""
    found = results.sensitivity.get(name)
    if found is None:
        return None
    plural = results.areas.plural.capitalize()
    return table_from_columns(
        [("Assumption", _choices(results, found)), (plural, pl.Series(most_often(results, found)))]
    )


def sensitivity_table(results: Results, name: str) -> TableData:
    """Show what each choice does to how many areas change, and to the ranks of each index."""
    found = results.sensitivity[name]
    frames = []
    for path, sobol in found.whole.items():
        moved = most_often(results, found) if not path else [None] * len(found.inputs)
        plural = results.areas.plural.capitalize()
        columns = [
            ("Result", pl.Series([_measure(results, path)] * len(found.inputs))),
            ("Assumption", _choices(results, found)),
            *_shares(sobol, np.arange(len(found.inputs))),
            (f"{plural} whose result it changes most often", pl.Series(moved, dtype=pl.Int64)),
        ]
        frames.append(table_from_columns(columns).frame)
    return TableData(pl.concat(frames), frozenset(_SHARES))


def _choices(results: Results, found: Sensitivity) -> pl.Series:
    return pl.Series([text[:1].upper() + text[1:] for text in assumption_labels(results, found)])


def _shares(sobol: Sobol, order: Rows) -> list[tuple[str, pl.Series]]:
    columns = (sobol.first[:, 0], sobol.total[:, 0], *_ends(sobol))
    return [
        (header, pl.Series(np.maximum(column[order], 0.0)).fill_nan(None))
        for header, column in zip(_SHARES, columns, strict=True)
    ]


_SHARES = ("Alone", "With others", "At least", "At most")


def _measure(results: Results, path: str) -> str:
    if not path:
        return f"How many {results.areas.plural} join or leave the list"
    return f"Ranks on the {index_label(results, path)}"


def _ends(sobol: Sobol) -> tuple[Floats, Floats]:
    """(n_inputs,) ends of the intervals of total orders; NaN without intervals."""
    if sobol.total_interval is None:
        nothing = np.full(len(sobol.inputs), np.nan)
        return nothing, nothing
    return sobol.total_interval[:, 0, 0], sobol.total_interval[:, 0, 1]


def sensitivity_charts(results: Results, name: str) -> Iterator[Chart]:
    """Show the shares of each choice, largest first, for each result that varies."""
    found = results.sensitivity.get(name)
    if found is None:
        return
    words = _choices(results, found)
    for number, (path, sobol) in enumerate(found.whole.items()):
        if np.isnan(sobol.total[:, 0]).all():
            continue
        order = np.argsort(-sobol.total[:, 0], kind="stable")
        order = order[sobol.total[order, 0] != 0]  # what does not act on it at all
        columns = [("Assumption", words[order.tolist()]), *_shares(sobol, order)]
        numbers = table_from_columns(columns, _SHARES)
        rows = [_row(*told) for told in numbers.frame.iter_rows()]
        title = _measure(results, path)
        if rows:
            most = assumption_labels(results, found)[int(order[0])]
            title += f": the biggest source of uncertainty is {most} ({rows[0].after})"
        yield row_chart(
            f"uncertainty-{name}-{number}", title,
            CHART.format(runs=format_count(sobol.n_runs, "recalculation", "recalculations")),
            rows, numbers, stacked("Assumption", "Alone", "With others"),
            Axis(0.0, max(1.0, *(v for head in _SHARES[1:] for v in numbers.frame[head].drop_nulls()))),
            [(solid(BLUE), "Alone"), (hatch(RUST), "With others")],
        )  # fmt: skip


def _row(
    name: str, alone: float | None, total: float | None, low: float | None, high: float | None
) -> Row:
    whole = total or 0.0
    inside = min(alone or 0.0, whole)
    span = None if low is None or high is None else (low, high)
    bars = (Bar(0.0, inside, solid(BLUE)), Bar(inside, whole, hatch(RUST)))
    return Row(shorten(name, 60), bars, span=span, after=percent(whole))
