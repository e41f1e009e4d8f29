"""Swiss: a few rounds, in which equals meet, and nobody meets anybody twice.

Entrants are paired from the top. Within a score group the upper half meets the lower one, the first with the first of
each, as far as they have not met; who finds nobody there meets the next group. A pair is only made if all who are left
can still be paired (`arena.tournaments.matching`), so there is nothing to take back, and a round is found wherever
there is one. With an odd number, the lowest who has not had one and can be spared has a bye, which counts as won.

Before round r, each of n (a bye counts as somebody, so n is even) may meet n - r others. By Dirac (1952) they can all
be paired as long as that is n / 2 or more, whatever was played: so n / 2 rounds can always be played, and no more are.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from arena.tournaments.matching import Graph, perfect
from arena.tournaments.pairing import Names, Pairing, Played
from arena.tournaments.scores import places, scores

SPARE = 2
"""Rounds more than it takes to leave one undefeated."""
Round = tuple[tuple[Pairing, ...], str | None]
"""Pairings of a round, and who has a bye."""


@dataclass(frozen=True, slots=True)
class Swiss:
    """`number` rounds; 0: as many as make sense."""

    number: int = 0

    def rounds(self, names: Names) -> int:
        """Rounds."""
        return self.number or min(limit(len(names)), math.ceil(math.log2(max(2, len(names)))) + SPARE)

    def most(self, names: Names) -> int:
        """Pairings."""
        return self.rounds(names) * (len(names) // 2)

    def pairings(self, names: Names, played: Played) -> list[Pairing]:
        """What is left of the round that is on."""
        last, _ = self._course(names, played)[-1]
        return [pairing for pairing in last if pairing not in played]

    def order(self, names: Names, played: Played) -> list[list[str]]:
        """By match points, Buchholz, Sonneborn-Berger, game points."""
        found = scores(names, played, self.byes(names, played))
        worth = {name: (s.matches, s.buchholz, s.sonneborn_berger, s.points) for name, s in found.items()}
        return places(names, worth)

    def byes(self, names: Names, played: Played) -> dict[str, tuple[int, ...]]:
        """Rounds that are over in which somebody had none to meet."""
        found: dict[str, tuple[int, ...]] = {}
        for round, (wanted, free) in enumerate(self._course(names, played), start=1):
            if free is not None and all(pairing in played for pairing in wanted):
                found[free] = (*found.get(free, ()), round)
        return found

    def _course(self, names: Names, played: Played) -> list[Round]:
        """The rounds as far as they are known: all that are over, and the one that is on."""
        course: list[Round] = []
        past: list[tuple[Pairing, float]] = []
        for round in range(1, self.rounds(names) + 1):
            course.append(_round(tuple(names), tuple(past), tuple(free for _, free in course), round))
            wanted = course[-1][0]
            if any(pairing not in played for pairing in wanted):
                break
            past += [(pairing, played[pairing].result) for pairing in wanted]
        return course


def limit(entrants: int) -> int:
    """Rounds that can be played for certain without anybody meeting somebody again."""
    return (entrants + 1) // 2


@lru_cache(maxsize=256)
def _round(
    names: tuple[str, ...], past: tuple[tuple[Pairing, float], ...], byes: tuple[str | None, ...], round: int
) -> Round:
    """The round that follows on the results `past`, of all rounds before it."""
    place = {name: index for index, name in enumerate(names)}
    points = [float(byes.count(name)) for name in names]
    met: list[set[int]] = [{index} for index in range(len(names))]
    for pairing, result in past:
        one, other = place[pairing.first], place[pairing.second]
        points[one] += result
        points[other] += 1 - result
        met[one].add(other)
        met[other].add(one)
    everybody = frozenset(range(len(names)))
    ranked = sorted(range(len(names)), key=lambda index: -points[index])
    rested = {place[name] for name in byes if name is not None}
    pairs, free = pair(ranked, points, [everybody - known for known in met], rested)
    return tuple(Pairing(round, names[a], names[b]) for a, b in pairs), None if free is None else names[free]


def pair(
    ranked: Sequence[int], points: Sequence[float], graph: Graph, rested: Collection[int]
) -> tuple[list[tuple[int, int]], int | None]:
    """The pairs of a round, and who has a bye; wherever there is such a round, one is found.

    Args:
        ranked: all entrants, the best first.
        points: [n] match points.
        graph: [n] whom each may meet.
        rested: those who have had a bye.

    Raises:
        ValueError: there is none.
    """
    left, free = list(ranked), None
    if len(left) % 2:
        able = (one for one in reversed(left) if one not in rested)
        free = next((one for one in able if perfect(graph, [other for other in left if other != one])), None)
        left = [one for one in left if one != free]
    if not perfect(graph, left):
        raise ValueError("no round is left in which nobody meets somebody again")
    pairs = []
    while left:
        first = left[0]
        second = next(
            other
            for other in _preferred(left, points)
            if other in graph[first] and perfect(graph, [one for one in left if one not in (first, other)])
        )
        pairs.append((first, second))
        left = [one for one in left if one not in (first, second)]
    return pairs, free


def _preferred(left: Sequence[int], points: Sequence[float]) -> list[int]:
    """Whom the first of `left` would rather meet: its group from the middle down, then up, then who comes next."""
    group = [one for one in left[1:] if points[one] == points[left[0]]]
    middle = len(group) // 2
    return [*group[middle:], *reversed(group[:middle]), *left[1 + len(group) :]]
