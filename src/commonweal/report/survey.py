"""A report on a survey: each outcome by group and over time, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from commonweal.chart.rows import Row, Upright, row_chart
from commonweal.chart.theme import DOT, round_axis, short_number
from commonweal.chart.vega import dots
from commonweal.document.format import format_count, percent
from commonweal.document.model import Document, Figure, Section, Table, TableData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.document.model import Chart
    from commonweal.survey import Raking, Summary, Survey
    from commonweal.survey.estimate import OutcomeEstimates


_NUMBERS = {
    "respondents": "Respondents",
    "effective_sample": "Effective sample",
    "design_effect": "Design effect",
    "value": "Estimate",
    "standard_error": "Standard error",
    "lower": "Lower end",
    "upper": "Upper end",
    "coefficient_of_variation": "Coefficient of variation",
    "reason": "Reason not published",
}
_SHARES = ("Estimate", "Lower end", "Upper end")
_METHOD = {
    "brr": "balanced repeated replication",
    "jackknife": "a jackknife",
    "bootstrap": "a bootstrap",
    "sdr": "successive differences",
}
_ALONE = {
    "centre": "measured from the mean of all strata",
    "average": "given the average of the other strata",
    "skip": "left out of the variance",
}


def survey_document(summary: Summary) -> Document:
    """Make the report of a survey."""
    survey = summary.survey
    spec = survey.spec
    sections = [_everyone(summary)]
    sections += [s for name in spec.outcomes for s in _outcome(summary, name)]
    if len(summary.changes):
        sections.append(_changes(summary))
    sections.append(_method(survey))
    if summary.raking is not None:
        sections.append(_raked(summary.raking))
    kept, all_ = _published(summary)
    limits = [
        "People who were not asked, or did not answer, may differ from those who did. Intervals cover sampling only.",
        "A difference between groups does not show that being in a group causes it.",
    ]
    if kept < all_:
        limits.append(
            f"{all_ - kept:,} of {all_:,} estimates are not published by convention: fewer than "
            f"{spec.suppress.respondents} respondents, or a coefficient of variation of "
            f"{percent(spec.suppress.variation)} or more."
        )
    return Document(
        name=f"survey-{spec.name}",
        title=spec.title,
        heading=f"{format_count(len(survey.frame), 'respondent', 'respondents')}; estimates with 95% intervals",
        answer=tuple(summary_sentence(summary, name) for name in spec.outcomes),
        sections=tuple(sections),
        limits=tuple(limits),
        works=(
            "lumley-2004",
            "korn-graubard-1998",
            *(("deming-stephan-1940",) if summary.raking is not None else ()),
        ),
        sources=(f"{spec.title}: microdata of {spec.file}.",),
        account=(
            ("survey", spec.model_dump(mode="json", exclude={"folder"}, exclude_defaults=True)),
            ("respondents", len(survey.frame)),
        ),
    )


def outcome_label(survey: Survey, name: str) -> str:
    """Give the label of an outcome for readers."""
    return survey.spec.outcomes[name].label or _words(name)


def format_estimate(value: float, share: bool) -> str:
    """Write a value: a share in percent, another number with two decimal places."""
    return percent(value) if share else f"{value:,.2f}"


def summary_sentence(summary: Summary, name: str) -> str:
    """Give the estimate for all respondents in a sentence."""
    survey = summary.survey
    label, share = outcome_label(survey, name), survey.spec.outcomes[name].share
    row = _finding(summary, name, ()).table.row(0, named=True)
    if not row["published"]:
        return f"{label}: not published ({row['reason']})."
    return (
        f"{label}: {format_estimate(row['value'], share)} (95% interval {format_estimate(row['lower'], share)} to "
        f"{format_estimate(row['upper'], share)}; {format_count(row['respondents'], 'respondent', 'respondents')})."
    )


def _finding(summary: Summary, outcome: str, by: tuple[str, ...]) -> OutcomeEstimates:
    return next(f for f in summary.findings if f.outcome == outcome and f.by == by)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _label(survey: Survey, group: str) -> str:
    about = survey.spec.groups.get(group)
    return about.label if about and about.label else _words(group)


def _published(summary: Summary) -> tuple[int, int]:
    kept = [f.table["published"] for f in summary.findings]
    return sum(int(k.sum()) for k in kept), sum(len(k) for k in kept)


def _everyone(summary: Summary) -> Section:
    """Give the estimates for all respondents as figures and as a table."""
    survey, rows, figures = summary.survey, [], []
    for name, outcome in survey.spec.outcomes.items():
        row = _finding(summary, name, ()).table.row(0, named=True)
        rows.append({"outcome": name, **row})
        ends = ("value", "lower", "upper")
        value, low, high = (row[end] if row["published"] else None for end in ends)
        shown = "not published" if value is None else format_estimate(value, outcome.share)
        figures.append(Figure(name, outcome_label(survey, name), value, shown, low=low, high=high))
    data = pl.DataFrame(rows, infer_schema_length=None)
    labels = [outcome_label(survey, name) for name in survey.spec.outcomes]
    frame = pl.DataFrame({"Outcome": labels, "Respondents": data["respondents"]})
    table = Table("everyone", "Answers to each question", TableData(frame, data=data))
    return Section("Estimates for everyone", figures=tuple(figures), tables=(table,), annex=True)


_MOST = 12
"""Groups up to which those not published are listed one by one on a terminal."""


def _outcome(summary: Summary, name: str) -> Iterator[Section]:
    survey = summary.survey
    grouped = [f for f in summary.findings if f.outcome == name and f.by]
    kept = [len(f.table) <= _MOST or bool(f.table["published"].any()) for f in grouped]
    tables = [
        Table(
            f"{name}-by-{'-'.join(f.by)}".replace("_", "-"),
            f"{outcome_label(survey, name)} by {' and '.join(_label(survey, g).lower() for g in f.by)}",
            _shown(survey, f),
            rows=60,
        )
        for f in grouped
    ]
    drawn = [f for f in grouped if len(f.table) <= 30]
    charts = (_chart(summary, name, drawn),) if drawn else ()
    headline = survey.spec.outcomes[name].headline
    text = [summary_sentence(summary, name)]
    if headline:
        text.append(f"This is the headline indicator “{headline}”.")
    text += [
        f"{outcome_label(survey, name)} by {' and '.join(_label(survey, g).lower() for g in f.by)}: none of "
        f"{len(f.table):,} groups is fit to publish; the report gives the reason for each."
        for f, shown in zip(grouped, kept, strict=True)
        if not shown
    ]
    label = outcome_label(survey, name)
    first = tuple(t for t, shown in zip(tables, kept, strict=True) if shown)
    weak = [
        f"{', '.join(str(row[g]) for g in f.by)}: not published ({row['reason']})."
        for f in grouped
        if len(f.table) <= _MOST
        for row in f.table.filter(~pl.col("published")).iter_rows(named=True)
    ]
    yield Section(label, tuple(text), charts, first, points=tuple(weak))
    if rest := tuple(t for t, shown in zip(tables, kept, strict=True) if not shown):
        yield Section(f"{label}: groups that are not published", tables=rest, annex=True)


def _shown(survey: Survey, finding: OutcomeEstimates) -> TableData:
    names = {g: _label(survey, g) for g in finding.by}
    numbers = {
        k: v for k, v in _NUMBERS.items() if k != "reason" or not finding.table["published"].all()
    }
    frame = finding.table.select(*names, *numbers).rename({**names, **numbers})
    shares = {"Coefficient of variation"}
    if survey.spec.outcomes[finding.outcome].share:
        shares |= set(_SHARES)
    places = {"Effective sample": 0, "Standard error": 4}
    return TableData(frame, frozenset(shares), places, data=finding.table)


def _chart(summary: Summary, name: str, findings: list[OutcomeEstimates]) -> Chart:
    survey = summary.survey
    share = survey.spec.outcomes[name].share
    everyone = _finding(summary, name, ()).table.row(0, named=True)
    rows, frames = [], []
    for f in findings:
        heading = " and ".join(_label(survey, g) for g in f.by)
        label = pl.concat_str([pl.col(g) for g in f.by], separator=", ")
        part = f.table.select(
            pl.lit(heading).alias("By"), label.alias("Group"),
            Estimate="value", **{"Lower end": pl.col("lower"), "Upper end": pl.col("upper")},
        )  # fmt: skip
        frames.append(part)
        rows += [estimate_row(row, share) for row in part.iter_rows()]
    numbers = TableData(pl.concat(frames), frozenset(_SHARES) if share else frozenset())
    known = [v for head in _SHARES for v in numbers.frame[head].drop_nulls()]
    about, lines = "Dot: estimate. Line: 95% interval.", []
    if everyone["published"]:
        about += " Upright line: the estimate for all."
        lines = [Upright(everyone["value"], f"all: {format_estimate(everyone['value'], share)}")]
    return row_chart(
        f"survey-{name.replace('_', '-')}",
        _group_finding(outcome_label(survey, name), numbers.frame, share),
        about,
        rows,
        numbers,
        dots("Group", "Estimate", ends=("Lower end", "Upper end")),
        round_axis(known, lambda value: f"{value:.0%}" if share else short_number(value)),
        lines=lines,
    )


Estimate: TypeAlias = tuple[str, str, float | None, float | None, float | None]
"""Heading, label, value and its interval; None where it may not be told."""


def estimate_row(row: Estimate, share: bool) -> Row:
    """Give an estimate as a row of a chart."""
    heading, label, value, low, high = row
    if value is None:
        return Row(label, heading=heading, note="too few to publish")
    span = None if low is None or high is None else (low, high)
    told = format_estimate(value, share)
    return Row(label, marks=((value, DOT),), span=span, after=told, heading=heading)


def _group_finding(label: str, frame: pl.DataFrame, share: bool) -> str:
    """Name the groups with the highest and the lowest estimate."""
    told = frame.drop_nulls("Estimate").sort("Estimate", maintain_order=True)
    if len(told) < 2:
        return f"{label}, by group"
    low, high = (
        f"“{told['Group'][at]}” ({format_estimate(told['Estimate'][at], share)})" for at in (0, -1)
    )
    return f"{label}: highest for {high}, lowest for {low}"


def _changes(summary: Summary) -> Section:
    survey = summary.survey
    told = []
    rows = []
    for row in summary.changes.iter_rows(named=True):
        share = survey.spec.outcomes[row["outcome"]].share
        label = outcome_label(survey, row["outcome"])
        times = 100 if share else 1
        numbers = [
            row[k] for k in ("before", "after", "change", "standard_error", "lower", "upper")
        ]
        rows.append(
            [
                label,
                row["since"],
                row["until"],
                *(None if n is None else n * times for n in numbers),
            ]
        )
        if row["published"]:
            unit = " points" if share else ""
            sure = row["lower"] > 0 or row["upper"] < 0
            told.append(
                f"{label}, {row['since']} to {row['until']}: {row['change'] * times:+.1f}{unit} (95% interval "
                f"{row['lower'] * times:+.1f} to {row['upper'] * times:+.1f})"
                f"{'' if sure else '; this may be chance'}."
            )
    heads = [
        "Outcome",
        "Since",
        "Until",
        "Before",
        "After",
        "Change",
        "Standard error",
        "Lower end",
        "Upper end",
    ]
    frame = pl.DataFrame(rows, schema=heads, orient="row", infer_schema_length=None)
    table = Table(
        "changes",
        "Changes between waves",
        TableData(frame, data=summary.changes),
        "Shares in percent, changes in percentage points.",
    )
    return Section("Changes between waves", tables=(table,), points=tuple(told))


def _method(survey: Survey) -> Section:
    return Section("How the estimates were made", points=tuple(_points(survey)))


def _points(survey: Survey) -> Iterator[str]:
    spec = survey.spec
    if spec.weight:
        weight = survey.frame["weight"].to_numpy()
        worth = weight.sum() ** 2 / (weight**2).sum()
        yield (
            f"Weighted by the column “{spec.weight}”. Weights go from {weight.min():,.3g} to {weight.max():,.3g}. For "
            f"outcomes unrelated to them, {len(weight):,} respondents count as much as {worth:,.0f} of equal weight."
        )
    else:
        yield "Not weighted: the file names no weights, so every respondent counts equally."
    if spec.replicates:
        n = len(spec.replicates.columns)
        yield f"Standard errors are from {n} replicate weights, made by {_METHOD[spec.replicates.method]}."
    elif spec.strata or spec.clusters:
        parts = [f"{survey.frame[k].n_unique():,} {k.replace('stratum', 'strata').replace('cluster', 'clusters')}"
                 for k in ("stratum", "cluster") if k in survey.frame.columns]  # fmt: skip
        yield f"Standard errors are by Taylor linearisation, with {' and '.join(parts)}."
    else:
        yield (
            "Standard errors are by Taylor linearisation for a simple random sample: the file names no strata and no "
            "clusters. If there were clusters, the standard errors are too small."
        )
    if spec.singletons in _ALONE and "stratum" in survey.frame.columns:
        yield f"A stratum of one cluster is {_ALONE[spec.singletons]}."
    if "wave" in survey.levels:
        kind = "repeat interviews in the same clusters" if spec.panel else "independent samples"
        yield (
            f"Waves ({', '.join(survey.levels['wave'])}) are {kind}. Except where a wave is named, the estimates use "
            "all of them."
        )
    for name in spec.outcomes:
        n = survey.frame[name].null_count()
        if n:
            yield f"{outcome_label(survey, name)}: {format_count(n, 'answer is', 'answers are')} missing and left out."


def _raked(raking: Raking) -> Section:
    heads = {"margin": "Margin", "group": "Group", "respondents": "Respondents", "target": "Target",
             "before": "Before", "after": "After"}  # fmt: skip
    shown = TableData(raking.margins.rename(heads), frozenset({"Target", "Before", "After"}))
    capped = (
        f" {format_count(raking.trimmed, 'weight is', 'weights are')} at the cap."
        if raking.trimmed
        else ""
    )
    text = (
        f"We raked the weights to known population totals in {format_count(raking.iterations, 'round', 'rounds')}. "
        f"They changed by a factor of {raking.smallest_change:.2f} to {raking.largest_change:.2f}.{capped} The "
        f"design effect of the weights went from {raking.design_effect_before:.2f} to "
        f"{raking.design_effect_after:.2f}."
    )
    return Section("Weights", (text,), tables=(Table("margins", "Margins", shown),))
