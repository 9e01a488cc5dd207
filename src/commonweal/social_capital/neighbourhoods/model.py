"""From answers to an estimate of every neighbourhood: covariates, direct estimates, two models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.indicators import Indicators

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """A matrix of areas by covariates, each with mean 0 and standard deviation 1 over the areas.

    Attributes
    ----------
    names, labels
        Of the covariates: as the file names them, and for readers.
    sources
        Ids of the sources that they come from.
    values
        (n_areas, n_covariates) float64 without gaps.
    filled
        By name, how many areas had no value and got the mean of the others.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    sources: tuple[str, ...]
    values: NDArray[np.float64]
    filled: dict[str, int]


def standardised(indicators: Indicators, most_missing: float = 0.2) -> Covariates:
    """Put indicators on one scale, and fill their gaps with the mean.

    Parameters
    ----------
    indicators
        As published, on the areas to be estimated.
    most_missing
        The share of areas without a value from which on an indicator is refused.

    Raises
    ------
    DataError
        If an indicator is missing for more areas, or the same everywhere.

    Examples
    --------
    >>> from commonweal.indicators import Indicator, Indicators
    >>> about = (Indicator("rent", "Social renting", "share", "more", "census"),)
    >>> values = np.array([[0.1], [0.3], [np.nan], [0.2], [0.1], [0.1]])
    >>> found = standardised(Indicators("own", list("ABCDEF"), values, about))
    >>> found.values[:, 0].round(2), found.filled
    (array([-0.82,  1.92,  0.  ,  0.55, -0.82, -0.82]), {'rent': 1})
    """
    values = indicators.values
    gaps = np.isnan(values)
    names = tuple(m.name for m in indicators.meta)
    for name, share in zip(names, gaps.mean(axis=0), strict=True):
        if share > most_missing:
            raise DataError(
                f"covariate '{name}': {share:.0%} of the areas have no value; expected at most {most_missing:.0%}"
            )
    mean = np.nanmean(values, axis=0)
    full = np.where(gaps, mean, values)
    spread = full.std(axis=0)
    for name, sd, level in zip(names, spread, np.abs(mean), strict=True):
        if sd <= 1e-12 * max(level, 1e-300):
            raise DataError(
                f"covariate '{name}' is the same in every area; expected one that differs"
            )
    return Covariates(
        names,
        tuple(m.label for m in indicators.meta),
        tuple(dict.fromkeys(s for m in indicators.meta for s in m.source.split(", ") if s)),
        (full - mean) / spread,
        {name: int(n) for name, n in zip(names, gaps.sum(axis=0), strict=True) if n},
    )


_CLUSTERED = 20
"""Areas with two clusters or more that it takes to tell what clusters do to the variance."""
_EDGE = 0.02
"""Nearest to 0 and 1 that a share is taken to be when its variance is worked out."""


@dataclass(frozen=True, slots=True, eq=False)
class SurveyAnswers:
    """The answers of respondents who live in a known area, one row each.

    Attributes
    ----------
    value
        0 or 1, or a number.
    weight
        Of the survey, above 0.
    area
        Row of the respondent's area.
    cluster
        Number of the respondent's primary sampling unit; each their own where there is none.
    share
        Whether the values are 0 and 1.
    """

    value: Floats
    weight: Floats
    area: Ints
    cluster: Ints
    share: bool


@dataclass(frozen=True, slots=True, eq=False)
class Direct:
    """Direct estimates of the areas with respondents, one number each.

    Attributes
    ----------
    rows
        Which areas.
    value
        Weighted means.
    variance
        Their sampling variances, smoothed: see `direct_estimates`.
    respondents, effective
        How many answered, and Kish's effective number ``(sum w)^2 / sum w^2``.
    design_effect
        What sampling in clusters within areas multiplies the variance by; 1 where it cannot be told.
    """

    rows: Ints
    value: Floats
    variance: Floats
    respondents: Ints
    effective: Floats
    design_effect: float


