"""Blocks: the games of a pairing as units of work, whose keys say all that it takes to play them.

    round3.0.1|ada:1200000|baseline|64        round 3, leg 0, part 1: 64 games of these two

A pairing has several parts where it has more games than fit side by side. The seed of a part follows from that of the
tournament, the two names, round, leg and part, and from nothing else.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from arena.result import Result
from arena.stats.units import points
from arena.tournaments.pairing import Outcome, Pairing

LARGEST = 256
"""Games side by side, at most."""


class Block(NamedTuple):
    """A part of a pairing."""

    pairing: Pairing
    part: int
    games: int

    @property
    def key(self) -> str:
        """What the log calls it."""
        round, first, second, leg = self.pairing
        return f"round{round}.{leg}.{self.part}|{first}|{second}|{self.games}"

    @property
    def players(self) -> tuple[str, str]:
        """The two."""
        return self.pairing.first, self.pairing.second

    def seed(self, tournament: int) -> int:
        """Of 53 bits, in the tournament with that seed."""
        words = [self.pairing.round, self.pairing.leg, self.part]
        names = [byte for name in self.players for byte in (*name.encode(), 0)]
        source = np.random.SeedSequence([tournament, *words, *names])
        return int(source.generate_state(1, np.uint64)[0] >> np.uint64(11))


def blocks_of(pairing: Pairing, games: int, cycle: int) -> list[Block]:
    """The parts of a pairing of so many games, of which `cycle` have everybody in every seat once."""
    size = max(cycle, LARGEST - LARGEST % cycle)
    return [Block(pairing, part, min(size, games - start)) for part, start in enumerate(range(0, games, size))]


def parse_key(key: str) -> Block | None:
    """The block that the log calls so; None if it is of another kind, such as games that were imported."""
    found = re.fullmatch(r"round(\d+)\.(\d+)\.(\d+)\|([^|]+)\|([^|]+)\|(\d+)", key)
    if not found:
        return None
    round, leg, part, first, second, games = found.groups()
    return Block(Pairing(int(round), first, second, int(leg)), int(part), int(games))


def place(key: str) -> tuple[int, int, int, str, str]:
    """Where a block of the log belongs in the order of rounds and pairings; those of another kind come last."""
    block = parse_key(key)
    if block is None:
        return sys.maxsize, 0, 0, key, ""
    round, first, second, leg = block.pairing
    return round, leg, block.part, first, second


def outcome_of(results: Iterable[Result], first: str) -> Outcome:
    """The games of a block or pairing, from the side of `first`."""
    worth = [points(result, first) for result in results]
    return Outcome(worth.count(1.0), worth.count(0.5), worth.count(0.0))
