"""The sentences about a place: ranks, answers, margins, what would change them, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.format import (
    FEWEST_EVENTS,
    FEWEST_PEOPLE,
    SURE,
    UNSURE,
    format_count,
    ordinal,
    percent,
    tied,
)
from commonweal.evidence import cite, load_evidence
from commonweal.report.evidence import references
from commonweal.report.place.place import (
    Claim,
    DesignationAnswer,
    Margin,
    RankChange,
    SourceNote,
    WorkNote,
)
from commonweal.report.study.sensitivity import assumption_labels
from commonweal.report.study.tables import knows_changes, label_of
from commonweal.study.names import index_label, parent_words, rule_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from commonweal.designation import Condition, ConditionResult, Designation
    from commonweal.evidence import Citation
    from commonweal.report.place.place import (
        Driver,
        PlaceRank,
        ShownIndicator,
    )
    from commonweal.report.study.social_capital import SocialCapital
    from commonweal.study.results import Results


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


def rank_words(standing: PlaceRank) -> str:
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
    standings: Iterable[PlaceRank],
    answers: Iterable[DesignationAnswer],
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


def _answer(name: str, a: DesignationAnswer) -> str:
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
    ('in all runs', 'in none of the runs', 'in 93% of runs')
    """
    if share in (0, 1):
        return "in all runs" if share else "in none of the runs"
    return f"in {percent(share)} of runs"


def _rank(s: PlaceRank, m: Margin | None, first: bool, kinds: str) -> str:
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
    away, ties = format_count(n, "place", "places"), tied(n, level)
    if inside:
        return f"{start}: in the {words}, {away} inside the line{ties}."
    return f"{start}: not in the {words}, {away} outside the line{ties}."


def change_text(selected: bool, change: RankChange | None, can_tell: bool) -> str:
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


class Answers:
    """Answers for any area of a run, from what is worked out once."""

    def __init__(self, results: Results) -> None:
        self._of = [_OfDesignation(results, name) for name in results.designations]

    def at(self, row: int) -> tuple[DesignationAnswer, ...]:
        """Give the answers for one area, one a designation."""
        return tuple(d.at(row) for d in self._of)


class _OfDesignation:
    def __init__(self, results: Results, name: str) -> None:
        d = results.designations[name]
        self.designation: Designation = d
        self.name, self.label = name, label_of(results, name)
        self.rule = rule_in_words(results, name)
        self.least = d.least_change()
        self.can_tell = knows_changes(results, d)
        self.sure = results.certainty.get(name)
        self.matters = results.sensitivity.get(name)
        self.choices = [] if self.matters is None else assumption_labels(results, self.matters)
        self.mover = None if self.matters is None else self.matters.mover
        self.labels = [index_label(results, t.condition.index) for t in d.tested]
        self.words = [condition_words(t.condition) for t in d.tested]
        self.change_labels = {p: index_label(results, p) for p in d.changes}

    def at(self, row: int) -> DesignationAnswer:
        d, sure = self.designation, self.sure
        selected = bool(d.selected[row])
        probability = None if sure is None else float(sure.selected[row])
        mover, share = "", None
        if self.matters is not None and self.mover is not None and self.mover[row] >= 0:
            k = int(self.mover[row])
            mover, share = self.choices[k], float(self.matters.moves[k, row])
        path, now, then = (column[row] for column in self.least)
        change = None
        if path is not None:
            label = self.change_labels[path]
            change = RankChange(path.replace("/", "."), label, int(now), int(then))
        draws = None if sure is None else sure.n_draws
        return DesignationAnswer(
            self.name,
            self.label,
            self.rule,
            selected,
            bool(d.near_miss[row]),
            bool(d.just_inside[row]),
            probability,
            draws,
            mover,
            share,
            tuple(self._margin(k, t, row) for k, t in enumerate(d.tested)),
            change,
            change_text(selected, change, self.can_tell),
            sure_text(selected, probability, draws, mover, share),
        )

    def _margin(self, k: int, t: ConditionResult, row: int) -> Margin:
        known = not np.isnan(t.rank[row])
        places = int(t.places[row]) if known else None
        score = float(t.score[row]) if known and np.isfinite(t.score[row]) else None
        cut = int(t.cut[row]) if not np.isnan(t.cut[row]) else None
        passes = None if self.sure is None else float(self.sure.passes[k][1][row])
        inside = bool(t.passes[row])
        label, words = self.labels[k], self.words[k]
        return Margin(
            t.condition.index,
            label,
            words,
            inside,
            places,
            score,
            cut,
            passes,
            margin_text(label, words, inside, places, t.level[row]),
        )


class SourceNotes:
    """Looks sources up in the account of a run."""

    def __init__(self, results: Results) -> None:
        self.works = tuple(_note(r.citation) for r in references(results))
        self._known = {s["id"]: s for s in results.provenance.get("sources", ())}

    @staticmethod
    def all_of(standings: Iterable[PlaceRank]) -> dict[str, tuple[str, ...]]:
        """Give the sources of each index by its path."""
        return {s.path: s.sources for s in standings}

    def notes(
        self,
        headline: Iterable[Claim],
        standings: Iterable[PlaceRank],
        drivers: Iterable[Driver | ShownIndicator],
        capital: SocialCapital | None = None,
    ) -> tuple[SourceNote, ...]:
        """Give the sources numbered: those of the headline, of strands, of indicators, of social capital."""
        ids = [s for claim in headline for s in claim.sources]
        ids += [s for standing in standings for s in standing.sources]
        ids += [s for driver in drivers for s in driver.sources]
        ids += [s for h in capital.headlines for s in h.sources] if capital else []
        found = (self._known[i] for i in dict.fromkeys(ids) if i in self._known)
        return tuple(
            SourceNote(
                number,
                s["id"],
                s["title"],
                s["publisher"],
                s["vintage"],
                s["licence"],
                s["attribution"] or "",
                s["url"] or "",
                s["use"] == "open",
            )
            for number, s in enumerate(found, start=1)
        )

    @staticmethod
    def capital_works(capital: SocialCapital | None) -> tuple[WorkNote, ...]:
        """Give the works that figures for the country rest on, each once."""
        if capital is None:
            return ()
        library = load_evidence()
        ids = dict.fromkeys(id_ for h in capital.headlines for id_ in h.works)
        return tuple(_note(cite(id_, library)) for id_ in ids)


def _note(c: Citation) -> WorkNote:
    return WorkNote(c.id, c.short, c.full, c.link, c.checked)
