"""What each step of a preparation does to a table of indicators, and the account that it gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import polars as pl

from commonweal.errors import DataError
from commonweal.index import impute as gaps
from commonweal.index import rates as pulls
from commonweal.index import rates as rates
from commonweal.index import screen as screens
from commonweal.index import treat as outliers
from commonweal.index.prepare_spec import POPULATION, Denominate, Impute, Screen, Shrink, Treat
from commonweal.index.reshape import slope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.index.prepare_spec import PrepareStep
    from commonweal.index.tables import Floats
    from commonweal.indicators import Indicator

__all__ = ["CELLS", "StepState", "apply_step"]

CELLS = {
    "indicator": pl.String,
    "code": pl.String,
    "before": pl.Float64,
    "after": pl.Float64,
    "what": pl.String,
    "why": pl.String,
}
"""The columns of a list of changes."""


@dataclass(frozen=True, slots=True)
class StepState:
    """Where the steps have got to: values and errors (n_areas, n_indicators), and who is still in."""

    areas: Areas
    values: Floats
    errors: Floats
    meta: tuple[Indicator, ...]
    used: tuple[str, ...]
    rows: NDArray[np.intp]
    areas_out: dict[str, str] = field(default_factory=dict)
    indicators_out: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of all indicators, those left out too."""
        return [m.name for m in self.meta]

    def asked(self, of: Sequence[str]) -> list[str]:
        """Give the indicators that a step works on: of those named, the ones that are here."""
        return [n for n in (of or self.used) if n in self.names and n not in self.indicators_out]

    def column(self, name: str) -> Floats:
        """(n_rows,) values of an indicator, or the residents, in the areas that are still in."""
        if name == POPULATION:
            return self.areas.population[self.rows]
        return self.values[self.rows, self.names.index(name)]

    def label(self, name: str) -> str:
        """Name an indicator, or the residents, for readers."""
        return "residents" if name == POPULATION else self.meta[self.names.index(name)].label

    def block(self, names: Sequence[str]) -> tuple[Any, Floats, Floats]:
        """Give the place of some indicators in the areas still in, their values and their errors."""
        at = np.ix_(self.rows, np.array([self.names.index(n) for n in names], dtype=np.intp))
        return at, self.values[at], self.errors[at]

    def with_block(
        self, at: Any, values: Floats, errors: Floats, units: Mapping[str, str] | None = None
    ) -> StepState:
        """Put other values, errors and units into the place that `block` gave."""
        all_values, all_errors = self.values.copy(), self.errors.copy()
        all_values[at], all_errors[at] = values, np.where(np.isnan(values), np.nan, errors)
        meta = tuple(replace(m, unit=(units or {}).get(m.name, m.unit)) for m in self.meta)
        return replace(self, values=all_values, errors=all_errors, meta=meta)

    def codes(self) -> list[str]:
        """(n_rows,) codes of the areas that are still in."""
        return [self.areas.codes[i] for i in self.rows]

    def larger(self, name: str) -> list[str | None]:
        """(n_rows,) the larger area or class of each area that is still in."""
        return self.areas.table[name].gather(self.rows.tolist()).to_list()


StepResult: TypeAlias = tuple[StepState, pl.DataFrame, tuple[str, ...], dict[str, str]]


def apply_step(
    table: StepState, step: PrepareStep, domains: Mapping[str, Sequence[str]]
) -> StepResult:
    """Take one step."""
    names, spec = table.asked(step.of), step.spec
    if not names:
        return table, pl.DataFrame(schema=CELLS), (), {}
    match spec:
        case Denominate():
            return _denominate(table, names, spec)
        case Screen():
            return _screen(table, names, spec)
        case Impute():
            return _impute(table, names, spec, domains)
        case Treat():
            return _treat(table, names, spec)
        case Shrink():
            return _shrink(table, names, spec)


