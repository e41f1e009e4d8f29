"""Keeper: stores the replays of a league that are worth watching while it goes on.

The files follow from the log alone, so whatever is not stored when a process dies is stored by the next one. A block
of which it is no longer known what was done in it is played again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from arena.league.population import Population
from arena.league.rated import RatedGames
from arena.league.tapes import Tapes
from arena.replay.again import Again, file_of, is_stored
from arena.replay.picks import Pick, picks
from arena.replay.replay import Replay, read_replay, write_replay
from envs.errors import InputError

SHARE = 0.005
"""Of a league's time that looking for replays may take while it trains; what is left to do waits for the end."""


class Keeper:
    """Writes DIR/replays."""

    def __init__(self, population: Population, rated: RatedGames) -> None:
        """From now on what is done in the games of `rated` is taken down."""
        self._population, self._rated, self._folder = population, rated, population.folder
        self._tapes = rated.tapes = Tapes()
        self._spent = 0.0
        self.faults: list[str] = []
        """Why replays could not be stored."""

    def look(self, seconds: float) -> None:
        """Store what can be stored without playing again, unless that has taken its share of the league's `seconds`."""
        if self._spent <= SHARE * seconds:
            self._store(again=False)

    def keep(self) -> None:
        """Store all replays of the picks that the log now has, with the ratings that follow from it."""
        self._store(again=True)

    def _store(self, again: bool) -> None:
        began = time.monotonic()
        chosen = picks(self._folder, self._rated.ratings)
        wanted = [pick for pick in chosen if not is_stored(self._folder.path, pick)]
        known = [pick for pick in wanted if again or self._tapes.get(pick.block)]
        maker = Again(self._folder, self._population.player, self._rated.ratings)
        (self._folder.path / "replays").mkdir(exist_ok=True)
        for pick in known:
            self._write(pick, lambda pick: maker.replays([pick], self._tapes.get)[0])
        if again:
            for pick in chosen:
                if pick not in known:
                    self._write(pick, self._rated_anew)
        self._spent += time.monotonic() - began

    def _rated_anew(self, pick: Pick) -> Replay | None:
        """The replay of `pick` with the ratings of now; None if they have not changed."""
        stored = read_replay(file_of(self._folder.path, pick))
        known = {name: one.mean for name, one in self._rated.ratings.items()}
        ratings = tuple(known.get(name) for name in stored.players)
        return None if ratings == stored.ratings else replace(stored, ratings=ratings)

    def _write(self, pick: Pick, make: Callable[[Pick], Replay | None]) -> None:
        try:
            replay = make(pick)
            if replay:
                write_replay(replay, file_of(self._folder.path, pick))
        except InputError as fault:  # a league does not end because a game cannot be shown
            self.faults.append(f"{pick.label}: {fault}")
