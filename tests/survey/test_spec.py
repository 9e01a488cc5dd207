"""A survey's file: what it may say, and what is told of a mistake."""

from __future__ import annotations

import re
from math import inf, nan
from typing import TYPE_CHECKING, Any

import pytest
from tests.survey.conftest import spec_of

from commonweal.errors import StudyError
from commonweal.survey.spec import load_spec

if TYPE_CHECKING:
    from pathlib import Path


def written(tmp_path: Path, **changes: Any) -> Path:
    import yaml

    file = tmp_path / "people.yaml"
    file.write_text(yaml.safe_dump(spec_of(**changes), sort_keys=False), "utf-8")
    return file


def test_a_file_is_read_with_plain_words_for_yes_and_no(tmp_path: Path) -> None:
    """YAML reads a bare yes as true, also where it is a key."""
    file = tmp_path / "a.yaml"
    file.write_text(
        "title: A\nfile: a.sav\nstrata: region\n"
        "outcomes:\n  meets: {column: q1, yes: [Yes, often], no: [No], headline: meets-socially}\n"
        "groups: {sex: gndr}\nsuppress: {variation: 33%}\n",
        "utf-8",
    )
    spec = load_spec(file)
    assert spec.outcomes["meets"].yes == (True, "often")
    assert spec.outcomes["meets"].no == (False,)
    assert spec.outcomes["meets"].share
    assert spec.strata == ("region",)
    assert spec.groups["sex"].column == "gndr"
    assert spec.suppress.variation == pytest.approx(0.33)
    assert spec.path == tmp_path / "a.sav"
    assert list(spec.columns()) == [
        ("region", "strata"),
        ("q1", "outcomes.meets.column"),
        ("gndr", "groups.sex.column"),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"wieght": "wt"}, "wieght: unknown key; did you mean 'weight'"),
        ({"name": "x"}, "name: unknown key"),
        ({"outcomes": None}, "outcomes: missing; it is needed"),
        ({"outcomes": {}}, "line 6: outcomes: found nothing; expected at least one"),
        (
            {"outcomes": {"t": {"colum": "a"}}},
            "outcomes.t.colum: unknown key; did you mean 'column'",
        ),
        (
            {"outcomes": {"Trusts people": {"column": "a"}}},
            "outcomes.Trusts people: expected small letters",
        ),
        (
            {"outcomes": {"weight": {"column": "a"}}},
            "outcomes.weight: a column of this name is made",
        ),
        ({"groups": {"value": "sex"}}, "groups.value: a column of this name is made"),
        ({"groups": {"replicate1": "sex"}}, "groups.replicate1: a column of this name is made"),
        ({"outcomes": {"sex": {"column": "a"}}}, "groups.sex: is an outcome too"),
        ({"outcomes": {"t": {"column": "a", "no": [1]}}}, "outcomes.t: found 'no' without 'yes'"),
        (
            {"outcomes": {"t": {"column": "a", "yes": [1], "recode": {2: 3}}}},
            "outcomes.t: found both 'recode' and 'yes'",
        ),
        (
            {"groups": {"a": {"column": "a", "bands": [3, 2]}}},
            "groups.a: found bands [3.0, 2.0]; expected rising",
        ),
        (
            {"groups": {"a": {"column": "a", "bands": [3, inf]}}},
            "groups.a.bands.1: found inf; expected a finite number",
        ),
        (
            {"outcomes": {"t": {"column": "a", "recode": {1: 0, 2: -inf}}}},
            "outcomes.t.recode.2: found -inf; expected a finite number",
        ),
        (
            {"missing": [77, nan]},
            "missing.1: found nan; expected a finite number, or text in quotes",
        ),
        (
            {"groups": {"a": {"column": "a", "bands": [3], "values": {"x": 1}}}},
            "groups.a: found both",
        ),
        ({"panel": True}, "panel: expected 'wave' and 'clusters'"),
        (
            {"rake": {"margins": {"sexx": {"F": 1}}}},
            "rake.margins.sexx: not one of the groups; did you mean 'sex'",
        ),
        (
            {"rake": {"margins": {"sex": {"F": 1}}, "cap": 0.5}},
            "rake.cap: found 0.5; expected greater than 1",
        ),
        (
            {"replicates": {"columns": "r*", "method": "brr"}},
            "replicates: expected no strata, clusters",
        ),
        (
            {
                "replicates": {"columns": "r*", "method": "sdr", "fay": 0.3},
                "strata": None,
                "clusters": None,
            },
            "replicates: found fay with method 'sdr'",
        ),
        (
            {
                "replicates": {"columns": "r*", "method": "brr", "kind": "jk1"},
                "strata": None,
                "clusters": None,
            },
            "replicates: found kind 'jk1' of method 'brr'",
        ),
        ({"singletons": "center"}, "singletons: found 'center'; expected 'error', 'centre'"),
        (
            {"suppress": {"respondents": 0}},
            "suppress.respondents: found 0; expected greater than or equal to 1",
        ),
    ],
)
def test_a_mistake_is_told_with_file_and_field(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    file = written(tmp_path, **changes)
    with pytest.raises(StudyError) as told:
        load_spec(file)
    assert re.match(rf"{re.escape(str(file))}(, line \d+)?: ", str(told.value))
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b: c", "line 1: not valid YAML"),
        ("- a\n", "expected keys such as"),
        ("a: 1\na: 2", "twice"),
    ],
)
def test_what_is_no_survey_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(StudyError, match=said):
        load_spec(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"none\.yaml: no such file"):
        load_spec(tmp_path / "none.yaml")
