"""Twin delayed deep deterministic policy gradient (Fujimoto et al. 2018): DDPG that does not trust its critic.

Of two critics the lower is believed (section 4.2), actor and targets move less often (5.2), and the target action is
blurred (5.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import torch
from gymnasium import spaces
from pydantic import Field
from torch import Tensor

from agents.algorithms.ddpg import DeterministicConfig, DeterministicLearner
from envs.config import Config


class TwinConfig(Config):
    """How critics are kept from believing too much."""

    actor_every: int = Field(2, ge=1)
    """Gradient steps of the critics for one of the actor."""
    target_every: int = Field(2, ge=1)
    """Gradient steps after which targets go."""
    smoothing: float = Field(0.2, ge=0)
    """Deviation of the noise on target actions, in halves of their range."""
    smoothing_clip: float = Field(0.5, ge=0)
    """That noise is cut at this."""


class Smooths(Protocol):
    """How target actions are blurred, see `TwinConfig`."""

    @property
    def smoothing(self) -> float:
        """Deviation."""
        ...

    @property
    def smoothing_clip(self) -> float:
        """Limit."""
        ...


class TD3Config(TwinConfig, DeterministicConfig):
    """Settings of TD3."""


class TD3(DeterministicLearner):
    """Learns a deterministic actor, with two critics. For continuous actions."""

    Config: ClassVar[type[TD3Config]] = TD3Config
    actions: ClassVar[tuple[type[spaces.Space[Any]], ...]] = (spaces.Box,)
    members: ClassVar[int] = 2
    config: TD3Config

    def _near(self, action: Tensor) -> Tensor:
        """See `DeterministicLearner`: blurred."""
        return blurred(action, self.config, self._noise)


def blurred(action: Tensor, config: Smooths, rng: torch.Generator) -> Tensor:
    """Vectors [..., width] of continuous actions with noise (equation 14), within the bounds."""
    noise = blur(action.shape, config.smoothing, config.smoothing_clip, rng)
    return (action + noise.to(action.device)).clamp(-1, 1)


def blur(shape: Sequence[int], deviation: float, limit: float, rng: torch.Generator) -> Tensor:
    """The noise of `blurred`, cut at `limit`."""
    return (torch.randn(*shape, generator=rng) * deviation).clamp(-limit, limit)
