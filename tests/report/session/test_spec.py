"""A session's file: what it may say, and what is told of a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from commonweal.errors import StudyError, UnknownNameError
from commonweal.report.session.spec import load_session, shipped_sessions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report.session.conftest import Meeting

OWN = {
    "kind": "report",
    "authors": ["Field, Ada"],
    "year": 2020,
    "title": "Halls",
    "publisher": "A press",
    "address": "https://example.org/halls",
    "finds": "Where there are halls people meet more often.",
    "method": "A survey",
    "place": "Quillshire",
    "strength": "description",
    "supports": ["Halls bring people together."],
    "checked": False,
    "check": "Made up for a test, and not checked.",
    "themes": ["places"],
}


def test_every_session_that_ships_is_valid() -> None:
    assert shipped_sessions() == ["demo", "state-of-social-infrastructure"]
    for name in shipped_sessions():
        session = load_session(name)
        assert session.name == name
        assert session.themes
        assert not any(speaker.name for speaker in session.speakers)  # nobody is made up


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"speaker": []}, "speaker: unknown key; did you mean 'speakers'"),
        ({"title": ""}, "title: found ''; expected at least one"),
        ({"framing": None}, "framing: missing; it is needed"),
        ({"date": "12 March"}, "date: found '12 March'; expected"),
        (
            {"themes": ["place"]},
            "themes.0.theme: 'place' is not a theme of the evidence library; did you mean 'places'",
        ),
        (
            {"themes": [{"theme": "places", "nte": "x"}]},
            "themes.0.nte: unknown key; did you mean 'note'",
        ),
        (
            {"areas": {"conty": ["A01"]}},
            "areas.conty: 'conty' is not one of the session's studies; did you mean 'county'",
        ),
        ({"studies": {"My study": "study.yaml"}}, "studies.My study: use lower-case letters"),
        ({"studies": {}}, "studies: "),
        (
            {"state": {"study": "count"}},
            "state.study: 'count' is not one of the session's studies; did you mean 'county'",
        ),
        (
            {"state": {"study": "county", "since": ["x"]}},
            "state.since.0: 'x' is not one of the session's studies",
        ),
        ({"speakers": [{"about": "Halls"}]}, "speakers.0.role: missing"),
        ({"works": {"field-2020": {**OWN, "year": 20}}}, "work 'field-2020': 'year'"),
        ({"works": {"bolet-2021": OWN}}, "work 'bolet-2021' is already in the library"),
        ({"name": "x"}, "name: unknown key; the file's path sets it"),
    ],
)
def test_a_fault_names_the_file_and_the_field(
    meeting: Meeting, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(StudyError) as fault:
        meeting.load(**changes)
    assert str(fault.value).startswith(str(meeting.path))
    assert said in str(fault.value)


def test_a_list_of_studies_is_called_by_their_names(meeting: Meeting) -> None:
    session = meeting.load(studies=["demo", "study.yaml"], framing="None.")
    assert session.studies == {"demo": "demo", "study": "study.yaml"}
    assert session.study("demo") == "demo"
    assert session.study("study") == meeting.small.study


def test_works_of_ones_own_join_the_reading_list(meeting: Meeting) -> None:
    session = meeting.load(works={"field-2020": OWN}, themes=["places"])
    assert "field-2020" in [work.id for work in session.evidence().under("places")]


def test_what_is_no_session_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'demo'"):
        load_session("dmo")
    with pytest.raises(StudyError, match=r"no-such\.yaml: no such file; expected a session"):
        load_session(tmp_path / "no-such.yaml")
    file = tmp_path / "list.yaml"
    file.write_text("- a\n", "utf-8")
    with pytest.raises(
        StudyError, match="found a list; expected keys such as title, framing, studies"
    ):
        load_session(file)
    file.write_text("title: a\ntitle: b\n", "utf-8")
    with pytest.raises(StudyError, match="line 2: not valid YAML: key 'title' is there twice"):
        load_session(file)
