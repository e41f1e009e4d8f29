"""Any observation of Gymnasium's as one array: numbers in a row, or an image as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import iterate

from envs.core import Array
from envs.errors import InputError


class Flattened:
    """How observations of a space are seen: images (uint8, two axes or more) as they are, all else as float32 [D].

    A Discrete becomes its one-hot, a Tuple or Dict its parts one after the other (`gymnasium.spaces.flatten`).
    """

    def __init__(self, native: spaces.Space[Any], where: str) -> None:
        """For observations of `native`.

        Raises:
            InputError: a space without fixed size, such as Graph, Sequence or Text.
        """
        self._native = native
        self._plain = isinstance(native, spaces.Box)
        if isinstance(native, spaces.Box) and native.dtype == np.uint8 and len(native.shape) > 1:
            self.space = native
            return
        flat = spaces.flatten_space(native) if native.is_np_flattenable else None
        if not isinstance(flat, spaces.Box):
            raise InputError(f"{where}: observations of {native} have no fixed size, so they cannot be one array.")
        self.space = spaces.Box(flat.low.astype(np.float32), flat.high.astype(np.float32), dtype=np.float32)

    @property
    def nothing(self) -> Array:
        """[*shape] zeros, or the numbers next to 0 in the space."""
        nearest: Array = np.zeros_like(self.space.low).clip(self.space.low, self.space.high)
        return nearest

    def empty(self, rows: int) -> Array:
        """[rows, 1, *shape], to be filled."""
        return np.empty((rows, 1, *self.space.shape), self.space.dtype)

    def put(self, observation: Any, into: Array) -> None:
        """Write one observation into [*shape]."""
        flat: Any = observation if self._plain else spaces.flatten(self._native, observation)
        into[...] = np.reshape(flat, self.space.shape)

    def batch(self, native: spaces.Space[Any], observations: Any, rows: int) -> Array:
        """Observations of `native`, the batched space, as a new array [rows, 1, *shape]."""
        seen = self.empty(rows)
        if self._plain:
            seen[...] = np.reshape(observations, seen.shape)
        else:
            for row, observation in enumerate(iterate(native, observations)):
                self.put(observation, seen[row, 0])
        return seen
