"""What all games from elsewhere share: nobody can save them, and their pictures are their own or words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from envs.core import Array, EnvSpec
from envs.errors import InputError
from envs.scene import Picture, Scene, Text

NO_LIMIT = 2**31 - 1
"""`max_steps` of an environment that has no step limit, or does not say which."""
SEEDS = 2**31 - 1
"""Mask of the bits of a game's seed that an environment is given; some take no more."""
PAPER, INK = (250, 250, 250), (40, 40, 40)


class Visitor:
    """Base of batch envs around another library's environments, which have no state to read or set."""

    spec: EnvSpec
    library: str
    """Whose environments they are."""

    def get_state(self) -> NoReturn:
        """Not possible here.

        Raises:
            InputError: always.
        """
        raise InputError(f"{self.spec.id} is {self.library}'s: the state of its games cannot be read or set.")

    def set_state(self, state: Mapping[str, Array]) -> NoReturn:
        """Not possible here.

        Raises:
            InputError: always.
        """
        self.get_state()


def painted(env: Any) -> Scene | None:
    """The picture that `env`, an environment of another library, makes of itself; None unless it was made with
    render_mode="rgb_array", or has none to show."""
    if getattr(env, "render_mode", None) != "rgb_array":
        return None
    pixels = np.asarray(env.render())
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        return None
    height, width = pixels.shape[:2]
    picture = Picture(0.0, 0.0, float(width), float(height), width, height, pixels.tobytes())
    return Scene(0.0, float(width), 0.0, float(height), PAPER, (picture,), width)


def words(lines: Sequence[str]) -> Scene:
    """Not a game, which draws itself in its own way, but what is known of it: lines from top to bottom."""
    height = min(1.0, 6.0 / len(lines))
    top = 4.5 + 0.75 * height * (len(lines) - 1)
    shown = tuple(Text(8.0, top - 1.5 * height * at, line, height, INK) for at, line in enumerate(lines))
    return Scene(0.0, 16.0, 0.0, 9.0, PAPER, shown, 640)
