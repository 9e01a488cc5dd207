"""What the rules of thumb find, told with the names that readers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonweal.report.study.method import method, quality_flags

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Small

INDEX: dict[str, Any] = {
    "label": "Need",
    "children": {
        "income": {"indicator": "income"},
        "places": {
            "label": "Places to meet",
            "available": 0.5,
            "children": {
                "halls": {"indicator": "halls"},
                "pubs": {"indicator": "pubs", "enters_as": "min_max"},
            },
        },
    },
}


def with_pubs(small: Small, pubs: dict[int, str], **changes: Any) -> Path:
    """The study with an indicator more, pubs: none known but these."""
    lines = small.indicators.read_text("utf-8").splitlines()
    added = [lines[0] + ",pubs", *(f"{s},{pubs.get(i, '')}" for i, s in enumerate(lines[1:], 1))]
    small.indicators.write_text("\n".join(added) + "\n", "utf-8")
    halls = {"file": "indicators.csv", "column": "pubs", "label": "Pubs", "higher_is": "more"}
    halls["coverage"] = "5%"
    return small.write(
        indicators__pubs=halls, index={"need": INDEX}, certainty=None,
        designate={"priority": {"index": "need", "worst": "20%"}}, **changes,
    )  # fmt: skip


def test_what_is_found_is_told_by_label_in_the_method_of_report_and_workbook(small: Small) -> None:
    extreme = {i: str(i) for i in range(1, 20)} | {20: "900"}
    results = small.run(with_pubs(small, extreme))
    ((subject, text),) = quality_flags(results)
    assert subject == "Check: Need"
    assert "“Pubs” has skew 4.4" in text
    assert "beyond 2 and 3.5: treat its outliers, or say why not." in text
    assert (subject, text) in method(results)


def test_treated_outliers_are_no_longer_told(small: Small) -> None:
    extreme = {i: str(i) for i in range(1, 20)} | {20: "900"}
    results = small.run(with_pubs(small, extreme, prepare=[{"treat": {"of": ["pubs"]}}]))
    assert "skew" not in quality_flags(results)[0][1]


def test_outliers_are_not_told_where_only_ranks_enter(small: Small) -> None:
    extreme = {i: str(i) for i in range(1, 20)} | {20: "900"}
    study = with_pubs(small, extreme)
    assert "“Pubs” has skew" in quality_flags(small.run(study))[0][1]
    for how in ("normal_score", "exponential"):
        small.replace(study, "enters_as: min_max", f"enters_as: {how}")
        text = quality_flags(small.run(study))[0][1]
        assert "skew" not in text
        small.replace(study, f"enters_as: {how}", "enters_as: min_max")
    assert "“Low income” and “Places to meet” correlate at 0.9" in text


def test_areas_and_indicators_with_too_little_are_counted(small: Small) -> None:
    few = {i: str(i * i % 7) for i in range(1, 13)}
    text = quality_flags(small.run(with_pubs(small, few)))[0][1]
    assert "“Pubs” has 60% of the areas; 65% expected." in text
    more = small.replace(small.indicators, "A20,20,1,0.5,", "A20,20,,0.5,")
    assert "1 area has less than 65% of the indicators." in quality_flags(small.run(more))[0][1]


def test_nothing_found_is_said(small: Small) -> None:
    told = dict(quality_flags(small.run()))
    assert set(told) == {"Check: deprivation", "Check: Community needs"}
    assert all("The usual checks of an index found nothing." in text for text in told.values())
