"""`commonweal invest allocate` as a user runs it, on the study of twenty places."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small

    Tell = Callable[..., tuple[int, str, str]]

CAP = {"most": 2, "in_each": "district", "official": False, "note": "Ours."}


def write(small: Small, name: str = "trial", **changes: Any) -> Path:
    """Write a rule beside the study: three awards of 20 on income, at most two in each district."""
    data = {
        "title": f"The {name} programme",
        "official": "The worst on income, spread over districts.",
        "study": "study.yaml",
        "rank": {"of": {"deprivation": 1}, "official": True},
        "caps": [CAP],
        "money": {"budget": 60, "award": 20, "official": True},
        "in_need": [{"index": "deprivation", "worst": "25%", "official": False}],
        **changes,
    }
    file = small.path / f"{name}.yaml"
    file.write_text(yaml.safe_dump(data), "utf-8")
    return file


def test_the_answer_comes_first_and_each_part_is_marked(small: Small, tell: Tell) -> None:
    code, out, err = tell("invest", "allocate", write(small), "--draws", "0")
    assert (code, err) == (0, "")
    # A20 and A19 of the south, then A10, the worst of the north; A18 stands back for the cap.
    assert "3 places get an award, £60 in all. 4,900 people live there, 3,900 of them" in out
    assert "1 place with more need misses out. They have 1,800 people" in out
    assert re.search(r"Ranked by deprivation +official", out)
    assert re.search(r"At most 2 in each district +inferred", out)
    listed = out[out.index("Places that get an award, neediest first") :]
    assert [listed.index(f"Place {n} ") for n in (20, 19, 10)] == sorted(
        listed.index(f"Place {n} ") for n in (20, 19, 10)
    )
    assert "Place 9 " in out[out.index("Next in line") :]


def test_draws_tell_how_often_each_is_selected(small: Small, tell: Tell) -> None:
    children = {k: {"indicator": k} for k in ("income", "halls")}
    small.write(
        index__deprivation={"children": children},
        certainty__vary=[{"weights": "deprivation", "interval": 0.8}],
    )
    code, out, _ = tell("invest", "allocate", write(small), "--draws", "60", "--json")
    assert code == 0
    data = json.loads(out)
    assert data["draws"] == 60
    chosen = data["tables"]["selected-trial"]
    assert len(chosen) == data["figures"]["selected"]["value"] == 3
    assert all(0 < a["share_of_draws"] <= 1 and a["selected"] for a in chosen)
    assert data["tables"]["rule-trial"][1] == {
        "part": "At most 2 in each district",
        "status": "inferred or ours",
        "official": False,
        "note": "Ours.",
    }
    stay = data["figures"]["selected_that_stay"]
    assert 0 <= stay["low"] <= stay["value"] <= stay["high"] <= 3


def test_the_report_and_the_other_rule(small: Small, tell: Tell, tmp_path: Path) -> None:
    other = write(small, "free", caps=[])
    folder = tmp_path / "told"
    code, out, err = tell(
        "invest", "allocate", write(small), "--draws", "0", "--against", other, "--out", folder
    )
    assert (code, err) == (0, "")
    assert "Compared with The free programme: 3,900 people are covered by both lists" in out
    assert "1,000 people by this one only (0 in need) and 1,800 people by the other only" in out
    page = (folder / "report.html").read_text("utf-8")
    for said in (
        "inferred or ours",
        "The effect of the caps",
        "Compared with The free programme",
    ):
        assert said in page
    table = pl.read_csv(folder / "tables" / "gains-losses-trial.csv")
    assert table["Code"].to_list() == ["A18", "A10"]
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert not (folder / "selected.gpkg").exists()  # no outline of the twenty is known


def test_exclusions_are_brought_by_the_user(small: Small, tell: Tell, tmp_path: Path) -> None:
    out_of = {
        "earlier": {"what": "districts of an earlier round", "parent": "district", "official": True}
    }
    rule = write(small, exclude=out_of)
    code, _, err = tell("invest", "allocate", rule, "--draws", "0")
    assert code == 2
    assert "district codes in a column 'code' (--exclude FILE)" in err
    file = tmp_path / "earlier.csv"
    file.write_text("code\nS\n", "utf-8")
    code, out, _ = tell("invest", "allocate", rule, "--draws", "0", "--exclude", file, "--json")
    assert code == 0
    chosen = [a["code"] for a in json.loads(out)["tables"]["selected-trial"]]
    assert chosen == ["A10", "A09"]
    code, out, _ = tell("invest", "allocate", rule, "--draws", "0", "--exclude", "none")
    assert code == 0
    assert "We left out an exclusion: districts of an earlier round" in out
    assert "Not: districts of an earlier round (left out here)" in out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"money": {"budget": 0, "award": 5, "official": True}}, "money.budget: found 0"),
        ({"caps": [{**CAP, "most": 0}]}, "caps.0.most: found 0"),
        ({"caps": [{**CAP, "in_each": "distrct"}]}, "did you mean 'district'"),
        ({"rank": {"of": {"deprivaton": 1}, "official": True}}, "did you mean 'deprivation'"),
        ({"study": "gone.yaml"}, "gone.yaml"),
    ],
)
def test_mistakes_are_told_plainly_and_nothing_is_written(
    small: Small, tell: Tell, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    folder = tmp_path / "told"
    code, out, err = tell("invest", "allocate", write(small, **changes), "--out", folder, "--draws", "0")  # fmt: skip
    assert code == 2
    assert said in err
    assert out == ""
    assert not folder.exists()


def test_a_study_that_varies_nothing_of_it_says_how_to_go_on(small: Small, tell: Tell) -> None:
    code, _, err = tell("invest", "allocate", write(small))
    assert code == 2
    assert "--draws 0" in err


def test_what_is_inferred_and_unknown_leads(small: Small, tell: Tell) -> None:
    """Before any number, on the terminal and in the data."""
    code, out, _ = tell("invest", "allocate", write(small), "--draws", "0")
    assert code == 0
    first, second = out.splitlines()[2:4]
    assert first == (
        "Please note: 1 of the 3 parts of this rule is inferred or our choice, and marked."
    )
    assert second == (
        "Please note: We did not check this list against a published one (--published FILE), so it may differ from the "
        "programme's own."
    )
    assert out.index("Please note: ") < out.index("3 places get an award")


def test_beside_a_published_list(small: Small, tell: Tell, tmp_path: Path) -> None:
    """A20 and A19 and A10 are selected; the list has A18 in place of A10."""
    children = {k: {"indicator": k} for k in ("income", "halls")}
    small.write(
        index__deprivation={"children": children},
        certainty__vary=[{"weights": "deprivation", "interval": 0.8}],
    )
    data = json.loads(tell("invest", "allocate", write(small), "--draws", "0", "--json")[1])
    ours = [a["code"] for a in data["tables"]["selected-trial"]]
    listed = [*ours[:2], "A01", "Z99"]
    file = tmp_path / "list.csv"
    file.write_text("\n".join(["code", *listed]) + "\n", "utf-8")
    folder = tmp_path / "told"
    code, out, err = tell(
        "invest", "allocate", write(small), "--draws", "40", "--published", file, "--out", folder
    )
    assert (code, err) == (0, "")
    said = "Checked against the published list list.csv: 2 of its 3 are on ours, 1 is not, and ours has 1 other."
    assert f"Please note: {said} Areas on both lists are on ours in " in out
    assert "That does not show which list is right." in out
    assert "1 code of list.csv (Z99) belongs to no place here." in out
    assert "did not check this list" not in out
    assert out.index(said) < out.index("3 places get an award")
    assert re.search(r"published +A01 +Place 1 ", out)
    page = (folder / "report.html").read_text("utf-8")
    assert said in page
    assert "Checked against the published list" in page
    table = pl.read_csv(folder / "tables" / "published-trial.csv")
    assert set(table["Code"]) == {"A01", ours[2]}
    code, out, _ = tell(
        "invest", "allocate", write(small), "--draws", "0", "--published", file, "--json"
    )
    assert json.loads(out)["published"] == {
        "file": "list.csv",
        "matched": 2,
        "missed": ["A01"],
        "extra": [ours[2]],
        "elsewhere": ["Z99"],
    }
    file.write_text("code\nE1\nE2\n", "utf-8")
    code, _, err = tell("invest", "allocate", write(small), "--published", file)
    assert code == 2
    assert "list.csv: none of its 2 codes is one of the 20 places; found such as E1, E2" in err
