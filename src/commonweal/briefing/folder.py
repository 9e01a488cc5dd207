"""The folder of results: which files it has, and how it is written so that it is never half there."""

from __future__ import annotations

import errno
import json
import math
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from datetime import date

    from commonweal.results import Results

__all__ = ["check_folder", "write_results"]

Progress = Callable[[str, int, int], None]

_MARK = "provenance.json"
_TRIES = 20
_REPORT = "The report: open it in a browser, or print it. Start here."
_WORKBOOK = "The workbook: lists, summaries, agreement and sources, for Excel."
_RECIPE = "The whole recipe, with every default filled in: run it from here for the same results."
_PROVENANCE = "Where every number came from: sources, checksums, versions, steps."


def write_results(
    results: Results,
    folder: Path,
    progress: Progress | None = None,
    *,
    day: date | None = None,
) -> Path:
    """Write everything that a run gives into one folder that any tool can open.

    The files are written beside the folder and put in place by renaming: a run that fails or is
    interrupted leaves the last good folder as it was.

    Parameters
    ----------
    results
        From `commonweal.study.run`.
    folder
        Where to. An earlier folder of results is replaced; nothing else ever is.
    progress
        Called as ``progress("writing report.html", done, total)``.
    day
        The date that workbook and report name; none if not given, so that the same results give
        the same files.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    CommonwealError
        If the folder holds files that Commonweal did not write, or cannot be written.
    """
    target = check_folder(folder)
    fresh = _beside(target, "new")
    with _plainly(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
    try:
        # The map is written aside: its program lets others work while it does.
        with ThreadPoolExecutor(1) as aside:
            for name, write in _steps(results, fresh, day, progress, aside):
                with _plainly(target):
                    write(fresh / name)
        with _plainly(target):
            _swap(fresh, target)
    finally:
        # After a swap there is nothing left of this name; after a fault or Ctrl-C, all of it.
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def check_folder(folder: Path) -> Path:
    """Say early whether results can go to a folder: before a long run, not after it.

    Parameters
    ----------
    folder
        The folder that is asked for.

    Returns
    -------
    Path
        The same, absolute and with links followed.

    Raises
    ------
    CommonwealError
        If it is a file, or holds files that Commonweal did not write.
    """
    target = Path(folder).expanduser().resolve()
    for _ in range(_TRIES):
        seen = _identity(target)
        if seen is None:
            return target
        if not target.is_dir():
            raise CommonwealError(f"{folder} is a file; expected a folder to write results to")
        try:
            foreign = _foreign(target)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _plain_error(error, target) from None
        if _identity(target) != seen:
            continue  # another run has just put its own there: look at that
        if foreign:
            raise _refusal(folder, foreign)
        return target
    raise _busy(target)


def _identity(folder: Path) -> tuple[int, int, int] | None:
    """Tell one folder from the next of the same name; None if there is none."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _plain_error(error, folder) from None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _foreign(folder: Path) -> list[str]:
    """Name what is in a folder that Commonweal did not write."""
    there = sorted(p.name for p in folder.iterdir())
    own = _own_files(folder)
    return [name for name in there if name not in own and not _is_litter(folder / name)]


def _refusal(folder: Path, foreign: list[str]) -> CommonwealError:
    more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
    return CommonwealError(
        f"{folder} holds {', '.join(foreign[:3])}{more}, which Commonweal did not write; "
        "nothing there is replaced. Give another folder, or move these away."
    )


def _busy(target: Path) -> CommonwealError:
    return CommonwealError(f"{target}: other runs keep writing there; try again when they are done")


def _own_files(target: Path) -> set[str]:
    """Names that an earlier run wrote there, by its own list; none if it is no folder of results."""
    try:
        listed = json.loads((target / _MARK).read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {_MARK, *map(str, listed)} if isinstance(listed, list) else set()


def _is_litter(path: Path) -> bool:
    """Files that other programs leave beside those that they open; never a folder."""
    name = path.name
    return path.is_file() and (
        name in {".DS_Store", ".directory", "Thumbs.db", "desktop.ini"}
        or name.startswith((".~lock.", "~$"))
        or name.endswith((".gpkg-wal", ".gpkg-shm", ".gpkg-journal"))
    )


def _steps(
    results: Results,
    folder: Path,
    day: date | None,
    progress: Progress | None,
    aside: ThreadPoolExecutor,
) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Give each file's name and what writes it; the last ones list those before."""
    from commonweal.briefing.geopackage import write_geopackage
    from commonweal.briefing.parquet import data_tables, write_parquet
    from commonweal.briefing.report import write_report
    from commonweal.briefing.workbook import write_workbook

    place = aside.submit(write_geopackage, results, folder / "commonweal.gpkg")
    tables = list(data_tables(results))
    total = len(tables) + 6
    holds: dict[str, str] = {}

    def next_file(name: str, what: str) -> str:
        if progress is not None:
            progress(f"writing {name}", len(holds), total)
        holds[name] = what
        return name

    yield next_file("report.html", _REPORT), lambda path: write_report(results, path, day)
    yield next_file("results.xlsx", _WORKBOOK), lambda path: write_workbook(results, path, day)

    for name, what, frame in tables:
        yield next_file(name, what), partial(write_parquet, frame)

    def map_file(path: Path) -> None:
        holds[path.name] += f" {place.result()}"

    yield next_file("commonweal.gpkg", "The map, for QGIS."), map_file
    yield next_file("study.yaml", _RECIPE), lambda path: _write_text(path, _study(results, folder))
    files = sorted({*(p.name for p in folder.iterdir()), "README.txt"})
    account = _json({**results.provenance, "files": files})
    yield next_file(_MARK, _PROVENANCE), lambda path: _write_text(path, account)
    readme = next_file("README.txt", "This text.")
    text = _readme(results, holds, {*files, _MARK})
    yield readme, lambda path: _write_text(path, text)
    if progress is not None:
        progress("written", total, total)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _study(results: Results, folder: Path) -> str:
    import yaml

    recipe = results.study.moved_to(folder).resolved()
    text = yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True, width=100)
    return f"# The recipe of these results ({results.study.name}), with every default filled in.\n{text}"


