"""A game of ours in PettingZoo's agent-environment cycle (AEC)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv

from envs.core import Array, BatchEnv, TimeStep
from envs.foreign.face import Face, metadata
from envs.foreign.screen import Image, Screen


class TurnGame(AECEnv[str, Any, Any]):
    """One game: at each of its steps those who must act are asked in turn, then it is played on.

    Steps in which nobody must act pass by themselves; what they pay is added up.
    """

    def __init__(
        self, env: BatchEnv, agents: Sequence[str], name: str, render_mode: str | None, masked: bool = False
    ) -> None:
        """Wrap `env`, a batch of one game whose seats are called `agents`; for `masked` see `Face`."""
        super().__init__()
        self._env = env
        self._face = Face(env, agents, masked)
        self._screen = Screen(env, render_mode)
        self._rng = np.random.default_rng()
        self.render_mode = render_mode
        self.metadata = metadata(env, name)
        self.possible_agents = list(agents)
        self.agents: list[str] = []
        self.agent_selection = ""
        self.infos: dict[str, dict[str, Any]] = {}
        self._waiting: list[int] = []
        self._chosen: dict[int, Array] = {}
        self.observation_spaces = self._face.observation_spaces
        self.action_spaces = self._face.action_spaces

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """What `agent` sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """What `agent` may do."""
        return self.action_spaces[agent]

    def observe(self, agent: str) -> Any:
        """What `agent` sees now."""
        return self._views[agent]

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> None:
        """Start a game, without `seed` the next of a stream. PettingZoo's `options` mean nothing here."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self._skip_agent_selection = None
        self._show(self._env.reset(self._rng.integers(2**63, size=1)))
        if not self._waiting:
            self._play()
        self._accumulate_rewards()

    def step(self, action: Any) -> None:
        """Let the agent whose turn it is do `action`; None, if it is dead.

        Raises:
            InputError: an action outside its space.
        """
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        seat = self._waiting[0]
        self._chosen[seat] = self._face.action(seat, action)
        self._clear_rewards()
        self._cumulative_rewards[agent] = 0.0
        self._waiting = self._waiting[1:]
        if self._waiting:
            self.agent_selection = self.possible_agents[self._waiting[0]]
        else:
            self._play()
            self._accumulate_rewards()
        if self.render_mode == "human":
            self._screen.refresh()

    def _play(self) -> None:
        """Steps of the game until somebody must act, or it is over."""
        while not self._waiting:
            legal = self._now.legal
            seats = range(len(self.possible_agents))
            rows = [self._chosen[seat] if seat in self._chosen else self._face.idle(seat, legal) for seat in seats]
            self._show(self._env.step(np.stack(rows, axis=1)))
            for agent, amount in zip(self.agents, self._now.reward[0].tolist(), strict=True):
                self.rewards[agent] += amount
            if self._over:
                return

    def _show(self, now: TimeStep) -> None:
        """What there is to be seen after a step, and who must act."""
        terminated, truncated = now.terminated.item(), now.truncated.item()
        self._now, self._over = now, terminated or truncated
        self._views = self._face.views(now, self._over)
        self._chosen = {}
        self._waiting = np.flatnonzero(now.acts[0]).tolist()
        if self._over:
            self.terminations = dict.fromkeys(self.agents, terminated)
            self.truncations = dict.fromkeys(self.agents, truncated)
            scores = zip(self.agents, now.score[0].tolist(), strict=True)
            self.infos = {agent: {"score": score} for agent, score in scores}
            self._waiting = [0]  # all leave, one after the other
        if self._waiting:
            self.agent_selection = self.possible_agents[self._waiting[0]]

    def render(self) -> Image | None:
        """The game as [H, W, 3] in mode "rgb_array"."""
        return self._screen.render()

    def close(self) -> None:
        """Close the window, if one is open."""
        self._screen.close()
