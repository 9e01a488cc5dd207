"""What social capital is measured by, for readers: lists by domain, and what a study can say of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.columns import in_columns
from commonweal.document.numbers import amount
from commonweal.report.study.national import NOT_VERIFIED, framework_note
from commonweal.social_capital import latest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from commonweal.areas import Areas
    from commonweal.indicators import Indicators
    from commonweal.social_capital import Figure, Framework
    from commonweal.spec import Study

__all__ = ["Asked", "Listing"]

STAR = (
    f"* {NOT_VERIFIED}. Figures are of the newest year there is; 'groups' are of some people only, and "
    "'points' is by how much a share changed: --json has each in full."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a survey says of a headline, for all of its respondents.

    Attributes
    ----------
    survey, outcome, label
        Title of the survey, and the outcome's name and label.
    told
        The estimate with its interval, as a sentence.
    value, low, high
        The estimate and the ends of its 95 % interval; None where it is too weak to publish.
    respondents
        How many answered.
    """

    survey: str
    outcome: str
    label: str
    told: str
    value: float | None
    low: float | None
    high: float | None
    respondents: int


@dataclass(frozen=True)
class Listing:
    """The frameworks, and what the data at hand say of them.

    Attributes
    ----------
    frameworks
        By id, the one that studies name headlines of first.
    figures
        By headline, figures for the country.
    study, areas, indicators
        A study, its areas, and the indicators on them that it names under ``social_capital``; None
        without a study, and the last where it names none.
    asked
        By headline, what a survey says of it.
    """

    frameworks: Mapping[str, Framework]
    figures: Mapping[str, tuple[Figure, ...]]
    study: Study | None = None
    areas: Areas | None = None
    indicators: Indicators | None = None
    asked: Mapping[str, Asked] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, dict[str, str]]:
        """By headline, the indicator that says something of it, its label, how, and a caution."""
        if self.study is None or self.indicators is None:
            return {}
        labels = {m.name: m.label for m in self.indicators.meta}
        return {
            id_: {
                "how": spec.how,
                "indicator": spec.indicator,
                "label": labels[spec.indicator],
                "caution": " ".join(spec.caution.split()),
            }
            for id_, spec in self.study.social_capital.items()
        }

    def lines(self) -> Iterator[str]:
        """Tell it on a terminal: with a study, what it knows first."""
        if self.study is not None and self.areas is not None:
            yield from (self.study.title, self.answer(), "")
            if self.indicators is not None:
                cautions = {k["indicator"]: k["caution"] for k in self.known.values()}
                yield from known_lines(self.indicators, cautions, self.areas.plural)
                yield ""
        if self.asked:
            yield from (self.asked_answer(), "", *(f"  {a.told}" for a in self.asked.values()), "")
        shown = {id_: f"survey: {a.label}" for id_, a in self.asked.items()}
        shown |= {id_: f"{k['how']}: {k['label']}" for id_, k in self.known.items()}
        for k, framework in enumerate(self.frameworks.values()):
            if k:
                yield ""
            yield from framework_lines(
                framework, self.figures, None if k or not (self.study or self.asked) else shown
            )
        if self.figures:
            yield from ("", STAR)

    def answer(self) -> str:
        """Say how many headlines the study knows, in a sentence."""
        count = Counter(k["how"] for k in self.known.values())
        all_ = f"Of {len(next(iter(self.frameworks.values())).headlines)} headline indicators of social capital"
        told = ", ".join(f"{count[how]} {word}" for how, word in MEANS.items() if count[how])
        n = count.total()
        return f"{all_} this study has {n}: {told}." if n else f"{all_} this study has none."

    def asked_answer(self) -> str:
        """Say how many headlines the survey asks, in a sentence."""
        n = len(next(iter(self.frameworks.values())).headlines)
        title = next(iter(self.asked.values())).survey
        return f"Of {n} headline indicators of social capital, {title} asks {len(self.asked)}."

    def data(self) -> dict[str, Any]:
        """Give the same as plain data."""
        known = self.known
        data: dict[str, Any] = {"frameworks": []}
        if self.study is not None:
            data = {"study": self.study.name, "answer": self.answer(), **data}
        for framework in self.frameworks.values():
            told = framework.model_dump(mode="json", exclude={"order"})
            for domain in told["domains"]:
                for headline in domain["headlines"]:
                    id_ = headline["id"]
                    headline["figures"] = [
                        f.model_dump(mode="json", exclude_none=True)
                        for f in self.figures.get(id_, ())
                    ]
                    headline["known"] = known.get(id_)
                    headline["asked"] = asdict(self.asked[id_]) if id_ in self.asked else None
            data["frameworks"].append(told)
        return data


MEANS = {"measured": "measured", "modelled": "modelled", "proxy": "by a proxy"}


def framework_lines(
    framework: Framework,
    figures: Mapping[str, tuple[Figure, ...]],
    known: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """List a framework by domain, in aligned columns.

    Parameters
    ----------
    framework
        The framework.
    figures
        By headline, figures for the country.
    known
        By headline, what the data at hand say of it, such as ``measured: turnout``; without it each
        is listed with the survey that asks it.

    Yields
    ------
    str
        A line for a terminal.
    """
    yield f"{framework.name} ({framework.publisher}): {_counts(framework)}"
    yield framework_note(framework)
    heads = ["Name", "Id", "Survey" if known is None else "Known from", "Country"]
    rows = [
        [
            h.name,
            h.id,
            h.survey if known is None else known.get(h.id, ""),
            _short(figures.get(h.id, ())),
        ]
        for h in framework.headlines.values()
    ]
    if not any(row[-1] for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    head, *lines = in_columns(heads, rows)
    yield from ("", head)
    for domain in framework.domains:
        yield domain.name
        yield from lines[: len(domain.headlines)]
        lines = lines[len(domain.headlines) :]


def _counts(framework: Framework) -> str:
    told = f"{len(framework.headlines)} {framework.kind}s"
    return told if len(framework.domains) == 1 else f"{told} in {len(framework.domains)} domains"


def _short(figures: Sequence[Figure]) -> str:
    """Say the newest figure of everyone in a few letters; a star marks what was not verified."""
    chosen = latest(figures)
    if not chosen:
        return ""
    first, star = chosen[0], "" if all(f.verified for f in chosen) else "*"
    if len(chosen) > 1:
        return f"groups {first.when}{star}"
    if first.value is None:
        return f"{first.change:+g} points{star}"
    unit = "" if first.unit and not first.unit.startswith("%") else "%"
    return f"{amount(first.value, unit)} {first.when}{star}"


def known_lines(found: Indicators, cautions: Mapping[str, str], plural: str) -> Iterator[str]:
    """Say of each indicator how many places have a value, its middle and ends, and its uncertainty."""
    for k, meta in enumerate(found.meta):
        yield f"{meta.label}: {_range(found, k, plural)}"
        if cautions.get(meta.name):
            yield f"  Beware: {cautions[meta.name]}"


def _range(found: Indicators, k: int, plural: str) -> str:
    values, meta = found.values[:, k], found.meta[k]
    there = values[~np.isnan(values)]
    told = f"{len(there):,} of {len(values):,} {plural}"
    if not len(there):
        return told
    errors = found.errors_of.get(meta.name)
    stated = 0 if errors is None else int((~np.isnan(errors)).sum())
    sure = f"standard errors for {stated:,}" if stated else "no uncertainty stated"
    middle, least, most = (
        amount(float(v), meta.unit) for v in (np.median(there), there.min(), there.max())
    )
    return f"{told}; middle {middle}; lowest {least}, highest {most}; {sure}"