def _denominate(table: StepState, names: list[str], spec: Denominate) -> StepResult:
    at, before, errors = table.block(names)
    divisor, label = table.column(spec.by), table.label(spec.by)
    after = rates.denominate(
        before,
        names,
        divisor[:, None],
        [label],
        dict.fromkeys(names, label),
        spec.per,
        table.codes(),
    )
    per = f"per {label}" if spec.per == 1 else f"per {spec.per:,g} {label}"
    units = {n: f"{m.unit} {per}".strip() for n in names for m in table.meta if m.name == n}
    lost = ~np.isnan(before) & np.isnan(after)
    cells = _cells(table, names, ~np.isnan(before), before, after).with_columns(
        what=pl.when(pl.col("after").is_null())
        .then(pl.lit("no value left"))
        .otherwise(pl.lit(per)),
        why=pl.col("row").replace_strict(
            dict(enumerate(f"{d:,g} {label}" for d in divisor)), return_dtype=pl.String
        ),
    )
    told = {
        n: f"divided, {per}"
        + (
            f"; {lost[:, j].sum():,} lost, of which the {label} are not known"
            if lost[:, j].any()
            else ""
        )
        for j, n in enumerate(names)
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = errors * (spec.per / divisor)[:, None]
    return table.with_block(at, after, scaled, units), cells.select(*CELLS), tuple(names), told


def _left_out(gone: dict[str, str], why: dict[str, str]) -> pl.DataFrame:
    """Account for the indicators and the areas that are left out, each with its reason."""
    cells = pl.DataFrame(
        {
            "indicator": [*gone, *[None] * len(why)],
            "code": [*[None] * len(gone), *why],
            "what": ["left out"] * (len(gone) + len(why)),
            "why": [*(t.removeprefix("left out: ") for t in gone.values()), *why.values()],
        },
        schema_overrides={
            "indicator": pl.String,
            "code": pl.String,
            "what": pl.String,
            "why": pl.String,
        },
    ).with_columns(before=pl.lit(None, pl.Float64), after=pl.lit(None, pl.Float64))
    return cells.select(*CELLS)


def _screen(table: StepState, names: list[str], spec: Screen) -> StepResult:
    _, values, _ = table.block(names)
    codes, told = table.codes(), dict[str, str]()
    kept = np.ones(len(names), dtype=bool)
    if spec.indicators is not None:
        found = screens.screen_indicators(values, names, spec.indicators)
        kept = found.kept
        for j in np.flatnonzero(~kept):
            told[names[j]] = (
                f"left out: {100 * found.available[j]:.1f}% of the areas have a value, "
                f"where a share of {spec.indicators:g} is needed"
            )
    if not kept.any():
        raise DataError("every indicator would be left out; expected a lower share")
    out = np.zeros(len(codes), dtype=bool)
    why: dict[str, str] = {}
    if spec.areas is not None:
        units = screens.screen_units(values[:, kept], codes, spec.areas)
        out = ~units.kept
        n = int(kept.sum())
        for i in np.flatnonzero(out):
            why[codes[i]] = (
                f"has {n - units.n_missing[i]} of {n} indicators, where a share of {spec.areas:g} is needed"
            )
        told[""] = f"{out.sum():,} of {len(codes):,} areas left out"
    if out.all():
        raise DataError("every area would be left out; expected a lower share")
    gone = {name: text for name, text in told.items() if name}
    empty = table.values.copy()
    empty[table.rows[out]] = np.nan
    errors = np.where(np.isnan(empty), np.nan, table.errors)
    then = replace(
        table,
        values=empty,
        errors=errors,
        rows=table.rows[~out],
        areas_out={**table.areas_out, **why},
        indicators_out={**table.indicators_out, **gone},
    )
    return then, _left_out(gone, why), (), told


def _impute(
    table: StepState, names: list[str], spec: Impute, domains: Mapping[str, Sequence[str]]
) -> StepResult:
    at, before, errors = table.block(names)
    way: Literal["mean", "median"] = "median" if spec.how.endswith("median") else "mean"
    if spec.how == "regression":
        found = gaps.impute_regression(before, names, spec.predictors)
    elif spec.how.startswith("row_"):
        nodes = {d: [n for n in of if n in names] for d, of in domains.items()}
        signs = {m.name: 1 if m.higher_is == "more" else -1 for m in table.meta if m.name in names}
        nodes = {d: of for d, of in nodes.items() if len(of) > 1}
        found = gaps.impute_rows(before, names, way, nodes, signs)
    else:
        groups = table.larger(spec.group) if spec.group else None
        found = gaps.impute_columns(before, names, way, groups)
    fits = {
        (
            r.indicator,
            f"regression on {', '.join(r.predictors)}",
        ): f" (R2 {r.r2:.3f}, RMSE {r.rmse:.4g};"
        f" of areas left out {r.r2_out:.3f}, {r.rmse_out:.4g}; n = {r.n:,})"
        for r in found.regressions
    }
    new = np.zeros(before.shape, dtype=bool)
    new[found.unit, found.indicator] = True
    source = {
        (i, names[j]): text + fits.get((names[j], text), "")
        for i, j, text in zip(
            found.unit.tolist(), found.indicator.tolist(), found.source, strict=True
        )
    }
    cells = _cells(table, names, new, before, found.values)
    why = [source[key] for key in cells.select("row", "indicator").iter_rows()]
    cells = cells.with_columns(pl.lit("filled in").alias("what"), pl.Series("why", why, pl.String))
    left = np.isnan(found.values).sum(axis=0)
    told = {
        n: f"{new[:, j].sum():,} filled in"
        + (f", {left[j]:,} still missing: nothing to fill them in from" if left[j] else "")
        for j, n in enumerate(names)
        if np.isnan(before[:, j]).any()
    }
    then = table.with_block(at, found.values, np.where(new, np.nan, errors))
    return then, cells.select(*CELLS), (), told


def _treat(table: StepState, names: list[str], spec: Treat) -> StepResult:
    at, before, errors = table.block(names)
    found = outliers.treat(before, names, own={n: spec.rule(n) for n in names})
    log = outliers.changes(found)
    how = {
        (i, names[j]): text
        for i, j, text in zip(
            log.unit.tolist(), log.indicator.tolist(), log.how.tolist(), strict=True
        )
    }
    changed = np.zeros(before.shape, dtype=bool)
    changed[log.unit, log.indicator] = True
    cells = _cells(table, names, changed, before, found.values)
    what = [how[key] for key in cells.select("row", "indicator").iter_rows()]
    told, units, whole = dict[str, str](), dict[str, str](), list[str]()
    slopes = np.ones(before.shape)
    for j, step in enumerate(found.steps):
        told[step.name] = _treatment(step)
        rule = spec.rule(step.name)
        if step.reshape and rule is not None:
            whole.append(step.name)
            units[step.name] = (
                f"{step.reshape} of {table.meta[table.names.index(step.name)].unit}".strip()
            )
            held = np.clip(before[:, j], step.floor, step.cap) if rule.combine else before[:, j]
            slopes[:, j] = slope(held, step.reshape, 1.0 if step.power is None else step.power)
    cells = cells.with_columns(
        pl.Series("what", what, pl.String),
        why=pl.col("indicator").replace_strict(told, return_dtype=pl.String),
    )
    then = table.with_block(at, found.values, errors * slopes, units)
    return then, cells.select(*CELLS), tuple(whole), told


def _treatment(step: outliers.TreatmentStep) -> str:
    """Say what was done to one indicator, with its skew and kurtosis before and after."""
    at_first = "skew {:.2f}, kurtosis {:.2f}".format(*step.before)
    if step.passes is None:
        return f"left as it is by its own rule ({at_first})"
    ends = [f"{n} {end}" for n, end in ((step.n_high, "high"), (step.n_low, "low")) if n]
    done = [f"{' and '.join(ends)} brought in"] if ends else []
    done += [step.reshape] if step.reshape else []
    last = step.reshaped or (step.winsorised if ends else None)
    if not done or last is None:
        return (
            f"left as it is: it passes ({at_first})"
            if step.passes
            else f"nothing helped ({at_first})"
        )
    verdict = "" if step.passes else "; it still does not pass"
    return f"{', then '.join(done)} ({at_first}; then " + "{:.2f}, {:.2f})".format(*last) + verdict


def _shrink(table: StepState, names: list[str], spec: Shrink) -> StepResult:
    at, before, errors = table.block(names)
    codes, above = table.codes(), table.larger(spec.to)
    homeless = [c for c, a in zip(codes, above, strict=True) if a is None]
    if homeless:
        raise DataError(f"area {homeless[0]} has no {spec.to} to borrow strength from")
    within = [str(a) for a in above]
    after, their_errors, parts = np.empty_like(before), np.empty_like(before), []
    units = dict[str, str]()
    for j, name in enumerate(names):
        if spec.at_risk:
            of = table.column(spec.at_risk)
            found = pulls.shrink_counts(before[:, j], of, within, codes)
            label = table.label(spec.at_risk)
            units[name] = f"per {label}" if spec.per == 1 else f"per {spec.per:,g} {label}"
        else:
            size = table.column(spec.sizes) if spec.sizes else None
            found = pulls.shrink_means(before[:, j], errors[:, j], within, size, codes)
        scale = spec.per if spec.at_risk else 1.0
        after[:, j], their_errors[:, j] = found.value * scale, found.standard_error * scale
        cells = _cells(table, [name], ~np.isnan(after[:, [j]]), before[:, [j]], after[:, [j]])
        at_rows = cells["row"].to_list()
        parts.append(
            cells.with_columns(
                pl.Series("what", [f"drawn to {within[i]}" for i in at_rows], pl.String),
                pl.Series(
                    "why",
                    [
                        f"own weight {found.weight[i]:.3f}, {spec.to} {found.authority[i] * scale:.6g}"
                        for i in at_rows
                    ],
                    pl.String,
                ),
            )
        )
    told = {n: f"drawn to the {spec.to}" + (f", {units[n]}" if n in units else "") for n in names}
    then = table.with_block(at, after, their_errors, units)
    return then, pl.concat(parts).select(*CELLS), tuple(names), told


def _cells(
    table: StepState,
    names: Sequence[str],
    changed: NDArray[np.bool_],
    before: Floats,
    after: Floats,
) -> pl.DataFrame:
    """List changed cells, indicator by indicator, with their row among the areas still in."""
    column, row = np.nonzero(changed.T)
    codes = np.array(table.codes(), dtype=object)
    return pl.DataFrame(
        {
            "row": row.tolist(),
            "indicator": [names[j] for j in column.tolist()],
            "code": codes[row].tolist(),
            "before": before[row, column],
            "after": after[row, column],
        },
        schema={"row": pl.Int64, **{c: CELLS[c] for c in ("indicator", "code", "before", "after")}},
    ).with_columns(pl.col("before", "after").fill_nan(None))
