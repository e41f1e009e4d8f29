"""DQN (Mnih et al. 2015) and what was added to it, each a switch of its own; all together they are Rainbow.

Double (van Hasselt et al. 2016), duelling (Wang et al. 2016), steps of reward and priorities (settings of the replay;
Schaul et al. 2016), noisy layers (Fortunato et al. 2018), quantiles (Dabney et al. 2018, QR-DQN).
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from gymnasium import spaces
from pydantic import Field
from torch import Tensor

from agents.algorithms.algorithm import Metrics
from agents.algorithms.off_policy import OffPolicyConfig, OffPolicyLearner, ReplayT, Target, row_of
from agents.heads import HeadConfig, Q, QHead
from agents.optimiser import Optimiser
from agents.parallel import Threads
from agents.policy import Policy
from agents.replay import Replay, ReplayConfig, Transitions


class QConfig(OffPolicyConfig):
    """What the settings of learners of action values begin with."""

    final_learning_rate: float | None = Field(0.0, ge=0)
    """Step size at the end of the budget; none: the same as at the start."""
    tau: float = Field(0.01, gt=0, le=1)
    """Share of the way that targets go to the learnt weights at a time; 1: they become equal."""
    double: bool = False
    """The learnt network chooses the next action and its slow copy says what that is worth."""
    duelling: bool = False
    """Action values are that of the state plus advantages."""
    noisy: bool = False
    """Learnt noise in the heads' weights explores too; in the paper alone, with epsilon 0."""
    quantiles: int = Field(1, ge=1)
    """Quantiles of the return that are learnt for each action; 1: its mean alone."""
    huber: float = Field(1.0, gt=0)
    """Errors up to this are squared, larger ones count linearly."""
    epsilon: float = Field(1.0, ge=0, le=1)
    """Probability of a random action at the start."""
    final_epsilon: float = Field(0.04, ge=0, le=1)
    """The same from `explore` on."""
    explore: float = Field(0.1, ge=0, le=1)
    """Share of the budget in which epsilon falls linearly."""

    def epsilon_at(self, progress: float) -> float:
        """Probability of a random action after `progress`, 0..1, of the budget."""
        done = min(1.0, progress / self.explore) if self.explore else 1.0
        return self.epsilon + (self.final_epsilon - self.epsilon) * done


class Step(NamedTuple):
    """What follows from temporal-difference errors, by `temporal_difference`."""

    gradient: Tensor
    """[Q, ...] of the loss by the values; a row's own, before the mean over rows."""
    loss: Tensor
    """[...]."""
    error: Tensor
    """[...] what the row's priority goes by: the error's size, and with quantiles the mean loss of one."""


def temporal_difference(values: Tensor, target: Tensor, huber: float) -> Step:
    """Huber loss of `target` - `values` (Mnih et al. 2015) where Q is 1, and else its quantile version, summed over the
    quantiles of `values` and averaged over those of `target` (Dabney et al. 2018, equation 10 and algorithm 1).

    Args:
        values: [Q, ...] quantiles of the return of what was done.
        target: [Q, ...] of what it should have been.
    """
    if len(values) == 1:
        error = target - values
        size = error.abs()
        cut = error.clamp(-huber, huber)
        loss = (cut * error - 0.5 * cut.square()).squeeze(0)
        return Step(-cut, loss, size.squeeze(0))
    error = target.unsqueeze(1) - values
    count = len(values)
    middle = (torch.arange(count, device=values.device) + 0.5) / count
    slope = (middle.view(-1, *[1] * (values.ndim - 1)) - (error < 0).to(error.dtype)).abs()
    cut = error.clamp(-huber, huber)
    loss = (slope * (cut * error - 0.5 * cut.square())).mean(0).sum(0)
    return Step(-(slope * cut).mean(0), loss, loss / count)


