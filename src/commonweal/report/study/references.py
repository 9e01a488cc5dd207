"""The works that a study cites, for its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonweal.evidence import Citation, Work, cite, load_evidence

if TYPE_CHECKING:
    from commonweal.study.results import Results

__all__ = ["Reference", "citations", "references"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A work that a study cites, and the labels of the indicators that do; none: the study itself."""

    work: Work
    citation: Citation
    cited_for: tuple[str, ...]


def references(results: Results) -> list[Reference]:
    """Give every work that the study cites, those of the study itself first, then by who and when."""
    cited = results.study.cited()
    if not cited:
        return []
    evidence, known = load_evidence(), results.study.indicators
    found = [
        Reference(
            evidence.work(id_),
            cite(id_, evidence),
            tuple(known[name].label or name.replace("_", " ") for name in names),
        )
        for id_, names in cited.items()
    ]
    return sorted(found, key=lambda r: (bool(r.cited_for), r.citation.short.casefold()))


def citations(results: Results) -> dict[str, list[Citation]]:
    """Give, by indicator, the works that bear out why it counts; only of those that have some."""
    found = {name: spec.cites for name, spec in results.study.indicators.items() if spec.cites}
    evidence = load_evidence() if found else None
    return {name: [cite(id_, evidence) for id_ in ids] for name, ids in found.items()}
