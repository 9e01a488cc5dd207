"""The web application of one run: pages, API, tiles and files, and the guard that keeps them safe."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from commonweal.errors import CommonwealError
from commonweal.files.extras import package_folder
from commonweal.version import __version__
from commonweal.web.api import api_router
from commonweal.web.documents import document_router
from commonweal.web.pages import Pages, page_router
from commonweal.web.tables import file_answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from commonweal.web.explorer import Explorer


MOST_QUERY = 8_000
"""Bytes of a query; a longer one is refused."""
MOST_AT_ONCE = 200
"""Requests that are answered at once; one more is refused. Connections without a request do not count."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'self'; frame-ancestors "
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
)


class Guard:
    """An ASGI layer around the app.

    It answers only to the names it is known by (a page elsewhere could otherwise point a name of its
    own at this machine and read along), only to GET and HEAD, and only to queries of bounded length. What a
    browser fetches for a page of another site is refused, unless it is a link that a reader follows or an
    embedded page: such a page could otherwise make this machine work.
    Every answer carries a strict content-security policy: pages of this server may frame it, and where
    ``embed=1`` any page. Empty values that come once are taken out of the queries of pages: a form sends each
    field.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = frozenset(h.lower() for h in hosts)
        self._busy = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check what comes in, and mark what goes out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        query: bytes = scope["query_string"]
        headers = {k: v.decode("latin-1") for k, v in scope["headers"]}
        given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        embed = ("embed", "1") in given
        if self.hosts and _name(headers.get(b"host", "")) not in self.hosts:
            await _refuse(send, 400, "This server does not answer to that host name.")
        elif scope["method"] not in ("GET", "HEAD"):
            await _refuse(send, 405, "Only GET requests are answered.", ((b"allow", b"GET, HEAD"),))
        elif len(query) > MOST_QUERY:
            await _refuse(send, 414, f"The query is longer than {MOST_QUERY:,} bytes.")
        elif not _wanted(headers, embed):
            await _refuse(
                send, 403, "This server does not answer requests from pages of another site."
            )
        elif self._busy >= MOST_AT_ONCE:
            await _refuse(send, 503, "Too many requests at once; try again in a moment.")
        else:
            self._busy += 1
            try:
                await self._answer(scope, receive, send, given, embed)
            finally:
                self._busy -= 1

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, given: list[tuple[str, str]], embed: bool
    ) -> None:
        if not scope["path"].startswith("/api/"):
            often = Counter(k for k, _ in given)
            kept = [(k, v) for k, v in given if v or often[k] > 1]
            scope = {**scope, "query_string": urlencode(kept).encode()}
        ancestors = b"*" if embed else b"'self'"

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [*_HEADERS, (b"content-security-policy", _POLICY.encode() + ancestors)]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        # The server leaves out the body of an answer to HEAD.
        await self.app({**scope, "method": "GET"}, receive, marked)


def _name(host: str) -> str:
    """Give a host without its port."""
    if host.startswith("["):
        return host[: host.find("]") + 1].lower()
    return host.partition(":")[0].lower()


def _wanted(headers: dict[bytes, str], embed: bool) -> bool:
    """Whether a reader asked, and not a page of another site; browsers say which it is, other programs nothing."""
    if headers.get(b"sec-fetch-site") != "cross-site":
        return True
    kind = headers.get(b"sec-fetch-dest", "")
    followed = kind == "document" or (embed and kind in ("iframe", "frame"))
    return followed and headers.get(b"sec-fetch-mode") == "navigate"


async def _refuse(
    send: Send, status: int, words: str, more: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    policy = (b"content-security-policy", _POLICY.encode() + b"'none'")
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS, policy, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})


LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Names that a server of this machine alone is known by."""


def create_app(explorer: Explorer, hosts: Iterable[str] = LOOPBACK) -> FastAPI:
    """Make the ASGI application, which answers to names of `hosts`; to any if there are none."""
    app = FastAPI(
        title=f"Commonweal: {explorer.results.study.title}",
        version=__version__,
        description="Everything that the explorer's pages show. GET requests only; no key, no cookie.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # its pages would load scripts from elsewhere
        redoc_url=None,
    )
    pages = Pages(explorer)
    app.include_router(api_router(explorer))
    app.include_router(document_router(explorer, pages))
    app.include_router(page_router(explorer, pages))
    app.mount("/static", StaticFiles(directory=_static()), name="static")
    _map_library(app)

    def problem(request: Request, status: int, words: str) -> Response:
        if request.url.path.startswith(("/api/", "/tiles/", "/static/")):
            answer = json_answer({"detail": words})
            answer.status_code = status
            return answer
        return pages.problem(request, status, words)

    @app.exception_handler(CommonwealError)
    async def _mistake(request: Request, error: Exception) -> Response:
        return problem(request, 422, str(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem(request, 422, "; ".join(_told(e) for e in error.errors()[:5]))

    @app.exception_handler(HTTPException)
    async def _absent(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(request, error.status_code, str(error.detail))

    app.add_middleware(Guard, hosts=tuple(hosts))
    return app


def _told(error: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"][1:])
    return f"{where}: found {str(error.get('input'))[:60]!r}; {error['msg'][:1].lower()}{error['msg'][1:]}"


def _static() -> Path:
    return Path(str(resources.files("commonweal.web") / "static"))


def _map_library(app: FastAPI) -> None:
    """Serve the map library from the package that it comes in; importing that would load far more."""
    folder = package_folder("maplibre", "web")
    for name, kind in (("maplibre-gl.js", "text/javascript"), ("maplibre-gl.css", "text/css")):
        content = (folder / "srcjs" / name).read_bytes()

        async def give(content: bytes = content, kind: str = kind) -> Response:
            answer = file_answer(content, f"{kind}; charset=utf-8")
            answer.headers["Cache-Control"] = "max-age=86400"
            return answer

        app.add_api_route(f"/lib/{name}", give, include_in_schema=False, response_model=None)
