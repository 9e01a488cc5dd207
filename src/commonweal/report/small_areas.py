"""A report on small-area estimates: findings, a chart of every neighbourhood, files of numbers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from commonweal.chart.lines import Band, Line, line_chart
from commonweal.chart.theme import Axis, round_axis
from commonweal.chart.vega import curves
from commonweal.document.format import format_count, percent, with_article
from commonweal.document.model import Document, Section, Table, TableData
from commonweal.document.write import write_document
from commonweal.report.study.geopackage import write_layers
from commonweal.report.study.parquet import write_table
from commonweal.social_capital.neighbourhoods.model import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.document.model import Chart
    from commonweal.social_capital.neighbourhoods import Estimates, Neighbourhoods

    Floats: TypeAlias = NDArray[np.float64]


_POINTS = 200
_QUANTILES = (0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1)


def _numbers(e: Estimates, areas: Areas, order: NDArray[np.intp]) -> TableData:
    """Give the estimates at some points in the order, with their intervals."""
    rows = order[[round(q * (len(order) - 1)) for q in _QUANTILES]]
    words = ["lowest", *(f"{100 * q:.0f}% are lower" for q in _QUANTILES[1:-1]), "highest"]
    headers = ("Estimate", "Lower", "Upper")
    return TableData(
        pl.DataFrame(
            {
                "Position": words,
                areas.singular.capitalize(): areas.table["name"].gather(rows),
                **{
                    h: v[rows] for h, v in zip(headers, (e.estimate, e.lower, e.upper), strict=True)
                },
            }
        ),
        frozenset(headers) if e.share else frozenset(),
    )


def band_chart(e: Estimates, areas: Areas, level: float) -> Chart:
    """Draw the estimates from the lowest to the highest, each with its interval."""
    order = np.argsort(e.estimate, kind="stable")
    n = len(order)
    picked = order[np.unique(np.linspace(0, n - 1, min(n, _POINTS)).astype(int))]
    low, high = (0.0, 1.0) if e.share else (float(e.lower.min()), float(e.upper.max()))
    x = np.linspace(0, 1, len(picked)) if len(picked) > 1 else np.array([0.5])
    title = f"{e.label}: {_range(e)} across {areas.plural}"
    about = (
        f"Every {areas.singular}, from the lowest estimate to the highest. Line: estimate. Band: {100 * level:.0f}% "
        "interval, smoothed. Where the band is wide and the line is flat, do not rely on the order."
    )
    # Intervals of neighbours in the order differ in width: the band is their running median.
    band = Band(x, _smooth(e.lower[picked]), _smooth(e.upper[picked]))
    return line_chart(
        f"estimates-{e.outcome.replace('_', '-')}", title, about,
        [band, Line(x, e.estimate[picked])], _numbers(e, areas, order),
        curves("Position", "Lower", "Estimate", "Upper"),
        Axis(0.0, 1.0, ((0.0, "lowest estimate"), (1.0, "highest"))),
        round_axis([low, high], (lambda v: f"{v:.0%}") if e.share else (lambda v: f"{v:.3g}"), most=5),
    )  # fmt: skip


def _smooth(values: np.ndarray, reach: int = 5) -> np.ndarray:
    padded = np.pad(values, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.asarray(np.median(windows, axis=1))


_SURE = 2.0
"""Standard errors from 0 at which a coefficient is named."""
_FAR = 3.0
"""Standard deviations at which the answers of an area are named as far off."""
_SHOWN = 5


def shown_value(value: float, share: bool) -> str:
    """Write an estimate: a share in percent, a number with two decimals."""
    return f"{100 * value:.0f}%" if share else f"{value:.2f}"


def points_or_units(value: float, share: bool) -> str:
    """Write a difference: of shares in points.

    >>> points_or_units(0.0614, True), points_or_units(0.0614, False)
    ('6.1 points', '0.06')
    """
    return f"{100 * value:.1f} points" if share else f"{value:.2f}"


def overview(found: Neighbourhoods) -> str:
    """Say what was estimated, from what, and how."""
    first = next(iter(found.outcomes.values()))
    asked = int((first.asked > 0).sum())
    people = max(int(e.asked.sum()) for e in found.outcomes.values())
    areas = found.areas
    return (
        f"Estimates for {format_count(len(areas), areas.singular, areas.plural)}, from the answers of {people:,} "
        f"people in {asked:,} of them. Method: {METHODS[found.method]}, with {len(found.covariates.names)} covariates "
        f"and {percent(found.level)} intervals."
    )


def _set_aside(e: Estimates, plural: str) -> Iterator[str]:
    """Say who was left out, and which estimates were set to an end of the scale."""
    if e.outside:
        who = format_count(e.outside, "respondent lives", "respondents live")
        yield f"{who} outside the {plural} and {_are(e.outside)} left out."
    if e.of_no_kind:
        who = format_count(e.of_no_kind, "respondent is", "respondents are")
        yield f"{who} left out: answers on who they are were missing."
    edge = int(((e.estimate <= 0) | (e.estimate >= 1)).sum()) if e.share else 0
    if edge:
        yield (
            f"{format_count(edge, 'estimate', 'estimates')} "
            f"fell outside 0 to 100% and {_are(edge)} set to that end: the model does not fit there."
        )


def findings(found: Neighbourhoods, e: Estimates) -> Iterator[str]:
    """Describe the basis of one outcome's estimates, with cautions, a sentence or two each."""
    m, areas = e.modelled, found.areas
    plural = areas.plural
    here = m.from_survey[m.direct.rows]
    rest = len(areas) - len(here)
    yield (
        f"In the {len(here):,} {plural} where people were asked, {percent(float(here.mean()))} of an estimate comes "
        f"from their own answers on average, and {percent(float(here.max()))} at most. The rest comes from similar "
        f"{plural}."
        + (
            f" The other {rest:,} rely on these entirely, and differ only by their covariates."
            if rest
            else ""
        )
    )
    own = (
        points_or_units(m.model_sd, e.share)
        if m.method == "fay-herriot"
        else f"{m.model_sd:.2f} in log-odds"
    )
    yield (
        f"The covariates explain {percent(m.explained)} of the differences between {plural}. The rest has a standard "
        f"deviation of {own}."
    )
    told = _told_coefficients(found, e)
    if told:
        yield f"With other covariates held constant, the estimate goes {told}. This is association, not cause."
    fit = int(e.publish.sum())
    yield (
        f"{fit:,} of {len(areas):,} estimates {_are(fit)} fit to publish by convention: coefficient of variation under "
        f"{percent(found.limit)}. Half of the intervals are narrower than plus or minus "
        f"{points_or_units(float(np.median(e.upper - e.lower)) / 2, e.share)}."
    )
    yield from _adding_up(found, e)
    far = np.flatnonzero(np.abs(m.residual) > _FAR)
    if len(far):
        names = areas.table["name"].gather(m.direct.rows[far][:_SHOWN]).to_list()
        yield (
            f"The answers of {format_count(len(far), areas.singular, plural)} "
            f"lie more than {_FAR:g} standard deviations from the model: check {', '.join(names)}."
        )
    if m.direct.design_effect > 1:
        yield (
            "People sampled together in an area give similar answers, so variances are multiplied by "
            f"{m.direct.design_effect:.2f}."
        )
    yield from _set_aside(e, plural)


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _told_coefficients(found: Neighbourhoods, e: Estimates) -> str:
    """Name the covariates that differ from zero, the clearest first."""
    labels = dict(zip(found.covariates.names, found.covariates.labels, strict=True))
    sure = [
        (
            abs(value / error),
            f"{'up' if value > 0 else 'down'} with {labels[name].lower()}",
        )
        for name, value, error in e.modelled.coefficients
        if name in labels and error > 0 and abs(value) > _SURE * error
    ]
    return ", ".join(words for _, words in sorted(sure, reverse=True))


