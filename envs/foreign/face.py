"""The seats of one game as the agents of PettingZoo's two APIs: their spaces, views and actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.core import Array, BatchEnv, Bools, TimeStep
from envs.errors import InputError
from envs.foreign.screen import RENDER_MODES, frames_per_second
from envs.layout import action_shape, checked, is_composite, pack
from envs.sampling import random_action
from envs.seats import action_layout, own_legal, own_obs, widened

SHORT = 100
"""Steps of random play in which it is seen whether a game forbids actions."""


class Face:
    """What agents see and do in game 0 of `env`.

    Where `masked`, seats with one choice see a Dict as PettingZoo's own games do: their "observation", and an int8
    "action_mask" of what is legal. An agent whose turn it is not may do anything; it plays its one legal action.
    """

    def __init__(self, env: BatchEnv, agents: Sequence[str], masked: bool) -> None:
        """`agents` [P] are the seats' names."""
        spec = env.spec
        self.agents = list(agents)
        self.action_spaces = dict(zip(agents, spec.action_spaces, strict=True))
        self._spec = spec
        self._shape, self._dtype = action_layout(spec)
        self._masked = [masked and isinstance(space, spaces.Discrete) for space in spec.action_spaces]
        alike = all(space == spec.action_spaces[0] for space in spec.action_spaces)
        self._plain = alike and not any(self._masked) and not is_composite(spec.action_spaces[0])
        self.observation_spaces: dict[str, spaces.Space[Any]] = {
            agent: _with_mask(seen, done) if hides else seen
            for agent, seen, done, hides in zip(
                agents, spec.observation_spaces, spec.action_spaces, self._masked, strict=True
            )
        }

    def views(self, now: TimeStep, over: bool) -> dict[str, Any]:
        """What each agent sees; when the game is `over`, its last view, and a mask in which nothing matters."""
        rows = now.final_obs if over else now.obs
        return {agent: self._view(seat, rows, now.legal, over) for seat, agent in enumerate(self.agents)}

    def _view(self, seat: int, rows: Array, legal: Bools, over: bool) -> Any:
        own = own_obs(self._spec.observation_spaces[seat], rows[:, seat])[0]
        if not self._masked[seat]:
            return own
        mask = own_legal(self._spec.action_spaces[seat], legal[:, seat])[0].astype(np.int8)
        if over:
            mask[:] = 0
            mask[:1] = 1
        return {"observation": own, "action_mask": mask}

    def actions(self, given: Mapping[str, Any], now: TimeStep) -> Array:
        """[1, P, *widest] of what all agents do, one action of each.

        Raises:
            InputError: an action is missing or outside its space.
        """
        if missing := [agent for agent in self.agents if agent not in given]:
            raise InputError(f"{self._spec.id}: no action for agent {missing[0]!r}.")
        if self._plain and now.acts.all():  # as the usual game is: three times as fast, and it checks them itself
            try:
                return np.array([[given[agent] for agent in self.agents]])
            except ValueError:
                raise InputError(f"{self._spec.id}: actions of different shapes.") from None
        rows = [self.action(seat, given[agent]) for seat, agent in enumerate(self.agents)]
        for seat in np.flatnonzero(~now.acts[0]).tolist():
            rows[seat] = self.idle(seat, now.legal)
        return np.stack(rows, axis=1)

    def action(self, seat: int, native: Any) -> Array:
        """What `seat`'s space calls an action, as [1, *widest].

        Raises:
            InputError: it is no action of that space.
        """
        space, where = self._spec.action_spaces[seat], f"{self._spec.id}: {self.agents[seat]}"
        try:
            own = pack(space, native) if is_composite(space) else np.asarray(native)
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{where}: {native!r} is no action of {space}.") from None
        return widened(checked(space, own[None], 1, where), self._shape, self._dtype)

    def idle(self, seat: int, legal: Bools) -> Array:
        """What `seat` does when it is not its turn, [1, *widest]."""
        space = self._spec.action_spaces[seat]
        own = np.zeros((1, *action_shape(space)), self._dtype)
        if isinstance(space, spaces.Discrete):
            own[0] = legal[0, seat].argmax()
        return widened(own, self._shape, self._dtype)


def metadata(env: BatchEnv, name: str) -> dict[str, Any]:
    """What PettingZoo wants to know of an environment."""
    return {"name": name, "render_modes": list(RENDER_MODES), "render_fps": frames_per_second(env)}


def forbids(env: BatchEnv) -> bool:
    """Whether `env` forbids a seat whose turn it is some of its actions, as seen in a short stretch of random play."""
    rng = np.random.default_rng(0)
    now = env.reset(0)
    shape, dtype = action_layout(env.spec)
    for _ in range(SHORT):
        drawn = []
        for seat, space in enumerate(env.spec.action_spaces):
            legal = own_legal(space, now.legal[:, seat])
            if (~legal.all(axis=1) & now.acts[:, seat]).any():
                return True
            drawn.append(widened(random_action(space, legal, rng), shape, dtype))
        now = env.step(np.stack(drawn, axis=1))
    return False


def _with_mask(seen: spaces.Space[Any], done: spaces.Space[Any]) -> spaces.Dict:
    assert isinstance(done, spaces.Discrete)
    return spaces.Dict({"observation": seen, "action_mask": spaces.Box(0, 1, (int(done.n),), np.int8)})
