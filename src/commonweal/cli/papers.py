"""The commands that repeat published works: `commonweal discontent` and `wealth`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from commonweal.cli.console import (
    Json,
    print_document,
    progress_bar,
)
from commonweal.errors import CommonwealError, UnknownNameError
from commonweal.files.extras import check_extras

if TYPE_CHECKING:
    from commonweal.papers.wealth import Weight
    from commonweal.sources import Store


def discontent(
    out: Annotated[
        Path | None, typer.Option(help="Folder for a report: page, PDF, workbook, tables.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the 2016 vote with decline and 'left behind' areas: association, not cause."""
    from commonweal.files.folder import check_folder
    from commonweal.sources import Store

    if out is not None:
        check_folder(out)  # before the work, not after it
    check_extras(papers="spreg")
    from commonweal.papers.discontent.report import discontent_document
    from commonweal.papers.discontent.results import discontent as find

    with progress_bar() as progress:
        found = find(Store.from_environment(progress))
    report, folder = discontent_document(found), None
    if out is not None:
        from commonweal.document.write import write_document

        folder = write_document(report, out)
    print_document(report, folder, as_json=as_json)


CALIBRATION, COUNTRIES = "calibration", "countries"
"""Coefficients where none are asked for, and those that are estimated on the spot."""


def wealth(
    country: Annotated[
        list[str] | None,
        typer.Option(help="A country by code or name, such as GBR. Repeatable."),
    ] = None,
    people: Annotated[
        float | None, typer.Option(help="Population of your own area, with --income.")
    ] = None,
    income: Annotated[
        float | None, typer.Option(help="Its yearly income per person, in pounds.")
    ] = None,
    change: Annotated[float, typer.Option(help="Change in trust, in percentage points.")] = 1.0,
    form: Annotated[
        str, typer.Option(help="Measure to describe: linear, compensating or equivalent.")
    ] = "linear",
    coefficients: Annotated[
        str,
        typer.Option(
            help="How much trust counts compared with income: calibration, doubling, countries (a regression across "
            "countries), or a YAML file with b, g, var_b, var_g, cov_bg."
        ),
    ] = CALIBRATION,
    b: Annotated[
        float | None, typer.Option("--b", help="Your own coefficient of ln income.")
    ] = None,
    g: Annotated[
        float | None,
        typer.Option("--g", help="Your own coefficient of trust, on a scale of 0 to 1."),
    ] = None,
    var_b: Annotated[float | None, typer.Option("--var-b", help="Variance of b.")] = None,
    var_g: Annotated[float | None, typer.Option("--var-g", help="Variance of g.")] = None,
    cov: Annotated[float | None, typer.Option("--cov-bg", help="Covariance of b and g.")] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(help="With --coefficients countries: what to hold constant, such as health."),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Discount rate for the stock [default: 0.015 and 0.04].")
    ] = None,
    years: Annotated[float, typer.Option(help="Years that the stock covers.")] = 25,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers for intervals.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for a report on every country.")] = None,
    as_json: Json = False,
) -> None:
    """Value trust between people as wealth: for countries, groups of countries, or your own area."""
    from commonweal.document.write import write_document
    from commonweal.files.folder import check_folder
    from commonweal.papers.wealth.data import country_of
    from commonweal.papers.wealth.report import PlaceWorth, wealth_document
    from commonweal.papers.wealth.results import (
        HORIZONS,
        Assumptions,
        value_countries,
        worth_in_country,
        worth_of_change,
    )
    from commonweal.papers.wealth.value import FORMS
    from commonweal.sources import Store

    if form not in FORMS:
        raise UnknownNameError("form", form, FORMS)
    if (people is None) != (income is None):
        missing, there = ("--people", "--income") if people is None else ("--income", "--people")
        raise CommonwealError(f"{missing} is missing; {there} needs it")
    chosen = list(dict.fromkeys(country_of(name) for name in country or []))
    rates = [d for d, _ in HORIZONS] if rate is None else [rate]
    horizons = [(d, years) for d in rates]
    if out is not None:
        check_folder(out)
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        own = {"b": b, "g": g, "var_b": var_b, "var_g": var_g, "cov_bg": cov}
        weight = _weight(coefficients, own, control or [], store)
        assumptions, place = Assumptions(seed=seed), None
        if people is not None and income is not None:
            worth = worth_of_change(
                weight, people, income, change, horizons=horizons, assumptions=assumptions
            )
            place = PlaceWorth(people, income, worth)
        found, changes = None, {}
        if chosen or place is None or out is not None:
            found = value_countries(store, weight, assumptions)
            changes = {c: worth_in_country(found, c, change, horizons) for c in chosen}
        read = None if out is None else store
        report = wealth_document(weight, found, form, changes, change, place, read)
        folder = None if out is None else write_document(report, out)
    print_document(report, folder, as_json=as_json)


def _weight(name: str, own: dict[str, float | None], controls: list[str], store: Store) -> Weight:
    """Give the coefficients that were asked for."""
    from commonweal.papers.wealth.coefficients import read_weight, weight_of
    from commonweal.papers.wealth.data import life_of_countries
    from commonweal.papers.wealth.value import fit_countries

    given = {key: value for key, value in own.items() if value is not None}
    if controls and name != COUNTRIES:
        raise CommonwealError(f"--control: found with --coefficients {name}; expected countries")
    if given and name != CALIBRATION:
        option = next(iter(given)).replace("_", "-")
        raise CommonwealError(f"--coefficients {name} and --{option}: found both; expected one")
    if given:
        return weight_of("coefficients", source="given on the command line", **given)
    if name == COUNTRIES:
        return fit_countries(life_of_countries(store), controls).weight
    return read_weight(name, [COUNTRIES])
