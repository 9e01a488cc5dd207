"""The command line, as a user or a script meets it."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from tests.same import contents
from tests.waits import started

from commonweal import __version__
from commonweal.sources.catalogue import load_catalogue
from commonweal.spec.study import shipped_studies

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = [
    [], ["run"], ["demo"], ["compare"], ["units"], ["show"], ["check"], ["studies"], ["studies", "show"], ["new"],
    ["places"], ["areas"], ["areas", "find"], ["sources"],
    ["sources", "list"], ["sources", "show"], ["sources", "fetch"], ["sources", "verify"], ["brief"],
    ["explore"], ["evidence"], ["session"], ["discontent"], ["wealth"], ["survey"], ["social-capital"], ["small-areas"],
    ["invest"], ["invest", "allocate"], ["invest", "site"], ["invest", "portfolio"], ["invest", "appraise"],
    ["invest", "case"], ["invest", "baseline"], ["invest", "track"],
]  # fmt: skip


def strict(text: str) -> Any:
    """Parse JSON that has neither NaN nor infinity."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help(tell: Any, command: list[str]) -> None:
    code, said, complaint = tell(*command, "--help")
    assert (code, complaint) == (0, "")
    assert said.startswith("Usage: ")
    assert "--help" in said
    for line in said.splitlines():
        assert len(line) <= 80
        if re.match(r"  --\w", line):
            assert len(line.split(maxsplit=1)) == 2, f"an option without a word of help: {line}"


def test_version(tell: Any) -> None:
    assert tell("--version") == (0, f"commonweal {__version__}\n", "")


@pytest.mark.parametrize(
    "args", [["rn"], ["run"], ["--bogus"], ["run", "demo", "--drws", "3"], ["compare", "demo"]]
)
def test_wrong_usage(tell: Any, args: list[str]) -> None:
    code, said, complaint = tell(*args)
    assert (code, said) == (2, "")
    assert "Error: " in complaint
    assert "Traceback" not in complaint


def test_run_tells_and_writes(small: Any, tell: Any) -> None:
    code, said, complaint = tell("run", small.study)
    assert (code, complaint) == (0, "")
    lines = said.splitlines()
    assert lines[0] == "Twenty places"
    assert lines[-1] == f"Report: {small.path / 'results' / 'study' / 'report.html'}"
    assert (small.path / "results" / "study" / "provenance.json").is_file()
    assert not [p for p in (small.path / "results").iterdir() if p.name.startswith(".")]


def test_what_matters_can_be_left_out(small: Any, tell: Any) -> None:
    small.write(sensitivity={"sample": 32})
    asked = ("show", "A17", "--study", small.study)
    words = "The biggest source of uncertainty is the cut-offs: changed alone,"
    assert words in tell(*asked)[1]
    assert "source of uncertainty" not in tell(*asked, "--no-sensitivity")[1]
    code, said, _ = tell("run", small.study, "--json", "--no-sensitivity", "--out", "mine")
    assert code == 0
    found = strict(said)["designations"]["priority"]
    assert found["sensitivity"] is None
    assert found["certainty"]["draws"] == 200
    assert not (small.path / "mine" / "sensitivity.csv").exists()
    _, said, _ = tell("run", small.study, "--json", "--out", "mine")
    moved = strict(said)["designations"]["priority"]["sensitivity"]["most_often_moves"]
    # Four places qualify of 20; 70% to 130% of that lets in rank 5 or shuts out ranks 3 and 4.
    assert moved == {"cut": 3}
    assert (small.path / "mine" / "sensitivity.csv").exists()


def test_run_as_json(small: Any, tell: Any) -> None:
    code, said, complaint = tell("run", small.study, "--json", "--draws", "40", "--out", "mine")
    assert (code, complaint) == (0, "")
    data = strict(said)
    found = data["designations"]["priority"]
    assert found["selected"] == ["A17", "A18", "A20"]
    assert found["count"] == 3
    assert found["population"] == 5500
    assert found["just_inside"] == ["A17"]
    assert found["near_misses"] == found["without_score"] == []
    assert found["certainty"]["draws"] == 40
    assert found["certainty"]["share_of_draws"]["A20"] == 1
    assert data["folder"] == str(small.path / "mine")
    assert data["areas"] == 20


