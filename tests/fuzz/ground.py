"""What several fuzzers start from: a store, studies that are run once, small files cut from those that ship."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from commonweal.sources import Store
from commonweal.study.run import run
from tests.fuzz.mutations import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from random import Random

    from commonweal.study.results import Results


CHECK_ONLY = "check only"
"""A file that says that a case is checked and not run, since that takes long."""


@cache
def store() -> Store:
    """The store of this process: its cache holds the fictional county, made once."""
    return Store.from_environment()


@cache
def county() -> Results:
    """The fictional county, with a few draws: a session tells how often a place is on the list."""
    return run("demo", store(), draws=4, sensitivity=False, geometry=False)


@cache
def shipped(package: str, file: str) -> Any:
    """A YAML file that ships, as data; not to be changed."""
    text = (resources.files(f"commonweal.{package}") / file).read_text("utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)


def some(
    rng: Random, tree: dict[str, Any], keep: int, always: Iterable[str] = ()
) -> dict[str, Any]:
    """A few entries of a long mapping, in its order."""
    names = {*always, *rng.sample(list(tree), min(keep, len(tree)))}
    return {name: value for name, value in tree.items() if name in names}


def write_yaml(rng: Random, file: Path, tree: Any, changes: int) -> None:
    file.write_bytes(yaml_text(rng, tree, changes))


def halved(values: Any) -> Any:
    """A transform that a study names."""
    return np.asarray(values, dtype=float) / 2


def check_results(results: Results) -> None:
    """What holds for every study that was run, whatever it was made of."""
    for scores in results.scores.values():
        assert len(scores.codes) == len(results.areas)
        for path, need in scores.need.items():
            assert not np.isinf(need).any(), f"{path} is infinite"
        rank, known = scores.rank, ~np.isnan(scores.score)
        assert (np.isnan(rank) == ~known).all()
        order = np.sort(-scores.score[known])
        assert (np.sort(rank[known]) == np.searchsorted(order, order) + 1).all(), "no ranking"
        assert (
            np.argsort(rank[known], kind="stable")
            == np.argsort(-scores.score[known], kind="stable")
        ).all()
    for sure in results.certainty.values():
        share = sure.selected
        assert ((share >= 0) & (share <= 1) | np.isnan(share)).all()


def check_numbers(values: Any, what: str) -> None:
    """A number that is given is finite; one that cannot be given is missing."""
    found = np.asarray(values, dtype=float)
    assert not np.isinf(found).any(), f"{what} is infinite"
