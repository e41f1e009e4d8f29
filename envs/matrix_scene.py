"""Matrix games as a picture: what both seats chose last, and what it was worth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from envs.core import Floats
from envs.scene import Circle, Color, Line, Rectangle, Scene, Shape, Text

WIDTH = 800
"""Pixels, for 16 x 9 units."""
GROUND, PANEL, INK, DIM = (24, 28, 38), (38, 44, 58), (236, 238, 242), (140, 148, 164)
STONE, SHEET, STEEL, HANDLE = (128, 124, 120), (244, 240, 226), (190, 200, 210), (214, 72, 60)
GAIN, LOSS = (96, 200, 120), (226, 98, 86)
HANDS = ("rock", "paper", "scissors")
"""Names of the choices where there are three."""


def matrix_scene(last: Sequence[int], payoff: Floats) -> Scene:
    """`last` [2] choices of the seats, -1 where nothing has been played; `payoff` [A, A]."""
    shapes: list[Shape] = []
    for seat, x in ((0, 4.25), (1, 11.75)):
        shapes.append(Rectangle(x - 3, 2.4, x + 3, 7.6, PANEL))
        shapes.append(Text(x, 8.3, ("seat 0", "seat 1")[seat], 0.7, DIM))
        shapes += _choice(x, last[seat], len(payoff))
        if min(last) >= 0:
            own = float(payoff[last[seat], last[1 - seat]])
            shapes.append(Text(x, 1.3, f"{own:+g}" if own else "0", 1.1, _worth(own)))
    shapes.append(Text(8.0, 5.0, "vs", 0.8, DIM))
    return Scene(0.0, 16.0, 0.0, 9.0, GROUND, tuple(shapes), WIDTH)


def _worth(own: float) -> Color:
    return GAIN if own > 0 else LOSS if own < 0 else INK


def _choice(x: float, choice: int, choices: int) -> Iterator[Shape]:
    """What was chosen, around (x, 5): a thing and its name where there are three, else its number."""
    if choice < 0 or choices != len(HANDS):
        yield Text(x, 5.0, "?" if choice < 0 else str(choice), 3.0, DIM if choice < 0 else INK)
        return
    yield from (_rock, _paper, _scissors)[choice](x, 5.4)
    yield Text(x, 3.0, HANDS[choice], 0.75, INK)


def _rock(x: float, y: float) -> Iterator[Shape]:
    yield Circle(x, y, 1.4, STONE)
    yield Circle(x - 0.85, y - 0.55, 0.85, STONE)
    yield Circle(x + 0.9, y - 0.5, 0.9, STONE)
    yield Circle(x - 0.4, y + 0.5, 0.35, (156, 152, 148))


def _paper(x: float, y: float) -> Iterator[Shape]:
    yield Rectangle(x - 1.15, y - 1.5, x + 1.15, y + 1.5, SHEET)
    for line in range(4):
        height = y + 0.9 - 0.6 * line
        yield Line(x - 0.8, height, x + (0.8 if line < 3 else 0.1), height, 0.08, DIM)


def _scissors(x: float, y: float) -> Iterator[Shape]:
    for side in (-1, 1):
        angle = math.radians(90 + 22 * side)
        across, up = math.cos(angle), math.sin(angle)
        yield Line(x - 0.6 * across, y - 0.3 - 0.6 * up, x + 1.9 * across, y - 0.3 + 1.9 * up, 0.24, STEEL)
        yield Circle(x - 1.15 * across, y - 0.3 - 1.15 * up, 0.55, HANDLE)
        yield Circle(x - 1.15 * across, y - 0.3 - 1.15 * up, 0.28, PANEL)
    yield Circle(x, y - 0.3, 0.12, GROUND)
