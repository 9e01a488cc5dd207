"""Wrong input that the project promises to survive, each by the road that a user takes.

Every case is run by the command line and by `run`: a plain message that names the thing, what was
found and what was expected, exit code 2, and an earlier results folder left as it was.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from commonweal.errors import CommonwealError
from commonweal.sources import Store
from commonweal.sources.catalogue import load_catalogue
from commonweal.sources.fetch import place_of
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[Any], object]

RANKED = "designate__priority__all__0"
INCOME = "indicators__income"
LEAF = "index__deprivation__children__income"
VARY = "certainty__vary"
NAN, INF = float("nan"), float("inf")


def recipe(**changes: Any) -> Change:
    return lambda small: small.write(**changes)


def areas(old: str, new: str) -> Change:
    return lambda small: small.replace(small.areas, old, new)


def values(old: str, new: str) -> Change:
    return lambda small: small.replace(small.indicators, old, new)


def content(file: str, data: str | bytes) -> Change:
    raw = data.encode() if isinstance(data, str) else data
    return lambda small: (small.path / file).write_bytes(raw)


def every_code(small: Any) -> None:
    text = small.indicators.read_text("utf-8")
    small.indicators.write_text(text.replace("\nA", "\nE010000"), "utf-8")


def yaml_text(old: str, new: str) -> Change:
    return lambda small: small.replace(small.study, old, new)


CASES: dict[str, tuple[Change, list[str]]] = {
    # columns
    "column": (
        recipe(**{f"{INCOME}__column": "incme"}),
        ["column 'incme' not found in indicators.csv; did you mean 'income'?"],
    ),
    "code column": (recipe(areas__code="cod"), ["column 'cod'", "did you mean 'code'?"]),
    "empty parent column": (
        recipe(areas__parents={"district": ["district", ""]}),
        ["line", "areas.parents.district: found ''; expected the name of a column"],
    ),
    "empty denominator": (
        recipe(prepare=[{"denominate": {"by": "", "of": ["halls"]}}]),
        ["line", "prepare.0.denominate.by: found ''"],
    ),
    "empty code column": (recipe(areas__code=""), ["line", "areas.code: found ''"]),
    "population column": (recipe(areas__population="people"), ["column 'people'", "population"]),
    "parent column": (
        recipe(areas__parents={"district": "distrct"}),
        ["'distrct'", "did you mean 'district'?"],
    ),
    "error column": (
        recipe(**{f"{INCOME}__standard_error": "income_s"}),
        ["'income_s'", "did you mean 'income_se'"],
    ),
    "agreement column": (
        recipe(
            agreement=[
                {
                    "index": "deprivation",
                    "file": "indicators.csv",
                    "column": "incom",
                    "compare": "rank",
                }
            ]
        ),
        ["'incom'", "did you mean 'income'"],
    ),
    # codes
    "codes of another system": (every_code, ["no code", "E01000001", "A01"]),
    "no area code": (areas("A03,Place 3", "  ,Place 3"), ["row 3 has no area code", "areas.csv"]),
    "area twice": (
        areas("A03,Place 3,", "A04,Place 3,"),
        ["area A04", "more than once", "areas.csv", "one row each"],
    ),
    "indicator twice": (
        values("A03,3,", "A04,3,"),
        ["income", "area A04", "more than once", "one row each"],
    ),
    "excluded code": (recipe(designate__priority__excluding=["A99"]), ["'A99'", "A01"]),
    # numbers
    "text in numbers": (
        values("A03,3,18", "A03,three,18"),
        ["income", "'three'", "expected numbers"],
    ),
    "decimal comma": (
        values("A03,3,18", 'A03,"3,5",18'),
        ["income", "'3,5'", "expected numbers", "decimal"],
    ),
    "infinity": (values("A03,3,18", "A03,inf,18"), ["income", "A03", "infinite"]),
    "less than infinity": (values("A03,3,18", "A03,-inf,18"), ["income", "A03", "infinite"]),
    "beyond a double": (values("A03,3,18", "A03,1e400,18"), ["income", "A03", "infinite"]),
    "population in words": (
        areas("Place 3,300", "Place 3,many"),
        ["population", "'many'", "areas.csv", "numbers"],
    ),
    "negative population": (areas("Place 3,300", "Place 3,-300"), ["A03", "-300", "0 or more"]),
    "endless population": (areas("Place 3,300", "Place 3,inf"), ["A03", "inf", "0 or more"]),
    "a constant to correlate": (
        recipe(
            agreement=[
                {
                    "index": "deprivation",
                    "file": "indicators.csv",
                    "column": "income_se",
                    "compare": "spearman",
                }
            ]
        ),
        ["agreement on deprivation", "'income_se'", "0.5", "values that differ"],
    ),
    "nothing at all in a column": (
        lambda small: small.indicators.write_text(
            "code,income,halls,income_se\n" + "".join(f"A{i:02d},,{i},1\n" for i in range(1, 21)),
            "utf-8",
        ),
        ["income", "values for none of 20 areas", "expected 65%"],
    ),
    # files
    "empty file": (
        content("indicators.csv", ""),
        ["indicators.csv is empty (0 bytes)", "expected"],
    ),
    "header only": (
        content("indicators.csv", "code,income,halls\n"),
        ["indicators.csv: a header and no rows"],
    ),
    "empty areas": (content("areas.csv", ""), ["areas.csv is empty (0 bytes)"]),
    "no areas": (
        content("areas.csv", "code,name,population,district,district_name\n"),
        ["areas.csv: a header and no rows"],
    ),
    "a row too short": (values("A03,3,18,0.5", "A03,3"), ["indicators.csv", "line 4"]),
    "binary": (content("indicators.csv", bytes(range(256)) * 20), ["indicators.csv"]),
    "half a Parquet": (
        lambda small: (
            content("half.parquet", b"PAR1" + b"x" * 200)(small),
            small.write(**{f"{INCOME}__file": "half.parquet"}),
        ),
        ["half.parquet", "Parquet"],
    ),
    "file not there": (recipe(**{f"{INCOME}__file": "gone.csv"}), ["gone.csv is not there"]),
    "a folder for a file": (
        lambda small: ((small.path / "d.csv").mkdir(), small.write(areas__file="d.csv")),
        ["'d.csv' is a folder", "expected a file"],
    ),
    "a suffix that says nothing": (
        lambda small: (
            (small.path / "x.doc").write_text("code,income"),
            small.write(**{f"{INCOME}__file": "x.doc"}),
        ),
        ["x.doc", "'.doc'", ".csv", ".parquet"],
    ),
    "unknown source": (
        recipe(indicators__income={"source": "imd2019-lsoa1", "column": "x", "higher_is": "more"}),
        ["source 'imd2019-lsoa1'", "did you mean 'imd2019-lsoa11'"],
    ),
    "unknown area system": (recipe(areas="lsoa2"), ["area system 'lsoa2'", "lsoa21"]),
    # weights
    "weight of zero": (
        recipe(**{f"{LEAF}__weight": 0}),
        ["line", f"{LEAF.replace('__', '.')}.weight", "found 0", "greater than 0"],
    ),
    "negative weight": (
        recipe(**{f"{LEAF}__weight": -1}),
        ["line", "weight", "found -1", "greater than 0"],
    ),
    "weight that is no number": (
        recipe(**{f"{LEAF}__weight": NAN}),
        ["line", "weight", "found nan", "finite"],
    ),
    "endless weight": (
        recipe(**{f"{LEAF}__weight": INF}),
        ["line", "weight", "found inf", "finite"],
    ),
    "weight in words": (
        recipe(**{f"{LEAF}__weight": "heavy"}),
        ["line", "weight", "found 'heavy'", "a number"],
    ),
    # keys
    "higher_iss": (
        recipe(**{f"{INCOME}__higher_iss": "more"}),
        ["line", "indicators.income.higher_iss", "did you mean 'higher_is'?"],
    ),
    "indicatr": (
        recipe(**{LEAF: {"indicatr": "income"}}),
        ["line", "indicatr", "did you mean 'indicator'?"],
    ),
    "mor": (
        recipe(**{f"{INCOME}__higher_is": "mor"}),
        ["line", "found 'mor'", "'more' or 'less'", "did you mean 'more'?"],
    ),
    "a key at the top": (recipe(indicatrs={}), ["line", "indicatrs", "did you mean 'indicators'?"]),
    "a key left out": (
        recipe(**{f"{INCOME}__higher_is": None}),
        ["line", "indicators.income.higher_is", "missing"],
    ),
    "unknown indicator": (
        recipe(**{f"{LEAF}__indicator": "incom"}),
        ["line", "'incom' not found", "did you mean 'income'?"],
    ),
    "unknown preset": (
        recipe(index__deprivation={"preset": "iod2091"}),
        ["line", "'iod2091'", "did you mean 'iod2019'?"],
    ),
    "weights of nothing": (
        recipe(index__deprivation__weights={"income": 2}),
        ["line", "weights", "goes with 'preset'"],
    ),
    "move from nowhere": (
        recipe(index__deprivation__move={"by": "parts"}),
        ["line", "move", "goes with 'areas'"],
    ),
    "where with a table": (recipe(where={"district": "N"}), ["line", "where", "areas that ship"]),
    "a dot in a name": (
        recipe(**{f"{LEAF.rsplit('__', 1)[0]}__a.b": {"indicator": "income"}}),
        ["line", "a.b", "letters"],
    ),
    # rules
    "unknown domain": (
        recipe(**{f"{RANKED}__index": "deprivation.incom"}),
        ["line", "'deprivation.incom'", "did you mean 'deprivation.income'"],
    ),
    "150%": (recipe(**{f"{RANKED}__worst": "150%"}), ["line", "worst", "found 150%", "below 100%"]),
    "10.5 areas": (
        recipe(**{f"{RANKED}__worst": 10.5}),
        ["line", "worst", "found 10.5", "whole number", "10.5%"],
    ),
    "worst in words": (
        recipe(**{f"{RANKED}__worst": "many"}),
        ["line", "worst", "found 'many'", "10%"],
    ),
    "worst that is no number": (
        recipe(**{f"{RANKED}__worst": NAN}),
        ["line", "worst", "found nan", "10%"],
    ),
    "unknown parent": (
        recipe(**{f"{RANKED}__within": "distrct"}),
        ["'distrct'", "did you mean 'district'?"],
    ),
    # certainty
    "varying what is not there": (
        recipe(**{VARY: [{"weights": "community_neds", "dirichlet": 10}]}),
        ["line", "certainty.vary.0.weights", "'community_neds'", "did you mean 'community_needs'?"],
    ),
    "varying a leaf": (
        recipe(**{VARY: [{"weights": "deprivation.income", "dirichlet": 10}]}),
        ["line", "with children 'deprivation.income' not found", "did you mean 'deprivation'?"],
    ),
    "errors that nobody states": (
        recipe(**{VARY: [{"standard_errors": ["income"]}]}),
        [
            "line",
            "vary.0.standard_errors",
            "'income' does not state a standard error",
            "there are none",
        ],
    ),
    "dirichlt": (
        recipe(**{VARY: [{"weights": "deprivation", "dirichlt": 10}]}),
        ["line", "dirichlt", "did you mean 'dirichlet'?"],
    ),
    "a cut turned round": (
        recipe(**{VARY: [{"cut": [1.1, 0.9]}]}),
        ["line", "[1.1, 0.9]", "low then high"],
    ),
    "nothing varies": (
        recipe(**{VARY: []}),
        ["line", "certainty.vary", "nothing varies", "weights"],
    ),
    "draws below zero": (recipe(certainty__draws=-1), ["line", "certainty.draws", "found -1"]),
    # YAML
    "a tab": (yaml_text("  file: areas.csv", "\tfile: areas.csv"), ["study.yaml, line 3", "'\\t'"]),
    "a key twice": (
        yaml_text("  name: name\n", "  name: name\n  name: code\n"),
        ["study.yaml, line 6", "'name' is there twice"],
    ),
    "a list": (content("study.yaml", "- a\n"), ["study.yaml", "found a list", "title, areas"]),
    "text alone": (
        content("study.yaml", "hello\n"),
        ["study.yaml", "found 'hello'", "title, areas"],
    ),
    "an empty study": (content("study.yaml", ""), ["study.yaml", "found nothing", "title, areas"]),
    "a study of bytes": (
        content("study.yaml", bytes(range(256)) * 4),
        ["study.yaml", "not UTF-8 text at byte 128"],
    ),
    "a zero byte": (
        content("study.yaml", b"title: a\x00b\n"),
        ["study.yaml", "not valid YAML", "#x0000"],
    ),
    "a day that there is not": (
        content("study.yaml", "title: a\nareas: 2020-13-45\n"),
        ["study.yaml, line 2", "'2020-13-45' is not a valid timestamp"],
    ),
    "a number that is none": (
        content("study.yaml", "title: 0b_\n"),
        ["study.yaml, line 1", "'0b_' is not a valid int"],
    ),
    "brackets without end": (
        content("study.yaml", "[" * 3000),
        ["study.yaml", "not valid YAML"],
    ),
    "a template left in": (
        content("study.yaml", "title: {{title}}\n"),
        ["study.yaml, line 1", "not plain text"],
    ),
    "a key that is a number": (
        yaml_text("title:", "2019: x\ntitle:"),
        ["study.yaml, line 1", "2019", "not text", "quotes"],
    ),
    "an unknown earlier study": (
        recipe(since="left-behind-2091"),
        ["since", "'left-behind-2091'", "left-behind-2019"],
    ),
}


# What depends on more than columns and codes.
ONLY_A_RUN_TELLS = {"a constant to correlate"}


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too, by its bytes."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def good(
    tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> Callable[[Path], tuple[Path, dict[str, str]]]:
    """Give a copy of an earlier results folder, and its fingerprint."""
    from commonweal.report.study.folder import write_results

    made = tmp_path_factory.mktemp("good") / "results"
    write_results(run("demo", Store(cache=cache, offline=True), draws=0), made)
    print_ = fingerprint(made)
    assert len(print_) > 5

    def copy(to: Path) -> tuple[Path, dict[str, str]]:
        return shutil.copytree(made, to / "out" / "results"), print_

    return copy


@pytest.mark.parametrize("name", CASES)
def test_wrong_input_is_told_plainly_and_nothing_is_lost(
    name: str, small: Any, tell: Any, good: Any
) -> None:
    change, expected = CASES[name]
    change(small)
    out, before = good(small.path)
    code, said, complaint = tell("run", small.study, "--out", out)
    lines = complaint.splitlines()
    assert (code, said) == (2, ""), complaint
    assert lines[0].startswith("commonweal: ")
    assert 1 <= len(lines) <= 3
    assert all(line.strip() for line in lines)
    assert "Traceback" not in complaint
    # Words of pydantic, Polars or NumPy that a user can't act on.
    assert not re.search(
        r"instance of|NoneType|<class|dtype|\bSchema\b|unhashable|str\b.*pattern", complaint
    )
    for words in expected:
        if words == "line":
            assert re.search(r"study\.yaml, line \d+: ", complaint), complaint
        else:
            assert words in complaint, complaint
    assert fingerprint(out) == before
    assert [p.name for p in out.parent.iterdir()] == ["results"]
    with pytest.raises(CommonwealError) as raised:
        small.run()
    assert complaint.strip() == f"commonweal: {raised.value}"
    code, _, told = tell("check", small.study)
    assert (code, told) == ((0, "") if name in ONLY_A_RUN_TELLS else (2, complaint))


def test_the_small_study_itself_is_good(small: Any, tell: Any, good: Any) -> None:
    """So that the cases above fail by what they change."""
    out, before = good(small.path)
    code, said, complaint = tell("run", small.study, "--out", out)
    assert (code, complaint) == (0, "")
    assert "3 of 20 places are on the list of “priority” places" in said
    assert fingerprint(out) != before


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("left-behind-2091", ["study 'left-behind-2091'", "did you mean 'left-behind-2019'"]),
        ("Demo", ["study 'Demo'", "did you mean 'demo'?"]),
        ("nope.yaml", ["nope.yaml: no such file", "demo"]),
        ("areas.csv", ["study 'areas.csv'", "nor is it a .yaml file"]),
        ("folder.yaml", ["folder.yaml", "directory"]),
        ("my study.yaml", ["my study.yaml", "'my study'", "results folder"]),
        ("", ["study ''", "demo"]),
    ],
)
def test_a_study_that_is_not_there(small: Any, tell: Any, asked: str, expected: list[str]) -> None:
    (small.path / "folder.yaml").mkdir()
    shutil.copy(small.study, small.path / "my study.yaml")
    for command in ("run", "check"):
        code, said, complaint = tell(command, asked)
        assert (code, said) == (2, "")
        assert len(complaint.splitlines()) == 1
        for words in expected:
            assert words in complaint


@pytest.mark.parametrize(
    ("code_column", "header", "expected"),
    [
        ("lsoa", "lsoa,v", ""),
        ("", "lsoa,v", ""),
        ("lsoa", "other,v", "column 'lsoa'"),
        ("lsoa", "lsoa,w", "column 'v'"),
    ],
)
def test_files_for_areas_that_ship_are_checked_without_fetching(
    small: Any, tell: Any, code_column: str, header: str, expected: str
) -> None:
    """Only the look of the codes is known then: nothing of the published files is here."""
    (small.path / "own.csv").write_text(f"{header}\nE01000001,1\nE01000002,2\n", "utf-8")
    changes = {"areas": "lsoa21", "designate": {}, "certainty": None}
    own = {"file": "own.csv", "column": "v", "code": code_column, "higher_is": "more"}
    small.write(**changes, indicators__income=own, indicators__halls=own)
    code, _, complaint = tell("check", small.study)
    assert (code, expected in complaint) == (2 if expected else 0, True), complaint
    assert tell("run", small.study)[0] == 2
    small.write(**{**changes, "areas": "msoa21"}, indicators__income=own, indicators__halls=own)
    code, _, complaint = tell("check", small.study)
    assert code == 2
    assert expected or "no code in column" in complaint
    assert expected or "E01000001" not in complaint or "msoa21" in complaint


def test_only_the_file_s_place_names_a_study(small: Any, tell: Any) -> None:
    small.replace(small.study, "title: Twenty places", "title: Twenty places\nname: other")
    code, _, complaint = tell("check", small.study)
    assert code == 2
    assert "name: unknown key" in complaint


def test_nan_and_unknown_codes_are_counted_and_told(small: Any) -> None:
    """They are no mistake: an area may have no value. But it is never shown as 'not on the list'."""
    from tests.terminal import run_data, run_lines

    small.replace(small.indicators, "A03,3,18", "A03,NaN,18")
    small.replace(small.indicators, "A04,4,17", "B04,4,17")
    results = small.run(draws=0)
    told = "\n".join(run_lines(results))
    assert (
        "2 places have no score on an index that the rule uses (A03, A04): deprivation 2, Community needs 1."
        in told
    )
    assert run_data(results)["designations"]["priority"]["without_score"] == ["A03", "A04"]
    read = next(s for s in results.provenance["steps"] if s["step"] == "indicators deprivation")[
        "read"
    ]
    assert read[0]["rows left aside"] == 1
    assert read[0]["areas without a value"] == 2


def test_a_truncated_download_is_never_used(
    small: Any, tell: Any, good: Any, tmp_path: Path
) -> None:
    source = load_catalogue()["cni2019-wd17"]
    assert source.url is not None
    assert source.sha256 is not None
    mirror = tmp_path / "mirror"
    cut_short = mirror / place_of(source.url)
    cut_short.parent.mkdir(parents=True)
    cut_short.write_bytes(b"the first bytes of a fi")
    small.write(
        indicators__income={"source": source.id, "column": "Civic Assets rank", "higher_is": "less"}
    )
    out, before = good(small.path)
    code, said, complaint = tell("run", small.study, "--out", out, COMMONWEAL_MIRROR=str(mirror))
    assert (code, said) == (2, "")
    assert source.id in complaint
    assert str(cut_short) in complaint
    assert source.sha256 in complaint
    assert hashlib.sha256(cut_short.read_bytes()).hexdigest() in complaint
    assert "not used" in complaint
    assert fingerprint(out) == before
    assert cut_short.read_bytes() == b"the first bytes of a fi"


def test_two_boundaries_of_one_area(small: Any, tell: Any) -> None:
    shape = '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}'
    features = ",".join(
        f'{{"type":"Feature","properties":{{"code":"{code}"}},"geometry":{shape}}}'
        for code in ("A01", "A02", "A01")
    )
    (small.path / "shapes.geojson").write_text(
        f'{{"type":"FeatureCollection","features":[{features}]}}', "utf-8"
    )
    small.write(areas__boundaries={"file": "shapes.geojson"})
    code, _, complaint = tell("run", small.study, "--out", small.path / "o")
    assert code == 2
    assert "shapes.geojson: area A01 has more than one boundary" in complaint


def test_draws_that_cannot_be(small: Any, tell: Any) -> None:
    for draws in ("-1", "many", "1.5"):
        code, said, complaint = tell("run", small.study, "--draws", draws)
        assert (code, said) == (2, "")
        assert "--draws" in complaint
    code, _, complaint = tell("run", small.study, "--draws", "1000000000000")
    assert code == 2
    assert "expected 0 to 10,000,000" in complaint
    with pytest.raises(CommonwealError, match="found -1"):
        small.run(draws=-1)
    small.write(certainty=None)
    with pytest.raises(CommonwealError, match="no 'certainty'"):
        small.run(draws=10)
    assert not small.run(draws=0).certainty


def test_two_files_of_one_name_are_two_sources(small: Any) -> None:
    """north/values.csv and values.csv were once read as one table."""
    (small.path / "north").mkdir()
    other = "code,halls\n" + "".join(f"A{i:02d},{100 + i}\n" for i in range(1, 21))
    (small.path / "north" / "indicators.csv").write_text(other, "utf-8")
    small.write(indicators__halls__file="north/indicators.csv")
    results = small.run(draws=0)
    assert results.indicators["community_needs"].values[0, 0] == 101
    assert results.indicators["deprivation"].values[0, 0] == 1
    assert len({s["id"] for s in results.provenance["sources"]}) == 3


def test_blank_text_in_parquet_is_missing(small: Any) -> None:
    """Parquet, unlike CSV, can hold an empty text and a NaN."""
    table = pl.read_csv(small.areas).with_columns(
        name=pl.when(pl.col("code") == "A20").then(pl.lit(" ")).otherwise("name"),
        lon=pl.lit(float("nan")),
        lat=pl.lit(float("nan")),
    )
    table.write_parquet(small.path / "areas.parquet")
    small.write(areas__file="areas.parquet", areas__longitude="lon", areas__latitude="lat")
    areas = small.run(draws=0).areas.table
    assert areas["name"][19] == "A20"  # its code stands in, so that no line says 'None'
    assert areas["longitude"].null_count() == 20
    table.with_columns(code=pl.col("code").replace("A05", "")).write_parquet(
        small.path / "areas.parquet"
    )
    with pytest.raises(CommonwealError, match="row 5 has no area code"):
        small.run(draws=0)
