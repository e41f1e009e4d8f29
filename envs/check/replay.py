"""Rules that are tried by playing again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
from gymnasium import spaces

from envs.check.case import Case, ContractError, copy, demand, equal, goes_on, random_play, repeats, same
from envs.core import Array, BatchEnv, EnvSpec, TimeStep, game_seeds
from envs.layout import columns, is_composite
from envs.scene import Scene

SEARCH = 20
"""Steps in which all games are expected to be in their middle once; those of one step never are."""


def deterministic(case: Case) -> None:
    """The seed decides everything: in a new env, and in one that is reset in the middle of a game."""
    env = case.make(case.games)
    repeats(case, env, "the same seed and actions in a new env")
    _play_another(env, case, len(case.actions) // 2)
    repeats(case, env, "the same seed after a reset in the middle of a game")


def _play_another(env: BatchEnv, case: Case, steps: int) -> None:
    """`steps` of games with another seed, and some more until all are in the middle, if ever they are."""
    start = copy(env.reset(case.seed + 1))
    going_on = random_play(env, start, np.random.default_rng([case.seed, 2]))
    for at, (_, after) in enumerate(islice(going_on, steps + SEARCH), start=1):
        if at >= steps and not (after.terminated | after.truncated).any():
            return


def own_arrays(case: Case) -> None:
    """Returned arrays are the caller's to keep and, unless read-only, to overwrite; so are actions."""
    env = case.make(case.games)
    kept = [env.reset(case.seed)]
    kept += [env.step(action.copy()) for action in case.actions]
    for at, (step, recorded) in enumerate(zip(kept, case.steps, strict=True)):
        same(step, recorded, f"step {at}: changed after it was returned")
    _scribble(*env.reset(case.seed))
    for at, action in enumerate(case.actions):
        given = action.copy()
        after = env.step(given)
        demand(equal(given, action), f"step {at + 1}: the env wrote into the caller's actions")
        same(after, case.steps[at + 1], f"step {at + 1} after the caller overwrote what it got and gave before")
        _scribble(*after, given)


def saves(case: Case) -> None:
    """get_state and set_state in the middle of a game, in whole and one array after the other."""
    env = case.make(case.games)
    env.reset(case.seed)
    if not case.saves:
        _refuses(env.get_state, "get_state of games that cannot be saved")
        _refuses(lambda: env.set_state({}), "set_state of games that cannot be saved")
        return
    half = len(case.actions) // 2
    for action in case.actions[:half]:
        env.step(action.copy())
    state = env.get_state()
    for name, array in state.items():
        demand(len(array) == case.games, f"get_state: {name!r} has {len(array)} rows for {case.games} games")
    whole, piecewise = case.make(case.games), case.make(case.games)
    for other in (whole, piecewise):
        _play_another(other, case, 1)
    given = {name: array.copy() for name, array in state.items()}
    whole.set_state(given)
    _scribble(*given.values())
    for name, array in state.items():
        piecewise.set_state({name: array.copy()})
    _scribble(*state.values())
    goes_on(case, env, "playing on after the caller overwrote what get_state returned", half)
    goes_on(case, whole, "playing on from a saved state", half)
    goes_on(case, piecewise, "playing on from a state that was set array by array", half)
    _refuses(lambda: env.set_state({"no such array": np.zeros(case.games)}), "set_state: an unknown name")
    name, array = next(iter(given.items()))
    _refuses(lambda: env.set_state({name: array[:-1]}), "set_state: an array without the last game")


def batch(case: Case) -> None:
    """B games side by side are B single games, each with its own seed of `game_seeds`."""
    for row, seed in enumerate(game_seeds(case.seed, case.games)):
        own = slice(row, row + 1)
        steps = [TimeStep._make(array[own] for array in step) for step in case.steps]
        actions = [action[own] for action in case.actions]
        alone = replace(case, actions=actions, steps=steps)
        env = case.make(1)
        what = f"game {row} alone and beside others"
        same(env.reset(np.array([seed])), steps[0], f"{what}: reset")
        goes_on(alone, env, what, 0)


def refusals(case: Case) -> None:
    """Bad actions and seeds raise ValueError (`InputError` is one), and no game moves."""
    env = case.make(case.games)
    _refuses(lambda: env.reset(np.arange(case.games + 1)), "reset: one seed too many")
    env.reset(case.seed)
    env.step(case.actions[0].copy())
    for what, bad in _bad_actions(case.spec, case.actions[1]):
        _refuses(lambda bad=bad: env.step(bad), f"step: {what}")  # type: ignore[misc]
    goes_on(case, env, "playing on after refused actions", 1)


def _bad_actions(spec: EnvSpec, action: Array) -> Iterator[tuple[str, Array]]:
    """Faults are in the last seat of the last game: those before it must not have moved either."""
    yield "an action array without the last game", action[:-1].copy()
    yield "an action array with one axis too many", action[..., None].copy()
    space = spec.action_spaces[-1]
    if isinstance(space, spaces.Discrete):
        yield "fractions for actions", action + 0.5
        for value in (-1, int(space.n)):
            bad = action.copy()
            bad.reshape(*bad.shape[:2], -1)[-1, -1, 0] = value
            yield f"action {value} of {space}", bad
    if action.dtype.kind == "f":
        bad = action.copy()
        bad[-1, -1] = np.nan
        yield "an action that is not a number", bad
    if isinstance(space, spaces.MultiDiscrete) or is_composite(space):
        for part, place in columns(space):
            if isinstance(part, spaces.Discrete | spaces.MultiDiscrete):
                yield from _beyond(part, place, action)


def _beyond(part: spaces.Discrete | spaces.MultiDiscrete, place: slice, action: Array) -> Iterator[tuple[str, Array]]:
    """One number of `part`, which lies at `place` of a flat action, just outside its choices."""
    choices = part.n if isinstance(part, spaces.Discrete) else part.nvec.reshape(-1)[0]
    for value in (-1, choices):
        bad = action.copy()
        bad[-1, -1].reshape(-1)[place.start] = value
        yield f"choice {value} of {part}", bad


def draws(case: Case) -> None:
    """A picture of every game at any time, without any effect on it."""
    env = case.make(case.games)
    same(env.reset(case.seed), case.steps[0], "reset")
    for at, action in enumerate(case.actions[:100]):
        for row in range(case.games):
            demand(isinstance(env.draw(row), Scene), f"step {at}: draw({row}) is not a Scene")
        same(env.step(action.copy()), case.steps[at + 1], f"step {at + 1} after drawing")


def _refuses(call: Callable[[], object], what: str) -> None:
    """Demand that `call` raises ValueError."""
    try:
        call()
    except ValueError:
        return
    except Exception as fault:
        raise ContractError(f"{what} crashes instead of raising ValueError: {fault!r}.") from fault
    raise ContractError(f"{what} is accepted.")


def _scribble(*arrays: Array) -> None:
    """Overwrite whatever can be overwritten."""
    for array in arrays:
        if array.flags.writeable:
            array[...] = ~array if array.dtype.kind == "b" else 99
