"""The indicators of the open index: none without its meaning, its terms, its page and its map."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

DOCS = Path(__file__).resolve().parents[1] / "docs"
sys.path.insert(0, str(DOCS))

import generate  # noqa: E402
import indicator_pages  # noqa: E402

STUDY = indicator_pages.study()
FIGURES = indicator_pages.figures()
OPEN = {
    "Open Government Licence v3.0", "Open Database Licence 1.0", "CC BY-SA 4.0", "MIT",
    "CC BY 4.0 (to be confirmed with the publisher)",
}  # fmt: skip


def test_there_are_figures_for_every_indicator_and_no_other() -> None:
    assert list(FIGURES) == list(STUDY.indicators)


@pytest.mark.parametrize("name", STUDY.indicators)
def test_an_indicator_says_what_it_is_and_may_be_passed_on(name: str) -> None:
    spec, row = STUDY.indicators[name], FIGURES[name]
    assert spec.label
    assert spec.about.endswith(".")
    assert spec.why.endswith(".")
    assert spec.unit
    assert spec.higher_is in ("more", "less")
    assert row["vintage"]
    if row["measured_on"] or spec.synthetic:
        assert spec.note.endswith(".")
    sources = indicator_pages.sources_of(name)
    assert sources
    for source in sources:
        assert source.use == "open", source.id
        assert source.licence in OPEN, source.id
        assert source.attribution
        assert source.vintage


def test_labels_say_what_was_measured() -> None:
    """A model, or one number for a whole authority, is no measurement of a neighbourhood: its label says so."""
    labels = {name: spec.label for name, spec in STUDY.indicators.items()}
    assert {n for n, spec in STUDY.indicators.items() if spec.synthetic} == {
        n for n, label in labels.items() if "modelled" in label
    }
    assert {n for n, spec in STUDY.indicators.items() if str(spec.areas).startswith("lad")} == {
        n for n, label in labels.items() if "whole authority" in label
    }
    assert labels["loneliness"] == "Lonely at least occasionally (modelled)"
    assert labels["turnout"] == "EU referendum turnout, 2016, whole authority"
    for name in ("loneliness", "turnout", "offline"):
        page = (DOCS / "indicators" / f"{name}.md").read_text("utf-8")
        assert page.startswith(f"# {labels[name]}\n")
        assert f"Map of England: {labels[name]}, by tenths of need" in page


def test_reach_names_the_registers_of_what_is_reached_and_no_others() -> None:
    used = {name: [s.id for s in indicator_pages.sources_of(name)] for name in FIGURES}
    assert used["library"] == ["libraries-england"]
    assert used["station"] == ["rail-stations"]
    assert len(used["kinds_of_places"]) == 5


def test_what_is_estimated_or_measured_elsewhere_or_in_few_steps_is_marked() -> None:
    marked = {
        mark: {n for n in FIGURES if f"**{mark}**" in indicator_pages.page(n)}
        for mark in ("Synthetic", "Carried", "Coarse")
    }
    assert marked["Synthetic"] == {"loneliness", "offline"}
    assert {"turnout", "charities", "grants", "surgery"} <= marked["Carried"]
    assert not {"library", "destinations", "broadband", "loneliness"} & marked["Carried"]
    assert {"turnout", "offline", "kinds_of_places"} <= marked["Coarse"]
    assert not {"library", "charities", "post_office"} & marked["Coarse"]


@pytest.mark.parametrize("name", STUDY.indicators)
def test_a_map_is_small_and_that_of_the_figures(name: str) -> None:
    path = DOCS / "indicators" / "maps" / f"{name}.png"
    assert path.stat().st_size < 60_000
    with Image.open(path) as picture:
        assert picture.info["Description"] == FIGURES[name]["map"]


def test_no_map_is_left_behind() -> None:
    assert {p.stem for p in (DOCS / "indicators" / "maps").iterdir()} == set(STUDY.indicators)


def test_the_page_of_an_indicator_that_is_gone_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert generate.indicator_faults() == []
    less = {page: make for page, make in generate.PAGES.items() if page != "indicators/turnout.md"}
    monkeypatch.setattr(generate, "PAGES", less)
    fault = "docs/indicators/turnout.md: there is no such indicator"
    assert generate.indicator_faults() == [fault]


def test_numbers_of_any_size_are_readable() -> None:
    text = indicator_pages.page("daytime_services")
    assert "144,500" in text
    assert "e+0" not in text


def test_what_bears_out_an_indicator_stands_on_its_page() -> None:
    text = indicator_pages.page("pubs")
    assert (
        "| Evidence | [Bolet 2021](https://doi.org/10.1177/0010414021997158), association: " in text
    )
    for name, spec in STUDY.indicators.items():
        assert indicator_pages.page(name).count("| Evidence |") == len(spec.cites), name
