"""Tables and sentences on trust as wealth, for the report, the terminal and JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.format import percent
from commonweal.document.model import Table, TableData
from commonweal.evidence import load_evidence
from commonweal.papers.wealth import FORMS, delta_interval, value_of_trust
from commonweal.papers.wealth.coefficients import load_published
from commonweal.papers.wealth.data import ASSETS
from commonweal.papers.wealth.value import value_of_change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from commonweal.papers.wealth import Weight
    from commonweal.papers.wealth.data import Country
    from commonweal.papers.wealth.results import TrustWealth
    from commonweal.papers.wealth.value import Form


DOLLARS = "US dollars of 2014"

NO_INTERVAL = "No interval: these coefficients have no standard errors."


def money(value: float | None, sign: str = "$") -> str:
    """Write an amount to two digits that count, as is true of no more: the tables have the rest."""
    if value is None:
        return "-"
    if math.isinf(value):
        return "no bound"
    size, minus = abs(float(f"{value:.2g}")), "−" if value < 0 else ""
    for unit, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"), (1.0, "")):
        if size >= unit and word:
            return f"{minus}{sign}{size / unit:,.{0 if size >= 10 * unit else 1}f}{word}"
    return f"{minus}{sign}{size:,.{0 if size >= 10 or size == 0 else 2}f}"


def ends_words(weight: Weight, level: float = 0.95) -> str:
    """Say what a range in brackets is; nothing where there is none."""
    if weight.has_covariance:
        return f"{percent(level)} interval by the delta method"
    if weight.low is None:
        return ""
    return f"an assumed range of the weight of trust, r from {weight.low:.3g} to {weight.high:.3g}"


def left_out_sentence(weight: Weight) -> str:
    """Say which estimate the range of a weight leaves out; nothing where it leaves out none."""
    other = weight.left_out
    if other is None:
        return ""
    ends = delta_interval(other, 0.0, 1.0)
    side = "above" if other.ratio > weight.ratio else "below"
    return (
        f"The range leaves out the only weight that we could estimate. That one lies {side} it: r = {other.ratio:.2f} "
        f"(95% interval {float(ends.low):.2f} to {float(ends.high):.2f}). {other.title} gives it. {other.caution}"
    )


def published_sentences() -> Iterator[str]:
    """Give the published results, marked where not verified. This is not a replication."""
    library = load_evidence()
    for found in load_published().values():
        work = library.work(found.work)
        mark = "" if found.verified else "UNVERIFIED. "
        name = work.people[0][0] + (" and others" if len(work.people) > 1 else "")
        yield f"{mark}{found.says} ({name} {work.year}) We could not read: {found.unread}"


def _interval_text(row: Mapping[str, Any], suffix: str = "") -> str:
    """Write both ends in brackets; nothing where there are none."""
    low, high = row[f"low{suffix}"], row[f"high{suffix}"]
    return "" if low is None or high is None else f" ({_share(low)} to {_share(high)})"


def _share(value: float | None) -> str:
    """Write a share with one decimal; a small one, as of a change, with two."""
    if value is None:
        return "-"
    if math.isinf(value):
        return "no bound"
    return f"{100 * value:.{2 if abs(value) < 0.1 else 1}f}%"


def world_sentences(found: TrustWealth, form: Form = "linear") -> Iterator[str]:
    """Give the answer for the world: two groups, the meaning of their range, and the coverage."""
    groups = {row["group"]: row for row in found.groups.iter_rows(named=True)}
    told = [
        f"{_share(row[f'share_{form}'])}{_interval_text(row, f'_{form}')} of all wealth in {where}"
        for name, where in (("OECD", "the OECD"), ("Latin America", "Latin America"))
        if (row := groups.get(name))
    ]
    yield f"Trust between people is worth {' and '.join(told)}, by the {form} form of this model."
    ends = ends_words(found.weight, found.assumptions.level)
    yield " ".join(
        filter(
            None,
            (f"In brackets: {ends}." if ends else NO_INTERVAL, left_out_sentence(found.weight)),
        )
    )
    asked, held = len(found.countries), found.countries["total"].count()
    yield (
        f"{asked} countries have trust data ({found.assumptions.since} to {found.assumptions.until}). {held} of them "
        f"also have wealth accounts ({found.assumptions.wealth_year})."
    )


def country_sentences(found: TrustWealth, country: Country, form: Form = "linear") -> Iterator[str]:
    """Say what a country's trust is worth, compared with its other wealth."""
    row = found.country(country)
    yield (
        f"{row['country']}: {_share(row['trust'])} say that most people can be trusted "
        f"({row['waves']} survey {'wave' if row['waves'] == 1 else 'waves'}, {found.assumptions.since} to "
        f"{found.assumptions.until})."
    )
    value = f"{_share(row[f'value_{form}'])}{_interval_text(row, f'_{form}')}"
    yield f"That is worth {value} of income, or the same share of measured wealth ({form} form)."
    yield from _brackets(found, row, form)
    if row["total"] is None:
        yield "The World Bank's wealth accounts do not have this country, so there is no amount."
        return
    stock, flow = row[f"trust_wealth_{form}"], row[f"flow_{form}"]
    yield (
        f"As wealth, in {DOLLARS}, that is about {money(stock)} a head, once. Measured wealth is "
        f"{money(row['total'])}, so trust is {_share(row[f'share_{form}'])} of the two together."
    )
    times = (
        f" The choice of wealth or income multiplies the sum by {stock / flow:.0f}." if flow else ""
    )
    yield (
        f"As income, that is about {money(flow)} a head a year, of {money(row['income'])} "
        f"({'gross national income' if row['income_is'] == 'GNI' else 'GDP'}).{times}"
    )


