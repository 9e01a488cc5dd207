"""A study: read by name, from a file or from text, with every name in it checked."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError, model_validator

from commonweal.errors import CommonwealError, StudyError, UnknownNameError, nearest
from commonweal.files.frames import first_lines
from commonweal.files.inputs import read_keys, read_text
from commonweal.files.schema import explain
from commonweal.index.methods import shown, strict
from commonweal.spec.data import OwnAreas
from commonweal.spec.fields import StudyFields, check_headlines
from commonweal.spec.indices import check_years
from commonweal.spec.names import check_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.resources.abc import Traversable

    from commonweal.index import Node


class Study(StudyFields):
    """A study: every key of its YAML file as a field, checked; see docs/reference/study.md for each.

    Parameters
    ----------
    shipped
        The name of a study that ships, or the path of a YAML file. Without one, a study is built from `fields`.
    **fields
        The keys of a study, as its YAML file has them. A data frame may stand where the name of a file may.

    Raises
    ------
    CommonwealError
        With the field, what was found, what was expected and the nearest valid name.

    Examples
    --------
    >>> study = Study("demo")
    >>> study.index["community_needs"].weights
    {'places': 1.0, 'connectivity': 1.0, 'engagement': 1.0}
    >>> study.with_weights("community_needs", places=2).index["community_needs"].weights
    {'places': 2.0, 'connectivity': 1.0, 'engagement': 1.0}
    """

    def __init__(self, shipped: str | Path = "", /, **fields: Any) -> None:
        if shipped and fields:
            raise StudyError(
                f"{shipped}: found also {', '.join(fields)}; expected either the name of a study or its "
                "fields (change one that ships with with_weights, with_cut or with_indicator)"
            )
        if shipped:
            found = load_study(shipped)
            fields = {name: getattr(found, name) for name in found.model_fields_set}
        fields = {"name": "study", "folder": Path(), **fields}
        _fill(self, fields, str(shipped) or str(fields["name"]))

    # pydantic then validates data without it, and its faults stay its own.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        system = self.areas.system if isinstance(self.areas, OwnAreas) else self.areas
        return "\n".join(
            [
                f"Study {self.name}: {self.title}",
                f"areas {system}; {len(self.indicators)} indicators",
                *first_lines(
                    f"index {name}: {', '.join(node.children) or 'one indicator'}"
                    for name, node in self.index.items()
                ),
                *first_lines(
                    f"designation {name}: {rule}" for name, rule in self.designate.items()
                ),
                "commonweal.run(study) runs it; study.resolved() gives every field",
            ]
        )

    __str__ = __repr__

    @classmethod
    def read(cls, path: str | Path) -> Study:
        """Read a study from a YAML file.

        Parameters
        ----------
        path
            The file; files that it names lie beside it.

        Raises
        ------
        CommonwealError
            With file, line, field, what was found and what was expected.
        """
        return load_study(path)

    @classmethod
    def checked(cls, fields: dict[str, Any], where: str, text: str = "") -> Study:
        """Check fields; `where` is what messages call them, `text` the YAML whose lines they name."""
        study = cls.__new__(cls)
        _fill(study, fields, where, text)
        return study

    def _changed(self, **fields: Any) -> Study:
        """Give the study with other fields, all checked again."""
        own = {name: getattr(self, name) for name in self.model_fields_set}
        return Study.checked({**own, **fields}, self.name)

    @strict
    def with_weights(self, path: str, /, **weights: float) -> Study:
        """Give the study with other weights for some children of an index or domain.

        Parameters
        ----------
        path
            The index or domain, such as ``community_needs`` or ``community_needs.places``.
        **weights
            By child, its weight beside those of the others, which stay as they are.

        Raises
        ------
        CommonwealError
            If there is no such index, domain or child, with the nearest name, or a weight is not above 0.

        Examples
        --------
        >>> Study("demo").with_weights("community_needs", place=2)
        Traceback (most recent call last):
        commonweal.errors.UnknownNameError: child 'place' not found in community_needs; did you mean 'places'?
        """

        def weighed(node: Node) -> dict[str, Any]:
            unknown = [name for name in weights if name not in node.children]
            if unknown:
                raise UnknownNameError.of_several("child", unknown, node.children, f" in {path}")
            children = {
                name: {**_said(child), "weight": weights[name]} if name in weights else child
                for name, child in node.children.items()
            }
            return {**_said(node), "children": children}

        return self._with_node(path, weighed)

    def with_cut(
        self,
        designation: str,
        worst: str | int | None = None,
        *,
        score_above: float | None = None,
        index: str = "",
    ) -> Study:
        """Give the study with another cut-off in a designation.

        Parameters
        ----------
        designation
            Its name.
        worst
            The new cut-off, as a share such as ``"15%"`` or a number of areas, of the conditions that have one.
        score_above
            Or: the new score, of the conditions that are on a score.
        index
            Only of the conditions on this index or domain; of all if not given.

        Raises
        ------
        CommonwealError
            If there is no such designation or no such condition, or the cut-off is none.

        Examples
        --------
        >>> print(Study("demo").with_cut("left_behind", "15%").designate["left_behind"])
        worst 15% on community_needs and worst 15% on deprivation
        """
        if designation not in self.designate:
            raise UnknownNameError("designation", str(designation), self.designate)
        if (worst is None) == (score_above is None):
            raise StudyError("with_cut: expected exactly one of 'worst' and 'score_above'")
        key = "worst" if worst is not None else "score_above"
        rule, found = self.designate[designation].written(), set[str]()

        def visit(part: Any) -> None:
            if isinstance(part, list):
                for inner in part:
                    visit(inner)
            elif isinstance(part, dict):
                if key in part:
                    found.add(part["index"])
                    if index in ("", part["index"]):
                        part[key] = worst if worst is not None else score_above
                for inner in part.values():
                    visit(inner)

        visit(rule)
        if not found:
            raise StudyError(f"designation '{designation}' has no condition with '{key}'")
        if index and index not in found:
            raise UnknownNameError("condition on", index, found, f" in designation '{designation}'")
        return self._changed(designate={**self.designate, designation: rule})

    def with_indicator(
        self, name: str, within: str, /, weight: float = 1.0, **fields: Any
    ) -> Study:
        """Give the study with one more indicator in an index or domain.

        Parameters
        ----------
        name
            What to call it; one of that name that the study has is replaced.
        within
            The index or domain that it enters, such as ``community_needs.places``.
        weight
            Its weight there.
        **fields
            The keys of an indicator, as a YAML file has them: ``file`` (a name or a data frame), ``column``,
            ``label``, ``unit``, ``higher_is``...

        Raises
        ------
        CommonwealError
            If there is no such index or domain, or a field is wrong.
        """

        def with_leaf(node: Node) -> dict[str, Any]:
            leaf = {"indicator": name, "weight": weight}
            return {**_said(node), "children": {**node.children, name: leaf}}

        return self._with_node(within, with_leaf, indicators={**self.indicators, name: fields})

    def _with_node(
        self, path: str, change: Callable[[Node], dict[str, Any]], **fields: Any
    ) -> Study:
        """Give the study with one index or domain changed, and all that holds it checked again."""
        index, *parts = path.split(".")
        known = {p.replace("/", "."): n for i, s in self.index.items() for p, n in s.walk(i)}
        if path not in known or known[path].indicator is not None:
            of = [name for name, node in known.items() if node.indicator is None]
            raise UnknownNameError("index or domain", path, of)

        def down(node: Node, names: list[str]) -> dict[str, Any]:
            if not names:
                return change(node)
            inner = down(node.children[names[0]], names[1:])
            return {**_said(node), "children": {**node.children, names[0]: inner}}

        return self._changed(index={**self.index, index: down(self.index[index], parts)}, **fields)

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        check_names(self)
        check_years(self.panel, self.indicators, self.index)
        check_headlines(self.social_capital, self.indicators)
        return self

    def bare(self) -> Study:
        """Give the same study for its scores and lists alone: nothing is varied, compared, narrowed or added."""
        blank: dict[str, Any] = {
            "since": "",
            "agreement": (),
            "certainty": None,
            "sensitivity": None,
            "social_capital": {},
            "focus": {},
            "show": (),
        }
        return self.model_copy(update=blank)

    def moved_to(self, folder: Path) -> Study:
        """Give the same study as a file in another folder says it: files named from there."""
        short = {name for name, spec in self.files.items() if spec.file}

        def there(name: str) -> str:
            if not name or name in short or Path(name).is_absolute():
                return name
            path = (self.folder / name).absolute()
            try:
                return Path(os.path.relpath(path, folder.absolute())).as_posix()
            except ValueError:  # on Windows, on another drive
                return path.as_posix()

        def renamed(spec: Any) -> Any:
            file = spec.file
            parts = {
                k: renamed(p) for k in ("timetable", "complete") if (p := getattr(spec, k, None))
            }
            if parts:
                spec = spec.model_copy(update=parts)
            named = (
                {k: there(v) for k, v in file.items()} if isinstance(file, dict) else there(file)
            )
            return spec.model_copy(update={"file": named})

        areas = self.areas
        if isinstance(areas, OwnAreas):
            boundaries = areas.boundaries and renamed(areas.boundaries)
            joined = tuple(renamed(spec) for spec in areas.join)
            areas = renamed(areas).model_copy(update={"boundaries": boundaries, "join": joined})
        return self.model_copy(
            update={
                "folder": folder,
                "areas": areas,
                "replace": {id_: renamed(spec) for id_, spec in self.replace.items()},
                "files": {there(name): renamed(spec) for name, spec in self.files.items()},
                "access": self.access.model_copy(
                    update={
                        key: tuple(renamed(spec) for spec in getattr(self.access, key))
                        for key in ("points", "maps")
                    }
                ),
                "indicators": {name: renamed(spec) for name, spec in self.indicators.items()},
                "agreement": tuple(renamed(spec) for spec in self.agreement),
                "since": there(self.since) if self.since_is_file else self.since,
            }
        )

    def resolved(self) -> dict[str, Any]:
        """Give the recipe with every default filled in, as plain data."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"name", "folder"}, exclude_none=True
        )


