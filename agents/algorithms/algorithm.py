"""Algorithm: what every learner offers, and what those on an actor-critic policy share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import torch
from gymnasium import spaces
from pydantic import Field
from torch import Tensor

from agents.heads import ActorCritic, ActorCriticHead, HeadConfig
from agents.optimiser import LearningConfig, Optimiser
from agents.parallel import Threads
from agents.policy import Policy
from agents.returns import next_values
from agents.rollout import Rollout, bootstrap, evaluate

Metrics = dict[str, float]
ANY_ACTION: tuple[type[spaces.Space[Any]], ...] = (
    spaces.Discrete, spaces.MultiBinary, spaces.MultiDiscrete, spaces.Box, spaces.Tuple, spaces.Dict,
)  # fmt: skip
ANY_CORE = ("none", "gru", "lstm")


Scaling = Literal["none", "centre", "whiten"]
"""Of advantages: as they are; with mean 0 over the rollout and in the unit of the value head, where that has one; with
mean 0 and variance 1. "whiten" makes much of noise where all actions are alike; "none" favours what was done as long as
values are too low."""


class Algorithm(Protocol):
    """Improves a policy from rollouts. It knows no env and no opponents."""

    Config: ClassVar[type[Any]]
    """Its settings."""
    actions: ClassVar[tuple[type[spaces.Space[Any]], ...]]
    """Kinds of actions it admits."""
    cores: ClassVar[tuple[str, ...]]
    """Kinds of memory it admits."""
    policy: Policy
    """What is learnt and frozen to snapshots."""
    behaviour: Policy
    """What plays in training; for most the same."""

    @classmethod
    def head(cls, config: Any) -> HeadConfig:
        """The head that its policy must have."""
        ...

    def __init__(self, policy: Policy, config: Any, seed: int = 0, threads: Threads | None = None) -> None:
        """`seed` decides what it draws; `threads` change the speed and nothing else."""
        ...

    def update(self, rollout: Rollout, progress: float = 0.0) -> Metrics:
        """Improve the policy on `rollout`; `progress` 0..1 through the budget drives what is scheduled."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything the next update depends on, in tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        ...


class ActorCriticConfig(LearningConfig):
    """What the settings of all actor-critic algorithms begin with."""

    gamma: float = Field(0.99, ge=0, le=1)
    """Discount per env step."""
    entropy: float = Field(0.0, ge=0)
    """Weight of the entropy bonus."""
    value: float = Field(0.5, ge=0)
    """Weight of the value loss."""
    advantage: Scaling = "centre"
    """How advantages are scaled: none, centre or whiten, see `agents.algorithms.algorithm.Scaling`."""
    value_rate: float = Field(1.0, gt=0)
    """Step size of the value head, as a multiple of that of the rest."""


class PolicyGradient(NamedTuple):
    """What one step along the policy gradient needs; all [T, N]."""

    advantage: Tensor
    """Weight of the log-probability of each action."""
    target: Tensor
    """What the value head should say."""
    value_weight: Tensor
    """Weight of the value error, mean about 1."""


