"""Who qualifies, and by what margin: by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.designation import Designation, Rule, designate
from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from commonweal.index import Node, Scores

    MakeAreas = Callable[..., Areas]
    MakeScores = Callable[..., Scores]

#: Ten areas; area i has the value VALUES[i].
VALUES = [50.0, 90.0, 10.0, 80.0, 80.0, 30.0, 70.0, 20.0, np.nan, 60.0]


def chosen(designation: Designation) -> list[int]:
    return np.flatnonzero(designation.selected).tolist()


def apply(rule: dict[str, object], areas: Areas, *indices: Scores) -> Designation:
    return designate("d", Rule.model_validate(rule), {s.index: s for s in indices}, areas)


class TestOneCondition:
    def test_the_worst_four_and_their_margins(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        d = apply({"index": "x", "worst": 4}, areas_of(10), plain(VALUES))
        assert chosen(d) == [1, 3, 4, 6]
        t = d.tested[0]
        n = np.nan
        np.testing.assert_array_equal(t.rank, [6, 1, 9, 2, 2, 7, 4, 8, n, 5])
        # inside 4 + 1 - rank (1 = the last one in), outside 4 - rank (-1 = the first one out)
        np.testing.assert_array_equal(t.places, [-2, 4, -5, 3, 3, -3, 1, -4, n, -1])
        # inside above the first one out (60), outside below the last one in (70)
        np.testing.assert_array_equal(t.score, [-20, 30, -60, 20, 20, -40, 10, -50, n, -10])

    def test_a_share_is_of_the_areas_with_a_score(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        # 45% of nine is four, of ten four and a half; 35% of nine is three
        assert len(chosen(apply({"index": "x", "worst": "45%"}, areas_of(10), plain(VALUES)))) == 4
        assert len(chosen(apply({"index": "x", "worst": "35%"}, areas_of(10), plain(VALUES)))) == 3

    def test_areas_that_tie_at_the_cut_are_all_in(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        d = apply({"index": "x", "worst": 2}, areas_of(10), plain(VALUES))
        assert chosen(d) == [1, 3, 4]
        assert d.tested[0].places[[3, 4]].tolist() == [1, 1]
        assert d.tested[0].score[[1, 3, 4]].tolist() == [10, 0, 0]
        assert d.tested[0].score[6] == -10

    def test_no_area(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        d = apply({"index": "x", "worst": "10%"}, areas_of(10), plain(VALUES))
        assert chosen(d) == []
        assert d.tested[0].places[1] == -1

    def test_all_areas_but_never_one_without_a_score(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        d = apply({"index": "x", "worst": 99}, areas_of(10), plain(VALUES))
        assert chosen(d) == [0, 1, 2, 3, 4, 5, 6, 7, 9]

    def test_a_score_above(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        d = apply({"index": "x", "score_above": 70}, areas_of(10), plain(VALUES))
        assert chosen(d) == [1, 3, 4]
        assert d.tested[0].score[[1, 6, 2]].tolist() == [20, 0, -60]
        assert d.tested[0].places[[1, 3, 6, 2]].tolist() == [3, 2, -1, -6]

    def test_within_each_parent(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        lads = ["p", "p", "p", "q", "q", "q", "q", None, "q", "q"]
        d = apply(
            {"index": "x", "worst": "40%", "within": "lad"}, areas_of(10, lads), plain(VALUES)
        )
        # p has three areas, one of them in; q has five with a score, two of them in
        assert chosen(d) == [1, 3, 4]
        t, n = d.tested[0], np.nan
        np.testing.assert_array_equal(t.rank, [2, 1, 3, 1, 1, 5, 3, n, n, 4])
        np.testing.assert_array_equal(t.cut, [1, 1, 1, 2, 2, 2, 2, n, 2, 2])
        np.testing.assert_array_equal(t.score, [-40, 40, -80, 10, 10, -50, -10, n, n, -20])

    def test_permuting_areas_permutes_the_answer(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        order = np.random.default_rng(1).permutation(10)
        before = apply({"index": "x", "worst": 4}, areas_of(10), plain(VALUES))
        after = apply({"index": "x", "worst": 4}, areas_of(10), plain(np.array(VALUES)[order]))
        np.testing.assert_array_equal(after.selected, before.selected[order])
        np.testing.assert_array_equal(after.tested[0].score, before.tested[0].score[order])
        np.testing.assert_array_equal(after.near_miss, before.near_miss[order])


class TestNearMiss:
    def test_by_hand(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        """Of 40 areas the worst 20: near misses to rank 22, just inside from rank 19."""
        d = apply({"index": "x", "worst": 20}, areas_of(40), plain(-np.arange(40.0)))
        assert np.flatnonzero(d.near_miss).tolist() == [20, 21]
        assert np.flatnonzero(d.just_inside).tolist() == [18, 19]

    def test_each_cut_off_of_several_is_moved(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        one, two = -np.arange(40.0), np.arange(40.0)
        rule = {"all": [{"index": "x", "worst": 20}, {"index": "y", "worst": 20}]}
        d = apply(rule, areas_of(40), plain(one), plain(two, "y"))
        # x takes 0..19 and y 20..39; a tenth wider 0..21 and 18..39
        assert chosen(d) == []
        assert np.flatnonzero(d.near_miss).tolist() == [18, 19, 20, 21]

    def test_a_cut_off_under_not_is_moved_the_other_way(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        """Of 40 areas all but the worst 20: a tenth more generous keeps out the worst 18."""
        x, areas = plain(-np.arange(40.0)), areas_of(40)
        worst = {"index": "x", "worst": 20}
        d = apply({"not": worst}, areas, x)
        assert chosen(d) == list(range(20, 40))
        assert np.flatnonzero(d.near_miss).tolist() == [18, 19]
        assert np.flatnonzero(d.just_inside).tolist() == [20, 21]
        twice, plainly = apply({"not": {"not": worst}}, areas, x), apply(worst, areas, x)
        np.testing.assert_array_equal(twice.near_miss, plainly.near_miss)
        np.testing.assert_array_equal(twice.just_inside, plainly.just_inside)

    def test_a_band_is_widened_at_both_of_its_ends(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        rule = {"all": [{"index": "x", "worst": 20}, {"not": {"index": "x", "worst": 10}}]}
        d = apply(rule, areas_of(40), plain(-np.arange(40.0)))
        assert chosen(d) == list(range(10, 20))
        assert np.flatnonzero(d.near_miss).tolist() == [9, 20, 21]
        assert np.flatnonzero(d.just_inside).tolist() == [10, 18, 19]

    def test_too_few_for_a_tenth(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        d = apply({"index": "x", "worst": 4}, areas_of(10), plain(-np.arange(10.0)))
        assert not d.near_miss.any()
        assert np.flatnonzero(d.just_inside).tolist() == [3]


class TestJoined:
    @pytest.fixture
    def sets(self, plain: MakeScores) -> tuple[Scores, Scores]:
        """x has areas 0 to 3 worst, y areas 2 to 5."""
        x, y = np.zeros(8), np.zeros(8)
        x[:4], y[2:6] = [9, 8, 7, 6], [9, 8, 7, 6]
        x[4:], y[[0, 1, 6, 7]] = [4, 3, 2, 1], [4, 3, 2, 1]
        return plain(x), plain(y, "y")

    @pytest.mark.parametrize(
        ("join", "expected"),
        [
            (lambda x, y: {"all": [x, y]}, [2, 3]),
            (lambda x, y: {"any": [x, y]}, [0, 1, 2, 3, 4, 5]),
            (lambda x, y: {"not": x}, [4, 5, 6, 7]),
            (lambda x, y: {"all": [x, {"not": y}]}, [0, 1]),
            (lambda x, y: {"not": {"any": [x, y]}}, [6, 7]),
            (lambda x, y: {"any": [{"all": [x, y]}, {"all": [{"not": x}, {"not": y}]}]}, [2, 3, 6, 7]),
            (lambda x, y: {"all": [x, y], "excluding": ["A00003"]}, [2]),
            (lambda x, y: {"not": {**x, "excluding": ["A00000"]}}, [0, 4, 5, 6, 7]),
        ],
    )  # fmt: skip
    def test_sets(
        self, areas_of: MakeAreas, sets: tuple[Scores, Scores], join: object, expected: list[int]
    ) -> None:
        rule = join({"index": "x", "worst": 4}, {"index": "y", "worst": 4})  # type: ignore[operator]
        assert chosen(apply(rule, areas_of(8), *sets)) == expected

    def test_an_area_without_a_score_fails_a_condition_and_passes_its_not(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        worst = {"index": "x", "worst": 8}
        assert chosen(apply(worst, areas_of(10), plain(VALUES))) == [0, 1, 3, 4, 5, 6, 7, 9]
        assert chosen(apply({"not": worst}, areas_of(10), plain(VALUES))) == [2, 8]

    def test_at_most_keeps_the_worst_and_those_that_tie(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        lads = ["p", "p", "p", "p", "q", "q", "q", "q"]
        by = [5.0, 7.0, 7.0, 1.0, 3.0, 9.0, 8.0, 8.0]
        for most, expected in ((1, [1, 2, 5]), (2, [1, 2, 5, 6, 7]), (3, [0, 1, 2, 5, 6, 7])):
            rule = {
                "index": "x",
                "score_above": 2,
                "at_most": {"number": most, "within": "lad", "by": "x"},
            }
            assert chosen(apply(rule, areas_of(8, lads), plain(by))) == expected

    def test_at_most_by_another_index(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        rule = {"index": "x", "worst": 3, "at_most": {"number": 1, "within": "lad", "by": "y"}}
        d = apply(rule, areas_of(4, ["p"] * 4), plain([4.0, 3, 2, 1]), plain([1.0, 2, 3, 4], "y"))
        assert chosen(d) == [2]

    def test_who_is_out_by_a_cap_alone_has_nothing_to_change(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        rule = {"index": "x", "worst": 3, "at_most": {"number": 1, "within": "lad", "by": "x"}}
        d = apply(rule, areas_of(6, ["p"] * 6), plain([6.0, 5, 4, 3, 2, 1]))
        assert chosen(d) == [0]
        np.testing.assert_array_equal(d.changes["x/only"], [4, np.nan, np.nan, 3, 3, 3])

    def test_a_cap_inside_a_rule(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        capped = {"index": "x", "worst": 3, "at_most": {"number": 1, "within": "lad", "by": "x"}}
        rule = {"any": [capped, {"index": "y", "worst": 1}]}
        d = apply(
            rule,
            areas_of(6, ["p"] * 6),
            plain([6.0, 5, 4, 3, 2, 1]),
            plain([1.0, 2, 3, 4, 5, 6], "y"),
        )
        assert chosen(d) == [0, 5]
        np.testing.assert_array_equal(d.changes["x/only"], [4, np.nan, np.nan, 3, 3, np.nan])


class TestMoved:
    """An index of six old areas; the new ones 0, 1 are halves of old 0, 2 is old 1, 3 joins 2 and 3."""

    PAIRS = pl.DataFrame(
        {"origin": [0, 0, 1, 2, 3, 4, 5], "destination": [0, 1, 2, 3, 3, 4, 5]}
    ).select(
        origin=pl.format("A{}", pl.col("origin").cast(pl.String).str.zfill(5)),
        destination=pl.format("B{}", pl.col("destination").cast(pl.String).str.zfill(5)),
    )

    def moved(
        self, areas_of: MakeAreas, plain: MakeScores, values: Sequence[float]
    ) -> tuple[Scores, Areas]:
        here = areas_of(6, population=[100, 100, 300, 100, 100, 100])
        there = areas_of(6, system="new", letter="B")
        return plain(values).moved(crosswalk_from_pairs(here, there, self.PAIRS)), there

    def test_among_the_areas_built_on(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        found, there = self.moved(areas_of, plain, [60.0, 50, 40, 20, 30, 10])
        np.testing.assert_array_equal(found.score, [60, 60, 50, 35, 30, 10])
        d = apply({"index": "x", "worst": 2, "among": "built"}, there, found)
        # the worst two of the old areas have 60 and 50; three new ones reach that
        assert chosen(d) == [0, 1, 2]
        t = d.tested[0]
        assert t.rank.tolist() == [
            1,
            1,
            2,
            4,
            4,
            6,
        ]  # of the old ones, 60, 50 and 40 are above 35 and 30
        assert t.score.tolist() == [20, 20, 10, -15, -20, -40]
        # among the new areas themselves only the two halves are
        assert chosen(apply({"index": "x", "worst": 2}, there, found)) == [0, 1]

    def test_among_built_needs_a_move(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        with pytest.raises(DataError, match="'among: built' on x, which was not moved"):
            apply({"index": "x", "worst": 2, "among": "built"}, areas_of(10), plain(VALUES))


class TestErrors:
    @pytest.mark.parametrize(
        ("rule", "said"),
        [
            ({"index": "z", "worst": 1}, "index 'z' not found; expected one of: x"),
            ({"index": "x.onyl", "worst": 1}, r"'x\.onyl' not found; did you mean 'x\.only'"),
            ({"index": "x", "worst": 1, "within": "lads"}, "larger area 'lads' not found; did you mean 'lad'"),
            ({"index": "x", "worst": 1, "excluding": ["A0002"]}, "excluded area 'A0002' not found; did you mean"),
            ({"index": "x", "worst": 1, "at_most": {"number": 1, "within": "lad", "by": "w"}}, "index 'w' not found"),
        ],
    )  # fmt: skip
    def test_names(
        self, areas_of: MakeAreas, plain: MakeScores, rule: dict[str, object], said: str
    ) -> None:
        with pytest.raises(UnknownNameError, match=said):
            apply(rule, areas_of(10, ["p"] * 10), plain(VALUES))

    def test_other_areas(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        with pytest.raises(
            DataError, match="index x covers 10 areas of toy; the rule is for 9 areas of toy"
        ):
            apply({"index": "x", "worst": 1}, areas_of(9), plain(VALUES))


def test_the_frame_tells_conditions_on_one_index_apart(
    areas_of: MakeAreas, plain: MakeScores
) -> None:
    rule = {"all": [{"index": "x", "worst": 4}, {"index": "x", "worst": 1, "within": "lad"}]}
    frame = apply(rule, areas_of(10, ["p"] * 5 + ["q"] * 5), plain(VALUES)).to_frame()
    assert frame["selected"].arg_true().to_list() == [1, 6]
    assert frame["x_1.passes"].arg_true().to_list() == [1, 3, 4, 6]
    assert frame["x_2.passes"].arg_true().to_list() == [1, 6]
    assert frame["x_1.margin_places"].dtype == pl.Int32
    assert frame["x_1.margin_score"][8] is None


def test_the_frame_says_what_would_change_the_answer(
    areas_of: MakeAreas, plain: MakeScores
) -> None:
    frame = apply(
        {"index": "x", "worst": 2}, areas_of(4), plain([9.0, 7.0, 5.0, np.nan])
    ).to_frame()
    assert frame["least_change"].to_list() == ["x.only"] * 3 + [None]
    assert frame["least_change.rank_now"].to_list() == [1, 2, 3, None]
    assert frame["least_change.rank_needed"].to_list() == [3, 3, 2, None]
    assert frame["x.only.rank_to_change"].to_list() == [3, 3, 2, None]


def test_population(areas_of: MakeAreas, plain: MakeScores) -> None:
    areas = areas_of(10, population=[10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    assert apply({"index": "x", "worst": 4}, areas, plain(VALUES)).population == 20 + 40 + 50 + 70


def test_a_condition_on_a_domain(
    areas_of: MakeAreas, indicators_of: Callable[..., object], three: Node
) -> None:
    from commonweal.index import score

    rng = np.random.default_rng(3)
    found = score(
        "x",
        three,
        indicators_of(a=rng.normal(size=30), b=rng.normal(size=30), c=rng.normal(size=30)),
    )  # type: ignore[arg-type]
    d = apply({"index": "x.b", "worst": 3}, areas_of(30), found)
    assert chosen(d) == sorted(np.argsort(-found.need["x/b"])[:3].tolist())
    assert list(d.changes) == ["x/b"]


class TestNearMissesOfAScore:
    """A line at a score takes those that share one together, so a tie wider than a tenth stays out."""

    def test_a_tie_that_is_wider_than_a_tenth(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        # 20 pass; a tenth more generous are 22: one area with 4, but not 30 that all have 3
        values = [9.0] * 20 + [4.0] + [3.0] * 30 + [0.0] * 49
        d = apply({"index": "x", "score_above": 5}, areas_of(100), plain(values))
        assert np.flatnonzero(d.near_miss).tolist() == [20]
        assert d.tested[0].level[[0, 20, 21, 99]].tolist() == [20, 1, 30, 49]

    def test_those_with_the_lowest_score_never_are(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        values = [5.0] * 90 + [0.0] * 5 + [np.nan] * 5
        d = apply({"index": "x", "score_above": 0}, areas_of(100), plain(values))
        assert d.selected.sum() == 90
        assert not d.near_miss.any()

    def test_a_number_takes_all_that_tie_with_its_last(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        d = apply({"index": "x", "worst": 10}, areas_of(30), plain([9.0] * 10 + [3.0] * 20))
        assert d.near_miss.sum() == 20  # the worst 11 are these, too
