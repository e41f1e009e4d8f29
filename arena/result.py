"""Result: what is left of a game when it is over; and a match in a few numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from envs.errors import unknown

Ending = Literal["rules", "limit", "forfeit"]


@dataclass(frozen=True, slots=True)
class Result:
    """One game. A plain value: everything that is ever said about a league follows from a list of these."""

    env: str
    """Registered id of the game."""
    players: tuple[str, ...]
    """[P] name of who sat in each seat."""
    score: tuple[float, ...]
    """[P] in the game's own units; higher is better."""
    steps: int
    """Length of the game."""
    seed: int
    """Seed of the game itself: games with the same seed had the same serves (or cards, or maps). Below 2**53,
    so that any file format and language can hold it."""
    ended: Ending
    """By its rules, at the step limit, or because a player forfeited."""
    reason: str = ""
    """Of a forfeit: who did what, such as "mine gave no answer within 20 ms"."""


@dataclass(frozen=True, slots=True)
class MatchSummary:
    """A match from one player's side."""

    player: str
    games: int
    wins: int
    draws: int
    losses: int
    score_mean: float
    """Mean score per game and seat, in the game's own units."""
    score_ci95: tuple[float, float] | None
    """95 % interval of `score_mean`; None with fewer than two rounds of games on different seeds."""
    steps_mean: float

    def figures(self) -> dict[str, Any]:
        """The match as every --json prints it: games, wins, draws, losses, score_mean, score_ci95."""
        names = ("games", "wins", "draws", "losses", "score_mean", "score_ci95")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        """One line for people."""
        interval = ""
        if self.score_ci95:
            interval = " (95 % interval {:+.3f} to {:+.3f})".format(*self.score_ci95)
        return (
            f"{self.player}: {self.wins} wins, {self.draws} draws, {self.losses} losses "
            f"in {self.games} games, mean score {self.score_mean:+.3f}{interval}, "
            f"{self.steps_mean:.0f} steps per game"
        )


def summarise(results: Sequence[Result], player: str) -> MatchSummary:
    """Count the games in which `player` sat. A win is a higher score than the best of the others; who had several seats
    has the mean of their scores.

    Games that share a seed (the two of a seat-swapped pair) are not independent, so the interval takes each
    such group as one unit: the cluster-robust variance of a ratio, with Student's t for the number of groups.

    Raises:
        InputError: if the player is in none of the games.
    """
    own, margins, mine = [], [], []
    for result in results:
        if player in result.players:
            mine.append(result)
            held = _held(result, player)
            rest = [_held(result, name) for name in set(result.players) - {player}]
            own.append(held)
            margins.append(held - max(rest, default=held))
    if not mine:
        raise unknown("player", player, {name for result in results for name in result.players})
    games = len(mine)
    wins, losses = sum(m > 0 for m in margins), sum(m < 0 for m in margins)
    mean = math.fsum(own) / games
    return MatchSummary(
        player=player,
        games=games,
        wins=wins,
        draws=games - wins - losses,
        losses=losses,
        score_mean=mean,
        score_ci95=_interval(own, [result.seed for result in mine], mean),
        steps_mean=math.fsum(result.steps for result in mine) / games,
    )


def _held(result: Result, player: str) -> float:
    """Mean score of the seats of `player`."""
    scores = [score for name, score in zip(result.players, result.score, strict=True) if name == player]
    return math.fsum(scores) / len(scores)


def _interval(scores: Sequence[float], seeds: Sequence[int], mean: float) -> tuple[float, float] | None:
    """95 % interval of the mean of `scores`, whose errors are only independent between seeds."""
    deviation: dict[int, float] = {}
    for score, seed in zip(scores, seeds, strict=True):
        deviation[seed] = deviation.get(seed, 0.0) + score - mean
    units = len(deviation)
    if units < 2:
        return None
    square = math.fsum(d * d for d in deviation.values()) * units / (units - 1)
    half = student_975(units - 1) * math.sqrt(square) / len(scores)
    return mean - half, mean + half


def student_975(df: float) -> float:
    """97.5 % quantile of Student's t, within 0.2 %: exact for 1 and 2, then Abramowitz & Stegun 26.7.5."""
    if df == 1:
        return 12.706204736
    if df == 2:
        return 4.302652730
    z = 1.959963985
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / df**power for power, term in enumerate(terms, start=1))
