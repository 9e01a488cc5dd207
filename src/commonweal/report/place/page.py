"""A place as the parts of a page, the same for the web and for paper, and the HTML pages of the pack."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.format import format_amount, format_people
from commonweal.document.html import templates_of
from commonweal.document.model import TableData
from commonweal.document.pdf import MANY, broken_heads, column_room
from commonweal.report.place.charts import rows_of, strand_table
from commonweal.report.place.text import SCALE
from commonweal.report.study.social_capital_tables import (
    country_table,
    here_table,
    how_to_read,
    unknown_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from commonweal.document.model import Chart
    from commonweal.report.place.place import (
        Claim,
        Driver,
        Other,
        Place,
        ShownIndicator,
        SourceNote,
        WorkNote,
    )


DRIVERS_ABOUT = (
    "“{label}” {effect}. For each index, the indicators with the largest effect come first: the weight of the "
    "indicator, times how far the {kind} ranks from the middle."
)

MOST_DRIVERS = 5
"""Indicators of each index that a profile lists."""

MOST_REASONS = 3
"""Indicators of which a profile says why they count."""

_HERE, _MIDDLE, WORSE_OFF = "Here", "Median", "Worse off than (% of others)"


def place_parts(
    place: Place,
    chart: Chart,
    map_: Chart | None,
    link: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """Give the parts of a profile as plain data."""
    number = {s.id: s.number for s in place.sources}
    strands = strand_table(place.name, place.standings)
    heads = [k for k, (_, is_index) in enumerate(rows_of(place.standings)) if is_index]
    drivers = main_drivers(place)
    lists = bool(place.answers)
    cites = _numbers(place.drivers, number)
    return {
        "code": place.code,
        "title": place.name,
        "study": place.title,
        "note": place.note,
        "where": ", ".join(x.name for x in place.larger),
        "facts": _facts(place),
        "headline": cited(place.headline, place.sources),
        "map": picture(map_),
        "chart": picture(chart),
        "strands": table_parts(
            strands, f"Worse off than this percentage of other {place.kinds}", heads
        ),
        "drivers": table_parts(
            driver_table(drivers), "Indicators with the largest effect on the score"
        ),
        "drivers_about": _drivers_about(place, drivers),
        "drivers_notes": cites,
        **reasons(place),
        "shown": [{"text": s.text, "about": s.about, "note": s.note} for s in place.shown],
        "shown_notes": _numbers(place.shown, number),
        "near": table_parts(near_table(place.near), "Distance to venues and services"),
        "near_notes": _numbers(place.near, number),
        "peers": _others(place.peers, lists, f"Most similar in {place.alike_by}", link),
        "neighbours": _others(
            place.neighbours, lists, "Nearest first, by straight-line distance", link
        ),
        "answers": [
            {
                "label": a.label,
                "rule": a.rule,
                "margins": [m.text for m in a.margins],
                "change": a.change_text,
                "sure": a.sure_text,
            }
            for a in place.answers
        ],
        "caveats": list(place.caveats),
        "kinds": place.kinds,
        "scale": SCALE if any(a.probability is not None for a in place.answers) else "",
        "capital": _capital(place, number),
        **source_list(place.sources),
    }


def cited(claims: Iterable[Claim], sources: Iterable[SourceNote]) -> list[dict[str, str]]:
    """Give sentences, each with the numbers of its sources."""
    number = {s.id: s.number for s in sources}
    return [
        {"text": c.text, "notes": _notes(number[s] for s in c.sources if s in number)}
        for c in claims
    ]


def source_list(sources: Iterable[SourceNote]) -> dict[str, Any]:
    """Give the sources as texts, and how they ask to be named."""
    sources = tuple(sources)
    return {
        "sources": [
            {
                "number": s.number,
                "title": s.title,
                "text": s.text + ("" if s.open else " Do not pass its values on."),
                "url": s.url,
            }
            for s in sources
        ],
        "attributions": list(dict.fromkeys(s.attribution for s in sources if s.attribution)),
    }


def main_drivers(place: Place) -> list[Driver]:
    """Give the few indicators that count most in each index, index by index."""
    known = [d for d in place.drivers if d.worse_than is not None]
    indices = {s.label: None for s in place.standings}
    return [d for label in indices for d in [d for d in known if d.index == label][:MOST_DRIVERS]]


def _capital(place: Place, number: dict[str, int]) -> dict[str, Any] | None:
    """Give what is known of social capital: on paper in a few lines, on the page every headline."""
    found = place.capital
    if found is None:
        return None
    lines = []
    for h in found.here:
        said = "; ".join(part for part in (h.text, h.interval, h.place) if part)
        lines.append({"label": h.name, "said": f"{said} ({h.state_text})", "beware": h.caution})
    return {
        "summary": found.summary,
        "note": found.note,
        "lines": lines,
        "how": how_to_read(found),
        "here": table_parts(here_table(found), "What we know here"),
        "country": table_parts(country_table(found), "What we know for the country only"),
        "unknown": unknown_in_words(found),
        "notes": _notes({number[s] for h in found.headlines for s in h.sources if s in number}),
        "works": _listed(place.capital_works),
    }


def _listed(works: Iterable[WorkNote]) -> list[dict[str, Any]]:
    return [
        {"text": w.full.removesuffix(w.link).strip(), "link": w.link, "checked": w.checked}
        for w in works
    ]


def _facts(place: Place) -> list[str]:
    kind = f"{place.kind[:1].upper()}{place.kind[1:]}"
    found = [kind if place.name == place.code else f"{kind} {place.code}"]
    if place.people is not None:
        found.append(format_people(place.people))
    if place.rural_urban:
        found.append(place.rural_urban)
    return found


def _numbers(drivers: Iterable[Driver | ShownIndicator], number: dict[str, int]) -> str:
    return _notes({number[s] for d in drivers for s in d.sources if s in number})


def _notes(numbers: Iterable[int]) -> str:
    """Write numbers of notes with runs drawn together.

    Examples
    --------
    >>> _notes([1, 2, 3, 5, 7, 8])
    '1–3, 5, 7, 8'
    """
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 2 else ", ".join(map(str, r)) for r in runs)


def _drivers_about(place: Place, drivers: list[Driver]) -> str:
    if not drivers:
        return "No indicator is known here."
    first = max(drivers, key=lambda d: abs(d.push))
    effect = "adds most to its score" if first.push > 0 else "lowers its score most"
    return DRIVERS_ABOUT.format(label=first.label, effect=effect, kind=place.kind)


def reasons(place: Place) -> dict[str, Any]:
    """Say why the indicators that add most to the score count, and give the works that support it.

    The works that the study as a whole rests on come with them; those of indicators that are not
    told here are left out.
    """
    work = {w.id: w for w in place.works}
    first = sorted(main_drivers(place), key=lambda d: -d.push)
    told = [d for d in first if d.push > 0 and d.cites][:MOST_REASONS]
    elsewhere = {id_ for d in place.drivers for id_ in d.cites} - {i for d in told for i in d.cites}
    return {
        "reasons": [
            {"label": d.label, "why": d.why, "works": "; ".join(work[i].short for i in d.cites)}
            for d in told
        ],
        "works": _listed(w for w in place.works if w.id not in elsewhere),
    }


def picture(chart: Chart | None) -> dict[str, str] | None:
    """Give a picture as plain data."""
    if chart is None:
        return None
    return {"id": chart.id, "title": chart.title, "alt": chart.about, "svg": chart.svg}


def table_parts(shown: TableData, title: str, strong: Iterable[int] = ()) -> dict[str, Any] | None:
    """Give a table as texts; None if it is empty."""
    if not len(shown):
        return None
    heads = shown.frame.columns
    numeric = [shown.is_number(h) or h in shown.counts for h in heads]
    cells = shown.cells()
    wide = column_room(heads, numeric, cells)
    if len(heads) > MANY:
        heads = broken_heads(heads, numeric, cells)
        wide = [0 if number else w for number, w in zip(numeric, wide, strict=True)]
    return {
        "title": title,
        "strong": list(strong),
        "links": [],
        "head": heads,
        "numeric": numeric,
        "wide": wide,
        "rows": [[cell or "–" for cell in row] for row in cells],
    }


def driver_table(drivers: Iterable[Driver]) -> TableData:
    """Show indicators with their values, the median, and how many others are better off."""
    rows = [
        (
            d.label,
            d.strand if d.strand != d.label else d.index,
            d.text or "a rank only",
            d.usual_text,
            d.worse_than,
            "raises" if d.push > 0 else "lowers",
        )
        for d in drivers
    ]
    schema = {
        "Indicator": pl.String, "Domain": pl.String, _HERE: pl.String, _MIDDLE: pl.String,
        WORSE_OFF: pl.Float64, "Effect on the score": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    if not any(frame[_MIDDLE]):  # ranks only: there is nothing to show in units
        frame = frame.drop(_HERE, _MIDDLE)
    return TableData(frame, frozenset({WORSE_OFF}))


def near_table(drivers: Iterable[Driver]) -> TableData:
    """Show distances: here, and the median."""
    rows = [
        (d.label, _in_metres(d.value, d.unit, d.text), _in_metres(d.usual, d.unit, ""))
        for d in drivers
    ]
    schema = {"To": pl.String, _HERE: pl.String, _MIDDLE: pl.String}
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"))


def _in_metres(value: float | None, unit: str, otherwise: str) -> str:
    if value is None:
        return otherwise
    return (
        format_amount(value * 1000, "m")
        if unit in ("km", "kilometres")
        else format_amount(value, unit)
    )


def _others(
    others: tuple[Other, ...], lists: bool, title: str, link: Callable[[str], str] | None
) -> dict[str, Any] | None:
    table = table_parts(peer_table(others, lists), title)
    if table is not None and link is not None:
        table["links"] = [link(o.code) for o in others]
    return table


def peer_table(others: Iterable[Other], lists: bool = True) -> TableData:
    """Show other places: where they are, how far, and whether on the list, where there is one."""
    rows = [
        (
            o.name,
            o.where,
            None if o.metres is None else _away(o.metres),
            "Yes" if o.selected else "No",
        )
        for o in others
    ]
    schema = {
        "Name": pl.String,
        "Where": pl.String,
        "Distance": pl.String,
        "On the list": pl.String,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    frame = frame if lists else frame.drop("On the list")
    empty = [h for h in ("Where", "Distance") if not any(frame[h])]
    return TableData(frame.drop(empty))


def _away(metres: float) -> str:
    return (
        f"{metres / 1000:.1f}\N{NO-BREAK SPACE}km"
        if metres >= 995
        else f"{round(metres, -1):.0f}\N{NO-BREAK SPACE}m"
    )


def page_maker() -> Callable[..., str]:
    """Give a function that fills a template of the pack: ``page("place.html", title=..., ...)``."""
    from markupsafe import Markup

    made = templates_of("commonweal.report.place")
    folder = resources.files("commonweal.report.place") / "templates"
    css = Markup((folder / "pack.css").read_text("utf-8"))

    def page(template: str, **told: Any) -> str:
        text = made.get_template(template).render(css=css, **told)
        # A number and its percent sign stay on one line.
        return re.sub(r"\n\s*\n+", "\n", text)

    return page
