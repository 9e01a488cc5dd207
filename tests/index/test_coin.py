"""COINr's tables and the COIN Tool's workbook: the example in, the index out, errors that name."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.framework import Node, child_weights, framework_table
from commonweal.index.impute import impute_columns
from commonweal.index.normalise import normalise
from commonweal.index.rank import rank
from commonweal.index.rates import denominate
from commonweal.index.score import score_tree
from commonweal.index.screen import screen_units
from commonweal.index.treat import treat
from commonweal.toolbox.coin import Coin, lineage, parameter, read_coin_tables
from commonweal.toolbox.coin_tool import read_coin_tool
from commonweal.toolbox.workbook import stage_table, write_index_workbook

from . import golden

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

golden.CHECKED.update(
    {
        "dset_Raw.csv": "matched",
        "in_asem_iData.csv": "matched",
        "in_asem_iData_panel.csv": "matched",
        "in_asem_iMeta.csv": "matched",
        "in_asem_iMeta_params.csv": "matched",
        "struct_eff_weights.csv": "matched",
        "struct_iMeta_sorted.csv": "matched",
        "struct_lineage.csv": "matched",
        "struct_weights_original.csv": "matched",
    }
)


def example() -> Coin:
    return read_coin_tables(golden.path("in_asem_iData.csv"), golden.path("in_asem_iMeta.csv"))


def test_the_example_s_tables_are_read_as_coinr_reads_them() -> None:
    coin = example()
    assert list(coin.units) == golden.texts("dset_Raw.csv", "uCode")
    assert list(coin.names) == golden.columns("dset_Raw.csv")
    np.testing.assert_array_equal(coin.values, golden.matrix("dset_Raw.csv"))
    order = "struct_iMeta_sorted.csv"
    assert coin.meta.columns == ["Level", *golden.columns(order)]
    for column in coin.meta.columns:
        theirs = [None if t == "NA" else t for t in golden.texts(order, column)]
        ours = coin.meta[column].to_list()
        if column in ("Level", "Direction", "Weight"):
            assert ours == [None if t is None else float(t) for t in theirs]
        else:
            assert ours == theirs
    np.testing.assert_array_equal(
        coin.targets, [float(golden.meta("Target")[n]) for n in coin.names]
    )
    assert coin.by == {n: d for n in golden.names() if (d := golden.meta("Denominator")[n]) != "NA"}
    assert coin.denominator_names == ("Area", "Energy", "GDP", "Population")
    np.testing.assert_array_equal(coin.denominators, golden.example(list(coin.denominator_names)))
    assert coin.groups["EurAsia_group"][:2] == ("Asia", "Europe")
    assert coin.labels["P2P"] == "People to People"
    assert coin.unit_names[coin.units.index("AUT")] == "Austria"


def test_lineage_and_weights_are_those_of_coinr() -> None:
    coin, file = example(), "struct_lineage.csv"
    ours = lineage(coin, ["Indicator", "Pillar", "Sub-index", "Index"])
    assert ours.rows() == [tuple(row.values()) for row in golden.rows(file)]
    table = framework_table(coin.index, coin.tree)
    whole = {p.rsplit("/", 1)[-1]: w for p, w in table.select("node", "weight in the index").rows()}
    for row in golden.rows("struct_eff_weights.csv"):
        assert whole[row["iCode"]] == pytest.approx(float(row["EffWeight"]), rel=1e-9)
    for row in golden.rows("struct_weights_original.csv"):
        assert coin.weights[row["iCode"]] == float(row["Weight"])


def test_the_worked_example_from_two_tables_to_the_index() -> None:
    """The whole of COINr's example index, stage by stage, through our pieces."""
    coin = example()
    names = list(coin.names)
    x = denominate(coin.values, names, coin.denominators, coin.denominator_names, coin.by)
    golden.agrees(x, golden.matrix("example_Denominated.csv", names))
    x = impute_columns(x, names, "mean", coin.groups["EurAsia_group"]).values
    golden.agrees(x, golden.matrix("example_Imputed.csv", names))
    kept = screen_units(x, coin.units, available=0.9).kept
    x, units = x[kept], [u for u, k in zip(coin.units, kept, strict=True) if k]
    golden.agrees(x, golden.matrix("example_Screened.csv", names))
    x = treat(x, names).values
    golden.agrees(x, golden.matrix("example_Treated.csv", names))
    x = normalise(x, "min_max", directions=coin.directions, names=names)
    golden.agrees(x, golden.matrix("example_Normalised.csv", names))
    need, _ = score_tree(coin.index, coin.tree, lambda name: x[:, names.index(name)])
    assert units == golden.texts("example_Aggregated.csv", "uCode")
    ours = {path.rsplit("/", 1)[-1]: scores for path, scores in need.items()}
    assert set(ours) == set(golden.columns("example_Aggregated.csv"))
    for code, scores in ours.items():
        golden.agrees(scores, golden.numbers("example_Aggregated.csv", code))


