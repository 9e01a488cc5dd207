"""The HTTP API: areas, search, profile, compare, rescore, map, tiles and downloads."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, HTTPException, Path, Query, Response

from commonweal.evidence import bibtex, csl_json, load_evidence
from commonweal.report.place.charts import compare_chart
from commonweal.report.place.place import Place
from commonweal.study.names import rule_in_words
from commonweal.web import schemas as answers
from commonweal.web.charts import domains_chart, map_svg, outline_of, png_of
from commonweal.web.explorer import Explorer
from commonweal.web.invest import programmes_table
from commonweal.web.rescore import study_file
from commonweal.web.schemas import (
    MOST_COMPARED,
    ChangesQuery,
    Code,
    ListQuery,
    PageQuery,
    Whole,
    choice_parameters,
    code_in_path,
)
from commonweal.web.search import list_page, record, search
from commonweal.web.tables import (
    WebTable,
    areas_table,
    changes_table,
    compare_table,
    csv_answer,
    domains_table,
    drivers_table,
    file_answer,
    json_answer,
    said_answer,
    short_record,
)
from commonweal.web.view import NUMBER, Layer, layer_names, layer_of

NO_CAPITAL = "This study has no social capital: its file has no key 'social_capital'."
NO_MAP = "None of these areas has a known location, so there is no map."

Codes = Annotated[
    list[str],
    Query(alias="area", min_length=1, max_length=MOST_COMPARED, description="Codes of areas."),
]
Version = Annotated[
    str, Query(max_length=32, description="Version, so that the answer can be cached.")
]
REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": words}
    for status, words in (
        (403, "The request came from a page of another site."),
        (414, "The query is too long."),
        (503, "Too many requests at once."),
    )
}
"""What `commonweal.web.app.Guard` answers before anything else does."""
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def row_of(explorer: Explorer, code: str) -> int:
    """Give the row of an area by its code; 404 if there is none."""
    areas = explorer.results.areas
    row = areas.position.get(code)
    if row is None:
        raise HTTPException(404, f"This study has no {areas.singular} with the code {code[:40]!r}.")
    return row


# Long: each route is a function of its own, and all know the explorer.
def api_router(explorer: Explorer) -> APIRouter:
    """Make the routes of one run."""
    problem: dict[int | str, dict[str, Any]] = {
        **REFUSED,
        422: {"model": answers.Problem, "description": "The request is not valid."},
    }
    none: dict[int | str, dict[str, Any]] = {
        404: {"model": answers.Problem, "description": "Not found."}
    }
    router = APIRouter(prefix="/api", tags=["api"], responses=problem)
    choices = {"parameters": choice_parameters(explorer)}
    file: dict[str, Any] = {"response_class": Response}
    name = explorer.results.study.name

    def of(kind: str) -> dict[int | str, dict[str, Any]]:
        return {200: {"content": {kind: {}}, "description": "The file."}}

    @router.get("/study", response_model=answers.Study)
    def study() -> Any:
        """Describe the study and what can be requested."""
        return json_answer(_study(explorer))

    @router.get("/areas", response_model=answers.AreaList, openapi_extra=choices)
    def areas(asked: Annotated[ListQuery, Query()]) -> Any:
        """List areas: filtered, sorted and page by page."""
        view = explorer.view(asked.choices(explorer))
        page = list_page(explorer, view, asked.listed)
        found = [record(view, int(row)) for row in page.rows]
        return json_answer(
            {"found": len(page.found), "page": page.number, "pages": page.of, "areas": found}
        )

    @router.get("/areas.csv", openapi_extra=choices, responses=of("text/csv"), **file)
    def areas_csv(asked: Annotated[ListQuery, Query()]) -> Any:
        """Give every matching area, as CSV."""
        return _csv(_found(asked), f"{name}-areas.csv")

    @router.get("/areas.json", openapi_extra=choices, response_model=answers.TableOut)
    def areas_json(asked: Annotated[ListQuery, Query()]) -> Any:
        """Give every matching area, as JSON."""
        return json_answer(_found(asked).to_dict(), f"{name}-areas.json")

    def _found(asked: ListQuery) -> WebTable:
        view = explorer.view(asked.choices(explorer))
        return areas_table(view, list_page(explorer, view, asked.listed).found)

    @router.get("/search", response_model=answers.SearchOut)
    def find(q: Annotated[str, Query(max_length=100)]) -> Any:
        """Find areas by postcode, code or name."""
        found = search(explorer, q)
        rows = [short_record(explorer, explorer.published, r) for r in found.rows]
        one = None if found.row is None else explorer.results.areas.codes[found.row]
        return json_answer({"area": one, "found": found.of, "areas": rows, "message": found.words})

    def _place(code: str) -> Place:
        return explorer.describe(row_of(explorer, code))

    @router.get("/areas/{code:path}/domains.csv", responses={**none, **of("text/csv")}, **file)
    def domains_csv(code: Code) -> Any:
        """Give how an area compares, as CSV."""
        return _csv(domains_table(_place(code)), f"{_plain(code)}-domains.csv")

    @router.get("/areas/{code:path}/domains.json", response_model=answers.TableOut, responses=none)
    def domains_json(code: Code) -> Any:
        """Give how an area compares, as JSON."""
        return json_answer(domains_table(_place(code)).to_dict(), f"{_plain(code)}-domains.json")

    @router.get("/areas/{code:path}/domains.svg", responses={**none, **of("image/svg+xml")}, **file)
    def domains_svg(code: Code) -> Any:
        """Give how an area compares, as a chart in SVG."""
        return file_answer(
            domains_chart(_place(code)).encode(), "image/svg+xml", f"{_plain(code)}-domains.svg"
        )

    @router.get("/areas/{code:path}/domains.png", responses={**none, **of("image/png")}, **file)
    def domains_png(code: Code) -> Any:
        """Give how an area compares, as a chart in PNG."""
        return file_answer(
            png_of(domains_chart(_place(code))), "image/png", f"{_plain(code)}-domains.png"
        )

    @router.get("/areas/{code:path}/drivers.csv", responses={**none, **of("text/csv")}, **file)
    def drivers_csv(code: Code) -> Any:
        """Give what drives an area's score, as CSV."""
        return _csv(drivers_table(_place(code)), f"{_plain(code)}-drivers.csv")

    @router.get("/areas/{code:path}/drivers.json", response_model=answers.TableOut, responses=none)
    def drivers_json(code: Code) -> Any:
        """Give what drives an area's score, as JSON."""
        return json_answer(drivers_table(_place(code)).to_dict(), f"{_plain(code)}-drivers.json")

    @router.get("/areas/{code:path}", response_model=Place, responses=none)
    async def area(code: Code) -> Any:
        """Give the profile of an area."""
        return said_answer(_place(code))

    def _places(codes: list[str]) -> list[Place]:
        return [_place(code) for code in dict.fromkeys(codes)]

    @router.get("/compare", response_model=answers.Compared, responses=none)
    def compare(codes: Codes) -> Any:
        """Give up to five areas side by side."""
        places = _places(codes)
        return json_answer(
            {**compare_table(places).to_dict(), "places": [p.to_dict() for p in places]}
        )

    @router.get("/compare.csv", responses={**none, **of("text/csv")}, **file)
    def compare_csv(codes: Codes) -> Any:
        """Give up to five areas side by side, as CSV."""
        return _csv(compare_table(_places(codes)), f"{name}-compare.csv")

    @router.get("/compare.png", responses={**none, **of("image/png")}, **file)
    def compare_png(codes: Codes) -> Any:
        """Give up to five areas side by side, as a chart in PNG."""
        return file_answer(
            png_of(compare_chart(_places(codes)).svg), "image/png", f"{name}-compare.png"
        )

    @router.get("/rescore", response_model=answers.Rescored, openapi_extra=choices)
    def rescore(asked: Annotated[PageQuery, Query()]) -> Any:
        """Recalculate with other weights and cut-offs: who enters, who leaves, and the map."""
        chosen = asked.choices(explorer)
        view = explorer.view(chosen)
        designations = []
        for key, states in view.states.items():
            d = view.results.designation_in_focus(key)
            changed = {
                word: [
                    {
                        "code": explorer.results.areas.codes[r],
                        "name": str(explorer.published.columns["name"].values[r]),
                    }
                    for r in np.flatnonzero(explorer.focus & (states == NUMBER[state])).tolist()
                ]
                for word, state in (("enter", "enters"), ("leave", "leaves"))
            }
            rule = rule_in_words(view.results, key)
            designations.append(
                {"name": key, "rule": rule, "selected": int(d.selected.sum()), **changed}
            )
        weights = {index: s.tree.weights for index, s in view.results.scores.items()}
        return json_answer(
            {"choices": chosen.query(), "weights": weights, "designations": designations,
             "map": _layer(explorer, layer_of(view, asked.layer))}
        )  # fmt: skip

    @router.get("/study.yaml", openapi_extra=choices, responses=of("application/yaml"), **file)
    def study_yaml(asked: Annotated[PageQuery, Query()]) -> Any:
        """Give the chosen weights and cut-offs as a study file that extends the study."""
        chosen = asked.choices(explorer)
        view = explorer.view(chosen)
        text = study_file(explorer.results, view.results, chosen)
        return file_answer(text.encode(), "application/yaml", f"{name}-setting.yaml")

    @router.get("/rescore.csv", openapi_extra=choices, responses={**none, **of("text/csv")}, **file)
    def rescore_csv(asked: Annotated[ChangesQuery, Query()]) -> Any:
        """Give who enters and leaves with other weights and cut-offs, as CSV."""
        return _csv(_changes(asked), f"{name}-changes.csv")

    @router.get(
        "/rescore.json", openapi_extra=choices, response_model=answers.TableOut, responses=none
    )
    def rescore_json(asked: Annotated[ChangesQuery, Query()]) -> Any:
        """Give who enters and leaves with other weights and cut-offs, as JSON."""
        return json_answer(_changes(asked).to_dict(), f"{name}-changes.json")

    def _changes(asked: ChangesQuery) -> WebTable:
        view = explorer.view(asked.choices(explorer))
        key = asked.designation or next(iter(view.states), "")
        if key not in view.states:
            raise HTTPException(404, f"This study has no designation {key[:40]!r}.")
        return changes_table(explorer, view, key)

    @router.get("/map", response_model=answers.LayerOut, openapi_extra=choices)
    def classes(asked: Annotated[PageQuery, Query()]) -> Any:
        """Give the colours of the map: classes, and a letter for each area."""
        return json_answer(
            _layer(explorer, layer_of(explorer.view(asked.choices(explorer)), asked.layer))
        )

    @router.get(
        "/map.svg", openapi_extra=choices, responses={**none, **of("image/svg+xml")}, **file
    )
    def map_as_svg(asked: Annotated[PageQuery, Query()]) -> Any:
        """Draw the map as SVG."""
        return file_answer(_drawn(asked).encode(), "image/svg+xml", f"{name}-map.svg")

    @router.get("/map.png", openapi_extra=choices, responses={**none, **of("image/png")}, **file)
    def map_as_png(asked: Annotated[PageQuery, Query()]) -> Any:
        """Draw the map as PNG."""
        return file_answer(png_of(_drawn(asked), 160), "image/png", f"{name}-map.png")

    def _drawn(asked: PageQuery) -> str:
        if explorer.tiles is None:
            raise HTTPException(404, NO_MAP)
        view = explorer.view(asked.choices(explorer))
        return map_svg(explorer, layer_of(view, asked.layer))

    @router.get("/rows/{row}", response_model=answers.RowOut, responses=none)
    async def of_row(row: Annotated[Whole, Path(ge=0, le=10_000_000)]) -> Any:
        """Give code, name and bounds of the area with the number of a row, as tiles have it."""
        if row >= len(explorer.results.areas):
            raise HTTPException(404, "This study has no such row.")
        return json_answer(_row_out(explorer, row))

    @router.get("/evidence.bib", responses=of("application/x-bibtex"), **file)
    def evidence_bib() -> Any:
        """Give the evidence that claims cite, as BibTeX."""
        works = bibtex(load_evidence().works.values()).encode()
        return file_answer(works, "application/x-bibtex", "evidence.bib")

    @router.get("/evidence.json", responses=of("application/json"), **file)
    def evidence_json() -> Any:
        """Give the evidence that claims cite, as CSL-JSON."""
        works = csl_json(load_evidence().works.values()).encode()
        return file_answer(works, "application/json", "evidence.json")

    @router.get("/programmes", response_model=answers.TableOut)
    def programmes() -> Any:
        """List the funding programmes applied to this study."""
        return json_answer(programmes_table(explorer).to_dict())

    outline = outline_of(explorer.results)

    @router.get("/outline.geojson", responses=of("application/geo+json"), **file)
    def outline_geojson(v: Version = "") -> Any:
        """Give outlines of authorities and names for the map."""
        answer = file_answer(outline, "application/geo+json")
        if v:  # of the shapes alone, so not for ever
            answer.headers["Cache-Control"] = "max-age=3600"
        return answer

    @router.get("/tiles/{z}/{x}/{y}.mvt", responses={204: {"description": "The tile is empty."},
                **of("application/vnd.mapbox-vector-tile")}, **file)  # fmt: skip
    def tile(
        z: Annotated[Whole, Path(ge=0, le=22)],
        x: Annotated[Whole, Path(ge=0, le=2**22)],
        y: Annotated[Whole, Path(ge=0, le=2**22)],
        v: Version = "",
    ) -> Any:
        """Give a vector tile: layer ``areas``, each with the number of its row."""
        found = None if explorer.tiles is None else explorer.tiles.tile(z, x, y)
        keep = FOREVER if v else {}
        if found is None:
            return Response(status_code=204, headers=keep)
        kind = "application/vnd.mapbox-vector-tile"
        return Response(found, media_type=kind, headers={**keep, "Content-Encoding": "gzip"})

    return router


