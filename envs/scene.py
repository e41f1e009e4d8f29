"""What an env draws with: a few shapes in the game's own units, y pointing up.

A `Scene` is plain data. `envs.draw` paints it with pygame; anything else that can fill a disc can too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

Color = tuple[int, int, int]
Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Circle:
    """Filled disc; centre and radius in game units."""

    x: float
    y: float
    radius: float
    color: Color


@dataclass(frozen=True, slots=True)
class HalfDisc:
    """Upper half of a filled disc that stands on y."""

    x: float
    y: float
    radius: float
    color: Color


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Filled, axis-aligned."""

    left: float
    bottom: float
    right: float
    top: float
    color: Color


@dataclass(frozen=True, slots=True)
class Line:
    """Straight, `width` in game units."""

    x0: float
    y0: float
    x1: float
    y1: float
    width: float
    color: Color


@dataclass(frozen=True, slots=True)
class Text:
    """One line, its middle at y; `height` in game units."""

    x: float
    y: float
    text: str
    height: float
    color: Color
    align: Align = "center"
    """Which point of the line is at x."""
    room: float = inf
    """Greatest width, game units: what is longer is written smaller, and cut short where that does not help."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that somebody else has painted, stretched over a rectangle."""

    left: float
    bottom: float
    right: float
    top: float
    width: int
    """Pixels, as `height`."""
    height: int
    pixels: bytes
    """[height, width, 3] uint8 red, green, blue, the top row first."""


Shape = Circle | HalfDisc | Rectangle | Line | Text | Picture


@dataclass(frozen=True, slots=True)
class Scene:
    """Shapes in paint order, and the part of the world that is visible."""

    left: float
    right: float
    bottom: float
    top: float
    background: Color
    shapes: tuple[Shape, ...]
    width: int
    """Natural width of the picture, pixels; the height follows from the visible part."""

    @property
    def height(self) -> int:
        """Natural height, pixels."""
        return round(self.width * (self.top - self.bottom) / (self.right - self.left))
