"""Puts together what is said of a place: `commonweal.report.place.place` is the value, this its maker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.numbers import FEWEST_PEOPLE
from commonweal.report.place.answers import Answers
from commonweal.report.place.cited import Cited
from commonweal.report.place.drivers import Drivers
from commonweal.report.place.nearby import Nearby
from commonweal.report.place.place import Other, Place, ShownIndicator
from commonweal.report.place.say import caveats, headline
from commonweal.report.place.standing import Standings, larger_of
from commonweal.report.study.extra import extra_line, extras
from commonweal.report.study.peers import N_PEERS, alike_by, peer_finder
from commonweal.report.study.social_capital import capital_finder
from commonweal.study.names import authority

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.study.results import Results


__all__ = [
    "Describing",
    "describe",
    "describer",
]

N_NEIGHBOURS = 6


class Describing:
    """Says what there is to say of any place of a run."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.standings = Standings(results)
        self.drivers = Drivers(results)
        self.answers = Answers(results)
        self.extras = extras(results)
        self.peers = peer_finder(results)
        self.alike_by = alike_by(results)
        self.nearby = Nearby(results.areas)
        self.cited = Cited(results)
        self.capital = capital_finder(
            results.study, results.areas, results.capital, results.national
        )
        example = self.capital(0) if len(results.areas) else None
        self.capital_works = self.cited.capital_works(example)  # the country's figures are the same
        table = results.areas.table
        first = authority(results)
        self._names = [name or code for code, name in table.select("code", "name").iter_rows()]
        unknown = [None] * len(table)
        self._where = table[f"{first}_name"].to_list() if first else unknown
        self._kind = table["rural_urban"].to_list() if "rural_urban" in table.columns else unknown
        self._people = results.areas.population
        self._points = table.select("longitude", "latitude").rows()
        self.selected = np.zeros(len(table), dtype=bool)
        for d in results.designations.values():
            self.selected |= d.selected

    def place(self, row: int) -> Place:
        """Describe one place by its row."""
        r, areas = self.results, self.results.areas
        peers = self.peers(row, N_PEERS)
        near, metres = self.nearby(row, N_NEIGHBOURS)
        standings = self.standings.at(row, peers)
        answers = self.answers.at(row)
        drivers, shown = self.drivers.at(row), self._shown(row)
        name, people = self._names[row], self._people[row]
        capital = self.capital(row)
        told = headline(name, areas.plural, standings, answers, self.cited.all_of(standings))
        lon, lat = self._points[row]
        return Place(
            code=areas.codes[row],
            name=name,
            kind=areas.singular,
            kinds=areas.plural,
            larger=larger_of(self.standings.groups, row),
            longitude=lon,
            latitude=lat,
            people=round(float(people)) if people >= FEWEST_PEOPLE else None,
            rural_urban=self._kind[row] or "",
            study=r.study.name,
            title=r.study.title,
            note=r.study.briefing.note,
            headline=told,
            answers=answers,
            standings=standings,
            drivers=drivers,
            near=Drivers.near(drivers),
            neighbours=self._others(near, metres),
            peers=self._others(peers),
            alike_by=self.alike_by,
            caveats=caveats(r, bool(people < FEWEST_PEOPLE)),
            sources=self.cited.notes(told, standings, (*drivers, *shown), capital),
            works=self.cited.works,
            capital=capital,
            capital_works=self.capital_works,
            shown=shown,
        )

    def _shown(self, row: int) -> tuple[ShownIndicator, ...]:
        found = []
        for one in self.extras:
            value, at = float(one.value[row]), one.rank[row]
            found.append(
                ShownIndicator(
                    one.about.name,
                    one.about.label,
                    None if np.isnan(value) else value,
                    one.about.unit,
                    None if np.isnan(at) else int(at),
                    one.of,
                    extra_line(one, row),
                    one.about.vintage,
                    " ".join(one.about.about.split()),
                    " ".join(one.about.note.split()),
                    tuple(one.about.source.split(", ")),
                )
            )
        return tuple(found)

    def _others(
        self, rows: NDArray[np.intp], metres: NDArray[np.float64] | None = None
    ) -> tuple[Other, ...]:
        found = []
        for k, row in enumerate(rows.tolist()):
            where = self._where[row] or ""
            away = None if metres is None else float(round(metres[k]))
            code = self.results.areas.codes[row]
            found.append(Other(code, self._names[row], where, bool(self.selected[row]), away))
        return tuple(found)


def describe(results: Results, row: int) -> Place:
    """Say what there is to say of one place.

    Parameters
    ----------
    results
        A run of a study.
    row
        Row of the place in ``results.areas``.

    Raises
    ------
    IndexError
        If there is no such row.
    """
    return describer(results)(row)


def describer(results: Results) -> Callable[[int], Place]:
    """Give `describe` of one run as a function of the row.

    What all places share (ranks, averages of larger areas, medians, what is near and alike) is
    worked out here, once; a place then takes a millisecond or two.
    """
    return Describing(results).place
