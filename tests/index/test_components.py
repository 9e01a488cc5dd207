"""Principal components: COINr's up to their sign, and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.multivariate import components, components_by_group

from . import golden

SIGN = "differs: in sign alone, which is arbitrary in theirs and fixed by a rule in ours"
FILES = {
    "norm_L1": ("example_Normalised.csv", 1),
    "raw_L1": (golden.RAW, 1),
    "agg_L2": ("example_Aggregated.csv", 2),
    "norm_all": ("example_Normalised.csv", 0),
}
for file in FILES:
    golden.CHECKED[f"pca_{file}_rotation.csv"] = SIGN
    golden.CHECKED[f"pca_{file}_weights.csv"] = SIGN


@pytest.mark.parametrize("file", FILES)
def test_components_are_coinrs_up_to_sign(file: str) -> None:
    data, level = FILES[file]
    theirs: dict[tuple[str, str], dict[str, float]] = {}
    for row in golden.rows(f"pca_{file}_rotation.csv"):
        theirs.setdefault((row["group"], row["PC"]), {})[row["iCode"]] = float(row["loading"])
    weights = {
        row["iCode"]: float(row["Weight"])
        for row in golden.rows(f"pca_{file}_weights.csv")
        if row["Level"] == str(level or 1)
    }
    groups = {group: list(loading) for (group, pc), loading in theirs.items() if pc == "1"}
    names = [name for members in groups.values() for name in members]
    found = components_by_group(golden.matrix(data, names), names, groups)
    for (group, pc), loading in theirs.items():
        ours = found[group].loadings[:, int(pc) - 1]
        expected = np.array([loading[name] for name in found[group].names])
        golden.agrees(ours, expected * np.sign(ours @ expected), absolute=1e-11)
    for group in groups.values():
        ours = next(found[g].weights for g, members in groups.items() if members is group)
        expected = np.array([weights[name] for name in ours])
        mine = np.array(list(ours.values()))
        golden.agrees(mine, expected * np.sign(mine @ expected))


@given(arrays(np.float64, (9, 3), elements=st.integers(-30, 30)), st.permutations(range(9)))
def test_components_ignore_order_unit_and_origin(x: np.ndarray, order: list[int]) -> None:
    x = x + np.diag([100.0, 50.0, 25.0] * 3)[:, :3] + np.arange(9.0)[:, None]
    found = components(x)
    assert found.explained.sum() == pytest.approx(1)
    assert (found.loadings.sum(axis=0) >= -1e-9).all()
    np.testing.assert_allclose(found.loadings.T @ found.loadings, np.eye(3), atol=1e-9)
    again = components(x[order] * [1, 2, 3] + 5)
    np.testing.assert_allclose(again.sd, found.sd, atol=1e-9)
    # The parts of the correlation matrix, not the loadings: equal components may change places.
    for a in (found, again):
        rebuilt = (a.loadings * a.sd**2) @ a.loadings.T
        np.testing.assert_allclose(rebuilt, np.corrcoef(x.T), atol=1e-9)


def test_units_with_gaps_are_left_out() -> None:
    x = np.random.default_rng(3).normal(size=(30, 4))
    gaps = np.vstack([x, [[np.nan, 1, 2, 3]]])
    assert components(gaps).n == 30
    golden.agrees(components(gaps).loadings, components(x).loadings)


def test_two_units_are_enough_and_one_is_not() -> None:
    found = components([[1.0, 5.0], [2.0, 9.0]])
    golden.agrees(found.loadings[:, 0], [0.5**0.5] * 2)
    golden.agrees(found.explained, [1, 0])
    with pytest.raises(DataError, match=r"1 unit\(s\) with every indicator; .* need 2$"):
        components([[1.0, 5.0], [2.0, np.nan]])


def test_of_two_that_are_opposites_the_first_has_the_positive_loading() -> None:
    x = np.arange(5.0) ** 2
    for sign in (1, -1):
        found = components(np.column_stack([sign * x, -sign * x]), ["halls", "gaps"])
        assert found.weights == pytest.approx({"halls": 0.5**0.5, "gaps": -(0.5**0.5)})


def test_errors_name_the_indicator_and_the_group() -> None:
    with pytest.raises(DataError, match="group 'assets': indicator 'halls' is constant over the 3"):
        components_by_group(
            [[1.0, 0.1], [2.0, 0.1], [4.0, 0.1]], ["pubs", "halls"], {"assets": ["pubs", "halls"]}
        )
    with pytest.raises(DataError, match="indicator 'halls' has no values"):
        components([[1.0, np.nan], [2.0, np.nan]], ["pubs", "halls"])
    with pytest.raises(DataError, match="of 0 indicators"):
        components(np.empty((3, 0)))
    with pytest.raises(UnknownNameError, match="did you mean 'halls'"):
        components_by_group([[1.0]], ["halls"], {"assets": ["hall"]})