def _fill(study: Study, fields: dict[str, Any], where: str, text: str = "") -> None:
    """Check fields and put them into a new study; a fault is worded as that of a file is."""
    try:
        StudyFields.__init__(study, **fields)
    except ValidationError as error:
        base = read_keys(text, where, _KEYS, StudyError).get("extends", "") if text else ""
        raise StudyError(explain(error, Study, where, text, str(base))) from None


def _said(node: Node) -> dict[str, Any]:
    """Give what a node says, to be checked again with something changed."""
    return {name: getattr(node, name) for name in node.model_fields_set}


FILE_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_KEYS = "title, areas, indicators, index (see `commonweal new`)"
_NAMED = frozenset({"indicators", "index", "children", "designate"})
"""Keys whose own keys are names that a study chooses: what is taken out has to be there."""


def _shipped() -> Traversable:
    """Give the folder of the studies that ship; `commonweal.studies` is a function, not a package."""
    return resources.files("commonweal") / "studies"


def shipped_studies() -> list[str]:
    """Names of the studies that ship."""
    files = _shipped().iterdir()
    return sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml"))


def template() -> str:
    """Give the commented template that ``commonweal new`` writes."""
    return (_shipped() / "template.txt").read_text("utf-8")


def load_study(name: str | Path) -> Study:
    """Read and check the recipe of a study that ships, by its name, or of a YAML file, by its path."""
    where, text, folder = _read(name)
    return parse_study(text, where, Path(where).stem, folder)


