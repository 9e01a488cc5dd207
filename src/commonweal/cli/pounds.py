"""Amounts of money as options take them."""

from __future__ import annotations

import re

from commonweal.errors import CommonwealError

__all__ = ["pounds"]

_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "bn": 1e9}


def pounds(option: str, text: str) -> float:
    """Read an amount of pounds.

    Parameters
    ----------
    option
        What it is given for, for the error.
    text
        Such as 20000000, 20,000,000, £20m, 1.5bn or 500k.

    Raises
    ------
    CommonwealError
        If it is none.

    Examples
    --------
    >>> pounds("budget", "£20m"), pounds("budget", "1,500,000"), pounds("budget", "0.5bn")
    (20000000.0, 1500000.0, 500000000.0)
    """
    plain = text.strip().lower().replace(",", "").removeprefix("£")
    fits = re.fullmatch(r"(-?(?:\d+(?:\.\d+)?|\.\d+))\s*(bn|m|k|)", plain)
    if fits is None:
        raise CommonwealError(f"{option}: found '{text}'; expected pounds, such as 20m or 750k")
    return float(fits[1]) * _UNITS[fits[2]]
