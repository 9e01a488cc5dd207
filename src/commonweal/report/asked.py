"""Which headlines of social capital a survey asks, and what it says of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.errors import StudyError, nearest
from commonweal.report.study.frameworks import Asked
from commonweal.report.survey import outcome_label, summary_sentence
from commonweal.social_capital import load_framework

if TYPE_CHECKING:
    from commonweal.survey import Summary, SurveySpec

__all__ = ["asked_by", "check_headlines"]


def check_headlines(spec: SurveySpec) -> None:
    """Check that a survey's outcomes name headlines that there are, and at least one does.

    Raises
    ------
    StudyError
        If one does not, with the nearest that there is; or if none names any.
    """
    known = load_framework().headlines
    named = {name: o.headline for name, o in spec.outcomes.items() if o.headline}
    for name, id_ in named.items():
        if id_ not in known:
            found = f"headline '{id_}' not found; {nearest(id_, known)}"
            raise StudyError(f"{spec.name}: outcomes.{name}.headline: {found}")
    if not named:
        raise StudyError(
            f"{spec.name}: no outcome names a headline; expected such as 'headline: belongs'"
        )


def asked_by(summary: Summary) -> dict[str, Asked]:
    """Give by headline what a survey says of it, for all of its respondents.

    Where several outcomes name one headline, the first counts.
    """
    found: dict[str, Asked] = {}
    rows = {f.outcome: f.table.row(0, named=True) for f in summary.findings if not f.by}
    for name, outcome in summary.survey.spec.outcomes.items():
        if not outcome.headline or outcome.headline in found:
            continue
        row = rows[name]
        ends = ("value", "lower", "upper")
        value, low, high = (row[end] if row["published"] else None for end in ends)
        label, told = outcome_label(summary.survey, name), summary_sentence(summary, name)
        found[outcome.headline] = Asked(
            summary.survey.spec.title, name, label, told, value, low, high, row["respondents"]
        )
    return found
