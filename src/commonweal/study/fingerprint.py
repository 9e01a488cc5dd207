"""Whether a results folder still answers for a study, and results opened where it does, or run where it does not."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.errors import CommonwealError, SourceError
from commonweal.files.atomic import known_sha256
from commonweal.files.folder import read_marker
from commonweal.index.methods import MethodError, imported
from commonweal.sources import Store
from commonweal.sources.catalogue import load_own
from commonweal.sources.geometry import parts_of
from commonweal.spec.study import earlier_study, load_study, shipped_studies
from commonweal.study.areas import study_areas, study_shapes
from commonweal.study.files import own_path, with_replaced
from commonweal.study.saved import PACKAGE, open_results, read_package
from commonweal.version import __version__, program_hash

if TYPE_CHECKING:
    import polars as pl

    from commonweal.areas import Areas
    from commonweal.spec import Study
    from commonweal.study.results import Results

Progress = Callable[[str, int, int], None]


def fingerprint(study: Study) -> str:
    """Give a SHA-256 over all of a study that changes its results, but for the sources of the catalogue.

    These are the recipe, the content of the user's own files and functions, how the user's own catalogue says that its
    sources are read, and the program itself; not where files lie, how many draws there are, or whether sensitivity is
    asked for.
    """
    own = {
        id_: source.model_dump(mode="json", exclude={"path"}) for id_, source in load_own().items()
    }
    text = json.dumps([program_hash(), own, _recipe(study)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def own_hashes(study: Study) -> dict[str, dict[str, str]]:
    """Give the SHA-256 of each file beside a study, and of each part of it, such as those of a shapefile.

    By the name that the study calls it, and in that by the part's own name, '' for the file itself; none if it
    cannot be read.
    """
    found = {}
    for name in study.named_files():
        path = own_path(study, name)
        try:
            found[name] = {"": known_sha256(path), **parts_of(path)}
        except OSError:
            found[name] = {}
    return found


def sensitivity_hash(study: Study) -> str:
    """Give a SHA-256 over the settings of the sensitivity of a study; '' if it asks for none."""
    spec = study.sensitivity
    if spec is None:
        return ""
    vary = spec.vary or (study.certainty.vary if study.certainty else ())
    said = spec.model_copy(update={"vary": vary}).model_dump_json()
    return hashlib.sha256(said.encode()).hexdigest()


def _recipe(study: Study) -> Any:
    hashes = own_hashes(study)

    def by_content(value: Any) -> Any:
        if isinstance(value, str):
            return hashes.get(value, value)
        if isinstance(value, Mapping):
            return {str(by_content(key)): by_content(v) for key, v in value.items()}
        return [by_content(v) for v in value] if isinstance(value, list) else value

    said = study.resolved()
    said.pop("sensitivity", None)
    (said.get("certainty") or {}).pop("draws", None)
    for short in said.get("files", {}).values():
        short.pop("file", None)
    functions = {name: _source_of(name) for name in functions_named(said)}
    # As a run takes it: only its list counts, and its own 'since' could lead back to this study.
    earlier = _recipe(earlier_study(study).bare()) if study.since else None
    said.pop("since", None)
    return [by_content(said), functions, earlier]


def functions_named(recipe: object) -> Iterator[str]:
    """Give every function of the user's own that a recipe names."""
    if isinstance(recipe, Mapping):
        if set(recipe) == {"python"} and isinstance(recipe["python"], str):
            yield recipe["python"]
        recipe = list(recipe.values())
    if isinstance(recipe, list):
        for part in recipe:
            yield from functions_named(part)


