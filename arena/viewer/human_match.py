"""A match with people in it: who sits where in which game, and who leads. No window, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from arena.replay.replay import Replay
from arena.replay.rules import rules_of
from arena.result import Result
from arena.viewer.human_game import HumanGame
from envs.core import BatchEnv, EnvSpec
from envs.errors import InputError
from envs.side import Side, can_sit, team_count


class Entrant(Protocol):
    """Somebody who takes part."""

    name: str
    rating: float | None

    def side(self, team: int) -> Side:
        """As they sit in `team`."""
        ...


@dataclass(frozen=True)
class Guest:
    """A player that is no person."""

    player: Side
    rating: float | None = None
    """Mean, where somebody has rated it."""

    @property
    def name(self) -> str:
        """As the player is called."""
        return self.player.name

    def side(self, team: int) -> Side:
        """The same everywhere."""
        return self.player


@dataclass(frozen=True)
class Person:
    """Somebody at this machine."""

    name: str
    sit: Callable[[int], Side]
    """Makes their side in a team."""
    rating: float | None = None

    def side(self, team: int) -> Side:
        """With the controls of that team."""
        return self.sit(team)


class HumanMatch:
    """Games until somebody has won more than half of `best_of`, or all have been played."""

    def __init__(
        self,
        env: BatchEnv,
        entrants: Sequence[Person | Guest],
        best_of: int,
        seeds: Iterator[int],
        swap: bool = True,
        first: Sequence[int] | None = None,
        done: Callable[[Result], None] = lambda result: None,
    ) -> None:
        """Start the first game.

        Args:
            env: of one game.
            entrants: one for each team.
            best_of: games at most; a game of one team is played that often.
            seeds: of the games; where sides are swapped, the two games of a pair have the same.
            swap: change sides after every game, where everybody can sit everywhere.
            first: [T] who sits in each team of the first game; None: in the order of `entrants`.
            done: told of every game that has ended.

        Raises:
            InputError: not one entrant for each team, or nobody who can sit in one.
        """
        spec = self.spec = env.spec
        teams = team_count(spec)
        if len(entrants) != teams:
            raise InputError(f"{spec.id} is played by {teams}, not by {len(entrants)}.")
        self._env, self.entrants, self.best_of = env, tuple(entrants), best_of
        self._orders = _orders(spec, entrants, tuple(first or range(teams)), swap)
        self._seeds, self._seed, self._done = seeds, 0, done
        self.games: list[HumanGame] = []
        """Of this match, those that have ended."""
        self.earlier: list[HumanGame] = []
        """Of matches before it."""
        self._begin()

    def _begin(self) -> None:
        number = len(self.games)
        turn = number % len(self._orders)
        if turn == 0:
            self._seed = next(self._seeds)
        self.order = self._orders[turn]
        """[T] who sits in each team of the present game, as an index into `entrants`."""
        sides = [self.entrants[who].side(team) for team, who in enumerate(self.order)]
        self.game = HumanGame(self._env, sides, self._seed, self.order)

    def note(self) -> None:
        """The present game has ended."""
        assert self.game.result is not None
        self.games.append(self.game)
        self._done(self.game.result)

    def next_game(self) -> None:
        """Begin the next one."""
        self._begin()

    def restart(self) -> None:
        """Begin another match, on other seeds."""
        self.earlier += self.games
        self.games = []
        self._begin()

    def winner_of(self, game: HumanGame) -> int | None:
        """Index of the entrant who won; None for a draw, and where there is nobody to win against."""
        assert game.result is not None
        points = [game.result.score[self.spec.teams.index(team)] for team in range(len(game.order))]
        best = max(points)
        return game.order[points.index(best)] if len(points) > 1 and points.count(best) == 1 else None

    @property
    def won(self) -> list[int]:
        """[T] games won by each entrant."""
        counts = [0] * len(self.entrants)
        for game in self.games:
            winner = self.winner_of(game)
            if winner is not None:
                counts[winner] += 1
        return counts

    @property
    def over(self) -> bool:
        """Whether the match is decided, or all games have been played."""
        played = len(self.games)
        return played >= self.best_of or (len(self.entrants) > 1 and max(self.won) > self.best_of / 2)

    @property
    def winner(self) -> int | None:
        """Index of the entrant who has won more games than anybody else, once the match is over."""
        won = self.won
        return won.index(max(won)) if self.over and len(won) > 1 and won.count(max(won)) == 1 else None

    def replays(self) -> list[Replay]:
        """All games that have ended."""
        rules = rules_of(self.spec.id, self.spec.options)
        return [self._replay(game, number, rules) for number, game in enumerate(self.all_games)]

    @property
    def all_games(self) -> list[HumanGame]:
        """That have ended, of earlier matches too."""
        return [*self.earlier, *self.games]

    def _replay(self, game: HumanGame, number: int, rules: str) -> Replay:
        assert game.result is not None
        return Replay(
            env=self.spec.id,
            options=self.spec.options,
            seed=game.seed,
            players=game.result.players,
            ratings=tuple(self.entrants[game.order[team]].rating for team in self.spec.teams),
            actions=np.stack(game.actions),
            score=game.result.score,
            ended=game.result.ended,
            rules=rules,
            state_hash=game.state_hash,
            title=f"game {number + 1} of a match with a person",
        )


def game_seeds(seed: int) -> Iterator[int]:
    """Seeds of games, without end: spread over 53 bits, which every file format and language can hold."""
    source = np.random.SeedSequence(seed)
    while True:
        (child,) = source.spawn(1)
        yield int(child.generate_state(1, np.uint64)[0] >> np.uint64(11))


def _orders(
    spec: EnvSpec, entrants: Sequence[Person | Guest], first: tuple[int, ...], swap: bool
) -> list[tuple[int, ...]]:
    """[R][T] who sits in each team by turns."""
    teams = team_count(spec)
    turned = [tuple(first[(team + turn) % teams] for team in range(teams)) for turn in range(teams)]
    able = [
        order
        for order in (turned if swap else turned[:1])
        if all(can_sit(entrants[who].side(team), spec, team) for team, who in enumerate(order))
    ]
    if not able:
        names = " and ".join(entrant.name for entrant in entrants)
        raise InputError(f"{spec.id}: {names} cannot fill its teams ({', '.join(dict.fromkeys(spec.roles))}) so.")
    return able
