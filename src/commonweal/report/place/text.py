"""What is said of a place: which sentences, with which values; their wording is in ``report/words``, by language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.format import FEWEST_EVENTS, FEWEST_PEOPLE, LIKELY, SURE, UNSURE, stability
from commonweal.document.words import words
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
from commonweal.report.study.sensitivity import assumption_kinds, assumption_labels
from commonweal.report.study.tables import knows_changes, label_of
from commonweal.sources.catalogue import NOT_STATED
from commonweal.study.names import index_label, parent_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from commonweal.designation import Condition, Rule
    from commonweal.designation.rule import ConditionResult
    from commonweal.document.words import Words
    from commonweal.evidence import Citation
    from commonweal.report.place.place import Driver, PlaceRank, ShownIndicator
    from commonweal.report.study.social_capital import SocialCapital
    from commonweal.study.results import Results


def place_words(language: str = "en") -> Words:
    """Give the sentences about a place in a language."""
    return words("place", language, "commonweal.report")


def condition_words(say: Words, condition: Condition) -> str:
    """Say a condition without its index.

    >>> from commonweal.designation import Condition
    >>> condition_words(place_words(), Condition(index="need", worst="10%"))
    'worst 10%'
    >>> condition_words(place_words(), Condition(index="need", worst=30, within="lad24"))
    'worst 30 of its local authority'
    """
    worst, within = condition.worst, condition.within
    return say(
        "condition",
        worst=worst and worst.number,
        share=worst and worst.share,
        above=condition.score_above,
        within=say.term(parent_words(within)[0]) if within else "",
    )


def rule_words(say: Words, results: Results, rule: Rule) -> str:
    """Say a rule with the indices' own names."""
    if rule.condition is not None:
        c = rule.condition
        text = say(
            "rule_condition",
            worst=c.worst and c.worst.number,
            share=c.worst and c.worst.share,
            above=c.score_above,
            on=say.term(index_label(results, c.index)),
            within=say.term(parent_words(c.within)[0]) if c.within else "",
            built=bool(c.among),
        )
    elif rule.not_ is not None:
        text = say("rule_not", rule=rule_words(say, results, rule.not_))
    else:
        parts = [
            f"({part})" if r.all or r.any else part
            for r in (rule.all or rule.any or ())
            for part in [rule_words(say, results, r)]
        ]
        text = say("rule_all" if rule.all else "rule_any", rules=parts)
    if rule.at_most is None:
        return text
    within = say.term(parent_words(rule.at_most.within)[0])
    return say("rule_capped", rule=text, number=rule.at_most.number, within=within)


def scale(say: Words, renewed: bool = False, alone: bool = False) -> str:
    """Say from which share of recalculations, or certainty, on a place on the list is secure, likely or borderline."""
    return say("scale", secure=SURE, likely=LIKELY, borderline=UNSURE, renewed=renewed, alone=alone)


def headline(
    say: Words,
    name: str,
    kinds: str,
    standings: Iterable[PlaceRank],
    answers: Iterable[DesignationAnswer],
    sources: Mapping[str, tuple[str, ...]],
    outside: str = "",
) -> tuple[Claim, ...]:
    """Give the answer and how stable it is, that it lies outside what is listed, and each rank with its range."""
    told: list[Claim] = []
    asked: dict[str, Margin] = {}
    for a in answers:
        rest = _united(sources.get(m.index.split(".")[0], ()) for m in a.margins)
        told.append(Claim(f"{answer_text(say, name, kinds, a)} {a.recalculated_text}", rest))
        for m in a.margins:
            asked.setdefault(m.index, m)
    if outside:
        told.append(Claim(say("outside", name=name, listed=outside)))
    first = True
    for s in standings:
        if asked and not any(index.split(".")[0] == s.path for index in asked):
            continue
        told.append(Claim(_rank(say, s, asked.get(s.path), first, kinds), sources.get(s.path, ())))
        first = first and s.rank is None
    return tuple(told)


def answer_text(say: Words, subject: str, kinds: str, a: DesignationAnswer) -> str:
    """Say whether a place is on a list, and whether it is close to the cut-off."""
    close = "inside" if a.just_inside else "outside" if a.near_miss else ""
    listed = say("list_name", label=a.label, kinds=kinds)
    return say("answer", name=subject, listed=listed, selected=a.selected, close=close)


def _rank(say: Words, s: PlaceRank, m: Margin | None, first: bool, kinds: str) -> str:
    on = say("on_index", label=s.label)
    if s.rank is None:
        return say("no_rank", on=on)
    unsure = s.low is None
    text = say("rank", on=on, rank=s.rank, of=s.of, kinds=kinds, about=unsure, first=first)
    if s.low is None or s.high is None:
        return text
    text += " " + say("range", low=s.low, high=s.high)
    if m is None or m.passes is None:
        return text
    return f"{text} {say('passes', share=m.passes, condition=m.condition)}"


def change_text(say: Words, selected: bool, change: RankChange | None, can_tell: bool) -> str:
    """Say which single change would change the result."""
    if change is None:
        return say["no_change" if can_tell else "change_unknown"]
    on = say("on_index", label=change.label)
    return say("change", selected=selected, on=on, now=change.now, then=change.then)


def caveats(say: Words, results: Results, few: bool) -> tuple[str, ...]:
    """Say what this does not show."""
    kind, kinds = say.term(results.areas.singular), say.term(results.areas.plural)
    told = [
        say("not_everybody", kind=kind),
        say("much_alike", kinds=kinds),
        say("not_why"),
        say("as_old", kind=kind),
    ]
    if results.certainty:
        told += [say("own_assumptions"), say("not_a_chance")]
    else:
        told.append(say("not_tested"))
    if few:
        told.append(say("few_people", fewest=FEWEST_PEOPLE))
    elif any(found.counts for found in results.indicators.values()):
        told.append(say("few_cases", fewest=FEWEST_EVENTS))
    return tuple(told)


