"""What is said of a place, checked by hand on twenty places and for sense on the fictional county."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.document.format import FEWEST_EVENTS, FEWEST_PEOPLE, format_amount, is_suppressed
from commonweal.document.html import document_html
from commonweal.indicators import Counts
from commonweal.report.place import describe, describer
from commonweal.report.place.document import (
    MOST_REASONS,
    main_drivers,
    place_document,
    reasons,
    works_of,
)
from commonweal.report.place.drivers import worse_than

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Small

    from commonweal.report.place import Place
    from commonweal.study.results import Results


def row_of(results: Results, code: str) -> int:
    return results.areas.position[code]


def test_a_place_on_the_edge(small: Small) -> None:
    results = small.run()
    place = describe(results, row_of(results, "A17"))
    assert (place.name, place.kind, place.people) == ("Place 17", "place", 1700)
    assert [(x.system, x.name) for x in place.larger] == [("district", "Southside")]
    (answer,) = place.answers
    assert answer.selected
    assert answer.label == "a priority"
    # Fourth of twenty on both, where the worst fifth is four: the last one in.
    assert [(m.places, m.cut, m.inside, m.condition) for m in answer.margins] == [
        (1, 4, True, "worst 20%")
    ] * 2
    assert answer.margins[1].text == "Community needs: in the worst 20%, 1 rank inside the cut-off."
    income = place.standings[0]
    assert (income.rank, income.of, income.decile) == (4, 20, 2)
    assert income.worse_than == pytest.approx(16 / 19)
    means = {a.group: a.worse_than for a in income.averages}
    # A11 to A20 rank 1 to 10 on income: 10 to 19 of the others have less need.
    assert means["district"] == pytest.approx(np.mean([k / 19 for k in range(10, 20)]))
    assert means["all"] == 0.5


def test_probability_and_interval_are_those_of_the_draws(demo: Results) -> None:
    sure = demo.certainty["left_behind"]
    say = describer(demo)
    for row in range(0, len(demo.areas), 37):
        place = say(row)
        (answer,) = place.answers
        assert answer.share_of_draws == sure.selected[row]
        needs = place.standings[0]
        low, _, high = sure.ranks["community_needs"][row]
        assert (needs.low, needs.high) == (low, high)
        text = place.headline[1].text
        assert text.startswith("It ranks ")
        assert (
            f" of {needs.of} neighbourhoods for community needs (1st is the greatest need)." in text
        )


def test_without_draws_it_says_that_it_is_not_known(small: Small) -> None:
    results = small.run(draws=0)
    place = describe(results, 0)
    assert "We did not test how stable this result is" in place.headline[0].text
    assert place.answers[0].share_of_draws is None
    assert place.standings[0].low is None
    assert "about 20th of 20" in place.headline[1].text
    assert any("not tested" in text for text in place.caveats)


def test_what_would_change_it(small: Small) -> None:
    results = small.run()
    # A19 is second on income and 10th on halls: it would be in if halls took it to the fourth place.
    answer = describe(results, row_of(results, "A19")).answers[0]
    assert not answer.selected
    assert answer.change is not None
    assert (answer.change.path, answer.change.then) == ("community_needs.halls", 4)
    assert "would join the list" in answer.change_text


def test_every_sentence_and_number_has_its_source(demo: Results) -> None:
    say = describer(demo)
    for row in (0, 71, 399):
        place = say(row)
        known = {s.id for s in place.sources}
        assert [s.number for s in place.sources] == list(range(1, len(place.sources) + 1))
        for claim in place.headline:
            assert claim.sources
            assert set(claim.sources) <= known
        for part in (*place.drivers, *place.standings):
            assert part.sources
            assert set(part.sources) <= known
        assert all(s.title and s.licence and s.vintage for s in place.sources)


def test_drivers_are_weight_times_distance_from_the_middle(demo: Results) -> None:
    place = describe(demo, 70)
    scores = demo.scores["deprivation"]
    pushes = {d.label: d.push for d in place.drivers if d.index == "Deprivation"}
    for path in scores.domains:
        label = demo.study.indicators[str(scores.tree.children[path.split("/")[1]].indicator)].label
        assert pushes[label] == pytest.approx((worse_than(scores.need[path])[70] - 0.5) / 5)
    sizes = [abs(d.push) for d in place.drivers]
    assert sizes == sorted(sizes, reverse=True)
    near = {d.indicator for d in place.near}
    assert near == {"distance_to_library_m", "distance_to_services_m"}


def test_neighbours_and_peers_are_others(demo: Results) -> None:
    say = describer(demo)
    for row in range(0, 400, 23):
        place = say(row)
        assert len(place.peers) == 5
        assert len(place.neighbours) == 6
        assert place.code not in {o.code for o in (*place.peers, *place.neighbours)}
        metres = [o.metres for o in place.neighbours]
        assert metres == sorted(metres)  # type: ignore[type-var]
        assert 0 < metres[0] < 20_000  # type: ignore[operator]


def test_one_degree_of_latitude_is_111_km(small: Small) -> None:
    from commonweal.report.place.describing import Nearby

    table = "code,name,lat,lon\n" + "".join(f"A{i:02d},P{i},{50 + i},1\n" for i in range(1, 21))
    small.areas.write_text(table, "utf-8")
    study = small.write(
        areas__name="name", areas__population=None, areas__parents=None,
        areas__longitude="lon", areas__latitude="lat",
    )  # fmt: skip
    rows, metres = Nearby(small.run(study).areas)(4, 2)
    assert sorted(rows.tolist()) == [3, 5]
    assert metres == pytest.approx([111_195, 111_195], rel=1e-4)


def test_few_people_are_not_shown(small: Small) -> None:
    small.replace(small.areas, "A20,Place 20,2000", f"A20,Place 20,{FEWEST_PEOPLE - 1}")
    results = small.run()
    place = describe(results, row_of(results, "A20"))
    assert place.people is None
    assert place.drivers
    assert all(d.withheld and d.value is None for d in place.drivers)
    told = re.sub(r'"(score|contribution)": [\d.]+', "", json.dumps(place.to_dict()))
    assert str(FEWEST_PEOPLE - 1) not in told
    assert any(f"Fewer than {FEWEST_PEOPLE} people" in text for text in place.caveats)
    other = describe(results, row_of(results, "A19"))
    assert other.people == 1900
    assert not any(d.withheld for d in other.drivers)


def test_an_estimated_rank_is_no_value(small: Small) -> None:
    small.replace(small.indicators, "A05,5,", "A05,,")
    fill = {"impute": {"how": "mean", "of": ["income"]}}
    results = small.run(small.write(prepare=[fill], indicators__income__unit="rank"))
    (income,) = (
        d for d in describe(results, row_of(results, "A05")).drivers if d.indicator == "income"
    )
    assert (income.value, income.text) == (None, "")


def test_rates_of_few_events_are_withheld() -> None:
    events = np.array([0.0, 1.0, FEWEST_EVENTS - 1, FEWEST_EVENTS, np.nan])
    counts = Counts(events, np.full(5, 1000.0))
    people = np.full(5, 5000.0)
    assert is_suppressed(people, counts).tolist() == [False, True, True, False, False]
    assert is_suppressed(np.array([99.0, 100.0, np.nan]), None).tolist() == [True, False, False]


def test_plain_data_is_strict_json(demo: Results) -> None:
    place = describe(demo, 5)
    told = place.to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["standings"][0]["domains"][0]["label"] == "Places and spaces to meet"
    assert describer(demo)(5) == place


def test_more_need_is_never_a_lower_standing() -> None:
    need = np.array([1.0, 5.0, 5.0, np.nan, 9.0])
    assert worse_than(need).tolist()[:3] == [0.0, 0.5, 0.5]
    assert worse_than(need)[4] == 1.0
    assert np.isnan(worse_than(need)[3])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.004, "share of people", "0.4% of people"),
        (0.00123, "per person", "0.0012 per person"),
        (12.0, "per 10,000 people", "12 per 10,000 people"),
        (3.456, "pubs, the far ones counting less", "3.46 pubs"),
        (2.0, "0, 1 or 2", "2"),
        (51.0, "score, 0 to 100", "51"),
        (-1234.0, "m", "-1,234 m"),
    ],
)
def test_amounts(value: float, unit: str, text: str) -> None:
    assert format_amount(value, unit) == text


# ---- Plain English ---------------------------------------------------------------------------------------------


def syllables(word: str) -> int:
    """Runs of vowels, without a silent e at the end."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    spoken = re.sub(r"(?<=[^aeiouyl])e$", "", plain)
    return max(1, len(re.findall(r"[aeiouy]+", spoken)))


