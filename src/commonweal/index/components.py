"""Principal components: how many things a group of indicators measures, and what weights follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.index.lists import listed, positions
from commonweal.index.tables import Matrix, labelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.index.types import Floats

__all__ = ["Components", "components", "components_by_group"]


@dataclass(frozen=True, slots=True)
class Components:
    """Principal components of a group of indicators, the one that explains most first.

    Attributes
    ----------
    names
        (n_indicators,) the indicators.
    loadings
        (n_indicators, n_components) unit vectors: a component is the standardised indicators
        times its column.
    sd
        (n_components,) standard deviation of each component, in standard deviations of an
        indicator.
    explained
        (n_components,) share of the variance of all indicators that each explains; adds up to 1.
    n
        Units used: those that have every indicator.
    """

    names: tuple[str, ...]
    loadings: Floats
    sd: Floats
    explained: Floats
    n: int

    @property
    def weights(self) -> dict[str, float]:
        """Loadings on the first component, by indicator; a negative one says it pulls away."""
        return dict(zip(self.names, self.loadings[:, 0].tolist(), strict=True))


def components(x: Matrix, names: Sequence[str] | None = None) -> Components:
    """Find the principal components of indicators, standardised to mean 0 and deviation 1.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing. Units with any missing value are left out.
    names
        (n_indicators,) names.

    Returns
    -------
    Components
        min(n, n_indicators) of them. The sign of a component is arbitrary in the mathematics; here
        its loadings add up to more than 0 (where they add up to 0, the first that is not 0 is
        positive), so that indicators that point the same way get positive weights.

    Raises
    ------
    DataError
        If fewer than 2 units have every indicator, or an indicator is constant among these.

    Notes
    -----
    As R's ``prcomp(scale. = TRUE)`` and COINr's ``get_PCA``, whose signs are those of its LAPACK.
    Source: Jolliffe (2002), Principal Component Analysis, 2nd edition.

    Examples
    --------
    >>> found = components([[1.0, 2.0], [2.0, 4.1], [3.0, 5.9]], ["pubs", "halls"])
    >>> {name: round(w, 4) for name, w in found.weights.items()}
    {'pubs': 0.7071, 'halls': 0.7071}
    >>> found.explained.round(4)
    array([9.995e-01, 5.000e-04])
    """
    values, called = labelled(x, names)
    if not called:
        raise DataError("principal components of 0 indicators; expected at least 1")
    full = values[~np.isnan(values).any(axis=1)]
    n = len(full)
    if n < 2:
        empty = np.isnan(values).all(axis=0)
        which = f" (indicator '{called[int(empty.argmax())]}' has no values)" if empty.any() else ""
        raise DataError(f"{n} unit(s) with every indicator; principal components need 2{which}")
    constant = (full == full[0]).all(axis=0)
    if constant.any():
        raise DataError(
            f"indicator '{called[int(constant.argmax())]}' is constant over the {n:,} units that "
            "have every indicator; it cannot be standardised"
        )
    standard = (full - full.mean(axis=0)) / full.std(axis=0, ddof=1)
    _, singular, axes = np.linalg.svd(standard, full_matrices=False)
    loadings = axes.T
    total = loadings.sum(axis=0)
    first = np.take_along_axis(loadings, (loadings != 0).argmax(axis=0)[None], axis=0)[0]
    loadings = loadings * np.where(np.where(np.abs(total) > 1e-12, total, first) < 0, -1.0, 1.0)
    variance = singular**2 / (n - 1)
    return Components(tuple(called), loadings, np.sqrt(variance), variance / variance.sum(), n)


def components_by_group(
    x: Matrix, names: Sequence[str] | None, groups: Mapping[str, Sequence[str]]
) -> dict[str, Components]:
    """Find the principal components of each group of indicators.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing (left out group by group).
    names
        (n_indicators,) names.
    groups
        By group (a node of the framework), the names of its indicators.

    Returns
    -------
    dict
        By group, its `Components`.

    Raises
    ------
    DataError
        As `components`, naming the group.
    UnknownNameError
        If a group has an indicator that is not there.

    Examples
    --------
    >>> x = [[1.0, 2.0], [2.0, 4.1], [3.0, 5.9]]
    >>> found = components_by_group(x, ["pubs", "halls"], {"assets": ["pubs", "halls"]})
    >>> found["assets"].n
    3
    """
    values, called = labelled(x, names)
    found = {}
    for group, members in groups.items():
        at = positions(called, members, group)
        try:
            found[group] = components(values[:, at], listed(members, group))
        except DataError as error:
            raise DataError(f"group '{group}': {error}") from error
    return found
