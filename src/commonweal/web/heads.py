"""HTTP connections that do not wait for a request for ever; uvicorn's own have no such limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["HEAD_SECONDS", "protocol_with"]

HEAD_SECONDS = 10.0
"""How long the head of a request may take to arrive, from when the connection is free for it."""


def protocol_with(seconds: float) -> type[H11Protocol]:
    """Give uvicorn's protocol with a limit on how long a connection may be without a request.

    The limit runs from the first moment of a connection, and again from the end of each answer. A client
    that sends nothing, or a byte now and then, is closed; one whose answer is being made is not.
    """

    class Protocol(H11Protocol):
        _limit: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def on_response_complete(self) -> None:
            super().on_response_complete()
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
