"""A progress bar on the terminal, for anything that takes over a second."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


PATIENCE_S = 1.0


@contextmanager
def bar() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function to call as ``tell(what, done, total)``; a total of 0 is unknown.

    Nothing is shown in the first second, and the bar is gone when the work is done.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    start = time.monotonic()
    task = shown.add_task("", total=None)

    def tell(what: str, done: int, total: int) -> None:
        shown.update(task, description=what, completed=done, total=total or None)
        if not shown.live.is_started and time.monotonic() - start > PATIENCE_S:
            shown.start()

    try:
        yield tell
    finally:
        if shown.live.is_started:
            shown.stop()
