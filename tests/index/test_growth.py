"""Growth of series and tables on a fixed base: COINr's on its own panel, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from commonweal.errors import DataError
from commonweal.index.normalise import normalise
from commonweal.index.treat import treat
from commonweal.index.trends import annual_growth, line, on_fixed_base, percentage_change, span

from . import golden

PANEL = "in_asem_iData_panel.csv"
golden.CHECKED.update(
    {
        "trend_CAGR.csv": "matched",
        "trend_prc_change.csv": "matched",
        "norm_purse_global.csv": "matched",
    }
)


def panel(names: list[str], units: list[str]) -> tuple[np.ndarray, list[float]]:
    """(n_years, n_units, n_indicators) of the example's panel, and its years."""
    at = {(row["Time"], row["uCode"]): i for i, row in enumerate(golden.rows(PANEL))}
    years = sorted({time for time, _ in at})
    x = golden.matrix(PANEL, names)
    return np.stack([x[[at[y, u] for u in units]] for y in years]), [float(y) for y in years]


@pytest.mark.parametrize(
    ("file", "column", "how"),
    [
        ("trend_CAGR.csv", "CAGR", annual_growth),
        ("trend_prc_change.csv", "prc_change", percentage_change),
    ],
)
def test_trends_are_coinrs(file: str, column: str, how: object) -> None:
    assert callable(how)
    for row in golden.rows(file):
        x, years = panel([row["iCode"]], [row["uCode"]])
        covers = span(x[:, :, 0], years)
        golden.agrees(how(x[:, :, 0], years), float(row[column]))
        golden.agrees(covers.available, float(row["Avail"]))
        golden.agrees(covers.first, float(row["t_first"]))
        golden.agrees(covers.latest, float(row["t_latest"]))


def test_a_panel_normalised_over_all_its_years_is_coinrs() -> None:
    file, names = "norm_purse_global.csv", golden.columns(golden.RAW)
    units = [row["uCode"] for row in golden.rows(file) if row["Time"] == "2018"]
    x, years = panel(names, units)
    treated = np.stack([treat(year, names).values for year in x])
    signs = [float(golden.meta("Direction")[n]) for n in names]
    ours = on_fixed_base(treated, directions=signs, names=names)
    assert golden.texts(file, "uCode") == units * len(years)
    golden.agrees(ours.reshape(-1, len(names)), golden.matrix(file, names))


YEARS = np.array([2015.0, 2017.0, 2018.0, 2021.0])


def test_growth_and_line_through_gaps() -> None:
    steady = 100 * 1.03 ** (YEARS - 2015)
    straight = 50 + 2 * (YEARS - 2015)
    x = np.column_stack([steady, straight, [np.nan, 10, np.nan, 20], [np.nan] * 3 + [1], -steady])
    np.testing.assert_allclose(annual_growth(x, YEARS)[[0, 2]], [0.03, 2**0.25 - 1])
    np.testing.assert_allclose(percentage_change(x, YEARS)[[1, 2]], [4, 25])
    assert np.isnan(annual_growth(x, YEARS)[3:]).all()
    assert np.isnan(percentage_change(x, YEARS)[3])
    assert percentage_change(x, YEARS)[4] < 0  # falls further below 0
    covers = span(x, YEARS)
    assert (covers.first[2], covers.latest[2], covers.available[2]) == (2017, 2021, 0.5)
    assert np.isnan(span([[np.nan]], [1]).first).all()


def test_a_base_year_makes_scores_comparable() -> None:
    x = np.array([[[0.0], [10.0]], [[5.0], [30.0]]])
    np.testing.assert_allclose(on_fixed_base(x, base=0)[:, :, 0], [[0, 100], [50, 300]])
    np.testing.assert_allclose(on_fixed_base(x)[1, :, 0], [100 / 6, 100])
    turned = on_fixed_base(x, base=0, directions=-1)
    np.testing.assert_allclose(turned[:, :, 0], [[100, 0], [50, -200]])
    posts = on_fixed_base(x, "goalposts", lower=0, upper=40)
    np.testing.assert_allclose(posts[:, :, 0], x[:, :, 0] / 40)
    z = on_fixed_base(x, "z_score", base=1)
    np.testing.assert_allclose(z[1], normalise(x[1], "z_score"))
    np.testing.assert_array_equal(on_fixed_base(x, "borda", base=0)[:, :, 0], [[0, 1], [0.5, 1]])
    each = {
        "column 2": {"how": "goalposts", "lower": 0, "upper": 50}
    }  # takes no base, and so gets none
    both = on_fixed_base(np.concatenate([x, x], axis=2), base=0, each=each)
    np.testing.assert_allclose(both[1], [[50, 0.1], [300, 0.6]])
    with pytest.raises(DataError, match="column 1: <lambda> takes no 'reference'"):
        on_fixed_base(x, lambda column: column / column.max())
    with pytest.raises(DataError, match="base year 2"):
        on_fixed_base(x, base=2)
    with pytest.raises(DataError, match="expected \\(n_years, n_units, n_indicators\\)"):
        on_fixed_base(x[0])


def test_spread_is_what_the_line_leaves() -> None:
    x = np.column_stack([[1.0, 4.0, 5.0], [1.0, 2.0, 3.0], [np.nan, 2.0, 7.0], [np.nan] * 3])
    found = line(x, [2018, 2019, 2020])
    np.testing.assert_allclose(found.slope, [2, 1, 5, np.nan])
    # Off the line by -1/3, 2/3 and -1/3, one degree of freedom left; two points leave none.
    np.testing.assert_allclose(found.spread, [np.sqrt(6) / 3, 0, np.nan, np.nan], atol=1e-15)


def test_years_must_ascend() -> None:
    with pytest.raises(DataError, match="ascending"):
        annual_growth([[1.0], [2.0]], [2020, 2019])
    with pytest.raises(DataError, match="expected"):
        span([[1.0]], [2019, 2020])
