"""Where the numbers of a study come from: its areas, indicators and published results."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from commonweal.faults import FieldError

__all__ = ["AgreementSpec", "FileOrSource", "IndicatorSpec", "OwnAreas", "check_name"]

TAKEN = ("code", "name", "population", "longitude", "latitude")
"""Columns of the results that stand beside those of the larger areas."""


def check_name(name: str, *path: str) -> None:
    """Check a name that a study chooses; `path` is the field that it is in.

    Raises
    ------
    FieldError
        If it is not letters, digits and underscores: dots and slashes join names to paths.
    """
    if not name.replace("_", "").isalnum():
        raise FieldError("not a name; expected letters, digits and underscores", *path, name)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Table(_Part):
    separator: str = Field(default="", max_length=1)
    encoding: str = ""
    decimal: Literal[".", ","] = "."

    @model_validator(mode="after")
    def _one(self) -> _Table:
        file, source = (getattr(self, key) for key in ("file", "source"))
        if bool(source) == bool(file):
            raise ValueError("expected exactly one of 'source' and 'file'")
        if source and (self.separator or self.encoding or self.decimal != "."):
            raise ValueError(
                "'separator', 'encoding' and 'decimal' go with 'file'; the catalogue knows its own"
            )
        return self


class FileOrSource(_Table):
    """A file beside the study, or a source of the catalogue.

    Attributes
    ----------
    file, source
        One of the two.
    separator, encoding
        How to read a text file of one's own that is not comma-separated UTF-8, such as ``";"`` and
        ``latin-1``.
    decimal
        What stands before the decimals in it, if not a point.
    """

    file: str = ""
    source: str = ""


class OwnAreas(FileOrSource):
    """Areas of the user's own, from a table.

    Attributes
    ----------
    file, source
        The table: a file beside the study, or a source of the catalogue.
    code, name, population, longitude, latitude
        Its columns; only `code` is needed.
    parents
        Larger areas: the column of each by a short name, such as ``{province: prov_code}``, or the
        columns of its code and its name: ``{province: [prov_code, prov_name]}``.
    boundaries
        A table with the same code column and a ``geometry`` column (WGS 84).
    title, singular, plural
        What the places are called.
    system
        A short name for the set.
    """

    code: str
    name: str = ""
    population: str = ""
    longitude: str = ""
    latitude: str = ""
    parents: dict[str, str | tuple[str, str]] = Field(default_factory=dict)
    boundaries: FileOrSource | None = None
    title: str = "Areas"
    singular: str = "area"
    plural: str = "areas"
    system: str = "own"

    @field_validator("parents")
    @classmethod
    def _columns_of_their_own(
        cls, value: dict[str, str | tuple[str, str]]
    ) -> dict[str, str | tuple[str, str]]:
        taken = dict.fromkeys(TAKEN, "the results have a column of that name")
        for name in value:
            check_name(name)
            if name.casefold() in taken:
                raise FieldError(f"{taken[name.casefold()]}; expected another name", name)
            taken |= dict.fromkeys(
                (name.casefold(), f"{name}_name".casefold()), f"'{name}' takes that column"
            )
        return value


def _by_year(given: Any) -> Any:
    if isinstance(given, str):
        return given
    if isinstance(given, dict) and given and all(isinstance(v, str) and v for v in given.values()):
        years = {str(year): name for year, name in given.items()}
        if all(year.isdigit() for year in years):
            return {int(year): name for year, name in years.items()}
    found = f"found {given!r}" if isinstance(given, int | float) else "found something else"
    raise ValueError(f"{found}; expected text, or one for each year: {{2019: ..., 2024: ...}}")


ByYear: TypeAlias = Annotated[str | dict[int, str], BeforeValidator(_by_year)]
"""One name, or with a panel one for each year."""


class CountsSpec(_Part):
    """The counts that a rate was made from: it is `per` times `events` over `base`.

    Attributes
    ----------
    events, base
        The columns of how often it happened, and of how many (or in how much time or space).
    per
        What the rate is out of, such as 1000.
    law
        ``binomial``: each of the base has it or not. ``poisson``: it can happen to one again.
    """

    events: str = Field(min_length=1)
    base: str = Field(min_length=1)
    per: float = Field(default=1, gt=0, allow_inf_nan=False)
    law: Literal["binomial", "poisson"] = "poisson"


class IndicatorSpec(_Table):
    """Where one number per area comes from, and what it means.

    Attributes
    ----------
    file, source, separator, encoding, decimal
        As in `FileOrSource`; with a panel, a file or a source for each year if they differ.
    column
        The column with the value; with a panel, one for each year of a wide table.
    year
        With a panel: the column with the year of a long table.
    code
        The column with the area code; the first that looks like one if not given.
    label, unit, vintage
        For readers.
    higher_is
        ``more`` if a higher value means more need, ``less`` if it means less.
    standard_error
        The column with the value's standard error; with a panel, one for each year of a wide table.
    counts
        The columns with the counts that a rate was made from; not with a panel.
    """

    file: ByYear = ""
    source: ByYear = ""
    column: ByYear
    year: str = ""
    code: str = ""
    label: str = ""
    unit: str = ""
    vintage: str = ""
    higher_is: Literal["more", "less"]
    standard_error: ByYear = ""
    counts: CountsSpec | None = None

    @model_validator(mode="after")
    def _counts_of_one_year(self) -> IndicatorSpec:
        if self.counts and (self.year or self.stated):
            raise FieldError("goes with an indicator of one year", "counts")
        return self

    @property
    def stated(self) -> dict[str, list[int]]:
        """By key that states something for each year, the years."""
        values = {key: getattr(self, key) for key in ("file", "source", "column", "standard_error")}
        return {key: list(value) for key, value in values.items() if isinstance(value, dict)}

    def of(self, key: Literal["file", "source", "column", "standard_error"], year: int = 0) -> str:
        """Give what a key says for a year; nothing if it says none for it."""
        value = getattr(self, key)
        return str(value if isinstance(value, str) else value.get(year, ""))

    def table(self, year: int = 0) -> FileOrSource:
        """Give the table of a year."""
        how = {key: getattr(self, key) for key in ("separator", "encoding", "decimal")}
        return FileOrSource(file=self.of("file", year), source=self.of("source", year), **how)

    def files(self) -> list[str]:
        """Names of the files beside the study, of every year."""
        return list(self.file.values()) if isinstance(self.file, dict) else [self.file]


class AgreementSpec(FileOrSource):
    """A published result to compare with.

    Attributes
    ----------
    designation, index
        What of the study is compared: a designation with a column of true and false, or an index
        (or domain) with a column of scores or ranks.
    source, column, code
        Where the published result is.
    compare
        ``rank``, ``score``, ``flag``, or ``spearman``: the rank correlation of an index with a
        column in which higher means more need.
    within
        The greatest difference that counts as agreement.
    at_least
        The least correlation that does.
    """

    designation: str = ""
    index: str = ""
    column: str
    code: str = ""
    compare: Literal["rank", "score", "flag", "spearman"]
    within: float = Field(default=0, ge=0, allow_inf_nan=False)
    at_least: float = Field(default=0, ge=-1, le=1)

    @model_validator(mode="after")
    def _of_what(self) -> AgreementSpec:
        if bool(self.designation) == bool(self.index):
            raise ValueError("expected exactly one of 'designation' and 'index'")
        if (self.compare == "flag") != bool(self.designation):
            raise ValueError(
                "a designation is compared by 'flag', an index by 'rank', 'score' or 'spearman'"
            )
        return self
