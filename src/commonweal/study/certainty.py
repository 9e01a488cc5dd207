"""How certain each place on a list is, in one table; and how far that hangs on how freely weights may vary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.designation import certainty
from commonweal.designation.uncertainty import with_next_release
from commonweal.document.format import STABILITY_WORDS, count_words, stability
from commonweal.errors import StudyError
from commonweal.index.assumptions import SamplingError, Weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.designation import Certainty
    from commonweal.designation.vintage import VintageModel
    from commonweal.index.assumptions import Assumption
    from commonweal.study.results import Results

__all__ = [
    "certainty_table",
    "noise_sensitivity",
    "weights_sensitivity",
]


def certainty_table(
    results: Results,
    designation: str = "",
    models: Mapping[str, VintageModel] | None = None,
) -> pl.DataFrame:
    """Give how certain each area's place on a list is, and the parts that this is made of.

    Parameters
    ----------
    results
        What a run gives, with draws.
    designation
        Its name; may be left out where the study has one.
    models
        As for `commonweal.designation.next_release`.

    Returns
    -------
    polars.DataFrame
        One row an area: ``code``; ``selected``; ``share_of_draws``, in which it is on the list (sensitivity to
        weights and whatever else varies); ``next_release``, the chance that it is on the list when the indices that
        have a model are released anew and all others stay (null where none has one); ``certainty``, both together;
        and ``word`` for it: secure, likely, borderline or unlikely.

    Raises
    ------
    StudyError
        If there were no draws, or the rule is not one that the models given take.

    Notes
    -----
    ``certainty`` is the product over the conditions of ``next_release`` where the index has a model, and of the
    share of draws in which the condition holds where not: the chance to be on the list if that index is released
    anew while the other one is weighted as the study's draws do. Weights of an index that is released anew hardly
    add to what its data move, and are left out.

    Examples
    --------
    >>> import commonweal as cw
    >>> from commonweal.study.certainty import certainty_table
    >>> results = cw.run("demo", draws=200, sensitivity=False, geometry=False)
    >>> certainty_table(results).filter("selected")["word"].value_counts(sort=True).rows()
    [('secure', 10), ('borderline', 4), ('likely', 3)]
    """
    name = designation or results.study.only_designation()
    found, drawn = results.designations[name], _drawn(results, name)
    again, both = drawn.next_release, drawn.overall
    if models is not None:
        again, given = with_next_release(found, results.scores, drawn.passes, models)
        both = drawn.selected if given is None else given
    return pl.DataFrame(
        {
            "code": found.areas.codes,
            "selected": found.selected,
            "share_of_draws": drawn.selected,
            "next_release": np.full(len(both), np.nan) if again is None else again,
            "certainty": both,
            "word": [None if np.isnan(share) else stability(share) for share in both.tolist()],
        }
    ).fill_nan(None)


def weights_sensitivity(
    results: Results,
    concentrations: Sequence[float] = (3, 10, 30, 100),
    designation: str = "",
    draws: int | None = None,
) -> pl.DataFrame:
    """Count how many places on the list are secure when weights vary more and less freely.

    Parameters
    ----------
    results
        What a run of a study gives that varies weights by a Dirichlet distribution.
    concentrations
        Of that distribution, in place of the study's; the lower, the more freely do weights vary.
    designation
        Its name; may be left out where the study has one.
    draws
        How many each, in place of the study's number.

    Returns
    -------
    polars.DataFrame
        One row a concentration: ``concentration``, and how many of the areas on the list are ``secure``, ``likely``,
        ``borderline`` and ``unlikely`` by their share of draws. All else varies as the study says.

    Raises
    ------
    StudyError
        If the study varies no weights by a Dirichlet distribution.

    Examples
    --------
    >>> import commonweal as cw
    >>> from commonweal.study.certainty import weights_sensitivity
    >>> results = cw.run("demo", draws=0, geometry=False)
    >>> weights_sensitivity(results, draws=200)["secure"].to_list()
    [6, 10, 10, 12]
    """
    name = designation or results.study.only_designation()
    stated = results.study.certainty
    vary = stated.vary if stated else ()
    if stated is None or not any(isinstance(a, Weights) and a.dirichlet for a in vary):
        raise StudyError("certainty.vary: found no weights with 'dirichlet'; expected at least one")
    counted = {
        c: tuple(
            a.model_copy(update={"dirichlet": c}) if isinstance(a, Weights) and a.dirichlet else a
            for a in vary
        )
        for c in concentrations
    }
    return _words_by("concentration", counted, results, name, draws)


def noise_sensitivity(
    results: Results,
    of: str | Sequence[str],
    shares: Sequence[float] = (0.02, 0.05, 0.1, 0.2, 0.4),
    designation: str = "",
    draws: int | None = None,
    shared_by: str = "",
) -> pl.DataFrame:
    """Count how many places on the list are secure if a share of what differs between areas is noise.

    For figures whose measurement error nobody states: what the list would be worth if it were so large.

    Parameters
    ----------
    results
        What a run gives of a study with `certainty`.
    of
        Indices, domains or indicators that the noise is in.
    shares
        Shares of the variance between areas, from 0 to below 1.
    designation
        Its name; may be left out where the study has one.
    draws
        How many each, in place of the study's number.
    shared_by
        Larger area, such as ``lad24``, whose areas have one error together.

    Returns
    -------
    polars.DataFrame
        One row a share: ``noise``, and how many of the areas on the list are ``secure``, ``likely``, ``borderline`` and
        ``unlikely`` by their share of draws. Nothing else varies.

    Raises
    ------
    StudyError
        If the study does not say what varies.
    UnknownNameError
        If there is nothing of that name.

    Examples
    --------
    >>> import commonweal as cw
    >>> from commonweal.study.certainty import noise_sensitivity
    >>> results = cw.run("demo", draws=0, geometry=False)
    >>> noise_sensitivity(results, "community_needs", draws=200)["secure"].to_list()
    [16, 15, 15, 11, 7]
    """
    name = designation or results.study.only_designation()
    where = of if isinstance(of, str) else tuple(of)
    counted = {
        share: (SamplingError(standard_errors=where, noise=share, shared_by=shared_by),)
        for share in shares
    }
    return _words_by("noise", counted, results, name, draws)


def _words_by(
    key: str,
    counted: Mapping[float, tuple[Assumption, ...]],
    results: Results,
    name: str,
    draws: int | None,
) -> pl.DataFrame:
    """Count the words of a list for each number of `key`, by what varies then."""
    found, stated, rows = results.designations[name], results.study.certainty, []
    if stated is None:
        raise StudyError("certainty: found none in the study; expected one that says what varies")
    for number, vary in counted.items():
        n = stated.draws if draws is None else draws
        spec = stated.model_copy(update={"draws": n, "vary": vary})
        share = certainty(found, spec, results.scores, results.indicators).selected
        rows.append((float(number), *count_words(share[found.selected].tolist()).values()))
    return pl.DataFrame(rows, schema=[key, *STABILITY_WORDS], orient="row")


def _drawn(results: Results, name: str) -> Certainty:
    if name not in results.certainty:
        raise StudyError("certainty: found no draws; expected a run with at least one")
    return results.certainty[name]
