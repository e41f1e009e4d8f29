"""One game with people in it: played a step at a time, kept on film, and taken down so that it can be played again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

import numpy as np

from agents.play import play
from arena.match import names_of
from arena.result import Ending, Result
from arena.viewer.human import Human
from envs.core import Array, BatchEnv, EnvSpec, Floats
from envs.scene import Scene
from envs.side import Side, Squad, post_of, seated

REPLAY_SECONDS = 8.0
"""Game time of a point that is kept for instant replay, at most: its end."""


class HumanGame:
    """A game of `sides`, one for each team."""

    def __init__(self, env: BatchEnv, sides: Sequence[Side], seed: int, order: Sequence[int] = ()) -> None:
        """Start it: nobody has moved yet.

        Args:
            env: of one game, used by nobody else meanwhile.
            seed: of the game itself, as `Result` has it.
            order: [T] who of a match each side is.
        """
        self.order = tuple(order or range(len(sides)))
        spec = self.spec = env.spec
        self._env, self.seed = env, seed
        self.names = tuple(names_of(sides))
        """[T] by team."""
        self.people = _people(sides, spec)
        """By seat, those that people sit in."""
        seeds = np.array([seed], np.uint64)
        self._now = env.reset(seeds)
        """What everybody sees; of a game that has ended, the next one's begin."""
        players, seating = seated(spec, sides, np.array([spec.teams]))
        self._steps = play(env, players, seating, seed, seeds)
        self.actions: list[Array] = []
        """[T] of [P, *action_shape]."""
        self.total: Floats = np.zeros(spec.seats)
        """[P] rewards added up."""
        self.points = [0] * len(sides)
        """[T] steps in which a team got more than all others: points won, where a game is made of these."""
        self.result: Result | None = None
        """Of a game that has ended."""
        self.state_hash = ""
        """Of how it ended, see `arena.replay`."""
        self.scene = self.before = self._draw()
        """What is seen now, and a step before."""
        self._film = [self.scene]
        self.last_point: list[Scene] = []
        """Scenes of the point before, the last ones; in a game without points, of the game when it has ended."""

    @property
    def live(self) -> bool:
        """Whether time goes on without anybody deciding."""
        return any(not who.controls.waits for who in self.people.values())

    @property
    def steps(self) -> int:
        """Since the game began."""
        return len(self.actions)

    def deciding(self) -> list[int]:
        """Seats whose persons are waited for."""
        legal, acts = self._now.legal[0], self._now.acts[0]
        return [seat for seat, who in self.people.items() if acts[seat] and not who.ready(self._own(legal, seat))]

    def turn(self) -> list[int]:
        """Seats of people who have something to choose now."""
        legal, acts = self._now.legal[0], self._now.acts[0]
        return [
            seat
            for seat, who in self.people.items()
            if acts[seat] and who.controls.waits and self._own(legal, seat).sum() != 1
        ]

    def legal(self, seat: int) -> Array:
        """[A] what `seat` may do now."""
        return self._own(self._now.legal[0], seat)

    def step(self) -> bool:
        """Play one step; True if a point or the game ended with it."""
        played = next(islice(self._steps, 1))
        after = self._now = played.after
        self.actions.append(np.array(played.action[0]))
        self.total = self.total + after.reward[0]
        gains = [float(after.reward[0, self.spec.teams.index(team)]) for team in range(len(self.points))]
        if gains.count(max(gains)) == 1:
            self.points[gains.index(max(gains))] += 1
        self.before = self.scene
        for who in self.people.values():
            who.hands.forget()
        over = bool(after.terminated[0] or after.truncated[0])
        if over:
            self._end(played.after.truncated[0])
        else:
            self.scene = self._draw()
        self._film.append(self.scene)
        point = over or (self.spec.zero_sum and bool(after.reward.any()))
        if point:
            frames = max(2, round(REPLAY_SECONDS / self.spec.step_seconds))
            self.last_point, self._film = self._film[-frames:], [self.scene]
        return point

    def _end(self, limited: bool) -> None:
        from arena.replay.simulate import state_hash

        score = tuple(map(float, self._now.score[0]))
        ended: Ending = "limit" if limited else "rules"
        players = tuple(self.names[team] for team in self.spec.teams)
        self.result = Result(self.spec.id, players, score, len(self.actions), self.seed, ended)
        self.state_hash = state_hash(self.spec.id, len(self.actions), self._now, self.total)
        draw_end = getattr(self._env, "draw_end", None)
        if draw_end:
            self.scene = draw_end(0)  # elsewhere what was seen last stays: the next game has begun already

    def _draw(self) -> Scene:
        """What the people may see: where cards are hidden, only those of whoever of them has to decide."""
        draw_for = getattr(self._env, "draw_for", None)
        if draw_for is None:
            return self._env.draw(0)
        if len(self.people) == 1:
            return draw_for(0, tuple(self.people))  # type: ignore[no-any-return]
        acting = [seat for seat in self.people if self._now.acts[0, seat]]
        return draw_for(0, acting)  # type: ignore[no-any-return]

    def _own(self, legal: Array, seat: int) -> Array:
        """[A] of [P, widest]."""
        return legal[seat, : int(getattr(self.spec.action_spaces[seat], "n", 0))]

    def focus(self, seats: Collection[int]) -> None:
        """Only the people's seats among `seats` are steered; the others rest."""
        for seat, who in self.people.items():
            who.idle = seat not in seats


def _people(sides: Sequence[Side], spec: EnvSpec) -> dict[int, Human]:
    found = {}
    for seat, team in enumerate(spec.teams):
        side = sides[team]
        post = post_of(side.players, spec, seat) if isinstance(side, Squad) else None
        who = side.players[post] if isinstance(side, Squad) and post else side
        if isinstance(who, Human):
            found[seat] = who
    return found
