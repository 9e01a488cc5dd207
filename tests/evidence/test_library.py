"""The evidence library: what is in it can be relied on, and what is wrong in it is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from commonweal.errors import DataError, UnknownNameError
from commonweal.evidence import cite, load_evidence
from commonweal.evidence.cite import short_reference
from commonweal.evidence.library import STRENGTHS
from commonweal.spec.study import load_study, shipped_studies

if TYPE_CHECKING:
    from collections.abc import Callable


ROOT = Path(__file__).resolve().parents[2]


def entry(**changes: Any) -> dict[str, Any]:
    work = {
        "kind": "report",
        "authors": ["Field, Ada", "Marsh, Ben"],
        "year": 2020,
        "title": "Halls and trust",
        "publisher": "A press",
        "address": "https://example.org/halls",
        "finds": "Where there are halls people meet more often.",
        "method": "A survey",
        "place": "Quillshire",
        "strength": "description",
        "supports": ["Halls bring people together."],
        "checked": True,
        "check": "Made up for a test.",
    }
    return {key: value for key, value in (work | changes).items() if value is not None}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a theme's file with one work that is changed, and maybe a second theme's."""

    def file(theme: str = "halls", works: dict[str, Any] | None = None, **changes: Any) -> Path:
        content = {"theme": theme, "order": 1, "title": "Halls", "about": "Of halls.", "works": {}}
        content["works"] = works if works is not None else {"field-2020": entry(**changes)}
        (tmp_path / f"{theme}.yaml").write_text(yaml.safe_dump(content), "utf-8")
        return tmp_path

    return file


def test_a_library_of_ones_own_is_read(write: Callable[..., Path]) -> None:
    found = load_evidence(write())
    assert list(found.works) == ["field-2020"]
    assert found.works["field-2020"].themes == ("halls",)
    assert cite("field-2020", found).short == "Field and Marsh 2020"
    assert cite("field-2020", found).full == (
        "Field, A. and Marsh, B. (2020). Halls and trust. A press. https://example.org/halls"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"publishr": "x"}, r"unknown key 'publishr'; did you mean 'publisher'\?"),
        ({"finds": None}, "'finds' is missing"),
        ({"finds": "Too short."}, "'finds': String should have at least 20 characters"),
        ({"year": 202}, "'year': Input should be greater than or equal to 1800 .found 202"),
        ({"year": "2020"}, "'year': Input should be a valid integer"),
        ({"strength": "strong"}, "'strength': Input should be 'synthesis', 'causal'"),
        ({"address": None}, "found neither 'doi' nor 'address'"),
        ({"address": "example.org"}, "'address': expected an address that starts with https://"),
        ({"doi": "https://doi.org/10.1/x"}, "'doi': expected a bare DOI"),
        ({"authors": ["Smith, J., Jones"]}, "expected 'Family, Given', an organisation"),
        ({"authors": []}, "'authors': Tuple should have at least 1 item"),
        ({"kind": "article"}, "an article needs a 'journal'"),
        ({"publisher": None}, "'report' needs a 'publisher'"),
        ({"also": ["hals"]}, "theme 'hals' not found; did you mean 'halls'"),
        ({"checked": None}, "'checked' is missing"),
        ({"check": None}, "'check' is missing"),
    ],
)
def test_a_fault_names_file_work_and_field(
    write: Callable[..., Path], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=rf"^halls.yaml: work 'field-2020': .*{said}"):
        load_evidence(write(**changes))


def test_a_work_stands_in_one_file(write: Callable[..., Path]) -> None:
    write("halls")
    with pytest.raises(DataError, match=r"parks.yaml: work 'field-2020' is already in halls.yaml"):
        load_evidence(write("parks"))


def test_an_id_twice_in_a_file_is_refused(tmp_path: Path) -> None:
    text = "theme: halls\norder: 1\ntitle: Halls\nabout: Of.\nworks: {a-1: {}, a-1: {}}\n"
    (tmp_path / "halls.yaml").write_text(text, "utf-8")
    with pytest.raises(DataError, match="key 'a-1' is there twice"):
        load_evidence(tmp_path)


