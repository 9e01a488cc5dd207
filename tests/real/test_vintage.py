"""From the Indices of Deprivation of 2019 to those of 2025: the vintage model, out of sample, and the list of 2025."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.terminal import run_data, run_lines

from commonweal.designation import INDICES_OF_DEPRIVATION, VintageModel, fit_vintage
from commonweal.designation.runs import vary
from commonweal.designation.vintage import cut_score, next_release, normal_scores
from commonweal.document.format import percent
from commonweal.index.runs import draw_numbers
from commonweal.report.place.describing import describe
from commonweal.report.study.tables import counts, designation_table
from commonweal.study.certainty import certainty_table, weights_sensitivity

if TYPE_CHECKING:
    from commonweal.sources import Store
    from commonweal.study.results import Results
    from conftest import Once

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
BENCHMARK = runpy.run_path(str(ROOT / "benchmarks" / "vintage.py"))
CORRELATIONS = {"income": 0.943, "employment": 0.952, "education": 0.941, "health": 0.925,
                "crime": 0.842, "barriers": 0.567, "living_environment": 0.780}  # fmt: skip


@pytest.fixture(scope="module")
def panel(real_store: Store) -> Any:
    return BENCHMARK["panel"](real_store)


@pytest.fixture(scope="module")
def chances(panel: Any) -> dict[str, Any]:
    return {
        name: BENCHMARK["out_of_sample"](panel, BENCHMARK[name])
        for name in ("one_number", "by_domains")
    }


@pytest.fixture(scope="module")
def left_behind(run_once: Once) -> Results:
    return run_once("left-behind-2025", draws=200, geometry=False, sensitivity=False)


def test_the_panel(panel: Any) -> None:
    assert len(panel.codes) == 31_810
    assert panel.authority.max() + 1 == 309
    assert (~panel.half).sum() == 16_159
    assert (panel.listed.sum(), panel.listed_after.sum()) == (3_187, 3_230)
    assert np.corrcoef(panel.own, panel.after)[0, 1] == pytest.approx(0.953, abs=0.0005)
    for name, rho in CORRELATIONS.items():
        found = np.corrcoef(panel.domains[name], panel.domains_after[name])[0, 1]
        assert found == pytest.approx(rho, abs=0.0005), name


def test_the_constants_are_those_of_the_fit(panel: Any) -> None:
    found = fit_vintage(panel.own, panel.domains, panel.after)
    stated = INDICES_OF_DEPRIVATION
    assert stated.domains == pytest.approx(found.domains, abs=5e-5)
    assert (stated.own, stated.constant, stated.scale) == pytest.approx(
        (found.own, found.constant, found.scale), abs=5e-5
    )
    assert stated.freedom == pytest.approx(found.freedom, abs=0.005)


@pytest.mark.parametrize(
    ("name", "half", "brier", "log_loss", "sure", "came"),
    [
        ("one_number", None, 0.0256, 0.0853, 981, 0.983),
        ("by_domains", None, 0.0244, 0.0816, 1_242, 0.977),
        ("one_number", True, 0.0286, 0.0957, 536, 0.978),
        ("by_domains", True, 0.0271, 0.0907, 716, 0.969),
        ("one_number", False, 0.0227, 0.0753, 445, 0.989),
        ("by_domains", False, 0.0217, 0.0728, 526, 0.989),
    ],
)
def test_out_of_sample(
    panel: Any,
    chances: dict[str, Any],
    name: str,
    half: bool | None,
    brier: float,
    log_loss: float,
    sure: int,
    came: float,
) -> None:
    rows = np.full(len(panel.codes), True) if half is None else panel.half == half
    chance, listed = chances[name][rows], panel.listed_after[rows]
    found = [loss.mean() for loss in BENCHMARK["losses"](chance, listed)]
    assert found == pytest.approx([brier, log_loss], abs=5e-5)
    assert (chance >= 0.95).sum() == sure
    assert listed[chance >= 0.95].mean() == pytest.approx(came, abs=5e-4)


def test_what_is_said_comes_true(panel: Any, chances: dict[str, Any]) -> None:
    found = BENCHMARK["reliability"](panel, chances["by_domains"])
    assert found["areas"].sum() == len(panel.codes)
    assert (found["said"] - found["came"]).abs().max() < 0.06
    page = (ROOT / "docs" / "methods" / "certainty.md").read_text("utf-8")
    for chance, areas, *shares in found.rows():
        said, came, low, high = (f"{share:.1%}" for share in shares)
        assert f"| {chance} | {areas:,} | {said} | {came} | {low} to {high} |" in page
    drawn = (ROOT / "docs" / "images" / "vintage" / "reliability.svg").read_text("utf-8")
    assert drawn == BENCHMARK["diagram"](found).svg
    sure = chances["by_domains"] >= 0.95
    said, came = chances["by_domains"][sure].mean(), panel.listed_after[sure].mean()
    assert (said, came) == pytest.approx((0.985, 0.977), abs=5e-4)


def test_who_stays_on_the_list_of_2025(panel: Any, chances: dict[str, Any], run_once: Once) -> None:
    """Of the list of 2023, whose Community Needs Index is also that of 2025, by the models' words."""
    found = run_once("left-behind-2023", draws=0, geometry=False).designation
    needs = dict(zip(found.areas.codes, found.tested[0].passes, strict=True))
    listed = panel.listed & np.array([needs[code] for code in panel.codes])
    stays, chance = panel.listed_after[listed], chances["by_domains"][listed]
    assert (listed.sum(), stays.sum()) == (1_268, 1_130)
    secure = chance >= 0.95
    assert secure.sum() == 622
    assert (chance[secure].mean(), stays[secure].mean()) == pytest.approx((0.988, 0.992), abs=5e-4)
    assert ((chance - stays) ** 2).mean() == pytest.approx(0.0851, abs=5e-5)
    one = chances["one_number"][listed]
    assert ((one - stays) ** 2).mean() == pytest.approx(0.0876, abs=5e-5)


