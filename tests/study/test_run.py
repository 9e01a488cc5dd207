"""Whole runs: a study worked by hand, areas from elsewhere, and the county whose truth is known."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import yaml
from scipy.stats import rankdata, spearmanr
from shapely.geometry import box, mapping
from tests.terminal import run_data, run_lines

from commonweal.cli.find_study import find_study
from commonweal.errors import CommonwealError, DataError, StudyError
from commonweal.report.study.folder import write_results
from commonweal.report.study.headline import study_account
from commonweal.sources import Store
from commonweal.spec.study import load_study, template
from commonweal.study.run import only_designation, run

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.study.results import Results

RANKED = "designate__priority__all__0"


def selected(results: Results, name: str = "priority") -> list[str]:
    return results.areas.table["code"].filter(results.designations[name].selected).to_list()


def test_twenty_places_by_hand(small: Any) -> None:
    results = small.run()
    assert selected(results) == ["A17", "A18", "A20"]
    designation = results.designations["priority"]
    assert designation.population == 1700 + 1800 + 2000
    income, halls = designation.tested
    place = results.areas.position
    assert [income.rank[place[c]] for c in ("A20", "A17", "A16", "A01")] == [1, 4, 5, 20]
    assert [halls.rank[place[c]] for c in ("A20", "A10", "A18", "A17", "A19")] == [1, 2, 3, 4, 11]
    assert [income.places[place[c]] for c in ("A20", "A17", "A16", "A01")] == [4, 1, -1, -16]
    # With every cut-off a tenth wider (4.4) nobody more is in; a tenth tighter (3.6), A17 is out.
    assert not designation.near_miss.any()
    assert [results.areas.codes[i] for i in np.flatnonzero(designation.just_inside)] == ["A17"]
    # One index of one indicator, so its score is the exponential transform of the rank alone.
    r = rankdata(np.arange(1, 21)) / 20
    expected = -23 * np.log(1 - r * (1 - np.exp(-100 / 23)))
    np.testing.assert_allclose(results.scores["deprivation"].score, expected, rtol=1e-11)


def test_what_matters_is_looked_into_where_a_study_asks(small: Any, tmp_path: Path) -> None:
    small.write(sensitivity={"sample": 32})
    results = small.run()
    found = results.sensitivity["priority"]
    assert found.inputs == ("cut",)  # what certainty varies
    written = load_study(write_results(results, tmp_path / "out") / "study.yaml")
    assert written.sensitivity is not None
    assert [a.called for a in written.sensitivity.vary] == ["cut"]
    assert results.provenance["sensitivity"]["sample"] == 32
    step = next(s for s in results.provenance["steps"] if s["step"] == "sensitivity priority")
    assert step["runs"] == 32 * 3
    for left_out in (small.run(draws=0), small.run(sensitivity=False)):
        assert left_out.sensitivity == {}
        assert left_out.study.sensitivity is None
    assert small.run(draws=0).certainty == {}
    assert small.run(sensitivity=False).certainty
    small.write(sensitivity={"sample": 32, "vary": [{"cut": [0.5, 1], "name": "tighter"}]})
    assert small.run().sensitivity["priority"].inputs == ("tighter",)
    small.write(certainty=None, sensitivity={"sample": 32, "vary": [{"cut": [0.5, 1]}]})
    assert small.run().sensitivity["priority"].mover.max() == 0
    for more, said in (
        ({"certainty": None}, r"sensitivity\.vary: nothing varies; expected a list of weights"),
        ({"designate": None, "certainty": None}, "sensitivity: needs something under 'designate'"),
    ):
        small.write(sensitivity={"sample": 32}, **more)
        with pytest.raises(StudyError, match=said):
            small.run()


def test_certainty_by_hand(small: Any) -> None:
    """Only the cut varies, times 0.7 to 1.3: 2.8 to 5.2 places of four."""
    sure = small.run().certainty["priority"]
    probability = dict(zip(sure.codes, sure.selected, strict=True))
    assert probability["A20"] == 1
    factor = sure.draws_frame()["cut"].to_numpy()
    assert probability["A18"] == np.mean(np.floor(4 * factor + 1e-9) >= 3)
    assert probability["A17"] == np.mean(np.floor(4 * factor + 1e-9) >= 4)
    assert probability["A16"] == np.mean(np.floor(4 * factor + 1e-9) >= 5)
    assert probability["A10"] == 0  # 2nd on halls, 11th on income
    assert 0.4 < probability["A17"] < 0.6


def test_the_order_of_rows_changes_nothing(small: Any) -> None:
    before = study_account(small.run())
    for file in (small.areas, small.indicators):
        header, *rows = file.read_text("utf-8").splitlines()
        order = np.random.default_rng(5).permutation(len(rows))
        file.write_text("\n".join([header, *(rows[i] for i in order)]) + "\n", "utf-8")
    after = small.run()
    assert study_account(after) == before
    assert after.areas.codes == sorted(after.areas.codes)


def test_stretching_an_indicator_that_is_ranked_changes_nothing(small: Any) -> None:
    before = study_account(small.run())
    table = pl.read_csv(small.indicators).with_columns(pl.col("income") ** 3 * 7 - 900)
    table.write_csv(small.indicators)
    assert study_account(small.run()) == before


def test_twice_the_same_bytes(small: Any) -> None:
    small.write(certainty={"draws": 150, "seed": 9, "vary": [{"standard_errors": "all"}]},
                indicators__income__standard_error="income_se")  # fmt: skip
    first, second = small.run(), small.run()
    assert first.certainty["priority"].to_frame().equals(second.certainty["priority"].to_frame())
    other = small.write(
        certainty={"draws": 150, "seed": 10, "vary": [{"standard_errors": "all"}]},
        indicators__income__standard_error="income_se",
    )
    third = small.run(other)
    assert not first.certainty["priority"].to_frame().equals(third.certainty["priority"].to_frame())


def test_standard_errors_of_one_s_own(small: Any) -> None:
    """A17 (17) must beat A16 (16) to stay among four: P(17 + .5 a > 16 + .5 b) is Phi(1 / .707)."""
    small.write(
        certainty={"draws": 4000, "seed": 3, "vary": [{"standard_errors": "all"}]},
        indicators__income__standard_error="income_se",
        designate={"priority": {"index": "deprivation", "worst": 4}},
    )
    sure = small.run().certainty["priority"]
    probability = dict(zip(sure.codes, sure.selected, strict=True))
    assert 0.90 < probability["A17"] < 0.93  # 0.921, less the few chances to lose to A15
    assert probability["A20"] == 1
    assert probability["A16"] + probability["A17"] == pytest.approx(1, abs=0.03)
    assert sure.selected.sum() == pytest.approx(4)


def test_counts_of_one_s_own(small: Any) -> None:
    """Of two places, 2 and 1 crimes among 100: the rates that they allow overlap widely."""
    rows = ["A20,20,2,100", "A19,10,1,100", *(f"A{k:02d},0.1,1,10000" for k in range(1, 19))]
    small.indicators.write_text("code,rate,crimes,people\n" + "\n".join(rows), "utf-8")

    def write(per: float, **more: Any) -> None:
        counts = {"events": "crimes", "base": "people", "per": per}
        table = {"file": small.indicators.name, "column": "rate", "higher_is": "more"}
        small.write(
            indicators={"crime": {**table, "counts": counts}},
            index={"crimes": {"transform": "z_score", "children": {"c": {"indicator": "crime"}}}},
            designate={"priority": {"index": "crimes", "worst": 1}},
            certainty={"draws": 2000, "seed": 3, "vary": [{"counts": "all"}]},
            **more,
        )

    write(1000)
    sure = small.run().certainty["priority"]
    probability = dict(zip(sure.codes, sure.selected, strict=True))
    assert 0.5 < probability["A20"] < 0.95
    assert probability["A20"] + probability["A19"] == pytest.approx(1, abs=0.01)
    write(100)
    with pytest.raises(DataError, match="crime: its values are 10 times 100 x crimes / people"):
        small.run()
    write(1000, prepare=[{"treat": {}}])
    with pytest.raises(StudyError, match="'prepare' changes the rates"):
        small.run()


def test_within_takes_the_worst_of_each_parent(small: Any) -> None:
    small.write(
        certainty=None,
        designate={"priority": {"index": "deprivation", "worst": "20%", "within": "district"}},
    )
    results = small.run()
    assert selected(results) == ["A09", "A10", "A19", "A20"]
    assert "in 2 districts" in "\n".join(run_lines(results))


def test_a_cap_keeps_the_worst_in_each_parent(small: Any) -> None:
    rule = {"index": "deprivation", "worst": 12}
    cap = {"number": 1, "within": "district", "by": "community_needs"}
    small.write(certainty=None, designate={"priority": {**rule, "at_most": cap}})
    assert selected(small.run()) == ["A10", "A20"]  # of A09-A20: the second and first on halls


def test_two_designations_in_one_study(small: Any) -> None:
    small.write(designate__few_halls={"index": "community_needs", "worst": 3})
    results = small.run()
    assert selected(results) == ["A17", "A18", "A20"]
    assert selected(results, "few_halls") == ["A10", "A18", "A20"]
    assert set(results.certainty) == {"priority", "few_halls"}
    told = "\n".join(run_lines(results))
    assert "3 of 20 places are on the list of “few halls” places." in told
    assert "4,800 people live there, in 2 districts. The rule: worst 3 on Community needs." in told
    figures = run_data(results)["figures"]
    assert {"secure-priority", "secure-few_halls", "just_outside-few_halls"} <= set(figures)
    with pytest.raises(
        StudyError, match="designates priority, few_halls; a comparison needs exactly one"
    ):
        only_designation(results)


def test_a_fixed_base_and_a_reference_area(small: Any) -> None:
    """Income on the scale of an earlier year, halls beside those of A05; both in every draw too."""
    table = pl.read_csv(small.indicators).with_columns(before=pl.col("income") * 2)
    table.write_csv(small.indicators)
    small.write(
        indicators__before={"file": "indicators.csv", "column": "before", "higher_is": "more"},
        indicators__income__standard_error="income_se",
        index__deprivation__transform="min_max",
        index__deprivation__children={"income": {"indicator": "income", "base": ["before"]}},
        index__community_needs__transform={"distance_to_reference": {"unit": "A05"}},
        certainty={"draws": 50, "seed": 3, "vary": [{"standard_errors": "all"}]},
    )
    results = small.run()
    income = np.arange(1, 21)
    np.testing.assert_allclose(results.scores["deprivation"].score, 100 * (income - 2) / 38)
    needs = dict(zip(results.areas.codes, results.scores["community_needs"].score, strict=True))
    assert [needs[c] for c in ("A01", "A05", "A20")] == pytest.approx([0, 1, 19 / 4])
    assert results.certainty["priority"].selected.sum() > 0
    study = small.write(index__community_needs__transform={"distance_to_reference": {"unit": "A5"}})
    with pytest.raises(CommonwealError, match=r"reference unit 'A5' not found; did you mean"):
        small.run(study)
    small.write(
        index__deprivation__transform="min_max",
        index__deprivation__children={"income": {"indicator": "income", "base": ["befor"]}},
    )
    with pytest.raises(StudyError, match=r"deprivation\.children\.income\.base.*'befor' not found"):
        load_study(small.study)
    small.write(index__deprivation__enters_as="min_max")
    with pytest.raises(StudyError, match=r"enters_as.*goes with a child; an index enters nothing"):
        load_study(small.study)


def test_no_draws_and_no_designation(small: Any) -> None:
    assert not small.run(draws=0).certainty
    small.write(certainty__draws=0)
    assert not small.run().certainty
    assert small.run(draws=20).certainty["priority"].n_draws == 20
    small.write(designate=None, certainty=None)
    results = small.run()
    told = run_lines(results)
    assert "20 places ranked. This study has no rule, so it makes no list." in told
    assert "Greatest need on deprivation: A20 Place 20; A19 Place 19; A18 Place 18." in told
    assert run_data(results)["designations"] == {}
    assert load_study(small.study).certainty is None


def test_since_compares_with_an_earlier_study(small: Any) -> None:
    (small.path / "earlier.yaml").write_text(small.study.read_text("utf-8"), "utf-8")
    small.write(**{f"{RANKED}__worst": 2}, since="earlier.yaml")
    results = small.run()
    assert results.since is not None
    title, comparison = results.since
    assert title == "Twenty places"
    assert (comparison.stay.sum(), comparison.leave.sum(), comparison.enter.sum()) == (1, 2, 0)
    assert "1 stay on the list, 2 leave it, 0 enter it." in "\n".join(run_lines(results))
    assert run_data(results)["since"]["counts"] == {"stays": 1, "enters": 0, "leaves": 2}


def test_since_of_a_part_of_the_areas_compares_that_part(small: Any) -> None:
    """A10 to A20: of A17, A18 and A20, all in the earlier list, the worst of this part stays."""
    (small.path / "earlier.yaml").write_text(small.study.read_text("utf-8"), "utf-8")
    small.write(areas__only={"district": "S"}, **{f"{RANKED}__worst": 1}, since="earlier.yaml")
    results = small.run()
    assert results.since is not None
    comparison = results.since[1]
    assert comparison.report == {}
    (said,) = (line for line in run_lines(results) if "stay on the list" in line and "From" in line)
    assert said.endswith("1 stay on the list, 2 leave it, 0 enter it.")
    assert "From Twenty places (3 places) to Twenty places (1 place)" in said
    assert "Converted" not in " ".join(run_lines(results))


def test_studies_that_name_each_other_end(small: Any) -> None:
    small.write(since="other.yaml")
    (small.path / "other.yaml").write_text(
        small.study.read_text("utf-8").replace("other.yaml", "study.yaml"), "utf-8"
    )
    results = small.run(draws=0)
    assert results.since is not None
    assert results.since[1].stay.sum() == 3


def test_agreement_with_a_table_of_one_s_own(small: Any) -> None:
    lines = ["code,listed,place,score"]
    lines += [f"A{i:02d},{int(i in (16, 17, 20))},{21 - i},{i}" for i in range(1, 21)]
    (small.path / "theirs.csv").write_text("\n".join(lines), "utf-8")
    theirs = {"file": "theirs.csv"}
    small.write(
        agreement=[
            {"designation": "priority", **theirs, "column": "listed", "compare": "flag"},
            {"index": "deprivation", **theirs, "column": "place", "compare": "rank"},
            {"index": "community_needs", **theirs, "column": "score", "compare": "spearman"},
            {"index": "deprivation", **theirs, "column": "score", "compare": "score", "within": 1},
        ]
    )
    results = small.run(draws=0)
    flag, place, rho, score = results.validations
    codes = results.areas.codes
    assert [codes[i] for i in flag.matched] == ["A17", "A20"]
    assert [codes[i] for i in flag.missed] == ["A16"]
    assert [codes[i] for i in flag.extra] == ["A18"]
    assert not flag.holds
    assert (place.exact, place.largest, place.holds) == (20, 0, True)
    halls = [21 - i if i not in (10, 19) else {10: 2, 19: 11}[i] for i in range(1, 21)]
    assert rho.largest == pytest.approx(spearmanr(np.negative(halls), range(1, 21)).statistic)
    assert not score.holds
    told = "\n".join(run_lines(results))
    assert "2 of 4 checks agree, within the difference that the study allows." in told
    assert re.search(r"deprivation: rank .* 20 +20  0 ranks +none +Yes", told)
    (score_check,) = (
        c for c in run_data(results)["tables"]["checks"] if c["what"] == "deprivation: score"
    )
    assert (score_check["allowed"], score_check["agrees"]) == ("1 point", "No")
    assert (
        json.loads(json.dumps(run_data(results), allow_nan=False))["agreement"][0]["missed"][0][
            "code"
        ]
        == "A16"
    )


def italian(folder: Path, decimal: str = ".", parquet: bool = False) -> Path:
    """A dozen made-up comuni, with accents in names and letters that no English code has."""
    names = ["Forlì", "Cantù", "L’Aquila", "Mondovì", "Roè Volciano", "San Dorligo-Dolina", "Nardò",
             "Patù", "Šempeter", "Bózen", "Agliè", "Viù"]  # fmt: skip
    rows = [
        {
            "codice": f"È{i:03d}",
            "comune": name,
            "abitanti": 1000 + 37 * i,
            "provincia": "FC" if i < 6 else "TO",
            "reddito": 10.5 + i,
            "biblioteca_km": 0.25 + (i * 5) % 12,
        }
        for i, name in enumerate(names)
    ]
    table = pl.DataFrame(rows)
    if parquet:
        table.write_parquet(folder / "comuni.parquet")
    else:
        text = table.write_csv(separator=";")
        (folder / "comuni.csv").write_text(
            text.replace(".", decimal).replace(";", ",")
            if decimal == "."
            else _quoted(text, decimal),
            "utf-8",
        )
    file = "comuni.parquet" if parquet else "comuni.csv"
    study = {
        "title": "Comuni lasciati indietro",
        "areas": {
            "file": file,
            "code": "codice",
            "name": "comune",
            "population": "abitanti",
            "parents": {"provincia": "provincia"},
            "singular": "comune",
            "plural": "comuni",
        },
        "indicators": {
            "reddito": {"file": file, "column": "reddito", "higher_is": "less", "label": "Reddito"},
            "biblioteca": {"file": file, "column": "biblioteca_km", "higher_is": "more"},
        },
        "index": {
            "bisogno": {
                "label": "Bisogno di comunità",
                "children": {
                    "reddito": {"indicator": "reddito"},
                    "biblioteca": {"indicator": "biblioteca", "label": "Biblioteca più vicina"},
                },
            }
        },
        "designate": {"priorità": {"index": "bisogno", "worst": "25%"}},
        "certainty": {"draws": 50, "vary": [{"weights": "bisogno", "dirichlet": 10}]},
    }
    path = folder / "italia.yaml"
    path.write_text(yaml.safe_dump(study, allow_unicode=True, sort_keys=False), "utf-8")
    return path


def _quoted(text: str, decimal: str) -> str:
    """As a spreadsheet of that country writes a CSV: 10,5 in quotation marks."""
    cells = [line.split(";") for line in text.replace(".", decimal).splitlines()]
    return "\n".join(",".join(f'"{c}"' if "," in c else c for c in row) for row in cells) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize("parquet", [False, True])
def test_a_country_that_is_not_england(tmp_path: Path, tell: Any, parquet: bool) -> None:
    study = italian(tmp_path, parquet=parquet)
    code, said, complaint = tell("run", study)
    assert (code, complaint) == (0, "")
    assert "\n3 of 12 comuni are on the list.\n" in said
    assert "The rule: worst 25% on Bisogno di comunità." in said
    assert (tmp_path / "results" / "italia" / "report.html").is_file()
    data = json.loads(tell("run", study, "--json")[1])
    chosen = data["designations"]["priorità"]["selected"]
    # By hand: the mean is over the exponential transform of two ranks, so of these twelve the
    # lowest incomes with the farthest libraries.
    reddito = rankdata(-np.arange(12)) / 12
    biblioteca = rankdata([(i * 5) % 12 for i in range(12)]) / 12
    score = sum(-23 * np.log(1 - r * (1 - np.exp(-100 / 23))) for r in (reddito, biblioteca))
    assert chosen == sorted(f"È{i:03d}" for i in np.argsort(-score)[:3])
    code, said, _ = tell("show", "cantù", "--study", study)
    assert code == 0
    assert said.startswith("Cantù\nFC. Comune È001; 1,037 people.\n")
    assert "Biblioteca più vicina" in said


def test_decimal_commas_are_told_and_not_guessed(tmp_path: Path, tell: Any) -> None:
    code, _, complaint = tell("run", italian(tmp_path, decimal=","))
    assert code == 2
    assert "column 'reddito' of comuni.csv has '10,5' (row 1), " in complaint
    assert complaint.endswith("; say 'decimal: \",\"' beside its name\n")


def test_a_table_as_a_spreadsheet_of_that_country_saves_it(tmp_path: Path) -> None:
    """Semicolons between the fields, commas before the decimals, the letters of Windows."""
    plain = run(italian(tmp_path), draws=0)
    path = italian(tmp_path)
    text = (tmp_path / "comuni.csv").read_text("utf-8")
    (tmp_path / "comuni.csv").write_bytes(text.replace(",", ";").replace(".", ",").encode("cp1252"))
    data = yaml.safe_load(path.read_text("utf-8"))
    for spec in (data["areas"], *data["indicators"].values()):
        spec |= {"separator": ";", "decimal": ",", "encoding": "cp1252"}
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")
    read = run(path, draws=0)
    assert read.areas.table.equals(plain.areas.table)
    np.testing.assert_array_equal(
        read.indicators["bisogno"].values, plain.indicators["bisogno"].values
    )
    assert plain.indicators["bisogno"].values[0].tolist() == [10.5, 0.25]
    # One field that does not say so is text, and is told, though the others of the file do.
    del data["indicators"]["biblioteca"]["decimal"]
    path.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    with pytest.raises(DataError, match=r"biblioteca_km.*'0,25' \(row 1\), .*expected numbers"):
        run(path, draws=0)


def test_the_template_runs_when_its_tables_are_there(tmp_path: Path, tell: Any) -> None:
    assert tell("new", "mine.yaml")[0] == 0
    assert (tmp_path / "mine.yaml").read_text("utf-8") == template()
    code, said, complaint = tell("check", "mine.yaml")
    assert (code, said) == (2, "")
    assert "areas.csv is not there" in complaint
    assert tell("run", "mine.yaml") == (2, "", complaint)
    n = range(1, 41)
    areas = ["code,name,population", *(f"Z{i},Quartier {i},{1000 + i}" for i in n)]
    values = ["code,low_income_percent,library_km,turnout_percent"]
    values += [f"Z{i},{i / 2},{i % 7 + i / 100},{60 - i % 5}" for i in n]
    (tmp_path / "areas.csv").write_text("\n".join(areas), "utf-8")
    (tmp_path / "indicators.csv").write_text("\n".join(values), "utf-8")
    valid = "mine.yaml is a valid study: 3 indicators, 2 indices, 1 designation.\n"
    assert tell("check", "mine.yaml")[1].startswith(valid)
    code, said, complaint = tell("run", "mine.yaml")
    assert (code, complaint) == (0, "")
    assert "of 40 neighbourhoods" in said
    assert "We recalculated the list 1,000 times with different weights and cut-offs." in said


def test_boundaries_from_geojson(small: Any) -> None:
    def shape(i: int) -> dict[str, Any]:
        ring = [[i, 50], [i + 1, 50], [i + 1, 51], [i, 50]]
        return {"type": "Polygon", "coordinates": [ring]}

    features = [
        {"type": "Feature", "properties": {"code": f"A{i:02d}"}, "geometry": shape(i)}
        for i in (20, 3, 99)
    ]
    (small.path / "shapes.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), "utf-8"
    )
    small.write(areas__boundaries={"file": "shapes.geojson"})
    shapes = small.run(draws=0).boundaries
    assert shapes["code"].to_list() == [f"A{i:02d}" for i in range(1, 21)]
    assert shapes.filter(pl.col("geometry").is_not_null())["code"].to_list() == ["A03", "A20"]
    assert small.run(draws=0, geometry=False).boundaries["geometry"].null_count() == 20


def test_codes_keep_their_leading_zeros(small: Any) -> None:
    for file in (small.areas, small.indicators):
        file.write_text(file.read_text("utf-8").replace("\nA", "\n0"), "utf-8")
    assert selected(small.run(draws=0)) == ["017", "018", "020"]


def test_the_account_of_a_run(small: Any) -> None:
    progress: list[str] = []
    results = small.run(progress=lambda what, _done, _total: progress.append(what))
    steps = [s["step"] for s in results.provenance["steps"]]
    assert steps[0] == "areas"
    assert {"index deprivation", "designation priority", "certainty priority", "agreement"} <= set(
        steps
    )
    assert all(s["seconds"] >= 0 for s in results.provenance["steps"])
    assert {s["id"] for s in results.provenance["sources"]} == {"areas", "indicators"}
    assert results.provenance["certainty"]["draws"] == 200
    assert "drawing" in progress
    json.dumps(results.provenance)
    small_sums = results.summaries["district", "deprivation"]
    assert small_sums["code"].to_list() == ["N", "S"]


@pytest.mark.slow
def test_a_wide_table_is_read_by_the_columns_that_are_wanted(small: Any) -> None:
    """Peak memory, beyond what the narrow file takes, stays well below the file's size."""
    wide = small.path / "wide.csv"
    text = "xxxxxxxxxxxxxxxx"
    filler = ",".join([text] * 30)
    with wide.open("w", encoding="utf-8") as file:
        file.write("code,income," + ",".join(f"c{i}" for i in range(30)) + ",last\n")
        for i in range(1, 120_001):
            file.write(f"A{i:02d},{i},{filler},1\n")
    size = wide.stat().st_size
    assert size > 50e6
    wider = small.write(indicators__income__file="wide.csv").rename(small.path / "wider.yaml")
    peaks = []
    script = (
        "import resource, sys; from commonweal.study.run import run; from commonweal.sources import Store; "
        "run(sys.argv[1], Store(cache=sys.argv[2], offline=True), draws=0); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    for study in (small.write(), wider):
        done = subprocess.run(
            [sys.executable, "-c", script, study, small.store.cache],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout) * 1024)
    assert peaks[1] - peaks[0] < 0.6 * size


