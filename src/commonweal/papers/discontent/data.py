"""The tables of local authorities and of wards: the vote of 2016, economy, people, left-behind status."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from commonweal.errors import DataError
from commonweal.files.inputs import read_strict
from commonweal.files.schema import checked

if TYPE_CHECKING:
    import polars as pl

    from commonweal.areas import Areas, Crosswalk
    from commonweal.index.scores import Scores
    from commonweal.sources import Store


class Variable(BaseModel):
    """A column of a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # name, label, unit: its column, its name for readers, and what it is counted in
    name: str
    label: str
    unit: str
    year: str  # the date or period that it describes
    # ``ward``, ``authority`` or ``region``: what it was measured for. Authorities of one region share a value.
    of: Literal["ward", "authority", "region"]
    sources: tuple[str, ...]  # ids of the sources that it was made from


def load_variables(table: Literal["authorities", "wards"]) -> tuple[Variable, ...]:
    """Read what the columns of a table are, in their order."""
    text = (resources.files(__package__) / "variables.yaml").read_text("utf-8")
    found = read_strict(text)[table].items()
    return tuple(checked(Variable, {**v, "name": name}, "variables.yaml") for name, v in found)


FIRST, LAST = 1998, 2015
"""Growth and change are from the first to the last of these years."""

ALL_INDUSTRIES, MANUFACTURING = "Total", "C (10-33)"
"""Codes of the Standard Industrial Classification 2007, as the tables write them."""

REDRAWN = {
    **dict.fromkeys(("E06000028", "E06000029", "E07000048"), "TLK24"),
    **dict.fromkeys(("E07000049", "E07000050", "E07000051", "E07000052", "E07000053"), "TLK25"),
}
"""Authorities of Dorset by the ITL area of 2021 that they are in: Christchurch went over to Bournemouth and Poole."""


@dataclass(frozen=True)
class JoinStep:
    """What joining a source kept and lost."""

    what: str
    kept: int
    lost: tuple[str, ...] = ()  # names of those that it lost


@dataclass(frozen=True)
class Authorities:
    """The table, what its columns are, and how it was joined."""

    # one row an authority: ``code``, ``name``, ``region`` (NUTS3 or ITL3 code), ``electorate``, ``longitude``,
    # ``latitude`` (where its people are) and the columns of `variables`
    table: pl.DataFrame
    variables: tuple[Variable, ...]  # in the order of the table
    steps: tuple[JoinStep, ...]  # in the order in which they were done


_VOLUME, _CURRENT, _PEOPLE = "gva-itl3-volume", "gva-itl3-current", "population-itl"


def authorities(store: Store, *, redrawn: bool = False) -> Authorities:
    """Join the published tables into one of local authorities of England and Wales.

    With `redrawn` the eight authorities of Dorset take the ITL areas that they are in since 2021 (`REDRAWN`).
    Otherwise they are left out, as the codes of 2018 name no area of the tables.
    """
    import polars as pl

    table = _votes(store)
    steps = [JoinStep("counting areas of England and Wales, referendum of 2016", table.height)]
    regions = store.table("lookup-lad16-nuts", ["LAD16CD", "NUTS318CD"]).select(
        code="LAD16CD",
        region="TL" + pl.col("NUTS318CD").str.slice(2),
    )
    if redrawn:
        moved = pl.col("code").replace_strict(REDRAWN, default=None)
        regions = regions.with_columns(region=pl.coalesce(moved, "region"))
    table = _joined(table, regions, "region of 2018 (NUTS3), by the codes of ITL3", steps)
    economy = _economy(store)
    known = table["region"].is_in(economy["region"].to_list())
    lost = table.filter(~known)
    if not lost["code"].is_in(list(REDRAWN)).all():
        names = ", ".join(lost.filter(~lost["code"].is_in(list(REDRAWN)))["name"].head(3))
        raise DataError(f"{names}: no value added of their region; expected one for all but Dorset")
    table = table.filter(known).join(economy, on="region", how="left", maintain_order="left")
    what = "value added and people of the region (ITL3 of 2021)"
    steps.append(JoinStep(what, table.height, tuple(lost["name"])))
    table = _joined(table, _people(store), "Census 2011: qualifications, age, work", steps)
    table = _joined(table, _centres(store), "where people live (LSOAs of 2011)", steps)
    first = ["code", "name", "region", "electorate", "longitude", "latitude"]
    variables = load_variables("authorities")
    columns = [*first, *(v.name for v in variables)]
    return Authorities(table.select(columns).sort("code"), variables, tuple(steps))


