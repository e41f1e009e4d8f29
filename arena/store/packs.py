"""Packs: what ratings need of a block's games once more, as one row of bytes, which is read fifty times as fast.

They follow from the games and are written with them. Blocks of runs of old have none, and are read game by game.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.errors import InputError

MOST = np.iinfo(np.int32).max
"""Largest lineup and length of a game that fit."""
NARROW, WIDE = "f4", "f8"
"""Scores: in four bytes where they all fit without loss, in eight where not."""


class Batch(NamedTuple):
    """Games in log order, G of them."""

    lineup: NDArray[np.integer[Any]]
    """[G] number of who sat in which seat."""
    score: NDArray[np.floating[Any]]
    """[G, P] by seat, in the game's own units."""
    seed: NDArray[np.integer[Any]]
    """[G] of the game itself."""
    steps: NDArray[np.integer[Any]]
    """[G] length of the game."""


def pack(
    lineup: Sequence[int], score: Sequence[Sequence[float]], steps: Sequence[int], seed: Sequence[int]
) -> tuple[str, bytes] | None:
    """Form and bytes of a block; None for no games, and for those that do not fit: of several numbers of seats, or
    longer than anybody waits."""
    if not score or len(set(map(len, score))) > 1 or max(lineup) > MOST or max(steps) > MOST:
        return None
    held = np.array(score, np.float64)
    narrow = bool((np.abs(held) < np.finfo(np.float32).max).all() and (held.astype(np.float32) == held).all())
    form = f"{held.shape[1]}{NARROW if narrow else WIDE}"
    games = np.empty(len(held), _record(form))
    games["seed"], games["lineup"], games["steps"], games["score"] = seed, lineup, steps, held
    return form, games.tobytes()


def unpack(form: str, data: bytes) -> NDArray[Any]:
    """The games of packs of one form, end to end: records of seed, lineup, steps and score [P].

    Raises:
        InputError: they are not as they were written.
    """
    try:
        return np.frombuffer(data, _record(form))
    except (ValueError, TypeError):
        raise InputError("the log is damaged: `arena league verify` says where.") from None


@cache
def _record(form: str) -> np.dtype[Any]:
    return np.dtype(
        [("seed", "<i8"), ("lineup", "<i4"), ("steps", "<i4"), ("score", f"<{form[-2:]}", (int(form[:-2]),))]
    )
