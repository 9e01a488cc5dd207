"""Asking a server that may be slow on purpose: each try has a least speed and an end."""

from __future__ import annotations

import http.client
import io
import time
import urllib.request
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

__all__ = ["Pace", "Patience", "SlowError", "paced_handlers"]


class SlowError(Exception):
    """A server that sends too little in the time it is given."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, and how often to ask again.

    Attributes
    ----------
    timeout_s
        Seconds to wait for a connection, and for each next piece.
    retries
        How often to ask again after a fault that may pass.
    backoff_s
        Seconds before the first repeat; doubled each time, with up to half as much again by
        chance so that many machines do not knock together.
    least_speed
        Bytes that have to come each second, on average over any `window_s` seconds. curl calls
        these ``--speed-limit`` and ``--speed-time``.
    window_s
        Seconds over which the speed is taken.
    deadline_s
        Seconds that one try may take in all.
    clock, sleep
        Tells seconds, and waits for some.
    """

    timeout_s: float = 30.0
    retries: int = 4
    backoff_s: float = 1.0
    least_speed: float = 1000.0
    window_s: float = 60.0
    deadline_s: float = 4 * 3600.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


@dataclass
class Pace:
    """How fast one try has been so far: headers, redirects and all."""

    patience: Patience
    begun: float = field(init=False)
    mark: float = field(init=False)
    came: int = 0

    def __post_init__(self) -> None:
        self.begun = self.mark = self.patience.clock()

    def count(self, size: int) -> None:
        """Count bytes that came.

        Raises
        ------
        SlowError
            If there are too few of them, or the time is up.
        """
        now, limits = self.patience.clock(), self.patience
        self.came += size
        if now - self.begun > limits.deadline_s:
            raise SlowError(f"not done within {limits.deadline_s:,.0f} s")
        if now - self.mark >= limits.window_s:
            if self.came < limits.least_speed * (now - self.mark):
                raise SlowError(
                    f"slower than {limits.least_speed:,.0f} bytes a second for "
                    f"{limits.window_s:,.0f} s"
                )
            self.mark, self.came = now, 0


class _Counted(io.RawIOBase):
    """What comes over a connection, counted."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        self._raw, self._pace = raw, pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        size = self._raw.readinto(buffer)
        self._pace.count(size or 0)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose first line and headers are counted too: they may never end."""

    def __init__(self, pace: Pace, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Counted(self.fp.detach(), pace))


def paced_handlers(pace: Pace) -> list[urllib.request.BaseHandler]:
    """Give what opens http and https for `urllib`, counting what comes."""

    def connection(kind: type[http.client.HTTPConnection], host: str, **given: Any) -> Any:
        made = kind(host, **given)
        made.response_class = partial(_Answer, pace)  # type: ignore[assignment]
        return made

    class Plain(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(partial(connection, http.client.HTTPConnection), req)

    class Secure(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(partial(connection, http.client.HTTPSConnection), req)

    return [Plain(), Secure()]