def test_parameters_of_imeta_come_by_indicator() -> None:
    coin = read_coin_tables(
        golden.path("in_asem_iData.csv"), golden.path("in_asem_iMeta_params.csv")
    )
    low, high = (parameter(coin, f"minmax_{end}") for end in ("lower", "upper"))
    ours = normalise(coin.values, directions=coin.directions, low=low, high=high)
    golden.agrees(ours, golden.matrix("norm_minmax_iMeta.csv", list(coin.names)))
    assert set(parameter(coin, "goalpost_trunc2posts")) == {1.0}
    with pytest.raises(UnknownNameError, match="did you mean 'minmax_lower'"):
        parameter(coin, "minmax_lowr")
    with pytest.raises(DataError, match=r"iMeta, 'LPI', column Unit: 'Score 1-5' found"):
        parameter(coin, "Unit")


def test_one_time_of_a_panel() -> None:
    paths = golden.path("in_asem_iData_panel.csv"), golden.path("in_asem_iMeta.csv")
    with pytest.raises(DataError, match="'AUT' is there twice; a panel: say which 'time'"):
        read_coin_tables(*paths)
    with pytest.raises(UnknownNameError, match="time '2031' not found"):
        read_coin_tables(*paths, time=2031)
    coin = read_coin_tables(*paths, time=2020)
    rows = {r["uCode"]: r for r in golden.rows("in_asem_iData_panel.csv") if r["Time"] == "2020"}
    assert list(coin.units) == sorted(rows)
    at = coin.names.index("Flights")
    assert coin.values[:, at].tolist() == [float(rows[u]["Flights"]) for u in coin.units]


META: dict[str, list[Any]] = {
    "Level": [1, 1, 2, 3],
    "iCode": ["pubs", "crime", "Place", "Index"],
    "Parent": ["Place", "Place", "Index", None],
    "Direction": [1, -1, 1, 1],
    "Weight": [1.0, 2.0, 1.0, 1.0],
    "Type": ["Indicator", "Indicator", "Aggregate", "Aggregate"],
}
DATA: dict[str, list[Any]] = {"uCode": ["B", "A"], "pubs": [1, 2], "crime": [0.5, None]}


