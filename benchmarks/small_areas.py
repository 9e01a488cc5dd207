"""Small areas: against samplics on the same input, a national run, and how often intervals hold the truth.

Claims: a Fay-Herriot fit of 500 areas agrees with samplics to 1e-8 and takes a thousandth of its time; 33,755 areas,
one outcome, with intervals take under 60 s on two cores by either model; 95% intervals cover as printed.

python benchmarks/small_areas.py            all but the coverage
python benchmarks/small_areas.py coverage   that, in some minutes
"""

from __future__ import annotations

import resource
import sys
import time
import warnings

import numpy as np
from scipy.special import expit

from commonweal.small_areas import Cells, fay_herriot, fay_herriot_shares, mrp, predict, unit_level

N_PEER, N_AREAS, N_DISTRICTS, ASKED, LIMIT = 500, 33_755, 309, 20_000, 60.0


def against_samplics() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says on import that it is archived
        from samplics.sae.eblup_area_model import EblupAreaModel
        from samplics.utils.types import FitMethod
    rng = np.random.default_rng(1)
    x, d = rng.normal(size=(N_PEER, 3)), rng.uniform(0.2, 2, N_PEER)
    y = x @ [1, 0.5, -0.5] + rng.normal(0, 0.7, N_PEER) + rng.normal(0, np.sqrt(d))
    codes = np.arange(N_PEER)
    start = time.perf_counter()
    peer = EblupAreaModel(method=FitMethod.reml)
    peer.fit(yhat=y, X=x, area=codes, error_std=np.sqrt(d), intercept=True, tol=1e-12)
    peer.predict(X=x, area=codes, intercept=True)
    theirs = time.perf_counter() - start
    ours = []
    for _ in range(5):
        start = time.perf_counter()
        fit = fay_herriot(y, d, x)
        ours.append(time.perf_counter() - start)
    apart = np.abs(fit.estimate - list(peer.area_est.values())).max()
    apart_mse = np.abs(fit.mse - list(peer.area_mse.values())).max()
    print(
        f"{N_PEER} areas, Fay-Herriot: samplics takes {theirs / min(ours):,.0f} x as long; "
        f"estimates differ by {apart:.0e}, mean squared errors by {apart_mse:.0e}"
    )
    assert max(apart, apart_mse) < 1e-8


def national() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N_AREAS, 6))
    district, kind = rng.integers(0, N_DISTRICTS, N_AREAS), rng.integers(0, 8, N_AREAS)
    odds = (
        0.3 + x @ [0.2, -0.1, 0.1, 0, 0, 0.05] + rng.normal(0, 0.3, N_AREAS)
        + rng.normal(0, 0.2, N_DISTRICTS)[district] + rng.normal(0, 0.2, 8)[kind]
    )  # fmt: skip
    by_age, by_sex = rng.normal(0, 0.3, 6), rng.normal(0, 0.1, 2)

    n = rng.integers(5, 30, N_AREAS)
    share = rng.binomial(n, expit(odds)) / n
    start = time.perf_counter()
    fit = fay_herriot_shares(share, n, x)
    report("Fay-Herriot", time.perf_counter() - start, fit, expit(odds))

    area, age, sex = (rng.integers(0, k, ASKED) for k in (N_AREAS, 6, 2))
    said = rng.random(ASKED) < expit(odds[area] + by_age[age] + by_sex[sex])
    home = np.repeat(np.arange(N_AREAS), 12)
    ages, sexes = np.tile(np.repeat(np.arange(6), 2), N_AREAS), np.tile([0, 1], 6 * N_AREAS)
    count = rng.integers(20, 200, len(home))
    there = expit(odds[home] + by_age[ages] + by_sex[sexes])
    truth = np.bincount(home, there * count) / np.bincount(home, count)

    def factors(a: np.ndarray, years: np.ndarray, sex: np.ndarray) -> dict[str, np.ndarray]:
        return {"area": a, "district": district[a], "kind": kind[a], "age": years, "sex": sex}

    cells = Cells(home, count, x[home], factors(home, ages, sexes))
    start = time.perf_counter()
    made = mrp(said, x[area], factors(area, age, sex), cells)
    report(f"MRP, {ASKED:,} asked", time.perf_counter() - start, made.estimates, truth)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak:.1f} GB, with the {len(home):,} cells of the frame")


