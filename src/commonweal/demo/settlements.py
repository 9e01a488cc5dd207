"""Where people of the fictional county settle, its neighbourhoods, and their invented names."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.demo.ground_truth import (
    CENTRE,
    ESTATE,
    N_DISTRICTS,
    ORIGIN_M,
    REMOTE,
    SEASIDE,
    SIZE_M,
    SUBURB,
    TOWN_RADIUS_M,
    VILLAGE,
    Land,
    Settlement,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


COUNTY_NAME = "Quillshire"

Words = dict[str, list[str]]


def load_words() -> Words:
    """Read the words that names are put together from."""
    import yaml

    words: Words = yaml.safe_load(
        files(__package__).joinpath("words.yaml").read_text(encoding="utf-8")
    )
    return words


def settlement_names(rng: np.random.Generator, words: Words, count: int) -> list[str]:
    """Invent names of towns and villages."""
    lasts = words["settlement_last"]
    roots = [first + last for first in words["settlement_first"] for last in lasts]
    return _draw(rng, roots, words["settlement_qualifier"], count)


def hood_names(rng: np.random.Generator, words: Words, count: int) -> list[str]:
    """Invent names of the parts of a town; all `count` differ."""
    roots = [f"{first} {last}" for first in words["hood_first"] for last in words["hood_last"]]
    return _draw(rng, roots, words["hood_qualifier"], count)


def remote_names(rng: np.random.Generator, words: Words, settlements: list[str]) -> list[str]:
    """Turn settlement names into names of thinly peopled country, such as 'Ambromere Fell'."""
    terrain = words["terrain"]
    pick = rng.integers(len(terrain), size=len(settlements))
    return [f"{name} {terrain[i]}" for name, i in zip(settlements, pick, strict=True)]


def place_names(rng: np.random.Generator, kinds: list[str], areas: list[str]) -> list[str]:
    """Name places after their area; pubs and churches after what England names them for."""
    words = load_words()
    adjectives, nouns, saints = words["pub_adjective"], words["pub_noun"], words["saint"]
    n = len(kinds)
    first = rng.integers(len(adjectives), size=n)
    second = rng.integers(len(nouns), size=n)
    saint = rng.integers(len(saints), size=n)
    result = []
    for i, (kind, area) in enumerate(zip(kinds, areas, strict=True)):
        if kind == "pub":
            result.append(f"The {adjectives[first[i]]} {nouns[second[i]]}")
        elif kind == "worship":
            result.append(f"St {saints[saint[i]]}'s, {area}")
        else:
            result.append(f"{area} {kind.capitalize()}")
    return result


def _draw(
    rng: np.random.Generator, roots: list[str], qualifiers: list[str], count: int
) -> list[str]:
    # Plain names run out first, and only then do the 'Great' and 'Little' ones come.
    result: list[str] = []
    for qualifier in qualifiers:
        result += [qualifier + roots[i] for i in rng.permutation(len(roots))]
        if len(result) >= count:
            return result[:count]
    raise ValueError(f"only {len(result)} names can be invented; {count} were asked for")


_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
_SHARES = {"main": 0.25, "seaside": 0.15, "small": 0.19, "remote": 0.12}  # villages: the rest
_SHORE_M = 250.0  # homes keep this far from the sea
_GAP_M = 1_100.0  # open country around a town


@dataclass(frozen=True)
class Plan:
    """Centres of population, (n_areas, 2) in metres, and what each belongs to."""

    points: Floats
    kind: Ints
    settlement: Ints
    group: Ints
    settlements: tuple[Settlement, ...]


def plan_settlements(rng: np.random.Generator, outline: Any, words: Words, n_areas: int) -> Plan:
    """Choose where towns, villages and farms stand."""
    sizes = {key: round(share * n_areas) for key, share in _SHARES.items()}
    n_seaside, n_small = max(1, round(n_areas / 130)), max(1, round(n_areas / 100))
    town_sizes = [sizes["main"], *_split(sizes["seaside"], n_seaside)]
    town_sizes += _split(sizes["small"], n_small)
    town_kinds = [SUBURB] + [SEASIDE] * n_seaside + [SUBURB] * n_small
    radii = TOWN_RADIUS_M * np.sqrt(np.array(town_sizes, dtype=float))
    at = _town_sites(rng, outline, radii, n_seaside)

    n_rural = n_areas - sum(town_sizes)
    n_villages = n_rural - sizes["remote"]
    n_twins = n_villages // 6  # villages of two neighbourhoods
    sites = _rural_sites(rng, outline, at, radii, n_rural - n_twins)
    to_town = np.linalg.norm(sites[:, None] - at, axis=2).min(1)
    lonely = np.argsort(-to_town * rng.uniform(0.6, 1.0, len(sites)), kind="stable")
    remote, villages = lonely[: sizes["remote"]], lonely[sizes["remote"] :]
    twins = villages[len(villages) - n_twins :]

    titles = settlement_names(rng, words, len(at) + len(sites))
    titles[len(at) + len(villages) :] = remote_names(rng, words, titles[len(at) + len(villages) :])
    parts = [
        _town(rng, outline, at[i], radii[i], size, kind, i)
        for i, (size, kind) in enumerate(zip(town_sizes, town_kinds, strict=True))
    ]
    centres = np.vstack([at, sites[villages], sites[remote]])
    kinds = town_kinds + [VILLAGE] * len(villages) + [REMOTE] * len(remote)
    own = np.arange(len(at), len(centres))
    rural_kind = np.array(kinds[len(at) :])
    # A twin stands on the side of the county town, which is inland of its village.
    inward = at[0] - sites[twins]
    shift = 750.0 * inward / np.linalg.norm(inward, axis=1, keepdims=True)
    twin_of = own[len(villages) - n_twins : len(villages)]
    points = [p for p, _, _ in parts] + [centres[len(at) :], sites[twins] + shift]
    kind = [k for _, k, _ in parts] + [rural_kind, np.full(n_twins, VILLAGE)]
    settlement = [np.full(len(p), i) for i, (p, _, _) in enumerate(parts)] + [own, twin_of]
    estate = [e for _, _, e in parts] + [np.zeros(len(own), int), np.zeros(n_twins, int)]
    where = np.concatenate(settlement)
    _, group = np.unique(where * 1_000 + np.concatenate(estate), return_inverse=True)
    return Plan(
        points=np.round(np.vstack(points), 1),
        kind=np.concatenate(kind).astype(np.intp),
        settlement=where.astype(np.intp),
        group=group.astype(np.intp),
        settlements=tuple(
            Settlement(title, int(k), round(float(e), 1), round(float(n), 1))
            for title, k, (e, n) in zip(titles, kinds, centres, strict=True)
        ),
    )


def _split(total: int, parts: int) -> list[int]:
    return [total // parts + (i < total % parts) for i in range(parts)]


def _inside(outline: Any, points: Floats, margin_m: float) -> NDArray[np.bool_]:
    import shapely

    inner = shapely.buffer(outline, -margin_m)
    shapely.prepare(inner)
    return np.asarray(shapely.contains_xy(inner, points[:, 0], points[:, 1]))


def _spread(rng: np.random.Generator, outline: Any, count: int, jitter: float) -> Floats:
    # The plastic-number sequence fills a box evenly however many points are taken of it.
    low = np.array(outline.bounds[:2])
    size = np.array(outline.bounds[2:]) - low
    root = 1.324717957244746
    steps = np.arange(1, count + 1)[:, None] * np.array([1 / root, 1 / root**2])
    wobble = rng.uniform(-jitter, jitter, (count, 2)) / np.sqrt(count)
    return np.asarray(low + size * ((rng.random(2) + steps + wobble) % 1))


def _town_sites(rng: np.random.Generator, outline: Any, radii: Floats, n_seaside: int) -> Floats:
    west, south, east, north = outline.bounds
    main = np.array([west + 0.42 * (east - west), south + 0.48 * (north - south)])
    slots = (np.arange(n_seaside) + rng.uniform(0.35, 0.65, n_seaside)) / n_seaside
    shore = np.column_stack(
        [np.full(n_seaside, east), south + (0.1 + 0.8 * slots) * (north - south)]
    )
    sites = [main, *_ashore(outline, shore, _SHORE_M)]
    candidates = _spread(rng, outline, 40 * (len(radii) + 10), 0.4)
    for radius in radii[len(sites) :]:
        free = candidates[_inside(outline, candidates, radius + 0.06 * (east - west))]
        # The main town counts double, or its neighbours would merge with it.
        room = np.linalg.norm(free[:, None] - np.array(sites), axis=2)
        room[:, 0] -= radii[0]
        sites.append(free[np.argmax(room.min(1) * rng.uniform(0.6, 1, len(free)))])
    return np.array(sites)


def _ashore(outline: Any, points: Floats, margin_m: float) -> Floats:
    # Whatever lies in the sea walks west until it stands on
    points = points.copy()
    for _ in range(4_000):
        wet = ~_inside(outline, points, margin_m)
        if not wet.any():
            break
        points[wet, 0] -= 100.0
    return points


def _rural_sites(
    rng: np.random.Generator, outline: Any, towns: Floats, radii: Floats, count: int
) -> Floats:
    batch = 3 * count
    while True:
        sites = _spread(rng, outline, batch, 0.35 * np.sqrt(batch / count))
        sites = sites[_inside(outline, sites, 700)]
        gap = np.linalg.norm(sites[:, None] - towns, axis=2) - radii
        sites = sites[gap.min(1) > _GAP_M]
        if len(sites) >= count:
            return np.asarray(sites[:count])
        batch *= 2


def _town(
    rng: np.random.Generator,
    outline: Any,
    at: Floats,
    radius: float,
    size: int,
    kind: int,
    number: int,
) -> tuple[Floats, Ints, Ints]:
    # Areas of one town: points (size, 2) in metres, kinds, and which estate (0: none).
    k = np.arange(size)
    out = ((k + 0.5) / size) ** 0.56
    angle = k * _GOLDEN_ANGLE + rng.uniform(0, 2 * np.pi)
    points = radius * out[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    points += rng.normal(0, 0.16 * TOWN_RADIUS_M, points.shape)
    estate = np.zeros(size, int)
    if kind == SEASIDE:
        # Long along the shore and shallow; the cheap land is at the back.
        points = points * [0.62, 1.5] - [0.62 * radius, 0]
        kinds = np.full(size, SEASIDE)
        kinds[points[:, 0] < np.quantile(points[:, 0], 0.2)] = ESTATE
        estate[kinds == ESTATE] = 1
        estate[(kinds == SEASIDE) & (points[:, 1] > 0)] = 2
        return _ashore(outline, points + at, _SHORE_M), kinds, estate
    kinds = np.full(size, SUBURB)
    kinds[: max(1, round(0.12 * size))] = CENTRE
    arcs = max(2, round(size / 26)) if number == 0 else 1
    share = (angle / (2 * np.pi) * arcs) % 1  # where in its arc an area stands
    edge = (k >= 0.48 * size) & (share < (0.55 if number == 0 else 0.5))
    kinds[edge] = ESTATE
    arc = np.floor((angle % (2 * np.pi)) / (2 * np.pi) * arcs).astype(int)
    estate[edge] = 1 + arc[edge]
    return _ashore(outline, points + at, _SHORE_M), kinds, estate


def make_land(rng: np.random.Generator, n_areas: int) -> Land:
    """Raise the county from the sea."""
    words = load_words()
    outline = _outline(rng, np.sqrt(n_areas / 400))
    plan = plan_settlements(rng, outline, words, n_areas)
    district, district_names = _districts(plan.settlements, plan.settlement)
    order = np.lexsort((np.arange(n_areas), plan.group, plan.settlement, district))
    points = plan.points[order]
    return Land(
        outline=outline,
        easting=points[:, 0],
        northing=points[:, 1],
        kind=plan.kind[order],
        settlement=plan.settlement[order],
        group=plan.group[order],
        district=district[order],
        cells=_cells(points, outline),
        settlements=plan.settlements,
        district_names=district_names,
        area_names=_area_names(rng, words, plan, order),
    )


def _outline(rng: np.random.Generator, scale: float) -> Any:
    import shapely

    # A rectangle whose edge is bent by waves of falling size: a ragged coast in the east,
    # calmer borders elsewhere.
    width, height = SIZE_M[0] * scale, SIZE_M[1] * scale
    corner = np.array([0, width, width + height, 2 * width + height, 2 * (width + height)])
    along = np.linspace(0, corner[-1], 900, endpoint=False)
    x = np.interp(along, corner, [0, width, width, 0, 0])
    y = np.interp(along, corner, [0, 0, height, height, 0])
    coast = np.clip(1 - np.abs(along - (width + height / 2)) / (0.75 * height), 0, 1)
    wave = np.arange(2, 90)
    turn = 2 * np.pi * wave * (along / corner[-1])[:, None]
    size = wave**-1.35 * (0.11 * width)
    bend = [(size * np.sin(turn + rng.uniform(0, 2 * np.pi, wave.size))).sum(1) for _ in "xy"]
    x += bend[0] * (0.5 + 0.8 * coast) - 0.03 * width * coast
    y += bend[1] * (0.5 + 0.2 * coast)
    ring = np.column_stack([ORIGIN_M[0] + x, ORIGIN_M[1] + y])
    shape = shapely.make_valid(shapely.Polygon(np.round(ring, 1)))
    parts = shapely.get_parts(shape)
    return parts[np.argmax(shapely.area(parts))]


def _cells(points: Floats, outline: Any) -> NDArray[np.object_]:
    import shapely
    from scipy.spatial import Voronoi

    # A far ring of helpers closes the outermost cells.
    middle, reach = points.mean(0), 20 * np.ptp(points, axis=0).max()
    angle = np.arange(12) * (np.pi / 6)
    helpers = middle + reach * np.column_stack([np.cos(angle), np.sin(angle)])
    diagram = Voronoi(np.vstack([points, helpers]))
    regions = [diagram.regions[diagram.point_region[i]] for i in range(len(points))]
    corner = np.concatenate([np.asarray(region) for region in regions])
    owner = np.repeat(np.arange(len(points)), [len(region) for region in regions])
    corners = shapely.multipoints(diagram.vertices[corner], indices=owner)
    cells = shapely.intersection(shapely.convex_hull(corners), outline)
    # Neighbours work out a shared corner each for itself; on a decimetre grid they agree.
    return np.asarray(shapely.transform(cells, lambda xy: np.round(xy, 1)))


def _districts(
    settlements: tuple[Settlement, ...], settlement: Ints
) -> tuple[Ints, tuple[str, ...]]:
    # The county town with its surroundings, and around it four sectors of like size; a
    # settlement is never divided.
    at = np.array([(s.easting, s.northing) for s in settlements])
    size = np.bincount(settlement, minlength=len(at))
    away = at - at[0]
    gap = np.linalg.norm(away, axis=1)
    turn = np.arctan2(away[:, 1], away[:, 0]) % (2 * np.pi)
    outside = np.flatnonzero(gap > 1.6 * TOWN_RADIUS_M * np.sqrt(size[0]))
    outside = outside[np.argsort(turn[outside], kind="stable")]
    middle = np.cumsum(size[outside]) - size[outside] / 2
    sectors = N_DISTRICTS - 1
    member = np.zeros(len(at), dtype=np.intp)
    member[outside] = 1 + np.floor(sectors * middle / size[outside].sum()).astype(np.intp)
    styles = iter(("Vale of {}", "{} and Wolds", "{} Forest", "{} Levels", "{} Hundred"))
    titles = []
    for district in range(N_DISTRICTS):
        seat = int(np.argmax(np.where(member == district, size, -1)))
        style = ("{}", "{} Coast")[settlements[seat].kind == SEASIDE]
        title = settlements[seat].name
        titles.append((style if seat == 0 or "Coast" in style else next(styles)).format(title))
    return member[settlement], tuple(titles)


def _area_names(rng: np.random.Generator, words: Words, plan: Plan, order: Ints) -> tuple[str, ...]:
    hoods: dict[int, Iterator[str]] = {}
    sizes = np.bincount(plan.settlement, minlength=len(plan.settlements))
    for i, s in enumerate(plan.settlements):
        if s.kind not in (VILLAGE, REMOTE):
            hoods[i] = iter(hood_names(rng, words, int(sizes[i])))
    estates: dict[int, tuple[str, int]] = {}
    sides: dict[int, int] = {}
    result = []
    for i in order:
        where, group = int(plan.settlement[i]), int(plan.group[i])
        name = plan.settlements[where].name
        if plan.kind[i] == ESTATE:
            title, number = estates.get(group) or (next(hoods[where]), 0)
            estates[group] = (title, number + 1)
            result.append(f"{name} {title} Estate {number + 1}")
        elif plan.kind[i] in (VILLAGE, REMOTE):
            side = sides[where] = sides.get(where, -1) + 1
            result.append(name if sizes[where] == 1 else f"{name} {('East', 'West')[side]}")
        else:
            result.append(f"{name} {next(hoods[where])}")
    return tuple(result)