def test_answers_hold_where_nothing_is_known(small: Any, tell: Any) -> None:
    """No population, every area inside: once NaN and infinity, which strict JSON refuses."""
    small.write(areas__population="", designate__priority__all__0__worst=100)
    for args in (["run", small.study, "--json"], ["show", "A20", "--study", small.study, "--json"]):
        code, said, complaint = tell(*args)
        assert code == 0
        assert re.fullmatch(r"(Opened results/study \(written [^)]+\)\.\n)?", complaint)
        strict(said)
    for args in (["run", small.study], ["show", "A01", "--study", small.study]):
        said = tell(*args)[1]
        assert not re.search(r"\b(nan|inf|None)\b", said, re.IGNORECASE), said


@pytest.mark.parametrize("asked", ["A17", "a17", "Place 17", "place  17", "Place 17, Southside"])
def test_show(small: Any, tell: Any, asked: str) -> None:
    code, said, complaint = tell("show", asked, "--study", small.study)
    assert (code, complaint) == (0, "")
    assert said.splitlines()[:2] == ["Place 17", "Southside. Place A17; 1,700 people."]
    assert "Place 17 is on the list of “priority” places, just inside the cut-off." in said
    assert "The rule: " in said
    assert "It was on the list in " in said
    assert "4th of 20 places for deprivation (1st is the greatest need)" in said
    data = strict(tell("show", asked, "--study", small.study, "--json")[1])
    assert data["code"] == "A17"
    assert data["standings"][0]["rank"] == 4
    assert data["answers"][0]["margins"][0]["places"] == 1


def test_show_what_is_not_one_place(small: Any, tell: Any) -> None:
    code, _, complaint = tell("show", "place", "--study", small.study)
    assert code == 2
    assert "'place' fits 20 places: A01 Place 1, Northside; " in complaint
    assert "and 14 more. Give a code, or 'name, authority'." in complaint
    code, _, complaint = tell("show", "A99", "--study", small.study)
    assert code == 2
    assert "no area 'A99'" in complaint
    assert "such as A01" in complaint
    assert tell("show", "", "--study", small.study)[0] == 2


def test_show_by_postcode(small: Any, tell: Any) -> None:
    directory = small.path / "postcodes.csv"
    directory.write_text("pcds,own\nQL1 2AB,A03\n", "utf-8")
    for args, variables in (
        (["--postcodes", directory], {}),
        ([], {"COMMONWEAL_POSTCODES": str(directory)}),
    ):
        code, said, _ = tell("show", "ql12ab", "--study", small.study, *args, **variables)
        assert code == 0
        assert said.startswith("Place 3\nNorthside. Place A03; ")
    code, _, complaint = tell("show", "QL1 2AB", "--study", small.study, COMMONWEAL_POSTCODES="")
    assert code == 2
    assert "postcode QL1 2AB: unknown" in complaint


def test_a_directory_of_postcodes_that_is_not_there_is_told(small: Any, tell: Any) -> None:
    """Though no postcode is asked for: who names a file means it to be read."""
    for command in (["show", "A03", "--study"], ["brief"]):
        code, _, complaint = tell(*command, small.study, "--postcodes", "nofile.csv")
        assert code == 2
        assert "'--postcodes'" in complaint
        assert "nofile.csv" in complaint


def test_an_empty_folder_is_not_taken_for_the_current_one(small: Any, tell: Any) -> None:
    """As of a variable of the shell that is not set."""
    for out in (["--out", ""], ["--out="]):
        code, _, complaint = tell("run", small.study, *out)
        assert code == 2
        assert "--out: found nothing; expected a folder" in complaint


def test_compare(small: Any, tell: Any) -> None:
    before = small.study.rename(small.path / "before.yaml")
    after = small.write(designate__priority__all__0__worst="10%", title="Fewer places")
    code, said, complaint = tell("compare", before, after, "--out", "changes.csv")
    assert (code, complaint) == (0, "")
    assert (
        "From Twenty places (3 places) to Fewer places (1 place): 1 stay on the list, 2 leave it, 0 enter it."
        in said.splitlines()
    )
    assert re.search(r"^ +A17 +Place 17 +Southside$", said, re.MULTILINE)
    with (small.path / "changes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {r["code"]: r["change"] for r in rows} == {
        "A17": "leaves",
        "A18": "leaves",
        "A20": "stays",
    }
    data = strict(tell("compare", before, after, "--json")[1])
    counts = {name: figure["value"] for name, figure in data["figures"].items()}
    assert counts == {"stays": 1, "enters": 0, "leaves": 2}
    assert [a["code"] for a in data["tables"]["leaves"]] == ["A17", "A18"]
    assert [i["first"] for i in data["indices"]] == ["deprivation", "community_needs"]


