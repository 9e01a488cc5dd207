"""One place: found however it is asked for, and told with its own numbers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from commonweal.areas import Areas
from commonweal.errors import CommonwealError, UnknownNameError
from commonweal.report.place.describing import peers
from commonweal.report.place.profile import profile
from commonweal.report.study.parquet import data_tables
from commonweal.report.study.tables import areas_in_short
from commonweal.study.names import find_area, folded


def test_every_line_by_hand(small: Any) -> None:
    results = small.run(draws=0)
    share = np.log(1 - 17 / 20 * (1 - np.exp(-100 / 23))) - np.log(
        1 - 16 / 20 * (1 - np.exp(-100 / 23))
    )
    margin = f"+{-23 * share:.2f}"
    assert margin == "+6.15"
    found = profile(results, "A17")
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in found.lines()]
    assert lines == [
        "Place 17",
        "Southside. Place A17; 1,700 people.",
        "Twenty places",
        "",
        "Place 17 is on the list of “priority” places, just inside the cut-off. We did not test how stable "
        "this result is.",
        "It ranks about 4th of 20 places for deprivation (1st is the greatest need).",
        "It ranks about 4th of 20 for community needs.",
        "",
        "How it compares",
        "  Place 17 is worse off than 84% of places for deprivation",
        "",
        "How each domain compares",
        "  - deprivation: in the worst 20%.",
        "  - Community needs: in the worst 20%.",
        "  Worse off than this percentage of other places",
        "                                                                    Share of",
        "                               Similar                All                the",
        "    Measure          Place 17   places  Southside  places  Rank        score",
        "    deprivation           84%      81%        76%     50%  4 of 20",
        "    Low income            84%      81%        76%     50%  4 of 20      100%",
        "    Community needs       84%      72%        72%     50%  4 of 20",
        "    halls                 84%      72%        72%     50%  4 of 20      100%",
        "",
        "What would change the result",
        "  The rule: worst 20% on deprivation and worst 20% on Community needs.",
        "  We did not test how stable this result is.",
        "  - deprivation: in the worst 20%, 1 rank inside the cut-off (+6.15 points; the cut-off is at rank "
        "4).",
        "  - Community needs: in the worst 20%, 1 rank inside the cut-off (+6.15 points; the cut-off is at "
        "rank 4).",
        "  - It would leave the list if its rank for low income went from 4th to 5th and nothing else "
        "changed. No smaller change in one domain would do this.",
        "",
        "What drives its score",
        "  “Low income” adds most to its score. For each index, the indicators with the largest effect come "
        "first: the weight of the indicator, times how far the place ranks from the middle.",
        "  Indicators with the largest effect on the score",
        "                                                  Worse",
        "                                               off than  Effect",
        "                                                  (% of  on the",
        "    Indicator   Domain           Here  Median   others)  score",
        "    Low income  deprivation      17    10.5         84%  raises",
        "    halls       Community needs  4     10.5         84%  raises",
        "",
        "Similar places",
        "  Most similar in deprivation and population",
        "                               On the",
        "    Name      Code  Where      list",
        "    Place 16  A16   Southside  No",
        "    Place 18  A18   Southside  Yes",
        "    Place 15  A15   Southside  No",
        "    Place 19  A19   Southside  No",
        "    Place 14  A14   Southside  No",
        "",
        "What this does not show",
        *(f"  {text}" for text in found.place.caveats),
    ]


def test_outside_and_why(small: Any) -> None:
    told = str(profile(small.run(), "A10"))
    assert "Place 10 is not on the list of “priority” places." in told
    assert "The rule: worst 20% on deprivation" in told
    assert "We recalculated the list 200 times" in told
    assert "It was never on the list." in told
    assert "It is unlikely to join the list." in told
    assert re.search(
        r"deprivation: not in the worst 20%, 7 ranks outside the cut-off \(-.* points; the cut-off is at rank 4\)",
        told,
    )
    assert re.search(
        r"Community needs: in the worst 20%, 3 ranks inside the cut-off \(\+.* points; the cut-off is at rank 4\)",
        told,
    )
    assert "low income went from 11th to 4th" in told


def test_an_interval_where_the_index_varies(small: Any) -> None:
    small.write(
        indicators__income__standard_error="income_se",
        certainty={"draws": 300, "seed": 2, "vary": [{"standard_errors": "all"}]},
    )
    results = small.run()
    told = str(profile(results, "A17"))
    low, _, high = results.certainty["priority"].ranks["deprivation"][16]
    assert re.search(
        r"It ranks 4th of 20 .*In 90% of recalculations it ranks between 3rd and 5th", told
    )
    assert (low, high) == (3, 5)
    assert "It ranks about 4th of 20 for community needs.\n" in told  # it does not vary


def test_shares_of_the_score_add_up(small: Any) -> None:
    small.write(
        index__community_needs__children={
            "halls": {"indicator": "halls", "weight": 3},
            "money": {"indicator": "income", "weight": 1},
        }
    )
    results = small.run(draws=0)
    for code in ("A01", "A10", "A20"):
        found = profile(results, code)
        needs = found.place.standings[1]
        shares = [one.share for one in needs.domains]
        assert sum(shares) == pytest.approx(1)
        block = str(found).split("    Community needs ")[1].splitlines()[1:3]
        printed = [int(line.rsplit(maxsplit=1)[1].removesuffix("%")) for line in block]
        assert printed == [round(100 * share) for share in shares]
        assert abs(sum(printed) - 100) <= 1
        assert list(found.drivers["share"])[-2:] == pytest.approx(sorted(shares, reverse=True))
        parts = sum(one.contribution for one in needs.domains)
        assert parts == pytest.approx(needs.score)
        assert shares == pytest.approx([one.contribution / needs.score for one in needs.domains])


def test_a_place_of_which_nothing_is_known(small: Any) -> None:
    small.replace(small.areas, "A03,Place 3,300,N,Northside", "A03,,,,")
    small.replace(small.indicators, "A03,3,18,0.5", "A03,,,")
    results = small.run()
    told = str(profile(results, "A03"))
    assert told.startswith("A03\nPlace.\n")
    assert "  - deprivation: no score, so it cannot be in the worst 20%." in told
    assert "deprivation: no score for this place." in told
    assert "No change in one domain alone would change the result." in told
    assert "Similar places" not in told
    assert not re.search(r"\bnan\b|None|inf\b", told)
    place = profile(results, "A03").place
    assert json.loads(json.dumps(place.to_dict(), allow_nan=False)) == place.to_dict()
    assert place.people is None
    assert place.standings[0].rank is place.standings[0].score is None
    assert place.peers == ()
    for code in results.areas.codes:  # nor is it anyone's peer
        assert "A03" not in {peer.code for peer in profile(results, code).place.peers}


@pytest.mark.parametrize(
    ("asked", "row"),
    [
        ("A05", 4), ("a05", 4), (" A05 ", 4), ("Place 5", 4), ("PLACE   5", 4), ("place 5, northside", 4),
        ("ace 20", 19), ("zzz", None), ("", None), ("  ", None), ("place 5, southside", None),
    ],
)  # fmt: skip
def test_find(small: Any, asked: str, row: int | None) -> None:
    assert find_area(small.run(draws=0).areas, asked) == row


def test_find_one_of_several(small: Any) -> None:
    """Two of one name are told apart by their district; a whole name beats a part of another."""
    small.replace(small.areas, "A11,Place 11,", "A11,Place 1,")
    areas = small.run(draws=0).areas
    with pytest.raises(
        CommonwealError, match="fits 2 places: A01 Place 1, Northside; A11 Place 1, Southside"
    ):
        find_area(areas, "Place 1")
    assert find_area(areas, "Place 1, Southside") == 10
    assert find_area(areas, "Place 2") == 1


def test_a_code_wins_over_a_name(small: Any) -> None:
    small.replace(small.areas, "A11,Place 11,", "A11,A07,")
    areas = small.run(draws=0).areas
    assert areas.codes[find_area(areas, "A07") or 0] == "A07"


def test_unknown(small: Any) -> None:
    with pytest.raises(UnknownNameError, match="place 'A99' not found"):
        profile(small.run(draws=0), "A99")
    with pytest.raises(UnknownNameError, match="did you mean 'Place 7'"):
        profile(small.run(draws=0), "Plaice 7")
    with pytest.raises(CommonwealError, match=r"'Northside' is a district \(N\) of 10 places"):
        profile(small.run(draws=0), "Northside")


def test_peers_are_near_first_and_never_oneself(small: Any) -> None:
    results = small.run(draws=0)
    for row in range(20):
        found = peers(results, row)
        assert row not in found
        assert len(found) == len(set(found.tolist())) == 5
        # Income and people both grow with the number: the nearest in number are the nearest.
        distance = np.abs(found - row)
        assert (np.diff(distance) >= 0).all()
    assert len(peers(results, 3, n=50)) == 19


def test_two_designations_are_told_by_name(small: Any) -> None:
    small.write(designate__few_halls={"index": "community_needs", "worst": 3})
    told = str(profile(small.run(draws=0), "A20"))
    assert "Place 20 is on the list of “priority” places." in told
    assert "Place 20 is on the list of “few halls” places." in told
    assert "What would change the result: few halls" in told
    assert re.search(r"Place 18 +A18 +Southside +Yes: priority, few halls", told)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("st osyth", "A1"),
        ("ST. OSYTH & POINT-CLEAR", "A1"),
        ("Ærø Nord", "A2"),
        ("aero nord", "A2"),
        ("Bransholme East, Hull", "A3"),
        ("bransholme east, city of hull", "A3"),
        ("a3", "A3"),
        ("Nowhere", None),
        ("Bransholme East, Leeds", None),
    ],
)
def test_a_place_is_found_however_its_name_is_written(asked: str, found: str | None) -> None:
    table = pl.DataFrame(
        {
            "code": ["A1", "A2", "A3", "A4"],
            "name": ["St Osyth and Point Clear", "Ærø Nord", "Bransholme East", "East Bransholme"],
            "population": [1.0, 1.0, 1.0, 1.0],
            "lad24": ["L1", "L2", "L3", "L3"],
            "lad24_name": ["Tendring", "Ærø", "Kingston upon Hull, City of", "Leeds"],
        }
    )
    areas = Areas("wd", "Wards", "ward", "wards", table, ("lad24",))
    row = find_area(areas, asked)
    assert (None if row is None else areas.codes[row]) == found


def test_where_a_condition_counts_within_a_group_the_group_is_named(small: Any) -> None:
    small.write(designate={"priority": {"index": "deprivation", "worst": 2, "within": "district"}})
    told = str(profile(small.run(draws=0), "A17"))
    assert re.search(
        r"deprivation: not in the worst 2 of its district \(4th in Southside\), 2 ranks outside the cut-off",
        told,
    )


def test_ranks_within_a_class_stand_beside_the_others(small: Any) -> None:
    """Every other place is rural, and one of the ten has no score; A12 has no class."""
    small.replace(small.indicators, "A20,20,1,", "A20,20,,")
    results = small.run(draws=0)
    kinds = pl.Series(
        "rural_urban", ["urban", "rural"] * 5 + ["urban", None] + ["urban", "rural"] * 4
    )
    classed = replace(
        results, areas=replace(results.areas, table=results.areas.table.with_columns(kinds))
    )
    told = str(profile(classed, "A18"))
    assert (
        "among places of its rural-urban class, 2nd of 9, in the worst 30%" in told
    )  # income: A20, A18
    assert (
        "among places of its rural-urban class, 2nd of 8, in the worst 30%" in told
    )  # halls: A10, A18
    assert "rural-urban class" not in str(profile(classed, "A12"))
    needs = profile(classed, "A18").place.to_dict()["standings"][1]
    assert needs["classes"] == [
        {"kind": "rural_urban", "name": "rural", "rank": 2, "of": 8, "decile": 3}
    ]
    scores = next(frame for name, _, frame in data_tables(classed) if name == "scores.parquet")
    ranks = dict(scores.select("code", "community_needs.rank_within_rural_urban").rows())
    assert (ranks["A10"], ranks["A18"], ranks["A16"]) == (1, 2, 3)
    assert ranks["A12"] is ranks["A20"] is None
    short = areas_in_short(classed).frame
    assert short["Rural-urban class"][17] == "rural"
    assert short["Community needs: rank in its rural-urban class"][17] == 2


def test_a_name_in_plain_letters_is_folded_as_any_other_is() -> None:
    """An accent more, which folding leaves out, and every letter takes the longer way."""
    accent = "\N{COMBINING ACUTE ACCENT}"
    for first in map(chr, range(128)):
        for text in (first, f"a{first}B", f"{first} {first}", f"St James's & {first}x"):
            assert folded(text) == folded(text + accent), repr(text)
    assert folded("King's Lynn & West-Norfolk") == "kings lynn and west norfolk"
