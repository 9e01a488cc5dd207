"""How a result compares with a published one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.index import rank
from commonweal.indicators import read_column, read_flags
from commonweal.study.files import code_said, own_source
from commonweal.study.results import Agreement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.areas import Areas
    from commonweal.designation import Designation
    from commonweal.index import Scores
    from commonweal.sources import Store
    from commonweal.spec import AgreementSpec, Study

__all__ = ["agreement"]


def agreement(
    spec: AgreementSpec,
    study: Study,
    areas: Areas,
    scores: Mapping[str, Scores],
    designations: Mapping[str, Designation],
    store: Store,
) -> Agreement:
    """Compare one result with what is published.

    Parameters
    ----------
    spec
        What to compare with what.
    study, areas, scores, designations
        The study and its results.
    store
        Where the published result is read.

    Raises
    ------
    DataError
        If no area has both values, or a rank correlation meets a constant.
    """
    source = own_source(study, spec, store)
    code = code_said(study, spec)
    none = np.array([], dtype=np.intp)
    if spec.compare == "flag":
        published = read_flags(store, source, spec.column, code, areas, spec.designation)
        ours, theirs = designations[spec.designation].selected, published == 1
        known = ~np.isnan(published)
        rows = (ours & theirs, theirs & ~ours, ours & ~theirs & known, ours & ~known)
        matched, missed, extra, unlisted = (np.flatnonzero(x) for x in rows)
        compared, differ = int(known.sum()), len(missed) + len(extra)
        # A table that lacks an area of ours may mean that it is not on the list: no agreement.
        holds = differ == 0 and len(unlisted) == 0
        return Agreement(
            spec, compared, compared - differ, differ, holds, matched, missed, extra, unlisted
        )
    published, _, _ = read_column(store, source, spec.column, code, areas, spec.index)
    path = spec.index.replace(".", "/")
    found = scores[path.split("/", 1)[0]]
    values = found.rank_of(path) if spec.compare == "rank" else found.need[path]
    both = ~np.isnan(values) & ~np.isnan(published)
    if not both.any():
        raise DataError(f"agreement on {spec.index}: no area has both a value and a published one")
    if spec.compare == "spearman":
        for what, x in (("the index", values[both]), (f"'{spec.column}'", published[both])):
            if (x == x[0]).all():
                raise DataError(
                    f"agreement on {spec.index}: {what} is {x[0]:g} in each of {len(x):,} areas; "
                    "a rank correlation needs values that differ"
                )
        rho = float(
            np.corrcoef(rank(values[both], "average"), rank(published[both], "average"))[0, 1]
        )
        holds = rho >= spec.at_least
        return Agreement(spec, int(both.sum()), 0, rho, holds, none, none, none, none)
    distance = np.abs(values - published)[both]
    exact = int((distance <= (spec.within if spec.compare == "score" else 0)).sum())
    largest = float(distance.max())
    holds = largest <= spec.within
    return Agreement(spec, int(both.sum()), exact, largest, holds, none, none, none, none)
