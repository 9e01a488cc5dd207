"""Make the figures and maps that the pages of indicators/ show, from a run on the real files.

python docs/indicator_figures.py    write docs/indicators/figures.csv and docs/indicators/maps/
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyproj
import shapely
from scipy.spatial import cKDTree
from scipy.stats import spearmanr

from commonweal.index import decile, rank
from commonweal.sources import Store
from commonweal.study.areas import study_shapes
from commonweal.study.indicators import make_indicators
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.index import Scores
    from commonweal.indicators import Indicators
    from commonweal.study.results import Results

STUDY = "open-england"
FOLDER = Path(__file__).resolve().parent / "indicators"
FIGURES = FOLDER / "figures.csv"
QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
PIXEL_M = 2000.0
SEA, UNKNOWN = 0, 11  # of a map; 1 to 10 are deciles, 1 = most need


@dataclass(frozen=True)
class Grid:
    """The pixels of a map: which area each shows, -1 = sea."""

    area: NDArray[np.intp]

    def of(self, need: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Give a map of the deciles of one indicator."""
        tenth = np.nan_to_num(decile(rank(need)), nan=UNKNOWN).astype(np.uint8)
        return np.where(self.area < 0, SEA, tenth[self.area]).astype(np.uint8)


def grid(results: Results, store: Store) -> Grid:
    """Lay pixels over the land, each with the area whose point is nearest."""
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True).transform
    _, outline = study_shapes(results.study, results.areas, store, True)
    shapes = shapely.transform(
        shapely.from_wkb(outline["geometry"].drop_nulls().to_list()),
        lambda c: np.column_stack(to_metres(c[:, 0], c[:, 1])),
    )
    west, south, east, north = shapely.total_bounds(shapes)
    x = np.arange(west, east, PIXEL_M) + PIXEL_M / 2
    y = np.arange(north, south, -PIXEL_M) - PIXEL_M / 2
    middle = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    inside, _ = shapely.STRtree(shapes).query(shapely.points(middle), predicate="within")
    table = results.areas.table
    points = np.column_stack(to_metres(table["longitude"].to_numpy(), table["latitude"].to_numpy()))
    area = np.full(len(middle), -1)
    area[inside] = cKDTree(points).query(middle[inside])[1]
    return Grid(area.reshape(len(y), len(x)))


def checksum(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()[:12]


def indicators(results: Results, store: Store) -> Iterator[tuple[Indicators, str]]:
    """Give the indicators of each index, with its name; then those that only others are made of."""
    named = {m.name for found in results.indicators.values() for m in found.meta}
    for index, found in results.indicators.items():
        yield found, index
    helpers = [name for name in results.study.indicators if name not in named]
    yield make_indicators(results.study, helpers, results.areas, store)[0], ""


def strands(scores: Scores) -> dict[str, str]:
    """Give the path of the strand that each indicator stands in, where it is not the strand itself."""
    leaves = ((path, node.indicator) for path, node in scores.tree.walk(scores.index))
    return {name: "/".join(p.split("/")[:2]) for p, name in leaves if name and p.count("/") > 1}


def together(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's correlation over the areas that have both."""
    both = ~(np.isnan(a) | np.isnan(b))
    return float(spearmanr(a[both], b[both]).statistic)


def figures(results: Results, store: Store) -> tuple[pl.DataFrame, dict[str, NDArray[np.uint8]]]:
    """Work out a row of figures and a map for each indicator, in the order of the study."""
    pixels = grid(results, store)
    rows, maps = {}, {}
    for found, index in indicators(results, store):
        scores = results.scores.get(index)
        within = strands(scores) if scores else {}
        for k, about in enumerate(found.meta):
            values, need = found.values[:, k], found.need(about.name)
            known = values[~np.isnan(values)]
            maps[about.name] = pixels.of(need)
            strand = within.get(about.name)
            rows[about.name] = {
                "indicator": about.name,
                "sources": about.source,
                "vintage": about.vintage,
                "measured_on": about.measured_on,
                "how": about.how,
                "areas": len(values),
                "known": len(known),
                "different": len(np.unique(known)),
                **{f"q{q:g}": float(f"{np.quantile(known, q):.4g}") for q in QUANTILES},
                "with_strand": round(together(need, scores.need[strand]), 2)
                if scores and strand
                else None,
                "with_index": round(together(need, scores.score), 2) if scores else None,
                "map": checksum(maps[about.name]),
            }
    table = pl.DataFrame([rows[name] for name in results.study.indicators])
    return table.with_columns(pl.col(pl.String).replace("", None)), maps


def draw(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a map as a picture that carries the checksum of its pixels."""
    from matplotlib import colormaps
    from PIL import Image, PngImagePlugin

    shades = colormaps["viridis"](np.linspace(0, 1, 10))[:, :3]
    colours = np.vstack([[1, 1, 1], shades, [0.75, 0.75, 0.75]])
    picture = Image.fromarray(pixels, mode="P")
    picture.putpalette((colours * 255).astype(np.uint8).tobytes())
    told = PngImagePlugin.PngInfo()
    told.add_text("Description", checksum(pixels))
    picture.save(path, pnginfo=told, optimize=True)


def main() -> None:
    store = Store.from_environment()
    table, maps = figures(run(STUDY, store, draws=0, geometry=False), store)
    (FOLDER / "maps").mkdir(parents=True, exist_ok=True)
    table.write_csv(FIGURES)
    for name, pixels in maps.items():
        draw(pixels, FOLDER / "maps" / f"{name}.png")
    print(f"{len(table)} indicators in {FIGURES}")


if __name__ == "__main__":
    main()
