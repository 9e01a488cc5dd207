"""One study through every output that a user opens, and the same numbers read back from each."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import openpyxl
import polars as pl
import pyogrio

from commonweal.report.place.pack import write_pack
from commonweal.report.study.folder import write_results
from commonweal.study.names import find_scope, focus_scope
from commonweal.study.run import run
from commonweal.web import Explorer, create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from commonweal.sources import Store
    from commonweal.spec import Study
    from commonweal.study.results import Results


@dataclass(frozen=True)
class Row:
    """What one output says of one area."""

    selected: bool
    ranks: Mapping[str, int | None]  # by index; an output may leave out one that no rule asks for
    people: int | None = None
    share: float | None = None  # of the draws


@dataclass(frozen=True)
class Followed:
    """A study and what came of it."""

    results: Results
    folder: Path
    pack: Path
    terminal: str
    rows: Mapping[str, Row]

    @property
    def selected(self) -> list[str]:
        return sorted(code for code, row in self.rows.items() if row.selected)


def follow(
    study: Path | Study,
    store: Store,
    out: Path,
    tell: Callable[..., tuple[int, str, str]] | None = None,
    *,
    show: str = "",
    draws: int | None = None,
) -> Followed:
    """Run a study, open all that it gives, and hold every output to the results folder.

    Parameters
    ----------
    study
        A file, or a study made in Python (which the command line cannot read).
    store
        Where its sources come from.
    out
        A folder for what is written.
    tell
        Runs the command line, for the terminal's text.
    show
        An area that `show` is asked for; the first selected one, else the first.
    draws
        In place of the study's.
    """
    results = run(study, store, draws=draws)
    folder, packed = out / "results", out / "pack"
    write_results(results, folder)
    scope = focus_scope(results.areas, results.study) or find_scope(results.areas, [])
    write_pack(results, scope, packed)
    rows = _folder(results, folder)
    n_selected = sum(r.selected for r in rows.values())
    terminal = ""
    if tell is not None:
        options = [] if draws is None else ["--draws", draws]
        code, terminal, complaint = tell("run", study, "--out", out / "cli", *options)
        assert (code, complaint) == (0, "")
        assert re.search(rf"^{n_selected:,} of [\d,]+ ", terminal, re.M), terminal
        asked = show or next((c for c, r in rows.items() if r.selected), next(iter(rows)))
        code, said, complaint = tell("show", asked, "--study", study, "--json", *options)
        assert (code, complaint) == (0, "")
        _same(rows, {asked: _shown(results, json.loads(said))}, "show")
    _same(rows, _workbook(results, folder / "results.xlsx"), "results.xlsx")
    if (folder / "commonweal.gpkg").exists():
        _same(rows, _geopackage(results, folder / "commonweal.gpkg"), "commonweal.gpkg")
    app = create_app(Explorer(results))
    _same(rows, _explorer_list(results, app), "the explorer's list")
    profiles = sorted(p.stem for p in (packed / "profiles").glob("*.html"))
    _same(rows, {c: _explorer_area(results, app, c) for c in profiles}, "the explorer's areas")
    _same(rows, _pack(results, packed / "workbook.xlsx"), "the pack's workbook")
    for code in profiles:
        page = (packed / "profiles" / f"{code}.html").read_text("utf-8")
        assert code in page
    return Followed(results, folder, packed, terminal, rows)


def get(app: Any, path: str) -> httpx.Response:
    """Ask the explorer in this process."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path)

    return asyncio.run(ask())


def table(path: Path, sheet: str) -> list[dict[str, Any]]:
    """Read a sheet of a workbook by the row that names its columns."""
    rows = list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))
    head = next(k for k, row in enumerate(rows) if "Code" in row)
    names = [str(n) for n in rows[head] if n is not None]
    return [dict(zip(names, row, strict=False)) for row in rows[head + 1 :] if any(row)]


