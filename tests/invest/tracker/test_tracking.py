"""Baselines of a study: taken, kept, carried to and told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.document.text import document_lines
from commonweal.document.write import write_document
from commonweal.errors import CommonwealError, DataError, StudyError, UnknownNameError
from commonweal.invest.tracker.on_study import (
    PERCENTILE_UNIT,
    later_snapshot,
    read_baseline,
    take_baseline,
    write_baseline,
)
from commonweal.invest.tracker.track import track
from commonweal.report.tracker import NOT_CAUSE, tracker_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small

    from commonweal.invest.tracker.track import TrackerResult


def test_a_baseline_has_every_area_and_what_it_measures(small: Small) -> None:
    """Halls and income are no ranks, so their values are kept; indices are standings, 2.5 for the first of 20."""
    taken = take_baseline(small.run(draws=0))
    assert [c for c, s in zip(taken.codes, taken.selected, strict=True) if s] == [
        "A17",
        "A18",
        "A20",
    ]
    assert {m.name: (m.unit == PERCENTILE_UNIT, m.better) for m in taken.measures} == {
        "deprivation": (True, "more"),
        "income": (False, "less"),
        "community_needs": (True, "more"),
        "halls": (False, "more"),
    }
    assert taken.column("halls")[19] == 1
    assert taken.column("income")[19] == 20
    assert taken.column("community_needs")[19] == 2.5
    assert taken.groups == {"authority": ("Northside",) * 10 + ("Southside",) * 10}
    assert take_baseline(small.run(draws=0), ["Southside"]).selected.sum() == 10


def test_a_baseline_survives_being_kept(small: Small, tmp_path: Path) -> None:
    taken = take_baseline(small.run(draws=0))
    folder = write_baseline(taken, tmp_path / "baseline")
    again = read_baseline(folder)
    assert again.about() == taken.about()
    assert again.to_frame().equals(taken.to_frame())
    lines = (folder / "places.csv").read_text("utf-8").splitlines()
    assert lines[0] == "Place,Code,Measure,Value,Unit,Direction,Date,Source"
    assert len(lines) == 1 + 3 * 4
    write_baseline(taken, folder)  # it may be put in the place of an older one
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(CommonwealError, match=r"mine\.txt"):
        write_baseline(taken, folder)


def test_what_is_no_baseline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no baseline; expected a folder that 'commonweal invest"):
        read_baseline(tmp_path)
    (tmp_path / "provenance.json").write_text("{}")
    with pytest.raises(DataError, match="no baseline"):
        read_baseline(tmp_path)


def test_what_a_baseline_lacks_is_named_with_its_folder(small: Small, tmp_path: Path) -> None:
    folder = write_baseline(take_baseline(small.run(draws=0)), tmp_path / "baseline")
    account = json.loads((folder / "provenance.json").read_text("utf-8"))
    del account["baseline"]["system"]
    (folder / "provenance.json").write_text(json.dumps(account), "utf-8")
    with pytest.raises(DataError, match=r"/baseline: not a baseline \(has no 'system'\); expected"):
        read_baseline(folder)


def moved(small: Small) -> TrackerResult:
    """Southside gets two halls more in each place, Northside's stay."""
    before = take_baseline(small.run(draws=0), ["A05", "A13", "A15", "A17", "A18", "A20"])
    lines = small.indicators.read_text("utf-8").splitlines()
    changed = [lines[0]]
    for line in lines[1:]:
        code, income, halls, se = line.split(",")
        changed.append(f"{code},{income},{int(halls) + 2 * (code > 'A10')},{se}")
    small.indicators.write_text("\n".join(changed) + "\n", "utf-8")
    return track(before, later_snapshot(small.run(draws=0), before, small.store), like=2, within=[])


def test_later_studies_are_set_beside_the_baseline(small: Small) -> None:
    found = moved(small)
    halls = next(m for m in found.moved if m.measure.name == "halls")
    change = found.later.column("halls") - found.baseline.column("halls")
    assert change.tolist() == [0] * 10 + [2] * 10
    assert halls.difference.own == pytest.approx(10 / 6)
    assert found.skipped["income"] == "every area has the same value in both: nothing newer"


def test_areas_are_put_in_the_order_of_the_baseline_and_new_ones_left_out(small: Small) -> None:
    before = take_baseline(small.run(draws=0))
    head, *rows = small.areas.read_text("utf-8").splitlines()
    turned = [head, *reversed(rows[1:]), "A21,Place 21,50,S,Southside"]
    small.areas.write_text("\n".join(turned) + "\n", "utf-8")
    with small.indicators.open("a", encoding="utf-8") as file:
        file.write("A21,3,3,0.5\n")
    later = later_snapshot(small.run(draws=0), before, small.store)
    assert later.codes == before.codes
    assert np.isnan(later.column("halls")[0])
    assert later.column("halls")[1:].tolist() == before.column("halls")[1:].tolist()


