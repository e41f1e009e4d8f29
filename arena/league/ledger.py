"""Ledger: the rated games of a league in memory, and what follows from them, worked out when somebody asks.

What can go on where it stopped when games come does so, to the same bits as from the start: who won how much against
whom, and TrueSkill while the share of draws, which is part of its model, stays the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from arena.league.standings import Standing, standings
from arena.ratings.bradley_terry import fit_history
from arena.ratings.games import Games, GrowingGames
from arena.ratings.payoff import Payoff, Unit, payoff_of, payoff_of_tally
from arena.ratings.rating import Rating
from arena.ratings.tally import Tally
from arena.ratings.trueskill import Online, rate

LONG = 0.5
"""Seconds from which on something takes long to work out."""
PATIENCE = 20.0
"""For how many times as long standings that took long are shown to people before they are made again."""
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class _Known(Generic[Thing]):
    """What was worked out."""

    value: Thing
    games: int
    """Of the log then."""
    took: float
    """Seconds."""
    when: float
    """By the monotonic clock."""


class Ledger:
    """Games to which others are added."""

    def __init__(
        self, games: Games, roles: Callable[[], Mapping[str, str]], parts: Mapping[str, str] | None = None
    ) -> None:
        """Begin with `games`.

        Args:
            roles: of the members as they are now, by name.
            parts: as for `arena.league.standings.standings`.
        """
        self._growing, self._roles, self._parts = GrowingGames(games), roles, parts
        self._tally, self._online = Tally(), Online()
        self._known: dict[str, _Known[Any]] = {}
        self.patience = 0.0
        """For how many times as long as they took, ratings and payoffs that took long may be out of date: 0, never.
        For leagues in which nobody waits, and what is known depends on who was faster anyway."""

    @property
    def games(self) -> Games:
        """All of them."""
        return self._growing.games

    def add(self, later: Games) -> None:
        """Take in games that came after all others."""
        if len(later):
            self._growing.add(later)

    @property
    def ratings(self) -> dict[str, Rating]:
        """TrueSkill of everybody who has been rated."""
        return self._once("ratings", self._rated, self.patience)

    @property
    def payoff(self) -> Payoff:
        """Of wins."""
        return self._once("payoff", lambda: self._payoff("win"), self.patience)

    @property
    def scores(self) -> Payoff:
        """Of scores."""
        return self._once("scores", lambda: self._payoff("score"), self.patience)

    @property
    def standings(self) -> list[Standing]:
        """Everybody who has been rated, best first; the same object until there are more games."""
        return self._once("standings", self._standings, 0.0)

    @property
    def shown(self) -> list[Standing]:
        """The same for people to look at: where they take long, as so many games are, not always the last ones."""
        return self._once("standings", self._standings, PATIENCE)

    def before(self, name: str) -> dict[str, Rating]:
        """TrueSkill as it was before the first game of `name`."""
        games = self.games
        side = int(np.argmax(games.player == games.names.index(name)))
        earlier = games.first(int(np.searchsorted(games.start, side, side="right")) - 1)
        return rate(earlier) if len(earlier) else {}

    def _once(self, name: str, work_out: Callable[[], Thing], patience: float) -> Thing:
        """What is known by that name, worked out if it is not, or out of date for too long."""
        known, games, began = self._known.get(name), len(self.games), time.monotonic()
        if known and known.games == games:
            return known.value  # type: ignore[no-any-return]
        if known and known.took > LONG and began - known.when < patience * known.took:
            return known.value  # type: ignore[no-any-return]
        value = work_out()
        now = time.monotonic()
        self._known[name] = _Known(value, games, now - began, now)
        return value

    def _rated(self) -> dict[str, Rating]:
        return self._online.ratings(self.games)

    def _standings(self) -> list[Standing]:
        games = self.games
        ratings = self._once("ratings", self._rated, 0.0)
        fit = fit_history(games, tally=self._counted(games)) if len(games) else None
        return standings(games, self._roles(), lambda _: ratings, self._parts, fit)

    def _payoff(self, unit: Unit) -> Payoff:
        games = self.games
        tally = self._counted(games)
        return payoff_of(games, unit) if tally is None else payoff_of_tally(tally, games.names, unit)

    def _counted(self, games: Games) -> Tally | None:
        """The games counted up, if they are duels."""
        if not games.duels:
            return None
        self._tally.read(games)
        return self._tally
