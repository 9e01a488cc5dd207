"""What if: COINr's removals and comparison on its own example, and what must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.means import arithmetic, geometric
from commonweal.index.rank_tables import compare_ranks
from commonweal.toolbox.whatif import NOMINAL, Versions, changed, rebuild, without_each

from . import golden

if TYPE_CHECKING:
    from collections.abc import Mapping

NORMALISED = "example_Normalised.csv"
TABLES = {
    1: ("scores", "ranks", "meanabsdiff"),
    2: ("ranks", "rankdiffs"),
    3: ("scores", "rankdiffs", "meanabsdiff"),
}
golden.CHECKED.update(
    {f"remove_L{level}_{table}.csv": "matched" for level in TABLES for table in TABLES[level]}
)
golden.CHECKED["change_ind_compare.csv"] = "matched"


def weights() -> dict[str, float]:
    file = "struct_weights_original.csv"
    return dict(zip(golden.texts(file, "iCode"), golden.numbers(file, "Weight"), strict=True))


def index(w: Mapping[str, float]) -> np.ndarray:
    """The example's index from its normalised indicators, three levels up."""
    parent = golden.meta("Parent")
    values = {name: golden.numbers(NORMALISED, name) for name in golden.columns(NORMALISED)}
    for at in (2, 3, 4):
        for node in golden.level(at):
            below = [c for c in golden.level(at - 1) if parent[c] == node]
            values[node] = arithmetic(
                np.column_stack([values[c] for c in below]), [w[c] for c in below]
            )
    return values["Index"]


@pytest.mark.parametrize("level", TABLES)
def test_removing_each_element_of_a_level(level: int) -> None:
    versions = rebuild(index, weights(), without_each(weights(), golden.level(level)))
    ours = {"scores": versions.scores, "ranks": versions.ranks, "rankdiffs": versions.shifts}
    for table in TABLES[level]:
        file = f"remove_L{level}_{table}.csv"
        if table == "meanabsdiff":
            means = versions.mean_shift
            assert ["Nominal", *list(means)[1:]] == golden.texts(file, "name")
            golden.agrees(list(means.values()), golden.numbers(file, "value"))
        else:
            names = golden.columns(file)
            assert names == ["Nominal", *versions.names[1:]]
            golden.agrees(ours[table], golden.matrix(file))


def test_an_index_without_two_indicators_beside_the_nominal_one() -> None:
    """COINr's coin without LPI and Flights: its changed coin, found by trying every pair."""
    dropped = changed(weights(), LPI=0.0, Flights=0.0)
    table = compare_ranks(index(weights()), index(dropped), golden.texts(NORMALISED, "uCode"))
    file = "change_ind_compare.csv"
    assert table["unit"].to_list() == golden.texts(file, "uCode")
    for ours, theirs in (
        ("nominal", "coin.1"),
        ("other", "coin.2"),
        ("shift", "Diff"),
        ("absolute", "Abs.diff"),
    ):
        golden.agrees(table[ours], golden.numbers(file, theirs))


X = np.array([[1.0, 9.0], [4.0, 5.0], [6.0, 3.0], [np.nan, 1.0]])


def build(settings: Mapping[str, Any]) -> np.ndarray:
    return settings["how"](X, [settings["a"], settings["b"]])


def test_any_setting_can_change() -> None:
    nominal = {"how": arithmetic, "a": 1.0, "b": 1.0}
    versions = rebuild(
        build, nominal, {"same": changed(nominal), "geometric": changed(nominal, how=geometric)}
    )
    assert versions.names == (NOMINAL, "same", "geometric")
    assert versions.mean_shift["same"] == 0
    # Nominal 5, 4.5, 4.5, 1: ranks 1, 2, 2, 4; geometric 3, 1, 2, 4.
    np.testing.assert_allclose(versions.of("geometric"), [3, 20**0.5, 18**0.5, 1])
    assert versions.mean_shift["geometric"] == pytest.approx((2 + 1 + 0 + 0) / 4)
    np.testing.assert_array_equal(versions.shifts[:, 0], 0)


def test_units_that_lose_their_score_do_not_count_in_the_mean() -> None:
    versions = Versions((NOMINAL, "b"), np.array([[3.0, 1.0], [2.0, 2.0], [1.0, np.nan]]))
    assert versions.mean_shift == {NOMINAL: 0, "b": 1}
    nobody = Versions((NOMINAL, "b"), np.array([[3.0, np.nan]]))
    assert np.isnan(nobody.mean_shift["b"])


def test_errors_name_the_version() -> None:
    nominal = {"how": geometric, "a": 1.0, "b": 1.0}
    with pytest.raises(DataError, match="no a and b: every weight is 0"):
        rebuild(build, nominal, {"no a and b": changed(nominal, a=0.0, b=0.0)})
    with pytest.raises(UnknownNameError, match="setting 'c' not found"):
        changed(nominal, c=1)
    with pytest.raises(UnknownNameError, match="setting 'c' not found"):
        without_each({"a": 1.0}, ["c"])
    with pytest.raises(DataError, match="called 'nominal'"):
        rebuild(build, nominal, {NOMINAL: nominal})
    with pytest.raises(DataError, match=r"short: scores of shape \(1,\); expected \(2,\)"):
        rebuild(lambda n: np.zeros(n), 2, {"short": 1})
    with pytest.raises(
        DataError, match=r"nominal: scores of shape \(2, 2\); expected \(n_units,\)"
    ):
        rebuild(lambda n: np.zeros((n, n)), 2, {})
    with pytest.raises(UnknownNameError, match="version 'x'"):
        rebuild(build, nominal, {}).of("x")
