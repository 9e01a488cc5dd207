"""Treatment of outliers: COINr's decisions and values, and what must hold of any."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import boxcox_llf, boxcox_normmax

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.describe import skew_kurtosis
from commonweal.index.reshape import RESHAPES, ReshapeName, box_cox, likeliest_power
from commonweal.index.treat import Treated, TreatmentRule, changes, treat, winsorise

from . import golden

STRICT = TreatmentRule(skew=1.5, kurtosis=3, winsorise=3)
RULES = {
    "default": TreatmentRule(),
    "winmax3_strict": STRICT,
    "winmax1": TreatmentRule(winsorise=1),
    "combine": TreatmentRule(winsorise=2, combine=True),
    "logCTplus": TreatmentRule(winsorise=1, reshape="log_either"),
    "logCTorig": TreatmentRule(winsorise=1, reshape="box_cox", power=0),
    "logGII": TreatmentRule(winsorise=1, reshape="log_gii"),
    "boxcox": TreatmentRule(winsorise=1, reshape="box_cox", power=0.5),
    "nolimit": TreatmentRule(winsorise=None),
    "indiv": TreatmentRule(),
}
OWN: dict[str, TreatmentRule | None] = {
    "Flights": None,
    "Bord": TreatmentRule(winsorise=2),
    "FDI": TreatmentRule(winsorise=0),
}
NO_OP = "differs: COINr's log_GII returns the values as they were; ours transforms them"
LABELS = (
    "differs: in labels alone; COINr's also name winsorising that it discarded before a logarithm, "
    "and label missing values"
)
for case in RULES:
    golden.CHECKED[f"treat_{case}_dets.csv"] = NO_OP if case == "logGII" else "matched"
    logs = case in {"winmax3_strict", "winmax1", "logCTplus", "logCTorig", "combine", "indiv"}
    golden.CHECKED[f"treat_{case}_points.csv"] = LABELS if logs else "matched"
golden.CHECKED["treat_logGII_points.csv"] = NO_OP
golden.CHECKED["treat_boxcox_points.csv"] = (
    "differs: COINr labels no value that it transforms by Box-Cox; ours are listed"
)
golden.CHECKED.update(
    {
        "treat_q_default_x.csv": "matched",
        "treat_q_w3_x.csv": "matched",
        "example_Treated.csv": "matched",
        "example_Treated_Dets_Table.csv": "matched",
        "example_Treated_Points.csv": "matched",
        "timing/ref33755_treat_dets.csv.gz": "matched",
        "timing/ref33755_treat_colstats.csv.gz": "matched",
    }
)


def run(case: str) -> Treated:
    own = OWN if case == "indiv" else {}
    return treat(golden.matrix(golden.RAW), golden.names(), RULES[case], own)


def is_the_table(file: str, done: Treated, rule: TreatmentRule, no_op: bool = False) -> None:
    """Compare the steps with COINr's table of skew and kurtosis after each stage."""
    steps = {step.name: step for step in done.steps if step.passes is not None}
    assert golden.texts(file, "iCode") == list(steps)
    own = OWN if "indiv" in file else {}
    for row in golden.rows(file):
        step, its = steps[row["iCode"]], own.get(row["iCode"]) or rule
        stages = [s for s in (step.before, step.winsorised, step.reshaped) if s is not None]
        for i in range(3):
            said = row.get(f"check_SkewKurt{i}.Pass", "NA")
            assert (said == "NA") == (i >= len(stages)), (step.name, i)
            if i < len(stages):
                skew, kurtosis = stages[0] if no_op and i == 2 else stages[i]
                assert (said == "TRUE") == its.passes(skew, kurtosis)
                golden.agrees(skew, float(row[f"check_SkewKurt{i}.Skew"]))
                golden.agrees(kurtosis, float(row[f"check_SkewKurt{i}.Kurt"]))
        tried = row["winsorise.nwin"]
        assert step.n_tried == (0 if tried == "NA" else int(tried)), step.name


@pytest.mark.parametrize("case", RULES)
def test_decisions_are_those_of_coinr(case: str) -> None:
    is_the_table(f"treat_{case}_dets.csv", run(case), RULES[case], no_op=case == "logGII")


BOX_COX = {"logCTorig": "log_CT_orig"}
COINRS = {"log": "log_CT", "log_either": "log_CT", "log_gii": "log_GII"}