# ---- the fictional county -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def county(cache: Path) -> Results:
    return run("demo", Store(cache=cache, offline=True))


@pytest.mark.slow
def test_the_demo_recovers_what_was_planted(county: Results) -> None:
    """At least as well as was measured when the county was made."""
    flag, needs, deprivation = county.validations
    assert needs.largest >= 0.93
    assert deprivation.largest >= 0.975
    assert needs.holds
    assert deprivation.holds
    assert (len(flag.matched), len(flag.missed), len(flag.extra)) == (17, 5, 0)


@pytest.mark.slow
def test_the_demo_gives_the_same_twice(county: Results, cache: Path) -> None:
    again = run("demo", Store(cache=cache, offline=True))
    assert study_account(again) == study_account(county)
    for name, sure in county.certainty.items():
        assert again.certainty[name].to_frame().equals(sure.to_frame())
    assert again.boundaries.equals(county.boundaries)


def test_the_demo_s_probabilities_mean_something(county: Results, cache: Path) -> None:
    """What is likely is more often true, and the likely are not much fewer than are said to be."""
    planted = Store(cache=cache, offline=True).table("county-truth", ["code", "left_behind"])
    true = dict(planted.iter_rows())
    sure = county.certainty["left_behind"]
    p = sure.selected
    y = np.array([bool(true[c]) for c in sure.codes])
    brier = np.mean((p - y) ** 2)
    assert brier < 0.25 * np.mean((y.mean() - y) ** 2)  # better by far than the base rate
    assert y[p >= 0.95].mean() >= 0.9
    assert y[p <= 0.05].mean() <= 0.02
    assert abs(p.sum() - y.sum()) <= 6  # as many as are expected


