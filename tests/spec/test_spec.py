"""Recipes: those that ship, those written out and read again, and where a fault is said to be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from commonweal.errors import StudyError
from commonweal.index import load_preset
from commonweal.indicators.indicators import names_in
from commonweal.sources import Store
from commonweal.spec import Study
from commonweal.spec.study import load_study, parse_study, shipped_studies, template

if TYPE_CHECKING:
    from pydantic import BaseModel

STUDY = """\
title: Planted
areas:
  file: areas.csv
  code: code
  parents:
    district: [d, d_name]
indicators:
  income:
    file: values.csv
    column: income
    higher_is: more
  halls:
    file: values.csv
    column: halls
    higher_is: less
    standard_error: halls_se
prepare:
  - denominate: {by: income, of: [halls], per: 1000}
  - impute: {how: group_mean, group: district}
  - treat:
      skew: 1.5
      power: 0.3
      each: {halls: {winsorise: 3}}
  - shrink: {to: district, of: [halls], sizes: income}
index:
  deprivation:
    preset: cni
    indicators:
      civic_assets: income
      connectedness: income
      engaged_community: halls
    weights:
      civic_assets: 2
  community:
    transform: percentile_rank
    children:
      inner:
        weight: 2
        children:
          halls: {indicator: halls}
      income:
        indicator: income
designate:
  priority:
    any:
      - {index: deprivation, worst: 10%}
      - all:
          - index: community.inner
            worst: 3
            within: district
          - not: {index: community, score_above: 0.5}
    at_most:
      number: 2
      within: district
      by: community
certainty:
  draws: 10
  vary:
    - {weights: community, dirichlet: 10}
    - {form: community, of: [sum, geometric]}
    - standard_errors: [halls]
    - cut: [0.9, 1.1]
sensitivity:
  sample: 64
  vary:
    - {weights: all, levels: [{interval: 0.2}, {uniform: true}]}
    - {setting: transform.scale, node: deprivation, uniform: [10, 40]}
agreement:
  - {designation: priority, file: values.csv, column: flag, compare: flag}
  - index: community.inner
    file: values.csv
    column: rank
    compare: rank
briefing:
  label: a priority
