"""Games: a match log as a few flat arrays, the form in which raters read it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.result import Result


@dataclass(frozen=True, slots=True)
class Games:
    """G games in log order, S sides in all. A side is a player; seats it shares with itself count once."""

    names: tuple[str, ...]
    """Players, in order of appearance."""
    start: NDArray[np.int64]
    """[G + 1] first side of each game; the last entry is S."""
    player: NDArray[np.int64]
    """[S] index into `names`."""
    score: NDArray[np.float64]
    """[S] in the game's own units."""

    @property
    def duels(self) -> bool:
        """Every game had exactly two sides."""
        return bool((np.diff(self.start) == 2).all())

    def draw_rate(self) -> float:
        """Share of draws among neighbours in the order of finish; 0 without games."""
        if self.duels:
            tied = self.score[::2] == self.score[1::2]
            return float(tied.mean()) if tied.size else 0.0
        ordered = [np.sort(self.score[a:b]) for a, b in zip(self.start[:-1], self.start[1:], strict=True)]
        return float(np.concatenate([np.diff(scores) == 0 for scores in ordered]).mean())

    def counts(self) -> NDArray[np.int64]:
        """[names] games of each player."""
        return np.bincount(self.player, minlength=len(self.names))


def games_of(results: Iterable[Result]) -> Games:
    """Read a log.

    Left out, because they say nothing: games in which a player only met itself, or got two different scores.
    """
    index: dict[str, int] = {}
    start, player, score = array("q", [0]), array("q"), array("d")
    for result in results:
        sides = dict(zip(result.players, result.score, strict=True))
        if len(sides) < 2:
            continue
        if len(sides) < len(result.players) and any(
            sides[name] != held for name, held in zip(result.players, result.score, strict=True)
        ):
            continue
        for name, held in sides.items():
            player.append(index.setdefault(name, len(index)))
            score.append(held)
        start.append(len(player))
    return Games(tuple(index), np.array(start, np.int64), np.array(player, np.int64), np.array(score, np.float64))
