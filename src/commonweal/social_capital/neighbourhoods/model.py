"""From answers to an estimate of every neighbourhood: two models, one result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.social_capital.neighbourhoods.direct import Answers, Direct, direct_estimates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.social_capital.neighbourhoods.covariates import Covariates

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]

__all__ = ["METHODS", "Kinds", "Method", "Modelled", "by_area", "by_kind"]

Method = Literal["fay-herriot", "mrp"]
METHODS: dict[str, str] = {
    "fay-herriot": "Fay-Herriot, an area-level model",
    "mrp": "multilevel regression and poststratification",
}
_FEW = 3
"""A grouping with fewer groups has no spread to estimate: it enters as a fixed effect."""


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """Who lives where, and which kind each respondent is.

    Attributes
    ----------
    area, count
        (n_cells,) row of the area of each cell, and how many people of that kind live there.
    cells
        By grouping, (n_cells,) name of the group.
    respondents
        By grouping, the name of each respondent's group, in the order of the answers.
    """

    area: Ints
    count: Floats
    cells: Mapping[str, NDArray[np.str_]]
    respondents: Mapping[str, NDArray[np.str_]]


@dataclass(frozen=True, slots=True, eq=False)
class Modelled:
    """An estimate of every area from a model; one number an area.

    Attributes
    ----------
    method
        Which model.
    estimate, standard_error, lower, upper
        The estimate, the root of its mean squared error, and its interval.
    from_survey
        The share of the estimate that comes from the area's own answers, 0 to 1: the rest is what areas
        like it are. 0 where nobody was asked.
    coefficients
        Names, estimates and standard errors of the regression (of `mrp` in log-odds).
    model_sd
        Standard deviation of what areas have of their own, beyond the covariates (of `mrp` in log-odds).
    explained
        The share of the differences between areas that the covariates explain, 0 to 1.
    residual
        (n_sampled,) what the answers of sampled areas lie above the regression (of `mrp`: above the
        estimate), in standard deviations.
    direct
        What the survey alone says of the sampled areas.
    """

    method: Method
    estimate: Floats
    standard_error: Floats
    lower: Floats
    upper: Floats
    from_survey: Floats
    coefficients: tuple[tuple[str, float, float], ...]
    model_sd: float
    explained: float
    residual: Floats
    direct: Direct


def by_area(answers: Answers, covariates: Covariates, level: float = 0.95) -> Modelled:
    """Estimate every area by a Fay-Herriot model of those with respondents.

    Parameters
    ----------
    answers
        Of the respondents.
    covariates
        Of all areas.
    level
        The share of intervals that should cover the truth.

    Returns
    -------
    Modelled
        An area with respondents gets ``g y + (1 - g) x'b``, the others ``x'b``, both averaged over what the
        model variance may be, and so are their mean squared errors
        (`commonweal.small_areas.integrated`). Shares are kept within 0 and 1.

    Raises
    ------
    DataError
        If too few areas have respondents, or covariates repeat each other.
    """
    from scipy.stats import norm

    from commonweal.small_areas.integrated import fay_herriot_posterior

    direct = direct_estimates(answers, covariates.values)
    fit = fay_herriot_posterior(
        direct.value, direct.variance, covariates.values, direct.rows, names=covariates.names
    )
    error = np.sqrt(fit.variance)
    half = norm.ppf(0.5 + level / 2) * error
    estimate, lower, upper = fit.estimate, fit.estimate - half, fit.estimate + half
    if answers.share:
        estimate, lower, upper = (np.clip(v, 0, 1) for v in (estimate, lower, upper))
    spread = float(fit.synthetic.var())
    rows = direct.rows
    return Modelled(
        "fay-herriot",
        estimate,
        error,
        lower,
        upper,
        fit.shrinkage,
        tuple(zip(fit.names, fit.coefficients.tolist(), fit.standard_errors.tolist(), strict=True)),
        float(np.sqrt(fit.model_variance)),
        spread / (spread + fit.model_variance),
        (direct.value - fit.synthetic[rows]) / np.sqrt(direct.variance + fit.model_variance),
        direct,
    )


def by_kind(
    answers: Answers,
    covariates: Covariates,
    kinds: Kinds,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 1,
) -> Modelled:
    """Estimate every area by multilevel regression and poststratification.

    Parameters
    ----------
    answers
        Of the respondents; shares only.
    covariates
        Of all areas.
    kinds
        Who lives where, and which kind each respondent is.
    level
        The share of intervals that should cover the truth.
    draws, seed
        Of the approximate posterior; the same seed gives the same numbers.

    Returns
    -------
    Modelled
        A logistic regression on the covariates, the groups and the area gives each kind of person in each
        area a probability; these are weighted by who lives there. Survey weights are not used: what they set
        right, who was asked and who answered, is among the groups.

    Raises
    ------
    DataError
        If the outcome is no share, the model cannot be fitted, or a group of a respondent is not one of
        the people's.
    """
    from commonweal.small_areas import Cells, mrp

    if not answers.share:
        raise DataError("poststratification is of shares; expected an outcome of yes and no")
    x = covariates.values
    direct = direct_estimates(answers, x)
    few = {name for name, labels in kinds.cells.items() if len(set(labels)) < _FEW}
    fixed_names, fixed, fixed_cells = [], [], []
    for name in sorted(few):
        first = min(kinds.cells[name])
        if len(set(kinds.cells[name])) == 1:
            continue
        fixed_names.append(f"{name}: {first}")
        fixed.append(np.where(kinds.respondents[name] == first, 0.5, -0.5))
        fixed_cells.append(np.where(kinds.cells[name] == first, 0.5, -0.5))
    grouped = [name for name in kinds.cells if name not in few]
    fit = mrp(
        answers.value,
        np.column_stack([x[answers.area], *fixed]),
        {**{name: kinds.respondents[name] for name in grouped}, "area": answers.area},
        Cells(
            kinds.area,
            kinds.count,
            np.column_stack([x[kinds.area], *fixed_cells]),
            {**{name: kinds.cells[name] for name in grouped}, "area": kinds.area},
        ),
        names=[*covariates.names, *fixed_names],
        draws=draws,
        seed=seed,
        level=level,
    )
    model, found = fit.model, fit.estimates
    if len(found.areas) != len(x):
        raise DataError(
            f"{len(x) - len(found.areas):,} of {len(x):,} areas have no people of any kind; expected some in each"
        )
    at = model.factors.index("area")
    sd, of_area = float(model.sd[at]), np.asarray(model.levels[at], dtype=np.int64)
    from_survey = np.zeros(len(x))
    if sd > 0:
        from_survey[of_area] = np.clip(1 - (model.effect_se[at] / sd) ** 2, 0, 1)
    errors = np.sqrt(np.diag(model.covariance))
    k = 1 + x.shape[1]
    spread = float((x @ model.coefficients[1:k]).var())
    return Modelled(
        "mrp",
        found.estimate,
        found.se,
        found.lower,
        found.upper,
        from_survey,
        tuple(zip(model.names, model.coefficients.tolist(), errors.tolist(), strict=True)),
        sd,
        spread / (spread + sd**2) if spread else 0.0,
        (direct.value - found.estimate[direct.rows]) / np.sqrt(direct.variance),
        direct,
    )
