"""Pictures say what their numbers say, are sound XML, and can be read without seeing colour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import matplotlib
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.markers import CARETLEFT, CARETRIGHT
from matplotlib.patches import Rectangle

from commonweal.document.format import shorten
from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.index.correlate import correlate
from commonweal.index.framework import Node, load_preset
from commonweal.index.sensitivity import sobol
from commonweal.toolbox.figure import WIDTH, Plot
from commonweal.toolbox.plots import correlation_plot, distribution_plot, framework_plot
from commonweal.toolbox.plots_ranks import rank_plot, sensitivity_plot, shift_plot

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
NASTY = "A & B <script>alert(1)</script> \"'\x00\x0b"


def sound(plot: Plot) -> list[str]:
    """Check what holds for every picture, and give the words in it."""
    svg = plot.svg  # which draws it
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(set(ids)) == len(ids)
    by_id = {e.get("id"): e.text for e in root.iter()}
    title, desc = (root.get("aria-labelledby") or "").split()
    assert by_id[title]
    assert by_id[desc]
    assert not list(root.iter(f"{SVG}script"))
    assert not list(root.iter(f"{SVG}style"))  # of a page it would change all
    assert "http" not in re.sub(r"http://www.w3.org/(2000/svg|1999/xlink)", "", svg)
    assert "nan" not in re.sub(r">[^<]*<", "", svg)
    used = re.findall(r"url\(#([^)]+)\)", svg)
    used += [link[1:] for e in root.iter() if (link := e.get(LINK) or "#")[1:]]
    assert {name for name in used if not name.startswith("ata:")} <= set(ids)
    return ["".join(e.itertext()) for e in root.iter(f"{SVG}text")]


def fits(plot: Plot) -> None:
    """Check that nothing is cut off at an edge."""
    box = plot.figure.get_tightbbox()  # type: ignore[no-untyped-call]
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= plot.figure.get_figwidth()
    assert box.y1 <= plot.figure.get_figheight()


def tree() -> Node:
    return Node.model_validate(
        {
            "label": "Needs",
            "children": {
                "assets": {"label": "Assets", "weight": 3,
                           "children": {"pubs": {"indicator": "p", "label": "Pubs"},
                                        "halls": {"indicator": "h", "label": NASTY}}},
                "links": {"indicator": "l", "label": "Links"},
            },
        }
    )  # fmt: skip


def test_the_framework_is_as_high_as_its_weights() -> None:
    plot = framework_plot("needs", tree())
    whole = dict(plot.numbers.select("node", "weight in the index").rows())
    assert whole == {
        "needs": 1, "needs/assets": 0.75, "needs/assets/pubs": 0.375, "needs/assets/halls": 0.375,
        "needs/links": 0.25,
    }  # fmt: skip
    boxes = [p for p in plot.figure.axes[0].patches if isinstance(p, Rectangle)]
    places = [(b.get_x(), b.get_y(), b.get_width(), b.get_height()) for b in boxes]
    half = WIDTH / 2
    assert places == [
        (0, 0, half, 0.75), (half, 0, half, 0.375), (half, 0.375, half, 0.375), (0, 0.75, WIDTH, 0.25)
    ]  # fmt: skip
    assert {"Assets: 75.0%", "Pubs: 37.5%", "Links: 25.0%"} <= set(sound(plot))
    fits(plot)
    even = framework_plot("needs", tree(), weights={"needs": [1, 1]}).numbers
    assert even["weight in the index"].to_list() == [1, 0.5, 0.25, 0.25, 0.5]


def test_a_name_that_is_too_long_is_cut_and_its_weight_is_not() -> None:
    long = "Population covered by at least a mobile network of the fourth generation"
    leaves = {f"i{k}": Node(indicator="a", label=long) for k in range(40)}
    one = {"p": Node(children={"q": Node(children=leaves)})}
    plot = framework_plot("x", Node(children={**one, "w": Node(indicator="a", label="w")}))
    told = [text for text in sound(plot) if "…" in text]
    assert "Population covered by at…: 1.2%" in told
    assert all(text.endswith("%") for text in told)
    fits(plot)


@pytest.mark.parametrize("name", ["iod2019", "cni2019"])
def test_the_presets_can_be_drawn(name: str) -> None:
    from commonweal.index.framework import presets

    found = name if name in presets() else presets()[0]
    preset = load_preset(found)
    plot = framework_plot(found, preset)
    sound(plot)
    fits(plot)
    assert len(plot.numbers) == len(list(preset.walk(found)))


def test_one_child_is_the_whole_and_narrow_parts_are_counted() -> None:
    sound(framework_plot("x", Node(children={"a": Node(indicator="a")})))
    sound(framework_plot("x", Node(indicator="a")))
    many = Node(children={f"i{k}": Node(indicator="a") for k in range(400)})
    plot = framework_plot("x", many)
    sound(plot)
    assert "400 parts are too narrow for their names" in plot.about


def test_histograms_count_every_unit_once() -> None:
    rng = np.random.default_rng(1)
    x = np.column_stack(
        [rng.normal(size=60), rng.lognormal(size=60) ** 3, np.ones(60), [np.nan] * 60]
    )
    x[:5, 0] = np.nan
    plot = distribution_plot(x, ["a", "b", "c", "d"], labels={"a": NASTY}, bins=7)
    told = " | ".join(sound(plot))
    fits(plot)
    counts = plot.numbers.group_by("indicator").agg(pl.col("units").sum())
    assert dict(counts.rows()) == {"a": 55, "b": 60, "c": 60}
    assert "▲ skew" in told
    assert "5 missing" in told
    assert "no values" in told
    assert "constant, or too few" in told
    a = plot.numbers.filter(pl.col("indicator") == "a")
    assert a["from"][0] == np.nanmin(x[:, 0])
    assert a["to"][-1] == np.nanmax(x[:, 0])
    by_hand = np.histogram(x[5:, 0], [*a["from"].to_list(), a["to"][-1]])[0]
    assert a["units"].to_list() == by_hand.tolist()


def test_the_heat_map_s_numbers_are_the_correlations() -> None:
    x = np.random.default_rng(2).normal(size=(30, 4))
    x[:, 3] = 1.0
    x[0, 0] = np.nan
    plot = correlation_plot(x, list("abcd"), method="spearman", labels={"a": NASTY})
    told = sound(plot)
    fits(plot)
    found = correlate(x, method="spearman")
    assert plot.numbers.height == 6
    for first, second, r, p, n in plot.numbers.rows():
        i, j = "abcd".index(first), "abcd".index(second)
        assert n == found.n[i, j]
        if second == "d":
            assert (r, p) == (None, None)
        else:
            assert (r, p) == (found.r[i, j], found.p[i, j])
            assert f"{r:.2f}".replace("-", "−") in told


@pytest.mark.slow
def test_a_large_heat_map_strokes_what_is_negative_and_names_its_groups() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(50, 40))
    names = [f"i{k}" for k in range(40)]
    groups = {"second": names[20:], "first": names[:18]}
    plot = correlation_plot(x, names, groups)
    assert {"second", "first"} <= set(sound(plot))
    fits(plot)
    r = correlate(x[:, [*range(20, 40), *range(18)]]).r
    lines = [line.get_linewidth() for line in plot.figure.axes[0].lines]
    assert lines.count(0.8) == (r <= -0.05).sum()
    assert lines.count(1.5) == 2
    assert plot.numbers["first"][0] == "i20"
    assert "i18" not in plot.numbers["first"]


@pytest.mark.slow
def test_ranks_are_drawn_from_the_first_with_their_intervals() -> None:
    units = [f"u{k}" for k in range(60)]
    ranks = np.random.default_rng(3).permutation(60) + 1.0
    ranks[7] = np.nan
    plot = rank_plot(units, ranks, np.maximum(ranks - 1, 1), ranks + 3, cut=10)
    told = sound(plot)
    fits(plot)
    assert plot.numbers["rank"].to_list() == sorted(ranks[~np.isnan(ranks)])[:40]
    assert plot.numbers["unit"][0] == units[int(np.nanargmin(ranks))]
    inside, beyond = dots(plot)
    assert len(inside) == (plot.numbers["rank"] <= 10).sum()
    assert inside + beyond == plot.numbers["rank"].to_list()
    assert "cut-off after 10" in told
    assert "40 of 59 units shown" in " ".join(told)
    some = rank_plot(units, ranks, ranks, ranks, rows=[3, "u7", 1])
    assert set(some.numbers["unit"]) == {"u3", "u1"}
    many = rank_plot(units, ranks, ranks, ranks, rows=range(60))
    assert "All 59 units shown" in " ".join(sound(many))
    fits(many)


def dots(plot: Plot) -> list[list[float]]:
    lines = plot.figure.axes[0].lines
    return [np.asarray(line.get_xdata()).tolist() for line in lines if line.get_marker() == "o"]


def test_ranks_begin_at_1_and_far_down_near_those_that_are_drawn() -> None:
    axes = rank_plot(["a", "b", "c"], [1, 2, 90], [1, 1, 70], [2, 3, 99]).figure.axes[0]
    assert axes.get_xticks()[0] == 1
    assert 0 > axes.get_xlim()[0] - 1 > -3
    axes = rank_plot(["a", "b"], [3000, 3010], [2990, 3000], [3020, 3030]).figure.axes[0]
    low, high = axes.get_xlim()
    assert 2980 < low < 2990
    assert 3030 < high < 3040


def test_shifts_point_the_way_the_unit_went() -> None:
    plot = shift_plot(["up", "down", "still", "gone"], [5, 1, 3, 2], [1, 6, 3, np.nan])
    told = sound(plot)
    fits(plot)
    assert plot.numbers.rows() == [("down", 1, 6, -5), ("up", 5, 1, 4), ("still", 3, 3, 0)]
    assert {"−5", "+4", "0", "after: up", "after: down"} <= set(told)
    lines = plot.figure.axes[0].lines
    heads = {e.get_marker(): np.asarray(e.get_xdata()).tolist() for e in lines}
    assert (heads[CARETLEFT], heads[CARETRIGHT]) == ([1], [6])
    one = shift_plot(["a", "b"], [1, 2], [2, 1], most=1)
    assert one.numbers.height == 1
    assert "1 of 2 units shown: those that move most" in one.about


def test_bars_are_the_sensitivity_indices_the_most_first() -> None:
    found = sobol(lambda u: u @ [1.0, 3.0, 0.0], ["a", "b", NASTY], 64, n_bootstrap=20)
    plot = sensitivity_plot(found)
    sound(plot)
    fits(plot)
    assert plot.numbers["input"].to_list()[:2] == ["b", "a"]
    assert plot.numbers["total"][0] == found.total[1, 0]
    assert plot.numbers["first_low"][0] == found.first_interval[1, 0, 0]  # type: ignore[index]
    bare = sobol(lambda u: u @ [1.0, 3.0], ["a", "b"], 64)
    assert sensitivity_plot(bare).numbers["total_low"].to_list() == [None, None]
    sound(sensitivity_plot(bare))


def test_the_same_call_gives_the_same_bytes_and_others_other_ids() -> None:
    one = shift_plot(["a", "b"], [1, 2], [2, 1])
    drawn = one.svg, one.png, one.pdf
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):  # a reader's own
        again = shift_plot(["a", "b"], [1, 2], [2, 1])
        assert (again.pdf, again.png, again.svg) == drawn[::-1]
    other = shift_plot(["a", "c"], [1, 2], [2, 1])
    ids = [set(re.findall(r'id="([^"]+)"', p.svg)) for p in (one, other)]
    assert not ids[0] & ids[1]


def test_a_picture_is_saved_as_its_name_ends(tmp_path: Path) -> None:
    plot = shift_plot(["a", "b"], [1, 2], [2, 1])
    for name, start in (("a.svg", b"<svg"), ("a.PNG", b"\x89PNG"), ("a.pdf", b"%PDF")):
        plot.save(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    assert plot._repr_svg_() == (tmp_path / "a.svg").read_text("utf-8")
    with pytest.raises(DataError, match=r"ends in '.gif'; expected .svg, .png or .pdf"):
        plot.save(tmp_path / "a.gif")
    with pytest.raises(DataError, match="there is no folder"):
        plot.save(tmp_path / "none" / "a.svg")


@pytest.mark.slow
@settings(max_examples=15)
@given(st.text(max_size=30), st.text(min_size=1, max_size=60))
def test_any_name_makes_sound_xml(title: str, name: str) -> None:
    sound(shift_plot([name, "b"], [1, 2], [2, 1], title=f"t{title}", named=(name, "b")))
    sound(distribution_plot([[1.0], [2.0]], [name]))


def test_errors_name_what_is_wrong() -> None:
    x = np.ones((3, 2))
    with pytest.raises(DataError, match="bins: 1 found; expected a whole number of 2 or more"):
        distribution_plot(x, ["a", "b"], bins=1)
    with pytest.raises(DataError, match="no indicators to draw"):
        distribution_plot(np.empty((3, 0)), [])
    with pytest.raises(DataError, match="1 indicators to correlate"):
        correlation_plot(x[:, :1], ["a"])
    with pytest.raises(DataError, match="indicator 'a' is in two groups"):
        correlation_plot(x, ["a", "b"], {"one": ["a"], "two": ["a", "b"]})
    with pytest.raises(UnknownNameError, match=r"indicator 'c' not found \(group 'one'\)"):
        correlation_plot(x, ["a", "b"], {"one": ["c"]})
    with pytest.raises(DataError, match="low: 1 found; expected 2"):
        rank_plot(["a", "b"], [1, 2], [1], [1, 2])
    with pytest.raises(DataError, match="row 2 found; expected a position from 0 to 1"):
        rank_plot(["a", "b"], [1, 2], [1, 2], [1, 2], rows=[2])
    with pytest.raises(DataError, match="no unit with a rank to draw"):
        rank_plot(["a"], [np.nan], [1], [1])
    with pytest.raises(DataError, match="ranks, row 1: an infinite value"):
        rank_plot(["a"], [np.inf], [1], [1])
    with pytest.raises(DataError, match="no unit has both ranks"):
        shift_plot(["a"], [np.nan], [1])
    with pytest.raises(DataError, match="most: 0 found"):
        shift_plot(["a"], [1], [1], most=0)
    still = sobol(lambda u: np.zeros(len(u)), ["a"], 8)
    with pytest.raises(DataError, match=r"the result of Ashby \(output 0\) does not vary"):
        sensitivity_plot(still, "Ashby", units=["Ashby"])
    with pytest.raises(DataError, match="output 1 found; expected a position from 0 to 0"):
        sensitivity_plot(still, 1)


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (
            lambda x: distribution_plot(x, list("ab"), labels={"i99": "A"}),
            r"'i99' not found \(labels\)",
        ),
        (
            lambda x: correlation_plot(x, list("ab"), labels={"i99": "A"}),
            r"'i99' not found \(labels\)",
        ),
        (lambda x: rank_plot(["a", "a"], [1, 2], [1, 1], [2, 2]), "units: 'a' is there twice"),
        (
            lambda x: rank_plot(["a", "b"], [1, 2], [2, 1], [1, 2]),
            "'a': low 2 and high 1; expected low",
        ),
        (
            lambda x: rank_plot(["a", "b"], [1, 0], [1, 1], [2, 2]),
            "ranks, 'b': 0 found; expected 1 or",
        ),
        (lambda x: rank_plot(["a", "b"], [1, 2], [1, 1], [2, 2], rows=["c"]), "row 'c' not found"),
        (lambda x: shift_plot(["a", "b"], [1, 2], [1]), "after: 1 found; expected 2"),
    ],
)
def test_what_no_picture_can_show_is_named(draw: Any, said: str) -> None:
    with pytest.raises(CommonwealError, match=said):
        draw(np.random.default_rng(1).normal(size=(9, 2)))


def test_names_keep_both_ends() -> None:
    assert [len(shorten("x" * 50, n)) for n in (1, 2, 8, 50)] == [1, 2, 8, 50]
    assert shorten("abc", 3) == "abc"
