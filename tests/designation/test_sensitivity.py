"""Which choice matters, against a second account: the same design, worked out draw by draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.designation import Rule, designate
from commonweal.designation.runs import vary
from commonweal.designation.uncertainty import Sensitivity, SensitivitySpec, sensitivity
from commonweal.errors import DataError, StudyError, UnknownNameError
from commonweal.index import Node, score
from commonweal.index.rank import rank
from commonweal.index.sensitivity import sobol_indices, sobol_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.designation import Designation
    from commonweal.index import Scores
    from commonweal.indicators import Indicators

    MakeAreas = Callable[..., Areas]
    MakeIndicators = Callable[..., Indicators]
    Case = tuple[dict[str, Scores], dict[str, Indicators], Areas]

N, SAMPLE = 50, 64
WEIGHTS = {"x": {"a": 0.5, "b": 0.3, "c": 0.2}, "y": {"d": 1.0, "e": 1.0}}
LADS = [f"L{i % 4}" for i in range(N)]
RULE = {"all": [{"index": "x", "worst": "40%"}, {"index": "y", "worst": "50%"}]}
VARY: list[dict[str, Any]] = [
    {"weights": "x", "dirichlet": 3},
    {"form": "y", "of": ["sum", "geometric"]},
    {"cut": [0.7, 1.3]},
]


@pytest.fixture
def case(areas_of: MakeAreas, indicators_of: MakeIndicators) -> Case:
    rng = np.random.default_rng(8)
    columns = {name: rng.normal(size=N) for name in "abcde"}
    columns["c"][4] = np.nan
    trees = {
        i: Node.model_validate(
            {"children": {n: {"indicator": n, "weight": w} for n, w in own.items()}}
        )
        for i, own in WEIGHTS.items()
    }
    given = {
        i: indicators_of(error=0.4, **{n: columns[n] for n in own}) for i, own in WEIGHTS.items()
    }
    return {i: score(i, trees[i], given[i]) for i in trees}, given, areas_of(N, LADS)


def spec(varied: list[dict[str, Any]] | None = None, **more: Any) -> SensitivitySpec:
    said = {"sample": SAMPLE, "seed": 3, "vary": VARY if varied is None else varied}
    return SensitivitySpec.model_validate({**said, **more})


def found_of(case: Case, said: SensitivitySpec, rule: dict[str, Any] = RULE) -> Sensitivity:
    scores, indicators, _ = case
    return sensitivity(designation_of(case, rule), said, scores, indicators)


def designation_of(case: Case, rule: dict[str, Any] = RULE) -> Designation:
    return designate("d", Rule.model_validate(rule), case[0], case[2])


def test_the_answers_are_those_of_the_design_worked_out_by_itself(case: Case) -> None:
    """The runs one by one, and COINr's estimators on what they gave."""
    found, designation = found_of(case, spec()), designation_of(case)
    varied = vary(designation, spec().vary, *case[:2], 1024, 3)
    a, b = sobol_sample(SAMPLE, 3, 3)
    design = [a, b, *(np.where(np.arange(3) == i, b, a) for i in range(3))]
    runs = [[varied.run(row[None]) for row in u] for u in design]

    def estimates(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return sobol_indices(y[0], y[1], y[2:].T)

    selected = np.array([[run[2][0] for run in u] for u in runs])
    changed = (selected != designation.selected).sum(axis=2).astype(float)
    np.testing.assert_allclose(found.whole[""].total[:, 0], estimates(changed)[1])
    for path, s in case[0].items():
        stated = rank(s.score)
        there = ~np.isnan(stated)
        ranks = np.array([[run[0][path].ranks[0] for run in u] for u in runs]).astype(float)
        shift = np.abs(ranks[:, :, there] - stated[there]).mean(axis=2)
        np.testing.assert_allclose(found.whole[path].total[:, 0], estimates(shift)[1])
        area = int(np.nanargmax(found.ranks[path].variance))
        total = estimates(ranks[:, :, area])[1]
        np.testing.assert_allclose(found.ranks[path].total[:, area], total, rtol=1e-9)
    turned = (selected[2:] != selected[0]).mean(axis=1)
    np.testing.assert_allclose(found.moves, turned, atol=1e-12)
    for area in range(N):
        most = turned[:, area].max()
        assert found.mover[area] == (turned[:, area].argmax() if most > 0 else -1)
    assert (found.mover == -1).any()
    assert len({*found.mover}) == 4  # each of the three is some area's


def test_what_does_not_act_on_an_index_does_nothing_to_its_ranks(case: Case) -> None:
    found = found_of(case, spec())
    assert found.whole["x"].total[1:, 0].tolist() == [0, 0]
    assert found.whole["y"].total[[0, 2], 0].tolist() == [0, 0]
    assert found.whole["x"].total[0, 0] == pytest.approx(1, abs=0.2)
    assert np.isnan(found.ranks["x"].total[:, 4]).all()  # it has no score


def test_a_planted_choice_between_the_same_never_moves_anything(case: Case) -> None:
    planted = {"transform": "x", "of": ["exponential", "exponential"], "name": "planted"}
    found = found_of(case, spec([*VARY, planted]))
    assert found.inputs[3] == "planted"
    assert (found.moves[3] == 0).all()
    assert not (found.mover == 3).any()
    assert all(found.whole[of].total[3, 0] == 0 for of in ("", "x", "y"))


def test_a_cut_alone_moves_what_it_passes_over(case: Case) -> None:
    found = found_of(case, spec([{"cut": [0.5, 1.5]}]), {"index": "x", "worst": 20})
    ranks = case[0]["x"].rank
    # Between 10 and 30 places: who ranks up to 9 is always in, and beyond 29 always out.
    np.testing.assert_array_equal(found.mover == 0, (ranks > 10) & (ranks < 30))
    share = np.clip((30 - ranks) / 20, 0, 1)  # of the draws in which the area is in
    np.testing.assert_allclose(found.moves[0], np.nan_to_num(2 * share * (1 - share)), atol=0.1)
    assert not found.ranks


def test_a_condition_on_a_domain_has_ranks_of_its_own(case: Case) -> None:
    said = spec([{"standard_errors": ["a"]}, *VARY[:1]])
    found = found_of(case, said, {"index": "x.a", "worst": 10})
    assert set(found.ranks) == {"x", "x/a"}
    assert found.whole["x/a"].total[1, 0] == 0  # weights above do not move it
    assert set(found.mover) == {-1, 0}
    assert "x.a.rank.a.standard_errors.total" in found.areas_frame().columns


def test_an_index_that_is_carried_to_other_areas(case: Case, areas_of: MakeAreas) -> None:
    scores, indicators, here = case
    there = areas_of(25, system="new", letter="B")
    pairs = pl.DataFrame({"origin": here.codes, "destination": [f"B{i // 2:05}" for i in range(N)]})
    moved = {"x": scores["x"].moved(crosswalk_from_pairs(here, there, pairs))}
    d = designate("d", Rule.model_validate({"index": "x", "worst": "20%"}), moved, there)
    found = sensitivity(d, spec(VARY[:1]), moved, {"x": indicators["x"]})
    assert found.moves.shape == (1, 25)
    assert 0 < (found.mover == 0).sum() < 25


def test_the_frames(case: Case) -> None:
    found = found_of(case, spec(pairs=True, intervals=20))
    frame = found.to_frame()
    assert frame.columns == [
        "of", "measure", "assumption", "with", "first", "first_low", "first_high", "total",
        "total_low", "total_high", "second",
    ]  # fmt: skip
    assert frame["of"].unique(maintain_order=True).to_list() == ["d", "x", "y"]
    pairs = frame.filter(pl.col("with").is_not_null())
    assert len(pairs) == 3 * 3
    assert pairs["first"].null_count() == 9
    single = frame.filter(pl.col("with").is_null())
    assert single["second"].null_count() == len(single) == 9
    assert (single["total_low"] <= single["total_high"]).all()
    areas = found.areas_frame()
    assert areas["code"].to_list() == found.codes
    assert set(areas["mover"].to_list()) == {None, *found.inputs}
    np.testing.assert_allclose(areas["moves"], found.moves.max(axis=0))
    assert (areas.filter(pl.col("mover").is_null())["moves"] == 0).all()
    assert found_of(case, spec(intervals=0)).to_frame()["total_low"].null_count() == 9


def test_the_same_seed_is_the_same_bytes(case: Case) -> None:
    one, two = found_of(case, spec()), found_of(case, spec())
    assert one.to_frame().equals(two.to_frame())
    assert one.areas_frame().equals(two.areas_frame())
    assert not one.areas_frame().equals(found_of(case, spec(seed=4)).areas_frame())


def test_progress_counts_the_runs(case: Case) -> None:
    told: list[tuple[str, int, int]] = []
    scores, indicators, _ = case
    sensitivity(designation_of(case), spec(), scores, indicators, lambda *x: told.append(x))
    assert told[-1] == ("sensitivity", SAMPLE * 5, SAMPLE * 5)


@pytest.mark.parametrize(
    ("more", "said"),
    [({"sample": 100}, "found 100; expected a power of 2, such as 128"), ({"sample": 1}, "2"),
     ({"intervals": -1}, "0"), ({"smaple": 4}, "did you mean 'sample'"), ({"vary": [{"cuts": 1}]}, "'cut'")],
)  # fmt: skip
def test_what_a_spec_refuses(more: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        SensitivitySpec.model_validate(more)


@pytest.mark.parametrize(
    ("varied", "error", "said"),
    [
        ([], StudyError, r"sensitivity\.vary: nothing varies; expected weights"),
        ([{"cut": [1, 1]}], StudyError, "nothing varies"),
        ([{"weights": "z", "dirichlet": 5}], UnknownNameError, "'z' not found"),
        ([*VARY, VARY[0]], DataError, "'x.weights' is there more than once"),
    ],
)
def test_errors(case: Case, varied: list[Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        found_of(case, spec(varied))


def test_an_index_against_a_base_is_not_taken_for_one_against_itself(
    case: Case, indicators_of: MakeIndicators
) -> None:
    from commonweal.index.score import fit_base

    scores, indicators, areas = case
    tree, own = scores["y"].tree, indicators["y"]
    years = indicators_of(d=own.values[:, 0] + 3, e=own.values[:, 1] * 2)
    on_base = {**scores, "y": score("y", tree, own, fit_base("y", tree, [years]))}
    d = designate("d", Rule.model_validate(RULE), on_base, areas)
    with pytest.raises(DataError, match="index y is measured against a base"):
        sensitivity(d, spec(), on_base, indicators)