"""


def parse(text: str) -> Study:
    return parse_study(text, "planted.yaml", "planted", Path())


def written(study: Study) -> str:
    return yaml.safe_dump(study.resolved(), sort_keys=False, allow_unicode=True)


def test_the_planted_study_is_valid() -> None:
    study = parse(STUDY)
    assert study.index["deprivation"].weights == {
        "civic_assets": 2, "connectedness": 1, "engaged_community": 1,
    }  # fmt: skip
    assert study.index["deprivation"].children["engaged_community"].indicator == "halls"
    assert (
        str(study.designate["priority"].any[1].all[0])
        == "worst 3 on community.inner within each district"
    )  # type: ignore[index]


@pytest.mark.parametrize("name", shipped_studies())
def test_every_study_that_ships_names_only_what_is_there(name: str) -> None:
    study = load_study(name)
    store = Store()
    sources = [s.source for s in (*study.indicators.values(), *study.agreement) if s.source]
    for source in sources:
        if not source.startswith("county-"):
            assert store.source(source).id == source
    used = {n.indicator for i, s in study.index.items() for _, n in s.walk(i) if n.indicator}
    for spec in study.indicators.values():
        used |= set(names_in(spec.formula, "it")) if spec.formula and not spec.reads else set()
    assert used == set(study.indicators)  # nothing is read for nothing
    assert study.certainty is None or study.certainty.draws >= 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", [*shipped_studies(), "planted", "template"])
def test_a_recipe_written_out_is_read_as_the_same(name: str) -> None:
    texts = {"planted": STUDY, "template": template()}
    study = parse(texts[name]) if name in texts else load_study(name)
    again = parse_study(written(study), "again.yaml", study.name, study.folder)
    assert again == study
    assert written(again) == written(study)


def test_a_written_preset_is_a_tree_in_which_edits_count() -> None:
    """It was once written as a preset and as a tree, of which one was read and the other ignored."""
    told = parse(STUDY).resolved()
    assert not {"preset", "indicators", "weights"} & set(told["index"]["deprivation"])
    told["index"]["deprivation"]["children"]["civic_assets"]["weight"] = 3
    told["index"]["deprivation"]["children"]["engaged_community"]["indicator"] = "income"
    again = parse(yaml.safe_dump(told))
    assert again.index["deprivation"].weights["civic_assets"] == 3
    assert again.index["deprivation"].children["engaged_community"].indicator == "income"
    assert parse(written(again)) == again


def test_a_written_recipe_states_its_defaults() -> None:
    told = parse(STUDY).resolved()
    assert told["index"]["community"]["aggregate"] == "sum"
    assert told["certainty"]["seed"] == 1
    assert "name" not in told


# What is put in place of what, the field that is named, and the text whose line is named.
PLANTED: dict[str, tuple[str, str, str, str]] = {
    "own column of areas": ("  code: code\n", "  cod: code\n", "areas.cod", "  cod: code"),
    "parent": ("[d, d_name]", "[d]", "areas.parents.district", "district: [d]"),
    "indicator's key": (
        "column: halls\n",
        "colum: halls\n",
        "indicators.halls.colum",
        "colum: halls",
    ),
    "direction": ("higher_is: less", "higher_is: fewer", "indicators.halls.higher_is", "fewer"),
    "preset": ("preset: cni", "preset: cmi", "index.deprivation.preset", "preset: cmi"),
    "preset beside a tree": (
        "preset: cni\n",
        "preset: cni\n    children: {income: {indicator: income}}\n",
        "index.deprivation.children: found both 'preset' and 'children'",
        "children: {income",
    ),
    "parent that is no name": ("district: [d", "dis/trict: [d", "areas.parents.dis/trict", "dis/"),
    "parent with a column's name": (
        "district: [d",
        "Population: [d",
        "areas.parents.Population",
        "Population:",
    ),
    "parent with another's name": (
        "    district: [d, d_name]",
        "    district: [d, d_name]\n    district_name: e",
        "areas.parents.district_name",
        "district_name:",
    ),
    "indicator with a column's name": (
        "  halls:\n    file: values.csv",
        "  code: # no\n    file: values.csv",
        "indicators.code",
        "code: # no",
    ),
    "larger area": (
        "            within: district",
        "            within: distrct",
        "designate.priority.any.1.all.0.within",
        "distrct",
    ),
    "cap's larger area": (
        "      within: district\n      by",
        "      within: lad24\n      by",
        "designate.priority.at_most.within",
        "lad24",
    ),
    "system of an index": (
        "    transform: percentile_rank",
        "    areas: lsoa2\n    transform: percentile_rank",
        "index.community.areas",
        "lsoa2",
    ),
    "step": ("  - impute:", "  - imput:", "prepare.1.imput: unknown key; did you mean", "imput:"),
    "step's key": ("skew: 1.5", "skw: 1.5", "prepare.2.treat.skw: unknown key; did you", "skw"),
    "step's power": ("power: 0.3", "power: ml", "prepare.2.treat.power: found 'ml'", "power: ml"),
    "step's value": ("per: 1000", "per: 0", "prepare.0.denominate.per: found 0", "per: 0"),
    "step's way": ("how: group_mean", "how: grop_mean", "prepare.1.impute.how", "grop_mean"),
    "step's group": ("group: district", "group: lad24", "prepare.1.impute.group: 'lad24'", "lad24"),
    "step's denominator": (
        "by: income",
        "by: incom",
        "prepare.0.denominate.by: indicator",
        "by: incom,",
    ),
    "step's indicator": (
        "of: [halls], per",
        "of: [hall], per",
        "prepare.0.denominate.of.0: indicator 'hall' not found",
        "[hall]",
    ),
    "step's own rule": (
        "each: {halls:",
        "each: {hals:",
        "prepare.2.treat.each.hals: indicator 'hals' not found",
        "hals:",
    ),
    "step without an error to weigh by": (
        "of: [halls], sizes: income",
        "of: [income]",
        "prepare.3.shrink.of.0: 'income' states no standard_error",
        "of: [income]",
    ),
    "step that needs residents": (
        "by: income",
        "by: population",
        "prepare.0.denominate.by: the areas state no 'population'",
        "by: population",
    ),
    "step of two kinds": (
        "  - impute: {how: group_mean, group: district}",
        "  - {impute: {how: mean}, screen: {areas: 0.5}}",
        "prepare.1: found screen and impute; expected one of",
        "screen: {areas",
    ),
    "decimals": (
        "column: halls\n",
        "column: halls\n    decimal: ';'\n",
        "indicators.halls.decimal",
        "decimal:",
    ),
    "preset's leaf": (
        "connectedness: income",
        "conectedness: income",
        "index.deprivation.indicators.conectedness",
        "conectedness",
    ),
    "preset's weight": (
        "civic_assets: 2",
        "civic_assets: 0",
        "index.deprivation.weights.civic_assets",
        "civic_assets: 0",
    ),
    "preset's weight's name": (
        "civic_assets: 2",
        "civic: 2",
        "index.deprivation.weights.civic",
        "civic: 2",
    ),
    "transform": ("percentile_rank", "percentil", "index.community.transform", "percentil"),
    "inner weight": (
        "weight: 2",
        "weight: two",
        "index.community.children.inner.weight",
        "weight: two",
    ),
    "leaf's indicator": (
        "{indicator: halls}",
        "{indicator: hals}",
        "index.community.children.inner.children.halls.indicator",
        "hals}",
    ),
    "leaf's key": (
        "        indicator: income",
        "        indicater: income",
        "index.community.children.income.indicater",
        "indicater",
    ),
    "share": ("worst: 10%", "worst: 110%", "designate.priority.any.0.worst", "worst: 110%"),
    "number": ("worst: 3", "worst: 0", "designate.priority.any.1.all.0.worst", "worst: 0"),
    "index in a rule": (
        "index: community.inner\n            worst",
        "index: community.iner\n            worst",
        "designate.priority.any.1.all.0.index",
        "community.iner",
    ),
    "index in a 'not'": (
        "{index: community, score",
        "{index: comunity, score",
        "designate.priority.any.1.all.1.not.index",
        "comunity",
    ),
    "score": (
        "score_above: 0.5",
        "score_above: high",
        "designate.priority.any.1.all.1.not.score_above",
        "score_above: high",
    ),
    "cap": ("number: 2", "number: 0", "designate.priority.at_most.number", "number: 0"),
    "cap's key": (
        "      by: community",
        "      per: community",
        "designate.priority.at_most.per",
        "per: community",
    ),
    "cap's index": (
        "      by: community",
        "      by: comunity",
        "designate.priority.at_most.by",
        "by: comunity",
    ),
    "draws": ("draws: 10\n", "draws: ten\n", "certainty.draws", "draws: ten"),
    "what varies": (
        "{weights: community,",
        "{weights: comunity,",
        "certainty.vary.0.weights",
        "comunity",
    ),
    "how it varies": (
        "dirichlet: 10}",
        "dirichlet: -1}",
        "certainty.vary.0.dirichlet",
        "dirichlet: -1",
    ),
    "which way": (
        "of: [sum, geometric]",
        "of: [sum, geometrc]",
        "certainty.vary.1.of.1",
        "geometrc",
    ),
    "whose error": (
        "errors: [halls]",
        "errors: [income]",
        "certainty.vary.2.standard_errors",
        "[income]",
    ),
    "cut": ("cut: [0.9, 1.1]", "cut: [0.9]", "certainty.vary.3.cut", "cut: [0.9]"),
    "misspelt choice": (
        "- cut: [0.9, 1.1]",
        "- cuts: [0.9, 1.1]",
        "certainty.vary.3.cuts",
        "cuts:",
    ),
    "a level's law": (
        "{uniform: true}",
        "{unifrom: true}",
        "sensitivity.vary.0.levels.1.unifrom",
        "unifrom",
    ),
    "more laws than levels": (
        "{uniform: true}",
        "{uniform: true}, {dirichlet: 1}, {dirichlet: 1}, {dirichlet: 1}",
        "sensitivity.vary.0.weights",
        "{dirichlet: 1}, {dirichlet: 1}, {dirichlet: 1}",
    ),
    "a way's setting": (
        "of: [sum, geometric]",
        "of: [sum, {mean_min: {alpha: 2}}]",
        "certainty.vary.1.form",
        "mean_min",
    ),
    "a setting's range": (
        "uniform: [10, 40]",
        "uniform: [-10, 40]",
        "sensitivity.vary.1.node",
        "transform.scale",
    ),
    "a setting": (
        "transform.scale",
        "transform.scal",
        "sensitivity.vary.1.node",
        "transform.scal",
    ),
    "a law of numbers": (
        "uniform: [10, 40]",
        "uniform: [40, 10]",
        "sensitivity.vary.1",
        "uniform: [40",
    ),
    "sample": ("sample: 64", "sample: 60", "sensitivity.sample", "sample: 60"),
    "agreement": (
        "designation: priority,",
        "designation: prioriti,",
        "agreement.0.designation",
        "prioriti",
    ),
    "agreement's index": (
        "\n  - index: community.inner\n",
        "\n  - index: community.outer\n",
        "agreement.1.index",
        "community.outer",
    ),
    "agreement's way": ("compare: rank", "compare: ranks", "agreement.1.compare", "compare: ranks"),
    "label": ("  label: a priority", "  lable: a priority", "briefing.lable", "lable"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_is_told_with_its_file_line_and_field(name: str) -> None:
    old, new, field, marked = PLANTED[name]
    assert STUDY.count(old) == 1
    text = STUDY.replace(old, new)
    line = next(i for i, s in enumerate(text.splitlines(), start=1) if marked in s)
    with pytest.raises(StudyError) as raised:
        parse(text)
    told = str(raised.value).splitlines()
    assert told[0].startswith(f"planted.yaml, line {line}: {field}"), told
    assert len(told) == 1, told
    assert re.search(r"expected|missing|did you mean|not found|no such|there are none", told[0])


def test_several_faults_are_told_at_once_and_no_more_than_three() -> None:
    text = STUDY.replace("transform:", "transfrom:").replace("draws: 10", "draws: -1")
    with pytest.raises(StudyError) as raised:
        parse(text)
    told = str(raised.value).splitlines()
    assert [t.split(": ")[1] for t in told] == ["index.community.transfrom", "certainty.draws"]
    for old, new in (
        ("compare: rank", "compare: x"),
        ("label:", "lable:"),
        ("worst: 3", "worst: no"),
    ):
        text = text.replace(old, new)
    with pytest.raises(StudyError) as raised:
        parse(text)
    assert len(str(raised.value).splitlines()) == 3
    assert str(raised.value).endswith("(and 2 more)")


def test_every_key_of_a_study_is_offered_to_who_misspells_it() -> None:
    """The nearest valid key is found at every depth: the list of keys can't fall behind."""
    from commonweal.files.schema import _keys_beside

    assert set(_keys_beside(Study, ("x",))) == set(Study.model_fields) - {"name", "folder"}

    def below(model: type[BaseModel]) -> set[str]:
        return {f.alias or n for n, f in model.model_fields.items()}

    from commonweal.designation import Condition
    from commonweal.designation.rule import AtMost
    from commonweal.designation.uncertainty import CertaintySpec
    from commonweal.spec.indices import CrosswalkSpec, IndexSpec

    for loc, model in {
        ("index", "a", "x"): IndexSpec,
        ("index", "a", "move", "x"): CrosswalkSpec,
        ("designate", "a", "at_most", "x"): AtMost,
        ("certainty", "x"): CertaintySpec,
    }.items():
        assert set(_keys_beside(Study, loc)) == below(model), loc
    assert below(Condition) | {"all", "any", "not"} <= set(
        _keys_beside(Study, ("designate", "a", "all", 0, "x"))
    )