def _same(of_folder: Mapping[str, Row], found: Mapping[str, Row], where: str) -> None:
    """Hold what an output says to the folder; it may leave out what it does not show, never differ."""
    assert found, where
    for code, row in found.items():
        wanted = of_folder[code]
        assert row.ranks, where
        ranks = {index: wanted.ranks[index] for index in row.ranks}
        assert (code, row.selected, row.ranks) == (code, wanted.selected, ranks), where
        if row.people is not None:
            assert (code, row.people) == (code, wanted.people), where
        if row.share is not None:
            assert wanted.share is not None, where
            assert abs(row.share - wanted.share) < 1e-9, (where, code)


def _index_labels(results: Results) -> dict[str, str]:
    return {name: node.label or name for name, node in results.study.index.items()}


def _one(results: Results) -> str:
    (name,) = results.designations
    return name


def _whole(value: Any) -> int | None:
    return None if value is None or value == "" or value != value else round(float(value))


def _folder(results: Results, folder: Path) -> dict[str, Row]:
    """Read the tables of all areas; of a study with a focus keep those in it, which alone are listed."""
    areas = pl.read_parquet(folder / "areas.parquet")
    scores = pl.read_parquet(folder / "scores.parquet")
    selected = pl.read_parquet(folder / "designation.parquet")
    people = areas["population"] if "population" in areas.columns else [None] * len(areas)
    sure = folder / "certainty.parquet"
    share = pl.read_parquet(sure)["share_of_draws"] if sure.exists() else [None] * len(areas)
    ranks = {index: scores[f"{index}.rank"] for index in results.study.index}
    assert areas["code"].to_list() == scores["code"].to_list() == selected["code"].to_list()
    return {
        code: Row(bool(s), {i: _whole(r[k]) for i, r in ranks.items()}, _whole(people[k]), share[k])
        for k, (code, s) in enumerate(zip(areas["code"], selected["selected"], strict=True))
        if "in_focus" not in areas.columns or areas["in_focus"][k]
    }


def _shown(results: Results, told: Mapping[str, Any]) -> Row:
    (answer,) = (a for a in told["answers"] if a["name"] == _one(results))
    return Row(
        answer["selected"],
        {s["path"]: _whole(s["rank"]) for s in told["standings"]},
        _whole(told["people"]),
        answer["share_of_draws"],
    )


def _ranks(results: Results, row: Mapping[str, Any]) -> dict[str, int | None]:
    """Read the columns of ranks."""
    return {
        index: _whole(row[f"{label}: rank"])
        for index, label in _index_labels(results).items()
        if f"{label}: rank" in row
    }


def _workbook(results: Results, path: Path) -> dict[str, Row]:
    return {
        row["Code"]: Row(
            row["Result"] not in ("Not on the list", "Just outside"),
            _ranks(results, row),
            _whole(row.get("Population")),
            row.get("Recalculations on the list"),
        )
        for row in table(path, "Areas")
    }


def _geopackage(results: Results, path: Path) -> dict[str, Row]:
    rows = pyogrio.read_dataframe(path, layer="areas", read_geometry=False)
    return {
        row["code"]: Row(
            bool(row["selected"]),
            {index: _whole(row[f"{index}_rank"]) for index in results.study.index},
        )
        for row in rows.to_dict("records")
    }


def _explorer_list(results: Results, app: Any) -> dict[str, Row]:
    text = get(app, "/api/areas.csv").text.lstrip("\ufeff")
    return {
        row["Code"]: Row(
            row["Result"] not in ("Not on the list", "Just outside the cut-off"),
            _ranks(results, row),
            _whole(row.get("People")),
        )
        for row in csv.DictReader(io.StringIO(text))
    }


def _explorer_area(results: Results, app: Any, code: str) -> Row:
    answer = get(app, f"/api/areas/{code}")
    assert answer.status_code == 200
    told = answer.json()
    return Row(
        told["answers"][0]["selected"],
        {s["path"]: s["rank"] for s in told["standings"]},
        _whole(told["people"]),
        told["answers"][0]["share_of_draws"],
    )


def _pack(results: Results, path: Path) -> dict[str, Row]:
    return {
        row["Code"]: Row(True, _ranks(results, row), _whole(str(row["People"]).replace(",", "")))
        for row in table(path, "On_the_list")
    }