class ActorCriticLearner:
    """Base of the algorithms that learn an actor and a state value on one trunk."""

    actions: ClassVar[tuple[type[spaces.Space[Any]], ...]] = ANY_ACTION
    cores: ClassVar[tuple[str, ...]] = ANY_CORE

    @classmethod
    def head(cls, config: Any) -> HeadConfig:
        """An actor and a value."""
        return ActorCritic()

    def __init__(
        self, policy: Policy, config: ActorCriticConfig, seed: int = 0, threads: Threads | None = None
    ) -> None:
        """See `Algorithm`."""
        assert isinstance(policy.head, ActorCriticHead)
        self.policy = self.behaviour = policy
        self.config = config
        self._threads = threads or Threads(1)
        parameters = list(policy.parameters())
        groups = {} if config.value_rate == 1 else {"value": value_mask(policy)}
        self._optimiser = Optimiser(parameters, config, groups)
        self._optimiser.scale("value", config.value_rate)
        self._rng = torch.Generator().manual_seed(seed)

    def descend(self, rollout: Rollout, step: PolicyGradient, progress: float) -> Metrics:
        """One step up the policy gradient and down the value error, on all of `rollout`.

        The loss is -w A log pi + c_v u (V - target)^2 / 2 - c_e w H (Mnih et al. 2016, section 4), averaged over rows,
        where w are the rows that acted. The value error is measured in the policy's own scale.
        """
        seen = evaluate(self.policy, rollout)
        weight = acting_weight(rollout.acts)
        policy_loss = -(weight * step.advantage * seen.logprob).mean()
        value_loss = (step.value_weight * (seen.value - step.target).square()).mean() / (
            2 * value_variance(self.policy)
        )
        entropy = (weight * seen.entropy).mean()
        loss = policy_loss + self.config.value * value_loss - self.config.entropy * entropy
        norm = self._optimiser.minimise(loss, progress)
        names = ("policy_loss", "value_loss", "entropy", "gradient_norm")
        values = torch.stack([policy_loss, value_loss, entropy, norm]).tolist()
        return {**dict(zip(names, values, strict=True)), "learning_rate": self._optimiser.rate(progress)}

    def state_dict(self) -> dict[str, Any]:
        """See `Algorithm`."""
        return {
            "policy": self.policy.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "rng": self._rng.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Algorithm`."""
        self.policy.load_state_dict(state["policy"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._rng.set_state(state["rng"])


def value_mask(policy: Policy) -> Tensor:
    """Which entries of the vector of all parameters belong to the value alone: its head, or its whole network."""
    assert isinstance(policy.head, ActorCriticHead)
    masks, central = [], policy.head.central is not None
    for name, parameter in policy.named_parameters():
        mask = torch.zeros(parameter.shape, dtype=torch.bool)
        if name.startswith("head.outputs.linear") and not central:
            mask[-1:] = True  # its row is the last one
        elif name.startswith(("head.outputs.branches.value", "head.central")):
            mask[:] = True
        masks.append(mask.flatten())
    return torch.cat(masks)


def value_variance(policy: Policy) -> float:
    """Square of the unit in which the value head predicts: errors are measured in it."""
    assert isinstance(policy.head, ActorCriticHead)
    norm = policy.head.norm_value
    return 1.0 if norm is None else float(norm.std) ** 2


def values_after(policy: Policy, rollout: Rollout) -> Tensor:
    """[T, N] value of what follows each step, by the values that were recorded."""
    ends = rollout.terminated, rollout.truncated
    return next_values(rollout.extras["value"], *bootstrap(policy, rollout), *ends)


def acting_weight(acts: Tensor) -> Tensor:
    """`acts` as float weights of mean 1: a mean over all rows is then one over those that act."""
    return acts / acts.float().mean().clamp_min(1e-8)


def whiten(advantage: Tensor, acts: Tensor) -> Tensor:
    """`advantage` with mean 0 and variance 1 over the rows that act."""
    acted = advantage[acts]
    return (advantage - acted.mean()) / (acted.std(correction=0) + 1e-8) if acts.any() else advantage


def scaled(policy: Policy, advantage: Tensor, acts: Tensor, how: Scaling) -> Tensor:
    """`advantage` [T, N] as the policy gradient uses it, see `Scaling`."""
    if how == "whiten":
        return whiten(advantage, acts)
    if how == "none" or not acts.any():
        return advantage
    return (advantage - advantage[acts].mean()) / math.sqrt(value_variance(policy))


def take_statistics(policy: Policy, obs: Tensor, target: Tensor) -> None:
    """Take what was seen, obs [..., *obs_shape] and returns [...], into the running statistics of `policy`.

    To be called once the rollout has been learnt from with the old ones.
    """
    if isinstance(policy.head, ActorCriticHead):
        policy.head.take_returns(target.flatten())
    policy.take_obs(obs)


def explained_variance(target: Tensor, value: Tensor) -> float:
    """Share of the variance of `target` that `value` explains; 1 is all of it."""
    unexplained = (target - value).var(correction=0) / target.var(correction=0).clamp_min(1e-8)
    return 1 - float(unexplained)
