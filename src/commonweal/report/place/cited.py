"""What a place's sentences and numbers rest on: sources, numbered as they are met, and works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.evidence import cite, load_evidence
from commonweal.report.place.place import SourceNote, WorkNote
from commonweal.report.study.references import references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from commonweal.evidence import Citation
    from commonweal.report.place.place import Claim, Driver, ShownIndicator, Standing
    from commonweal.report.study.social_capital import SocialCapital
    from commonweal.study.results import Results

__all__ = ["Cited"]


class Cited:
    """Looks sources up in the account of a run."""

    def __init__(self, results: Results) -> None:
        self.works = tuple(_note(r.citation) for r in references(results))
        self._known = {s["id"]: s for s in results.provenance.get("sources", ())}

    @staticmethod
    def all_of(standings: Iterable[Standing]) -> dict[str, tuple[str, ...]]:
        """Give the sources of each index by its path."""
        return {s.path: s.sources for s in standings}

    def notes(
        self,
        headline: Iterable[Claim],
        standings: Iterable[Standing],
        drivers: Iterable[Driver | ShownIndicator],
        capital: SocialCapital | None = None,
    ) -> tuple[SourceNote, ...]:
        """Give the sources numbered: those of the headline, of strands, of indicators, of social capital."""
        ids = [s for claim in headline for s in claim.sources]
        ids += [s for standing in standings for s in standing.sources]
        ids += [s for driver in drivers for s in driver.sources]
        ids += [s for h in capital.headlines for s in h.sources] if capital else []
        found = (self._known[i] for i in dict.fromkeys(ids) if i in self._known)
        return tuple(
            SourceNote(
                number,
                s["id"],
                s["title"],
                s["publisher"],
                s["vintage"],
                s["licence"],
                s["attribution"] or "",
                s["url"] or "",
                s["use"] == "open",
            )
            for number, s in enumerate(found, start=1)
        )

    @staticmethod
    def capital_works(capital: SocialCapital | None) -> tuple[WorkNote, ...]:
        """Give the works that figures for the country rest on, each once."""
        if capital is None:
            return ()
        library = load_evidence()
        ids = dict.fromkeys(id_ for h in capital.headlines for id_ in h.works)
        return tuple(_note(cite(id_, library)) for id_ in ids)


def _note(c: Citation) -> WorkNote:
    return WorkNote(c.id, c.short, c.full, c.link, c.checked)
