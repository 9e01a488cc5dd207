"""How sure it is, against a second account of the same draws: plain numpy, one draw at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import numba
import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata

from commonweal.areas import Areas, Crosswalk, crosswalk_from_pairs
from commonweal.designation import Certainty, Rule, designate
from commonweal.designation.uncertainty import CertaintySpec, certainty
from commonweal.errors import DataError, StudyError, UnknownNameError
from commonweal.index import Node, score, uncertainty
from commonweal.index.kernels import carry_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.index import Scores
    from commonweal.indicators import Indicators

    MakeAreas = Callable[..., Areas]
    MakeIndicators = Callable[..., Indicators]

N, DRAWS, ERROR = 50, 150, 0.4
WEIGHTS = {"x": {"a": 0.5, "b": 0.3, "c": 0.2}, "y": {"d": 1.0, "e": 1.0}}
LADS = [f"L{i % 4}" if i % 11 else None for i in range(N)]
ROOTS = [{"weights": "x", "dirichlet": 5}, {"weights": "y", "interval": 0.4}]
VARY: dict[str, list[dict[str, object]]] = {
    "weights": ROOTS,
    "one index": ROOTS[:1],
    "form": [{"form": "x", "of": ["sum", "geometric"]}],
    "errors": [{"standard_errors": "all"}],
    "cut": [{"cut": [0.5, 1.5]}],
    "a law of the cut": [
        {"setting": "cut", "node": "x", "triangular": [0.5, 1, 2]},
        {"weights": "all", "levels": [{"uniform": True}]},
    ],
    "settings": [
        {"setting": "transform.scale", "node": "x", "uniform": [5, 60]},
        {"form": "x", "of": ["mean_min", "arithmetic"]},
    ],
    "everything": [
        *ROOTS,
        {"form": "x", "of": ["arithmetic", "geometric"]},
        {"standard_errors": ["a", "d"]},
        {"cut": [0.7, 1.3]},
    ],
}
WORST = {"index": "x", "worst": "20%"}
RULES: dict[str, dict[str, object]] = {
    "worst": WORST,
    "number": {"index": "y", "worst": 7},
    "score above": {"index": "x", "score_above": 40},
    "within": {"index": "x", "worst": "25%", "within": "lad"},
    "both": {"all": [WORST, {"index": "y", "worst": "40%"}]},
    "any and not": {"any": [{"not": {"index": "y", "worst": "90%"}}, {"index": "x", "worst": 3}]},
    "excluding": {**WORST, "excluding": ["A00003", "A00004"]},
    "capped": {**WORST, "at_most": {"number": 1, "within": "lad", "by": "y"}},
    "domain": {"any": [{"index": "x.b", "worst": 6}, {"index": "y.d", "worst": "10%", "within": "lad"}]},
}  # fmt: skip


def data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    columns = {name: rng.normal(size=N) for name in "abcde"}
    columns["c"][[4, 17]] = np.nan
    columns["d"] = np.round(columns["d"], 1)
    return columns


def study(
    indicators_of: MakeIndicators, columns: dict[str, np.ndarray], available: float = 1
) -> tuple[dict[str, Scores], dict[str, Indicators]]:
    trees = {
        i: Node.model_validate(
            {
                "available": available,
                "children": {n: {"indicator": n, "weight": w} for n, w in weights.items()},
            }
        )
        for i, weights in WEIGHTS.items()
    }
    given = {
        i: indicators_of(error=ERROR, **{n: columns[n] for n in w}) for i, w in WEIGHTS.items()
    }
    return {i: score(i, trees[i], given[i]) for i in trees}, given


def spec(vary: list[dict[str, object]], draws: int = DRAWS, seed: int = 3) -> CertaintySpec:
    return CertaintySpec.model_validate({"draws": draws, "seed": seed, "vary": vary})


def x_of(values: np.ndarray, scale: float = 23) -> np.ndarray:
    """Exponential of the middle rank, from the formula."""
    out, there = np.full(len(values), np.nan), ~np.isnan(values)
    n = there.sum()
    share = (n + 1 - rankdata(-values[there])) / n
    out[there] = -scale * np.log(1 - share * (1 - np.exp(-100 / scale)))
    return out


class Again:
    """The draws once more, from what the result says that each used."""

    def __init__(self, sure: Certainty, columns: dict[str, np.ndarray]) -> None:
        self.sure, self.columns = sure, columns
        self.used = sure.draws_frame().to_dicts()

    def needs(self, draw: int) -> dict[str, np.ndarray]:
        """Score of each index and leaf in one draw, by path."""
        used, out = self.used[draw], {}
        noisy = "ad" if "a+d.standard_errors" in used else ""
        noisy = "abcde" if "standard_errors" in used else noisy
        for index, weights in WEIGHTS.items():
            w = np.array([used.get(f"{index}.{n}.weight", weights[n]) for n in weights])
            how = used.get(f"{index}.form", "sum")
            scale = used.get(f"{index}.transform.scale", 23)
            for name in weights:
                out[f"{index}/{name}"] = self.columns[name]
                if name in noisy:
                    rng = np.random.default_rng([self.sure.seed, 0x5E, draw, crc32(name.encode())])
                    noise = rng.standard_normal(N) * ERROR
                    out[f"{index}/{name}"] = self.columns[name] + noise
            x = np.column_stack([x_of(out[f"{index}/{name}"], scale) for name in weights])
            if how == "geometric":
                out[index] = np.exp((np.log(x) * w).sum(axis=1) / w.sum())
            elif how == "mean_min":
                mean = (x * w).sum(axis=1) / w.sum()
                out[index] = mean + 0.5 * (x.max(axis=1) - mean)
            else:
                out[index] = (x * w).sum(axis=1) / (w.sum() if how == "arithmetic" else 1)
        return out

    def factor(self, draw: int, index: str) -> float:
        used = self.used[draw]
        return used.get("cut", 1.0) * used.get(f"{index}.cut", 1.0)

    def holds(
        self, condition: dict[str, object], draw: int, needs: dict[str, np.ndarray]
    ) -> np.ndarray:
        need = needs[str(condition["index"]).replace(".", "/")]
        if "score_above" in condition:
            return np.nan_to_num(need, nan=-np.inf) > condition["score_above"]
        worst, groups = condition["worst"], np.zeros(N, dtype=object)
        if "within" in condition:
            groups = np.array(LADS, dtype=object)
        held = np.zeros(N, dtype=bool)
        for g in {*groups} - {None}:
            at = np.flatnonzero((groups == g) & ~np.isnan(need))
            k = (
                min(worst, len(at))
                if isinstance(worst, int)
                else len(at) * int(worst.rstrip("%")) / 100
            )
            limit = np.floor(k * self.factor(draw, str(condition["index"])) + 1e-9)
            held[at] = rankdata(-need[at], "min") <= limit
        return held

    def rule(
        self, rule: dict, draw: int, needs: dict[str, np.ndarray], stated: dict[str, np.ndarray]
    ) -> np.ndarray:
        if "all" in rule:
            out = np.logical_and.reduce([self.rule(r, draw, needs, stated) for r in rule["all"]])
        elif "any" in rule:
            out = np.logical_or.reduce([self.rule(r, draw, needs, stated) for r in rule["any"]])
        elif "not" in rule:
            out = ~self.rule(rule["not"], draw, needs, stated)
        else:
            out = self.holds(rule, draw, needs)
        for code in rule.get("excluding", ()):
            out[int(code[1:])] = False
        if "at_most" in rule:
            by, kept = stated[rule["at_most"]["by"]], np.zeros(N, dtype=bool)
            for g in {*LADS}:
                at = [i for i in range(N) if LADS[i] == g and out[i]]
                if at:
                    line = sorted(by[at])[::-1][: rule["at_most"]["number"]][-1]
                    kept[[i for i in at if by[i] >= line]] = True
            out = kept
        return out


#: Every rule with everything varying, and each way of varying alone with the rules it can trip.
CASES = [("everything", r) for r in RULES] + [
    (v, r) for v in VARY if v != "everything" for r in ("worst", "both", "within", "domain")
]


@pytest.mark.slow
@pytest.mark.parametrize(("how", "which"), CASES)
def test_probabilities_are_those_of_a_plain_loop(
    areas_of: MakeAreas,
    indicators_of: MakeIndicators,
    how: str,
    which: str,
) -> None:
    vary, rule, columns = VARY[how], RULES[which], data()
    scores, indicators = study(indicators_of, columns)
    areas = areas_of(N, LADS)
    designation = designate("d", Rule.model_validate(rule), scores, areas)
    sure = certainty(designation, spec(vary), scores, indicators)
    again = Again(sure, columns)
    stated = {i: s.score for i, s in scores.items()}
    total, first = np.zeros(N), np.zeros(N)
    ranks: dict[str, list[np.ndarray]] = {}
    leaf = rule
    while not (isinstance(leaf, dict) and "index" in leaf):
        leaf = leaf["not"] if "not" in leaf else (leaf.get("all") or leaf.get("any"))[0]
    for draw in range(DRAWS):
        needs = again.needs(draw)
        total += again.rule(rule, draw, needs, stated)
        first += again.holds(leaf, draw, needs)
        for index in WEIGHTS:
            ranks.setdefault(index, []).append(rankdata(-needs[index], "min", nan_policy="omit"))
    np.testing.assert_allclose(sure.selected, total / DRAWS, atol=1e-12)
    np.testing.assert_allclose(sure.passes[0][1], first / DRAWS, atol=1e-12)
    for index in set(sure.ranks) & {"x", "y"}:
        at = ~np.isnan(stated[index])
        drawn = np.vstack(ranks[index])[:, at]
        expected = np.quantile(drawn, [0.05, 0.5, 0.95], axis=0, method="inverted_cdf").T
        np.testing.assert_array_equal(sure.ranks[index][at], expected)
        assert np.isnan(sure.ranks[index][~at]).all()
    if vary != VARY["cut"] and rule is WORST:
        assert ((sure.selected > 0) & (sure.selected < 1)).any()


class TestMoved:
    """Index x is built on 50 old areas and carried to 30 new ones, some of them joined."""

    @pytest.fixture
    def move(self, areas_of: MakeAreas) -> Crosswalk:
        rng = np.random.default_rng(4)
        here = areas_of(N, population=rng.integers(500, 3000, N).astype(float))
        there = areas_of(30, [f"L{i % 3}" for i in range(30)], system="new", letter="B")
        pairs = [(i, i if i < 20 else int(rng.integers(18, 30))) for i in range(N)]
        frame = pl.DataFrame(
            {
                "origin": [f"A{a:05}" for a, _ in pairs],
                "destination": [f"B{b:05}" for _, b in pairs],
            }
        )
        return crosswalk_from_pairs(here, there, frame)

    @pytest.mark.slow
    @pytest.mark.parametrize("among", [None, "built"])
    @pytest.mark.parametrize("cut", [(1.0, 1.0), (0.6, 1.4)])
    def test_the_draws_are_carried_too(
        self,
        indicators_of: MakeIndicators,
        move: Crosswalk,
        among: str | None,
        cut: tuple[float, float],
    ) -> None:
        columns = data()
        built, given = study(indicators_of, columns)
        scores = {"x": built["x"].moved(move)}
        rule = Rule.model_validate({"index": "x", "worst": "20%", "among": among})
        d = designate("d", rule, scores, move.destination)
        sure = certainty(d, spec([ROOTS[0], {"cut": list(cut)}]), scores, {"x": given["x"]})
        again, total = Again(sure, columns), np.zeros(30)
        people = move.origin.population
        belongs = move.weights.toarray() > 0
        for draw in range(DRAWS):
            old = again.needs(draw)["x"]
            new = np.full(30, np.nan)
            for b in range(30):
                at = belongs[b] & ~np.isnan(old)
                if at.any():
                    new[b] = np.average(old[at], weights=people[at])
            pool = old if among else new
            pool = np.sort(pool[~np.isnan(pool)])[::-1]
            limit = int(np.floor(len(pool) * 20 / 100 * again.factor(draw, "x") + 1e-9))
            # places are counted in whole areas above; a carried score can differ in its last bit
            above = (pool[None, :] > new[:, None] * (1 + 1e-12)).sum(axis=1)
            total += ~np.isnan(new) & (above < limit)
        np.testing.assert_allclose(sure.selected, total / DRAWS, atol=1e-12)
        assert ((sure.selected > 0) & (sure.selected < 1)).any()


def test_a_missing_score_is_left_out_of_the_mean_that_is_carried(areas_of: MakeAreas) -> None:
    """New 0 is old 0; 1 joins 1 and 2, 2 joins 3 to 5; the draws lack some, as a move's mean does."""
    people = [500.0, 100.0, 300.0, 200.0, 300.0, 500.0]
    here, there = areas_of(6, population=people), areas_of(4, system="new", letter="B")
    pairs = [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 2)]
    frame = pl.DataFrame(
        {"origin": [f"A{a:05}" for a, _ in pairs], "destination": [f"B{b:05}" for _, b in pairs]}
    )
    n = np.nan
    draws = np.array([[9.0, 2, 4, 1, 2, 3], [n, n, 4, 1, n, 3], [7, n, n, n, n, 3]])
    move = crosswalk_from_pairs(here, there, frame)
    s, carried = move.shares()[0], np.empty((3, 4))
    carry_rows(draws, s.indptr, s.indices, s.data, carried)
    expected = [[9, 3.5, 2.3, n], [n, 4, 17 / 7, n], [7, n, 3, n]]
    np.testing.assert_allclose(carried, expected, rtol=1e-12)
    np.testing.assert_allclose([move.mean(row) for row in draws], expected, rtol=1e-12)


