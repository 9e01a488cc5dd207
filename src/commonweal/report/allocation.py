"""A report on an allocation: who is selected, and who gains and loses against another list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart import chance_chart
from commonweal.document.format import format_count, format_people
from commonweal.document.model import Report, Section, Table, TableData
from commonweal.document.write import source_lines
from commonweal.invest.allocation.allocate import next_in_line
from commonweal.invest.allocation.on_study import AllocationComparison, AllocationResult
from commonweal.invest.allocation.programme import ranked_by
from commonweal.report.allocation_text import (
    HEADS,
    ROWS,
    allocation_answer,
    allocation_cautions,
    allocation_data,
    allocation_lines,
    differences,
    named,
    rule_parts,
    shares_of,
    table_of,
    varied_words,
    why_words,
)
from commonweal.report.invest_maps import allocation_map
from commonweal.report.study.geopackage import fix_timestamp, polygons, write_layer
from commonweal.sources import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.invest.allocation.comparison import AllocationDifference


__all__ = [
    "AllocationComparison",
    "AllocationResult",
    "allocation_answer",
    "allocation_data",
    "allocation_lines",
    "allocation_report",
    "allocation_sections",
    "comparison_section",
    "write_selected",
]


def _sides(d: AllocationDifference, words: Mapping[str, str]) -> TableData:
    """Count areas and people in both lists, and in either only."""
    rows = [
        (
            words[k],
            int((share > 0).sum()),
            round(d.people(share)),
            round(d.people(share, in_need=True)),
        )
        for k, share in shares_of(d).items()
    ]
    schema = {
        "Who": pl.String,
        "Areas": pl.Int64,
        "People": pl.Int64,
        "People in areas in need": pl.Int64,
    }
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"))


def comparison_section(
    worked: AllocationResult, title: str, difference: AllocationDifference, which: str = ""
) -> Section:
    """Tell who gains and who loses beside another list."""
    d = difference
    words = {
        "both": "In both",
        "this_only": f"In {worked.allocation.programme.title} only",
        "other_only": f"In {title} only",
    }
    frame = d.to_frame().filter(pl.col("selected_by") != "both")
    only = {"first only": words["this_only"], "second only": words["other_only"]}
    rename = {k: h for k, h in HEADS.items() if k in frame.columns}
    listed = frame.select(*rename, "selected_by").with_columns(
        pl.col("selected_by").replace(only),
        pl.col("population").round(0).cast(pl.Int64),
        in_need=pl.when("in_need").then(pl.lit("yes")).otherwise(pl.lit("no")),
    )
    tables = [
        Table(named(worked, f"sides{which}"), "Who gains and who loses", _sides(d, words)),
        *_by_region(worked, d.areas.table, shares_of(d), d.areas.population, words, which),
    ]
    if len(listed):
        tables.append(
            Table(
                named(worked, f"gains-losses{which}"),
                f"{d.areas.plural.capitalize()} in one and not in the other",
                TableData(listed.rename({**rename, "selected_by": "Selected by"})),
                rows=ROWS,
            )
        )
    return Section(
        f"Beside {title}",
        text=(
            f"Both lists were put on the {len(d.areas):,} {d.areas.plural} of {d.areas.title}. One that is selected in "
            "part counts by the share of its people, and where both select a part, the parts are taken to overlap as "
            f"far as they can. In need are those that meet this programme's yardstick there: {int(d.in_need.sum()):,} "
            f"{d.areas.plural} with {format_people(float(np.nansum(d.areas.population[d.in_need])))}.",
            *(() if len(listed) else ("Both lists are the same.",)),
        ),
        tables=tuple(tables),
    )


def _by_region(
    worked: AllocationResult,
    table: pl.DataFrame,
    shares: dict[str, NDArray[np.float64]],
    residents: NDArray[np.float64],
    words: dict[str, str],
    which: str,
) -> list[Table]:
    """Give people on each side by region, where regions are known."""
    if "region_name" not in table.columns:
        return []
    columns = {words[k]: np.nan_to_num(residents * share) for k, share in shares.items()}
    frame = (
        pl.DataFrame({"Region": table["region_name"], **columns})
        .drop_nulls("Region")
        .group_by("Region")
        .agg(pl.all().sum().round(0).cast(pl.Int64))
        .sort("Region")
    )
    return [Table(named(worked, f"regions{which}"), "People by region", TableData(frame))]


_NEXT = 20
"""How many are told that would come next."""

_PLACES = {"Need": 3, "Margin": 3, "Margin in its group": 3}
_LARGE = 1_000
"""From here on, decimals of a need or a margin say nothing more."""
_LIMITS = (
    "Need is what the rule ranks by. Nothing here says that money does more good where need is greatest.",
    "Areas in need are told by the programme's yardstick in its file; people in them are all residents, not those who "
    "are in need themselves.",
    "Draws vary what the study says, such as weights. Errors of the published data and other rules are not in them.",
)


def allocation_report(
    worked: AllocationResult, against: AllocationComparison | None = None
) -> Report:
    """Make a report of an allocation."""
    a = worked.allocation
    pairs = [worked] if against is None else [worked, against.other]
    known = load_catalogue()
    read = [
        *(m.source for w in pairs for i in w.results.indicators.values() for m in i.meta),
        *(g.lookup.source for w in pairs for g in w.allocation.programme.groups.values()),
    ]
    assumptions = [f"{part}. {note}" for part, official, note in rule_parts(worked) if not official]
    return Report(
        name=f"allocation-{a.programme.name}",
        title=a.programme.title,
        heading=f"{_who(worked)}, on {worked.results.study.title}",
        answer=allocation_answer(worked, against),
        sections=allocation_sections(worked, against),
        notes=allocation_cautions(worked),
        assumptions=tuple(assumptions),
        limits=_LIMITS,
        works=tuple(dict.fromkeys(id_ for w in pairs for id_ in w.allocation.programme.works)),
        sources=source_lines(i for i in read if i in known),
        account=(
            ("programme", a.programme.model_dump(mode="json", exclude_defaults=True)),
            ("study", worked.results.study.name),
            ("draws", worked.chance.n_draws if worked.chance else 0),
            ("seed", worked.chance.seed if worked.chance else None),
            ("left_out", list(a.left_out)),
        ),
    )


def _who(worked: AllocationResult) -> str:
    return "Who gets an award" if worked.allocation.programme.money else "Who is selected"


def allocation_sections(
    worked: AllocationResult, against: AllocationComparison | None = None
) -> tuple[Section, ...]:
    """Give the sections of a report: the rule, who gets it, what a cap costs, how sure, another rule.

    Charts and tables are named after the programme, so that those of several fit in one report.
    """
    parts = [
        _published(worked),
        _rule(worked),
        _list(worked),
        _cap(worked),
        _sure(worked),
        _built(worked),
    ]
    if against is not None:
        parts.append(_against(worked, against))
    return tuple(part for part in parts if part is not None)


def write_selected(worked: AllocationResult, path: Path) -> None:
    """Write the outlines of the selected areas as a GeoPackage; those without one are left out."""
    frame = table_of(worked).filter("selected")
    joined = frame.join(worked.shapes, on="code", how="left", maintain_order="left")
    names = {c: c.replace(".", "_") for c in frame.columns}
    shapes = polygons(joined["geometry"])
    known = np.array([s is not None for s in shapes], dtype=bool)
    write_layer(path, "selected", "MultiPolygon", shapes, frame.rename(names), known)
    fix_timestamp(path)


def _published(worked: AllocationResult) -> Section | None:
    p, frame = worked.published, differences(worked)
    if p is None:
        return None
    why = [why_words(worked, why or "") for why in frame["why"]]
    where = {"missed": "the published list alone", "other": "this list alone"}
    shown = _columns(frame.with_columns(why=pl.Series(why, dtype=pl.String)), "order").frame
    on = pl.Series("On", [where[d] for d in frame["difference"]], dtype=pl.String)
    table = Table(
        named(worked, "published"),
        "Where the two lists differ",
        TableData(shown.insert_column(0, on), frozenset({"Share of draws"} & set(shown.columns))),
        rows=ROWS,
    )
    return Section(
        "Beside the published list",
        text=(
            f"{len(p.matched):,} areas are on both lists, {len(p.missed):,} on that of {p.file} alone and "
            f"{len(p.extra):,} on this one alone.",
        ),
        tables=(table,) if len(frame) else (),
    )


def _rule(worked: AllocationResult) -> Section:
    p = worked.allocation.programme
    table = pl.DataFrame(
        [(part, "official" if official else "inferred or ours", note) for part, official, note in rule_parts(worked)],
        schema={"Part of the rule": pl.String, "Standing": pl.String, "What it rests on": pl.String},
        orient="row",
    )  # fmt: skip
    text = [p.about, f"The official text, in short: {p.official}"]
    text += [f"Inferred: {p.inferred}"] if p.inferred else []
    text += [f"A {name.replace('_', ' ')}: {g.title}." for name, g in p.groups.items()]
    if not any(table["What it rests on"]):
        table = table.drop("What it rests on")
    return Section(
        "The rule",
        text=tuple(t for t in text if t),
        tables=(Table(named(worked, "rule"), "The rule, part by part", TableData(table)),),
    )


def _columns(frame: pl.DataFrame, *without: str) -> TableData:
    """Give a table of areas for readers."""
    kept = {c: h for c, h in HEADS.items() if c in frame.columns and c not in without}
    shown = frame.select(list(kept))
    whole = [c for c in ("population", "rank", "order") if c in kept]
    shown = shown.with_columns(pl.col(whole).round(0).cast(pl.Int64))
    if "in_need" in kept:
        shown = shown.with_columns(
            in_need=pl.when("in_need").then(pl.lit("yes")).otherwise(pl.lit("no"))
        )
    shown = shown.rename(kept)
    shown = shown.drop(h for h in _PLACES if h in shown.columns and shown[h].is_null().all())
    large = {h for h in _PLACES if h in shown.columns and (shown[h].abs() >= _LARGE).any()}
    places = {h: 0 if h in large else n for h, n in _PLACES.items()}
    return TableData(shown, frozenset({"Share of draws"} & set(shown.columns)), places)


def _passed_over(worked: AllocationResult, frame: pl.DataFrame) -> TableData:
    """Count the areas that are not selected, by the reason."""
    counts = frame.filter(~pl.col("selected")).group_by("why").agg(
        pl.len().alias("n"),
        pl.col("population").sum(),
        pl.col("population").filter(pl.col("in_need")).sum().alias("need"),
    ).sort("n", "why", descending=[True, False])  # fmt: skip
    why = counts.select(
        pl.Series("Why not", [why_words(worked, why) for why in counts["why"]], pl.String),
        pl.col("n").cast(pl.Int64).alias("Areas"),
        pl.col("population").round(0).cast(pl.Int64).alias("People"),
        pl.col("need").round(0).cast(pl.Int64).alias("People in areas in need"),
    )
    return TableData(why)


def _list(worked: AllocationResult) -> Section:
    a, frame = worked.allocation, table_of(worked)
    land = worked.results.outline
    behind = land if len(land) else worked.shapes
    chart = allocation_map(named(worked, "map"), a, behind, worked.shapes)
    chosen = _columns(frame.filter("selected"), "why")
    notes = {
        "Margin": "Margin: how far an area is above the first that would take its place, in the unit of need.",
        "Margin in its group": "Margin in its group: the same among those that the tightest cap sets against each "
        "other.",
    }
    told = [f"Need: {ranked_by(a.programme.rank, worked.results.label)}; more is needier."]
    told += [note for head, note in notes.items() if head in chosen.frame.columns]
    tables = [
        Table(
            named(worked, "selected"),
            f"The selected {a.areas.plural}, by need",
            chosen,
            " ".join(told),
            ROWS,
        )
    ]
    codes = [a.areas.codes[i] for i in next_in_line(a, _NEXT)]
    next_up = frame.filter(pl.col("code").is_in(codes))
    if len(next_up):
        tables.append(
            Table(
                named(worked, "next"),
                "Next in line, where awards ran out",
                _columns(next_up, "why", "order"),
                "Margin: how far below the last selected.",
            )
        )
    tables.append(
        Table(named(worked, "why"), "Why others were passed over", _passed_over(worked, frame))
    )
    number = format_count(int(a.selected.sum()), a.areas.singular, a.areas.plural)
    return Section(
        _who(worked),
        text=(f"{number} selected, with {format_people(a.people)}.",),
        charts=() if chart is None else (chart,),
        tables=tuple(tables),
    )


def _cap(worked: AllocationResult) -> Section | None:
    a, frame = worked.allocation, table_of(worked)
    if not a.cost.passed_over.any():
        return None
    cost, over = a.cost, frame.filter("passed_over")
    why = over["why"].unique().to_list()
    alike = f"All for the same reason: {why[0]}. " if len(why) == 1 else ""
    table = pl.DataFrame(
        {
            "Who": ["Passed over because of a cap", "Selected in their place"],
            "Areas": [int(cost.passed_over.sum()), int(cost.instead.sum())],
            "People": [round(cost.people), round(cost.people_instead)],
            "People in areas in need": [round(cost.people_in_need), round(cost.people_in_need_instead)],
        }
    )  # fmt: skip
    return Section(
        "What the caps cost",
        text=(
            "The same rule without its caps, with as many awards: who would be selected and is not, and who is "
            "selected in their place. Whether the spread is worth that is for those who set the cap.",
        ),
        tables=(
            Table(named(worked, "cap-cost"), "People on each side of the caps", TableData(table)),
            Table(
                named(worked, "passed-over"),
                "Passed over because of a cap, by need",
                _columns(over, "order", *(["why"] if alike else [])),
                f"{alike}Margin: how far above the last selected. Margin in its group: how far below the last selected "
                "of the group that the cap is on.",
                ROWS,
            ),
        ),
    )


def _sure(worked: AllocationResult) -> Section | None:
    c, a = worked.chance, worked.allocation
    if c is None:
        return None
    shown = a.selected | (c.selected >= 0.2)
    names = [n or k for n, k in a.areas.table.select("name", "code").filter(shown).iter_rows()]
    chart = chance_chart(
        named(worked, "sure"),
        names,
        c.selected[shown],
        a.selected[shown],
        a.areas.plural,
    )
    return Section(
        "How sure that is",
        text=(
            f"The rule was applied again in each of {c.n_draws:,} draws, in which {varied_words(worked)} vary as the "
            "study says. Exclusions, caps, populations and the number of awards stay as they are.",
            f"Of the {int(a.selected.sum()):,} selected, a draw keeps {c.kept.mean():.0f} on average, between "
            f"{int(c.kept.min()):,} and {int(c.kept.max()):,}.",
        ),
        charts=(chart,),
    )


def _built(worked: AllocationResult) -> Section | None:
    if worked.built is None:
        return None
    b = worked.built
    left = b.left()
    shown = left.select(
        Code="code",
        Neighbourhood="name",
        People=pl.col("population").round(0).cast(pl.Int64),
        Why="why",
    )
    sizes = b.areas.population
    return Section(
        "How the areas were built up",
        text=(
            f"{len(b.small):,} {b.small.plural} were joined to {len(b.areas):,} contiguous areas of "
            f"{sizes.min():,.0f} to {sizes.max():,.0f} people. The neediest that is in none begins one and takes in "
            "its neediest neighbour that fits, until there are enough people; those left join a neighbour with room. "
            "Other ways to join them would give other areas.",
        ),
        tables=(Table(named(worked, "left"), "In none of the areas", TableData(shown), rows=ROWS),)
        if len(left)
        else (),
    )


def _against(worked: AllocationResult, against: AllocationComparison) -> Section:
    title = against.other.allocation.programme.title
    part = comparison_section(worked, title, against.difference)
    heading = f"Under another rule: {title}"
    return replace(part, title=heading, beware=allocation_cautions(against.other))
