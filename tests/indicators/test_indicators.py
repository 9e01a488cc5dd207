"""The matrix of indicators: what is checked at the door, direction, missing values."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.errors import DataError, UnknownNameError
from commonweal.indicators import Counts, Indicator, Indicators

CODES = ["A1", "A2", "A3"]
META = (
    Indicator("pubs", "Pubs", "per 1,000", "less", "made up"),
    Indicator("crime", "Crime", "rate", "more", "made up"),
)
VALUES = np.array([[1.0, 5.0], [np.nan, 6.0], [3.0, 7.0]])


def indicators(
    values: object = VALUES, codes: object = CODES, errors: object = None, meta: object = META
) -> Indicators:
    return Indicators("toy", codes, values, meta, errors)  # type: ignore[arg-type]


def test_need_is_turned_so_that_higher_is_more() -> None:
    np.testing.assert_array_equal(indicators().need("pubs"), [-1, np.nan, -3])
    np.testing.assert_array_equal(indicators().need("crime"), [5, 6, 7])


def test_missing_values_are_counted_and_shown_as_null() -> None:
    assert indicators().missing == {"pubs": 1, "crime": 0}
    assert indicators().to_frame().to_dict(as_series=False) == {
        "code": CODES, "pubs": [1.0, None, 3.0], "crime": [5.0, 6.0, 7.0]
    }  # fmt: skip


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match="indicator 'crimes' not found; did you mean 'crime'"
    ):
        indicators().need("crimes")


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinity_names_the_indicator_and_the_area(bad: float) -> None:
    values = VALUES.copy()
    values[2, 1] = bad
    with pytest.raises(DataError, match="crime: area A3 has an infinite value"):
        indicators(values)


@pytest.mark.parametrize("bad", [-0.1, np.inf])
def test_a_standard_error_below_zero_names_the_indicator_and_the_area(bad: float) -> None:
    errors = np.array([[np.nan, 0.0], [0.1, bad], [0.2, 0.3]])
    with pytest.raises(DataError, match="crime: area A2 has a negative or infinite standard error"):
        indicators(errors=errors)


def test_codes_that_are_there_twice() -> None:
    with pytest.raises(DataError, match="area A2 is there more than once"):
        indicators(codes=["A1", "A2", "A2"])


def test_they_are_found_in_a_country() -> None:
    codes = [f"A{i % 30_000}" for i in range(33_755)]
    with pytest.raises(DataError, match="areas A0, A1, A10 and 3,752 more are there"):
        indicators(np.zeros((33_755, 2)), codes)


def test_names_that_are_there_twice() -> None:
    with pytest.raises(DataError, match="indicator 'pubs' is there more than once"):
        indicators(meta=(META[0], META[0]))


def test_shapes() -> None:
    with pytest.raises(DataError, match=r"values have shape \(3, 2\); expected \(2, 2\)"):
        indicators(codes=["A1", "A2"])
    with pytest.raises(DataError, match=r"standard errors have shape \(3, 1\); expected \(3, 2\)"):
        indicators(errors=np.zeros((3, 1)))


def test_some_of_them_keep_their_counts() -> None:
    own = {"pubs": Counts(np.array([1.0, np.nan, 3.0]), np.full(3, 9.0))}
    both = Indicators("toy", CODES, VALUES, META, None, own)
    assert both.only(["pubs"]).counts == own
    assert both.only(["crime"]).counts == {}


def test_carried_to_other_areas_with_their_errors() -> None:
    """A1 (30 people) and A2 (10) make B1; A3 goes over whole; nothing leads to B3."""
    here, there = areas_of(CODES, [30.0, 10, 5]), areas_of(["B1", "B2", "B3"], [1.0, 1, 1])
    pairs = pl.DataFrame({"origin": CODES, "destination": ["B1", "B1", "B2"]})
    errors = np.array([[0.4, 2.0], [np.nan, 6.0], [0.1, 0.2]])
    found = indicators(errors=errors).moved(crosswalk_from_pairs(here, there, pairs))
    nan = np.nan
    np.testing.assert_allclose(found.values, [[1, 5.25], [3, 7], [nan, nan]])
    # Three quarters and a quarter: the root of 1.5 squared and 1.5 squared.
    # A2 has no value of pubs, so B1 has A1's and its error.
    expected = [[0.4, np.sqrt(2) * 1.5], [0.1, 0.2], [nan, nan]]
    np.testing.assert_allclose(found.standard_errors, expected)
    unsure = indicators(errors=np.array([[0.4, 2.0], [nan, nan], [0.1, 0.2]]))
    found = unsure.moved(crosswalk_from_pairs(here, there, pairs))
    np.testing.assert_allclose(found.standard_errors, [[0.4, nan], [0.1, 0.2], [nan, nan]])
    one = areas_of(["A1"], [1.0])
    elsewhere = crosswalk_from_pairs(one, one, pairs[:0])
    with pytest.raises(DataError, match="of 3 areas of toy; the move starts from 1 of toy"):
        indicators().moved(elsewhere)


def areas_of(codes: list[str], people: list[float]) -> Areas:
    table = pl.DataFrame({"code": codes, "name": codes, "population": people}).with_columns(
        longitude=pl.lit(None, pl.Float64), latitude=pl.lit(None, pl.Float64)
    )
    return Areas("toy", "Toy", "area", "areas", table, (), "made up")