def test_other_areas_altogether_are_refused(small: Small) -> None:
    before = take_baseline(small.run(draws=0))
    other = replace(before, codes=tuple(f"B{k}" for k in range(20)))
    with pytest.raises(DataError, match="has none of the 20 places of the baseline"):
        later_snapshot(small.run(draws=0), other, small.store)


def test_what_cannot_be_taken_is_refused(small: Small) -> None:
    results = small.run(draws=0)
    with pytest.raises(StudyError, match=r"year: found 2019, and study .* has no 'panel'"):
        take_baseline(results, year=2019)
    with pytest.raises(UnknownNameError, match="designation 'x' not found"):
        take_baseline(results, designation="x")
    with pytest.raises(CommonwealError, match="found 'selected' and others"):
        take_baseline(results, ["selected", "A01"])
    with pytest.raises(DataError, match="all of the 20 places are followed"):
        take_baseline(results, ["Northside", "Southside"])


def test_years_of_a_panel_are_on_one_base(small: Small) -> None:
    """Income need falls by 6 and by 4 for all: on the base of 2015 all scores fall, and standings would not."""
    years = (2015, 2019, 2024)
    lines = ["code,year,income"]
    for year, more in zip(years, (10, 4, 0), strict=True):
        lines += [f"A{i:02d},{year},{i + more}" for i in range(1, 21)]
    (small.path / "income.csv").write_text("\n".join(lines) + "\n", "utf-8")
    study = small.write(
        panel={"years": list(years), "base": 2015},
        indicators={
            "income": {
                "label": "Low income", "file": "income.csv", "column": "income", "year": "year", "higher_is": "more",
            }
        },
        index={"deprivation": {"transform": "min_max", "children": {"income": {"indicator": "income"}}}},
        designate={"priority": {"index": "deprivation", "worst": "20%"}},
        certainty=None,
    )  # fmt: skip
    results = small.run(study, draws=0)
    first, last = (take_baseline(results, year=year) for year in (2015, 2024))
    assert first.when == "2015"
    assert (last.column("income") - first.column("income")).tolist() == [-10.0] * 20
    fall = last.column("deprivation") - first.column("deprivation")
    assert fall == pytest.approx(np.full(20, -100 * 10 / 19))
    assert {m.unit for m in first.measures if m.name == "deprivation"} == {
        "score on the base of 2015"
    }
    with pytest.raises(UnknownNameError, match="year '2018' not found"):
        take_baseline(results, year=2018)
    later = later_snapshot(results, first, small.store, year=2019)
    assert later.column("income").tolist() == [i + 4.0 for i in range(1, 21)]


def test_it_is_told_as_association_and_with_what_to_beware_of(small: Small, tmp_path: Path) -> None:
    found = moved(small)
    told = " ".join(document_lines(tracker_document(found)))
    assert NOT_CAUSE in told
    assert "Without an earlier baseline we could not check" in told
    assert "We compared 2 measures" in told
    folder = write_document(tracker_document(found), tmp_path / "report")
    page = (folder / "report.html").read_text("utf-8")
    assert "association, not cause" in page
    tables = json.loads((folder / "report.json").read_text("utf-8"))["tables"]
    skipped = {m["measure"] for m in tables.get("tracker-skipped", [])}
    moved_ = {m["measure"] for m in tables["tracker-measures"]}
    assert moved_ == {"deprivation", "community_needs", "halls"} - skipped


def test_the_commands_keep_and_track_a_baseline(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    study = small.study
    code, out, err = tell("invest", "baseline", study, "--out", "kept", "--area", "Northside")
    assert (code, err) == (0, "")
    assert "The baseline follows 10 of 20 places, on 4 measures." in out
    before = small.indicators.read_text("utf-8")
    small.indicators.write_text(
        before.replace("A01,1,20,", "A01,1,30,").replace("A12,12,9,", "A12,12,4,")
    )
    code, out, err = tell(
        "invest", "track", "kept", "--study", study, "--like", "3", "--out", "told", "--json"
    )
    assert (code, err) == (0, "")
    data = json.loads(out)
    halls = next(m for m in data["tables"]["tracker-measures"] if m["measure"] == "halls")
    assert halls["change"] == pytest.approx(1.0)
    assert halls["low"] < halls["difference"] < halls["high"]
    code, _, err = tell("invest", "track", "told", "--study", study)
    assert code == 2
    assert "no baseline" in err
