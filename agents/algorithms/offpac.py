"""Off-policy actor-critic (Degris et al. 2012): another policy acts, rollouts are kept, ratios correct for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields
from typing import Any, ClassVar, Literal

import torch
from gymnasium import spaces
from pydantic import Field
from torch import Tensor

from agents.algorithms.algorithm import (
    ActorCriticConfig,
    ActorCriticLearner,
    Metrics,
    PolicyGradient,
    explained_variance,
    scaled,
    take_statistics,
)
from agents.distributions import head_width
from agents.heads import ActorCriticHead
from agents.parallel import Threads
from agents.policy import Policy
from agents.returns import VTrace, importance, next_values, per_decision, vtrace
from agents.rollout import Rollout, bootstrap, evaluate
from envs.layout import parts


class OffPACConfig(ActorCriticConfig):
    """Settings of OffPAC."""

    learning_rate: float = Field(3e-3, gt=0)
    """Step size at the start."""
    final_learning_rate: float | None = Field(0.0, ge=0)
    """Step size at the end of the budget; none: the same as at the start."""
    lam: float = Field(0.95, ge=0, le=1)
    """Trace decay of returns."""
    correction: Literal["vtrace", "per-decision"] = "vtrace"
    """V-trace (Espeholt et al. 2018), or the lambda-returns of the paper, weighed by ratios all along."""
    clip: float = Field(1.0, gt=0)
    """Ratios are cut at this."""
    temperature: float = Field(1.0, ge=1)
    """How much softer than what is learnt the policy is that acts: logits are divided by it, deviations multiplied."""
    behaviour_every: int = Field(4, ge=1)
    """Rollouts after which the policy that acts becomes as the learnt one is."""
    replay: int = Field(8, ge=1)
    """Rollouts that are kept."""
    updates: int = Field(4, ge=1)
    """Gradient steps per rollout: the first on the new one, the others each on one that is kept."""


class OffPAC(ActorCriticLearner):
    """Learns `policy` from the rollouts of `behaviour`, a softened copy of how it was some time ago."""

    Config: ClassVar[type[OffPACConfig]] = OffPACConfig
    config: OffPACConfig

    def __init__(self, policy: Policy, config: OffPACConfig, seed: int = 0, threads: Threads | None = None) -> None:
        """`seed` decides which rollouts are seen again."""
        super().__init__(policy, config, seed, threads)
        self.behaviour = deepcopy(policy).requires_grad_(False)
        self._kept: list[Rollout] = []
        self._rollouts = 0
        self._follow()

    def update(self, rollout: Rollout, progress: float = 0.0) -> Metrics:
        """See `Algorithm`; `rollout` must be one of `behaviour`."""
        rollout = rollout.to(self.policy.device)
        self._kept = [*self._kept, rollout][-self.config.replay :]
        metrics = [self._learn(rollout, progress, new=True)]
        for _ in range(self.config.updates - 1):
            chosen = int(torch.randint(len(self._kept), (), generator=self._rng))
            metrics.append(self._learn(self._kept[chosen], progress, new=False))
        self._rollouts += 1
        if self._rollouts % self.config.behaviour_every == 0:
            self._follow()
        return {name: sum(each[name] for each in metrics) / len(metrics) for name in metrics[0]}

    def _learn(self, rollout: Rollout, progress: float, new: bool) -> Metrics:
        """One gradient step on `rollout`; one that is `new` goes into the running statistics."""
        with torch.no_grad():
            seen = evaluate(self.policy, rollout)
        ends = rollout.terminated, rollout.truncated
        following = next_values(seen.value, *bootstrap(self.policy, rollout), *ends)
        ratio = importance(seen.logprob, rollout.extras["logprob"])
        corrected, weight = self._correct(ratio, rollout, seen.value, following)
        # Advantages are scaled as they are for the one who acted, and then weighed.
        rho = ratio.clamp(max=self.config.clip)
        advantage = rho * scaled(self.policy, corrected.advantage, rollout.acts, self.config.advantage)
        metrics = self.descend(rollout, PolicyGradient(advantage, corrected.target, weight), progress)
        if new:
            take_statistics(self.policy, rollout.obs[:-1], corrected.target)
        unexplained = explained_variance(corrected.target, seen.value)
        return {**metrics, "ratio": float(ratio.mean()), "explained_variance": unexplained}

    def _correct(self, ratio: Tensor, rollout: Rollout, value: Tensor, following: Tensor) -> tuple[VTrace, Tensor]:
        """Value targets, advantages without the ratio of the action itself, and weights of value errors, [T, N]."""
        ends, clip = (rollout.terminated, rollout.truncated), self.config.clip
        gamma, lam = self.config.gamma, self.config.lam
        rho = ratio.clamp(max=clip)
        if self.config.correction == "vtrace":
            target, weighed = vtrace(ratio, rollout.reward, value, following, *ends, gamma, lam, clip, clip)
            return VTrace(target, weighed / rho.clamp_min(1e-12)), torch.ones_like(value)
        returns = per_decision(ratio, rollout.reward, following, *ends, gamma, lam, clip)
        return VTrace(returns, returns - value), rho

    @torch.no_grad()
    def _follow(self) -> None:
        """Make the policy that acts a softened copy of the one that is learnt."""
        self.behaviour.load_state_dict(self.policy.state_dict())
        head = self.behaviour.head
        assert isinstance(head, ActorCriticHead)
        factor = torch.cat([self._factor(part) for part in parts(self.policy.action_space)])
        linear = head.outputs.last("actor")
        factor = factor.to(linear.weight.device)
        linear.weight[: len(factor)] *= factor.unsqueeze(1)
        linear.bias[: len(factor)] *= factor
        if head.log_std is not None:
            head.log_std.add_(math.log(self.config.temperature))

    def _factor(self, part: spaces.Space[Any]) -> Tensor:
        """Of the actor's outputs for `part`: logits are divided by the temperature, means stay."""
        softer = 1.0 if isinstance(part, spaces.Box) else 1 / self.config.temperature
        return torch.full((head_width(part),), softer)

    def state_dict(self) -> dict[str, Any]:
        """See `Algorithm`."""
        kept = [_fields(rollout) for rollout in self._kept]
        more = {"behaviour": self.behaviour.state_dict(), "kept": kept, "rollouts": self._rollouts}
        return {**super().state_dict(), **more}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Algorithm`."""
        super().load_state_dict(state)
        self.behaviour.load_state_dict(state["behaviour"])
        device = self.policy.device
        self._kept = [Rollout(**kept).to(device) for kept in state["kept"]]
        self._rollouts = state["rollouts"]


def _fields(rollout: Rollout) -> dict[str, Any]:
    """Its tensors by name, as torch saves them."""
    plain = {field.name: getattr(rollout, field.name) for field in fields(rollout)}
    return {**plain, "extras": dict(rollout.extras)}