def _joined(
    table: pl.DataFrame, other: pl.DataFrame, what: str, steps: list[JoinStep]
) -> pl.DataFrame:
    """Join by code; every authority has to be there once."""
    found = table.join(other, on="code", how="inner", maintain_order="left")
    if found.height != table.height or found["code"].is_duplicated().any():
        lost = table.join(found, on="code", how="anti")["name"].head(3).to_list()
        raise DataError(
            f"{what}: {', '.join(lost) or 'an authority is there twice'}; expected each once"
        )
    steps.append(JoinStep(what, found.height))
    return found


def _votes(store: Store) -> pl.DataFrame:
    import polars as pl

    wanted = ["Area_Code", "Area", "Region_Code", "Electorate", "Leave", "Valid_Votes"]
    return store.table("eu-referendum-lad-england-wales", wanted).select(
        code="Area_Code",
        name="Area",
        electorate=pl.col("Electorate").cast(pl.Float64),
        leave=100 * pl.col("Leave") / pl.col("Valid_Votes"),
        wales=(pl.col("Region_Code") == "W92000004").cast(pl.Float64),
        london=(pl.col("Region_Code") == "E12000007").cast(pl.Float64),
    )


def _economy(store: Store) -> pl.DataFrame:
    """Give growth, level and industry of each region."""
    import polars as pl

    years = [str(FIRST), str(LAST)]

    def read(source: str, code: str, prefix: str, rows: pl.Expr | None = None) -> pl.DataFrame:
        columns = [code, *years] if rows is None else [code, "SIC07 code", *years]
        found = store.table(source, columns)
        found = found if rows is None else found.filter(rows)
        return found.select(
            pl.col(code).alias("region"),
            pl.col(years[0]).cast(pl.Float64).alias(f"{prefix}_first"),
            pl.col(years[1]).cast(pl.Float64).alias(f"{prefix}_last"),
        )

    every, factory = (pl.col("SIC07 code") == code for code in (ALL_INDUSTRIES, MANUFACTURING))
    code = "ITL region code"
    table = read(_VOLUME, code, "volume", every)
    for part in (
        read(_VOLUME, code, "volume_made", factory),
        read(_CURRENT, code, "money", every),
        read(_CURRENT, code, "money_made", factory),
        read("gdp-itl", "ITL code", "gdp"),
        read(_PEOPLE, "ITL code", "people"),
    ):
        table = table.join(part, on="region", how="inner", validate="1:1")
    n = LAST - FIRST

    def ratio(of: str) -> pl.Expr:
        return (pl.col(f"{of}_last") / pl.col("people_last")) / (
            pl.col(f"{of}_first") / pl.col("people_first")
        )

    def level(of: str) -> pl.Expr:
        return (pl.col(f"{of}_first") * 1e6 / pl.col("people_first")).log()

    def share(of: str, when: str) -> pl.Expr:
        return 100 * pl.col(f"{of}_made_{when}") / pl.col(f"{of}_{when}")

    return table.select(
        "region",
        growth=100 * (ratio("volume") ** (1 / n) - 1),
        growth_log=100 * ratio("volume").log() / n,
        growth_gdp=100 * (ratio("gdp") ** (1 / n) - 1),
        ln_gva=level("volume"),
        ln_gdp=level("gdp"),
        people_growth=100 * ((pl.col("people_last") / pl.col("people_first")) ** (1 / n) - 1),
        manufacturing=share("volume", "first"),
        manufacturing_change=share("volume", "last") - share("volume", "first"),
        manufacturing_money=share("money", "first"),
        manufacturing_money_change=share("money", "last") - share("money", "first"),
    )


def _people(store: Store) -> pl.DataFrame:
    """Give shares of residents by qualification, age and work, in 2011."""
    import polars as pl

    levels = store.table("census2011-qualification-lad")
    ages = store.table("census2011-age-lad")
    work = store.table("census2011-economic-activity-lad")
    answers = pl.exclude(levels.columns[:2])  # besides name and code, every column is an answer
    totals = [c for c in ages.columns if c.endswith(": Total")]
    active = [c for c in work.columns if c.startswith("Economically active")]
    out_of_work = 100 * pl.col("Economically active: Unemployed")
    older = pl.sum_horizontal("Age 65 to 74: Total", "Age 75 and over: Total")
    degree = levels.select(
        code="mnemonic",
        degree=100 * pl.col("Level 4 qualifications and above") / pl.sum_horizontal(answers),
    )
    age = ages.select(code="mnemonic", older=100 * older / pl.sum_horizontal(totals))
    jobs = work.select(
        code="mnemonic",
        unemployed=out_of_work / pl.col("All categories: Economic activity"),
        unemployed_active=out_of_work / pl.sum_horizontal(active),
    )
    return degree.join(age, on="code", validate="1:1").join(jobs, on="code", validate="1:1")


