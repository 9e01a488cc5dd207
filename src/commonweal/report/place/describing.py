"""Makes a `Place` from results, with the places most like it and those nearest to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from commonweal.access.distance import EARTH_RADIUS_M
from commonweal.document.format import FEWEST_PEOPLE, few_people, format_amount
from commonweal.index import rank
from commonweal.report.place.drivers import Drivers, PlaceRanks, larger_of
from commonweal.report.place.place import Other, Place, ShownIndicator
from commonweal.report.place.text import Answers, SourceNotes, caveats, headline, place_words
from commonweal.report.study.social_capital import capital_finder
from commonweal.report.study.tables import extras, label_of
from commonweal.study.names import authority, focus_name

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.index import Scores
    from commonweal.study.results import Results

    FindPeers: TypeAlias = "Callable[[int, int], NDArray[np.intp]]"


N_PEERS = 5


def peers(results: Results, row: int, n: int = N_PEERS) -> NDArray[np.intp]:
    """Find the areas most like one."""
    return peer_finder(results)(row, n)


def peer_finder(results: Results) -> FindPeers:
    """Give `peers` of one run as a function of the row and the number, for many areas."""
    features = [rank(s.need[path]) for s in _judged_by(results) for path in s.domains or [s.index]]
    residents = results.areas.population
    if not np.isnan(residents).all():
        features.append(rank(residents))
    x = np.column_stack(features) / len(results.areas)
    kinds = _kinds(results.areas.table)
    known = (~np.isnan(x)).astype(np.float64)
    x = np.nan_to_num(x)
    alike = {}
    for kind in np.unique(kinds).tolist():
        rows = np.flatnonzero(kinds == kind)
        alike[kind] = rows, x[rows], known[rows]

    def find(row: int, n: int) -> NDArray[np.intp]:
        rows, there, known_there = alike[int(kinds[row])]
        apart = (there - x[row]) * known_there * known[row]
        shared = known_there @ known[row]
        with np.errstate(invalid="ignore"):  # an area that shares no feature is no peer: 0 / 0
            distance = np.sqrt(np.einsum("ij,ij->i", apart, apart) / shared)
        distance[(rows == row) | (shared == 0)] = np.inf
        nearest = _smallest(distance, n)
        return rows[nearest[np.isfinite(distance[nearest])]]

    return find


def _kinds(table: pl.DataFrame) -> NDArray[np.intp]:
    """(n_areas,) number of the rural-urban class; the same for all where that is not known."""
    if "rural_urban" not in table.columns:
        return np.zeros(len(table), dtype=np.intp)
    classes = table["rural_urban"].to_list()
    number = {name: k for k, name in enumerate(dict.fromkeys(classes))}
    return np.array([number[name] for name in classes], dtype=np.intp)


def _smallest(distance: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Rows of the n smallest, in order, the first row of those that tie."""
    if n >= len(distance):
        return np.argsort(distance, kind="stable")[:n]
    near = np.flatnonzero(distance <= np.partition(distance, n - 1)[n - 1])
    return near[np.argsort(distance[near], kind="stable")][:n]


def alike_by(results: Results) -> list[str]:
    """Name in what peers are similar."""
    found = ["deprivation" if "deprivation" in results.scores else "need"]
    if "rural_urban" in results.areas.table.columns:
        found.append("setting")
    if not np.isnan(results.areas.population).all():
        found.append("population")
    return found


def _judged_by(results: Results) -> list[Scores]:
    found = [s for name, s in results.scores.items() if name == "deprivation"]
    return found or list(results.scores.values())


