"""A tiny study of its own, with every trap that a name or a value can set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import shapely

from commonweal.sources import Store
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.study.results import Results

N = 60
STUDY = """\
title: "Priority places & 'others'"
description: A study for tests.
areas:
  file: areas.csv
  code: code
  name: name
  population: people
  longitude: lon
  latitude: lat
  parents: {district: district, province: province}
  boundaries: {file: shapes.parquet}
  singular: village
  plural: villages
indicators:
  income: {file: numbers.csv, column: income, label: Low income, higher_is: more, standard_error: income_se}
  clubs: {file: numbers.csv, column: clubs, label: Clubs, higher_is: less}
  turnout: {file: numbers.csv, column: turnout, label: Turnout, higher_is: less}
index:
  need:
    label: Need
    children: {income: {indicator: income}}
  community:
    label: Community
    children:
      clubs: {indicator: clubs}
      turnout: {indicator: turnout}
designate:
  priority:
    all:
      - {index: need, worst: 40%}
      - {index: community, worst: 40%}
certainty:
  draws: 50
  seed: 7
  vary:
    - {weights: community, dirichlet: 10}
    - {standard_errors: all}
agreement:
  - {designation: priority, file: published.csv, column: flag, compare: flag}
  - {index: need, file: published.csv, column: need_rank, compare: rank, within: 60}
briefing: {label: in priority, note: A fictional place.}
"""

NASTY = {
    0: "<script>alert('x')</script>",
    1: "=HYPERLINK(\"http://example.org\")",
    2: "+44 & Sons",
    3: "@cmd",
    4: "-1+1",
    5: "Llanfair'pwll \"gwyn\"",
}  # fmt: skip


def write_study(folder: Path, text: str = STUDY, shapes: bool = True) -> Path:
    """Write the study and its tables; every nasty name ranks first, so that it is selected."""
    rng = np.random.default_rng(3)
    codes = [f"V{i:03d}" for i in range(N)]
    order = np.arange(N)
    lon = -1.0 + (order % 10) * 0.02
    lat = 52.0 + (order // 10) * 0.02
    pl.DataFrame(
        {
            "code": codes,
            "name": [NASTY.get(i, f"Village {i}") for i in range(N)],
            "people": 100 + order,
            "lon": lon,
            "lat": lat,
            "district": [f"District {i % 4}" for i in range(N)],
            "province": ["=North" if i % 2 else "South" for i in range(N)],
        }
    ).write_csv(folder / "areas.csv")
    income = np.where(order < 10, 90.0 - order, rng.uniform(1, 60, N).round(2))
    pl.DataFrame(
        {
            "code": codes,
            "income": income,
            "income_se": np.full(N, 2.0),
            "clubs": np.where(order < 10, order * 0.01, rng.uniform(0.2, 5, N).round(3)),
            "turnout": rng.uniform(20, 60, N).round(1),
        }
    ).with_columns(
        turnout=pl.when(pl.col("code") == "V050").then(None).otherwise("turnout")
    ).write_csv(folder / "numbers.csv")
    pl.DataFrame(
        {
            "code": codes,
            "flag": [1 if i < 9 or i == 20 else 0 for i in range(N)],
            "need_rank": np.argsort(np.argsort(-income)) + 1,
        }
    ).write_csv(folder / "published.csv")
    if shapes:
        square = [
            shapely.box(x - 0.01, y - 0.01, x + 0.01, y + 0.01)
            for x, y in zip(lon, lat, strict=True)
        ]
        wkb = [shapely.to_wkb(s) if i % 5 else None for i, s in enumerate(square)]
        pl.DataFrame({"code": codes, "geometry": wkb}).write_parquet(folder / "shapes.parquet")
    else:
        text = text.replace("  boundaries: {file: shapes.parquet}\n", "")
    path = folder / "tiny.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def study_text() -> str:
    return STUDY


@pytest.fixture(scope="session")
def run_tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Results]:
    """Run the tiny study, as it is or changed."""

    def made(text: str = STUDY, shapes: bool = True, **options: object) -> Results:
        folder = tmp_path_factory.mktemp("tiny")
        store = Store(cache=folder / "cache", offline=True)
        return run(write_study(folder, text, shapes), store, **options)  # type: ignore[arg-type]

    return made


@pytest.fixture(scope="session")
def results(run_tiny: Callable[..., Results]) -> Results:
    return run_tiny()


@pytest.fixture(scope="session")
def folder(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from commonweal.report.study.folder import write_results

    return write_results(results, tmp_path_factory.mktemp("out") / "tiny")
