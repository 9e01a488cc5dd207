"""Money and inputs in plain words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonweal.invest.appraisal.model import Input

__all__ = ["figure", "money", "ratio"]


def money(pounds: float) -> str:
    """Say an amount: in millions from a million on, to three digits that count.

    Examples
    --------
    >>> money(668_539_002), money(-1_234_567), money(45_678.4), money(12.5), money(0)
    ('£669 million', '−£1.23 million', '£45,700', '£12.50', '£0')
    """
    if not math.isfinite(pounds):
        return "not defined"
    sign, size = ("−" if pounds < 0 else ""), abs(pounds)
    if size >= 999_500:
        return f"{sign}£{_three(size / 1e6)} million"
    if size >= 1000:
        return f"{sign}£{float(f'{size:.3g}'):,.0f}"
    return f"{sign}£{size:,.0f}" if size == int(size) or size >= 100 else f"{sign}£{size:,.2f}"


def ratio(value: float) -> str:
    """Say a ratio, to two decimals below ten.

    Examples
    --------
    >>> ratio(2.345), ratio(98.54), ratio(-0.4), ratio(-1234.5), ratio(float("inf"))
    ('2.35', '98.5', '−0.40', '−1,234.5', 'not defined')
    """
    if not math.isfinite(value):
        return "not defined"
    said = f"{abs(value):.2f}" if abs(value) < 10 else f"{abs(value):,.1f}"
    return f"−{said}" if round(value, 2) < 0 else said


def figure(value: float, of: Input) -> str:
    """Say a value of an input, with its unit where that is money or people.

    Examples
    --------
    >>> from commonweal.invest.appraisal.model import Input
    >>> from commonweal.invest.appraisal.uncertain import read_number
    >>> figure(0.0312, Input("a.b", "A", "share", read_number(0.1), 0, 1))
    '0.0312'
    """
    if of.unit.startswith("£"):
        return money(value)
    if not math.isfinite(value):
        return "not defined"
    sign, size = ("−" if value < 0 else ""), abs(value)
    return f"{sign}{size:,.0f}" if size >= 100 else f"{sign}{float(f'{size:.3g}'):g}"


def _three(size: float) -> str:
    """Give three digits that count."""
    digits = max(0, 2 - math.floor(math.log10(size))) if size > 0 else 0
    return f"{size:,.{digits}f}"
