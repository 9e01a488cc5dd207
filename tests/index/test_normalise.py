"""Normalisers: COINr's values on its own example, where ours differ and why, and what must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.normalise import NORMALISERS, normalise
from commonweal.index.rank import rank
from commonweal.index.rank_transforms import exponential, normal_score, percentile_rank
from commonweal.index.scales import (
    adjusted,
    adjusted_posts,
    distance_to_max,
    distance_to_reference,
    distance_to_target,
    fraction_of_max,
    goalposts,
    min_max,
    scaled,
    z_score,
)
from commonweal.index.treat import treat

from . import golden

if TYPE_CHECKING:
    from collections.abc import Callable

PARAMS = "in_asem_iMeta_params.csv"
FRACTION = (
    "differs: indicators with direction -1; COINr divides negated values by their maximum, which "
    "ranks them backwards; ours give 1 - x / max"
)
POSTS = (
    "differs: indicators with direction -1; COINr sets the posts on negated values, ours turn them "
    "with the indicator"
)
golden.CHECKED.update(
    {
        "norm_minmax_1_10.csv": "matched",
        "norm_minmax_iMeta.csv": "matched",
        "norm_zscore_0_1.csv": "matched",
        "norm_zscore_iMeta_50_10.csv": "matched",
        "norm_scaled_default.csv": POSTS,
        "norm_scaled_iMeta.csv": "matched",
        "norm_rank_average.csv": "matched",
        "norm_rank_max.csv": "matched",
        "norm_borda.csv": "matched",
        "norm_prank.csv": "matched",
        "norm_prank_average.csv": "matched",
        "norm_fracmax.csv": FRACTION,
        "norm_dist2targ_iMeta.csv": "matched",
        "norm_dist2ref_row1.csv": "differs: where the reference unit has the least value COINr "
        "gives infinities; ours is an error, or missing by choice",
        "norm_dist2ref_rowNA.csv": "differs: where the reference unit has the least value COINr "
        "gives infinities; ours is an error, or missing by choice",
        "norm_dist2max.csv": "matched",
        "norm_goalposts_iMeta_notrunc.csv": "matched",
        "norm_goalposts_global_0_100.csv": POSTS,
        "norm_indiv_specs.csv": "matched",
        "norm_q_df_no_directions.csv": "matched",
        "norm_treated_minmax.csv": "matched",
        "norm_treated_zscore.csv": "matched",
        "norm_treated_prank.csv": "matched",
        "norm_treated_fracmax.csv": FRACTION,
        "norm_treated_dist2max.csv": "matched",
        "example_Normalised.csv": "matched",
        "agg_input_cA.csv": "matched",
        "agg_input_cN.csv": "matched",
        "edge_vectors.csv": "differs: references and targets at the least value, as above; all "
        "else matched",
    }
)


def names() -> list[str]:
    return golden.columns(golden.RAW)


def directions() -> np.ndarray:
    its = golden.meta("Direction")
    return np.array([float(its[n]) for n in names()])


def parameter(column: str) -> np.ndarray:
    its = {row["iCode"]: row[column] for row in golden.rows(PARAMS)}
    numbers = {"TRUE": 1.0, "FALSE": 0.0}
    return np.array([numbers.get(its[n]) if its[n] in numbers else float(its[n]) for n in names()])


def raw() -> np.ndarray:
    return golden.matrix(golden.RAW, names())


def treated() -> np.ndarray:
    """The example with medians for what is missing, its outliers treated."""
    return treat(golden.matrix("impute_median.csv", names()), names()).values


def made(how: str, x: np.ndarray | None = None, **settings: Any) -> np.ndarray:
    values = raw() if x is None else x
    return normalise(values, how, directions=directions(), names=names(), **settings)


def theirs(file: str) -> np.ndarray:
    return golden.matrix(file, names())


@pytest.mark.parametrize(
    ("file", "how", "settings"),
    [
        ("minmax_1_10", "min_max", {"low": 1, "high": 10}),
        ("zscore_0_1", "z_score", {}),
        ("rank_average", "rank", {"ties": "average"}),
        ("rank_max", "rank", {"ties": "max"}),
        ("borda", "borda", {}),
        ("prank", "percentile_rank", {"ties": "min", "scale": 1}),
        ("prank_average", "percentile_rank", {"scale": 1}),
        ("dist2max", "distance_to_max", {}),
    ],
)
def test_methods_with_one_setting_are_coinrs(file: str, how: str, settings: dict[str, Any]) -> None:
    golden.agrees(made(how, **settings), theirs(f"norm_{file}.csv"))


@pytest.mark.parametrize(
    ("file", "how", "columns"),
    [
        ("minmax_iMeta", "min_max", {"low": "minmax_lower", "high": "minmax_upper"}),
        ("zscore_iMeta_50_10", "z_score", {"mean": "zscore_mean", "sd": "zscore_sd"}),
        (
            "goalposts_iMeta_notrunc",
            "goalposts",
            {"lower": "goalpost_lower", "upper": "goalpost_upper", "scale": "goalpost_scale"},
        ),
        ("dist2targ_iMeta", "distance_to_target", {"target": "Target", "cap": "dist2targ_cap_max"}),
    ],
)
def test_methods_with_settings_of_each_indicator_are_coinrs(
    file: str, how: str, columns: dict[str, str]
) -> None:
    own = {key: parameter(column) for key, column in columns.items()}
    if how == "goalposts":
        own["truncate"] = np.zeros(len(names()), dtype=bool)
    golden.agrees(made(how, **own), theirs(f"norm_{file}.csv"))


def test_one_method_for_most_and_others_for_some() -> None:
    each = {"Flights": {"how": "z_score", "mean": 10, "sd": 2}, "CO2": {"how": "none"}}
    golden.agrees(made("min_max", low=0, high=1, each=each), theirs("norm_indiv_specs.csv"))


@pytest.mark.parametrize(
    ("file", "how"),
    [("minmax", "min_max"), ("zscore", "z_score"), ("dist2max", "distance_to_max")],
)
def test_treated_data(file: str, how: str) -> None:
    golden.agrees(made(how, treated()), theirs(f"norm_treated_{file}.csv"))


def test_the_stages_that_later_files_start_from() -> None:
    example = golden.matrix("example_Treated.csv", names())
    golden.agrees(made("min_max", example), theirs("example_Normalised.csv"))
    golden.agrees(made("min_max", treated(), low=1, high=100), theirs("agg_input_cA.csv"))
    golden.agrees(made("min_max", low=1, high=100), theirs("agg_input_cN.csv"))


def test_treated_percentile_ranks() -> None:
    ours = made("percentile_rank", treated(), ties="min", scale=1)
    golden.agrees(ours, theirs("norm_treated_prank.csv"))


def test_without_directions_and_in_any_order() -> None:
    x = golden.matrix("in_asem_iData.csv", names())
    expected = golden.matrix("norm_q_df_no_directions.csv", names())
    golden.agrees(normalise(x), expected)


def test_scaled_turns_its_ends_with_the_indicator() -> None:
    ends = {"lower": parameter("scaled_lower"), "upper": parameter("scaled_upper")}
    golden.agrees(made("scaled", **ends, factor=10), theirs("norm_scaled_iMeta.csv"))


def test_scaled_turns_ends_that_are_given_for_all() -> None:
    up, expected = directions() > 0, theirs("norm_scaled_default.csv")
    ours = made("scaled", lower=0, upper=100, factor=100)
    golden.agrees(ours[:, up], expected[:, up])
    # Theirs leaves 0 to 100 as they are on negated values, so that scores are negative.
    golden.agrees(expected[:, ~up], -raw()[:, ~up])
    golden.agrees(ours[:, ~up], 100 - raw()[:, ~up])


def test_goalposts_given_for_all_turn_with_the_indicator() -> None:
    up, expected = directions() > 0, theirs("norm_goalposts_global_0_100.csv")
    ours = made("goalposts", lower=0, upper=100)
    golden.agrees(ours[:, up], expected[:, up])
    # Theirs cut every value of an indicator that counts downwards to 0, but for raw zeros.
    assert np.nanmax(expected[:, ~up]) == 0
    x = raw()[:, ~up]
    golden.agrees(ours[:, ~up], np.clip((100 - x) / 100, 0, 1))


@pytest.mark.parametrize(
    ("file", "data"), [("norm_fracmax.csv", raw), ("norm_treated_fracmax.csv", treated)]
)
def test_fraction_of_max_ranks_downward_indicators_the_right_way(
    file: str, data: Callable[[], np.ndarray]
) -> None:
    x = data()
    ours, expected, up = made("fraction_of_max", x), theirs(file), directions() > 0
    golden.agrees(ours[:, up], expected[:, up])
    golden.agrees(ours[:, ~up], (1 - x / np.nanmax(x, axis=0))[:, ~up])
    for j in np.flatnonzero(~up):
        np.testing.assert_array_equal(rank(ours[:, j].round(9)), rank(-x[:, j].round(7)))
        # In theirs the unit with the most, which is the worst, never comes last.
        assert rank(expected[:, j])[np.nanargmax(x[:, j])] < np.count_nonzero(~np.isnan(x[:, j]))


@pytest.mark.parametrize(("file", "unit"), [("row1", 0), ("rowNA", 5)])
def test_distance_to_a_reference_unit(file: str, unit: int) -> None:
    expected, x = theirs(f"norm_dist2ref_{file}.csv"), raw()
    ours = made("distance_to_reference", unit=unit, constant="nan")
    least = (x * directions() == np.nanmin(x * directions(), axis=0))[unit]
    golden.agrees(ours[:, ~least], expected[:, ~least])
    assert least.any()
    assert np.isnan(ours[:, least]).all()
    assert not np.isfinite(expected[:, least][unit]).any()
    with pytest.raises(DataError, match=r"distance to a reference|has no value"):
        made("distance_to_reference", unit=unit)


EDGE: dict[str, tuple[str, dict[str, Any]]] = {
    "n_minmax": ("min_max", {"constant": "nan"}),
    "n_minmax_0_1": ("min_max", {"low": 0, "high": 1, "constant": "nan"}),
    "n_zscore": ("z_score", {"constant": "nan"}),
    "n_scaled": ("scaled", {"lower": 0, "upper": 10}),
    "n_rank": ("rank", {}),
    "n_rank_avg": ("rank", {"ties": "average"}),
    "n_borda": ("borda", {}),
    "n_prank": ("percentile_rank", {"ties": "min", "scale": 1}),
    "n_fracmax": ("fraction_of_max", {"constant": "nan"}),
    "n_dist2max": ("distance_to_max", {"constant": "nan"}),
    "n_dist2ref_2": ("distance_to_reference", {"unit": 1, "constant": "nan"}),
    "n_dist2targ_5": ("distance_to_target", {"target": 5, "constant": "nan"}),
    "n_dist2targ_5_cap": ("distance_to_target", {"target": 5, "cap": True, "constant": "nan"}),
    "n_dist2targ_1_neg": ("distance_to_target", {"target": 1, "constant": "nan", "turned": True}),
    "n_goalposts": ("goalposts", {"lower": 0, "upper": 5, "scale": 10}),
    "n_goalposts_neg": ("goalposts", {"lower": 0, "upper": 5, "scale": 10, "turned": True}),
    "n_goalposts_notrunc": ("goalposts", {"lower": 0, "upper": 5, "scale": 10, "truncate": False}),
}


@pytest.mark.parametrize("function", EDGE)
def test_small_vectors(function: str) -> None:
    """Gaps, ties, constants, a single value and none: as COINr, or missing for a chosen reason."""
    cases: dict[str, list[tuple[float, float]]] = {}
    missing = {"NA": "nan", "NaN": "nan", "Inf": "inf", "-Inf": "-inf"}
    for row in golden.rows("edge_vectors.csv"):
        if row["fun"] == function:
            x, y = (float(missing.get(row[c], row[c])) for c in "xy")
            cases.setdefault(row["case"], []).append((x, y))
    how, given_settings = EDGE[function]
    own = dict(given_settings)
    sign = -1 if own.pop("turned", False) else 1
    assert len(cases) >= 8
    for case, pairs in cases.items():
        x, y = np.array(pairs).T
        ours = normalise(x[:, None], how, directions=sign, **own)[:, 0]
        at = x[1] if how == "distance_to_reference" else own.get("target", np.nan) * sign
        least = np.nan if np.isnan(x).all() else np.nanmin(x * sign)
        if how.startswith("distance_to_") and how != "distance_to_max" and at <= least:
            assert np.isnan(ours).all(), case
        else:
            golden.agrees(ours, y)


def test_exponential_and_normal_scores() -> None:
    x = np.random.default_rng(1).normal(size=99)
    x[3], x[5] = np.nan, x[6]
    share = (100 - 1 - rank(x, "average")) / 98
    expected = -23 * np.log(1 - share * (1 - np.exp(-100 / 23)))
    np.testing.assert_allclose(exponential(x), expected, rtol=1e-12)
    np.testing.assert_allclose(normal_score([5.0, 1.0, 3.0]), norm.ppf([2.5 / 3, 0.5 / 3, 0.5]))
    blom = normal_score([5.0, 1.0, 3.0], formula="blom")
    np.testing.assert_allclose(blom, norm.ppf(np.array([2.625, 0.625, 1.625]) / 3.25))


def test_adjusted_posts_put_the_reference_at_100() -> None:
    x = np.array([3.0, 5.0, 11.0])
    lower, upper = adjusted_posts(x, middle=5.0)
    scores = 70 + goalposts([5.0], lower, upper, 60, truncate=False)
    assert scores[0] == pytest.approx(100)
    assert upper - lower == pytest.approx(8.0)


def test_without_an_average_the_middle_scores_100() -> None:
    assert adjusted_posts([3.0, 5.0, 11.0]) == (3, 11)
    np.testing.assert_allclose(adjusted([3.0, 7.0, 11.0]), [70, 100, 130])
    np.testing.assert_allclose(adjusted([7.0], reference=[3.0, 11.0, 5.0]), [100])


@pytest.mark.parametrize("function", [min_max, z_score])
def test_a_constant_is_an_error_or_missing_never_a_number(function: Any) -> None:
    with pytest.raises(DataError, match="constant"):
        function([0.1, 0.1, 0.1])
    assert np.isnan(function([0.1, 0.1, np.nan], constant="nan")).all()
    assert np.isnan(function([np.nan, np.nan])).all()
    with pytest.raises(DataError, match="maximum of 0"):
        fraction_of_max([0.0, 0.0])


def test_errors_name_the_indicator() -> None:
    x = np.array([[1.0, 2.0], [3.0, 2.0]])
    with pytest.raises(DataError, match="halls: min-max of a constant"):
        normalise(x, names=["pubs", "halls"])
    with pytest.raises(DataError, match="pubs: direction 0"):
        normalise(x, names=["pubs", "halls"], directions=[0, 1])
    with pytest.raises(UnknownNameError, match="did you mean 'halls'"):
        normalise(x, names=["pubs", "halls"], each={"hals": {}})
    with pytest.raises(UnknownNameError, match="did you mean 'min_max'"):
        normalise(x, "minmax")
    with pytest.raises(DataError, match="lower 5 and upper 2"):
        normalise(x, "goalposts", lower=5, upper=2)
    with pytest.raises(DataError, match="low: 3 found; expected 1 or 2"):
        normalise(x, low=[1, 2, 3])
    with pytest.raises(DataError, match="position from 0 to 1"):
        distance_to_reference([1.0, 2.0], 7)
    with pytest.raises(DataError, match="pubs: 'goalposts' needs lower"):
        normalise(x, "goalposts", names=["pubs", "halls"], upper=2)
    with pytest.raises(
        UnknownNameError, match=r"'lo' not found of 'min_max' \(for 'column 1'\); did"
    ):
        normalise(x, lo=1)
    with pytest.raises(DataError, match="column 1: <lambda> takes no 'reference', so it cannot be"):
        normalise(x, lambda values: values, reference=x)
    with pytest.raises(DataError, match=r"directions: 3 found; expected 2"):
        normalise(x, directions=[1, 1, -1])
    with pytest.raises(DataError, match=r"reference of shape \(2,\); expected \(n, 2\)"):
        normalise(x, reference=[1.0, 2.0])
    with pytest.raises(DataError, match="in 1 dimensions; expected units x indicators"):
        normalise([1.0, 2.0])
    with pytest.raises(DataError, match="1 names for 2 indicators"):
        normalise(x, names=["pubs"])
    with pytest.raises(DataError, match="'pubs' has infinite values"):
        normalise([[np.inf], [1.0]], names=["pubs"])


@pytest.mark.parametrize(
    ("function", "settings_", "message"),
    [
        (min_max, {"low": 9, "high": 1}, "low 9 and high 1; expected low below high"),
        (min_max, {"low": 1, "high": 1}, "low 1 and high 1; expected low below high"),
        (min_max, {"constant": "skip"}, "constant 'skip' not found; expected one of: error, nan"),
        (z_score, {"sd": -1}, "sd: -1 found; expected a number above 0"),
        (z_score, {"divisor": "n1"}, "divisor 'n1' not found"),
        (goalposts, {"lower": 0, "upper": 9, "scale": 0}, "scale: 0 found"),
        (percentile_rank, {"scale": -1}, "scale: -1 found"),
        (percentile_rank, {"ties": "lowest"}, "ties 'lowest' not found; expected one of: average"),
        (normal_score, {"formula": "bloom"}, "formula 'bloom' not found; did you mean 'blom'"),
        (distance_to_reference, {"unit": "B"}, "'B' is a code; expected the codes of all units"),
        (distance_to_reference, {"unit": "B", "units": ["A"]}, "units: 1 found; expected 3"),
    ],
)
def test_settings_that_a_method_cannot_take_are_never_let_through(
    function: Any, settings_: dict[str, Any], message: str
) -> None:
    with pytest.raises((DataError, UnknownNameError), match=message):
        function([1.0, 2.0, 4.0], **settings_)


@pytest.mark.parametrize("function", [min_max, z_score, adjusted, fraction_of_max, distance_to_max])
def test_an_infinite_value_is_an_error_not_a_missing_one(function: Any) -> None:
    """Infinity over infinity is NaN, which would be taken for a missing value."""
    for x in ([1.0, 2.0, np.inf], [-np.inf, 2.0, 3.0]):
        with pytest.raises(DataError, match="an infinite value found"):
            function(x)
        with pytest.raises(DataError, match="an infinite value found"):
            function([1.0, 2.0], reference=x)


def test_a_reference_unit_is_found_by_its_name() -> None:
    x, units = np.array([[1.0, 9.0], [3.0, 7.0], [5.0, 1.0]]), ["A", "B", "C"]
    for directions in (1, [1, -1]):
        by_name = normalise(
            x, "distance_to_reference", directions=directions, unit="B", units=units
        )
        by_place = normalise(x, "distance_to_reference", directions=directions, unit=1)
        np.testing.assert_array_equal(by_name, by_place)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(
        DataError,
        match=r"a target that every unit has reached .*; expected above the least value, ",
    ):
        distance_to_target([1.0, 2.0], 1)
    with pytest.raises(DataError, match="lower 2 and upper 2; expected lower below upper"):
        scaled([1.0, 2.0], 2, 2)
    with pytest.raises(DataError, match="posts of a constant"):
        adjusted_posts([3.0, 3.0])
    with pytest.raises(DataError, match="posts of an empty column"):
        adjusted_posts([np.nan])
    with pytest.raises(DataError, match="reference unit -1 found; expected a position from 0 to 1"):
        distance_to_reference([1.0, 2.0], -1)
    with pytest.raises(DataError, match="reference unit 2 found"):
        distance_to_reference([1.0, 2.0], 2)


@pytest.mark.parametrize("how", ["min_max", "z_score", "distance_to_max", "fraction_of_max"])
def test_no_units_give_no_scores(how: str) -> None:
    assert NORMALISERS[how]([]).shape == (0,)


def test_the_average_turns_with_the_indicator() -> None:
    """A national average of 15 scores 100 whichever way the indicator counts."""
    x = [[10.0], [15.0], [30.0]]
    up = normalise(x, "adjusted", middle=15.0)[:, 0]
    down = normalise(x, "adjusted", directions=-1, middle=15.0)[:, 0]
    np.testing.assert_allclose(up, [85, 100, 145])
    np.testing.assert_allclose(down, [115, 100, 55])


def test_a_function_of_ones_own() -> None:
    def doubled(values: np.ndarray, plus: float = 0.0) -> np.ndarray:
        return 2 * values + plus

    ours = normalise([[1.0, 2.0]], doubled, directions=[1, -1], plus=[10.0, 20.0])
    np.testing.assert_array_equal(ours, [[12.0, 16.0]])


FREE = {"scaled": {"lower": 0, "upper": 7}, "goalposts": {"lower": -1e3, "upper": 1e3}}
SPECIAL = {"distance_to_reference": {"unit": 0}, "distance_to_target": {"target": 1e4}}


@settings(max_examples=40)
@given(
    x=arrays(np.float64, 12, elements=st.floats(-100, 100).map(lambda v: round(v, 3)), unique=True),
    order=st.permutations(range(12)),
    how=st.sampled_from(sorted(NORMALISERS)),
)
def test_any_normaliser_keeps_the_order_of_units(x: np.ndarray, order: list[int], how: str) -> None:
    own: dict[str, Any] = dict(FREE.get(how, SPECIAL.get(how, {})))
    if how == "distance_to_reference":
        own["unit"] = int(x.argmax())
    y = NORMALISERS[how](x, **own)
    np.testing.assert_array_equal(rank(y), rank(x))
    if how == "distance_to_reference":
        own["unit"] = int(x[order].argmax())
    np.testing.assert_allclose(NORMALISERS[how](x[order], **own), y[order], rtol=1e-9, atol=1e-12)


def test_a_reference_fixes_the_scale() -> None:
    x, base = np.array([[1.0], [3.0]]), np.array([[0.0], [10.0], [5.0]])
    np.testing.assert_allclose(normalise(x, reference=base)[:, 0], [10, 30])
    turned = normalise(x, reference=base, directions=-1)
    np.testing.assert_allclose(turned[:, 0], [90, 70])
    z = z_score([5.0], reference=base[:, 0])
    assert z[0] == 0


@pytest.mark.parametrize(
    "own",
    [
        "z_score",
        {"z_score": {}},
        {"how": "z_score"},
        {"z_score": {"sd": 1}},
        NORMALISERS["z_score"],
    ],
)
def test_a_method_is_named_as_a_node_names_it(own: Any) -> None:
    x = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 90.0]])
    both = normalise(x, names=["pubs", "halls"], each={"pubs": own}, low=1)
    np.testing.assert_array_equal(both[:, 0], NORMALISERS["z_score"](x[:, 0]))
    np.testing.assert_array_equal(both[:, 1], NORMALISERS["min_max"](x[:, 1], low=1))
    np.testing.assert_array_equal(normalise(x, own)[:, 0], both[:, 0])


def test_settings_for_some_leave_the_rest_their_own() -> None:
    x = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 90.0]])
    found = normalise(x, names=["pubs", "halls"], high={"halls": 10})
    assert found[2].tolist() == [100.0, 10.0]
    found = normalise(
        x, {"min_max": {"high": 7}}, names=["pubs", "halls"], each={"halls": {"high": 3}}
    )
    assert found[2].tolist() == [7.0, 3.0]


def test_a_unit_is_found_by_the_code_that_the_table_has() -> None:
    import pandas as pd

    x = pd.DataFrame({"pubs": [1.0, 3.0, 5.0]}, index=["A", "B", "C"])
    assert normalise(x, "distance_to_reference", unit="B").T.tolist() == [[0.0, 1.0, 2.0]]
    with pytest.raises(UnknownNameError, match="reference unit 'D' not found"):
        normalise(x, "distance_to_reference", unit="D")


@pytest.mark.parametrize(
    ("settings_", "said"),
    [
        ({"each": {"pub": "z_score"}}, "indicator 'pub' not found; did you mean 'pubs'"),
        ({"each": {"pubs": "z_scor"}}, "normaliser 'z_scor' not found; did you mean 'z_score'"),
        (
            {"each": {"pubs": {"z_scor": {}}}},
            "normaliser 'z_scor' not found; did you mean 'z_score'",
        ),
        ({"each": {"pubs": {"z_score": {"ds": 1}}}}, r"'ds' not found of 'z_score' \(for 'pubs'\)"),
        ({"directions": {"pub": -1}}, r"indicator 'pub' not found \(directions\)"),
        ({"high": {"pub": 10}}, r"indicator 'pub' not found \(high\)"),
        ({"how": lambda x: None}, "pubs: what <lambda> gives: None found; expected several"),
        ({"how": lambda x: x[:2]}, "pubs: what <lambda> gives: 2 found; expected 3"),
        ({"how": lambda x: x / 0.0}, "pubs: what <lambda> gives, row 1: an infinite value"),
        ({"how": "goalposts"}, "pubs: 'goalposts' needs lower"),
        ({"constant": "zero"}, "constant 'zero' not found; expected one of: error, nan"),
        (
            {"how": "z_score", "divisor": "n+1"},
            "divisor 'n\\+1' not found; expected one of: n, n-1",
        ),
        ({"low": 100, "high": 0}, "pubs: low 100 and high 0; expected low below high"),
        ({"how": "rank", "ties": "mean"}, "ties 'mean' not found"),
        (
            {"how": "goalposts", "lower": 9, "upper": 1, "directions": -1},
            "pubs: lower 9 and upper 1;",
        ),
        (
            {"how": "goalposts", "lower": "9", "upper": 1, "directions": -1},
            "pubs: lower: '9' found",
        ),
        ({"how": "distance_to_target", "target": "9", "directions": -1}, "pubs: target: '9' found"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_normalise_cannot_take_is_named(settings_: dict[str, Any], said: str) -> None:
    x = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 90.0]])
    with pytest.raises((DataError, UnknownNameError), match=said):
        normalise(x, names=["pubs", "halls"], **settings_)
