"""What every plot of an index is: a matplotlib figure below its title, and its numbers as a table."""

from __future__ import annotations

import hashlib
import io
import re
import textwrap
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.document.format import clean_text
from commonweal.errors import DataError
from commonweal.files.extras import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from matplotlib.figure import Figure


__all__ = [
    "Plot",
]


INK, GREY, GRID = "#1a1a1a", "#595959", "#d9d9d9"
BLUE, SKY, VERMILION = "#0072b2", "#56b4e9", "#d55e00"
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7f7f7f")
WIDTH = 760
"""Of every picture."""

_STYLE = {
    # Measured in the first, which comes with matplotlib; drawn in what the reader has.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica", "sans-serif"],
    "font.size": 9.0,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "hatch.linewidth": 1.5,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "savefig.dpi": 192.0,
}


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A picture and its numbers.

    Attributes
    ----------
    numbers
        Everything that it draws, as a table.
    title, about
        Its title, and how to read it; both are in the picture too.
    figure
        The figure, for those who want to change it; 96 CSS pixels to an inch.
    """

    numbers: pl.DataFrame
    title: str
    about: str
    figure: Figure

    @property
    def svg(self) -> str:
        """One ``svg`` element that stands by itself as a file or in a page, its words as text."""
        # Two pictures of one page must not share an id; the same picture keeps its own.
        told = f"{self.title}\0{self.about}\0{self.numbers.write_csv()}"
        salt = "p" + hashlib.sha256(told.encode(errors="replace")).hexdigest()[:10]
        with _letters_elsewhere():
            drawn = self._saved("svg", salt, dict.fromkeys(_SAID_OF_SVG)).decode()
        drawn = re.sub(r'(<[^>]*?) id="[\w.]+_\d+"', r"\1", drawn[drawn.index("<svg") :])
        drawn = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", drawn, flags=re.DOTALL)
        head = (
            f'<svg role="img" aria-labelledby="{salt}-title {salt}-desc" '
            'style="stroke-linejoin: round; stroke-linecap: butt"'
        )
        names = (
            f'<title id="{salt}-title">{escape(clean_text(self.title))}</title>'
            f'<desc id="{salt}-desc">{escape(clean_text(self.about))} '
            "The table has the same numbers.</desc>"
        )
        return re.sub(r"<svg(.*?>)", lambda m: head + m[1] + names, drawn, count=1, flags=re.DOTALL)

    @property
    def png(self) -> bytes:
        """The picture as PNG, two dots to a CSS pixel."""
        said = {
            "Title": clean_text(self.title),
            "Description": clean_text(self.about),
            "Software": None,
        }
        return self._saved("png", "", said)

    @property
    def pdf(self) -> bytes:
        """The picture as PDF of one page."""
        said = {"Title": clean_text(self.title), "Subject": clean_text(self.about)}
        return self._saved("pdf", "", said | dict.fromkeys(("Creator", "Producer", "CreationDate")))

    def save(self, path: Path | str) -> None:
        """Write the picture into a file, in the format that its name ends in.

        Parameters
        ----------
        path
            Ends in ``.svg``, ``.png`` or ``.pdf``.

        Raises
        ------
        DataError
            If it ends otherwise, or there is no such folder.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in (".svg", ".png", ".pdf"):
            raise DataError(f"'{path}' ends in '{suffix}'; expected .svg, .png or .pdf")
        made = getattr(self, suffix[1:])
        if not Path(path).parent.is_dir():
            raise DataError(f"'{path}': there is no folder {Path(path).parent}")
        Path(path).write_bytes(made.encode() if isinstance(made, str) else made)

    def _repr_svg_(self) -> str:
        return self.svg

    def _saved(self, form: str, salt: str, said: dict[str, Any]) -> bytes:
        out = io.BytesIO()
        with style(salt):
            self.figure.savefig(out, format=form, metadata=said)
        return out.getvalue()


_SAID_OF_SVG = ("Creator", "Date", "Format", "Type")


@contextmanager
def style(salt: str = "") -> Iterator[None]:
    """Draw in our style, whatever the reader's settings; a salt makes the ids of SVG."""
    with needs("toolbox"):
        from matplotlib import style as styles

    with styles.context(["default", _STYLE | {"svg.hashsalt": salt}]):
        yield


@contextmanager
def _letters_elsewhere() -> Iterator[None]:
    """Take no offence at letters that our typeface lacks: the reader's system may have them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def blank(height: float) -> Figure:
    """Make an empty figure `WIDTH` wide, which `plot` puts a title above."""
    with needs("toolbox"):
        from matplotlib.figure import Figure

    return Figure((WIDTH / 96, height / 96))


def plot(figure: Figure, title: str, about: str, numbers: pl.DataFrame) -> Plot:
    """Put title and description above what is drawn; see `Plot`."""
    top = 12.0
    rows = [(row, 16, "bold", INK) for row in textwrap.wrap(clean_text(title), 72)]
    rows += [(row, 12, "normal", GREY) for row in textwrap.wrap(clean_text(about), 116)]
    below = figure.get_figheight() * 96
    height = below + sum(1.45 * size for _, size, *_ in rows) + 18
    figure.set_figheight(height / 96)
    top = 12.0
    for row, size, weight, ink in rows:
        at = 10 / WIDTH, 1 - top / height
        figure.text(*at, row, size=size * 0.75, weight=weight, color=ink, va="top")
        top += size * 1.45
    room = {"rect": (0, 0, 1, below / height), "w_pad": 10 / 96, "h_pad": 6 / 96}
    figure.set_layout_engine("constrained", **room)
    with _letters_elsewhere():
        for _ in range(2):  # what hangs on other axes finds its place the second time
            figure.draw_without_rendering()
    figure.set_layout_engine("none")  # once: a second time could move things by a hair
    return Plot(numbers, title, about, figure)


def numeral(value: float) -> str:
    """Write a number shortly.

    >>> numeral(33755.0), numeral(0.25), numeral(-1.0)
    ('33,755', '0.25', '−1')
    """
    told = f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
    return told.replace("-", "−")
