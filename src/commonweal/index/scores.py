"""Scores, ranks and contributions of every node of an index: the value that travels on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.frames import Tabular
from commonweal.index.aggregate import contributions
from commonweal.index.rank import decile, rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from commonweal.areas import Crosswalk
    from commonweal.index.framework import Node
    from commonweal.index.tables import Floats

__all__ = ["Scores"]


class _ByPath(dict[str, "Floats"]):
    """Values by node path; a path that is not there is told with those that there are."""

    def __missing__(self, path: str) -> Floats:
        raise UnknownNameError("node", str(path), self, " in scores.need")


@dataclass(frozen=True, slots=True, repr=False)
class Scores(Tabular):
    """One index over a set of areas: what `score` gives.

    Attributes
    ----------
    index
        Name of the index, which is also the path of its root node.
    system
        Id of the area system.
    codes
        (n_areas,) area codes.
    tree
        The framework that made it, with the weights that were used: computed ones (`Node.weigh`)
        stand in it as if they had been stated.
    need
        By node path, (n_areas,) score, higher = more need, NaN = missing.
    transformed
        By node path except the root's, (n_areas,) the value that entered the parent.
    built
        The same index on the areas that it was built on, if it was moved from there.
    move
        The way it was moved.

    Examples
    --------
    >>> import commonweal as cw
    >>> scores = cw.run("demo", draws=0, geometry=False).scores["community_needs"]
    >>> scores.domains
    ['community_needs/places', 'community_needs/connectivity', 'community_needs/engagement']
    """

    index: str
    system: str
    codes: Sequence[str]
    tree: Node
    need: Mapping[str, Floats]
    transformed: Mapping[str, Floats]
    built: Scores | None = None
    move: Crosswalk | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.need, _ByPath):
            object.__setattr__(self, "need", _ByPath(self.need))

    def moved(self, move: Crosswalk) -> Scores:
        """Carry the index to other areas: every node's population-weighted mean.

        Raises
        ------
        DataError
            If the move starts from other areas than the index covers.
        """
        if list(move.origin.codes) != list(self.codes):
            raise DataError(
                f"index {self.index} covers {len(self.codes):,} areas of {self.system}; "
                f"the move starts from {len(move.origin):,} of {move.origin.system}"
            )
        return Scores(
            self.index,
            move.destination.system,
            move.destination.codes,
            self.tree,
            {path: move.mean(v) for path, v in self.need.items()},
            {path: move.mean(v) for path, v in self.transformed.items()},
            built=self,
            move=move,
        )

    def part(self, path: str) -> Scores:
        """Give one node with all below it as an index of its own, named by its path.

        Raises
        ------
        UnknownNameError
            If there is no such node.
        """
        path = self._known(path)
        tree = next(node for at, node in self.tree.walk(self.index) if at == path)
        below = f"{path}/"
        return Scores(
            path,
            self.system,
            self.codes,
            tree,
            {p: v for p, v in self.need.items() if p == path or p.startswith(below)},
            {p: v for p, v in self.transformed.items() if p.startswith(below)},
            None if self.built is None else self.built.part(path),
            self.move,
        )

    @property
    def score(self) -> Floats:
        """(n_areas,) score of the whole index."""
        return self.need[self.index]

    @property
    def rank(self) -> Floats:
        """(n_areas,) rank of the whole index, 1 = most need, ties share the lowest."""
        return rank(self.score)

    def rank_of(self, path: str) -> Floats:
        """(n_areas,) rank of any node by its path (``index.domain``), 1 = most need, ties share the lowest."""
        return rank(self.need[self._known(path)])

    def _known(self, path: str) -> str:
        """Give a path, dotted as in a study or slashed, as `need` has it."""
        if path in self.need:
            return path
        if (slashed := path.replace(".", "/")) not in self.need:
            dotted = "/" not in path
            raise UnknownNameError(
                "node", path, [p.replace("/", ".") if dotted else p for p in self.need]
            )
        return slashed

    @property
    def domains(self) -> list[str]:
        """Paths of the root's children."""
        return [f"{self.index}/{name}" for name in self.tree.children]

    @property
    def contributions(self) -> dict[str, Floats]:
        """(n_areas,) contribution of each of the root's children to the score, by path.

        NaN where the child is missing, and altogether for forms of which no child puts in a part of
        its own (`commonweal.index.contributions`).
        """
        if not self.domains:  # an index of one indicator
            return {}
        x = np.column_stack([self.transformed[p] for p in self.domains])
        weights = np.array(list(self.tree.weights.values()))
        parts = contributions(x, weights, self.tree.aggregate)
        return dict(zip(self.domains, parts.T, strict=True))

    def _about(self) -> str:
        return f"Index {self.index} on {len(self.codes):,} areas ({self.system})"

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame of every node's score and rank, the root's decile and contributions.

        Columns are named ``<path>.score``, ``.rank``, ``.decile`` and ``.contribution``, with dots
        for the path's slashes; missing is null.
        """
        import polars as pl

        columns: dict[str, Floats] = {}
        for path, need in self.need.items():
            name = path.replace("/", ".")
            columns[f"{name}.score"] = need
            columns[f"{name}.rank"] = rank(need)
        columns[f"{self.index}.decile"] = decile(self.rank)
        for path, part in self.contributions.items():
            columns[f"{path.replace('/', '.')}.contribution"] = part
        frame = pl.DataFrame({"code": list(self.codes), **columns}).fill_nan(None)
        whole = [c for c in frame.columns if c.endswith((".rank", ".decile"))]
        return frame.with_columns(pl.col(whole).cast(pl.Int32))
