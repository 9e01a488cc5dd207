"""Interventions as data: what each costs, how long it lasts, what it changes and by how much, and who says so.

Whoever picks the best of several uncertain numbers picks, on average, one that is stated too high: the optimiser's
curse (Smith and Winkler, 2006, Management Science 52, 311-322). The remedy is to draw each towards what all of them say
together, and the less certain it is the more:

    y_i ~ N(theta_i, s_i^2),  theta_i ~ N(mu, tau^2)
    E(theta_i | y) = B_i mu + (1 - B_i) y_i,  B_i = s_i^2 / (s_i^2 + tau^2)

tau^2 is by the moments of DerSimonian and Laird (1986, Controlled Clinical Trials 7, 177-188); the error of mu by
Hartung and Knapp (2001, Statistics in Medicine 20, 1771-1782), never below the usual one.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from commonweal.errors import DataError, UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.files.schema import FileModel, load, shipped
from commonweal.invest.parameters import AtLeastZero, AtMostOne, Number, Sourced, Uncertain

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["Intervention", "Interventions", "load_interventions", "pool_families"]


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """A normal-normal random-effects model, fitted."""

    # mean, error: of the effects: mu, and its standard error by Hartung and Knapp
    mean: float
    error: float
    tau: float  # by how much effects differ beyond their own errors, a standard deviation
    shrunk: Floats  # (k,) each effect drawn towards the mean
    weight: Floats  # (k,) how much of the mean is in each, 0 to 1

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the mean, by Student's t with k - 1 degrees of freedom."""
        from scipy.stats import t

        half = float(t.ppf(0.975, len(self.shrunk) - 1)) * self.error
        return self.mean - half, self.mean + half


