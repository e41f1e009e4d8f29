"""Paints a `Scene` with pygame: into an array, a file's pixels or a window (`envs.window`).

Needs no display, and never starts pygame's sound. Discs are blitted from cached sprites
whose edge pixels hold their share of the disc, at quarter-pixel positions: smooth, and faster than drawing
twice as large and shrinking.
"""

from __future__ import annotations

import math
import os
from functools import lru_cache

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import numpy as np
import pygame
from numpy.typing import NDArray

from envs.core import Floats
from envs.scene import Circle, Color, HalfDisc, Line, Picture, Rectangle, Scene, Shape, Text

Image = NDArray[np.uint8]
SUBPIXELS = 4
"""Positions per pixel and axis at which a disc can stand."""
RGB_MASKS = (0x0000FF, 0x00FF00, 0xFF0000, 0)
"""Puts red, green, blue in this order in memory, so that taking the pixels out is one plain copy."""


def rgb_array(scene: Scene, width: int | None = None) -> Image:
    """The picture as [H, W, 3] uint8, `width` pixels wide (the scene's natural width if None)."""
    surface = pygame.Surface(size(scene, width), 0, 24, RGB_MASKS)
    paint(scene, surface)
    return np.ascontiguousarray(pygame.surfarray.pixels3d(surface).swapaxes(0, 1))


def size(scene: Scene, width: int | None = None) -> tuple[int, int]:
    """Width and height in pixels, the aspect ratio kept."""
    if width is None:
        return scene.width, scene.height
    return width, max(1, round(width * scene.height / scene.width))


def paint(scene: Scene, surface: pygame.Surface) -> None:
    """Fill `surface` with the visible part of `scene`."""
    surface.fill(scene.background)
    view = _View(scene, surface)
    for shape in scene.shapes:
        view.paint(shape)


class _View:
    """Where game units lie on a surface."""

    def __init__(self, scene: Scene, surface: pygame.Surface) -> None:
        self.surface = surface
        self.left, self.top = scene.left, scene.top
        self.scale = surface.get_width() / (scene.right - scene.left)

    def paint(self, shape: Shape) -> None:
        match shape:
            case Circle():
                self._disc(shape, False)
            case HalfDisc():
                self._disc(shape, True)
            case Rectangle():
                self._rectangle(shape)
            case Line():
                self._line(shape)
            case Text():
                self._text(shape)
            case Picture():
                self._picture(shape)

    def _point(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.left) * self.scale, (self.top - y) * self.scale

    def _disc(self, shape: Circle | HalfDisc, half: bool) -> None:
        x, y = self._point(shape.x, shape.y)
        (column, shift_x), (row, shift_y) = _split(x), _split(y)
        sprite = _disc(round(shape.radius * self.scale, 2), shape.color, shift_x, shift_y, half)
        reach = sprite.get_width() // 2
        self.surface.blit(sprite, (column - reach, row - reach))

    def _rectangle(self, shape: Rectangle) -> None:
        (left, shift_x), (top, shift_y) = (_split(at) for at in self._point(shape.left, shape.top))
        (right, rest_x), (bottom, rest_y) = (_split(at) for at in self._point(shape.right, shape.bottom))
        if not (shift_x or shift_y or rest_x or rest_y):
            self.surface.fill(shape.color, (left, top, right - left, bottom - top))
            return
        across = (shift_x, (right - left) * SUBPIXELS + rest_x)
        down = (shift_y, (bottom - top) * SUBPIXELS + rest_y)
        self.surface.blit(_box(across, down, shape.color), (left, top))

    def _line(self, shape: Line) -> None:
        (x0, y0), (x1, y1) = self._point(shape.x0, shape.y0), self._point(shape.x1, shape.y1)
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        half = max(shape.width * self.scale, 1.0) / 2
        across = -(y1 - y0) / length * half, (x1 - x0) / length * half
        corners = [
            (x0 + across[0], y0 + across[1]),
            (x1 + across[0], y1 + across[1]),
            (x1 - across[0], y1 - across[1]),
            (x0 - across[0], y0 - across[1]),
        ]
        pygame.draw.polygon(self.surface, shape.color, corners)
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            pygame.draw.aaline(self.surface, shape.color, start, end)

    def _text(self, shape: Text) -> None:
        room = shape.room * self.scale
        most = round(room) if math.isfinite(room) else 0
        line = words(shape.text, round(shape.height * self.scale), shape.color, most)
        x, y = self._point(shape.x, shape.y)
        share = {"left": 0.0, "center": 0.5, "right": 1.0}[shape.align]
        self.surface.blit(line, (round(x - share * line.get_width()), round(y - line.get_height() / 2)))

    def _picture(self, shape: Picture) -> None:
        (left, top), (right, bottom) = self._point(shape.left, shape.top), self._point(shape.right, shape.bottom)
        source = pygame.image.frombuffer(shape.pixels, (shape.width, shape.height), "RGB")
        place = pygame.Rect(round(left), round(top), round(right - left), round(bottom - top))
        grows = place.width > shape.width
        scaled = (pygame.transform.scale if grows else pygame.transform.smoothscale)(source, place.size)
        self.surface.blit(scaled, place)


