"""The window that people play in: as `Window`, and it tells where somebody clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pygame

from envs.scene import Scene
from envs.window import Window


class PlayWindow(Window):
    """Without a strip."""

    def clicked(self, scene: Scene) -> tuple[float, float] | None:
        """Where somebody has clicked last since the last call, in units of `scene`, which is shown; None: nowhere.

        To be asked before `pressed`, which takes in whatever has happened.
        """
        places = [event.pos for event in pygame.event.get(pygame.MOUSEBUTTONDOWN) if event.button == 1]
        return place_in(scene, self.size, places[-1]) if places else None


def place_in(scene: Scene, size: tuple[int, int], pixel: tuple[int, int]) -> tuple[float, float]:
    """Where `pixel` of a window of `size` lies, in units of `scene`, which fills it as far as it can."""
    share = min(size[0] / scene.width, size[1] / scene.height)
    width, height = scene.width * share, scene.height * share
    across = (pixel[0] - (size[0] - width) / 2) / width
    down = (pixel[1] - (size[1] - height) / 2) / height
    return scene.left + across * (scene.right - scene.left), scene.top - down * (scene.top - scene.bottom)


class Screen(Protocol):
    """What is used of `PlayWindow`."""

    def clicked(self, scene: Scene) -> tuple[float, float] | None:
        """Where in `scene` somebody has clicked."""
        ...

    def pressed(self) -> list[str]:
        """Keys that went down."""
        ...

    def held(self) -> set[str]:
        """Keys that are down."""
        ...

    def show(self, scene: Scene, overlay: Sequence[str] = ()) -> None:
        """Draw."""
        ...

    def pace(self, fps: float) -> float:
        """Wait for the next picture; s since the last one."""
        ...

    def close(self) -> None:
        """Close it."""
        ...
