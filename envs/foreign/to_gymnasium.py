"""A game of one seat as a Gymnasium environment.

import envs, gymnasium

env = gymnasium.make("IncompleteCartPole-v1", noise=0.01)
env = Game(envs.make("Incomplete:Acrobot-v1", hide=["sine_1"]))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import Env
from gymnasium.error import ResetNeeded

from envs.core import Array, BatchEnv
from envs.errors import InputError
from envs.foreign.screen import RENDER_MODES, Image, Screen, frames_per_second
from envs.layout import pack
from envs.registry import build


class Game(Env[Array, Any]):
    """One game; talks straight to a batch env of one. The info of its last step holds the "score"."""

    def __init__(self, env: BatchEnv, render_mode: str | None = None) -> None:
        """Wrap `env`, a batch of one game with one seat.

        Raises:
            InputError: more games or seats than one, or an unknown render mode.
        """
        if env.num_envs != 1 or env.spec.seats != 1:
            raise InputError(f"{env.spec.id}: {env.num_envs} games of {env.spec.seats} seats are not one of one seat.")
        self._env = env
        self._screen = Screen(env, render_mode)
        self._playing = False
        self.render_mode = render_mode
        self.metadata = {"render_modes": list(RENDER_MODES), "render_fps": frames_per_second(env)}
        self.observation_space = env.spec.observation_spaces[0]
        self.action_space = env.spec.action_spaces[0]

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start a game, without `seed` the next of a stream. Gymnasium's `options` mean nothing here."""
        super().reset(seed=seed)
        now = self._env.reset(self.np_random.integers(2**63, size=1, dtype=np.uint64))
        self._playing = True
        if self.render_mode == "human":
            self._screen.refresh()
        return now.obs[0, 0], {}

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Play one step.

        Raises:
            ResetNeeded: no game is being played.
            InputError: an action outside its space.
        """
        if not self._playing:
            raise ResetNeeded("the game is over: call reset().")
        after = self._env.step(pack(self.action_space, action)[None, None])
        terminated, truncated = after.terminated.item(), after.truncated.item()
        info = {}
        if terminated or truncated:
            info["score"] = after.score.item()
            self._playing = False
        if self.render_mode == "human":
            self._screen.refresh()
        return after.final_obs[0, 0], after.reward.item(), terminated, truncated, info

    def render(self) -> Image | None:
        """The game as [H, W, 3] in mode "rgb_array"."""
        return self._screen.render()

    def close(self) -> None:
        """Close the window, if one is open."""
        self._screen.close()


def make_game(game: str, render_mode: str | None = None, **options: Any) -> Game:
    """What `gymnasium.make` calls for our ids: `game`, an id of `envs.registry`, with its options."""
    return Game(build(game, 1, options), render_mode)
