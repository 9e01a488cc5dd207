"""Steps before an index: each as its own function does it, in order, with every change kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.areas import Areas
from commonweal.errors import DataError
from commonweal.index import impute, screen, treat
from commonweal.index import rates as denominate
from commonweal.index import rates as shrink
from commonweal.index.prepare import Prepared, prepare
from commonweal.index.prepare_spec import PrepareStep
from commonweal.index.reshape import RESHAPES, slope
from commonweal.indicators import Counts, Indicator, Indicators

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAN = float("nan")
CODES = [f"A{i}" for i in range(1, 7)]
PEOPLE = [1000.0, 2000.0, 500.0, 4000.0, 1000.0, 3000.0]
DISTRICT = ["N", "N", "N", "S", "S", "S"]
NAMES = ("halls", "clubs", "turnout", "households")
VALUES = np.array(
    [
        [1.0, 4, 60, 400],
        [6, 8, 50, 1000],
        [NAN, NAN, 40, 250],
        [8, 16, NAN, 2000],
        [3, 2, 70, 500],
        [NAN, 9, 30, 1500],
    ]
)
ERRORS = np.full(VALUES.shape, NAN)
ERRORS[:, 2] = [2.0, 3, 1, NAN, 2, 4]


def areas(people: list[float | None] | None = None, district: Any = None) -> Areas:
    table = pl.DataFrame(
        {"code": CODES, "name": CODES, "population": people or PEOPLE, "d": district or DISTRICT}
    )
    return Areas("toy", "Toy", "place", "places", table, ("d",))


def table(
    values: NDArray[np.float64] = VALUES, errors: NDArray[np.float64] | None = ERRORS
) -> Indicators:
    ways: Any = ("less", "less", "less", "more")
    meta = tuple(
        Indicator(n, n.title(), "number", w, "s") for n, w in zip(NAMES, ways, strict=True)
    )
    return Indicators("toy", CODES, values, meta, errors)


def take(
    *steps: Any, on: Areas | None = None, of: Indicators | None = None, **more: Any
) -> Prepared:
    checked = [PrepareStep.model_validate(step) for step in steps]
    return prepare(of or table(), NAMES[:3], checked, on or areas(), **more)


def of(done: Prepared, name: str) -> list[float]:
    return done.indicators.values[:, done.indicators.column(name)].tolist()


def se(done: Prepared, name: str) -> list[float]:
    assert done.indicators.standard_errors is not None
    return done.indicators.standard_errors[:, done.indicators.column(name)].tolist()


def same(found: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# ---- known answers ------------------------------------------------------------------------------


def test_counts_become_rates() -> None:
    done = take({"denominate": {"by": "population", "of": ["halls", "clubs"], "per": 1000}})
    same(of(done, "halls"), [1, 3, NAN, 2, 3, NAN])
    same(of(done, "clubs"), [4, 4, NAN, 4, 2, 3])
    same(of(done, "turnout"), VALUES[:, 2].tolist())
    assert [m.unit for m in done.indicators.meta] == [
        "number per 1,000 residents", "number per 1,000 residents", "number",
    ]  # fmt: skip
    assert [m.name for m in done.indicators.meta] == list(NAMES[:3])  # the helpers have gone
    row = done.to_frame().row(1, named=True)
    assert row == {
        "areas": "toy", "step": 1, "kind": "denominate", "indicator": "halls", "code": "A2",
        "before": 6.0, "after": 3.0, "what": "per 1,000 residents", "why": "2,000 residents",
    }  # fmt: skip


def test_a_denominator_may_be_an_indicator_and_may_be_missing() -> None:
    done = take(
        {"denominate": {"by": "households", "of": ["clubs"]}},
        {"denominate": {"by": "population", "of": ["turnout"]}},
        on=areas([1000.0, None, 500.0, 4000.0, 1000.0, 3000.0]),
    )
    same(of(done, "clubs"), [0.01, 0.008, NAN, 0.008, 0.004, 0.006])
    assert np.isnan(of(done, "turnout")[1])
    lost = done.to_frame().filter(pl.col("what") == "no value left").row(0, named=True)
    assert (lost["code"], lost["before"], lost["after"]) == ("A2", 50, None)
    assert done.done[1].told == {
        "turnout": "divided, per residents; 1 lost, of which the residents are not known"
    }


def test_who_has_too_little_is_left_out_and_says_why() -> None:
    done = take({"screen": {"indicators": 0.8, "areas": 0.9}})
    # Halls: 4 of 6 areas. Of the two that stay, A3 lacks clubs and A4 turnout.
    assert done.indicators_out == {
        "halls": "left out: 66.7% of the areas have a value, where a share of 0.8 is needed"
    }
    why = "has 1 of 2 indicators, where a share of 0.9 is needed"
    assert done.areas_out == {"A3": why, "A4": why}
    assert [m.name for m in done.indicators.meta] == ["clubs", "turnout"]
    assert np.isnan(done.indicators.values[[2, 3]]).all()
    same(of(done, "turnout"), [60, 50, NAN, NAN, 70, 30])
    frame = done.to_frame()
    assert frame.select("indicator", "code").rows() == [("halls", None), (None, "A3"), (None, "A4")]


def test_gaps_are_filled_from_the_district() -> None:
    done = take({"impute": {"how": "group_median", "group": "d"}})
    same(of(done, "halls"), [1, 6, 3.5, 8, 3, 5.5])
    same(of(done, "turnout"), [60, 50, 40, 50, 70, 30])
    assert np.isnan(se(done, "turnout")[3])
    assert done.done[0].told == {
        "halls": "2 filled in",
        "clubs": "1 filled in",
        "turnout": "1 filled in",
    }
    cells = done.done[0].cells
    assert cells["why"].to_list()[0] == "median of units in N (n = 2)"
    assert cells["before"].null_count() == len(cells) == 4


def test_an_area_left_out_is_not_filled_in_again_nor_filled_in_from() -> None:
    done = take({"screen": {"areas": 0.6}}, {"impute": {"how": "group_mean", "group": "d"}})
    assert list(done.areas_out) == ["A3"]
    assert np.isnan(done.indicators.values[2]).all()
    # A4 lacks turnout; A5 and A6 have 70 and 30. N's mean would be of A1 and A2 alone.
    same(of(done, "turnout"), [60, 50, NAN, 50, 70, 30])
    other = take({"impute": {"how": "mean"}}, {"screen": {"areas": 0.6}})
    assert other.areas_out == {}


def test_the_order_of_steps_matters() -> None:
    rate = {"denominate": {"by": "population", "of": ["halls"], "per": 1000}}
    fill = {"impute": {"how": "mean", "of": ["halls"]}}
    same(of(take(rate, fill), "halls"), [1, 3, 2.25, 2, 3, 2.25])
    same(of(take(fill, rate), "halls"), [1, 3, 9, 2, 3, 1.5])  # the mean, 4.5, for 500 and 3,000


# ---- as the functions themselves do -------------------------------------------------------------


def random(n: int = 40) -> tuple[Indicators, Areas]:
    rng = np.random.default_rng(7)
    values = np.exp(rng.normal(size=(n, 4))) * [10, 3, 40, 500]
    values[0, :2] = [900, 300]
    values[rng.random((n, 4)) < 0.08] = np.nan
    values[:, 3] = rng.integers(1000, 3000, n)
    codes = [f"C{i:02d}" for i in range(n)]
    frame = pl.DataFrame(
        {
            "code": codes,
            "name": codes,
            "population": values[:, 3],
            "d": [f"d{i % 4}" for i in range(n)],
        }
    )
    meta = table().meta
    return Indicators("toy", codes, values, meta, values / 10), Areas(
        "toy", "", "", "", frame, ("d",)
    )


@pytest.mark.parametrize(
    ("how", "more"),
    [
        ("mean", {}),
        ("median", {}),
        ("group_mean", {"group": "d"}),
        ("group_median", {"group": "d"}),
        ("row_mean", {}),
        ("row_median", {}),
        ("regression", {"predictors": 2}),
    ],
)
def test_imputing_is_the_functions_own(how: str, more: dict[str, Any]) -> None:
    x, on = random()
    names, at = NAMES[:3], x.values[:, :3]
    nodes = {"index.civic": list(names)}
    expected = {
        "mean": lambda: impute.impute_columns(at, names, "mean"),
        "median": lambda: impute.impute_columns(at, names, "median"),
        "group_mean": lambda: impute.impute_columns(at, names, "mean", on.table["d"].to_list()),
        "group_median": lambda: impute.impute_columns(at, names, "median", on.table["d"].to_list()),
        "row_mean": lambda: impute.impute_rows(at, names, "mean", nodes, dict.fromkeys(names, -1)),
        "row_median": lambda: impute.impute_rows(
            at, names, "median", nodes, dict.fromkeys(names, -1)
        ),
        "regression": lambda: impute.impute_regression(at, names, 2),
    }[how]()
    done = take({"impute": {"how": how, **more}}, on=on, of=x, domains=nodes)
    np.testing.assert_array_equal(done.indicators.values, expected.values)
    assert len(done.done[0].cells) == len(expected.value) > 3
    if how == "regression":
        fit = expected.regressions[0]
        told = done.done[0].cells.filter(indicator=fit.indicator)["why"][0]
        assert f"R2 {fit.r2:.3f}, RMSE {fit.rmse:.4g}" in told


def test_treating_is_the_functions_own_and_each_may_have_its_own_rule() -> None:
    x, on = random()
    own = {"clubs": {"winsorise": 0}, "turnout": {"winsorise": 0, "reshape": "none"}}
    spec = {"skew": 1, "kurtosis": 2, "winsorise": 2, "each": own}
    rule = treat.TreatmentRule(1, 2, 2)
    expected = treat.treat(
        x.values[:, :3], NAMES[:3], rule, {"clubs": treat.TreatmentRule(1, 2, 0), "turnout": None}
    )
    done = take({"treat": spec}, on=on, of=x)
    np.testing.assert_array_equal(done.indicators.values, expected.values)
    log = treat.changes(expected)
    cells = done.done[0].cells
    assert cells["what"].to_list() == log.how.tolist()
    np.testing.assert_array_equal(cells["before"].to_numpy(), log.before)
    assert done.done[0].whole == tuple(s.name for s in expected.steps if s.reshape)
    assert done.done[0].told["turnout"].startswith("left as it is by its own rule (skew ")


def test_shrinking_is_the_functions_own() -> None:
    x, on = random()
    within = on.table["d"].to_list()
    keep = ~np.isnan(x.values[:, 2])
    done = take(
        {"shrink": {"to": "d", "of": ["halls"], "at_risk": "population", "per": 100}},
        {"shrink": {"to": "d", "of": ["turnout"], "sizes": "households"}},
        on=on,
        of=x,
    )
    counts = shrink.shrink_counts(x.values[:, 0], on.population, within)
    means = shrink.shrink_means(x.values[:, 2], x.values[:, 2] / 10, within, x.values[:, 3])
    same(of(done, "halls"), (100 * counts.value).tolist())
    same(se(done, "halls"), (100 * counts.standard_error).tolist())
    same(of(done, "turnout"), means.value.tolist())
    same(np.array(se(done, "turnout"))[keep].tolist(), means.standard_error[keep].tolist())
    first = done.to_frame().row(0, named=True)
    assert first["what"] == f"drawn to {within[0]}"
    assert first["why"].startswith(f"own weight {counts.weight[0]:.3f}, d ")


def test_screening_is_the_functions_own() -> None:
    x, on = random()
    done = take({"screen": {"areas": 0.9}}, on=on, of=x)
    expected = screen.screen_units(x.values[:, :3], x.codes, 0.9)
    out = [c for c, stays in zip(x.codes, expected.kept, strict=True) if not stays]
    assert list(done.areas_out) == out
    assert 0 < len(out) < 20


# ---- standard errors ----------------------------------------------------------------------------


def test_counts_stay_with_what_no_step_changed() -> None:
    read = replace(
        table(),
        counts={n: Counts(np.array([*range(1, 7)]) * 1.0, np.full(6, 9.0)) for n in NAMES[:3]},
    )
    steps = ({"denominate": {"by": "population", "of": ["halls"]}}, {"screen": {"areas": 0.6}})
    done = take(*steps, {"impute": {"how": "mean", "of": ["turnout"]}}, of=read)
    assert sorted(done.indicators.counts) == ["clubs", "turnout"]
    assert done.indicators.counts["clubs"] is read.counts["clubs"]


def test_standard_errors_are_carried_or_dropped_as_documented() -> None:
    divided = take({"denominate": {"by": "population", "of": ["turnout"], "per": 1000}})
    same(se(divided, "turnout"), [2, 1.5, 2, NAN, 2, 4 / 3])
    filled = take({"impute": {"how": "mean"}})
    same(se(filled, "turnout"), [2, 3, 1, NAN, 2, 4])
    x, on = random()
    brought_in = take({"treat": {"skew": 1, "kurtosis": 2, "winsorise": 9}}, on=on, of=x)
    there = ~np.isnan(x.values[:, 0])
    assert of(brought_in, "halls")[0] < 900
    same(np.array(se(brought_in, "halls"))[there].tolist(), (x.values[there, 0] / 10).tolist())


@pytest.mark.parametrize("name", RESHAPES)
@pytest.mark.parametrize("power", [0.0, 0.5, -1.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_slope_of_a_reshape_carries_errors(name: str, power: float, sign: int) -> None:
    """By finite differences, with the ends held still: they are taken as known."""
    values = sign * np.exp(np.random.default_rng(3).normal(size=30)) + 20
    inside = (values > values.min()) & (values < values.max())
    step = 1e-5 * inside
    up, down = (RESHAPES[name](values + s, power) for s in (step, -step))
    np.testing.assert_allclose(
        slope(values, name, power)[inside], ((up - down) / 2e-5)[inside], rtol=1e-4
    )
    assert (slope(values, name, power) > 0).all()


def test_reshaping_multiplies_errors_by_the_slope() -> None:
    x, on = random()
    spec = {
        "skew": 0.1,
        "kurtosis": 0.1,
        "winsorise": 3,
        "reshape": "box_cox",
        "combine": True,
        "of": ["halls"],
    }
    done = take({"treat": spec}, on=on, of=x)
    step = treat.treat(
        x.values[:, :1], ["halls"], PrepareStep.model_validate({"treat": spec}).treat.rule("halls")
    ).steps[0]  # type: ignore[union-attr]
    assert step.reshape == "box_cox"
    assert step.n_high
    held = np.clip(x.values[:, 0], step.floor, step.cap)
    same(se(done, "halls"), (x.values[:, 0] / 10 * slope(held, "box_cox", 0.5)).tolist())
    assert done.indicators.meta[0].unit == "box_cox of number"


# ---- the account --------------------------------------------------------------------------------


def test_the_account_leads_from_what_was_read_to_what_is_used() -> None:
    """Done again cell by cell, it gives the same values: nothing happened that is not in it."""
    x, on = random()
    done = take(
        {"screen": {"areas": 0.6}},
        {"impute": {"how": "group_median", "group": "d"}},
        {"denominate": {"by": "households", "of": ["clubs"], "per": 100}},
        {"treat": {"skew": 1, "kurtosis": 1, "winsorise": 1}},
        {"shrink": {"to": "d", "of": ["turnout"]}},
        on=on,
        of=x,
    )
    values = dict(zip(NAMES, x.values.T.copy(), strict=True))
    at = {code: i for i, code in enumerate(x.codes)}
    for row in done.to_frame().iter_rows(named=True):
        i = at[row["code"]]
        if row["indicator"] is None:
            for column in values.values():
                column[i] = np.nan
            continue
        now = values[row["indicator"]][i]
        assert (np.nan if row["before"] is None else row["before"]) == pytest.approx(
            now, nan_ok=True
        )
        values[row["indicator"]][i] = np.nan if row["after"] is None else row["after"]
    for name in NAMES[:3]:
        same(of(done, name), values[name].tolist())
    assert {d.step.kind for d in done.done if len(d.cells)} == {
        "screen", "impute", "denominate", "treat", "shrink",
    }  # fmt: skip
    np.testing.assert_array_equal(x.values, random()[0].values)  # what was read is as it was


def test_a_step_on_what_is_not_here_does_nothing() -> None:
    other = {"denominate": {"by": "pets", "of": ["dogs"]}}
    done = take(
        other, {"screen": {"indicators": 0.8}}, {"impute": {"how": "mean", "of": ["halls"]}}
    )
    assert [len(d.cells) for d in done.done] == [0, 1, 0]  # halls have been left out


def test_without_steps_nothing_happens() -> None:
    done = take()
    np.testing.assert_array_equal(done.indicators.values, VALUES[:, :3])
    assert done.done == ()
    assert done.to_frame().columns[:4] == ["areas", "step", "kind", "indicator"]


# ---- what is refused ----------------------------------------------------------------------------


SHRUNK = {"to": "d", "of": ["turnout"]}


@pytest.mark.parametrize(
    ("step", "on", "match"),
    [
        (
            {"denominate": {"by": "population", "of": ["clubs"]}},
            areas([0.0, 1, 1, 1, 1, 1]),
            r"prepare\.0\.denominate: denominator 'residents' of 'clubs' is 0 for unit 'A1'",
        ),
        (
            {"screen": {"indicators": 1}},
            areas(),
            r"prepare\.0\.screen: every indicator would be left out",
        ),
        (
            {"shrink": SHRUNK},
            areas(district=["N", None, "S", "S", "S", "S"]),
            r"prepare\.0\.shrink: area A2 has no d",
        ),
        (
            {"shrink": {**SHRUNK, "at_risk": "population"}},
            areas([1.0] * 6),
            r"prepare\.0\.shrink: area 'A1': 60 events of 1 at risk",
        ),
    ],
)
def test_what_cannot_be_done_names_the_step(step: Any, on: Areas, match: str) -> None:
    with pytest.raises(DataError, match=match):
        take(step, on=on)


def test_everyone_left_out_is_an_error() -> None:
    values = VALUES.copy()
    values[range(6), [0, 1, 2, 0, 1, 2]] = np.nan
    with pytest.raises(DataError, match="every area would be left out"):
        take({"screen": {"areas": 1}}, of=table(values))


def test_a_constant_is_named() -> None:
    values = VALUES.copy()
    values[:, 1] = 4
    with pytest.raises(DataError, match=r"prepare\.0\.treat: indicator 'clubs' is constant"):
        take({"treat": {}}, of=table(values))
    leave = {"treat": {"each": {"clubs": {"winsorise": 0, "reshape": "none"}}}}
    same(of(take(leave, of=table(values)), "clubs"), [4.0] * 6)


@pytest.mark.parametrize(
    ("step", "match"),
    [
        ({}, "found nothing; expected one of: denominate, screen, impute, treat, shrink"),
        ({"treat": {}, "screen": {"areas": 1}}, "found screen and treat; expected one of"),
        ({"screen": {}}, "expected a share under 'indicators', under 'areas', or both"),
        ({"impute": {"how": "group_mean"}}, "'how: group_mean' needs a 'group'"),
        ({"impute": {"how": "mean", "group": "d"}}, "'how: mean' does not take a 'group'"),
        ({"impute": {"how": "mean", "predictors": 3}}, "does not take 'predictors'"),
        ({"denominate": {"by": "a", "of": ["a"]}}, "'a' is under 'by' and under 'of'"),
        ({"denominate": {"by": "a", "of": ["b", "b"]}}, "'b' is under 'of' more than once"),
        ({"shrink": {"to": "d", "of": ["a"], "per": 100}}, "'per' goes with 'at_risk'"),
        ({"shrink": {"to": "d", "of": ["a"], "at_risk": "n", "sizes": "n"}}, "goes with means"),
    ],
)
def test_a_step_that_says_too_little_or_too_much(step: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        PrepareStep.model_validate(step)


def test_denominate_reads_the_same_as_the_function() -> None:
    x, on = random()
    done = take(
        {"denominate": {"by": "households", "of": ["halls", "clubs"], "per": 10}}, on=on, of=x
    )
    expected = denominate.denominate(
        x.values, NAMES, x.values[:, 3:], ["h"], {"halls": "h", "clubs": "h"}, 10
    )
    np.testing.assert_array_equal(done.indicators.values, expected[:, :3])