def coinrs_labels(done: Treated, own: str = "") -> dict[str, list[str]]:
    """Label every value as COINr does, from the list of what was done to which value."""
    listed = changes(done)
    labels = np.full(done.values.shape, "", dtype="<U32")
    labels[listed.unit, listed.indicator] = listed.how
    for j, step in enumerate(done.steps):
        column, was = labels[:, j], done.before[:, j]
        column[column == "winsorised high"] = "winhi"
        column[column == "winsorised low"] = "winlo"
        if step.reshape:
            called = COINRS.get(step.reshape, own)
            column[:] = f"+{called}" if called and step.winsorised is not None else called
            if step.n_tried:  # what was brought in, though it may have been discarded since
                brought_in = was > np.sort(was[~np.isnan(was)])[-step.n_tried - 1]
                column[brought_in] = f"winhi+{called}" if called else "winhi"
    return {step.name: labels[:, j].tolist() for j, step in enumerate(done.steps)}


@pytest.mark.parametrize("case", RULES)
def test_what_was_done_to_which_value_is_what_coinr_did(case: str) -> None:
    file, labels = f"treat_{case}_points.csv", coinrs_labels(run(case), BOX_COX.get(case, ""))
    for name in golden.columns(file):
        assert labels[name] == golden.texts(file, name), name


@pytest.mark.parametrize(
    ("file", "rule"), [("treat_q_default_x.csv", TreatmentRule()), ("treat_q_w3_x.csv", STRICT)]
)
def test_treated_values_are_those_of_coinr(file: str, rule: TreatmentRule) -> None:
    names = golden.names()
    done = treat(golden.matrix(golden.RAW), names, rule)
    golden.agrees(done.values, golden.matrix(file, names))


def test_the_worked_example_is_treated_as_in_coinr() -> None:
    names = golden.names()
    done = treat(golden.matrix("example_Screened.csv", names), names)
    golden.agrees(done.values, golden.matrix("example_Treated.csv", names))
    is_the_table("example_Treated_Dets_Table.csv", done, TreatmentRule())
    labels = coinrs_labels(done)
    for name in names:
        assert labels[name] == golden.texts("example_Treated_Points.csv", name)


def test_every_neighbourhood_of_the_timing_input_is_treated_as_in_coinr() -> None:
    file = "timing/timing_iData_33755.csv.gz"
    names = golden.columns(file)
    done = treat(golden.matrix(file), names)
    is_the_table("timing/ref33755_treat_dets.csv.gz", done, TreatmentRule())
    y = done.values
    ours = {"mean": y.mean(axis=0), "sd": y.std(axis=0, ddof=1), "min": y.min(0), "max": y.max(0)}
    for row in golden.rows("timing/ref33755_treat_colstats.csv.gz"):
        golden.agrees(ours[row["stat"]], [float(row[name]) for name in names])


def test_log_gii_does_what_its_name_says() -> None:
    done, nothing = run("logGII"), run("winmax1")
    reshaped = [j for j, step in enumerate(done.steps) if step.reshape]
    assert len(reshaped) == 9
    for j in reshaped:
        x, y = done.before[:, j], done.values[:, j]
        low, high = np.nanmin(x), np.nanmax(x)
        golden.agrees(y, np.log((high - 1) * (x - low) / (high - low) + 1))
        assert abs(done.steps[j].reshaped[0]) < abs(done.steps[j].before[0])  # type: ignore[index]
        assert nothing.steps[j].reshape == "log"
    x = np.array([[0.01], [0.02], [0.02], [0.03], [0.02], [0.04], [0.9]])
    with pytest.raises(DataError, match=r"'rate': log_gii of a maximum of 0\.9; expected .* above"):
        treat(x, ["rate"], TreatmentRule(winsorise=0, reshape="log_gii"))


EDGE = [
    ("log_CT", "log", 0.0),
    ("log_CT_plus", "log_either", 0.0),
    ("log_CT_orig", "box_cox", 0.0),
    ("boxcox_0", "box_cox", 0.0),
    ("boxcox_05", "box_cox", 0.5),
]


def edge(fun: str) -> dict[str, tuple[list[float], list[float], str]]:
    """Read COINr's small cases of one function: x, y and the condition it raised."""
    cases: dict[str, tuple[list[float], list[float], str]] = {}
    for row in golden.rows("edge_vectors.csv"):
        if row["fun"] == fun:
            x, y, _ = cases.setdefault(row["case"], ([], [], row["condition"]))
            x.append(float(row["x"].replace("NA", "nan")))
            y.append(float(row["y"].replace("NA", "nan").replace("Inf", "inf")))
    return cases


