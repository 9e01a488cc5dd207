"""The vintage model: how likely a place is to be on the list when an index is released anew.

Ranks move between releases, since places change, data are renewed and definitions too. The model says how far, from
a pair of releases; `docs/methods/certainty.md` has the test out of sample.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError, StudyError
from commonweal.index.rank_transforms import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.designation.designation import Designation
    from commonweal.designation.rule import ConditionResult, Rule
    from commonweal.index import Scores

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VintageModel:
    """How the normal score of an index moves from one release to the next.

    ``z' = constant + own z + sum_k domains_k z_k + scale t``, with z the place's normal score on the index, z_k on
    its domains, z' on the index's next release, and t from Student's t distribution with `freedom` degrees of
    freedom. So the chance of being among the worst share q of the next release is
    ``T((constant + own z + sum_k domains_k z_k - c) / scale)``, with ``c = -Phi^-1(q)`` and T the distribution
    function of t.

    Attributes
    ----------
    own
        What one unit of the index's own normal score carries over.
    scale
        The scale of what is not foreseen.
    constant
        The shift of all.
    domains
        By name of a domain, what one unit of its normal score carries over beside the index's own.
    freedom
        Degrees of freedom; few are many large moves, and without bound they are normal.

    Notes
    -----
    Normal scores, because ranks near either end can move but one way. Domains, because two places with one score do
    not keep it alike: income's part lasts, that of crime, barriers or the environment less. Student's t, because
    most places move little and a few move far; one normal curve would be too wide for most and too narrow for those.

    Examples
    --------
    >>> model = VintageModel.of_correlation(0.95)
    >>> first, last_in = normal_scores(np.array([1.0, 100.0]), 1000)
    >>> model.chance(np.array([first, last_in]), {}, cut_score(100, 1000)).round(2)
    array([1.  , 0.42])
    """

    own: float
    scale: float
    constant: float = 0.0
    domains: Mapping[str, float] = field(default_factory=dict)
    freedom: float = np.inf

    @classmethod
    def of_correlation(cls, rho: float) -> VintageModel:
        """Give the model of one number: ``z' = rho z + sqrt(1 - rho^2) e``, with e normal."""
        if not 0 <= rho < 1:
            raise DataError(f"correlation between releases: found {rho:g}; expected 0 to below 1")
        return cls(own=rho, scale=float(np.sqrt(1 - rho**2)))

    def expected(self, own: Floats, domains: Mapping[str, Floats]) -> Floats:
        """Give the normal score that is expected of the next release."""
        parts = [carried * domains[name] for name, carried in self.domains.items()]
        mean: Floats = sum(parts, self.constant + self.own * own)
        return mean

    def chance(self, own: Floats, domains: Mapping[str, Floats], cut: float | Floats) -> Floats:
        """Give the chance of a normal score above a cut in the next release.

        Parameters
        ----------
        own, domains
            (n_areas,) normal scores on the index and, by name, its domains; missing ones make the chance missing.
        cut
            The normal score of the cut-off: `cut_score`.
        """
        from scipy.special import ndtr, stdtr

        above = (self.expected(own, domains) - cut) / self.scale
        return np.asarray(ndtr(above) if np.isinf(self.freedom) else stdtr(self.freedom, above))


INDICES_OF_DEPRIVATION = VintageModel(
    own=0.8023,
    scale=0.2294,
    constant=0.0038,
    domains={
        "income": 0.3028,
        "employment": -0.0861,
        "education": 0.0740,
        "health": -0.1009,
        "crime": -0.0324,
        "barriers": -0.0331,
        "living_environment": 0.0189,
    },
    freedom=6.02,
)
"""From the English Indices of Deprivation of 2019 to those of 2025, changed definitions included.

Fitted to the 31,810 neighbourhoods whose border is the same in both (MHCLG, ranks of the index and its domains);
`benchmarks/vintage.py` fits it again, and tests it on authorities that it was not fitted to. One pair of releases
says nothing of how much pairs differ.
"""

N_ENGLAND = 33_755
"""How many neighbourhoods of England the Indices of Deprivation 2025 rank; those of 2019 ranked 32,844."""


def normal_scores(rank: Floats, n: int) -> Floats:
    """Turn ranks among n, 1 = most need, into normal scores: ``z = -Phi^-1((rank - 1/2) / n)``."""
    return normal_quantile(n + 1 - rank, n)


def cut_score(width: float | Floats, n: int) -> Floats:
    """Give the normal score that the worst `width` of n areas are above."""
    return normal_scores(np.asarray(width, dtype=np.float64) + 0.5, n)