def test_compare_indices(small: Any, tell: Any) -> None:
    """With the lists, or alone where there are none; what to compare is by name or stated."""
    small.replace(small.areas, "A01,Place 1,", "A01,=1+1,")
    first = small.study.rename(small.path / "first.yaml")
    second = small.write(designate=None, certainty=None)
    code, said, complaint = tell("compare", first, second, "--out", "tables")
    assert (code, complaint) == (0, "")
    assert "No lists are compared: study designates nothing; expected exactly one list." in said
    assert "Community needs compared with Community needs\n" in said
    assert all(len(line) <= 100 for line in said.splitlines() if line.startswith("    "))
    names = {"report.html", "report.pdf", "report.xlsx", "report.json", "tables"}
    names |= {f"areas-{i}.csv" for i in ("deprivation", "community_needs")}
    assert {f.name for f in (small.path / "tables").iterdir() if f.name[0] != "."} >= names
    kept = json.loads((small.path / "tables" / "report.json").read_text("utf-8"))["tables"]
    nodes = [row for name, rows in kept.items() if name.startswith("nodes-") for row in rows]
    assert {row["spearman"] for row in nodes} == {1.0}
    with (small.path / "tables" / "areas-deprivation.csv").open(encoding="utf-8") as file:
        names = {row["name"] for row in csv.DictReader(file)}
    assert "'=1+1" in names  # a spreadsheet shows it, and does not run it
    match = ("--match", "deprivation=community_needs")
    data = strict(tell("compare", first, second, *match, "--json")[1])
    assert [(i["first"], i["second"]) for i in data["indices"]] == [
        ("deprivation", "community_needs")
    ]
    node = data["tables"]["nodes-deprivation"][0]
    assert node["spearman"] == pytest.approx(1 - 6 * 162 / (20 * 399))
    for wrong, told in (
        (("--match", "deprivation"), "expected NAME=NAME, such as places=civic_assets"),
        (("--match", "deprivation=halls", *match), "'deprivation' is there twice"),
        (("--match", "deprivation=hals"), "'hals' not found in study study"),
        (("--out", "lists.csv"), "no lists are compared; expected the name of a folder"),
        (("--out", first / "x"), "cannot be written"),
    ):
        code, said, complaint = tell("compare", first, second, *wrong)
        assert (code, said) == (2, "")
        assert told in complaint


def test_units_need_areas_that_ship(small: Any, tell: Any) -> None:
    code, said, complaint = tell("units", small.study)
    assert (code, said) == (2, "")
    assert "study: its areas are a table of its own" in complaint


def test_compare_places_of_two_kinds(small: Any, tell: Any) -> None:
    code, _, complaint = tell("compare", "demo", small.study)
    assert code == 2
    assert "quillshire" in complaint
    assert "to the places of areas.csv" in complaint


def test_compare_names_a_few_or_all(small: Any, tell: Any) -> None:
    before = small.write(
        designate={"p": {"index": "deprivation", "worst": 1}}, certainty=None
    ).rename(small.path / "before.yaml")
    after = small.write(designate={"p": {"index": "deprivation", "worst": 15}}, certainty=None)
    few, all_ = (tell("compare", before, after, *more)[1] for more in ([], ["--all"]))
    assert "    and 4 more (--out FOLDER writes them, --json prints them)" in few
    assert few.count("\n    A") == 1 + 10
    assert all_.count("\n    A") == 1 + 14


def test_studies_check_and_new(small: Any, tell: Any) -> None:
    code, said, _ = tell("studies")
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == shipped_studies()
    for name in shipped_studies():
        code, said, complaint = tell("check", name)
        assert (code, complaint) == (0, "")
        assert said.startswith(f"{name} is a valid study: ")
    first, second, third = tell("check", small.study)[1].splitlines()
    assert third == "2 columns have a value for every area."
    assert first.endswith("2 indicators, 2 indices, 1 designation.")
    assert second == "Its 2 files have the columns and codes that it names."
    small.write(
        indicators__spare={"file": "indicators.csv", "column": "halls", "higher_is": "less"}
    )
    assert tell("check", small.study)[1].splitlines()[-1] == "In no index, so not used: spare."
    code, _, complaint = tell("new", small.study)
    assert code == 2
    assert "is already there" in complaint
    assert "Twenty places" in small.study.read_text("utf-8")
    assert "ends in .yaml" in tell("new", "study.txt")[2]
    assert "cannot be written" in tell("new", "no/such/folder.yaml")[2]


