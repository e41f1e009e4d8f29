"""Chart: curves with axes as shapes on a page, written as SVG or as PNG. Both are the same picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from arena.store.files import write_atomic
from arena.training.curve import Curve, Numbers, labels
from envs.errors import InputError

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 46, 56
"""Margins around the axes."""
COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
INK, FAINT, PAPER = "#222222", "#dddddd", "#ffffff"
SHARPNESS = 2
"""Pixels of the PNG per unit of the page."""
SUFFIXES = (".svg", ".png")
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Path2D:
    """A line, or with `filled` an area."""

    points: Sequence[Point]
    color: str
    width: float = 1.0
    filled: bool = False
    opacity: float = 0.2
    """Of an area, 0..1."""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text; `turned` reads upwards."""

    x: float
    y: float
    text: str
    size: int = 13
    anchor: Literal["start", "middle", "end"] = "middle"
    turned: bool = False


class Axis(NamedTuple):
    """Values `low` to `high` on a page from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Where `value` lies."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def check_target(path: Path) -> None:
    """Raise an InputError where no chart can be written."""
    if path.suffix not in SUFFIXES:
        raise InputError(f"--out {path}: a chart is written as {' or '.join(SUFFIXES)}.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"--out {path}: there is no folder {path.parent}.")


def write(path: Path, found: Sequence[Curve], x_label: str) -> None:
    """Write the chart of `found` to `path`, whole or not at all.

    Raises:
        InputError: a name of another kind of file, or a place that cannot be written to.
    """
    check_target(path)
    shapes = list(draw(found, x_label))
    data = svg(shapes).encode() if path.suffix == ".svg" else png(shapes)
    try:
        write_atomic(path, data)
    except OSError as fault:
        raise InputError(f"cannot write {path}: {fault.strerror or fault}.") from None


def draw(found: Sequence[Curve], x_label: str) -> Iterator[Path2D | Words]:
    """The chart as shapes, in the order in which they are painted."""
    x_axis = axis([curve.x for curve in found], LEFT, WIDTH - RIGHT, snug=True)
    y_axis = axis([side for curve in found for side in (curve.low, curve.high)], HEIGHT - BOTTOM, TOP)
    yield from grid(x_axis, y_axis)
    for number, (curve, label) in enumerate(zip(found, labels(found), strict=True)):
        color = COLORS[number % len(COLORS)]
        xs = [x_axis.place(x) for x in curve.x]
        lows, means, highs = ([y_axis.place(y) for y in side] for side in (curve.low, curve.mean, curve.high))
        if len(curve.paths) > 1:
            yield Path2D([*zip(xs, highs, strict=True), *zip(xs[::-1], lows[::-1], strict=True)], color, filled=True)
        yield Path2D([*zip(xs, means, strict=True)], color, 2.0)
        y = TOP + 14 + 18 * number
        yield Path2D([(LEFT + 12, y), (LEFT + 34, y)], color, 3.0)
        yield Words(LEFT + 40, y + 4, label, anchor="start")
    envs = sorted({curve.kind.env for curve in found})
    spread = ": mean and range over seeds" if any(len(curve.paths) > 1 for curve in found) else ""
    yield Words(WIDTH / 2, 26, f"{', '.join(envs)}{spread}", 16)
    yield Words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_label)
    yield Words(20, (TOP + HEIGHT - BOTTOM) / 2, "mean score of an evaluation", turned=True)


def axis(values: Sequence[Numbers], start: float, end: float, snug: bool = False) -> Axis:
    """An axis that holds all `values`, to the next tick unless it is `snug`."""
    low, high = float(min(part.min() for part in values)), float(max(part.max() for part in values))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    if not snug:
        step = tick_step(low, high)
        low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    return Axis(low, high, start, end)


def tick_step(low: float, high: float) -> float:
    """A distance of ticks of the form 1, 2 or 5 times a power of ten, some five of them between `low` and `high`."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`."""
    step = tick_step(low, high)
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def named(value: float) -> str:
    """A tick's number, short: 20k, 1.5M, 0.25."""
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale:
            return f"{value / scale:.4g}{unit}"
    return f"{value:.4g}"