def _json(value: Any) -> str:
    return json.dumps(_strict(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _strict(value: Any) -> Any:
    """Give plain data that strict JSON can hold: no NaN, no infinity, no types of other libraries."""
    if isinstance(value, Mapping):
        return {str(k): _strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_strict(v) for v in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "item"):  # a NumPy number
        return _strict(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def _readme(results: Results, holds: Mapping[str, str], there: set[str]) -> str:
    lines = [results.study.title, "=" * len(results.study.title), ""]
    if results.study.briefing.note:
        lines += [results.study.briefing.note, ""]
    lines += [
        f"Written by Commonweal {results.provenance.get('commonweal', '')}. Open report.html first.",
        "",
        "Files",
        "-----",
    ]
    for name, what in holds.items():
        lines.append(f"{name if name in there else f'({name})'}\n    {what}")
    lines += [
        "",
        "In the tables rank 1 is the greatest need, and an empty value means that there is none.",
        "Tables join on the column code.",
    ]
    closed = [
        s["title"] for s in results.provenance.get("sources", ()) if s["use"] == "benchmark-only"
    ]
    if closed:
        lines += [
            "",
            "Not openly licensed",
            "-------------------",
            "Compare with these sources, but don't pass their values on. The indicators, and scores made",
            "from them, hold such values:",
            *(f"    {title}" for title in closed),
        ]
    return "\n".join(lines) + "\n"


def _beside(target: Path, kind: str) -> Path:
    """Make a name in the same folder, so that renaming is atomic, that no other run uses."""
    return target.parent / f".{target.name}.{secrets.token_hex(6)}.{kind}"


def _swap(fresh: Path, target: Path) -> None:
    """Put the new folder in place of the old one, while others may be doing the same."""
    for _ in range(_TRIES):
        old = _beside(target, "old")
        try:
            target.rename(old)
        except FileNotFoundError:
            if _put(fresh, target):
                return
            continue
        placed = False
        try:
            # What has come into it since the first look must not be lost either.
            foreign = _foreign(old)
            if foreign:
                raise _refusal(target, foreign)
            placed = _put(fresh, target)
        except BaseException:
            _put(old, target)  # the last good one goes back
            raise
        shutil.rmtree(old, ignore_errors=True)
        if placed:
            return
    raise _busy(target)


def _put(folder: Path, target: Path) -> bool:
    """Rename a folder to its place; False if another run has taken the place meanwhile."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return False
        raise
    return True


@contextmanager
def _plainly(target: Path) -> Iterator[None]:
    """Turn a fault of writing into words for the one who asked."""
    try:
        yield
    except OSError as error:
        raise _plain_error(error, target) from None
    except Exception as error:
        # Libraries have errors of their own for a file that cannot be written.
        said = str(error).lower()
        if "disk is full" in said or "no space" in said:
            raise CommonwealError(f"{target} cannot be written: the disk is full") from None
        if "disk i/o" in said or type(error).__name__ in _LIBRARY_ERRORS:
            raise CommonwealError(f"{target} cannot be written: {error}") from None
        raise


_LIBRARY_ERRORS = ("DataSourceError", "DataLayerError", "FeatureError", "FileCreateError")


def _plain_error(error: OSError, target: Path) -> CommonwealError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CommonwealError(f"{target} cannot be written: the disk is full")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CommonwealError(
            f"{target} cannot be written: no permission, or a file there is open in another program"
        )
    return CommonwealError(f"{target} cannot be written: {error.strerror or error}")
