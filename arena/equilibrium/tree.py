"""Tree: every course a tiny game can take, found by playing them all in the game itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.core import Array, Bools, Floats, TimeStep
from envs.errors import InputError
from envs.registry import build
from envs.tiny import TinyGame

Places = NDArray[np.int64]
MOST = 200_000
"""Courses at one depth beyond which a game is not tiny."""


@dataclass(frozen=True, slots=True)
class Tree:
    """I information sets, Z courses from start to end, P seats, A actions; T steps at most.

    A sequence (Koller, Megiddo & von Stengel 1996) is an information set and an action there, number set * A + action.
    It stands for all that its seat did so far; -1 is to have done nothing yet.
    """

    env: str
    """Id of the game."""
    seat: Places
    """[I] whose information set it is; a set comes after those that lead to it."""
    parent: Places
    """[I] the seat's own sequence that leads there."""
    legal: Bools
    """[I, A]."""
    views: Array
    """[I, T, *obs_shape] all that the seat has seen, at every step."""
    allowed: Bools
    """[I, T, A] what was legal for it then."""
    length: Places
    """[I] how many steps that is; the last of them is where it must act."""
    chance: NDArray[np.float64]
    """[Z] probability of the start."""
    score: NDArray[np.float64]
    """[Z, P] result of each seat."""
    last: Places
    """[Z, P] the last sequence of each seat."""

    @property
    def obs(self) -> Array:
        """[I, *obs_shape] what the seat sees when it must act."""
        rows = np.arange(len(self.seat))
        seen: Array = self.views[rows, self.length - 1]
        return seen


@dataclass(frozen=True, slots=True)
class _Course:
    """A game under way."""

    chance: float
    last: tuple[int, ...]
    """[P] last sequence of each seat."""
    seen: tuple[tuple[tuple[Array, Bools], ...], ...]
    """[P] view and legal actions of each seat, at every step."""


def tree_of(env_id: str, options: Mapping[str, Any] | None = None) -> Tree:
    """The tree of the game `env_id`.

    Raises:
        InputError: a game that is not tiny: it does not know its starts (`envs.tiny`), or has too many courses.
    """
    options = dict(options or {})
    first = build(env_id, 1, options)
    if not isinstance(first, TinyGame) or not isinstance(first.spec.action_spaces[0], spaces.Discrete):
        raise InputError(f"{env_id} is too large to be solved exactly: use RockPaperScissors-v0 or KuhnPoker-v0.")
    starts = len(first.chances)
    env: Any = build(env_id, starts, options)
    now: TimeStep = env.start(np.arange(starts))
    state = env.get_state()
    nobody: tuple[Any, ...] = ((),) * first.spec.seats
    courses = [_Course(float(chance), (-1,) * first.spec.seats, nobody) for chance in first.chances]
    sets = _Sets(now.legal.shape[2])
    ends: list[tuple[float, Floats, tuple[int, ...]]] = []
    while courses:
        branches = [branch for row, course in enumerate(courses) for branch in _branches(course, row, now, sets)]
        if len(branches) > MOST:
            raise InputError(f"{env_id} is too large to be solved exactly: more than {MOST:,} courses.")
        rows = np.array([row for row, _, _ in branches])
        env = build(env_id, len(branches), options)
        env.reset(0)  # not every game can be set up before it was reset
        env.set_state({name: array[rows] for name, array in state.items()})
        after: TimeStep = env.step(np.array([action for _, action, _ in branches]))
        over = after.terminated | after.truncated
        for branch in np.flatnonzero(over).tolist():
            course = branches[branch][2]
            ends.append((course.chance, after.score[branch], course.last))
        going = np.flatnonzero(~over)
        courses = [branches[branch][2] for branch in going.tolist()]
        state = {name: array[going] for name, array in env.get_state().items()}
        now = TimeStep._make(array[going] for array in after)
    chances, scores, lasts = zip(*ends, strict=True)
    return Tree(env_id, *sets.arrays(), np.array(chances), np.array(scores, np.float64), np.array(lasts))


def _branches(course: _Course, row: int, now: TimeStep, sets: _Sets) -> Iterator[tuple[int, tuple[int, ...], _Course]]:
    """Every way in which `course`, row `row` of `now`, can go on: row, an action of each seat, and what it becomes."""
    views = zip(now.obs[row], now.legal[row], strict=True)
    seen = tuple((*before, view) for before, view in zip(course.seen, views, strict=True))
    acts = now.acts[row].tolist()
    places = [sets.place(seat, course.last[seat], seen[seat]) if acts[seat] else -1 for seat in range(len(course.last))]
    for action in product(*(np.flatnonzero(legal).tolist() for legal in now.legal[row])):
        last = tuple(
            place * sets.actions + own if place >= 0 else before
            for place, own, before in zip(places, action, course.last, strict=True)
        )
        yield row, action, replace(course, last=last, seen=seen)


class _Sets:
    """Information sets found so far."""

    def __init__(self, actions: int) -> None:
        self.actions = actions
        self._found: dict[tuple[Any, ...], int] = {}
        self._seats: list[int] = []
        self._parents: list[int] = []
        self._seen: list[tuple[tuple[Array, Bools], ...]] = []

    def place(self, seat: int, parent: int, seen: tuple[tuple[Array, Bools], ...]) -> int:
        """The number of the set in which `seat` knows what it did, `parent`, and what it saw."""
        key = (seat, parent, *(array.tobytes() for view in seen for array in view))
        if key not in self._found:
            self._found[key] = len(self._found)
            self._seats.append(seat)
            self._parents.append(parent)
            self._seen.append(seen)
        return self._found[key]

    def arrays(self) -> tuple[Places, Places, Bools, Array, Bools, Places]:
        """`seat`, `parent`, `legal`, `views`, `allowed` and `length` of the tree."""
        length = np.array([len(seen) for seen in self._seen])
        obs, legal = self._seen[0][0]
        views = np.zeros((len(length), length.max(), *obs.shape), obs.dtype)
        allowed = np.ones((len(length), length.max(), *legal.shape), np.bool_)
        for place, seen in enumerate(self._seen):
            views[place, : len(seen)] = [view for view, _ in seen]
            allowed[place, : len(seen)] = [mask for _, mask in seen]
        now = allowed[np.arange(len(length)), length - 1]
        return np.array(self._seats), np.array(self._parents), now, views, allowed, length
