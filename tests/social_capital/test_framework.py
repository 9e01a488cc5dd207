"""What social capital is measured by: counts, the verified levels, and where a fault is said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
import yaml

from commonweal.errors import DataError, UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.social_capital import Framework, latest, load_framework
from commonweal.social_capital.framework import national_figures, read_series, shipped_frameworks
from commonweal.sources import Store
from commonweal.sources.catalogue import load_catalogue

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


@pytest.fixture(scope="module")
def ons() -> Framework:
    return load_framework()


def test_four_domains_with_25_headlines_and_five_threads(ons: Framework) -> None:
    assert [len(d.headlines) for d in ons.domains] == [5, 5, 7, 8]
    assert len(ons.headlines) == 25
    threads = load_framework("onward")
    assert len(threads.headlines) == 5
    assert list(shipped_frameworks()) == ["ons", "onward"]


def test_the_lists_are_marked_as_not_verified(ons: Framework) -> None:
    for framework in shipped_frameworks().values():
        assert not framework.verified
        assert not any(h.verified for h in framework.headlines.values())


def test_scores_of_onward_are_told_as_not_verified() -> None:
    about = " ".join(load_framework("onward").about.split())
    told = "from 3.43 (Hull) to 6.42 (Richmond upon Thames) with a median of 4.88, which was not verified"
    assert told in about


def test_only_loneliness_falls_as_social_capital_rises(ons: Framework) -> None:
    assert [h.id for h in ons.headlines.values() if h.higher_is == "less"] == ["lonely"]


LEVELS = [  # ONS 2016, people who trust most of their neighbours, 2011/12
    ("neighbours_trusted", "in rural areas", "2011/12", 78),
    ("neighbours_trusted", "in urban areas", "2011/12", 61),
    ("neighbours_trusted", "in Northern Ireland", "2011/12", 73),
    ("neighbours_trusted", "in London", "2011/12", 56),
    ("neighbours_trusted", "among retired people", "2011/12", 79),
    ("neighbours_trusted", "among unemployed people", "2011/12", 43),
    # Community Life Survey
    ("exchanges_favours", "", "2013/14", 42),
    ("exchanges_favours", "", "2016/17", 39),
    ("exchanges_favours", "", "2019/20", 35),
    ("exchanges_favours", "", "2020/21", 37),
    ("belongs", "", "2020/21", 65),
]


@pytest.mark.parametrize(("headline", "group", "when", "level"), LEVELS)
def test_the_verified_levels(
    ons: Framework, headline: str, group: str, when: str, level: float
) -> None:
    found = [f for f in ons.headline(headline).published if (f.group, f.when) == (group, when)]
    levels = [f for f in found if f.value is not None]
    assert [f.value for f in levels] == [level]
    assert levels[0].verified


@pytest.mark.parametrize(
    ("headline", "change"),
    [("trusts_government", -11), ("organisations", -5), ("talks_to_neighbours", -4), ("exchanges_favours", -3)],
)  # fmt: skip
def test_the_verified_changes_of_ons_2020(ons: Framework, headline: str, change: float) -> None:
    found = [f for f in ons.headline(headline).published if f.change is not None]
    assert [(f.change, f.work, f.verified) for f in found] == [(change, "ons-2020", True)]


def test_what_figures_rest_on_is_in_the_library_and_the_catalogue() -> None:
    works, sources = load_evidence().works, load_catalogue()
    for framework in shipped_frameworks().values():
        assert framework.work in works
        for headline in framework.headlines.values():
            assert all(f.work in works for f in headline.published)
            assert all(s.source in sources for s in headline.series)


def test_the_newest_level_of_everyone_comes_before_groups_and_changes(ons: Framework) -> None:
    assert [f.value for f in latest(ons.headline("exchanges_favours").published)] == [37]
    assert len(latest(ons.headline("neighbours_trusted").published)) == 6
    assert [f.change for f in latest(ons.headline("help_to_children").published)] == [-4]
    assert latest(()) == ()


OWN: dict[str, Any] = {
    "order": 1,
    "name": "Ours",
    "publisher": "Us",
    "about": "Two things.",
    "kind": "thing",
    "work": "ons-2020",
    "verified": True,
    "check": "By hand.",
    "domains": {
        "near": {
            "name": "Near",
            "about": "Close by.",
            "items": {
                "chat": {
                    "name": "Chats",
                    "question": "Do you chat?",
                    "survey": "Ours",
                    "unit": "% of adults",
                    "higher_is": "more",
                    "figures": [
                        {"value": 60, "when": "2020", "where": "Here", "work": "ons-2020", "verified": True},
                        {"source": "years", "column": "share", "when_column": "year", "only": {"what": "chat"},
                         "low": "low", "high": "high", "where": "Here", "verified": False},
                    ],
                }
            },
        }
    },
}  # fmt: skip


def own(tmp_path: Path, **changes: Any) -> Framework:
    """Read a framework of one's own with changes: ``domains__near__items=...``."""
    tree: Any = yaml.safe_load(yaml.safe_dump(OWN))
    for path, value in changes.items():
        *parents, last = (int(p) if p.isdigit() else p for p in path.split("__"))
        at = tree
        for key in parents:
            at = at[key]
        at[last] = value
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(tree), "utf-8")
    return load_framework(file)


