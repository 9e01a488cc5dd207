"""The recipe of a study: a YAML file, checked line by line into a `Study`.

A wrong key, weight, column or code is an error that names the file, the field, what was found, what
was expected and the nearest valid name.
"""

from __future__ import annotations

import math
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from commonweal.designation import CertaintySpec, Rule
from commonweal.errors import StudyError, UnknownNameError, nearest
from commonweal.faults import FieldError, explain, read_yaml
from commonweal.index import Node, load_preset, with_indicators

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "AgreementSpec",
    "BriefingSpec",
    "IndexSpec",
    "IndicatorSpec",
    "MoveSpec",
    "OwnAreas",
    "Study",
    "load_study",
    "shipped_studies",
    "template",
]

FILE_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class FileOrSource(_Part):
    """A file beside the study, or a source of the catalogue.

    Attributes
    ----------
    file, source
        One of the two.
    separator, encoding
        How to read a text file of one's own that is not comma-separated UTF-8, such as ``";"`` and
        ``latin-1``.
    """

    file: str = ""
    source: str = ""
    separator: str = Field(default="", max_length=1)
    encoding: str = ""

    @model_validator(mode="after")
    def _one(self) -> FileOrSource:
        if bool(self.source) == bool(self.file):
            raise ValueError("expected exactly one of 'source' and 'file'")
        if self.source and (self.separator or self.encoding):
            raise ValueError(
                "'separator' and 'encoding' go with 'file'; the catalogue knows its own"
            )
        return self


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


class IndicatorSpec(FileOrSource):
    """Where one number per area comes from, and what it means.

    Attributes
    ----------
    source, file
        A source of the catalogue, or a file beside the study.
    column
        The column with the value.
    code
        The column with the area code; the first that looks like one if not given.
    label, unit, vintage
        For readers.
    higher_is
        ``more`` if a higher value means more need, ``less`` if it means less.
    standard_error
        The column with the value's standard error.
    """

    column: str
    code: str = ""
    label: str = ""
    unit: str = ""
    vintage: str = ""
    higher_is: Literal["more", "less"]
    standard_error: str = ""


class MoveSpec(_Part):
    """How an index is carried from the areas that it is built on to the study's.

    Attributes
    ----------
    by
        ``link`` follows the published lookup; ``parts`` shares each small area out over the larger
        ones that it overlaps (docs/methods/wards.md).
    population
        Whose people weight the means: a date such as ``mid-2017``.
    """

    by: Literal["link", "parts"] = "link"
    population: str | None = None


class IndexSpec(Node):
    """An index: a tree of its own, or a preset with the study's indicators.

    Attributes
    ----------
    preset
        A recipe that ships: ``cni``, ``iod2019``, ``iod2025``.
    indicators
        With a preset: the study's indicator for each of its leaves, where the names differ.
    weights
        With a preset: weights to use in place of its own.
    areas
        The area system to build on; the study's if not given.
    move
        How it is carried to the study's areas.
    """

    preset: str = ""
    indicators: dict[str, str] = Field(default_factory=dict)
    weights_given: dict[str, float] = Field(default_factory=dict, alias="weights")
    areas: str = ""
    move: MoveSpec = MoveSpec()

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {key: data.get(key) or {} for key in ("indicators", "weights")}
        for key, value in given.items():
            if value and not data.get("preset"):
                raise FieldError("goes with 'preset'; a tree of its own says it at each child", key)
            if not isinstance(value, dict):
                raise FieldError("found a list or text; expected keys with values", key)
        if not data.get("preset"):
            return data
        try:
            tree = load_preset(str(data["preset"]))
        except UnknownNameError as error:
            raise FieldError(str(error), "preset") from None
        leaves = {path.rsplit("/", 1)[-1] for path, node in tree.walk("") if node.indicator}
        for name in given["indicators"]:
            if name not in leaves:
                raise FieldError(f"no such leaf; {nearest(str(name), leaves)}", "indicators", name)
        for name, weight in given["weights"].items():
            if name not in tree.children:
                raise FieldError(
                    f"no such domain; {nearest(str(name), tree.children)}", "weights", name
                )
            if not isinstance(weight, int | float) or not 0 < weight < math.inf:
                raise FieldError(f"found {weight!r}; expected a number above 0", "weights", name)
        tree = with_indicators(tree, given["indicators"], "it")
        children = {
            name: {**child.model_dump(), "weight": given["weights"].get(name, child.weight)}
            for name, child in tree.children.items()
        }
        return {**tree.model_dump(exclude={"children"}), "children": children, **data}

    @model_validator(mode="after")
    def _move_from_somewhere(self) -> IndexSpec:
        if self.move != MoveSpec() and not self.areas:
            raise FieldError("goes with 'areas', which says where the index is built", "move")
        return self


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


