"""Proximal policy optimisation (Schulman et al. 2017) over lanes, feed-forward and recurrent alike.

With a central value it is MAPPO (Yu et al. 2022, "The surprising effectiveness of PPO in cooperative multi-agent
games"), which asks for rollouts of rows [own view | others']; without one it is what they call IPPO.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from agents.algorithms.algorithm import (
    ActorCriticConfig,
    ActorCriticLearner,
    Metrics,
    Scaling,
    acting_weight,
    explained_variance,
    scaled,
    take_statistics,
    value_variance,
    values_after,
)
from agents.parallel import Threads
from agents.policy import Policy
from agents.returns import gae
from agents.rollout import Rollout


class PPOConfig(ActorCriticConfig):
    """Settings of PPO."""

    final_learning_rate: float | None = Field(1e-4, ge=0)
    """Step size at the end of the budget; none: the same as at the start."""
    gamma: float = Field(0.995, ge=0, le=1)
    """Discount per env step."""
    entropy: float = Field(0.01, ge=0)
    """Weight of the entropy bonus."""
    lam: float = Field(0.95, ge=0, le=1)
    """Trace decay of the advantage estimate."""
    epochs: int = Field(3, ge=1)
    """Passes over each rollout."""
    minibatch_rows: int = Field(8192, ge=1)
    """Rows (steps x lanes) per gradient step; rounded to whole lanes."""
    shards: int = Field(2, ge=1)
    """Parts of a minibatch whose gradients are computed apart and averaged; threads share them."""
    clip: float = Field(0.2, gt=0)
    """Range of the probability ratio around 1."""
    advantage: Scaling = "whiten"
    """How advantages are scaled: none, centre or whiten, see `agents.algorithms.algorithm.Scaling`."""
    target_kl: float | None = Field(None, gt=0)
    """Stop the update when the policy has moved this far, nats; none: never."""
    central: bool = False
    """In training the value is that of what all seats see, by a network of its own; nobody needs it to play."""


LOSSES = ("policy_loss", "value_loss", "entropy", "kl", "clipped")
KL = LOSSES.index("kl")


class Batch(NamedTuple):
    """The part of a rollout that the loss reads, lanes first, so that a minibatch is whole blocks of memory."""

    obs: Tensor
    """[n, T, *obs_shape]."""
    legal: Tensor | None
    """[n, T, A]; None where every action is legal."""
    action: Tensor
    """[n, T, *action_shape]."""
    ended: Tensor
    """[n, T]."""
    memory: Tensor
    """[n, H] before the first step."""
    numbers: Tensor
    """[4, n, T] policy weight (0 where the seat did not act, mean 1), old log-probability, advantage, value target."""

    def lanes(self, index: Tensor) -> Batch:
        """The lanes `index` [n]."""
        legal = None if self.legal is None else self.legal[index]
        obs, action, ended, memory = (part[index] for part in (self.obs, self.action, self.ended, self.memory))
        return Batch(obs, legal, action, ended, memory, self.numbers.index_select(1, index))


def ppo_gradient(
    policy: Policy, parameters: Sequence[Tensor], batch: Batch, config: PPOConfig
) -> tuple[Tensor, Tensor]:
    """Gradient of the loss (Schulman et al. 2017, equation 9, negated), one flat vector, and the LOSSES it is made of.

    The loss is -min(r A, clip(r) A) + c_v (V - target)^2 / 2 - c_e H, averaged over rows. Its derivatives by
    log-probability, value and entropy are written out; only what lies below them is left to autograd, which is a
    fifth faster. The value error is measured in the policy's own scale. "kl" is (r - 1) - log r, the estimator of
    KL(old, new) in Schulman 2020, "Approximating KL divergence".
    """
    dist, extras = policy.unroll(batch.obs, batch.legal, batch.memory, batch.ended)
    value = extras["value"]
    logprob, entropy = dist.log_prob(batch.action), dist.entropy()
    with torch.no_grad():
        weight, old_logprob, advantage, target = batch.numbers
        log_ratio = logprob - old_logprob
        ratio = log_ratio.exp()
        gain = ratio * advantage
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip) * advantage
        error = value - target
        outside = gain > clipped
        variance = value_variance(policy)
        by_logprob = (gain * weight).masked_fill(outside, 0.0).neg()
        by_entropy = weight * -config.entropy
        by_value = error * (config.value / variance)
        terms = torch.stack([-torch.minimum(gain, clipped), entropy, ratio - 1 - log_ratio, outside.to(gain.dtype)])
        policy_loss, mean_entropy, kl, share = terms.flatten(1) @ weight.flatten().to(terms.dtype)
        value_loss = error.square().sum() / (2 * variance)
        losses = torch.stack([policy_loss, value_loss, mean_entropy, kl, share])
    gradient = torch.autograd.grad([logprob, entropy, value], parameters, [by_logprob, by_entropy, by_value])
    rows = weight.numel()
    return torch.cat([part.flatten() for part in gradient]) / rows, losses / rows


class PPO(ActorCriticLearner):
    """Learns `policy` from its own rollouts."""

    Config: ClassVar[type[PPOConfig]] = PPOConfig
    config: PPOConfig

    def __init__(self, policy: Policy, config: PPOConfig, seed: int = 0, threads: Threads | None = None) -> None:
        """`seed` orders the minibatches; `threads` share their shards, and change the speed and nothing else."""
        super().__init__(policy, config, seed, threads)
        self._parameters = self._optimiser.parameters

    def update(self, rollout: Rollout, progress: float = 0.0) -> Metrics:
        """Improve the policy on `rollout`; `progress` 0..1 through the budget sets the learning rate."""
        rollout = with_values(self.policy, rollout.to(self._parameters[0].device))
        batch = self._batch(rollout)
        lanes = max(1, min(rollout.lane_count, self.config.minibatch_rows // len(rollout.acts)))
        epochs = []
        for _ in range(self.config.epochs):
            order = torch.randperm(rollout.lane_count, generator=self._rng).to(batch.obs.device)
            # A last part much smaller than the others would be a noisy step: its lanes wait for the next epoch.
            parts = [part for part in order.split(lanes) if 2 * len(part) >= lanes]
            epochs.append(torch.stack([self._step(batch, part, progress) for part in parts]).mean(0))
            if self.config.target_kl is not None and epochs[-1][KL] > self.config.target_kl:
                break
        target = batch.numbers[3].T
        take_statistics(self.policy, batch.obs, target)
        means = dict(zip(LOSSES, torch.stack(epochs).mean(0).tolist(), strict=True))
        return {
            **means,
            "explained_variance": explained_variance(target, rollout.extras["value"]),
            "learning_rate": self._optimiser.rate(progress),
            "epochs": float(len(epochs)),
        }

    def _batch(self, rollout: Rollout) -> Batch:
        """What the loss reads, with advantages and value targets."""
        value, ends = rollout.extras["value"], (rollout.terminated, rollout.truncated)
        following = values_after(self.policy, rollout)
        advantage = gae(rollout.reward, value, following, *ends, self.config.gamma, self.config.lam)
        target = advantage + value
        advantage = scaled(self.policy, advantage, rollout.acts, self.config.advantage)
        weight = acting_weight(rollout.acts)
        numbers = torch.stack([weight, rollout.extras["logprob"], advantage, target]).transpose(1, 2).contiguous()
        legal = None if rollout.legal.all() else _lanes_first(rollout.legal[:-1])
        obs, action, ended = map(_lanes_first, (rollout.obs[:-1], rollout.action, rollout.ended))
        return Batch(obs, legal, action, ended, rollout.memory, numbers)

    def _step(self, batch: Batch, lanes: Tensor, progress: float) -> Tensor:
        """One gradient step on `lanes` [n]; returns the LOSSES."""
        shards = lanes.chunk(self.config.shards)
        results = self._threads.run([partial(self._gradient, batch, shard) for shard in shards])
        gradients, losses = (torch.stack(parts) for parts in zip(*results, strict=True))
        shares = gradients.new_tensor([len(shard) / len(lanes) for shard in shards])
        self._optimiser.step(shares @ gradients, progress)
        return (shares.unsqueeze(1) * losses).sum(0)

    def _gradient(self, batch: Batch, lanes: Tensor) -> tuple[Tensor, Tensor]:
        return ppo_gradient(self.policy, self._parameters, batch.lanes(lanes), self.config)


@torch.no_grad()
def with_values(policy: Policy, rollout: Rollout) -> Rollout:
    """`rollout` with the extra "value", which a policy with a central value did not have when it played."""
    if "value" in rollout.extras:
        return rollout
    return rollout.with_extras({"value": policy.central_value(rollout.obs[:-1])})


def _lanes_first(part: Tensor) -> Tensor:
    """[T, n, ...] -> [n, T, ...]."""
    return part.transpose(0, 1).contiguous()
