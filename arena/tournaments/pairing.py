"""Pairing: two who are to meet, and what came out of it. The whole vocabulary of the formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Names = Sequence[str]
"""Entrants in the order of their seeds, the best first."""


class Pairing(NamedTuple):
    """Two entrants in a round. They play a fixed number of games, seats swapped, so neither has the better seat."""

    round: int
    """From 1."""
    first: str
    second: str
    leg: int = 0
    """Counted from 0 where the two go on in one round, as in a best of three."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The games of a pairing, from the side of its first player."""

    wins: int
    draws: int
    losses: int

    @property
    def games(self) -> int:
        """How many."""
        return self.wins + self.draws + self.losses

    @property
    def points(self) -> float:
        """Wins and half the draws of the first."""
        return self.wins + self.draws / 2

    @property
    def swapped(self) -> Outcome:
        """The same from the side of the second."""
        return Outcome(self.losses, self.draws, self.wins)

    @property
    def result(self) -> float:
        """Of the pairing as a whole: 1 for more points than the second, 1/2 for as many, 0 for fewer."""
        return 1.0 if self.wins > self.losses else 0.5 if self.wins == self.losses else 0.0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.wins + other.wins, self.draws + other.draws, self.losses + other.losses)


Played = Mapping[Pairing, Outcome]
"""Everything that has been played to its end."""


class Format(Protocol):
    """A kind of tournament. A pure function of the entrants and of what was played: it keeps nothing."""

    def pairings(self, names: Names, played: Played) -> list[Pairing]:
        """What can be played now, in order; empty when it is over.

        A pairing that has been named is named again until it has been played, whatever else is played first.
        """
        ...

    def order(self, names: Names, played: Played) -> list[list[str]]:
        """All entrants, the best first; those who share a place are together, the better seed first."""
        ...

    def most(self, names: Names) -> int:
        """Pairings that it takes, at most."""
        ...

    def rounds(self, names: Names) -> int:
        """Rounds that it has, at most."""
        ...