def test_sources_list_and_show(tell: Any) -> None:
    catalogue = load_catalogue()
    code, said, complaint = tell("sources", "list")
    assert (code, complaint) == (0, "")
    assert [line.split()[0] for line in said.splitlines()] == sorted(catalogue)
    starts = {line.index(catalogue[line.split()[0]].title) for line in said.splitlines()}
    assert len(starts) == 1  # the columns line up
    assert len(strict(tell("sources", "list", "--json")[1])) == len(catalogue)
    code, said, _ = tell("sources", "show", "imd2019-lsoa11")
    assert code == 0
    assert "Open Government Licence v3.0" in said
    assert catalogue["imd2019-lsoa11"].sha256 in said  # type: ignore[operator]
    shown = strict(tell("sources", "show", "imd2019-lsoa11", "--json")[1])
    assert shown["url"] == catalogue["imd2019-lsoa11"].url
    code, _, complaint = tell("sources", "show", "imd2019-lsoa1")
    assert code == 2
    assert "did you mean 'imd2019-lsoa11'" in complaint


def test_sources_fetch_and_verify(tell: Any, cache: Path, tmp_path: Path) -> None:
    from commonweal.sources.fetch import place_of

    code, said, _ = tell("sources", "fetch", "county-areas")
    assert code == 0
    assert str(cache) in said
    assert "good" in tell("sources", "verify", "county-areas")[1]
    source = load_catalogue()["cni2019-wd17"]
    damaged = tmp_path / "mirror" / place_of(source.url or "")
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"not this")
    code, said, _ = tell("sources", "verify", source.id, COMMONWEAL_MIRROR=str(tmp_path / "mirror"))
    assert code == 2
    assert "wrong bytes" in said
    assert source.sha256 in said  # type: ignore[operator]
    code, _, complaint = tell(
        "sources", "fetch", source.id, COMMONWEAL_MIRROR=str(tmp_path / "mirror")
    )
    assert code == 2
    assert "not the pinned file" in complaint


# ---- nothing to be had --------------------------------------------------------------------------


def test_no_network_and_no_mirror(tell: Any, tmp_path: Path) -> None:
    empty = str(tmp_path / "empty-cache")
    code, said, complaint = tell(
        "run", "left-behind-2019", COMMONWEAL_MIRROR="", COMMONWEAL_CACHE=empty
    )
    assert (code, said) == (2, "")
    assert "https://" in complaint
    assert "COMMONWEAL_MIRROR" in complaint
    assert "`commonweal demo`" in complaint
    assert len(complaint.splitlines()) in (2, 3)
    assert not (tmp_path / "results").exists()
    code, _, complaint = tell(
        "run", "left-behind-2019", COMMONWEAL_MIRROR=str(tmp_path / "nowhere")
    )
    assert code == 2
    assert "COMMONWEAL_MIRROR" in complaint
    assert "nowhere is not a folder" in complaint


def test_or_demo_says_so(tell: Any, tmp_path: Path) -> None:
    code, said, complaint = tell("run", "left-behind-2019", "--or-demo", "--draws", "20")
    assert code == 0
    assert complaint.startswith("The data of left-behind-2019 are not available here:\n")
    assert "Running the demo instead: a FICTIONAL county" in complaint
    assert "fictional" in said.splitlines()[0]
    assert "Report: " in said
    assert [p.name for p in (tmp_path / "results").iterdir()] == ["demo"]
    code, said, complaint = tell("run", "demo", "--or-demo", "--draws", "0")
    assert (code, complaint) == (0, "")


def test_or_demo_does_not_hide_a_mistake(small: Any, tell: Any) -> None:
    small.write(indicators__income__column="incme")
    code, said, complaint = tell("run", small.study, "--or-demo")
    assert (code, said) == (2, "")
    assert "incme" in complaint


# ---- the results folder -------------------------------------------------------------------------


