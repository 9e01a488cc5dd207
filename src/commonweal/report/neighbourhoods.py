"""A report on small-area estimates, and the files of numbers beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.model import Report, Section, Table
from commonweal.document.table import Shown
from commonweal.document.write import write_report
from commonweal.report.neighbourhoods_chart import band_chart
from commonweal.report.neighbourhoods_told import findings, overview, shown_value
from commonweal.report.study.geopackage import write_layers
from commonweal.report.study.parquet import write_table
from commonweal.social_capital.neighbourhoods.model import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from commonweal.social_capital.neighbourhoods import Estimates, Neighbourhoods

__all__ = ["neighbourhoods_report", "write_neighbourhoods"]

_ON_PAGE = 15


def neighbourhoods_report(
    found: Neighbourhoods,
    name: str,
    title: str,
    note: str = "",
    sources: Sequence[str] = (),
) -> Report:
    """Tell small-area estimates: what each outcome is, how sure, on what basis, and how they were made.

    Parameters
    ----------
    found
        The estimates.
    name, title
        Of the report.
    note
        What stands above everything.
    sources
        A line a source.
    """
    parts = [_outcome(found, e) for e in found.outcomes.values()]
    answer = (
        overview(found),
        *(_spread(e, found.areas.plural) for e in found.outcomes.values()),
        "Each estimate has an interval. Two whose intervals overlap much cannot be told apart.",
    )
    return Report(
        name,
        title,
        f"Small-area estimates from: {found.survey}",
        answer,
        (*parts, _made(found)),
        notes=(note,) if note else (),
        limits=(
            f"An estimate of a {found.areas.singular} where nobody was asked says what such places are like, not what "
            "this one is.",
            f"Errors of {found.areas.plural} that share a model go together: the mean of many is less sure than "
            "independent errors would make it.",
            f"Within a {found.areas.singular}, people are taken to be drawn at random given their weights.",
            "Association with covariates is not cause, and a programme in one place does not show until people there "
            "are asked again.",
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
    report: Report, found: Neighbourhoods, geometry: pl.Series, folder: Path
) -> Path:
    """Write the report with ``neighbourhoods.csv``, ``.parquet`` and ``.gpkg`` beside it.

    Parameters
    ----------
    report
        What `neighbourhoods_report` gave.
    found
        The estimates.
    geometry
        (n_areas,) boundaries as WKB in WGS 84, or null.
    folder
        Where to; an earlier folder of results is replaced, nothing else ever is.
    """
    table = found.table()
    what = (
        f"One row for each of the {len(found.areas):,} {found.areas.plural}: every estimate, its error, interval "
        "and basis."
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
    return write_report(report, folder, more)


def _spread(e: Estimates, plural: str) -> str:
    low, high = (shown_value(float(v), e.share) for v in np.quantile(e.estimate, [0.05, 0.95]))
    return f"{e.label}: {low} or less in the lowest twentieth of {plural}, {high} or more in the highest."


def _outcome(found: Neighbourhoods, e: Estimates) -> Section:
    name = e.outcome.replace("_", "-")
    tables = [
        Table(
            f"lowest-{name}",
            "Every estimate that is fit to publish, the lowest first",
            _rows(found, e, lowest=True),
            ""
            if e.publish.all()
            else "Lower ones that are not fit to publish are in neighbourhoods.csv: low shares are refused first.",
            rows=_ON_PAGE,
        ),
        Table(
            f"highest-{name}",
            f"The {_ON_PAGE} highest estimates that are fit to publish",
            _rows(found, e, lowest=False, most=_ON_PAGE),
        ),
    ]
    if e.larger is not None:
        shares = ["From the survey alone", "From the model at first"]
        error = "Standard error, points" if e.share else "Standard error"
        shown = e.larger.select(
            pl.col("name").alias("Larger area"),
            pl.col("respondents").cast(pl.Int64).alias("Respondents"),
            pl.col("direct").alias(shares[0]),
            (pl.col("standard_error") * (100 if e.share else 1)).alias(error),
            pl.col("model").alias(shares[1]),
            pl.when("used").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("Made to agree"),
        )
        tables.append(
            Table(
                f"larger-{name}",
                "Larger areas: what the survey says directly, and what the model adds up to at first",
                Shown(shown, frozenset(shares) if e.share else frozenset()),
                "Where “Made to agree” says yes, the estimates were then moved to add up to the survey's figure.",
            )
        )
    return Section(
        e.label,
        tuple(findings(found, e)),
        (band_chart(e, found.areas, found.level),),
        tuple(tables),
    )


def _rows(found: Neighbourhoods, e: Estimates, *, lowest: bool, most: int | None = None) -> Shown:
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
    return Shown(frame, frozenset(shares) if e.share else frozenset({"Own answers"}))


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
        f"{labels[name]}: {n:,} {found.areas.plural} had no value and got the mean."
        for name, n in found.covariates.filled.items()
    )
    return Section(
        "How it was made",
        (
            f"The model is {METHODS[found.method]}. A {found.areas.singular} gets its own answers as far as they are "
            "many, and what similar places say as far as they are few. The documentation has the formulas, and how "
            "often such intervals cover a truth that is known, on its page “From a survey to neighbourhoods”.",
            "An estimate is called fit to publish when its standard error is less than "
            f"{100 * found.limit:.0f} % of it. That is a convention, and hard on what is rare.",
            *filled,
        ),
        tables=(
            Table(
                "coefficients",
                "What the outcomes go with",
                Shown(frame, places={"Coefficient": 3, "Standard error": 3}),
                f"For one standard deviation more of a covariate, in {unit}, the others being equal.",
            ),
        ),
    )
