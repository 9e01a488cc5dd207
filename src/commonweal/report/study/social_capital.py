"""Social capital of one area: measured, modelled, or known for the country only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from commonweal.document.format import format_amount, is_suppressed, percent
from commonweal.evidence import load_evidence
from commonweal.evidence.cite import short_reference
from commonweal.social_capital import latest, load_framework

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.evidence import Evidence
    from commonweal.indicators import Indicators
    from commonweal.social_capital import Framework, NationalFigure
    from commonweal.social_capital.framework import Headline
    from commonweal.spec import Study
    from commonweal.spec.fields import HeadlineSpec

    Floats = NDArray[np.float64]


NOT_VERIFIED = "not verified"


def framework_note(framework: Framework) -> str:
    """Say whether the list of a framework was verified, and what was checked.

    >>> from commonweal.social_capital import load_framework
    >>> framework_note(load_framework("onward"))[:40]
    'This list of 5 threads is not verified. '
    """
    sure = "verified" if framework.verified else NOT_VERIFIED
    what = f"{len(framework.headlines)} {framework.kind}s"
    return f"This list of {what} is {sure}. {' '.join(framework.check.split())}"


def figure_in_words(figure: NationalFigure, headline: Headline, evidence: Evidence) -> str:
    """Say a figure: how much, of whom, where, when, who says so, and whether it was verified.

    >>> from commonweal.social_capital import load_framework
    >>> from commonweal.evidence import load_evidence
    >>> ons, library = load_framework(), load_evidence()
    >>> for id_ in ("belongs", "trusts_government"):
    ...     print(figure_in_words(ons.headline(id_).published[0], ons.headline(id_), library))
    65% of adults, England 2020/21 (Community Life Survey, DCMS 2021; verified)
    11 points down from autumn 2018 to autumn 2019, United Kingdom (ONS 2020; verified)
    """
    if figure.change is not None:
        way = "up" if figure.change > 0 else "down"
        much = f"{abs(figure.change):g} points {way} from {figure.since} to {figure.when}"
        return f"{much}{_of(figure)}, {figure.where} {_by(figure, evidence)}"
    level = _level(figure, figure.unit or headline.unit)
    return f"{level}{_of(figure)}, {_where(figure, evidence)}"


def national_in_words(
    figures: Iterable[NationalFigure], headline: Headline, evidence: Evidence
) -> str:
    """Say the newest figure of everyone, or of each group where there is none; '' if there is none.

    >>> from commonweal.social_capital import load_framework
    >>> from commonweal.evidence import load_evidence
    >>> trust = load_framework().headline("neighbours_trusted")
    >>> print(national_in_words(trust.published[:2], trust, load_evidence()))  # doctest: +NORMALIZE_WHITESPACE
    78% of adults in rural areas, 61% in urban areas, United Kingdom 2011/12 (Understanding Society,
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


def _level(figure: NationalFigure, unit: str) -> str:
    assert figure.value is not None
    told = format_amount(figure.value, unit)
    if figure.low is None or figure.high is None:
        return told
    return f"{told} (95% interval {figure.low:.3g} to {figure.high:.3g})"


def _of(figure: NationalFigure) -> str:
    return f" {figure.group}" if figure.group else ""


def _where(figure: NationalFigure, evidence: Evidence) -> str:
    return f"{figure.where} {figure.when} {_by(figure, evidence)}"


def _by(figure: NationalFigure, evidence: Evidence) -> str:
    work = short_reference(evidence.work(figure.work), evidence) if figure.work else ""
    by = ", ".join(part for part in (figure.survey, work) if part)
    return f"({by}; {'verified' if figure.verified else NOT_VERIFIED})"


_Number = TypeVar("_Number", float, "Floats")


State = Literal["measured", "modelled", "proxy", "national", "unknown"]

STATES: dict[State, str] = {
    "measured": "measured here",
    "modelled": "a modelled estimate",
    "proxy": "a stand-in",
    "national": "national figure only",
    "unknown": "no data",
}
"""Basis of a headline's value in words, the strongest first."""

_COUNTED: dict[State, tuple[str, str]] = {
    "measured": ("measured", "measured"),
    "modelled": ("modelled estimate", "modelled estimates"),
    "proxy": ("stand-in", "stand-ins"),
}

Z = 1.959963984540054
"""Half the width of a 95% interval in standard errors (normal)."""

_LOW = 0.1
"""Share of the others below which an area is called lower than most, not higher than few."""

NO_UNCERTAINTY = "no margin of error given"


@dataclass(frozen=True, slots=True)
class HeadlineHere:
    """One headline at one place."""

    # id, name, question, domain, survey: as in the framework; `domain` is its name
    id: str
    name: str
    question: str
    domain: str
    survey: str
    # state, state_text: the basis of its value, and the same in words
    state: State
    state_text: str
    # ``more`` if a higher value means more social capital, ``less`` if it means less
    more_is: Literal["more", "less"]
    # national, works: the newest figure for the country in words, with year and whether it was verified, and ids of
    # the works of the evidence library that state it
    national: str
    works: tuple[str, ...]
    # ids of the sources of the value, and of the figure for the country where one holds it
    sources: tuple[str, ...]
    # indicator, label: the indicator of the study that says it, and its name; '' if none does, and then all that
    # follows is empty
    indicator: str = ""
    label: str = ""
    # value, unit, text: as measured or modelled; the text has both. None where unknown or withheld.
    value: float | None = None
    unit: str = ""
    text: str = ""
    # low, high, interval: ends of its 95% interval, cut at what the unit can be, and in words; None and "no margin of
    # error given" where the indicator states no standard error
    low: float | None = None
    high: float | None = None
    interval: str = ""
    # higher_than, of: share of the other places with a value that it is higher than, 0..1 (those on a level count
    # half), and how many places have a value
    higher_than: float | None = None
    of: int = 0
    # share of the other places whose difference from here is within its 95% interval, errors taken as independent;
    # None without standard errors
    alike: float | None = None
    place: str = ""  # the last three in words
    # vintage, caution: its date, and a caution
    vintage: str = ""
    caution: str = ""
    # whether the value is not shown since few people or events are behind it
    withheld: bool = False

    @property
    def here(self) -> bool:
        """Whether the study has an indicator of it."""
        return bool(self.indicator)


@dataclass(frozen=True, slots=True)
class SocialCapital:
    """Social capital of one area."""

    framework: str  # name of the framework, and who publishes it
    # how many headlines are measured or modelled here, known for the country only, or without data
    summary: str
    note: str  # what of the framework was verified
    headlines: tuple[HeadlineHere, ...]  # every headline, in the order of the framework

    @property
    def here(self) -> tuple[HeadlineHere, ...]:
        """The headlines that the study has an indicator of."""
        return tuple(h for h in self.headlines if h.here)

    def in_state(self, *states: State) -> tuple[HeadlineHere, ...]:
        """Give the headlines in some states."""
        return tuple(h for h in self.headlines if h.state in states)


def capital_finder(
    study: Study,
    areas: Areas,
    capital: Indicators | None,
    national: Mapping[str, tuple[NationalFigure, ...]],
) -> Callable[[int], SocialCapital | None]:
    """Give a function that describes the social capital of an area by its row."""
    if capital is None:
        return _nothing
    framework, evidence = load_framework(), load_evidence()
    told = []
    for headline in framework.headlines.values():
        figures = latest(national.get(headline.id, ()))
        words = national_in_words(figures, headline, evidence)
        country = _Country(words, _once(f.work for f in figures), _once(f.source for f in figures))
        spec = study.social_capital.get(headline.id)
        told.append(_Told(headline, country, spec, areas, capital))
    names = {domain.id: domain.name for domain in framework.domains}

    def find(row: int) -> SocialCapital:
        headlines = tuple(t.at(row, names[t.headline.domain]) for t in told)
        return SocialCapital(
            f"{framework.name} ({framework.publisher})",
            _summary(headlines),
            framework_note(framework),
            headlines,
        )

    return find


@dataclass(frozen=True, slots=True)
class _Country:
    """A figure for the country in words, and ids of the works and sources that state it."""

    words: str
    works: tuple[str, ...]
    sources: tuple[str, ...]


def _once(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id_ for id_ in ids if id_))


