"""Weighted estimates with design-based standard errors: by group, wave and area, and in summary."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.errors import DataError
from commonweal.files.extras import needs
from commonweal.survey.survey import nested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.survey.rake import Raking
    from commonweal.survey.survey import Survey


CONFIDENCE = 0.95
TOGETHER = 100
"""Groups whose covariance is worked out at once: it is as large as their square."""
Array = np.ndarray[Any, Any]
_RULES = {"error": None, "centre": "center", "average": "scale", "skip": "skip"}
"""What svy calls the ways to treat a stratum of one cluster; an error was raised on reading."""


def estimate(
    survey: Survey, outcome: str, by: str | Sequence[str] = (), wave: str | None = None
) -> pl.DataFrame:
    """Estimate a share or a mean, by group.

    Parameters
    ----------
    survey
        The respondents.
    outcome
        One of its outcomes.
    by
        Groups; ``wave`` and ``area`` are groups too. Respondents who are in none are left out.
    wave
        Only this wave. If not given, all waves together.

    Returns
    -------
    polars.DataFrame
        A row a group that has respondents, in the order of the groups:

        * the columns of `by`;
        * ``respondents`` who answered, and ``effective_sample``: Kish's ``(sum w)^2 / sum w^2``;
        * ``design_effect``: the variance over that of a simple random sample of as many;
        * ``value``, ``standard_error``, ``lower`` and ``upper`` (95%), ``degrees_of_freedom`` (clusters less
          strata that have respondents of the group);
        * ``coefficient_of_variation``: the standard error over the value;
        * ``suppress`` and, where it is not, the ``reason``.

        What cannot be said is null. Values of estimates that are not to be published are there all the
        same, since models of small areas need them: `suppress` takes them out.

    Raises
    ------
    UnknownNameError
        If the outcome, a group or the wave is not one of the survey's.
    DataError
        If nobody answered.

    Notes
    -----
    The value is ``sum w y / sum w`` over those who answered. Its variance is by Taylor linearisation, with
    everybody else in the sample kept at a score of zero, so that the size of the group is random too; or from
    replicate weights, where the survey has them. `svy` computes both. Intervals of means are
    ``value ± t s``; those of shares the same on the logit scale, which stays within 0 and 1. At a share
    of 0 or 1 the interval is Clopper and Pearson's at the effective sample (Korn and Graubard 1998).
    """
    return _estimates(survey, survey.outcome(outcome), survey.groupings(by), wave, TOGETHER)[0]


def changes(
    survey: Survey,
    outcome: str,
    since: str,
    until: str,
    by: str | Sequence[str] = (),
) -> pl.DataFrame:
    """Estimate the change of a share or a mean from one wave to another, by group, a row each that has both.

    ``change`` is after less before. ``var(change) = var(before) + var(after) - 2 cov``. The covariance is 0 between
    independent samples, where degrees of freedom add up; of a panel it is that of the clusters asked twice, and the
    fewer degrees of freedom are taken.
    """
    for name in (since, until):
        survey.wave(name)
    if since == until:
        raise DataError(f"found a change from wave '{since}' to itself; expected two waves")
    names = survey.groupings(by)
    if "wave" in names:
        raise DataError("found a change by 'wave'; expected other groups")
    table, covariance = _estimates(survey, survey.outcome(outcome), [*names, "wave"], None, None)
    table = table.with_row_index("row")
    key = pl.lit(1).alias("all")  # so that a join by no group at all is one by a constant
    first, second = (table.filter(pl.col("wave") == w).with_columns(key) for w in (since, until))
    pairs = first.join(second, on=["all", *names], suffix="_after", maintain_order="left")
    if not len(pairs):
        raise DataError(
            f"{survey.spec.name}: nobody answered '{outcome}' in both waves '{since}' and '{until}'"
        )
    a, b = (pairs[c].to_numpy() for c in ("row", "row_after"))
    variance = covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
    error = np.sqrt(np.maximum(variance, 0))
    both = [pairs["degrees_of_freedom"], pairs["degrees_of_freedom_after"]]
    df = pl.select(pl.min_horizontal(both) if survey.spec.panel else both[0] + both[1]).to_series()
    change = (pairs["value_after"] - pairs["value"]).to_numpy()
    low, high = _t_interval(change, error, df.to_numpy())
    unknown = pairs["standard_error"].is_null() | pairs["standard_error_after"].is_null()
    known = pl.lit(~unknown)
    return pairs.select(
        *names,
        before="value",
        after="value_after",
        change=pl.lit(pl.Series(change)),
        standard_error=pl.when(known).then(pl.lit(pl.Series(error))),
        lower=pl.when(known).then(pl.lit(pl.Series(low))),
        upper=pl.when(known).then(pl.lit(pl.Series(high))),
        degrees_of_freedom=pl.lit(df),
        published=pl.col("published") & pl.col("published_after"),
        reason=pl.concat_str(
            pl.lit(f"{since}: ") + pl.col("reason"),
            pl.lit(f"{until}: ") + pl.col("reason_after"),
            separator="; ",
            ignore_nulls=True,
        ).replace("", None),
    )


def suppress(table: pl.DataFrame) -> pl.DataFrame:
    """Put null in place of the numbers, but the count of respondents, of estimates that are too weak to publish."""
    keep = {"respondents", "published"}
    hide = [c for c, kind in table.schema.items() if kind.is_numeric() and c not in keep]
    return table.with_columns(pl.when("published").then(pl.col(c)).alias(c) for c in hide)


def _estimates(
    survey: Survey, outcome: str, names: list[str], wave: str | None, together: int | None
) -> tuple[pl.DataFrame, Array]:
    """Give the table of `estimate`, and the covariance of its rows if they are worked out all together."""
    asked = pl.col(outcome).is_not_null() & pl.all_horizontal(
        pl.lit(True), *(pl.col(n).is_not_null() for n in names)
    )
    if wave is not None:
        asked &= pl.col("wave") == survey.wave(wave)
    frame = nested(survey.spec, survey.frame).with_columns(_asked=asked)
    if not frame["_asked"].any():
        when = f" in wave '{wave}'" if wave is not None else ""
        raise DataError(
            f"{survey.spec.name}: nobody answered '{outcome}'{when}{' by ' if names else ''}{', '.join(names)}"
        )
    order = [pl.col(n).cast(pl.Enum(survey.levels[n])) for n in names] or [pl.lit(0)]
    group = pl.struct(order).rank("dense").cast(pl.Int64) if names else pl.lit(1, dtype=pl.Int64)
    inside = frame.filter("_asked").with_columns(_group=group)
    w, y = pl.col("weight"), pl.col(outcome)
    mean = (w * y).sum() / w.sum()
    counts = inside.group_by("_group").agg(
        *(pl.first(n) for n in names),
        respondents=pl.len(),
        effective_sample=w.sum() ** 2 / (w**2).sum(),
        value=mean,
        # of a simple random sample, drawn with replacement
        simple=(w * (y - mean) ** 2).sum() / w.sum() / (pl.len() - 1),
    )
    groups = frame.select("_asked").with_row_index().filter("_asked")["index"]
    code = pl.zeros(len(frame), dtype=pl.Int64, eager=True).scatter(groups, inside["_group"])
    found, covariance = _svy(
        survey, frame.with_columns(_group=code), outcome, together or len(counts)
    )
    table = counts.sort("_group").join(found, on="_group", how="left", maintain_order="left")
    return _told(survey, outcome, table, names), covariance


def _svy(
    survey: Survey, frame: pl.DataFrame, outcome: str, together: int
) -> tuple[pl.DataFrame, Array]:
    """Estimate by group with svy: standard errors, degrees of freedom, and the covariance of the groups."""
    with needs("survey"):
        import svy

    spec = survey.spec
    cells = {
        f"_cell{k}": pl.col(name).rank("dense").cast(pl.Int32)
        for k, name in enumerate(survey.raked)
    }
    data = frame.with_columns(pl.col(outcome).fill_null(0.0), **cells)
    there = data.columns
    design = svy.Design(
        wgt="weight",
        stratum="stratum" if "stratum" in there else None,
        psu="cluster" if "cluster" in there else None,
        pop_size="population" if "population" in there else None,
        singleton=_RULES[spec.singletons],  # type: ignore[arg-type]
        wgt_adjustment=svy.WgtAdjustment(
            kind="raking", prev_wgt="base_weight", new_wgt="weight", cells=tuple(cells)
        )
        if cells
        else None,
        rep_wgts=_replicates(survey),
    )
    sample = svy.Sample(data, design)
    parts = []
    for start in range(1, int(data["_group"].max()) + 1, together):  # type: ignore[arg-type]
        found: Any = sample.estimation.mean(
            outcome,
            by="_group",
            where=pl.col("_group").is_between(start, start + together - 1),
            method="replication" if spec.replicates else None,
        )
        rows = found.to_polars().with_row_index("row").sort("_group")
        parts.append(rows.select("_group", standard_error="se", degrees_of_freedom="df"))
    covariance = np.asarray(found.covariance)[np.ix_(rows["row"], rows["row"])]
    return pl.concat(parts), covariance


def _replicates(survey: Survey) -> Any:
    import svy

    about = survey.spec.replicates
    if about is None:
        return None
    more = {"fay_coef": about.fay} if about.method == "brr" else {}
    more |= {"kind": about.kind} if about.kind else {}  # type: ignore[dict-item]
    return svy.RepWeights(about.method, prefix="replicate", n_reps=len(about.columns), **more)


def _told(survey: Survey, outcome: str, table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Add intervals, and what may be published, to estimates."""
    limits = survey.spec.suppress
    value, error, n = (table[c].to_numpy() for c in ("value", "standard_error", "effective_sample"))
    df = table["degrees_of_freedom"].to_numpy()
    interval = _share_interval if survey.spec.outcomes[outcome].share else _plain_interval
    low, high = interval(value, error, df, n)
    table = table.with_columns(
        lower=pl.Series(low), upper=pl.Series(high), known=pl.col("degrees_of_freedom") >= 1
    )
    seen = pl.col("known")
    cv = pl.when(seen & (pl.col("value") != 0)).then(
        pl.col("standard_error") / pl.col("value").abs()
    )
    few = pl.col("respondents") < limits.respondents
    table = table.with_columns(coefficient_of_variation=cv).with_columns(
        reason=pl.when(few)
        .then(pl.format(f"fewer than {limits.respondents} respondents ({{}})", "respondents"))
        .when(~seen)
        .then(pl.lit("respondents of one cluster in each stratum only: no standard error"))
        .when(pl.col("value") == 0)
        .then(pl.lit("a value of 0: no coefficient of variation"))
        .when(pl.col("coefficient_of_variation") >= limits.variation)
        .then(pl.lit(f"coefficient of variation of {_percent(limits.variation)} or more"))
    )
    return table.select(
        *names,
        "respondents",
        "effective_sample",
        design_effect=pl.when(seen & (pl.col("simple") > 0)).then(
            pl.col("standard_error") ** 2 / pl.col("simple")
        ),
        value="value",
        standard_error=pl.when(seen).then("standard_error"),
        lower=pl.when(seen).then("lower"),
        upper=pl.when(seen).then("upper"),
        degrees_of_freedom="degrees_of_freedom",
        coefficient_of_variation="coefficient_of_variation",
        published=pl.col("reason").is_null(),
        reason="reason",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.10g}%"


