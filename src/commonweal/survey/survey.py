"""A survey as a value: respondents with weights, design, outcomes and groups, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.areas.catalogue import load_systems
from commonweal.errors import DataError, StudyError, UnknownNameError, nearest
from commonweal.indicators.indicators import MOST_VALUE
from commonweal.survey.read import (
    Microdata,
    as_names,
    as_text,
    column_names,
    group_levels,
    plain,
    read_columns,
    recode_group,
    recode_outcome,
    without_missing,
)
from commonweal.survey.spec import GroupSpec, SurveySpec, load_spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from commonweal.survey.read import Microdata


def design_columns(spec: SurveySpec, data: Microdata) -> dict[str, pl.Series]:
    """Take weights, strata, clusters, populations, waves and areas from the columns, and check them."""
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
    """Refuse strata whose variance is unknown, and populations smaller than the sample of them."""
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


@dataclass(frozen=True)
class Survey:
    """Respondents of a survey, ready to be estimated from.

    Attributes
    ----------
    spec
        The file that it was made by.
    frame
        A row a respondent: ``weight``; where the survey has them ``stratum``, ``cluster``, ``wave``, ``area``
        and ``replicate1`` on; a float column for each outcome (0 or 1 for a share) and a text column for each
        group, null where there is no answer.
    levels
        By group, and for ``wave`` and ``area``, the names that occur, in order.
    raked
        The groups whose margins the weights were raked to; ``base_weight`` then holds those from before.
    """

    spec: SurveySpec
    frame: pl.DataFrame
    levels: Mapping[str, tuple[str, ...]]
    raked: tuple[str, ...] = ()

    def outcome(self, name: str) -> str:
        """Check the name of an outcome.

        Raises
        ------
        UnknownNameError
            If there is none of that name; the message names the nearest.
        """
        if name not in self.spec.outcomes:
            raise UnknownNameError("outcome", name, self.spec.outcomes, f" in {self.spec.name}")
        return name

    def groupings(self, by: str | Sequence[str]) -> list[str]:
        """Check names of groups, ``wave`` and ``area`` among them.

        Raises
        ------
        UnknownNameError
            If one is not there; the message names the nearest.
        DataError
            If one is there twice.
        """
        names = [by] if isinstance(by, str) else list(by)
        for name in names:
            if name not in self.levels:
                raise UnknownNameError("group", name, self.levels, f" in {self.spec.name}")
            if names.count(name) > 1:
                raise DataError(f"group '{name}' is there twice; expected once")
        return names

    def wave(self, name: str) -> str:
        """Check the name of a wave.

        Raises
        ------
        DataError
            If the survey has no waves.
        UnknownNameError
            If it has none of that name.
        """
        if "wave" not in self.levels:
            raise DataError(
                f"{self.spec.name}: found wave '{name}'; the survey's file names no column of waves"
            )
        if name not in self.levels["wave"]:
            raise UnknownNameError("wave", name, self.levels["wave"], f" in {self.spec.name}")
        return name


def read_survey(spec: SurveySpec | str | Path) -> Survey:
    """Read a survey by its YAML file.

    Parameters
    ----------
    spec
        The path of the file, or its content as `load_spec` gives it.

    Returns
    -------
    Survey

    Raises
    ------
    StudyError
        If the file is wrong or names a column that the microdata have not.
    DataError
        If the microdata cannot be read, are empty, or hold weights, strata, answers or groups that cannot be
        used; the message names the survey, the field, what was found and what was expected.
    """
    if not isinstance(spec, SurveySpec):
        spec = load_spec(spec)
    there = column_names(spec.path)
    spec = _with_replicates(spec, there)
    for name, field in spec.columns():
        if name not in there:
            raise StudyError(
                f"{spec.name}: {field}: column '{name}' not found in {spec.file}; {nearest(name, there)}"
            )
    columns = [name for name, _ in spec.columns()]
    return make_survey(spec, read_columns(spec.path, columns))


def make_survey(spec: SurveySpec, data: Microdata) -> Survey:
    """Make a survey of microdata that are at hand."""
    if not len(data.frame):
        raise DataError(f"{spec.name}: there are no respondents")
    made: dict[str, pl.Series] = design_columns(spec, data)
    levels: dict[str, tuple[str, ...]] = {}
    for name, group in spec.groups.items():
        where = f"{spec.name}: groups.{name}"
        column, labels = _answers(spec, data, group.column, group.missing, where)
        made[name] = recode_group(column, labels, group, where)
        levels[name] = group_levels(made[name], labels, group)
    if spec.wave:
        _, labels = plain(data.frame[spec.wave], data.labels.get(spec.wave, {}))
        levels["wave"] = group_levels(made["wave"], labels, GroupSpec(column=spec.wave))
    if spec.area:
        levels["area"] = tuple(sorted(made["area"].drop_nulls().unique()))
    for name, outcome in spec.outcomes.items():
        where = f"{spec.name}: outcomes.{name}"
        column, labels = _answers(spec, data, outcome.column, outcome.missing, where)
        made[name] = recode_outcome(column, labels, outcome, where)
    frame = pl.DataFrame([column.rename(name) for name, column in made.items()])
    check_design(spec, frame)
    return Survey(spec, frame, levels)


def _answers(
    spec: SurveySpec, data: Microdata, name: str, missing: tuple[Any, ...], where: str
) -> tuple[pl.Series, Mapping[Any, str]]:
    """Give a column without its missing codes, and its labels."""
    column, labels = plain(data.frame[name], data.labels.get(name, {}))
    column = without_missing(column, labels, (*spec.missing, *missing))
    if column.null_count() == len(column):
        raise DataError(
            f"{where}: column '{name}' has no answer among {len(column):,} respondents: all are missing"
        )
    if column.dtype.is_float():
        rows = (column.fill_nan(None).abs() > MOST_VALUE).arg_true()
        if len(rows):
            how = "an infinite answer" if column.is_infinite().any() else "an answer beyond 1e60"
            raise DataError(
                f"{where}: {len(rows):,} of {len(column):,} respondents have {how} in column '{name}' "
                f"(row {rows[0] + 1}: {column[rows[0]]}); expected numbers, or 'missing' with what stands for none"
            )
    return column, labels


def _with_replicates(spec: SurveySpec, there: list[str]) -> SurveySpec:
    """Spell out replicate columns that were given as ``name*``."""
    if spec.replicates is None or not any(c.endswith("*") for c in spec.replicates.columns):
        return spec
    found: list[str] = []
    for column in spec.replicates.columns:
        many = [n for n in there if n.startswith(column[:-1])] if column.endswith("*") else [column]
        if not many:
            raise StudyError(
                f"{spec.name}: replicates.columns: no column of {spec.file} starts with '{column[:-1]}'"
            )
        found += many
    return spec.model_copy(
        update={"replicates": spec.replicates.model_copy(update={"columns": tuple(found)})}
    )