def _split(at: float) -> tuple[int, int]:
    """A place in pixels as whole pixels and the rest in 1 / SUBPIXELS."""
    return divmod(round(at * SUBPIXELS), SUBPIXELS)


@lru_cache(maxsize=1024)
def _disc(radius: float, color: Color, shift_x: int, shift_y: int, half: bool) -> pygame.Surface:
    """A disc (or its upper half) around the upper left corner of the middle pixel, moved by the shifts."""
    reach = math.ceil(radius) + 1
    side = np.arange(-reach, reach + 1) + 0.5
    x, y = side[:, None] - shift_x / SUBPIXELS, side[None, :] - shift_y / SUBPIXELS
    cover = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return _tinted(cover * np.clip(0.5 - y, 0, 1) if half else cover, color)


@lru_cache(maxsize=256)
def _box(across: tuple[int, int], down: tuple[int, int], color: Color) -> pygame.Surface:
    """A rectangle from start to end in 1 / SUBPIXELS, in both directions."""
    return _tinted(np.outer(_share(*across), _share(*down)), color)


def _share(start: int, end: int) -> Floats:
    """How much of each pixel from 0 on lies between start and end, both in 1 / SUBPIXELS."""
    pixel = np.arange(max(1, math.ceil(end / SUBPIXELS)))
    share: Floats = np.minimum(pixel + 1, end / SUBPIXELS) - np.maximum(pixel, start / SUBPIXELS)
    return share.clip(0, 1)


def _tinted(cover: Floats, color: Color) -> pygame.Surface:
    """A sprite of one colour; `cover` [width, height] is the share of each pixel that it covers."""
    sprite = pygame.Surface(cover.shape, pygame.SRCALPHA, 32)
    sprite.fill((*color, 0))
    pygame.surfarray.pixels_alpha(sprite)[...] = np.rint(cover * 255).astype(np.uint8)
    return sprite


SMALLEST = 0.6
"""Share of the wanted height down to which text shrinks before it is cut short."""
ELSEWHERE = (
    "notosanscjkjp", "notosanscjksc", "notosanscjk", "notosans", "pingfangsc", "hiraginosans", "applesdgothicneo",
    "arialunicode", "microsoftyahei", "msgothic", "malgungothic", "segoeui", "wenquanyizenhei", "wenquanyimicrohei",
    "droidsansfallback", "unifont", "dejavusans", "freesans", "liberationsans",
)  # fmt: skip
"""Families of other people's machines that have letters which pygame's own lacks, the best first."""


@lru_cache(maxsize=512)
def words(text: str, height: int, color: Color, room: int = 0) -> pygame.Surface:
    """One line of text, cached: most stay the same from frame to frame.

    Args:
        height: of the line, pixels.
        room: most pixels it may be wide, 0 for any.
    """
    if not pygame.font.get_init():  # also after somebody's pygame.quit(), which makes old fonts invalid
        pygame.font.init()
        _font.cache_clear()
    text = "".join(letter for letter in text if letter.isprintable())
    height = max(height, 4)
    family = _family(text)
    font = _font(family, height)
    wide = font.size(text)[0]
    if room and wide > room:
        font = _font(family, max(4, math.floor(height * max(SMALLEST, room / wide))))
        text = _cut(text, font, room)
    return font.render(text, True, color)


def _cut(text: str, font: pygame.font.Font, room: int) -> str:
    """As much of `text` as is at most `room` pixels wide, with an ellipsis where something is missing."""
    if font.size(text)[0] <= room:
        return text
    fits, fails = 0, len(text)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if font.size(text[:middle] + "…")[0] <= room:
            fits = middle
        else:
            fails = middle
    return text[:fits].rstrip() + "…"


@lru_cache(maxsize=128)
def _family(text: str) -> str | None:
    """The font file that has all letters of `text`: pygame's own (None) if it does or nobody else here does."""
    if _covers(None, text):
        return None
    files = (pygame.font.match_font(name) for name in ELSEWHERE)
    return next((file for file in files if file and _covers(file, text)), None)


NOBODYS, INK = "\U0010fffd", (255, 255, 255)
"""A letter that no font has, so that what is drawn for it stands for all that are missing."""


def _covers(file: str | None, text: str) -> bool:
    font = _font(file, 12)
    missing = pygame.image.tobytes(font.render(NOBODYS, False, INK), "RGB")
    return not any(pygame.image.tobytes(font.render(letter, False, INK), "RGB") == missing for letter in {*text})


@lru_cache(maxsize=64)
def _font(file: str | None, height: int) -> pygame.font.Font:
    return pygame.font.Font(file, height)