def _adding_up(found: Neighbourhoods, e: Estimates) -> Iterator[str]:
    if e.larger is None:
        return
    used = e.larger.filter("used")
    if not len(used):
        yield (
            f"The survey's own figure is fit to publish for none of the {len(e.larger):,} larger areas "
            f"({found.benchmark}), so the estimates do not have to add up to it."
        )
        return
    moved = np.abs(e.estimate - e.modelled.estimate)
    before = np.sqrt((e.modelled.standard_error**2).mean())
    wider = float(np.sqrt((e.standard_error**2).mean()) / before) - 1
    yield (
        f"The estimates add up to the survey's own figure in {len(used):,} of {len(e.larger):,} larger areas "
        f"({found.benchmark}). This changes them by {points_or_units(float(moved.mean()), e.share)} on average and "
        f"makes standard errors {percent(wider)} larger."
    )


def _every(found: Neighbourhoods) -> Section:
    """Give every outcome on a line: the spread of its estimates, their margin of error, and whose answers they are."""
    rows, figures = [], []
    for e in found.outcomes.values():
        low, middle, high = (float(v) for v in np.quantile(e.estimate, [0.05, 0.5, 0.95]))
        own = float(e.modelled.from_survey[e.modelled.direct.rows].mean())
        half, fit = float(np.median(e.upper - e.lower)) / 2, int(e.publish.sum())
        shown = (
            *(shown_value(v, e.share) for v in (low, middle, high)),
            points_or_units(half, e.share),
        )
        rows.append((e.outcome, *shown, fit, own))
        figures.append((e.outcome, low, middle, high, half, fit, own))
    heads = ("5% are below", "Median", "5% are above", "Interval, ±")
    words = dict.fromkeys(("Outcome", *heads), pl.String)
    schema = {**words, "Fit to publish": pl.Int64, "Own answers": pl.Float64}
    names = ("outcome", "low", "median", "high", "half_interval", "fit_to_publish", "own_answers")
    shown_ = TableData(
        pl.DataFrame(rows, schema=schema, orient="row"),
        frozenset({"Own answers"}),
        data=pl.DataFrame(figures, schema=names, orient="row"),
    )
    filled = tuple(
        f"Covariate {name}: {format_count(gaps, found.areas.singular, found.areas.plural)} had no value; we used the "
        "mean."
        for name, gaps in found.covariates.filled.items()
    )
    return Section(
        "Every outcome", filled, tables=(Table("outcomes", "Spread of the estimates", shown_),)
    )