def random_effects(estimates: ArrayLike, errors: ArrayLike) -> RandomEffects:
    """Pool effects on one scale, with standard errors above 0, and draw each towards the mean of all."""
    y, s = np.asarray(estimates, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if len(y) < 2 or y.shape != s.shape or not (s > 0).all():
        raise DataError(f"{len(y)} effects; expected two or more, each with an error above 0")
    w, k = 1 / s**2, len(y)
    q = float(w @ (y - w @ y / w.sum()) ** 2)
    tau2 = max(0.0, (q - (k - 1)) / float(w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (s**2 + tau2)
    mean = float(w @ y / w.sum())
    scale = max(1.0, float(w @ (y - mean) ** 2) / (k - 1))
    variance = scale / float(w.sum())
    weight = s**2 / (s**2 + tau2)
    return RandomEffects(
        mean,
        variance**0.5,
        tau2**0.5,
        weight * mean + (1 - weight) * y,
        weight,
    )


Text = Annotated[str, Field(min_length=1)]
Quality = Literal[
    "synthesis", "causal", "association", "description", "model", "argument", "assumption"
]

LEAST = 3
"""Effects of a family below which there is nothing to learn of how far they differ."""

_POINTS = 2048

_CHANGES: dict[str, Callable[[Any, float], Any]] = {
    "add": np.add,
    "times": np.multiply,
    "at_least": np.maximum,
    "at_most": np.minimum,
}


class InterventionCost(Sourced):
    """What an intervention costs, in GBP of the file's price year."""

    capital: AtLeastZero  # once, in the year it is begun
    yearly: AtLeastZero  # for every year that it works
    # ``place``: for a neighbourhood, whatever its size; ``1000_residents``: for every 1,000 people
    per: Literal["place", "1000_residents"] = "place"


class Through(FileModel):
    """An indicator that an effect moves, where a study has it."""

    indicator: Text  # its name in the study
    # ``add`` or ``times`` the number; or, for a number that the value comes to have, ``at_least`` or ``at_most``
    change: Literal["add", "times", "at_least", "at_most"]
    by: Number
    # least, most: ends that the value does not pass
    least: float | None = None
    most: float | None = None

    @model_validator(mode="after")
    def _no_sign_turned(self) -> Through:
        if self.change == "times" and self.by.support[0] < 0:
            raise ValueError(f"'by': found {self.by.words()}; expected a factor of 0 or more")
        return self

    def moved(self, values: NDArray[np.float64], by: float) -> NDArray[np.float64]:
        """Give (n,) values as they become, missing ones missing; `by` is what came of the number."""
        change = _CHANGES[self.change](values, by)
        if self.least is not None:
            change = np.maximum(change, np.minimum(values, self.least))
        if self.most is not None:
            change = np.minimum(change, np.maximum(values, self.most))
        return change


class Effect(Sourced):
    """One thing that an intervention makes better, or worse."""

    outcome: Text  # which of the file's outcomes
    # by how many standard deviations the outcome gets better for whom it reaches; below 0, worse
    size: Number | None = None
    # the size as the file states it, where a synthesis has changed it
    stated: Number | None = Field(default=None, exclude=True)
    reaches: AtMostOne | None = None  # the share of residents whom it reaches
    # how many people one of it can reach at most, where a place has more; no limit if None. It bounds `reaches`, and
    # not what happens to the indicators.
    most_people: Annotated[float, Field(strict=True, gt=0)] | None = None
    # indicators that show it. Those that a study has are moved, together, and then `size` does not count: an effect is
    # claimed once. Where a study has none, `size` counts.
    through: tuple[Through, ...] = ()
    # how strong the evidence is, on the scale of the evidence library; or ``assumption``
    quality: Quality
    caution: str = ""

    @property
    def stated_size(self) -> Uncertain | None:
        """The size as the file states it."""
        return self.size if self.stated is None else self.stated

    @model_validator(mode="after")
    def _something_is_stated(self) -> Effect:
        if (self.size is None) != (self.reaches is None):
            there, gone = ("size", "reaches") if self.reaches is None else ("reaches", "size")
            raise ValueError(f"'{gone}' is missing; '{there}' needs it")
        if self.size is None and not self.through:
            raise ValueError("neither 'size' nor 'through'; expected at least one")
        if self.verified and not self.evidence:
            raise ValueError("'verified' is true without 'evidence'; expected the work's id")
        return self


class InterventionOutcome(FileModel):
    """What people have of it: its name for readers, and what better means."""

    label: Text
    better: Text


class Intervention(FileModel):
    """Something that can be done for a neighbourhood.

    Attributes
    ----------
    name
        Its key in the file.
    label, about
        Its name and what it is.
    cost
        What it costs.
    lead
        Years from its beginning until it works.
    lasts
        Years that it works, and is paid for.
    group
        Of interventions with one `group` a neighbourhood gets at most one; none if empty.
    family
        Interventions whose effects are pooled together, where the file pools them.
    effects
        What it moves.
    """

    name: str = ""
    label: Text
    about: Text
    cost: InterventionCost
    lead: Annotated[int, Field(strict=True, ge=0)] = 0
    lasts: AtLeastZero
    group: str = ""
    family: str = ""
    effects: Annotated[tuple[Effect, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_outcome_once(self) -> Intervention:
        names = [effect.outcome for effect in self.effects]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"outcome '{name}' is there twice; an effect may be claimed once")
        if self.lasts.support[1] <= 0:
            raise ValueError(f"'lasts': found {self.lasts.words()}; expected more than 0 years")
        return self

    @property
    def assumptions(self) -> list[str]:
        """What of it was not verified, a sentence each."""
        told = []
        if not self.cost.verified:
            told.append(f"{self.label}, cost: {self.cost.source}.")
        told += [
            f"{self.label}, effect on {e.outcome.replace('_', ' ')}: {e.source}."
            for e in self.effects
            if not e.verified
        ]
        return told


class Interventions(FileModel):
    """A file of interventions.

    Attributes
    ----------
    name
        Of the file.
    title, note
        What it is, and what to know about it.
    licence
        On what terms it may be used.
    price_year
        Of every cost in it.
    pool_effects
        Whether assumed sizes are drawn towards the mean of their family: `pool_families`.
    outcomes
        By name, what effects are on.
    interventions
        By name.
    """

    name: str = ""
    title: Text
    note: str = ""
    licence: Text
    price_year: Annotated[int, Field(strict=True, ge=1900, le=2100)]
    pool_effects: bool = False
    outcomes: dict[str, InterventionOutcome]
    interventions: dict[str, Intervention]

    @model_validator(mode="after")
    def _there_are_some(self) -> Interventions:
        if not self.interventions:
            raise ValueError("no interventions; expected at least one")
        return self

    def only(self, names: list[str]) -> Interventions:
        """Give some of them, in that order.

        Raises
        ------
        UnknownNameError
            If there is none of a name; the message names the nearest.
        """
        for name in names:
            if name not in self.interventions:
                raise UnknownNameError("intervention", name, self.interventions, f" in {self.name}")
        return self.model_copy(
            update={"interventions": {n: self.interventions[n] for n in dict.fromkeys(names)}}
        )

    @property
    def works(self) -> list[str]:
        """Ids of the works of the evidence library that it cites, each once."""
        stated = [s for i in self.interventions.values() for s in (i.cost, *i.effects)]
        return list(dict.fromkeys(s.evidence for s in stated if s.evidence))


def shipped_interventions() -> list[str]:
    """Name the files that ship."""
    return shipped(resources.files(__package__) / "interventions" / "published")


def load_interventions(name: str = "first-set") -> Interventions:
    """Read a file of interventions.

    Parameters
    ----------
    name
        One that ships, or the path of a YAML file with the same keys.

    Raises
    ------
    UnknownNameError
        If none of that name ships, or one cites a work or an outcome that is not there.
    DataError
        If the file cannot be read, has no interventions, or a key or number in it is wrong; the message
        names the file and the field.

    Examples
    --------
    >>> hub = load_interventions().interventions["community_hub"]
    >>> hub.label, hub.cost.verified
    ('Community hub', False)
    """
    folder = resources.files(__package__) / "interventions" / "published"
    stem, read = load(name, folder, "file of interventions", Interventions)
    evidence = load_evidence()
    named = {}
    for key, one in read.interventions.items():
        for stated in (one.cost, *one.effects):
            if stated.evidence:
                evidence.work(stated.evidence)
        for effect in one.effects:
            if effect.stated is not None:
                raise DataError(
                    f"{name}: interventions.{key}: unknown key 'stated'; expected 'size'"
                )
            if effect.outcome not in read.outcomes:
                where = f" in {name}, of intervention {key}"
                raise UnknownNameError("outcome", effect.outcome, read.outcomes, where)
        if not key.replace("_", "").isalnum() or key != key.lower():
            raise DataError(
                f"{name}: interventions.{key}: expected a name of small letters, digits and _"
            )
        named[key] = one.model_copy(update={"name": key})
    found = read.model_copy(update={"name": stem, "interventions": named})
    return shrink_effects(found) if found.pool_effects else found


def pool_families(interventions: Interventions) -> dict[str, RandomEffects]:
    """Pool the sizes of each family of a file that has enough of them, in the file's order."""
    found = {}
    for family in dict.fromkeys(one.family for one in interventions.interventions.values()):
        sizes = [size for *_, size in _sized(interventions, family)]
        if len(sizes) >= LEAST:
            found[family] = random_effects([s.mean for s in sizes], [_deviation(s) for s in sizes])
    return found


def shrink_effects(interventions: Interventions) -> Interventions:
    """Draw assumed sizes of effects towards the mean of their family; those that a causal study gives stay.

    The whole range of a size is scaled, and with it changes of indicators that are added or multiplied: pooling
    assumptions adds no evidence, so it makes none relatively more certain.
    """
    families = pool_families(interventions)
    share = {
        (name, outcome): float(mean) / size.mean
        for family, pooled in families.items()
        for (name, outcome, size), mean in zip(
            _sized(interventions, family), pooled.shrunk, strict=True
        )
    }
    ones = {
        name: one.model_copy(
            update={
                "effects": tuple(
                    effect
                    if effect.quality == "causal"
                    else _drawn(effect, share.get((name, effect.outcome), 1.0))
                    for effect in one.effects
                )
            }
        )
        for name, one in interventions.interventions.items()
    }
    note = " ".join((interventions.note, *map(_told, families.values())))
    return interventions.model_copy(update={"interventions": ones, "note": note.strip()})


def _told(pooled: RandomEffects) -> str:
    """Say what was done to the sizes of a family."""
    low, high = pooled.interval
    return (
        f"Assumed sizes are drawn towards the mean of {len(pooled.shrunk)} effects, {pooled.mean:.2g} standard "
        f"deviations (95% interval {low:.2g} to {high:.2g}), the less certain the more. So no choice rests on the "
        "boldest guess. This adds no evidence. Effects with causal evidence stay as studied."
    )


def _sized(interventions: Interventions, family: str) -> list[tuple[str, str, Uncertain]]:
    """Give the sizes of a family that can be pooled: uncertain, and above 0."""
    return [
        (name, effect.outcome, size)
        for name, one in interventions.interventions.items()
        if one.family == family
        for effect in one.effects
        if (size := effect.stated_size) is not None and not size.certain and size.mean > 0
    ]


def _deviation(number: Uncertain) -> float:
    """Give the standard deviation of what a number may be."""
    return float(number.quantile((np.arange(_POINTS) + 0.5) / _POINTS).std())


def _drawn(effect: Effect, share: float) -> Effect:
    """Scale an effect, and keep the size that was stated."""
    if effect.size is None or share == 1:
        return effect
    through = tuple(
        t.model_copy(update={"by": _scaled(t.by, share, _NOTHING[t.change])})
        if t.change in _NOTHING
        else t
        for t in effect.through
    )
    size = _scaled(effect.size, share)
    return effect.model_copy(update={"size": size, "stated": effect.size, "through": through})


_NOTHING = {"add": 0.0, "times": 1.0}
"""The change that changes nothing; values that are reached, by `at_least` and `at_most`, are not scaled."""


def _scaled(number: Uncertain, share: float, nothing: float = 0.0) -> Uncertain:
    """Scale what a number adds to one that changes nothing."""
    spread = number.law in ("normal", "lognormal")  # whose second number is a standard deviation
    numbers = [
        share * x if spread and k else nothing + share * (x - nothing)
        for k, x in enumerate(number.numbers)
    ]
    ends = number.within
    within = ends and (nothing + share * (ends[0] - nothing), nothing + share * (ends[1] - nothing))
    return Uncertain(number.law, tuple(float(f"{x:.4g}") for x in numbers), within)