def test_since_needs_one_designation() -> None:
    with pytest.raises(StudyError, match="line 1: since: needs exactly one designation; found 2"):
        parse(
            "since: demo\n"
            + STUDY.replace("designate:\n", "designate:\n  other: {index: community, worst: 1}\n")
        )


def test_anchors_and_merges_of_yaml_work() -> None:
    """They save an analyst from writing the same source ten times."""
    text = STUDY.replace(
        "  income:\n    file: values.csv\n", "  income: &own\n    file: values.csv\n", 1
    ).replace("  halls:\n    file: values.csv\n", "  halls:\n    <<: *own\n", 1)
    assert parse(text) == parse(STUDY)


def test_template_has_no_key_that_it_does_not_explain() -> None:
    lines = template().splitlines()
    assert any(line.lstrip().startswith("#") for line in lines)
    assert max(map(len, lines)) <= 110


def test_a_name_given_by_accident_as_a_number(tmp_path: Path) -> None:
    text: Any = STUDY.replace("  halls:\n    file", "  2019:\n    file")
    with pytest.raises(StudyError, match="2019 is not text; put it in quotes"):
        parse(text)


# ---- one file over another ----------------------------------------------------------------------


def extended(folder: Path, above: str) -> Study:
    """The template with a file laid over it."""
    (folder / "base.yaml").write_text(template(), "utf-8")
    (folder / "mine.yaml").write_text(f"extends: base.yaml\n{above}", "utf-8")
    return load_study(folder / "mine.yaml")