def _all(found: Neighbourhoods) -> Section:
    rows = found.table()
    words = [
        pl.when(name).then(pl.lit("yes")).otherwise(pl.lit("no")).alias(name)
        for name, kind in rows.schema.items()
        if kind == pl.Boolean
    ]
    table = Table(
        "neighbourhoods",
        "Every estimate",
        TableData(rows.with_columns(words), data=rows),
        "With its error, interval and basis.",
        _ON_PAGE,
    )
    return Section(f"All {found.areas.plural}", tables=(table,), annex=True)


_ON_PAGE = 15


def neighbourhoods_document(
    found: Neighbourhoods,
    name: str,
    title: str,
    note: str = "",
    sources: Sequence[str] = (),
) -> Document:
    """Make the report of small-area estimates: each outcome, its margin of error, and the method."""
    parts = [part for e in found.outcomes.values() for part in _outcome(found, e)]
    answer = (
        *(_spread(e, found.areas) for e in found.outcomes.values()),
        overview(found),
        "Each estimate has an interval. If two intervals overlap widely, there is no clear difference.",
    )
    return Document(
        name,
        title,
        f"Small-area estimates from: {found.survey}",
        answer,
        (_every(found), *parts, _made(found), _all(found)),
        notes=(note,) if note else (),
        limits=(
            f"Estimates are drawn towards the model. {found.areas.plural.capitalize()} that truly are lowest or "
            "highest are often more extreme than shown, and their intervals hold the truth less often than stated.",
            f"Where nobody was asked, the estimate describes similar {found.areas.plural}, not this "
            f"{found.areas.singular} itself.",
            f"{found.areas.plural.capitalize()} share a model, so their errors go together. The mean of many is less "
            "precise than independent errors would suggest.",
            f"The method treats the people asked in {with_article(found.areas.singular)} as drawn at random, given "
            "their weights.",
            "Association with covariates is not cause. A local programme shows only when people there are asked again.",
        ),
        sources=tuple(sources),
        account=(
            ("model", found.method),
            ("level", found.level),
            ("publish below", found.limit),
            ("benchmark", found.benchmark),
            ("covariates", list(found.covariates.names)),
        ),
    )


def write_neighbourhoods(
    report: Document, found: Neighbourhoods, geometry: pl.Series, folder: Path
) -> Path:
    """Write the report with ``neighbourhoods.csv``, ``.parquet`` and ``.gpkg``."""
    table = found.table()
    what = (
        f"One row for each of the {len(found.areas):,} {found.areas.plural}: every estimate, with its "
        "error, interval and basis."
    )
    more: dict[str, tuple[str, Callable[[Path], object]]] = {
        "neighbourhoods.csv": (what, partial(write_table, table)),
        "neighbourhoods.parquet": (
            "The same, for R, Python and databases.",
            partial(write_table, table),
        ),
    }
    known = geometry.null_count() < len(geometry)
    if known or found.areas.table["longitude"].null_count() < len(found.areas):
        more["neighbourhoods.gpkg"] = (
            "The same as a map, for QGIS and other programs.",
            lambda path: write_layers(path, table, geometry, found.areas),
        )
    return write_document(report, folder, more)


def _spread(e: Estimates, areas: Areas) -> str:
    low, middle, high = (
        shown_value(float(v), e.share) for v in np.quantile(e.estimate, [0.05, 0.5, 0.95])
    )
    return (
        f"{e.label}: {middle} in the median {areas.singular}; {low} or less in the lowest 5% of {areas.plural}, "
        f"{high} or more in the highest 5%."
    )


