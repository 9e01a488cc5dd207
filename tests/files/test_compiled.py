"""Compiled code is kept where it can be, and is compiled anew where it cannot: never a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import pytest
from numba.core import caching

from commonweal.files.extras import njit

if TYPE_CHECKING:
    from pathlib import Path


def double(x: float) -> float:
    return 2 * x


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the folder of the package nor the user's can be written."""
    classes = [caching.UserProvidedCacheLocator]
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", classes)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    with pytest.raises(RuntimeError, match="no locator available"):
        numba.njit(cache=True)(double)


@pytest.mark.usefixtures("nowhere")
def test_it_is_kept_in_commonweals_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONWEAL_CACHE", str(tmp_path))
    assert njit(cache=True)(double)(4.0) == 8.0
    assert list((tmp_path / "compiled").rglob("*.nbi"))


@pytest.mark.usefixtures("nowhere")
def test_it_is_compiled_anew_where_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("COMMONWEAL_CACHE", str(tmp_path / "file"))
    assert njit(cache=True)(double)(4.0) == 8.0
