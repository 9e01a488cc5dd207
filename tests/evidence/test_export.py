"""Reference managers read what is written: escapes, braces, types."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from commonweal.evidence import Work, bibtex, csl_json, load_evidence

TYPES = {"article-journal", "book", "report"}  # of CSL 1.0.2


def made(**changes: Any) -> Work:
    return Work.model_validate(
        {
            "id": "marsh-2021",
            "themes": ["places"],
            "kind": "article",
            "authors": ["Marsh, Ben", "{Parks, Pubs & Places}", "Ogden Hill, Cleo"],
            "year": 2021,
            "title": "50% of {halls} & 100$ #1_a ~ ^ \\ – done",
            "journal": "Halls & Rooms",
            "volume": "3",
            "issue": "2",
            "pages": "1–9",
            "doi": "10.1000/a_b",
            "finds": "Half of all halls are shut on Sundays.",
            "method": "Counted",
            "place": "Quillshire",
            "strength": "description",
            "supports": ["Halls shut."],
            "checked": True,
            "check": "Made up for a test.",
            **changes,
        }
    )


def test_bibtex_escapes_what_latex_would_read() -> None:
    text = bibtex([made()])
    assert text.splitlines()[0] == "@article{marsh-2021,"
    assert (
        r"title = {{50\% of \{halls\} \& 100\$ \#1\_a \textasciitilde{} \textasciicircum{} "
        r"\textbackslash{} -- done}}" in text
    )
    assert r"author = {Marsh, Ben and {Parks, Pubs \& Places} and Ogden Hill, Cleo}" in text
    assert "journal = {Halls \\& Rooms}" in text
    assert "pages = {1--9}" in text
    assert "doi = {10.1000/a_b}" in text  # verbatim, as what reads it expects


def parsed(text: str) -> dict[str, dict[str, str]]:
    """Read BibTeX by its grammar: entries and fields in balanced braces."""
    entries, at = {}, 0
    while (start := re.compile(r"@(\w+)\{([\w-]+),\s*").search(text, at)) is not None:
        fields, at = {"entry": start[1]}, start.end()
        while text[at] != "}":
            head = re.compile(r"\s*(\w+) = \{").match(text, at)
            assert head, text[at : at + 40]
            depth, end = 1, head.end()
            while depth:
                if text[end] == "\\":
                    end += 1
                else:
                    depth += {"{": 1, "}": -1}.get(text[end], 0)
                end += 1
            fields[head[1]] = text[head.end() : end - 1]
            at = re.compile(r",?\s*").match(text, end).end()  # type: ignore[union-attr]
        entries[start[2]], at = fields, at + 1
    return entries


LETTERS = [(r"\textbackslash{}", "\\"), (r"\textasciitilde{}", "~"), (r"\textasciicircum{}", "^")]
LETTERS += [("$-$", "−"), ("---", "—"), ("--", "–")]


def plain(latex: str) -> str:
    for code, letter in LETTERS:
        latex = latex.replace(code, letter)
    return re.sub(r"\\([{}&%$#_])", r"\1", latex)


def test_the_whole_library_comes_back_from_bibtex() -> None:
    works = load_evidence().works
    found = parsed(bibtex(works.values()))
    assert list(found) == list(works)
    for id_, work in works.items():
        fields = found[id_]
        assert plain(fields["title"][1:-1]) == work.title
        assert fields["year"] == str(work.year)
        assert len(fields["author"].split(" and ")) >= len(work.authors)
        assert plain(fields["annote"]) == work.finds
        assert fields.get("doi", "") == work.doi
        assert (fields["entry"] == "article") == (work.kind == "article")


def test_csl_json_has_what_its_schema_asks() -> None:
    works = load_evidence().works
    items = json.loads(csl_json(works.values()))
    assert [item["id"] for item in items] == list(works)
    for item in items:
        work = works[item["id"]]
        assert item["type"] in TYPES
        assert item["issued"] == {"date-parts": [[work.year]]}
        assert item["title"] == work.title
        assert len(item["author"]) == len(work.authors)
        assert all(set(name) in ({"family", "given"}, {"literal"}) for name in item["author"]), (
            item["id"]
        )
    (bolet,) = [item for item in items if item["id"] == "bolet-2021"]
    assert (bolet["DOI"], bolet["page"], bolet["container-title"]) == (
        "10.1177/0010414021997158",
        "1653-1692",
        "Comparative Political Studies",
    )


def test_organisations_are_not_split_into_names() -> None:
    names = json.loads(csl_json([made()]))[0]["author"]
    assert names == [
        {"family": "Marsh", "given": "Ben"},
        {"literal": "Parks, Pubs & Places"},
        {"family": "Ogden Hill", "given": "Cleo"},
    ]


@pytest.mark.parametrize("kind", ["report", "working-paper", "statistics", "book"])
def test_who_published_what_is_no_article_is_kept(kind: str) -> None:
    work = made(kind=kind, publisher="A press", series="Papers", number="7", journal="", issue="")
    fields = parsed(bibtex([work]))["marsh-2021"]
    assert fields["publisher" if kind == "book" else "institution"] == "A press"
    assert fields["number"] == "7"
