"""What `import commonweal as cw` offers: names, a changed study, and results that show themselves."""

from __future__ import annotations

import asyncio
import builtins
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import commonweal as cw
from commonweal.index import assumptions
from commonweal.study import run as study_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def in_a_cache_of_the_tests(cache: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONWEAL_CACHE", str(cache))
        yield


@pytest.fixture(scope="module")
def results() -> cw.Results:
    return cw.run("demo", draws=50, sensitivity=False)


def test_importing_it_loads_nothing_and_names_show() -> None:
    script = (
        "import sys, commonweal as cw; names = dir(cw)\n"
        "print(len(names), [m for m in sys.modules if m.split('.')[0] in "
        "('numpy', 'polars', 'pydantic', 'scipy', 'numba', 'yaml') or m.startswith('commonweal.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    n, loaded = done.stdout.strip().split(" ", 1)
    assert 20 <= int(n) <= 30
    assert loaded == "[]"


def test_every_name_is_there_and_has_a_docstring_with_an_example() -> None:
    assert set(dir(cw)) == set(cw.__all__)
    for name in set(dir(cw)) - {"__version__"}:
        thing = getattr(cw, name)
        assert ">>> " in (thing.__doc__ or ""), name
    with pytest.raises(AttributeError, match="has no attribute 'runs'"):
        _ = cw.runs  # type: ignore[attr-defined]


def test_a_name_means_the_same_whatever_was_imported_before() -> None:
    import commonweal.compare.units
    import commonweal.spec.study

    assert callable(cw.compare)
    assert callable(cw.studies)
    assert commonweal.compare.units is sys.modules["commonweal.compare.units"]


def test_studies_as_a_table() -> None:
    table = cw.studies()
    assert table.columns == ["name", "title", "areas", "indices", "designations"]
    row = table.filter(pl.col("name") == "left-behind-2025").row(0, named=True)
    assert row["areas"] == "lsoa21"
    assert row["designations"] == ["left_behind"]


def test_results_print_in_at_most_ten_lines(results: cw.Results) -> None:
    lines = repr(results).splitlines()
    assert len(lines) <= 10
    assert lines[0].startswith("Results of demo: ")
    assert "17 on the list" in lines[-1]
    assert "50 draws" in lines[-1]
    assert len(repr(study_run.run("demo", draws=0, geometry=False))) < 1000


@pytest.mark.parametrize("what", ["areas", "designation", "certainty", "scores", "indicators"])
def test_parts_of_results_print_short_and_show_in_a_notebook(
    results: cw.Results, what: str
) -> None:
    part = getattr(results, what)
    part = part if what in ("areas", "designation") else next(iter(part.values()))
    assert len(repr(part).splitlines()) <= 40
    assert len(repr(part)) < 5000
    assert "<table" in part._repr_html_()
    assert isinstance(part.to_frame(), pl.DataFrame)


def test_results_in_a_notebook_name_the_worst_areas(results: cw.Results) -> None:
    html = results._repr_html_()
    assert "<table" in html
    worst = int(np.nanargmin(results.scores["community_needs"].rank))
    assert results.areas.codes[worst] in html


def test_one_frame_of_everything(results: cw.Results) -> None:
    frame = results.to_polars()
    assert frame["code"].to_list() == results.areas.codes
    assert frame["selected"].sum() == 17
    np.testing.assert_array_equal(
        frame["share_of_draws"], results.certainty["left_behind"].selected
    )
    np.testing.assert_array_equal(frame["deprivation.rank"], results.scores["deprivation"].rank)


def test_frames_of_two_designations_say_whose_they_are() -> None:
    study = cw.Study("demo")
    rule = study.designate["left_behind"]
    both = cw.Study(
        **{name: getattr(study, name) for name in study.model_fields_set - {"since"}}
        | {"designate": {"one": rule, "two": rule}, "agreement": ()}
    )
    frame = cw.run(both, draws=0, geometry=False).to_polars()
    assert frame["one.selected"].equals(frame["two.selected"], null_equal=True)
    assert "selected" not in frame.columns


def test_pandas_and_geopandas(results: cw.Results) -> None:
    frame = results.to_pandas()
    assert list(frame["code"]) == results.areas.codes
    assert frame["population"].sum() == results.areas.population.sum()
    shapes = results.to_geopandas()
    assert shapes.crs.to_epsg() == 4326
    west, south, east, north = shapes.total_bounds
    assert west < results.areas.table["longitude"].mean() < east
    assert south < results.areas.table["latitude"].mean() < north


def test_without_geopandas_the_error_says_what_to_type(
    results: cw.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "geopandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(cw.CommonwealError, match="pip install geopandas"):
        results.to_geopandas()


def test_without_outlines_there_is_no_map() -> None:
    with pytest.raises(cw.CommonwealError, match="geometry=True"):
        cw.run("demo", draws=0, geometry=False).to_geopandas()


def test_one_area(results: cw.Results) -> None:
    row = int(results.designation.selected.argmax())
    area = results.area(results.areas.codes[row])
    assert area.code == results.areas.codes[row]
    assert repr(area).splitlines()[0].startswith(area.name)
    assert area.ranks["rank"].to_list() == [s.rank[row] for s in results.scores.values()]
    assert area.margins["passes"].all()
    shares = area.drivers.filter(pl.col("domain").str.starts_with("deprivation."))["share"]
    assert shares.sum() == pytest.approx(1)
    assert shares.is_sorted(descending=True)
    needed = {
        path.replace("/", "."): x[row]
        for path, x in results.designation.changes.items()
        if not np.isnan(x[row])
    }
    assert dict(area.changes.select("domain", "rank_needed").iter_rows()) == needed
    html = area._repr_html_()
    assert area.name in html
    told = area.document()
    shown = [table for s in told.sections for table in s.tables if len(table.shown)]
    assert html.count("<table") == len(shown) > 3
    assert all(f">{s.title}</h2>" in html for s in told.sections)
    with pytest.raises(cw.CommonwealError, match="'Nowhere' not found"):
        results.area("Nowhere")


def test_scored_again_is_as_run_again(results: cw.Results) -> None:
    again = results.rescore(
        weights={"community_needs.places.library": 3, "community_needs": {"places": 2}},
        cut={"left_behind": {"deprivation": "15%"}},
    )
    study = (
        cw.Study("demo")
        .with_weights("community_needs.places", library=3)
        .with_weights("community_needs", places=2)
        .with_cut("left_behind", "15%", index="deprivation")
    )
    run = cw.run(study, draws=0, geometry=False)
    for index, scores in run.scores.items():
        for path, need in scores.need.items():
            np.testing.assert_array_equal(again.scores[index].need[path], need)
    assert again.designation.to_frame().equals(run.designation.to_frame())
    assert again.study.index == study.index
    assert again.certainty == {}
    assert isinstance(again, cw.Results)
    assert results.designation.selected.sum() == 17


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": {"community_needs.place": 2}}, "did you mean 'places'?"),
        ({"weights": {"comunity_needs.places": 2}}, "did you mean 'community_needs'"),
        ({"weights": {"community_needs": 2}}, "an index has no weight"),
        ({"weights": {"community_needs.places": -1}}, "expected greater than 0"),
        ({"cut": {"left_behnd": "10%"}}, "did you mean 'left_behind'?"),
        ({"cut": {"left_behind": {"deprivaton": 3}}}, "did you mean 'deprivation'?"),
        ({"cut": {"left_behind": 0.15}}, "or a share: 15%"),
    ],
)
def test_a_slip_in_rescoring_names_what_is_valid(
    results: cw.Results, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(cw.CommonwealError) as caught:
        results.rescore(**change)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_folder_and_brief(results: cw.Results, tmp_path: Path) -> None:
    assert (results.save(tmp_path / "out") / "report.html").is_file()
    assert not hasattr(results, "report")  # one way to write the folder
    district = results.areas.table["district_name"][0]
    pack = results.brief(district, tmp_path / "pack")
    assert district in (pack / "index.html").read_text("utf-8")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, str]]:
    """What is served, and in which thread."""
    from commonweal.web import serve

    shown: list[tuple[Any, str]] = []

    def serve_nothing(explorer: Any, held: Any, ready: Callable[[], None]) -> None:
        ready()
        shown.append((explorer.results, threading.current_thread().name))

    monkeypatch.setattr(serve, "serve", serve_nothing)
    return shown


