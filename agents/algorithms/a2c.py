"""Advantage actor-critic (Mnih et al. 2016, section 4), synchronous: one step on each rollout of all games."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field

from agents.algorithms.algorithm import (
    ActorCriticConfig,
    ActorCriticLearner,
    Metrics,
    PolicyGradient,
    explained_variance,
    scaled,
    take_statistics,
    values_after,
)
from agents.returns import gae
from agents.rollout import Rollout


class A2CConfig(ActorCriticConfig):
    """Settings of A2C."""

    learning_rate: float = Field(3e-3, gt=0)
    """Step size at the start."""
    final_learning_rate: float | None = Field(0.0, ge=0)
    """Step size at the end of the budget; none: the same as at the start."""
    lam: float = Field(0.95, ge=0, le=1)
    """Trace decay of the advantage estimate; 1: the return of the whole rollout."""


class A2C(ActorCriticLearner):
    """Learns `policy` from its own rollouts, each seen once."""

    Config: ClassVar[type[A2CConfig]] = A2CConfig
    config: A2CConfig

    def update(self, rollout: Rollout, progress: float = 0.0) -> Metrics:
        """See `Algorithm`."""
        rollout = rollout.to(self.policy.device)
        value, ends = rollout.extras["value"], (rollout.terminated, rollout.truncated)
        following = values_after(self.policy, rollout)
        advantage = gae(rollout.reward, value, following, *ends, self.config.gamma, self.config.lam)
        target = advantage + value
        advantage = scaled(self.policy, advantage, rollout.acts, self.config.advantage)
        step = PolicyGradient(advantage, target, torch.ones_like(target))
        metrics = self.descend(rollout, step, progress)
        take_statistics(self.policy, rollout.obs[:-1], target)
        return {**metrics, "explained_variance": explained_variance(target, value)}