class QLearner(OffPolicyLearner[ReplayT]):
    """Base of the learners of action values: exploration, noise, and the step down a given gradient."""

    actions: ClassVar[tuple[type[spaces.Space[Any]], ...]] = (spaces.Discrete,)
    losses = ("loss", "td_error", "value", "gradient_norm")
    config: QConfig

    @classmethod
    def head(cls, config: QConfig) -> HeadConfig:
        """Action values as the switches say."""
        return Q(duelling=config.duelling, quantiles=config.quantiles, noisy=config.noisy)

    def __init__(self, policy: Policy, config: QConfig, replay: ReplayT, seed: int) -> None:
        """The target begins as the policy is."""
        super().__init__(policy, config, replay, seed)
        self._optimiser = Optimiser(list(policy.parameters()), config)
        self._target = Target(policy, self._optimiser.weights, config)
        self._slow: Policy = self._target.network
        self._parts |= {"optimiser": self._optimiser, "target": self._target}
        self._settle(0.0)

    def _settle(self, progress: float) -> Metrics:
        epsilon = self.config.epsilon_at(progress)
        head_of(self.policy).epsilon.fill_(epsilon)
        self._resample(self.policy)
        return {"epsilon": epsilon, "learning_rate": self._optimiser.rate(progress)}

    def _resample(self, *policies: Policy) -> None:
        if self.config.noisy:
            for policy in policies:
                head_of(policy).resample(self._noise)

    def _descend(self, values: Tensor, step: Step, weight: Tensor, progress: float) -> Tensor:
        """One step of the learnt network; `values` [Q, ...] carry the graph, `weight` [...] is that of each row."""
        gradient = torch.autograd.grad(
            values, self._optimiser.parameters, step.gradient * (weight / weight.numel()), materialize_grads=True
        )
        norm = self._optimiser.step(torch.cat([part.reshape(-1) for part in gradient]), progress)
        self._target.follow()
        with torch.no_grad():
            return torch.stack([(step.loss * weight).mean(), step.error.mean(), values.mean(), norm])


class DQNConfig(QConfig):
    """Settings of DQN."""

    replay: ReplayConfig = ReplayConfig()
    """The memory: its size, steps of reward, and priorities."""


class DQN(QLearner[Replay]):
    """Learns action values from single transitions."""

    Config: ClassVar[type[DQNConfig]] = DQNConfig
    cores: ClassVar[tuple[str, ...]] = ("none",)
    config: DQNConfig

    def __init__(self, policy: Policy, config: DQNConfig, seed: int = 0, threads: Threads | None = None) -> None:
        """See `Algorithm`; there is nothing for `threads` to share."""
        super().__init__(policy, config, Replay(config.replay, config.gamma, row_of(policy), policy.device), seed)

    def _learn(self, progress: float) -> Tensor:
        batch = self.replay.sample(self.config.batch_size, self._rng, progress)
        self._resample(self.policy, self._slow)
        values = taken(action_values(self.policy, batch.obs), batch.action)
        with torch.no_grad():
            step = temporal_difference(values, self._targets(batch), self.config.huber)
        self.replay.update_priorities(batch.rows, step.error)
        return self._descend(values, step, batch.weight, progress)

    def _targets(self, batch: Transitions) -> Tensor:
        """[Q, n] what the values should be: reward + discount x those of the best next action."""
        following = action_values(self._slow, batch.next_obs)
        judge = action_values(self.policy, batch.next_obs) if self.config.double else following
        return batch.reward + batch.discount * taken(following, best(judge, batch.next_legal))


def head_of(policy: Policy) -> QHead:
    """Its head, which must be one of action values."""
    assert isinstance(policy.head, QHead)
    return policy.head


def action_values(policy: Policy, obs: Tensor) -> Tensor:
    """[Q, A, n] quantiles of the return of every action at obs [n, *obs_shape], by a policy without memory."""
    return head_of(policy).quantiles(policy.encode(obs))


def taken(values: Tensor, action: Tensor) -> Tensor:
    """[Q, ...] of `values` [Q, A, ...] those of `action` [...]."""
    index = action.expand(len(values), 1, *action.shape)
    return values.gather(1, index).squeeze(1)


def best(values: Tensor, legal: Tensor | None) -> Tensor:
    """[...] the legal action of the highest mean, from `values` [Q, A, ...] and `legal` [..., A]; None: all are."""
    mean = values.squeeze(0) if len(values) == 1 else values.mean(0)
    if legal is not None:
        mean = mean.masked_fill(~legal.movedim(-1, 0), -torch.inf)
    return mean.argmax(0)