def meta_with(**changes: dict[int, Any]) -> pl.DataFrame:
    table = {name: list(values) for name, values in META.items()}
    for column, cells in changes.items():
        for row, value in cells.items():
            table[column][row] = value
    return pl.DataFrame(table, strict=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Parent": {0: "Plase"}}, r"parent 'Plase' not found among the aggregates of 'pubs'; did"),
        ({"Parent": {0: "crime"}}, r"parent 'crime' not found"),
        ({"Parent": {3: "Place"}}, r"column Parent: Place -> Index -> Place is a circle"),
        ({"Parent": {2: None}}, r"roots found: 'Place', 'Index'; expected one aggregate"),
        ({"Level": {2: 1}}, r"column Level: 1 found; expected one below its parent 'Place'"),
        ({"Level": {0: 1.5}}, r"row 1 \('pubs'\), column Level: '1.5' found; expected a whole"),
        ({"iCode": {1: "pubs"}}, r"row 2 \('pubs'\), column iCode: 'pubs' found; expected each"),
        ({"iCode": {1: "a/b"}}, r"column iCode: 'a/b' found; expected a code without a slash"),
        ({"iCode": {1: None}}, r"row 2 \('None'\), column iCode: nothing found"),
        ({"Direction": {1: 0}}, r"row 2 \('crime'\), column Direction: '0' found; expected 1 or"),
        ({"Direction": {1: None}}, r"column Direction: nothing found; expected 1 or -1"),
        ({"Direction": {2: -1}}, r"row 3 \('Place'\), column Direction: '-1' found; expected 1 \("),
        ({"Weight": {0: 0.0}}, r"row 1 \('pubs'\), column Weight: '0' found; expected a number ab"),
        ({"Weight": {0: None}}, r"column Weight: nothing found"),
        ({"Type": {0: "indicator"}}, r"column Type: 'indicator' found; expected one of: Indicator"),
        ({"iCode": {0: "pub"}}, r"indicator 'pub' not found among the columns of iData; did you"),
    ],
)
def test_errors_name_the_row_and_the_column(changes: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, UnknownNameError), match=message):
        read_coin_tables(pl.DataFrame(DATA), meta_with(**changes))


def test_errors_in_the_data_name_the_unit_and_the_column() -> None:
    def read(**columns: list[Any]) -> Coin:
        return read_coin_tables(pl.DataFrame({**DATA, **columns}, strict=False), meta_with())

    with pytest.raises(DataError, match="iData, unit 'B', column pubs: 'many' found; expected a n"):
        read(pubs=["3", "many"], uCode=["A", "B"])
    with pytest.raises(DataError, match="unit 'A', column crime: 'inf' found"):
        read(crime=[1.0, np.inf])
    with pytest.raises(DataError, match="column rents: it has no row in iMeta"):
        read(rents=[1, 2])
    with pytest.raises(DataError, match="column uCode: 'A' is there twice"):
        read(uCode=["A", "A"])
    with pytest.raises(DataError, match="iData, row 2: it has no uCode"):
        read(uCode=["A", " "])
    with pytest.raises(DataError, match="iMeta: int found; expected a path or a table"):
        read_coin_tables(pl.DataFrame(DATA), 7)
    with pytest.raises(DataError, match=r"iData: there is no file nowhere\.csv"):
        read_coin_tables("nowhere.csv", meta_with())
    with pytest.raises(UnknownNameError, match="column 'Weight' not found in iMeta"):
        read_coin_tables(pl.DataFrame(DATA), meta_with().drop("Weight"))
    lonely = pl.concat(
        [meta_with(), pl.DataFrame({"Level": [2.0], "iCode": ["Empty"], "Parent": ["Index"],
                                    "Direction": [1.0], "Weight": [1.0], "Type": ["Aggregate"]})],
        how="vertical_relaxed",
    )  # fmt: skip
    with pytest.raises(DataError, match="'Empty': an aggregate without children"):
        read_coin_tables(pl.DataFrame(DATA), lonely)
    divided = meta_with().with_columns(pl.Series("Denominator", ["people", None, None, None]))
    with pytest.raises(UnknownNameError, match=r"denominator 'people' not found \(iMeta, 'pubs'\)"):
        read_coin_tables(pl.DataFrame(DATA), divided)


