"""A results folder answers for a study as long as its study, files and program are those that it was made with."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import commonweal as cw
from commonweal import version
from commonweal.errors import CommonwealError
from commonweal.report.study.folder import write_results
from commonweal.spec.study import load_study
from commonweal.study.fingerprint import fingerprint, why_not
from commonweal.study.saved import open_results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small

MADE_OF = "was made from another study, other files of your own, or by another version"


def kept(small: Small, **options: Any) -> Path:
    return write_results(small.run(**options), small.path / "results" / "study")


def reason(small: Small, **wanted: Any) -> str:
    folder = small.path / "results" / "study"
    return why_not(folder, load_study(small.study), small.store, **wanted)


def test_it_fits_what_it_was_made_from(small: Small) -> None:
    kept(small)
    assert reason(small) == ""
    assert reason(small, draws=0) == reason(small, draws=200) == ""
    small.write(certainty__draws=150)  # the folder has more
    assert reason(small) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"designate__priority__all__0__worst": "30%"},
        {"certainty__seed": 2},
        {"indicators__income__label": "Income"},
        {"title": "Others"},
    ],
)
def test_another_recipe_does_not_fit(small: Small, changes: dict[str, Any]) -> None:
    kept(small)
    small.write(**changes)
    assert reason(small) == MADE_OF


def test_a_table_that_has_changed_does_not_fit(small: Small) -> None:
    kept(small)
    small.replace(small.indicators, "A01,1,", "A01,2,")
    assert reason(small) == MADE_OF


def test_how_a_file_is_read_is_said_once_and_counts(small: Small) -> None:
    small.write(files={"indicators.csv": {"null_values": ["-"]}})
    kept(small)
    assert reason(small) == ""
    small.write(files={"indicators.csv": {"null_values": ["n/a"]}})
    assert reason(small) == MADE_OF


def test_a_table_that_changed_while_the_study_ran_never_fits(small: Small) -> None:
    results = small.run()
    small.replace(small.indicators, "A01,1,", "A01,2,")
    write_results(results, small.path / "results" / "study")
    assert reason(small) == MADE_OF


def test_a_file_that_no_index_needs_is_no_reason_to_run_again(small: Small) -> None:
    (small.path / "spare.csv").write_text("code,spare\nA01,1\n", "utf-8")
    small.write(
        indicators__spare={"file": "spare.csv", "column": "spare", "higher_is": "more"},
    )
    kept(small)
    assert reason(small) == ""


def test_the_earlier_study_and_its_tables_count(small: Small) -> None:
    (small.path / "earlier.yaml").write_bytes(small.study.read_bytes())
    small.write(since="earlier.yaml")
    kept(small)
    assert reason(small) == ""
    text = (small.path / "earlier.yaml").read_text("utf-8")
    (small.path / "earlier.yaml").write_text(text.replace("20%", "30%", 1), "utf-8")
    assert reason(small) == MADE_OF


def test_where_files_lie_does_not_count(small: Small) -> None:
    folder = kept(small)
    (small.path / "other").mkdir()
    for file in ("study.yaml", "areas.csv", "indicators.csv"):
        (small.path / file).rename(small.path / "other" / file)
    assert why_not(folder, load_study(small.path / "other" / "study.yaml"), small.store) == ""


def test_draws_sensitivity_and_boundaries(small: Small) -> None:
    kept(small, draws=20, geometry=False)
    assert reason(small) == "has fewer recalculations (20) than the 200 asked for"
    assert reason(small, draws=20) == "has no boundaries"
    assert reason(small, draws=20, geometry=False) == ""
    small.write(sensitivity={"sample": 8, "intervals": 0})
    assert (
        reason(small, draws=20, geometry=False)
        == "does not have the biggest sources of uncertainty"
    )
    assert reason(small, draws=20, geometry=False, sensitivity=False) == ""


def test_another_version_or_a_damaged_description(small: Small) -> None:
    file = kept(small) / "datapackage.json"
    about = json.loads(file.read_text("utf-8"))
    about["commonweal"]["version"] = "0.0"
    file.write_text(json.dumps(about), "utf-8")
    assert reason(small) == "was made by another version"
    file.write_text("{", "utf-8")
    assert reason(small) == "cannot be opened by this version"


def test_a_command_opens_what_run_has_written(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    first = tell("show", "A20", "--study", "study.yaml")
    assert (first[0], first[2]) == (0, "")
    assert tell("run", "study.yaml")[0] == 0
    code, out, said = tell("show", "A20", "--study", "study.yaml")
    assert (code, out) == first[:2]
    assert said.startswith("Opened results/study (written 20")
    assert said.count("\n") == 1
    assert tell("show", "A20", "--study", "results/study")[:2] == first[:2]
    without = tell("show", "A20", "--study", "study.yaml", "--draws", "0")[1]
    small.replace(small.indicators, "A02,2,", "A02,2.5,")
    code, out, said = tell("show", "A20", "--study", "study.yaml")
    assert (code, out) == first[:2]
    assert said == f"results/study {MADE_OF}: running the study.\n"
    assert tell("show", "A20", "--study", "study.yaml", "--draws", "0")[1] == without


def test_an_allocation_opens_what_run_has_written(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    small.write(
        indicators__income__standard_error="income_se",
        certainty={"draws": 60, "seed": 1, "vary": [{"standard_errors": "all"}]},
    )
    rule = {
        "title": "A programme",
        "official": "The worst on income.",
        "study": "study.yaml",
        "rank": {"of": {"deprivation": 1}, "official": True},
        "money": {"budget": 60, "award": 20, "official": True},
        "in_need": [{"index": "deprivation", "worst": "25%", "official": False}],
    }
    (small.path / "rule.yaml").write_text(yaml.safe_dump(rule), "utf-8")
    (small.path / "other.yaml").write_text(
        yaml.safe_dump(rule | {"rank": {"of": {"community_needs": 1}, "official": True}}), "utf-8"
    )
    command = ("invest", "allocate", "rule.yaml", "--against", "other.yaml")
    first = tell(*command)
    assert (first[0], first[2]) == (0, "")
    tell("run", "study.yaml")
    code, out, said = tell(*command)
    assert (code, out) == first[:2]
    assert said.count("Opened results/study (written 20") == said.count("\n") == 2
    small.replace(small.indicators, "A02,2,", "A02,30,")
    code, out, said = tell(*command)
    assert said == f"results/study {MADE_OF}: running the study.\n" * 2
    assert "Place 2 " in out
    assert "Place 2 " not in first[1]


@pytest.mark.parametrize("of", [(), ("--area", "A20")], ids=["list", "area"])
def test_social_capital_opens_what_run_has_written(
    small: Small, tell: Callable[..., tuple[int, str, str]], of: tuple[str, ...]
) -> None:
    small.write(
        briefing__national=False,
        indicators__halls__unit="halls",
        social_capital={"organisations": {"indicator": "halls", "how": "proxy", "caution": "Few."}},
    )
    first = tell("social-capital", "study.yaml", *of)
    assert (first[0], first[2]) == (0, "")
    tell("run", "study.yaml")
    code, out, said = tell("social-capital", "study.yaml", *of)
    assert (code, out) == first[:2]
    assert said.startswith("Opened results/study (written 20")
    small.replace(small.indicators, "A20,20,1,", "A20,20,99,")
    code, out, said = tell("social-capital", "study.yaml", *of)
    assert said == f"results/study {MADE_OF}: reading its tables.\n"
    assert "99" in out
    for file in (small.study, small.indicators, small.areas):
        file.unlink()
    assert tell("social-capital", "results/study", *of)[:2] == first[:2]


def test_a_pack_is_made_from_a_folder_whose_tables_are_gone(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    tell("run", "study.yaml")
    for file in (small.study, small.indicators, small.areas):
        file.unlink()
    code, out, said = tell("brief", "results/study", "A20", "--charts", "none")
    assert (code, said.count("\n")) == (0, 1)
    assert "Pack: " in out


def test_a_folder_that_is_named_is_opened_whatever_has_changed(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    tell("run", "study.yaml")
    shown = tell("show", "A20", "--study", "results/study")[1]
    for file in (small.study, small.indicators, small.areas):
        file.unlink()
    assert tell("show", "A20", "--study", "results/study")[:2] == (0, shown)
    assert tell("compare", "results/study", "results/study")[0] == 0
    code, _, said = tell("show", "A20", "--study", "results/study", "--draws", "999")
    assert code == 2
    assert (
        "has 200 recalculations; --draws 999 needs the study itself, not its results folder" in said
    )


def test_a_folder_that_is_none_is_refused(small: Small) -> None:
    from commonweal.study.fingerprint import load_asked

    with pytest.raises(CommonwealError, match="is no results folder"):
        load_asked(str(small.path))


def test_other_settings_of_sensitivity_do_not_fit(small: Small) -> None:
    small.write(sensitivity={"sample": 8})
    kept(small)
    assert reason(small) == ""
    small.write(sensitivity={"sample": 16})
    assert reason(small) == "has the biggest sources of uncertainty by other settings"
    assert reason(small, sensitivity=False) == ""


def test_a_folder_without_its_account_does_not_fit(small: Small) -> None:
    folder = kept(small)
    (folder / "provenance.json").unlink()
    assert reason(small) == "cannot be opened by this version"
    package = folder / "datapackage.json"
    said = json.loads(package.read_text("utf-8"))
    del said["commonweal"]["draws"]
    package.write_text(json.dumps(said), "utf-8")
    with pytest.raises(CommonwealError, match="damaged"):
        open_results(folder)


def test_what_was_scored_again_never_stands_for_a_run(small: Small) -> None:
    other = cw.Results.of(small.run()).rescore(cut={"priority": "30%"}, draws=50)
    small.write(designate__priority__all__0__worst="30%", designate__priority__all__1__worst="30%")
    other.save(small.path / "results" / "study")
    assert reason(small, draws=50) == MADE_OF
    plain = cw.Results.of(small.run()).rescore(cut={"priority": "40%"})
    assert plain.study.certainty is not None
    assert plain.study.certainty.draws == 0


def test_where_you_stand_is_not_what_you_ask_for(small: Small, tell: Any, tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_text('{"name": "mine", "resources": []}', "utf-8")
    code, said, _ = tell("show", "A20", "--study", small.study)
    assert (code, "Place 20" in said) == (0, True)
    wider = cw.run("demo", draws=0, geometry=False).rescore(cut={"left_behind": "50%"})
    shutil.copytree(wider.save(tmp_path / "wider"), tmp_path, dirs_exist_ok=True)
    code, said, complaint = tell("show", "F01000004", "--study", "demo", "--draws", "0")
    assert (code, "worst 10%" in said, "Opened" in complaint) == (0, True, False)


def test_a_folder_that_is_written_again_is_not_called_damaged(small: Small) -> None:
    folder = kept(small)
    opened = open_results(folder)
    small.write(designate__priority__all__0__worst="30%")
    kept(small)
    with pytest.raises(CommonwealError, match="written again since it was opened"):
        opened.designations  # noqa: B018 - it is read here


def test_each_part_of_a_shapefile_counts(small: Small) -> None:
    shapes = small.path / "outlines.shp"
    for end in (".shp", ".shx", ".dbf"):
        shapes.with_suffix(end).write_bytes(b"one")
    small.write(areas__boundaries={"file": "outlines.shp", "code": "code"})
    before = fingerprint(load_study(small.study))
    shapes.with_suffix(".dbf").write_bytes(b"another")
    assert fingerprint(load_study(small.study)) != before


def test_other_code_of_the_same_version_does_not_fit(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(small)
    monkeypatch.setattr("commonweal.study.fingerprint.program_hash", lambda: "of other code")
    assert reason(small) == MADE_OF


def test_the_program_is_told_by_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "package"
    (home / "room").mkdir(parents=True)
    (home / "room" / "a.py").write_text("one")
    (home / "room" / "a.html").write_text("one")
    monkeypatch.setattr(version, "__file__", str(home / "version.py"))
    hashed = version.program_hash.__wrapped__
    first = hashed()
    (home / "room" / "a.html").write_text("two")
    assert hashed() == first
    (home / "room" / "a.py").write_text("two")
    assert hashed() != first
    assert version.program_hash() is version.program_hash()


def test_how_the_own_catalogue_is_read_counts(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "catalogue"
    own.mkdir()
    monkeypatch.setenv("COMMONWEAL_CATALOGUE", str(own))
    entry = {
        "title": "Halls",
        "licence": "OGL",
        "attribution": "us",
        "vintage": "2025",
        "path": str(small.indicators),
    }
    entry["reader"] = {"format": "csv"}
    fields = {"publisher": "Us", "sources": {"halls": entry}}
    (own / "us.yaml").write_text(yaml.safe_dump(fields))
    before = fingerprint(load_study(small.study))
    entry["reader"] = {"format": "csv", "skip_rows": 1}
    (own / "us.yaml").write_text(yaml.safe_dump(fields))
    assert fingerprint(load_study(small.study)) != before


@pytest.mark.parametrize(
    "said", ["import our_help", "from our_help import n", "def f():\n import our_help"]
)
def test_a_module_that_an_own_function_imports_counts(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    for name in ("our_sums", "our_help"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "our_sums.py").write_text(f"import numpy\n{said}\ndef halved(x): return x / 2\n")
    (tmp_path / "our_help.py").write_text("n = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    small.write(index__community_needs__transform={"python": "our_sums.halved"})
    study = load_study(small.study)
    before = fingerprint(study)
    assert fingerprint(study) == before
    (tmp_path / "our_help.py").write_text("n = 33\n")
    assert fingerprint(study) != before