def report(name: str, seconds: float, fit: object, truth: np.ndarray) -> None:
    hits = np.mean((fit.lower <= truth) & (truth <= fit.upper))
    close = np.corrcoef(fit.estimate, truth)[0, 1]
    print(
        f"{N_AREAS:,} areas, {name}: {seconds:.1f} s ({seconds / LIMIT:.2f} of the 60 s claimed); "
        f"{hits:.1%} of intervals hold the truth, r = {close:.2f}"
    )
    assert seconds < LIMIT


def in_tails(fit: object, truth: np.ndarray, share: float = 0.1) -> tuple[float, float, float]:
    """Give coverage and mean error in the areas that truly are lowest, and coverage in those estimated lowest."""
    hits, n = (fit.lower <= truth) & (truth <= fit.upper), round(share * len(truth))
    low, said = np.argsort(truth)[:n], np.argsort(fit.estimate)[:n]
    return hits[low].mean(), (fit.estimate - truth)[low].mean(), hits[said].mean()


def tails(name: str, rows: list[tuple[float, float, float]]) -> None:
    low, off, said = np.mean(rows, axis=0)
    print(
        f"{name}, the tenth that truly is lowest: {low:.1%}, estimated {off:+.3f} too high; the tenth that is "
        f"estimated lowest: {said:.1%}"
    )


def coverage() -> None:
    """Share of 95% intervals that hold the truth: fresh truths and surveys, seeds 0, 1, 2, ..."""
    for n, s2 in ((80, 0.5), (240, 0.5), (80, 0.1), (32, 0.5)):
        hits, unsampled, zeros, ends = [], [], 0, []
        for seed in range(400):
            rng = np.random.default_rng(seed)
            x, d = rng.normal(size=n + 20), rng.uniform(0.2, 2, n + 20)
            truth = 1 + 2 * x + rng.normal(0, np.sqrt(s2), n + 20)
            y = truth + rng.normal(0, np.sqrt(d))
            fit = fay_herriot(y[:n], d[:n], x[:n])
            new = predict(fit, x[n:])
            hits.append((fit.lower <= truth[:n]) & (truth[:n] <= fit.upper))
            unsampled.append((new.lower <= truth[n:]) & (truth[n:] <= new.upper))
            zeros += fit.at_zero
            ends.append(in_tails(fit, truth[:n]))
        print(
            f"Fay-Herriot, {n} areas, s2 = {s2}, D 0.2 to 2: {np.mean(hits):.1%}, unsampled "
            f"{np.mean(unsampled):.1%}; s2 estimated as 0 in {zeros / 4:.0f}% of surveys"
        )
        tails(f"Fay-Herriot, {n} areas, s2 = {s2}", ends)
    hits = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        n = rng.integers(1, 8, 40)
        area, means, effect = (
            np.repeat(np.arange(40), n),
            rng.normal(size=40),
            rng.normal(0, 0.7, 40),
        )
        x = means[area] + rng.normal(size=len(area))
        y = 1 + 0.5 * x + effect[area] + rng.normal(size=len(area))
        fit = unit_level(y, x, area, means, areas=range(40))
        truth = 1 + 0.5 * means + effect
        hits.append((fit.lower <= truth) & (truth <= fit.upper))
    print(f"nested error, 40 areas of 1 to 7: {np.mean(hits):.1%}")
    for areas, asked in ((150, 1500), (300, 1200), (300, 600)):
        hits, ends = [], []
        for seed in range(24):
            rng = np.random.default_rng(seed)
            x, u, v = rng.normal(size=areas), rng.normal(0, 0.4, areas), rng.normal(0, 0.3, 6)
            area, age = rng.integers(0, areas, asked), rng.integers(0, 6, asked)
            said = rng.random(asked) < expit(0.3 + 0.4 * x[area] + u[area] + v[age])
            home, ages = np.repeat(np.arange(areas), 6), np.tile(np.arange(6), areas)
            count = rng.integers(20, 200, len(home))
            there = expit(0.3 + 0.4 * x[home] + u[home] + v[ages])
            truth = np.bincount(home, there * count) / np.bincount(home, count)
            cells = Cells(home, count, x[home], {"area": home, "age": ages})
            made = mrp(said, x[area], {"area": area, "age": age}, cells, seed=seed).estimates
            hits.append(np.mean((made.lower <= truth) & (truth <= made.upper)))
            ends.append(in_tails(made, truth))
        error = np.std(hits) / np.sqrt(len(hits))
        print(f"MRP, {asked / areas:g} asked an area: {np.mean(hits):.1%} (se {error:.1%})")
        tails(f"MRP, {asked / areas:g} asked an area", ends)


if __name__ == "__main__":
    if sys.argv[1:] == ["coverage"]:
        coverage()
    else:
        against_samplics()
        national()