def _nothing(row: int) -> None:  # noqa: ARG001  # called as the finder is
    return None


class _Told:
    """One headline over all places."""

    def __init__(
        self,
        headline: Headline,
        country: _Country,
        spec: HeadlineSpec | None,
        areas: Areas,
        capital: Indicators,
    ) -> None:
        self.headline, self.country, self.spec = headline, country, spec
        self.places = areas.plural
        if spec is None:
            return
        at = capital.column(spec.indicator)
        self.meta = capital.meta[at]
        self.values: Floats = capital.values[:, at]
        errors = capital.standard_errors
        self.errors: Floats | None = None if errors is None else errors[:, at]
        self.withheld = is_suppressed(areas.population, capital.counts.get(self.meta.name))

    def at(self, row: int, domain: str) -> HeadlineHere:
        """Give the headline for one area."""
        value = float("nan") if self.spec is None else float(self.values[row])
        if self.spec is None or np.isnan(value):
            return self._not_here(domain)
        meta, spec = self.meta, self.spec
        hidden = bool(self.withheld[row])
        error = float("nan") if self.errors is None else float(self.errors[row])
        ends = None
        if not (hidden or np.isnan(error)):
            low, high = interval(value, error, meta.unit)
            ends = float(low), float(high)
        others = np.delete(self.values, row)
        others = others[~np.isnan(others)]
        above = _share((others < value) + (others == value) / 2)
        alike = self._alike(row, value, error)
        return replace(
            self._not_here(domain),
            state=spec.how,
            state_text=STATES[spec.how],
            indicator=meta.name,
            label=meta.label,
            value=None if hidden else value,
            unit=meta.unit,
            text="too few people to show" if hidden else format_amount(value, meta.unit),
            low=ends and ends[0],
            high=ends and ends[1],
            interval="" if hidden else interval_in_words(ends, meta.unit),
            higher_than=None if hidden else above,
            of=len(others) + 1,
            alike=None if hidden else alike,
            place="" if hidden else self._place(above, alike, len(others)),
            vintage=meta.vintage,
            caution=" ".join(spec.caution.split()),
            withheld=hidden,
            sources=(*meta.source.split(", "), *self.country.sources),
        )

    def _not_here(self, domain: str) -> HeadlineHere:
        h = self.headline
        state: State = "national" if self.country.words else "unknown"
        return HeadlineHere(
            id=h.id,
            name=h.name,
            question=h.question,
            domain=domain,
            survey=h.survey,
            state=state,
            state_text=STATES[state],
            more_is=h.higher_is,
            national=self.country.words,
            works=self.country.works,
            sources=self.country.sources,
        )

    def _alike(self, row: int, value: float, error: float) -> float | None:
        """Share of the others whose difference from here is within its 95% interval."""
        if self.errors is None or np.isnan(error):
            return None
        apart = np.abs(np.delete(self.values, row) - value)
        both = np.sqrt(np.delete(self.errors, row) ** 2 + error**2)
        known = ~np.isnan(apart) & ~np.isnan(both)
        return _share(apart[known] <= Z * both[known])

    def _place(self, above: float | None, alike: float | None, others: int) -> str:
        if above is None:
            return ""
        told = (
            f"higher than in {percent(above)}"
            if above >= _LOW
            else f"lower than in {percent(1 - above)}"
        )
        told += f" of the other {others:,} {self.places}"
        if alike is None:
            return told
        return f"{told}; no clear difference from {percent(alike)} of them"


