"""Elimination: who loses is out, or who loses twice. Who wins a match is decided by a best of several legs.

A leg is one pairing: a number of games, seats swapped. Where it ends even, so does the leg, and it counts for nobody.
The match is over when somebody cannot be caught up with any more; even after all its legs, it goes to who has more of
the games' points, else on for up to `EXTRA` legs until one is won, and then to the better seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from arena.tournaments.formats.bracket import Match, double, single
from arena.tournaments.pairing import Names, Outcome, Pairing, Played
from arena.tournaments.scores import NOTHING

EXTRA = 4
"""Legs that are added, at most, where all is even."""


class Stand(NamedTuple):
    """How a match stands."""

    first: str | None
    """None: not known yet, or nobody (a bye)."""
    second: str | None
    legs: tuple[Outcome, ...]
    """Those that have been played, from the side of the first."""
    winner: str | None
    loser: str | None
    over: bool
    """Nothing is to be played any more: won, or a bye."""


@dataclass(frozen=True, slots=True)
class Elimination:
    """One defeat, or two with a losers' bracket and a grand final, is the end."""

    lives: Literal[1, 2] = 1
    best_of: int = 1

    def plan(self, names: Names) -> tuple[Match, ...]:
        """The bracket."""
        return _plan(self.lives, len(names))

    def stands(self, names: Names, played: Played) -> list[Stand]:
        """How every match of the plan stands."""
        found: list[Stand] = []
        for match in self.plan(names):
            players: list[str | None] = []
            known = True
            for source in match.sources:
                if source.kind == "seed":
                    players.append(names[source.number] if source.number < len(names) else None)
                    continue
                before = found[source.number]
                known = known and before.over
                players.append(before.winner if source.kind == "winner" else before.loser)
            if match.side == "reset" and known and found[match.sources[0].number].winner == found[-1].first:
                found.append(Stand(None, None, (), None, None, True))  # the winner of all has won the final, too
            elif not known:
                found.append(Stand(players[0], players[1], (), None, None, False))
            else:
                found.append(self._met(match, players[0], players[1], names, played))
        return found

    def _met(self, match: Match, first: str | None, second: str | None, names: Names, played: Played) -> Stand:
        """How a match stands of which it is known who meets, or that nobody is met."""
        if first is None or second is None:
            return Stand(first, second, (), first or second, None, True)
        legs: list[Outcome] = []
        while (leg := played.get(Pairing(match.round, first, second, len(legs)))) is not None:
            legs.append(leg)
        lead = self._decided(legs)
        if lead is None:
            return Stand(first, second, tuple(legs), None, None, False)
        if lead == 0:
            lead = 1 if names.index(first) < names.index(second) else -1
        winner, loser = (first, second) if lead > 0 else (second, first)
        return Stand(first, second, tuple(legs), winner, loser, True)

    def _decided(self, legs: Sequence[Outcome]) -> float | None:
        """Above 0: for the first; below: for the second; 0: for the better seed; None: not yet."""
        regular, extra = legs[: self.best_of], legs[self.best_of :]
        ahead = sum((leg.wins > leg.losses) - (leg.wins < leg.losses) for leg in regular)
        if abs(ahead) > self.best_of - len(regular):
            return ahead
        if len(regular) < self.best_of:
            return None
        total = sum(regular, NOTHING)
        lead = ahead or total.wins - total.losses or sum(leg.wins - leg.losses for leg in extra)
        return lead if lead or len(extra) == EXTRA else None

    def pairings(self, names: Names, played: Played) -> list[Pairing]:
        """The next leg of every match that can be played: matches wait for nothing but their players."""
        stands = self.stands(names, played)
        return [
            Pairing(match.round, stand.first, stand.second, len(stand.legs))
            for match, stand in zip(self.plan(names), stands, strict=True)
            if not stand.over and stand.first is not None and stand.second is not None
            and all(source.kind == "seed" or stands[source.number].over for source in match.sources)
        ]  # fmt: skip

    def order(self, names: Names, played: Played) -> list[list[str]]:
        """By how far each came: who is out in the same round of the tournament shares a place."""
        left = dict.fromkeys(names, float("inf"))
        defeats = dict.fromkeys(names, 0)
        for match, stand in zip(self.plan(names), self.stands(names, played), strict=True):
            if stand.loser is not None:
                defeats[stand.loser] += 1
                if defeats[stand.loser] == self.lives:
                    left[stand.loser] = match.round
        groups: dict[float, list[str]] = {}
        for name in names:
            groups.setdefault(left[name], []).append(name)
        return [groups[value] for value in sorted(groups, reverse=True)]

    def most(self, names: Names) -> int:
        """Legs, but for those that are added where all is even."""
        return (len(names) - 1 if self.lives == 1 else 2 * len(names) - 1) * self.best_of

    def rounds(self, names: Names) -> int:
        """Rounds."""
        return max(match.round for match in self.plan(names))


@lru_cache(maxsize=64)
def _plan(lives: int, entrants: int) -> tuple[Match, ...]:
    return tuple(single(entrants) if lives == 1 else double(entrants))
