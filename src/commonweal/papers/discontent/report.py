"""The report on places that don't matter, with its chart."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.chart.lines import Line, Points, line_chart
from commonweal.chart.theme import BLUE, INK, Mark, round_axis, short_number
from commonweal.chart.vega import scatter
from commonweal.document.model import Document, Section, Table, TableData, make_table
from commonweal.document.write import source_lines
from commonweal.papers.discontent.models import GROWTH, partial_regression, shrinkage
from commonweal.papers.discontent.text import (
    answer,
    coverage_sentences,
    diagnostics,
    labels,
    people_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from commonweal.document.model import Chart
    from commonweal.papers.discontent import Jackknife, Term
    from commonweal.papers.discontent.data import JoinStep
    from commonweal.papers.discontent.models import Column
    from commonweal.papers.discontent.results import ControlledDifference, Discontent


_AUTHORITY = Mark("circle", f'fill="{BLUE}" fill-opacity="0.45"')


def growth_chart(
    id_: str, column: Column, table: pl.DataFrame, named: Sequence[int], held: str
) -> Chart:
    """Draw the Leave share by growth, each less what the other predictors predict of it."""
    x, y = partial_regression(column.model, GROWTH)
    slope = column.model.term(GROWTH).estimate
    way = "falls" if slope < 0 else "rises"
    title = (
        f"Leave share {way} by {abs(slope):.2f} points for each 1% a year of growth, {column.title}"
    )
    about = (
        f"Each dot is an authority: its growth and its Leave share, less what {held} predict. Larger dots have more "
        "electors. Line: the fitted slope."
    )
    numbers = TableData(
        pl.DataFrame(
            {
                "Authority": table["name"],
                "Growth beyond, % a year": x,
                "Leave beyond, points": y,
                "Electorate": table["electorate"].cast(pl.Int64),
            }
        ).sort("Growth beyond, % a year", "Authority")
    )
    people = table["electorate"].to_numpy()
    names = {i: table["name"][i] for i in named}
    x_axis = round_axis(
        x.tolist(), short_number, "Growth less what the others predict, % a year", 5
    )
    y_axis = round_axis(
        y.tolist(), short_number, "Leave share less what the others predict, points", 5
    )
    ends = np.array([x.min(), x.max()])
    sizes = 2 + 5 * np.sqrt(people / people.max())
    return line_chart(
        id_, title, about,
        [Points(x, y, [_AUTHORITY], sizes), Line(ends, slope * ends, 2, INK),
         Points(x[named], y[named], [_AUTHORITY], sizes[named], dict(enumerate(names.values())))],
        numbers, scatter(*numbers.frame.columns[1:]), x_axis, y_axis,
    )  # fmt: skip


_LIMITS = (
    "This is association, not cause. Areas that differ in growth differ in much else that is not in the tables.",
    "It describes areas. It does not show how any one person voted.",
    "Growth and industry are measured for regions of several authorities: 143 values, not 340.",
    "Ethnicity, migration and turnout are not held constant. The BBC's analysis of the ward counts found that "
    "ethnicity matters, and left-behind wards are mostly estates away from inner cities.",
    "Councils chose whether to give ward counts. A ward's postal votes were often mixed with others'.",
    "The list of left-behind wards and the deprivation scores date from 2019, after the vote.",
)
_ASSUMPTIONS = (
    "The model follows the two works named below, with our choice of data. Their own data and coefficients were not "
    "available to us, so this does not reproduce them.",
    "We use published growth of value added in small regions as it is. Its margin of error is not published.",
)
_WORKS = (
    "rodriguez-pose-2018",
    "dijkstra-2020",
    "rosenbaum-2017",
    "local-trust-2019",
    "iod-2019",
    "bolet-2021",
)


def _vote(found: Discontent) -> Section:
    """Compare decline and the vote."""
    table = found.authorities.table
    most = [int(i) for i in found.influence.most(5)]
    first, _, last = found.columns
    return Section(
        "Decline and the vote",
        text=(
            "This compares the Leave share of local authorities with the growth of their region from 1998 to 2015, "
            "with more held constant from column to column. Authorities are weighted by electorate. Errors are "
            "clustered by region, the level at which growth and industry are measured.",
        ),
        charts=(
            growth_chart("growth-alone", first, table, most, "the level of 1998 and Wales"),
            growth_chart("growth-people", last, table, most, "all other predictors"),
        ),
        tables=(
            Table("columns", "The model in three columns", _columns(found), _PER_UNIT),
            Table("fits", "How well each column fits", _fits(found)),
        ),
    )


def _trust(found: Discontent) -> Section:
    """Give the checks of the model."""
    return Section(
        "Checks of the model",
        points=diagnostics(found),
        tables=(
            Table("readings", "Growth, defined in other ways", _readings(found), _OF_LAST),
            Table("influence", "The ten most influential authorities", _influence(found)),
            Table("neighbours", "Growth, allowing for similar neighbours", _spatial(found)),
            Table("overlap", "Overlap of predictors", _overlap(found)),
        ),
        warnings=(
            "Shares of manufacturing by volume, as in the columns above, depend on the price year. Shares at current "
            "prices do not, and the link with growth is weaker with them.",
        ),
    )


def _wards(found: Discontent) -> Section:
    """Compare how left-behind wards voted."""
    return Section(
        "Left-behind wards",
        text=(
            "This compares wards on the published list of 225 with other wards of the same authority, weighted by "
            "votes. Deprivation is the index of 2019. Education is its education domain, adults with few "
            "qualifications, and young people who do not go on to higher education.",
        ),
        points=(
            "“From” and “to” give the 95% interval. The wider interval leaves out each cluster in turn; it is safer "
            "where few clusters have both kinds of ward.",
            "“On the list” counts the wards on the list, or the authorities that have some.",
        ),
        tables=(
            Table("wards", "Difference in Leave share, points", _held(found.held)),
            Table(
                "ward-checks",
                "The same, measured in other ways",
                _held(found.checks),
                "Deprivation and education are held constant in each.",
            ),
            Table(
                "authorities",
                "Local authorities of England, per 10 points of people in left-behind wards",
                _held(found.by_authority),
            ),
        ),
    )


def discontent_document(found: Discontent) -> Document:
    """Make the report: tables, charts of the partial regressions, limits, sources."""
    sources = [s for v in (*found.authorities.variables, *found.wards.variables) for s in v.sources]
    joining = ["lookup-lad16-nuts", "lookup-lsoa11-wd17-ons", "population-wd17-2017"]
    return Document(
        name="discontent",
        title="Places that don't matter",
        heading="Decline, left-behind areas and the vote of 2016, England and Wales",
        answer=answer(found),
        sections=(
            _vote(found),
            _trust(found),
            _wards(found),
            Section(
                "Data used",
                text=coverage_sentences(found),
                tables=(
                    Table("variables", "Every column and its source", _variables(found)),
                    Table(
                        "authorities-joined",
                        "How authorities were joined",
                        _steps(found.authorities.steps),
                    ),
                    Table("wards-joined", "How wards were joined", _steps(found.wards.steps)),
                ),
            ),
        ),
        assumptions=_ASSUMPTIONS,
        limits=_LIMITS,
        works=_WORKS,
        sources=source_lines([*sources, *joining]),
        account=_account(found),
    )


def _account(found: Discontent) -> tuple[tuple[str, object], ...]:
    """Give the settings, and every estimate of the checks."""
    near = found.dependence
    return (
        ("permutations", near.moran[4].draws),
        ("seed", 2016),
        ("shrinkage", shrinkage(found.columns)),
        ("without_each_region", _jackknife(found.by_region)),
        ("without_the_ten", asdict(found.without.term(GROWTH))),
        ("moran", {str(k): {"i": m.i, "p": m.p, "draws": m.draws} for k, m in near.moran.items()}),
        (
            "spatial",
            {
                f.kind: {
                    "terms": {t.name: asdict(t) for t in (*f.terms, f.spatial)},
                    "total": f.total,
                    "aic": f.aic,
                    "aic_without_neighbours": f.aic_ols,
                }
                for f in (near.error, near.lag)
            },
        ),
    )


def _jackknife(found: Jackknife) -> dict[str, object]:
    return {"estimates": found.estimates, **asdict(found.term)}


_PER_UNIT = "Points of Leave share per unit, with standard errors."
_OF_LAST = "Points of Leave share per 1% a year of growth. The 95% interval is for the last column."


_SHORT = ("Alone", "Industry", "People")


def _columns(found: Discontent) -> TableData:
    names, units = labels(found), {v.name: v.unit for v in found.authorities.variables}
    terms = found.columns[-1].model.terms
    frame: dict[str, list[str] | list[float | None]] = {
        "Predictor": [names[t.name] for t in terms],
        "Unit": [units.get(t.name, "") for t in terms],
    }
    for short, column in zip(_SHORT, found.columns, strict=True):
        there = {t.name: t for t in column.model.terms}
        ours = [there.get(t.name) for t in terms]
        frame[short] = [t.estimate if t else None for t in ours]
        frame[f"s.e. {short.lower()}"] = [t.se if t else None for t in ours]
    every = [
        {"column": column.title, "label": names[t.name], **asdict(t)}
        for column in found.columns
        for t in column.model.terms
    ]
    return TableData(pl.DataFrame(frame), data=pl.DataFrame(every))


def _fits(found: Discontent) -> TableData:
    models = [column.model for column in found.columns]
    frame = {
        "Column": [column.title.capitalize() for column in found.columns],
        "R2": [m.r2 for m in models],
        "Authorities": [m.rows for m in models],
        "Regions": [m.groups for m in models],
    }
    return TableData(pl.DataFrame(frame))


def _readings(found: Discontent) -> TableData:
    frame: dict[str, list[str] | list[float] | list[int]] = {
        "Reading": [_begun(r.title) for r in found.readings]
    }
    for k, short in enumerate(_SHORT):
        frame[short] = [r.models[k].term(GROWTH).estimate for r in found.readings]
    last = [r.models[-1].term(GROWTH) for r in found.readings]
    frame["From"], frame["To"] = [t.low for t in last], [t.high for t in last]
    frame["Areas"] = [r.models[-1].rows for r in found.readings]
    every = [
        {"reading": r.title, "column": c.title, "rows": m.rows, "groups": m.groups, "r2": m.r2}
        | asdict(m.term(GROWTH))
        for r in found.readings
        for c, m in zip(found.columns, r.models, strict=True)
    ]
    return TableData(pl.DataFrame(frame), data=pl.DataFrame(every))


def _influence(found: Discontent) -> TableData:
    at = found.influence.most().tolist()
    table, i = found.authorities.table, found.influence
    growth = found.columns[-1].model.term(GROWTH).estimate
    k = people_at(found)
    frame = pl.DataFrame(
        {
            "Authority": [table["name"][j] for j in at],
            "Cook's distance": i.cook[at],
            "Leverage": i.leverage[at],
            "Studentised residual": i.studentised[at],
            "Growth without it": growth + i.change[at, k],
        }
    )
    return TableData(frame, places={"Cook's distance": 3, "Leverage": 3})


def _spatial(found: Discontent) -> TableData:
    near, at = found.dependence, people_at(found)
    rows = [
        ("Weighted by electorate, as above", found.columns[-1].model.term(GROWTH), None, None),
        ("Every authority counts equally", near.plain.term(GROWTH), None, near.error.aic_ols),
        ("Errors that neighbours share", near.error.terms[at], near.error.spatial, near.error.aic),
        ("Votes that neighbours share", near.lag.terms[at], near.lag.spatial, near.lag.aic),
    ]
    frame = {
        "Model": [title for title, *_ in rows],
        **_bounds([term for _, term, *_ in rows]),
        "Shared (lambda or rho)": [s.estimate if s else None for *_, s, _ in rows],
        "Akaike's criterion": [aic for *_, aic in rows],
    }
    return TableData(pl.DataFrame(frame), places={"Akaike's criterion": 0})


def _overlap(found: Discontent) -> TableData:
    names = labels(found)
    frame = {
        "Predictor": [names[n] for n in found.inflation],
        "Variance inflation": list(found.inflation.values()),
    }
    return TableData(pl.DataFrame(frame))


def _held(rows: Sequence[ControlledDifference]) -> TableData:
    frame = {
        "Held constant": [_begun(h.held) for h in rows],
        **_bounds([h.model.term(h.term) for h in rows]),
        "Wider from": [h.jackknife.term.low for h in rows],
        "Wider to": [h.jackknife.term.high for h in rows],
        "Areas": [h.model.rows for h in rows],
        "On the list": [h.left_behind for h in rows],
        "p": [h.model.term(h.term).p for h in rows],
        "groups": [h.model.groups for h in rows],
        "r2": [h.model.r2 for h in rows],
        "without_each": [_jackknife(h.jackknife) for h in rows],
    }
    hidden = ("p", "groups", "r2", "without_each")
    names = {"Points": "estimate", "s.e.": "se", "From": "low", "To": "high"}
    return make_table(pl.DataFrame(frame), hidden=hidden, names=names)


def _begun(title: str) -> str:
    """Begin with a capital and leave the rest, such as GDP, as it is."""
    return title[:1].upper() + title[1:]


def _bounds(terms: Iterable[Term]) -> dict[str, list[float]]:
    """Give estimates with their standard errors and intervals as columns."""
    terms = list(terms)
    return {
        "Points": [t.estimate for t in terms],
        "s.e.": [t.se for t in terms],
        "From": [t.low for t in terms],
        "To": [t.high for t in terms],
    }


def _variables(found: Discontent) -> TableData:
    tables = [("authorities", found.authorities.variables), ("wards", found.wards.variables)]
    rows = [(where, v) for where, variables in tables for v in variables]
    frame = {
        "Column": [v.label for _, v in rows],
        "Unit": [v.unit for _, v in rows],
        "When": [v.year for _, v in rows],
        "Measured for": [v.of for _, v in rows],
        "Table": [where for where, _ in rows],
        "Sources": [", ".join(v.sources) for _, v in rows],
    }
    return TableData(pl.DataFrame(frame))


def _steps(steps: Sequence[JoinStep]) -> TableData:
    frame = {
        "Step": [s.what for s in steps],
        "Kept": [s.kept for s in steps],
        "Lost": [", ".join(s.lost) for s in steps],
    }
    return TableData(pl.DataFrame(frame), names={"Step": "what"})