def test_keys_replace_lists_replace_and_nothing_takes_out(tmp_path: Path) -> None:
    children = "{library: null, turnout: {weight: 3}}"
    study = extended(
        tmp_path,
        f"title: Mine\nindex: {{community_needs: {{children: {children}}}}}\n"
        "certainty: {vary: [{cut: [0.9, 1.1]}]}\n",
    )
    base = load_study(tmp_path / "base.yaml")
    assert (study.title, study.areas) == ("Mine", base.areas)
    (turnout,) = study.index["community_needs"].children.items()
    was = base.index["community_needs"].children["turnout"]
    assert turnout == ("turnout", was.model_copy(update={"weight": 3}))
    assert study.index["deprivation"] == base.index["deprivation"]
    assert study.certainty is not None
    assert base.certainty is not None
    assert study.certainty.draws == base.certainty.draws
    assert len(study.certainty.vary) == 1 < len(base.certainty.vary)


def test_what_is_taken_out_has_to_be_there(tmp_path: Path) -> None:
    said = r"mine.yaml: index.deprivation.children.incme: .*none to take out; did you mean 'income'"
    with pytest.raises(StudyError, match=said):
        extended(tmp_path, "index: {deprivation: {children: {incme: null}}}\n")
    assert extended(tmp_path, "panel: null\n").panel is None  # a setting that was not given