def test_a_pandas_table_a_code_na_and_a_level_that_is_skipped(tmp_path: Path) -> None:
    meta = meta_with(Parent={1: "Index"})
    data = pl.DataFrame({"uCode": ["NA", "GB"], "pubs": ["1", "n/a"], "crime": ["NA", "2.5"]})
    coin = read_coin_tables(data.to_pandas(), meta.to_pandas())
    assert coin.units == ("GB", "NA")
    golden.agrees(coin.values, [[np.nan, 2.5], [1, np.nan]])
    assert lineage(coin).row(0) == ("crime", None, "Index")
    data.write_csv(tmp_path / "idata.csv")
    meta.write_csv(tmp_path / "imeta.csv")
    again = read_coin_tables(tmp_path / "idata.csv", str(tmp_path / "imeta.csv"))
    assert (again.units, again.tree) == (coin.units, coin.tree)
    golden.agrees(again.values, coin.values)


@settings(max_examples=20)
@given(st.permutations(range(4)), st.permutations(range(2)))
def test_the_order_of_rows_does_not_matter(rows: list[int], units: list[int]) -> None:
    plain = read_coin_tables(pl.DataFrame(DATA), meta_with())
    mixed = read_coin_tables(pl.DataFrame(DATA)[units], meta_with()[rows])
    assert (mixed.units, mixed.names) == (plain.units, plain.names)
    np.testing.assert_array_equal(mixed.values, plain.values)
    assert mixed.tree.children["Place"].weights == plain.tree.children["Place"].weights


# The COIN Tool


def tool(path: Path, change: Callable[[Any, Any], None] | None = None) -> Path:
    """Make a small workbook of the tool: 3 indicators, 2 pillars, sub-index and sub-pillar unused."""
    book = openpyxl.Workbook()
    data, framework = book.active, book.create_sheet("Framework")
    assert data is not None
    data.title = "Database"
    columns = {
        "E": (2, 1, 0, 50, "Index", "si.01", "p.01", "sp.01", "Pubs", "Ind.01", 10, 20.5, "n/a"),
        "F": (1, -1, None, None, "Index", "si.01", "p.01", "sp.01", "Crime", "Ind.02", 3, 1, 2),
        "G": (1, 1, 0, 1, "Index", "si.01", "p.02", "sp.01", "Buses", "Ind.03", 0.25, "n/a", 1),
        "H": (1, 1, None, None, "Index", "si.01", "--", "--", "--", "Ind.04"),
    }
    for letter, cells in columns.items():
        for row, cell in enumerate(cells, start=7):
            data[f"{letter}{row}"] = cell
    for row, (name, code) in enumerate([("Ashby", "A"), ("Barton", "B"), ("Corley", "C")], 17):
        data[f"B{row}"], data[f"C{row}"] = name, code
    data["C20"] = "D"  # room for a unit that is not used
    framework["C4"], framework["E4"], framework["H4"] = "Code", "Weight", "Dimension/indicator"
    lines = [("p.01", 3, "Assets"), ("p.02", 1, "Links"), ("p.03", None, "--"),
             ("si.01", 1, "All"), ("Index", None, "Community needs"), ("Ind.01", 2, "Pubs")]  # fmt: skip
    for row, (code, weight, name) in enumerate(lines, start=5):
        framework[f"C{row}"], framework[f"E{row}"], framework[f"H{row}"] = code, weight, name
    if change is not None:
        change(data, framework)
    book.save(path)
    return path


def test_the_tool_s_workbook(tmp_path: Path) -> None:
    coin = read_coin_tool(tool(tmp_path / "tool.xlsx"))
    assert coin.units == ("A", "B", "C")
    assert coin.unit_names == ("Ashby", "Barton", "Corley")
    assert coin.names == ("Ind.01", "Ind.02", "Ind.03")
    golden.agrees(coin.values, [[10, 3, 0.25], [20.5, 1, np.nan], [np.nan, 2, 1]])
    assert coin.directions.tolist() == [1, -1, 1]
    assert coin.index == "Index"
    assert coin.tree.label == "Community needs"
    assert coin.tree.weights == {"p.01": 3.0, "p.02": 1.0}
    assert coin.tree.children["p.01"].weights == {"Ind.01": 2.0, "Ind.02": 1.0}
    assert coin.labels["Ind.03"] == "Buses"
    golden.agrees(parameter(coin, "goalpost_upper"), [50, np.nan, 1])


