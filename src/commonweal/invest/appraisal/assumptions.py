"""What an appraisal assumes without its having been verified, and what to beware of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.evidence import cite, load_evidence
from commonweal.invest.appraisal.model import WELLBY
from commonweal.invest.appraisal.outcomes import check_claims
from commonweal.invest.appraisal.project import outcomes_of, works_cited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.invest.appraisal.model import Model
    from commonweal.invest.appraisal.project import Project
    from commonweal.invest.parameters import Parameters, Stated

__all__ = ["assumptions", "cautions", "used_parameters"]


def assumptions(project: Project, parameters: Parameters, model: Model) -> tuple[str, ...]:
    """Say what is taken as given and was not verified, a sentence each: parameters first."""
    return (
        *_of_parameters(project, parameters, model),
        *_of_indices(project),
        *_of_lines(project),
    )


def used_parameters(
    project: Project, parameters: Parameters, model: Model
) -> tuple[tuple[str, Stated], ...]:
    """Give the parameters that an appraisal takes, each with what it is in words."""
    used: list[tuple[str, Stated]] = [("Discount rates", parameters.discount)]
    if any(name.endswith(".mitigated") for name in model.inputs):
        used.append(("Optimism bias", parameters.optimism_bias))
    if WELLBY in model.inputs:
        w = parameters.wellby
        used.append((f"Value of a WELLBY, £{w.value:,.0f}", w))
        used.append((f"Range of a WELLBY, £{w.range.low:,.0f} to £{w.range.high:,.0f}", w.range))
        if project.price_year != w.price_year:
            brought = f"A WELLBY brought from {w.price_year} to {project.price_year}"
            used.append((brought, w.uprating))
    if model.weighted:
        weights = parameters.welfare_weights
        used.append((f"Welfare weights, elasticity {weights.elasticity:g}", weights))
    return tuple(used)


def _of_parameters(project: Project, parameters: Parameters, model: Model) -> Iterator[str]:
    used = used_parameters(project, parameters, model)
    for what, stated in used:
        if not stated.verified:
            yield f"{what}: not verified. {stated.source} ({stated.vintage})."
    uprated = any(stated is parameters.wellby.uprating for _, stated in used)
    if uprated and project.real_incomes is None:
        yield (
            f"A WELLBY is brought to {project.price_year} by prices alone: the project gives no "
            "real incomes."
        )


def _of_indices(project: Project) -> Iterator[str]:
    for what, series in (
        ("The price index", project.deflators),
        ("Real income per head", project.real_incomes),
        ("Incomes of the groups", project.incomes),
    ):
        if series is not None and not series.verified:
            yield f"{what}: not verified. {series.source}."


def _of_lines(project: Project) -> Iterator[str]:
    for cost in project.costs.values():
        if not cost.verified:
            yield f"Cost “{cost.label}”: not verified{_where(cost.source)}."
        if cost.kind == "capital" and (cost.optimism_bias is None or not cost.optimism_bias.mix):
            why = cost.optimism_bias.why if cost.optimism_bias else ""
            yield f"Cost “{cost.label}”: no optimism bias is added{_where(why)}."
    for benefit in project.benefits.values():
        if not benefit.verified:
            yield f"Benefit “{benefit.label}”: not verified{_where(benefit.source)}."
        if benefit.additionality.source:
            yield f"Benefit “{benefit.label}”, what is added: {benefit.additionality.source.rstrip('.')}."


def _where(source: str) -> str:
    return f"; {source.rstrip('.')}" if source else ""


def cautions(project: Project) -> tuple[str, ...]:
    """Say where claims may overlap, and what to beware of in each work that a line rests on."""
    claims = {name: benefit.claims for name, benefit in project.benefits.items()}
    found = check_claims(claims, outcomes_of(project))
    if cited := works_cited(project):
        evidence = load_evidence()
        found += [
            f"{cite(id_, evidence).short}: {evidence.work(id_).caution}"
            for id_ in cited
            if evidence.work(id_).caution
        ]
    without = [b.label for b in project.benefits.values() if not b.evidence]
    if without:
        told = ", ".join(f"“{label}”" for label in without)
        found.append(f"No evidence is cited for {told}.")
    return tuple(found)
