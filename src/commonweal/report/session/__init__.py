"""Evidence sessions: a page, a paper and a pack from a file that says what a meeting is about."""

from commonweal.report.session.content import Content, Figure, content, figures, fill
from commonweal.report.session.document import session_document
from commonweal.report.session.spec import (
    Reading,
    Session,
    Speaker,
    StateSpec,
    load_session,
    shipped_sessions,
)
from commonweal.report.session.state import State, state
from commonweal.report.session.write import write_session

__all__ = [
    "Content",
    "Figure",
    "Reading",
    "Session",
    "Speaker",
    "State",
    "StateSpec",
    "content",
    "figures",
    "fill",
    "load_session",
    "session_document",
    "shipped_sessions",
    "state",
    "write_session",
]
