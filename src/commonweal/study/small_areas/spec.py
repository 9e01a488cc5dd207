"""The file that takes a survey to neighbourhoods, and an example that runs as it is."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from commonweal.demo import County, generate_county
from commonweal.demo.survey import draw_survey, value_labels, write_survey
from commonweal.errors import CommonwealError, StudyError
from commonweal.files.inputs import read_keys, read_text
from commonweal.files.schema import FieldError, explain
from commonweal.spec.data import FileOrSource, OwnAreas
from commonweal.spec.indicators import IndicatorSpec
from commonweal.survey.read import Microdata
from commonweal.survey.spec import load_spec
from commonweal.survey.survey import make_survey

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from commonweal.survey import Survey


def _share(value: Any) -> Any:
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return float(value.strip()[:-1]) / 100
        except ValueError:
            return value
    return value


Share = Annotated[float, BeforeValidator(_share)]


class PeopleSpec(FileOrSource):
    """A table of who lives where: one row a neighbourhood and kind of person."""

    # code, count: its columns of the neighbourhood's code and of how many people
    code: str
    count: str
    # by the survey's name of a grouping, the column that holds the same groups under the same names
    groups: dict[str, str] = Field(min_length=1)


class EstimatesSpec(BaseModel):
    """A whole file.

    Attributes
    ----------
    name, folder
        Of the file itself.
    title
        What readers call the result.
    survey
        The survey's own file, beside this one: weights, strata, clusters, outcomes.
    area
        The survey's group that holds the codes of the neighbourhoods; ``area`` if it names an area.
    outcomes
        Which outcomes of the survey; all if not given.
    study
        A study whose areas and indicators are used: one that ships, or a file beside this one.
    areas, where, population
        In its place, as in a study: an area system or a table of one's own.
    covariates
        Names of indicators: those of this file, of the study, or that ship for the areas.
    indicators
        Indicators of this file's own, in the grammar of a study.
    model
        ``fay-herriot`` or ``mrp``.
    people
        Who lives where: needed for ``mrp``.
    benchmark
        Larger areas whose direct estimates the neighbourhoods are to add up to.
    level
        The share of intervals that should cover the truth.
    publish_below
        The coefficient of variation below which an estimate is to be published.
    draws, seed
        With ``mrp``.
    note
        A sentence that stands at the top of the report, such as that a place is fictional.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    folder: Path
    title: str = Field(min_length=1)
    survey: str = Field(min_length=1)
    area: str = "area"
    outcomes: tuple[str, ...] = ()
    study: str = ""
    areas: str | OwnAreas | None = None
    where: dict[str, str] = Field(default_factory=dict)
    population: str | None = None
    covariates: tuple[str, ...] = Field(min_length=1)
    indicators: dict[str, IndicatorSpec] = Field(default_factory=dict)
    model: Literal["fay-herriot", "mrp"] = "fay-herriot"
    people: PeopleSpec | None = None
    benchmark: str = ""
    level: Share = Field(default=0.95, gt=0.5, lt=1)
    publish_below: Share = Field(default=0.2, gt=0, le=1)
    draws: int = Field(default=1000, ge=50, le=100_000)
    seed: int = Field(default=1, ge=0)
    note: str = ""

    @model_validator(mode="after")
    def _fits(self) -> EstimatesSpec:
        if bool(self.study) == (self.areas is not None):
            raise ValueError("expected exactly one of 'study' and 'areas'")
        if self.study and (self.where or self.population):
            raise ValueError("'where' and 'population' go with 'areas'; the study says its own")
        if self.model == "mrp" and self.people is None:
            raise FieldError("needed with 'mrp'; expected who lives where", "people")
        twice = next((c for c in self.covariates if self.covariates.count(c) > 1), None)
        if twice:
            raise FieldError(f"'{twice}' is there twice; expected once", "covariates")
        return self


def load_estimates(file: str | Path) -> EstimatesSpec:
    """Read and check a file of estimates."""
    path = Path(file)
    text = read_text(path, fault=StudyError)
    data = read_keys(text, str(path), "title, survey, study, covariates, model", StudyError)
    for key in ("name", "folder"):
        if key in data:
            raise StudyError(f"{path}: {key}: unknown key; the file's place says it")
    try:
        return EstimatesSpec.model_validate({**data, "name": path.stem, "folder": path.parent})
    except ValidationError as error:
        raise StudyError(explain(error, EstimatesSpec, str(path), text)) from None


_FILES = ("residents.yaml", "neighbourhoods.yaml", "with-trust.yaml")


def example_spec() -> EstimatesSpec:
    """Give what the example's file says."""
    with resources.as_file(_examples() / "neighbourhoods.yaml") as file:
        return load_estimates(file)


def example_survey(county: County, seed: int = 1) -> Survey:
    """Ask the fictional county again, without a file: another seed asks other people.

    Examples
    --------
    >>> survey = example_survey(generate_county(1, 60), seed=5)
    >>> survey.levels["sex"]
    ('female', 'male')
    """
    drawn = draw_survey(county, seed)
    labels = value_labels()
    asked = [name for name, codes in labels.items() if min(codes) < 0]
    answers = [pl.when(pl.col(name) > 0).then(name).cast(pl.Float64) for name in asked]
    with resources.as_file(_examples() / "residents.yaml") as file:
        return make_survey(load_spec(file), Microdata(drawn.with_columns(answers), labels))


def write_example(folder: str | Path) -> list[Path]:
    """Write the example into a folder: a survey in SPSS, what its columns mean, and what to do with it.

    ``with-trust.yaml`` is a study that takes the result as a strand. If one of the files is there, none is written.
    """
    folder = Path(folder)
    written = [folder / "residents.sav", *(folder / name for name in _FILES)]
    for file in written:
        if file.exists():
            raise CommonwealError(f"{file} is already there; choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            (folder / name).write_text((_examples() / name).read_text("utf-8"), "utf-8")
        write_survey(draw_survey(generate_county()), written[0])
    except OSError as error:
        for file in written:  # none of them was there before
            file.unlink(missing_ok=True)
        raise CommonwealError(f"{folder} cannot be written: {error.strerror}") from None
    return written


def _examples() -> Traversable:
    return resources.files("commonweal.study.small_areas") / "examples"