def test_a_folder_that_holds_something_else_is_refused_before_the_run(
    small: Any, tell: Any
) -> None:
    foreign = small.path / "thesis"
    foreign.mkdir()
    (foreign / "chapter-1.doc").write_text("years of work", "utf-8")
    small.indicators.unlink()  # the run itself would fail: the folder is looked at first
    code, said, complaint = tell("run", small.study, "--out", foreign)
    assert (code, said) == (2, "")
    assert "chapter-1.doc" in complaint
    assert (foreign / "chapter-1.doc").read_text("utf-8") == "years of work"
    file = small.path / "file"
    file.write_text("text", "utf-8")
    code, _, complaint = tell("run", small.study, "--out", file)
    assert code == 2
    assert "is a file; expected a folder" in complaint
    assert file.read_text("utf-8") == "text"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(small: Any, tell: Any) -> None:
    locked = small.path / "locked"
    locked.mkdir(mode=0o500)
    code, _, complaint = tell("run", small.study, "--out", locked / "results")
    assert code == 2
    assert "cannot be written: no permission" in complaint


def test_a_folder_that_cannot_be(small: Any, tell: Any) -> None:
    (small.path / "file").write_text("text", "utf-8")
    code, _, complaint = tell("run", small.study, "--out", small.path / "file" / "results")
    assert code == 2
    assert "cannot be written" in complaint
    assert len(complaint.splitlines()) == 1


def test_a_second_run_replaces_the_first(small: Any, tell: Any) -> None:
    assert tell("run", small.study)[0] == 0
    first = (small.path / "results" / "study" / "study.yaml").read_text("utf-8")
    small.write(title="Another title")
    assert tell("run", small.study)[0] == 0
    second = (small.path / "results" / "study" / "study.yaml").read_text("utf-8")
    assert first != second
    assert "Another title" in second


def test_the_study_of_a_results_folder_runs_elsewhere_with_its_tables(
    small: Any, tell: Any, tmp_path: Path
) -> None:
    """As docs/how-to/own-data.md says: both folders keep their places, or the names under `file` change."""
    assert tell("run", small.study)[0] == 0
    folder = small.path / "results" / "study"
    first = {name: (folder / name).read_bytes() for name in ("scores.parquet", "certainty.parquet")}
    assert tell("run", folder / "study.yaml", "--out", tmp_path / "again")[0] == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(folder / "study.yaml", elsewhere)
    for table in (small.areas, small.indicators):
        shutil.copy(table, elsewhere)
    code, _, complaint = tell("run", elsewhere / "study.yaml", "--out", tmp_path / "moved")
    assert code == 2
    assert "areas.csv" in complaint
    text = (elsewhere / "study.yaml").read_text("utf-8")
    assert text.count("file: ../../areas.csv") == 1
    (elsewhere / "study.yaml").write_text(text.replace("file: ../../", "file: "), "utf-8")
    assert tell("run", elsewhere / "study.yaml", "--out", tmp_path / "moved")[0] == 0
    for made in ("again", "moved"):
        assert {name: (tmp_path / made / name).read_bytes() for name in first} == first


THREADED = """
import sys
import numba, polars
threads = int(sys.argv.pop(1))
assert (polars.thread_pool_size(), numba.get_num_threads()) == (threads, threads)
from commonweal.cli.app import main
main()
"""


