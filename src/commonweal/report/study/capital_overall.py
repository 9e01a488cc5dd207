"""Social capital over all the places of a run: for each headline what the study has, and the country."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.numbers import amount
from commonweal.document.table import Shown
from commonweal.evidence import load_evidence
from commonweal.report.study.national import framework_note, national_in_words
from commonweal.report.study.social_capital import NO_UNCERTAINTY, STATES
from commonweal.social_capital import load_framework

if TYPE_CHECKING:
    from commonweal.study.results import Results

__all__ = ["capital_notes", "capital_overall"]


def capital_overall(results: Results) -> Shown | None:
    """Show every headline: how it is known, of how many places, its middle and ends, and the country.

    None where the study says nothing of social capital.
    """
    found = results.capital
    if found is None:
        return None
    framework, evidence = load_framework(), load_evidence()
    rows = []
    for domain in framework.domains:
        for h in domain.headlines:
            country = national_in_words(results.national.get(h.id, ()), h, evidence)
            spec = results.study.social_capital.get(h.id)
            state = spec.how if spec else "national" if country else "unknown"
            here: tuple[object, ...] = ("", None, "", "")
            if spec is not None:
                at = found.column(spec.indicator)
                values, meta = found.values[:, at], found.meta[at]
                known = values[~np.isnan(values)]
                errors = found.errors_of.get(spec.indicator)
                sure = (
                    NO_UNCERTAINTY
                    if errors is None
                    else f"standard errors for {(~np.isnan(errors)).sum():,}"
                )
                middle = amount(float(np.median(known)), meta.unit) if len(known) else ""
                here = (meta.label, len(known), middle, sure)
            rows.append((domain.name, h.name, STATES[state], *here, country))
    schema = {
        "Domain": pl.String, "Headline": pl.String, "How it is known": pl.String,
        "Indicator": pl.String, f"{results.areas.plural.capitalize()} with a value": pl.Int64,
        "Middle place": pl.String, "How sure": pl.String, "Country": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Shown(frame if any(frame["Country"]) else frame.drop("Country"))


def capital_notes(results: Results) -> list[str]:
    """Say what to beware of: each caution of the study, and what of the list was verified."""
    told = {s.indicator: s.caution for s in results.study.social_capital.values() if s.caution}
    names = {} if results.capital is None else {m.name: m.label for m in results.capital.meta}
    cautions = [f"{names[k]}: {' '.join(text.split())}" for k, text in told.items() if k in names]
    return [*cautions, framework_note(load_framework())]
