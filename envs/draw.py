"""Paints a `Scene` with pygame: into an array, a file's pixels or a window.

Needs no display except for `Window`, and never starts pygame's sound. Discs are blitted from cached sprites
whose edge pixels hold their share of the disc, at quarter-pixel positions: smooth, and faster than drawing
twice as large and shrinking.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from functools import lru_cache

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import numpy as np
import pygame
from numpy.typing import NDArray

from envs.core import Floats
from envs.errors import InputError
from envs.scene import Circle, Color, HalfDisc, Line, Rectangle, Scene, Shape, Text

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
        words = _words(shape.text, round(shape.height * self.scale), shape.color)
        self.surface.blit(words, words.get_rect(center=self._point(shape.x, shape.y)))


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


@lru_cache(maxsize=512)
def _words(text: str, height: int, color: Color) -> pygame.Surface:
    """One line of text, cached: most stay the same from frame to frame."""
    if not pygame.font.get_init():  # also after somebody's pygame.quit(), which makes old fonts invalid
        pygame.font.init()
        _font.cache_clear()
    return _font(max(height, 4)).render(text, True, color)


@lru_cache(maxsize=32)
def _font(height: int) -> pygame.font.Font:
    return pygame.font.Font(None, height)


class Window:
    """One resizable window that shows scenes, and the keys pressed in it."""

    def __init__(self, title: str, width: int, height: int) -> None:
        """Open it, `width` x `height` pixels.

        Raises:
            InputError: if there is no display.
        """
        try:
            _start_display()
            self._screen = pygame.display.set_mode((width, height), pygame.RESIZABLE)
        except pygame.error:
            pygame.display.quit()
            raise InputError("cannot open a window: there is no display.") from None
        pygame.display.set_caption(title)
        self._clock = pygame.time.Clock()
        self.is_open = True

    def show(self, scene: Scene, overlay: Sequence[str] = ()) -> None:
        """Paint `scene` as large as fits, and the lines of `overlay` in a panel over its middle."""
        self._screen = pygame.display.get_surface() or self._screen
        outer = self._screen.get_rect()
        share = min(outer.width / scene.width, outer.height / scene.height)
        box = pygame.Rect(0, 0, max(1, round(scene.width * share)), max(1, round(scene.height * share)))
        box.center = outer.center
        if box.size != outer.size:
            self._screen.fill((0, 0, 0))
        box = box.clip(outer)
        paint(scene, self._screen.subsurface(box))
        if overlay:
            _panel(self._screen, overlay, max(14, box.height // 18))
        pygame.display.flip()

    def pressed(self) -> list[str]:
        """Keys pressed since the last call, oldest first: "space", "right", "a", "+"; "quit" if closed."""
        keys = []
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                keys.append("quit")
            elif event.type == pygame.KEYDOWN:
                typed = getattr(event, "unicode", "")
                visible = typed.isprintable() and not typed.isspace()
                keys.append(typed.lower() if typed and visible else pygame.key.name(event.key))
        return keys

    def pace(self, fps: float) -> float:
        """Wait so that calls come `fps` times a second at most; returns the seconds since the last call."""
        return self._clock.tick(fps) / 1000

    def close(self) -> None:
        """Close it; a second call does nothing."""
        if self.is_open:
            self.is_open = False
            pygame.display.quit()


def _start_display() -> None:
    """Let SDL choose a video driver, but none that nobody sees unless it was asked for."""
    chosen = os.environ.get("SDL_VIDEODRIVER")
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not chosen and not any(map(os.environ.get, screens)):
        raise pygame.error("no display")  # SDL's own attempt would print to standard error
    pygame.display.init()
    if pygame.display.get_driver() == "offscreen" and not chosen:
        raise pygame.error("no display that can be seen")


def _panel(surface: pygame.Surface, lines: Sequence[str], height: int) -> None:
    """Lines of text on a translucent panel in the middle of `surface`; a tab separates two columns."""
    cells = [[_words(cell, height, (240, 240, 240)) for cell in line.split("\t")] for line in lines]
    key = max((row[0].get_width() for row in cells if len(row) > 1), default=0) + height
    widths = [key + row[1].get_width() if len(row) > 1 else row[0].get_width() for row in cells]
    step = round(height * 1.15)
    box = pygame.Rect(0, 0, max(widths) + 2 * height, step * len(lines) + height)
    box.center = surface.get_rect().center
    shade = pygame.Surface(box.size, pygame.SRCALPHA, 32)
    pygame.draw.rect(shade, (0, 0, 0, 190), shade.get_rect(), border_radius=height // 2)
    surface.blit(shade, box)
    for index, row in enumerate(cells):
        y = box.y + height // 2 + index * step
        if len(row) > 1:
            surface.blit(row[0], (box.x + height, y))
            surface.blit(row[1], (box.x + height + key, y))
        else:
            surface.blit(row[0], (box.centerx - row[0].get_width() // 2, y))
