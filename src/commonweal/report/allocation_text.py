"""An allocation in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.areas.catalogue import load_systems
from commonweal.document.format import (
    NOT_A_CHANCE,
    SURE,
    format_count,
    format_people,
    join_words,
    living,
    percent,
)
from commonweal.report.study.sensitivity import describe_assumption
from commonweal.study.names import parent_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from commonweal.invest.allocation.allocate import Allocation
    from commonweal.invest.allocation.comparison import AllocationDifference, PublishedComparison
    from commonweal.invest.allocation.on_study import AllocationComparison, AllocationResult


ROWS = 60
"""Rows of a long list that stand on the page; its file has all."""

ON_LIST = "On the list in (% of recalculations)"

_HEADS = {
    "order": "No.",
    "code": "Code",
    "name": "Name",
    "constituency_name": "Constituency",
    "population": "People",
    "need": "Need",
    "rank": "Rank",
    "margin": "Margin",
    "cap_margin": "Margin in group",
    "share_of_draws": ON_LIST,
    "in_need": "In need",
    "why": "Why not",
}
CODES = {h: c for c, h in _HEADS.items() if not c.endswith("_name")}
"""Names of columns for programs, by head."""


def heads(columns: Sequence[str]) -> dict[str, str]:
    """Give the heads of those columns of a table of areas that readers see, larger areas before people."""
    larger = load_systems().shown(c.removesuffix("_name") for c in columns if c.endswith("_name"))
    found: dict[str, str] = {}
    for column, head in _HEADS.items():
        if column == "population":
            found |= {f"{parent}_name": level.capitalize() for level, parent in larger.items()}
        found[column] = head
    return {column: head for column, head in found.items() if column in columns}


def money(pounds: float) -> str:
    """Say an amount in pounds, in millions or billions where it is one.

    >>> money(2_920_000_000), money(20_000_000), money(1500)
    ('£2.92 billion', '£20 million', '£1,500')
    """
    for unit, size in (("billion", 1e9), ("million", 1e6)):
        if pounds >= size:
            return f"£{pounds / size:.2f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"£{pounds:,.0f}"


def _areas(allocation: Allocation, n: int) -> str:
    return format_count(n, allocation.areas.singular, allocation.areas.plural)


def allocation_answer(
    worked: AllocationResult, against: AllocationComparison | None = None
) -> tuple[str, ...]:
    """Say who is on the list, how certain that is, what a cap costs, and what another rule would change."""
    a = worked.allocation
    n = int(a.selected.sum())
    spent = "" if a.spent is None else f", {money(a.spent)} in all"
    got = "get an award" if a.programme.money else "are on the list"
    needy = int((a.selected & a.in_need).sum())
    many = "all" if needy == n else f"{a.people_in_need:,.0f}"
    share = f"({needy:,} of the {n:,})"
    people = living(a.people)
    those = (
        f"; in need {share}" if np.isnan(a.people) else f", {many} of them in areas in need {share}"
    )
    told = [
        f"{_areas(a, n)} {got}{spent}. {people[:1].upper()}{people[1:]}{those}.",
        f"In need means {in_need_words(worked)}.",
    ]
    if (cost := a.cost).passed_over.any():
        over = int(cost.passed_over.sum())
        told.append(
            f"Because of the {'caps' if len(a.programme.caps) > 1 else 'cap'}, {_areas(a, over)} with more need "
            f"{'misses' if over == 1 else 'miss'} out. They have {format_people(cost.people)}, "
            f"{cost.people_in_need:,.0f} of them in areas in need. "
            f"{int(cost.instead.sum()):,} {'takes' if int(cost.instead.sum()) == 1 else 'take'} their place, with "
            f"{format_people(cost.people_instead)}, {cost.people_in_need_instead:,.0f} of them in areas in need."
        )
    if (c := worked.certainty) is not None:
        sure = int((c.selected[a.selected] >= SURE).sum())
        told.append(
            f"We recalculated the list {c.n_draws:,} times with different assumptions. {sure:,} of the {n:,} stay on "
            f"it in at least 95% of recalculations. On average {c.kept.mean():.0f} stay, and never fewer than "
            f"{int(c.kept.min()):,}. {NOT_A_CHANCE}"
        )
    if against is not None:
        d, other = against.difference, against.other.allocation
        apart = (
            ""
            if d.areas.codes == a.areas.codes
            else f" Here need is measured for each of the {d.areas.plural}, so the numbers differ from those above."
        )
        told.append(
            f"Compared with {other.programme.title}: {format_people(d.people(d.both))} are covered by both lists "
            f"({d.people(d.both, in_need=True):,.0f} in areas in need), "
            f"{format_people(d.people(d.only_first))} by this "
            f"one only ({d.people(d.only_first, in_need=True):,.0f} in need) and "
            f"{format_people(d.people(d.only_second))} by the other only "
            f"({d.people(d.only_second, in_need=True):,.0f} in need).{apart}"
        )
    return tuple(told)


def in_need_words(worked: AllocationResult) -> str:
    """Say who is in need by the yardstick of the rule, as the end of a sentence."""
    told = [
        ("in the " if c.worst else "a ") + str(c).replace(c.index, worked.results.label(c.index))
        for c in worked.allocation.programme.in_need
    ]
    return join_words(told)


def allocation_cautions(worked: AllocationResult) -> tuple[str, ...]:
    """Say what a reader must know: what is left out, inferred or unknown; closed sources; ties."""
    a, told = worked.allocation, []
    for name in a.left_out:
        stated = a.programme.exclude.get(name)
        told.append(
            f"We left out an exclusion: {stated.what if stated else name}. So this is not the programme's list: areas "
            "that it excludes may be on it."
        )
    parts = rule_parts(worked)
    inferred = sum(not official for _, official, _ in parts)
    if inferred == len(parts):
        told.append("No part of this rule is official: each is inferred or our choice, and marked.")
    elif inferred:
        told.append(
            f"{inferred} of the {len(parts)} parts of this rule {'is' if inferred == 1 else 'are'} inferred or our "
            "choice, and marked."
        )
    if worked.published is not None:
        told += published_words(worked, worked.published)
    elif inferred or a.left_out:
        told.append(
            "We did not check this list against a published one (--published FILE), so it may differ from the "
            "programme's own."
        )
    if worked.closed:
        told.append(
            f"The list uses data that are not openly licensed ({'; '.join(worked.closed)}). Do not pass on their "
            "values, or scores and ranks made from them, without the owner's permission."
        )
    if a.tied.any():
        by = [*(path for path in a.programme.ties), "code"]
        told.append(
            f"{_areas(a, int(a.tied.sum()))} have the same need on both sides of a cut-off. The first by "
            f"{', then by '.join(by)} get an award."
        )
    return tuple(told)


def published_words(worked: AllocationResult, p: PublishedComparison) -> Iterator[str]:
    """Say how the list differs from a published one."""
    n = len(p.matched) + len(p.missed)
    share = None if worked.certainty is None else worked.certainty.selected
    apart = ""
    if share is not None and len(p.matched) and len(p.extra):
        apart = (
            f" Areas on both lists are on ours in {percent(float(share[p.matched].mean()))} of recalculations on "
            f"average, areas on ours alone in {percent(float(share[p.extra].mean()))}. That does not show which list "
            "is right."
        )
    yield (
        f"Checked against the published list {p.file}: {len(p.matched):,} of its {n:,} are on ours, {len(p.missed):,} "
        f"{'is' if len(p.missed) == 1 else 'are'} not, and ours has {format_count(len(p.extra), 'other', 'others')}."
        f"{apart}"
    )
    if p.elsewhere:
        some = f"{', '.join(p.elsewhere[:3])}{', ...' if len(p.elsewhere) > 3 else ''}"
        yield (
            f"{format_count(len(p.elsewhere), 'code', 'codes')} of {p.file} ({some}) "
            f"{'belongs' if len(p.elsewhere) == 1 else 'belong'} to no {worked.allocation.areas.singular} here."
        )


def differences(worked: AllocationResult) -> pl.DataFrame:
    """Give the areas on which the list differs from the published one, with why ours lacks them."""
    p = worked.published
    table = table_of(worked)
    if p is None:
        return table.clear().with_columns(difference=pl.lit(None, pl.String))
    codes = worked.allocation.areas.codes
    kinds = (("missed", p.missed), ("other", p.extra))
    known = {codes[int(row)]: kind for kind, rows in kinds for row in rows}
    return table.filter(pl.col("code").is_in(list(known))).with_columns(
        difference=pl.col("code").replace_strict(known)
    )


def rule_parts(worked: AllocationResult) -> list[tuple[str, bool, str]]:
    """Give the parts of the rule with names for readers, whether each is official, and its note."""
    a = worked.allocation
    out = {f"Not: {a.programme.exclude[n].what}" for n in a.left_out if n in a.programme.exclude}
    parts = a.programme.parts(worked.results.label, lambda parent: parent_words(parent)[0])
    return [
        (
            f"{part} (left out here)" if part in out else part,
            official,
            note,
        )
        for part, official, note in parts
    ]


def varied_words(worked: AllocationResult) -> str:
    """Say what the recalculations vary, with names for readers."""
    results, drawn = worked.results, worked.certainty
    certainty = results.study.certainty
    known = {} if certainty is None else {str(a.called): a for a in certainty.vary}
    return join_words(
        describe_assumption(results, known[name], law=False) if name in known else name
        for name in (() if drawn is None else drawn.varied)
    )


def why_words(worked: AllocationResult, why: str) -> str:
    """Say why an area was passed over, with names for readers."""
    for condition in worked.allocation.programme.eligible:
        if why == f"not in the {condition}":
            return why.replace(condition.index, worked.results.label(condition.index))
    return why


def table_of(worked: AllocationResult) -> pl.DataFrame:
    """Give one row an area, as `Allocation.to_frame`, with the share of draws where there are some."""
    frame = worked.allocation.to_frame()
    if worked.certainty is None:
        return frame
    share = pl.DataFrame(
        {"code": worked.allocation.areas.codes, "share_of_draws": worked.certainty.selected}
    )
    return frame.join(share, on="code", how="left", maintain_order="left")


def named(worked: AllocationResult, what: str) -> str:
    """Name a chart or table after its programme, so that those of several fit in one report."""
    return f"{what}-{worked.allocation.programme.name}"


def shares_of(difference: AllocationDifference) -> dict[str, NDArray[np.float64]]:
    """Name the shares of a comparison."""
    return {
        "both": difference.both,
        "this_only": difference.only_first,
        "other_only": difference.only_second,
    }
