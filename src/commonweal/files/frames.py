"""Frames of any library, in and out, and how a value that is a table shows itself in a notebook."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any

from commonweal.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl


class Tabular:
    """A value that has a frame: it prints what it is and the frame's first rows, not all that it holds."""

    __slots__ = ()

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame."""
        raise NotImplementedError

    def _about(self) -> str:
        """Say in a line what it is."""
        return type(self).__name__

    def __repr__(self) -> str:
        return f"{self._about()}\n{self.to_frame()}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._about())}</p>{self.to_frame()._repr_html_()}"


MOST_LINES = 4
"""Of indices, and of designations, that a short account names."""


def first_lines(lines: Iterable[str]) -> list[str]:
    """Give the first lines of a short account, and how many more there are."""
    every = list(lines)
    more = len(every) - MOST_LINES
    return [*every[:MOST_LINES], *([f"and {more} more"] if more > 0 else [])]


def frame_of(x: Any) -> Any:
    """Give a frame as narwhals reads it; None for what is no frame."""
    import narwhals as nw

    try:
        found = nw.from_native(x, pass_through=True)
        if isinstance(found, nw.LazyFrame):
            raise DataError(f"a {type(x).__name__} found; expected a table: collect it first")
        return found if isinstance(found, nw.DataFrame) else None
    except nw.exceptions.DuplicateError:
        twice = next(name for name, count in Counter(x.columns).items() if count > 1)
        raise DataError(f"column '{twice}' is there twice; expected each name once") from None


def as_pandas(frame: pl.DataFrame) -> Any:
    """Give a Polars frame as one of pandas, without Arrow between them."""
    try:
        import pandas
    except ImportError:
        raise not_there("pandas") from None
    return pandas.DataFrame({column.name: column.to_numpy() for column in frame})


def like(given: Any, frame: pl.DataFrame) -> Any:
    """Give a Polars frame as one of the library that another frame is of."""
    found = frame_of(given)
    kind = None if found is None else found.implementation
    if kind is not None and kind.is_pandas_like():
        return as_pandas(frame)
    return frame.to_arrow() if kind is not None and kind.is_pyarrow() else frame


def not_there(package: str) -> MissingExtraError:
    """Say what to type where a package is not installed that a frame or a map is wanted for."""
    return MissingExtraError(
        f"the package '{package}' is not installed; type: pip install {package}"
    )
