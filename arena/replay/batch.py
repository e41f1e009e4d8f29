"""Batch: many replays of one game played again side by side, which takes a fraction of the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from arena.replay.replay import Replay
from arena.replay.simulate import check_fit, compare, ending, state_hash, verify
from arena.result import Ending
from envs.core import Array, BatchEnv, TimeStep
from envs.errors import InputError
from envs.registry import build

GAMES = 256
"""That are played side by side."""


class Final(NamedTuple):
    """How a game ended."""

    steps: int
    score: tuple[float, ...]
    ended: Ending
    state_hash: str


def finals(
    env_id: str, options: Mapping[str, Any], seeds: Sequence[int], actions: Sequence[Array]
) -> list[Final | None]:
    """How the games with these seeds and actions [T, P, *action_shape] end; None for one that does not with its last.

    Raises:
        InputError: an unknown game or option, or an action that cannot be played.
    """
    ends: list[Final | None] = [None] * len(seeds)
    order = sorted(range(len(seeds)), key=lambda game: -len(actions[game]))  # few wait for the others of their batch
    for first in range(0, len(order), GAMES):
        some = order[first : first + GAMES]
        env = build(env_id, len(some), options)
        for row, final in _play(env, [seeds[game] for game in some], [actions[game] for game in some]):
            ends[some[row]] = final
    return ends


def _play(env: BatchEnv, seeds: Sequence[int], actions: Sequence[Array]) -> Iterator[tuple[int, Final]]:
    """Each game that ends with its last step, and how; games in order of their length, the longest first."""
    lengths = np.array([len(own) for own in actions])
    if not lengths.max(initial=0):
        return
    course = np.zeros((lengths.max(), len(actions), *actions[0].shape[1:]), actions[0].dtype)
    for row, own in enumerate(actions):
        course[: len(own), row] = own
        course[len(own) :, row] = own[-1] if len(own) else 0
    now = env.reset(np.array(seeds, np.uint64))
    total = np.zeros((len(seeds), env.spec.seats))
    whole = np.ones(len(seeds), np.bool_)
    for step, action in enumerate(course, start=1):
        waiting = int((lengths >= step).sum())
        _idle(env, now, action, waiting)
        now = env.step(action)
        total += now.reward
        over = now.terminated | now.truncated
        for row in map(int, np.flatnonzero(lengths == step)):
            if over[row] and whole[row]:
                score = tuple(map(float, now.score[row]))
                hashed = state_hash(env.spec.id, step, now, total[row], row)
                yield row, Final(step, score, ending(now, row), hashed)
        whole &= ~over


def _idle(env: BatchEnv, now: TimeStep, action: Array, first: int) -> None:
    """Let the games from row `first` on, which are over, do something legal: their last action, or the first choice."""
    if first == len(action):
        return
    for seat, space in enumerate(env.spec.action_spaces):
        if isinstance(space, spaces.Discrete):
            choice = now.legal[first:, seat, : space.n].argmax(axis=1)
            flat = action[first:, seat].reshape(len(action) - first, -1)
            flat[:, 0] = choice
            action[first:, seat] = flat.reshape(action[first:, seat].shape)


def check(replays: Sequence[Replay]) -> list[InputError | None]:
    """What is wrong with each replay: nothing, or what `verify` says."""
    faults: list[InputError | None] = [None] * len(replays)
    groups: dict[tuple[str, str, str], list[int]] = {}
    for place, replay in enumerate(replays):
        groups.setdefault((replay.env, repr(sorted(replay.options.items())), replay.rules), []).append(place)
    for places in groups.values():
        some = [replays[place] for place in places]
        try:
            for replay in some:
                check_fit(replay)
            ends = finals(some[0].env, some[0].options, [one.seed for one in some], [one.actions for one in some])
        except InputError:  # one by one, to see which it is
            ends = [None] * len(some)
        for place, replay, end in zip(places, some, ends, strict=True):
            faults[place] = _fault(replay, end)
    return faults


def _fault(replay: Replay, end: Final | None) -> InputError | None:
    try:
        if end is None:
            verify(replay)
        else:
            compare(replay, end.score, end.ended, end.state_hash)
    except InputError as fault:
        return fault
    return None
