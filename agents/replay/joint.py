"""Replay of joint steps: what all seats of a game saw and did, drawn from the place of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from numpy.random import Generator
from pydantic import Field
from torch import Tensor

from agents.joint import JointRollout
from agents.replay.ring import Ring
from agents.replay.row import Row
from agents.rollout import Rollout
from agents.transfer import sent_array
from envs.config import Config
from envs.core import Array, Ints
from envs.errors import InputError

MIND = "extras.mind"


class JointReplayConfig(Config):
    """Settings of a replay of joint steps."""

    capacity: int = Field(200_000, ge=1, le=10**9)
    """Steps of games that are kept, the newest, each with what all its seats saw and did."""


class JointBatch(NamedTuple):
    """For each of M minds m rows, each from a seat in which it played. P seats: that one, then the others in cyclic
    order."""

    obs: Tensor
    """[M, m, P, D] when actions were chosen."""
    action: Tensor
    """[M, m, P, V] their vectors."""
    reward: Tensor
    """[M, m] of the first seat."""
    discount: Tensor
    """[M, m] 1, or 0 where the game terminated."""
    next_obs: Tensor
    """[M, m, P, D] afterwards; a truncated game's own last views. Without meaning where `discount` is 0."""
    next_action: Tensor | None
    """[M, m, P, V] what strangers did next; without meaning for minds, and None where there is no stranger."""
    mind: Ints
    """[M * m * P] int16, who sits in each of the P seats; -1 is a stranger."""
    legal: Tensor | None
    """[M, m, A] actions that the first seat might choose from; None while no game has forbidden one."""
    next_legal: Tensor | None
    """[M, m, P, A] afterwards, all true at a truncated game's last views; None like `legal`."""
    acts: Tensor | None
    """[M, m] whether the first seat's action mattered; None while all did."""
    same: Tensor | None
    """[M * m * P] where the same seat of the same step stands among the m * P of the first mind; None where the minds'
    rows are not of the same steps."""
    known: Tensor | None
    """[M, 1] 0 for minds of which there are no rows, and theirs here mean nothing; None while there is no such mind."""