def fit_vintage(own: Floats, domains: Mapping[str, Floats], after: Floats) -> VintageModel:
    """Fit the model to a pair of releases, by maximum likelihood.

    Parameters
    ----------
    own
        (n_areas,) normal scores on the index in the first release.
    domains
        By name, the same on its domains; may be empty.
    after
        (n_areas,) normal scores on the index in the second release.

    Returns
    -------
    VintageModel

    Raises
    ------
    DataError
        If a value is missing, or there are too few areas.

    Notes
    -----
    Lange, Little and Taylor (1989): with residuals r, each area is weighted by ``(v + 1) / (v + (r / s)^2)``, the
    coefficients are those of weighted least squares, ``s^2`` the mean of the weighted squares, and the degrees of
    freedom v those of the highest likelihood, in turn until nothing moves.
    """
    x = np.column_stack([np.ones(len(own)), own, *domains.values()])
    if not (np.isfinite(x).all() and np.isfinite(after).all()):
        raise DataError("a vintage model is fitted to areas that have every score in both releases")
    if len(x) <= 10 * x.shape[1]:
        raise DataError(f"found {len(x)} areas for {x.shape[1]} coefficients; expected ten each")
    weights, freedom, scale = np.ones(len(x)), 8.0, 0.0
    while True:
        weighted = x.T * weights
        b = np.linalg.solve(weighted @ x, weighted @ after)
        squares = (after - x @ b) ** 2
        before, scale = scale, float(np.sqrt((weights * squares).mean()))
        freedom = _freedom(squares / scale**2)
        weights = (freedom + 1) / (freedom + squares / scale**2)
        if abs(scale - before) < 1e-9 * scale:
            break
    carried = dict(zip(domains, b[2:].tolist(), strict=True))
    return VintageModel(float(b[1]), scale, float(b[0]), carried, freedom)


def _freedom(squares: Floats) -> float:
    """Give the degrees of freedom, 1 to 1,000, under which standardised residuals are likeliest."""
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    def unlikely(log_v: float) -> float:
        v = np.exp(log_v)
        constant = gammaln((v + 1) / 2) - gammaln(v / 2) - np.log(v) / 2
        return float((v + 1) / 2 * np.log1p(squares / v).mean() - constant)

    found = minimize_scalar(
        unlikely, bounds=(0, np.log(1000)), method="bounded", options={"xatol": 1e-10}
    )
    return float(np.exp(found.x))


def next_release(
    designation: Designation,
    scores: Mapping[str, Scores],
    models: Mapping[str, VintageModel] | None = None,
) -> dict[str, Floats]:
    """Give the chance, by label and (n_areas,), that each condition with a model holds when its index is released anew.

    `models` are by path of a condition; if not given, `INDICES_OF_DEPRIVATION` for an index with its domains that
    ranks about as many areas, within a tenth: all neighbourhoods of England. Conditions without a model are left out:
    nothing is known of how they move. A rule is one condition, or several that must all hold, each on an index of its
    own, else it is refused.
    """
    if models is None:
        paths = (t.condition.path for t in designation.tested)
        models = {p: INDICES_OF_DEPRIVATION for p in paths if _is_deprivation(scores, p)}
    if models:
        _check(designation.rule)
    return {
        label: _chance(tested, scores, models[tested.condition.path])
        for label, tested in zip(designation.rule.labels(), designation.tested, strict=True)
        if tested.condition.path in models
    }


def _is_deprivation(scores: Mapping[str, Scores], path: str) -> bool:
    """Whether an index is one that `INDICES_OF_DEPRIVATION` was fitted to, by its domains and how many it ranks.

    Ranks of larger areas, and ranks within a part of the country, may move otherwise.
    """
    part, model = scores[path.split("/", 1)[0]].part(path), INDICES_OF_DEPRIVATION
    ranked = _present(part.score)
    return (
        part.tree.children.keys() == model.domains.keys()
        and abs(ranked - N_ENGLAND) <= N_ENGLAND / 10
    )


def _check(rule: Rule) -> None:
    """Refuse a rule other than conditions that must all hold, each on an index of its own."""
    parts = (rule,) if rule.condition else rule.all or ()
    indices = [r.condition.path.split("/", 1)[0] for r in parts if r.condition and not r.at_most]
    if rule.at_most or not parts or len(set(indices)) < len(parts):
        raise StudyError(
            f"found the rule '{rule}'; a vintage model takes one condition, or several that must all hold, each on "
            "an index of its own"
        )


def _chance(tested: ConditionResult, scores: Mapping[str, Scores], model: VintageModel) -> Floats:
    condition = tested.condition
    if condition.worst is None or condition.within:
        raise StudyError(f"found '{condition}'; a vintage model takes the worst of one list")
    path = condition.path
    part = scores[path.split("/", 1)[0]].part(path)
    pool = part.built if condition.among and part.built else part
    n = _present(pool.score)
    domains = {
        name: normal_scores(part.rank_of(at), _present(part.need[at]))
        for name, at in ((name, f"{part.index}/{name}") for name in model.domains)
    }
    own = normal_scores(
        np.minimum(tested.rank, n), n
    )  # of a pool, a rank can be one below its last
    return model.chance(own, domains, cut_score(tested.width, n))


def _present(values: Floats) -> int:
    return int((~np.isnan(values)).sum())
