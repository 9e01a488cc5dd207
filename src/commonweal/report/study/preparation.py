"""What was done to the indicators before the indices read them, for readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.table import Shown
from commonweal.document.words import counted, percent
from commonweal.index.prepare_spec import POPULATION, Denominate, Impute, Screen, Shrink, Treat
from commonweal.study.names import parent_words

if TYPE_CHECKING:
    from commonweal.index.prepare_spec import Step
    from commonweal.study.results import Results

__all__ = ["limit", "preparation", "prepared_values", "step_table"]

_WAYS = {
    "mean": "the mean of the other areas",
    "median": "the median of the other areas",
    "group_mean": "the mean of the areas in the same {group}",
    "group_median": "the median of the areas in the same {group}",
    "row_mean": "the mean of the area's other indicators of the same domain, each on a scale from 0 to 1",
    "row_median": "the median of the area's other indicators of the same domain, each on a scale from "
    "0 to 1",
    "regression": "a regression on the area's other indicators",
}


def preparation(results: Results) -> list[tuple[str, str]]:
    """Give what was done as pairs of a subject and a text; none if nothing was."""
    told = []
    for k, step in enumerate(results.study.prepare, start=1):
        changed = sum(len(p.done[k - 1].cells) for p in results.preparations)
        how = _step(results, step)
        what = counted(changed, "change", "changes")
        told.append((f"Preparation, step {k}", f"{how} {what}."))
    return told


def limit(results: Results) -> str:
    """Say what a preparation hides."""
    text = "The indicators were prepared once: draws vary what came out of it, and not how it was done."
    if any(step.impute for step in results.study.prepare):
        text += " Values that were filled in are estimates; they vary less than real ones would."
    return text


def _step(results: Results, step: Step) -> str:
    match step.spec:
        case Denominate() as s:
            by = _label(results, s.by)
            return f"Divided by {by}{f', per {s.per:,g}' if s.per != 1 else ''}: {_those(results, step)}."
        case Screen() as s:
            gone = (
                [f"indicators that fewer than {percent(s.indicators)} of areas have"]
                if s.indicators
                else []
            )
            gone += (
                [f"areas that have fewer than {percent(s.areas)} of the indicators"]
                if s.areas
                else []
            )
            return f"Left out: {', and '.join(gone)}."
        case Impute() as s:
            way = _WAYS[s.how].format(group=parent_words(s.group)[0])
            return f"Missing values filled in by {way}: {_those(results, step)}."
        case Treat() as s:
            ways = (
                [f"up to {counted(s.winsorise, 'value is', 'values are')} brought in"]
                if s.winsorise
                else []
            )
            ways += [f"all its values are reshaped ({s.reshape})"] if s.reshape != "none" else []
            own = f"; of its own: {', '.join(_label(results, n) for n in s.each)}" if s.each else ""
            return (
                f"Extreme values treated, where an indicator's skew is {s.skew:g} or more and its kurtosis "
                f"{s.kurtosis:g} or more: {', and if that is not enough '.join(ways) or 'nothing'}{own}."
            )
        case Shrink() as s:
            rate = f", as rates per {s.per:,g} {_label(results, s.at_risk)}" if s.at_risk else ""
            return (
                f"Drawn towards the number of the {parent_words(s.to)[0]}, the more the less certain they are"
                f"{rate}: {_those(results, step)}."
            )


def _those(results: Results, step: Step) -> str:
    return ", ".join(_label(results, name) for name in step.of) or "all indicators"


def _label(results: Results, name: str) -> str:
    if name == POPULATION:
        return "residents"
    return results.study.indicators[name].label or name.replace("_", " ")


def step_table(results: Results) -> Shown:
    """Show each step's indicators: how many values it changed, and how."""
    rows = []
    for p in results.preparations:
        for d in p.done:
            n = dict(d.cells.group_by("indicator").len().iter_rows())
            for name, how in d.told.items():
                what = _label(results, name) if name else results.areas.plural.capitalize()
                rows.append(
                    (p.indicators.system, d.number, d.step.kind, what, n.get(name or None, 0), how)
                )
    schema = {
        "Areas": pl.String, "Step": pl.Int64, "What": pl.String, "Indicator": pl.String,
        "Changes": pl.Int64, "How": pl.String,
    }  # fmt: skip
    return _plain(results, pl.DataFrame(rows, schema=schema, orient="row"))


def prepared_values(results: Results) -> Shown:
    """Show every value that was changed by itself.

    Where a step changes all values of an indicator (a rate, a logarithm), no single one is news;
    prepared.parquet has them.
    """
    frames = []
    for p in results.preparations:
        steps = [
            pl.lit(d.number).eq(pl.col("step")) & pl.col("indicator").is_in(d.whole) for d in p.done
        ]
        news = ~pl.any_horizontal(steps).fill_null(value=False)
        frames.append(p.to_frame().filter(news))
    names = results.areas.table.select("code", "name")
    frame = pl.concat(frames).join(names, on="code", how="left", maintain_order="left")
    labels = {name: _label(results, name) for name in results.study.indicators}
    frame = frame.with_columns(pl.col("indicator").replace(labels))
    headers = {
        "areas": "Areas", "step": "Step", "kind": "What", "indicator": "Indicator", "code": "Code",
        "name": "Name", "before": "Before", "after": "After", "what": "Change", "why": "Why",
    }  # fmt: skip
    return _plain(results, frame.select(*headers).rename(headers))


def _plain(results: Results, frame: pl.DataFrame) -> Shown:
    """Leave out columns that say nothing: those without a value, and the areas if all are the same."""
    same = ["Areas"] if len(results.preparations) == 1 else []
    empty = [c.name for c in frame if c.null_count() == len(frame) > 0]
    return Shown(frame.drop(*same, *empty))