class JointReplay:
    """The newest joint steps, stored seat by seat in one ring. **Minds** are the networks that learn, each with rows of
    its own to draw from: those in which it played, and after which it is known what everybody else did next, as it is
    of minds, or after a game's end. Of the steps added last this is not asked before more are added.

    Where all minds played in all steps they learn from the same ones, so that what is asked about a step, such as what
    everybody would do next, need not be asked for each mind.
    """

    def __init__(
        self, config: JointReplayConfig, seats: int, minds: int, widths: tuple[int, int, int],
        device: torch.device | str = "cpu",
    ) -> None:  # fmt: skip
        """Make room.

        Args:
            widths: D, V and A.
            device: where batches go.

        Raises:
            InputError: it does not fit into memory.
        """
        obs, action, choices = widths
        row = Row(_box(obs), _box(action), {"mind": ()}, choices=choices)
        self._ring = Ring(config.capacity * seats, row, prioritised=False)
        self._seats, self._device = seats, torch.device(device)
        self._rows = [_Numbers() for _ in range(minds)]
        self._listed = 0
        self._strangers = False
        self._turn = (np.arange(seats)[:, None] + np.arange(seats)) % seats - np.arange(seats)[:, None]
        """[P, P] from a row to those of all seats of its step."""

    def __len__(self) -> int:
        """Steps of games that are stored."""
        return len(self._ring) // self._seats

    @property
    def ready(self) -> bool:
        """Whether any mind has rows."""
        return any(map(len, self._rows))

    def add(self, rollout: JointRollout, vectors: Tensor, mind: Tensor) -> None:
        """Store all T x B steps of `rollout`, over the oldest; of more than fit, the newest.

        Args:
            vectors: [T, B, P, V] of its actions.
            mind: [T, B, P] who sits there; -1: a stranger.

        Raises:
            InputError: one step of all games does not fit.
        """
        games = rollout.acts.shape[1]
        if games * self._seats > self._ring.capacity:
            raise InputError(f"a replay of {len(self)} steps cannot hold one of {games} games: ask for more.")
        self._ring.add(_by_lane(rollout, vectors, mind), None)
        self._strangers = self._strangers or bool((mind < 0).any())
        self._list()

    def _list(self) -> None:
        """Note whose rows those are that came before the newest step and have not been looked at yet."""
        ring = self._ring
        oldest, stop = ring.added - len(ring), ring.added - ring.lanes
        numbers = np.arange(max(self._listed, oldest), stop)
        self._listed = stop
        place = numbers % ring.capacity
        mind = ring.columns[MIND].take(place)
        if self._strangers:
            met = (mind.reshape(-1, self._seats) < 0).any(1).repeat(self._seats)
            known = ring.columns["terminated"].take(place) | (ring.columns["view"].take(place) < ring.capacity)
            mind = np.where(met & ~known, -1, mind)
        for index, rows in enumerate(self._rows):
            rows.append(numbers[mind == index])
            rows.drop_below(oldest)

    def sample(self, rows: int, rng: Generator) -> JointBatch:
        """Draw `rows` for each mind, with replacement.

        Raises:
            InputError: there is none for any mind.
        """
        if not self.ready:
            raise InputError("a replay without rows cannot be sampled: add a rollout first.")
        ring, views = self._ring, self._ring.views
        counts = np.array([len(numbers) for numbers in self._rows])
        drawn = rng.random((1 if (counts == counts[0]).all() else len(counts), rows))
        drawn = (drawn * counts[:, None]).astype(np.int64)
        numbers = [rows_of.take(places) for rows_of, places in zip(self._rows, drawn, strict=True)]
        own = np.stack(numbers) % ring.capacity
        seat = own % self._seats
        all_seats = own[..., None] + self._turn.take(seat, 0)
        after = ring.columns["view"].take(all_seats)
        take = self._take
        return JointBatch(
            obs=take(views.obs, all_seats),
            action=take(ring.columns["action"], all_seats),
            reward=take(ring.columns["reward"], own),
            discount=self._tensor((~ring.columns["terminated"].take(own)).astype(np.float32)),
            next_obs=take(views.obs, after),
            next_action=take(ring.columns["action"], after % ring.capacity) if self._strangers else None,
            mind=ring.columns[MIND].take(all_seats).astype(np.int16).reshape(-1),
            legal=None if views.legal is None else take(views.legal, own),
            next_legal=None if views.legal is None else take(views.legal, after),
            acts=None if ring.always_acts else take(ring.columns["acts"], own),
            same=self._same(own - seat, seat),
            known=None if counts.all() else self._tensor((counts > 0).astype(np.float32)[:, None]),
        )

    def _same(self, step: Ints, seat: Ints) -> Tensor | None:
        """See `JointBatch`; of the steps that begin at the places `step` [M, m], from `seat` [M, m]."""
        if len(step) == 1 or not (step == step[0]).all():
            return None
        turned = (seat[..., None] - seat[0][:, None] + np.arange(self._seats)) % self._seats
        return self._tensor((turned + np.arange(step.shape[1])[:, None] * self._seats).reshape(-1))

    def _take(self, column: Array, index: Ints) -> Tensor:
        return self._tensor(column.take(index, 0))

    def _tensor(self, array: Array) -> Tensor:
        return sent_array(array, self._device)

    def state_dict(self) -> dict[str, Any]:
        """What is stored, in tensors that share the replay's memory: save or copy them before the next `add`."""
        return {"ring": self._ring.state_dict(), "strangers": self._strangers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises:
            InputError: it is of a replay of another capacity.
        """
        self._ring.load_state_dict(state["ring"])
        self._strangers = state["strangers"]
        self._rows = [_Numbers() for _ in self._rows]
        self._listed = 0
        self._list()


class _Numbers:
    """Row numbers, ascending: new ones come at the end, and the oldest go."""

    def __init__(self) -> None:
        self._numbers, self._first, self._last = np.zeros(1, np.int64), 0, 0

    def __len__(self) -> int:
        return self._last - self._first

    def append(self, numbers: Ints) -> None:
        """All of them greater than those here."""
        if self._last + len(numbers) > len(self._numbers):
            held = self._numbers[self._first : self._last]
            self._numbers = np.zeros(2 * (len(held) + len(numbers)) + 1, np.int64)
            self._numbers[: len(held)] = held
            self._first, self._last = 0, len(held)
        self._numbers[self._last : self._last + len(numbers)] = numbers
        self._last += len(numbers)

    def drop_below(self, number: int) -> None:
        """Forget all that are less."""
        self._first += int(np.searchsorted(self._numbers[self._first : self._last], number))

    def take(self, places: Ints) -> Ints:
        """Those at `places` [n], counted from the oldest; where there are none, anything."""
        return self._numbers.take(self._first + places, mode="clip")


def _box(width: int) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, (width,), np.float32)


def _by_lane(rollout: JointRollout, vectors: Tensor, mind: Tensor) -> Rollout:
    """The same steps as those of B * P lanes."""
    _, games, seats = rollout.acts.shape
    nothing = torch.zeros(games * seats, 0)
    seat = torch.arange(seats)
    cut, game = (part.unsqueeze(1).expand(-1, seats) for part in rollout.final_at.unbind(1))
    return Rollout(
        obs=rollout.obs.flatten(1, 2),
        legal=rollout.legal.flatten(1, 2),
        acts=rollout.acts.flatten(1, 2),
        action=vectors.flatten(1, 2),
        reward=rollout.reward.flatten(1, 2),
        terminated=rollout.terminated.repeat_interleave(seats, 1),
        truncated=rollout.truncated.repeat_interleave(seats, 1),
        score=rollout.score.flatten(1, 2),
        memory=nothing,
        last_memory=nothing,
        final_obs=rollout.final_obs.flatten(0, 1),
        final_memory=torch.zeros(len(rollout.final_at) * seats, 0),
        final_at=torch.stack([cut, game * seats + seat], 2).flatten(0, 1),
        extras={"mind": mind.flatten(1, 2)},
    )
