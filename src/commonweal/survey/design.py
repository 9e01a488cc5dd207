"""How people were sampled: weights, strata, clusters, waves and areas of each respondent, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.areas import load_systems
from commonweal.errors import DataError, StudyError, nearest
from commonweal.indicators.indicators import MOST_VALUE
from commonweal.survey.recode import as_names, as_text, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.survey.read import Microdata
    from commonweal.survey.spec import SurveySpec

__all__ = ["check_design", "design_columns", "nested"]


def design_columns(spec: SurveySpec, data: Microdata) -> dict[str, pl.Series]:
    """Take weights, strata, clusters, populations, waves and areas from the columns, and check them.

    Parameters
    ----------
    spec
        Which columns they are.
    data
        These columns.

    Returns
    -------
    dict
        By name in a survey's frame, a row a respondent.

    Raises
    ------
    DataError
        If a weight is missing or not above 0, weights are answers with labels or numbers of rows, or a stratum,
        cluster or wave is missing.
    """
    frame, n = data.frame, len(data.frame)
    made = {"weight": pl.repeat(1.0, n, eager=True)}
    if spec.weight:
        made["weight"] = _weights(frame[spec.weight], f"{spec.name}: weight")
        _no_answers(made["weight"], data.labels.get(spec.weight, {}), spec)
    for name, columns in (("stratum", spec.strata), ("cluster", spec.clusters)):
        if columns:
            parts = [_complete(frame[c], f"{spec.name}: {name}", c) for c in columns]
            made[name] = pl.select(pl.concat_str(parts, separator=" | ")).to_series()
    if spec.population:
        made["population"] = _weights(frame[spec.population], f"{spec.name}: population")
    if spec.wave:
        _complete(frame[spec.wave], f"{spec.name}: wave", spec.wave)
        made["wave"] = as_names(*plain(frame[spec.wave], data.labels.get(spec.wave, {})))
    if spec.area:
        systems = load_systems().systems
        if spec.area.system not in systems:
            raise StudyError(
                f"{spec.name}: area.system: '{spec.area.system}' not found; {nearest(spec.area.system, systems)}"
            )
        made["area"] = as_text(frame[spec.area.column])
    replicates = spec.replicates.columns if spec.replicates else ()
    if len(replicates) == 1:
        raise DataError(
            f"{spec.name}: replicates.columns: found {replicates[0]} alone; expected at least two"
        )
    for k, column in enumerate(replicates, start=1):
        made[f"replicate{k}"] = _weights(frame[column], f"{spec.name}: replicates", zero=True)
    return made


def _no_answers(weights: pl.Series, labels: Mapping[Any, str], spec: SurveySpec) -> None:
    """Refuse as a weight what can only be another column: answers with labels, or numbers of rows."""
    where = f"{spec.name}: weight: column '{spec.weight}'"
    there = weights.unique().sort()
    if labels and set(there) <= {float(code) for code in labels}:
        code = there[0]
        label = next(text for k, text in labels.items() if float(k) == code)
        raise DataError(
            f"{where} holds answers with labels ({code:g} is '{label}'); expected a column of weights"
        )
    n = len(weights)
    if n > 2 and len(there) == n and there[n - 1] - there[0] == n - 1 and (there % 1 == 0).all():
        raise DataError(
            f"{where} counts from {there[0]:,.0f} to {there[n - 1]:,.0f}, as numbers of rows do; "
            "expected a column of weights"
        )


def _weights(column: pl.Series, where: str, *, zero: bool = False) -> pl.Series:
    if column.null_count() == len(column):
        raise DataError(f"{where}: column '{column.name}' is empty; expected numbers")
    if not column.dtype.is_numeric():
        raise DataError(f"{where}: column '{column.name}' holds text; expected numbers")
    weights = column.cast(pl.Float64).fill_nan(None)
    bad = weights.is_null() | (weights > MOST_VALUE) | ((weights < 0) if zero else (weights <= 0))
    count = bad.fill_null(value=True).sum()
    if count:
        row = bad.fill_null(value=True).arg_true()[0]
        found = "nothing" if weights[row] is None else f"{weights[row]:,.10g}"
        raise DataError(
            f"{where}: {count:,} of {len(column):,} respondents have no usable weight in column "
            f"'{column.name}' (row {row + 1}: {found}); expected numbers {'from' if zero else 'above'} 0"
        )
    return weights


def _complete(column: pl.Series, where: str, name: str) -> pl.Series:
    missing = column.null_count() + (column.is_nan().sum() if column.dtype.is_float() else 0)
    if missing:
        raise DataError(
            f"{where}: {missing:,} of {len(column):,} respondents have nothing in column '{name}'; "
            "expected a value for each"
        )
    return as_text(column)


def nested(spec: SurveySpec, frame: pl.DataFrame) -> pl.DataFrame:
    """Give the respondents with strata that hold within a wave, if waves are independent samples."""
    if "wave" not in frame.columns or spec.panel or spec.replicates:
        return frame
    parts = ["wave", "stratum"] if "stratum" in frame.columns else ["wave"]
    return frame.with_columns(stratum=pl.concat_str(parts, separator=" | "))


def check_design(spec: SurveySpec, frame: pl.DataFrame) -> None:
    """Refuse strata whose variance is unknown, and populations smaller than the sample of them.

    Parameters
    ----------
    spec
        What to do with a stratum of one cluster.
    frame
        A row a respondent, with the columns of the design.

    Raises
    ------
    DataError
        If a stratum has one cluster and the file does not say what to do with it, or a population is not one
        number for a stratum, or below the number sampled.
    """
    frame = nested(spec, frame)
    if "stratum" not in frame.columns:
        frame = frame.with_columns(stratum=pl.lit("the sample"))
    unit = "cluster" if "cluster" in frame.columns else "respondent"
    size = pl.n_unique("cluster") if unit == "cluster" else pl.len()
    strata = frame.group_by("stratum").agg(n=size).sort("stratum")
    if spec.population:
        _check_population(spec, frame, strata, unit)
    alone = strata.filter(pl.col("n") == 1)["stratum"]
    if len(alone) and (spec.singletons == "error" or len(strata) == 1) and not spec.replicates:
        some = ", ".join(f"'{s}'" for s in alone[:5]) + (" and more" if len(alone) > 5 else "")
        raise DataError(
            f"{spec.name}: strata: {len(alone):,} of {len(strata):,} strata have one {unit} only ({some}), so their "
            "variance is unknown; join them to others, or say in the file 'singletons: centre' (from the mean of "
            "all strata), 'average' or 'skip'"
        )


def _check_population(
    spec: SurveySpec, frame: pl.DataFrame, strata: pl.DataFrame, unit: str
) -> None:
    sizes = frame.group_by("stratum").agg(
        pl.col("population").min(), most=pl.col("population").max()
    )
    for row in strata.join(sizes, on="stratum").sort("stratum").iter_rows(named=True):
        where = f"{spec.name}: population: stratum '{row['stratum']}' has"
        if row["population"] != row["most"]:
            raise DataError(
                f"{where} {row['population']:,.10g} and {row['most']:,.10g}; expected one number for a stratum"
            )
        if row["population"] < row["n"]:
            raise DataError(
                f"{where} {row['population']:,.10g}, fewer than the {row['n']:,} {unit}s sampled; expected at least as "
                f"many {unit}s as were sampled"
            )
