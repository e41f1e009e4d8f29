"""Playback: a match in progress as pictures in time. The window and the recorder both show one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.play import play
from arena.match import names_of
from arena.viewer.hud import Caption, with_banner, with_caption
from envs.core import BatchEnv, Floats
from envs.scene import Circle, HalfDisc, Scene, Shape
from envs.side import Side, rotations, seated

BANNER_SECONDS = 2.0
"""How long the result of a game stays on the screen, at any speed."""
JUMP = 1 / 12
"""Share of the visible width: what moves further in one step is not shown in between (a new serve)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One game after one of its steps."""

    scene: Scene
    """Where the game ended: the last scene before that, since the next game has begun already."""
    step: int
    """Steps since the game began."""
    total: Floats
    """[P] rewards added up since the game began."""
    score: tuple[float, ...] | None
    """[P] result if the game ended with this step."""


def moments(env: BatchEnv, sides: Sequence[Side], seed: int) -> Iterator[Moment]:
    """Game after game of `sides`, one for each team of `env` (which holds a single game), without end."""
    scene = None
    step, total = 0, np.zeros(env.spec.seats)
    players, seating = seated(env.spec, sides, np.array([env.spec.teams]))
    for played in play(env, players, seating, seed):
        after = played.after
        step, total = step + 1, total + after.reward[0]
        if not (after.terminated[0] or after.truncated[0]):
            scene = env.draw(0)
            yield Moment(scene, step, total, None)
        else:
            score = tuple(float(points) for points in after.score[0])
            yield Moment(scene or env.draw(0), step, total, score)
            step, total = 0, np.zeros(env.spec.seats)


class Playback:
    """Runs a match by the clock and says what is to be seen."""

    def __init__(self, env: BatchEnv, players: Sequence[Side], seed: int = 0, games: int | None = None) -> None:
        """Play the first step.

        Args:
            players: one for each team, in the order of their numbers where they can sit so.
            games: over after this many (None: never).

        Raises:
            InputError: if there is not one player for each team.
        """
        self._spec = env.spec
        players = [players[index] for index in rotations(players, self._spec)[0]]
        self.names = tuple(names_of(players))
        self.scores: list[tuple[float, ...]] = []
        """[games] of [P]: results of the games that have ended."""
        self.over = False
        self._games = games
        self._moments = moments(env, players, seed)
        self._now = self._before = next(self._moments)
        self._share = 1.0
        """How far the picture is from the step before to the present one; 1 shows the present one."""
        self._hold = 0.0
        """Seconds left of the banner."""
        self._note()

    @property
    def steps(self) -> int:
        """Steps since the present game began."""
        return self._now.step

    def advance(self, seconds: float, speed: float = 1.0) -> None:
        """Let `seconds` pass on the watcher's clock, with the game running `speed` times as fast."""
        if self._ended:
            self._hold -= seconds
            if self._hold <= 1e-9:
                self._next_game()
            return
        self._share += seconds * speed / self._spec.step_seconds
        while self._share > 1 + 1e-9:
            self._share = 1.0 if self._step() else self._share - 1

    def step(self) -> None:
        """Play one step and show it; after the end of a game, begin the next one."""
        if self._ended:
            self._next_game()
        else:
            self._step()
            self._share = 1.0

    def skip(self, steps: int) -> bool:
        """Play up to `steps` steps towards the end of the game; True once its result is shown.

        After the end of a game, begin the next one.
        """
        if self._ended:
            self._next_game()
            return True
        self._share = 1.0
        return any(self._step() for _ in range(steps))

    def scene(self, status: str = "") -> Scene:
        """What is to be seen now, with names, score and `status` over it."""
        sides = [self._spec.teams.index(team) for team in range(len(self.names))]
        caption = Caption(
            names=self.names,
            points=tuple(float(self._now.total[seat]) for seat in sides),
            game=len(self.scores) + (not self._ended),
            games=self._games,
            won=self._won(sides),
            step=self._now.step,
            status=status,
        )
        if self._now.score is not None:
            result = [self._now.score[seat] for seat in sides]
            return with_banner(with_caption(self._now.scene, caption), self.names, result)
        return with_caption(between(self._before.scene, self._now.scene, self._share), caption)

    def _won(self, sides: Sequence[int]) -> tuple[int, ...]:
        """Games won by each player so far."""
        won = [0] * len(sides)
        for score in self.scores:
            own = [score[seat] for seat in sides]
            if own.count(max(own)) == 1:
                won[own.index(max(own))] += 1
        return tuple(won)

    @property
    def _ended(self) -> bool:
        """Whether the present game is over and its result is shown."""
        return self._now.score is not None

    def _step(self) -> bool:
        """Play one step; True if it ended the game."""
        self._before, self._now = self._now, next(self._moments)
        self._note()
        return self._ended

    def _note(self) -> None:
        if self._now.score is not None:
            self.scores.append(self._now.score)
            self._hold = BANNER_SECONDS

    def _next_game(self) -> None:
        if self.over or len(self.scores) == self._games:
            self.over = True
            return
        self._step()
        self._before, self._share = self._now, 1.0


def between(before: Scene, after: Scene, share: float) -> Scene:
    """`after` with its discs on their way there: `share` 0 is where they were `before`, 1 where they are."""
    if share >= 1 - 1e-9 or len(before.shapes) != len(after.shapes):
        return after
    reach = JUMP * (after.right - after.left)
    pairs = zip(before.shapes, after.shapes, strict=True)
    return replace(after, shapes=tuple(_between(old, new, share, reach) for old, new in pairs))


def _between(old: Shape, new: Shape, share: float, reach: float) -> Shape:
    if not isinstance(new, Circle | HalfDisc) or not isinstance(old, Circle | HalfDisc) or old.color != new.color:
        return new
    way_x, way_y = new.x - old.x, new.y - old.y
    if not 0 < abs(way_x) + abs(way_y) <= reach:
        return new
    return replace(new, x=old.x + share * way_x, y=old.y + share * way_y)
