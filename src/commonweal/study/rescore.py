"""A study with other weights and cut-offs, on the indicators of a finished run: nothing is read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from commonweal.designation import designate
from commonweal.designation.uncertainty import certainty
from commonweal.errors import StudyError
from commonweal.index import score, without_indicators
from commonweal.index.methods import shown
from commonweal.study.run import certainty_spec

if TYPE_CHECKING:
    from commonweal.spec import Study
    from commonweal.study.results import Results


def other_study(
    study: Study, weights: Mapping[str, Any] | None, cut: Mapping[str, Any] | None
) -> Study:
    """Give a study with other weights and cut-offs, checked.

    `weights` has by dotted path the weight of a node, or the weights of its children; `cut` by designation the cut-off
    of all of its conditions, or by index or domain that of each.
    """
    for what, asked, such in (
        ("weights", weights, {"index.domain": 2}),
        ("cut", cut, {"designation": "15%"}),
    ):
        if not isinstance(asked, Mapping | None):
            raise StudyError(f"{what}: found {shown(asked)}; expected a dict such as {such}")
    for path, given in (weights or {}).items():
        within, _, child = str(path).rpartition(".")
        if not isinstance(given, dict) and not within:
            raise StudyError(
                f"weights: found {given!r} for '{path}'; an index has no weight, expected those of its "
                f"children, such as {{'{path}.{next(iter(study.index[path].children), 'domain')}': 2}}"
                if path in study.index
                else f"weights: '{path}' is no path; expected one such as index.domain"
            )
        study = (
            study.with_weights(path, **given)
            if isinstance(given, dict)
            else study.with_weights(within, **{child: given})
        )
    for name, given in (cut or {}).items():
        for index, worst in given.items() if isinstance(given, dict) else [("", given)]:
            study = study.with_cut(name, worst, index=index)
    return study


def rescored(results: Results, study: Study, draws: int = 0, client: Any = None) -> Results:
    """Score the indicators of a run by another study that differs in weights and cut-offs alone.

    What rests on the former ones (certainty unless `draws` are asked for, sensitivity, agreement, change since an
    earlier study, summaries, trends) is left out.
    """
    scores = dict(results.scores)
    for name, found in results.scores.items():
        if study.index[name] == results.study.index[name]:
            continue
        indicators = results.indicators[name]
        gone = set(study.leaves(name)) - {m.name for m in indicators.meta}
        fresh = score(name, without_indicators(study.index[name], gone, name), indicators)
        scores[name] = fresh if found.move is None else fresh.moved(found.move)
    designations = {
        name: designate(name, rule, scores, results.areas) for name, rule in study.designate.items()
    }
    sure = {}
    spec = certainty_spec(study, draws)
    study = study.model_copy(update={"certainty": spec, "sensitivity": None})
    if draws and spec is not None:
        sure = {
            name: certainty(d, spec, scores, results.indicators, client=client)
            for name, d in designations.items()
        }
    # A folder of these never stands for a run: it lacks what a run would have.
    provenance = {**results.provenance, "rescored": True}
    return results.with_scores(
        scores, designations, study=study, certainty=sure, provenance=provenance
    )