def test_an_older_edition_and_what_stands_around_the_tool_s_room(tmp_path: Path) -> None:
    """Before 2019 the framework begins a row lower; totals and notes outside the room are no data."""
    plain = read_coin_tool(tool(tmp_path / "tool.xlsx"))

    def older(data: Any, framework: Any) -> None:
        framework.insert_rows(4)
        data["E316"], data["B318"], data["CZ20"], data["CZ15"] = 12.5, "Source: us", 9, "a note"
        framework["C60"], framework["H60"], framework["E60"] = "p.01", "Assets", 7

    found = read_coin_tool(tool(tmp_path / "older.xlsx", older))
    assert (found.units, found.names, found.tree) == (plain.units, plain.names, plain.tree)
    golden.agrees(found.values, plain.values)


def test_the_whole_room_of_the_tool_is_read(tmp_path: Path) -> None:
    def full(data: Any, framework: Any) -> None:
        data["B315"], data["C315"], data["E315"] = "Last", "Z", 7
        for row, cell in enumerate(
            (1, 1, 0, 1, "Index", "si.01", "p.02", "sp.01", "Last", "Ind.99"), 7
        ):
            data[f"CY{row}"] = cell
        data["CY315"] = 8
        framework["C53"], framework["E53"], framework["H53"] = "Ind.99", 1, "Last"

    coin = read_coin_tool(tool(tmp_path / "full.xlsx", full))
    assert (coin.units[-1], coin.names[-1]) == ("Z", "Ind.99")
    golden.agrees(coin.values[-1], [7, np.nan, np.nan, 8])

    def too_many(data: Any, framework: Any) -> None:
        full(data, framework)
        data["C316"], data["F316"] = "ZZ", 3

    with pytest.raises(DataError, match=r"Database!C316: unit 'ZZ' found; .* up to row 315"):
        read_coin_tool(tool(tmp_path / "many.xlsx", too_many))


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "message"),
    [
        (0, "CZ16", "Ind.100", r"Database!CZ16: indicator 'Ind.100' found; .* up to column CY"),
        (1, "C6", "p.01", r"Framework!C6: 'p.01' is there twice"),
        (0, "F18", "many", r"Database!F18: 'many' found; expected a number"),
        (0, "C18", None, r"Database!C18: a unit has values and no code"),
        (0, "H15", "Rents", r"Database!H17: indicator 'Ind.04' \(Rents\) has no values"),
        (0, "E16", None, r"Database!E16: empty; expected a code"),
        (0, "F16", "Ind.01", r"row 16: 'Ind.01' is there twice"),
        (0, "F8", 2, r"\('Ind.02'\), column Direction: '2' found; expected 1 or -1"),
        (0, "G12", "si.02", r"aggregate 'si.02' not found in the sheet Framework"),
        (0, "F12", "si.02", r"Database!F11:F14: 'p.01' is in 'si.02' here and in 'si.01' before"),
        (1, "E5", 0, r"\('p.01'\), column Weight: '0' found; expected a number above 0"),
        (1, "E5", "x", r"Framework!E5: 'x' found; expected a number"),
        (1, "C5", "p.04", r"aggregate 'p.01' not found in the sheet Framework"),
    ],
)
def test_errors_in_the_tool_name_the_cell(
    tmp_path: Path, sheet: int, cell: str, value: object, message: str
) -> None:
    def change(*sheets: Any) -> None:
        sheets[sheet][cell] = value

    path = tool(tmp_path / "tool.xlsx", change)
    with pytest.raises((DataError, UnknownNameError), match=message):
        read_coin_tool(path)


