"""Games: a match log as a few flat arrays, the form in which raters read it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arena.stats.units import Game


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
    seat: NDArray[np.int64]
    """[S] where the side sat; the first of its seats if it had several."""
    seed: NDArray[np.int64]
    """[G] of the game itself: games with the same seed had the same serves."""
    steps: NDArray[np.int64]
    """[G] length of the game."""

    def __len__(self) -> int:
        """G."""
        return len(self.start) - 1

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

    def first(self, count: int) -> Games:
        """The log when it had `count` games."""
        sides = int(self.start[count])
        names = self.names[: int(self.player[:sides].max(initial=-1)) + 1]
        return Games(
            names, self.start[: count + 1], self.player[:sides], self.score[:sides], self.seat[:sides],
            self.seed[:count], self.steps[:count],
        )  # fmt: skip


class GrowingGames:
    """A log in memory to which games are added, without copying those before each time."""

    def __init__(self, games: Games) -> None:
        """Begin with `games`."""
        self._place = {name: index for index, name in enumerate(games.names)}
        self._start, self._sides, self._games = Column(np.int64), _columns(SIDES), _columns(GAMES)
        self._start.add(games.start[:1], len(games) + 1)
        self._append(games, games.player)

    @property
    def games(self) -> Games:
        """As they are now; they stay so when others are added."""
        values = {name: column.values() for name, column in {**self._sides, **self._games}.items()}
        return Games(tuple(self._place), self._start.values(), **values)

    def add(self, later: Games) -> None:
        """Append the games of `later`, as if all had been read as one log."""
        for name in later.names:
            self._place.setdefault(name, len(self._place))
        self._append(later, np.array([self._place[name] for name in later.names], np.int64)[later.player])

    def _append(self, games: Games, player: NDArray[np.int64]) -> None:
        self._start.add(len(self._sides["player"]) + games.start[1:])
        for name, column in self._sides.items():
            column.add(player if name == "player" else getattr(games, name))
        for name, column in self._games.items():
            column.add(getattr(games, name))


class Column:
    """An array that grows."""

    def __init__(self, kind: type[np.generic]) -> None:
        """Without elements."""
        self._held: NDArray[Any] = np.empty(0, kind)
        self._count = 0

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def add(self, part: NDArray[Any], room: int = 0) -> None:
        """Append `part`; `room` is how many there will be, about."""
        until = self._count + len(part)
        if until > len(self._held):
            grown = np.empty(max(until, room, len(self._held) + len(self._held) // 8), self._held.dtype)
            grown[: self._count] = self.values()
            self._held = grown
        self._held[self._count : until] = part
        self._count = until

    def values(self) -> NDArray[Any]:
        """What there is now."""
        return self._held[: self._count]


SIDES, GAMES = {"player": np.int64, "score": np.float64, "seat": np.int64}, {"seed": np.int64, "steps": np.int64}
"""Arrays of `Games` by side, and by game."""


def _columns(kinds: Mapping[str, type[np.generic]]) -> dict[str, Column]:
    return {name: Column(kind) for name, kind in kinds.items()}


class Played(Game, Protocol):
    """What is read of a game; a `Result` says it, and so does a `Meeting` of the store, which is read sooner."""

    @property
    def steps(self) -> int:
        """Length of the game."""


History = Iterable[Played] | Games
"""A log, as every rater takes it."""


def games_of(results: History) -> Games:
    """Read a log; one that has been read already is handed back, so that several raters can share it.

    Who had several seats has the mean of their scores. Left out, because they say nothing: games in which a player only
    met itself.
    """
    if isinstance(results, Games):
        return results
    index: dict[str, int] = {}
    lineups: dict[tuple[str, ...], tuple[list[int], list[int], list[int]]] = {}
    start, seed, steps = array("q", [0]), array("q"), array("q")
    player, seat, score = array("q"), array("q"), array("d")
    for result in results:
        lineup = lineups.get(result.players)
        if lineup is None:
            lineup = lineups[result.players] = _lineup(result.players)
        own, seats, ids = lineup
        held = result.score
        if len(seats) < len(held):
            if len(seats) < 2:
                continue
            held = tuple(fmean(held[at] for at, first in enumerate(own) if first == side) for side in seats)
        if not ids:
            ids.extend(index.setdefault(result.players[at], len(index)) for at in seats)
        player.extend(ids)
        seat.extend(seats)
        score.extend(held)
        seed.append(result.seed)
        steps.append(result.steps)
        start.append(len(player))
    arrays = (np.array(each) for each in (start, player, score, seat, seed, steps))
    return Games(tuple(index), *arrays)


def _lineup(players: tuple[str, ...]) -> tuple[list[int], list[int], list[int]]:
    """For each seat the first seat of whoever sits there [P]; these first seats, once each [sides]; and room for
    the sides' indices, which players get with their first game that counts."""
    own = [players.index(name) for name in players]
    return own, list(dict.fromkeys(own)), []
