"""GameStep: one step of one game as people look at it: what every seat saw, might have done, did and got.

seen.game, seen.step                 which
seen.seats[0].obs, .legal, .action   by seat
seen["ada"].value                    or by the name of who sits there, or of the seat
seen.points, seen.score              how the game stands
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from gymnasium import spaces

from agents.play import Step
from arena import thought
from arena.points import NOBODY, winners
from envs.core import Array, Bools, EnvSpec, Floats, Ints
from envs.errors import unknown
from envs.player import Player
from envs.seats import own_action, own_legal, own_obs
from envs.side import team_count

if TYPE_CHECKING:
    from agents.policy import Output


@dataclass(frozen=True, eq=False)
class Seats:
    """Who sits where in games that are played side by side."""

    spec: EnvSpec
    players: Sequence[Player]
    seating: Ints
    """[B, P] index into `players`."""
    names: Sequence[Sequence[str]]
    """[B][P] what they are called."""

    @cached_property
    def rows(self) -> Ints:
        """[B, P] the row of each seat among all that its player holds."""
        flat = self.seating.reshape(-1)
        rows = np.zeros_like(flat)
        for index in range(len(self.players)):
            own = np.flatnonzero(flat == index)
            rows[own] = np.arange(len(own))
        return rows.reshape(self.seating.shape)


@dataclass(frozen=True, eq=False)
class SeatStep:
    """One seat in one step. Arrays are as wide as this seat needs."""

    seat: int
    """From 0."""
    name: str
    """Of the seat, such as "predator_1"."""
    team: int
    player: str
    """Who sits there."""
    obs: Array
    """[*obs_shape] what it saw before it acted."""
    legal: Bools
    """[A] what it was allowed to do; A is 0 unless it chooses one of several actions."""
    acts: bool
    """Whether it was its turn: what it did counts."""
    action: Array
    """[*action_shape]; a number where it chooses one of several."""
    reward: float
    """For this step."""
    total: float
    """Rewards since the game began."""
    next_obs: Array
    """[*obs_shape] what it saw after the step; at the end the last view."""
    _batch: Step = field(repr=False)
    _place: tuple[int, int] = field(repr=False)
    """Player and row."""
    _seats: Seats = field(repr=False)
    _game: int = field(repr=False)

    @cached_property
    def _thought(self) -> Output | None:
        """What its network says of this view, which is asked when somebody wants to know."""
        index, row = self._place
        player = self._seats.players[index]
        policy = thought.policy_of(player)
        if policy is None:
            return None
        memory = thought.memory_of(player, self._batch.memory[index][row : row + 1])
        now = self._batch.before
        return thought.ask(policy, self._seats.spec, self.seat, now.obs[self._game], now.legal[self._game], memory)

    @cached_property
    def probabilities(self) -> Floats | None:
        """[A] of each choice, or of each button to be pressed, by its network; None without one, and where actions are
        neither. It is what it would do if it drew now: it may take the most probable one instead (`greedy`), or go on
        for some steps with what it decided before (`hold` of its policy)."""
        said = self._thought
        return None if said is None else thought.probabilities(said.dist, self._space)

    @property
    def probability(self) -> float | None:
        """Of what it did, by `probabilities`; None where there are none."""
        odds = self.probabilities
        if odds is None:
            return None
        if isinstance(self._space, spaces.Discrete):
            return float(odds[int(self.action)])
        return float(np.where(np.asarray(self.action) > 0, odds, 1 - odds).prod())

    @property
    def value(self) -> float | None:
        """What its network expects of the rest of the game, discounted, in rewards as it was trained on; None without
        one that has values."""
        said = self._thought
        return None if said is None else thought.value(said)

    @property
    def _space(self) -> spaces.Space[object]:
        return self._seats.spec.action_spaces[self.seat]


@dataclass(frozen=True, eq=False)
class GameStep:
    """One step of one game."""

    game: int
    """Its place in the match, from 0."""
    step: int
    """From 1."""
    point: int | None
    """The team that won a point with it; None if none did, and in games without points (`arena.points`)."""
    points: tuple[int, ...]
    """[teams] won so far."""
    score: tuple[float, ...] | None
    """[P] in the game's own units, if it ended with this step."""
    _batch: Step = field(repr=False)
    _row: int = field(repr=False)
    _total: Floats = field(repr=False)
    _seats: Seats = field(repr=False)

    @property
    def players(self) -> tuple[str, ...]:
        """[P] who sits where."""
        return tuple(self._seats.names[self._row])

    @cached_property
    def seats(self) -> tuple[SeatStep, ...]:
        """[P]."""
        return tuple(map(self._seat, range(self._seats.spec.seats)))

    def __getitem__(self, who: int | str) -> SeatStep:
        """A seat by its number or name, or the first one in which a player of that name sits.

        Raises:
            InputError: nobody is called so.
        """
        if isinstance(who, int):
            return self.seats[who]
        found = next((seat for seat in self.seats if who in (seat.player, seat.name)), None)
        if found is None:
            raise unknown("player or seat", who, (*self.players, *self._seats.spec.seat_names))
        return found

    def __iter__(self) -> Iterator[SeatStep]:
        """All seats."""
        return iter(self.seats)

    def _seat(self, seat: int) -> SeatStep:
        row, spec, step = self._row, self._seats.spec, self._batch
        view, does = spec.observation_spaces[seat], spec.action_spaces[seat]
        own = slice(seat, seat + 1)
        return SeatStep(
            seat=seat,
            name=spec.seat_names[seat],
            team=spec.teams[seat],
            player=self._seats.names[row][seat],
            obs=own_obs(view, step.before.obs[row, own])[0],
            legal=own_legal(does, step.before.legal[row, own])[0],
            acts=bool(step.before.acts[row, seat]),
            action=own_action(does, step.action[row, own])[0],
            reward=float(step.after.reward[row, seat]),
            total=float(self._total[row, seat]),
            next_obs=own_obs(view, step.after.final_obs[row, own])[0],
            _batch=step,
            _place=(int(self._seats.seating[row, seat]), int(self._seats.rows[row, seat])),
            _seats=self._seats,
            _game=row,
        )


class Course:
    """How games that are played side by side have gone so far; makes their `GameStep`s."""

    def __init__(self, seats: Seats, first: int = 0) -> None:
        """`first` is the place of the first of them in the match."""
        self._seats, self._first = seats, first
        self._total: Floats = np.zeros(seats.seating.shape)
        self._points = np.zeros((len(seats.seating), team_count(seats.spec)), np.int64)
        self._count = 0

    def see(self, step: Step) -> None:
        """The next step of all of them."""
        self._batch, self._count = step, self._count + 1
        self._total = self._total + step.after.reward
        self.winners = winners(self._seats.spec, step.after.reward)
        """[B] who won a point with it, `NOBODY` where none did."""
        won = np.flatnonzero(self.winners != NOBODY)
        self._points[won, self.winners[won]] += 1

    def step(self, row: int) -> GameStep:
        """What was seen last, of the game in `row`."""
        after, point = self._batch.after, int(self.winners[row])
        over = after.terminated[row] or after.truncated[row]
        return GameStep(
            game=self._first + row,
            step=self._count,
            point=None if point == NOBODY else point,
            points=tuple(self._points[row].tolist()),
            score=tuple(after.score[row].tolist()) if over else None,
            _batch=self._batch,
            _row=row,
            _total=self._total,
            _seats=self._seats,
        )
