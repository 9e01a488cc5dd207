"""A report on an allocation: who is on the list, and who gains and loses against another list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.format import UNSURE, format_people
from commonweal.document.model import Document, Figure, Section, Table, TableData, make_table
from commonweal.document.write import source_lines
from commonweal.invest.allocation.allocate import next_in_line
from commonweal.invest.allocation.programme import ranked_by
from commonweal.report.allocation_text import (
    CODES,
    ON_LIST,
    ROWS,
    allocation_answer,
    allocation_cautions,
    differences,
    heads,
    money,
    named,
    rule_parts,
    shares_of,
    table_of,
    varied_words,
    why_words,
)
from commonweal.report.invest_maps import allocation_map
from commonweal.report.study.charts import share_chart
from commonweal.report.study.geopackage import fix_timestamp, polygons, write_layer
from commonweal.sources.catalogue import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.invest.allocation.comparison import AllocationDifference
    from commonweal.invest.allocation.on_study import AllocationComparison, AllocationResult


_PEOPLE = ("People", "People in areas in need")
_NAMES = {"People in areas in need": "people_in_need"}


def _sides(d: AllocationDifference, words: Mapping[str, str]) -> TableData:
    """Count areas and people in both lists, and in either only."""
    rows = [
        (
            words[k],
            k,
            int((share > 0).sum()),
            d.people(share),
            d.people(share, in_need=True),
        )
        for k, share in shares_of(d).items()
    ]
    schema = {
        "Who": pl.String,
        "side": pl.String,
        "Areas": pl.Int64,
        **dict.fromkeys(_PEOPLE, pl.Float64),
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return make_table(frame, whole=_PEOPLE, hidden=("side",), names=_NAMES)


def comparison_section(
    worked: AllocationResult, title: str, difference: AllocationDifference, which: str = ""
) -> Section:
    """Say who gains and who loses compared with another list."""
    d = difference
    words = {
        "both": "On both lists",
        "this_only": f"On {worked.allocation.programme.title} only",
        "other_only": f"On {title} only",
    }
    frame = d.to_frame().filter(pl.col("selected_by") != "both")
    only = {"first only": words["this_only"], "second only": words["other_only"]}
    rename = heads(frame.columns)
    listed = frame.select(*rename, "selected_by").with_columns(
        pl.col("selected_by").replace(only),
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
                f"{d.areas.plural.capitalize()} on only one of the lists",
                make_table(
                    listed.rename({**rename, "selected_by": "On which list"}),
                    whole=["People"],
                    names=CODES,
                ),
                rows=ROWS,
            )
        )
    return Section(
        f"Compared with {title}",
        text=(
            *(() if len(listed) else ("Both lists are the same.",)),
            f"By this programme's yardstick {int(d.in_need.sum()):,} {d.areas.plural} are in need, with "
            f"{format_people(float(np.nansum(d.areas.population[d.in_need])))}.",
            f"We compared both lists on the {len(d.areas):,} {d.areas.plural} of {d.areas.title}. An area that is on a "
            "list in part counts by the share of its people. Where both lists cover a part, we assume the largest "
            "possible overlap.",
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
        .agg(pl.all().sum())
        .sort("Region")
    )
    shown = make_table(frame, whole=columns)
    return [Table(named(worked, f"regions{which}"), "People by region", shown)]


_NEXT = 20
"""How many are listed that would come next."""

_PLACES = {"Need": 3, "Margin": 3, "Margin in group": 3}
_LARGE = 1_000
"""From here on, decimals of a need or a margin say nothing more."""
_LIMITS = (
    "Need is what the rule ranks by. Nothing here shows that money does more good where need is greatest.",
    "The programme's file defines areas in need. People in them are all residents, not only those in need.",
    "The recalculations vary what the study says, such as weights. They leave out errors of published data and other "
    "rules.",
)


def allocation_document(
    worked: AllocationResult, against: AllocationComparison | None = None
) -> Document:
    """Make a report of an allocation."""
    a = worked.allocation
    pairs = [worked] if against is None else [worked, against.other]
    known = load_catalogue()
    read = [
        *(m.source for w in pairs for i in w.results.indicators.values() for m in i.meta),
        *(g.lookup.source for w in pairs for g in w.allocation.programme.groups.values()),
    ]
    assumptions = [f"{part}. {note}" for part, official, note in rule_parts(worked) if not official]
    return Document(
        name=f"allocation-{a.programme.name}",
        title=a.programme.title,
        heading=f"{_who(worked)}, by the study {worked.results.study.title}",
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
            ("draws", worked.certainty.n_draws if worked.certainty else 0),
            ("seed", worked.certainty.seed if worked.certainty else None),
            ("varied", list(worked.certainty.varied) if worked.certainty else []),
            ("left_out", list(a.left_out)),
            *_checked(worked),
            *(() if against is None else (("against", _other(against)),)),
        ),
    )


def _checked(worked: AllocationResult) -> tuple[tuple[str, object], ...]:
    """Give the codes on which the list differs from the published one, for the account."""
    p, codes = worked.published, worked.allocation.areas.codes
    if p is None:
        return ()
    apart = {
        k: [codes[int(row)] for row in rows]
        for k, rows in (("missed", p.missed), ("extra", p.extra))
    }
    found = {"file": p.file, "matched": len(p.matched), **apart, "elsewhere": list(p.elsewhere)}
    return (("published", found),)


def _other(against: AllocationComparison) -> dict[str, str]:
    return {
        "programme": against.other.allocation.programme.name,
        "areas": against.difference.areas.system,
    }


def _who(worked: AllocationResult) -> str:
    return "Areas that get an award" if worked.allocation.programme.money else "Areas on the list"


def allocation_sections(
    worked: AllocationResult, against: AllocationComparison | None = None
) -> tuple[Section, ...]:
    """Give the sections of a report: the list, the rule, what a cap costs, how certain, another rule.

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
    where = {"missed": "published", "other": "ours"}
    shown = _columns(frame.with_columns(why=pl.Series(why, dtype=pl.String)), "order")
    on = pl.Series("Only on", [where[d] for d in frame["difference"]], dtype=pl.String)
    table = Table(
        named(worked, "published"),
        "Where the two lists differ",
        replace(shown, frame=shown.frame.insert_column(0, on)),
        rows=ROWS,
    )
    return Section(
        "Checked against the published list",
        text=(
            f"{len(p.matched):,} areas are on both lists, {len(p.missed):,} only on {p.file} and {len(p.extra):,} only "
            "on this one.",
        ),
        tables=(table,) if len(frame) else (),
    )