def test_a_file_that_is_no_tool(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("no workbook")
    with pytest.raises(DataError, match="not an Excel file that can be read"):
        read_coin_tool(tmp_path / "a.xlsx")
    openpyxl.Workbook().save(tmp_path / "b.xlsx")
    with pytest.raises(UnknownNameError, match="sheet 'Database' not found"):
        read_coin_tool(tmp_path / "b.xlsx")


# Excel out


def small() -> tuple[Node, dict[str, np.ndarray]]:
    tree = Node.model_validate(
        {"label": "Needs", "transform": "none", "aggregate": "arithmetic", "available": 0,
         "children": {"a": {"indicator": "a"}, "b": {"indicator": "b", "weight": 3}}}
    )  # fmt: skip
    a, b = np.array([1.0, 2.0, np.nan]), np.array([5.0, 2.0, np.nan])
    return tree, score_tree("needs", tree, {"a": a, "b": b}.__getitem__)[0]


def test_the_workbook_has_what_was_put_in(tmp_path: Path) -> None:
    tree, need = small()
    raw = stage_table(["=A1", "http://x.org", "3"], [[1.0], [np.nan], [2.5]], ["=SUM(A1)"])
    paths = [tmp_path / "one.xlsx", tmp_path / "two.xlsx"]
    for path in paths:
        write_index_workbook(
            path, tree, need, ["=A1", "http://x.org", "3"], {"Raw data": raw},
            unit_names=["Ashby", "Barton", "Corley"], notes=["=1+1"],
        )  # fmt: skip
    assert paths[0].read_bytes() == paths[1].read_bytes()
    book = openpyxl.load_workbook(paths[0])
    assert book.sheetnames == ["Cover", "Framework", "Raw data", "Scores", "Ranks"]
    for sheet in book:
        assert len(sheet.tables) == 1
        assert not sheet.merged_cells.ranges
        assert not any(cell.data_type == "f" for row in sheet for cell in row)
    assert [c.value for c in book["Raw data"]["A"]] == ["Unit", "=A1", "http://x.org", "3"]
    assert [c.value for c in book["Raw data"]["B"]] == ["=SUM(A1)", 1, None, 2.5]
    assert [c.value for c in book["Scores"][1]] == ["Unit", "Name", "needs", "needs/a", "needs/b"]
    assert [c.value for c in book["Scores"]["C"]][1:] == [4, 2, None]
    ranks = [c.value for c in book["Ranks"]["C"]][1:]
    assert ranks == [1, 2, None]
    assert rank(need["needs"]).tolist()[:2] == ranks[:2]
    assert [c.value for c in book["Framework"]["F"]][1:] == [1, 0.25, 0.75]
    with zipfile.ZipFile(paths[0]) as packed:
        links = b"".join(packed.read(n) for n in packed.namelist() if n.endswith(".rels"))
    assert b"http://x.org" not in links


def test_rows_put_in_as_text_are_those_written_by_cell(tmp_path: Path) -> None:
    """Numbers to the last bit, what is missing, signs of XML, truth: row after row of every kind."""
    tree, _ = small()
    x = np.random.default_rng(4).normal(size=12) * 10.0 ** np.arange(-6, 6)
    x[[1, 5]] = np.nan
    texts = ["a", None, "<b> & 'c'", "=1+1", " padded ", "é", "", *"hijkl"]
    stage = pl.DataFrame(
        {
            "Table_9": texts,  # named like the table of another sheet, had there been one
            "x": x,
            "n": [*range(11), None],
            "yes": [True, False, None] * 4,
        }
    )
    units = [f"u{k}" for k in range(12)]
    need = {path: np.arange(12.0) for path in ("needs", "needs/a", "needs/b")}
    path = tmp_path / "long.xlsx"
    write_index_workbook(path, tree, need, units, {"Raw": stage})
    book = openpyxl.load_workbook(path)
    rows = [[c.value for c in row] for row in book["Raw"].iter_rows(min_row=2)]
    assert len(rows) == 12
    assert [row[0] or "" for row in rows] == [t or "" for t in texts]
    assert [row[1] for row in rows] == [None if np.isnan(v) else v for v in x]
    assert [row[2] for row in rows] == stage["n"].to_list()
    assert [row[3] for row in rows] == ["True", "False", None] * 4
    assert {sheet.title: next(iter(sheet.tables.values())).ref for sheet in book} == {
        "Cover": "A4:C8", "Framework": "A1:I4", "Raw": "A1:D13", "Scores": "A1:D13",
        "Ranks": "A1:D13",
    }  # fmt: skip
    for column in "ABCD":  # the look of the first rows, which were written by cell
        assert len({c.number_format for c in book["Raw"][column][1:]}) == 1
    again = pl.read_excel(path, sheet_name="Scores")
    assert again["needs"].to_list() == list(range(12))


def test_the_worked_example_goes_to_excel_and_back(tmp_path: Path) -> None:
    coin = example()
    x = golden.matrix("example_Normalised.csv", list(coin.names))
    need, _ = score_tree(coin.index, coin.tree, lambda n: x[:, coin.names.index(n)])
    stages = {"Raw": stage_table(coin.units, coin.values, coin.names, coin.unit_names)}
    path = tmp_path / "asem.xlsx"
    write_index_workbook(path, coin.tree, need, coin.units, stages, unit_names=coin.unit_names)
    scores = pl.read_excel(path, sheet_name="Scores")
    golden.agrees(scores["Index"], golden.numbers("example_Aggregated.csv", "Index"))
    raw = pl.read_excel(path, sheet_name="Raw")
    golden.agrees(raw.select(coin.names).cast(pl.Float64).fill_null(np.nan), coin.values)


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("Scores", {"a": [1.0]}, "stage 'Scores': no name for a sheet"),
        ("Raw/data", {"a": [1.0]}, "stage 'Raw/data': no name for a sheet"),
        ("x" * 32, {"a": [1.0]}, "expected up to 31 characters"),
        ("Raw", {"a": [1.0], "A": [2.0]}, "columns 'a' and 'A' differ by case alone"),
        ("Raw", {"a": [np.inf]}, "sheet 'Raw', column 'a': an infinite value"),
        ("Raw", {"a": [[1]]}, r"column 'a': List\(Int64\) found; expected text or numbers"),
        ("Raw", {"a": ["x" * 32_768]}, "a text of more than 32,767 characters"),
    ],
)
def test_what_excel_cannot_hold_is_named(
    tmp_path: Path, name: str, table: dict[str, Any], message: str
) -> None:
    tree, need = small()
    with pytest.raises(DataError, match=message):
        write_index_workbook(
            tmp_path / "a.xlsx", tree, need, ["A", "B", "C"], {name: pl.DataFrame(table)}
        )
    assert not (tmp_path / "a.xlsx").exists()


