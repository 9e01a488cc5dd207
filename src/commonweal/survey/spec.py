"""A survey's file: where its answers are, how people were sampled, what each answer means."""

from __future__ import annotations

import re
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from commonweal.errors import StudyError, nearest
from commonweal.files.inputs import read_keys, read_text
from commonweal.files.schema import explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | int | float) else value


def _share(value: Any) -> Any:
    """Read 20% as 0.2."""
    found = re.fullmatch(r"([\d.]+)\s*%", value) if isinstance(value, str) else None
    return float(found[1]) / 100 if found else value


def _no_number_without_end(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"found {value}; expected a finite number, or text in quotes")
    return value


Code = Annotated[bool | int | float | str, BeforeValidator(_no_number_without_end)]
"""A value of a column: a code, a value label, or text. YAML reads a bare Yes or No as true or false."""

Codes = Annotated[tuple[Code, ...], BeforeValidator(_listed)]
Columns = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class SpecPart(BaseModel):
    """Refuses keys that it does not know, and numbers without end."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Area(SpecPart):
    """Where respondents live."""

    column: str  # of codes such as ``E01000001``
    system: str  # the area system of the codes, such as ``lsoa21``


class OutcomeSpec(SpecPart):
    """What is estimated from a column: a share (0 or 1), or the mean of a number."""

    column: str
    yes: Codes = ()  # the answers that count as 1; every other one that is not missing counts as 0
    # if given, the answers that count as 0; one that is in neither list is then an error
    no: Codes = ()
    # a number for each answer, in place of yes and no
    recode: dict[Code, float] = Field(default_factory=dict)
    # answers that are none, beside those of the survey and the user-missing ones of SPSS
    missing: Codes = ()
    label: str = ""
    headline: str = ""  # the headline indicator that it measures

    @model_validator(mode="before")
    @classmethod
    def _plain_keys(cls, value: Any) -> Any:
        """Undo YAML: a bare ``yes`` is read as true, also where it is a key."""
        if not isinstance(value, dict):
            return value
        return {{True: "yes", False: "no"}.get(k, k) if isinstance(k, bool) else k: v
                for k, v in value.items()}  # fmt: skip

    @model_validator(mode="after")
    def _one_way(self) -> OutcomeSpec:
        if self.recode and (self.yes or self.no):
            raise ValueError("found both 'recode' and 'yes' or 'no'; expected one of them")
        if self.no and not self.yes:
            raise ValueError("found 'no' without 'yes'; expected both, or 'yes' alone")
        return self

    @property
    def share(self) -> bool:
        """Whether it is a share: made of yes and no, or recoded to 0 and 1."""
        return bool(self.yes) or (bool(self.recode) and set(self.recode.values()) <= {0.0, 1.0})


class GroupSpec(SpecPart):
    """How respondents are grouped."""

    column: str
    # by the name of each group, the answers that belong to it. Other answers are in no group.
    values: dict[str, Codes] = Field(default_factory=dict)
    # the lower ends of bands of a number, rising: ``[16, 35, 65]`` is 16 to 34, 35 to 64, 65 or over
    bands: tuple[float, ...] = ()
    missing: Codes = ()
    label: str = ""

    @model_validator(mode="before")
    @classmethod
    def _column_alone(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sound(self) -> GroupSpec:
        if self.values and self.bands:
            raise ValueError("found both 'values' and 'bands'; expected one of them")
        if list(self.bands) != sorted(set(self.bands)):
            raise ValueError(f"found bands {list(self.bands)}; expected rising numbers")
        return self


class Replicates(SpecPart):
    """Replicate weights, from which the variance is computed in place of strata and clusters."""

    # their columns; or one name that ends in ``*`` for all columns that start so, in the file's order
    columns: Columns = Field(min_length=1)
    method: Literal["brr", "jackknife", "bootstrap", "sdr"]
    kind: Literal["jk1", "jk2"] | None = None  # of a jackknife: ``jk1`` (the default) or ``jk2``
    # Fay's coefficient of balanced repeated replication, from 0 to below 1
    fay: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Replicates:
        if self.kind and self.method != "jackknife":
            raise ValueError(
                f"found kind '{self.kind}' of method '{self.method}'; it is of a jackknife"
            )
        if self.fay and self.method != "brr":
            raise ValueError(f"found fay with method '{self.method}'; it is of brr")
        return self


class Suppression(SpecPart):
    """When an estimate is too weak to publish. Both limits are conventions."""

    respondents: int = Field(default=30, ge=1)
    # the coefficient of variation (standard error as a share of the value) from which on it is
    variation: Annotated[float, BeforeValidator(_share)] = Field(default=0.2, gt=0)


class Rake(SpecPart):
    """What is known of the population, for `rake_survey`."""

    # by group, how many people, or which share of them, the population has in each of its names
    margins: dict[str, dict[str, Annotated[float, BeforeValidator(_share)]]] = Field(min_length=1)
    # the largest weight, as a multiple of the mean weight; none if not given
    cap: float | None = Field(default=None, gt=1)


RESERVED = frozenset(
    {
        *("weight", "base_weight", "stratum", "cluster", "population", "wave", "area"),
        *("respondents", "effective_sample", "design_effect", "value", "standard_error"),
        *("lower", "upper", "degrees_of_freedom", "coefficient_of_variation", "published"),
        *("reason", "outcome", "since", "until", "before", "after", "change"),
    }
)
"""Columns of a survey's frame and of tables of estimates: no name for an outcome or a group."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")