def _source_of(name: str) -> dict[str, str]:
    """Give the SHA-256 of the file that a function is in, and of the files beside it that it imports, by module."""
    try:
        module = imported(name).__module__
        file = Path(str(sys.modules[module].__file__))
    except (MethodError, AttributeError, KeyError):
        return {}
    home = file.parents[module.count(".") + (file.name == "__init__.py")]
    found: dict[str, str] = {}
    wanted = [module]
    while wanted:
        module = wanted.pop()
        path = home.joinpath(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if module in found or not path.is_file() or ("site-packages" in path.parts[:-1] and found):
            continue
        with suppress(OSError, SyntaxError, ValueError):
            found[module] = known_sha256(path)
            wanted += _imports(path, module)
    return found


def _imports(path: Path, module: str) -> Iterator[str]:
    """Give the modules that a file may import, by their whole names."""
    inside = module.split(".")[: None if path.name == "__init__.py" else -1]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = inside[: len(inside) - node.level + 1] if node.level else []
            base = [*above, *([node.module] if node.module else [])]
            yield ".".join(base)
            yield from (".".join([*base, alias.name]) for alias in node.names)


def why_not(
    folder: Path,
    study: Study,
    store: Store,
    *,
    draws: int | None = None,
    sensitivity: bool = True,
    geometry: bool = True,
) -> str:
    """Say why a results folder does not answer for a study as it is now; '' if it does."""
    try:
        about = read_package(folder)
    except CommonwealError:
        return "cannot be opened by this version"
    if about["commonweal"]["version"] != __version__:
        return "was made by another version"
    marker = read_marker(folder)
    held = about["commonweal"]
    if held.get("fingerprint") != fingerprint(study):
        return "was made from another study, other files of your own, or by another version"
    asked = study.certainty.draws if draws is None and study.certainty else draws or 0
    if held["draws"] < asked:
        return f"has fewer recalculations ({held['draws']:,}) than the {asked:,} asked for"
    if sensitivity and study.sensitivity and draws != 0:
        if not held["sensitivity"]:
            return "does not have the biggest sources of uncertainty"
        if held["sensitivity"] != sensitivity_hash(study):
            return "has the biggest sources of uncertainty by other settings"
    if not {"steps", "sources"} <= marker.keys():
        return "cannot be opened by this version"
    if geometry and any(s.get("left out") for s in marker["steps"]):
        return "has no boundaries"
    return _other_source(marker, with_replaced(study, store))


def _other_source(marker: Mapping[str, Any], store: Store) -> str:
    """Say which source of a folder is another now; '' if none is."""
    offline = store.offline_only()
    for entry in marker["sources"]:
        if entry["path"] and "replaces" not in entry and entry["id"] not in store.catalogue:
            continue  # a file beside the study, which is in its fingerprint, or the fictional county
        try:
            source = store.source(entry["id"])
            now = source.sha256 or known_sha256(offline.path(source))
        except SourceError:
            continue  # what cannot be had now has not been seen to change
        except CommonwealError:
            now = ""
        if now != entry["sha256"]:
            return f"was made from another edition of the source {entry['id']}"
    return ""


def load_asked(text: str) -> Study:
    """Read what a command was given: the name or file of a study, or a results folder, whose study it gives."""
    if text not in shipped_studies() and Path(text).is_dir():
        return open_results(text).study
    return load_study(text)


def areas_kept(study: Study, store: Store) -> Areas:
    """Give the areas of a study: those of its results folder, where that answers for it, else as they are read."""
    at, why = _kept(study, store, draws=0, sensitivity=False, geometry=False)
    return study_areas(study, with_replaced(study, store)) if why else open_results(at).areas


def boundaries_kept(study: Study, areas: Areas, store: Store) -> pl.DataFrame:
    """Give the outlines of a study's areas, as `areas_kept` gives these."""
    at, why = _kept(study, store, draws=0, sensitivity=False, geometry=True)
    return (
        study_shapes(study, areas, store, geometry=True)[0] if why else open_results(at).boundaries
    )


def _kept(
    study: Study, store: Store, *, draws: int | None, sensitivity: bool, geometry: bool
) -> tuple[Path, str]:
    """Give the results folder of a study, and why it does not answer for it; '' if it does."""
    if own := _folder_of(study):
        return own, ""
    at = Path("results") / study.name
    return at, why_not(at, study, store, draws=draws, sensitivity=sensitivity, geometry=geometry)


def _folder_of(study: Study) -> Path | None:
    """Give the results folder that a study was opened from; None if it was read from elsewhere."""
    # Opened results know their folder from the root on; a study that ships has none.
    if not study.folder.is_absolute() or not (study.folder / PACKAGE).is_file():
        return None
    try:
        held = read_package(study.folder)["commonweal"]
    except CommonwealError:  # somebody else's package, beside a file of the user's own
        return None
    return study.folder if held["study"] == study.name else None


def open_kept(
    study: Study,
    store: Store,
    *,
    draws: int | None = None,
    sensitivity: bool = True,
    geometry: bool = True,
    instead: str = "running the study",
) -> Results | None:
    """Open the results folder of a study where it still answers for it; say on stderr that it does, or why not.

    The folder is ``results/NAME``, or that which the study was read from: this is opened whatever has changed since.
    It may have more draws than those asked for. `instead` says what is done where it does not answer.
    """
    at, why = _kept(study, store, draws=draws, sensitivity=sensitivity, geometry=geometry)
    if not (at / PACKAGE).is_file():
        return None
    if why:
        print(f"{at} {why}: {instead}.", file=sys.stderr)
        return None
    if at == _folder_of(study) and draws:
        held = read_package(at)["commonweal"]["draws"]
        if draws > held:
            raise CommonwealError(
                f"{at} has {held:,} recalculations; --draws {draws:,} needs the study itself, not its results folder"
            )
    opened = open_results(at)
    when = datetime.fromtimestamp((at / PACKAGE).stat().st_mtime, UTC).astimezone()
    shown = at.relative_to(Path.cwd()) if at.is_relative_to(Path.cwd()) else at
    print(f"Opened {shown} (written {when:%Y-%m-%d %H:%M}).", file=sys.stderr)
    return _as_asked(opened, study, draws, sensitivity)


def open_or_run(
    study: Study,
    store: Store | None = None,
    *,
    draws: int | None = None,
    sensitivity: bool = True,
    geometry: bool = True,
    progress: Progress | None = None,
) -> Results:
    """Open the results folder of a study as `open_kept` does, or run the study."""
    store = Store.given_or_found(store, progress)
    kept = open_kept(study, store, draws=draws, sensitivity=sensitivity, geometry=geometry)
    if kept is not None:
        return kept
    from commonweal.study.run import (
        run,  # compiled kernels come with it, which opening does without
    )

    return run(
        study, store, draws=draws, sensitivity=sensitivity, geometry=geometry, progress=progress
    )


def _as_asked(opened: Results, study: Study, draws: int | None, sensitivity: bool) -> Results:
    """Leave out what a run as it was asked for would not have."""
    changes: dict[str, Any] = {}
    held = opened.study
    spec = held.certainty
    if draws == 0:
        changes["certainty"] = {}
        spec = spec and spec.model_copy(update={"draws": 0})
    if draws == 0 or not sensitivity:
        changes["sensitivity"] = {}
    update = {
        "certainty": spec,
        "sensitivity": None if "sensitivity" in changes else held.sensitivity,
    }
    return opened.with_(study=study.model_copy(update=update), **changes)
