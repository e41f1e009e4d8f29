"""What `render_mode` means, the same for all outside faces of a batch env."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.core import BatchEnv
from envs.errors import unknown

if TYPE_CHECKING:
    from envs.window import Window

Image = NDArray[np.uint8]
RENDER_MODES = ("rgb_array", "human")


class Screen:
    """Shows game 0 of a batch env: as pictures on demand, or at real speed in a window, or not at all."""

    def __init__(self, env: BatchEnv, mode: str | None) -> None:
        """`mode` is None or one of `RENDER_MODES`; the window opens with the first picture.

        Raises:
            InputError: an unknown mode.
        """
        if mode is not None and mode not in RENDER_MODES:
            raise unknown("render_mode", mode, RENDER_MODES)
        self._env = env
        self._window: Window | None = None
        self.mode = mode

    def refresh(self) -> None:
        """After each step of a watched game: show it, and wait until its time has passed.

        Raises:
            InputError: if there is no display.
        """
        if self._window is None:
            from envs.window import Window

            scene = self._env.draw(0)
            self._window = Window(self._env.spec.id, scene.width, scene.height)
        if not self._window.is_open:
            return
        self._window.show(self._env.draw(0))
        if "quit" in self._window.pressed():
            self._window.close()  # the game goes on unseen
        else:
            self._window.pace(1 / self._env.spec.step_seconds)

    def render(self) -> Image | None:
        """[H, W, 3] in mode "rgb_array"; a watched game is shown by itself, so None."""
        return picture(self._env, 0) if self.mode == "rgb_array" else None

    def close(self) -> None:
        """Close the window, if one is open."""
        if self._window is not None:
            self._window.close()
            self._window = None


def picture(env: BatchEnv, row: int) -> Image:
    """Game `row` as [H, W, 3]."""
    from envs.draw import rgb_array

    return rgb_array(env.draw(row))


def frames_per_second(env: BatchEnv) -> int:
    """`render_fps` of both libraries' metadata."""
    return round(1 / env.spec.step_seconds)
