"""Numbers that R's survey package (4.1-1, on R 4.2.2) gave; benchmarks/surveys_vs_r.py runs it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from commonweal.survey import estimate, rake_survey, read_survey
from commonweal.survey.estimate import changes
from commonweal.survey.spec import make_spec
from commonweal.survey.survey import make_survey

if TYPE_CHECKING:
    from commonweal.survey.read import Microdata

EXACT = 1e-8


def ess(norway: Microdata, **more: Any) -> Any:
    spec = {
        "title": "ESS 10, Norway", "file": "ess.sav", "weight": "pspwght", "strata": "stratum", "clusters": "psu",
        "outcomes": {"good": {"column": "imbgeco"}}, "groups": {"female": "female", "region": "region"},
        "singletons": "centre",
    }  # fmt: skip
    return make_survey(make_spec({**spec, **more}, "norway", Path()), norway)


def test_good_for_the_economy_norway(norway: Microdata) -> None:
    """svymean and svyby of imbgeco, with deff = "replace"."""
    row = estimate(ess(norway), "good").row(0, named=True)
    assert row["respondents"] == 1394
    assert row["value"] == pytest.approx(6.05549973610, rel=EXACT)
    assert row["standard_error"] == pytest.approx(0.0785210970544, rel=EXACT)
    assert row["design_effect"] == pytest.approx(2.20298333456, rel=EXACT)
    table = estimate(ess(norway), "good", "female")
    assert table["value"].to_list() == pytest.approx([6.09828454230, 6.00896060105], rel=EXACT)
    assert table["standard_error"].to_list() == pytest.approx(
        [0.117071642150, 0.103429065249], rel=EXACT
    )
    assert table["design_effect"].to_list() == pytest.approx(
        [2.27463486280, 2.09631302073], rel=EXACT
    )


@pytest.mark.parametrize(("panel", "error"), [(True, 0.15631364381), (False, 0.156223003405)])
def test_change_between_two_halves(norway: Microdata, panel: bool, error: float) -> None:
    """svycontrast of svyby with covmat, the sexes standing for waves: of the same clusters, and of two samples."""
    row = changes(ess(norway, wave="female", panel=panel), "good", "0", "1").row(0, named=True)
    assert row["change"] == pytest.approx(-0.0893239412437, rel=EXACT)
    assert row["standard_error"] == pytest.approx(error, rel=EXACT)


def test_raked(norway: Microdata) -> None:
    """svyby after rake() on sex and region: the standard errors know that the margins are known."""
    region = {"Agder og Sør-Østlandet": 190, "Innlandet": 100, "Nord-Norge": 130, "Oslo og Viken": 500,
              "Trøndlet": 120, "Vestlandet": 371}  # fmt: skip
    raked, _ = rake_survey(ess(norway), {"female": {"0": 700, "1": 711}, "region": region})
    row = estimate(raked, "good", "female").row(0, named=True)
    assert row["value"] == pytest.approx(6.11902178307, rel=1e-7)
    assert row["standard_error"] == pytest.approx(0.0898531878502, rel=1e-7)


def test_nhanes_ii(samplics_data: Path) -> None:
    """Serum zinc and high lead: 31 strata of two sampling units each, and people with no answer."""
    spec = {
        "title": "NHANES II", "file": "nhanes2.csv", "weight": "finalwgt", "strata": "stratid", "clusters": "psuid",
        "outcomes": {"zinc": {"column": "zinc"}, "lead": {"column": "highlead", "yes": 1}}, "groups": {"race": "race"},
    }  # fmt: skip
    survey = read_survey(make_spec(spec, "nhanes", samplics_data))
    row = estimate(survey, "zinc").row(0, named=True)
    assert row["value"] == pytest.approx(87.1820670507, rel=EXACT)
    assert row["standard_error"] == pytest.approx(0.494482686185, rel=EXACT)
    assert row["degrees_of_freedom"] == 31
    first = estimate(survey, "lead", "race").row(0, named=True)
    assert first["value"] == pytest.approx(0.0585148775712, rel=EXACT)
    assert first["standard_error"] == pytest.approx(0.00559005283588, rel=EXACT)


@pytest.mark.parametrize(
    ("file", "column", "replicates", "value", "error"),
    [
        ("nhanes2brr_subset", "weight", {"columns": "brr_*", "method": "brr"}, 71.8455573627, 0.51901377551),
        ("nhanes2jk_subset", "weight", {"columns": "jkw_*", "method": "jackknife"}, 71.2366051315, 1.00032687655),
        ("nmihs_subset", "birth_weight", {"columns": "bsrw*", "method": "bootstrap"}, 2679.12714288, 31.0537916914),
    ],
)  # fmt: skip
def test_replicate_weights(
    samplics_data: Path,
    file: str,
    column: str,
    replicates: dict[str, str],
    value: float,
    error: float,
) -> None:
    """svrepdesign: BRR, JK1 with 61/62, bootstrap with 1/50 (Stata's scale; R's own default is 1/49)."""
    spec = {"title": file, "file": f"{file}.csv", "weight": "finalwgt", "replicates": replicates,
            "outcomes": {"y": {"column": column}}}  # fmt: skip
    row = estimate(read_survey(make_spec(spec, file, samplics_data)), "y").row(0, named=True)
    assert row["value"] == pytest.approx(value, rel=EXACT)
    assert row["standard_error"] == pytest.approx(error, rel=EXACT)
