"""Waits with an end: what never does what a test waits for fails that test in words, and holds up no other."""

from __future__ import annotations

import time
from contextlib import contextmanager
from subprocess import PIPE, Popen
from threading import Event, Thread, Timer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    import uvicorn

LIMIT_S = 300
"""Far more than any of these takes on a loaded machine: it ends a hang, and says nothing about speed."""


@contextmanager
def started(command: list[str], **how: Any) -> Iterator[Popen[str]]:
    """Start a process that a test talks to; it is killed at the end, or once it has taken too long."""
    with Popen(command, **{"stdout": PIPE, "stderr": PIPE, "text": True, **how}) as process:
        late = Timer(LIMIT_S, process.kill)
        late.daemon = True
        late.start()
        try:
            yield process
        finally:
            late.cancel()
            process.kill()


@contextmanager
def served(server: uvicorn.Server, held: socket.socket, up: Event) -> Iterator[None]:
    """Let a server answer from a thread of its own, which says when it is up, to the end of the block."""
    thread = Thread(target=server.run, args=([held],), daemon=True)
    thread.start()
    try:
        until(lambda: up.is_set() or not thread.is_alive(), "a server that answers")
        assert up.is_set(), "the server ended before it was up"
        yield
    finally:
        server.should_exit = True
        thread.join(LIMIT_S)
        assert not thread.is_alive(), "the server did not stop"


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for what others do in their own time."""
    end = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)
