"""The demo's pack, made once, and a reader of pages that a browser would have to trust."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from commonweal.report.place.pack import write_pack
from commonweal.sources import Store
from commonweal.study.names import find_scope
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.study.results import Results


@dataclass
class Page(HTMLParser):
    """What a page links to, loads, names and heads."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    images: list[dict[str, str | None]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    text: str = ""
    lang: str | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag == "html":
            self.lang = found.get("lang")
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        elif found.get("href") or found.get("src"):
            self.loads.append(str(found.get("href") or found.get("src")))
        if tag == "img" or (tag == "svg" and found.get("role") == "img"):
            self.images.append(found)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        self.labels += str(found.get("aria-labelledby") or "").split()
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="session")
def read_page() -> Callable[[Path], Page]:
    def read(path: Path) -> Page:
        page = Page()
        page.feed(path.read_text("utf-8"))
        return page

    return read


@pytest.fixture(scope="session")
def demo(cache: Path) -> Results:
    return run("demo", Store(cache, offline=True), draws=60, sensitivity=False)


@pytest.fixture(scope="session")
def demo_pack(demo: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of one district of the fictional county, with every chart."""
    scope = find_scope(demo.areas, ["Vesselhoe"])
    folder = tmp_path_factory.mktemp("packs") / "vesselhoe"
    return write_pack(demo, scope, folder, charts="all")
