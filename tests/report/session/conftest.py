"""A session on the study of twenty places, which can be checked by hand, and one on the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from commonweal.report.session.content import content
from commonweal.report.session.spec import load_session
from commonweal.sources import Store
from commonweal.study.run import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Small

    from commonweal.report.session.content import Content
    from commonweal.report.session.spec import Session
    from commonweal.study.results import Results


def session_file() -> dict[str, Any]:
    return {
        "title": "Twenty places & more",
        "date": "2026-03-12",
        "framing": "{county.priority.count} of {county.areas.count} places.\n\n{county.priority.people} live there.",
        "studies": {"county": "study.yaml"},
    }


@dataclass(frozen=True)
class Meeting:
    """A session's file beside the study of twenty places."""

    small: Small

    @property
    def path(self) -> Path:
        return self.small.path / "meeting.yaml"

    def write(self, **changes: Any) -> Path:
        data = {k: v for k, v in (session_file() | changes).items() if v is not None}
        self.path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")
        return self.path

    def load(self, **changes: Any) -> Session:
        return load_session(self.write(**changes))

    def told(self, **changes: Any) -> Content:
        session = self.load(**changes)
        runs = {name: self.small.run(session.study(name)) for name in session.studies}
        return content(session, runs)


@pytest.fixture
def meeting(small: Small) -> Meeting:
    return Meeting(small)


@pytest.fixture(scope="session")
def demo(cache: Path) -> Results:
    """A short run of the fictional county."""
    return run("demo", Store(cache=cache, offline=True), draws=40, sensitivity=False)


@pytest.fixture(scope="session")
def county(demo: Results) -> Content:
    """What the session that ships tells of it."""
    return content(load_session("demo"), {"demo": demo})
