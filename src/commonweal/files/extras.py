"""Packages that may not be here, or may not write here: an extra named where it is missing, compiled code kept."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LOG = logging.getLogger(__name__)


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Say which extra brings what is imported here, where it is not installed.

    >>> with needs("pdf"):
    ...     raise ModuleNotFoundError(name="typst")
    Traceback (most recent call last):
    commonweal.errors.MissingExtraError: the package 'typst' is not installed; type: pip install 'commonweal[pdf]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or extra).split(".")[0]
        if package == "commonweal":
            raise
        raise _missing({extra: package}) from None


def check_extras(**packages: str) -> None:
    """Say before a long run, not after it, which extras it needs, by a package that each brings.

    >>> check_extras(web="no_fastapi")
    Traceback (most recent call last):
    commonweal.errors.MissingExtraError: the package 'no_fastapi' is not installed; type: pip install 'commonweal[web]'
    """
    missing = {extra: package for extra, package in packages.items() if find_spec(package) is None}
    if missing:
        raise _missing(missing)


def package_folder(package: str, extra: str) -> Path:
    """Find the folder of a package that an extra brings, without importing it."""
    check_extras(**{extra: package})
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def _missing(packages: Mapping[str, str]) -> MissingExtraError:
    *first, last = (f"'{package}'" for package in packages.values())
    which = f"packages {', '.join(first)} and {last} are" if first else f"package {last} is"
    return MissingExtraError(
        f"the {which} not installed; type: pip install 'commonweal[{','.join(packages)}]'"
    )


def in_parts(n: int, work: Callable[[int, int], object]) -> None:
    """Call ``work(first, last)`` for parts of 0..n, one a thread; what is compiled with `nogil` runs at once."""
    from concurrent.futures import ThreadPoolExecutor

    from numba import get_num_threads

    threads = min(get_num_threads(), n)
    if threads < 2:
        work(0, n)
        return
    bounds = [n * k // threads for k in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))


def njit(**how: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile as `numba.njit` does; what is to be kept, in Commonweal's cache where numba's folders cannot be written.

    Where that cannot be written either, it is compiled in each process anew.
    """
    import numba

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(**how)(function)
        except RuntimeError:  # numba found no folder to write to
            own = Path(os.environ.get("COMMONWEAL_CACHE") or os.devnull, "compiled")
            numba.config.CACHE_DIR = str(own)  # type: ignore[attr-defined]
        try:
            return numba.njit(**how)(function)
        except RuntimeError:
            return numba.njit(**{**how, "cache": False})(function)

    return compiled


def write_if_installed(path: Path, write: Callable[[Path], object]) -> str:
    """Write a file; where it needs an extra that is not installed, leave it out, warn, and say so."""
    try:
        write(path)
    except MissingExtraError as error:
        said = f"Not written: {error}"
        _LOG.warning("%s: %s", path.name, said[0].lower() + said[1:])
        return said
    return ""
