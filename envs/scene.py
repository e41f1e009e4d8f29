"""What an env draws with: a few shapes in the game's own units, y pointing up.

A `Scene` is plain data. `envs.draw` paints it with pygame; anything else that can fill a disc can too.
"""

from __future__ import annotations

from dataclasses import dataclass

Color = tuple[int, int, int]


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
    """One line, centred on x, y; `height` in game units."""

    x: float
    y: float
    text: str
    height: float
    color: Color


Shape = Circle | HalfDisc | Rectangle | Line | Text


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
