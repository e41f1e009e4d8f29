"""Replay of windows of steps, for recurrent learners and for returns over many steps."""

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
from envs.core import Array, Ints
from envs.errors import InputError


class SequenceReplayConfig(PriorityConfig):
    """Settings of a replay of windows."""

    capacity: int = Field(100_000, ge=1, le=10**9)
    """Rows (steps x lanes) that are kept, the newest."""
    window: int = Field(40, ge=1)
    """Steps of a window, burn-in included."""


class Sequences(NamedTuple):
    """n windows of L steps of one lane each, lanes first. They may run over the ends of games."""

    obs: Tensor
    """[n, L + 1, *obs_shape]; where a game ended the next one is the next game's first view."""
    action: Tensor
    """[n, L, *action_shape]."""
    reward: Tensor
    """[n, L]."""
    terminated: Tensor
    """[n, L] the rules ended the game with this step."""
    truncated: Tensor
    """[n, L] the step limit did, or the game was not played on."""
    ended: Tensor
    """[n, L] either: the memory is cleared after this step."""
    legal: Tensor | None
    """[n, L + 1, A]; None while no game has forbidden an action."""
    acts: Tensor | None
    """[n, L] whether the action mattered; None while every row held a decision."""
    memory: Tensor
    """[n, H] before the first step, as it was stored (Kapturowski et al. 2019, section 3)."""
    final_obs: Tensor
    """[E, *obs_shape] last view of each truncated game."""
    final_at: Tensor
    """[E, 2] its window and step."""
    extras: Mapping[str, Tensor]
    """[n, L, ...] each."""
    rows: Tensor
    """[n] which they are, for `update_priorities`."""
    weight: Tensor
    """[n] importance weights with maximum 1; 1 where drawing is uniform."""


