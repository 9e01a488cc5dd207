"""The log rebuilds the same bytes or names the first step that differs; rules of thumb by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.framework import Node
from commonweal.index.rates import shrink_counts
from commonweal.index.review import Thresholds, review_data, review_tree, to_table
from commonweal.index.score import score_tree
from commonweal.index.treat import TreatmentRule
from commonweal.toolbox.audit import (
    FUNCTIONS,
    Trail,
    digest,
    from_json,
    rebuild,
    run,
    start,
    to_json,
)
from commonweal.toolbox.coin import Coin, read_coin_tables

from . import golden


def example() -> Coin:
    return read_coin_tables(golden.path("in_asem_iData.csv"), golden.path("in_asem_iMeta.csv"))


def worked(coin: Coin) -> Trail:
    """Build COINr's whole example index, written down step by step."""
    names = list(coin.names)
    trail = start({"raw": coin.values, "denominators": coin.denominators})
    trail = run(
        trail, "rates", "denominate", ["raw", "denominators"],
        names=names, denominator_names=coin.denominator_names, by=coin.by,
    )  # fmt: skip
    trail = run(trail, "imputed", "impute_columns", ["rates"], groups=coin.groups["EurAsia_group"])
    trail = run(trail, "kept", "units_kept", ["imputed"], units=coin.units, available=0.9)
    trail = run(trail, "screened", "rows", ["imputed", "kept"])
    trail = run(
        trail, "treated", "treat", ["screened"], names=names, rule=TreatmentRule(winsorise=5)
    )
    trail = run(trail, "normalised", "normalise", ["treated"], directions=coin.directions)
    trail = run(
        trail, "scores", "score", ["normalised"], tree=coin.tree, names=names, index=coin.index
    )
    return run(trail, "ranks", "rank", ["scores"], ties="min")


def test_the_worked_example_is_rebuilt_to_the_same_bytes() -> None:
    coin = example()
    trail = worked(coin)
    paths = [path.rsplit("/", 1)[-1] for path, _ in coin.tree.walk(coin.index)]
    golden.agrees(trail.values["scores"], golden.matrix("example_Aggregated.csv", paths))
    text = to_json(trail.log)
    json.loads(text)
    log = from_json(text)
    assert log == trail.log
    again = rebuild(log, {"raw": coin.values, "denominators": coin.denominators})
    assert list(again) == list(trail.values)
    for name, x in trail.values.items():
        assert again[name].tobytes() == x.tobytes()
    assert to_json(log) == text


def test_what_is_shrunk_and_filled_over_years_is_rebuilt_too() -> None:
    raw = {"events": [3.0, 30, 10], "at_risk": [20.0, 100, 100], "sd": [1.0, 2, 1],
           "years": [[1.0], [np.nan], [4.0]]}  # fmt: skip
    trail, of = start(raw), ["Ashby"] * 3
    trail = run(trail, "rates", "shrink_counts", ["events", "at_risk"], authorities=of)
    trail = run(trail, "means", "shrink_means", ["events", "sd"], authorities=of)
    trail = run(trail, "filled", "impute_panel", ["years"], units=["A"] * 3, times=[1, 2, 3])
    np.testing.assert_array_equal(
        trail.values["rates"], shrink_counts(raw["events"], raw["at_risk"], of).value
    )
    assert trail.values["filled"].ravel().tolist() == [1, 1, 4]
    how = {"distance_to_reference": {"unit": "B"}}
    tree = Node.model_validate({"transform": how, "children": {"a": {"indicator": "a"}}})
    trail = run(trail, "score", "score", ["filled"], tree=tree, names=["a"], codes=["A", "C", "B"])
    assert trail.values["score"][:, 0].tolist() == [0, 0, 1]
    again = rebuild(from_json(to_json(trail.log)), raw)
    assert all(again[name].tobytes() == x.tobytes() for name, x in trail.values.items())


def small() -> tuple[Trail, dict[str, Any]]:
    inputs = {"raw": np.array([[1.0, 9.0], [2.0, np.nan], [4.0, 3.0], [8.0, 1.0]])}
    trail = start(inputs)
    trail = run(trail, "filled", "impute_columns", ["raw"], how="median")
    trail = run(trail, "normalised", "normalise", ["filled"], how="z_score", directions=[1, -1])
    return run(trail, "ranks", "rank", ["normalised"]), inputs


