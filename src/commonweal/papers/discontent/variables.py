"""What the columns of the two tables are: label, unit, year and sources, as data."""

from __future__ import annotations

from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from commonweal.errors import DataError
from commonweal.files.yaml import read_strict

__all__ = ["Variable", "load_variables"]


class Variable(BaseModel):
    """A column of a table.

    Attributes
    ----------
    name, label, unit
        Its column, its name for readers, and what it is counted in.
    year
        The date or period that it describes.
    of
        ``ward``, ``authority`` or ``region``: what it was measured for. Authorities of one region
        share a value.
    sources
        Ids of the sources that it was made from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: str
    unit: str
    year: str
    of: Literal["ward", "authority", "region"]
    sources: tuple[str, ...]


def load_variables(table: Literal["authorities", "wards"]) -> tuple[Variable, ...]:
    """Read what the columns of a table are, in their order.

    Raises
    ------
    DataError
        If the file that ships is malformed.

    Examples
    --------
    >>> [v.unit for v in load_variables("authorities") if v.name == "growth"]
    ['% a year, compound']
    """
    text = (resources.files(__package__) / "variables.yaml").read_text("utf-8")
    try:
        found = read_strict(text)[table]
        return tuple(Variable(name=name, **fields) for name, fields in found.items())
    except ValidationError as error:
        raise DataError(f"variables.yaml: {error}") from None
