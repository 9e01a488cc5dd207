"""The YAML files of investment, and those of sessions, surveys and neighbourhoods."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.data import document_json
from commonweal.document.text import document_lines
from commonweal.invest.allocation import load_programme
from commonweal.invest.allocation.on_study import apply_programme, exclusions_of
from commonweal.invest.appraisal import appraise, load_project
from commonweal.invest.case.case import make_case
from commonweal.invest.case.model import CaseOptions
from commonweal.invest.case.valuation import load_values
from commonweal.invest.parameters import load_parameters
from commonweal.invest.portfolio.on_study import propose
from commonweal.invest.portfolio.plan import PortfolioOptions
from commonweal.report.allocation import allocation_document
from commonweal.report.appraisal import appraisal_document
from commonweal.report.case.report import case_document
from commonweal.report.portfolio import portfolio_document
from commonweal.report.session.content import content
from commonweal.report.session.spec import load_session
from commonweal.report.survey import survey_document
from commonweal.study.run import run
from commonweal.study.small_areas.run import run_estimates
from commonweal.study.small_areas.spec import load_estimates, write_example
from commonweal.survey import rake_survey, read_survey
from commonweal.survey.estimate import summarise
from commonweal.survey.spec import load_spec
from tests.conftest import areas_csv, indicators_csv, recipe
from tests.fuzz.ground import CHECK_ONLY, check_numbers, county, shipped, some, store, write_yaml
from tests.fuzz.harness import Fuzzer
from tests.invest.appraisal.conftest import PLAIN
from tests.invest.test_interventions import club
from tests.report.session.conftest import session_file
from tests.report.session.test_spec import OWN
from tests.survey.conftest import PEOPLE, spec_of

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from commonweal.document.model import Document
    from commonweal.study.results import Results


DRAWN = "drawn"
"""A file that says that a case is recalculated a few times."""


def write_project(rng: Random, folder: Path, changes: int) -> None:
    """The smallest project, or one that ships."""
    name = rng.choice(
        ("plain", "by-hand", "by-hand", "parkrun", "community-hub", "big-local-anxiety")
    )
    tree = PLAIN if name == "plain" else shipped("invest.appraisal", f"projects/{name}.yaml")
    if name == "community-hub":
        tree = tree | {
            "benefits": some(rng, tree["benefits"], 2),
            "costs": some(rng, tree["costs"], 2),
        }
        if not {"offences", "harm"} <= tree["benefits"].keys():
            del tree["correlations"]  # of these two
    write_yaml(rng, folder / "project.yaml", tree, changes)


def run_project(folder: Path) -> bool:
    project = load_project(str(folder / "project.yaml"))
    told(appraise(project, load_parameters(project.parameters), draws=20, seed=1))
    return True


def told(result: Any) -> None:
    """An appraisal as the command tells it, with its report: JSON takes no number that is not finite."""
    rendered(appraisal_document(result))


def rendered(document: Document) -> None:
    """As the commands print it; JSON takes no number that is not finite."""
    document_json(document)
    assert list(document_lines(document))


@cache
def parameters() -> Any:
    return shipped("invest", "parameters/published/green-book-2022.yaml")


def write_parameters(rng: Random, folder: Path, changes: int) -> None:
    write_yaml(rng, folder / "parameters.yaml", parameters(), changes)


def run_parameters(folder: Path) -> bool:
    found = load_parameters(str(folder / "parameters.yaml"))
    told(appraise(load_project("by-hand"), found, draws=5, seed=1))
    return True


def write_interventions(rng: Random, folder: Path, changes: int) -> None:
    """One club, or two of those that ship."""
    tree = club()
    if rng.random() < 0.5:
        tree = shipped("invest", "interventions/published/first-set.yaml")
        tree = tree | {"interventions": some(rng, tree["interventions"], 2)}
    else:
        by = {"indicator": "volunteering_rate", "change": "add", "by": 0.1}
        tree["interventions"]["club"]["effects"][0]["through"] = [by]
    write_yaml(rng, folder / "interventions.yaml", tree, changes)


def run_interventions(folder: Path) -> bool:
    """Propose a mix for three neighbourhoods of the county."""
    areas = tuple(county().areas.codes[:3])
    ask = PortfolioOptions(
        2e6,
        3,
        areas,
        interventions=str(folder / "interventions.yaml"),
        draws=2,
        shares=(1.0,),
        gap=0.1,
    )
    found = propose(county(), ask)
    rendered(portfolio_document(found))
    check_numbers(found.recount.met, "need met")
    return True


def write_values(rng: Random, folder: Path, changes: int) -> None:
    """The values that ship; every fortieth is put to a case, which takes a second."""
    tree = shipped("invest.case", "published/first-values.yaml")
    if rng.random() < 39 / 40:
        (folder / CHECK_ONLY).touch()
    write_yaml(rng, folder / "values.yaml", tree, changes)


def run_values(folder: Path) -> bool:
    file = str(folder / "values.yaml")
    load_values(file)
    if (folder / CHECK_ONLY).exists():
        return False
    asked = CaseOptions(
        "demo", ("Vesselhoe",), places=2, budget=3e6, values=file, draws=0, seconds=5
    )
    made = make_case(asked, store(), results=county())
    rendered(case_document(made))
    return True


def write_programme(rng: Random, folder: Path, changes: int) -> None:
    """A rule on the twenty places, with everything that a rule can say of them."""
    official = {"official": False, "note": "Ours."}
    tree: dict[str, Any] = {
        "title": "A trial", "official": "The worst on income.", "study": "twenty.yaml",
        "rank": {"of": {"deprivation": 0.5, "community_needs": 0.5}, "scale": "rank", **official},
        "eligible": [{"index": "deprivation", "worst": "50%", **official},
        {"index": "deprivation", "score_above": 1.5, **official}],
        "caps": [{"most": 2, "in_each": "district", **official}],
        "least": [{"least": 1, "in_each": "district", "only": ["S"], **official}],
        "exclude": {"had": {"what": "had one", "codes": ["A20"], **official}},
        "people": {"min": 200, "max": 5000, **official},
        "money": {"budget": 60, "award": 20, "official": True},
        "in_need": [{"index": "deprivation", "worst": "25%", **official}],
    }  # fmt: skip
    if rng.random() < 0.25:
        (folder / DRAWN).touch()
    write_yaml(rng, folder / "programme.yaml", tree, changes)


@cache
def twenty(folder: Path) -> Results:
    """The study of twenty places, run once."""
    folder.mkdir(exist_ok=True)
    (folder / "areas.csv").write_text(areas_csv(), "utf-8")
    (folder / "indicators.csv").write_text(indicators_csv(), "utf-8")
    (folder / "twenty.yaml").write_text(json.dumps(recipe() | {"sensitivity": None}), "utf-8")
    return run(folder / "twenty.yaml", store(), draws=0)


def run_programme(folder: Path) -> bool:
    programme = load_programme(str(folder / "programme.yaml"))
    results = twenty(folder.parent / "twenty")
    draws = 4 if (folder / DRAWN).exists() else 0
    worked = apply_programme(programme, results, store(), exclusions_of(programme), draws=draws)
    rendered(allocation_document(worked))
    return True


def write_session(rng: Random, folder: Path, changes: int) -> None:
    """The session on the county that ships, or a smaller one with a work of its own."""
    tree = copy.deepcopy(shipped("report.session", "sessions/demo.yaml"))
    tree["themes"] = ["what-works"]
    if rng.random() < 0.5:
        tree = session_file() | {
            "studies": {"county": "demo"}, "works": {"field-2020": OWN}, "areas": {"county": ["F01000001"]},
            "framing": "{county.left_behind.count} of {county.areas.count}; {county.left_behind.people}.",
        }  # fmt: skip
    if rng.random() < 0.7:
        (folder / CHECK_ONLY).touch()
    write_yaml(rng, folder / "meeting.yaml", tree, changes)


def run_session(folder: Path) -> bool:
    session = load_session(folder / "meeting.yaml")
    if (folder / CHECK_ONLY).exists() or any(session.study(n) != "demo" for n in session.studies):
        return False
    content(session, {name: county() for name in session.studies})
    return True


def write_survey(rng: Random, folder: Path, changes: int) -> None:
    """Twelve people, with weights to replicate or margins to rake to."""
    PEOPLE.with_columns(r1=pl.col("wt") * 2, r2=pl.lit(1.0)).write_csv(folder / "people.csv")
    more: tuple[dict[str, Any], ...] = (
        {"wave": "year"},
        {"area": {"column": "lsoa", "system": "lsoa21"}},
        {
            "strata": None,
            "clusters": None,
            "replicates": {"columns": ["r1", "r2"], "method": "jackknife"},
        },
        {"rake": {"margins": {"sex": {"F": 0.5, "M": 0.5}}}},
    )
    write_yaml(rng, folder / "people.yaml", spec_of(**rng.choice(more)), changes)


def run_survey(folder: Path) -> bool:
    spec = load_spec(folder / "people.yaml")
    found, raking = read_survey(spec), None
    if spec.rake is not None:
        found, raking = rake_survey(found)
    summary = summarise(found, [], raking)
    for finding in summary.findings:
        check_numbers(finding.table["value"].cast(pl.Float64).fill_null(float("nan")), "estimate")
    survey_document(summary)
    return True


def write_estimates(rng: Random, folder: Path, changes: int) -> None:
    """The file that takes the county's survey to its neighbourhoods, with three covariates."""
    tree = copy.deepcopy(shipped("study.small_areas", "examples/neighbourhoods.yaml"))
    tree["covariates"] = ["turnout_rate", "social_rent", "rural"]
    tree["outcomes"] = ["trust"]
    if rng.random() < 0.97:
        (folder / CHECK_ONLY).touch()
    write_yaml(rng, folder / "neighbourhoods.yaml", tree, changes)


def run_county_estimates(folder: Path) -> bool:
    spec = load_estimates(folder / "neighbourhoods.yaml")
    if (folder / CHECK_ONLY).exists():
        return False
    write_example(example := folder / "example")
    file = example / "neighbourhoods.yaml"
    file.write_bytes((folder / "neighbourhoods.yaml").read_bytes())
    run_estimates(file, store())
    return bool(spec.title)


FUZZERS = [
    Fuzzer("survey", write_survey, run_survey),
    Fuzzer("estimates", write_estimates, run_county_estimates),
    Fuzzer("programme", write_programme, run_programme),
    Fuzzer("project", write_project, run_project),
    Fuzzer("interventions", write_interventions, run_interventions),
    Fuzzer("parameters", write_parameters, run_parameters),
    Fuzzer("values", write_values, run_values),
    Fuzzer("session", write_session, run_session),
]
