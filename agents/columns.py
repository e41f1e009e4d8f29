"""Columns: arrays that grow by one step at a time."""

from __future__ import annotations

import numpy as np

from envs.core import Array


class Columns(dict[str, Array]):
    """Arrays [T, ...] that are filled one step at a time: each value is copied once, and freed while it is hot."""

    def __init__(self, expected: int) -> None:
        """Room for `expected` steps and one more; it is doubled when it is full."""
        super().__init__()
        self._room = expected + 1

    def put(self, name: str, t: int, values: Array) -> None:
        """`values` are those of step `t`; steps come in order."""
        if t == 0:
            self[name] = np.empty((self._room, *values.shape), values.dtype)
        elif t == len(self[name]):
            self[name] = np.concatenate([self[name], np.empty_like(self[name])])
        self[name][t] = values
