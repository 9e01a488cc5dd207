"""The web application of one run: pages, API, tiles and files under one guard."""

from __future__ import annotations

from importlib import resources, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from commonweal import __version__
from commonweal.errors import CommonwealError
from commonweal.web.api import api_router
from commonweal.web.formats import file_answer, json_answer
from commonweal.web.guard import Guard
from commonweal.web.pages import Pages, page_router

if TYPE_CHECKING:
    from collections.abc import Iterable

    from commonweal.web.explorer import Explorer

__all__ = ["LOOPBACK", "create_app"]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Names that a server of this machine alone is known by."""


def create_app(explorer: Explorer, hosts: Iterable[str] = LOOPBACK) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    explorer
        The run, ready to be looked at.
    hosts
        Names to answer to; any if there are none.

    Returns
    -------
    FastAPI
        An ASGI application. Its own description is at ``/api/openapi.json``.
    """
    app = FastAPI(
        title=f"Commonweal: {explorer.results.study.title}",
        version=__version__,
        description="What the explorer's pages show, for programs. Only GET; no key, no cookie.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # its pages would load scripts from elsewhere
        redoc_url=None,
    )
    pages = Pages(explorer)
    app.include_router(api_router(explorer))
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
    found = util.find_spec("maplibre")
    folder = Path((found.submodule_search_locations or [""])[0]) if found else Path()
    for name, kind in (("maplibre-gl.js", "text/javascript"), ("maplibre-gl.css", "text/css")):
        content = (folder / "srcjs" / name).read_bytes()

        async def give(content: bytes = content, kind: str = kind) -> Response:
            answer = file_answer(content, f"{kind}; charset=utf-8")
            answer.headers["Cache-Control"] = "max-age=86400"
            return answer

        app.add_api_route(f"/lib/{name}", give, include_in_schema=False, response_model=None)