def _t(df: Array) -> Array:
    """Give the two-sided t at so many degrees of freedom; of less than one, that of one."""
    from scipy.stats import t

    return np.asarray(t.ppf(0.5 + CONFIDENCE / 2, np.maximum(df, 1)))


def _t_interval(value: Array, error: Array, df: Array) -> tuple[Array, Array]:
    half = _t(df) * error
    return value - half, value + half


def _plain_interval(value: Array, error: Array, df: Array, _: Array) -> tuple[Array, Array]:
    return _t_interval(value, error, df)


def _share_interval(p: Array, error: Array, df: Array, n: Array) -> tuple[Array, Array]:
    """Give the logit interval; Clopper and Pearson's where all answered alike."""
    inside = (p > 0) & (p < 1)
    q = np.where(inside, p, 0.5)
    low, high = _t_interval(np.log(q / (1 - q)), error / (q * (1 - q)), df)
    n = np.maximum(n, 1.0)
    n = np.minimum(n, n * (_t(n - 1) / _t(df)) ** 2)
    margin = 1 - ((1 - CONFIDENCE) / 2) ** (1 / n)
    edge_low, edge_high = np.where(p >= 1, 1 - margin, 0.0), np.where(p <= 0, margin, 1.0)
    return (
        np.where(inside, 1 / (1 + np.exp(-low)), edge_low),
        np.where(inside, 1 / (1 + np.exp(-high)), edge_high),
    )