def test_explore_serves_these_results(
    results: cw.Results, served: list[tuple[Any, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    results.explore(browser=False)
    assert served == [(results, threading.current_thread().name)]
    assert "http://127.0.0.1:" in capsys.readouterr().out


def test_explore_in_a_notebook_lets_its_cell_end(
    results: cw.Results, served: list[tuple[Any, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    async def cell() -> None:
        results.explore(browser=False)

    asyncio.run(cell())
    for thread in threading.enumerate():
        if thread.name == "explorer":
            thread.join()
    assert served == [(results, "explorer")]
    assert "until the notebook ends" in capsys.readouterr().out


def test_a_path_is_spelled_as_in_a_study(results: cw.Results) -> None:
    scores = results.scores["community_needs"]
    path = "community_needs.places.library"
    np.testing.assert_array_equal(
        scores.rank_of(path), results.to_polars()[f"{path}.rank"].to_numpy()
    )
    assert scores.part("community_needs.places").domains[0].endswith("places/meeting_places")
    assert results.label("community_needs.places") == "Places and spaces to meet"
    with pytest.raises(cw.CommonwealError, match=r"did you mean 'community_needs\.places'"):
        scores.rank_of("community_needs.place")


def test_own_assumptions_on_finished_results(results: cw.Results) -> None:
    of = cw.designation
    spec = of.CertaintySpec(
        draws=64, vary=[assumptions.Weights(weights="deprivation", interval=0.5)]
    )
    found = of.certainty(results.designation, spec, results.scores, results.indicators)
    assert found.n_draws == 64
    with pytest.raises(cw.CommonwealError, match="CertaintySpec: vry: no such setting") as caught:
        of.CertaintySpec(draws=64, vry=[])  # type: ignore[call-arg]
    assert len(str(caught.value).splitlines()) == 1


def test_sites_of_new_places(results: cw.Results) -> None:
    ask = cw.invest.SitingOptions("Vesselhoe", "library", sites=1, candidates="grid:1000")
    found = cw.invest.site(results, ask, effect=False)
    assert len(found.sites) == 1
    asked = cw.invest.SitingOptions("Vesselhoe", "library", sites=1, need="deprivaton")
    with pytest.raises(cw.CommonwealError, match=r"did you mean 'deprivation'\?"):
        cw.invest.site(results, asked)


SLIPS = {
    "weights: found [1]; expected a dict such as": lambda r: r.rescore(weights=[1]),
    "cut: found 3; expected a dict such as": lambda r: r.rescore(cut=3),
    "draws: '3' found; expected a whole number": lambda r: r.rescore(draws="3"),
    "draws: '30' found; expected a whole number": lambda _: cw.run("demo", draws="30"),
    "index 'need' not found in results.scores; expected one of: community_needs, deprivation": (
        lambda r: r.scores["need"]
    ),
    "index 'need' not found in results.indicators": lambda r: r.indicators["need"],
    "designation 'left' not found in results.certainty": lambda r: r.certainty["left"],
    "index 'need' not found": lambda r: r.label("need"),
    "asked: 3 found; expected text": lambda r: r.area(3),
    "found 3; expected a study: its name, or the path": lambda _: cw.run(3),
    "path: 3 found; expected text": lambda r: r.study.with_weights(3),
    "compare: found 3; expected results": lambda r: cw.compare(3, r),
    "study 'path' not found": lambda r: cw.compare("path", r),
    "compare: found one alone, 'demo'; expected two: compare(FIRST, SECOND)": lambda _: cw.compare(
        "demo"
    ),
    "store: 'x' found; expected a store, such as cw.Store(": lambda _: cw.run("demo", store="x"),
    "store: 3 found; expected a store, such as cw.Store(": lambda r: cw.compare(r, r, store=3),
    "open: found 3; expected the path of a results folder, such as": lambda _: cw.open(3),
    "node 'community_need' not found in scores.need; did you mean 'community_needs'": (
        lambda r: r.scores["community_needs"].need["community_need"]
    ),
    "node 'x' not found in scores.need; expected one of: deprivation, deprivation/crime": (
        lambda r: r.rescore().scores["deprivation"].need["x"]
    ),
}


@pytest.mark.parametrize("said", SLIPS)
def test_a_slip_in_python_is_told_plainly(results: cw.Results, said: str) -> None:
    with pytest.raises(cw.CommonwealError) as found:
        SLIPS[said](results)
    assert said in str(found.value)


def test_a_wrong_name_is_told_of_opened_and_rescored_results(
    results: cw.Results, tmp_path: Path
) -> None:
    for some in (cw.open(results.save(tmp_path / "demo")), results.rescore()):
        with pytest.raises(cw.CommonwealError, match=r"'need' not found in results\.scores"):
            some.scores["need"]
        assert some.scores.get("need") is None


def test_compare_takes_what_stands_for_results(
    results: cw.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = results.save(tmp_path / "demo")
    for given in ("demo", cw.Study("demo"), folder, str(folder)):
        found = cw.compare(given, results)
        assert found.lists is not None
        assert int(found.lists.stay.sum()) == 17


def test_studies_and_comparisons_print_short(results: cw.Results) -> None:
    study = results.study
    assert str(study) == repr(study)
    assert study.title in repr(study)
    assert "designation left_behind: worst 10% on" in repr(study)
    found = cw.compare(results, results.rescore(cut={"left_behind": "15%"}))
    assert "12 neighbourhoods enter the list, 0 leave and 17 stay" in repr(found)
    for what in (study, found, found.indices[0]):
        assert len(repr(what).splitlines()) <= 10
        assert len(repr(what)) < 1000


def test_compare_two_results(results: cw.Results) -> None:
    wider = results.rescore(cut={"left_behind": "15%"})
    found = cw.compare(results, wider)
    assert found.lists is not None
    assert found.lists.leave.sum() == 0
    assert found.lists.enter.sum() == wider.designation.selected.sum() - 17