def test_scores_must_fit_the_tree_and_the_units(tmp_path: Path) -> None:
    tree, need = small()
    with pytest.raises(DataError, match="scores of 'needs': 3 found; expected 2"):
        write_index_workbook(tmp_path / "a.xlsx", tree, need, ["A", "B"])
    some = {p: v for p, v in need.items() if p != "needs/b"}
    with pytest.raises(UnknownNameError, match="node 'needs/b' not found among the scores"):
        write_index_workbook(tmp_path / "a.xlsx", tree, some, ["A", "B", "C"])
    one = pl.DataFrame({"a": [1.0]})
    with pytest.raises(DataError, match="two names differ by case alone"):
        write_index_workbook(tmp_path / "a.xlsx", tree, need, ["A", "B", "C"], {"r": one, "R": one})
    with pytest.raises(DataError, match="units: 2 found; expected 1"):
        stage_table(["A", "B"], [[1.0]], ["a"])
    with pytest.raises(DataError, match="column 'Unit' is there twice"):
        stage_table(["A"], [[1.0]], ["Unit"])


def test_a_stage_may_be_a_frame_of_any_library(tmp_path: Path) -> None:
    tree, need = small()
    units = ["A", "B", "C"]
    values = {"a": [1.0, None, 3.0]}
    stages = {
        "Polars": pl.DataFrame({"unit": units, **values}),
        "pandas": pd.DataFrame(values, index=units),
        "Stage": stage_table(None, pd.DataFrame(values, index=units)),
    }
    write_index_workbook(str(tmp_path / "a.xlsx"), tree, need, units, stages)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    for name in stages:
        rows = [[cell.value for cell in row] for row in book[name].iter_rows(min_row=2)]
        assert rows == [["A", 1], ["B", None], ["C", 3]]
    with pytest.raises(DataError, match="stage 'Raw': list found; expected a path or a table"):
        write_index_workbook(tmp_path / "b.xlsx", tree, need, units, {"Raw": [1.0]})
    with pytest.raises(DataError, match="there is no folder"):
        write_index_workbook(tmp_path / "none" / "b.xlsx", tree, need, units)
    with pytest.raises(DataError, match="units: 'A' is there twice"):
        write_index_workbook(tmp_path / "b.xlsx", tree, need, ["A", "A", "C"])


