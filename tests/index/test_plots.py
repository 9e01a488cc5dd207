"""Pictures say what their numbers say, are sound XML, and can be read without seeing colour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.index.correlate import correlate
from commonweal.index.drawing import COLOURS, Plot, shorten, ticks, tint
from commonweal.index.framework import Node, load_preset
from commonweal.index.plots import correlation_plot, distribution_plot, framework_plot
from commonweal.index.plots_ranks import rank_plot, sensitivity_plot, shift_plot
from commonweal.index.sensitivity import sobol

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "A & B <script>alert(1)</script> \"'\x00\x0b"


def sound(plot: Plot) -> ET.Element:
    """Check what holds for every picture, and give its tree."""
    root = ET.fromstring(plot.svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(set(ids)) == len(ids)
    by_id = {e.get("id"): e.text for e in root.iter()}
    title, desc = (root.get("aria-labelledby") or "").split()
    assert by_id[title]
    assert by_id[desc]
    assert not list(root.iter(f"{SVG}script"))
    assert "http" not in plot.svg.replace("http://www.w3.org/2000/svg", "")
    assert "nan" not in re.sub(r">[^<]*<", "", plot.svg)
    used = set(re.findall(r"url\(#([^)]+)\)", plot.svg))
    assert used <= set(ids)
    width, height = (float(root.get(k) or 0) for k in ("width", "height"))
    for e in root.iter(f"{SVG}rect"):
        if e.get("x") and e.get("stroke") is not None:
            assert -1 <= float(e.get("x") or 0) <= width
            assert float(e.get("y") or 0) <= height
    return root


def words(root: ET.Element) -> list[str]:
    return [e.text or "" for e in root.iter(f"{SVG}text")]


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


def test_the_framework_is_as_wide_as_its_weights() -> None:
    plot = framework_plot("needs", tree())
    root = sound(plot)
    whole = dict(plot.numbers.select("node", "weight in the index").rows())
    assert whole == {
        "needs": 1, "needs/assets": 0.75, "needs/assets/pubs": 0.375, "needs/assets/halls": 0.375,
        "needs/links": 0.25,
    }  # fmt: skip
    wedges = [e for e in root.iter(f"{SVG}path") if "A" in (e.get("d") or "")]
    assert len(wedges) == 4
    assert {"Needs", "Assets", "Pubs", "Links"} <= set(words(root))
    even = framework_plot("needs", tree(), weights={"needs": [1, 1]}).numbers
    assert even["weight in the index"].to_list() == [1, 0.5, 0.25, 0.25, 0.5]
    # the widest part covers three quarters: its outer arc is the long way round
    assert sum(" 1 1 " in (e.get("d") or "") for e in wedges) == 1


@pytest.mark.parametrize("name", ["iod2019", "cni2019"])
def test_the_presets_can_be_drawn(name: str) -> None:
    from commonweal.index.framework import presets

    found = name if name in presets() else presets()[0]
    preset = load_preset(found)
    plot = framework_plot(found, preset)
    sound(plot)
    assert len(plot.numbers) == len(list(preset.walk(found)))


def test_one_child_is_a_whole_ring_and_narrow_parts_are_counted() -> None:
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
    root = sound(plot)
    counts = plot.numbers.group_by("indicator").agg(pl.col("units").sum())
    assert dict(counts.rows()) == {"a": 55, "b": 60, "c": 60}
    told = " | ".join(words(root))
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
    root = sound(plot)
    found = correlate(x, method="spearman")
    assert plot.numbers.height == 6
    for first, second, r, p, n in plot.numbers.rows():
        i, j = "abcd".index(first), "abcd".index(second)
        assert n == found.n[i, j]
        if second == "d":
            assert (r, p) == (None, None)
        else:
            assert (r, p) == (found.r[i, j], found.p[i, j])
            assert f"{r:.2f}".replace("-", "−") in words(root)


def test_a_large_heat_map_strokes_what_is_negative_and_parts_its_groups() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(50, 40))
    names = [f"i{k}" for k in range(40)]
    groups = {"second": names[20:], "first": names[:18]}
    plot = correlation_plot(x, names, groups)
    root = sound(plot)
    r = correlate(x[:, [*range(20, 40), *range(18)]]).r
    strokes = [e for e in root.iter(f"{SVG}line") if e.get("stroke-width") == "0.8"]
    assert len(strokes) == (r <= -0.05).sum()
    assert len([e for e in root.iter(f"{SVG}line") if e.get("stroke-width") == "2"]) == 2
    assert {"second", "first"} <= set(words(root))
    assert plot.numbers["first"][0] == "i20"
    assert "i18" not in plot.numbers["first"]


def test_ranks_are_drawn_from_the_first_with_their_intervals() -> None:
    units = [f"u{k}" for k in range(60)]
    ranks = np.random.default_rng(3).permutation(60) + 1.0
    ranks[7] = np.nan
    plot = rank_plot(units, ranks, np.maximum(ranks - 1, 1), ranks + 3, cut=10)
    root = sound(plot)
    assert plot.numbers["rank"].to_list() == sorted(ranks[~np.isnan(ranks)])[:40]
    assert plot.numbers["unit"][0] == units[int(np.nanargmin(ranks))]
    dots = list(root.iter(f"{SVG}circle"))
    filled = sum(e.get("fill") != "#ffffff" for e in dots)
    assert filled == (plot.numbers["rank"] <= 10).sum()
    assert "cut-off after 10" in words(root)
    assert "Drawn: first 40 of 59 units." in plot.about
    places = [e.text for e in root.iter(f"{SVG}text") if e.get("font-size") == "11"]
    assert (places[0], "0" in places) == ("1", False)
    some = rank_plot(units, ranks, ranks, ranks, rows=[3, "u7", 1])
    assert set(some.numbers["unit"]) == {"u3", "u1"}


def test_places_on_the_picture_are_in_proportion_to_the_ranks() -> None:
    plot = rank_plot(["a", "b", "c"], [1, 2, 4], [1, 1, 3], [2, 3, 4])
    x = [float(e.get("cx") or 0) for e in sound(plot).iter(f"{SVG}circle")]
    assert x[2] - x[1] == pytest.approx(2 * (x[1] - x[0]), abs=0.2)
    far = rank_plot(["a", "b"], [3000, 3010], [2990, 3000], [3020, 3030])
    x = [float(e.get("cx") or 0) for e in sound(far).iter(f"{SVG}circle")]
    assert x[1] - x[0] > 50


def test_shifts_point_the_way_the_unit_went() -> None:
    plot = shift_plot(["up", "down", "still", "gone"], [5, 1, 3, 2], [1, 6, 3, np.nan])
    root = sound(plot)
    assert plot.numbers.rows() == [("down", 1, 6, -5), ("up", 5, 1, 4), ("still", 3, 3, 0)]
    assert {"−5", "+4", "0"} <= set(words(root))
    heads = [e.get("d") or "" for e in root.iter(f"{SVG}path")]
    assert ["l-8" in d for d in heads] == [True, False]  # an arrow to the right, one to the left
    one = shift_plot(["a", "b"], [1, 2], [2, 1], most=1)
    assert (one.numbers.height, "Drawn: 1 of 2 units." in one.about) == (1, True)
    assert "Drawn" not in shift_plot(["a", "b"], [1, 2], [2, 1]).about


def test_bars_are_the_sensitivity_indices_the_most_first() -> None:
    found = sobol(lambda u: u @ [1.0, 3.0, 0.0], ["a", "b", NASTY], 64, n_bootstrap=20)
    plot = sensitivity_plot(found)
    sound(plot)
    assert plot.numbers["input"].to_list()[:2] == ["b", "a"]
    assert plot.numbers["total"][0] == found.total[1, 0]
    assert plot.numbers["first_low"][0] == found.first_interval[1, 0, 0]  # type: ignore[index]
    bare = sobol(lambda u: u @ [1.0, 3.0], ["a", "b"], 64)
    assert sensitivity_plot(bare).numbers["total_low"].to_list() == [None, None]
    sound(sensitivity_plot(bare))


def test_the_same_call_gives_the_same_bytes_and_others_other_ids() -> None:
    one, again = (shift_plot(["a", "b"], [1, 2], [2, 1]) for _ in range(2))
    assert one.svg == again.svg
    other = shift_plot(["a", "c"], [1, 2], [2, 1])
    ids = [set(re.findall(r'id="([^"]+)"', p.svg)) for p in (one, other)]
    assert not ids[0] & ids[1]


@settings(deadline=None, max_examples=50)
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


def test_a_picture_is_saved_and_shown_in_a_notebook(tmp_path: Path) -> None:
    plot = shift_plot(["a", "b"], [1, 2], [2, 1])
    plot.save(tmp_path / "shifts.svg")
    assert (tmp_path / "shifts.svg").read_text("utf-8") == plot.svg == plot._repr_svg_()
    with pytest.raises(DataError, match=r"shifts\.png: expected a name that ends in \.svg"):
        plot.save(tmp_path / "shifts.png")
    with pytest.raises(DataError, match="there is no folder"):
        plot.save(tmp_path / "none" / "shifts.svg")


def test_a_sunburst_is_no_wider_than_its_words() -> None:
    short = Node(children={n: Node(indicator=n) for n in "abc"})
    long = Node(children={n * 25: Node(indicator=n) for n in "abc"})
    widths = [float(sound(framework_plot("x", t)).get("width") or 0) for t in (short, long)]
    assert 2 * 300 < widths[0] < 720 < widths[1]


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_round_and_reach_both_ends(low: float, wide: float) -> None:
    at = ticks(low, low + wide)
    assert 2 <= len(at) <= 9
    slack = wide * 1e-6 + 1e-6
    assert at[0] <= low + slack
    assert at[-1] >= low + wide - slack
    assert ticks(3, 3)[0] <= 3 <= ticks(3, 3)[-1]


def test_names_keep_both_ends_and_colours_are_tints() -> None:
    assert [len(shorten("x" * 50, n)) for n in (1, 2, 8, 50)] == [1, 2, 8, 50]
    assert shorten("abc", 3) == "abc"
    for colour in COLOURS:
        assert tint(colour, 1) == colour
        assert tint(colour, 0) == "#ffffff"
