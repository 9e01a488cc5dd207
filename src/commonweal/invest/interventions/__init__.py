"""What can be done for a neighbourhood, as data: what it costs, how long it lasts, what it moves, who says so."""

from commonweal.invest.interventions.interventions import (
    Cost,
    Effect,
    Intervention,
    Interventions,
    Outcome,
    Through,
    load_interventions,
    shipped_interventions,
)

__all__ = [
    "Cost",
    "Effect",
    "Intervention",
    "Interventions",
    "Outcome",
    "Through",
    "load_interventions",
    "shipped_interventions",
]
