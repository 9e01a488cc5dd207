"""What `check` says of a table of one's own on the real areas, before anything is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from commonweal.errors import CommonwealError
from commonweal.spec.study import load_study
from commonweal.study.check import check_files

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.sources import Store

CSV = "Volunteers by neighbourhood\n\nlsoa,volunteers\nE01011949,3\nE01011950,-\nTotal,3\n"


def written(folder: Path, where: str) -> Any:
    (folder / "volunteers.csv").write_text(CSV, "utf-8")
    (folder / "hartlepool.yaml").write_text(
        f"""\
title: Hartlepool
areas: lsoa21
where: {{lad24: {where}}}
files:
  volunteers.csv: {{skip_rows: 2, null_values: ["-"]}}
indicators:
  volunteers: {{file: volunteers.csv, column: volunteers, higher_is: less, coverage: 1%}}
index: {{needs: {{children: {{volunteers: {{indicator: volunteers}}}}}}}}
""",
        "utf-8",
    )
    return load_study(folder / "hartlepool.yaml")


def test_check_counts_the_areas_of_an_authority(real_store: Store, tmp_path: Path) -> None:
    found = check_files(written(tmp_path, "E06000001"), real_store)
    assert [(c.name, c.known, c.areas, c.aside) for c in found.coverage] == [
        ("volunteers", 1, 57, ("Total",))
    ]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("Hartlepool", "in lad24 'Hartlepool': that is its name; expected its code, E06000001"),
        ("Hartlepol", "did you mean E06000001 (Hartlepool)?"),
        ("E06000991", "no .* are in lad24 'E06000991'; did you mean E0"),
    ],
)
def test_check_refuses_where_no_area_is(
    real_store: Store, tmp_path: Path, where: str, said: str
) -> None:
    with pytest.raises(CommonwealError, match=said.replace("(", r"\(").replace(")", r"\)")):
        check_files(written(tmp_path, where), real_store)


def test_check_looks_into_published_tables_that_are_here(real_store: Store, tmp_path: Path) -> None:
    study = tmp_path / "published.yaml"
    study.write_text(
        "title: Published\nareas: lsoa21\n"
        "indicators: {n: {source: imd2025-lsoa21, column: IMD_Rank, higher_is: less}}\n"
        "index: {needs: {children: {n: {indicator: n}}}}\n",
        "utf-8",
    )
    with pytest.raises(CommonwealError, match=r"column 'IMD_Rank' not found .* 'IMD_rank'"):
        check_files(load_study(study), real_store)
