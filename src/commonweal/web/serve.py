"""Serve a run on this machine until one has seen enough; connections that never finish a request are dropped."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

from commonweal.errors import CommonwealError
from commonweal.web.app import LOOPBACK, create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import uvicorn

    from commonweal.web.explorer import Explorer


HEAD_SECONDS = 10.0
"""How long the head of a request may take to arrive, from when the connection is free for it."""

STOP_SECONDS = 1.0
"""How long a server that is to stop waits for answers that are being made."""


def protocol_with(seconds: float) -> type[H11Protocol]:
    """Give uvicorn's protocol with a limit on how long a connection may be without a request.

    The limit runs from the first moment of a connection, and again from the first byte after each answer; until that
    byte uvicorn's own limit runs. A client that sends nothing, or a byte now and then, is closed; one whose answer is
    being made is not.
    """

    class Protocol(H11Protocol):
        _limit: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._stop()

        def _watch(self) -> None:
            """Start the clock where no request is being answered, unless it runs; else stop it."""
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop()
            elif self._limit is None and not self.transport.is_closing():
                self._limit = self.loop.call_later(seconds, self.transport.close)

        def _stop(self) -> None:
            if self._limit is not None:
                self._limit.cancel()
                self._limit = None

    return Protocol


def listen(host: str, port: int) -> socket.socket:
    """Take hold of a port, before a long run and not after it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((host, port))
        held.listen(128)  # so that the port counts as taken from here on
    except OSError as error:
        held.close()
        if error.errno == errno.EADDRINUSE:
            raise CommonwealError(
                f"port {port} on {host} is in use; give another with --port, or 0 for any that is free"
            ) from None
        raise CommonwealError(f"cannot serve on {host}, port {port}: {error.strerror}") from None
    return held


def address_of(held: socket.socket) -> str:
    """Give the address to open in a browser."""
    host, port = held.getsockname()[:2]
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a host, given as a name or an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def server_of(
    explorer: Explorer,
    host: str,
    ready: Callable[[], None] | None = None,
    head_seconds: float | None = None,
) -> uvicorn.Server:
    """Make the server; ``run([held])`` serves until its ``should_exit`` is set or a signal comes."""
    import uvicorn
    from anyio.to_thread import current_default_thread_limiter

    app = create_app(explorer, (*LOOPBACK, host) if is_loopback(host) else ())
    settings = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,  # type: ignore[arg-type]  # goes to asyncio.wait_for
        lifespan="off", ws="none", http=protocol_with(head_seconds or HEAD_SECONDS),
    )  # fmt: skip

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            # Answers take turns at the cores; more at once would only keep each other waiting.
            current_default_thread_limiter().total_tokens = (os.cpu_count() or 1) + 1
            await super().startup(sockets)
            if ready is not None:
                ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # Answers that are not made in time are cut off: nobody waits for them, and it is no fault to print.
            with _without_cut_off(logging.getLogger("uvicorn.error")):
                await super().shutdown(sockets)
                for answer in self.server_state.tasks:
                    answer.cancel()
                await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    return Server(settings)


@contextmanager
def _without_cut_off(log: logging.Logger) -> Iterator[None]:
    """Keep out of a log what is said of requests that a stop cuts off; other faults stay."""

    def is_fault(record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        cut_off = kind is not None and issubclass(kind, asyncio.CancelledError)
        return not (
            cut_off or str(record.msg).startswith(("Cancel %s running", "ASGI callable returned"))
        )

    log.addFilter(is_fault)
    try:
        yield
    finally:
        log.removeFilter(is_fault)


def serve(explorer: Explorer, held: socket.socket, ready: Callable[[], None] | None = None) -> None:
    """Serve until stopped with Ctrl-C; what only questions about new places need is read meanwhile."""
    threading.Thread(target=lambda: explorer.planning, name="planning").start()
    with suppress(KeyboardInterrupt):  # the server hands the signal on once it has closed
        server_of(explorer, held.getsockname()[0], ready).run([held])


def leave() -> None:
    """End a process that has served: Python itself would wait for answers that are still being made."""
    if any(t is not threading.current_thread() and not t.daemon for t in threading.enumerate()):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
