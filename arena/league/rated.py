"""Rated games: who meets whom, played block by block into the log, and what the log then says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, takewhile

import numpy as np

from arena.league.population import Population
from arena.league.scheduling import best_pairs, largest
from arena.league.standings import LEADERS, Standing, standings
from arena.learner import seed_for
from arena.match import run_block
from arena.ratings.games import Games, games_of
from arena.ratings.payoff import Payoff, payoff_of
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings, rate
from arena.result import Result

Pair = tuple[str, str]


class RatedGames:
    """The games of a league that count."""

    def __init__(self, population: Population) -> None:
        """The log is that of the population's folder."""
        self._population = population
        self.read()

    def read(self) -> None:
        """Look at the log again."""
        self._take(games_of(self._population.folder.meetings()))

    def _take(self, games: Games) -> None:
        """Let `games` be the log."""
        self._games = games
        self.standings: list[Standing] = standings(games, self._population.parts)
        """Everybody who has been rated, best first; the same object until there are more games."""
        self.ratings: dict[str, Rating] = {one.name: one.rating for one in self.standings}
        self.payoff: Payoff = payoff_of(games)
        """Of wins."""
        self.scores: Payoff = payoff_of(games, "score")
        """Of scores."""

    def rivals(self, name: str) -> list[str]:
        """Whom the snapshot `name` shall meet: the best of the others, and some at random; and where learners start
        again when they have succeeded, first the newest of every other learner, as this is what shows it.

        By the log as it was when the snapshot was new, so that one half-rated meets the same again.
        """
        population = self._population
        past = [one.name for one in population.past() if one.role != "anchor"]
        others = past[: past.index(name)] if name in past else past
        ratings = self.ratings
        if name in ratings:
            before = list(takewhile(lambda met: name not in met.players, population.folder.meetings()))
            ratings = rate(before) if before else {}
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
    ) -> dict[Pair, list[Result]]:
        """Play `games` games of each pair that has not played them yet, and log them; those that were played.

        Args:
            kind: of the block's key, which counts once.
            begin: called first, if there is anything to play.
        """
        folder = self._population.folder
        logged = folder.blocks()
        todo = {f"{kind}|{a}|{b}|{games}": (a, b) for a, b in pairs}
        todo = {key: pair for key, pair in todo.items() if key not in logged}
        if not todo:
            return {}
        begin()
        config = self._population.config
        blocks = self._population.threads.run([
            partial(
                run_block, config.game.id, config.game.options, [self._population.player(name) for name in pair],
                games, seed_for(config.seed, key),
            )
            for key, pair in todo.items()
        ])  # fmt: skip
        for key, results in zip(todo, blocks, strict=True):
            folder.append_block(key, results)
        self._take(self._games.followed_by(games_of(chain.from_iterable(blocks))))
        return dict(zip(todo.values(), blocks, strict=True))

    def more(self, pairs: Sequence[Pair], games: int) -> dict[Pair, list[Result]]:
        """Play `games` more games of each pair, however many they have had."""
        logged = self._population.folder.blocks()
        kinds: dict[str, list[Pair]] = {}
        for a, b in pairs:
            number = 0
            while f"more{number}|{a}|{b}|{games}" in logged:
                number += 1
            kinds.setdefault(f"more{number}", []).append((a, b))
        played: dict[Pair, list[Result]] = {}
        for kind, some in kinds.items():
            played |= self.play(kind, some, games)
        return played

    def best(self, count: int) -> list[str]:
        """The best `count` snapshots that may be champions."""
        known = {one.name for one in self._population.past()}
        return [one.name for one in self.standings if one.role in LEADERS and one.name in known][:count]

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
    sigma: float,
    games: int,
    block: int,
    top: int,
    stop: Callable[[], bool],
    show: Callable[[int, float], None],
) -> tuple[int, float]:
    """Play where most is learnt until nobody's sigma is above `sigma`, or `games` have been played.

    Args:
        block: games of a pair in a round, an even number.
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
        most = min(PAIRS, (games - played) // block)
        pairs = best_pairs(known, most, sigma, anchors, top) if most else []
        if not pairs or stop():
            return played, left
        played += sum(map(len, rated.more(pairs, block).values()))


PAIRS = 8
"""That play in a round of `settle`: after it, ratings are looked at again."""
UNRATED = Rating(TrueSkillSettings().mu, TrueSkillSettings().sigma, 0)
"""What is known of somebody without games."""
