"""A residents' survey of the fictional county: who is asked, who answers, and the file for SPSS."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.demo.people import AGES, RESIDENT_KINDS, SEXES, TENURES
from commonweal.errors import DataError
from commonweal.files.extras import needs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.demo.county import County

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]


_RESPONSE = {  # the chance that someone who is asked answers, by age group and tenure
    "16-29": (0.38, 0.30, 0.32),
    "30-44": (0.50, 0.40, 0.40),
    "45-64": (0.60, 0.48, 0.48),
    "65+": (0.70, 0.58, 0.58),
}
_NO_ANSWER = 0.03  # of those who take part, to any one question
_DOES_NOT_KNOW, _REFUSED = -8, -9
# How answers divide among categories: first those that say yes, then those that say no.
_QUESTIONS: dict[str, dict[str, Any]] = {
    "trust": {
        "label": "Would you say that people in this neighbourhood can be trusted?",
        "answers": ("Most of them", "Some", "A few", "None"),
        "yes": (1.0,),
        "no": (0.65, 0.25, 0.10),
    },
    "belong": {
        "label": "How strongly do you feel that you belong to your neighbourhood?",
        "answers": ("Very strongly", "Fairly strongly", "Not very strongly", "Not at all"),
        "yes": (0.35, 0.65),
        "no": (0.75, 0.25),
    },
    "lonely": {
        "label": "How often do you feel lonely?",
        "answers": ("Often or always", "Some of the time", "Occasionally", "Hardly ever", "Never"),
        "yes": (0.28, 0.72),
        "no": (0.34, 0.40, 0.26),
    },
}
_OUTCOME = {"trust": "trust", "belong": "belonging", "lonely": "loneliness"}


def draw_survey(
    county: County, seed: int = 1, *, neighbourhoods: int = 120, asked: int = 30
) -> pl.DataFrame:
    """Draw a residents' survey: stratified, clustered, weighted, with people who do not answer.

    In each district the poorer and the richer half of the neighbourhoods are a stratum. In each stratum neighbourhoods
    are drawn with chances in proportion to residents of 16 and over (systematically, without replacement; at least 2,
    and half of its own at most), and in each of these as many people are `asked`. About half answer, the young and
    tenants less. ``weight`` (mean 1) is the inverse of the chance to be asked, set to the county's residents by age
    group and tenure; answers are codes, -8 'do not know', -9 'refused'.
    """
    if neighbourhoods < 20 or asked < 2:
        raise DataError(
            f"expected 20 or more neighbourhoods and 2 or more people in each; got {neighbourhoods} and {asked}"
        )
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((county.seed, 7, seed))))
    people = county.residents["people"].to_numpy().reshape(county.n_areas, len(RESIDENT_KINDS))
    stratum = _strata(county)
    drawn, chance = _draw_areas(rng, stratum, people.sum(axis=1), neighbourhoods)
    issued = np.stack(
        [
            rng.multivariate_hypergeometric(people[area], min(asked, people[area].sum()))
            for area in drawn
        ]
    )
    response = np.array(
        [_RESPONSE[age][TENURES.index(tenure)] for age, _, tenure in RESIDENT_KINDS]
    )
    answered = rng.binomial(issued, response)
    at, kind = (
        np.repeat(index, answered.ravel()) for index in np.indices(answered.shape).reshape(2, -1)
    )
    area = drawn[at]
    of_area = people.sum(axis=1)[area] / (chance[at] * issued.sum(axis=1)[at])
    frame = pl.DataFrame(
        {
            "serial": np.arange(1, len(area) + 1),
            "area": county.areas["code"].gather(area),
            "stratum": stratum[area] + 1,
            "weight": _weights(of_area, kind, people.sum(axis=0)),
            "age": _place(AGES, 0)[kind],
            "sex": _place(SEXES, 1)[kind],
            "tenure": _place(TENURES, 2)[kind],
        }
    )
    answers = {}
    for name, question in _QUESTIONS.items():
        truth = county.residents_truth[_OUTCOME[name]].to_numpy().reshape(people.shape)
        answers[name] = _answers(rng, truth[area, kind], question)
    return frame.with_columns(**{name: pl.Series(codes) for name, codes in answers.items()})


def write_survey(survey: pl.DataFrame, file: str | Path) -> Path:
    """Write a survey as SPSS has it: with labels of variables and values, and user-missing codes."""
    with needs("survey"):
        import pyreadstat

    file = Path(file)
    if file.suffix.lower() != ".sav":
        raise DataError(f"{file}: expected a name that ends in .sav")
    labels: dict[str, str | None] = {
        "serial": "Serial number",
        "area": "Neighbourhood (primary sampling unit)",
        "stratum": "Stratum: district by poorer or richer half",
        "weight": "Weight: design and non-response",
        "age": "Age group",
        "sex": "Sex",
        "tenure": "Tenure",
    } | {name: question["label"] for name, question in _QUESTIONS.items()}
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}.", suffix=".sav")
    os.close(handle)
    try:
        pyreadstat.write_sav(
            survey,
            part,
            file_label="Residents' survey, Quillshire (a fictional county)",
            column_labels=labels,
            variable_value_labels=value_labels(),
            missing_ranges={name: [_DOES_NOT_KNOW, _REFUSED] for name in _QUESTIONS},
        )
        Path(part).chmod(0o644)
        Path(part).replace(file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return file


def value_labels() -> dict[str, dict[float, str]]:
    """Give what the codes of each variable mean; -8 and -9 are no answers."""
    groups = {"age": AGES, "sex": SEXES, "tenure": TENURES}
    labels: dict[str, dict[float, str]] = {k: dict(enumerate(v, 1)) for k, v in groups.items()}
    for name, question in _QUESTIONS.items():
        labels[name] = dict(enumerate(question["answers"], 1))
        labels[name] |= {_DOES_NOT_KNOW: "Do not know", _REFUSED: "Refused"}
    return labels


def _strata(county: County) -> Counts:
    """Give each area its stratum, from 0: the richer, then the poorer half of each district by observed income."""
    ranked = county.indicators.select("code", "income_deprived_rate").join(
        county.areas.select("code", "district_code"), on="code", maintain_order="left"
    )
    place = pl.col("income_deprived_rate").rank("ordinal").over("district_code")
    poorer = (2 * place > pl.len().over("district_code")).cast(pl.Int64)
    district = pl.col("district_code").rank("dense").cast(pl.Int64) - 1
    return ranked.select(2 * district + poorer).to_series().to_numpy()


def _draw_areas(
    rng: np.random.Generator, stratum: Counts, size: Counts, wanted: int
) -> tuple[Counts, Floats]:
    """Draw areas with chances in proportion to size; give their rows and these chances."""
    rows, chances = [], []
    for one in np.unique(stratum):
        inside = rng.permutation(np.flatnonzero(stratum == one))
        take = round(wanted * size[inside].sum() / size.sum())
        take = min(max(2, take), len(inside) // 2)
        chance = np.round(np.minimum(take * size[inside] / size[inside].sum(), 1), 9)
        ends = np.cumsum(chance)
        hit = np.searchsorted(ends, rng.uniform() + np.arange(take), side="right")
        hit = np.minimum(hit, len(inside) - 1)
        rows.append(inside[hit])
        chances.append(chance[hit])
    order = np.argsort(np.concatenate(rows), kind="stable")
    return np.concatenate(rows)[order], np.concatenate(chances)[order]


def _weights(design: Floats, kind: Counts, people: Counts) -> Floats:
    """Set design weights to the county's residents by age group and tenure; their mean is 1."""
    group = _place(AGES, 0) * len(TENURES) + _place(TENURES, 2)
    known = np.bincount(group, people)
    found = np.bincount(group[kind], design, minlength=len(known))
    weight = design * (known / np.where(found > 0, found, 1))[group[kind]]
    return np.round(weight / weight.mean(), 6)


def _answers(rng: np.random.Generator, p: Floats, question: dict[str, Any]) -> Counts:
    yes, no = (np.cumsum(np.array(question[key])) for key in ("yes", "no"))
    says_yes = rng.uniform(size=len(p)) < p
    within = rng.uniform(size=len(p))
    code = np.where(
        says_yes,
        1 + np.minimum(np.searchsorted(yes, within, side="right"), len(yes) - 1),
        1 + len(yes) + np.minimum(np.searchsorted(no, within, side="right"), len(no) - 1),
    )
    silent = rng.uniform(size=len(p)) < _NO_ANSWER
    return np.where(
        silent, np.where(rng.uniform(size=len(p)) < 0.7, _DOES_NOT_KNOW, _REFUSED), code
    )


def _place(groups: tuple[str, ...], part: int) -> Counts:
    return np.array([groups.index(kind[part]) + 1 for kind in RESIDENT_KINDS])