def read_spec(name: str | Path) -> dict[str, Any]:
    """Read a recipe's keys as they are written, laid over those of the study that it extends; not checked further."""
    where, text, folder = _read(name)
    data: dict[str, Any] = _extended(read_keys(text, where, _KEYS, StudyError), where, folder)
    return data


def _read(name: str | Path) -> tuple[str, str, Path]:
    """Read a recipe: what messages call it, its text, and the folder of the files that it names."""
    if not isinstance(name, str | os.PathLike):
        raise StudyError(
            f"found {shown(name)}; expected a study: its name, or the path of its YAML file"
        )
    path = Path(name)
    if str(name) in shipped_studies():
        file = _shipped() / f"{name}.yaml"
        return file.name, file.read_text("utf-8"), Path()
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise UnknownNameError("study", str(name), shipped_studies(), " (nor is it a .yaml file)")
    expected = f"a study, or one of: {', '.join(shipped_studies())}"
    return str(path), read_text(path, expected, StudyError), path.parent


def earlier_study(study: Study) -> Study:
    """Read the recipe that a study names under ``since``: one that ships, or a file beside it."""
    try:
        earlier = load_study(study.folder / study.since if study.since_is_file else study.since)
        earlier.only_designation()
    except CommonwealError as error:
        raise StudyError(f"since: {error}") from None
    return earlier


def _extended(data: dict[str, Any], where: str, folder: Path, seen: tuple[str, ...] = ()) -> Any:
    """Lay a recipe over the one that it extends: keys given replace, and nothing (null) removes."""
    if "extends" not in data:
        return data
    base = data.pop("extends")
    if not isinstance(base, str) or not base:
        raise StudyError(f"{where}: extends: expected the name of a study that ships, or a file")
    if base in seen:
        raise StudyError(f"{where}: extends: {' -> '.join((*seen, base))} leads back to itself")
    ships = base in shipped_studies()
    try:
        name, text, _ = _read(base if ships else folder / base)
    except CommonwealError as error:
        raise StudyError(f"{where}: extends: {error}") from None
    if not ships and Path(base).parent != Path():
        raise StudyError(
            f"{where}: extends: {base} lies in another folder; expected a file in the same folder, "
            "because it names its own files relative to its folder"
        )
    below = _extended(read_keys(text, name, _KEYS, StudyError), name, folder, (*seen, base))
    try:
        return _laid_over(below, data)
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from None


def _laid_over(below: Any, above: Any, *at: str) -> Any:
    """Merge keys at every depth; a list, text or number replaces what is below it."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    if at and at[-1] in _NAMED:
        for key in above.keys() - below.keys():
            if above[key] is None:
                here = ".".join((*at, str(key)))
                raise StudyError(f"{here}: there is none to take out; {nearest(str(key), below)}")
    merged = below | {
        key: _laid_over(below[key], value, *at, str(key)) if key in below else value
        for key, value in above.items()
    }
    return {key: value for key, value in merged.items() if above.get(key, value) is not None}


def parse_study(text: str, where: str, name: str, folder: Path) -> Study:
    """Check the text of a recipe; messages call it `where`, the files that it names lie in `folder`."""
    data = _extended(read_keys(text, where, _KEYS, StudyError), where, folder)
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
    return Study.checked({**data, "name": name, "folder": folder}, where, text)
