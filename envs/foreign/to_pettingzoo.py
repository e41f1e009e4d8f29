"""A game of ours as a PettingZoo environment: all agents at once, or in turns.

    from envs.foreign.to_pettingzoo import aec_env, parallel_env

    env = aec_env("ConnectFour-v0")
    env = parallel_env("SlimeVolley-v0", lives=3)

Agents are called as `spec.seat_names` says. Where a game forbids actions, an agent sees a Dict of its "observation" and
its "action_mask", as in PettingZoo's own games. The info of each agent's last step holds its "score".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.wrappers import OrderEnforcingWrapper

from envs.core import BatchEnv
from envs.errors import InputError
from envs.foreign.face import Face, forbids, metadata
from envs.foreign.screen import Image, Screen
from envs.foreign.to_pettingzoo_turns import TurnGame
from envs.registry import build

Infos = dict[str, dict[str, Any]]
Stepped = tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], Infos]


class ParallelGame(ParallelEnv[str, Any, Any]):
    """One game, all seats at once; talks straight to a batch env of one.

    When the game ends, `agents` becomes empty and each info holds the seat's "score".
    """

    def __init__(
        self, env: BatchEnv, agents: Sequence[str], name: str, render_mode: str | None, masked: bool = False
    ) -> None:
        """Wrap `env`, a batch of one game whose seats are called `agents`; for `masked` see `Face`."""
        self._env = env
        self._face = Face(env, agents, masked)
        self._screen = Screen(env, render_mode)
        self._rng = np.random.default_rng()
        self.render_mode = render_mode
        self.metadata = {**metadata(env, name), "is_parallelizable": True}
        self.possible_agents = list(agents)
        self.agents: list[str] = []
        self.observation_spaces = self._face.observation_spaces
        self.action_spaces = self._face.action_spaces

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """What `agent` sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """What `agent` may do."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], Infos]:
        """Start a game, without `seed` the next of a stream. PettingZoo's `options` mean nothing here."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._now = self._env.reset(self._rng.integers(2**63, size=1))
        self.agents = self.possible_agents[:]
        if self.render_mode == "human":
            self._screen.refresh()
        return self._face.views(self._now, over=False), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Stepped:
        """Play `actions`, one of every agent.

        Raises:
            InputError: an agent's action is missing or outside its space, or the game is over.
        """
        agents = self.agents
        if not agents:
            raise InputError(f"{self._env.spec.id}: no game is being played: call reset().")
        self._now = after = self._env.step(self._face.actions(actions, self._now))
        terminated, truncated = after.terminated.item(), after.truncated.item()
        infos: Infos = {agent: {} for agent in agents}
        if terminated or truncated:
            for agent, score in zip(agents, after.score[0], strict=True):
                infos[agent]["score"] = float(score)
            self.agents = []
        if self.render_mode == "human":
            self._screen.refresh()
        reward = after.reward.tolist()[0]
        return (
            self._face.views(after, over=terminated or truncated),
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


def parallel_env(id: str, render_mode: str | None = None, masked: bool | None = None, **options: Any) -> ParallelGame:
    """Game `id` of `envs.registry`, all agents at once.

    Args:
        id: any game, of ours or of elsewhere.
        render_mode: None, "rgb_array" or "human".
        masked: whether agents see which actions are legal; None: if some are forbidden in a short stretch of play.
        options: the game's own, and checked like everywhere.

    Raises:
        InputError: an unknown game, option or render mode.
    """
    env = build(id, 1, options)
    return ParallelGame(env, env.spec.seat_names, _name(id), render_mode, forbids(env) if masked is None else masked)


def aec_env(
    id: str, render_mode: str | None = None, masked: bool | None = None, **options: Any
) -> AECEnv[str, Any, Any]:
    """Game `id` of `envs.registry`, in turns; for arguments see `parallel_env`.

    Who must act in a step of the game is asked, one agent after the other: in a game of turns that is one, in a
    simultaneous one all, who do not see what the others chose. Misuse of the API is reported.
    """
    env = build(id, 1, options)
    masked = forbids(env) if masked is None else masked
    return OrderEnforcingWrapper(TurnGame(env, env.spec.seat_names, _name(id), render_mode, masked))


def _name(id: str) -> str:
    """As PettingZoo calls games: connect_four_v0 for ConnectFour-v0."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", id).replace("-", "_").lower()
