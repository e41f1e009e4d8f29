"""Round robin: everybody meets everybody, once or several times; and gauntlet: some meet everybody.

The circle method: one entrant stays, the others move on by one place from round to round, and who is opposite meets.
Of n entrants, n - 1 rounds are made in which everybody plays (with an odd number n rounds, in which one rests).
"""

from __future__ import annotations

from dataclasses import dataclass

from arena.tournaments.pairing import Names, Pairing, Played
from arena.tournaments.scores import places, scores


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Everybody meets everybody `cycles` times."""

    cycles: int = 1

    def schedule(self, names: Names) -> list[Pairing]:
        """All pairings, round by round."""
        circle: list[str | None] = [*names, *([None] if len(names) % 2 else [])]
        count = len(circle)
        found = []
        for cycle in range(self.cycles):
            for turn in range(count - 1):
                row = [circle[0], *(circle[1 + (place + turn) % (count - 1)] for place in range(count - 1))]
                for place in range(count // 2):
                    pair = (row[place], row[-1 - place])
                    first, second = pair if (cycle + (turn if place == 0 else place)) % 2 == 0 else pair[::-1]
                    if first is not None and second is not None:
                        found.append(Pairing(cycle * (count - 1) + turn + 1, first, second))
        return found

    def pairings(self, names: Names, played: Played) -> list[Pairing]:
        """All that is left: what happens in a round decides nothing of the next."""
        return [pairing for pairing in self.schedule(names) if pairing not in played]

    def order(self, names: Names, played: Played) -> list[list[str]]:
        """By game points, then Sonneborn-Berger, then wins."""
        found = scores(names, played)
        return places(names, {n: (s.points, s.sonneborn_berger, float(s.games.wins)) for n, s in found.items()})

    def most(self, names: Names) -> int:
        """Pairings."""
        return self.cycles * len(names) * (len(names) - 1) // 2

    def rounds(self, names: Names) -> int:
        """Rounds."""
        return self.cycles * (len(names) - 1 + len(names) % 2)


@dataclass(frozen=True, slots=True)
class Gauntlet:
    """The first `challengers` entrants meet all others, but not each other."""

    challengers: int = 1
    cycles: int = 1

    def schedule(self, names: Names) -> list[Pairing]:
        """All pairings. In a round each challenger meets another of the others."""
        own, others = names[: self.challengers], names[self.challengers :]
        size = max(len(own), len(others))
        return [
            Pairing(cycle * size + turn + 1, challenger, others[(turn + place) % size])
            for cycle in range(self.cycles)
            for turn in range(size)
            for place, challenger in enumerate(own)
            if (turn + place) % size < len(others)
        ]

    def pairings(self, names: Names, played: Played) -> list[Pairing]:
        """All that is left."""
        return [pairing for pairing in self.schedule(names) if pairing not in played]

    def order(self, names: Names, played: Played) -> list[list[str]]:
        """Challengers among each other by game points and match points, and below them the others likewise."""
        found = scores(names, played)
        worth = {name: (score.points, score.matches) for name, score in found.items()}
        return places(names[: self.challengers], worth) + places(names[self.challengers :], worth)

    def most(self, names: Names) -> int:
        """Pairings."""
        return self.cycles * self.challengers * (len(names) - self.challengers)

    def rounds(self, names: Names) -> int:
        """Rounds."""
        return self.cycles * max(self.challengers, len(names) - self.challengers)
