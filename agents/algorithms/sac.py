"""Soft actor-critic with a learnt temperature (Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications"),
and for Discrete actions with the mean over them instead of a draw (Christodoulou 2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from gymnasium import spaces
from pydantic import Field
from torch import Tensor

from agents.algorithms.action_critic import ActionCriticLearner, OwnCriticConfig, mean_over
from agents.algorithms.seen import Seen
from agents.critic import Critic
from agents.distributions import ActionDist, Categorical, Gaussian
from agents.heads import Actor, HeadConfig
from agents.optimiser import Optimiser
from agents.parallel import Threads
from agents.policy import Policy


class SACConfig(OwnCriticConfig):
    """Settings of SAC."""

    temperature: float = Field(1.0, gt=0)
    """Reward of a nat of entropy at the start."""
    learn_temperature: bool = True
    """Let it go, with the actor's step size, to where the entropy is as wanted; else it stays."""
    target_entropy: float | None = None
    """Entropy that is wanted, nats, of continuous actions in halves of their range; none: minus their number, or
    `target_share` of the most that Discrete actions can have."""
    target_share: float = Field(0.98, ge=0, le=1)
    """See `target_entropy`."""


class SAC(ActionCriticLearner):
    """Learns a random actor that is rewarded for its entropy."""

    Config: ClassVar[type[SACConfig]] = SACConfig
    actions: ClassVar[tuple[type[spaces.Space[Any]], ...]] = (spaces.Discrete, spaces.Box)
    losses = (*ActionCriticLearner.losses, "temperature", "entropy")
    members: ClassVar[int] = 2
    config: SACConfig

    @classmethod
    def head(cls, config: SACConfig) -> HeadConfig:
        """A Gaussian whose deviation depends on the state, or a Categorical."""
        return Actor(spread="learnt")

    def __init__(self, policy: Policy, config: SACConfig, seed: int = 0, threads: Threads | None = None) -> None:
        """See `Algorithm`; there is nothing for `threads` to share."""
        self._discrete = isinstance(policy.action_space, spaces.Discrete)
        super().__init__(policy, config, seed, threads)
        self.log_temperature = torch.nn.Parameter(self._actor_loss.new_tensor([math.log(config.temperature)]))
        self._temperature_step = Optimiser([self.log_temperature], config)
        self._parts["temperature_step"] = self._temperature_step
        self._entropy = self._actor_loss

    def _new_critic(self) -> Critic:
        """Of every action at once, where they can be counted."""
        if not self._discrete:
            return super()._new_critic()
        return Critic(self.policy, 0, outputs=self.vectors.width, members=self.members)

    def _learn(self, progress: float) -> Tensor:
        """See `OffPolicyLearner`."""
        losses = super()._learn(progress)
        return torch.cat([losses, self._temperature, self._entropy.reshape(1)])

    @property
    def _temperature(self) -> Tensor:
        """[1]."""
        return self.log_temperature.detach().exp()

    def _values(self, seen: Seen) -> Tensor:
        """See `ActionCriticLearner`."""
        if not self._discrete:
            return super()._values(seen)
        values: Tensor = self.critic(seen.now(self.critic.state, seen.blank))
        index = seen.action.expand(1, self.members, *seen.action.shape)
        return values.gather(0, index).squeeze(0)

    def _worth_after(self, seen: Seen) -> Tensor:
        """See `ActionCriticLearner`: by the lower of the slow critics, and the entropy (equation 3)."""
        dist, _ = self.policy.read(seen.after(self.policy, seen.memory), seen.next_legal)
        critic: Critic = self._critic_target.network
        return self._soft_value(dist, critic, seen.after(critic.state, seen.blank))[0]

    def _improve(self, seen: Seen, progress: float) -> Tensor:
        """See `ActionCriticLearner`: equation 9, and a step of the temperature down equation 18."""
        dist, _ = self.policy.read(seen.now(self.policy, seen.memory), seen.legal)
        value, entropy = self._soft_value(dist, self.critic, self._critic_features(seen))
        loss = -mean_over(value, seen.weight)
        self._actor_step.minimise(loss, progress)
        entropy = entropy.detach()
        self._entropy = mean_over(entropy, seen.weight)
        if self.config.learn_temperature:
            surplus = mean_over(entropy - self._wanted(seen.legal), seen.weight)
            self._temperature_step.step(surplus.reshape(1), progress)
        return loss

    def _soft_value(self, dist: ActionDist, critic: Critic, features: Tensor) -> tuple[Tensor, Tensor]:
        """[...] of the states that `critic` knows as `features`, under `dist`, and the entropy [...] in that.

        Both carry the gradient of `dist`. Continuous ones are estimated from one draw each.
        """
        if isinstance(dist, Categorical):
            worth = critic(features).amin(1)
            entropy = dist.entropy()
            return (dist.log_probs.exp() * worth).sum(0) + self._temperature * entropy, entropy
        assert isinstance(dist, Gaussian)
        noise = torch.randn(dist.mean.shape, generator=self._noise).to(dist.mean.device)
        action, log_prob = dist.rsample(noise)
        entropy = -log_prob - self.vectors.half.log().sum()
        return critic(features, self.vectors.of(action)).squeeze(0).amin(0) + self._temperature * entropy, entropy

    def _wanted(self, legal: Tensor | None) -> Tensor | float:
        """Nats that the entropy should be, for all rows or [...]."""
        if self.config.target_entropy is not None:
            return self.config.target_entropy
        if not self._discrete:
            return -float(self.vectors.width)
        if legal is None:
            return self.config.target_share * math.log(self.vectors.width)
        return self.config.target_share * legal.sum(-1).log()

    def state_dict(self) -> dict[str, Any]:
        """See `Algorithm`."""
        return {**super().state_dict(), "log_temperature": self.log_temperature.detach(), "entropy": self._entropy}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Algorithm`."""
        super().load_state_dict(state)
        with torch.no_grad():
            self.log_temperature.copy_(state["log_temperature"])
        self._entropy = state["entropy"]
