"""The regression that a user runs on a table of their own: estimates, errors, influence, refusals."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.errors import DataError, UnknownNameError
from commonweal.papers.discontent import Fit, fit_formula, influence, interval, variance_inflation
from commonweal.papers.discontent.data import load_variables
from commonweal.papers.discontent.models import partial_regression
from commonweal.sources.catalogue import load_catalogue
from commonweal.survey.regression import Term, fit, jackknife

if TYPE_CHECKING:
    from pathlib import Path


def towns(n: int = 120, groups: int = 30) -> pl.DataFrame:
    """Places whose truth is known: 50 - 2 growth + 0.5 old, and errors that regions share."""
    rng = np.random.default_rng(7)
    region = np.arange(n) % groups
    growth = rng.normal(size=groups)[region] + 0.1 * rng.normal(size=n)
    old = 20 + 5 * rng.normal(size=n) + growth
    noise = rng.normal(size=groups)[region] + rng.normal(size=n)
    return pl.DataFrame(
        {
            "leave": 50 - 2 * growth + 0.5 * old + noise,
            "growth": growth,
            "old": old,
            "people": rng.uniform(1, 9, n),
            "region": [f"R{r}" for r in region],
            "city": region % 2 == 0,
        }
    )


def fitted() -> Fit:
    return fit(towns(), "leave", ["growth", "old"], weights="people", clusters="region")


def test_estimates_and_clustered_errors_are_those_of_the_sandwich_by_hand() -> None:
    table, model = towns(), fitted()
    x = np.column_stack([np.ones(120), table["growth"], table["old"]])
    y, w = table["leave"].to_numpy(), table["people"].to_numpy()
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    b = bread @ x.T @ (w * y)
    e = y - x @ b
    meat = np.zeros((3, 3))
    for region in table["region"].unique():
        own = (table["region"] == region).to_numpy()
        s = x[own].T @ (w[own] * e[own])
        meat += np.outer(s, s)
    errors = np.sqrt(np.diag(bread @ meat @ bread) * 30 / 29 * 119 / 117)
    assert [t.estimate for t in model.terms] == pytest.approx(b, rel=1e-9)
    assert [t.se for t in model.terms] == pytest.approx(errors, rel=1e-9)
    half = 2.0452296 * errors  # Student's t of 29 degrees of freedom, 97.5%
    assert [t.high for t in model.terms] == pytest.approx(b + half, rel=1e-6)
    assert model.groups == 30


def test_it_finds_the_truth() -> None:
    model = fitted()
    assert model.term("growth").low < -2 < model.term("growth").high
    assert model.term("old").low < 0.5 < model.term("old").high


def test_within_groups_is_a_column_for_each_group() -> None:
    table = towns()
    inside = fit(
        table, "leave", ["growth", "old"], weights="people", clusters="region", within="region"
    )
    dummies = (table["region"].to_numpy()[:, None] == np.unique(table["region"])).astype(float)
    root = table["people"].sqrt().to_numpy()
    x = np.column_stack([table["growth"], table["old"], dummies]) * root[:, None]
    y = table["leave"].to_numpy() * root
    b = np.linalg.lstsq(x, y, rcond=None)[0]
    assert [t.estimate for t in inside.terms] == pytest.approx(b[:2], rel=1e-8)
    assert [t.name for t in inside.terms] == ["growth", "old"]


def test_the_order_of_rows_and_the_scale_of_weights_do_not_matter() -> None:
    table = towns().sample(fraction=1, shuffle=True, seed=3)
    table = table.with_columns(pl.col("people") * 1000)
    other = fit(table, "leave", ["growth", "old"], weights="people", clusters="region")
    for ours, theirs in zip(fitted().terms, other.terms, strict=True):
        assert theirs.estimate == pytest.approx(ours.estimate, rel=1e-9)
        assert theirs.se == pytest.approx(ours.se, rel=1e-9)


def test_a_formula_is_the_same_model() -> None:
    assert fit_formula(
        towns(), " leave~ growth +old ", weights="people", clusters="region"
    ).terms == (fitted().terms)


@pytest.mark.parametrize("formula", ["leave", "leave ~", "~ growth", "leave ~ growth +"])
def test_a_formula_that_is_none_is_refused(formula: str) -> None:
    with pytest.raises(DataError, match="expected 'outcome ~ column"):
        fit_formula(towns(), formula)


def test_leaving_a_row_out_does_what_influence_says() -> None:
    table, model = towns(), fitted()
    found = influence(model)
    assert found.leverage.sum() == pytest.approx(3)
    root = np.sqrt(model.weights)
    squares = float(np.sum((root * model.residuals) ** 2)) / (120 - 3)
    for i in (0, int(found.most(1)[0])):
        rest = table.with_row_index("i").filter(pl.col("i") != i)
        without = fit(rest, "leave", ["growth", "old"], weights="people", clusters="region")
        b = np.array([t.estimate for t in without.terms])
        change = b - [t.estimate for t in model.terms]
        assert found.change[i] == pytest.approx(change, rel=1e-7)
        moved = root * (model.design @ change)
        assert found.cook[i] == pytest.approx(float(moved @ moved) / (3 * squares), rel=1e-7)
    assert (np.diff(found.cook[found.most(10)]) <= 0).all()


@pytest.mark.parametrize("within", ["", "region"])
def test_the_jackknife_fits_anew_without_each_cluster(within: str) -> None:
    table = towns()
    options = {"weights": "people", "clusters": "region", "within": within}
    model = fit(table, "leave", ["growth", "old"], **options)
    found = jackknife(model, "growth")
    for region in ("R0", "R17"):
        rest = table.filter(pl.col("region") != region)
        again = fit(rest, "leave", ["growth", "old"], **options)
        assert found.estimates[region] == pytest.approx(again.term("growth").estimate, rel=1e-9)
    assert len(found.estimates) == 30
    changes = np.array(list(found.estimates.values())) - model.term("growth").estimate
    assert found.term.se == pytest.approx(np.sqrt(29 / 30 * np.sum(changes**2)))
    assert found.term.se > 0.9 * model.term("growth").se
    half = 2.0452296 * found.term.se
    assert found.term.high - found.term.estimate == pytest.approx(half, rel=1e-6)


def test_a_jackknife_needs_clusters_that_are_its_groups() -> None:
    table = towns().with_columns(pair=pl.int_range(120) // 2)
    with pytest.raises(DataError, match="clusters '' and groups ''"):
        jackknife(fit(table, "leave", ["growth"]), "growth")
    with pytest.raises(DataError, match="clusters 'pair' and groups 'region'"):
        jackknife(fit(table, "leave", ["growth"], clusters="pair", within="region"), "growth")


def test_an_outcome_that_does_not_vary_is_refused() -> None:
    with pytest.raises(DataError, match="column 'leave' is constant; expected one that varies"):
        fit(towns().with_columns(leave=0.0), "leave", ["growth"])


@pytest.mark.parametrize(("leave", "said"), [(0.0, "0"), (np.nan, "nan")])
def test_a_jackknife_without_a_standard_error_is_refused(leave: float, said: str) -> None:
    model = fit(towns(), "leave", ["growth"], clusters="region")
    none = Term("growth", 0.0, 0.0, 0.0, 0.0, 1.0)
    model = replace(model, terms=(model.terms[0], none), observed=np.full(120, leave))
    with pytest.raises(DataError, match=f"the standard error of 'growth' comes out as {said} when"):
        jackknife(model, "growth")


def test_the_partial_regression_has_the_slope_of_the_model() -> None:
    model = fitted()
    x, y = partial_regression(model, "growth")
    w = model.weights
    assert (w * x) @ y / ((w * x) @ x) == pytest.approx(model.term("growth").estimate, rel=1e-9)
    assert np.sqrt(w) * (y - model.term("growth").estimate * x) == pytest.approx(
        np.sqrt(w) * model.residuals, abs=1e-9
    )


def test_overlap_is_one_over_what_is_left() -> None:
    table = towns().with_columns(weight=pl.lit(1.0))
    found = variance_inflation(fit(table, "leave", ["growth", "old"], weights="weight"))
    r2 = float(np.corrcoef(table["growth"], table["old"])[0, 1]) ** 2
    assert found == pytest.approx({"growth": 1 / (1 - r2), "old": 1 / (1 - r2)})


def test_a_constant_and_a_sum_of_others_are_refused() -> None:
    table = towns().with_columns(same=pl.lit(3.0), both=pl.col("growth") + 2 * pl.col("old"))
    with pytest.raises(DataError, match="column 'same' is constant"):
        fit(table, "leave", ["growth", "same"])
    with pytest.raises(DataError, match="column 'both' is constant, or the sum of others"):
        fit(table, "leave", ["growth", "old", "both"])
    with pytest.raises(DataError, match="column 'city' is constant within each region"):
        fit(table, "leave", ["city"], within="region", clusters="region")


def test_too_few_clusters_or_rows_are_refused() -> None:
    table = towns()
    with pytest.raises(DataError, match="clusters 'city': 2 for 3 coefficients"):
        fit(table, "leave", ["growth", "old"], clusters="city")
    with pytest.raises(DataError, match="3 rows for 3 coefficients"):
        fit(table.head(3), "leave", ["growth", "old"])
    with pytest.raises(DataError, match="has one group"):
        fit(table.with_columns(one=pl.lit("x")), "leave", ["growth"], clusters="one")


def test_a_column_that_cannot_be_used_is_named() -> None:
    table = towns()
    with pytest.raises(UnknownNameError, match="did you mean 'growth'"):
        fit(table, "leave", ["growht"])
    with pytest.raises(DataError, match="'region' is String; expected numbers"):
        fit(table, "leave", ["region"])
    gap = table.with_columns(old=pl.when(pl.col("old") > 25).then("old"))
    many = gap["old"].null_count()
    assert many
    with pytest.raises(DataError, match=rf"'old' is missing or infinite in {many} of 120"):
        fit(gap, "leave", ["growth", "old"])
    with pytest.raises(DataError, match="weights 'growth': found -"):
        fit(table, "leave", ["old"], weights="growth")
    with pytest.raises(DataError, match="more than once"):
        fit(table, "leave", ["old", "old"])
    with pytest.raises(DataError, match="no predictor"):
        fit(table, "leave", [])


def test_an_unknown_term_is_named() -> None:
    with pytest.raises(UnknownNameError, match="term 'grwth' not found in the model; did you mean"):
        fitted().term("grwth")


def test_an_interval_in_words() -> None:
    term = fitted().term("growth")
    assert interval(term) == (
        f"{term.estimate:.1f} points (95% interval {term.low:.1f} to {term.high:.1f})"
    )


@pytest.mark.parametrize("table", ["authorities", "wards"])
def test_every_variable_has_a_source_of_the_catalogue(table: str) -> None:
    catalogue = load_catalogue()
    found = load_variables(table)  # type: ignore[arg-type]
    assert len({v.name for v in found}) == len(found)
    for variable in found:
        assert variable.label
        assert variable.unit
        assert variable.year
        assert variable.sources
        assert set(variable.sources) <= set(catalogue)


def test_without_the_files_it_says_which_and_where(tell: Any) -> None:
    code, said, complaint = tell("discontent", COMMONWEAL_OFFLINE="1")
    assert (code, said) == (2, "")
    assert "eu-referendum-lad-england-wales" in complaint
    assert "COMMONWEAL_MIRROR" in complaint
    assert "Traceback" not in complaint


def test_a_folder_of_somebody_elses_is_refused_before_the_work(tell: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", "utf-8")
    code, said, complaint = tell("discontent", "--out", "mine", COMMONWEAL_OFFLINE="1")
    assert (code, said) == (2, "")
    assert "letter.txt" in complaint
    assert [f.name for f in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['commonweal', 'discontent', '--help']\n"
        "from commonweal.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'polars', 'statsmodels', 'spreg', 'pandas', 'scipy'}\n"
        "sys.exit(len(heavy & {m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0
    assert b"association, not cause" in b" ".join(done.stdout.split())
