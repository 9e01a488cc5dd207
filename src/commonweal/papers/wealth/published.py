"""What was published on trust and wealth, with what could not be verified."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from commonweal.files.yaml import read_strict

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Published", "load_published"]


class Published(BaseModel):
    """A published finding.

    Attributes
    ----------
    says
        What it says, in our words.
    work
        Id of the work in the evidence library.
    verified
        Whether the figure was checked in the publication or its abstract.
    unread
        What could not be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    says: str
    work: str
    verified: bool
    unread: str


@cache
def load_published() -> Mapping[str, Published]:
    """Give the findings by name.

    Examples
    --------
    >>> load_published()["growth"].verified
    False
    """
    text = (resources.files(__package__) / "published.yaml").read_text("utf-8")
    return {name: Published.model_validate(row) for name, row in read_strict(text).items()}
