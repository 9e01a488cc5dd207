"""Nothing is counted twice: the same outcome, a part of another, a stock and its flows."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from commonweal.errors import DataError, UnknownNameError
from commonweal.invest.appraisal import check_claims, load_outcomes
from commonweal.invest.appraisal.outcomes import Outcome
from commonweal.invest.appraisal.project import project_from

if TYPE_CHECKING:
    from collections.abc import Callable

TREE = load_outcomes()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("anxiety", "anxiety", "'one' and 'two' both claim 'anxiety'; an outcome may be claimed once"),
        ("life_satisfaction", "health_and_wellbeing", "'one' claims 'life_satisfaction', which takes in everything"),
        ("health_and_wellbeing", "life_satisfaction", "'two' claims 'life_satisfaction', which takes in everything"),
        ("trust_wealth", "social_trust", "'one' claims 'trust_wealth', which is the present value"),
        ("trust_wealth", "life_satisfaction", "yearly gains in it are in it already"),
        ("loneliness", "trust_wealth", "'one' claims 'loneliness', which is part of it. Keep one"),
        ("public_finances", "police_and_courts_cost", "which counts 'police_and_courts_cost' too"),
        ("crime_harm", "youth_offending_harm", "which takes in offences of every kind"),
    ],
)  # fmt: skip
def test_a_double_count_is_refused(first: str, second: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_claims({"one": first, "two": second}, TREE)


@pytest.mark.parametrize("name", sorted(TREE.outcomes))
def test_every_outcome_clashes_with_all_that_counts_it(name: str) -> None:
    for above in TREE.line_up(name):
        with pytest.raises(DataError, match=r"claim|count twice"):
            check_claims({"one": name, "two": above}, TREE)


def test_frontiers_items_stand_together_and_a_wellby_beside_them_does_not() -> None:
    claims = {
        "fiscal": "public_finances",
        "jobs": "employment_and_skills",
        "health": "health_and_wellbeing",
        "income": "local_income",
        "crime": "crime_harm",
    }
    cautions = check_claims(claims, TREE)
    assert len(cautions) == 1
    assert "wages are part of local income" in cautions[0]
    folder = resources.files("commonweal.invest.appraisal") / "projects"
    data = yaml.safe_load((folder / "frontier-per-million.yaml").read_text("utf-8"))
    project_from(data)
    data["benefits"]["lives"] = {
        "label": "Wellbeing",
        "claims": "life_satisfaction",
        "wellby": True,
        "quantity": 0.1,
        "years": 0,
        "additionality": 1,
    }
    with pytest.raises(DataError, match="benefits 'lives' and 'health' count twice"):
        project_from(data)


def test_fiscal_and_social_are_told_apart() -> None:
    assert TREE.kind("tax_receipts") == "fiscal"
    assert TREE.kind("anxiety") == "social"


def test_an_outcome_of_ones_own_joins_the_tree(plain: Callable[..., dict[str, Any]]) -> None:
    own = {"quiet": {"label": "Quiet", "within": "use_of_places"}}
    project_from(plain(outcomes=own, benefits__reading__claims="quiet"))
    with pytest.raises(DataError, match=r"'all' and 'reading' count twice"):
        project_from(
            plain(
                outcomes=own,
                benefits__reading__claims="quiet",
                benefits__all={
                    "label": "All",
                    "claims": "life_satisfaction",
                    "wellby": True,
                    "years": 0,
                    "additionality": 1,
                },
            )
        )


def test_an_outcome_of_ones_own_has_a_place_and_a_name() -> None:
    with pytest.raises(DataError, match="'anxiety' is there already"):
        TREE.and_also({"anxiety": Outcome(label="A", kind="social")})
    with pytest.raises(DataError, match=r"names 'use_of_place', .* did you mean 'use_of_places'"):
        TREE.and_also({"quiet": Outcome(label="Quiet", within="use_of_place")})


def test_an_unknown_outcome_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'loneliness'"):
        check_claims({"one": "lonelyness"}, TREE)
