"""Rated games: who meets whom, played block by block into the log, and what the log then says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, takewhile
from typing import Any

import numpy as np

from arena.execution.agenda import Work
from arena.league.history import changes_sides, compared, parts, read
from arena.league.ledger import Ledger
from arena.league.population import Pair, Population
from arena.league.scheduling import best_pairs, largest
from arena.league.standings import LEADERS, Standing
from arena.league.tapes import Tapes
from arena.league.trial import RatedJob
from arena.learner import seed_for
from arena.ratings.games import games_of
from arena.ratings.payoff import Payoff
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings, rate
from arena.result import Result
from envs.side import unlike


class RatedGames:
    """The games of a league that count."""

    def __init__(self, population: Population) -> None:
        """The log is that of the population's folder."""
        self._population = population
        self.tapes: Tapes | None = None
        """Where to keep what is done in the games that are played from now on."""
        self._patience = 0.0
        self.read()

    def read(self) -> None:
        """Look at the log again."""
        folder, spec = self._population.folder, self._population.spec
        self._ledger = Ledger(read(folder, spec), lambda: self._population.parts, parts(folder.meetings(), spec))
        self._ledger.patience = self._patience

    @property
    def standings(self) -> list[Standing]:
        """Everybody who has been rated, best first; the same object until there are more games."""
        return self._ledger.standings

    @property
    def shown(self) -> list[Standing]:
        """The same for people to look at; of very many games not always the last ones, see `Ledger.shown`."""
        return self._ledger.shown

    def hurry(self, patience: float) -> None:
        """From now on ratings and payoffs of very many games may be out of date, see `Ledger.patience`."""
        self._patience = self._ledger.patience = patience

    @property
    def ratings(self) -> dict[str, Rating]:
        """TrueSkill of everybody who has been rated."""
        return self._ledger.ratings

    @property
    def payoff(self) -> Payoff:
        """Of wins."""
        return self._ledger.payoff

    @property
    def scores(self) -> Payoff:
        """Of scores."""
        return self._ledger.scores

    def rivals(self, name: str) -> list[str]:
        """Whom the snapshot `name` shall meet: the best of the others, and some at random; and where learners start
        again when they have succeeded, first the newest of every other learner, as this is what shows it.

        By the log as it was when the snapshot was new, so that one half-rated meets the same again.
        """
        population = self._population
        past = [one.name for one in population.past() if one.role != "anchor"]
        others = [one for one in (past[: past.index(name)] if name in past else past) if population.can_meet(name, one)]
        ratings = self.ratings
        if name in ratings and changes_sides(population.spec):
            ratings = self._ledger.before(name)
        elif name in ratings:
            before = list(takewhile(lambda met: name not in met.players, population.folder.meetings()))
            ratings = rate(compared(before, population.spec)) if before else {}
        newest = {other.rpartition(":")[0]: other for other in others}
        watched = any(population.configs[learner.name].reset for learner in population.learners)
        sought = [newest[one.name] for one in population.learners if one.name in newest] if watched else []
        chosen = [other for other in sought if other.rpartition(":")[0] != name.rpartition(":")[0]]
        best = sorted((other for other in others if other in ratings), key=lambda other: -ratings[other].exposed)[:1]
        count = max(len(chosen), min(population.config.evaluation.rivals, len(others)))
        chosen += [other for other in best if other not in chosen]
        rest = [other for other in others if other not in chosen]
        rng = np.random.default_rng(seed_for(population.config.seed, "rivals", name))
        return [*chosen, *rng.permutation(rest).tolist()][:count]

    def play(
        self, kind: str, pairs: Sequence[Pair], games: int, begin: Callable[[], None] = lambda: None
    ) -> Work[dict[tuple[str, ...], list[Result]]]:
        """Have `games` games of each pair played that has not played them yet, and log them; those that were played,
        by who played. Where players cannot change sides all play on the same seeds.

        Args:
            kind: of the block's key, which counts once.
            begin: called first, if there is anything to play.
        """
        population, folder = self._population, self._population.folder
        logged = folder.blocks()
        wanted = {block.key: block for pair in pairs for block in population.blocks(kind, pair, games)}
        todo = [block for key, block in wanted.items() if key not in logged]
        if not todo:
            return {}
        begin()
        needs = population.config.evaluation.resources
        taped = self.tapes is not None
        found = yield [RatedJob(population.job(block), taped, needs.cpus, needs.gpus) for block in todo]
        results: list[list[Result]] = [games_played for games_played, _ in found]
        for block, (games_played, tape) in zip(todo, found, strict=True):
            folder.append_block(block.key, games_played)
            if self.tapes and tape:
                self.tapes.put(block.key, games_played, tape)
        if changes_sides(population.spec):
            self._ledger.add(games_of(chain.from_iterable(results)))
        else:
            self.read()  # each new game is compared with many before
        return {block.players: games_played for block, games_played in zip(todo, results, strict=True)}

    def more(self, pairs: Sequence[Pair], games: int) -> Work[dict[tuple[str, ...], list[Result]]]:
        """Have `games` more games played for each pair, however many they have had: with each other or, where the two
        play the same side, each with the same opponent of the other side."""
        logged = self._population.folder.blocks()
        kinds: dict[str, list[Pair]] = {}
        for a, b in pairs:
            number, meetings = 0, self._meetings(a, b)
            while all(
                block.key in logged
                for meeting in meetings
                for block in self._population.blocks(f"more{number}", meeting, games)
            ):
                number += 1
            kinds.setdefault(f"more{number}", []).extend(meetings)
        played: dict[tuple[str, ...], list[Result]] = {}
        for kind, some in kinds.items():
            played |= yield from self.play(kind, some, games)
        return played

    def _meetings(self, a: str, b: str) -> list[Pair]:
        """Who must meet so that the two are compared."""
        if self._population.can_meet(a, b):
            return [(a, b)]
        other = next(name for name in self._opponents if self._population.can_meet(a, name))
        return [(a, other), (b, other)]

    @property
    def _opponents(self) -> list[str]:
        """Everybody who may be met, snapshots first, the best of each part before the others."""
        active = self.active
        return [*(one.name for one in self.standings if one.name in active), *reversed(active)]

    def best(self, count: int) -> list[str]:
        """The best `count` snapshots that may be champions; so many of each part where teams are not alike."""
        known = {one.name for one in self._population.past()}
        able = [one for one in self.standings if one.role in LEADERS and one.name in known]
        able.sort(key=lambda one: -one.fit.exposed)
        parts = dict.fromkeys(one.part for one in able)
        return [name for part in parts for name in [one.name for one in able if one.part == part][:count]]

    def comparable(self, a: str, b: str) -> bool:
        """Whether more games can tell who of the two is better: those of one side, where sides are not alike, if there
        is an opponent for both."""
        population = self._population
        if not unlike(population.spec):
            return population.can_meet(a, b)
        fits = [name for name in self.active if population.can_meet(a, name) and population.can_meet(b, name)]
        return a != b and not population.can_meet(a, b) and bool(fits)

    @property
    def cost(self) -> int:
        """Meetings that `more` plays for a pair, at most."""
        return 1 if changes_sides(self._population.spec) else 2

    @property
    def active(self) -> list[str]:
        """Everybody who may be met, by name as players."""
        return [one.name for one in self._population.past()]

    @property
    def anchors(self) -> tuple[str, ...]:
        """Those of them that are anchors."""
        return self._population.anchors