def test_the_demo_says_that_it_is_fictional(county: Results) -> None:
    told = run_lines(county)
    assert "fictional" in told[0]
    assert told[1] == f"Please note: {county.study.briefing.note}"
    assert "fictional" in run_data(county)["note"]


# ---- finding the study of an area ---------------------------------------------------------------


def test_an_area_is_found_without_england_s_data(cache: Path) -> None:
    store = Store(cache=cache, offline=True)
    study, code = find_study("F01000072", store)
    assert (study.name, code) == ("demo", "F01000072")
    with pytest.raises(CommonwealError, match="COMMONWEAL_MIRROR"):
        find_study("E01000001", store)  # it may well be there, could one look


def test_a_postcode_is_in_the_area_around_it(small: Any) -> None:
    study = small.write(areas__boundaries={"file": "shapes.geojson"})
    squares = {"A03": (-1.1, 51.6), "A07": (-0.5, 51.6)}  # OX49 5NU is at 51.657 N, 1.070 W
    features = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": mapping(box(x, y, x + 0.1, y + 0.1)),
        }
        for code, (x, y) in squares.items()
    ]
    shapes = small.path / "shapes.geojson"
    shapes.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    assert find_study("ox495nu", small.store, str(study))[1] == "A03"
    with pytest.raises(CommonwealError, match="SW1A 1AA lies in none of the areas of the study"):
        find_study("SW1A 1AA", small.store, str(study))
    with pytest.raises(CommonwealError, match="postcode A1 1AA: unknown"):
        find_study("A1 1AA", small.store, str(study))


