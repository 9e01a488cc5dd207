"""The results as Parquet tables: every number, for R, Python and databases."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.files.csv import csv_of_frame
from commonweal.report.study.tables import class_ranks, designation_table, extras, selected_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from commonweal.indicators import Indicators
    from commonweal.study.results import Results


def data_tables(results: Results) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Give every table: the name of its file, what it holds in words, and the frame.

    A study with one designation gives ``areas``, ``indicators``, ``prepared`` (where it prepares any), ``scores``,
    ``list`` (a CSV), ``designation``, ``certainty``, ``draws``, ``sensitivity`` (a CSV), ``sensitivity_areas`` and
    ``summaries``; with several, ``designation-<name>`` and so on.
    """
    areas = results.areas
    yield (
        "areas.parquet",
        f"The {len(areas):,} {areas.plural}: code, name, larger areas, population, longitude and latitude"
        f"{', and which are in focus' if results.study.focus else ''}.",
        areas.table.with_columns(in_focus=pl.Series(results.focus))
        if results.study.focus
        else areas.table,
    )
    yield from _indicator_tables(results)
    if results.extra is not None:
        ranks = {f"{one.about.name}.rank": one.rank for one in extras(results)}
        yield (
            "shown.parquet",
            "The indicators that the study shows: values as measured, and ranks (1 = greatest need).",
            _values(results.extra).hstack(pl.DataFrame(ranks).fill_nan(None).cast(pl.Int32)),
        )
    if results.study.prepare:
        yield (
            "prepared.parquet",
            "What the study did to the indicators first: every value changed, before and after, and why.",
            pl.concat(p.to_frame() for p in results.preparations),
        )
    yield (
        "scores.parquet",
        "Every index and domain: score, rank (1 = greatest need), decile, and what each domain adds to the score.",
        _scores(results),
    )
    if results.trends:
        yield (
            "trends.parquet",
            "Every index over the years: scores and ranks on one scale, change, and what it is made of.",
            _trends(results),
        )
    alone = len(results.designations) == 1
    for name in results.designations:
        yield from _designation_tables(results, name, "" if alone else f"-{name}")
    if results.summaries:
        yield (
            "summaries.parquet",
            "Larger areas, one row for each and each index: five summaries of the areas inside.",
            _summaries(results),
        )


def _indicator_tables(results: Results) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Give indicators on the study's own areas in one table, those on others in one for each index."""
    here = pl.DataFrame({"code": results.areas.codes})
    own, state = False, "prepared" if results.study.prepare else "published"
    elsewhere: list[tuple[str, Indicators]] = []
    for index, indicators in results.indicators.items():
        if list(indicators.codes) != results.areas.codes:
            elsewhere.append((index, indicators))
            continue
        own = True
        frame = _values(indicators)
        here = here.hstack(frame.select(c for c in frame.columns if c not in here.columns))
    if own:
        yield "indicators.parquet", f"What the indices are made from, as {state}.", here
    for index, indicators in elsewhere:
        yield (
            f"indicators-{index}.parquet",
            f"What the index {index} is made from, as {state}, on the areas that it is built on "
            f"({indicators.system}).",
            _values(indicators),
        )


def _values(indicators: Indicators) -> pl.DataFrame:
    frame = indicators.to_frame()
    errors = indicators.standard_errors
    if errors is None:
        return frame
    stated = [i for i in range(len(indicators.meta)) if not np.isnan(errors[:, i]).all()]
    columns = {f"{indicators.meta[i].name}.standard_error": errors[:, i] for i in stated}
    return frame.hstack(pl.DataFrame(columns).fill_nan(None)) if columns else frame


def _scores(results: Results) -> pl.DataFrame:
    frame = pl.DataFrame({"code": results.areas.codes})
    for scores in results.scores.values():
        if list(scores.codes) == results.areas.codes:
            frame = frame.hstack(scores.to_frame().drop("code"))
        else:
            frame = frame.join(scores.to_frame(), on="code", how="left", maintain_order="left")
    for index in results.scores:
        for found in class_ranks(results, index):
            ranks = {
                f"{index}.rank_within_{found.kind}": found.rank,
                f"{index}.decile_within_{found.kind}": found.decile,
            }
            frame = frame.hstack(pl.DataFrame(ranks).fill_nan(None).cast(pl.Int32))
    return frame


def _trends(results: Results) -> pl.DataFrame:
    frame = pl.DataFrame({"code": results.areas.codes})
    for found in results.trends.values():
        frame = frame.join(found.to_frame(), on="code", how="left", maintain_order="left")
    return frame


def _summaries(results: Results) -> pl.DataFrame:
    blocks = [
        table.select(
            pl.lit(parent).alias("larger_area"), pl.lit(index).alias("index"), "code", "name",
            pl.exclude("code", "name"),
        )
        for (parent, index), table in results.summaries.items()
    ]  # fmt: skip
    return pl.concat(blocks)


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a table, as its name ends; through Python's own file, whose errors say that a disk is full."""
    if path.suffix == ".csv":
        path.write_bytes(csv_of_frame(frame))
        return
    packed = io.BytesIO()
    frame.write_parquet(packed, compression="zstd")
    path.write_bytes(packed.getbuffer())


def _designation_tables(
    results: Results, name: str, end: str
) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Give the tables of one designation, whose files end in a text."""
    yield (
        f"list{end}.csv",
        "Every area on the list, by rank, with its distance to the cut-off and what would change the result.",
        designation_table(results, name, selected_rows(results.designation_in_focus(name))).frame,
    )
    yield (
        f"designation{end}.parquet",
        "Which areas are on the list, how far each is from each cut-off, and what would change the result.",
        results.designations[name].to_frame(),
    )
    sure = results.certainty.get(name)
    if sure is not None:
        yield (
            f"certainty{end}.parquet",
            "How often each area is on the list, and its rank at 5%, 50% and 95% of the recalculations.",
            sure.to_frame(),
        )
        yield f"draws{end}.parquet", "The assumptions of each recalculation.", sure.draws_frame()
    matters = results.sensitivity.get(name)
    if matters is not None:
        yield (
            f"sensitivity{end}.csv",
            "Sources of uncertainty: the share of each in the changes of ranks and of the list.",
            matters.to_frame(),
        )
        yield (
            f"sensitivity_areas{end}.parquet",
            "The biggest source of uncertainty of each area, and how often each assumption changes its result.",
            matters.areas_frame(),
        )