_TOGETHER = "+"


@dataclass(frozen=True)
class OutcomeEstimates:
    """One outcome by one grouping."""

    outcome: str
    by: tuple[str, ...]  # the groups, one or more; none for all respondents
    table: pl.DataFrame  # as `estimate` gives it, without the numbers that are too weak to publish


@dataclass(frozen=True)
class Summary:
    """What a survey says.

    Attributes
    ----------
    survey
        The respondents.
    raking
        What raking did to the weights, if they were raked.
    findings
        Each outcome for all respondents, then by each grouping.
    changes
        As `changes` gives it, a row an outcome and pair of waves (``outcome``, ``since``, ``until`` before the
        rest): from each wave to the next, and from the first to the last. Empty of a survey without waves.
    """

    survey: Survey
    raking: Raking | None
    findings: tuple[OutcomeEstimates, ...]
    changes: pl.DataFrame


def summarise(
    survey: Survey, by: Sequence[str] | None = None, raking: Raking | None = None
) -> Summary:
    """Estimate every outcome of a survey, by groups or several joined by ``+``; by each group if none is given.

    Of all waves together, but for the changes. An outcome that was not asked in a wave is left out there.
    """
    if by is None:
        waves = ["wave"] if len(survey.levels.get("wave", ())) > 1 else []
        by = [*waves, *survey.spec.groups]
    groupings = [tuple(survey.groupings(b.split(_TOGETHER))) for b in dict.fromkeys(by)]
    found = [
        OutcomeEstimates(outcome, grouping, suppress(estimate(survey, outcome, grouping)))
        for outcome in survey.spec.outcomes
        for grouping in [(), *groupings]
    ]
    return Summary(survey, raking, tuple(found), _changes(survey))


def _changes(survey: Survey) -> pl.DataFrame:
    waves = survey.levels.get("wave", ())
    pairs = list(dict.fromkeys([*pairwise(waves), (waves[0], waves[-1])])) if len(waves) > 1 else []
    rows = []
    for outcome in survey.spec.outcomes:
        asked = set(survey.frame.filter(pl.col(outcome).is_not_null())["wave"]) if pairs else set()
        for since, until in pairs:
            if {since, until} <= asked:
                told = suppress(changes(survey, outcome, since, until))
                about = {"outcome": outcome, "since": since, "until": until}
                rows.append(told.select(**{k: pl.lit(v) for k, v in about.items()}).hstack(told))
    return pl.concat(rows, how="vertical_relaxed") if rows else pl.DataFrame()