def grid(x_axis: Axis, y_axis: Axis) -> Iterator[Path2D | Words]:
    """Both axes with their numbers, and thin lines across."""
    for value in ticks(y_axis.low, y_axis.high):
        y = y_axis.place(value)
        yield Path2D([(x_axis.start, y), (x_axis.end, y)], FAINT)
        yield Words(x_axis.start - 8, y + 4, named(value), anchor="end")
    for value in ticks(x_axis.low, x_axis.high):
        x = x_axis.place(value)
        yield Path2D([(x, y_axis.start), (x, y_axis.end)], FAINT)
        yield Words(x, y_axis.start + 18, named(value))
    corner = (x_axis.start, y_axis.start)
    yield Path2D([(x_axis.start, y_axis.end), corner, (x_axis.end, y_axis.start)], INK)


def svg(shapes: Sequence[Path2D | Words]) -> str:
    """A page of SVG that needs nothing else."""
    body = "\n".join(map(_svg, shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>\n{body}\n</svg>\n'
    )


def _svg(shape: Path2D | Words) -> str:
    if isinstance(shape, Words):
        turn = f' transform="rotate(-90 {shape.x:g} {shape.y:g})"' if shape.turned else ""
        place = f'x="{shape.x:.4g}" y="{shape.y:.4g}" font-size="{shape.size}" text-anchor="{shape.anchor}"'
        return f'<text {place} fill="{INK}"{turn}>{escape(shape.text)}</text>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    if shape.filled:
        return f'<polygon points="{points}" fill="{shape.color}" fill-opacity="{shape.opacity:g}"/>'
    dashes = ' stroke-dasharray="5 4"' if shape.dashed else ""
    return f'<polyline points="{points}" fill="none" stroke="{shape.color}" stroke-width="{shape.width:g}"{dashes}/>'


def png(shapes: Sequence[Path2D | Words], size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """The same as a PNG file; `size` is that of the page."""
    page = Image.new("RGBA", (size[0] * SHARPNESS, size[1] * SHARPNESS), PAPER)
    for shape in shapes:
        if isinstance(shape, Words):
            _write(page, shape)
        elif not shape.filled or shape.opacity == 1:
            _trace(ImageDraw.Draw(page), shape)
        else:
            layer = Image.new("RGBA", page.size)
            _trace(ImageDraw.Draw(layer), shape)
            page = Image.alpha_composite(page, layer)
    buffer = BytesIO()
    page.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def _trace(pen: ImageDraw.ImageDraw, shape: Path2D) -> None:
    points = [(x * SHARPNESS, y * SHARPNESS) for x, y in shape.points]
    if shape.filled:
        if len(points) > 2:
            pen.polygon(points, fill=f"{shape.color}{round(255 * shape.opacity):02x}")
        return
    for part in _dashes(points) if shape.dashed else [points]:
        pen.line(part, fill=shape.color, width=round(shape.width * SHARPNESS), joint="curve")


def _dashes(points: Sequence[Point]) -> Iterator[list[Point]]:
    """A straight line from the first to the last of `points`, in pieces."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = math.hypot(x1 - x0, y1 - y0) / SHARPNESS
    for start in range(0, int(length), 9):
        a, b = start / length, min(start + 5, length) / length
        yield [(x0 + a * (x1 - x0), y0 + a * (y1 - y0)), (x0 + b * (x1 - x0), y0 + b * (y1 - y0))]


def _write(page: Image.Image, words: Words) -> None:
    font = ImageFont.load_default(words.size * SHARPNESS)
    left, _, right, _ = font.getbbox(words.text)
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[words.anchor]
    if not words.turned:
        place = (words.x * SHARPNESS - share * (right - left), words.y * SHARPNESS)
        ImageDraw.Draw(page).text(place, words.text, fill=INK, font=font, anchor="ls")
        return
    strip = Image.new("RGBA", (math.ceil(right - left) + 2, 2 * words.size * SHARPNESS))
    ImageDraw.Draw(strip).text((0, 1.5 * words.size * SHARPNESS), words.text, fill=INK, font=font, anchor="ls")
    strip = strip.rotate(90, expand=True)
    place_x = round(words.x * SHARPNESS - 1.5 * words.size * SHARPNESS)
    page.paste(strip, (place_x, round(words.y * SHARPNESS - (1 - share) * strip.height)), strip)
