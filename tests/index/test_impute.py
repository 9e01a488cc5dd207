"""Imputation: COINr's values, and reports that say what was filled from what."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.impute import Filled, impute_columns, impute_regression, impute_rows
from commonweal.index.panel import fill_years, impute_panel
from commonweal.indicators import Indicator, panel_from_long

from . import golden

golden.CHECKED.update(
    {
        "impute_mean.csv": "matched",
        "impute_median.csv": "matched",
        "impute_mean_grp_EurAsia.csv": "matched",
        "impute_median_grp_GDP.csv": "matched",
        "impute_row_mean_level2.csv": "matched",
        "impute_row_median_level2.csv": "matched",
        "impute_row_mean_all.csv": "matched",
        "in_panel_holes.csv": golden.INPUT,
        "impute_panel_latest.csv": "matched",
        "impute_panel_latest_max1.csv": "matched",
        "example_Imputed.csv": "matched",
        "impute_EM_amelia_seed1.csv": "differs: not COINr's own, and random; ours is a regression "
        "that is as near to it as its seeds are to each other",
    }
)


def is_the_data(file: str, done: Filled, n_missing: int = 63) -> None:
    golden.agrees(done.values, golden.matrix(file, golden.names()))
    assert done.n_left == 0
    assert len(done.unit) == n_missing
    golden.agrees(done.values[done.unit, done.indicator], done.value)


@pytest.mark.parametrize("how", ["mean", "median"])
def test_columns_are_filled_as_in_coinr(how: str) -> None:
    done = impute_columns(golden.matrix(golden.RAW), golden.names(), how)  # type: ignore[arg-type]
    is_the_data(f"impute_{how}.csv", done)
    assert done.source[0] == f"{how} of units (n = 43)"


@pytest.mark.parametrize(
    ("file", "data", "how", "column"),
    [
        ("impute_mean_grp_EurAsia.csv", golden.RAW, "mean", "EurAsia_group"),
        ("impute_median_grp_GDP.csv", golden.RAW, "median", "GDP_group"),
        ("example_Imputed.csv", "example_Denominated.csv", "mean", "EurAsia_group"),
    ],
)
def test_groups_are_filled_as_in_coinr(file: str, data: str, how: str, column: str) -> None:
    group = dict(
        zip(
            golden.texts("in_asem_iData.csv", "uCode"),
            golden.texts("in_asem_iData.csv", column),
            strict=True,
        )
    )
    groups = [group[code] for code in golden.texts(data, "uCode")]
    names = golden.names()
    done = impute_columns(golden.matrix(data, names), names, how, groups)  # type: ignore[arg-type]
    is_the_data(file, done, np.isnan(golden.matrix(data, names)).sum())


@pytest.mark.parametrize(
    ("file", "how", "within"),
    [
        ("impute_row_mean_level2.csv", "mean", True),
        ("impute_row_median_level2.csv", "median", True),
        ("impute_row_mean_all.csv", "mean", False),
    ],
)
def test_rows_are_filled_as_in_coinr(file: str, how: str, within: bool) -> None:
    names, parent = golden.names(), golden.meta("Parent")
    nodes = {p: [n for n in names if parent[n] == p] for p in golden.level(2)}
    direction = {n: int(golden.meta("Direction")[n]) for n in names}
    done = impute_rows(
        golden.matrix(golden.RAW),
        names,
        how,  # type: ignore[arg-type]
        nodes if within else None,
        direction,
    )
    is_the_data(file, done)


@pytest.mark.parametrize(
    ("file", "max_gap"),
    [("impute_panel_latest.csv", np.inf), ("impute_panel_latest_max1.csv", 1.0)],
)
def test_panels_are_filled_as_in_coinr(file: str, max_gap: float) -> None:
    holes, names = "in_panel_holes.csv", golden.names()
    units, years = golden.texts(holes, "uCode"), golden.numbers(holes, "Time")
    x = golden.matrix(holes, names)
    done = impute_panel(x, units, years, names, "latest", max_gap)
    theirs = zip(golden.texts(file, "uCode"), golden.numbers(file, "Time"), strict=True)
    at = {key: i for i, key in enumerate(zip(units, years, strict=True))}
    order = [at[key] for key in theirs]
    golden.agrees(done.values[order], golden.matrix(file, names))
    assert len(done.unit) + done.n_left == np.isnan(x).sum()
    for i, j, value, source in zip(done.unit, done.indicator, done.value, done.source, strict=True):
        year = float(source.removeprefix("value of "))
        assert x[at[units[i], year], j] == value
        assert 0 < years[i] - year <= max_gap
    about = [Indicator(name, name, "", "more", "COINr") for name in names]
    numbers = {name: x[:, j] for j, name in enumerate(names)}
    table = pl.DataFrame({"uCode": units, "Time": years, **numbers}).fill_nan(None)
    panel, report = fill_years(
        panel_from_long(table, about, code="uCode", year="Time"), "latest", max_gap
    )
    rows = [(panel.years.index(int(years[i])), panel.codes.index(units[i])) for i in order]
    ours = np.array([panel.values[k, i] for k, i in rows])
    np.testing.assert_array_equal(ours, done.values[order])
    assert (len(report.unit), report.n_left) == (len(done.unit), done.n_left)


def test_years_by_hand() -> None:
    gap = np.nan
    x, years = [[gap], [1.0], [gap], [gap], [7.0], [gap]], [2015, 2016, 2017, 2019, 2022, 2023]

    def fill(how: str, max_gap: float = np.inf) -> list[float]:
        backwards = slice(None, None, -1)
        done = impute_panel(x[backwards], ["A"] * 6, years[backwards], None, how, max_gap)  # type: ignore[arg-type]
        return done.values[backwards, 0].tolist()

    golden.agrees(fill("latest"), [gap, 1, 1, 1, 7, 7])
    golden.agrees(fill("latest", 1), [gap, 1, 1, gap, 7, 7])
    golden.agrees(fill("linear"), [gap, 1, 2, 4, 7, gap])
    golden.agrees(fill("linear", 4), [gap, 1, gap, 4, 7, gap])
    golden.agrees(fill("constant"), [1, 1, 1, 1, 7, 7])
    other = impute_panel([[1.0], [gap]], ["A", "B"], [2016, 2017], how="constant")
    assert other.n_left == 1


def test_a_unit_without_group_or_a_group_without_values_is_left() -> None:
    x = [[1.0], [np.nan], [np.nan], [np.nan], [9.0]]
    done = impute_columns(x, ["pubs"], groups=["a", "a", "b", None, None])
    golden.agrees(done.values[:, 0], [1, 1, np.nan, np.nan, 9])
    assert done.n_left == 2
    assert done.source == ("mean of units in a (n = 1)",)
    pandas = impute_columns([[1.0], [2.0], [np.nan]], groups=["a", np.nan, np.nan])
    assert pandas.n_left == 1  # a missing group is none, not one of its own


def test_regression_finds_a_plane_and_says_how_good_it_is() -> None:
    rng = np.random.default_rng(5)
    a, b, noise = rng.normal(size=(3, 60))
    x = np.column_stack([a, b, 3 + 2 * a - b, noise])
    truth = x[:7, 2].copy()
    x[:7, 2] = np.nan
    done = impute_regression(x, ["a", "b", "c", "noise"], n_predictors=2)
    golden.agrees(done.value, truth)
    (only,) = done.regressions
    assert (only.indicator, set(only.predictors), only.n) == ("c", {"a", "b"}, 53)
    assert only.r2 == pytest.approx(1)
    assert only.rmse_out < 1e-12


def test_errors_of_units_left_out_are_those_of_refitting() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(25, 3))
    x[:, 0] += x[:, 1]
    x[24, 0] = np.nan
    (only,) = impute_regression(x, n_predictors=2).regressions
    fitted, errors = x[:24], []
    for i in range(24):
        rest = np.delete(fitted, i, axis=0)
        design = np.column_stack([np.ones(23), rest[:, 1:]])
        b = np.linalg.lstsq(design, rest[:, 0], rcond=None)[0]
        errors.append(fitted[i, 0] - np.r_[1, fitted[i, 1:]] @ b)
    assert only.rmse_out == pytest.approx(np.sqrt(np.mean(np.square(errors))))
    assert only.r2_out == pytest.approx(1 - np.mean(np.square(errors)) / np.var(fitted[:, 0]))
    assert only.r2_out < only.r2


def test_regression_uses_what_the_unit_has_and_leaves_what_it_cannot_fill() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(30, 3)) + rng.normal(size=(30, 1))
    x[0, [0, 1]] = np.nan
    x[1] = np.nan
    done = impute_regression(x, ["a", "b", "c"])
    assert done.n_left == 3
    assert set(done.source) == {"regression on c"}
    few = impute_regression(np.r_[x[2:6], [[np.nan, 1, 1]]])
    assert few.n_left == 1


def test_regression_on_the_example_beats_the_mean() -> None:
    x, names = golden.matrix(golden.RAW), golden.names()
    done = impute_regression(x, names)
    assert done.n_left == 0
    assert len(done.value) == 63
    assert np.median([r.r2_out for r in done.regressions]) > 0.2


def test_regression_is_as_near_to_amelia_as_amelia_to_itself() -> None:
    # Two of its seeds differ by a median of 0.53 standard deviations a filled value.
    x, names = golden.matrix(golden.RAW), golden.names()
    theirs = golden.matrix("impute_EM_amelia_seed1.csv", names)
    done = impute_regression(x, names)
    away = np.abs(done.values - theirs) / np.nanstd(x, axis=0)
    assert (away[~np.isnan(x)] < 1e-9).all()
    assert np.median(away[np.isnan(x)]) < 0.53
    by_mean = np.abs(impute_columns(x, names).values - theirs) / np.nanstd(x, axis=0)
    assert np.median(by_mean[np.isnan(x)]) > 0.7  # so being near is no small thing


@given(
    arrays(np.float64, (12, 3), elements=st.integers(-9, 9)),
    arrays(np.bool_, (12, 3)),
    st.permutations(range(12)),
)
def test_units_in_any_order_are_filled_alike(
    x: np.ndarray, gaps: np.ndarray, order: list[int]
) -> None:
    gaps[:2] = False
    x[0], x[1] = -10, 10
    x = np.where(gaps, np.nan, x)
    groups = [i % 3 for i in range(12)]
    for whole, shuffled in (
        (impute_columns(x), impute_columns(x[order])),
        (
            impute_columns(x, groups=groups),
            impute_columns(x[order], groups=[groups[i] for i in order]),
        ),
        (impute_rows(x), impute_rows(x[order])),
        (impute_regression(x, n_predictors=1), impute_regression(x[order], n_predictors=1)),
    ):
        np.testing.assert_allclose(shuffled.values, whole.values[order], atol=1e-9)
        kept = ~np.isnan(x)
        assert (whole.values[kept] == x[kept]).all()
        assert len(whole.source) + whole.n_left == gaps.sum()


def test_errors_name_the_indicator_and_the_range() -> None:
    empty, flat = [[1.0, np.nan], [2.0, np.nan]], [[1.0, 0.1], [np.nan, 0.1], [3.0, np.nan]]
    for impute in (impute_columns, impute_rows, impute_regression):
        with pytest.raises(DataError, match="'halls' has no values"):
            impute(empty, ["pubs", "halls"])
    for impute in (impute_rows, impute_regression):
        with pytest.raises(DataError, match="'halls' is constant"):
            impute(flat, ["pubs", "halls"])
    names = ["pubs", "halls"]
    with pytest.raises(
        UnknownNameError, match="how 'mode' not found; expected one of: mean, median"
    ):
        impute_columns(flat, names, "mode")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="groups: 1 found; expected 3"):
        impute_columns(flat, names, groups=["a"])
    with pytest.raises(UnknownNameError, match="did you mean 'pubs'"):
        impute_rows(flat, names, nodes={"assets": ["pub"]})
    with pytest.raises(DataError, match="'pubs' is in nodes 'a' and 'b'"):
        impute_rows(flat, names, nodes={"a": ["pubs"], "b": ["pubs"]})
    with pytest.raises(DataError, match="pubs: direction 0 found; expected 1 or -1"):
        impute_rows(flat, names, direction={"pubs": 0})
    with pytest.raises(UnknownNameError, match=r"'pub' not found \(directions\); did"):
        impute_rows(flat, names, direction={"pub": -1})
    with pytest.raises(
        DataError, match="n_predictors: 0 found; expected a whole number of 1 or more"
    ):
        impute_regression(flat, names, n_predictors=0)
    with pytest.raises(UnknownNameError, match="how 'spline' not found; expected one of: constant"):
        impute_panel(flat, ["A"] * 3, [1, 2, 3], names, "spline")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="unit 'A' has year 2019 twice"):
        impute_panel(flat, ["A"] * 3, [2019, 2020, 2019], names)
    with pytest.raises(DataError, match="year of row 2 is missing"):
        impute_panel(flat, ["A"] * 3, [2019, np.nan, 2020], names)
    with pytest.raises(DataError, match="max_gap: 0 found"):
        impute_panel(flat, ["A"] * 3, [1, 2, 3], names, max_gap=0)
    with pytest.raises(DataError, match="units: 2 found; expected 3"):
        impute_panel(flat, ["A"] * 2, [1, 2, 3], names)
