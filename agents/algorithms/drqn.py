"""DRQN (Hausknecht and Stone 2015): DQN with memory, from windows of steps with stored states and burn-in (Kapturowski
et al. 2019, "Recurrent experience replay in distributed reinforcement learning")."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor

from agents.algorithms.dqn import QConfig, QLearner, best, head_of, taken, temporal_difference
from agents.algorithms.off_policy import sequence_replay
from agents.parallel import Threads
from agents.policy import Policy
from agents.replay import SequenceReplay, SequenceReplayConfig, Sequences

LARGEST = 0.9
"""Share of the largest error of a window in its priority; the rest is the mean (Kapturowski et al. 2019, section 2)."""


class DRQNConfig(QConfig):
    """Settings of DRQN."""

    batch_size: int = Field(32, ge=1)
    """Windows per gradient step."""
    updates_per_step: float = Field(0.05, gt=0)
    """Gradient steps per row (step of one lane) that is collected; taken after each rollout, fractions are carried."""
    burn_in: int = Field(4, ge=0)
    """First steps of each window, from which nothing is learnt: they bring the stored memory up to date."""
    n_step: int = Field(1, ge=1)
    """Steps of reward before bootstrapping, fewer where the game or the window ends."""
    replay: SequenceReplayConfig = SequenceReplayConfig(window=16)
    """The memory: its size, steps of a window, and priorities."""

    @model_validator(mode="after")
    def _something_is_left(self) -> DRQNConfig:
        if self.burn_in >= self.replay.window:
            raise ValueError(f"burn_in = {self.burn_in} leaves nothing of replay.window = {self.replay.window}")
        return self


class Unrolled(NamedTuple):
    """What a network says about the steps of n windows after the burn-in, and the view after them: M + 1 views."""

    values: Tensor
    """[Q, A, n, M + 1]."""
    carried: Tensor
    """[n, M + 1, H] after each view, before it is cleared where a game ended."""


class DRQN(QLearner[SequenceReplay]):
    """Learns action values from windows of steps."""

    Config: ClassVar[type[DRQNConfig]] = DRQNConfig
    cores: ClassVar[tuple[str, ...]] = ("gru", "lstm")
    config: DRQNConfig

    def __init__(self, policy: Policy, config: DRQNConfig, seed: int = 0, threads: Threads | None = None) -> None:
        """See `Algorithm`; there is nothing for `threads` to share."""
        super().__init__(policy, config, sequence_replay(policy, config.replay), seed)

    def _learn(self, progress: float) -> Tensor:
        batch = self.replay.sample(self.config.batch_size, self._rng, progress)
        self._resample(self.policy, self._slow)
        learnt = unroll(self.policy, batch, self.config.burn_in)
        values = taken(learnt.values[..., :-1], batch.action[:, self.config.burn_in :])
        with torch.no_grad():
            slow = unroll(self._slow, batch, self.config.burn_in)
            step = temporal_difference(values, self._targets(batch, learnt, slow), self.config.huber)
            priority = LARGEST * step.error.amax(1) + (1 - LARGEST) * step.error.mean(1)
        self.replay.update_priorities(batch.rows, priority)
        return self._descend(values, step, batch.weight.unsqueeze(1).expand_as(step.loss), progress)

    def _targets(self, batch: Sequences, learnt: Unrolled, slow: Unrolled) -> Tensor:
        """[Q, n, M] what the values should be: the reward of `n_step` steps, and then the best next action's."""
        first, double = self.config.burn_in, self.config.double
        legal = None if batch.legal is None else batch.legal[:, first + 1 :]
        following = slow.values[..., 1:]
        judge = learnt.values[..., 1:] if double else following
        after = taken(following, best(judge, legal))
        window, step = batch.final_at[batch.final_at[:, 1] >= first].unbind(1)
        if len(window):  # cut games go on from their own last view, which is not the next one
            view = batch.final_obs[batch.final_at[:, 1] >= first]
            cut = look(self._slow, view, slow.carried[window, step - first])
            chosen = look(self.policy, view, learnt.carried[window, step - first]) if double else cut
            after[:, window, step - first] = taken(cut, best(chosen, None))
        going = (~batch.terminated[:, first:]).to(after.dtype)
        reward, ended = batch.reward[:, first:], batch.ended[:, first:]
        return several_steps(reward + self.config.gamma * going * after, reward, ended, self.config)


def several_steps(one: Tensor, reward: Tensor, ended: Tensor, config: DRQNConfig) -> Tensor:
    """Returns of `n_step` steps [Q, n, M] (Sutton and Barto 2018, equation 7.1) from those of `one`, and the `reward`
    and end [n, M] of each step. That of k + 1 steps is the reward and then that of k steps from the next one on."""
    target, going = one, ~ended[:, :-1]
    for _ in range(config.n_step - 1):
        more = reward[:, :-1] + config.gamma * target[..., 1:]
        target = torch.cat([torch.where(going, more, one[..., :-1]), one[..., -1:]], -1)
    return target


def unroll(policy: Policy, batch: Sequences, burn_in: int) -> Unrolled:
    """Run `policy` through the windows from the stored memory; the `burn_in` first steps carry no gradient."""
    memory, ended = batch.memory, batch.ended
    if burn_in:
        with torch.no_grad():
            carried = policy.trunk(batch.obs[:, :burn_in], memory, ended[:, :burn_in])[1]
            memory = carried[:, -1] * ~ended[:, burn_in - 1].unsqueeze(-1)
    going_on = torch.cat([ended[:, burn_in:], torch.zeros_like(ended[:, :1])], 1)
    features, carried = policy.trunk(batch.obs[:, burn_in:], memory, going_on)
    return Unrolled(head_of(policy).quantiles(features), carried)


def look(policy: Policy, obs: Tensor, memory: Tensor) -> Tensor:
    """[Q, A, n] quantiles of the return of every action at obs [n, *obs_shape], remembering `memory` [n, H]."""
    return head_of(policy).quantiles(policy.core(policy.encode(obs), memory)[0])
