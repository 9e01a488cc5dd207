"""The command that estimates from a survey: `commonweal survey`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commonweal.cli.console import Json, print_json, print_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.survey import Summary

__all__ = ["survey"]

_MOST = 12
"""Groups up to which those that are not published are told one by one."""


def survey(
    file: Annotated[Path, typer.Argument(help="The YAML file of a survey.")],
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="A group of the survey, wave or area; several joined by '+' are crossed. May be given several "
            "times. If not given, every group and the wave."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Report folder [default: results/surveys/NAME].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Estimate from a survey's microdata, by group, with intervals; and write a report."""
    from commonweal.document import write_report
    from commonweal.report.study.folder import check_folder
    from commonweal.report.survey import survey_report
    from commonweal.survey import load_spec, rake_survey, read_survey, summarise

    spec = load_spec(file)
    folder = out or Path("results") / "surveys" / spec.name
    check_folder(folder)
    found, raking = read_survey(spec), None
    if spec.rake is not None:
        found, raking = rake_survey(found)
    summary = summarise(found, by, raking)
    write_report(survey_report(summary), folder)
    if as_json:
        print_json({**_as_data(summary), "folder": str(folder)})
        return
    print_lines(_lines(summary))
    print(f"\nReport: {folder / 'report.html'}")  # never wrapped: to be clicked or copied


def _lines(summary: Summary) -> Iterator[str]:
    from commonweal.document.columns import in_columns
    from commonweal.report.survey import outcome_label, said, summary_sentence

    spec = summary.survey.spec
    yield f"{spec.title}: {len(summary.survey.frame):,} respondents"
    yield ""
    for name in spec.outcomes:
        yield f"  {summary_sentence(summary, name)}"
    for finding in (f for f in summary.findings if f.by):
        groups = " and ".join(g.replace("_", " ") for g in finding.by)
        yield ""
        yield f"{outcome_label(summary.survey, finding.outcome)}, by {groups}:"
        if len(finding.table) > _MOST and not finding.table["published"].any():
            yield f"  None of {len(finding.table):,} groups is fit to publish; the report says why of each."
            continue
        share = spec.outcomes[finding.outcome].share
        rows = [
            [
                *(str(row[g]) for g in finding.by),
                *(
                    [
                        said(row["value"], share),
                        f"{said(row['lower'], share)} to {said(row['upper'], share)}",
                    ]
                    if row["published"]
                    else ["not published", str(row["reason"])]
                ),
                f"{row['respondents']:,}",
            ]
            for row in finding.table.iter_rows(named=True)
        ]
        heads = [
            *(g.replace("_", " ").capitalize() for g in finding.by),
            ">Estimate",
            "95 % interval",
            ">Respondents",
        ]
        yield from in_columns(heads, rows, whole="the report has all")


def _as_data(summary: Summary) -> dict[str, Any]:
    spec = summary.survey.spec
    return {
        "survey": spec.name,
        "title": spec.title,
        "respondents": len(summary.survey.frame),
        "estimates": [
            {"outcome": f.outcome, "by": list(f.by), "rows": f.table.to_dicts()}
            for f in summary.findings
        ],
        "changes": summary.changes.to_dicts(),
    }