def test_a_postcode_in_a_directory_of_one_s_own(small: Any, tmp_path: Path) -> None:
    directory = tmp_path / "onspd.csv"
    directory.write_text('pcds,own_code\n"A1  1AA",A07\n"A1  1AB",A99\n', "utf-8")
    for asked in ("A1 1AA", "a11aa", " a1  1aa "):
        assert find_study(asked, small.store, str(small.study), directory)[1] == "A07"
    with pytest.raises(CommonwealError, match="A1 9ZZ is not in"):
        find_study("A1 9ZZ", small.store, str(small.study), directory)
    with pytest.raises(CommonwealError, match="no area 'A1 1AB' \\(in A99\\)"):
        find_study("A1 1AB", small.store, str(small.study), directory)
    directory.write_text("postcode,lsoa21\nA1 1AA,E01000001\n", "utf-8")
    with pytest.raises(CommonwealError, match="own code column"):
        find_study("A1 1AA", small.store, str(small.study), directory)
    directory.write_text("place,own_code\nA1 1AA,A01\n", "utf-8")
    with pytest.raises(CommonwealError, match="postcode column"):
        find_study("A1 1AA", small.store, str(small.study), directory)
    directory.write_text("", "utf-8")
    with pytest.raises(
        CommonwealError, match=r"not a table of postcodes that can be read \(empty CSV\)"
    ):
        find_study("A1 1AA", small.store, str(small.study), directory)


def test_each_run_says_what_it_has_read_itself(small: Any) -> None:
    """A session runs several studies with one store: none names the sources of another."""
    small.run(draws=0)
    (small.path / "other.csv").write_text(small.indicators.read_text("utf-8"), "utf-8")
    files = dict.fromkeys(("indicators__income__file", "indicators__halls__file"), "other.csv")
    again = small.run(small.write(**files), draws=0)
    assert {s["id"] for s in again.provenance["sources"]} == {"areas", "other"}
    assert {s["id"] for s in small.store.used} == {"areas", "indicators", "other"}
