"""What the lines of a project come to, for any values of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.appraisal.adjusting import additional, optimism_bias, wellbys
from commonweal.invest.appraisal.model import DELAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.invest.appraisal.model import Line, Model

    Floats = NDArray[np.float64]
    Values = Mapping[str, float | Floats]

__all__ = ["MEASURES", "expected", "lines_worth", "totals", "yearly"]

MEASURES = {
    "npsv": "Net present social value",
    "bcr": "Benefit-cost ratio",
    "benefits": "Benefits to society",
    "social": "Benefits to people",
    "fiscal": "Savings to the public purse",
    "transfers": "Transfers to the public purse",
    "public_cost": "Cost to the public sector",
    "other_cost": "Cost to others",
    "fiscal_return": "Back to the public purse, for each pound",
    "npsv_weighted": "Net present social value, with welfare weights",
    "bcr_weighted": "Benefit-cost ratio, with welfare weights",
}
"""What an appraisal gives, and what each is."""


def expected(model: Model) -> dict[str, float]:
    """Give every input at its expected value."""
    return {name: i.number.mean for name, i in model.inputs.items()}


def lines_worth(model: Model, values: Values, discounted: bool = True) -> dict[str, Floats]:
    """Work out every line.

    Parameters
    ----------
    model
        What is worked out.
    values
        A value for every input, or (n,) of them.
    discounted
        Present values, or plain sums over the years.

    Returns
    -------
    dict
        (n,) or a single GBP amount for each line, costs above 0 too.
    """
    delay, found = _delay(model, values), {}
    for line in model.lines.values():
        late = line.present if discounted else line.plain
        late_by = delay if line.name in model.waits else np.asarray(0.0)
        found[line.name] = _a_year(line, values) * np.interp(late_by, np.arange(len(late)), late)
    return found


def yearly(model: Model, values: Mapping[str, float]) -> dict[str, Floats]:
    """Give what each line comes to year by year, before discounting.

    Parameters
    ----------
    model
        What is worked out.
    values
        A value for every input.

    Returns
    -------
    dict
        (horizon,) GBP for each line, costs above 0 too.
    """
    late, found = min(float(_delay(model, values)), 1e6), {}
    for line in model.lines.values():
        whole, part = divmod(late if line.name in model.waits else 0.0, 1.0)
        share = (1 - part) * _later(line.by_year, int(whole))
        share += part * _later(line.by_year, int(whole) + 1)
        found[line.name] = float(_a_year(line, values)) * share
    return found


def _later(by_year: Floats, years: int) -> Floats:
    """Put off by whole years; what passes the horizon is lost."""
    late = min(years, len(by_year))
    return np.concatenate([np.zeros(late), by_year])[: len(by_year)]


def _delay(model: Model, values: Values) -> Floats:
    """Give the years by which what waits for the works is late."""
    mitigated = np.asarray(values.get(DELAY, 0.0), dtype=np.float64)
    return model.planned * optimism_bias(*model.delay_bounds, mitigated)


def _a_year(line: Line, values: Values) -> Floats:
    """Give what a line is in a year that counts whole: in GBP, prices of the project."""
    x = {what: np.asarray(values[name], dtype=np.float64) for what, name in line.inputs.items()}
    if line.side in ("public", "others"):
        grows = 1 + optimism_bias(*line.bounds, x.get("mitigated", np.asarray(0.0)))
        return x["amount"] * grows * line.constant
    return _added(x) * line.constant


def _added(x: Mapping[str, Floats]) -> Floats:
    """Give what a benefit adds in a year, in GBP: quantity x people x value, less what is not added."""
    one = np.asarray(1.0)
    points = x.get("quantity", one) * x.get("points", one)
    amount = wellbys(points, x.get("people", one)) * x["value"]
    if "additionality" in x:
        return amount * x["additionality"]
    parts = {k: x[k] for k in ("leakage", "displacement", "substitution", "multiplier") if k in x}
    would_be = additional(amount * x.get("deadweight", np.asarray(0.0)), **parts)
    return additional(amount, **parts, reference_case=would_be)


def totals(model: Model, worth: Mapping[str, Floats]) -> dict[str, Floats]:
    """Add up lines to what an appraisal gives.

    ``npsv = social + fiscal - public cost - other cost``, and ``bcr = (social + fiscal - other cost) /
    public cost``: transfers count in the fiscal return, and in nothing else.

    Returns
    -------
    dict
        Each of `MEASURES`, as long as the lines; a ratio is infinite or NaN where its cost is 0.
    """
    zero = np.asarray(0.0)
    by = {
        side: sum((worth[n] for n, line in model.lines.items() if line.side == side), zero)
        for side in ("public", "others", "fiscal", "transfer", "social")
    }
    weighted = sum(
        (worth[n] * line.weight for n, line in model.lines.items() if line.side == "social"), zero
    )
    gain = by["social"] + by["fiscal"]
    gain_weighted = weighted + by["fiscal"]
    cost = by["public"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "npsv": gain - cost - by["others"],
            "bcr": np.asarray((gain - by["others"]) / cost),
            "benefits": gain,
            "social": by["social"],
            "fiscal": by["fiscal"],
            "transfers": by["transfer"],
            "public_cost": cost,
            "other_cost": by["others"],
            "fiscal_return": np.asarray((by["fiscal"] + by["transfer"]) / cost),
            "npsv_weighted": gain_weighted - cost - by["others"],
            "bcr_weighted": np.asarray((gain_weighted - by["others"]) / cost),
        }
