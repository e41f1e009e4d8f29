"""Tape: what everybody does in the games of a block, from which they can be played again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from envs.core import Array

CHUNK = 256
"""Steps that are packed at a time."""


class Tape:
    """Takes down what everybody does in some of the games of a block, which changes nothing in them."""

    def __init__(self, games: Collection[int] | None = None) -> None:
        """`games` by their places in the block; None: all."""
        self._wanted = games
        self._games: list[int] = []
        self._all = False
        self._chunks: list[Array] = []
        """[steps, n, P, *action_shape] each, of n chosen games."""
        self._fresh: list[Array] = []
        """[n, P, *action_shape] each: the steps since the last chunk."""
        self._parts: list[tuple[int, int, Tape]] = []
        """First game, number of games and tape of each part of a block that is played in parts."""

    def begin(self, games: int) -> None:
        """A block of so many games begins."""
        self._games = [game for game in range(games) if self._wanted is None or game in self._wanted]
        self._all = len(self._games) == games
        self._chunks, self._fresh, self._parts = [], [], []

    def take(self, other: Tape) -> None:
        """Become what `other` is: a copy of this one, on which a block was taken down elsewhere."""
        self.__dict__.update(other.__dict__)

    def part(self, first: int, games: int) -> Tape:
        """The tape for so many games of the block, which are played by themselves."""
        part = Tape([game - first for game in self._games if first <= game < first + games])
        part.begin(games)
        self._parts.append((first, games, part))
        return part

    def add(self, action: Array) -> None:
        """The next step of all games: `action` [B, P, *action_shape], which nobody writes to any more."""
        self._fresh.append(action if self._all else action[self._games])
        if len(self._fresh) == CHUNK:
            self._pack()

    def _pack(self) -> None:
        """Put the steps that came last together, whole numbers in a byte each if they fit."""
        if self._fresh:
            chunk = np.stack(self._fresh)
            small = chunk.dtype.kind in "iu" and chunk.size and chunk.min() >= 0 and chunk.max() < 256
            self._chunks.append(chunk.astype(np.uint8) if small else chunk)
            self._fresh = []

    def actions(self, game: int, steps: int, dtype: np.dtype[Any]) -> Array:
        """[T, P, *action_shape] of the first `steps` steps of `game`, which was taken down, as `dtype`."""
        for first, games, part in self._parts:
            if first <= game < first + games:
                return part.actions(game - first, steps, dtype)
        self._pack()
        place = self._games.index(game)
        taken: Array = np.concatenate([chunk[:, place] for chunk in self._chunks])[:steps].astype(dtype)
        return taken

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        self._pack()
        return sum(chunk.nbytes for chunk in self._chunks) + sum(part.nbytes for _, _, part in self._parts)
