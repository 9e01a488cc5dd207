"""Every template in every language with every branch: nothing missing, nothing empty; and the glossary of Welsh."""

from __future__ import annotations

import re
from importlib import resources
from itertools import product
from typing import Any

import pytest
from jinja2 import nodes

from commonweal.document.words import environment, glossary, languages, words
from commonweal.errors import UnknownNameError

FILES = {"document": "commonweal.document", "place": "commonweal.report"}
"""The files of words, and the package that each is in."""

CLASS = {"kinds": "wards", "kind": "rural-urban class", "rank": 2, "of": 9, "decile": 3}
VALUES: dict[str, tuple[Any, ...]] = {
    "alone": (True, False), "renewed": (True, False),
    "about": (True, False), "above": (None, 12.5), "alike": (True, False), "authority": ("", "Leeds"),
    "because": ("", "Income (+3.0)"), "built": (True, False), "change": (0.0, 3.2, -3.2), "classes": ((), (CLASS,)),
    "close": ("", "inside", "outside"), "code": ("E1", "Oak"), "decile": (None, 2, 9), "first": (True, False),
    "group": ("", "Leeds"), "high": (8,), "indicator": ("", "Turnout"), "inside": (True, False), "kind": ("weights",),
    "kinds": ("wards",), "label": ("selected", "in the worst fifth", "a priority", "Index of need"),
    "larger": ((), ("Leeds", "Yorkshire")), "licence": ("", "OGL"), "lists": ((), ("the list",)), "low": (8, 3, None),
    "mean": (True, False), "metres": (430.0, 2300.0), "name": ("Oak", "All wards"), "national": (0, 2),
    "others": (0, 1, 7), "people": (None, 1, 1938), "places": (1, -1, 12), "points": (None, 0.0, 0.001, 5.5),
    "raises": (True, False), "rank": (4, None), "ranged": (True, False), "ranks": ((5, 5), (6, 5)),
    "rural_urban": ("", "Urban"), "selected": (True, False), "share": (None, 0, 1, 0.004, 0.5, 0.995),
    "state": ("both", "enters", "leaves", "neither"), "tenth": (1, 9), "decile_": (1,), "times": (1, 1000),
    "unknown": (0, 22), "vintage": ("", "2021"), "within": ("", "region"), "why": ("", "has no data"), "n": (1, 5),
    "word": ("secure", "likely", "borderline", "unlikely"), "base": ("2015", "pooled"), "x": (0.004, 0.5, 0.995),
    "now": (211,), "then": (15,), "of": (400,), "worst": (30,), "rules": (("10% on A", "5% on B"),), "number": (3,),
    "scores": ((1.0, 2.0),), "things": (("need", "setting", "population", "deprivation"),), "labels": (("a", "b"),),
    "secure": (0.95,), "likely": (0.8,), "borderline": (0.2,), "indicator_tenth": (1,), "rows": (1200,),
    "fewest": (100,), "shown": (10,), "here": (3,), "earlier": (2015,), "later": (2024,),
}  # fmt: skip
"""Values of each parameter, so that every branch is taken; other parameters are given a word."""

OWN: dict[str, dict[str, tuple[Any, ...]]] = {
    "recalculated": {"kinds": (("weights", "aggregation", "normalisation", "treatment", "inclusion", "parameter",
                                "sampling", "small_counts", "cut_off"),)},
    "rank": {"rank": (4,)}, "margin": {"rank": (4,), "group": ("", "Leeds")}, "rank_of": {"rank": (4,)},
    "cut_off": {"rank": (40,)}, "points_from": {"points": (0.0, 0.001, 5.5)}, "tenths": {"decile": (1, 9)},
    "rank_range": {"low": (8, 3)}, "range": {"low": (8, 3)}, "condition": {"share": (None, 0.1)},
    "rule_condition": {"share": (None, 0.1)}, "change": {"on": ("for income",)}, "passes": {"share": (0, 1, 0.5)},
    "how_often": {"share": (0, 1, 0.5)}, "mover": {"share": (0.5,)}, "certain": {"share": (0, 0.5, 1)},
    "chart": {"share": (0.5, 1), "title": ("Oak",)},
    "map": {"listed": (0, 1, 3), "of": (0, 6)}, "part": {}, "trend": {"change": (0.0, 3.2, -3.2)},
}  # fmt: skip
"""Of some macros, values of their own."""

Branches = set[tuple[str, int, bool]]


