"""The pages of indicators/: one for each indicator of the open index, from its study and its figures."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from cells import cell, table

from commonweal.evidence import cite, load_evidence
from commonweal.report.study.data_dictionary import COARSE, system_title
from commonweal.sources.catalogue import load_catalogue
from commonweal.spec.study import load_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from commonweal.index import Node
    from commonweal.sources import Source
    from commonweal.spec import Study
    from commonweal.spec.indicators import IndicatorSpec

FIGURES = Path(__file__).resolve().parent / "indicators" / "figures.csv"
HELPER = "Only made into others"  # in no index by themselves
POINTS = {"q0": "least", "q0.05": "5%", "q0.25": "25%", "q0.5": "median", "q0.75": "75%",
          "q0.95": "95%", "q1": "greatest"}  # fmt: skip
MAP = (
    "Each pixel is 2 km wide and has the colour of the neighbourhood whose middle is nearest. "
    "Darkest: the tenth with most need; lightest: the tenth with least; grey: no value. "
    "Towns, where most people live, are small on it."
)
CREDIT = (
    "Contains National Statistics data and Ordnance Survey data © Crown copyright and database right, "
    "licensed under the [Open Government Licence v3.0](https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/)."
)


@cache
def study() -> Study:
    return load_study("open-england")


@cache
def figures() -> dict[str, dict[str, Any]]:
    rows = pl.read_csv(FIGURES, schema_overrides={"map": pl.String}).to_dicts()
    return {row["indicator"]: row for row in rows}


@cache
def places() -> dict[str, list[str]]:
    """Give the labels of index, strand and so on that each indicator stands in, and its own weight."""

    def below(node: Node, labels: list[str]) -> Iterator[tuple[str, list[str]]]:
        for name, child in node.children.items():
            weight = f"{node.weights[name]:g}"
            if child.indicator:
                yield child.indicator, [*labels, weight]
            yield from below(child, [*labels, child.label or name.replace("_", " ")])

    found: dict[str, list[str]] = {}
    for name, root in study().index.items():
        found |= below(root, [root.label or name])
    return found


@cache
def catalogue() -> dict[str, Source]:
    return load_catalogue()


def sources_of(name: str) -> list[Source]:
    return [catalogue()[id_] for id_ in (figures()[name]["sources"] or "").split(", ")]


def marks(spec: IndicatorSpec, row: dict[str, Any]) -> list[str]:
    told = ["**Synthetic**: estimated by a model from the kind of area"] if spec.synthetic else []
    if row["measured_on"]:
        told.append(
            f"**Carried** to neighbourhoods (LSOA 2021) from {system_title(row['measured_on'])}"
        )
    if row["different"] < COARSE * row["known"]:
        told.append(
            f"**Coarse**: {row['different']:,} different values for {row['known']:,} neighbourhoods"
        )
    return told


def coverage(row: dict[str, Any]) -> str:
    share = row["known"] / row["areas"]
    return f"{row['known']:,} of {row['areas']:,} ({100 * share:.{0 if share == 1 else 1}f}%)"


def way(spec: IndicatorSpec, row: dict[str, Any]) -> str:
    """Say how it is made."""
    told = [f"`{spec.formula}`"] if spec.formula else []
    if spec.column:
        told.append(f"column `{spec.column}`")
    if spec.reach is not None:
        limit = f" within {spec.reach.minutes:g} minutes" if spec.reach.minutes else ""
        told.append(f"`{spec.reach.measure}` of {', '.join(spec.reach.to)}{limit}: {row['how']}")
    if spec.add:
        told.append("rows of the same area added up")
    if spec.complete:
        told.append(
            f"missing where it adds up to under {100 * spec.complete.at_least:.0f}% of the total of the authority"
        )
    if spec.per:
        out_of = f", times {spec.out_of:,g}" if spec.out_of != 1 else ""
        told.append(f"divided by {'residents' if spec.per == 'population' else spec.per}{out_of}")
    if spec.shrink:
        told.append(
            f"small areas drawn towards the rate of theirs among {system_title(spec.shrink)}"
        )
    return "; ".join(told)


def correlation(name: str, row: dict[str, Any]) -> str:
    if row["with_index"] is None:
        return ""
    index, *strand = places()[name][:2]
    told = f"{row['with_index']:.2f} with the index as a whole ({index})"
    if row["with_strand"] is not None:
        told = f"{row['with_strand']:.2f} with its strand ({strand[0]}), {told}"
    return f"Rank correlation (Spearman's), more need with more need: {told}.\n"


def evidence_for(spec: IndicatorSpec) -> list[tuple[str, str]]:
    """Give the works that bear out why it counts, as rows: how each is cited, and what it finds."""
    library = load_evidence() if spec.cites else None
    found = [(library.work(id_), cite(id_, library)) for id_ in spec.cites] if library else []
    return [
        ("Evidence", f"[{said.short}]({said.link}), {work.strength}: {work.finds}")
        for work, said in found
    ]


def page(name: str) -> str:
    spec, row = study().indicators[name], figures()[name]
    stands = places().get(name)
    where = (
        f"{', '.join(stands[:-1])}; weight {stands[-1]} beside its siblings" if stands else HELPER
    )
    sources = sources_of(name)
    facts = [
        ("Stands in", where),
        ("Unit", spec.unit),
        ("Direction", f"higher means {spec.higher_is} need"),
        ("Measured on", system_title(row["measured_on"] or "lsoa21")),
        ("How", way(spec, row)),
        ("Date", row["vintage"]),
        ("Source", "; ".join(f"{s.title}, {s.publisher} (`{s.id}`)" for s in sources)),
        ("Licence", "; ".join(dict.fromkeys(s.licence for s in sources))),
        ("Neighbourhoods with a value", coverage(row)),
        ("To beware of", spec.note),
        *evidence_for(spec),
    ]
    quantiles = [f"{row[q]:,.0f}" if abs(row[q]) >= 1000 else f"{row[q]:.4g}" for q in POINTS]
    credits_ = dict.fromkeys([CREDIT, *(s.attribution for s in sources)])
    parts = [
        f"# {spec.label}\n",
        f"{spec.about} {spec.why}\n",
        *(f"* {mark}." for mark in marks(spec, row)),
        "" if marks(spec, row) else None,
        table(["what", "answer"], [[head, cell(told)] for head, told in facts]),
        "## Distribution\n",
        table(list(POINTS.values()), [quantiles]),
        correlation(name, row),
        "## Map\n",
        f"![Map of England: {spec.label}, by tenths of need](maps/{name}.png)\n",
        f"{MAP}\n",
        *(f"{text}\n" for text in credits_),
        f"This page is generated from the study `open-england` (`{name}`) and from figures of a run of it. "
        "[All indicators](index.md)\n",
    ]
    return "\n".join(part for part in parts if part is not None)


def index_page() -> str:
    parts = [
        "# The indicators of the open index\n",
        f"This page is generated: the {len(study().indicators)} indicators of the study `open-england`, by strand. "
        "Each has a page: what it is, how it is made, from what, how its values are spread, and a map. "
        "[Make the open index yours](../how-to/open-index.md) says how to change them.\n",
    ]
    strands: dict[str, list[str]] = {}
    for name in study().indicators:
        stands = places().get(name)
        leaf_of_root = stands is not None and len(stands) == 2
        strand = HELPER if stands is None else stands[0] if leaf_of_root else stands[1]
        strands.setdefault(strand, []).append(name)
    for strand in sorted(strands, key=lambda strand: strand == HELPER):  # those come last
        parts.append(f"## {strand}\n")
        rows = []
        for name in strands[strand]:
            spec, row = study().indicators[name], figures()[name]
            flags = ", ".join(mark.split("**")[1].lower() for mark in marks(spec, row))
            licences = "; ".join(dict.fromkeys(s.licence for s in sources_of(name)))
            rows.append([f"[{cell(spec.label)}]({name}.md)", cell(spec.unit), cell(row["vintage"]), cell(licences),
                         coverage(row), flags])  # fmt: skip
        head = ["indicator", "unit", "date", "licence", "neighbourhoods with a value", "marks"]
        parts.append(table(head, rows))
    return "\n".join(parts)


def pages() -> dict[str, Callable[[], str]]:
    """Give what makes each page, by its place in docs/."""
    own = {f"indicators/{name}.md": partial(page, name) for name in study().indicators}
    return {"indicators/index.md": index_page, **own}