def _rule(worked: AllocationResult) -> Section:
    p = worked.allocation.programme
    table = pl.DataFrame(
        [
            (part, "official" if official else "inferred or ours", official, note)
            for part, official, note in rule_parts(worked)
        ],
        schema={
            "Part of the rule": pl.String,
            "Status": pl.String,
            "official": pl.Boolean,
            "Source": pl.String,
        },
        orient="row",
    )
    text = [p.about, f"The official text, in short: {p.official}"]
    text += [f"Inferred: {p.inferred}"] if p.inferred else []
    text += [f"A {name.replace('_', ' ')}: {g.title}." for name, g in p.groups.items()]
    hidden = ["official"] if any(table["Source"]) else ["official", "Source"]
    shown = make_table(table, hidden=hidden, names={"Part of the rule": "part", "Source": "note"})
    return Section(
        "The rule",
        text=tuple(t for t in text if t),
        tables=(Table(named(worked, "rule"), "The rule, part by part", shown),),
    )


def _columns(frame: pl.DataFrame, *without: str) -> TableData:
    """Give a table of areas for readers, and every column of it for programs."""
    known = frame.drop(without, strict=False)
    kept = heads(known.columns)
    shown = known.select(*kept, pl.exclude(*kept)).rename(kept)
    if "in_need" in kept:
        said = pl.when(kept["in_need"]).then(pl.lit("yes")).otherwise(pl.lit("no"))
        shown = shown.with_columns(said.alias(kept["in_need"]))
    empty = [h for h in _PLACES if h in shown.columns and shown[h].is_null().all()]
    large = {h for h in _PLACES if h in shown.columns and (shown[h].abs() >= _LARGE).any()}
    places = {h: 0 if h in large else n for h, n in _PLACES.items()}
    hidden = [*(c for c in shown.columns if c not in kept.values()), *empty]
    return make_table(
        shown, {ON_LIST}, places, whole=("People", "Rank"), hidden=hidden, names=CODES
    )


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
        pl.col("population").alias("People"),
        pl.col("need").alias("People in areas in need"),
    )
    return make_table(why, whole=_PEOPLE, names=_NAMES)


def _figures(worked: AllocationResult) -> tuple[Figure, ...]:
    """Give how many areas and people are on the list, in need, and what that costs."""
    a, (n, needy) = worked.allocation, (worked.allocation.selected, worked.allocation.in_need)
    many, in_need = int(n.sum()), int((n & needy).sum())
    spent = (
        ()
        if a.spent is None
        else (Figure("spent", "Awards in all", a.spent, money(a.spent), "GBP"),)
    )
    return (
        Figure("selected", f"{a.areas.plural.capitalize()} on the list", many, f"{many:,}"),
        Figure("selected_in_need", "Of these, in need", in_need, f"{in_need:,}"),
        Figure("people_selected", "People there", a.people, format_people(a.people), "people"),
        Figure(
            "people_selected_in_need",
            "Of these, in areas in need",
            a.people_in_need,
            format_people(a.people_in_need),
            "people",
        ),
        *spent,
    )