def _range(e: Estimates) -> str:
    """Give the lowest and highest estimate in words."""
    return f"{shown_value(float(e.estimate.min()), e.share)} to {shown_value(float(e.estimate.max()), e.share)}"


def _outcome(found: Neighbourhoods, e: Estimates) -> tuple[Section, Section]:
    """Give what was found of an outcome, and the estimates of single areas."""
    name = e.outcome.replace("_", "-")
    tables = [
        Table(
            f"lowest-{name}",
            "Every estimate fit to publish, lowest first",
            _rows(found, e, lowest=True),
            ""
            if e.publish.all()
            else "Low shares fail the test first. For lower estimates, see neighbourhoods.csv.",
            rows=_ON_PAGE,
        ),
        Table(
            f"highest-{name}",
            f"The {_ON_PAGE} highest estimates fit to publish",
            _rows(found, e, lowest=False, most=_ON_PAGE),
        ),
    ]
    if e.larger is not None:
        shares = ["Survey alone", "Model before adjustment"]
        error = "Standard error, points" if e.share else "Standard error"
        shown = e.larger.select(
            pl.col("name").alias("Larger area"),
            pl.col("respondents").cast(pl.Int64).alias("Respondents"),
            pl.col("direct").alias(shares[0]),
            (pl.col("standard_error") * (100 if e.share else 1)).alias(error),
            pl.col("model").alias(shares[1]),
            pl.when("used").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("Adjusted"),
        )
        tables.append(
            Table(
                f"larger-{name}",
                "Larger areas: the survey's own figure, and the model's before adjustment",
                TableData(shown, frozenset(shares) if e.share else frozenset()),
                "Where “Adjusted” is yes, we adjusted the estimates so that they add up to the survey's figure.",
            )
        )
    chart = band_chart(e, found.areas, found.level)
    return (
        Section(e.label, tuple(findings(found, e)), (chart,)),
        Section(f"{e.label}: {found.areas.plural}", tables=tuple(tables), annex=True),
    )


def _rows(
    found: Neighbourhoods, e: Estimates, *, lowest: bool, most: int | None = None
) -> TableData:
    fit = np.flatnonzero(e.publish)
    order = np.argsort(e.estimate[fit] if lowest else -e.estimate[fit], kind="stable")
    rows = fit[order][:most]
    area = found.areas.table
    shares = ["Estimate", "Lower", "Upper", "Own answers"]
    frame = pl.DataFrame(
        {
            found.areas.singular.capitalize(): area["name"].gather(rows),
            "Code": area["code"].gather(rows),
            "Estimate": e.estimate[rows],
            "Lower": e.lower[rows],
            "Upper": e.upper[rows],
            "Respondents": e.asked[rows],
            "Own answers": e.modelled.from_survey[rows],
        }
    )
    return TableData(frame, frozenset(shares) if e.share else frozenset({"Own answers"}))


def _made(found: Neighbourhoods) -> Section:
    labels = dict(zip(found.covariates.names, found.covariates.labels, strict=True))
    coefficients = [
        (e.label, labels.get(name, name), value, error)
        for e in found.outcomes.values()
        for name, value, error in e.modelled.coefficients
    ]
    frame = pl.DataFrame(
        coefficients,
        schema={
            "Outcome": pl.String,
            "Covariate": pl.String,
            "Coefficient": pl.Float64,
            "Standard error": pl.Float64,
        },
        orient="row",
    )
    unit = "log-odds" if found.method == "mrp" else "the outcome's own unit"
    filled = tuple(
        f"{labels[name]}: {n:,} {found.areas.plural} had no value; we used the mean."
        for name, n in found.covariates.filled.items()
    )
    return Section(
        "How the estimates were made",
        (
            f"The model is {METHODS[found.method]}. The more answers {with_article(found.areas.singular)} has, the "
            f"more its estimate relies on them, and the less on similar {found.areas.plural}. For the formulas and "
            "tests, see “From a survey to neighbourhoods” in the documentation.",
            "An estimate is fit to publish when its standard error is less than "
            f"{100 * found.limit:.0f}% of it. This is a convention, and strict for rare outcomes.",
            *filled,
        ),
        tables=(
            Table(
                "coefficients",
                "Association of outcomes with covariates",
                TableData(frame, places={"Coefficient": 3, "Standard error": 3}),
                f"For one standard deviation more of a covariate, in {unit}, with the others held constant.",
            ),
        ),
    )