class Nearby:
    """Finds the places nearest to one."""

    def __init__(self, areas: Areas) -> None:
        lon, lat = (
            np.radians(areas.table[c].cast(float).fill_null(np.nan).to_numpy())
            for c in ("longitude", "latitude")
        )
        self._points = np.column_stack(
            [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
        )
        self._rows = np.flatnonzero(np.isfinite(self._points).all(axis=1))

    def __call__(self, row: int, n: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Give the rows of the n nearest others and the metres to each, the nearest first."""
        if not np.isfinite(self._points[row]).all():
            return np.zeros(0, dtype=np.intp), np.zeros(0)
        # A tree would find them sooner, and takes longer to load and to grow than a page takes.
        chord = np.linalg.norm(self._points[self._rows] - self._points[row], axis=1)
        farthest = np.partition(chord, min(n, len(chord) - 1))[: n + 1].max()
        at = np.flatnonzero(chord <= farthest)
        at = at[np.argsort(chord[at], kind="stable")]
        chord, rows = chord[at], self._rows[at]
        other = rows != row
        metres = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord[other] / 2, 1.0))
        return rows[other][:n], metres[:n]


N_NEIGHBOURS = 6


class PlaceDescriber:
    """Describes any place of a run."""

    def __init__(self, results: Results, language: str = "en") -> None:
        self.results = results
        self.say = place_words(language)
        self.standings = PlaceRanks(results, self.say)
        self.drivers = Drivers(results, self.say)
        self.answers = Answers(results, self.say)
        self.extras = extras(results)
        self.peers = peer_finder(results)
        self.alike_by = self.say("alike_in", things=alike_by(results))
        self.nearby = Nearby(results.areas)
        self.cited = SourceNotes(results, self.say)
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
        self.kind, self.kinds = (
            self.say.term(word) for word in (results.areas.singular, results.areas.plural)
        )
        self._focus, self._listed = results.focus, focus_name(results.study, results.areas)
        self.selected = np.zeros(len(table), dtype=bool)
        self._lists = []
        for key, d in results.designations.items():
            self.selected |= d.selected
            self._lists.append((self.say.term(label_of(results, key)), d.selected))

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
        of = self.cited.all_of(standings)
        outside = "" if self._focus[row] else self._listed
        told = headline(self.say, name, self.kinds, standings, answers, of, outside)
        lon, lat = self._points[row]
        return Place(
            code=areas.codes[row],
            name=name,
            kind=self.kind,
            kinds=self.kinds,
            larger=larger_of(self.standings.groups, row),
            longitude=lon,
            latitude=lat,
            people=None if np.isnan(people) or few_people(people) else round(float(people)),
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
            caveats=caveats(self.say, r, bool(people < FEWEST_PEOPLE)),
            sources=self.cited.notes(told, standings, (*drivers, *shown), capital),
            works=self.cited.works,
            capital=capital,
            capital_works=self.capital_works,
            shown=shown,
            language=self.say.language,
        )

    def _shown(self, row: int) -> tuple[ShownIndicator, ...]:
        found = []
        for one in self.extras:
            about, value = one.about, float(one.value[row])
            at = None if np.isnan(one.rank[row]) else int(one.rank[row])
            shown = format_amount(value, about.unit) or self.say["withheld"]
            label = self.say.term(about.label)
            found.append(
                ShownIndicator(
                    about.name,
                    label,
                    None if np.isnan(value) else value,
                    about.unit,
                    at,
                    one.of,
                    self.say("shown", label=label, value=shown, rank=at, of=one.of),
                    about.vintage,
                    " ".join(about.about.split()),
                    " ".join(about.note.split()),
                    tuple(about.source.split(", ")),
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
            lists = tuple(label for label, selected in self._lists if selected[row])
            several = lists if len(self._lists) > 1 else ()
            name, listed = self._names[row], bool(self.selected[row])
            found.append(Other(code, name, where, listed, away, several))
        return tuple(found)


def describe(results: Results, row: int, language: str = "en") -> Place:
    """Describe one place.

    Parameters
    ----------
    results
        A run of a study.
    row
        Row of the place in ``results.areas``.
    language
        Of its texts; names and labels stay those of the study, but for those in the language's glossary.

    Raises
    ------
    IndexError
        If there is no such row.
    """
    return describer(results, language)(row)


def describer(results: Results, language: str = "en") -> Callable[[int], Place]:
    """Give `describe` of one run as a function of the row.

    What all places share (ranks, averages of larger areas, medians, what is near and similar) is
    calculated here, once; a place then takes a millisecond or two.
    """
    return PlaceDescriber(results, language).place
