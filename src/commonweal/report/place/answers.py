"""What each designation says of a place: the answer, how sure, the margins, what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.report.place.place import Answer, Change, Margin
from commonweal.report.place.say import change_text, condition_words, margin_text, sure_text
from commonweal.report.study.tables import knows_changes, label_of
from commonweal.report.study.what_matters import choices_of
from commonweal.study.names import index_label, rule_in_words

if TYPE_CHECKING:
    from commonweal.designation import Designation, Tested
    from commonweal.study.results import Results

__all__ = ["Answers"]


class Answers:
    """Answers for any area of a run, from what is worked out once."""

    def __init__(self, results: Results) -> None:
        self._of = [_OfDesignation(results, name) for name in results.designations]

    def at(self, row: int) -> tuple[Answer, ...]:
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
        self.choices = [] if self.matters is None else choices_of(results, self.matters)
        self.mover = None if self.matters is None else self.matters.mover
        self.labels = [index_label(results, t.condition.index) for t in d.tested]
        self.words = [condition_words(t.condition) for t in d.tested]
        self.change_labels = {p: index_label(results, p) for p in d.changes}

    def at(self, row: int) -> Answer:
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
            change = Change(path.replace("/", "."), label, int(now), int(then))
        draws = None if sure is None else sure.n_draws
        return Answer(
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

    def _margin(self, k: int, t: Tested, row: int) -> Margin:
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
