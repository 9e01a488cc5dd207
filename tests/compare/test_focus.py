"""A study of one district beside another study, and on larger areas: what lies in it is counted, ranked among all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from tests.terminal import run_lines

from commonweal.compare.studies import compare_studies
from commonweal.compare.units import compare_units, run_on_units
from commonweal.document.data import document_data
from commonweal.document.text import document_lines
from commonweal.errors import DataError, StudyError
from commonweal.report.study.comparison import comparison_document
from commonweal.report.study.units import units_document
from commonweal.spec.study import load_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small

    from commonweal.compare import StudyComparison
    from commonweal.spec import Study
    from commonweal.study.results import Results

    RunWith = Callable[..., Results]

NO_STORE: Any = None
SOUTH = {"focus": {"district": "S"}}
WIDER = {"designate__priority__all__0__worst": "60%", "designate__priority__all__1__worst": "60%"}
OTHER = {"index__deprivation__children__income__indicator": "halls"}


def lines_of(first: Results, second: Results) -> str:
    return said_of(compare_studies(first, second, NO_STORE))


def said_of(found: StudyComparison) -> str:
    return "\n".join(document_lines(comparison_document(found)))


@pytest.mark.parametrize("which", ["both", "first", "second"])
def test_lists_are_counted_in_the_focus_of_either(run_with: RunWith, which: str) -> None:
    """At 20% A17, A18 and A20 are on the list; at 60% A09 to A20 are, of which two lie in the north."""
    narrow = run_with(**(SOUTH if which != "second" else {}))
    wide = run_with(**WIDER, **(SOUTH if which != "first" else {}))
    found = compare_studies(narrow, wide, NO_STORE)
    assert found.lists is not None
    counts = [int(x.sum()) for x in (found.lists.stay, found.lists.enter, found.lists.leave)]
    assert counts == [3, 7, 0]
    said = said_of(found)
    assert said.splitlines()[2] == (
        "Please note: This counts only the 10 places in Southside. Ranks and cut-offs are set among all."
    )
    assert "(3 places in Southside)" in said
    assert "(10 places in Southside)" in said
    assert "A10" not in said
    data = document_data(comparison_document(found))
    assert data["focus"] == {"name": "Southside", "areas": 10}
    counts = {name: figure["value"] for name, figure in data["figures"].items()}
    assert counts == {"stays": 3, "enters": 7, "leaves": 0}


def test_without_a_focus_all_are_counted(run_with: RunWith) -> None:
    said = lines_of(run_with(), run_with(**WIDER))
    assert "3 stay on the list, 0 leave it, 9 enter it." in said
    assert "This counts only" not in said


def test_indices_are_counted_in_the_focus_and_ranked_among_all(run_with: RunWith) -> None:
    """Of the worst two on income, A20 and A19, both are in the south; of those on halls, A20 and A10, one is."""
    found = compare_studies(run_with(), run_with(**OTHER, **SOUTH), NO_STORE)
    one = next(c for c in found.indices if c.pairs[0].first == "deprivation")
    whole = one.nodes.row(0, named=True)
    assert [whole[k] for k in ("areas", "worst_first", "worst_second", "worst_both")] == [
        10,
        2,
        1,
        1,
    ]
    assert one.ranked == 20
    assert one.places["code"].to_list() == [f"A{k}" for k in range(11, 21)]
    nineteen = one.places.row(by_predicate=pl.col("code") == "A19", named=True)
    assert (nineteen["rank_first"], nineteen["rank_second"]) == (2, 11)
    assert one.groups["group"].unique().to_list() == ["Southside"]
    said = said_of(found)
    assert (
        "10 places in Southside have scores on both. 2 are in the worst 10% of the first, 1 in that"
        in said
    )
    assert (
        "ranked among all 20 with scores on both. By chance 0.2 would be in both." in said
    )  # 2 x 1 / 10
    assert "10% of these" not in said
    assert "A10" not in said
    assert "Northside" not in said
    assert max(len(line) for line in said.splitlines() if line.startswith("    ")) <= 120


def test_two_that_share_no_area_are_refused(run_with: RunWith) -> None:
    north = run_with(focus={"district": "N"})
    with pytest.raises(StudyError, match=r"focus: \{'district': 'S'\}, and no place is in both"):
        compare_studies(north, run_with(**SOUTH), NO_STORE)


def test_two_that_overlap_in_part_are_refused(run_with: RunWith, small: Small) -> None:
    """Or the wider one would be counted, without a word of the other."""
    lines = small.areas.read_text("utf-8").splitlines()
    wider = ["county,county_name", *["C,County"] * 16, *["D,Dale"] * 4]
    small.areas.write_text("\n".join(map(",".join, zip(lines, wider, strict=True))), "utf-8")
    parents = {"district": ["district", "district_name"], "county": ["county", "county_name"]}
    south, county = (
        run_with(areas__parents=parents, focus=focus) for focus in (SOUTH["focus"], {"county": "C"})
    )
    with pytest.raises(
        StudyError,
        match=r"\{'county': 'C'\}, and of the 20 places in either, 6 are in both; expected the same",
    ):
        compare_studies(south, county, NO_STORE)


def test_a_focus_by_another_name_is_the_same(run_with: RunWith, small: Small) -> None:
    text = small.areas.read_text("utf-8").replace("district_name", "district_name,half", 1)
    text = text.replace("Northside", "Northside,1").replace("Southside", "Southside,2")
    small.areas.write_text(text, "utf-8")
    parents = {"district": ["district", "district_name"], "half": ["half", "half"]}
    runs = [run_with(areas__parents=parents, focus=f) for f in (SOUTH["focus"], {"half": "2"})]
    found = compare_studies(*runs, NO_STORE).focus
    assert found is not None
    assert found.sum() == 10


def test_one_focus_on_areas_that_cross_its_edge_is_the_same(
    run_with: RunWith, in_pairs: RunWith, small: Small
) -> None:
    """A08 is in the south here; the pair of A07 and A08 is in the north by the table of pairs."""
    small.replace(small.areas, "Place 8,800,N,Northside", "Place 8,800,S,Southside")
    runs = [run(**SOUTH, designate=None, certainty=None) for run in (run_with, in_pairs)]
    found = compare_studies(*runs, NO_STORE).focus
    assert found is not None
    np.testing.assert_array_equal(found, runs[1].focus)


def test_the_list_of_a_study_since_another_is_counted_in_its_focus(small: Small) -> None:
    earlier = small.write()
    earlier = earlier.rename(small.path / "earlier.yaml")
    results = small.run(small.write(since="earlier.yaml", **WIDER, **SOUTH), draws=0)
    said = "\n".join(run_lines(results))
    assert "(3 places in Southside)" in said
    assert "(10 places in Southside)" in said
    assert "3 stay on the list, 0 leave it, 7 enter it." in said


def test_units_count_the_focus_and_the_larger_areas_around_it(
    run_with: RunWith, in_pairs: RunWith
) -> None:
    """Short of halls are A20 and A10, and of pairs B05 (A09 and A10): in the south A20, and no pair."""
    lists = {
        "designate": {"few_halls": {"index": "community_needs", "worst": 2}},
        "certainty": None,
    }
    small = run_with(**lists)
    focus = small.areas.table["district"].eq("S").to_numpy()
    large = in_pairs(
        **{**lists, "designate": {"few_halls": {"index": "community_needs", "worst": 1}}}
    )
    found = compare_units(small, large, NO_STORE, focus)
    assert (len(found.small), len(found.large), len(found.places)) == (10, 5, 10)
    (row,) = found.designations.rows(named=True)
    assert (row["small_selected"], row["large_selected"]) == (1, 0)
    assert (row["people_gained"], row["people_lost"]) == (0, 2000)
    assert row["small_share"] == pytest.approx(2000 / 15500)
    halls = found.nodes.row(by_predicate=pl.col("index") == "community_needs", named=True)
    assert (halls["areas"], halls["worst_tenth"]) == (10, 1)
    twenty = found.places.row(by_predicate=pl.col("code") == "A20", named=True)
    assert twenty["community_needs.rank_small"] == 1  # among all twenty
    document = units_document([found], "Twenty places", "a priority", "Southside")
    said = "\n".join(document_lines(document))
    assert "This counts only the 10 places in Southside" in said


@pytest.fixture
def on_pairs(
    small: Small, run_with: RunWith, in_pairs: RunWith, monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, str]], Study]:
    """Give the study with a focus, as one on areas that ship, of which pairs make up larger ones."""
    lines = small.areas.read_text("utf-8").splitlines()
    pairs = ["pair,pair_name", *(f"B{(i + 1) // 2:02},Pair {(i + 1) // 2}" for i in range(1, 21))]
    small.areas.write_text("\n".join(map(",".join, zip(lines, pairs, strict=True))), "utf-8")
    parents = {p: [p, f"{p}_name"] for p in ("district", "pair")}
    runs = {
        "twenty": run_with(areas__parents=parents, certainty=None),
        "pair": in_pairs(certainty=None),
    }
    monkeypatch.setattr("commonweal.compare.units.study_areas", lambda *_: runs["twenty"].areas)
    monkeypatch.setattr("commonweal.compare.units.run", lambda study, *_, **__: runs[study.areas])
    there = load_study(small.write(certainty=None))
    return lambda focus: there.model_copy(update={"areas": "twenty", "focus": focus})


def test_units_of_a_study_with_a_focus(
    on_pairs: Callable[[dict[str, str]], Study],
    tell: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (found,) = run_on_units(on_pairs({"district": "S"}), NO_STORE, ["pair"])
    assert (len(found.small), len(found.large)) == (10, 5)
    assert found.nodes["areas"].unique().to_list() == [10]
    monkeypatch.setattr(
        "commonweal.study.fingerprint.load_study", lambda _: on_pairs({"district": "S"})
    )
    code, said, error = tell("units", "twenty", "--areas", "pair")
    assert (code, error) == (0, "")
    assert "This counts only the 10 places in Southside" in said
    assert "No correlation" not in said
    data = json.loads(tell("units", "twenty", "--areas", "pair", "--json")[1])
    assert data["focus"] == {"name": "Southside", "areas": 10}
    assert data["small"]["number"] == 10


def test_units_of_a_focus_that_lies_in_one_larger_area(
    on_pairs: Callable[[dict[str, str]], Study],
    tell: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A19 and A20, in B10: two places beside one value have no correlation."""
    monkeypatch.setattr(
        "commonweal.study.fingerprint.load_study", lambda _: on_pairs({"pair": "B10"})
    )
    code, said, error = tell("units", "twenty", "--areas", "pair")
    assert (code, error) == (0, "")
    assert "nan" not in said
    assert "No correlation is given where all areas rank the same on one" in said
    data = json.loads(tell("units", "twenty", "--areas", "pair", "--json")[1])
    (rows,) = (rows for name, rows in data["tables"].items() if name.startswith("ranks-"))
    assert {row["spearman"] for row in rows} == {None}


