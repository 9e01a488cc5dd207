"""The description of one place: a frozen value of plain fields that every page, file and address shows.

`describe` gives one place; `describer` calculates what all places share once, for many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from commonweal.report.study.social_capital import SocialCapital  # noqa: TC001  # the API reads it


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, and the ids of the sources that it rests on."""

    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Larger:
    """A larger area that the place lies in: its system's key, what such an area is called, code, name."""

    system: str
    kind: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another place: near it or like it."""

    # code, name, where: its code and name, and the name of its authority ('' if unknown)
    code: str
    name: str
    where: str
    selected: bool  # whether any designation of the study selects it
    # from point to point, as the crow flies; None for places that are alike
    metres: float | None = None
    # labels of the designations that select it, where the study has several
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Average:
    """The average of a group of places."""

    group: str  # ``peers``, a parent system such as ``lad24`` or ``region``, or ``all``
    label: str
    worse_than: float  # mean over its places of `Standing.worse_than`, 0..1
    places: int  # how many places that is


@dataclass(frozen=True, slots=True)
class ClassRank:
    """Where the place ranks on an index among the places of its class."""

    # kind, name: what the classification is called (``rural_urban``), and the class
    kind: str
    name: str
    # rank, of, decile: rank (1 = greatest need), places of the class with a score, and 1 for its worst 10%
    rank: int
    of: int
    decile: int


@dataclass(frozen=True, slots=True)
class PlaceRank:
    """Where the place ranks on an index or on one of its domains."""

    # path, label: path of the node with dots, and its name for readers
    path: str
    label: str
    # rank, low, high: rank (1 = greatest need), and at 5% and 95% of the recalculations; None if unknown
    rank: int | None
    low: int | None
    high: int | None
    of: int  # places that have a score
    decile: int | None  # 1 = the worst 10%; None without a score
    # share of the other places that have less need, 0..1 (those on a level count half)
    worse_than: float | None
    weight: float  # share of its weight in its parent, 0..1; 1 for an index
    averages: tuple[Average, ...]  # its peers, authority, region and all places
    # the children of an index, in the order of the study; empty for a domain
    domains: tuple[PlaceRank, ...]
    sources: tuple[str, ...]  # ids of what it is made from
    score: float | None = None  # of an index; None for a domain, and without a score
    # contribution, share: of a domain: what it puts into the score of its index, and its share of it; None where
    # unknown
    contribution: float | None = None
    share: float | None = None
    # of an index: its decile and its ranks in its classes, or why it has no score, as a sentence
    text: str = ""
    classes: tuple[ClassRank, ...] = ()  # of an index: the same among the places of its classes
    # driver, driver_text: of an index: the path of the domain that adds most to its score, and the same as a sentence
    driver: str = ""
    driver_text: str = ""
    # trend, trend_text: of an index measured over years: score and rank by year, and how the place moved; None and ''
    # for others
    trend: dict[str, Any] | None = None
    trend_text: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    """One indicator, and what it puts into an index."""

    # indicator, label, index, domain: its key, its name, and the names of the index and the domain that it is in
    indicator: str
    label: str
    index: str
    domain: str
    # value, unit, text: as measured; the text has both in words. The value is None where it is unknown, withheld, or a
    # rank, which says no more than `worse_than`.
    value: float | None
    unit: str
    text: str
    # usual, usual_text: the same of the median
    usual: float | None
    usual_text: str
    worse_than: float | None  # share of the other places that have less need on it, 0..1
    # its share of the index's weight times how far `worse_than` is above the middle: positive raises need. Drivers are
    # ordered by its size.
    push: float
    withheld: bool  # whether the value is not shown since few people or events are behind it
    # vintage, about, why, note: what it describes, for readers
    vintage: str
    about: str
    why: str
    note: str
    sources: tuple[str, ...]
    cites: tuple[str, ...]  # ids of the works that support `why`


@dataclass(frozen=True, slots=True)
class ShownIndicator:
    """An indicator that the study shows in no index (its key ``show``)."""

    # indicator, label: its key and its name
    indicator: str
    label: str
    # value, unit: as measured; None where it is unknown or withheld
    value: float | None
    unit: str
    # rank, of: its rank among the places with a value (1 = greatest need), and how many those are; None where unknown
    rank: int | None
    of: int
    text: str  # the same as a sentence
    # vintage, about, note, sources: as of a `Driver`
    vintage: str
    about: str
    note: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Margin:
    """How far the place is from one cut-off of a rule."""

    # index, label: the condition's index or domain, and its name
    index: str
    label: str
    condition: str  # the condition in words: ``worst 10%``
    inside: bool  # whether the place is inside the cut-off
    # places, score: places and points to it, negative outside; None where there is no score
    places: int | None
    score: float | None
    cut: int | None  # how many places are inside it
    passes: float | None  # share of recalculations in which the condition holds; None without any
    text: str  # the same as a sentence


@dataclass(frozen=True, slots=True)
class RankChange:
    """The single domain whose rank has to move least to change the answer, and from where to where."""

    path: str
    label: str
    now: int
    then: int


@dataclass(frozen=True, slots=True)
class DesignationAnswer:
    """The result of a designation for the place."""

    # name, label, rule: its key, what a place on the list is called, and its rule in words
    name: str
    label: str
    rule: str
    # selected, near_miss, just_inside: whether it is on the list, just outside the cut-off, or just inside
    selected: bool
    near_miss: bool
    just_inside: bool
    # share_of_draws, draws: share of the recalculations in which the place is on the list, and how many; None without
    # any
    share_of_draws: float | None
    draws: int | None
    # certainty, word: what `Certainty.overall` says of the place, and the word of the scale for it; None and ''
    # without any
    certainty: float | None
    word: str
    # the chance to be on the list when deprivation is measured anew and all else stays; None where not known
    next_release: float | None
    # mover, mover_share: the key of the biggest source of uncertainty, and the share of recalculations in which it
    # changes the result; '' and None where none does or that was not asked
    mover: str
    mover_share: float | None
    margins: tuple[Margin, ...]
    # none where no single domain changes the result, or that cannot be calculated
    change: RankChange | None
    # change_text, sure_text, recalculated_text: what would change it, how stable it is, and how often the list was
    # recalculated and the place was on it, as sentences
    change_text: str
    sure_text: str
    recalculated_text: str


@dataclass(frozen=True, slots=True)
class SourceNote:
    """A source of the description.

    `number` is what a note in the text refers to; `text` says who published it, its date and licence.
    """

    number: int
    id: str
    title: str
    publisher: str
    vintage: str
    licence: str
    attribution: str
    url: str
    open: bool
    text: str


@dataclass(frozen=True, slots=True)
class WorkNote:
    """A work that a claim rests on: short for the text, in full for a list."""

    # id, short, full, link: as in `commonweal.evidence.Citation`
    id: str
    short: str
    full: str
    link: str
    checked: bool  # whether what the library of evidence says of it was checked


@dataclass(frozen=True, slots=True)
class Place:
    """Everything that we say about one place.

    Attributes
    ----------
    code, name, kind, kinds
        The place, and what one and several such places are called.
    larger
        The larger areas it lies in, the authority first.
    longitude, latitude, people, rural_urban
        None or '' where unknown; people also where they are few (`few_people`).
    study, title, note
        Key and title of the study, and its own remark (such as that the county is fictional).
    headline
        Two or three sentences.
    answers
        One a designation.
    standings
        One an index, with its domains.
    drivers
        Of all indices that a designation asks about (of all if there is none), by size of `push`.
    near
        Indicators that are distances or times to a service, by label.
    neighbours, peers
        The nearest places, and the most similar ones; `alike_by` says in what.
    caveats
        What this does not show.
    sources
        Numbered in the order of the text.
    works
        Those that the study cites, for itself and for its indicators.
    capital
        Its social capital; None where the study does not cover it.
    capital_works
        The works behind its figures for the country.
    shown
        Indicators that the study shows in no index.
    language
        The language of its texts.
    """

    code: str
    name: str
    kind: str
    kinds: str
    larger: tuple[Larger, ...]
    longitude: float | None
    latitude: float | None
    people: int | None
    rural_urban: str
    study: str
    title: str
    note: str
    headline: tuple[Claim, ...]
    answers: tuple[DesignationAnswer, ...]
    standings: tuple[PlaceRank, ...]
    drivers: tuple[Driver, ...]
    near: tuple[Driver, ...]
    neighbours: tuple[Other, ...]
    peers: tuple[Other, ...]
    alike_by: str
    caveats: tuple[str, ...]
    sources: tuple[SourceNote, ...]
    works: tuple[WorkNote, ...]
    capital: SocialCapital | None = None
    capital_works: tuple[WorkNote, ...] = ()
    shown: tuple[ShownIndicator, ...] = ()
    language: str = "en"

    def to_dict(self) -> dict[str, Any]:
        """Give the same as plain data that JSON can hold."""
        found: dict[str, Any] = _plain(self)
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    names = getattr(value, "__dataclass_fields__", None)
    return value if names is None else {n: _plain(getattr(value, n)) for n in names}
