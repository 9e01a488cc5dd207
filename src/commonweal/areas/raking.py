"""Raking: making parts add up to two sets of totals at once."""

from __future__ import annotations

import numpy as np
import polars as pl

from commonweal.errors import DataError

__all__ = ["rake"]


def rake(
    pairs: pl.DataFrame,
    origin_totals: pl.DataFrame,
    destination_totals: pl.DataFrame,
    tolerance: float = 0.01,
    rounds: int = 1000,
) -> tuple[pl.DataFrame, dict[str, float]]:
    """Rake shares until the people in each destination add up (iterative proportional fitting).

    Parameters
    ----------
    pairs
        ``origin``, ``destination``, ``share`` (0 or more): where to start. A share of 0 stays 0.
    origin_totals
        ``code`` and ``population`` of every origin.
    destination_totals
        ``code`` and ``population`` of the destinations whose total is known; others float.
    tolerance
        Largest difference from a total, in people, at which to stop.
    rounds
        Rounds after which to stop in any case.

    Returns
    -------
    pairs : polars.DataFrame
        As given, with raked shares. Those of an origin add up to 1, always.
    report : dict
        ``rounds`` done; ``largest`` and ``median`` difference of a destination from its total, in
        people. Totals that contradict each other leave a difference; it shows here.

    Raises
    ------
    DataError
        On a share or total that is missing or negative, and on a total that no share can meet:
        people in a destination that no origin reaches, or an origin that may go nowhere.

    Notes
    -----
    Source: Deming and Stephan (1940), On a least squares adjustment of a sampled frequency table,
    Annals of Mathematical Statistics 11(4), 427-444.

    Examples
    --------
    >>> pairs = pl.DataFrame({"origin": ["a", "a", "b"], "destination": ["x", "y", "y"],
    ...                       "share": [0.5, 0.5, 1.0]})
    >>> people = pl.DataFrame({"code": ["a", "b"], "population": [100.0, 50.0]})
    >>> known = pl.DataFrame({"code": ["x", "y"], "population": [70.0, 80.0]})
    >>> rake(pairs, people, known)[0]["share"].round(3).to_list()
    [0.7, 0.3, 1.0]
    """
    joined = pairs.join(
        origin_totals.select(origin="code", people="population"),
        on="origin", how="left", maintain_order="left",
    )  # fmt: skip
    _check(joined, "origin", joined["people"], "population")
    _check(joined, "origin", joined["share"], "share")
    _check(destination_totals, "code", destination_totals["population"], "total")
    share = joined["share"].to_numpy(writable=True)
    people = joined["people"].to_numpy()
    origins, row = np.unique(joined["origin"].to_numpy(), return_inverse=True)
    destinations, column = np.unique(joined["destination"].to_numpy(), return_inverse=True)
    known = dict(destination_totals.select("code", "population").iter_rows())
    total = np.array([known.get(code, np.nan) for code in destinations])
    fixed = np.isfinite(total)
    unreached = sorted({code for code, n in known.items() if n > 0} - set(destinations))
    possible = np.bincount(column, weights=share * people, minlength=len(total)) > 0
    unreached += list(destinations[fixed & (total > 0) & ~possible])
    if unreached:
        raise DataError(f"area {unreached[0]} has {known[unreached[0]]:g} people and no part")
    done, off = 0, np.zeros(0)
    for done in range(rounds + 1):
        sums = np.bincount(row, weights=share, minlength=len(origins))
        if not (sums > 0).all():
            raise DataError(f"area {origins[sums <= 0][0]} has no part that it may go to")
        share = share / sums[row]
        here = np.bincount(column, weights=share * people, minlength=len(total))
        off = np.abs(here - total)[fixed]
        if done == rounds or off.max(initial=0.0) <= tolerance:
            break
        share = share * np.where(fixed & (here > 0), total / np.where(here > 0, here, 1), 1)[column]
    report = {"rounds": done, "largest": float(off.max(initial=0.0)), "median": 0.0}
    if len(off):
        report["median"] = float(np.median(off))
    return pairs.with_columns(share=pl.Series(share)), report


def _check(table: pl.DataFrame, code: str, values: pl.Series, what: str) -> None:
    bad = table.filter(values.is_null() | ~values.is_finite() | (values < 0))
    if len(bad):
        value = values.filter(values.is_null() | ~values.is_finite() | (values < 0))[0]
        raise DataError(f"area {bad[code][0]} has {what} {value}; expected 0 or more")
