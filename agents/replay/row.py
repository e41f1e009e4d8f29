"""Row: what a replay keeps of one step of one lane, and the memory that takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from envs.layout import action_dtype, action_shape

ROWS_PER_SPARE_VIEW = 32
"""For each so many rows there is room for one view beside the ring, at first."""


class Row(NamedTuple):
    """What one row holds."""

    obs: spaces.Space[Any]
    """What the seat sees, a Box."""
    action: spaces.Space[Any]
    """What it may do."""
    extras: Mapping[str, tuple[int, ...]] = {}
    """Shape of each float32 extra of the rollout that is kept, by name: {"logprob": ()}."""
    memory: int = 0
    """H, the width of the memory before the step; 0: none is kept."""
    choices: int = 0
    """A, where `action` is not Discrete and has a mask nevertheless."""

    @property
    def legal(self) -> int:
        """A, or 0 where actions have no mask."""
        return int(self.action.n) if isinstance(self.action, spaces.Discrete) else self.choices

    @property
    def view_bytes(self) -> int:
        """Bytes of one view and its mask."""
        return _bytes(tuple(self.obs.shape or ()), np.dtype(self.obs.dtype)) + self.legal

    def columns(self) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
        """Shape and type of everything that is stored once per row, beside views and masks."""
        number, flag = np.dtype(np.float32), np.dtype(np.bool_)
        return {
            "action": (action_shape(self.action), action_dtype(self.action)),
            "reward": ((), number),
            "terminated": ((), flag),
            "truncated": ((), flag),
            "acts": ((), flag),
            "view": ((), np.dtype(np.int32)),
            "memory": ((self.memory,), number),
            **{f"extras.{name}": (shape, number) for name, shape in self.extras.items()},
        }


def spare_views(capacity: int) -> int:
    """Views beside the rows' own for which there is room at first."""
    return 1 + capacity // ROWS_PER_SPARE_VIEW


def bytes_needed(capacity: int, row: Row, prioritised: bool = False) -> int:
    """Bytes of a replay of `capacity` rows, masks included, which are only stored once a game has forbidden an action.

    Not included: views beside the ring above the room that is made at first, where more than one game in
    ROWS_PER_SPARE_VIEW steps is truncated. The room then grows, and growing is refused where it would not fit.
    """
    columns = sum(_bytes(shape, dtype) for shape, dtype in row.columns().values())
    tree = 2 * np.dtype(np.float64).itemsize if prioritised else 0
    return capacity * (columns + tree) + (capacity + spare_views(capacity)) * row.view_bytes


def _bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    return int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