Singletons = Literal["error", "centre", "average", "skip"]


class SurveySpec(SpecPart):
    """A whole survey file.

    Attributes
    ----------
    name, folder
        Of the file itself.
    title
        What readers call the survey.
    file
        The microdata: ``.sav``, ``.zsav``, ``.dta``, ``.csv`` or ``.parquet``, beside this file.
    weight
        Column of weights. Without one every respondent counts the same.
    strata, clusters
        Columns of the sampling strata and of the primary sampling units (nested in strata). Several
        columns are taken together.
    population
        Column of how many clusters (people, where there are no clusters) each stratum has in all, where a
        large part of them was sampled: the variance is smaller then. It is left out if not given.
    wave
        Column of the wave or year.
    panel
        Whether the same clusters are asked in every wave. If not, waves are independent samples.
    area
        Where respondents live.
    missing
        Answers that are none in any column of outcomes and groups.
    outcomes, groups
        By name.
    singletons
        What to do with a stratum of one cluster, which has no variance of its own: stop (``error``),
        measure it from the mean of all strata (``centre``; R's "adjust"), give it the average of the
        others (``average``) or none (``skip``; R's "remove").
    replicates
        Replicate weights.
    suppress
        When an estimate is too weak to publish.
    rake
        What is known of the population: weights are raked to it by `rake_survey`.
    """

    name: str
    folder: Path
    title: str = Field(min_length=1)
    file: str = Field(min_length=1)
    weight: str = ""
    strata: Columns = ()
    clusters: Columns = ()
    population: str = ""
    wave: str = ""
    panel: bool = False
    area: Area | None = None
    missing: Codes = ()
    outcomes: dict[str, OutcomeSpec] = Field(min_length=1)
    groups: dict[str, GroupSpec] = Field(default_factory=dict)
    singletons: Singletons = "error"
    replicates: Replicates | None = None
    suppress: Suppression = Suppression()
    rake: Rake | None = None

    @model_validator(mode="after")
    def _sound(self) -> SurveySpec:
        for kind, names in (("outcomes", self.outcomes), ("groups", self.groups)):
            for name in names:
                if not _NAME.fullmatch(name):
                    raise ValueError(
                        f"{kind}.{name}: expected small letters, digits and underscores"
                    )
                if name in RESERVED or re.fullmatch(r"replicate\d+", name):
                    raise ValueError(
                        f"{kind}.{name}: a column of this name is made; expected another name"
                    )
        both = sorted(set(self.outcomes) & set(self.groups))
        if both:
            raise ValueError(f"groups.{both[0]}: is an outcome too; expected another name")
        for name in self.rake.margins if self.rake else ():
            if name not in self.groups:
                raise ValueError(
                    f"rake.margins.{name}: not one of the groups; {nearest(name, self.groups)}"
                )
        if self.panel and not (self.wave and self.clusters):
            raise ValueError(
                "panel: expected 'wave' and 'clusters' with it (at least each person's id)"
            )
        if self.replicates and (self.strata or self.clusters or self.population):
            raise ValueError(
                "replicates: expected no strata, clusters or population beside it; the replicates hold them"
            )
        return self

    @property
    def path(self) -> Path:
        """The microdata file."""
        return self.folder / self.file

    def columns(self) -> Iterator[tuple[str, str]]:
        """Give each column that the file needs with the field that names it."""
        single = {"weight": self.weight, "population": self.population, "wave": self.wave}
        yield from ((name, field) for field, name in single.items() if name)
        yield from ((name, "strata") for name in self.strata)
        yield from ((name, "clusters") for name in self.clusters)
        if self.area:
            yield self.area.column, "area.column"
        for key, outcome in self.outcomes.items():
            yield outcome.column, f"outcomes.{key}.column"
        for key, group in self.groups.items():
            yield group.column, f"groups.{key}.column"
        if self.replicates:
            yield from ((name, "replicates.columns") for name in self.replicates.columns)


def load_spec(file: str | Path) -> SurveySpec:
    """Read and check a survey's YAML file."""
    path = Path(file)
    text, keys = read_text(path, fault=StudyError), "title, file, weight, outcomes, groups"
    data = read_keys(text, str(path), keys, StudyError)
    return make_spec(data, path.stem, path.parent, str(path), text)


def make_spec(
    data: Mapping[str, Any], name: str, folder: Path, where: str = "", text: str = ""
) -> SurveySpec:
    """Check a survey's fields that are at hand as data, as `load_spec` does; `text` is their YAML."""
    where = where or name
    for key in ("name", "folder"):
        if key in data:
            raise StudyError(f"{where}: {key}: unknown key; the file's place says it")
    try:
        return SurveySpec.model_validate({**data, "name": name, "folder": folder})
    except ValidationError as error:
        raise StudyError(explain(error, SurveySpec, where, text)) from None
