"""A game of ours as a PettingZoo parallel environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from envs.core import Array, BatchEnv
from envs.errors import InputError
from envs.foreign.screen import RENDER_MODES, Image, Screen, frames_per_second

Infos = dict[str, dict[str, Any]]
Stepped = tuple[dict[str, Array], dict[str, float], dict[str, bool], dict[str, bool], Infos]


class ParallelGame(ParallelEnv[str, Array, Any]):
    """One game, all seats at once; talks straight to a batch env of one.

    When the game ends, `agents` becomes empty and each info holds the seat's "score".
    """

    def __init__(self, env: BatchEnv, agents: Sequence[str], name: str, render_mode: str | None) -> None:
        """Wrap `env`, a batch of one game whose seats are called `agents`."""
        self._env = env
        self._screen = Screen(env, render_mode)
        self._rng = np.random.default_rng()
        self.render_mode = render_mode
        self.metadata = {
            "name": name,
            "render_modes": list(RENDER_MODES),
            "render_fps": frames_per_second(env),
            "is_parallelizable": True,
        }
        self.possible_agents = list(agents)
        self.agents: list[str] = []
        self.observation_spaces = dict(zip(agents, env.spec.observation_spaces, strict=True))
        self.action_spaces = dict(zip(agents, env.spec.action_spaces, strict=True))

    def observation_space(self, agent: str) -> spaces.Space[Array]:
        """What `agent` sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """What `agent` may do."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Array], Infos]:
        """Start a game, without `seed` the next of a stream. PettingZoo's `options` mean nothing here."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        now = self._env.reset(self._rng.integers(2**63, size=1))
        self.agents = self.possible_agents[:]
        if self.render_mode == "human":
            self._screen.refresh()
        return dict(zip(self.agents, now.obs[0], strict=True)), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Stepped:
        """Play `actions`, one of every agent.

        Raises:
            InputError: an agent's action is missing or outside its space, or the game is over.
        """
        agents = self.agents
        if not agents:
            raise InputError(f"{self._env.spec.id}: no game is being played: call reset().")
        try:
            action = np.array([[actions[agent] for agent in agents]])
        except KeyError as missing:
            raise InputError(f"{self._env.spec.id}: no action for agent {missing}.") from None
        except ValueError:
            raise InputError(f"{self._env.spec.id}: actions of different shapes.") from None
        after = self._env.step(action)
        terminated, truncated = after.terminated.item(), after.truncated.item()
        infos: Infos = {agent: {} for agent in agents}
        if terminated or truncated:
            for agent, score in zip(agents, after.score[0], strict=True):
                infos[agent]["score"] = float(score)
            self.agents = []
        if self.render_mode == "human":
            self._screen.refresh()
        obs, reward = after.final_obs[0], after.reward.tolist()[0]
        return (  # comprehensions: a third of the time of dict(zip(..., strict=True))
            {agent: obs[seat] for seat, agent in enumerate(agents)},
            {agent: reward[seat] for seat, agent in enumerate(agents)},
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            infos,
        )

    def render(self) -> Image | None:
        """The game as [H, W, 3] in mode "rgb_array"."""
        return self._screen.render()

    def close(self) -> None:
        """Close the window, if one is open."""
        self._screen.close()
