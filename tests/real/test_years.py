"""Years side by side on published files: bus trips of neighbourhoods, and two editions of the IMD."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaml

from commonweal.areas.areas import load_areas
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.index import exponential_of_rank, rank
from commonweal.index.rank import rank_among
from commonweal.indicators.read import read_column
from commonweal.spec.study import parse_study
from commonweal.study.run import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real

ENGLAND = {"country": "E92000001"}
TIMES = {
    "weekday": "runs_Wed_Midday",
    "morning": "runs_Wed_Morning Peak",
    "evening": "runs_Wed_Evening",
}
TRIPS = {2019: "transport-trips-lsoa11-2019", 2022: "transport-trips-lsoa11-2022"}


def ran(data: dict[str, object], store: Store) -> Results:
    text = yaml.safe_dump({"title": "Years", **data}, sort_keys=False)
    return run(parse_study(text, "years.yaml", "years", Path()), store, geometry=False)


@pytest.fixture(scope="module")
def areas(real_store: Store) -> Areas:
    return load_areas(real_store, "lsoa11", within=ENGLAND)


@pytest.fixture(scope="module")
def trips(real_store: Store, areas: Areas) -> dict[int, NDArray[np.float64]]:
    return {
        year: np.column_stack(
            [
                read_column(real_store, real_store.source(source), column, "", areas, name)[0]
                for name, column in TIMES.items()
            ]
        )
        for year, source in TRIPS.items()
    }


@pytest.fixture(scope="module")
def transport(real_store: Store) -> Results:
    how = {"transform": "percentile_rank", "aggregate": "arithmetic"}
    return ran(
        {
            "areas": "lsoa11",
            "where": ENGLAND,
            "panel": {"years": [2019, 2022], "base": 2019},
            "indicators": {
                name: {"source": TRIPS, "column": column, "higher_is": "less"}
                for name, column in TIMES.items()
            },
            "index": {
                "transport": {
                    **how,
                    "children": {
                        "day": {
                            "children": {n: {"indicator": n} for n in ("weekday", "morning")},
                            **how,
                        },
                        "evening": {"indicator": "evening"},
                    },
                }
            },
        },
        real_store,
    )


class TestTrips:
    """Buses and trains that call on Wednesdays, 2019 and 2022: one publisher, the same areas.

    Which weeks of the timetables were counted is not said, so what "data" holds may be that too.
    """

    def test_fewer_trips_are_more_need_whatever_became_of_others(
        self, transport: Results, trips: dict[int, NDArray[np.float64]]
    ) -> None:
        change = transport.trends["transport"].change
        gone, new = trips[2022] < trips[2019], trips[2022] > trips[2019]
        worse, better = gone.all(axis=1), new.all(axis=1)
        assert worse.sum() > 10_000
        assert better.sum() > 100
        assert (change[worse] >= 0).all()
        assert (change[better] <= 0).all()
        same = (trips[2022] == trips[2019]).all(axis=1)
        assert same.sum() > 10
        np.testing.assert_array_equal(change[same], 0)

    def test_published_year_by_year_the_loss_would_be_invisible(
        self, transport: Results, trips: dict[int, NDArray[np.float64]]
    ) -> None:
        """The mean percentile is 50 in every year; on the base of 2019 need has risen."""
        found = transport.trends["transport"]
        own = found.own["transport"]
        assert np.nanmedian(trips[2022] / np.maximum(trips[2019], 1)) < 0.9
        assert abs(np.nanmean(own.total)) < 0.5
        assert np.nanmean(found.change) > 2
        assert np.nanmean(own.parts["data"]) > 2
        assert np.nanmean(own.parts["base"]) < -2
        np.testing.assert_array_equal(own.parts["method"], 0)

    def test_parts_add_up_over_all_neighbourhoods(self, transport: Results) -> None:
        found = transport.trends["transport"]
        both = np.array(found.state) == "both"
        assert both.sum() > 32_000
        for path in ("transport", "transport/day"):
            own = found.own[path]
            np.testing.assert_allclose(sum(own.parts.values()), own.total, atol=1e-9)
        top = found.drivers["transport/day"] + found.drivers["transport/evening"]
        np.testing.assert_allclose(top[both], found.change[both], atol=1e-9)
        leaves = [found.drivers[f"transport/day/{name}"] for name in ("weekday", "morning")]
        np.testing.assert_allclose(sum(leaves), found.drivers["transport/day"], atol=1e-9)

    def test_the_base_year_is_ranked_as_it_is_alone(
        self, transport: Results, trips: dict[int, NDArray[np.float64]]
    ) -> None:
        scored = transport.trends["transport"].scores.of[2019]
        n = np.isfinite(trips[2019][:, 2]).sum()
        percentile = 100 * (n - rank(-trips[2019][:, 2], ties="average")) / (n - 1)
        np.testing.assert_allclose(scored.transformed["transport/evening"], percentile, rtol=1e-12)


LIVING = {
    "indoors": {2019: "Indoors_rank", 2025: "indoors_rank"},
    "outdoors": {2019: "Outdoors_rank", 2025: "outdoors_rank"},
}
DOMAINS = {
    "income": "Income_rank",
    "health": "Health_rank",
    "crime": "Crime_rank",
}
SUBDOMAINS = {2019: "imd2019-lsoa11-subdomains", 2025: "imd2025-lsoa21-subdomains"}
RANKS = {2019: "imd2019-lsoa11", 2025: "imd2025-lsoa21"}


def imd(indoors: float, outdoors: float) -> dict[str, object]:
    """Four domains of the seven; the two editions weigh the parts of the last one differently."""
    how = {"transform": "exponential", "aggregate": "sum"}
    living = {
        "indoors": {"indicator": "indoors", "weight": indoors},
        "outdoors": {"indicator": "outdoors", "weight": outdoors},
    }
    domains = {name: {"indicator": name, "weight": 0.2} for name in DOMAINS}
    return {**how, "children": {**domains, "living": {"weight": 0.1, "children": living, **how}}}


@pytest.fixture(scope="module")
def editions(real_store: Store) -> Results:
    read = {name: {"source": RANKS, "column": column} for name, column in DOMAINS.items()}
    read |= {name: {"source": SUBDOMAINS, "column": columns} for name, columns in LIVING.items()}
    return ran(
        {
            "areas": "lsoa21",
            "where": ENGLAND,
            "panel": {
                "years": [2019, 2025],
                "areas": {2019: "lsoa11"},
                "before": {"imd": imd(2 / 3, 1 / 3)},
            },
            "indicators": {name: {**of, "higher_is": "less"} for name, of in read.items()},
            "index": {"imd": imd(0.7, 0.3)},
        },
        real_store,
    )


@pytest.fixture(scope="module")
def inside(real_store: Store) -> dict[tuple[str, int], NDArray[np.float64]]:
    """Need indoors and outdoors of every neighbourhood of 2021, read and carried by hand."""
    here = load_areas(real_store, "lsoa21", within=ENGLAND)
    old = load_areas(real_store, "lsoa11", within=ENGLAND)
    move = build_crosswalk(real_store, old, here)
    found = {}
    for name, columns in LIVING.items():
        for year, on in ((2019, old), (2025, here)):
            source = real_store.source(SUBDOMAINS[year])
            ranks = read_column(real_store, source, columns[year], "", on, name)[0]
            found[name, year] = -(move.mean(ranks) if on is old else ranks)
    return found


class TestEditions:
    """IMD 2019 and 2025 on neighbourhoods of 2021, from published ranks.

    Not the same measure: income counts after housing costs in 2025, and crime, health and living
    environment have other indicators. All of that is in the part 'data': ranks are what is read.
    What is in 'method' is what the recipe states: 2/3 and 1/3 of living environment, .7 and .3 now.
    """

    def test_the_latest_edition_is_what_is_published(
        self, editions: Results, real_store: Store
    ) -> None:
        column = (real_store, real_store.source(RANKS[2025]), "Environment_rank", "")
        published = read_column(*column, editions.areas, "environment")[0]
        np.testing.assert_array_equal(editions.scores["imd"].rank_of("imd/living"), published)
        latest = editions.trends["imd"].scores.of[2025]
        np.testing.assert_array_equal(latest.score, editions.scores["imd"].score)

    def test_the_method_changed_in_one_domain_alone(self, editions: Results) -> None:
        own = editions.trends["imd"].own
        assert set(own) == {"imd", "imd/living"}
        method = own["imd/living"].parts["method"]
        assert np.abs(method).max() > 1
        for change in own.values():
            np.testing.assert_allclose(sum(change.parts.values()), change.total, atol=1e-9)
        # 35,000 places of change in weights of .03 are little beside six years of data.
        assert np.abs(method).mean() < 0.1 * np.abs(own["imd/living"].parts["data"]).mean()

    def test_the_part_of_the_method_by_hand(
        self, editions: Results, inside: dict[tuple[str, int], NDArray[np.float64]]
    ) -> None:
        """The weights moved by a thirtieth: of the lead of indoors over outdoors, on each base."""
        lead = {}
        for data in (2019, 2025):
            for base in (2019, 2025):
                entered = []
                for name in LIVING:
                    need, among = inside[name, data], inside[name, base]
                    ranks = rank_among(need, among, "average")
                    entered.append(exponential_of_rank(ranks, len(among)))
                lead[data, base] = entered[0] - entered[1]
        shapley = (lead[2019, 2019] + lead[2025, 2025]) / 3
        shapley += (lead[2019, 2025] + lead[2025, 2019]) / 6
        method = editions.trends["imd"].own["imd/living"].parts["method"]
        np.testing.assert_allclose(method, shapley / 30, atol=1e-9)

    def test_the_account_says_what_was_carried(self, editions: Results) -> None:
        step = next(s for s in editions.provenance["steps"] if s["step"] == "indicators imd")
        carried = [entry for entry in step["read"] if "from" in entry]
        assert [(c["year"], c["from"], c["split"]) for c in carried] == [(2019, "lsoa11", 1845)]
