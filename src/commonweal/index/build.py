"""An index built from a table, step by step: names, codes and directions go along, so that nobody carries positions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.frames import Tabular, frame_of, like
from commonweal.index.framework import Node
from commonweal.index.normalise import normalise
from commonweal.index.score import score
from commonweal.index.tables import polars_of, table
from commonweal.index.treat import changes, treat
from commonweal.indicators import Indicator, Indicators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.index.assumptions import Assumption
    from commonweal.index.methods import MethodSpec
    from commonweal.index.scores import Scores
    from commonweal.index.tables import Floats
    from commonweal.index.treat import TreatmentRule

__all__ = ["Index"]

Tree: TypeAlias = Mapping[str, Any]
"""By name a domain's own tree, or an indicator's direction: 1 where more is more need, -1 where it is less."""


class Index(Tabular):
    """An index of a table, built step by step; each step gives another one and leaves the former as it is.

    Parameters
    ----------
    frame
        The table, a row a place: Polars, pandas or Arrow. What comes out is of the same library.
    tree
        Domains by name, and in each its columns with their directions: 1 where more is more need, -1 where more
        is less. Domains may hold domains.
    code
        The column of codes; a text index of pandas if not given.
    name
        What the index is called: its paths are ``name.domain.column``.

    Raises
    ------
    CommonwealError
        If a column is not there or has no numbers, codes are missing or double, or a direction is neither 1 nor -1.

    Examples
    --------
    >>> table = pl.DataFrame({"place": ["A", "B", "C"], "km": [1, 5, 9], "halls": [4, 2, 0], "voted": [60, 50, 40]})
    >>> tree = {"places": {"km": 1, "halls": -1}, "people": {"voted": -1}}
    >>> needs = Index(table, tree, code="place", name="needs")
    >>> found = needs.normalise("min_max").aggregate("arithmetic").results()
    >>> found.select("place", "needs.score", "needs.rank").rows()
    [('A', 0.0, 3), ('B', 50.0, 2), ('C', 100.0, 1)]
    """

    __slots__ = ("_state",)

    def __init__(self, frame: Any, tree: Tree, *, code: str = "", name: str = "index") -> None:
        rows = polars_of(frame, "table")
        if not code and rows.columns and rows.columns[0] not in list(frame_of(frame).columns):
            code = rows.columns[0]  # the text index of pandas
        if not code:
            raise DataError(
                "the table has no index of codes; say which column holds them: code=..."
            )
        if code not in rows.columns:
            raise UnknownNameError("column", code, rows.columns)
        columns = list(_leaves(tree, name))
        directions = dict(columns)
        if len(directions) < len(columns):
            twice = next(c for c, n in Counter(c for c, _ in columns).items() if n > 1)
            raise DataError(f"column '{twice}' is twice in the tree; expected each once")
        for column in directions:
            if column not in rows.columns:
                raise UnknownNameError("column", column, rows.columns)
        if rows[code].null_count():
            row = int(rows[code].is_null().arg_max() or 0)
            raise DataError(
                f"row {row + 1} has no code in column '{code}'; expected one on every row"
            )
        codes = [str(c) for c in rows[code]]
        values = table(rows.select(list(directions)), list(directions), codes).values
        meta = tuple(
            Indicator(column, column, "", "more" if way == 1 else "less", "table")
            for column, way in directions.items()
        )
        self._state = _State(
            frame=frame,
            code=code,
            name=name,
            tree=_node(tree),
            indicators=Indicators("table", codes, values, meta),
        )

    def _with(self, **changed: Any) -> Index:
        made = object.__new__(Index)
        made._state = replace(self._state, **changed)
        return made

    def _about(self) -> str:
        s = self._state
        steps = [*(["treated"] if s.changes is not None else []), *s.steps]
        said = f"; {', '.join(steps)}" if steps else ""
        return f"Index {s.name} of {len(s.indicators.codes):,} rows by {len(s.indicators.meta)} columns{said}"

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame of the codes and the columns as they are now: treated, and normalised to need."""
        s = self._state
        values = s.indicators.values if s.normalised is None else s.normalised
        named = {m.name: values[:, j] for j, m in enumerate(s.indicators.meta)}
        return pl.DataFrame({s.code: list(s.indicators.codes), **named}).fill_nan(None)

    def treat(
        self,
        rule: TreatmentRule | Mapping[str, Any] | None = None,
        own: Mapping[str, TreatmentRule | Mapping[str, Any] | None] | None = None,
    ) -> Index:
        """Treat outliers, as `commonweal.index.treat.treat` does; `changes` lists what that changed.

        Parameters
        ----------
        rule, own
            What holds for all, and by column its own rule; None leaves a column as it is.
        """
        s = self._state
        if s.how is not None:
            raise DataError("treat: the columns are normalised already; treat them first")
        names = [m.name for m in s.indicators.meta]
        done = treat(s.indicators.values, names, rule, own, units=list(s.indicators.codes))
        found = changes(done).to_frame().rename({"unit": s.code})
        return self._with(
            indicators=replace(s.indicators, values=done.values),
            changes=found if s.changes is None else pl.concat([s.changes, found]),
        )

    @property
    def changes(self) -> Any:
        """What treatment changed: the code, the column, the value before and after, and how."""
        s = self._state
        if s.changes is None:
            raise DataError("nothing was treated; call treat() first")
        return like(s.frame, s.changes)

    def normalise(self, how: MethodSpec = "min_max", **settings: Any) -> Index:
        """Make the columns comparable, turned so that higher is more need.

        Parameters
        ----------
        how
            One of `commonweal.index.NORMALISERS`, by name or a function.
        **settings
            What it takes, such as ``low=1``.
        """
        s = self._state
        names = [m.name for m in s.indicators.meta]
        signs = {m.name: 1 if m.higher_is == "more" else -1 for m in s.indicators.meta}
        method = {how: {**settings}} if settings and isinstance(how, str) else how
        made = normalise(
            s.indicators.values,
            how,
            directions=signs,
            names=names,
            units=list(s.indicators.codes),
            **settings,
        )
        said = f"normalised by {how if isinstance(how, str) else getattr(how, '__name__', how)}"
        return self._with(how=method, normalised=made, steps=(*s.steps, said))

    def with_weights(self, path: str, /, **weights: float) -> Index:
        """Weigh some children of the index or a domain otherwise; the others keep theirs, 1 if not given.

        Parameters
        ----------
        path
            The index or domain, such as ``needs`` or ``needs.places``.
        **weights
            By domain or column.
        """
        s = self._state
        known = {p.replace("/", "."): n for p, n in s.tree.walk(s.name) if n.children}
        if path not in known:
            raise UnknownNameError("index or domain", path, known)
        unknown = [name for name in weights if name not in known[path].children]
        if unknown:
            raise UnknownNameError.of_several("child", unknown, known[path].children, f" in {path}")
        return self._with(weights={**s.weights, path: {**s.weights.get(path, {}), **weights}})

    def aggregate(self, how: MethodSpec = "arithmetic", *, available: float = 1.0) -> Index:
        """Say how children become the score of their domain, and domains that of the index.

        Parameters
        ----------
        how
            One of `commonweal.index.AGGREGATORS`, by name, with settings, or a function.
        available
            The share of its children's weight that a place must have to get a score.
        """
        said = f"added up by {how if isinstance(how, str) else getattr(how, '__name__', how)}"
        return self._with(
            form=how, available=available, steps=(*self._state.steps, said)
        )._checked()

    def _checked(self) -> Index:
        """Build it once, so that a fault is told by the step that made it."""
        _ = self.scores
        return self

    @property
    def scores(self) -> Scores:
        """Scores, ranks and contributions of every domain, as the engine gives them."""
        s = self._state
        return score(s.name, s.framework(), s.indicators)

    def results(self) -> Any:
        """Give a row for each place: scores and ranks (1 = most need) of the index, its domains and columns.

        Returns
        -------
        frame
            Of the library of the table, in its order; columns are called ``path.score``, ``path.rank``,
            ``path.contribution`` and, for the index, ``path.decile``.
        """
        s = self._state
        return like(s.frame, self.scores.to_frame().rename({"code": s.code}))

    def uncertainty(
        self,
        *more: Assumption,
        weights: float | None = None,
        scale: list[MethodSpec] | None = None,
        form: list[MethodSpec] | None = None,
        draws: int = 10_000,
        worst: int | None = None,
        seed: int = 1,
        client: Any = None,
    ) -> Any:
        """Build the index many times with other choices, and say between which ranks each place lies.

        Parameters
        ----------
        *more
            Other assumptions, of `commonweal.index.assumptions`.
        weights
            How far every weight may be from its own, as a share: 0.25.
        scale
            Ways to normalise to choose from, such as ``["min_max", "z_score", "rank"]``.
        form
            Ways to add up to choose from, such as ``["arithmetic", "geometric"]``.
        draws
            How many times.
        worst
            How many places count as the worst; a tenth of them if not given.
        seed
            The seed of all that is random.
        client
            A Dask client, for those who outgrow one machine: the same results to the bit.

        Returns
        -------
        frame
            By code the stated ``rank``; ``rank_low``, ``rank_median`` and ``rank_high`` (at 5%, 50% and 95% of
            the draws); and ``share_worst``, the share of draws in which the place is among the worst.
        """
        from commonweal.index.assumptions import Aggregation, Normalisation, Weights
        from commonweal.index.uncertainty import build_ensemble, spread_of_ranks

        s, stated = self._state, self.scores
        doubts: list[Assumption] = list(more)
        if weights is not None:
            doubts.append(Weights(name="weights", interval=weights))
        if scale:
            doubts.append(Normalisation(name="scale", of=tuple(scale)))
        if form:
            doubts.append(Aggregation(name="form", of=tuple(form)))
        if not doubts:
            raise DataError(
                "uncertainty: nothing varies; say what does, such as weights=0.25 or scale=['min_max', 'rank']"
            )
        signs = {m.name: 1.0 if m.higher_is == "more" else -1.0 for m in s.indicators.meta}
        need = {
            name: s.indicators.values[:, j] * sign for j, (name, sign) in enumerate(signs.items())
        }
        made = build_ensemble(
            s.name,
            stated.tree,
            need,
            doubts,
            signs=signs,
            codes=list(s.indicators.codes),
            seed=seed,
        )
        n_worst = worst if worst is not None else max(1, int(made.present.sum()) // 10)
        spread = spread_of_ranks(made, draws, worst=n_worst, seed=seed, client=client)
        low, median, high = spread.quantiles.T
        found = pl.DataFrame(
            {
                s.code: list(s.indicators.codes),
                "rank": stated.rank,
                "rank_low": low,
                "rank_median": median,
                "rank_high": high,
                "share_worst": spread.worst,
            }
        )
        return like(s.frame, found.fill_nan(None).with_columns(pl.col("rank").cast(pl.Int32)))


@dataclass(frozen=True, slots=True)
class _State:
    """What an index holds at a step."""

    frame: Any
    code: str
    name: str
    tree: Node
    indicators: Indicators
    changes: pl.DataFrame | None = None
    how: MethodSpec | None = None
    normalised: Floats | None = None
    form: MethodSpec = "arithmetic"
    available: float = 1.0
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    steps: tuple[str, ...] = ()

    def framework(self) -> Node:
        """Give the tree with its methods and weights: columns are normalised, domains enter as they are."""
        if self.how is None:
            raise DataError(
                "the columns are not normalised; call normalise() first, with 'none' if they are comparable"
            )

        def visit(path: str, node: Node) -> dict[str, Any]:
            own = self.weights.get(path, {})
            children = {}
            for name, child in node.children.items():
                below = (
                    {"indicator": child.indicator, "enters_as": self.how}
                    if child.indicator is not None
                    else visit(f"{path}.{name}", child)
                )
                children[name] = {**below, "weight": own.get(name, 1.0)}
            return {
                "children": children,
                "transform": "none",
                "aggregate": self.form,
                "available": self.available,
            }

        return Node(**visit(self.name, self.tree))


def _leaves(tree: Tree, path: str) -> Iterator[tuple[str, int]]:
    """Yield every column of a tree with its direction, and refuse what is none."""
    if not isinstance(tree, Mapping) or not tree:
        raise DataError(f"{path}: {tree!r} found; expected columns with 1 or -1, or domains")
    for name, below in tree.items():
        if not isinstance(name, str) or "/" in name or "." in name:
            raise DataError(
                f"{path}: {name!r} cannot be part of a path; expected a name without '.' and '/'"
            )
        if isinstance(below, Mapping):
            yield from _leaves(below, f"{path}.{name}")
        elif below in (1, -1) and not isinstance(below, bool):
            yield name, int(below)
        else:
            raise DataError(
                f"{path}.{name}: {below!r} found; expected 1 where more is more need, or -1 where more is less"
            )


def _node(tree: Tree) -> Node:
    children = {
        name: _node(below) if isinstance(below, Mapping) else Node(indicator=name)
        for name, below in tree.items()
    }
    return Node(children=children)
