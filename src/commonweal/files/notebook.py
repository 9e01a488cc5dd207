"""How a value that is a table shows itself, in a terminal and in a notebook, and goes to other tools."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from commonweal.errors import MissingExtraError

if TYPE_CHECKING:
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


def as_pandas(frame: pl.DataFrame) -> Any:
    """Give a Polars frame as one of pandas, without Arrow between them."""
    try:
        import pandas
    except ImportError:
        raise not_there("pandas") from None
    return pandas.DataFrame({column.name: column.to_numpy() for column in frame})


def not_there(package: str) -> MissingExtraError:
    """Say what to type where a package is not installed that a frame or a map is wanted for."""
    return MissingExtraError(
        f"the package '{package}' is not installed; type: pip install {package}"
    )