def _united(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(s for part in parts for s in part))


class Answers:
    """Answers for any area of a run, from what is worked out once."""

    def __init__(self, results: Results, say: Words) -> None:
        self._of = [_OfDesignation(results, name, say) for name in results.designations]

    def at(self, row: int) -> tuple[DesignationAnswer, ...]:
        """Give the answers for one area, one a designation."""
        return tuple(d.at(row) for d in self._of)


class _OfDesignation:
    def __init__(self, results: Results, name: str, say: Words) -> None:
        d = results.designations[name]
        self.say, self.designation = say, d
        self.name, self.label = name, say.term(label_of(results, name))
        self.rule = rule_words(say, results, d.rule)
        self.least = d.least_change()
        self.can_tell = knows_changes(results, d)
        self.sure = results.certainty.get(name)
        self.matters = results.sensitivity.get(name)
        self.recalculated = ""
        self.renewed = None if self.sure is None else self.sure.next_release
        if self.sure is not None:
            kinds = assumption_kinds(self.sure.settings.assumptions)
            self.recalculated = say("recalculated", times=self.sure.n_draws, kinds=kinds)
        self.choices: list[tuple[str, str]] = []
        if self.matters is not None:
            labels = assumption_labels(results, self.matters)
            kinds = [assumption_kinds([a])[0] for a in self.matters.settings.assumptions]
            self.choices = list(zip(labels, kinds, strict=True))
        self.labels = [say.term(index_label(results, t.condition.index)) for t in d.tested]
        self.words = [condition_words(say, t.condition) for t in d.tested]
        self.groups = [_groups(results, t.condition.within) for t in d.tested]
        self.change_labels = {p: say.term(index_label(results, p)) for p in d.changes}

    def at(self, row: int) -> DesignationAnswer:
        d, say = self.designation, self.say
        selected = bool(d.selected[row])
        share_of_draws = None if self.sure is None else float(self.sure.selected[row])
        certain = None if self.sure is None else _known(self.sure.overall[row])
        word = "" if certain is None else stability(certain)
        mover, share, sure_text = self._sure(row, selected, certain, word)
        path, now, then = (column[row] for column in self.least)
        change = None
        if path is not None:
            label = self.change_labels[path]
            change = RankChange(path.replace("/", "."), label, int(now), int(then))
        often = say["untested"]
        if share_of_draws is not None:
            often = f"{self.recalculated} {say('how_often', share=share_of_draws)}"
            if self.renewed is not None and certain is not None:
                often = f"{self._certain(word, selected, certain)} {often}"
        return DesignationAnswer(
            self.name,
            self.label,
            self.rule,
            selected,
            bool(d.near_miss[row]),
            bool(d.just_inside[row]),
            share_of_draws,
            None if self.sure is None else self.sure.n_draws,
            certain,
            word,
            None if self.renewed is None else _known(self.renewed[row]),
            mover,
            share,
            tuple(self._margin(k, t, row) for k, t in enumerate(d.tested)),
            change,
            change_text(say, selected, change, self.can_tell),
            sure_text,
            often,
        )

    def _sure(
        self, row: int, selected: bool, certain: float | None, word: str
    ) -> tuple[str, float | None, str]:
        """Give what most often changes the result, in what share, and how stable it is as sentences."""
        say = self.say
        mover, share, because = "", None, ""
        if self.matters is not None:
            because = say["no_mover"]
            k = int(self.matters.mover[row])
            if k >= 0:
                mover, share = self.matters.inputs[k], float(self.matters.moves[k, row])
                label, kind = self.choices[k]
                because = say("mover", label=label, kind=kind, share=share)
        if certain is None:
            return mover, share, "" if self.sure is not None else say["untested"]
        # With a next release, the word is said with how often the place was on the list.
        text = "" if self.renewed is not None else say("stability", word=word, selected=selected)
        return mover, share, f"{text} {because}".strip()

    def _certain(self, word: str, selected: bool, certain: float) -> str:
        return self.say("certain", word=word, selected=selected, share=certain)

    def _margin_text(self, k: int, t: ConditionResult, row: int) -> str:
        say, group = self.say, self.groups[k]
        label, condition = self.labels[k], self.words[k]
        if np.isnan(t.rank[row]):
            within = t.condition.within
            outside = group is not None and group[row] is None and within
            kind = say.term(parent_words(within)[0]) if outside and within else ""
            return say("margin_unknown", label=label, condition=condition, group=kind)
        others = int(t.level[row]) - 1
        return say(
            "margin",
            label=label,
            condition=condition,
            inside=bool(t.passes[row]),
            rank=t.rank[row],
            group="" if group is None else group[row],
            places=int(t.places[row]),
            others=0 if others < abs(t.places[row]) else others,
        )

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


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _groups(results: Results, within: str | None) -> list[str | None] | None:
    """Name the group of each area that a condition ranks it in; None where it ranks all together."""
    if not within:
        return None
    return results.areas.table[
        within if within in results.areas.classes else f"{within}_name"
    ].to_list()


class SourceNotes:
    """Looks sources up in the account of a run."""

    def __init__(self, results: Results, say: Words) -> None:
        self.say = say
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
        """Give the sources numbered: those of the headline, of domains, of indicators, of social capital."""
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
                self._text(s),
            )
            for number, s in enumerate(found, start=1)
        )

    def _text(self, source: Mapping[str, str]) -> str:
        stated = {k: "" if source[k] == NOT_STATED else source[k] for k in ("vintage", "licence")}
        return self.say("source", publisher=source["publisher"], **stated)

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