def grade(text: str) -> float:
    """Flesch-Kincaid grade (Kincaid et al., 1975): about the age less five; numbers count as one syllable."""
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", text) if re.search("[A-Za-z]", s)]
    words = re.findall(r"[A-Za-z0-9][\w’',.%-]*", text)
    spoken = sum(syllables(w) for w in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * spoken / len(words) - 15.59


def notes_of(place: Place) -> Iterator[str]:
    yield from (claim.text for claim in place.headline)
    for answer in place.answers:
        yield answer.change_text
        yield answer.sure_text
        yield from (m.text for m in answer.margins)
    yield from place.caveats


def test_reasons_name_the_works_that_bear_them_out(demo: Results) -> None:
    """Of what raises need most; the study's own works come along, those of untold indicators not."""
    study = demo.study
    works = ("bolet-2021", "klinenberg-2018", "higgs-2017")
    specs = {
        n: spec.model_copy(update={"cites": (works[k % 2],), "why": f"Because of {n}."})
        for k, (n, spec) in enumerate(study.indicators.items())
    }
    briefing = study.briefing.model_copy(update={"cites": (works[2],)})
    cited = study.model_copy(update={"indicators": specs, "briefing": briefing})
    place = describe(replace(demo, study=cited), 7)
    assert place.works[0].id == works[2]
    assert {w.id for w in place.works} == {*works}
    told = reasons(place)
    pushes = {d.label: d.push for d in main_drivers(place)}
    assert len(told) == min(MOST_REASONS, sum(p > 0 for p in pushes.values())) > 0
    for driver in told:
        assert pushes[driver.label] > 0
        assert works_of(place, driver) in ("Bolet 2021", "Klinenberg 2018")
    because = tuple(replace(d, why=f"because of {d.indicator}") for d in place.drivers)
    document = place_document(replace(place, drivers=because))
    (drives,) = (s for s in document.sections if s.title == "What drives its score")
    assert drives.points == tuple(
        f"{d.label}: because of {d.indicator} ({works_of(place, d)})" for d in told
    )
    named = {id_ for driver in told for id_ in driver.cites}
    assert set(document.works) == {works[2], *named}
    page = unescape(document_html(document))
    for work in (w for w in place.works if w.id in document.works):
        assert f'{work.full.removesuffix(work.link)}<a href="{work.link}">' in page
    bare = place_document(describe(demo, 7))
    assert bare.works == ()
    assert not any(s.points for s in bare.sections if s.title == "What drives its score")


def test_the_grade_tells_plain_from_official() -> None:
    assert grade("The cat sat on the mat. It was warm.") < 2
    official = (
        "Notwithstanding considerable heterogeneity, multidimensional deprivation demonstrates "
        "statistically significant intercorrelation with infrastructural inaccessibility."
    )
    assert grade(official) > 20


def test_reading_age_is_12_to_14(demo: Results) -> None:
    say = describer(demo)
    for row in range(0, 400, 7):
        place = say(row)
        told = " ".join(notes_of(place)).replace(place.name, "Here")
        assert grade(told) <= 8, told
        assert grade(" ".join(c.text for c in place.headline).replace(place.name, "Here")) <= 9
