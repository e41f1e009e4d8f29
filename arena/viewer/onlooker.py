"""Onlooker: the first game of a training in a window, while it learns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from agents.play import Step
from envs.core import BatchEnv
from envs.draw import size
from envs.errors import InputError
from envs.registry import build
from envs.window import Window

KEYS = ("space\tpause learning, go on", "s\tat the speed of the game, or as fast as it learns", "h\tthese keys",
        "q esc\tclose; it learns on")  # fmt: skip
FPS = 30
"""Pictures per second; learning does not wait for them."""


class Onlooker:
    """Draws game 0 after a step, if it is time for a picture, and obeys keys."""

    def __init__(self, env_id: str, options: Mapping[str, Any]) -> None:
        """Open the window.

        Raises:
            InputError: if there is no display, or the game cannot be drawn.
        """
        env = build(env_id, 1, options)
        env.reset(0)
        scene = env.draw(0)
        try:
            self._window = Window(f"{env_id}, learning (h: keys)", *size(scene))
        except InputError:
            raise InputError(
                "--render cannot open a window without a display: leave it out, and record what was learnt with "
                "`arena watch DIR@champion --record game.webp`."
            ) from None
        self.paused = self.slow = self.helping = False
        self._shown = 0.0

    def __call__(self, env: BatchEnv, step: Step) -> None:
        """See `arena.trainer.Watch`."""
        if self.slow and self._window.is_open:
            self._window.pace(1 / env.spec.step_seconds)
        if time.monotonic() - self._shown < 1 / FPS:
            return
        self._picture(env)
        while self.paused and self._window.is_open:
            self._window.pace(FPS)
            self._picture(env)

    def close(self) -> None:
        """Close the window; a second call does nothing."""
        self._window.close()

    def _picture(self, env: BatchEnv) -> None:
        if not self._window.is_open:
            return
        for key in self._window.pressed():
            self._obey(key)
        if self._window.is_open:
            self._window.show(env.draw(0), KEYS if self.helping else ())
        self._shown = time.monotonic()

    def _obey(self, key: str) -> None:
        match key:
            case "space":
                self.paused = not self.paused
            case "s":
                self.slow = not self.slow
            case "h":
                self.helping = not self.helping
            case "q" | "escape" | "quit":
                self._window.close()
            case _:
                pass
