"""The sentences about a place: short, plain, and no firmer than what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.document.numbers import FEWEST_EVENTS, FEWEST_PEOPLE
from commonweal.document.words import SURE, UNSURE, counted, ordinal, percent, tied
from commonweal.report.place.place import Claim
from commonweal.study.names import parent_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from commonweal.designation import Condition
    from commonweal.report.place.place import Answer, Change, Margin, Standing
    from commonweal.study.results import Results

__all__ = [
    "caveats",
    "change_text",
    "condition_words",
    "headline",
    "in_running_text",
    "margin_text",
    "rank_words",
    "sure_text",
]

_SHARES = {0.05: "twentieth", 0.1: "tenth", 0.2: "fifth", 0.25: "quarter", 0.5: "half"}


def in_running_text(label: str) -> str:
    """Set a name into a sentence: with 'the' if it is an index, else small unless it is a proper name.

    Examples
    --------
    >>> in_running_text("Community needs"), in_running_text("Index of Multiple Deprivation 2019")
    ('community needs', 'the Index of Multiple Deprivation 2019')
    """
    if "Index" in label:
        return f"the {label}"
    words = label.split()
    proper = any(w[:1].isupper() for w in words[1:]) or words[0].isupper() if words else True
    return label if proper else label[:1].lower() + label[1:]


def condition_words(condition: Condition) -> str:
    """Say a condition without its index.

    Examples
    --------
    >>> from commonweal.designation import Condition
    >>> condition_words(Condition(index="need", worst="10%"))
    'worst tenth'
    >>> condition_words(Condition(index="need", worst=30, within="lad24"))
    'worst 30 of its local authority'
    """
    if condition.worst is None:
        return f"group with a score above {condition.score_above:g}"
    share = condition.worst.share
    how_many = (
        f"{condition.worst.number:,}" if share is None else _SHARES.get(share, percent(share))
    )
    text = f"worst {how_many}"
    return f"{text} of its {parent_words(condition.within)[0]}" if condition.within else text


def rank_words(standing: Standing) -> str:
    """Say a rank as an interval: ``between 120th and 480th of 33,755``; '' without a rank."""
    if standing.rank is None:
        return ""
    if standing.low is None or standing.high is None:
        return f"about {ordinal(standing.rank)} of {standing.of:,}"
    if standing.low == standing.high:
        return f"{ordinal(standing.low)} of {standing.of:,}"
    return f"between {ordinal(standing.low)} and {ordinal(standing.high)} of {standing.of:,}"


def headline(
    name: str,
    kinds: str,
    standings: Iterable[Standing],
    answers: Iterable[Answer],
    sources: Mapping[str, tuple[str, ...]],
) -> tuple[Claim, ...]:
    """Say the answer and how often it comes out, then each rank as an interval."""
    told: list[Claim] = []
    asked: dict[str, Margin] = {}
    answers = tuple(answers)
    for a in answers:
        rest = _united(sources.get(m.index.split(".")[0], ()) for m in a.margins)
        told.append(Claim(_answer(name, a), rest))
        for m in a.margins:
            asked.setdefault(m.index, m)
    first = True
    for s in standings:
        if asked and not any(index.split(".")[0] == s.path for index in asked):
            continue
        told.append(Claim(_rank(s, asked.get(s.path), first, kinds), sources.get(s.path, ())))
        first = first and s.rank is None
    return tuple(told)


def _answer(name: str, a: Answer) -> str:
    state = "counts" if a.selected else "does not count"
    hangs = ""
    if a.near_miss:
        hangs = ", but it is a near miss"
    elif a.just_inside:
        hangs = ", but only just"
    text = f"{name} {state} as “{a.label}”{hangs}."
    if a.probability is None or a.draws is None:
        return f"{text} How sure this is has not been worked out."
    return f"{text} {_runs(a.probability, a.draws)}"


def _runs(probability: float, draws: int) -> str:
    if probability == 1:
        return f"It is on the list in all {draws:,} runs of the sums."
    if probability == 0:
        return f"It is on the list in none of {draws:,} runs of the sums."
    return f"It is on the list in {percent(probability)} of {draws:,} runs of the sums."


def in_runs(share: float) -> str:
    """Say in what share of the runs.

    Examples
    --------
    >>> in_runs(1.0), in_runs(0.0), in_runs(0.934)
    ('in all runs', 'in none of the runs', 'in 93 % of runs')
    """
    if share in (0, 1):
        return "in all runs" if share else "in none of the runs"
    return f"in {percent(share)} of runs"


def _rank(s: Standing, m: Margin | None, first: bool, kinds: str) -> str:
    what = in_running_text(s.label)
    start = f"{'On' if what.startswith('the ') else 'For'} {what} it"
    if s.rank is None:
        return f"{start} has no rank, since too little is known."
    text = f"{start} ranks {rank_words(s)}"
    text += f" {kinds} (1st has the most need)" if first else ""
    if s.low is None:
        return f"{text}. How sure this is has not been worked out."
    if m is not None and m.passes is not None:
        text += f"; {in_runs(m.passes)} {'it is' if m.passes else 'is it'} in the {m.condition}"
    return f"{text}."


def margin_text(label: str, words: str, inside: bool, places: int | None, level: float = 1) -> str:
    """Say how far it is from a cut-off."""
    what = in_running_text(label)
    start = f"{'On' if what.startswith('the ') else 'For'} {what}"
    if places is None:
        return f"{start}: no rank, so it cannot be in the {words}."
    n = abs(places)
    away, ties = counted(n, "place", "places"), tied(n, level)
    if inside:
        return f"{start}: in the {words}, {away} inside the line{ties}."
    return f"{start}: not in the {words}, {away} outside the line{ties}."


def change_text(selected: bool, change: Change | None, can_tell: bool) -> str:
    """Say what single change would turn the answer."""
    if change is None:
        if not can_tell:
            return "What one change alone would do cannot be worked out for this kind of index."
        return "No single part of the index could change the answer on its own."
    verb = "leave the list" if selected else "join the list"
    return (
        f"The smallest change that would matter: it would {verb} if its rank for "
        f"{in_running_text(change.label)} went from about {ordinal(change.now)} to "
        f"{ordinal(change.then)}, with all else as it is."
    )


def sure_text(
    selected: bool,
    probability: float | None,
    draws: int | None,
    mover: str,
    share: float | None,
) -> str:
    """Say how sure an answer is, and what most often turns it."""
    if probability is None or draws is None:
        return "How sure this is has not been worked out: the study was run without draws."
    agree = probability if selected else 1 - probability
    if agree >= SURE:
        firm = "This answer is firm"
    elif agree > 1 - UNSURE:
        firm = "This answer is likely, but not firm"
    elif agree >= 0.5:
        firm = "This answer could go either way"
    else:
        firm = "This answer is weak: other fair choices mostly give the other one"
    text = f"{firm}. We ran the sums {draws:,} times, each time with other fair choices. "
    text += f"It was on the list in {percent(probability)} of the runs."
    if mover and share is not None:
        text += f" What turns the answer most often is {mover}: in {percent(share)} of tries."
    return text


def caveats(results: Results, few: bool) -> tuple[str, ...]:
    """Say what this does not show."""
    kind = results.areas.singular
    told = [
        f"A {kind} is not its people. Many people here will not be in need, and many people in need live "
        "elsewhere.",
        "The line has to be drawn somewhere. Places just on either side of it are much alike.",
        "The figures show where needs meet. They do not show why, or what would help.",
        "The figures are as old as their sources say. The place may have changed since then.",
        "The runs test our own choices. They do not test faults in the data.",
    ]
    if few:
        told.append(
            f"Fewer than {FEWEST_PEOPLE} people live here, so its own figures are not shown."
        )
    elif any(found.counts for found in results.indicators.values()):
        told.append(f"Rates made from fewer than {FEWEST_EVENTS} cases are not shown.")
    if not results.certainty:
        told[4] = "We have not tested how much the ranks depend on our own choices."
    return tuple(told)


def _united(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(s for part in parts for s in part))
