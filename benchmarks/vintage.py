"""How far the ranks of the Indices of Deprivation moved from 2019 to 2025, and how well that is foretold.

python benchmarks/vintage.py [FOLDER]

The panel is the English neighbourhoods whose border is the same in 2011 and 2021. Authorities, in order of their
codes, belong to the two halves in turn; each half is foretold by what is fitted on the other, so every number here
is out of sample. Beside the model stand the list as it is, the share of draws of the weights, and a model of one
number. The last lines are the constants of `INDICES_OF_DEPRIVATION`, fitted on both halves. With a folder, the
reliability diagram and its numbers are written there. Needs the data (COMMONWEAL_MIRROR or the network).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

import commonweal as cw
from commonweal.chart.lines import Line, Points, line_chart
from commonweal.chart.theme import BLUE, QUIET, Axis, Mark, solid
from commonweal.designation.vintage import VintageModel, cut_score, fit_vintage, normal_scores
from commonweal.document.format import STABILITY_WORDS, stability
from commonweal.document.model import TableData
from commonweal.sources import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.document.model import Chart

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

DOMAINS = {
    "income": "Income_rank",
    "employment": "Employment_rank",
    "education": "Education_rank",
    "health": "Health_rank",
    "crime": "Crime_rank",
    "barriers": "Housing_and_Access_rank",
    "living_environment": "Environment_rank",
}
"""Columns of 2019; in 2025 barriers' is another."""
BINS = (0.0, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99, 1.0)
RESAMPLES = 1000


@dataclass(frozen=True)
class Panel:
    """Neighbourhoods in both releases: codes, authorities, normal scores by name, and who is in the worst tenth."""

    codes: list[str]
    authority: NDArray[np.intp]
    own: Floats
    domains: dict[str, Floats]
    after: Floats
    domains_after: dict[str, Floats]
    cut: float
    listed: Bools
    listed_after: Bools

    @property
    def half(self) -> Bools:
        """Whether an area is in the second half of authorities."""
        return self.authority % 2 == 1


