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
    """Another place: near it or like it.

    Attributes
    ----------
    code, name, where
        Its code and name, and the name of its authority ('' if unknown).
    selected
        Whether any designation of the study selects it.
    metres
        From point to point, as the crow flies; None for places that are alike.
    lists
        Labels of the designations that select it, where the study has several.
    """

    code: str
    name: str
    where: str
    selected: bool
    metres: float | None = None
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Average:
    """The average of a group of places.

    Attributes
    ----------
    group
        ``peers``, a parent system such as ``lad24`` or ``region``, or ``all``.
    label
        Its name for readers.
    worse_than
        Mean over its places of `Standing.worse_than`, 0..1.
    places
        How many places that is.
    """

    group: str
    label: str
    worse_than: float
    places: int


@dataclass(frozen=True, slots=True)
class ClassRank:
    """Where the place ranks on an index among the places of its class.

    Attributes
    ----------
    kind, name
        What the classification is called (``rural_urban``), and the class.
    rank, of, decile
        Rank (1 = greatest need), places of the class with a score, and 1 for its worst 10%.
    """

    kind: str
    name: str
    rank: int
    of: int
    decile: int


@dataclass(frozen=True, slots=True)
class PlaceRank:
    """Where the place ranks on an index or on one of its domains.

    Attributes
    ----------
    path, label
        Path of the node with dots, and its name for readers.
    rank, low, high
        Rank (1 = greatest need), and at 5% and 95% of the recalculations; None if unknown.
    of
        Places that have a score.
    decile
        1 = the worst 10%; None without a score.
    worse_than
        Share of the other places that have less need, 0..1 (those on a level count half).
    weight
        Share of its weight in its parent, 0..1; 1 for an index.
    averages
        Its peers, authority, region and all places.
    strands
        The children of an index, in the order of the study; empty for a strand.
    sources
        Ids of what it is made from.
    score
        Of an index; None for a domain, and without a score.
    contribution, share
        Of a domain: what it puts into the score of its index, and its share of it; None where unknown.
    text
        Of an index: its decile and its ranks in its classes, or why it has no score, as a sentence.
    classes
        Of an index: the same among the places of its classes.
    driver, driver_text
        Of an index: the path of the domain that adds most to its score, and the same as a sentence.
    trend, trend_text
        Of an index measured over years: score and rank by year, and how the place moved; None and '' for others.
    """

    path: str
    label: str
    rank: int | None
    low: int | None
    high: int | None
    of: int
    decile: int | None
    worse_than: float | None
    weight: float
    averages: tuple[Average, ...]
    strands: tuple[PlaceRank, ...]
    sources: tuple[str, ...]
    score: float | None = None
    contribution: float | None = None
    share: float | None = None
    text: str = ""
    classes: tuple[ClassRank, ...] = ()
    driver: str = ""
    driver_text: str = ""
    trend: dict[str, Any] | None = None
    trend_text: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    """One indicator, and what it puts into an index.

    Attributes
    ----------
    indicator, label, index, strand
        Its key, its name, and the names of the index and the strand that it is in.
    value, unit, text
        As measured; the text has both in words. The value is None where it is unknown, withheld,
        or a rank, which says no more than `worse_than`.
    usual, usual_text
        The same of the median.
    worse_than
        Share of the other places that have less need on it, 0..1.
    push
        Its share of the index's weight times how far `worse_than` is above the middle: positive
        raises need. Drivers are ordered by its size.
    withheld
        Whether the value is not shown since few people or events are behind it.
    vintage, about, why, note
        What it describes, for readers.
    sources
        Ids of its sources.
    cites
        Ids of the works that support `why`.
    """

    indicator: str
    label: str
    index: str
    strand: str
    value: float | None
    unit: str
    text: str
    usual: float | None
    usual_text: str
    worse_than: float | None
    push: float
    withheld: bool
    vintage: str
    about: str
    why: str
    note: str
    sources: tuple[str, ...]
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownIndicator:
    """An indicator that the study shows in no index (its key ``show``).

    Attributes
    ----------
    indicator, label
        Its key and its name.
    value, unit
        As measured; None where it is unknown or withheld.
    rank, of
        Its rank among the places with a value (1 = greatest need), and how many those are; None where unknown.
    text
        The same as a sentence.
    vintage, about, note, sources
        As of a `Driver`.
    """

    indicator: str
    label: str
    value: float | None
    unit: str
    rank: int | None
    of: int
    text: str
    vintage: str
    about: str
    note: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Margin:
    """How far the place is from one cut-off of a rule.

    Attributes
    ----------
    index, label
        The condition's index or domain, and its name.
    condition
        The condition in words: ``worst 10%``.
    inside
        Whether the place is inside the cut-off.
    places, score
        Places and points to it, negative outside; None where there is no score.
    cut
        How many places are inside it.
    passes
        Share of recalculations in which the condition holds; None without any.
    text
        The same as a sentence.
    """

    index: str
    label: str
    condition: str
    inside: bool
    places: int | None
    score: float | None
    cut: int | None
    passes: float | None
    text: str


@dataclass(frozen=True, slots=True)
class RankChange:
    """The single domain whose rank has to move least to change the answer, and from where to where."""

    path: str
    label: str
    now: int
    then: int


@dataclass(frozen=True, slots=True)
class DesignationAnswer:
    """The result of a designation for the place.

    Attributes
    ----------
    name, label, rule
        Its key, what a place on the list is called, and its rule in words.
    selected, near_miss, just_inside
        Whether it is on the list, just outside the cut-off, or just inside.
    share_of_draws, draws
        Share of the recalculations in which the place is on the list, and how many; None without any.
    certainty, word
        What `Certainty.overall` says of the place, and the word of the scale for it; None and '' without any.
    next_release
        The chance to be on the list when deprivation is measured anew and all else stays; None where not known.
    mover, mover_share
        The key of the biggest source of uncertainty, and the share of recalculations in which it
        changes the result; '' and None where none does or that was not asked.
    margins
        One a condition.
    change
        None where no single domain changes the result, or that cannot be calculated.
    change_text, sure_text, recalculated_text
        What would change it, how stable it is, and how often the list was recalculated and the place
        was on it, as sentences.
    """

    name: str
    label: str
    rule: str
    selected: bool
    near_miss: bool
    just_inside: bool
    share_of_draws: float | None
    draws: int | None
    certainty: float | None
    word: str
    next_release: float | None
    mover: str
    mover_share: float | None
    margins: tuple[Margin, ...]
    change: RankChange | None
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
    """A work that a claim rests on: short for the text, in full for a list.

    Attributes
    ----------
    id, short, full, link
        As in `commonweal.evidence.Citation`.
    checked
        Whether what the library of evidence says of it was checked.
    """

    id: str
    short: str
    full: str
    link: str
    checked: bool


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
        None or '' where unknown; people also where they are fewer than `FEWEST_PEOPLE`.
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
