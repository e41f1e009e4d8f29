"""Tally: a log of duels counted up by who sat where, which goes on where it stopped when the log gets longer.

Sums are made in the order of the log, so that counting it at once and bit by bit gives the same to the last bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.ratings.games import Games
from envs.compiled import compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
PART = 1 << 16
"""Games that are counted at a time."""
ENOUGH = 4
"""Places in the index for each cell there is room for."""


PLAYERS, SEATS = 1 << 23, 1 << 8
"""That a key has room for."""


class Counts(NamedTuple):
    """C cells."""

    player: Ints
    """[2, C] the one nearer to seat 0, and the other."""
    seat: Ints
    """[2, C] where they sat."""
    games: Ints
    """[C]"""
    ahead: Ints
    """[C] games that the first won less those that it lost."""
    decided: Ints
    """[C] games that one of them won."""
    score: Floats
    """[2, C] sums."""
    squares: Floats
    """[2, C] sums of squared scores."""


class Tally:
    """Counts of C cells: two players in two seats, the one nearer to seat 0 first."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.games = 0
        """Games of the log that have been counted."""
        self._count = 0
        self._key = np.zeros(0, np.int64)
        self._ints = np.zeros((0, 3), np.int64)
        self._floats = np.zeros((0, 4))
        self._index = np.full(1, -1)

    def read(self, games: Games) -> None:
        """Count the games of `games` that came since the last time; the ones before must be the same.

        The log must consist of duels.
        """
        assert len(games.names) <= PLAYERS
        while self.games < len(games):
            self._make_room()
            until = min(self.games + PART, len(games))
            sides = slice(2 * self.games, 2 * until)
            self._count = count_up(
                games.player[sides], games.seat[sides], games.score[sides],
                self._key, self._ints, self._floats, self._index, self._count,
            )  # fmt: skip
            self.games = until

    def counts(self) -> Counts:
        """What has been counted, cells in the order in which they came."""
        key, ints, floats = self._key[: self._count], self._ints[: self._count], self._floats[: self._count]
        player, seat = np.stack([key >> 40, key >> 16 & PLAYERS - 1]), np.stack([key >> 8 & SEATS - 1, key & SEATS - 1])
        games, ahead, decided = ints.T
        return Counts(player, seat, games, ahead, decided, floats[:, :2].T, floats[:, 2:].T)

    def _make_room(self) -> None:
        """For as many new cells as a part may have."""
        needed = self._count + PART
        if needed <= len(self._key):
            return
        room = 2 * needed
        self._key, self._ints, self._floats = (
            np.concatenate([old, np.zeros((room - len(old), *old.shape[1:]), old.dtype)])
            for old in (self._key, self._ints, self._floats)
        )
        self._index = np.full(1 << (ENOUGH * room).bit_length(), -1)
        file(self._key[: self._count], self._index)


@compiled
def count_up(
    player: Ints, seat: Ints, score: Floats, key: Ints, ints: Ints, floats: Floats, index: Ints, count: int
) -> int:
    """Count G games into the cells `key`; how many there are then.

    Args:
        player, seat, score: [2 G].
        key: [room] first player x 2^40 + second player x 2^16 + seat of the first x 2^8 + seat of the second.
        ints: [room, 3] games, wins less losses, games with a winner.
        floats: [room, 4] sums of both scores, then of their squares.
        index: [2^k] where in `key` a cell is, by open addressing; -1: free.
        count: cells so far.
    """
    mask = len(index) - 1
    before, place = -1, -1
    for game in range(len(player) // 2):
        one = player[2 * game] << 40 | player[2 * game + 1] << 16 | seat[2 * game] << 8 | seat[2 * game + 1]
        if one != before:
            at = _spread(one) & mask
            while index[at] >= 0 and key[index[at]] != one:
                at = (at + 1) & mask
            if index[at] < 0:
                index[at], key[count] = count, one
                count += 1
            before, place = one, index[at]
        own, other = score[2 * game], score[2 * game + 1]
        ints[place, 0] += 1
        if own != other:
            ints[place, 1] += 1 if own > other else -1
            ints[place, 2] += 1
        floats[place, 0] += own
        floats[place, 1] += other
        floats[place, 2] += own * own
        floats[place, 3] += other * other
    return count


@compiled
def file(key: Ints, index: Ints) -> None:
    """Put `key` into an empty `index`, see `count_up`."""
    mask = len(index) - 1
    for place in range(len(key)):
        at = _spread(key[place]) & mask
        while index[at] >= 0:
            at = (at + 1) & mask
        index[at] = place


@compiled
def _spread(key: int) -> int:
    """A hash: neighbours come to lie far apart (the finaliser of SplitMix64, with shorter constants)."""
    key ^= key >> 31
    key *= 0x7FB5D329728EA185
    key ^= key >> 27
    return key