@pytest.mark.parametrize(("theirs", "ours", "power"), EDGE)
def test_transformations_of_small_cases_are_coinrs(theirs: str, ours: str, power: float) -> None:
    for case, (x, y, _) in edge(theirs).items():
        if case not in {"const", "one", "allNA", "two"}:  # too few values to be treated
            golden.agrees(RESHAPES[ours](np.array(x), power), y)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("power", [-0.5, 0.0, 0.3, 1.0])
def test_the_likeliest_power_is_scipys_and_the_one_planted(seed: int, power: float) -> None:
    rng = np.random.default_rng([seed, int(10 * power + 20)])
    z = rng.normal(3, 0.3, 3000) if power < 0 else rng.normal(12, 2, 3000)
    x = np.exp(z / 4) if power == 0 else np.abs(1 - 0.2 * z if power < 0 else z) ** (1 / power)
    x = x - x.min() + 1  # a minimum of 1, so that the shift does nothing
    found = likeliest_power(np.r_[x, np.nan])
    assert found == pytest.approx(boxcox_normmax(x, method="mle"), abs=1e-4)
    # On the plain sum of logs: no power of a fine grid is likelier.
    grid = np.linspace(-2, 2, 41)
    assert boxcox_llf(found, x) >= max(boxcox_llf(p, x) for p in grid) - 1e-6


def test_a_power_that_is_found_is_told_and_makes_the_indicator_pass() -> None:
    x = np.random.default_rng(3).normal(9, 1, 400)[:, None] ** 6
    rule = TreatmentRule(skew=0.5, kurtosis=0.5, winsorise=0, reshape="box_cox", power="mle")
    step = treat(x, ["pubs"], rule).steps[0]
    assert step.passes
    assert step.power == likeliest_power(x[:, 0])
    given_power = treat(x, ["pubs"], replace(rule, power=0.25)).steps[0]
    assert given_power.power == 0.25
    assert treat(x, ["pubs"], replace(rule, reshape="log")).steps[0].power is None


def test_a_power_that_leaves_no_difference_is_refused() -> None:
    x = 10.0 ** np.linspace(0, 12, 30)
    with pytest.raises(DataError, match="'pubs': box_cox by -2 makes values alike that are not"):
        treat(x[:, None], ["pubs"], TreatmentRule(winsorise=0, reshape="box_cox", power=-2.0))
    assert len(np.unique(box_cox(x, -0.5))) == 30


def test_winsorising_small_cases_is_coinrs() -> None:
    for case, (x, y, condition) in edge("winsorise").items():
        if "ERROR" in condition:
            with pytest.raises(DataError, match="at least 4 values"):
                winsorise(x)
        else:
            golden.agrees(winsorise(x)[0], y, 0), case


def test_winsorising_never_makes_a_constant() -> None:
    x = np.zeros(50)
    x[0] = 1.0  # COINr's next step would make every value 0, and then it fails
    held, low, high = winsorise(x)
    assert held.tolist() == x.tolist()
    assert (low, high) == (0, 0)
    done = treat(x[:, None], ["halls"])
    assert done.steps[0].passes is False


def test_both_ends_are_brought_in_as_the_skew_turns() -> None:
    x = np.r_[np.linspace(-1, 1, 30), -400.0, 100.0]
    held, low, high = winsorise(x)
    assert (low, high) == (1, 1)
    assert held.min() == -1
    assert held.max() == 1
    done = treat(x[:, None])
    assert (done.steps[0].floor, done.steps[0].cap) == (-1, 1)
    assert done.steps[0].passes is True
    listed = changes(done)
    assert listed.how.tolist() == ["winsorised low", "winsorised high"]
    assert listed.before.tolist() == [-400.0, 100.0]


def test_what_needs_no_treatment_passes_and_is_left() -> None:
    x = np.arange(20.0)[:, None]
    done = treat(x)
    assert done.steps[0].passes is True
    assert (done.steps[0].floor, done.steps[0].cap) == (-np.inf, np.inf)
    assert done.values.tolist() == x.tolist()
    assert len(changes(done).unit) == 0


@pytest.mark.parametrize("away", [0.0, 2.0**30, -(2.0**34)])
def test_where_the_zero_is_does_not_matter(away: float) -> None:
    """Years or degrees: the same distances, far from 0, are treated alike to the bit."""
    x = np.r_[np.arange(40.0), 900.0, 1000.0, -700.0]
    held, low, high = winsorise(x + away)
    plain = winsorise(x)
    assert (low, high) == plain[1:]
    assert high > 0
    np.testing.assert_array_equal(held - away, plain[0])