class SequenceReplay:
    """The newest steps of all lanes. A window may begin at any step that has enough steps of its lane after it."""

    def __init__(self, config: SequenceReplayConfig, row: Row, device: torch.device | str = "cpu") -> None:
        """Make room.

        Args:
            row: what is kept of each step.
            device: where batches go; the rows themselves stay in main memory.

        Raises:
            InputError: it does not fit into memory.
        """
        self.config, self.device = config, torch.device(device)
        self._ring = Ring(config.capacity, row, config.prioritised)
        self._priorities = Priorities(config.capacity, config) if config.prioritised else None
        self._runs: Ints = np.zeros((0, 3), np.int64)
        """[runs, 3] first row, lanes and steps of each run of rollouts that continue one another, oldest first."""

    def __len__(self) -> int:
        """Rows that are stored."""
        return len(self._ring)

    @property
    def windows(self) -> int:
        """Steps at which a window may begin."""
        low, high = self._starts()
        return int((high - low).sum())

    def add(self, rollout: Rollout, memory: Tensor | None = None) -> None:
        """Store all T x N rows of `rollout`, over the oldest; of more than fit, the newest.

        Args:
            memory: [T, N, H] before each step; may be left out where H is 0, or T is 1 and the rollout says it.

        Raises:
            InputError: a window of all lanes does not fit, or `memory` is missing.
        """
        steps, lanes = rollout.acts.shape
        if lanes * self.config.window > self.config.capacity:
            raise InputError(
                f"a replay of {self.config.capacity:,} rows cannot hold a window of {self.config.window} steps of "
                f"{lanes} lanes: set capacity = {lanes * self.config.window} or more."
            )
        if memory is None and self._ring.row.memory:
            if steps > 1:
                raise InputError(f"the memory before each of the {steps} steps is missing: give [T, N, H].")
            memory = rollout.memory.unsqueeze(0)
        first = self._ring.added
        if self._ring.add(rollout, memory):
            self._runs[-1, 2] += steps
        else:
            self._runs = np.concatenate([self._runs, [[first, lanes, steps]]])
        ends = self._runs[:, 0] + self._runs[:, 1] * self._runs[:, 2]
        self._runs = self._runs[ends > self._oldest]
        if self._priorities is not None:
            self._renew(self._priorities, steps * lanes)

    def _renew(self, priorities: Priorities, rows: int) -> None:
        """The newest `rows` begin no window yet; as many before them, of the same run, now do."""
        added, capacity = self._ring.added, self.config.capacity
        low, high = (int(bounds[-1]) for bounds in self._starts())
        for start, stop, drawn in (
            (max(added - rows, self._oldest), added, False),
            (max(low, high - rows), high, True),
        ):
            for first, last in spans(start, stop, capacity):
                priorities.renew(first, last, drawn)

    @property
    def _oldest(self) -> int:
        return self._ring.added - len(self._ring)

    def _starts(self) -> tuple[Ints, Ints]:
        """The rows low..high - 1 of each run [runs] begin a window."""
        first, lanes, steps = self._runs.T
        low = np.maximum(first, self._oldest)
        return low, np.maximum(low, first + (steps - self.config.window + 1) * lanes)

    def sample(self, batch: int, rng: Generator, progress: float = 0.0) -> Sequences:
        """Draw `batch` windows with replacement; `progress` 0..1 through the budget raises the weights' power to 1.

        Raises:
            InputError: no lane has enough steps yet, see `windows`.
        """
        low, high = self._starts()
        edges = np.cumsum(high - low)
        if not edges[-1:].any():
            raise InputError(f"no lane holds a window of {self.config.window} steps yet: add more before sampling.")
        if self._priorities is None:
            drawn = rng.integers(edges[-1], size=batch)
            run = np.searchsorted(edges, drawn, side="right")
            return self._gather(high[run] - edges[run] + drawn, run, torch.ones(batch))
        place, weight = self._priorities.draw(batch, rng, progress)
        start = self._oldest + (place - self._oldest) % self.config.capacity
        return self._gather(start, np.searchsorted(self._runs[:, 0], start, side="right") - 1, weight)

    def update_priorities(self, rows: Tensor, priority: Tensor) -> None:
        """Set the priorities of the windows `rows` [n] of a batch to |`priority`| [n]. Kapturowski et al. 2019 mix
        them from the errors of the window's steps: 0.9 x the largest + 0.1 x their mean.

        Without effect where drawing is uniform.

        Raises:
            FloatingPointError: one of them is not a finite number.
        """
        if self._priorities is not None:
            self._priorities.update(rows, priority)

    def _gather(self, start: Ints, run: Ints, weight: Tensor) -> Sequences:
        ring, views = self._ring, self._ring.views
        first, lanes, steps = self._runs[run].T
        rows = start[:, None] + lanes[:, None] * np.arange(self.config.window + 1)
        places = rows % self.config.capacity
        view = ring.columns["view"]
        step = places[:, :-1]
        last = np.where(rows[:, -1] < first + lanes * steps, places[:, -1], view[step[:, -1]])
        seen = np.concatenate([step, last[:, None]], 1)
        truncated = ring.columns["truncated"][step]
        take = self._take
        terminated, cut = take(ring.columns["terminated"], step), sent_array(truncated, self.device)
        return Sequences(
            obs=take(views.obs, seen),
            action=take(ring.columns["action"], step),
            reward=take(ring.columns["reward"], step),
            terminated=terminated,
            truncated=cut,
            ended=terminated | cut,
            legal=None if views.legal is None else take(views.legal, seen),
            acts=None if ring.always_acts else take(ring.columns["acts"], step),
            memory=take(ring.columns["memory"], step[:, 0]),
            final_obs=take(views.obs, view[step[truncated]]),
            final_at=sent_array(np.argwhere(truncated), self.device),
            extras={name: take(ring.columns[f"extras.{name}"], step) for name in ring.row.extras},
            rows=torch.from_numpy(step[:, 0].copy()),
            weight=sent(weight, self.device),
        )

    def _take(self, column: Array, index: Ints) -> Tensor:
        return sent_array(column.take(index, 0), self.device)

    def state_dict(self) -> dict[str, Any]:
        """What is stored, in tensors that share the replay's memory: save or copy them before the next `add`."""
        priorities = None if self._priorities is None else self._priorities.state_dict(len(self))
        return {"ring": self._ring.state_dict(), "priorities": priorities, "runs": torch.from_numpy(self._runs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises:
            InputError: it is of a replay of another capacity.
        """
        self._ring.load_state_dict(state["ring"])
        self._runs = state["runs"].numpy().copy()
        if self._priorities is not None:
            self._priorities.load_state_dict(state["priorities"])