def _csv(table: WebTable, name: str) -> Response:
    return csv_answer(table.head, table.rows, name)


def _row_out(explorer: Explorer, row: int) -> dict[str, Any]:
    short = short_record(explorer, explorer.published, row)
    first = explorer.tiers[:1]
    where = short[first[0].key] if first else ""
    page = f"/area/{code_in_path(short['code'])}"
    return {
        "code": short["code"],
        "name": short["name"] or short["code"],
        "where": where,
        "page": page,
    }


def _plain(code: str) -> str:
    """Give a code as a part of a file's name: letters, digits and hyphens."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in code[:80])


def _layer(explorer: Explorer, layer: Layer) -> dict[str, Any]:
    classes = [
        {"letter": c.letter, "label": c.label, "colour": c.colour, "areas": c.areas}
        for c in layer.classes
    ]
    return {
        "layer": layer.key,
        "title": layer.title,
        "classes": classes,
        "letters": layer.letters,
        "marks": [
            [row, *explorer.points[row]] for row in layer.marked.tolist() if row in explorer.points
        ],
    }


def _study(explorer: Explorer) -> dict[str, Any]:
    r = explorer.results
    tiles = explorer.tiles
    return {
        "name": r.study.name,
        "title": r.study.title,
        "note": r.study.briefing.note,
        "areas": int(explorer.focus.sum()),
        "designations": [
            {"name": n, "label": explorer.label(n), "rule": rule_in_words(r, n),
             "selected": int(r.designation_in_focus(n).selected.sum())}
            for n in r.designations
        ],
        "weights": [
            {"key": w.key, "label": w.label, "index": w.index_label, "stated": w.stated} for w in explorer.weights
        ],
        "cuts": [
            {"key": c.key, "label": c.label, "unit": c.unit, "stated": c.stated, "low": c.low, "high": c.high}
            for c in explorer.cuts
        ],
        "columns": [{"key": c.key, "label": c.label} for c in explorer.published.columns.values()],
        "layers": [{"key": key, "label": label} for key, label in layer_names(explorer.published)],
        "bounds": None if explorer.bounds is None else list(explorer.bounds),
        "tiles": "" if tiles is None else tiles.version,
    }  # fmt: skip
