"""The fictional county, explored: one run for all tests of the room."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from commonweal.sources import Store
from commonweal.study import run
from commonweal.web import Explorer, create_app, open_explorer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.results import Results


@dataclass(frozen=True)
class Client:
    """Asks an application in this process, under a name that it answers to."""

    app: Any

    def get(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1"
            ) as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())


@pytest.fixture(scope="session")
def county(cache: Path) -> Results:
    """The demo, with few draws."""
    return run("demo", Store(cache=cache, offline=True), draws=50, sensitivity=False)


@pytest.fixture(scope="session")
def explorer(county: Results, cache: Path) -> Explorer:
    return open_explorer(county, cache)


@pytest.fixture
def asked_of() -> Callable[[Results], Client]:
    """Explore another run, without a map."""
    return lambda results: Client(create_app(Explorer(results)))


@pytest.fixture(scope="session")
def client(explorer: Explorer) -> Client:
    return Client(create_app(explorer))
