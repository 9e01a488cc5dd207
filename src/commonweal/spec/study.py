"""A study: read by name, from a file or from text, with every name in it checked."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError, model_validator

from commonweal.errors import CommonwealError, StudyError, UnknownNameError, nearest
from commonweal.files.inputs import read_keys, read_text
from commonweal.files.schema import explain
from commonweal.spec.data import OwnAreas
from commonweal.spec.fields import StudyFields, check_headlines
from commonweal.spec.indices import check_years
from commonweal.spec.names import check_names


class Study(StudyFields):
    """A whole recipe; see docs/reference/study.md for every key."""

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        check_names(self)
        check_years(self.panel, self.indicators, self.index)
        check_headlines(self.social_capital, self.indicators)
        return self

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


FILE_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_KEYS = "title, areas, indicators, index (see `commonweal new`)"
_NAMED = frozenset({"indicators", "index", "children", "designate"})
"""Keys whose own keys are names that a study chooses: what is taken out has to be there."""


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
    where, text, folder = _read(name)
    return parse_study(text, where, Path(where).stem, folder)


def read_recipe(name: str | Path) -> dict[str, Any]:
    """Read a recipe's keys as they are written, laid over those of the study that it extends; not checked further.

    Parameters
    ----------
    name
        As in `load_study`.
    """
    where, text, folder = _read(name)
    data: dict[str, Any] = _extended(read_keys(text, where, _KEYS, StudyError), where, folder)
    return data


def _read(name: str | Path) -> tuple[str, str, Path]:
    """Read a recipe: what messages call it, its text, and the folder of the files that it names."""
    path = Path(name)
    if str(name) in shipped_studies():
        file = resources.files("commonweal.studies") / f"{name}.yaml"
        return file.name, file.read_text("utf-8"), Path()
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise UnknownNameError("study", str(name), shipped_studies(), " (nor is it a .yaml file)")
    expected = f"a study, or one of: {', '.join(shipped_studies())}"
    return str(path), read_text(path, expected, StudyError), path.parent


def earlier_study(study: Study) -> Study:
    """Read the recipe that a study names under ``since``: one that ships, or a file beside it.

    Raises
    ------
    StudyError
        If it cannot be read, or designates nothing or several things.
    """
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
            f"{where}: extends: {base} lies in another folder; expected a file beside this one, "
            "since it names files of its own from where it lies"
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
    """Check the text of a recipe.

    Parameters
    ----------
    text
        The YAML.
    where
        What messages call it.
    name
        What the results folder is called.
    folder
        Where the files are that it names.

    Raises
    ------
    StudyError
        If it is not YAML or not a study; the message names `where`, line and field.
    """
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
    try:
        return Study.model_validate({**data, "name": name, "folder": folder})
    except ValidationError as error:
        raise StudyError(explain(error, Study, where, text)) from None
