"""The fictional county, explored: one run for all tests of the room."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from commonweal.sources import Store
from commonweal.study.run import run
from commonweal.web import Explorer, create_app, open_explorer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.study.results import Results


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


RULE = """
title: Five awards, one in each district
official: made up
study: demo
rank: {of: {community_needs: 1.0}, official: false}
caps: [{most: 1, in_each: district, official: false}]
money: {awards: 5, award: 1000000, official: false}
in_need: [{index: community_needs, worst: 10%, official: false}]
"""


@pytest.fixture(scope="session")
def explorer(county: Results, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    """The county with its places, and a programme of its own."""
    rule = tmp_path_factory.mktemp("rules") / "five.yaml"
    rule.write_text(RULE, "utf-8")
    store = Store(cache=cache, offline=True)
    return open_explorer(county, cache, store=store, programmes=[str(rule)])


@pytest.fixture
def asked_of() -> Callable[[Results], Client]:
    """Explore another run, without a map."""
    return lambda results: Client(create_app(Explorer(results)))


@pytest.fixture(scope="session")
def client(explorer: Explorer) -> Client:
    return Client(create_app(explorer))


@pytest.fixture
def client_of() -> Callable[[Explorer], Client]:
    """Ask an explorer that a test has changed."""
    return lambda explorer: Client(create_app(explorer))
