"""Every function that takes a table, given the tables that analysts have; and what it gives as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from commonweal.errors import DataError
from commonweal.index.correlate import correlate, pairwise_covariance
from commonweal.index.describe import describe, flags, iqr_outliers
from commonweal.index.importance import importance, to_importance
from commonweal.index.impute import impute_columns, impute_regression, impute_rows
from commonweal.index.multivariate import (
    components,
    components_by_group,
    cronbach,
    flag_denominators,
    flag_pairs,
    with_ancestors,
)
from commonweal.index.normalise import normalise
from commonweal.index.rank_tables import strengths
from commonweal.index.rates import denominate, match_units
from commonweal.index.review import review_data
from commonweal.index.screen import (
    available,
    available_by_group,
    screen_indicators,
    screen_units,
)
from commonweal.index.treat import changes, treat
from commonweal.toolbox.workbook import stage_table

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = [f"U{i:02}" for i in range(12)]
RNG = np.random.default_rng(7)
VALUES = RNG.lognormal(size=(12, 3)).round(3)
NAMES = ["pubs", "halls", "shops"]
PEOPLE = pl.DataFrame({"unit": UNITS, "people": RNG.integers(100, 200, 12)})
ALL = {"all": NAMES}

TAKES: dict[str, Callable[[Any], Any]] = {
    "describe": lambda x: describe(x).mean,
    "iqr_outliers": iqr_outliers,
    "correlate": lambda x: correlate(x).r,
    "correlate, others": lambda x: correlate(PEOPLE, x).r,
    "pairwise_covariance": pairwise_covariance,
    "components": lambda x: components(x).sd,
    "components_by_group": lambda x: components_by_group(x, None, ALL)["all"].sd,
    "cronbach": cronbach,
    "flag_pairs": lambda x: [p.first for p in flag_pairs(x, None, ALL, 0.0, 0.0)[0]],
    "flag_denominators": lambda x: [
        p.first for p in flag_denominators(x, None, PEOPLE, None, strong=0.0)
    ],
    "with_ancestors": lambda x: [p.r for p in with_ancestors(x, None, {"pubs": "shops"})],
    "screen_units": lambda x: screen_units(x, force={"U01": False}).kept,
    "screen_indicators": lambda x: screen_indicators(x, force={"halls": False}).kept,
    "available": available,
    "available_by_group": lambda x: available_by_group(x, None, ALL)["all"],
    "review_data": lambda x: [f.subject for f in review_data(x)],
    "denominate": lambda x: denominate(x, None, PEOPLE, None, {"pubs": "people"}),
    "match_units": lambda x: match_units(x, None, UNITS[::-1]),
    "importance": lambda x: importance(x, np.arange(12)),
    "impute_columns": lambda x: impute_columns(x).values,
    "impute_rows": lambda x: impute_rows(x, direction={"pubs": -1}).values,
    "impute_regression": lambda x: impute_regression(x).values,
    "treat": lambda x: treat(x, own={"pubs": {"winsorise": 1}}).values,
    "normalise": lambda x: normalise(x, each={"pubs": "z_score"}, directions={"halls": -1}),
    "stage_table": lambda x: stage_table(None, x).select(NAMES).to_numpy(),
    "strengths": lambda x: strengths(x, "U01")["name"].to_list(),
    "to_importance": lambda x: to_importance(x).weights,
}


def frame(**changed: list[Any]) -> dict[str, list[Any]]:
    return {"unit": UNITS, **dict(zip(NAMES, VALUES.T.tolist(), strict=True)), **changed}


@pytest.mark.parametrize("take", TAKES.values(), ids=TAKES)
def test_a_frame_of_any_library_gives_the_same(take: Callable[[Any], Any]) -> None:
    expected = take(pl.DataFrame(frame()))
    np.testing.assert_array_equal(take(pd.DataFrame(frame())), expected)
    np.testing.assert_array_equal(take(pd.DataFrame(frame()).set_index("unit")), expected)


@pytest.mark.parametrize("make", [pl.DataFrame, pd.DataFrame])
@pytest.mark.parametrize("take", TAKES.values(), ids=TAKES)
def test_text_and_infinities_are_refused_with_column_unit_and_value(
    take: Callable[[Any], Any], make: Any
) -> None:
    text = [*map(str, VALUES[:-1, 1]), "n/a"]
    with pytest.raises(DataError, match=rf"'halls', unit 'U00': '{text[0]}' found"):
        take(make(frame(halls=text)))
    with pytest.raises(DataError, match="'halls' has infinite values, the first in unit 'U11'"):
        take(make(frame(halls=[*VALUES[:-1, 1], np.inf])))


@pytest.mark.parametrize("take", TAKES.values(), ids=TAKES)
def test_a_name_and_a_code_are_there_once(take: Callable[[Any], Any]) -> None:
    twice = pd.DataFrame(VALUES[:, [0, 0, 1]], index=UNITS, columns=["pubs", "pubs", "halls"])
    with pytest.raises(DataError, match="'pubs' is there twice"):
        take(twice)
    with pytest.raises(DataError, match="'U00' is there twice"):
        take(pl.DataFrame(frame(unit=["U00", *UNITS[:-1]])))


@pytest.mark.parametrize("take", TAKES.values(), ids=TAKES)
def test_a_list_of_numbers_is_no_table(take: Callable[[Any], Any]) -> None:
    with pytest.raises(DataError, match="s in 1 dimensions; expected units x"):
        take(VALUES[:, 0])


# --- results as frames


def test_a_summary_and_its_flags_have_a_row_an_indicator() -> None:
    summary = describe(pl.DataFrame(frame(halls=[None] * 12)))
    table = summary.to_frame()
    assert table["indicator"].to_list() == NAMES
    assert table["mean"].to_list() == [
        pytest.approx(VALUES[:, 0].mean()),
        None,
        pytest.approx(VALUES[:, 2].mean()),
    ]
    assert table["n"].to_list() == [12, 0, 12]
    assert flags(summary).to_frame().columns[:2] == ["indicator", "available"]
    assert flags(summary).to_frame()["available"].to_list() == [False, True, False]


def test_correlations_have_a_row_a_pair() -> None:
    found = correlate(pl.DataFrame(frame()))
    assert found.to_frame().select("first", "second").rows() == [
        ("pubs", "halls"), ("pubs", "shops"), ("halls", "shops"),
    ]  # fmt: skip
    assert found.to_frame()["r"][1] == found.r[0, 2]
    with_people = correlate(pl.DataFrame(frame()), PEOPLE)
    assert with_people.to_frame().select("first", "second").rows() == [(n, "people") for n in NAMES]
    assert with_people.to_frame()["p"].to_list() == with_people.p[:, 0].tolist()


def test_tables_of_other_units_are_not_set_side_by_side() -> None:
    turned = PEOPLE[::-1]
    with pytest.raises(DataError, match="the codes of the two tables differ"):
        correlate(pl.DataFrame(frame()), turned)
    with pytest.raises(DataError, match="expected the same units"):
        denominate(pl.DataFrame(frame()), None, turned, None, {"pubs": "people"})
    matched = match_units(turned, None, UNITS)
    np.testing.assert_array_equal(matched[:, 0], PEOPLE["people"])


def test_a_screen_has_a_row_a_unit_and_is_forced_by_true_or_false_alone() -> None:
    table = screen_units(pl.DataFrame(frame())).to_frame()
    assert table.columns[0] == "name"
    assert table["kept"].to_list() == [True] * 12
    with pytest.raises(DataError, match="force of 'U01': 'yes' found; expected True or False"):
        screen_units(pl.DataFrame(frame()), force={"U01": "yes"})  # type: ignore[dict-item]
    with pytest.raises(DataError, match="no codes of the units"):
        screen_units(VALUES)


def test_what_was_filled_and_changed_is_told_by_code_and_name() -> None:
    holed = [None, *VALUES[1:, 1]]
    filled = impute_columns(pl.DataFrame(frame(halls=holed)), how="median")
    (median,) = filled.value
    assert filled.to_frame().rows() == [("U00", "halls", median, "median of units (n = 11)")]
    spiked = pl.DataFrame(frame(shops=[*VALUES[:-1, 2].tolist(), 1e6]))
    done = changes(treat(spiked, own=dict.fromkeys(["pubs", "halls"])))
    (row,) = done.to_frame().rows()
    assert (row[:3], row[4]) == (("U11", "shops", 1e6), "winsorised high")
    unnamed = impute_columns(np.array([[1.0], [np.nan]])).to_frame()
    assert unnamed.select("unit", "indicator").row(0) == ("row 2", "column 1")
    nothing = impute_columns(VALUES).to_frame()
    assert (nothing.height, nothing.schema["unit"]) == (0, pl.String)


def test_a_group_that_pandas_has_as_missing_is_filled_from_nothing() -> None:
    x = pd.DataFrame(VALUES, columns=NAMES).assign(pubs=[np.nan, *VALUES[1:, 0]])
    groups = pd.Series([np.nan, "a", "a", "b", np.nan, *["b"] * 7])
    filled = impute_columns(x, groups=groups)
    assert filled.n_left == 1
    assert not len(filled.value)
