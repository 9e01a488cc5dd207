"""A study built and changed in Python: the same fields and the same faults as in YAML; frames for files."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import pandas as pd
import polars as pl
import pytest
import yaml

from commonweal.errors import CommonwealError, StudyError, UnknownNameError
from commonweal.spec import Study
from commonweal.spec.data import OwnAreas
from commonweal.spec.study import load_study
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module", autouse=True)
def in_a_cache_of_the_tests(cache: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONWEAL_CACHE", str(cache))
        yield


@pytest.fixture(scope="module")
def demo() -> Study:
    return Study("demo")


def test_one_that_ships_and_one_from_a_file(tmp_path: Path) -> None:
    assert Study("demo") == load_study("demo")
    file = tmp_path / "mine.yaml"
    file.write_text("extends: demo\ntitle: Mine\n", "utf-8")
    assert Study.read(file) == load_study(file)
    assert Study.read(file).title == "Mine"
    with pytest.raises(UnknownNameError, match="did you mean 'demo'"):
        Study("dmo")
    with pytest.raises(StudyError, match="either the name of a study or its fields"):
        Study("demo", title="Mine")


def test_built_from_the_fields_of_its_yaml(demo: Study) -> None:
    text = (Path(__file__).parents[2] / "src/commonweal/studies/demo.yaml").read_text("utf-8")
    built = Study(name="demo", **yaml.safe_load(text))
    assert built == demo
    assert pickle.loads(pickle.dumps(built)) == demo
    assert copy.deepcopy(built) == demo


PLACES = "did you mean 'community_needs.places' or 'community_needs'?"
HALLS: dict[str, Any] = {"file": "halls.csv", "label": "Halls", "higher_is": "less"}
WEIGHT = "demo: index.community_needs.children.places.weight"


def slip(change: Callable[[Study], Any], *said: str) -> Any:
    return pytest.param(change, " ".join(said), id=said[0][:40])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        slip(
            lambda s: Study(title="T", areas="lsoa21", indicaters={}),
            "study: indicaters: unknown key; did you mean 'indicators'?",
        ),
        slip(
            lambda s: s.with_weights("community_needs", place=2),
            "child 'place' not found in community_needs; did you mean 'places'?",
        ),
        slip(
            lambda s: s.with_weights("comunity_needs.places", library=2),
            "index or domain 'comunity_needs.places' not found;",
            PLACES,
        ),
        slip(
            lambda s: s.with_weights("community_needs", places=0),
            f"{WEIGHT}: found 0; expected greater than 0",
        ),
        slip(
            lambda s: s.with_weights("community_needs", places="two"),
            f"{WEIGHT}: found 'two'; expected a number",
        ),
        slip(
            lambda s: s.with_cut("left_behnd", "10%"),
            "designation 'left_behnd' not found; did you mean 'left_behind'?",
        ),
        slip(
            lambda s: s.with_cut("left_behind", "ten%", index="deprivation"),
            "demo: designate.left_behind.all.1.worst: found 'ten%';",
            "expected a share such as 10% or a number",
        ),
        slip(
            lambda s: s.with_cut("left_behind", "10%", index="deprivaton"),
            "condition on 'deprivaton' not found in designation 'left_behind';",
            "did you mean 'deprivation'?",
        ),
        slip(
            lambda s: s.with_cut("left_behind", score_above=3),
            "designation 'left_behind' has no condition with 'score_above'",
        ),
        slip(
            lambda s: s.with_cut("left_behind"),
            "with_cut: expected exactly one of 'worst' and 'score_above'",
        ),
        slip(
            lambda s: s.with_indicator("halls", "community_needs.places", **HALLS, colum="n"),
            "demo: indicators.halls.colum: unknown key; did you mean 'column' or 'columns'?",
        ),
        slip(
            lambda s: s.with_indicator("halls", "community_needs.place", **HALLS, column="n"),
            "index or domain 'community_needs.place' not found;",
            PLACES,
        ),
    ],
)
def test_a_slip_is_told_as_in_yaml(demo: Study, change: Callable[[Study], Any], said: str) -> None:
    with pytest.raises(CommonwealError) as caught:
        change(demo)
    assert str(caught.value) == said


def test_a_changed_study_differs_in_that_alone(demo: Study) -> None:
    heavier = demo.with_weights("community_needs.places", library=3)
    tree = heavier.index["community_needs"].children
    assert tree["places"].weights == {"meeting_places": 1.0, "library": 3.0}
    assert tree["engagement"] == demo.index["community_needs"].children["engagement"]
    assert heavier.with_weights("community_needs.places", library=1).resolved() == demo.resolved()
    cut = demo.with_cut("left_behind", 40, index="deprivation")
    assert (
        str(cut.designate["left_behind"])
        == "worst 10% on community_needs and worst 40 on deprivation"
    )
    assert cut.with_cut("left_behind", "10%").resolved() == demo.resolved()


def table(codes: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"code": codes, "Halls": [float(i % 7) for i in range(len(codes))]})


@pytest.mark.parametrize(
    "as_given", [lambda t, _: t, lambda t, _: t.to_pandas(), lambda t, _: t.to_arrow(), "a path"]
)
def test_a_frame_stands_where_a_file_may(demo: Study, as_given: Any, tmp_path: Path) -> None:
    plain = run(demo, draws=0, geometry=False)
    frame = table(plain.areas.codes)
    if as_given == "a path":
        given: Any = tmp_path / "halls.csv"
        frame.write_csv(given)
    else:
        given = as_given(frame, tmp_path)
    study = demo.with_indicator(
        "halls",
        "community_needs.places",
        weight=2,
        file=given,
        column="Halls",
        code="code",
        label="Halls",
        higher_is="less",
    )
    found = run(study, draws=0, geometry=False).indicators["community_needs"]
    values = found.values[:, [m.name for m in found.meta].index("halls")]
    assert values.tolist() == frame["Halls"].to_list()


def test_the_same_frame_is_kept_once_and_another_apart(demo: Study) -> None:
    def file_of(frame: Any) -> str:
        spec = demo.with_indicator(
            "halls", "community_needs.places", file=frame, column="Halls", label="Halls", higher_is="less"
        )  # fmt: skip
        return str(spec.indicators["halls"].file)

    one = table(["a", "b"])
    assert file_of(one) == file_of(one.clone())
    assert file_of(one) != file_of(one.with_columns(pl.col("Halls") + 1))


def test_a_frame_is_called_by_what_it_was_given_for(demo: Study) -> None:
    frame = table(["a", "b"])
    given = {"file": frame, "column": "Hals", "label": "Halls", "higher_is": "less"}
    study = demo.with_indicator("halls", "community_needs.places", **given)
    with pytest.raises(CommonwealError, match="'Hals' not found in the table given for halls; did"):
        run(study, draws=0)
    areas = {"file": frame, "code": "cde", "name": "Halls"}
    with pytest.raises(
        CommonwealError, match="'cde' not found in the table given for areas, halls; did"
    ):
        run(study.model_copy(update={"areas": OwnAreas.model_validate(areas)}), draws=0)
    Path(str(study.indicators["halls"].file)).unlink()
    with pytest.raises(
        CommonwealError, match=r"^the table given for halls is not in the cache any"
    ):
        run(study, draws=0)


def test_areas_of_ones_own_from_a_geodataframe() -> None:
    corners = geopandas.points_from_xy([500000, 501000, 500000], [300000, 300000, 301000])
    shapes = geopandas.GeoDataFrame(
        {"code": ["a", "b", "c"], "x": [1.0, 2.0, 3.0]}, geometry=corners.buffer(400), crs=27700
    )
    study = Study(
        title="Three places",
        areas={
            "file": pd.DataFrame({"code": ["a", "b", "c"]}),
            "code": "code",
            "boundaries": {"file": shapes, "code": "code"},
        },
        indicators={
            "x": {
                "file": pd.DataFrame(shapes[["code", "x"]]),
                "column": "x",
                "label": "X",
                "higher_is": "more",
            }
        },
        index={"need": {"children": {"x": {"indicator": "x"}}}},
    )
    results = run(study)
    assert results.scores["need"].rank.tolist() == [3, 2, 1]
    drawn = results.to_geopandas()
    west, south, east, north = drawn.total_bounds
    assert -1 < west < east < 1  # degrees, not metres
    assert 52 < south < north < 53