def settle(
    rated: RatedGames,
    do: Callable[[Work[Any]], Any],
    sigma: float,
    games: int,
    block: int,
    top: int,
    stop: Callable[[], bool],
    show: Callable[[int, float], None],
) -> tuple[int, float]:
    """Play where most is learnt until nobody's sigma is above `sigma`, or `games` have been played.

    Args:
        do: does a work to its end, such as `arena.execution.agenda.finish` on an executor.
        block: games of a pair in a round, an even number; of each of the two, if they are not with each other.
        top: see `best_pairs`.
        stop: asked between rounds.
        show: told how many were played, and the largest sigma.

    Returns how many were played, and the largest sigma that is left.
    """
    played = 0
    while True:
        anchors = set(rated.anchors)
        known = {name: rated.ratings.get(name, UNRATED) for name in rated.active}
        left = largest(known, [name for name in known if name not in anchors])
        if played:
            show(played, left)
        most = min(PAIRS, (games - played) // (block * rated.cost))
        pairs = best_pairs(known, most, sigma, anchors, top, rated.comparable) if most else []
        if not pairs or stop():
            return played, left
        played += sum(map(len, do(rated.more(pairs, block)).values()))


PAIRS = 8
"""That play in a round of `settle`: after it, ratings are looked at again."""
UNRATED = Rating(TrueSkillSettings().mu, TrueSkillSettings().sigma, 0)
"""What is known of somebody without games."""
