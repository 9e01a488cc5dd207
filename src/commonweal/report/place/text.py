"""The sentences about a place: the answer, how stable it is, ranks, cut-offs, what would change it, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.format import (
    FEWEST_EVENTS,
    FEWEST_PEOPLE,
    LIKELY,
    NOT_A_CHANCE,
    SURE,
    UNSURE,
    format_rank_margin,
    in_recalculations,
    list_name,
    ordinal,
    percent,
    stability,
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
from commonweal.report.study.sensitivity import (
    BIGGEST_FOR_AREA,
    NO_SOURCE_FOR_AREA,
    assumption_labels,
    recalculated,
)
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


UNTESTED = "We did not test how stable this result is."
STAYS = {
    "secure": "Its place on the list is secure.",
    "likely": "It is likely to stay on the list.",
    "borderline": "It is borderline: other assumptions can take it off the list.",
    "unlikely": "It is unlikely to stay on the list: most other assumptions take it off.",
}
JOINS = {
    "secure": "It is not on the list, but nearly all other assumptions put it there.",
    "likely": "It is not on the list, but most other assumptions put it there.",
    "borderline": "It is borderline: other assumptions can put it on the list.",
    "unlikely": "It is unlikely to join the list.",
}
SCALE = (
    f"Secure means on the list in at least {SURE:.0%} of recalculations, likely {LIKELY:.0%} to {SURE:.0%}, "
    f"borderline {UNSURE:.0%} to {LIKELY:.0%}, and unlikely less than {UNSURE:.0%}."
)
CHANGE = (
    "It would {join} the list if its rank {on} went from {now} to {then} and nothing else changed. No smaller "
    "change in one domain would do this."
)
NO_CHANGE = "No change in one domain alone would change the result."
CHANGE_UNKNOWN = "We cannot calculate what a change in one domain would do for this kind of index."


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
    'worst 10%'
    >>> condition_words(Condition(index="need", worst=30, within="lad24"))
    'worst 30 of its local authority'
    """
    if condition.worst is None:
        return f"group with a score above {condition.score_above:g}"
    share = condition.worst.share
    text = f"worst {f'{condition.worst.number:,}' if share is None else percent(share)}"
    return f"{text} of its {parent_words(condition.within)[0]}" if condition.within else text


def on_index(label: str) -> str:
    """Say on or for what a place ranks: ``for community needs``, ``on the Index of ...``."""
    what = in_running_text(label)
    return f"{'on' if what.startswith('the ') else 'for'} {what}"


def headline(
    name: str,
    kinds: str,
    standings: Iterable[PlaceRank],
    answers: Iterable[DesignationAnswer],
    sources: Mapping[str, tuple[str, ...]],
) -> tuple[Claim, ...]:
    """Give the answer and how stable it is, then each rank with its range."""
    told: list[Claim] = []
    asked: dict[str, Margin] = {}
    answers = tuple(answers)
    for a in answers:
        rest = _united(sources.get(m.index.split(".")[0], ()) for m in a.margins)
        told.append(Claim(f"{answer_text(name, kinds, a)} {a.recalculated_text}", rest))
        for m in a.margins:
            asked.setdefault(m.index, m)
    first = True
    for s in standings:
        if asked and not any(index.split(".")[0] == s.path for index in asked):
            continue
        told.append(Claim(_rank(s, asked.get(s.path), first, kinds), sources.get(s.path, ())))
        first = first and s.rank is None
    return tuple(told)


def answer_text(subject: str, kinds: str, a: DesignationAnswer) -> str:
    """Say whether a place is on a list, and whether it is close to the cut-off."""
    close = ""
    if a.near_miss or a.just_inside:
        close = f", just {'inside' if a.just_inside else 'outside'} the cut-off"
    return f"{subject} is {'' if a.selected else 'not '}on {list_name(a.label, kinds)}{close}."


def on_the_list(share: float) -> str:
    """Say how often a place was on the list when it was recalculated."""
    if share in (0, 1):
        return "It was on the list every time." if share else "It was never on the list."
    return f"It was on the list {in_recalculations(share)}."


def _rank(s: PlaceRank, m: Margin | None, first: bool, kinds: str) -> str:
    on = on_index(s.label)
    if s.rank is None:
        return f"It has no rank {on}: too little is known."
    about = "about " if s.low is None else ""
    of = f"{s.of:,} {kinds} {on} (1st is the greatest need)" if first else f"{s.of:,} {on}"
    text = f"It ranks {about}{ordinal(s.rank)} of {of}."
    if s.low is None or s.high is None:
        return text
    text += f" In 90% of recalculations it ranks {rank_range(s.low, s.high)}."
    if m is None or m.passes is None:
        return text
    if m.passes in (0, 1):
        return f"{text} {'Every' if m.passes else 'No'} recalculation puts it in the {m.condition}."
    return f"{text} It is in the {m.condition} {in_recalculations(m.passes)}."


