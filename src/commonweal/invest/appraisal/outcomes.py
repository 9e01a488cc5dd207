"""What benefits may claim, and which claims count the same thing twice."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from commonweal.errors import DataError, UnknownNameError, nearest
from commonweal.files.schema import FileModel, read_model

if TYPE_CHECKING:
    from collections.abc import Mapping


Kind = Literal["fiscal", "social"]


class Outcome(FileModel):
    """An outcome that a benefit may claim."""

    label: Annotated[str, Field(min_length=1)]
    # ``fiscal`` (to the public purse) or ``social`` (to people); that of the outcome that it lies within, if it does
    kind: Kind | None = None
    within: str = ""  # an outcome that counts it too; '' if none
    counts: str = ""  # what it counts, as the end of a sentence

    @model_validator(mode="after")
    def _has_a_kind(self) -> Outcome:
        if (self.kind is None) == (not self.within):
            raise ValueError("expected either 'kind' (fiscal or social) or 'within'")
        return self


class Overlap(FileModel):
    """Two outcomes that share a part which cannot be told apart, and why.

    It holds where the whole of the first is claimed, and the second or a part of it.
    """

    between: tuple[str, str]
    why: str


class Outcomes(FileModel):
    """Outcomes as a tree, and pairs that overlap across it."""

    outcomes: dict[str, Outcome]
    overlaps: tuple[Overlap, ...] = ()

    @model_validator(mode="after")
    def _is_a_tree(self) -> Outcomes:
        for name, outcome in self.outcomes.items():
            seen = [name]
            while outcome.within:
                if outcome.within not in self.outcomes:
                    raise ValueError(
                        f"'{seen[-1]}' is within '{outcome.within}', which is not there; "
                        f"{nearest(outcome.within, self.outcomes)}"
                    )
                if outcome.within in seen:
                    raise ValueError(f"'{name}' lies within itself: {' in '.join(seen)}")
                seen.append(outcome.within)
                outcome = self.outcomes[outcome.within]
        for overlap in self.overlaps:
            for name in overlap.between:
                if name not in self.outcomes:
                    raise ValueError(
                        f"'overlaps': '{name}' is not there; {nearest(name, self.outcomes)}"
                    )
        return self

    def get(self, name: str) -> Outcome:
        """Give one.

        Raises
        ------
        UnknownNameError
            If there is none of that name; the message names the nearest.
        """
        if name not in self.outcomes:
            raise UnknownNameError("outcome", name, self.outcomes)
        return self.outcomes[name]

    def line_up(self, name: str) -> list[str]:
        """Give an outcome and all that it lies within, itself first."""
        line = [name]
        while up := self.get(line[-1]).within:
            line.append(up)
        return line

    def kind(self, name: str) -> Kind:
        """Say whether it is fiscal or social."""
        kind = self.get(self.line_up(name)[-1]).kind
        assert kind is not None  # roots have one: checked when they were read
        return kind

    def and_also(self, more: Mapping[str, Outcome]) -> Outcomes:
        """Give the tree with outcomes of one's own added.

        Raises
        ------
        DataError
            If one is there already, or lies within one that is not there.
        """
        for name in more:
            if name in self.outcomes:
                raise DataError(f"outcome '{name}' is there already; expected a name of its own")
        for name, outcome in more.items():
            if outcome.within and outcome.within not in {**self.outcomes, **more}:
                raise DataError(
                    f"outcome '{name}': 'within' names '{outcome.within}', which is not there; "
                    f"{nearest(outcome.within, self.outcomes)}"
                )
        return Outcomes(outcomes={**self.outcomes, **more}, overlaps=self.overlaps)


@cache
def load_outcomes() -> Outcomes:
    """Read the outcomes that ship, once.

    Examples
    --------
    >>> load_outcomes().line_up("anxiety")[:3]
    ['anxiety', 'mental_health', 'health_and_wellbeing']
    """
    file = resources.files(__package__) / "outcomes.yaml"
    return read_model(file.read_text("utf-8"), "outcomes.yaml", Outcomes)


def check_claims(claims: Mapping[str, str], outcomes: Outcomes) -> list[str]:
    """Make sure that no two lines claim the same outcome, or one that counts the other too.

    Parameters
    ----------
    claims
        The outcome that each line claims, by the line's name.
    outcomes
        The tree.

    Returns
    -------
    list of str
        Cautions: pairs of lines whose outcomes overlap in part.

    Raises
    ------
    UnknownNameError
        If an outcome is not in the tree.
    DataError
        If something is counted twice; the message names both lines and why.
    """
    cautions = []
    lines = list(claims)
    up = {line: outcomes.line_up(claims[line]) for line in lines}
    for k, second in enumerate(lines):
        for first in lines[:k]:
            a, b = claims[first], claims[second]
            if a == b:
                raise DataError(
                    f"benefits '{first}' and '{second}' both claim '{a}'; an outcome may be claimed "
                    "once: make one line of them, or claim parts of it that do not overlap"
                )
            for wide, narrow, by, of in ((a, b, first, second), (b, a, second, first)):
                if wide in up[of]:
                    why = outcomes.get(wide).counts or f"counts '{narrow}' too"
                    raise DataError(
                        f"benefits '{by}' and '{of}' count twice: '{by}' claims '{wide}', which {why}; "
                        f"'{of}' claims '{narrow}', which is part of it. Keep one of the two"
                    )
            for overlap in outcomes.overlaps:
                x, y = overlap.between
                of_whole = outcomes.line_up(x)
                if (a in of_whole and y in up[second]) or (b in of_whole and y in up[first]):
                    cautions.append(
                        f"“{outcomes.get(a).label}” and “{outcomes.get(b).label}” may overlap: {overlap.why}."
                    )
    return list(dict.fromkeys(cautions))
