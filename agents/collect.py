"""Collecting: from a stream of steps to a rollout of one player's lanes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from agents.columns import Columns
from agents.play import Step, rows
from agents.rollout import MEMORY, Rollout
from envs.core import Array, Bools, Ints
from envs.errors import InputError
from envs.seats import own_action, own_legal, own_obs


def collect(
    steps: Iterator[Step], length: int, player: int = 0, keep_memory: bool = False, central: bool = False
) -> Rollout:
    """Take `length` >= 1 steps from `steps` and keep what concerns the lanes of `player`.

    The stream goes on where this rollout stops, so calling again continues the same games. With `keep_memory` extras
    hold "memory" [T, N, H], what the player remembered before each step, so that the rollout can be sliced anywhere.

    Where seats differ, rows are as wide as the player's own seats need. With `central`, views are [own | others'], for
    a value function that sees what its policy does not: the others' follow in cyclic order from the next seat on, each
    as wide as the widest.

    Raises:
        InputError: no step; or `central` views that are not flat.
    """
    if length < 1:
        raise InputError(f"length = {length}: collect at least one step.")
    return _gather(islice(steps, length), length, _Taker(player, keep_memory, central))


def collect_games(
    steps: Iterator[Step],
    games_per_lane: int | Ints,
    player: int = 0,
    keep_memory: bool = False,
    central: bool = False,
) -> Rollout:
    """Take steps until each lane of `player` has ended as many games as asked for: one number, or one per lane [N].

    `steps` must be at the start of games, as a new `play` is. The games that count are those that a lane starts
    first, so short games are not favoured. While a lane waits for others it plays on, but there `acts` is False and
    `score` NaN: those rows have no weight in a loss and no place in statistics.

    Raises:
        InputError: no game at all, or a wrong number of numbers.
    """
    wanted = _Wanted(games_per_lane, player)
    rollout = _gather(wanted.until_played(steps), 256, _Taker(player, keep_memory, central))
    counts = torch.from_numpy(wanted.counts(rollout.ended.numpy()))
    rollout.acts.logical_and_(counts)
    rollout.score.masked_fill_(~counts, float("nan"))
    return rollout


class _Wanted:
    """How many games each lane of a player has to end."""

    def __init__(self, games_per_lane: int | Ints, player: int) -> None:
        self._games, self._player = np.asarray(games_per_lane), player
        if not (self._games >= 0).all() or not self._games.any():
            raise InputError(
                f"games_per_lane = {games_per_lane}: ask for at least one game, and for no negative number."
            )

    def until_played(self, steps: Iterator[Step]) -> Iterator[Step]:
        """Steps until all wanted games have ended."""
        left: Ints | None = None
        for step in steps:
            yield step
            lanes, seats = step.lanes[self._player], step.action.shape[1]
            left = self._per_lane(len(lanes)) if left is None else left
            left = left - (step.after.terminated | step.after.truncated)[lanes // seats]
            if (left <= 0).all():
                return

    def counts(self, ended: Bools) -> Bools:
        """[T, N] whether a step belongs to a wanted game."""
        before = ended.cumsum(0) - ended
        return before < self._per_lane(ended.shape[1])

    def _per_lane(self, lanes: int) -> Ints:
        if self._games.shape not in ((), (lanes,)):
            raise InputError(
                f"games_per_lane has shape {self._games.shape}: give one number, or one per lane, ({lanes},)."
            )
        return np.broadcast_to(self._games, (lanes,))


class _Taker(NamedTuple):
    """What is taken of each step."""

    player: int
    memory: bool
    """What was remembered, too."""
    central: bool
    """Views of the others, too."""

    def views(self, step: Step, obs: Array) -> Array:
        """[N, *obs_shape] of `obs` [B, P, *widest]."""
        lanes, space = step.lanes[self.player], step.sights[self.player].obs_space
        own = own_obs(space, rows(obs, lanes))
        if not self.central:
            return own
        if own.ndim != 2:
            raise InputError(f"a critic that sees all seats needs flat observations, not {space}.")
        games, seats = obs.shape[:2]
        flat = obs.reshape(games * seats, -1)
        others = [flat[lanes - lanes % seats + (lanes + turn) % seats] for turn in range(1, seats)]
        return np.concatenate([own, *others], 1)

    def masks(self, step: Step, legal: Bools) -> Bools:
        """[N, A]."""
        return own_legal(step.sights[self.player].action_space, rows(legal, step.lanes[self.player]))

    def actions(self, step: Step) -> Array:
        """[N, *action_shape]."""
        return own_action(step.sights[self.player].action_space, rows(step.action, step.lanes[self.player]))


def _gather(steps: Iterable[Step], expected: int, taker: _Taker) -> Rollout:
    """What a player saw and did in all `steps`, of which there are `expected`, or fewer, or more."""
    player = taker.player
    timed, extras = Columns(expected), Columns(expected)
    finals: list[tuple[Array, Array, Array]] = []
    for t, step in enumerate(steps):
        lanes, seats = step.lanes[player], step.action.shape[1]
        take = partial(rows, lanes=lanes)
        if t == 0:
            memory = step.memory[player]
        before, after = step.before, step.after
        timed.put("obs", t, taker.views(step, before.obs))
        timed.put("legal", t, taker.masks(step, before.legal))
        timed.put("action", t, taker.actions(step))
        for name, values in (("acts", before.acts), ("reward", after.reward), ("score", after.score)):
            timed.put(name, t, take(values))
        for name, flags in (("terminated", after.terminated), ("truncated", after.truncated)):
            timed.put(name, t, take(flags[:, None].repeat(seats, 1)))
        for name, values in step.extras[player].items():
            extras.put(name, t, values)
        if taker.memory:
            extras.put(MEMORY, t, step.memory[player])
        if after.truncated.any():
            cut = np.flatnonzero(timed["truncated"][t])
            final = taker.views(step, after.final_obs)[cut]
            finals.append((final, step.carried[player][cut], np.stack([np.full_like(cut, t), cut], 1)))
    timed.put("obs", t + 1, taker.views(step, after.obs))
    timed.put("legal", t + 1, taker.masks(step, after.legal))
    none = (timed["obs"][0, :0], memory[:0], np.zeros((0, 2), np.int64))
    final_obs, final_memory, final_at = (
        torch.from_numpy(np.concatenate(part)) for part in zip(none, *finals, strict=True)
    )
    longer = ("obs", "legal")
    return Rollout(
        **{name: torch.from_numpy(column[: t + 1 + (name in longer)]) for name, column in timed.items()},
        memory=torch.from_numpy(np.array(memory)),
        last_memory=torch.from_numpy(np.array(step.next_memory[player])),
        final_obs=final_obs,
        final_memory=final_memory,
        final_at=final_at,
        extras={name: torch.from_numpy(column[: t + 1]) for name, column in extras.items()},
    )