class Seen:
    """Notes which way every `if` of a template went."""

    def __init__(self, package: str, file: str) -> None:
        self.taken: Branches = set()
        self.all: Branches = set()
        made = environment().overlay()
        made.globals = {**made.globals, "took": self.took}
        tree = made.parse(made.loader.get_source(made, f"{package}:{file}")[0], file, file)  # type: ignore[union-attr]
        self.number = 0
        self.macros = {m.name: [a.name for a in m.args] for m in tree.find_all(nodes.Macro)}
        for macro in tree.find_all(nodes.Macro):
            for one in macro.find_all((nodes.If, nodes.CondExpr)):
                one.test = self.watched(macro.name, one.test)
            for loop in macro.find_all(nodes.For):
                assert loop.test is None
        code = made.compile(tree, file, file)
        self.module = made.template_class.from_code(made, code, made.globals).module

    def watched(self, macro: str, test: nodes.Expr) -> nodes.Expr:
        self.number += 1
        self.all |= {(macro, self.number, way) for way in (True, False)}
        words_of = [nodes.Const(macro), nodes.Const(self.number), test]
        return nodes.Call(nodes.Name("took", "load"), words_of, [], None, None)

    def took(self, macro: str, number: int, value: object) -> object:
        self.taken.add((macro, number, bool(value)))
        return value

    def said(self, macro: str) -> list[str]:
        own = OWN.get(macro, {})
        names = self.macros[macro]
        values = [own.get(n, VALUES.get(n, ("words",))) for n in names]
        found = []
        for chosen in product(*values):
            text = str(getattr(self.module, macro)(**dict(zip(names, chosen, strict=True))))
            found.append(re.sub(r"[ \n]+", " ", text).strip())
        return found


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("subject", FILES)
def test_every_sentence_is_whole_whichever_way_it_goes(subject: str, language: str) -> None:
    seen = Seen(FILES[subject], f"words/{language}/{subject}.jinja")
    for macro in seen.macros:
        for text in seen.said(macro):
            assert text, macro
            assert not re.search(
                r"\bNone\b(?! of )|\bnan\b|\{\{|%\}|  | [.,;:]|\(\)|“”|\.\.", text
            ), text
    assert seen.all - seen.taken == set()


@pytest.mark.parametrize("subject", FILES)
def test_languages_say_the_same_things(subject: str) -> None:
    """Each has the same sentences with the same values, and the same headings, none empty but the mark of a draft."""
    english = Seen(FILES[subject], f"words/en/{subject}.jinja").macros
    for language in set(languages()) - {"en"}:
        other = Seen(FILES[subject], f"words/{language}/{subject}.jinja").macros
        assert {m: other.get(m) for m in english} == english
        ours, theirs = (words(subject, one, FILES[subject]).labels for one in ("en", language))
        assert ours.keys() == theirs.keys()
        assert [k for k, text in theirs.items() if not text.strip()] == []
        assert [k for k, text in ours.items() if not text.strip()] in ([], ["draft"])


def test_a_language_that_nobody_wrote() -> None:
    with pytest.raises(UnknownNameError, match="language 'fr' not found"):
        words("place", "fr", "commonweal.report")


def test_welsh_is_marked_as_a_draft_for_a_translator() -> None:
    assert words("place", "cy", "commonweal.report")["draft"].startswith(
        "Drafft i'w wirio gan gyfieithydd."
    )


def test_the_glossary_says_where_each_term_is_from() -> None:
    rows = glossary("cy")
    assert len({r["english"] for r in rows}) == len(rows) > 50
    for r in rows:
        assert r["english"]
        assert r["cy"]
        assert r["checked"] in ("yes", "no")
        assert bool(r["attested"]) or r["checked"] == "no", r
    checked = {r["english"] for r in rows if r["checked"] == "yes"}
    assert {
        "neighbourhood",
        "ward",
        "index",
        "rank",
        "deprived",
        "social infrastructure",
    } <= checked


USED = ("neighbourhood", "index", "rank", "score", "domain", "indicator", "weight", "need", "source", "median",
        "cut-off", "assumption", "recalculation", "uncertainty", "confidence interval", "social capital",
        "deprivation", "local authority")  # fmt: skip


def test_the_welsh_uses_the_words_of_the_glossary() -> None:
    """Each term stands in the files of words; mutated, in the plural, or as a value, by its stem."""
    term = {r["english"]: r["cy"] for r in glossary("cy")}
    files = [
        (resources.files(package) / "words" / "cy" / f"{subject}.jinja").read_text("utf-8")
        for subject, package in FILES.items()
    ]
    text = " ".join(files).casefold()
    values = ("neighbourhood", "local authority")  # they come from a study, by the glossary
    for english in USED:
        stem = re.sub(r"(iaeth|iad|au)$", "", term[english].casefold())
        assert english in values or stem in text, english
        assert words("place", "cy", "commonweal.report").term(english) == term[english]
    for wrong in (
        "cymdogaeth",
        "ardal gynnyrch",
    ):  # never written out where a study's own word belongs
        assert f" {wrong} " not in re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)


def test_a_term_keeps_its_capital_and_what_is_not_in_the_glossary_its_name() -> None:
    say = words("place", "cy", "commonweal.report")
    assert (say.term("Income"), say.term("wards"), say.term("Turnout")) == (
        "Incwm", "wardiau", "Turnout",
    )  # fmt: skip
    assert words("place", "en", "commonweal.report").term("wards") == "wards"
