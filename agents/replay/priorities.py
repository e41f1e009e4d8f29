"""Proportional prioritisation (Schaul et al. 2016, "Prioritized experience replay", section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from pydantic import Field
from torch import Tensor

from agents.replay.sumtree import build, fill, find, put
from envs.config import Config
from envs.core import Floats, Ints


class PriorityConfig(Config):
    """Settings of what is drawn more often."""

    prioritised: bool = False
    """Draw in proportion to priorities (Schaul et al. 2016) instead of uniformly."""
    alpha: float = Field(0.6, ge=0)
    """Power of the priority with which rows are drawn; 0 is uniform."""
    beta: float = Field(0.4, ge=0, le=1)
    """Power of the importance weights at the start of the budget; it rises linearly to 1 at the end."""
    least: float = Field(1e-6, gt=0)
    """Added to every priority, so that no row is forgotten."""


class Priorities:
    """One priority per row, (|p| + least)^alpha, in a tree of sums."""

    def __init__(self, rows: int, config: PriorityConfig) -> None:
        self._config = config
        self._tree: Floats = np.zeros(2 * rows, np.float64)
        self._highest = 1.0
        """Of all priorities ever set, with its power: what new rows get, so that each is drawn soon."""

    @property
    def leaves(self) -> Floats:
        """[R] (|p| + least)^alpha, 0 for rows that are not drawn."""
        return self._tree[len(self._tree) // 2 :]

    @property
    def total(self) -> float:
        """Sum of the leaves."""
        return float(self._tree[1])

    def renew(self, start: int, stop: int, drawn: bool = True) -> None:
        """The rows `start`..`stop` - 1 are new: they get the highest priority, or 0 if they are not to be `drawn`."""
        fill(self._tree, start, stop, self._highest if drawn else 0.0)

    def draw(self, batch: int, rng: Generator, progress: float) -> tuple[Ints, Tensor]:
        """Rows [batch], one from each of `batch` strata of equal mass (appendix B.2.1), and their weights [batch].

        The weights are (R P(i))^-beta over the largest of the batch (section 3.4).
        """
        points = (np.arange(batch) + rng.random(batch)) * (self.total / batch)
        index = find(self._tree, points)
        mass = self.leaves[index]
        beta = self._config.beta + (1.0 - self._config.beta) * progress
        return index, torch.from_numpy(((mass.min() / mass) ** beta).astype(np.float32))

    def update(self, index: Tensor, priority: Tensor) -> None:
        """Set the priorities of the rows `index` [n] to |`priority`| [n]; rows that are not drawn must not be named.

        Raises:
            FloatingPointError: one of them is not a finite number.
        """
        size = np.abs(priority.detach().cpu().numpy().astype(np.float64)) + self._config.least
        values = size**self._config.alpha
        highest = float(values.max(initial=0.0))
        if not highest < float("inf"):
            raise FloatingPointError("a priority is not a finite number: learning has diverged.")
        self._highest = max(self._highest, highest)
        put(self._tree, index.cpu().numpy(), values)

    def state_dict(self, rows: int) -> dict[str, Any]:
        """The first `rows` leaves and what new rows get; the sums follow from the leaves."""
        return {"leaves": torch.from_numpy(self.leaves[:rows]), "highest": self._highest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        leaves = state["leaves"].numpy()
        self.leaves[: len(leaves)], self.leaves[len(leaves) :] = leaves, 0.0
        self._highest = state["highest"]
        build(self._tree)
