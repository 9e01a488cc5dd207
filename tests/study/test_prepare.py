"""A study that prepares its indicators: what a run makes of it, keeps of it and tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import polars as pl
import pytest
from tests.terminal import run_lines

from commonweal.errors import CommonwealError
from commonweal.report.place.profile import profile
from commonweal.report.study.folder import write_results

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.study.results import Results

STEPS: list[dict[str, Any]] = [
    {"denominate": {"by": "population", "of": ["halls"], "per": 1000}},
    {"screen": {"areas": 0.4}},
    {"impute": {"how": "group_median", "group": "district", "of": ["income"]}},
    {"treat": {"skew": 1, "kurtosis": 1, "of": ["income"]}},
    {"shrink": {"to": "district", "of": ["income"], "sizes": "population"}},
]
ERRORS = {"indicators__income__standard_error": "income_se"}


def gaps(small: Any) -> None:
    """A03 lacks income, A07 has nothing, and A20 is far out."""
    small.replace(small.indicators, "A03,3,18,", "A03,,18,")
    small.replace(small.indicators, "A07,7,14,0.5", "A07,,,")
    small.replace(small.indicators, "A20,20,1,", "A20,90,1,")


def value(results: Results, index: str, code: str) -> float:
    found = results.indicators[index]
    return float(found.values[found.codes.index(code), 0])


def test_each_step_of_a_run_by_hand(small: Any) -> None:
    gaps(small)
    small.write(prepare=STEPS[:4], **ERRORS)
    results = small.run(draws=0)
    # 20 halls for 100 people; 1 for 2,000.
    assert value(results, "community_needs", "A01") == 200
    assert value(results, "community_needs", "A20") == 0.5
    # The median of 1, 2, 4, 5, 6, 8, 9 and 10: A07 is out and A03 itself is not known.
    assert value(results, "deprivation", "A03") == 5.5
    assert value(results, "deprivation", "A20") == 19  # brought in to the next
    assert results.preparations[0].areas_out == {
        "A07": "has 0 of 2 indicators, where a share of 0.4 is needed"
    }
    for scores in results.scores.values():
        assert np.isnan(scores.score[6])
        assert np.isnan(scores.score).sum() == 1
    # A19 and A20 now tie on income; the worst four tie at the same places as before.
    assert results.scores["deprivation"].rank[[19, 18, 17, 16]].tolist() == [1, 1, 3, 4]


def test_order_is_the_studys(small: Any) -> None:
    gaps(small)
    rate = {"denominate": {"by": "population", "of": ["halls"]}}
    fill = {"impute": {"how": "mean", "of": ["halls"]}}
    small.write(prepare=[rate, fill])
    rates = [h / (100 * i) for i, h in enumerate(read_halls(small), start=1) if h is not None]
    assert value(small.run(draws=0), "community_needs", "A07") == pytest.approx(np.mean(rates))
    small.write(prepare=[fill, rate])
    counts = [h for h in read_halls(small) if h is not None]
    assert value(small.run(draws=0), "community_needs", "A07") == pytest.approx(
        np.mean(counts) / 700
    )


def read_halls(small: Any) -> list[float | None]:
    return pl.read_csv(small.indicators)["halls"].to_list()


def test_everything_done_is_kept_and_told(small: Any, tmp_path: Path) -> None:
    gaps(small)
    small.write(prepare=STEPS, **ERRORS)
    results = small.run(draws=20)
    folder = write_results(results, tmp_path / "out")
    frame = pl.read_parquet(folder / "prepared.parquet")
    assert frame.equals(results.preparations[0].to_frame())
    assert frame["kind"].unique(maintain_order=True).to_list() == [next(iter(s)) for s in STEPS]
    # Indices on the same areas share one preparation: it is told once.
    assert len(frame.filter(kind="screen")) == 1
    last = (
        frame.filter(pl.col("indicator") == "income").group_by("code").agg(pl.col("after").last())
    )
    used = pl.read_parquet(folder / "indicators.parquet").select("code", "income").drop_nulls()
    assert last.sort("code").rows() == used.sort("code").rows()
    step = next(s for s in results.provenance["steps"] if s["step"] == "prepare own")
    assert step["indices"] == ["deprivation", "community_needs"]
    assert step["areas left out"] == 1
    assert [(s["kind"], s["changes"]) for s in step["steps"]] == [
        ("denominate", 19), ("screen", 1), ("impute", 1), ("treat", 1), ("shrink", 19),
    ]  # fmt: skip
    book = openpyxl.load_workbook(folder / "results.xlsx")
    single = [[c.value for c in row] for row in book["Prepared_values"].iter_rows(min_row=2)]
    assert [(row[1], row[3]) for row in single] == [
        ("screen", "A07"), ("impute", "A03"), ("treat", "A20"),
    ]  # fmt: skip
    assert single[2][5:7] == [90, 19]
    assert len(list(book["Preparation"].iter_rows(min_row=2))) == 5
    report = (folder / "report.html").read_text("utf-8")
    assert "What was done to the indicators first" in report
    assert "Missing values filled in by the median of the areas in the same district" in report
    assert "Values that were filled in are estimates" in report
    told = "\n".join(run_lines(results))
    assert "1 place has no score on an index that the rule uses (A07)" in told
    assert "1 of them was left out because too many of their values are missing." in told
    lines = str(profile(results, "A07"))
    assert lines.count("it was left out, since it has 0 of 2 indicators") == 2
    assert "prepare:" in (folder / "study.yaml").read_text("utf-8")


def test_the_recipe_of_the_results_gives_them_again(small: Any, tmp_path: Path) -> None:
    gaps(small)
    small.write(prepare=STEPS, **ERRORS)
    first = small.run(draws=20)
    again = small.run(write_results(first, tmp_path / "out") / "study.yaml")
    assert again.study.moved_to(small.path) == first.study
    assert again.preparations[0].to_frame().equals(first.preparations[0].to_frame())
    np.testing.assert_array_equal(
        again.certainty["priority"].selected, first.certainty["priority"].selected
    )


def test_without_steps_nothing_is_written_of_them(small: Any, tmp_path: Path) -> None:
    results = small.run(draws=0)
    assert results.prepared == {}
    folder = write_results(results, tmp_path / "out")
    assert not (folder / "prepared.parquet").exists()
    assert "Preparation" not in openpyxl.load_workbook(folder / "results.xlsx").sheetnames
    assert "What was done to the indicators first" not in (folder / "report.html").read_text(
        "utf-8"
    )


def test_draws_vary_the_prepared_values_by_the_prepared_errors(small: Any) -> None:
    """Halls state no error as published; as shrunk rates they have one, which may be drawn."""
    shrink = {"shrink": {"to": "district", "of": ["halls"], "at_risk": "population", "per": 100}}
    vary = {"certainty__vary": [{"standard_errors": ["halls"]}], "certainty__draws": 200}
    small.write(prepare=[shrink], **vary)
    results = small.run()
    errors = results.indicators["community_needs"].standard_errors
    assert errors is not None
    assert (errors > 0).all()
    p = results.certainty["priority"].selected
    assert ((p > 0) & (p < 1)).any()
    small.write(**vary)
    with pytest.raises(
        CommonwealError, match=r"certainty\.vary\.0\.standard_errors: indicator 'halls'"
    ):
        small.run()


def test_a_denominator_may_be_an_indicator_that_no_index_uses(small: Any) -> None:
    homes = {"file": "indicators.csv", "column": "income", "higher_is": "more"}
    small.write(prepare=[{"denominate": {"by": "homes", "of": ["halls"]}}], indicators__homes=homes)
    results = small.run(draws=0)
    assert value(results, "community_needs", "A04") == 17 / 4
    assert [m.name for m in results.indicators["community_needs"].meta] == ["halls"]
    small.write(
        prepare=[{"denominate": {"by": "homes", "of": ["halls"]}}],
        indicators__homes={**homes, "column": "homes"},
    )
    with pytest.raises(CommonwealError, match="column 'homes'"):
        small.run(draws=0)


def test_check_looks_into_what_only_helps(small: Any, tell: Any) -> None:
    homes = {"file": "homes.csv", "column": "homes", "higher_is": "more"}
    small.write(prepare=[{"denominate": {"by": "homes", "of": ["halls"]}}], indicators__homes=homes)
    code, _, complaint = tell("check", small.study)
    assert code == 2
    assert "homes.csv is not there" in complaint


def test_an_indicator_left_out_leaves_the_rest_of_its_index(small: Any) -> None:
    gaps(small)
    for k in range(10, 16):  # six more without halls: 13 of 20 are there
        text = small.indicators.read_text("utf-8").splitlines()
        text[k] = ",".join([*text[k].split(",")[:2], "", "0.5"])
        small.indicators.write_text("\n".join(text) + "\n", "utf-8")
    index = {
        "deprivation": {
            "children": {
                "income": {"indicator": "income"},
                "halls": {"indicator": "halls", "weight": 2},
            }
        }
    }
    rule = {"priority": {"index": "deprivation", "worst": "20%"}}
    small.write(prepare=[{"screen": {"indicators": 0.66}}], index=index, designate=rule)
    results = small.run(draws=0)
    assert list(results.scores["deprivation"].tree.children) == ["income"]
    assert list(results.preparations[0].indicators_out) == ["halls"]
    alone = {"deprivation": {"children": {"income": {"indicator": "income"}}}}
    small.write(index=alone, designate=rule)
    np.testing.assert_array_equal(
        results.scores["deprivation"].score, small.run(draws=0).scores["deprivation"].score
    )
    # Nothing is designated by what is not there any more.
    rule["priority"]["index"] = "deprivation.halls"
    small.write(prepare=[{"screen": {"indicators": 0.66}}], index=index, designate=rule)
    with pytest.raises(CommonwealError) as raised:
        small.run(draws=0)
    assert str(raised.value).startswith(
        "designate.priority.index: nothing is left of 'deprivation.halls'; a step under 'prepare' left "
        "out halls (left out: 65.0% of the areas have a value"
    )


RISKY = {"to": "district", "of": ["halls"], "at_risk": "flat"}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (
            [{"screen": {"areas": 0.4}}, {"treat": {"of": ["flat"]}}],
            "prepare.1.treat: indicator 'flat' is constant",
        ),
        (
            [{"shrink": {"to": "district", "of": ["income"]}}],
            "prepare.0.shrink: area 'A01': standard error 0",
        ),
        ([{"shrink": RISKY}], "prepare.0.shrink: area 'A01': 20 events of 0.5 at risk"),
    ],
)
def test_what_a_step_cannot_do_is_told_with_its_place(
    small: Any, tell: Any, steps: Any, expected: str
) -> None:
    flat = {"file": "indicators.csv", "column": "income_se", "higher_is": "more"}
    text = small.indicators.read_text("utf-8").splitlines()
    zero = [f"{text[0]},zero", *(f"{line},0" for line in text[1:])]
    small.indicators.write_text("\n".join(zero) + "\n", "utf-8")
    small.write(
        prepare=steps,
        indicators__flat=flat,
        indicators__income__standard_error="zero",
        index__deprivation__children__flat={"indicator": "flat"},
    )
    code, _, complaint = tell("run", small.study)
    assert code == 2
    assert complaint.startswith(f"commonweal: {expected}"), complaint
