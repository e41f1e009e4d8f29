"""Rock-paper-scissors cycles: three players of whom each beats the next, named, the strongest first.

They are why no single number can rank everybody. Longer cycles need no search: where all have met, a longer cycle
contains one of three, or its players are even.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.ratings.pairs import Floats, Ints
from arena.ratings.payoff import Cells, Payoff, interval
from envs.compiled import compiled
from envs.errors import InputError


@dataclass(frozen=True, slots=True)
class Cycle:
    """a beats b, b beats c, c beats a."""

    players: tuple[str, str, str]
    """a, b, c; a comes first in the alphabet."""
    margins: tuple[float, float, float]
    """(wins - losses) / games of a against b, b against c, c against a; each above 0."""
    games: tuple[int, int, int]
    """What the margins rest on."""

    @property
    def strength(self) -> float:
        """The smallest margin, 0 to 1: the cycle is as strong as its weakest link."""
        return min(self.margins)

    def __str__(self) -> str:
        """One line for people."""
        a, b, c = self.players
        ab, bc, ca = self.margins
        return f"{a} beats {b} ({ab:+.2f}), {b} beats {c} ({bc:+.2f}), {c} beats {a} ({ca:+.2f})"


def cycles(payoff: Payoff, most: int = 10, min_games: int = 10, errors: float = 2.0) -> list[Cycle]:
    """The strongest cycles of `payoff`, at most `most`; of equally strong ones the first in the alphabet.

    Left out: pairs with too few games, and margins that could be luck.

    Args:
        payoff: in unit "win".
        min_games: that two players must have had.
        errors: standard errors by which a margin must exceed 0 (`Payoff.interval`); with 2, of a hundred pairs of
            equals about five pass, either way.

    Raises:
        InputError: a payoff of another unit, or a setting out of range.
    """
    if most < 1 or min_games < 1:
        raise InputError(f"cycles: most = {most} and min_games = {min_games} must be at least 1.")
    payoff = payoff.among(sorted(payoff.names))
    payoff.wins_only()
    cells = payoff.cells()
    low, _ = interval(*cells[2:], errors)
    kept = (cells.games >= min_games) & (low > 0)
    won = cells.at(kept)
    start = np.searchsorted(won.row, np.arange(len(payoff.names) + 1))
    margin = won.total / won.games
    strength, trio = circles(start, won.column, margin)
    order = np.argsort(-strength, kind="stable")[:most]
    return [_named(payoff.names, won, start, members) for members in trio[order].tolist()]


@compiled
def circles(start: Ints, beaten: Ints, margin: Floats) -> tuple[Floats, Ints]:
    """Strength [K] and members a, b, c [K, 3] of all cycles, sorted by members; a is the smallest.

    Args:
        start: [n + 1] first of those that each player beats.
        beaten: [C] whom, in order.
        margin: [C] by how much.
    """
    size = len(start) - 1
    back = np.zeros(size)  # by how much each player beats a
    behind = np.zeros(size + 1, np.int64)
    for one in beaten:
        behind[one + 1] += 1
    behind = np.cumsum(behind)
    winner, lead, filled = np.empty(len(beaten), np.int64), np.empty(len(beaten)), behind.copy()
    for one in range(size):
        for at in range(start[one], start[one + 1]):
            winner[filled[beaten[at]]], lead[filled[beaten[at]]] = one, margin[at]
            filled[beaten[at]] += 1
    strength, trio, count = np.empty(16), np.empty((16, 3), np.int64), 0
    for a in range(size):
        for at in range(behind[a], behind[a + 1]):
            back[winner[at]] = lead[at]
        for first in range(start[a], start[a + 1]):
            b = beaten[first]
            if b > a:
                for second in range(start[b], start[b + 1]):
                    c = beaten[second]
                    if c > a and back[c] > 0.0:
                        if count == len(strength):
                            strength = np.append(strength, np.empty(count))
                            trio = np.concatenate((trio, np.empty((count, 3), np.int64)))
                        strength[count] = min(min(margin[first], margin[second]), back[c])
                        trio[count, 0], trio[count, 1], trio[count, 2] = a, b, c
                        count += 1
        for at in range(behind[a], behind[a + 1]):
            back[winner[at]] = 0.0
    return strength[:count], trio[:count]


def _named(names: Sequence[str], won: Cells, start: Ints, trio: Sequence[int]) -> Cycle:
    a, b, c = trio
    links = [
        start[one] + int(np.searchsorted(won.column[start[one] : start[one + 1]], other))
        for one, other in ((a, b), (b, c), (c, a))
    ]
    ab, bc, ca = (float(won.total[link] / won.games[link]) for link in links)
    games = [int(won.games[link]) for link in links]
    return Cycle((names[a], names[b], names[c]), (ab, bc, ca), (games[0], games[1], games[2]))