def test_a_key_of_the_file_below_is_told_to_come_from_there(tmp_path: Path) -> None:
    """Who writes one condition where the study below joins two never wrote 'all', and can take it out."""
    mine = tmp_path / "mine.yaml"
    rule = "extends: demo\ndesignate:\n  left_behind: {index: deprivation, worst: 10%%%s}\n"
    mine.write_text(rule % "", "utf-8")
    said = r"mine\.yaml, line 3: designate\.left_behind\.all: comes from demo, .* write 'all: null'"
    with pytest.raises(StudyError, match=said):
        load_study(mine)
    base = tmp_path / "base.yaml"
    base.write_text("extends: demo\ntitel: Ours\n", "utf-8")
    mine.write_text("extends: base.yaml\n", "utf-8")
    with pytest.raises(StudyError, match=r"titel: comes from base\.yaml, .*did you mean 'title'"):
        load_study(mine)
    mine.write_text(rule % ", all: null", "utf-8")
    assert load_study(mine).designate["left_behind"].condition is not None
    mine.write_text(rule % ", amnog: 3, all: null", "utf-8")
    with pytest.raises(StudyError, match=r"amnog: unknown key; did you mean 'among'"):
        load_study(mine)


@pytest.mark.parametrize("key", ["where", "focus"])
@pytest.mark.parametrize(
    ("given", "found", "typed"),
    [
        ("Hartlepool", "'Hartlepool'", "Hartlepool"),
        ("Kingston upon Hull", "'Kingston upon Hull'", '"Kingston upon Hull"'),
        ("[E06000001]", "a list", "NAME"),
    ],
)
def test_a_bare_name_for_a_larger_area_is_told_what_to_type(
    tmp_path: Path, key: str, given: str, found: str, typed: str
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"extends: left-behind-2025\ntitle: Mine\n{key}: {given}\n", "utf-8")
    said = (
        f"line 3: {key}: found {found}; expected a larger area and its code, such as {{lad24: E06000001}}\n"
        f"for the line to write, type: commonweal areas find {typed}"
    )
    with pytest.raises(StudyError, match=re.escape(said) + "$"):
        load_study(mine)


def test_a_table_of_ones_own_is_narrowed_by_its_own_keys() -> None:
    with pytest.raises(StudyError, match=r"where: .*'only' under 'areas'.*'focus'"):
        parse(f"{STUDY}where: {{district: D1}}\n")
    with pytest.raises(StudyError, match=r"where: .*'only' under 'areas'.*'focus'"):
        parse(f"{STUDY}where: D1\n")
    with pytest.raises(
        StudyError, match=r"population: .*'population' under 'areas' names its column"
    ):
        parse(f"{STUDY}population: mid-2020\n")
    with pytest.raises(StudyError, match=r"found 'D1'; .*such as \{district: CODE\}"):
        parse(f"{STUDY}focus: D1\n")


@pytest.mark.parametrize("preset", ["iod2019", "iod2025", "cni"])
def test_a_preset_labels_no_year_that_is_not_the_studys(preset: str) -> None:
    """A study of 2010 that takes the recipe of 2019 is no index of 2019."""
    assert not re.search(r"\d{4}", load_preset(preset).label)


def test_a_tab_for_a_blank_is_no_fault(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"^tab\.yaml, line 2: title: "):
        parse_study("areas: lsoa21\ntitle: \t\n", "tab.yaml", "tab", tmp_path)