def test_larger_units_where_nobody_is_known_to_live(run_with: RunWith, in_pairs: RunWith) -> None:
    found = compare_units(run_with(), in_pairs(areas__population=None), NO_STORE)
    document = units_document([found], "Twenty places", "a priority")
    assert "nan" not in "\n".join(document_lines(document))
    name = found.designations["designation"][0].replace("_", "-")
    assert document_data(document)["tables"][f"list-{name}"][0]["large_share"] is None


def test_units_without_a_score_in_the_focus(
    run_with: RunWith, in_pairs: RunWith, small: Small
) -> None:
    lines = small.indicators.read_text("utf-8").splitlines()
    small.indicators.write_text("\n".join(lines[:1] + lines[2:]), "utf-8")
    alone = run_with()
    focus = alone.areas.table["code"].eq("A01").to_numpy()
    with pytest.raises(DataError, match="no area in the study's focus has a score both"):
        compare_units(alone, in_pairs(), NO_STORE, focus)


def test_on_the_command_line(
    small: Small, tell: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    here = tmp_path / "south.yaml"
    small.write(**SOUTH).rename(here)
    small.write(**WIDER)
    code, said, _ = tell("compare", here, small.study, "--json")
    assert code == 0
    counts = {k: f["value"] for k, f in json.loads(said)["figures"].items()}
    assert counts == {"stays": 3, "enters": 7, "leaves": 0}
    code, said, _ = tell("invest", "baseline", here, "--out", tmp_path / "baseline")
    assert code == 0
    assert "The baseline follows 3 of 10 places in Southside" in said
    assert "It records all 20 places" in said
    some = [f"--area=A{k:02}" for k in (5, 13, 15, 17, 18, 20)]
    code, said, _ = tell("invest", "baseline", here, "--out", tmp_path / "baseline", *some)
    assert "The baseline follows 6 of 20 places" in said
    lines = small.indicators.read_text("utf-8").splitlines()
    cells = [line.split(",") for line in lines[1:]]
    fewer = [f"{c},{i},{int(h) + k % 3},{e}" for k, (c, i, h, e) in enumerate(cells)]
    small.indicators.write_text("\n".join([lines[0], *fewer]), "utf-8")
    track = ("invest", "track", tmp_path / "baseline", "--study", here, "--like", "2")
    aside = "The focus of the study is not used: we follow the areas of the baseline"
    code, said, error = tell(*track, "--out", tmp_path / "moved")
    assert code == 0, error
    assert said.startswith("What changed in 6 places\n")
    assert f"Please note: {aside}" in said
    assert aside in (tmp_path / "moved" / "report.html").read_text("utf-8")
    sections = json.loads(tell(*track, "--json")[1])["sections"]
    assert any(line.startswith(aside) for s in sections for line in s["warnings"])
    code, said, error = tell(*track[:3], "--study", small.study, "--like", "2")
    assert code == 0, error
    assert "is not used" not in said