def _centres(store: Store) -> pl.DataFrame:
    """Give the mean point of each authority's people."""
    import polars as pl

    from commonweal.areas.areas import load_areas

    people = pl.col("population")
    return (
        load_areas(store, "lsoa11")
        .table.group_by("lad17")
        .agg(
            longitude=(pl.col("longitude") * people).sum() / people.sum(),
            latitude=(pl.col("latitude") * people).sum() / people.sum(),
        )
        .rename({"lad17": "code"})
    )


ENGLAND = {"country": "E92000001"}
PEOPLE_AT = "mid-2017"

_IMD = "imd2019-lsoa11"
_SKILLS = "imd2019-lsoa11-indicators"
_LIST = "boundaries-left-behind-wd17"
_RANKS = {
    "income": "Income_rank",
    "employment": "Employment_rank",
    "education": "Education_rank",
    "health": "Health_rank",
    "crime": "Crime_rank",
    "barriers": "Housing_and_Access_rank",
    "living_environment": "Environment_rank",
}


@dataclass(frozen=True)
class Wards:
    """The table, what its columns are, and how it was joined."""

    # one row a ward: ``code``, ``name``, ``authority``, ``votes``, ``whole`` (whether all wards of its authority are
    # here) and the columns of `variables`
    table: pl.DataFrame
    variables: tuple[Variable, ...]  # in the order of the table
    # how many wards each step kept, and the names of authorities that it lost whole
    steps: tuple[JoinStep, ...]


def left_behind_wards(store: Store) -> frozenset[str]:
    """Read the codes of the 225 left-behind wards of England (2017 wards) from the published list.

    It is the list of the All-Party Parliamentary Group, not our rebuilding of it (the study
    ``left-behind-2019``, which finds all but three or four), so that the answer rests on the names that were published.
    """
    codes = store.table(_LIST, ["lba_code"])["lba_code"]
    return frozenset(codes.filter(codes.str.starts_with("E05")).to_list())


def wards(store: Store) -> Wards:
    """Join the published ward counts of England with what is known of these wards.

    Ward figures of the Index of Multiple Deprivation are means of its scores over the parts of neighbourhoods that a
    ward is made of, weighted by people (`commonweal.areas.apportion`). Wards alone in their authority are left out.
    """
    import polars as pl

    counted = store.table("eu-referendum-ward").filter(
        pl.col("Leave").is_not_null() & pl.col("Remain").is_not_null()
    )
    listed = store.table("eu-referendum-ward", ["WardCode", "CountingArea"])
    steps = [JoinStep("wards of the United Kingdom", listed.height)]
    steps.append(JoinStep("whose council gave its counts", counted.height))
    known = _known(store)
    table = counted.select(
        code="WardCode",
        authority="CountingArea",
        votes=pl.col("Leave") + pl.col("Remain"),
        leave=100 * pl.col("Leave") / (pl.col("Leave") + pl.col("Remain")),
        no_postals=(pl.col("Postals") == "NP").cast(pl.Float64),
    )
    if table["code"].is_duplicated().any():
        raise DataError("a ward has its count twice; expected once")
    table = _kept(table, pl.col("code").str.starts_with("E05"), "in England", steps)
    here = pl.col("code").is_in(known["code"].to_list())
    table = _kept(table, here, "a ward of December 2017 by its code", steps)
    table = table.join(known, on="code", how="left", maintain_order="left")
    if any(table.null_count().row(0)):
        gaps = [c for c in table.columns if table[c].null_count()]
        raise DataError(f"wards without a value of {', '.join(gaps)}; expected one each")
    many = pl.len().over("authority")
    table = _kept(table, many > 1, "with another ward of its authority to compare it with", steps)
    all_of = listed.group_by("CountingArea").len("all").rename({"CountingArea": "authority"})
    table = table.join(all_of, on="authority", how="left", maintain_order="left")
    table = table.with_columns(whole=many == pl.col("all"))
    first = ["code", "name", "authority", "votes", "whole"]
    variables = load_variables("wards")
    columns = [*first, *(v.name for v in variables)]
    return Wards(table.select(columns).sort("code"), variables, tuple(steps))


