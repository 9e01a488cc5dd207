"""The table of wards whose votes councils gave: Leave share, deprivation, skills, age, left-behind status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonweal.errors import DataError
from commonweal.papers.discontent.authorities import JoinStep, Variable, load_variables

if TYPE_CHECKING:
    import polars as pl

    from commonweal.areas import Areas, Crosswalk
    from commonweal.index.scores import Scores
    from commonweal.sources import Store


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