def test_the_demo_writes_the_same_on_one_thread_and_on_four(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """The other tests see one thread alone."""
    written = []
    for threads in "14":
        counts = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
        ways = dict.fromkeys((*counts, "OPENBLAS_NUM_THREADS"), threads)
        out = tmp_path / threads
        command = ("run", "demo", "--draws", "100", "--out", str(out))
        done = subprocess.run(
            [sys.executable, "-c", THREADED, threads, *command],
            env={**environment, **ways}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        files = contents(out)
        took = rb'"seconds": [0-9.e-]+'
        files["provenance.json"] = re.sub(took, b"", files["provenance.json"])
        written.append((done.stdout.replace(str(out), "OUT"), files))
    (said, one), (said_too, four) = written
    assert said == said_too
    assert sorted(one) == sorted(four)
    assert [name for name in one if one[name] != four[name]] == []
    assert len(one) > 10


def complete(folder: Path) -> None:
    """A whole results folder, and nothing left beside it."""
    told = json.loads((folder / "provenance.json").read_text("utf-8"))
    assert set(told["files"]) | {"provenance.json"} == {p.name for p in folder.iterdir()}
    assert (folder / "report.html").read_text("utf-8").rstrip().endswith("</html>")
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_two_runs_at_once(tmp_path: Path, environment: dict[str, str]) -> None:
    """Each gives a whole folder; the last one stays."""
    command = [sys.executable, "-m", "commonweal", "demo", "--draws", "10", "--no-sensitivity"]
    command += ["--out", "both/results"]
    with ExitStack() as both:
        runs = [
            both.enter_context(started(command, cwd=tmp_path, env=environment)) for _ in range(2)
        ]
        for one in runs:
            said, complaint = one.communicate()
            assert (one.returncode, complaint) == (0, "")
            assert "Report: " in said
    complete(tmp_path / "both" / "results")


def test_two_runs_at_once_on_an_empty_cache(tmp_path: Path, environment: dict[str, str]) -> None:
    """The county is generated by both, and neither reads what the other has half written."""
    command = [
        sys.executable,
        "-m",
        "commonweal",
        "show",
        "F01000072",
        "--study",
        "demo",
        "--draws",
        "0",
    ]
    env = {**environment, "COMMONWEAL_CACHE": str(tmp_path / "new")}
    with ExitStack() as both:
        runs = [both.enter_context(started(command, cwd=tmp_path, env=env)) for _ in range(2)]
        answers = [one.communicate() for one in runs]
    assert [one.returncode for one in runs] == [0, 0], answers
    assert len(set(answers)) == 1


HELD_UP = """\
import signal, time
import {module} as module
real, heard = module.{name}, []
def hear(number, frame):
    heard.append(number)
    signal.default_int_handler(number, frame)
def held_up(*args, **kwargs):
    print("READY", flush=True)
    while not heard:
        time.sleep(0.05)
    return real(*args, **kwargs)
module.{name} = held_up
signal.signal(signal.SIGINT, hear)
from commonweal.cli.app import main
main()
"""


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("commonweal.study.run", "certainty"),
        ("commonweal.document.html", "document_html"),
        ("commonweal.report.study.document", "study_workbook"),
        ("commonweal.report.study.geopackage", "write_geopackage"),
    ],
)
def test_a_run_that_is_stopped_leaves_the_last_good_folder(
    small: Any, environment: dict[str, str], tell: Any, module: str, name: str, sent: int, code: int
) -> None:
    folder = small.path / "out" / "results"
    assert tell("run", small.study, "--out", folder)[0] == 0
    before = contents(folder)
    script = HELD_UP.format(module=module, name=name)
    draws = () if name == "certainty" else ("--draws", "0")
    args = ("run", str(small.study), "--out", "out/results", *draws)
    command = [sys.executable, "-c", script, *args]
    with started(command, cwd=small.path, env=environment) as stopped:
        assert stopped.stdout is not None
        assert stopped.stdout.readline() == "READY\n"
        stopped.send_signal(sent)
        said, complaint = stopped.communicate()
    assert stopped.returncode == code
    assert said == ""
    assert complaint == "commonweal: stopped; nothing was half-written\n"
    assert contents(folder) == before
    complete(folder)


DRAWING = """\
import commonweal.study.run as module
real = module.certainty
def drawing(designation, spec, scores, indicators, progress, client):
    def told(what, done, total):
        if done:
            print("READY", flush=True)
    return real(designation, spec, scores, indicators, told)
module.certainty = drawing
from commonweal.cli.app import main
main()
"""


def test_ctrl_c_in_the_middle_of_the_draws(tmp_path: Path, environment: dict[str, str]) -> None:
    """Compiled code gives way too: all the draws would take a quarter of an hour."""
    command = [sys.executable, "-c", DRAWING, "demo", "--draws", "10000000"]
    with started(command, cwd=tmp_path, env=environment) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "READY\n"
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate()
    assert (running.returncode, complaint) == (
        130,
        "commonweal: stopped; nothing was half-written\n",
    )
    assert list(tmp_path.iterdir()) == []


# ---- pipes, terminals, traces -------------------------------------------------------------------


