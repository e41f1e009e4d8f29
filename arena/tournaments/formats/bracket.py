"""Bracket: the plan of an elimination tournament, as a list of matches that say where their players come from.

Seeds are placed so that the best two can only meet in the final, the best four in the semi-finals, and so on; where
entrants are no power of two, the top seeds have no opponent in the first round. In a double elimination, who loses in
round r of the winners' bracket goes on in the losers' bracket, which has two rounds for each of the winners' bracket:
one among themselves, one against those who come down, in reversed order so that nobody soon meets the same again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Source(NamedTuple):
    """Where a player comes from: an entrant, or the winner or loser of a match."""

    kind: Literal["seed", "winner", "loser"]
    number: int
    """Place among the entrants, from 0 (none has it: a bye), or of the match in the list."""


Side = Literal["winners", "losers", "final", "reset"]


@dataclass(frozen=True, slots=True)
class Match:
    """A match of a bracket."""

    side: Side
    """reset: it only is played if the winner of the losers' bracket has won the final."""
    level: int
    """Round of its side, from 1."""
    round: int
    """Round of the tournament, from 1: no two meet twice in one."""
    sources: tuple[Source, Source]


def seeded(size: int) -> list[int]:
    """Places 0.. of the entrants in the order of the first round's seats; `size` is a power of two."""
    order = [0]
    while len(order) < size:
        total = 2 * len(order) - 1
        order = [place for seed in order for place in (seed, total - seed)]
    return order


def single(entrants: int) -> list[Match]:
    """Who loses is out."""
    return _winners(entrants, list(range(1, _levels(entrants) + 1)))


def double(entrants: int) -> list[Match]:
    """Who loses twice is out."""
    levels = _levels(entrants)
    matches = _winners(entrants, [1, *range(2, 2 * levels - 1, 2)])
    dropped = [[place for place, one in enumerate(matches) if one.level == level] for level in range(1, levels + 1)]
    waiting = [Source("loser", place) for place in dropped[0]]
    level = 0
    for down in dropped[1:]:
        level += 1
        waiting = _add(matches, "losers", level, level + 1, list(zip(waiting[::2], waiting[1::2], strict=True)))
        level += 1
        coming = [Source("loser", place) for place in reversed(down)]
        waiting = _add(matches, "losers", level, level + 1, list(zip(coming, waiting, strict=True)))
    best = Source("winner", dropped[-1][0])
    final = _add(matches, "final", 1, level + 2, [(best, waiting[0])])[0].number
    _add(matches, "reset", 1, level + 3, [(Source("loser", final), Source("winner", final))])
    return matches


def _levels(entrants: int) -> int:
    return max(1, (entrants - 1).bit_length())


def _winners(entrants: int, rounds: list[int]) -> list[Match]:
    """The matches of the winners' bracket, round by round; `rounds` of the tournament in which its rounds are."""
    matches: list[Match] = []
    waiting = [Source("seed", place) for place in seeded(1 << _levels(entrants))]
    for level, round in enumerate(rounds, start=1):
        waiting = _add(matches, "winners", level, round, list(zip(waiting[::2], waiting[1::2], strict=True)))
    return matches


def _add(matches: list[Match], side: Side, level: int, round: int, pairs: list[tuple[Source, Source]]) -> list[Source]:
    """Append matches; their winners."""
    first = len(matches)
    matches += [Match(side, level, round, pair) for pair in pairs]
    return [Source("winner", place) for place in range(first, len(matches))]
