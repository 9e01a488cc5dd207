"""What is known of a place on one index besides its rank: contributions, classes, drivers, and how it moved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.index import decile
from commonweal.report.place.place import ClassRank
from commonweal.report.study.drivers import has_parts, top_contributors
from commonweal.report.study.tables import class_ranks, class_word
from commonweal.report.study.trends import trend_data
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.document.words import Words
    from commonweal.report.place.place import PlaceRank
    from commonweal.study.results import Results


class IndexDetails:
    """Adds to the rank of any area on one index, from what is worked out once."""

    def __init__(self, results: Results, index: str, say: Words) -> None:
        self.results, self.index, self.say = results, index, say
        self.scores = results.scores[index]
        self.classes = list(class_ranks(results, index))
        self.left_out = results.left_out(index)
        self.kind = say.term(results.areas.singular)
        self.kinds = say.term(results.areas.plural)
        self.tops = top_contributors(self.scores)
        self.leaves = top_contributors(self.scores, deep=True)
        self.contributions = {
            path.replace("/", "."): part for path, part in self.scores.contributions.items()
        }
        self.deciles: dict[str, NDArray[np.float64]] = {}
        self.parts = has_parts(self.scores)
        self.shares = self.scores.tree.aggregate != "geometric"

    def added(self, found: PlaceRank, row: int) -> PlaceRank:
        """Give the rank of one area with what else is known."""
        s, say = self.scores, self.say
        score = float(s.score[row])
        if np.isnan(score):
            why = self.left_out.get(self.results.areas.codes[row]) or ""
            text = say("no_score", label=found.label, kind=self.kind, why=why)
            return replace(found, text=text)
        put_in = {path: float(part[row]) for path, part in self.contributions.items()}
        total = float(np.nansum(list(put_in.values())))
        classes = tuple(
            ClassRank(
                c.kind, str(c.classes[row]), int(c.rank[row]), int(c.of[row]), int(c.decile[row])
            )
            for c in self.classes
            if not np.isnan(c.rank[row])
        )
        named = [
            {
                "kind": say.term(class_word(c.kind)),
                "kinds": self.kinds,
                "rank": c.rank,
                "of": c.of,
                "decile": c.decile,
            }
            for c in classes
        ]
        driver, driver_text = self._driver(row)
        return replace(
            found,
            score=score,
            domains=tuple(
                replace(
                    one,
                    contribution=_known(put_in.get(one.path)),
                    share=_known(put_in.get(one.path, np.nan) / total)
                    if total > 0 and self.shares
                    else None,
                )
                for one in found.domains
            ),
            text=say("compares", label=found.label, decile=found.decile, classes=named),
            classes=classes,
            driver=driver.replace("/", "."),
            driver_text=driver_text,
            **self._trend(found.label, row),
        )

    def _driver(self, row: int) -> tuple[str, str]:
        """Give the domain that adds most to the score, and the same as a sentence; '' where there are no domains."""
        path, leaf = self.tops[row], self.leaves[row]
        if not path or not self.parts:
            return path, ""
        inner = leaf if leaf not in ("", path) else ""
        text = self.say(
            "driver",
            domain=self.say.term(index_label(self.results, path)),
            tenth=self._tenth(path, row),
            indicator=self.say.term(index_label(self.results, inner)) if inner else "",
            indicator_tenth=self._tenth(inner, row) if inner else 0,
        )
        return path, text

    def _tenth(self, path: str, row: int) -> int:
        if path not in self.deciles:
            self.deciles[path] = decile(self.scores.rank_of(path))
        return int(self.deciles[path][row])

    def _trend(self, label: str, row: int) -> dict[str, Any]:
        found = self.results.trends.get(self.index)
        if found is None:
            return {}
        earlier, later = found.compared
        at = [found.scores.years.index(year) for year in found.compared]
        change = float(found.change[row])
        because = ""
        pushed = {
            path: float(points[row])
            for path, points in found.drivers.items()
            if path.count("/") == 1 and points[row] * change > 0
        }
        if pushed:
            most = max(pushed, key=lambda p: abs(pushed[p]))
            name = self.say.term(index_label(self.results, most))
            because = f"{name} ({pushed[most]:+.1f})"
        text = self.say(
            "trend",
            label=label,
            earlier=earlier,
            later=later,
            state=found.state[row],
            change=change,
            scores=found.scores.need()[at, row].tolist(),
            ranks=found.scores.rank()[at, row].tolist(),
            base=str(found.scores.base),
            because=because,
        )
        return {"trend": trend_data(self.results, self.index, row), "trend_text": f"{text}."}


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else value
