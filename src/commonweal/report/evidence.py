"""The works that a study cites, and the evidence library by theme, for a terminal and a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonweal.document.words import environment, words
from commonweal.evidence import Citation, Work, cite, load_evidence
from commonweal.evidence.cite import full_reference
from commonweal.evidence.library import STRENGTHS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.evidence.library import Evidence
    from commonweal.study.results import Results


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
    """Give, by indicator, the works that support it; only for indicators that have some."""
    found = {name: spec.cites for name, spec in results.study.indicators.items() if spec.cites}
    evidence = load_evidence() if found else None
    return {name: [cite(id_, evidence) for id_ in ids] for name, ids in found.items()}


NOT_CHECKED = "Not fully checked"


def evidence_lines(evidence: Evidence, theme: str = "") -> Iterator[str]:
    """Give the library in plain words, theme by theme."""
    for name in [theme] if theme else evidence.themes:
        about = evidence.theme(name)
        yield from ("", f"{about.title} ({name})", about.about)
        for work in evidence.under(name):
            yield from ("", f"  {full_reference(work, evidence)}", f"    Finding: {work.finds}")
            yield f"    Method: {work.method}. Coverage: {work.place}. Strength: {work.strength}."
            if work.caution:
                yield f"    Please note: {work.caution}"
            if not work.checked:
                yield f"    {NOT_CHECKED}: {work.check}"
    yield from ("", "Strength of the evidence about an effect, strongest first:")
    yield from (f"  {name}: {meaning}" for name, meaning in STRENGTHS.items())


def evidence_html(
    evidence: Evidence,
    themes: Sequence[str] = (),
    level: int = 2,
) -> str:
    """Give the library as a part of an HTML page, without style of its own."""
    shown = [evidence.theme(name) for name in themes or evidence.themes]
    page = environment().get_template(f"{__package__}:templates/evidence.html")
    return page.render(
        themes=[(theme, evidence.under(theme.id)) for theme in shown],
        level=level,
        cite=lambda work: cite(work.id, evidence),
        strengths=STRENGTHS,
        w=words("document"),
    )