def rank_range(low: float, high: float) -> str:
    """Say a range of ranks.

    Examples
    --------
    >>> rank_range(120, 480), rank_range(1, 1)
    ('between 120th and 480th', '1st')
    """
    return ordinal(low) if low == high else f"between {ordinal(low)} and {ordinal(high)}"


def change_text(selected: bool, change: RankChange | None, can_tell: bool) -> str:
    """Say which single change would change the result."""
    if change is None:
        return NO_CHANGE if can_tell else CHANGE_UNKNOWN
    return CHANGE.format(
        join="leave" if selected else "join",
        on=on_index(change.label),
        now=ordinal(change.now),
        then=ordinal(change.then),
    )


def sure_text(
    selected: bool, probability: float | None, asked: bool, mover: str, share: float | None
) -> str:
    """Say how stable a result is and, where that was asked, what most often changes it."""
    if probability is None:
        return UNTESTED
    text = (STAYS if selected else JOINS)[stability(probability)]
    if not asked:
        return text
    if share is None:
        return f"{text} {NO_SOURCE_FOR_AREA}"
    return f"{text} {BIGGEST_FOR_AREA.format(assumption=mover, share=percent(share))}"


def caveats(results: Results, few: bool) -> tuple[str, ...]:
    """Say what this does not show."""
    kind, kinds = results.areas.singular, results.areas.plural
    told = [
        f"Not everybody in a {kind} on the list is in need. Many people in need live elsewhere.",
        f"Close to the cut-off, {kinds} on the list and off it are much alike.",
        "The figures show where need is greatest. They do not show why, or what would help.",
        f"The figures are as old as their sources say. The {kind} may have changed since then.",
    ]
    if results.certainty:
        told.append(
            "The recalculations test our own assumptions. They do not find errors in the data."
        )
        told.append(NOT_A_CHANCE)
    else:
        told.append("We have not tested how much the ranks depend on our own assumptions.")
    if few:
        told.append(
            f"Fewer than {FEWEST_PEOPLE} people live here, so its own figures are not shown."
        )
    elif any(found.counts for found in results.indicators.values()):
        told.append(f"Rates made from fewer than {FEWEST_EVENTS} cases are not shown.")
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
        vary = () if self.sure is None else self.sure.settings.assumptions
        self.recalculated = "" if self.sure is None else recalculated(self.sure.n_draws, vary)
        self.choices = [] if self.matters is None else assumption_labels(results, self.matters)
        self.labels = [index_label(results, t.condition.index) for t in d.tested]
        self.words = [condition_words(t.condition) for t in d.tested]
        self.groups = [_groups(results, t.condition.within) for t in d.tested]
        self.change_labels = {p: index_label(results, p) for p in d.changes}

    def at(self, row: int) -> DesignationAnswer:
        d, sure = self.designation, self.sure
        selected = bool(d.selected[row])
        probability = None if sure is None else float(sure.selected[row])
        mover, share, asked = "", None, self.matters is not None
        if self.matters is not None and self.matters.mover[row] >= 0:
            k = int(self.matters.mover[row])
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
            sure_text(selected, probability, asked, mover, share),
            UNTESTED if probability is None else f"{self.recalculated} {on_the_list(probability)}",
        )

    def _margin_text(self, k: int, t: ConditionResult, row: int) -> str:
        label, words, inside = self.labels[k], self.words[k], bool(t.passes[row])
        group = self.groups[k]
        if np.isnan(t.rank[row]):
            within = t.condition.within
            if group is not None and group[row] is None and within:
                return f"{label}: in no {parent_words(within)[0]}, so it cannot be in the {words}."
            return f"{label}: no score, so it cannot be in the {words}."
        rank_in = f" ({ordinal(t.rank[row])} in {group[row]})" if group is not None else ""
        margin = format_rank_margin(t.places[row], t.level[row])
        return f"{label}: {'' if inside else 'not '}in the {words}{rank_in}, {margin}."

    def _margin(self, k: int, t: ConditionResult, row: int) -> Margin:
        known = not np.isnan(t.rank[row])
        places = int(t.places[row]) if known else None
        score = float(t.score[row]) if known and np.isfinite(t.score[row]) else None
        cut = int(t.cut[row]) if not np.isnan(t.cut[row]) else None
        passes = None if self.sure is None else float(self.sure.passes[k][1][row])
        return Margin(
            t.condition.index,
            self.labels[k],
            self.words[k],
            bool(t.passes[row]),
            places,
            score,
            cut,
            passes,
            self._margin_text(k, t, row),
        )


def _groups(results: Results, within: str | None) -> list[str | None] | None:
    """Name the group of each area that a condition ranks it in; None where it ranks all together."""
    if not within:
        return None
    return results.areas.table[
        within if within in results.areas.classes else f"{within}_name"
    ].to_list()


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
