"""Replay of single transitions over one or more steps: uniform or prioritised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from pydantic import Field
from torch import Tensor

from agents.replay.priorities import Priorities, PriorityConfig
from agents.replay.ring import Ring, spans
from agents.replay.row import Row
from agents.rollout import Rollout
from agents.transfer import sent, sent_array
from envs.compiled import compiled
from envs.core import Array, Bools, Floats, Ints
from envs.errors import InputError


class ReplayConfig(PriorityConfig):
    """Settings of a replay of transitions."""

    capacity: int = Field(100_000, ge=1, le=10**9)
    """Rows (steps x lanes) that are kept, the newest."""
    n_step: int = Field(1, ge=1)
    """Steps of reward before bootstrapping, fewer where the game ends or the replay does."""


class Transitions(NamedTuple):
    """n rows, each from one step to the view k <= n_step steps later."""

    obs: Tensor
    """[n, *obs_shape] when the action was chosen."""
    action: Tensor
    """[n, *action_shape]."""
    reward: Tensor
    """[n] sum of gamma^i r_i over the k steps."""
    next_obs: Tensor
    """[n, *obs_shape] after the k steps; a truncated game's own last view. Without meaning where `discount` is 0."""
    discount: Tensor
    """[n] gamma^k, 0 where the game terminated: the target is reward + discount x value(next_obs)."""
    legal: Tensor | None
    """[n, A] when the action was chosen; None while no game has forbidden an action."""
    next_legal: Tensor | None
    """[n, A] at `next_obs`, all true at a truncated game's last view; None like `legal`."""
    acts: Tensor | None
    """[n] whether the action mattered; None while every row held a decision."""
    extras: Mapping[str, Tensor]
    """[n, ...] each."""
    rows: Tensor
    """[n] which they are, for `update_priorities`."""
    weight: Tensor
    """[n] importance weights with maximum 1; 1 where drawing is uniform."""


@compiled
def look_ahead(
    index: Ints, view: Ints, reward: Floats, terminated: Bools, steps: int, gamma: float
) -> tuple[Floats, Floats, Ints]:
    """Discounted reward [n] of up to `steps` steps from the rows `index` [n], discount [n] and place [n] of the view
    after them (Sutton and Barto 2018, equation 7.1). They stop where that view is no row's, or there is none."""
    total = np.empty(len(index), np.float32)
    discount = np.empty(len(index), np.float32)
    after = np.empty(len(index), np.int64)
    for i in range(len(index)):
        row, scale, gain = index[i], gamma, reward[index[i]] * 1.0
        for _ in range(steps - 1):
            if terminated[row] or view[row] >= len(view):
                break
            row = view[row]
            gain += scale * reward[row]
            scale *= gamma
        total[i] = gain
        discount[i] = 0.0 if terminated[row] else scale
        after[i] = view[row]
    return total, discount, after


class Replay:
    """The newest transitions of all lanes."""

    def __init__(self, config: ReplayConfig, gamma: float, row: Row, device: torch.device | str = "cpu") -> None:
        """Make room.

        Args:
            gamma: discount per step.
            row: what is kept of each step.
            device: where batches go; the rows themselves stay in main memory.

        Raises:
            InputError: it does not fit into memory.
        """
        self.config, self.gamma, self.device = config, gamma, torch.device(device)
        self._ring = Ring(config.capacity, row, config.prioritised)
        self._priorities = Priorities(config.capacity, config) if config.prioritised else None

    def __len__(self) -> int:
        """Rows that are stored."""
        return len(self._ring)

    def add(self, rollout: Rollout) -> None:
        """Store all T x N rows of `rollout`, over the oldest; of more than fit, the newest.

        Raises:
            InputError: one step of all lanes does not fit.
        """
        self._ring.add(rollout, None)
        if self._priorities is not None:
            rows = min(rollout.acts.numel(), self.config.capacity)
            for low, high in spans(self._ring.added - rows, self._ring.added, self.config.capacity):
                self._priorities.renew(low, high)

    def sample(self, batch: int, rng: Generator, progress: float = 0.0) -> Transitions:
        """Draw `batch` rows with replacement; `progress` 0..1 through the budget raises the weights' power to 1.

        Raises:
            InputError: nothing is stored yet.
        """
        if not len(self):
            raise InputError("a replay without rows cannot be sampled: add a rollout first.")
        if self._priorities is None:
            return self._gather(rng.integers(len(self), size=batch), torch.ones(batch))
        return self._gather(*self._priorities.draw(batch, rng, progress))

    def update_priorities(self, rows: Tensor, priority: Tensor) -> None:
        """Set the priorities of the rows `rows` [n] of a batch to |`priority`| [n]: their temporal-difference errors.

        Without effect where drawing is uniform.

        Raises:
            FloatingPointError: one of them is not a finite number.
        """
        if self._priorities is not None:
            self._priorities.update(rows, priority)

    def _gather(self, index: Ints, weight: Tensor) -> Transitions:
        ring, views = self._ring, self._ring.views
        column = ring.columns
        reward, discount, after = look_ahead(
            index, column["view"], column["reward"], column["terminated"], self.config.n_step, self.gamma
        )
        take = self._take
        return Transitions(
            obs=take(views.obs, index),
            action=take(column["action"], index),
            reward=self._tensor(reward),
            next_obs=take(views.obs, after),
            discount=self._tensor(discount),
            legal=None if views.legal is None else take(views.legal, index),
            next_legal=None if views.legal is None else take(views.legal, after),
            acts=None if ring.always_acts else take(column["acts"], index),
            extras={name: take(column[f"extras.{name}"], index) for name in ring.row.extras},
            rows=torch.from_numpy(index),
            weight=sent(weight, self.device),
        )

    def _take(self, column: Array, index: Ints) -> Tensor:
        return self._tensor(column.take(index, 0))

    def _tensor(self, array: Array) -> Tensor:
        return sent_array(array, self.device)

    def state_dict(self) -> dict[str, Any]:
        """What is stored, in tensors that share the replay's memory: save or copy them before the next `add`."""
        priorities = None if self._priorities is None else self._priorities.state_dict(len(self))
        return {"ring": self._ring.state_dict(), "priorities": priorities}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises:
            InputError: it is of a replay of another capacity.
        """
        self._ring.load_state_dict(state["ring"])
        if self._priorities is not None:
            self._priorities.load_state_dict(state["priorities"])