def _share(hits: NDArray[Any]) -> float | None:
    return float(hits.mean()) if hits.size else None


def interval(value: _Number, error: _Number, unit: str) -> tuple[_Number, _Number]:
    """Give the 95% interval of values from their standard errors (normal), cut at what the unit can be.

    ``%...`` ends at 0 and 100, ``share of ...`` at 0 and 1, ``per ...`` at 0.

    >>> float(interval(0.99, 0.02, "share of adults")[1])
    1.0
    """
    least, most = -np.inf, np.inf
    if unit.startswith("%"):
        least, most = 0.0, 100.0
    elif unit.startswith("share of "):
        least, most = 0.0, 1.0
    elif unit.startswith("per "):
        least = 0.0
    return np.maximum(value - Z * error, least), np.minimum(value + Z * error, most)


def interval_in_words(ends: tuple[float, float] | None, unit: str) -> str:
    """Write a 95% interval, or that no margin of error is given.

    >>> interval_in_words((0.304, 0.696), "share of adults"), interval_in_words(None, "%")
    ('95% interval 30.4 to 69.6', 'no margin of error given')
    """
    if ends is None:
        return NO_UNCERTAINTY
    scale = 100 if unit.startswith("share of ") else 1
    low, high = (format_amount(end * scale, "") for end in ends)
    return f"95% interval {low} to {high}"


def _summary(headlines: Sequence[HeadlineHere]) -> str:
    count = Counter(h.state for h in headlines)
    parts = [
        f"{count[state] or 'none'} {many if count[state] > 1 else one}"
        for state, (one, many) in _COUNTED.items()
        if count[state] or state == "measured"
    ]
    here = sum(count[state] for state in _COUNTED)
    whole = f"{len(headlines)} headline indicators of social capital"
    said = (
        f"We have {here} of {whole} here: {', '.join(parts)}."
        if here
        else f"We have none of {whole} here."
    )
    if count["national"]:
        said += f" {count['national']} more {'is' if count['national'] == 1 else 'are'} known for the country only."
    if count["unknown"]:
        said += f" {count['unknown']} {'has' if count['unknown'] == 1 else 'have'} no data."
    return said