def _brackets(found: TrustWealth, row: Mapping[str, Any], form: Form) -> Iterator[str]:
    """Say what the range of a country takes in, and what it leaves out."""
    ends = ends_words(found.weight, found.assumptions.level)
    if not ends:
        yield NO_INTERVAL
        return
    waves = ""
    if row["waves"] > 1 and not found.weight.has_covariance:
        trust = (row["trust_least"], row["trust_most"])
        low, high = value_of_trust(found.weight.ratio, trust, form).tolist()
        waves = (
            f" It leaves out that surveys differ: from {_share(trust[0])} to {_share(trust[1])}, which alone would "
            f"give {_share(low)} to {_share(high)}."
        )
    yield f"In brackets: {ends}.{waves}"
    if left := left_out_sentence(found.weight):
        yield left


def change_sentences(
    worth: pl.DataFrame,
    points: float,
    where: str,
    weight: Weight,
    form: Form = "linear",
    sign: str = "£",
    level: float = 0.95,
) -> Iterator[str]:
    """Say what a change in trust is worth to a place, over which range, and what that leaves out."""
    rows = {
        row["measure"]: row
        for row in worth.filter(pl.col("form") == form).iter_rows(named=True)
        if row["measure"] != "stock"
    }
    change = f"{abs(points):g} {'point' if abs(points) == 1 else 'points'} {'more' if points >= 0 else 'less'}"
    flow, share = rows["flow"], rows["share"]["value"]
    yield (
        f"{where}: {change} of trust {'is' if abs(points) == 1 else 'are'} worth about {money(flow['value'], sign)} a "
        f"year, or {money(rows['flow_per_head']['value'], sign)} a head ({form} form)."
    )
    if flow["low"] is None:
        yield NO_INTERVAL
        return
    between = f"{money(flow['low'], sign)} to {money(flow['high'], sign)} a year"
    if weight.has_covariance:
        yield f"The {ends_words(weight, level)} is {between}."
        return
    unverified = "" if weight.verified else ", and the weight is unverified"
    yield f"Over {ends_words(weight)}, it is {between}. That is not a confidence interval{unverified}."
    other = weight.left_out
    if other is not None and share:
        total = flow["value"] / share
        ends = delta_interval(other, *_around(points), form)
        value = float(value_of_change(other.ratio, *_around(points), form))
        low, high = sorted((float(ends.low) * total, float(ends.high) * total), key=abs)
        yield (
            f"{left_out_sentence(weight)} With it, the change would be worth about {money(value * total, sign)} a "
            f"year ({money(low, sign)} to {money(high, sign)})."
        )


