"""Two indices of twenty places, by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.compare.similarity import match_indices
from commonweal.compare.studies import compare_indices
from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.compare import IndexComparison
    from commonweal.study.results import Results

    RunWith = Callable[..., Results]

NO_STORE: Any = None
STATED = {"deprivation": "community_needs"}


def beside(first: Results, second: Results, stated: dict[str, str]) -> IndexComparison:
    return compare_indices(first, second, match_indices(first, second, stated)[0], NO_STORE)


def row(table: pl.DataFrame, **where: str) -> dict[str, Any]:
    return table.row(
        by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in where.items()), named=True
    )


def test_ranks_tenths_and_people(run_with: RunWith) -> None:
    """A10 (11th on income) and A19 (2nd) change places on halls: sum of squares 2 x 81 = 162."""
    found = beside(run_with(), run_with(), STATED)
    whole = found.nodes.row(0, named=True)
    assert whole["spearman"] == pytest.approx(1 - 6 * 162 / (20 * 399))
    assert (whole["areas"], whole["worst_first"], whole["worst_second"]) == (20, 2, 2)
    assert whole["worst_both"] == 1  # A20
    people = [whole[f"people_{key}"] for key in ("both", "first_alone", "second_alone")]
    assert people == [2000, 1900, 1000]  # A20; A19; A10
    tenth = dict(
        found.places.filter(pl.col("worst_tenth") != "").select("code", "worst_tenth").rows()
    )
    assert tenth == {"A20": "both", "A19": "first", "A10": "second"}
    assert row(found.places, code="A10")["rank_second"] == 2


def test_by_larger_area_and_by_class(run_with: RunWith) -> None:
    """In the south A19 falls from 2nd to 10th and eight move up one: sum of squares 64 + 8."""
    first, second = run_with(), run_with()
    kinds = pl.Series("rural_urban", ["rural", None] * 10)
    classed = replace(
        second, areas=replace(second.areas, table=second.areas.table.with_columns(kinds))
    )
    found = beside(first, classed, STATED)
    south, north = (row(found.groups, group=g) for g in ("Southside", "Northside"))
    assert south["spearman"] == pytest.approx(1 - 6 * 72 / 990)
    assert north["spearman"] == pytest.approx(1)
    assert [south[f"worst_{k}"] for k in ("first", "second", "both")] == [2, 1, 1]
    assert [north[f"worst_{k}"] for k in ("first", "second", "both")] == [0, 1, 0]
    rural = row(found.groups, kind="rural_urban")
    assert (rural["group"], rural["areas"]) == ("rural", 10)
    assert [rural[f"worst_{k}"] for k in ("first", "second", "both")] == [1, 0, 0]  # A19


def test_an_area_that_one_lacks_is_in_neither(small: Any, run_with: RunWith) -> None:
    whole = run_with()
    small.replace(small.indicators, "A20,20,1,", "A20,20,,")
    found = beside(whole, run_with(), STATED)
    assert found.nodes["areas"][0] == 19
    assert row(found.places, code="A20")["rank_first"] is None
    assert row(found.places, code="A19")["rank_first"] == 1
    assert found.nodes["worst_both"][0] == 0


ADDED = {"transform": "z_score", "aggregate": "arithmetic"}


def strands(b: str, **settings: Any) -> dict[str, Any]:
    return {
        "index": {
            "x": {
                **ADDED,
                **settings,
                "children": {
                    "a": {"label": "The same", "indicator": "income"},
                    "b": {"label": "The other", **ADDED, "children": {b: {"indicator": b}}},
                },
            }
        },
        "designate": None,
        "certainty": None,
    }


def test_what_sets_them_apart_adds_up(run_with: RunWith) -> None:
    """Strand a is the same in both, b is halls in the first and income in the second."""
    first, second = run_with(**strands("halls")), run_with(**strands("income"))
    found = beside(first, second, {})
    z = [(x - x.mean()) / x.std() for x in (r.scores["x"].score for r in (first, second))]
    parts = found.places.select("apart.a", "apart.b").to_numpy()
    np.testing.assert_allclose(parts.sum(axis=1), z[0] - z[1], atol=1e-12)
    d = z[0] - z[1]
    expected = [np.cov(p, d, bias=True)[0, 1] / d.var() for p in parts.T]
    np.testing.assert_allclose(found.parts["share"], expected)
    assert found.parts["share"].sum() == pytest.approx(1)
    ten = row(found.places, code="A10")  # few halls for its income
    assert (ten["driver"], ten["driver_inside"]) == ("The other", "halls")
    assert ten["apart.b"] > 0.5 > abs(ten["apart.a"])
    assert row(found.places, code="A19")["apart.b"] < -0.5
    # Turned round, the difference is the reverse and the shares are the same.
    back = beside(second, first, {})
    np.testing.assert_allclose(back.places["apart.b"], -found.places["apart.b"], atol=1e-12)
    np.testing.assert_allclose(back.parts["share"], found.parts["share"])


def test_a_part_that_one_lacks_is_named(run_with: RunWith) -> None:
    second = run_with(
        index={
            "x": {**ADDED, "children": {"a": {"indicator": "income"}, "c": {"indicator": "halls"}}}
        },
        designate=None,
        certainty=None,
    )
    found = beside(run_with(**strands("halls")), second, {})
    assert found.parts["part"].to_list() == ["The same", "The other", "c"]
    parts = found.places.select("apart.b", "apart.second.c").to_numpy()
    np.testing.assert_allclose(parts[:, 0], -parts[:, 1], atol=1e-12)  # both are halls


def test_parts_that_one_lacks_stand_in_the_order_of_the_other(run_with: RunWith) -> None:
    names = [f"part{k}" for k in (5, 2, 7, 1, 6, 3, 4)]
    children = {"a": {"indicator": "income"}, **{n: {"indicator": "halls"} for n in names}}
    second = run_with(index={"x": {**ADDED, "children": children}}, designate=None, certainty=None)
    found = beside(run_with(**strands("halls")), second, {})
    assert found.parts["part"].to_list() == ["The same", "The other", *names]


def test_nothing_is_made_up_where_parts_do_not_add(run_with: RunWith) -> None:
    plain = run_with(**strands("income"))
    for form in ("median", "geometric"):
        by_form = strands("halls", aggregate=form, transform="exponential")
        for pair in ((run_with(**by_form), plain), (plain, run_with(**by_form))):
            found = beside(*pair, {})
            assert len(found.parts) == 0
            assert "driver" not in found.places.columns
    two = (
        run_with(**strands(b, aggregate="geometric", transform="exponential"))
        for b in ("halls", "income")
    )
    assert len(beside(*two, {}).parts) == 2  # both add up, to logarithms


def test_the_first_is_carried_to_the_areas_of_the_second(
    run_with: RunWith, in_pairs: RunWith
) -> None:
    found = beside(run_with(), in_pairs(), {})
    assert found.places["code"].to_list() == [f"B{k:02}" for k in range(1, 11)]
    assert found.report["merged"] == 10
    assert found.nodes["spearman"][0] == pytest.approx(1)
    assert found.nodes["people_both"][0] == 3900  # B10: A19 and A20


def test_no_area_has_both(small: Any, run_with: RunWith) -> None:
    whole = run_with()
    text = small.indicators.read_text("utf-8").splitlines()
    for i, line in enumerate(text[1:], start=1):
        code, income, halls, error = line.split(",")
        text[i] = f"{code},{income if i > 10 else ''},{halls if i <= 10 else ''},{error}"
    small.indicators.write_text("\n".join(text), "utf-8")
    stated = {f"indicators__{name}__coverage": "50%" for name in ("income", "halls")}
    half = run_with(certainty=None, **stated)
    assert len(beside(half, whole, {}).places) == 20
    with pytest.raises(
        DataError, match="deprivation and community_needs: no area has a score on b"
    ):
        beside(half, half, STATED)
