"""One agent of a PettingZoo environment as a seat: its views and actions as arrays, its mask apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.core import Array, Bools
from envs.errors import InputError
from envs.foreign.flattened import Flattened
from envs.layout import counted_from_zero, unpack

MASK = "action_mask"
"""Key under which observations or infos say which actions are legal."""
SEEN = "observation"
"""Key of all else, where an observation holds its mask."""


class Seat:
    """What `agent` sees and does."""

    def __init__(self, agent: Any, observation: spaces.Space[Any], action: spaces.Space[Any], where: str) -> None:
        """With the spaces that the environment has for it.

        Raises:
            InputError: observations without fixed size.
        """
        self.agent = agent
        self._where = where
        self._native = action
        self._keys: tuple[str, ...] | None = None
        if isinstance(observation, spaces.Dict) and MASK in observation.spaces:
            rest = {key: part for key, part in observation.spaces.items() if key != MASK}
            self._keys = tuple(rest)
            observation = rest[SEEN] if self._keys == (SEEN,) else spaces.Dict(rest)
        self._flat = Flattened(observation, where)
        self._nothing = self._flat.nothing
        self.obs_space = self._flat.space
        self.action_space = counted_from_zero(action)
        self.choices = int(action.n) if isinstance(action, spaces.Discrete) else 0
        self._start = int(action.start) if isinstance(action, spaces.Discrete) else 0

    def put(self, observation: Any, row: Array) -> None:
        """Write what the agent sees into `row` [*widest]."""
        if self._keys == (SEEN,):
            observation = observation[SEEN]
        elif self._keys is not None:
            observation = {key: observation[key] for key in self._keys}
        self._flat.put(observation, self._own(row))

    def clear(self, row: Array) -> None:
        """Write what an agent sees that is dead: zeros, or the numbers next to 0 in its space."""
        self._own(row)[...] = self._nothing

    def _own(self, row: Array) -> Array:
        """The part of [*widest] that is this seat's."""
        return row if row.shape == self.obs_space.shape else row[: self._nothing.shape[0]]

    def allow(self, observation: Any, info: Mapping[str, Any], row: Bools) -> None:
        """Write what the agent may do now into `row` [A].

        Raises:
            InputError: a mask that allows nothing, or that does not fit the actions.
        """
        row[:] = False
        mask = observation[MASK] if self._keys is not None else info.get(MASK)
        if mask is None:
            row[: self.choices] = True
            return
        allowed = np.asarray(mask, np.bool_)
        if not self.choices or allowed.shape != (self.choices,):
            raise InputError(f"{self._where}: a mask of shape {allowed.shape} does not fit actions in {self._native}.")
        if not allowed.any():
            raise InputError(f"{self._where}: it is the turn of {self.agent}, but its mask allows no action.")
        row[: self.choices] = allowed

    def idle(self, row: Bools) -> None:
        """Write the one action of a seat that does not act into `row` [A]."""
        row[:] = False
        row[: min(self.choices, 1)] = True

    def native(self, row: Array) -> Any:
        """An action [*widest] as what the environment calls it."""
        if self.choices:
            return np.int64(self._start + int(row.flat[0]))
        return unpack(self._native, row)