def _around(points: float) -> tuple[float, float]:
    """Give shares before and after a change: values depend on their difference alone."""
    return max(0.0, -points / 100), max(0.0, points / 100)


def measure_words(row: Mapping[str, Any]) -> str:
    """Name what a row of `worth_of_change` measures."""
    words = {"share": "of income", "flow_per_head": "a head a year", "flow": "a year"}
    if row["measure"] == "stock":
        return f"stock, {row['years']:g} years at {100 * row['rate']:g}%"
    return words[row["measure"]]


_FORMS = (
    "Linear: r T. Compensating: exp(r T) - 1, the income that would make up for losing all trust. Equivalent: "
    "1 - exp(-r T), the income people would give up to keep it. Simulated ends are quantiles of simulations. In the "
    "linear form they lie above those of the delta method, because a ratio of two uncertain numbers is skewed upwards."
)


_GROUPS = (
    "Countries: those with trust data and accounts, of all with accounts. People: the share of people they cover. "
    f"Trust: averaged over people, then its share of all wealth in three forms. A head: in {DOLLARS}."
)
_SURVEYS = (
    "The sampling error treats surveys as simple random samples, so it is too small. Income groups are those of the "
    "World Bank's accounts; for other countries we did not check them."
)


def group_tables(found: TrustWealth) -> tuple[Table, ...]:
    """Give the share of trust in the wealth of groups, with its range."""
    return (
        Table("groups", "Share of trust in all wealth", _groups(found), _GROUPS),
        Table(
            "group-ends",
            "Share of trust in all wealth, with its range",
            _interval_table(found.groups, {"group": "Group"}, "share"),
            _ends_about(found),
            rows=len(found.groups),
        ),
    )


def country_tables(found: TrustWealth) -> tuple[Table, ...]:
    """Give every country: its wealth, the value of its trust in three forms, its surveys."""
    rows = found.countries.sort("country")
    return (
        Table(
            "countries",
            "Every country with trust data",
            _countries(found),
            f"Amounts are {DOLLARS} a head. Empty: no accounts.",
            rows=25,
        ),
        Table(
            "forms",
            "Value of trust as a share of income or measured wealth, with its range",
            _interval_table(rows, {"country": "Country", "code": "Code"}, "value"),
            f"{_FORMS} {_ends_about(found)}",
            rows=12,
        ),
        Table("surveys", "Surveys and groups of each country", _surveys(found), _SURVEYS, rows=12),
    )


def asset_tables(found: TrustWealth) -> tuple[Table, ...]:
    """Give the six assets, marking those without data."""
    return (
        Table("assets", "The six assets, and how we measure them", _assets(found)),
        Table(
            "country-assets",
            "The assets of each country",
            _parts_table(found),
            f"{DOLLARS} a head. Intangible capital has no data. Trust stands in for the sixth asset.",
            rows=12,
        ),
    )


def change_table(name: str, where: str, worth: pl.DataFrame, points: float, unit: str) -> Table:
    """Give what a change in trust is worth to a country or a place."""
    about = f"Amounts are {unit}."
    ends = ("low", "high", "simulated_low", "simulated_high")
    if any(worth[end].count() and worth[end].is_infinite().any() for end in ends):
        about += " An end that is empty has no bound."
    return Table(name, f"{where}: value of {points:+g} points of trust", _change(worth), about)


def _ends_about(found: TrustWealth) -> str:
    words = ends_words(found.weight, found.assumptions.level)
    return f"Low and high: {words}." if words else NO_INTERVAL


def _change(worth: pl.DataFrame) -> TableData:
    """Give a row a form and end, a column a measure."""
    share = "Share of income"
    rows = []
    for form in FORMS:
        of = worth.filter(pl.col("form") == form)
        for end in ("value", "low", "high", "simulated_low", "simulated_high"):
            if of[end].count():
                told: dict[str, Any] = {"Form and end": f"{form}, {end.replace('_', ' ')}"}
                for row in of.iter_rows(named=True):
                    told[measure_words(row).capitalize()] = _bounded(row[end])
                rows.append(told)
    frame = pl.DataFrame(rows, infer_schema_length=None).rename({"Of income": share})
    amounts = pl.all().exclude("Form and end", share).round(0).cast(pl.Int64)
    readers = frame.with_columns(amounts, pl.col(share) * 100).rename({share: f"{share}, %"})
    return TableData(readers, data=worth)