@pytest.mark.parametrize(
    "text", ["[]", "theme: halls", "theme: h\norder: x\ntitle: t\nabout: a\nworks: {}"]
)
def test_a_file_of_another_shape_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "halls.yaml").write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"^halls.yaml: (found an empty list; )?expected"):
        load_evidence(tmp_path)


def test_an_unknown_work_or_theme_is_told_with_the_nearest() -> None:
    found = load_evidence()
    with pytest.raises(UnknownNameError, match="did you mean 'bolet-2021'"):
        found.work("bolet-2012")
    with pytest.raises(UnknownNameError, match="did you mean 'places'"):
        found.under("place")


def test_works_of_the_same_people_and_year_are_told_apart(write: Callable[..., Path]) -> None:
    works = {
        "field-2020-b": entry(),
        "field-2020-a": entry(title="Parks"),
        "field-2021": entry(year=2021),
    }
    found = load_evidence(write(works=works))
    assert {name: short_reference(work, found) for name, work in found.works.items()} == {
        "field-2020-a": "Field and Marsh 2020a",
        "field-2020-b": "Field and Marsh 2020b",
        "field-2021": "Field and Marsh 2021",
    }
    assert "(2020b). Halls" in cite("field-2020-b", found).full


def test_the_strongest_come_first_in_a_theme() -> None:
    found = load_evidence()
    for theme in found.themes:
        strengths = [list(STRENGTHS).index(work.strength) for work in found.under(theme)]
        assert strengths == sorted(strengths)


def test_works_of_ones_own_join_and_none_is_replaced(write: Callable[..., Path]) -> None:
    own = load_evidence(write()).works["field-2020"]
    library = load_evidence()
    fits = own.model_copy(update={"themes": ("places",)})
    assert "field-2020" in library.and_also([fits]).works
    with pytest.raises(DataError, match="theme 'halls' not found"):
        library.and_also([own])
    with pytest.raises(DataError, match="'bolet-2021' is already in the library"):
        library.and_also([fits.model_copy(update={"id": "bolet-2021"})])


def test_the_works_that_the_field_rests_on_are_there() -> None:
    titles = {work.title: work for work in load_evidence().works.values()}
    for part, year in (
        ("Valuing Wealth", 2020),
        ("Social capital in the UK: 2020", 2020),
        ("COVID-19 and community", 2020),
        ("Social Fabric", 2020),
        ("The revenge of the places", 2018),
        ("Trust and Well-being in the Evaluation of Wealth", 2016),
        ("Community Needs Index", 2023),
        ("Indices of Deprivation 2019: Technical", 2019),
        ("Left behind?", 2019),
        ("Places, spaces, people", 2018),
        ("Places, spaces, and social", 2023),
        ("Measuring Social and Cultural Infrastructure", 2025),
    ):
        assert [work.year for title, work in titles.items() if part in title] == [year], part


def test_every_work_that_was_not_checked_says_what_was_not() -> None:
    for work in load_evidence().works.values():
        assert work.checked or " not " in work.check, work.id


def test_every_theme_holds_works_and_every_citation_of_a_study_resolves() -> None:
    found = load_evidence()
    assert all(found.under(theme) for theme in found.themes)
    cited = {id_ for name in shipped_studies() for id_ in load_study(name).cited()}
    assert cited <= set(found.works)
    assert {"bolet-2021", "cni-2023", "local-trust-2019"} <= cited


def test_citations_in_docs_templates_and_sessions_resolve() -> None:
    """Wherever a file of ours lists ``cites`` or ``themes``, the library has them."""
    found, seen = load_evidence(), 0
    for folder in (ROOT / "docs", ROOT / "src"):
        for file in [p for end in ("md", "yaml", "txt", "html") for p in folder.rglob(f"*.{end}")]:
            for key, listed in re.findall(
                r"^\s*(cites|themes): \[([a-z0-9, -]+)\]", file.read_text("utf-8"), re.M
            ):
                known = found.works if key == "cites" else found.themes
                names = [name.strip() for name in listed.split(",")]
                assert set(names) <= set(known), f"{file.name}: {names}"
                seen += len(names)
    assert seen > 20
