"""Parts of a case told plainly: one reason is said once, and places are called what they are."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.areas.catalogue import load_systems
from commonweal.invest.allocation import load_programme
from commonweal.invest.allocation.on_study import apply_programme
from commonweal.invest.case.case import make_case
from commonweal.report.allocation import allocation_sections
from commonweal.report.siting import siting_section

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.invest.case.model import Case
    from commonweal.sources import Store
    from commonweal.study.results import Results


def test_one_reason_for_all_that_are_passed_over_is_said_once(
    county: Results, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "own.yaml").write_text(
        """
title: One in each district
official: made up
study: demo
rank: {of: {community_needs: 1.0}, official: false}
caps: [{most: 1, in_each: district, official: false}]
money: {awards: 3, official: false}
in_need: [{index: community_needs, worst: 10%, official: false}]
""",
        "utf-8",
    )
    worked = apply_programme(load_programme(str(tmp_path / "own.yaml")), county, store, {}, draws=0)
    assert worked.allocation.cost.passed_over.any()
    tables = {t.name: t for s in allocation_sections(worked) for t in s.tables}
    over = next(t for name, t in tables.items() if name.startswith("passed-over"))
    assert "Why not" not in over.shown.frame.columns
    assert over.about.startswith("The reason is the same for all: cap: 1 in each district. ")
    rule = next(t for name, t in tables.items() if name.startswith("rule"))
    assert "Source" not in rule.shown.frame.columns  # nothing is said there


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("points of lsoa21", load_systems().systems["lsoa21"].plural),
        ("postcodes of lsoa21", f"postcodes of {load_systems().systems['lsoa21'].plural}"),
        ("hamlets", "hamlets"),
    ],
)
def test_where_people_set_out_from_has_a_plain_name(
    of: str, said: str, case: Case, county: Results, store: Store
) -> None:
    asked = replace(case.asked, kind="library", places=1, budget=1e6, draws=0)
    sited = make_case(asked, store, results=county).sited
    assert sited is not None
    n = len(sited.demand)
    nowhere = SimpleNamespace(
        limit=1200.0, beyond=lambda: np.ones(n, dtype=bool)
    )  # nobody reaches anything
    (told,) = siting_section(replace(sited, plural=of, problem=nowhere)).warnings  # type: ignore[arg-type]
    assert f"of {n:,} {said} have no venue" in told
