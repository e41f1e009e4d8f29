"""Rock-paper-scissors cycles: three players of whom each beats the next, named, the strongest first.

They are why no single number can rank everybody. Longer cycles need no search: where all have met, a longer cycle
contains one of three, or its players are even.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.ratings.payoff import Payoff
from envs.core import Floats
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
    low, _ = payoff.interval(errors)
    margin = np.where((payoff.games >= min_games) & (low > 0), payoff.mean, 0.0)
    strengths, members = [np.zeros(0)], [np.zeros((0, 3), np.int64)]
    for a in range(len(margin) - 2):
        rest = margin[a + 1 :, a + 1 :]
        strength = np.minimum(np.minimum(margin[a, a + 1 :, None], rest), margin[a + 1 :, a])  # [b, c]
        b, c = np.nonzero(strength > 0)
        strengths.append(strength[b, c])
        members.append(np.stack([np.full(len(b), a), b + a + 1, c + a + 1], axis=1))
    order = np.argsort(-np.concatenate(strengths), kind="stable")[:most]
    return [_named(payoff, margin, trio) for trio in np.concatenate(members)[order].tolist()]


def _named(payoff: Payoff, margin: Floats, trio: Sequence[int]) -> Cycle:
    a, b, c = trio
    links = ((a, b), (b, c), (c, a))
    ab, bc, ca = (float(margin[link]) for link in links)
    games = [int(payoff.games[link]) for link in links]
    names = payoff.names
    return Cycle((names[a], names[b], names[c]), (ab, bc, ca), (games[0], games[1], games[2]))
