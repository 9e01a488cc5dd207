"""Places that don't matter, on the published files: the three columns, and the answer on left-behind areas."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.access import Points
from commonweal.document.data import document_json
from commonweal.document.text import document_lines
from commonweal.document.write import write_document
from commonweal.evidence import load_evidence
from commonweal.papers.discontent.models import GROWTH, NEIGHBOURS, neighbours, shrinkage
from commonweal.papers.discontent.report import discontent_document
from commonweal.papers.discontent.results import Discontent, discontent
from commonweal.papers.discontent.text import answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.document import Document
    from commonweal.sources import Store

pytestmark = pytest.mark.real

CAUSAL = re.compile(
    r"\b(caus\w*|effects?|affect\w*|impact\w*|leads? to|led to|driv(?:e|es|en|ing)|drove|due to|because|"
    r"results? in|resulted|explain\w*|makes?|made people|thanks to|owing|determin\w*|trigger\w*|consequen\w*)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def found(real_store: Store) -> Discontent:
    return discontent(real_store)


@pytest.mark.parametrize(
    ("column", "term", "estimate", "error", "r2"),
    [
        (0, GROWTH, -3.78, 1.04, 0.29),
        (1, GROWTH, -5.01, 0.84, 0.52),
        (2, GROWTH, -1.05, 0.48, 0.87),
        (2, "degree", -1.17, 0.06, 0.87),
    ],
)
def test_the_three_columns(
    found: Discontent, column: int, term: str, estimate: float, error: float, r2: float
) -> None:
    """To half a unit of the last digit of the method sheet; its -3.78 is -3.7748 here."""
    model = found.columns[column].model
    assert model.term(term).estimate == pytest.approx(estimate, abs=0.0055)
    assert model.term(term).se == pytest.approx(error, abs=0.005)
    assert model.r2 == pytest.approx(r2, abs=0.005)
    assert (model.rows, model.groups) == (340, 143)


def test_decline_shrinks_by_four_fifths(found: Discontent) -> None:
    assert shrinkage(found.columns) == pytest.approx(0.8, abs=0.02)


def test_clustered_errors_by_hand(found: Discontent) -> None:
    """The sandwich written out, from the table alone."""
    table, model = found.authorities.table, found.columns[-1].model
    names = [t.name for t in model.terms[1:]]
    x = np.column_stack([np.ones(340), table.select(names).to_numpy()])
    y, w = table["leave"].to_numpy(), table["electorate"].to_numpy()
    bread = np.linalg.inv((x.T * w) @ x)
    b = bread @ (x.T * w) @ y
    scores = x * (w * (y - x @ b))[:, None]
    codes = np.unique(table["region"].to_numpy(), return_inverse=True)[1]
    sums = np.array([np.bincount(codes, column) for column in scores.T])
    errors = np.sqrt(np.diag(bread @ sums @ sums.T @ bread) * 143 / 142 * 339 / 330)
    assert [t.estimate for t in model.terms] == pytest.approx(b, rel=1e-6)
    assert [t.se for t in model.terms] == pytest.approx(errors, rel=1e-6)


def test_the_table_is_published_numbers(found: Discontent) -> None:
    """A few values that can be looked up: the vote, and the census of 2011."""
    row = found.authorities.table.filter(found.authorities.table["name"] == "Hartlepool").row(
        0, named=True
    )
    assert row["leave"] == pytest.approx(69.57, abs=0.005)
    assert row["electorate"] == 70341
    assert row["region"] == "TLC11"
    # GVA of 5,109 and 6,587 million at 2019 prices, by people of 1998 and 2015
    assert 0 < row["growth"] < 1.5
    assert found.authorities.table["wales"].sum() == 22
    assert found.authorities.table["london"].sum() == 33
    assert found.authorities.table.null_count().sum_horizontal().item() == 0


def test_what_was_lost_is_said(found: Discontent) -> None:
    assert [s.kept for s in found.authorities.steps] == [348, 348, 340, 340, 340]
    assert found.authorities.steps[2].lost[:3] == ("Bournemouth", "Poole", "Christchurch")
    assert [s.kept for s in found.wards.steps] == [9291, 1283, 1261, 1261, 1255]
    assert found.wards.steps[2].lost == ("Midlothian", "Na h-Eileanan Siar", "Stirling")


def test_dorset_makes_it_348(found: Discontent) -> None:
    reading = found.readings[-1]
    assert [m.rows for m in reading.models] == [348] * 3
    assert reading.models[-1].term(GROWTH).estimate == pytest.approx(-1.02, abs=0.01)


def test_what_is_left_of_decline_rests_on_choices(found: Discontent) -> None:
    """Manufacturing at current prices, or errors that neighbours share, leave nothing clear."""
    current = found.readings[1].models[-1].term(GROWTH)
    assert current.estimate == pytest.approx(-0.66, abs=0.01)
    assert current.low < 0 < current.high
    shared = found.dependence.error.terms[1]
    assert shared.name == GROWTH
    assert shared.low < 0 < shared.high
    text = " ".join(answer(found))
    assert "survives" not in text
    assert (
        "So the link with decline shrinks by about 80% and cannot be told from zero in the best-fitting model."
        in text
    )
    assert "In it, the share was 0.16 points higher (95% interval -0.39 to 0.71)" in text, (
        "the number that the sentence rests on stands beside it"
    )
    assert "0.66 points higher (95% interval -0.28 to 1.60): that cannot be told from zero." in text


def test_which_model_fits_best_is_found_and_not_stated(found: Discontent) -> None:
    """If another model had the lowest Akaike criterion, its coefficient would be told."""
    near = found.dependence
    assert near.error.aic < min(near.lag.aic, near.error.aic_ols)
    other = replace(found, dependence=replace(near, lag=replace(near.lag, aic=0.0)))
    text = " ".join(answer(other))
    assert "and can be told from zero in the best-fitting model." in text
    assert "allows for votes that neighbouring authorities share" in text
    assert "In it, the share was 0.67 points higher (95% interval 0.06 to 1.29)" in text


def test_neighbours_share_residuals(found: Discontent) -> None:
    table = found.authorities.table
    points = Points(table["longitude"].to_numpy(), table["latitude"].to_numpy())
    near = neighbours(points, NEIGHBOURS)
    z = found.columns[-1].model.residuals
    z = z - z.mean()
    i = sum(z[a] * z[b] for a in range(340) for b in near[a]) / NEIGHBOURS / (z @ z)
    assert found.dependence.moran[NEIGHBOURS].i == pytest.approx(i)
    assert i > 0.3
    assert all(m.p <= 0.001 for m in found.dependence.moran.values())


def test_the_spatial_error_model_maximises_the_likelihood(found: Discontent) -> None:
    table, model = found.authorities.table, found.dependence.plain
    points = Points(table["longitude"].to_numpy(), table["latitude"].to_numpy())
    w = np.zeros((340, 340))
    for i, row in enumerate(neighbours(points, NEIGHBOURS)):
        w[i, row] = 1 / NEIGHBOURS

    eigenvalues = np.linalg.eigvals(w)
    near_x, near_y = w @ model.design, w @ model.observed

    def log(r: float) -> float:
        x, y = model.design - r * near_x, model.observed - r * near_y
        e = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        determinant = np.log(np.abs(1 - r * eigenvalues)).sum()
        return determinant - 170 * (np.log(2 * np.pi * (e @ e) / 340) + 1)

    error = found.dependence.error
    best = log(error.spatial.estimate)
    assert error.aic == pytest.approx(2 * 12 - 2 * best, abs=0.01)
    assert best >= max(log(r) for r in np.linspace(-0.9, 0.98, 95)) - 1e-6


def test_left_behind_wards_and_the_question(found: Discontent) -> None:
    """61 of the 225 have counts; with deprivation and education held constant they differ."""
    asked = {h.held: h for h in found.held}
    answer_row = asked["deprivation and education"]
    assert (answer_row.model.rows, answer_row.model.groups, answer_row.left_behind) == (
        1255,
        75,
        61,
    )
    assert found.listed_authorities == 22
    term = answer_row.model.term("left_behind")
    assert term.estimate == pytest.approx(5.95, abs=0.05)
    assert (term.low, term.high) == pytest.approx((1.63, 10.27), abs=0.05)
    assert asked["nothing"].model.term("left_behind").estimate > term.estimate
    whole = next(h for h in found.by_authority if h.held == "deprivation and education")
    assert whole.model.rows == 318
    assert whole.model.term(whole.term).low < 0 < whole.model.term(whole.term).high


def test_birmingham_alone_carries_nearly_half_of_the_answer(found: Discontent) -> None:
    row = next(h for h in found.held if h.held == "deprivation and education")
    assert row.jackknife.estimates["Birmingham"] == pytest.approx(3.25, abs=0.05)
    assert min(row.jackknife.estimates, key=row.jackknife.estimates.__getitem__) == "Birmingham"
    safe = row.jackknife.term
    assert (safe.low, safe.high) == pytest.approx((0.14, 11.77), abs=0.05)
    aged = found.held[-1].jackknife.term
    assert aged.low < 0 < aged.high
    said = " ".join(answer(found))
    assert "Without Birmingham alone it is 3.3" in said
    assert f"{safe.low:.1f} to {safe.high:.1f} ({aged.low:.1f} to {aged.high:.1f} with age)" in said


def test_the_page_has_these_numbers(found: Discontent) -> None:
    page = (Path(__file__).parents[2] / "docs" / "methods" / "discontent.md").read_text("utf-8")
    readings = {r.title: r.models[-1].term(GROWTH) for r in found.readings}
    near = found.dependence
    growth = {
        "as above": readings["as above"],
        "as above, the interval by leaving each region out": found.by_region.term,
        "manufacturing at current prices": readings["manufacturing at current prices, as is usual"],
        "without London": readings["without London"],
        "every authority counts equally": readings["every authority counts equally"],
        "without the ten most influential authorities": found.without.term(GROWTH),
        "votes that neighbours share (spatial lag)": near.lag.terms[1],
        "errors that neighbours share (spatial error)": near.error.terms[1],
    }
    for title, term in growth.items():
        assert f"| {title} | {term.estimate:.2f} | {term.low:.2f} to {term.high:.2f} |" in page, (
            title
        )
    for held in found.held:
        term, wide = held.model.term(held.term), held.jackknife.term
        cells = (
            held.held,
            f"{term.estimate:.1f}",
            f"{term.low:.1f} to {term.high:.1f}",
            f"{round(wide.low, 1) + 0.0:.1f} to {wide.high:.1f}",  # no -0.0
            f"{held.jackknife.estimates['Birmingham']:.1f}",
        )
        assert f"| {' | '.join(cells)} |" in page.replace("**", ""), held.held
    text = " ".join(page.split())
    most = found.authorities.table["name"][int(found.influence.most(1)[0])]
    assert f"The largest distance is {found.influence.cook.max():.2f} ({most})" in text
    assert f"variance inflation is at most {max(found.inflation.values()):.1f}" in text
    i = {k: m.i for k, m in near.moran.items()}
    assert f"with the six nearest authorities is {i[6]:.2f} (p = {near.moran[6].p:.3f}" in text
    assert f"{i[10]:.2f} to {i[4]:.2f} with ten to four" in text
    assert (
        f"Lambda is {near.error.spatial.estimate:.2f}, rho {near.lag.spatial.estimate:.2f}" in text
    )
    assert f"shrinks by {shrinkage(found.columns):.0%}" in text
    checks = [h.model.term(h.term).estimate for h in found.checks[:5]]
    assert f"counted equally it is {min(checks):.1f} to {max(checks):.1f}" in text


def test_what_bolet_found_is_told_as_published() -> None:
    work = load_evidence().work("bolet-2021")
    assert "4.3 points more likely to support UKIP" in work.finds
    assert (work.checked, work.strength) == (True, "association")


def _words(report: Document) -> Iterator[str]:
    """Give all that a report says in words of its own."""
    yield from (report.title, report.heading, *report.answer, *report.limits, *report.assumptions)
    for section in report.sections:
        yield from (section.title, *section.text, *section.points, *section.warnings)
        for table in section.tables:
            yield from (table.title, table.about, *table.shown.frame.columns)
            yield from (cell for row in table.shown.cells() for cell in row)
        for chart in section.charts:
            yield from (chart.title, chart.about)


def test_association_is_never_told_as_cause(found: Discontent) -> None:
    document = discontent_document(found)
    said = [*document_lines(document), *_words(document)]
    assert any("association, not cause" in line for line in said)
    for line in said:
        allowed = line.replace("association, not cause", "")
        assert not CAUSAL.search(allowed), line


def test_the_search_for_causal_words_finds_some() -> None:
    for said in ("Decline causes it", "the effect of decline", "due to decline", "driven by it"):
        assert CAUSAL.search(said)


def test_the_report_is_written_with_its_drawings(found: Discontent, tmp_path: Path) -> None:
    folder = write_document(discontent_document(found), tmp_path / "discontent")
    page = (folder / "report.html").read_text("utf-8")
    assert page.count("<svg") == 2
    assert "0010414021997158" in page  # pubs: marked in the library as an association
    with (folder / "tables" / "growth-people.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 340
    names = {r["Authority"] for r in rows}
    assert {"Liverpool", "Hackney"} <= names
    for table in (folder / "tables").glob("*.csv"):
        text = table.read_text("utf-8")
        assert "NaN" not in text


def test_no_value_that_may_not_be_passed_on_is_told_of_a_ward(found: Discontent) -> None:
    codes = set(found.wards.table["code"]) | set(found.wards.table["name"])
    for table in discontent_document(found).tables():
        if table.name.startswith("growth"):
            continue
        first = table.shown.frame.to_series(0).cast(str)
        assert not set(first) & codes - set(found.authorities.table["name"]), table.name


def test_json_is_strict_and_says_the_same(found: Discontent) -> None:
    data = json.loads(document_json(discontent_document(found)))
    tables = data["tables"]
    (growth,) = (
        row for row in tables["columns"] if (row["column"], row["name"]) == ("with people", GROWTH)
    )
    assert growth["estimate"] == pytest.approx(found.columns[-1].model.term(GROWTH).estimate)
    assert data["answer"] == list(answer(found))
    assert tables["influence"][0]["authority"] == "Liverpool"
    assert tables["wards-joined"][-1]["kept"] == 1255
