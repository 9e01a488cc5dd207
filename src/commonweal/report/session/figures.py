"""The figures that a session's text may hold: filled in from results, never typed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.numbers import amount
from commonweal.document.words import people, percent
from commonweal.errors import StudyError, nearest
from commonweal.report.session.groups import slug
from commonweal.report.study.larger import tiers
from commonweal.report.study.tables import counts, label_of
from commonweal.study.names import rule_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from commonweal.report.session.state import State
    from commonweal.study.results import Results

__all__ = ["Figure", "figures", "fill", "state_figures"]

_PLACEHOLDER = re.compile(r"\{([^{}\n]*)\}")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its placeholder without the braces, as readers see it, and what it is."""

    key: str
    text: str
    about: str


def figures(name: str, results: Results) -> Iterator[Figure]:
    """Give what a text may say of a run.

    Parameters
    ----------
    name
        The study's short name in the session, with which each placeholder starts.
    results
        A run.

    Yields
    ------
    Figure
        Of the areas, of each designation (also by larger area), and of what changed since an
        earlier study.
    """
    areas = results.focused
    yield Figure(f"{name}.areas.count", f"{len(areas):,}", f"how many {areas.plural} there are")
    total = (
        float(areas.table["population"].sum())
        if not areas.table["population"].null_count()
        else math.nan
    )
    yield Figure(f"{name}.areas.people", people(total), f"who lives in the {areas.plural}")
    for key in results.designations:
        at, label, c = f"{name}.{key}", label_of(results, key), counts(results, key)
        them = f"{areas.plural} that are {label}"
        yield Figure(f"{at}.count", f"{c.selected:,}", them)
        yield Figure(
            f"{at}.share", percent(c.selected / c.of), f"share of {areas.plural} that are {label}"
        )
        yield Figure(f"{at}.people", people(c.population), f"who lives in {them}")
        yield Figure(f"{at}.label", label, "what a selected area is called")
        yield Figure(f"{at}.rule", rule_in_words(results, key), "the rule")
        yield Figure(
            f"{at}.near_misses", f"{c.near_misses:,}", f"{areas.plural} that are nearly {label}"
        )
        yield Figure(
            f"{at}.just_inside", f"{c.just_inside:,}", f"{areas.plural} that are only just {label}"
        )
        if c.authorities is not None:
            yield Figure(
                f"{at}.authorities", f"{c.authorities:,}", f"larger areas that hold {them}"
            )
        if c.sure is not None:
            yield Figure(f"{at}.sure", f"{c.sure:,}", "of them, those in at least 95 % of draws")
            yield Figure(
                f"{at}.toss_ups", f"{c.toss_ups:,}", "of them, those in 20 % to 80 % of draws"
            )
        levels = tiers(results)
        region = next((t for t in levels if t.key == "region"), levels[0] if levels else None)
        if region is not None:
            chosen = results.designations[key].selected[results.focus]
            inside = areas.table.with_columns(chosen=pl.Series(chosen)).drop_nulls(
                f"{region.key}_name"
            )
            by_name = (
                inside.group_by(f"{region.key}_name")
                .agg(pl.col("chosen").sum())
                .sort(f"{region.key}_name")
            )
            for place, n in by_name.iter_rows():
                yield Figure(f"{at}.in.{slug(place)}.count", f"{n:,}", f"{them} in {place}")
    if results.since_listed is not None:
        title, c_ = results.since_listed
        for word in ("stay", "enter", "leave"):
            n = int(getattr(c_, word).sum())
            yield Figure(
                f"{name}.since.{word}", f"{n:,}", f"{areas.plural} that {word} since {title}"
            )


def state_figures(name: str, found: State) -> Iterator[Figure]:
    """Give what a text may say of a state: each measure's middle, and that of each group."""
    for measure in (*found.measures, *found.ratios):
        about, unit = (
            measure.about,
            "times the middle of all" if measure.ratio else measure.about.unit,
        )
        for row in measure.frame.iter_rows(named=True):
            group = "median" if row["group"] == "all" else row["group"]
            if not math.isnan(row["median"]):
                said = amount(row["median"], unit)
                yield Figure(
                    f"{name}.{about.name}.{group}", said, f"{about.label}, middle: {row['label']}"
                )
    for path in found.lack.paths:
        for row in found.lack.frame.iter_rows(named=True):
            if row[path] is not None:
                key = f"{name}.worst_tenth.{path.split('/')[-1]}.{row['group']}"
                yield Figure(
                    key, percent(row[path]), f"share of people in the worst tenth: {row['label']}"
                )


def fill(text: str, known: Mapping[str, Figure], where: str) -> tuple[str, list[Figure]]:
    """Put figures in place of placeholders.

    Parameters
    ----------
    text
        With placeholders such as ``{left-behind-2019.left_behind.count}``.
    known
        Every figure by its key.
    where
        What messages call the text.

    Returns
    -------
    tuple of str and list of Figure
        The text, and the figures in it in their order.

    Raises
    ------
    StudyError
        If a placeholder is unknown: the message has the nearest, and all there are below the same
        study and part.
    """
    used: list[Figure] = []

    def put(match: re.Match[str]) -> str:
        key = match[1].strip()
        if key not in known:
            raise StudyError(f"{where}: {{{key}}}: there is no such figure; {_instead(key, known)}")
        used.append(known[key])
        return known[key].text

    return _PLACEHOLDER.sub(put, text), used


def _instead(key: str, known: Mapping[str, Figure]) -> str:
    """Say what there is in place of an unknown figure: the nearest, and those beside it."""
    parts = key.split(".")
    for depth in range(len(parts) - 1, 0, -1):
        start = ".".join(parts[:depth]) + "."
        beside = [k for k in known if k.startswith(start)]
        if beside:
            here = sorted({start + k.removeprefix(start).split(".")[0] for k in beside})
            listed = ", ".join(f"{k}.…" if k not in known else k for k in here)
            close = nearest(key, beside)
            hint = f"{close} " if close.startswith("did you mean") else ""
            return f"{hint}There are {listed}"
    return f"{nearest(key, known)}; figures start with {', '.join(sorted({k.split('.')[0] for k in known}))}"