def test_the_first_step_that_differs_is_named() -> None:
    trail, inputs = small()
    plain = json.loads(to_json(trail.log))

    def redo(change: Any, given: dict[str, Any] = inputs) -> None:
        log = json.loads(json.dumps(plain))
        change(log)
        rebuild(from_json(json.dumps(log)), given)

    redo(lambda log: None)
    other = {"raw": inputs["raw"] + 1e-15}
    with pytest.raises(DataError, match="input 'raw' differs: sha256"):
        redo(lambda log: None, other)
    with pytest.raises(UnknownNameError, match="array 'raw' not found"):
        redo(lambda log: None, {"rav": inputs["raw"]})
    with pytest.raises(DataError, match=r"step 1 'filled' \(impute_columns\) differs: .*same\)"):
        redo(lambda log: log["steps"][0]["settings"].update(how="mean"))
    with pytest.raises(DataError, match=r"step 2 'normalised' \(normalise\) differs"):
        redo(lambda log: log["steps"][1]["settings"].update(directions=[1, 1]))
    with pytest.raises(
        DataError, match=r"step 2 'normalised' .* differs: .*other arrays went into"
    ):
        redo(lambda log: log["steps"][1].update(takes=["raw"]))
    with pytest.raises(DataError, match=r"step 2 'filled' .*: the name is taken"):
        redo(lambda log: log["steps"][1].update(name="filled"))
    with pytest.raises(DataError, match=r"numpy 1\.0 then, "):
        redo(
            lambda log: (
                log["made_with"].update(numpy="1.0"),
                log["steps"][2].update(came_out="0" * 64),
            )
        )


def test_only_known_functions_are_called() -> None:
    trail, inputs = small()
    plain = json.loads(to_json(trail.log))
    for name in ("os.system", "eval", "__import__", "commonweal.index.rank.rank", "ranc"):
        plain["steps"][2]["function"] = name
        with pytest.raises(UnknownNameError, match=r"function '.*' not found \(step 'ranks'\)"):
            rebuild(from_json(json.dumps(plain)), inputs)
    with pytest.raises(UnknownNameError, match=r"normaliser 'os\.system' not found"):
        run(trail, "x", "normalise", ["raw"], how="os.system")


def test_a_function_of_one_s_own_has_to_be_given_again() -> None:
    mine = {**FUNCTIONS, "double": lambda x, by: x * by}
    trail = run(start({"x": [1.0, 2.0]}), "y", "double", ["x"], functions=mine, by=2)
    assert rebuild(trail.log, {"x": [1, 2]}, mine)["y"].tolist() == [2, 4]
    with pytest.raises(UnknownNameError, match="function 'double' not found"):
        rebuild(trail.log, {"x": [1, 2]})


