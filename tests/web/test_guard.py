"""Who may ask, what pages may load, and that no name or query does harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commonweal.web import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.results import Results
    from commonweal.web import Explorer
    from conftest import Client, Small

    Asked = Callable[[Results], Client]

PAGES = [
    "/",
    "/weights",
    "/area/F01000018",
    "/compare?area=F01000018",
    "/find?q=green",
    "/history",
    "/evidence",
    "/about",
    "/accessibility",
]


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "[::1]:8765", "LOCALHOST:1"])
def test_it_answers_to_its_own_names(client: Client, host: str) -> None:
    assert client.get("/accessibility", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80"]
)
def test_it_answers_to_no_other_name(client: Client, host: str) -> None:
    answer = client.get("/api/study", headers={"host": host})
    assert answer.status_code == 400
    assert "study" not in answer.text


def test_served_to_other_machines_it_answers_to_any_name(
    client: Client, explorer: Explorer
) -> None:
    other = type(client)(create_app(explorer, hosts=()))
    assert other.get("/accessibility", headers={"host": "office-pc"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"])
def test_nothing_can_be_changed(client: Client, method: str) -> None:
    answer = client.get("/api/areas", method=method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    "path", [*PAGES, "/api/study", "/static/main.js", "/lib/maplibre-gl.js", "/nowhere"]
)
def test_every_answer_carries_a_strict_policy(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers


def test_only_an_embedded_page_may_be_framed_by_others(client: Client) -> None:
    policy = client.get("/?embed=1").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors *")


@pytest.mark.parametrize("path", PAGES)
def test_no_page_asks_anything_of_another_server(client: Client, path: str) -> None:
    import re

    text = client.get(path).text
    assert not re.findall(r'(?:src|action)="(?:https?:)?//', text)
    assert not re.findall(r'<link[^>]* href="(?:https?:)?//', text)  # a link to follow is none
    assert " style=" not in text
    assert not re.findall(r"<script(?![^>]*\bsrc=)", text)
    assert not re.findall(r"\bon\w+=", text)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/lib/../../../etc/passwd",
        "/area/..%2f..%2fetc%2fpasswd",
        "/api/tiles/4/../../../etc/passwd",
    ],
)
def test_no_path_leads_out(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text
    assert "create_app" not in answer.text


def test_a_long_query_is_refused(client: Client) -> None:
    answer = client.get("/?q=" + "x" * 9000)
    assert answer.status_code == 414
    assert answer.headers["content-security-policy"].endswith("frame-ancestors 'none'")


def test_a_control_character_in_a_name_breaks_no_drawing(small: Small, asked_of: Asked) -> None:
    import xml.etree.ElementTree as ET

    small.replace(small.areas, "A20,Place 20,", "A20,Place\x0b20\x01,")
    told = asked_of(small.run(geometry=False, draws=0))
    for path in ("/api/areas/A20/strands", "/api/compare"):
        query = "?area=A20" if path.endswith("compare") else ""
        assert told.get(f"{path}.png{query}").content.startswith(b"\x89PNG")
    ET.fromstring(told.get("/api/areas/A20/strands.svg").text)


def test_names_are_text_and_nothing_else(small: Small, asked_of: Asked) -> None:
    bad = "<script>alert(1)</script>\" onload=x '{{7*7}}"
    quoted = '"' + bad.replace('"', '""') + '"'
    small.replace(small.areas, "A20,Place 20,", f"A20,{quoted},")
    small.write(title=bad, briefing__label=bad)
    told = asked_of(small.run(geometry=False))
    paths = [
        "/",
        "/weights?cut.priority.1=30",
        "/area/A20",
        "/compare?area=A20",
        "/find?q=script",
        "/about",
    ]
    for path in [*paths, "/?q=%3Cscript%3E", "/find?q=%3Cscript%3E%22", "/nowhere%3Cscript%3E"]:
        text = told.get(path).text
        assert "<script>alert" not in text, path
        assert "<script>" not in text, path
    assert "{{7*7}}" in told.get("/area/A20").text  # a template of ours fills in no name twice
    svg = told.get("/api/areas/A20/strands.svg").text
    assert "<script>" not in svg


def test_codes_of_any_letters_work(small: Small, asked_of: Asked) -> None:
    """A code with a slash, a space or a percent sign is still one area."""
    from urllib.parse import quote

    for file in (small.areas, small.indicators):
        file.write_text(file.read_text("utf-8").replace("A20,", "A/2 0%&é,"), "utf-8")
    told = asked_of(small.run(geometry=False, draws=0))
    link = f"/area/{quote('A/2 0%&é', safe='')}"
    assert link in told.get("/").text
    assert told.get(link).status_code == 200
