"""What keeps the server safe: who may ask, what a page may load, and what is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard"]

MOST_QUERY = 8_000
"""Bytes of a query; a longer one is refused."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'self'; frame-ancestors "
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
)


class Guard:
    """An ASGI layer around the app.

    It answers only to the names it is known by (a page elsewhere could otherwise point a name of its
    own at this machine and read along), only to GET, and only to queries of bounded length.
    Every answer carries a strict content-security policy: pages of this server may frame it, and where
    ``embed=1`` any page. Empty values are taken out of the queries of pages: a form sends each field.

    Parameters
    ----------
    app
        What is guarded.
    hosts
        Names to answer to, without a port; any if there are none.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = frozenset(h.lower() for h in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check what comes in, and mark what goes out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        query: bytes = scope["query_string"]
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if self.hosts and _name(host) not in self.hosts:
            await _refuse(send, 400, "This server does not answer to that name.")
            return
        if scope["method"] != "GET":
            await _refuse(send, 405, "Only GET is answered.", ((b"allow", b"GET"),))
            return
        if len(query) > MOST_QUERY:
            await _refuse(send, 414, f"The query is longer than {MOST_QUERY:,} bytes.")
            return
        given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        if not scope["path"].startswith("/api/"):
            kept = [(k, v) for k, v in given if v]
            scope = {**scope, "query_string": urlencode(kept).encode()}
        ancestors = b"*" if ("embed", "1") in given else b"'self'"

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [*_HEADERS, (b"content-security-policy", _POLICY.encode() + ancestors)]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        await self.app(scope, receive, marked)


def _name(host: str) -> str:
    """Give a host without its port."""
    if host.startswith("["):
        return host[: host.find("]") + 1].lower()
    return host.partition(":")[0].lower()


async def _refuse(
    send: Send, status: int, words: str, more: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    policy = (b"content-security-policy", _POLICY.encode() + b"'none'")
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS, policy, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})