def left_behind_share(store: Store) -> pl.DataFrame:
    """Give by local authority of England what share of people live in left-behind wards, and its deprivation.

    ``left_behind_share`` is % of residents of mid-2017, ``deprivation`` the mean score of its neighbourhoods, weighted
    by people.
    """
    import polars as pl

    from commonweal.areas.areas import load_areas

    listed = left_behind_wards(store)
    people = pl.col("population")
    of_wards = load_areas(store, "wd17", within=ENGLAND, population_at=PEOPLE_AT).table
    shares = of_wards.group_by("lad17").agg(
        left_behind_share=100
        * people.filter(pl.col("code").is_in(list(listed))).sum()
        / people.sum()
    )
    areas = load_areas(store, "lsoa11", within=ENGLAND, population_at=PEOPLE_AT)
    scores = _scores(store, areas)
    means = (
        areas.table.with_columns(score=pl.Series(scores.score))
        .group_by("lad17")
        .agg(deprivation=(pl.col("score") * people).sum() / people.sum())
    )
    return shares.join(means, on="lad17", validate="1:1").rename({"lad17": "code"}).sort("code")


def _kept(table: pl.DataFrame, rule: pl.Expr, what: str, steps: list[JoinStep]) -> pl.DataFrame:
    """Keep rows by a rule and note what that loses."""
    kept = table.filter(rule)
    gone = sorted(set(table["authority"]) - set(kept["authority"]))
    steps.append(JoinStep(what, kept.height, tuple(gone)))
    return kept


def _known(store: Store) -> pl.DataFrame:
    """Give what is known of every ward of England."""
    import polars as pl

    from commonweal.areas import crosswalk_from_pairs
    from commonweal.areas.apportion import apportion
    from commonweal.areas.areas import load_areas

    small = load_areas(store, "lsoa11", within=ENGLAND, population_at=PEOPLE_AT)
    large = load_areas(store, "wd17", within=ENGLAND, population_at=PEOPLE_AT)
    move = crosswalk_from_pairs(small, large, apportion(store, small, large)[0])
    scores = _scores(store, small)
    own = pl.DataFrame(
        {
            "code": large.codes,
            "name": large.table["name"],
            "deprivation": move.mean(scores.score),
            "education": move.mean(scores.transformed["deprivation/education"]),
            **_skills(store, small, move),
            "older": _older(store, small, move),
        }
    )
    listed = left_behind_wards(store)
    needs = store.table("cni2019-wd17", ["ward17_code", "Community Needs Index score"]).rename(
        {"ward17_code": "code", "Community Needs Index score": "community_needs"}
    )
    flag = pl.col("code").is_in(list(listed)).cast(pl.Float64)
    known = own.with_columns(left_behind=flag).join(needs, on="code", how="left")
    if not listed <= set(known["code"]):
        missing = sorted(listed - set(known["code"]))
        raise DataError(f"left-behind wards {', '.join(missing[:3])} are no wards of 2017")
    return known.with_columns(pl.col(pl.Float64).fill_nan(None))


def _scores(store: Store, areas: Areas) -> Scores:
    """Compute the Index of Multiple Deprivation 2019 of neighbourhoods from its published ranks."""
    from commonweal.index.framework import load_preset
    from commonweal.index.score import score
    from commonweal.indicators.indicators import Indicator
    from commonweal.indicators.read import IndicatorSource, read_indicators

    source = store.source(_IMD)
    wanted = [
        IndicatorSource(Indicator(name, name, "rank", "less", _IMD), source, column)
        for name, column in _RANKS.items()
    ]
    ranks, _ = read_indicators(store, wanted, areas)
    return score("deprivation", load_preset("iod2019"), ranks)


def _skills(store: Store, areas: Areas, move: Crosswalk) -> dict[str, object]:
    """Carry the shares of adults with few skills and of the young outside universities to wards."""
    names = {
        "few_skills": "adult_skills_and_english_language_proficiency_indicator",
        "no_university": "entry_to_higher_education_indicator",
    }
    table = _onto(store.table(_SKILLS, ["lsoa11_code", *names.values()]), areas)
    return {name: move.mean(100 * table[column].to_numpy()) for name, column in names.items()}


def _older(store: Store, areas: Areas, move: Crosswalk) -> object:
    """Give the share of adults who are 65 or over, of wards."""
    import polars as pl

    table = _onto(store.table("population-lsoa11-2017"), areas)
    ages = {int(c.rstrip("+")): c for c in table.columns if c.rstrip("+").isdigit()}
    counts = [
        table.select(pl.sum_horizontal(c for age, c in ages.items() if age >= least)).to_series()
        for least in (65, 18)
    ]
    old, adults = (move.total(count.cast(pl.Float64).to_numpy()) for count in counts)
    return 100 * old / adults


def _onto(table: pl.DataFrame, areas: Areas) -> pl.DataFrame:
    """Put the rows of neighbourhoods in the order of the areas."""
    import polars as pl

    codes = pl.DataFrame({"lsoa11_code": areas.codes})
    return codes.join(table, on="lsoa11_code", how="left", maintain_order="left")