@pytest.mark.parametrize("args", [["sources", "list"], ["sources", "list", "--json"], ["studies"]])
def test_a_reader_that_leaves_is_no_fault(
    tmp_path: Path, environment: dict[str, str], args: list[str]
) -> None:
    read, write = os.pipe()
    os.close(read)  # so that the very first write fails, whatever the pipe could hold
    done = subprocess.run(
        [sys.executable, "-m", "commonweal", *args],
        env=environment, stdout=write, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def on_a_terminal(
    environment: dict[str, str], cwd: Path, how: list[str], *args: str
) -> tuple[int, str, str]:
    """Run with standard error on a terminal: exit code, standard output, what the terminal got."""
    master, slave = pty.openpty()
    seen = b""
    command, terminal = [sys.executable, *how, *args], {"TERM": "xterm", "COLUMNS": "100"}
    with started(command, cwd=cwd, env={**environment, **terminal}, stderr=slave) as running:
        os.close(slave)
        while True:
            ready, _, _ = select.select([master], [], [], 0.1)
            if ready:
                try:
                    seen += os.read(master, 65536)
                except OSError:
                    break
            elif running.poll() is not None:
                break
        os.close(master)
        said, _ = running.communicate()
    return running.returncode, said, seen.decode("utf-8")


SLOW = """\
import time
import commonweal.study.run as module
real = module.certainty
def slow(*args, **kwargs):
    print("READY", flush=True)
    time.sleep(1.2)
    return real(*args, **kwargs)
module.certainty = slow
from commonweal.cli.app import main
main()
"""


def test_progress_shows_on_a_terminal_and_goes_away(
    small: Any, environment: dict[str, str], cli: Any
) -> None:
    command = ["run", str(small.study), "--draws", "50000"]
    code, said, seen = on_a_terminal(environment, small.path, ["-c", SLOW], *command)
    assert code == 0, seen
    assert "drawing" in seen
    assert re.search(r"\d+%", seen)
    assert "drawing" not in said  # what a script reads stays clean
    assert "\x1b[2K" in seen  # and the line is cleared at the end
    piped = cli(*command)
    assert (piped.returncode, piped.stderr) == (0, "")
    assert said == "READY\n" + piped.stdout


def test_quick_work_shows_no_progress(small: Any, environment: dict[str, str]) -> None:
    code, said, seen = on_a_terminal(
        environment, small.path, ["-m", "commonweal"], "check", str(small.study)
    )
    assert (code, seen) == (0, "")
    assert "valid study" in said


@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_anywhere_shows_the_trace(tell: Any, place: int) -> None:
    args = ["run", "nope"]
    args.insert(place, "--debug")
    code, said, complaint = tell(*args)
    assert (code, said) == (2, "")
    assert "Traceback" in complaint
    assert "UnknownNameError" in complaint
    assert tell("run", "--debug", "--debug", "nope")[0] == 2


def test_a_fault_of_the_program_is_told_apart(
    tell: Any, small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import commonweal.study.run

    def broken(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(commonweal.study.run, "designate", broken)
    code, said, complaint = tell("run", small.study)
    assert (code, said) == (1, "")
    assert complaint.splitlines() == [
        "commonweal: a fault of the program: ZeroDivisionError: oh",
        "Run it again with --debug to see where, and please report it.",
    ]
    code, _, complaint = tell("run", small.study, "--debug")
    assert code == 1
    assert "Traceback" in complaint


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_an_old_console_gets_every_line(
    small: Any, environment: dict[str, str], encoding: str
) -> None:
    """A letter that it lacks is no reason to stop; JSON stays JSON."""
    small.replace(small.areas, "Place 17", "Pläce š 17 中")
    for more in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "commonweal", "show", "A17", "--study", small.study, *more],
            env={**environment, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        said = done.stdout.decode(encoding)
        if more:
            assert strict(said)["name"] == "Pläce š 17 中"
        elif encoding == "utf-8":
            assert said.startswith("Pläce š 17 中\n")
        else:
            assert said.splitlines()[0].endswith("\\u4e2d")


def test_python_m_is_the_command(cli: Any) -> None:
    done = cli("--version")
    assert (done.returncode, done.stdout) == (0, f"commonweal {__version__}\n")


def test_as_a_module_it_is_called_as_the_command_is(environment: dict[str, str]) -> None:
    """Help and wrong usage name the command, however Python was started."""
    for args in (["show", "--help"], ["show"]):
        ended = subprocess.run(
            [sys.executable, "-m", "commonweal", *args],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert "Usage: commonweal show [OPTIONS]" in ended.stdout + ended.stderr