@pytest.fixture
def case(
    areas_of: MakeAreas, indicators_of: MakeIndicators
) -> tuple[dict[str, Scores], dict[str, Indicators], Areas]:
    return (*study(indicators_of, data()), areas_of(N, LADS))


Case = tuple[dict[str, "Scores"], dict[str, "Indicators"], Areas]


def sure_of(case: Case, rule: dict[str, object], said: CertaintySpec) -> Certainty:
    scores, indicators, areas = case
    d = designate("d", Rule.model_validate(rule), scores, areas)
    return certainty(d, said, scores, indicators)


def test_without_width_everything_is_certain(case: Case) -> None:
    scores, _, areas = case
    still = [
        {"cut": [1, 1]},
        {"form": "x", "of": ["sum", "sum"]},
        {"weights": "y", "interval": 1e-13},
    ]
    for name in ("worst", "within", "both", "any and not", "capped"):
        d = designate("d", Rule.model_validate(RULES[name]), scores, areas)
        sure = sure_of(case, RULES[name], spec(still))
        np.testing.assert_array_equal(sure.selected, d.selected.astype(float))
    np.testing.assert_array_equal(sure.ranks["x"], np.tile(scores["x"].rank[:, None], 3))


def test_a_pool_of_everybody_is_no_pool(areas_of: MakeAreas, indicators_of: MakeIndicators) -> None:
    """Also in draws that leave some areas (without c) too little to be scored: they come last."""
    built, given = study(indicators_of, data(), available=0)
    here, there = areas_of(N, ["L"] * N), areas_of(N, system="new", letter="B")
    pairs = pl.DataFrame({"origin": here.codes, "destination": there.codes})
    moved = {"x": built["x"].moved(crosswalk_from_pairs(here, there, pairs))}
    out = spec([{"leave_out": f"x.{name}"} for name in "ab"])
    for worst in ("20%", "90%"):
        plain = {"index": "x", "worst": worst}
        sure = sure_of((built, given, here), plain, out)
        assert ((sure.selected > 0) & (sure.selected < 1)).any()
        one = sure_of((built, given, here), {**plain, "within": "lad"}, out)
        np.testing.assert_array_equal(one.selected, sure.selected)
        among = sure_of((moved, given, there), {**plain, "among": "built"}, out)
        np.testing.assert_array_equal(among.selected, sure.selected)