def test_a_function_cannot_change_what_went_in() -> None:
    def spoil(x: np.ndarray) -> np.ndarray:
        x[:] = 0
        return x

    given = np.array([1.0, 2.0])
    trail = run(start({"x": given}), "y", "spoil", ["x"], functions={"spoil": spoil})
    assert trail.values["x"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        trail.values["y"][0] = 7
    given[0] = 9
    assert trail.values["x"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{", "no log of an index: the text: Invalid JSON"),
        ('{"inputs": {}}', "no log of an index: made_with: Field required"),
        (
            '{"made_with": {}, "inputs": {"x": "abc"}}',
            "no log of an index: inputs.x: String should match",
        ),
        (
            '{"made_with": {}, "inputs": {}, "steps": [{"name": "a", "code": "1"}]}',
            r"steps\.0\.function: Field required",
        ),
        ('{"made_with": {}, "inputs": {}, "run": "rm"}', "run: Extra inputs are not permitted"),
    ],
)
def test_what_is_no_log_is_named(change: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_json(change)


def test_errors_name_the_step_and_the_setting() -> None:
    trail = start({"x": [[1.0], [2.0]]})
    with pytest.raises(DataError, match="step 'y', setting 'how': ufunc found; expected numbers"):
        run(trail, "y", "normalise", ["x"], how=np.sqrt)
    with pytest.raises(DataError, match="step 'y', setting 'low': inf found; expected a finite"):
        run(trail, "y", "normalise", ["x"], low=np.inf)
    with pytest.raises(DataError, match="setting 'by': a mapping with keys that are no texts"):
        run(trail, "y", "normalise", ["x"], by={1: 2})
    with pytest.raises(UnknownNameError, match="setting 'lowest' not found of 'min_max'"):
        run(trail, "y", "normalise", ["x"], lowest=1)
    with pytest.raises(DataError, match="step 'x': the name is taken"):
        run(trail, "x", "normalise", ["x"])
    with pytest.raises(UnknownNameError, match=r"array 'z' not found \(step 'y'\)"):
        run(trail, "y", "normalise", ["z"])
    with pytest.raises(DataError, match=r"step 'y' \(rank\): "):
        run(start({"x": 1.0}), "y", "rank", ["x"])


@settings(max_examples=50)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_settings_come_back_from_json_to_the_bit(numbers: list[float]) -> None:
    mine = {"of": lambda x, by: np.array(by)}
    trail = run(start({"x": [0.0]}), "y", "of", ["x"], functions=mine, by=numbers)
    log = from_json(to_json(trail.log))
    assert rebuild(log, {"x": [0.0]}, mine)["y"].tobytes() == np.array(numbers).tobytes()


def test_digests_tell_shapes_signs_and_last_bits_apart() -> None:
    assert digest([1.0, 2.0]) != digest([[1.0, 2.0]])
    assert digest([0.0]) != digest([-0.0])
    assert digest([1.0]) != digest([np.nextafter(1.0, 2)])
    assert digest(np.ones((2, 3)).T) == digest(np.ones((3, 2)))
    assert digest(np.array([np.nan]).view("<u8")[::-1].view("<f8")) == digest([-np.nan])


# Rules of thumb


def test_the_example_s_findings() -> None:
    coin = example()
    found = review_data(coin.values, coin.names, coin.units)
    by = {rule: [f.subject for f in found if f.rule == rule] for rule in {f.rule for f in found}}
    stats = golden.rows("stats_raw_full.csv")
    theirs = [r["iCode"] for r in stats if r["Flag.SkewKurt"] == "OUT"]
    assert by["outliers"] == theirs
    assert len(theirs) > 5
    assert "few units" in by  # 51 units are fewer than 3 for each of 49 indicators
    assert "indicator availability" not in by  # none is below 65%


def test_contrary_pairs_are_those_of_coinr() -> None:
    coin = example()
    names = list(coin.names)
    x = golden.matrix("example_Normalised.csv", names)
    need, inside = score_tree(coin.index, coin.tree, lambda n: x[:, names.index(n)])
    found = review_tree(coin.index, coin.tree, need, inside, Thresholds(contrary=-0.5))
    ours = {
        (*sorted(f.subject.split(", ")), round(f.value, 9))
        for f in found
        if f.rule == "contrary" and f.node.count("/") == 2
    }
    theirs = {
        (*sorted([r["Ind1"], r["Ind2"]]), round(float(r["Corr"]), 9))
        for r in golden.rows("corr_flags_low.csv")
    }
    assert ours == theirs


def test_availability_is_a_share_that_may_be_met_exactly() -> None:
    x = np.ones((20, 20)) * np.arange(20)[:, None]
    x[0, :7] = np.nan  # 65%
    x[1, :8] = np.nan  # 60%
    x[2:9, 19] = np.nan  # 65%
    x[2:10, 18] = np.nan  # 60%
    names, units = [f"i{j}" for j in range(20)], [f"u{i}" for i in range(20)]
    found = [(f.rule, f.subject, f.value) for f in review_data(x, names, units)]
    assert [f for f in found if "availability" in f[0]] == [
        ("unit availability", "u1", 0.6),
        ("indicator availability", "i18", 0.6),
    ]


def test_outliers_need_skew_and_kurtosis_and_constants_say_so() -> None:
    n = 40
    flat = np.r_[np.arange(n - 1), 500.0]
    found = review_data(
        np.column_stack([flat, np.arange(n), np.ones(n)]), ["a", "b", "c"], range(n)
    )
    assert [(f.rule, f.subject) for f in found] == [("outliers", "a"), ("constant", "c")]
    assert "skew 6.11 and kurtosis 38.17" in found[0].message
    lax = review_data(np.column_stack([flat]), ["a"], range(n), Thresholds(kurtosis=50))
    assert lax == ()


def three(a: np.ndarray, b: np.ndarray, c: np.ndarray, **weights: float) -> tuple[Node, Any]:
    tree = Node.model_validate(
        {"transform": "none", "aggregate": "arithmetic",
         "children": {n: {"indicator": n, "weight": weights.get(n, 1.0)} for n in "abc"}}
    )  # fmt: skip
    return tree, score_tree("x", tree, {"a": a, "b": b, "c": c}.__getitem__)[0]


def test_children_that_agree_contradict_and_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(size=400)
    tree, need = three(a, a + 0.1 * rng.normal(size=400), -a + rng.normal(size=400))
    found = {(f.rule, f.subject) for f in review_tree("x", tree, need)}
    assert ("collinear", "a, b") in found
    assert {s for r, s in found if r == "contrary"} == {"a, c", "b, c"}
    assert ("importance", "c") in found


def test_importance_is_in_proportion_for_independent_children_of_equal_weight() -> None:
    rng = np.random.default_rng(4)
    tree, need = three(*rng.normal(size=(3, 2000)))
    assert review_tree("x", tree, need) == ()
    tree, need = three(*rng.normal(size=(3, 2000)) * [[1], [1], [0.1]])
    (found,) = review_tree("x", tree, need)
    assert (found.rule, found.subject, found.node) == ("importance", "c", "x")
    assert "'c' has 33% of the weight and" in found.message
    assert found.value < 0.1


def test_findings_make_a_table_and_thresholds_are_checked() -> None:
    found = review_data([[1.0], [1.0]], ["a"], ["A", "B"])
    table = to_table(found)
    assert table["rule"].to_list() == ["few units", "constant"]
    assert to_table(()).columns == table.columns
    with pytest.raises(DataError, match="importance: 1 found; expected a number above 1"):
        Thresholds(importance=1)
    with pytest.raises(DataError, match="available: 65 found"):
        Thresholds(available=65)
    with pytest.raises(DataError, match="units_per_indicator: -1 found"):
        Thresholds(units_per_indicator=-1)
    with pytest.raises(DataError, match="units: 1 found; expected 2"):
        review_data([[1.0], [1.0]], ["a"], ["A"])
    tree, need = three(*np.random.default_rng(1).normal(size=(3, 9)))
    with pytest.raises(UnknownNameError, match="node 'x/c' not found among the scores"):
        review_tree("x", tree, {p: v for p, v in need.items() if p != "x/c"})
