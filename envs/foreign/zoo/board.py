"""The arrays through which games of PettingZoo's are played: in this process's memory, or in shared memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.core import Array, Bools, EnvSpec, Floats
from envs.seats import action_layout, choices, obs_layout

ALIGNMENT = 64
"""Bytes at whose multiples each array begins: a cache line, so that no two workers write into one."""


class Board(NamedTuple):
    """What goes into games and what comes out of them; of one game, without the first axis."""

    seeds: NDArray[np.uint64]
    """[B, 1] of the next reset."""
    action: Array
    """[B, P, *action_shape] of the next step."""
    obs: Array
    """[B, P, *obs_shape]."""
    final_obs: Array
    """[B, P, *obs_shape] last views, up to date where a game has just ended."""
    legal: Bools
    """[B, P, A]."""
    acts: Bools
    """[B, P]."""
    reward: Floats
    """[B, P]."""
    over: Bools
    """[B, 2] terminated, truncated."""
    score: Floats
    """[B, P] of a game that has just ended, NaN elsewhere."""
    total: Floats
    """[B, P] rewards so far in the game that is being played."""
    steps: NDArray[np.int64]
    """[B, 1] so far in the game that is being played."""

    def game(self, row: int) -> Board:
        """The part that is game `row`'s."""
        return Board._make(array[row] for array in self)


Layout = Sequence[tuple[tuple[int, ...], str]]
"""Shape and type of each array of a `Board`."""


def layout(spec: EnvSpec, games: int) -> Layout:
    """Of a board for `games` games of kind `spec`."""
    lanes = (games, spec.seats)
    (seen, kind), (done, number) = obs_layout(spec), action_layout(spec)
    return (
        ((games, 1), "u8"), ((*lanes, *done), number.str),
        ((*lanes, *seen), kind.str), ((*lanes, *seen), kind.str), ((*lanes, choices(spec)), "?"), (lanes, "?"),
        (lanes, "f8"), ((games, 2), "?"), (lanes, "f8"), (lanes, "f8"), ((games, 1), "i8"),
    )  # fmt: skip


def size(arrays: Layout) -> int:
    """Bytes that a board of such arrays takes."""
    return sum(_bytes(shape, kind) for shape, kind in arrays)


def board(arrays: Layout, memory: Any) -> Board:
    """Such arrays in `memory`, anything with as many bytes as `size` says; what is in it stays as it is."""
    found, start = [], 0
    for shape, kind in arrays:
        found.append(np.frombuffer(memory, kind, math.prod(shape), start).reshape(shape))
        start += _bytes(shape, kind)
    return Board._make(found)


def _bytes(shape: tuple[int, ...], kind: str) -> int:
    return -(-math.prod(shape) * np.dtype(kind).itemsize // ALIGNMENT) * ALIGNMENT