def panel(store: Store) -> Panel:
    """Read the neighbourhoods that are in both releases unchanged."""
    lookup = store.table("lookup-lsoa11-lsoa21").filter(
        pl.col("lsoa11_code").str.starts_with("E") & (pl.col("change_code") == "U")
    )
    columns = {"index": "IMD_rank", **DOMAINS}
    first, second = store.table("imd2019-lsoa11"), store.table("imd2025-lsoa21")
    later = {name: column.replace("Access", "Services") for name, column in columns.items()}
    both = (
        lookup.join(first.select("lsoa11_code", **_ranks(columns, "")), on="lsoa11_code")
        .join(second.select("lsoa21_code", **_ranks(later, "_after")), on="lsoa21_code")
        .sort("lsoa21_code")
    )
    z = {name: normal_scores(both[name].to_numpy(), len(first)) for name in columns}
    then = {name: normal_scores(both[f"{name}_after"].to_numpy(), len(second)) for name in columns}
    authority = np.unique(both["ltla22_code"].to_numpy(), return_inverse=True)[1]
    # The worst tenth, rounded down: rank 3,284 of 32,844 and 3,375 of 33,755.
    return Panel(
        both["lsoa21_code"].to_list(),
        authority,
        z.pop("index"),
        z,
        then.pop("index"),
        then,
        float(cut_score(len(second) // 10, len(second))),
        both["index"].to_numpy() <= len(first) // 10,
        both["index_after"].to_numpy() <= len(second) // 10,
    )


def _ranks(columns: dict[str, str], end: str) -> dict[str, pl.Expr]:
    return {name + end: pl.col(column).cast(pl.Float64) for name, column in columns.items()}


def one_number(p: Panel, rows: Bools) -> Floats:
    """Foretell all by the correlation in some rows."""
    rho = float(np.corrcoef(p.own[rows], p.after[rows])[0, 1])
    return VintageModel.of_correlation(rho).chance(p.own, {}, p.cut)


def by_domains(p: Panel, rows: Bools) -> Floats:
    """Foretell all by the model fitted to some rows."""
    model = fit_vintage(p.own[rows], {k: v[rows] for k, v in p.domains.items()}, p.after[rows])
    return model.chance(p.own, p.domains, p.cut)


def out_of_sample(p: Panel, foretell: Callable[[Panel, Bools], Floats]) -> Floats:
    """Foretell each half by what is fitted on the other."""
    return np.where(p.half, foretell(p, ~p.half), foretell(p, p.half))


def losses(chance: Floats, came: Bools, least: float = 0.0) -> tuple[Floats, Floats]:
    """Give each area's part in Brier score and log-loss, with chances at least so far from 0 and 1."""
    kept = np.clip(chance, least, 1 - least)
    return (chance - came) ** 2, -np.log(np.where(came, kept, 1 - kept))


@dataclass(frozen=True)
class Drawn:
    """Of the list of 2023, on a panel: shares of draws, on the list and by deprivation alone, and its condition."""

    listed: Floats
    deprived: Floats
    needs: Bools


def draw(p: Panel, store: Store) -> Drawn:
    """Run the study of 2023, whose Community Needs Index is also that of the list of 2025."""
    found = cw.run("left-behind-2023", store, sensitivity=False, geometry=False)
    certainty = found.certainty["left_behind"]
    at = {code: row for row, code in enumerate(certainty.codes)}
    rows = [at[code] for code in p.codes]
    deprived = dict(certainty.passes)["deprivation"]
    needs = found.designation.tested[0].passes
    return Drawn(certainty.selected[rows], deprived[rows], needs[rows])


def by_word(chance: Floats, came: Bools) -> str:
    """Say for each word how many have it, what was said and what came."""
    words = np.array([stability(share) for share in chance.tolist()])
    cells = []
    for word in STABILITY_WORDS:
        here = words == word
        told = f"{here.sum():,}"
        if here.any():
            told += f": {chance[here].mean():.1%}, {came[here].mean():.1%}"
        cells.append(told)
    return " | ".join(cells)


def reliability(p: Panel, chance: Floats) -> pl.DataFrame:
    """Give by bin of the chance what was said and what came, with 95% by resampling authorities."""
    rng = np.random.default_rng(16)
    n = int(p.authority.max()) + 1
    times = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.float64)
    rows = []
    for k, (low, high) in enumerate(pairwise(BINS)):
        here = (chance >= low) & ((chance < high) | (k == len(BINS) - 2))
        of, came = (
            np.bincount(p.authority, w, n)
            for w in (here.astype(float), (here & p.listed_after).astype(float))
        )
        ends = np.quantile((times @ came) / (times @ of), [0.025, 0.975])
        said, found = chance[here].mean(), p.listed_after[here].mean()
        rows.append((f"{low:.0%} to {high:.0%}", int(here.sum()), said, found, *ends))
    head = ["chance", "areas", "said", "came", "low", "high"]
    return pl.DataFrame(rows, schema=head, orient="row")


def diagram(found: pl.DataFrame) -> Chart:
    """Draw what came against what was said."""
    ticks = tuple((v, f"{v:.0%}") for v in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    said, came, low, high = (found[c].to_numpy() for c in ("said", "came", "low", "high"))
    numbers = found.rename(
        {
            "chance": "Chance",
            "areas": "Neighbourhoods",
            "said": "Said, on average",
            "came": "In the worst tenth of 2025",
            "low": "95% from",
            "high": "95% to",
        }
    )
    shares = frozenset(numbers.columns[2:])
    marks = (Mark("circle", solid(BLUE)),)
    return line_chart(
        "reliability",
        "Chances of 95% and more came true in 98% of cases",
        "Each point is a group of neighbourhoods with similar chances; its height is the share of them that came to "
        "be in the worst tenth of 2025. On the grey line both are equal. Whiskers are 95% intervals over authorities.",
        [
            Line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1.5, QUIET),
            Points(said, came, marks, whiskers=low),
            Points(said, came, marks, whiskers=high),
        ],
        TableData(numbers, shares=shares),
        {"mark": "point"},
        Axis(0.0, 1.0, ticks, "Chance, by the model fitted on the other half of authorities"),
        Axis(0.0, 1.0, ticks, "Share that came to be in the worst tenth of 2025"),
    )


def main(folder: str = "") -> None:
    store = Store.from_environment()
    p = panel(store)
    print(
        f"{len(p.codes):,} neighbourhoods in {p.authority.max() + 1} authorities: "
        f"{(~p.half).sum():,} in the first half, {p.half.sum():,} in the second; worst tenth of 2019 "
        f"{p.listed.sum():,}, of 2025 {p.listed_after.sum():,}, of both {(p.listed & p.listed_after).sum():,}"
    )
    for name in ("index", *DOMAINS):
        a, b = (p.own, p.after) if name == "index" else (p.domains[name], p.domains_after[name])
        print(f"correlation of normal scores, {name}: {np.corrcoef(a, b)[0, 1]:.3f}")
    drawn = draw(p, store)
    ways = {
        "the list as it is": (p.listed.astype(float), 1e-4),
        "share of draws": (drawn.deprived, 1e-4),
        "one number": (out_of_sample(p, one_number), 0.0),
        "index and domains": (out_of_sample(p, by_domains), 0.0),
    }
    print(f"\n| | Brier | log-loss | called 95% and more | of them came |\n| --- |{' ---: |' * 4}")
    for where, rows in {
        "": np.full(len(p.codes), True),
        ", second half": p.half,
        ", first half": ~p.half,
    }.items():
        for name, (chance, least) in ways.items():
            brier, log = losses(chance, p.listed_after, least)
            sure = rows & (chance >= 0.95)
            print(
                f"| {name}{where} | {brier[rows].mean():.4f} | {log[rows].mean():.4f} | "
                f"{sure.sum():,} | {p.listed_after[sure].mean():.1%} |"
            )
    rng, n = np.random.default_rng(16), int(p.authority.max()) + 1
    times = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.float64)
    for k, what in enumerate(("Brier", "log-loss")):
        better = (
            losses(*_of(ways, "one number", p))[k] - losses(*_of(ways, "index and domains", p))[k]
        )
        of, total = np.bincount(p.authority, minlength=n), np.bincount(p.authority, better, n)
        low, high = np.quantile((times @ total) / (times @ of), [0.025, 0.975])
        print(
            f"{what}: better than one number by {better.mean():.5f} (95% over authorities {low:.5f} to {high:.5f})"
        )
    on_list = drawn.needs & p.listed
    stays = p.listed_after[on_list]
    print(
        f"\n{on_list.sum():,} of them on the list of 2023, {stays.sum():,} of these on that of 2025"
    )
    print("By word: how many, what was said on average, what came\n")
    print(f"| | Brier | log-loss | {' | '.join(STABILITY_WORDS)} |\n| --- |{' ---: |' * 6}")
    for name, chance in {
        "share of draws": drawn.listed,
        **{name: ways[name][0] for name in ("one number", "index and domains")},
    }.items():
        brier, log = losses(chance[on_list], stays, 1e-4)
        print(
            f"| {name} | {brier.mean():.4f} | {log.mean():.4f} | {by_word(chance[on_list], stays)} |"
        )
    found = reliability(p, ways["index and domains"][0])
    with pl.Config(tbl_rows=-1, float_precision=3):
        print(found)
    print(fit_vintage(p.own, p.domains, p.after))
    if folder:
        chart = diagram(found)
        (Path(folder) / "reliability.svg").write_text(chart.svg, "utf-8")
        chart.numbers.frame.write_csv(Path(folder) / "reliability.csv", float_precision=4)


def _of(ways: dict[str, tuple[Floats, float]], name: str, p: Panel) -> tuple[Floats, Bools]:
    return ways[name][0], p.listed_after


if __name__ == "__main__":
    main(*sys.argv[1:])
