"""What every action distribution can do."""

from __future__ import annotations

from typing import Protocol

from numpy.random import Generator
from torch import Tensor


class ActionDist(Protocol):
    """What a policy head says about the next action."""

    def sample(self, rng: Generator) -> Tensor:
        """Draw one action per row."""
        ...

    def mode(self) -> Tensor:
        """The most probable action per row."""
        ...

    def log_prob(self, action: Tensor) -> Tensor:
        """Log-probability (density for continuous actions) of `action`, [...]."""
        ...

    def entropy(self) -> Tensor:
        """Entropy, nats, [...]."""
        ...
