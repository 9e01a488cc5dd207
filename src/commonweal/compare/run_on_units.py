"""Run a study on its own areas and on larger ones, to see how much depends on the unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.areas.catalogue import load_systems
from commonweal.compare.units import compare_units, larger_units
from commonweal.errors import CommonwealError, StudyError, UnreachableError
from commonweal.sources import Store
from commonweal.spec import Study
from commonweal.study.areas import study_areas
from commonweal.study.fingerprint import load_asked, open_kept
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from commonweal.compare.units import UnitComparison
    from commonweal.spec.indices import IndexSpec
    from commonweal.study.run import Progress


def run_on_units(
    study: Study | str | Path,
    store: Store | None = None,
    units: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[UnitComparison]:
    """Run a study on its own areas and on larger ones, and compare: one value for each of these.

    Its own results are opened where there are some that answer, as `commonweal.study.fingerprint.open_kept` does.
    Nothing varies, and nothing is compared with what is published. With a ``focus``, the areas in it are counted, and
    the larger ones that they lie in.
    """
    study = study if isinstance(study, Study) else load_asked(str(study))
    if not isinstance(study.areas, str):
        raise StudyError(
            f"{study.name}: its areas are a table of its own; larger units are known for area systems"
        )
    store = Store.given_or_found(store, progress)
    small = open_kept(study, store, draws=0, sensitivity=False, geometry=False)
    areas = small.areas if small else study_areas(study, store)
    chosen = tuple(dict.fromkeys(units)) or larger_units(areas)
    for unit in chosen or ("",):  # before a long run, not after it
        if unit not in areas.parents or not _can_run(study, unit, store):
            known = ", ".join(u for u in areas.parents if _can_run(study, u, store))
            what = f"no areas larger than {study.areas} are still neighbourhoods"
            if unit:
                what = f"'{unit}' is no larger unit than its own that it can be run on"
            raise StudyError(
                f"{study.name}: {what}; expected --areas with one of: {known or '(there is none)'}"
            )
    focus = study.in_focus(areas.table) if study.focus else None
    small = small or run(study.bare(), store, geometry=False, progress=progress)
    found = []
    for unit in chosen:
        large = run(on_unit(study, unit), store, geometry=False, progress=progress)
        found.append(compare_units(small, large, store, focus))
    return found


def _can_run(study: Study, unit: str, store: Store) -> bool:
    """Whether the larger areas can be read where and when the study asks for its own."""
    try:
        study_areas(on_unit(study, unit), store)
    except UnreachableError:
        raise
    except CommonwealError:
        return False
    return True


def on_unit(study: Study, unit: str) -> Study:
    """Give the same recipe on larger areas, in which nothing varies.

    An indicator that states no ``areas`` is measured on the study's own, and is carried from there as a mean weighted
    by people. An index that moves by parts follows the lookup where its areas nest.
    """
    known = load_systems()

    def moved(spec: IndexSpec) -> IndexSpec:
        way = known.parents(spec.areas).get(unit, ())
        if not way or any(link.kind != "nests" for link in way):
            return spec
        return spec.model_copy(update={"move": spec.move.model_copy(update={"by": "link"})})

    own = {
        name
        for index in study.index
        if not study.built_on(index)[0]
        for name in study.read_with(index)
    }
    there = {
        name: spec.model_copy(update={"areas": study.areas, "standard_error": "", "counts": None})
        if name in own and spec.reads and not spec.areas
        else spec
        for name, spec in study.indicators.items()
    }
    index = {name: moved(spec) for name, spec in study.index.items()}
    return study.bare().model_copy(update={"areas": unit, "indicators": there, "index": index})
