"""Pieces: the charts of a report as PNG pictures for papers, drawn as those of `arena curve`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from arena.report import training
from arena.report.html import Json
from arena.report.league import read
from arena.report.sections import charts
from arena.store import RunFolder
from arena.store.about import kind_of
from arena.training.chart import (
    BOTTOM,
    COLORS,
    FAINT,
    HEIGHT,
    INK,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Path2D,
    Words,
    axis,
    grid,
    png,
)

Shapes = Iterator[Path2D | Words]
LOSE, EVEN, WIN = (184, 80, 12), (236, 234, 228), (11, 95, 158)
CELL, MARGIN, HEADROOM = 18, 190, 46
"""Of a heat map: side of a cell, room for names, room for the title."""
ANCHOR = "#777777"


def pictures(run: RunFolder, drawn: Json | None = None) -> dict[str, bytes]:
    """PNG files by name, of `run`, or of the charts `drawn`. The tree of snapshots is for the page only.

    Raises:
        InputError: the folder cannot be read.
    """
    if drawn is None:
        drawn = charts(read(run)) if kind_of(run.about) == "league" else training.charts(training.read(run))
    made = {}
    for name, chart in drawn.items():
        file = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
        if chart["type"] == "lines" and chart["lines"]:
            made[file] = png(list(lines(chart)))
        elif chart["type"] == "heat":
            view = chart["views"][0]
            side = CELL * len(view["names"])
            made[file] = png(list(heat(chart["title"], view)), (MARGIN + side + 20, HEADROOM + side + 20))
    return made


def lines(chart: Json) -> Shapes:
    """A chart of lines over env steps."""
    shown, levels = chart["lines"], chart["levels"]
    xs = [np.array(line["steps"], np.float64) for line in shown]
    series = [_numbers(line[key]) for line in shown for key in ("y", "low", "high") if key in line]
    x_axis = axis(xs, LEFT, WIDTH - RIGHT, snug=True)
    heights = (
        [np.array(chart["domain"])] if chart["domain"] else [*series, *(np.array([level["y"]]) for level in levels)]
    )
    y_axis = axis([values[np.isfinite(values)] for values in heights], HEIGHT - BOTTOM, TOP)
    yield from grid(x_axis, y_axis)
    for level in levels:
        y = y_axis.place(level["y"])
        yield Path2D([(LEFT, y), (WIDTH - RIGHT, y)], ANCHOR, dashed=True)
        yield Words(WIDTH - RIGHT - 4, y - 5, level["name"], 11, "end")
    for number, (line, x) in enumerate(zip(shown, xs, strict=True)):
        color = COLORS[number % len(COLORS)]
        across = [x_axis.place(value) for value in x.tolist()]
        if "low" in line:
            low, high = ([y_axis.place(value) for value in _numbers(line[key]).tolist()] for key in ("low", "high"))
            yield Path2D(
                [*zip(across, high, strict=True), *zip(across[::-1], low[::-1], strict=True)], color, filled=True
            )
        points = [
            (a, y_axis.place(y)) for a, y in zip(across, _numbers(line["y"]).tolist(), strict=True) if np.isfinite(y)
        ]
        yield Path2D(points, color, 2.0)
        place = HEIGHT - BOTTOM - 14 - 18 * (len(shown) - 1 - number)
        yield Path2D([(WIDTH - RIGHT - 150, place), (WIDTH - RIGHT - 128, place)], color, 3.0)
        yield Words(WIDTH - RIGHT - 122, place + 4, line["name"], anchor="start")
    yield Words(WIDTH / 2, 26, chart["title"], 16)
    yield Words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, "env steps")
    yield Words(20, (TOP + HEIGHT - BOTTOM) / 2, chart["y"], turned=True)


def heat(title: str, view: Json) -> Shapes:
    """A heat map."""
    names = view["names"]
    yield Words(MARGIN, 24, title, 15, "start")
    for row, name in enumerate(names):
        y = HEADROOM + CELL * (row + 0.75)
        yield Words(MARGIN - 8, y, f"{name if len(name) < 24 else name[:22] + '…'}  {row + 1}", 11, "end")
        yield Words(MARGIN + CELL * (row + 0.5), HEADROOM - 6, str(row + 1), 8)
        yield _square(row, row, FAINT)
    for i, j, _, share, _, _ in view["cells"]:
        yield _square(i, j, _color(share))
        yield _square(j, i, _color(1 - share))
    side = CELL * len(names)
    corners = [
        (MARGIN, HEADROOM),
        (MARGIN + side, HEADROOM),
        (MARGIN + side, HEADROOM + side),
        (MARGIN, HEADROOM + side),
    ]
    yield Path2D([*corners, corners[0]], INK)


def _square(row: int, column: int, color: str) -> Path2D:
    x, y = MARGIN + CELL * column, HEADROOM + CELL * row
    side = CELL - 1
    return Path2D([(x, y), (x + side, y), (x + side, y + side), (x, y + side)], color, filled=True, opacity=1.0)


def _color(share: float) -> str:
    ends, part = ((LOSE, EVEN), 2 * share) if share < 0.5 else ((EVEN, WIN), 2 * share - 1)
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in zip(*ends, strict=True))


def _numbers(values: list[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([np.nan if value is None else value for value in values], np.float64)