def test_computed_weights_stand_in_for_the_stated_ones() -> None:
    tree, _ = small()
    table = framework_table("needs", tree, {"needs": [1.0, 1.0]})
    assert table["weight in the index"].to_list() == [1, 0.5, 0.5]
    with pytest.raises(UnknownNameError, match=r"node 'need' not found \(with weights\)"):
        framework_table("needs", tree, {"need": [1.0, 1.0]})
    with pytest.raises(DataError, match="needs: weights: 1 found; expected 2, one for each child"):
        child_weights("needs", tree, {"needs": [1.0]})
    computed = tree.model_copy(update={"weigh": "entropy"})
    with pytest.raises(DataError, match=r"needs: its weights are computed \(entropy\)"):
        framework_table("needs", computed)
    assert framework_table("needs", computed, {"needs": [1.0, 0.0]})["weight"][2] == 0


def small_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    meta = {
        "iCode": ["pubs", "crime", "Place"], "Level": [1, 1, 2], "Parent": ["Place", "Place", None],
        "Direction": [1, -1, 1], "Weight": [2, 1, 1], "Type": ["Indicator", "Indicator", "Aggregate"],
    }  # fmt: skip
    data = {"uCode": ["B", "A"], "pubs": [1, "n/a"], "crime": [3.5, None]}
    return pd.DataFrame(data), pd.DataFrame(meta)


def test_pandas_tables_with_columns_of_mixed_kinds_are_read_as_a_csv_would_be() -> None:
    data, meta = small_tables()
    for coin in (
        read_coin_tables(data, meta),
        read_coin_tables(data.set_index("uCode"), meta.set_index("iCode")),
        read_coin_tables(data, meta.assign(Weight=[2, "1", 1])),
    ):
        assert (coin.units, coin.names) == (("A", "B"), ("pubs", "crime"))
        np.testing.assert_array_equal(coin.values, [[np.nan, np.nan], [1.0, 3.5]])


def test_a_wrong_cell_of_a_pandas_table_is_named() -> None:
    data, meta = small_tables()
    with pytest.raises(DataError, match="iData, unit 'A', column pubs: 'many' found; expected a n"):
        read_coin_tables(data.assign(pubs=[1, "many"]), meta)
    with pytest.raises(DataError, match=r"iMeta, row 2 \('crime'\), column Weight: 'one' found"):
        read_coin_tables(data, meta.assign(Weight=[2, "one", 1]))
    twice = data.set_axis(["uCode", "pubs", "pubs"], axis="columns")
    with pytest.raises(DataError, match="iData: column 'pubs' is there twice"):
        read_coin_tables(twice, meta)
