"""Time to solve, and Ctrl-C: asked between steps, so that nothing is lost in the middle of one."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Clock", "running"]


class Clock:
    """How long there is.

    Parameters
    ----------
    seconds
        From now on.
    """

    def __init__(self, seconds: float) -> None:
        self.began = time.perf_counter()
        self.seconds = seconds
        self.interrupted = False

    def up(self) -> bool:
        """Whether to stop: time is up, or there was an interrupt."""
        return self.interrupted or self.left() <= 0

    def left(self) -> float:
        """Give the seconds that are left."""
        return self.seconds - self.spent()

    def spent(self) -> float:
        """Give the seconds since it began."""
        return time.perf_counter() - self.began


@contextmanager
def running(seconds: float) -> Iterator[Clock]:
    """Give a clock that the first Ctrl-C stops; a second one interrupts as ever.

    Python raises an interrupt wherever it is, in compiled code too, which then fails in its own way. So the first
    is only noted. In threads other than the main one nothing changes.
    """
    clock = Clock(seconds)
    if threading.current_thread() is not threading.main_thread():
        yield clock
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        if clock.interrupted:
            signal.default_int_handler(number, frame)
        clock.interrupted = True

    if before is not signal.default_int_handler:  # somebody else minds interrupts
        yield clock
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield clock
    finally:
        signal.signal(signal.SIGINT, before)
