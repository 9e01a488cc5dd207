"""The commands about what to do: `commonweal invest`, one subject a file."""

from __future__ import annotations

import typer

from commonweal.cli.invest_allocate import allocate
from commonweal.cli.invest_appraise import appraise
from commonweal.cli.invest_case import case
from commonweal.cli.invest_portfolio import portfolio
from commonweal.cli.invest_site import site
from commonweal.cli.invest_track import baseline, track

__all__ = ["invest_app"]

invest_app = typer.Typer(
    help="What to do about it: where to invest, in what, and whether it is worth it.",
    no_args_is_help=True,
)
invest_app.command("allocate")(allocate)
invest_app.command("appraise")(appraise)
invest_app.command("case")(case)
invest_app.command("site")(site)
invest_app.command("portfolio")(portfolio)
invest_app.command("baseline")(baseline)
invest_app.command("track")(track)
