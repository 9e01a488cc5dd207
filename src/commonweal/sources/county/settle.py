"""Where people settle: towns with estates at their edges, seaside towns, villages, farms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.sources.county import land, names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

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
    settlements: tuple[land.Settlement, ...]


def settle(rng: np.random.Generator, outline: Any, words: names.Words, n_areas: int) -> Plan:
    """Choose where towns, villages and farms stand.

    Parameters
    ----------
    rng
        Where chance comes from.
    outline
        The county, a shapely polygon in metres.
    words
        What names are put together from.
    n_areas
        How many neighbourhoods to place.

    Returns
    -------
    Plan
        Settlement 0 is the county town.
    """
    sizes = {key: round(share * n_areas) for key, share in _SHARES.items()}
    n_seaside, n_small = max(1, round(n_areas / 130)), max(1, round(n_areas / 100))
    town_sizes = [sizes["main"], *_split(sizes["seaside"], n_seaside)]
    town_sizes += _split(sizes["small"], n_small)
    town_kinds = [land.SUBURB] + [land.SEASIDE] * n_seaside + [land.SUBURB] * n_small
    radii = land.TOWN_RADIUS_M * np.sqrt(np.array(town_sizes, dtype=float))
    at = _town_sites(rng, outline, radii, n_seaside)

    n_rural = n_areas - sum(town_sizes)
    n_villages = n_rural - sizes["remote"]
    n_twins = n_villages // 6  # villages of two neighbourhoods
    sites = _rural_sites(rng, outline, at, radii, n_rural - n_twins)
    to_town = np.linalg.norm(sites[:, None] - at, axis=2).min(1)
    lonely = np.argsort(-to_town * rng.uniform(0.6, 1.0, len(sites)), kind="stable")
    remote, villages = lonely[: sizes["remote"]], lonely[sizes["remote"] :]
    twins = villages[len(villages) - n_twins :]

    titles = names.settlement_names(rng, words, len(at) + len(sites))
    titles[len(at) + len(villages) :] = names.remote_names(
        rng, words, titles[len(at) + len(villages) :]
    )
    parts = [
        _town(rng, outline, at[i], radii[i], size, kind, i)
        for i, (size, kind) in enumerate(zip(town_sizes, town_kinds, strict=True))
    ]
    centres = np.vstack([at, sites[villages], sites[remote]])
    kinds = town_kinds + [land.VILLAGE] * len(villages) + [land.REMOTE] * len(remote)
    own = np.arange(len(at), len(centres))
    rural_kind = np.array(kinds[len(at) :])
    # A twin stands on the side of the county town, which is inland of its village.
    inward = at[0] - sites[twins]
    shift = 750.0 * inward / np.linalg.norm(inward, axis=1, keepdims=True)
    twin_of = own[len(villages) - n_twins : len(villages)]
    points = [p for p, _, _ in parts] + [centres[len(at) :], sites[twins] + shift]
    kind = [k for _, k, _ in parts] + [rural_kind, np.full(n_twins, land.VILLAGE)]
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
            land.Settlement(title, int(k), round(float(e), 1), round(float(n), 1))
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
    # Whatever lies in the sea walks west until it stands on land.
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
    points += rng.normal(0, 0.16 * land.TOWN_RADIUS_M, points.shape)
    estate = np.zeros(size, int)
    if kind == land.SEASIDE:
        # Long along the shore and shallow; the cheap land is at the back.
        points = points * [0.62, 1.5] - [0.62 * radius, 0]
        kinds = np.full(size, land.SEASIDE)
        kinds[points[:, 0] < np.quantile(points[:, 0], 0.2)] = land.ESTATE
        estate[kinds == land.ESTATE] = 1
        estate[(kinds == land.SEASIDE) & (points[:, 1] > 0)] = 2
        return _ashore(outline, points + at, _SHORE_M), kinds, estate
    kinds = np.full(size, land.SUBURB)
    kinds[: max(1, round(0.12 * size))] = land.CENTRE
    arcs = max(2, round(size / 26)) if number == 0 else 1
    share = (angle / (2 * np.pi) * arcs) % 1  # where in its arc an area stands
    edge = (k >= 0.48 * size) & (share < (0.55 if number == 0 else 0.5))
    kinds[edge] = land.ESTATE
    arc = np.floor((angle % (2 * np.pi)) / (2 * np.pi) * arcs).astype(int)
    estate[edge] = 1 + arc[edge]
    return _ashore(outline, points + at, _SHORE_M), kinds, estate
