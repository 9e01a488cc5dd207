"""The recipe of a study: a YAML file, checked line by line into a `Study`.

A wrong key, weight, column or code is an error that names the file, the field, what was found, what
was expected and the nearest valid name.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from commonweal.designation import CertaintySpec, Rule
from commonweal.errors import StudyError, UnknownNameError, nearest
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


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class FileOrSource(_Part):
    """A file beside the study, or a source of the catalogue."""

    file: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _one(self) -> FileOrSource:
        if bool(self.source) == bool(self.file):
            raise ValueError("expected exactly one of 'source' and 'file'")
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
        if not isinstance(data, dict) or not data.get("preset"):
            return data
        try:
            tree = load_preset(str(data["preset"]))
            tree = with_indicators(tree, dict(data.get("indicators") or {}), "it")
        except (UnknownNameError, StudyError) as error:
            raise ValueError(str(error)) from None
        for name in data.get("weights") or {}:
            if name not in tree.children:
                raise ValueError(f"weights: no domain '{name}'; {nearest(name, tree.children)}")
        children = {
            name: {
                **child.model_dump(),
                "weight": (data.get("weights") or {}).get(name, child.weight),
            }
            for name, child in tree.children.items()
        }
        return {**tree.model_dump(exclude={"children"}), "children": children, **data}


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

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    folder: Path
    title: str
    description: str = ""
    areas: str | OwnAreas
    where: dict[str, str] = Field(default_factory=dict)
    population: str | None = None
    indicators: dict[str, IndicatorSpec]
    index: dict[str, IndexSpec]
    designate: dict[str, Rule] = Field(default_factory=dict)
    certainty: CertaintySpec | None = None
    agreement: tuple[AgreementSpec, ...] = ()
    since: str = ""
    briefing: BriefingSpec = BriefingSpec()

    @field_validator("indicators", "index", "designate")
    @classmethod
    def _plain_names(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in value:
            if not name.replace("_", "").isalnum():
                raise ValueError(f"name '{name}'; expected letters, digits and underscores")
        return value

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        for index, spec in self.index.items():
            for path, node in spec.walk(index):
                if node.indicator is not None and node.indicator not in self.indicators:
                    where = path.replace("/", ".")
                    raise ValueError(
                        f"index.{where}: indicator '{node.indicator}' not found; "
                        + nearest(node.indicator, self.indicators)
                    )
        paths = {p.replace("/", ".") for i, s in self.index.items() for p, _ in s.walk(i)}
        for path in self._paths_named():
            if path not in paths:
                raise ValueError(f"index or domain '{path}' not found; {nearest(path, paths)}")
        for a in self.agreement:
            if a.designation and a.designation not in self.designate:
                raise ValueError(
                    f"agreement: designation '{a.designation}' not found; "
                    + nearest(a.designation, self.designate)
                )
        if self.certainty and self.certainty.draws and not self.designate:
            raise ValueError("certainty needs something under 'designate'")
        if self.since and len(self.designate) != 1:
            raise ValueError(f"since needs exactly one designation; found {len(self.designate)}")
        return self

    def _paths_named(self) -> Iterator[str]:
        for rule in self.designate.values():
            yield from (c.index for c in rule.conditions())
            yield from (r.at_most.by for r in rule.rules() if r.at_most)
        yield from (a.index for a in self.agreement if a.index)

    def resolved(self) -> dict[str, Any]:
        """Give the recipe with every default filled in, as plain data."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"name", "folder"}, exclude_none=True
        )


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
    import yaml

    try:
        data = yaml.load(text, Loader=_strict_loader())
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise StudyError(f"{where}{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise StudyError(f"{where}: not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise StudyError(
            f"{where}: found {'nothing' if data is None else type(data).__name__}; "
            "expected keys such as title, areas, indicators, index (see `commonweal new`)"
        )
    try:
        return Study.model_validate({**data, "name": name, "folder": folder})
    except ValidationError as error:
        raise StudyError(_explain(error, where, text)) from None


def _strict_loader() -> Any:
    """Give a safe YAML loader that refuses a key given twice: the first would be lost."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = loader.construct_object(key_node)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key}' is there twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return loader.construct_mapping(node, deep=True)

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return Loader


def _explain(error: ValidationError, where: str, text: str) -> str:
    """Turn pydantic's account into lines that name field, line, found and expected."""
    lines = []
    for fault in error.errors()[:3]:
        loc = [str(part) for part in fault["loc"] if not _is_inner(str(part))]
        field = ".".join(loc) or "the study"
        at = _line_of(loc, text)
        lines.append(f"{where}{at}: {field}: {_reason(fault)}")
    more = error.error_count() - 3
    return "\n".join(lines) + (f"\n(and {more} more)" if more > 0 else "")


def _is_inner(part: str) -> bool:
    """Names that pydantic adds for branches of a union are no fields of the file."""
    return part in {"condition", "str", "OwnAreas"} or part.startswith(
        ("Vary", "function-", "literal[", "tuple[")
    )


def _reason(fault: Any) -> str:
    kind, found = fault["type"], fault["input"]
    if kind == "extra_forbidden":
        return f"unknown key; {nearest(str(fault['loc'][-1]), _keys_beside(fault['loc']))}"
    if kind == "missing":
        return "missing; it is needed"
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    shown = (
        repr(found) if isinstance(found, str | int | float | bool | None) else type(found).__name__
    )
    expected = fault["msg"].replace("Input should be ", "expected ")
    hint = ""
    if kind == "literal_error" and isinstance(found, str):
        valid = str(fault["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        hint = f"; {nearest(found, valid)}"
    return f"found {shown}; {expected}{hint}"


def _keys_beside(loc: tuple[Any, ...]) -> list[str]:
    """Give the keys that are valid where an unknown one was found."""
    first = str(loc[0])
    if len(loc) == 1:
        return [k for k in Study.model_fields if k not in ("name", "folder")]
    by_place: dict[str, list[type[BaseModel]]] = {
        "indicators": [IndicatorSpec],
        "index": [IndexSpec, MoveSpec] if "move" in loc else [IndexSpec],
        "designate": [Rule],
        "certainty": [CertaintySpec],
        "agreement": [AgreementSpec],
        "briefing": [BriefingSpec],
        "areas": [OwnAreas],
    }
    keys = {f.alias or n for m in by_place.get(first, []) for n, f in m.model_fields.items()}
    if first == "designate":
        keys |= {"index", "worst", "score_above", "within", "among"}
    if first == "certainty" and len(loc) > 2:
        keys = {"weights", "dirichlet", "interval", "form", "of", "standard_errors", "cut"}
    return sorted(keys)


def _line_of(loc: list[str], text: str) -> str:
    """Find the line of a field by following its keys down the YAML tree."""
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return ""
    line = None
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            hit = [(k, v) for k, v in node.value if k.value == part]
            if not hit:
                break
            line, node = hit[0][0].start_mark.line, hit[0][1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line
        else:
            break
    return f", line {line + 1}" if line is not None else ""