def test_a_wider_cut_off_is_never_less_likely(case: Case) -> None:
    chances = [
        sure_of(case, {"index": "x", "worst": k}, spec(ROOTS)).selected for k in (1, 5, 10, 25, 48)
    ]
    assert (np.diff(chances, axis=0) >= 0).all()
    assert chances[-1].sum() == 48
    np.testing.assert_allclose([c.sum() for c in chances], [1, 5, 10, 25, 48], atol=0.2)


@pytest.mark.parametrize("name", ["one index", "everything"])
def test_the_same_bytes_on_any_threads_and_in_any_blocks(
    case: Case, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    module = sys.modules["commonweal.designation.runs"]
    before, seen = numba.get_num_threads(), set()
    try:
        for threads, block in ((1, 128), (2, 128), (2, 50), (1, 7)):
            numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
            monkeypatch.setattr(module, "BLOCK", block)
            sure = sure_of(case, RULES["both"], spec(VARY[name]))
            ranks = b"".join(q.tobytes() for q in sure.ranks.values())
            seen.add(sure.selected.tobytes() + ranks + sure.passes[1][1].tobytes())
    finally:
        numba.set_num_threads(before)
    assert len(seen) == 1
    other = sure_of(case, RULES["both"], spec(VARY[name], seed=4))
    assert not any(s.startswith(other.selected.tobytes()) for s in seen)


def test_what_is_kept_for_ranks_does_not_grow_with_the_draws() -> None:
    few, many = uncertainty.RankCounter(1000, 10), uncertainty.RankCounter(1000, 60_000)
    assert few._counts.nbytes == many._counts.nbytes


def test_progress_counts_up_to_the_draws(case: Case) -> None:
    scores, indicators, areas = case
    d = designate("d", Rule.model_validate(WORST), scores, areas)
    told: list[tuple[str, int, int]] = []
    certainty(d, spec(ROOTS), scores, indicators, lambda *x: told.append(x))
    assert told == [("drawing", 128, 150), ("drawing", 150, 150)]


def test_the_frames(case: Case) -> None:
    rule = {"all": [WORST, {"index": "x", "worst": 20}, {"index": "y", "worst": 30}]}
    sure = sure_of(case, rule, spec(VARY["everything"]))
    frame = sure.to_frame()
    assert {"x_1.share_of_draws", "x_2.share_of_draws", "y.share_of_draws", "x.rank_low"} <= set(
        frame.columns
    )
    assert (frame["x_1.share_of_draws"] <= frame["x_2.share_of_draws"]).all()
    assert frame["x.rank_median"].null_count() == 2
    draws = sure.draws_frame()
    assert draws["draw"].to_list() == list(range(1, DRAWS + 1))
    assert draws.columns == [
        "draw", "x.a.weight", "x.b.weight", "x.c.weight", "y.d.weight", "y.e.weight", "x.form",
        "a+d.standard_errors", "cut",
    ]  # fmt: skip
    np.testing.assert_allclose(draws.select(pl.sum_horizontal("^x.*weight$")).to_series(), 1)
    assert draws["cut"].is_between(0.7, 1.3).all()
    assert draws["a+d.standard_errors"].to_list() == draws["draw"].to_list()


class TestErrors:
    @pytest.mark.parametrize("vary", [[], [{"cut": [1, 1]}]])
    def test_nothing_varies(self, case: Case, vary: list[dict[str, object]]) -> None:
        with pytest.raises(StudyError, match=r"certainty\.vary: nothing varies; expected weights"):
            sure_of(case, WORST, spec(vary))

    def test_no_draws(self, case: Case) -> None:
        with pytest.raises(StudyError, match=r"certainty\.draws: found 0"):
            sure_of(case, WORST, spec(ROOTS, draws=0))

    def test_two_cuts(self, case: Case) -> None:
        with pytest.raises(DataError, match="'cut' is there more than once"):
            sure_of(case, WORST, spec([*VARY["cut"], *VARY["cut"]]))

    def test_a_node_that_is_not_there(self, case: Case) -> None:
        with pytest.raises(UnknownNameError, match="'z' not found; expected one of: x, y"):
            sure_of(case, WORST, spec([{"weights": "z", "dirichlet": 5}]))

    @pytest.mark.parametrize("cut", [[1.1, 0.9], [0, 1], [-1, 1], [1, 10], [float("nan"), 1]])
    def test_cuts_that_are_none(self, cut: list[float]) -> None:
        with pytest.raises(DataError, match="expected two factors, low then high"):
            spec([{"cut": cut}])

    @pytest.mark.parametrize("bad", [{"draws": -1}, {"seed": -1}, {"draw": 5}])
    def test_what_a_spec_refuses(self, bad: dict[str, int]) -> None:
        with pytest.raises(DataError):
            CertaintySpec.model_validate(bad)