def _list(worked: AllocationResult) -> Section:
    a, frame = worked.allocation, table_of(worked)
    land = worked.results.outline
    behind = land if len(land) else worked.shapes
    chart = allocation_map(named(worked, "map"), a, behind, worked.shapes)
    chosen = _columns(frame.filter("selected"), "why")
    notes = {
        "Margin": "Margin: how far an area is inside the cut-off, in the unit of need.",
        "Margin in group": "Margin in group: the same among the areas that share the tightest cap.",
    }
    told = [f"Need: {ranked_by(a.programme.rank, worked.results.label)}. Higher is worse."]
    told += [note for head, note in notes.items() if head in chosen.frame.columns]
    tables = [
        Table(
            named(worked, "selected"),
            f"{_who(worked).replace('Areas', a.areas.plural.capitalize())}, neediest first",
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
                "Next in line when awards ran out",
                _columns(next_up, "why", "order"),
                "Margin: how far outside the cut-off.",
            )
        )
    tables.append(
        Table(named(worked, "why"), "Why others are not on the list", _passed_over(worked, frame))
    )
    return Section(
        _who(worked),
        figures=_figures(worked),
        charts=() if chart is None else (chart,),
        tables=tuple(tables),
    )


def _cap(worked: AllocationResult) -> Section | None:
    a, frame = worked.allocation, table_of(worked)
    if not a.cost.passed_over.any():
        return None
    cost, over = a.cost, frame.filter("passed_over")
    why = over["why"].unique().to_list()
    alike = f"The reason is the same for all: {why[0]}. " if len(why) == 1 else ""
    table = pl.DataFrame(
        {
            "Who": ["Miss out because of a cap", "Get an award in their place"],
            "Areas": [int(cost.passed_over.sum()), int(cost.instead.sum())],
            "People": [cost.people, cost.people_instead],
            "People in areas in need": [cost.people_in_need, cost.people_in_need_instead],
        }
    )
    return Section(
        "The effect of the caps",
        text=(
            "We applied the same rule without its caps, with the same number of awards. The tables show who misses out "
            "because of a cap, and who gets an award instead. Whether that is worth it is for the people who set the "
            "cap.",
        ),
        tables=(
            Table(
                named(worked, "cap-cost"),
                "Who gains and who loses by the caps",
                make_table(table, whole=_PEOPLE, names=_NAMES),
            ),
            Table(
                named(worked, "passed-over"),
                "Areas that miss out because of a cap, neediest first",
                _columns(over, "order", *(["why"] if alike else [])),
                f"{alike}Margin: how far above the last area on the list. Margin in group: how far below the last one "
                "of its own group.",
                ROWS,
            ),
        ),
    )


def _sure(worked: AllocationResult) -> Section | None:
    c, a = worked.certainty, worked.allocation
    if c is None:
        return None
    shown = a.selected | (c.selected >= UNSURE)
    names = [n or k for n, k in a.areas.table.select("name", "code").filter(shown).iter_rows()]
    chart = share_chart(
        named(worked, "sure"),
        names,
        c.selected[shown],
        a.selected[shown],
        a.areas.plural,
    )
    mean, low, high = float(c.kept.mean()), int(c.kept.min()), int(c.kept.max())
    stay = Figure(
        "selected_that_stay", f"{a.areas.plural.capitalize()} that stay on the list, on average", mean,
        f"{mean:.0f} of {int(a.selected.sum()):,}", low=low, high=high, about=f"between {low:,} and {high:,}",
    )  # fmt: skip
    return Section(
        "How certain the list is",
        figures=(stay,),
        text=(
            f"We applied the rule {c.n_draws:,} times. Each time we varied {varied_words(worked)}, as the study says. "
            "Exclusions, caps, populations and the number of awards stayed the same.",
        ),
        charts=(chart,),
    )


def _built(worked: AllocationResult) -> Section | None:
    if worked.built is None:
        return None
    b = worked.built
    left = b.left()
    shown = left.select(Code="code", Neighbourhood="name", People="population", Why="why")
    sizes = b.areas.population
    return Section(
        "How the areas were built up",
        text=(
            f"We joined {len(b.small):,} {b.small.plural} to {len(b.areas):,} contiguous areas of "
            f"{sizes.min():,.0f} to {sizes.max():,.0f} people. Each area starts from the neediest one left and adds "
            "the neediest neighbour that fits, until it has enough people. The rest join a neighbour with room. Other "
            "ways to join them would give other areas.",
        ),
        tables=(
            Table(
                named(worked, "left"),
                "Not in any of these areas",
                make_table(shown, whole=["People"], names={"Neighbourhood": "name"}),
                rows=ROWS,
            ),
        )
        if len(left)
        else (),
    )


def _against(worked: AllocationResult, against: AllocationComparison) -> Section:
    title = against.other.allocation.programme.title
    part = comparison_section(worked, title, against.difference)
    return replace(part, warnings=allocation_cautions(against.other))
