"""How often intervals of small-area estimates cover the truth of the fictional county, over repeated surveys.

python benchmarks/small_area_coverage.py [SURVEYS] [MODEL]

Every survey asks other people in other neighbourhoods; the truth stays the same. For each outcome: the share of
intervals of 95% that cover it (of all neighbourhoods, of those asked, of the others), the root mean squared error of
the estimates beside that of the survey alone, and the mean width of the intervals. Below, the same model with its
variance estimated by restricted maximum likelihood and taken as known. The claim is that between 93 and 97% cover over
200 surveys; the script ends with an error if not.
"""

from __future__ import annotations

import sys
import tempfile
from typing import TYPE_CHECKING

import numpy as np

from commonweal.demo import generate_county
from commonweal.small_areas import fay_herriot, predict
from commonweal.sources import Store
from commonweal.study.small_areas import (
    estimate_survey,
    example_spec,
    example_survey,
    read_covariates,
)

if TYPE_CHECKING:
    from commonweal.demo import County
    from commonweal.social_capital.neighbourhoods import Estimates
    from commonweal.study.small_areas import CovariateData

CLAIM = (0.93, 0.97)


def main(surveys: int = 200, model: str = "fay-herriot") -> int:
    county = generate_county()
    spec = example_spec().model_copy(update={"model": model, "draws": 400})
    with tempfile.TemporaryDirectory() as cache:
        ground = read_covariates(spec, Store(cache=cache, offline=True))
    rows: dict[tuple[str, str], list[list[float]]] = {}
    known: dict[str, list[tuple[float, bool]]] = {}
    for seed in range(1, surveys + 1):
        survey = example_survey(county, seed)
        for benchmark in ("", spec.benchmark):
            found = estimate_survey(
                spec.model_copy(update={"benchmark": benchmark}), survey, ground
            )
            for name, e in found.outcomes.items():
                if not benchmark:
                    known.setdefault(name, []).append(as_known(e, ground, county))
                truth = county.social_capital_truth[name].to_numpy()
                hit, asked = (e.lower <= truth) & (truth <= e.upper), e.asked > 0
                direct = e.modelled.direct
                rows.setdefault((name, benchmark or "none"), []).append(
                    [
                        hit.mean(),
                        hit[asked].mean(),
                        hit[~asked].mean(),
                        ((e.estimate - truth)[asked] ** 2).mean(),
                        ((direct.value - truth[direct.rows]) ** 2).mean(),
                        (e.upper - e.lower).mean(),
                    ]
                )
    print(f"{model}, {surveys} surveys of about 1,900 people in 119 of 400 neighbourhoods")
    print(
        f"{'outcome':<12}{'adds up to':<12}{'all':>7}{'asked':>8}{'others':>8}{'error':>8}{'direct':>8}{'width':>8}"
    )
    worst = 0.0
    for (name, benchmark), values in rows.items():
        cover, asked, others, error, direct, width = np.mean(values, axis=0)
        worst = max(worst, CLAIM[0] - cover, cover - CLAIM[1])
        print(
            f"{name:<12}{benchmark:<12}{cover:>7.1%}{asked:>8.1%}{others:>8.1%}{error**0.5:>8.3f}{direct**0.5:>8.3f}{width:>8.3f}"
        )
    for name, pairs in known.items():
        cover, at_zero = np.mean(np.array(pairs, dtype=float), axis=0)
        print(
            f"{name}, s2 taken as known: {cover:.1%} cover; s2 is put at 0 in {at_zero:.0%} of surveys"
        )
    return int(worst > 0)


def as_known(e: Estimates, ground: CovariateData, county: County) -> tuple[float, bool]:
    """Give the coverage of Fay-Herriot by REML, and whether its variance is at 0."""
    x, direct = ground.covariates.values, e.modelled.direct
    fit = fay_herriot(direct.value, direct.variance, x[direct.rows])
    everywhere = predict(fit, x)
    lower, upper = everywhere.lower.copy(), everywhere.upper.copy()
    lower[direct.rows], upper[direct.rows] = fit.lower, fit.upper
    truth = county.social_capital_truth[e.outcome].to_numpy()
    return float(((lower <= truth) & (truth <= upper)).mean()), fit.at_zero


if __name__ == "__main__":
    sys.exit(main(*(int(a) if a.isdigit() else a for a in sys.argv[1:])))  # type: ignore[arg-type]