def _bounded(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _head(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _groups(found: TrustWealth) -> TableData:
    heads = {f"share_{form}": form.capitalize() for form in FORMS}
    frame = found.groups.select(
        pl.col("group").alias("Group"),
        pl.col("countries").alias("Countries"),
        pl.col("of").alias("Of"),
        pl.col("people_covered").alias("People"),
        pl.col("trust").alias("Trust"),
        *(pl.col(name).alias(head) for name, head in heads.items()),
        _amount("trust_wealth_linear", "A head, linear"),
    )
    shares = frozenset({"People", "Trust", *heads.values()})
    return TableData(frame, shares, data=found.groups)


def _countries(found: TrustWealth) -> TableData:
    share = "Share of all wealth, linear"
    frame = found.countries.sort("country").select(
        pl.col("country").alias("Country"),
        pl.col("code").alias("Code"),
        pl.col("trust").alias("Trust"),
        pl.col("share_linear").alias(share),
        _amount("total", "Measured wealth"),
        _amount("trust_wealth_linear", "Trust, linear"),
        _amount("income", "Income a year"),
        _amount("flow_linear", "Trust a year, linear"),
    )
    return TableData(frame, frozenset({"Trust", share}), data=found.countries)


def _parts_table(found: TrustWealth) -> TableData:
    """Give the parts of wealth of each country, with no column for what has no data."""
    named = [(asset.name, asset.column) for asset in ASSETS if asset.column]
    frame = found.countries.drop_nulls("total").sort("country")
    return TableData(
        frame.select(
            pl.col("country").alias("Country"),
            pl.col("code").alias("Code"),
            *(
                _amount("trust_wealth_linear" if column == "trust" else column, name)
                for name, column in named
            ),
        )
    )


def _surveys(found: TrustWealth) -> TableData:
    error = "Sampling error, points"
    frame = found.countries.sort("country").select(
        pl.col("country").alias("Country"),
        pl.col("code").alias("Code"),
        pl.col("region").alias("Region"),
        pl.col("income_group").alias("Income group"),
        (100 * pl.col("trust_se")).alias(error),
        pl.col("waves").alias("Waves"),
        pl.col("people_asked").alias("People asked"),
        pl.col("surveys").alias("Surveys"),
    )
    return TableData(frame)


def _interval_table(rows: pl.DataFrame, names: Mapping[str, str], value: str) -> TableData:
    """Give a row a form for each country or group, with its value and the ends of it."""
    ends = ("low", "high", "simulated_low", "simulated_high")
    frame = pl.concat(
        rows.select(
            *(pl.col(name).alias(head) for name, head in names.items()),
            pl.lit(form).alias("Form"),
            pl.col(f"{value}_{form}").alias(_head(value)),
            *(
                pl.col(f"{end}_{form}").cast(pl.Float64).replace(math.inf, None).alias(_head(end))
                for end in ends
            ),
        )
        for form in FORMS
    )
    heads = [_head(name) for name in (value, *ends)]
    kept = frame.select(name for name in frame.columns if frame[name].count())
    return TableData(kept, frozenset(heads) & set(kept.columns))


def _amount(column: str, head: str) -> pl.Expr:
    return pl.col(column).round(0).cast(pl.Int64).alias(head)


def _assets(found: TrustWealth) -> TableData:
    world = found.groups.filter(kind="World").row(0, named=True)
    rows = []
    for asset in ASSETS:
        amount = world.get("trust_wealth_linear" if asset.column == "trust" else asset.column)
        rows.append((asset.name, asset.measured, None if amount is None else round(amount)))
    head = f"A head, all countries with data ({DOLLARS})"
    return TableData(
        pl.DataFrame(
            rows,
            schema={"Asset": pl.String, "Measured by": pl.String, head: pl.Int64},
            orient="row",
        )
    )
