"""Playback: games as pictures in time, forwards and backwards. The window and the recorder both show one.

A game on show is either played as it is watched, or one that was stored. Positions are steps of the game, with
fractions: in between, shapes are on their way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from arena.match import names_of
from arena.replay.replay import Replay
from arena.replay.simulate import Moment
from arena.viewer.chance_graph import with_chance
from arena.viewer.game import Game
from arena.viewer.hud import COINS, Caption, signed, unit_of, with_banner, with_caption
from arena.viewer.live import Live
from arena.viewer.overlay import Glimpse, with_overlays
from arena.viewer.sources import live_games, stored_game
from arena.viewer.tween import between
from envs.core import BatchEnv, EnvSpec
from envs.scene import Scene
from envs.side import Side, rotations
from envs.slime_volley.scene import DAY, NIGHT, in_palette

BANNER_SECONDS = 2.0
"""How long the result of a game stays on the screen, at any speed."""
BUDGET = 0.012
"""s of work on a goal far away between two pictures."""
GRACE = 15
"""Steps after a point within which "the point before" means an earlier one."""


class Playback:
    """Runs games by the clock and says what is to be seen."""

    def __init__(
        self,
        env: BatchEnv,
        players: Sequence[Side],
        seed: int = 0,
        games: int | None = None,
        ratings: Mapping[str, float] | None = None,
    ) -> None:
        """A match that is played while it is watched.

        Args:
            env: of one game; nobody else may step it.
            players: one for each team, in the order of their numbers where they can sit so.
            games: over after this many (None: never).
            ratings: shown beside the names of those who have one.

        Raises:
            InputError: if there is not one player for each team.
        """
        players = [players[index] for index in rotations(players, env.spec)[0]]
        names = tuple(names_of(players))
        live = Live(env.spec, players, seed)
        known = ratings or {}
        self.live = True
        """Whether players play on, so that a game is as long as it has been watched."""
        self._start(live_games(env, live, names, [known.get(player.name) for player in players], games), games)

    @classmethod
    def of_replays(cls, replays: Sequence[Replay], players: Mapping[str, Side] | None = None) -> Playback:
        """Stored games, one after the other.

        Args:
            replays: at least one.
            players: those who can be asked what they think, by name.

        Raises:
            InputError: an unknown game, or one that has other rules here.
        """
        playback = cls.__new__(cls)
        playback.live = False
        playback._start((stored_game(replay, players or {}) for replay in replays), len(replays))
        return playback

    def _start(self, source: Iterator[Game], games: int | None) -> None:
        self.over = False
        self.day = False
        """Slime volleyball in the colours of day."""
        self.overlays: set[str] = {"chance"}
        """Names of what is drawn over the game, see `arena.viewer.overlay`."""
        self.position = 0.0
        """Steps since the present game began."""
        self._source = source
        self._games = [next(source)]
        self._count = games
        self._index = 0
        self._goal: Callable[[], float | None] | None = None
        """What is being played towards: says the step once it is known."""
        self._hold = BANNER_SECONDS
        """Seconds left of the banner."""
        self.game.open()
        self.game.explore(0)

    @property
    def game(self) -> Game:
        """The present one."""
        return self._games[self._index]

    @property
    def spec(self) -> EnvSpec:
        """Of the present game."""
        return self.game.spec

    @property
    def names(self) -> tuple[str, ...]:
        """[teams] who plays the present game."""
        return self.game.names

    @property
    def scores(self) -> list[tuple[float, ...]]:
        """[games] of [P]: results of the games whose end has been shown."""
        return [game.score for game in self._games if game.shown and game.score is not None]

    @property
    def steps(self) -> int:
        """Steps since the present game began."""
        return math.ceil(self.position - 1e-9)

    @property
    def length(self) -> int:
        """Steps that the present game has, or has had so far."""
        return self.game.steps

    @property
    def ended(self) -> bool:
        """Whether the end of the present game is shown."""
        return self.game.score is not None and self.position >= self.game.known

    @property
    def seeking(self) -> bool:
        """Whether it is on its way to a step that takes long to reach."""
        return self._goal is not None

    def advance(self, seconds: float, speed: float = 1.0) -> None:
        """Let `seconds` pass on the watcher's clock, with the game running `speed` times as fast.

        Below 0 it runs backwards, at most to its beginning.
        """
        if self._goal is not None:
            self._work()
        elif speed > 0 and self.ended:
            self._hold -= seconds
            if self._hold <= 1e-9:
                self.next_game()
        else:
            self._move(self.position + seconds * speed / self.spec.step_seconds)

    def step(self, count: int = 1) -> None:
        """Show the next step, or, with `count` -1, the one before; after the end of a game, begin the next one."""
        self._goal = None
        if count > 0 and self.ended:
            self.next_game()
        else:
            at = math.floor(self.position + 1e-9) if count > 0 else math.ceil(self.position - 1e-9)
            self._move(float(at + count))

    def jump(self, seconds: float) -> None:
        """Go to another step of the present game, `seconds` of game time later (or earlier)."""
        self.seek(self.position + seconds / self.spec.step_seconds)

    def seek(self, step: float) -> None:
        """Go to `step` of the present game, at once if it is known, else in as many calls of `advance` as it takes.

        In a game that is still being played that is playing on.
        """
        game, step = self.game, max(step, 0.0)
        self._goal = lambda: step if game.known >= step or game.score is not None else None
        self._work()

    def next_point(self) -> None:
        """Go to where the next point is won, else to the end of the game."""
        game, start = self.game, self.steps
        self._goal = lambda: game.next_point(start) or (game.known if game.score is not None else None)
        self._work()

    def last_point(self) -> None:
        """Go back to where the rally began."""
        self.seek(self.game.last_point(self.position - GRACE))

    def skip(self, steps: int) -> bool:
        """Play up to `steps` steps towards the end of the game; True once its result is shown.

        After the end of a game, begin the next one.
        """
        if self.ended:
            self.next_game()
            return True
        self._move(float(self.steps + steps))
        return self.ended

    def next_game(self) -> None:
        """Begin the next one: only after the end if it is still being played. After the last, it is over."""
        if self.game.live:
            self.seek(math.inf)
            return
        if self._index + 1 == len(self._games):
            following = next(self._source, None)
            if following is None:
                self.over = True
                return
            self._games.append(following)
        self._open(self._index + 1)

    def last_game(self) -> None:
        """Begin the one before; the present one if it is the first."""
        self._open(max(self._index - 1, 0))

    def _open(self, index: int) -> None:
        self._goal = None
        if index != self._index:
            self._index = index
            self.game.open()
            self.game.explore(0)
        self.over = False
        self._move(0.0)

    def _work(self) -> None:
        """Get nearer to the goal."""
        goal = self._goal
        if goal is None:
            return
        if self.game.explore_until(lambda: goal() is not None, BUDGET):
            self._goal = None
        found = goal()
        self._move(float(self.game.known if found is None else min(found, self.game.known)))

    def _move(self, position: float) -> None:
        """Show the game at `position`, or at its beginning or end."""
        position = max(position, 0.0)
        self.game.explore(math.ceil(position - 1e-9))
        self.position = min(position, float(self.game.known))
        if self.ended:
            self.game.shown = True
        else:
            self._hold = BANNER_SECONDS

    def scene(self, status: str = "") -> Scene:
        """What is to be seen now, with names, score and `status` over it."""
        game = self.game
        now = game.at(self.steps)
        before = game.at(max(self.steps - 1, 0))
        share = self.position - before.step if now is not before else 1.0
        scene = between(before.scene, now.scene, share)
        palette = DAY if self.day else NIGHT
        if self.day:
            scene = in_palette(scene, palette)
        unit = unit_of(scene)
        scene = with_caption(scene, self._caption(now, status))
        if now.score is not None:
            scene = with_banner(scene, game.names, [now.score[seat] for seat in _first_seats(game.spec)])
        scene = with_overlays(scene, unit, self.overlays, Glimpse(game, before, now, share, palette))
        return with_chance(scene, unit, game, now.step, palette) if "chance" in self.overlays else scene

    def _caption(self, now: Moment, status: str) -> Caption:
        """The words at the top."""
        game = self.game
        totals = [float(now.total[seat]) for seat in _first_seats(game.spec)]
        return Caption(
            names=game.names,
            ratings=game.ratings,
            points=[str(won) for won in game.won(now.step)] if game.scores_points else [signed(one) for one in totals],
            title=game.title,
            game=self._index + 1,
            games=self._count,
            won=self._won() if self.live else (),
            step=now.step,
            rally=game.rally(now.step),
            status=status,
            room=COINS if game.scores_points else 1.0,
        )

    def _won(self) -> tuple[int, ...]:
        """Games won by each player so far."""
        won = [0] * len(self.names)
        for score in self.scores:
            own = [score[seat] for seat in _first_seats(self.spec)]
            if own.count(max(own)) == 1:
                won[own.index(max(own))] += 1
        return tuple(won)


def _first_seats(spec: EnvSpec) -> list[int]:
    """[teams] the seat whose score is its team's."""
    return [spec.teams.index(team) for team in range(max(spec.teams) + 1)]
