"""How much, where, for whom: by hand, and as properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.errors import StudyError, UnknownNameError
from commonweal.report.session.spec import StateSpec
from commonweal.report.session.state import quantiles, state
from commonweal.report.session.state_text import describe_state, state_tables

if TYPE_CHECKING:
    from tests.conftest import Small

    from commonweal.study.results import Results


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    st.floats(0.01, 0.99),
)
def test_quantiles_of_equal_weights_are_numpys(values: list[float], at: float) -> None:
    found = quantiles(np.array(values), np.ones(len(values)), (at,))
    assert found[0] == np.quantile(values, at * (1 - 1e-12), method="inverted_cdf")


@given(
    st.lists(st.tuples(st.floats(0, 100), st.integers(0, 5)), min_size=1, max_size=20).filter(
        lambda rows: any(n for _, n in rows)
    )
)
def test_a_weight_is_that_many_people(rows: list[tuple[float, int]]) -> None:
    values, people = (np.array(x, dtype=float) for x in zip(*rows, strict=True))
    one_by_one = np.repeat(values, people.astype(int))
    assert (quantiles(values, people) == quantiles(one_by_one, np.ones(len(one_by_one)))).all()


def test_what_is_missing_counts_for_nothing() -> None:
    values, people = np.array([np.nan, 1.0, 2.0, 3.0]), np.array([1e9, 1.0, 1.0, np.nan])
    assert quantiles(values, people, (0.5, 1.0)).tolist() == [1.0, 2.0]
    assert np.isnan(quantiles(np.array([np.nan]), np.array([1.0]))).all()


def test_a_state_that_can_be_checked_by_hand(small: Small) -> None:
    """Twenty places: place k has 100 k people; income grows with k, so tenth 1 is A19 and A20."""
    found = state(small.run(), "community_needs", "deprivation")
    halls = found.measure("halls")
    # halls = 21 - k but 2 at A10 and 11 at A19. Of 21,000 people half live at 5 halls or fewer: at
    # 1 (A20: 2,000), 2 (A10: 1,000), 3, 4, 5, ... (A18: 1,800, A17, A16, A15: 10,500 - 3,000 = 7,500)
    assert (
        halls.of("all") == 7.0
    )  # 3,000 + 1,800 + 1,700 + 1,600 + 1,500 = 9,600; A14 (7) passes 10,500
    assert halls.of("most_deprived") == 1.0  # A20 has 2,000 of 3,900 people
    assert halls.of("most_deprived", "upper") == 11.0
    assert halls.of("least_deprived") == 19.0  # A02 has 200 of 300 people
    assert halls.of("northside", "areas") == 10
    with pytest.raises(UnknownNameError, match="did you mean 'northside'"):
        halls.of("northsid")
    lack = found.lack.frame.filter(pl.col("group") == "southside").row(0, named=True)
    # The worst tenth on halls are two places: A20 (1 hall) of the south and A10 (2) of the north.
    assert lack["community_needs"] == pytest.approx(2000 / sum(100 * k for k in range(11, 21)))
    assert (lack["selected"], lack["selected_people"]) == (3, 5500)


def test_people_who_are_not_all_known_are_told_as_unknown(small: Small) -> None:
    small.replace(small.areas, "A20,Place 20,2000,", "A20,Place 20,,")
    found = state(small.run(), "community_needs", "deprivation")
    told_of = describe_state(found, StateSpec(study="county"))
    assert told_of.summary[1].startswith("All 20 places: population not given.")
    assert (
        told_of.summary[0]
        == "3 of 20 places are on the list of “priority” places; population not given."
    )
    south = found.lack.frame.filter(pl.col("group") == "southside").row(0, named=True)
    assert south["community_needs"] == 0  # A20, the only one of the worst tenth, counts for nothing
    tables = {name: table for name, _, table in state_tables(found)}
    for table in tables.values():
        assert table.filter(pl.col("group") == "southside")["people"][0] is None
        assert table.filter(pl.col("group") == "northside")["people"][0] == 5500


def test_a_state_is_told_by_people(small: Small) -> None:
    results = small.run(small.write(areas__population=None))
    with pytest.raises(StudyError, match="its areas have no population"):
        state(results, "community_needs")


def test_groups_hold_every_area_once(demo: Results) -> None:
    found = state(demo, "community_needs", "deprivation")
    assert [g.key for g in found.groupings] == ["all", "deprivation", "district"]
    for grouping in found.groupings:
        assert (np.sum([g.rows for g in grouping.groups], axis=0) == 1).all()
    assert [g.label for g in found.groupings[1].groups][:2] == ["Most deprived 10%", "10% to 20%"]
    for measure in found.measures:
        frame = measure.frame
        assert (frame["lower"] <= frame["median"]).all()
        assert (frame["median"] <= frame["upper"]).all()
        for key in ("deprivation", "district"):
            assert frame.filter(pl.col("grouping") == key)["people"].sum() == pytest.approx(
                frame["people"][0]
            )
    assert {m.strand for m in found.measures} == set(found.lack.labels[1:])


def test_the_worst_tenth_holds_a_tenth_of_places_and_the_draws_are_near(demo: Results) -> None:
    found = state(demo, "community_needs", "deprivation").lack
    everyone = found.frame.row(0, named=True)
    for path in found.paths:
        assert 0.05 < everyone[path] < 0.15
    assert abs(everyone["in_draws"] - everyone["community_needs"]) < 0.03
    parts = found.frame.filter(pl.col("grouping") == "deprivation")
    again = (parts["community_needs"] * parts["people"]).sum() / parts["people"].sum()
    assert again == pytest.approx(everyone["community_needs"])
    assert parts["selected"].sum() == everyone["selected"]


def test_a_ratio_is_told_to_the_middle_of_all(demo: Results) -> None:
    """An indicator that is a logarithm: a constant shift of it, as counting other weeks gives, falls out."""
    name = "membership_rate"
    found = state(demo, "community_needs", ratios=[name])
    assert name not in [m.about.name for m in found.measures]
    (ratio,) = found.ratios
    assert ratio.of("all") == pytest.approx(1.0)
    k = [m.name for m in demo.indicators["community_needs"].meta].index(name)
    values = demo.indicators["community_needs"].values[:, k]
    middle = quantiles(values, demo.areas.population)[1]
    assert ratio.of("all", "upper") == pytest.approx(
        np.exp(quantiles(values, demo.areas.population)[2] - middle)
    )


def test_ranks_do_not_say_how_much(small: Small) -> None:
    with pytest.raises(
        StudyError,
        match="are ranks, which do not show how much; use a study whose indicators have units",
    ):
        state(small.run(small.write(indicators__halls__unit="rank")), "community_needs")


def test_names_that_are_not_there_are_told(small: Small) -> None:
    results = small.run()
    with pytest.raises(UnknownNameError, match="did you mean 'deprivation'"):
        state(results, "community_needs", "deprivaton")
    with pytest.raises(UnknownNameError, match="index 'comunity_needs' not found"):
        state(results, "comunity_needs")
    with pytest.raises(UnknownNameError, match="indicator 'hall' not found"):
        state(results, "community_needs", ratios=["hall"])
    with pytest.raises(StudyError, match="names no earlier study under 'since'"):
        state(results, "community_needs", since=[results])
    with pytest.raises(
        UnknownNameError, match="indicator 'hals' not found among those of the state"
    ):
        state(results, "community_needs").measure("hals")
