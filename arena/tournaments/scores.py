"""Scores: points and tie-breaks of everybody, in any format. Pure functions of what was played.

A pairing is worth a match point to who got more of its games' points, half a point to both if they got as many. Where
rounds count (Swiss), so does a bye.

Buchholz            sum of the match points of the opponents
Sonneborn-Berger    sum over opponents of their match points times the result against them

A round without an opponent counts in both as one against somebody who ends with as many points as oneself (FIDE,
"Tie-Break Regulations", Handbook C.07, article 16).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from arena.tournaments.pairing import Names, Outcome, Played

NOTHING = Outcome(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Score:
    """What one entrant has."""

    matches: float
    """Match points, byes included."""
    games: Outcome
    """All its games."""
    met: Mapping[str, Outcome]
    """Its games against each opponent, in order."""
    results: tuple[tuple[str, float], ...]
    """Opponent and result 0..1 of each of its pairings, in order."""
    byes: tuple[int, ...]
    """Rounds in which it had no opponent."""
    buchholz: float
    sonneborn_berger: float

    @property
    def points(self) -> float:
        """Game points."""
        return self.games.points


def scores(names: Names, played: Played, byes: Mapping[str, tuple[int, ...]] | None = None) -> dict[str, Score]:
    """Of all entrants.

    Args:
        byes: rounds in which each had no opponent, if that is worth a match point.
    """
    met: dict[str, dict[str, Outcome]] = {name: {} for name in names}
    results: dict[str, list[tuple[str, float]]] = {name: [] for name in names}
    for pairing in sorted(played, key=lambda one: (one.round, one.leg)):
        outcome = played[pairing]
        for own, other, seen in (
            (pairing.first, pairing.second, outcome),
            (pairing.second, pairing.first, outcome.swapped),
        ):
            met[own][other] = met[own].get(other, NOTHING) + seen
            results[own].append((other, seen.result))
    rested = {name: (byes or {}).get(name, ()) for name in names}
    matches = {name: math.fsum(result for _, result in results[name]) + len(rested[name]) for name in names}
    return {
        name: Score(
            matches=matches[name],
            games=sum(met[name].values(), NOTHING),
            met=met[name],
            results=tuple(results[name]),
            byes=rested[name],
            buchholz=math.fsum(matches[other] for other, _ in results[name]) + len(rested[name]) * matches[name],
            sonneborn_berger=math.fsum(matches[other] * result for other, result in results[name])
            + len(rested[name]) * matches[name],
        )
        for name in names
    }


def places(names: Names, worth: Mapping[str, tuple[float, ...]]) -> list[list[str]]:
    """Entrants in groups of equal `worth`, the highest first; in a group by seed."""
    groups: dict[tuple[float, ...], list[str]] = {}
    for name in names:
        groups.setdefault(worth[name], []).append(name)
    return [groups[value] for value in sorted(groups, reverse=True)]