def test_a_framework_of_ones_own(tmp_path: Path) -> None:
    found = own(tmp_path)
    assert (found.id, list(found.headlines)) == ("own", ["chat"])


CHAT = "domains__near__items__chat__"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({f"{CHAT}unti": "%"}, "headline 'chat': unknown key 'unti'; did you mean 'unit'?"),
        ({f"{CHAT}higher_is": "up"}, "headline 'chat': 'higher_is': Input should be 'more' or 'less'"),
        ({f"{CHAT}figures__0__vlaue": 1}, "unknown key 'figures.0.vlaue'; did you mean 'value'?"),
        ({f"{CHAT}figures__1__colunm": "x"}, "did you mean 'column'?"),
        ({f"{CHAT}figures__0__change": 1}, "'figures.0': expected exactly one of 'value' and 'change'"),
        ({f"{CHAT}figures__0__work": ""}, "'figures.0': expected 'work'"),
        ({f"{CHAT}figures__0__value": float("nan")}, "'figures.0.value': Input should be a finite number"),
        ({"domains__near__items": {}}, "domain 'near': expected 'items'"),
        ({"domains": []}, "own.yaml: expected 'domains'"),
        ({"publisher": ""}, "own.yaml: 'publisher': String should have at least 1 character"),
        ({"domains__far": OWN["domains"]["near"]}, "headline 'chat' is already in "),
    ],
)  # fmt: skip
def test_a_fault_names_the_file_the_headline_and_the_field(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError) as error:
        own(tmp_path, **changes)
    assert "own.yaml" in str(error.value)
    assert said in str(error.value)


def test_an_unknown_headline_or_framework_names_the_nearest(ons: Framework) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'volunteered'"):
        ons.headline("volunteer")
    with pytest.raises(UnknownNameError, match="expected one of: ons, onward"):
        load_framework("oecd")


class Planted(Store):
    """A store with one table of years."""

    def table(self, source: Any, columns: Any = None) -> pl.DataFrame:
        assert source == "years"
        return pl.DataFrame(
            {
                "what": ["chat", "sing", "chat", "chat"],
                "year": ["2021", "2021", "2022", "2023"],
                "share": [61.0, 5.0, None, 58.0],
                "low": [59.0, 4.0, None, None],
                "high": [63.0, 6.0, None, None],
            }
        )


def test_figures_that_a_source_holds_are_read_year_by_year(tmp_path: Path) -> None:
    chat = own(tmp_path).headline("chat")
    found = national_figures(chat, Planted())
    assert [(f.when, f.value, f.low, f.source) for f in found] == [
        ("2020", 60, None, ""),
        ("2021", 61, 59, "years"),
        ("2023", 58, None, "years"),
    ]
    assert [f.value for f in latest(found)] == [58]


def test_a_source_without_the_column_or_the_rows_is_an_error(tmp_path: Path) -> None:
    series = own(tmp_path).headline("chat").series[0]
    with pytest.raises(
        UnknownNameError, match=r"column 'shear' not found in source years.*'share'"
    ):
        read_series(series.model_copy(update={"column": "shear"}), Planted())
    with pytest.raises(DataError, match="expected some with what = dance"):
        read_series(series.model_copy(update={"only": {"what": "dance"}}), Planted())