def test_weights_that_vary_add_little_to_an_index_that_is_released_anew(
    left_behind: Results,
) -> None:
    """The chance by parts against the chance in each draw, with deprivation as the draw weighs it."""
    spec, n = left_behind.study.certainty, 100
    assert spec is not None
    designation, scores = left_behind.designation, left_behind.scores
    varied = vary(designation, spec.vary, scores, left_behind.indicators, n, spec.seed)
    drawn, passes, _ = varied.run(draw_numbers(varied.found, n, spec.seed, n))
    deprivation = scores["deprivation"]
    n_areas = len(deprivation.codes)
    domains = {
        name: normal_scores(deprivation.rank_of(f"deprivation/{name}"), n_areas)
        for name in INDICES_OF_DEPRIVATION.domains
    }
    cut = cut_score(n_areas / 10, n_areas)
    both = np.zeros(n_areas)
    for ranks, held in zip(drawn["deprivation"].ranks, passes[0], strict=True):
        own = normal_scores(ranks.astype(np.float64), n_areas)
        both += held * INDICES_OF_DEPRIVATION.chance(own, domains, cut) / n
    by_parts = next_release(designation, scores)["deprivation"] * passes[0].mean(axis=0)
    assert np.abs(both - by_parts).max() < 0.02


def test_the_table_of_the_list(left_behind: Results) -> None:
    found = certainty_table(left_behind)
    assert len(found) == 33_755
    assert found["selected"].sum() == 1_262
    assert found["certainty"].null_count() == 0
    listed = found.filter("selected")
    again = listed["next_release"]
    assert [(again >= least).sum() for least in (0.95, 0.8, 0.2)] == [571, 847, 1_259]
    assert found["next_release"].sum() == pytest.approx(1_151.4, abs=0.05)


def test_the_noise_of_the_domains_whose_counts_are_known(real_store: Store) -> None:
    """What docs/methods/certainty.md says: the binomial error of a rate, as a share of the variance between areas."""
    table = real_store.table("imd2025-lsoa21")
    table = table.join(real_store.table("imd2025-lsoa21-indicators"), on="lsoa21_code")
    for domain, noise in (("Income", 0.0038), ("Employment", 0.0154)):
        rate = table[f"{domain}_score"].to_numpy()
        people = table[f"{domain.lower()}_domain_numerator"].to_numpy() / rate
        found = np.nanmean(rate * (1 - rate) / people) / np.nanvar(rate)
        assert found == pytest.approx(noise, abs=0.0001)


def test_every_page_goes_by_one_certainty(left_behind: Results) -> None:
    """Headline, list, profile and files count the same words, and no word is that of a share of draws."""
    table = certainty_table(left_behind).filter("selected")
    words = dict(table["word"].value_counts().iter_rows())
    told = "\n".join(run_lines(left_behind))
    assert f"{words['secure']} of the 1,262 on the list are secure" in told
    assert "(secure)" not in told
    assert "when deprivation is next measured" in told
    assert run_data(left_behind)["designations"]["left_behind"]["certainty"]["certainty"] == (
        dict(table.select("code", "certainty").iter_rows())
    )
    found = counts(left_behind, "left_behind")
    assert (found.sure, found.toss_ups) == (words["secure"], words["borderline"])
    listed = designation_table(left_behind, "left_behind", np.arange(33_755)).frame
    shown = dict(
        listed.filter(listed["Code"].is_in(table["code"]))["Certainty"].value_counts().iter_rows()
    )
    assert shown == words
    for code, certain, word in table.select("code", "certainty", "word").head(5).iter_rows():
        answer = describe(left_behind, left_behind.areas.position[code]).answers[0]
        assert (answer.certainty, answer.word) == (certain, word)
        assert f"({percent(certain)} certain to be on it when" in answer.recalculated_text


@pytest.mark.parametrize(("rho", "secure"), [(0.98, 345), (0.95, 221), (0.9, 109)])
def test_what_it_would_be_if_the_community_needs_index_moved(
    left_behind: Results, rho: float, secure: int
) -> None:
    models = {
        "community_needs": VintageModel.of_correlation(rho),
        "deprivation": INDICES_OF_DEPRIVATION,
    }
    found = certainty_table(left_behind, models=models).filter("selected")
    assert (found["next_release"] >= 0.95).sum() == secure


def test_how_many_are_secure_hangs_on_how_freely_weights_vary(left_behind: Results) -> None:
    """317, 627, 877 and 1,027 of the 1,262 in an independent count with other draws."""
    found = weights_sensitivity(left_behind, draws=500)
    assert found["secure"].to_list() == [328, 641, 875, 1_027]
    assert found["secure"].to_list() == pytest.approx([317, 627, 877, 1_027], rel=0.04)
    assert (found.drop("concentration").sum_horizontal() == 1_262).all()
