"""Figures for the country in words, each with its year, its place and whether it was verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.document.numbers import amount
from commonweal.evidence import short_reference
from commonweal.social_capital import latest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from commonweal.evidence import Evidence
    from commonweal.social_capital import Figure, Framework, Headline

__all__ = ["NOT_VERIFIED", "figure_in_words", "framework_note", "national_in_words"]

NOT_VERIFIED = "not verified"


def framework_note(framework: Framework) -> str:
    """Say whether the list of a framework was verified, and what was checked.

    Examples
    --------
    >>> from commonweal.social_capital import load_framework
    >>> framework_note(load_framework("onward"))[:40]
    'This list of 5 threads is not verified. '
    """
    sure = "verified" if framework.verified else NOT_VERIFIED
    what = f"{len(framework.headlines)} {framework.kind}s"
    return f"This list of {what} is {sure}. {' '.join(framework.check.split())}"


def figure_in_words(figure: Figure, headline: Headline, evidence: Evidence) -> str:
    """Say a figure: how much, of whom, where, when, who says so, and whether it was verified.

    Parameters
    ----------
    figure, headline
        The figure, and the headline that it is of.
    evidence
        The library that has the work that states it.

    Raises
    ------
    UnknownNameError
        If the library lacks the work.

    Examples
    --------
    >>> from commonweal.social_capital import load_framework
    >>> from commonweal.evidence import load_evidence
    >>> ons, library = load_framework(), load_evidence()
    >>> for id_ in ("belongs", "trusts_government"):
    ...     print(figure_in_words(ons.headline(id_).published[0], ons.headline(id_), library))
    65 % of adults, England 2020/21 (Community Life Survey, DCMS 2021; verified)
    11 points down from autumn 2018 to autumn 2019, United Kingdom (ONS 2020; verified)
    """
    if figure.change is not None:
        way = "up" if figure.change > 0 else "down"
        much = f"{abs(figure.change):g} points {way} from {figure.since} to {figure.when}"
        return f"{much}{_of(figure)}, {figure.where} {_by(figure, evidence)}"
    level = _level(figure, figure.unit or headline.unit)
    return f"{level}{_of(figure)}, {_where(figure, evidence)}"


def national_in_words(figures: Iterable[Figure], headline: Headline, evidence: Evidence) -> str:
    """Say the newest figure of everyone, or of each group where there is none; '' if there is none.

    Examples
    --------
    >>> from commonweal.social_capital import load_framework
    >>> from commonweal.evidence import load_evidence
    >>> trust = load_framework().headline("neighbours_trusted")
    >>> print(national_in_words(trust.published[:2], trust, load_evidence()))  # doctest: +NORMALIZE_WHITESPACE
    78 % of adults in rural areas, 61 % in urban areas, United Kingdom 2011/12 (Understanding Society,
    ONS 2016; verified)
    """
    chosen = latest(figures)
    alike = {(f.where, f.when, f.unit, f.survey, f.verified) for f in chosen}
    if len(chosen) < 2 or len(alike) > 1 or chosen[0].value is None:
        return "; ".join(figure_in_words(f, headline, evidence) for f in chosen)
    unit = chosen[0].unit or headline.unit
    short = unit.split(" of ")[0] if unit.startswith("%") else unit
    told = [f"{_level(f, short if k else unit)}{_of(f)}" for k, f in enumerate(chosen)]
    return f"{', '.join(told)}, {_where(chosen[0], evidence)}"


def _level(figure: Figure, unit: str) -> str:
    assert figure.value is not None
    told = amount(figure.value, unit)
    if figure.low is None or figure.high is None:
        return told
    return f"{told} (95 % interval {figure.low:.3g} to {figure.high:.3g})"


def _of(figure: Figure) -> str:
    return f" {figure.group}" if figure.group else ""


def _where(figure: Figure, evidence: Evidence) -> str:
    return f"{figure.where} {figure.when} {_by(figure, evidence)}"


def _by(figure: Figure, evidence: Evidence) -> str:
    work = short_reference(evidence.work(figure.work), evidence) if figure.work else ""
    by = ", ".join(part for part in (figure.survey, work) if part)
    return f"({by}; {'verified' if figure.verified else NOT_VERIFIED})"
