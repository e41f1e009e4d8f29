"""REINFORCE (Williams 1992): the return of whole episodes weighs what was done, with or without a value baseline."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field

from agents.algorithms.algorithm import (
    ActorCriticConfig,
    ActorCriticLearner,
    Metrics,
    PolicyGradient,
    Scaling,
    acting_weight,
    explained_variance,
    scaled,
    take_statistics,
)
from agents.rollout import Rollout, bootstrap


class ReinforceConfig(ActorCriticConfig):
    """Settings of REINFORCE."""

    learning_rate: float = Field(5e-3, gt=0)
    """Step size at the start."""
    final_learning_rate: float | None = Field(0.0, ge=0)
    """Step size at the end of the budget; none: the same as at the start."""
    baseline: bool = False
    """Learn the value of states: it is taken off the returns, and stands in for what a step limit cuts off."""
    advantage: Scaling = "whiten"
    """How advantages are scaled: none, centre or whiten, see `agents.algorithms.algorithm.Scaling`."""


class Reinforce(ActorCriticLearner):
    """Learns `policy` from its own episodes; it takes rollouts that stop in mid-episode too, and loses their rest."""

    Config: ClassVar[type[ReinforceConfig]] = ReinforceConfig
    config: ReinforceConfig

    def update(self, rollout: Rollout, progress: float = 0.0) -> Metrics:
        """See `Algorithm`."""
        rollout = rollout.to(self.policy.device)
        value = rollout.extras["value"]
        cut_off = bootstrap(self.policy, rollout) if self.config.baseline else None
        returns = rollout.mc_returns(self.config.gamma, cut_off)
        advantage = returns - value if self.config.baseline else returns
        advantage = scaled(self.policy, advantage, rollout.acts, self.config.advantage)
        weight = acting_weight(rollout.acts) if self.config.baseline else torch.zeros_like(returns)
        metrics = self.descend(rollout, PolicyGradient(advantage, returns, weight), progress)
        take_statistics(self.policy, rollout.obs[:-1], returns)
        if self.config.baseline:
            metrics["explained_variance"] = explained_variance(returns[rollout.acts], value[rollout.acts])
        else:
            del metrics["value_loss"]  # there is none
        return metrics
