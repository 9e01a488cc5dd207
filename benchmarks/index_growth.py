"""How the cost of the index engine grows with units, indicators and draws, at three sizes each.

Claims: k times more units, indicators or draws cost at most 1.5 k times as much (correlations of all
pairs: 1.5 k squared for indicators), and memory does not grow with draws. Cost is processor time, of
all cores together, which depends least on what else the machine does. The largest size is that of
`index_vs_coinr`; one thing is made smaller at a time. With a path, the picture of
docs/methods/speed.md is written there:

    python benchmarks/index_growth.py docs/images/index_growth.svg
"""

from __future__ import annotations

import math
import sys
from itertools import pairwise
from pathlib import Path

from index_vs_coinr import N_DRAWS, N_INDICATORS, N_UNITS, measured

SIZES = {
    "units": (1_000, 7_433, N_UNITS),
    "indicators": (7, 14, N_INDICATORS),
    "draws": (1_000, 5_000, N_DRAWS),
}
WORKS = {
    "build": "#0072B2",
    "treat": "#D55E00",
    "pearson": "#009E73",
    "spearman": "#CC79A7",
    "uncertainty": "#000000",
    "sobol": "#7A5C00",
}
"""In colours that the colour-blind tell apart; each line is named where it ends, too."""
BY_DRAWS = ("uncertainty",)
Found = dict[tuple[str, str, int], dict[str, float]]


def best(work: str, **sizes: int) -> dict[str, float]:
    """Take the better of two runs: threads that wait for a busy core count as working."""
    return min((measured(work, **sizes) for _ in range(2)), key=lambda m: m["cpu"])


def measure() -> Found:
    found: Found = {}
    whole = {work: best(work) for work in WORKS}
    for what, sizes in SIZES.items():
        for work in BY_DRAWS if what == "draws" else WORKS:
            for size in sizes[:-1]:
                found[what, work, size] = best(work, **{f"n_{what}": size})
            found[what, work, sizes[-1]] = whole[work]
    return found


def report(found: Found) -> bool:
    """Print the table; say whether cost grows as claimed."""
    as_claimed = True
    for what, sizes in SIZES.items():
        print(f"| {what} | {' | '.join(f'{s:,}' for s in sizes)} | growth a step |")
        print(f"| --- | {'---: | ' * len(sizes)}---: |")
        for work in BY_DRAWS if what == "draws" else WORKS:
            cells = [found[what, work, s] for s in sizes]
            seconds = [c["cpu"] for c in cells]
            steps = [b / a for a, b in pairwise(seconds)]
            asked = [b / a for a, b in pairwise(sizes)]
            # Pairs of indicators grow with their square.
            power = 2 if what == "indicators" and work in ("pearson", "spearman") else 1
            as_claimed &= all(step <= 1.5 * k**power for step, k in zip(steps, asked, strict=True))
            times = " | ".join(_seconds(s) for s in seconds)
            print(f"| {work} | {times} | {', '.join(f'{s:.1f} x' for s in steps)} |")
        if what == "draws":
            gigabytes = [found[what, "uncertainty", s]["gigabytes"] for s in sizes]
            as_claimed &= gigabytes[-1] <= 1.1 * gigabytes[0]
            print(f"| its peak memory | {' | '.join(f'{g:.2f} GB' for g in gigabytes)} | |")
        asked = [b / a for a, b in pairwise(sizes)]
        print(f"| in proportion | | | | {', '.join(f'{k:.1f} x' for k in asked)} |\n")
    return as_claimed


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e3:.2g} ms" if seconds < 0.0995 else f"{seconds:.2g} s"


# --- the picture: a panel for each thing that grows, both axes logarithmic

WIDTH, HEIGHT, TOP, BOTTOM, LEFT, GAP = 290, 330, 56, 62, 64, 132
LOW, HIGH = -4, 2
"""Powers of ten of the seconds at the bottom and the top."""


def picture(found: Found) -> str:
    total = LEFT + len(SIZES) * WIDTH + (len(SIZES) - 1) * GAP + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {TOP + HEIGHT + BOTTOM}" '
        'role="img" aria-labelledby="title desc" font-family="sans-serif" font-size="13">',
        '<title id="title">How the cost of the index engine grows</title>',
        '<desc id="desc">Processor seconds by number of units, indicators and draws. Hardly a line '
        "rises more steeply than in proportion. The tables give the numbers.</desc>",
        f'<rect width="{total}" height="{TOP + HEIGHT + BOTTOM}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="bold">Processor seconds, on '
        "logarithmic axes; the dotted line rises in proportion</text>",
    ]
    for number, what in enumerate(SIZES):
        parts += _panel(found, what, LEFT + number * (WIDTH + GAP))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _y(seconds: float) -> float:
    return TOP + HEIGHT * (HIGH - math.log10(seconds)) / (HIGH - LOW)


def _panel(found: Found, what: str, left: int) -> list[str]:
    sizes = SIZES[what]
    decades = math.log10(sizes[-1] / sizes[0])

    def x(size: float) -> float:
        return left + 14 + (WIDTH - 28) * math.log10(size / sizes[0]) / decades

    parts = []
    for power in range(LOW, HIGH + 1):
        y = _y(10.0**power)
        parts.append(
            f'<path d="M{left} {y:.1f}h{WIDTH}" stroke="#ddd"/>'
            f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#444">{_tick(power)}</text>'
        )
    bottom = TOP + HEIGHT
    parts += [
        f'<path d="M{x(size):.1f} {bottom}v6" stroke="#444"/><text x="{x(size):.1f}" '
        f'y="{bottom + 22}" text-anchor="middle" fill="#444">{size:,}</text>'
        for size in sizes
    ]
    parts.append(
        f'<text x="{left + WIDTH / 2}" y="{bottom + 46}" text-anchor="middle">{what}</text>'
    )
    start = 1.5e-4 if what != "draws" else 0.1
    parts.append(
        f'<path d="M{x(sizes[0]):.1f} {_y(start):.1f}L{x(sizes[-1]):.1f} '
        f'{_y(start * sizes[-1] / sizes[0]):.1f}" stroke="#999" stroke-width="2" '
        'stroke-dasharray="2 5" fill="none"/>'
    )
    works = BY_DRAWS if what == "draws" else tuple(WORKS)
    ends = _apart([_y(found[what, w, sizes[-1]]["cpu"]) for w in works])
    for work, end in zip(works, ends, strict=True):
        points = [(x(s), _y(found[what, work, s]["cpu"])) for s in sizes]
        line = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>' for a, b in points)
        colour = WORKS[work]
        parts.append(
            f'<g fill="{colour}"><path d="M{line}" stroke="{colour}" stroke-width="2" fill="none"/>'
            f'{dots}<text x="{left + WIDTH - 4}" y="{end + 4:.1f}">{work}</text></g>'
        )
    return parts


def _tick(power: int) -> str:
    return f"{10**power:g} s" if power >= 0 else f"{10.0 ** (power + 3):g} ms"


def _apart(wanted: list[float], least: float = 16) -> list[float]:
    """Move the names of lines that end close together away from each other."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    placed = list(wanted)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + least)
    return placed


def main() -> None:
    found = measure()
    as_claimed = report(found)
    for path in sys.argv[1:]:
        text = picture(found)
        Path(path).write_text(text, encoding="utf-8")
        print(f"{path}: {len(text.encode()):,} bytes")
    if not as_claimed:
        raise SystemExit("cost grows faster than claimed; is the machine busy with something else?")


if __name__ == "__main__":
    main()
