"""A survey as a value: one row a respondent, with weights, design, outcomes and groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.errors import DataError, StudyError, UnknownNameError, nearest
from commonweal.indicators.indicators import MOST_VALUE
from commonweal.survey.design import check_design, design_columns
from commonweal.survey.read import Microdata, column_names, read_columns
from commonweal.survey.recode import (
    group_levels,
    plain,
    recode_group,
    recode_outcome,
    without_missing,
)
from commonweal.survey.spec import SurveySpec, load_spec
from commonweal.survey.spec_parts import Group

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Survey", "make_survey", "read_survey"]


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
    """Make a survey of microdata that are at hand.

    Parameters
    ----------
    spec
        What each column means.
    data
        The columns that it names.

    Raises
    ------
    DataError
        As `read_survey`.
    """
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
        levels["wave"] = group_levels(made["wave"], labels, Group(column=spec.wave))
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
