"""Ladders: king of the hill, where one stays until beaten; and a rating ladder, where neighbours meet."""

from __future__ import annotations

from dataclasses import dataclass

from arena.stats.elo import expected_points
from arena.tournaments.pairing import Names, Pairing, Played
from arena.tournaments.scores import places, scores

STEP = 64.0
"""Elo points that a pairing moves on a rating ladder, at most."""


@dataclass(frozen=True, slots=True)
class KingOfTheHill:
    """The first entrant is king. One after the other challenges whoever is king, and is king if ahead; who is not king
    queues up again. `number` challenges; 0: everybody challenges once."""

    number: int = 0

    def pairings(self, names: Names, played: Played) -> list[Pairing]:
        """The next challenge."""
        pending = self._reigns(names, played)[1]
        return [] if pending is None else [pending]

    def _reigns(self, names: Names, played: Played) -> tuple[list[str], Pairing | None]:
        """King and queue as they are now, and the challenge that comes next."""
        king, queue = names[0], list(names[1:])
        for round in range(1, self.rounds(names) + 1):
            challenge = Pairing(round, king, queue[0])
            if challenge not in played:
                return [king, *queue], challenge
            challenger = queue.pop(0)
            if played[challenge].result < 0.5:
                king, challenger = challenger, king
            queue.append(challenger)
        return [king, *queue], None

    def order(self, names: Names, played: Played) -> list[list[str]]:
        """The king, then the others by match points (a challenge that was met, or won), then game points."""
        king = self._reigns(names, played)[0][0]
        found = scores(names, played)
        return places(names, {n: (float(n == king), score.matches, score.points) for n, score in found.items()})

    def most(self, names: Names) -> int:
        """Pairings."""
        return self.rounds(names)

    def rounds(self, names: Names) -> int:
        """Challenges."""
        return self.number or len(names) - 1


@dataclass(frozen=True, slots=True)
class RatingLadder:
    """All stand on a ladder by rating, and neighbours meet: in odd rounds the first with the second, the third with the
    fourth, in even ones the second with the third. After a round, ratings have moved (Elo, by the share of the games'
    points). `number` rounds; 0: as many as there are entrants, in which anybody can come from the end to the top."""

    number: int = 0

    def pairings(self, names: Names, played: Played) -> list[Pairing]:
        """What is left of the round that is on."""
        return [pairing for pairing in self._climbed(names, played)[1] if pairing not in played]

    def _climbed(self, names: Names, played: Played) -> tuple[dict[str, float], list[Pairing]]:
        """Ratings after the rounds that are over, and the pairings of the one that is on. Better seeds start a point
        ahead of the next."""
        ratings = {name: -float(place) for place, name in enumerate(names)}
        for round in range(1, self.rounds(names) + 1):
            rungs = sorted(names, key=lambda name: -ratings[name])
            start = 0 if round % 2 or len(names) == 2 else 1
            wanted = [Pairing(round, *pair) for pair in zip(rungs[start::2], rungs[start + 1 :: 2], strict=False)]
            if any(pairing not in played for pairing in wanted):
                return ratings, wanted
            for pairing in wanted:
                outcome = played[pairing]
                expected = expected_points(ratings[pairing.first] - ratings[pairing.second])
                step = STEP * (outcome.points / outcome.games - expected)
                ratings[pairing.first] += step
                ratings[pairing.second] -= step
        return ratings, []

    def order(self, names: Names, played: Played) -> list[list[str]]:
        """By rating."""
        ratings, _ = self._climbed(names, played)
        return places(names, {name: (value,) for name, value in ratings.items()})

    def most(self, names: Names) -> int:
        """Pairings."""
        return self.rounds(names) * (len(names) // 2)

    def rounds(self, names: Names) -> int:
        """Rounds."""
        return self.number or len(names)
