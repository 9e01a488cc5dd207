"""One index on smaller and on larger areas: how much of the answer depends on the unit.

What the choice of areas does to a result is the modifiable areal unit problem. Source: Openshaw
(1984), The modifiable areal unit problem, Concepts and Techniques in Modern Geography 38.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.areas.catalogue import load_systems
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.compare.similarity import spearman, worst_tenth
from commonweal.errors import CommonwealError, DataError, StudyError, UnreachableError
from commonweal.index import decile, rank
from commonweal.sources import Store
from commonweal.spec import Study
from commonweal.study.areas import study_areas
from commonweal.study.fingerprint import load_asked, open_kept
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.areas import Areas, Crosswalk
    from commonweal.designation import Designation
    from commonweal.spec.indices import IndexSpec
    from commonweal.study.results import Results
    from commonweal.study.run import Progress

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

"""Areas that nobody would call a neighbourhood: they are not compared unless asked for."""


@dataclass(frozen=True, slots=True, repr=False)
class UnitComparison:
    """A study on its own areas beside the same on larger ones."""

    # small, large: the areas that are counted; ranks and cut-offs are among all of the study's
    small: Areas
    large: Areas
    # one row for each index and each of its domains: ``index`` (dotted path), ``label``, ``areas`` (small ones that
    # have a score on both), ``spearman`` of their own score with that of the larger area that they lie in,
    # ``same_decile`` and ``within_one_decile`` (shares of them), ``worst_tenth`` (how many are in the worst tenth
    # themselves), ``worst_both`` (of those, how many lie in larger areas of the worst tenth), and ``people_small`` and
    # ``people_large`` (the share of all people who live in the worst tenth of each)
    nodes: pl.DataFrame
    # one row for each designation, by ``designation``: ``small_selected`` and ``large_selected`` areas;
    # ``small_people`` and ``large_people``, who live in them, and as shares of all people ``small_share`` and
    # ``large_share``; ``small_inside``, selected small areas in a selected larger one; ``large_holding``, selected
    # larger areas that hold at least one selected small area; ``people_gained``, who live in a selected larger area
    # and not in a selected small one, and ``people_lost``, the reverse
    designations: pl.DataFrame
    # one row a small area: ``code``, ``name``, ``population``, the larger area that it ``lies_in``; for each index
    # ``rank_small`` and ``decile_small``, and ``rank_large`` and ``decile_large`` of the larger area; for each
    # designation ``selected_small`` and ``selected_large``
    places: pl.DataFrame

    def __repr__(self) -> str:
        return f"{self.small.title} and {self.large.title}: .nodes, .designations and .places compare them"


def larger_units(areas: Areas) -> list[str]:
    """Name the area systems that a study's areas make up and that are still neighbourhoods, such as ``wd24``."""
    known = load_systems().systems
    return [p for p in areas.parents if p in known and not known[p].level]


def compare_units(
    small: Results, large: Results, store: Store, focus: Flags | None = None
) -> UnitComparison:
    """Compare a study on small areas with the same on larger ones: each lies where most of its people live.

    `focus` says which small areas are counted, with the larger ones that they lie in.
    """
    held = _holder(build_crosswalk(store, small.areas, large.areas))
    here = np.ones(len(held), dtype=bool) if focus is None else focus
    around = np.zeros(len(large.areas), dtype=bool)
    around[held[here & (held >= 0)]] = True
    if focus is None:
        around[:] = True
    counted = here, around
    rows = []
    columns: dict[str, Floats | Flags] = {}
    for index, scores in small.scores.items():
        other = large.scores[index]
        rows += [
            _node(small, large, path, held, counted)
            for path in (index, *scores.domains)
            if path in other.need
        ]
        columns |= {
            f"{index}.rank_small": scores.rank,
            f"{index}.decile_small": decile(scores.rank),
            f"{index}.rank_large": _of(other.rank, held),
            f"{index}.decile_large": _of(decile(other.rank), held),
        }
    told = []
    for name, d in small.designations.items():
        d, chosen = d.inside(here), large.designations[name].inside(around)
        columns[f"{name}.selected_small"] = d.selected
        columns[f"{name}.selected_large"] = _of(chosen.selected.astype(np.float64), held) == 1
        told.append(_designation(name, d, chosen, held, counted))
    numbers = {c: pl.Series(c, x).fill_nan(None) for c, x in columns.items() if x.dtype != bool}
    whole = [x.cast(pl.Int64) for x in numbers.values()]
    flags = [pl.Series(c, x) for c, x in columns.items() if x.dtype == bool]
    lies_in = [large.areas.codes[k] if k >= 0 else None for k in held]
    places = small.areas.table.select("code", "name", "population").with_columns(
        pl.Series("lies_in", lies_in, dtype=pl.String), *whole, *flags
    )
    return UnitComparison(
        _only(small.areas, here),
        _only(large.areas, around),
        pl.DataFrame(rows),
        pl.DataFrame(told),
        places.filter(pl.Series(here)),
    )


