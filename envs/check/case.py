"""One stretch of random play, and how its repetitions are compared with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
from numpy.random import Generator

from envs.core import Array, BatchEnv, EnvSpec, TimeStep
from envs.sampling import random_action
from envs.seats import action_layout, own_legal, widened

Make = Callable[[int], BatchEnv]


class ContractError(AssertionError):
    """A rule of the contract that an env breaks."""


@dataclass(frozen=True, slots=True)
class Case:
    """An env under test, and one stretch of random play that every other way of playing must repeat."""

    make: Make
    seed: int
    spec: EnvSpec
    actions: Sequence[Array]
    """[T] of [B, P, *action_shape], as wide as the widest seat's."""
    steps: Sequence[TimeStep]
    """[T + 1] copies of what `reset` and then `step` returned."""
    saves: bool = True
    """Whether the games can be saved; where not, `get_state` and `set_state` must say so."""

    @property
    def games(self) -> int:
        """B."""
        return len(self.steps[0].terminated)


def play(make: Make, steps: int, games: int, seed: int) -> Case:
    """Random legal play."""
    env = make(games)
    demand(env.num_envs == games, f"make({games}) gave an env with num_envs = {env.num_envs}")
    now = copy(env.reset(seed))
    seen, actions = [now], []
    for action, after in islice(random_play(env, now, np.random.default_rng([seed, 1])), steps):
        actions.append(action)
        seen.append(after)
    return Case(make, seed, env.spec, actions, seen)


def random_play(env: BatchEnv, now: TimeStep, rng: Generator) -> Iterator[tuple[Array, TimeStep]]:
    """Random legal actions, and copies of what follows, for ever."""
    layout = action_layout(env.spec)
    for at in count():
        drawn = []
        for seat, space in enumerate(env.spec.action_spaces):
            legal = own_legal(space, now.legal[:, seat])
            possible = legal.any(axis=1) | (legal.shape[1] == 0)
            demand(bool(possible.all()), f"step {at}: seat {seat} has no legal action")
            drawn.append(widened(random_action(space, legal, rng), *layout))
        action = np.stack(drawn, axis=1)
        now = copy(env.step(action.copy()))
        yield action, now


def repeats(case: Case, env: BatchEnv, what: str) -> None:
    """Demand that `env`, reset, plays as recorded."""
    same(env.reset(case.seed), case.steps[0], f"{what}: reset")
    goes_on(case, env, what, 0)


def goes_on(case: Case, env: BatchEnv, what: str, start: int) -> None:
    """Demand that `env`, which stands after step `start`, plays on as recorded."""
    for at in range(start, len(case.actions)):
        same(env.step(case.actions[at].copy()), case.steps[at + 1], f"{what}: step {at + 1}")


def same(got: TimeStep, recorded: TimeStep, where: str) -> None:
    """Demand equality to the last bit."""
    for name, one, other in zip(TimeStep._fields, got, recorded, strict=True):
        demand(equal(one, other), f"{where}: {name} differs")


def equal(one: Array, other: Array) -> bool:
    """To the last bit, NaN included."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def copy(step: TimeStep) -> TimeStep:
    """The same in arrays of its own."""
    return TimeStep._make(array.copy() for array in step)


def demand(truth: bool, otherwise: str) -> None:
    """Raise `ContractError` with the sentence `otherwise`, unless `truth`."""
    if not truth:
        raise ContractError(f"{otherwise}.")
