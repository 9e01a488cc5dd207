"""What each column of the tables of a results folder is: title, meaning and unit, for programs."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import polars as pl

from commonweal.study.names import parent_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from commonweal.indicators import Indicator
    from commonweal.study.results import Results

_UNITS = {"population": "people", "longitude": "degrees", "latitude": "degrees"}


def describe_columns(
    results: Results, file: str, schema: Mapping[str, pl.DataType]
) -> Iterator[dict[str, str]]:
    """Describe the columns of a table, as the fields of a Table Schema, with meaning and unit if known."""
    meanings = _meanings(file)
    known = _indicators(results)
    labels = _labels(results)
    for name, kind in schema.items():
        said = next((meaning for fits, meaning in meanings if fits.fullmatch(name)), "")
        about = known.get(name.removesuffix(".standard_error"))
        unit = about.unit if about else _UNITS.get(name.lower(), "")
        if about and about.name == name:
            said = about.about or said
        told = {"title": _title(name, labels, about), "description": said, "unit": unit}
        yield {
            "name": name,
            "type": _type(kind),
            **{k: " ".join(v.split()) for k, v in told.items() if v},
        }


@cache
def _meanings(file: str) -> list[tuple[re.Pattern[str], str]]:
    """Give patterns of names of columns with what these mean, the most literal first."""
    stem, _, kind = file.removeprefix("data/").partition(".")
    table = f"{stem.split('-')[0]}.{'csv' if kind == 'csv' else 'parquet'}"
    told: Mapping[str, str] = _tables().get(table, {})
    parts = {name: re.split(r"<\w+>", name) for name in told}
    first = sorted(told, key=lambda name: -sum(map(len, parts[name])))
    return [(re.compile(".+".join(map(re.escape, parts[name]))), told[name]) for name in first]


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    """Read the meanings of columns, by table."""
    import yaml

    text = resources.files(__package__).joinpath("columns.yaml").read_text("utf-8")
    return dict(yaml.safe_load(text))


def _indicators(results: Results) -> dict[str, Indicator]:
    every = [*results.indicators.values(), *([results.extra] if results.extra else [])]
    return {about.name: about for found in every for about in found.meta}


def _labels(results: Results) -> dict[str, str]:
    """Say what the study calls its indices, what is below them, and its larger areas: by the names in columns."""
    labels = {parent: parent_words(parent)[0].capitalize() for parent in results.areas.parents}
    for scores in results.scores.values():
        labels |= {path.replace("/", "."): results.label(path) for path in scores.need}
    return labels


def _title(name: str, labels: Mapping[str, str], about: Indicator | None) -> str:
    """Say a name in words: what it begins with as the study calls it, and the rest."""
    if about:
        start, label = about.name, about.label
    else:
        start = max(
            (p for p in labels if name == p or name.startswith((f"{p}.", f"{p}_"))),
            key=len,
            default="",
        )
        label = labels.get(start, "")
    rest = name.removeprefix(start).strip("._").replace("_", " ").replace(".", ", ")
    return ": ".join(filter(None, (label, rest))) if label else rest[:1].upper() + rest[1:]


def _type(kind: pl.DataType) -> str:
    if kind.is_integer():
        return "integer"
    if kind.is_float():
        return "number"
    return {pl.Boolean: "boolean", pl.String: "string"}.get(kind.base_type(), "any")