def _only(areas: Areas, here: Flags) -> Areas:
    return areas if here.all() else replace(areas, table=areas.table.filter(pl.Series(here)))


def _holder(move: Crosswalk) -> NDArray[np.intp]:
    """(n_small,) row of the larger area where most of a small one's people live; -1 for none."""
    by_small = move.weights.tocsc()
    held = np.full(by_small.shape[1], -1, dtype=np.intp)
    for k, (start, end) in enumerate(pairwise(by_small.indptr)):
        if end > start:
            held[k] = by_small.indices[start + int(np.argmax(by_small.data[start:end]))]
    return held


def _of(larger: Floats, held: NDArray[np.intp]) -> Floats:
    """Give each small area the value of the larger one that it lies in."""
    return np.where(held >= 0, larger[held], np.nan)


def _node(
    small: Results,
    large: Results,
    path: str,
    held: NDArray[np.intp],
    counted: tuple[Flags, Flags],
) -> dict[str, object]:
    here = counted[0]
    need, larger = (r.scores[path.split("/")[0]].need[path] for r in (small, large))
    around = _of(larger, held)
    own, other = decile(rank(need)), _of(decile(rank(larger)), held)
    known = ~np.isnan(own) & ~np.isnan(other) & here
    if not known.any():
        where = "" if here.all() else " in the study's focus"
        raise DataError(
            f"{path}: no area{where} has a score both by itself and by the larger one around it"
        )
    apart = np.abs(own - other)[known]
    worst = (own == 1) & known
    return {
        "index": path.replace("/", "."),
        "label": small.label(path),
        "areas": int(known.sum()),
        "spearman": spearman(need[here], around[here]),
        "same_decile": float((apart == 0).mean()),
        "within_one_decile": float((apart <= 1).mean()),
        "worst_tenth": int(worst.sum()),
        "worst_both": int((worst & (other == 1)).sum()),
        "people_small": _share(small.areas, worst_tenth(need), counted[0]),
        "people_large": _share(large.areas, worst_tenth(larger), counted[1]),
    }


def _share(areas: Areas, which: Flags, counted: Flags) -> float:
    """Share of all people counted who live in some of the areas."""
    people = np.where(counted, np.nan_to_num(areas.population), 0.0)
    return float(people[which].sum() / people.sum()) if people.any() else float("nan")


def _designation(
    name: str,
    small: Designation,
    large: Designation,
    held: NDArray[np.intp],
    counted: tuple[Flags, Flags],
) -> dict[str, object]:
    inside = _of(large.selected.astype(np.float64), held) == 1
    holding = np.unique(held[small.selected & (held >= 0)])
    people, of_large = (np.nan_to_num(d.areas.population) for d in (small, large))
    return {
        "designation": name,
        "small_selected": int(small.selected.sum()),
        "large_selected": int(large.selected.sum()),
        "small_people": float(people[small.selected].sum()),
        "large_people": float(of_large[large.selected].sum()),
        "small_share": _share(small.areas, small.selected, counted[0]),
        "large_share": _share(large.areas, large.selected, counted[1]),
        "small_inside": int((small.selected & inside).sum()),
        "large_holding": int(large.selected[holding].sum()),
        "people_gained": float(people[inside & ~small.selected & counted[0]].sum()),
        "people_lost": float(people[small.selected & ~inside].sum()),
    }


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