def direct_estimates(answers: SurveyAnswers, x: Floats) -> Direct:
    """Estimate each area that has respondents from these alone.

    Parameters
    ----------
    answers
        Of the respondents.
    x
        (n_areas, n_covariates) standardised covariates of all areas.

    Returns
    -------
    Direct
        The value is ``sum w y / sum w``. A dozen answers cannot tell their own variance (if all say yes it
        would be 0), so it is smoothed: ``S^2 k / n_eff``, where S^2 is ``p (1 - p)`` at the share p that a
        regression on the covariates expects there (of numbers: the pooled variance within areas), and k is
        the pooled design effect of clusters within areas.

    Raises
    ------
    DataError
        If fewer areas have respondents than the regression has coefficients, and 5 more.

    Examples
    --------
    >>> answers = SurveyAnswers(np.array([1.0, 0, 1, 1]), np.ones(4), np.array([0, 0, 2, 2]), np.arange(4), True)
    >>> direct_estimates(answers, np.empty((3, 0)))
    Traceback (most recent call last):
    ...
    commonweal.errors.DataError: 2 areas have respondents; expected 6 or more for 1 coefficients: ask in \
more areas, or use fewer covariates
    """
    rows, place = np.unique(answers.area, return_inverse=True)
    needed = x.shape[1] + 1 + 5
    if len(rows) < needed:
        raise DataError(
            f"{len(rows)} areas have respondents; expected {needed} or more for {x.shape[1] + 1} coefficients: "
            "ask in more areas, or use fewer covariates"
        )
    w, y = answers.weight, answers.value
    total: Floats = np.bincount(place, w).astype(np.float64)
    value = np.bincount(place, w * y) / total
    respondents = np.bincount(place)
    effective = total**2 / np.bincount(place, w**2)
    if answers.share:
        design = np.column_stack([np.ones(len(rows)), x[rows]])
        root = np.sqrt(effective)
        coefficients = np.linalg.lstsq(design * root[:, None], value * root, rcond=None)[0]
        expected = np.clip(design @ coefficients, _EDGE, 1 - _EDGE)
        spread = expected * (1 - expected)
    else:
        residual = w * (y - value[place]) ** 2
        inside = np.bincount(place, residual) / total * respondents
        spread = np.full(len(rows), inside.sum() / max((respondents - 1).sum(), 1))
        if not spread.any():
            raise DataError("everybody in an area answers alike; expected answers that differ")
    variance = spread / effective
    k = _design_effect(answers, place, value, total, variance)
    return Direct(rows, value, variance * k, respondents, effective, k)


def _design_effect(
    answers: SurveyAnswers, place: Ints, value: Floats, total: Floats, variance: Floats
) -> float:
    """Give the pooled variance between clusters within areas over that of independent answers, at least 1."""
    _, cluster = np.unique(np.column_stack([place, answers.cluster]), axis=0, return_inverse=True)
    cluster = cluster.ravel()
    scores = np.bincount(cluster, answers.weight * (answers.value - value[place]))
    of = np.zeros(len(scores), dtype=np.int64)
    of[cluster] = place
    many = np.bincount(of, minlength=len(total))
    several = many >= 2
    if several.sum() < _CLUSTERED or len(scores) == len(place):
        return 1.0
    factor = many[several] / (many[several] - 1)
    linear = factor * np.bincount(of, scores**2, len(total))[several] / total[several] ** 2
    return max(1.0, float(linear.sum() / variance[several].sum()))


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


def fit_areas(answers: SurveyAnswers, covariates: Covariates, level: float = 0.95) -> Modelled:
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
        (`commonweal.small_areas.fay_herriot_bayes`). Shares are kept within 0 and 1.

    Raises
    ------
    DataError
        If too few areas have respondents, or covariates repeat each other.
    """
    from scipy.stats import norm

    from commonweal.small_areas.fay_herriot_bayes import fay_herriot_posterior

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


def _fixed_kinds(kinds: Kinds, few: set[str]) -> tuple[list[str], list[Floats], list[Floats]]:
    """Give kinds of too few labels to vary by as covariates: their names, of respondents, and of cells."""
    names: list[str] = []
    of_people: list[Floats] = []
    of_cells: list[Floats] = []
    for name in sorted(few):
        first = min(kinds.cells[name])
        if len(set(kinds.cells[name])) == 1:
            continue
        names.append(f"{name}: {first}")
        of_people.append(np.where(kinds.respondents[name] == first, 0.5, -0.5))
        of_cells.append(np.where(kinds.cells[name] == first, 0.5, -0.5))
    return names, of_people, of_cells


def fit_kinds(
    answers: SurveyAnswers,
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
    fixed_names, fixed, fixed_cells = _fixed_kinds(kinds, few)
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