def slowly(x: np.ndarray, rule: TreatmentRule) -> np.ndarray:
    """Winsorise one step at a time, with moments taken anew each time."""
    x, n_done = x.copy(), 0
    high = low = 0
    limit = np.inf if rule.winsorise is None else rule.winsorise
    while not rule.passes(*map(float, skew_kurtosis(x))) and n_done < limit:
        ends = (x == np.nanmax(x)) if skew_kurtosis(x)[0] >= 0 else (x == np.nanmin(x))
        if len(np.unique(x[~ends & ~np.isnan(x)])) < 2:
            break
        if skew_kurtosis(x)[0] >= 0:
            x[ends], high = np.nanmax(x[~ends]), int(ends.sum())
        else:
            x[ends], low = np.nanmin(x[~ends]), int(ends.sum())
        n_done = low + high
    return x


@given(
    st.integers(0, 10_000),
    st.sampled_from([None, 1, 3, 10]),
    st.booleans(),
    st.integers(0, 3),
)
def test_moments_from_the_middle_decide_as_moments_taken_anew(
    seed: int, limit: int | None, ties: bool, n_missing: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_t(1.2, size=int(rng.integers(6, 40))) * 10
    x = np.where(rng.random(len(x)) < 0.5, x, np.abs(x))
    x = np.r_[x.round() if ties else x, [np.nan] * n_missing]
    if np.isnan(skew_kurtosis(x)[1]):
        return
    rule = TreatmentRule(winsorise=limit)
    golden.agrees(winsorise(x, rule)[0], slowly(x, rule), 0)


@given(
    arrays(np.float64, (20, 2), elements=st.integers(-9, 9)),
    st.permutations(range(20)),
    st.sampled_from(["log", "log_either", "box_cox"]),
    st.booleans(),
)
def test_treatment_keeps_order_and_ignores_the_order_of_units(
    x: np.ndarray, order: list[int], reshape: str, combine: bool
) -> None:
    x = x + np.arange(20.0)[:, None] ** 4  # a long tail
    x[3, 0] = np.nan
    rule = TreatmentRule(winsorise=2, reshape=reshape, combine=combine)
    done = treat(x, rule=rule)
    assert np.isnan(done.values[3, 0])
    golden.agrees(treat(x[order], rule=rule).values, done.values[order], absolute=1e-9)
    for before, after in zip(x.T, done.values.T, strict=True):
        here = ~np.isnan(before)
        by_before = np.argsort(before[here], kind="stable")
        assert (np.diff(after[here][by_before]) >= 0).all()
    listed = changes(done)
    rebuilt = x.copy()
    rebuilt[listed.unit, listed.indicator] = listed.after
    golden.agrees(rebuilt, done.values, 0)


def test_errors_name_the_indicator_and_the_range() -> None:
    x = np.array([[1.0, 0.1, np.nan]] * 5)
    x[:, 0] = range(5)
    for name in ("flat", "empty"):
        own = {other: None for other in ("flat", "empty") if other != name}
        with pytest.raises(DataError, match=f"'{name}' is constant or has fewer than 4"):
            treat(x, ["pubs", "flat", "empty"], own=own)
    left = treat(x, ["pubs", "flat", "empty"], own={"flat": None, "empty": None})
    golden.agrees(left.values, x)
    assert left.steps[1].passes is None
    with pytest.raises(UnknownNameError, match="did you mean 'pubs'"):
        treat(x, ["pubs", "flat", "empty"], own={"pubbs": None})
    with pytest.raises(UnknownNameError, match="reshape 'log_CT' not found; "):
        TreatmentRule(reshape="log_CT")  # type: ignore[arg-type]
    assert set(RESHAPES) == set(get_args(ReshapeName))
    with pytest.raises(UnknownNameError, match=r"'skw' not found \(the rule of 'pubs'\); did you"):
        treat(x, ["pubs", "flat", "empty"], own={"pubs": {"skw": 1}})
    with pytest.raises(
        DataError, match=r"the rule for all: winsorise: 2\.5 found; expected a whole"
    ):
        treat(x, ["pubs", "flat", "empty"], {"winsorise": 2.5})
    with pytest.raises(DataError, match="skew: -2 found; expected a number above 0"):
        TreatmentRule(skew=-2)
    for power in ("ml", np.nan):
        with pytest.raises(
            DataError, match=f"power: {power!r} found; expected a finite number, or 'mle'"
        ):
            TreatmentRule(power=power)  # type: ignore[arg-type]
    with pytest.raises(
        DataError, match="winsorise: -1 found; expected a whole number of 0 or more, or None"
    ):
        TreatmentRule(winsorise=-1)
