"""The covariates that ship, by area system."""

from __future__ import annotations

from importlib import resources
from typing import Any

from pydantic import TypeAdapter

from commonweal.files.yaml import read_strict
from commonweal.spec.indicators import IndicatorSpec

__all__ = ["ready_covariates"]


def ready_covariates(system: str) -> dict[str, IndicatorSpec]:
    """Give the covariates that ship for an area system, by name; none for most.

    Examples
    --------
    >>> sorted(ready_covariates("lsoa21"))[:3]
    ['crime', 'disabled', 'flats']
    >>> ready_covariates("wd24")
    {}
    """
    text = (resources.files(__package__) / "covariates.yaml").read_text("utf-8")
    found: dict[str, Any] = read_strict(text)
    return TypeAdapter(dict[str, IndicatorSpec]).validate_python(found.get(system, {}))
