"""Who may ask, what pages may load, and that no name or query does harm."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from commonweal.errors import CommonwealError
from commonweal.web import create_app
from commonweal.web.app import MOST_AT_ONCE, Guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.study.results import Results
    from commonweal.web import Explorer
    from conftest import Client, Small

    Asked = Callable[[Results], Client]

PAGES = [
    "/",
    "/weights",
    "/area/F01000018",
    "/compare?area=F01000018",
    "/find?q=green",
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


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(client: Client, method: str) -> None:
    answer = client.get("/api/areas", method=method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path", ["/", "/api/areas.csv", "/static/main.js", "/lib/maplibre-gl.js", "/no"]
)
def test_head_gives_the_same_head(client: Client, path: str) -> None:
    """That it gives no body is the server's, and held with it: this client would drop one."""
    whole, head = client.get(path), client.get(path, method="HEAD")
    assert head.status_code == whole.status_code
    assert dict(head.headers) == dict(whole.headers)


CROSS = {"sec-fetch-site": "cross-site"}


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({}, "/api/study", 200),  # a program, or an old browser
        ({"sec-fetch-site": "none"}, "/api/study", 200),
        ({"sec-fetch-site": "same-origin"}, "/api/study", 200),
        ({**CROSS, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, "/about", 200),
        ({**CROSS, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, "/api/map.png", 403),
        ({**CROSS, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, "/api/study", 403),
        ({**CROSS, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, "/about", 403),
        ({**CROSS, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, "/about?embed=1", 200),
        ({**CROSS, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, "/about?embed=1", 403),
    ],
)  # fmt: skip
def test_a_page_of_another_site_cannot_make_it_work(
    client: Client, headers: dict[str, str], path: str, status: int
) -> None:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_more_requests_at_once_than_it_can_answer_are_refused() -> None:
    asked: list[int] = []

    async def many() -> None:
        gate, inside = asyncio.Event(), []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            inside.append(scope)
            await gate.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        transport = httpx.ASGITransport(Guard(app, ()))
        async with httpx.AsyncClient(transport=transport, base_url="http://any") as one:
            held = [asyncio.create_task(one.get("/")) for _ in range(MOST_AT_ONCE)]
            while len(inside) < MOST_AT_ONCE:
                await asyncio.sleep(0)
            asked.append((await one.get("/")).status_code)
            gate.set()
            asked.extend({(await t).status_code for t in held})
            asked.append((await one.get("/")).status_code)

    asyncio.run(many())
    assert asked == [503, 200, 200]


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


def test_a_control_character_in_a_name_comes_to_no_page(small: Small) -> None:
    small.replace(small.areas, "A20,Place 20,", "A20,Place\x0b20\x01,")
    with pytest.raises(CommonwealError, match=r"area 'A20' has name .* without control characters"):
        small.run(geometry=False, draws=0)


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
    svg = told.get("/api/areas/A20/domains.svg").text
    assert "<script>" not in svg


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    ["A/2 0%&é", "A20/options", "x/social-capital", ".", "..", "./..", "~1", "a~0/b", "?#", "A" * 600, "é" * 300],
)  # fmt: skip
def test_codes_of_any_letters_and_length_work(small: Small, asked_of: Asked, code: str) -> None:
    """Every link of a code leads to its area: a browser takes dots out of paths, and decodes nothing."""
    for file in (small.areas, small.indicators):
        file.write_text(file.read_text("utf-8").replace("A20,", f"{code},"), "utf-8")
    told = asked_of(small.run(geometry=False, draws=0))
    listed = told.get("/api/areas?per=200").json()["areas"]
    (name,) = (one["name"] for one in listed if one["code"] == code)
    page = told.get("/find?q=Place 20").headers["location"]
    assert httpx.URL(f"http://any{page}").raw_path.decode() == page  # no browser changes it
    assert f'href="{page}"' in told.get("/").text
    answer = told.get(page)
    assert answer.status_code == 200
    links = re.findall(r'href="(/[^"]+)"', answer.text)
    files = [one for one in links if one.startswith("/api/areas/")]
    assert len(files) > 5
    for link in [*files, *(one for one in links if one.startswith(page))]:
        assert told.get(link.replace("&amp;", "&")).status_code == 200, link
    assert told.get(f"/api{page.replace('area', 'areas', 1)}").json()["code"] == code
    rows = [told.get(f"/api/rows/{n}").json() for n in range(20)]
    assert [one["page"] for one in rows if one["code"] == code] == [page]
    assert name in told.get("/compare", params={"area": code}).text
    assert told.get("/api/compare", params={"area": code}).json()["places"][0]["code"] == code


@pytest.mark.parametrize(
    "path",
    [
        "/compare?" + "area=&" * 6,
        "/api/compare?" + "area=&" * 6,
        "/api/rows/8%C2%A0",
        "/api/rows/1_0",
        "/api/tiles/1/%D9%A1/0.mvt",
        "/api/areas?per=1_0",
        "/api/areas?page=%202",
        "/api/rescore?w.deprivation.crime=1_0",
        "/api/rescore?w.deprivation.crime=1e-320",
        "/api/rescore?w.deprivation.crime=1e308",
        "/api/rescore?w.deprivation.crime=nan",
    ],
)
def test_what_the_description_does_not_allow_is_refused(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert "Traceback" not in answer.text
