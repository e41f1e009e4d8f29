"""Window: one on the desktop that shows scenes, the keys pressed and held in it, and the mouse on its strip."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pygame

from envs.draw import paint, words
from envs.errors import InputError
from envs.scene import Scene

SHIFTED = "shift+"
"""Before the name of a key that writes nothing by itself: "shift+left"."""


class Window:
    """Resizable. Below the scene there may be a strip, which is a scene of its own as wide as the window."""

    def __init__(self, title: str, width: int, height: int, strip: int = 0) -> None:
        """Open it.

        Args:
            width: of the scene and the window, pixels.
            height: of the scene, pixels.
            strip: height of the strip, pixels.

        Raises:
            InputError: if there is no display.
        """
        try:
            _start_display()
            self._screen = pygame.display.set_mode((width, height + strip), pygame.RESIZABLE)
        except pygame.error:
            pygame.display.quit()
            raise InputError("cannot open a window: there is no display.") from None
        pygame.display.set_caption("".join(filter(str.isprintable, title)))
        self._clock = pygame.time.Clock()
        self._strip = strip
        self._down: set[str] = set()
        self._tapped: set[str] = set()
        self._gripping = False
        self._grip: float | None = None
        self.is_open = True

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels; the strip included."""
        return self._screen.get_size()

    def show(self, scene: Scene, overlay: Sequence[str] = (), strip: Scene | None = None) -> None:
        """Paint `scene` as large as fits, the lines of `overlay` in a panel over its middle, and the `strip`."""
        self._screen = pygame.display.get_surface() or self._screen
        outer = self._screen.get_rect()
        outer.height = max(1, outer.height - self._strip)
        share = min(outer.width / scene.width, outer.height / scene.height)
        box = pygame.Rect(0, 0, max(1, round(scene.width * share)), max(1, round(scene.height * share)))
        box.center = outer.center
        if box.size != outer.size:
            self._screen.fill((0, 0, 0))
        box = box.clip(outer)
        paint(scene, self._screen.subsurface(box))
        if overlay:
            _panel(self._screen, overlay, max(9, box.height // max(22, round(1.3 * len(overlay)))))
        if strip is not None and self._strip:
            below = pygame.Rect(0, outer.height, outer.width, self._strip).clip(self._screen.get_rect())
            paint(strip, self._screen.subsurface(below))
        pygame.display.flip()

    def pressed(self) -> list[str]:
        """Keys pressed since the last call, oldest first: "space", "right", "shift+right", "a", "+"; "quit" if closed.

        Also takes note of everything else that has happened: `held` and `scrubbed` tell.
        """
        keys = []
        self._tapped.clear()
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                keys.append("quit")
            elif event.type == pygame.KEYDOWN:
                self._down.add(name := pygame.key.name(event.key))
                self._tapped.add(name)
                keys.append(_named(event, name))
            elif event.type == pygame.KEYUP:
                self._down.discard(pygame.key.name(event.key))
            elif event.type == pygame.WINDOWFOCUSLOST:
                self._down.clear()  # whoever has the focus now is told that they are let go
            elif event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP, pygame.MOUSEMOTION):
                self._point(event)
        return keys

    def held(self) -> set[str]:
        """Keys that were down at the last call of `pressed` or were tapped before it, by what is written on them
        without shift: "left", "a", "space", "left shift"."""
        return self._down | self._tapped

    def scrubbed(self) -> float | None:
        """Where on the strip somebody has clicked, or dragged to, since the last call: 0 its left end, 1 the right."""
        grip, self._grip = self._grip, None
        return grip

    def _point(self, event: pygame.Event) -> None:
        """Follow the left mouse button from where it is pressed on the strip, wherever it goes."""
        width, height = self._screen.get_size()
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            self._gripping = event.pos[1] >= height - self._strip
        if self._gripping and getattr(event, "button", 1) == 1:
            self._grip = min(max(event.pos[0] / max(width, 1), 0.0), 1.0)
        if event.type == pygame.MOUSEBUTTONUP and event.button == 1:
            self._gripping = False

    def pace(self, fps: float) -> float:
        """Wait so that calls come `fps` times a second at most; returns the seconds since the last call."""
        return self._clock.tick(fps) / 1000

    def close(self) -> None:
        """Close it; a second call does nothing."""
        if self.is_open:
            self.is_open = False
            pygame.display.quit()


def _named(event: pygame.Event, name: str) -> str:
    """What a key is called: the letter that it writes, else its name, and whether shift is down too."""
    typed = getattr(event, "unicode", "")
    if typed and typed.isprintable() and not typed.isspace():
        return str(typed.lower())
    return f"{SHIFTED}{name}" if getattr(event, "mod", 0) & pygame.KMOD_SHIFT else name


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
    cells = [[words(cell, height, (240, 240, 240)) for cell in line.split("\t")] for line in lines]
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