class BriefingSpec(_Part):
    """How the results are told.

    Attributes
    ----------
    label
        What a selected area is called, such as ``left behind``.
    note
        A sentence that stands at the top of the report, such as that a place is fictional.
    """

    label: str = "selected"
    note: str = ""


class Study(_Part):
    """A whole recipe; see docs/reference/study.md for every key."""

    name: str
    folder: Path
    title: str = Field(min_length=1)
    description: str = ""
    areas: str | OwnAreas
    where: dict[str, str] = Field(default_factory=dict)
    population: str | None = None
    indicators: dict[str, IndicatorSpec] = Field(min_length=1)
    index: dict[str, IndexSpec] = Field(min_length=1)
    designate: dict[str, Rule] = Field(default_factory=dict)
    certainty: CertaintySpec | None = None
    agreement: tuple[AgreementSpec, ...] = ()
    since: str = ""
    briefing: BriefingSpec = BriefingSpec()

    @field_validator("indicators", "index", "designate")
    @classmethod
    def _plain_names(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in value:
            if not _is_plain(name):
                raise FieldError(f"not a name; {PLAIN}", name)
        return value

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        for index, spec in self.index.items():
            for path, node in spec.walk(index):
                place = ("index", *"/children/".join(path.split("/")).split("/"))
                for name in node.children:
                    if not _is_plain(name):
                        raise FieldError(f"not a name; {PLAIN}", *place, "children", name)
                if node.indicator is not None and node.indicator not in self.indicators:
                    raise FieldError(
                        f"indicator '{node.indicator}' not found; "
                        + nearest(node.indicator, self.indicators),
                        *place,
                        "indicator",
                    )
        nodes = {p.replace("/", "."): n for i, s in self.index.items() for p, n in s.walk(i)}
        for named, *at in self._paths_named():
            if named not in nodes:
                raise FieldError(
                    f"index or domain '{named}' not found; {nearest(str(named), nodes)}", *at
                )
        for k, a in enumerate(self.agreement):
            if a.designation and a.designation not in self.designate:
                raise FieldError(
                    f"designation '{a.designation}' not found; "
                    + nearest(a.designation, self.designate),
                    *("agreement", k, "designation"),
                )
        if self.since and len(self.designate) != 1:
            raise FieldError(f"needs exactly one designation; found {len(self.designate)}", "since")
        if isinstance(self.areas, OwnAreas):
            for key, value in (("where", self.where), ("population", self.population)):
                if value:
                    raise FieldError(
                        "goes with areas that ship; a table of your own has its own", key
                    )
        self._certainty_varies(nodes)
        return self

    def _certainty_varies(self, nodes: Mapping[str, Node]) -> None:
        if not self.certainty or not self.certainty.draws:
            return
        if not self.designate:
            raise FieldError("needs something under 'designate'", "certainty")
        if not self.certainty.vary:
            raise FieldError(
                "nothing varies; expected a list of weights, form, standard_errors or cut",
                *("certainty", "vary"),
            )
        parents = {path for path, node in nodes.items() if node.children}
        stated = [name for name, spec in self.indicators.items() if spec.standard_error]
        for k, item in enumerate(self.certainty.vary):
            at = ("certainty", "vary", k)
            for key in ("weights", "form"):
                node = getattr(item, key, "").replace("/", ".")
                if node and node not in parents:
                    raise FieldError(
                        f"no index or domain '{node}' with children; {nearest(node, parents)}",
                        *at,
                        key,
                    )
            names = getattr(item, "standard_errors", ())
            for name in (
                stated if names == "all" and stated else [names] if names == "all" else names
            ):
                if name not in stated:
                    raise FieldError(
                        f"'{name}': no such indicator with a standard_error; {nearest(name, stated)}",
                        *at,
                        "standard_errors",
                    )

    def _paths_named(self) -> Iterator[tuple[str | int, ...]]:
        """Yield each index or domain that is named outside 'index', with the field that names it."""
        for name, rule in self.designate.items():
            for at, part in _rules(rule, ("designate", name)):
                if part.condition:
                    yield (part.condition.index, *at, "index")
                if part.at_most:
                    yield (part.at_most.by, *at, "at_most", "by")
        for k, a in enumerate(self.agreement):
            if a.index:
                yield (a.index, "agreement", k, "index")

    def only_designation(self) -> str:
        """Name the one designation, for a comparison.

        Raises
        ------
        StudyError
            If there is none, or several.
        """
        if len(self.designate) != 1:
            found = ", ".join(self.designate) or "nothing"
            raise StudyError(
                f"study {self.name} designates {found}; a comparison needs exactly one designation"
            )
        return next(iter(self.designate))

    def files(self) -> set[str]:
        """Names of the files beside the study that it reads."""
        named: list[FileOrSource] = [*self.indicators.values(), *self.agreement]
        if isinstance(self.areas, OwnAreas):
            named += [self.areas, *([self.areas.boundaries] if self.areas.boundaries else [])]
        return {spec.file for spec in named if spec.file}

    def resolved(self) -> dict[str, Any]:
        """Give the recipe with every default filled in, as plain data."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"name", "folder"}, exclude_none=True
        )


PLAIN = "expected letters, digits and underscores"


def _is_plain(name: str) -> bool:
    return name.replace("_", "").isalnum()


def _rules(rule: Rule, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Rule]]:
    """Yield a rule and every rule below it, each with its place in the file."""
    yield at, rule
    for key, below in (("all", rule.all), ("any", rule.any)):
        for k, part in enumerate(below or ()):
            yield from _rules(part, (*at, key, k))
    if rule.not_:
        yield from _rules(rule.not_, (*at, "not"))


def shipped_studies() -> list[str]:
    """Names of the studies that ship."""
    files = resources.files("commonweal.studies").iterdir()
    return sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml"))


def template() -> str:
    """Give the commented template that ``commonweal new`` writes."""
    return (resources.files("commonweal.studies") / "template.txt").read_text("utf-8")


def load_study(name: str | Path) -> Study:
    """Read and check a recipe.

    Parameters
    ----------
    name
        The name of a study that ships, or the path of a YAML file.

    Returns
    -------
    Study

    Raises
    ------
    UnknownNameError
        If it is neither.
    StudyError
        If the file is not YAML or not a study; the message names the file and the field.

    Examples
    --------
    >>> load_study("left-behind-2019").areas
    'wd17'
    """
    path = Path(name)
    if str(name) in shipped_studies():
        file = resources.files("commonweal.studies") / f"{name}.yaml"
        return parse_study(file.read_text("utf-8"), f"{name}.yaml", str(name), Path())
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise UnknownNameError("study", str(name), shipped_studies(), " (nor is it a .yaml file)")
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{path}: not UTF-8 text at byte {error.start}; expected a YAML file"
        ) from None
    except FileNotFoundError:
        raise StudyError(
            f"{path}: no such file; expected a study, or one of: {', '.join(shipped_studies())}"
        ) from None
    except OSError as error:
        raise StudyError(f"{path}: {error.strerror}; expected a YAML file") from None
    return parse_study(text, str(path), path.stem, path.parent)


def parse_study(text: str, where: str, name: str, folder: Path) -> Study:
    """Check the text of a recipe; `where` names it in messages."""
    data = read_yaml(text, where)
    for key in ("name", "folder"):  # the file's own, and not for it to say
        if key in data:
            raise StudyError(
                f"{where}: {key}: unknown key; the file's place says it (a study has a 'title')"
            )
    if not FILE_NAME.match(name):
        raise StudyError(
            f"{where}: the file is called '{name}'; expected letters without accents, digits, '.', '_' "
            "and '-', since the results folder takes its name"
        )
    try:
        return Study.model_validate({**data, "name": name, "folder": folder})
    except ValidationError as error:
        raise StudyError(explain(error, Study, where, text)) from None
