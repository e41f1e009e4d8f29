"""What the learners of an actor and of critics of its actions share: DDPG, TD3 and SAC."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from agents.algorithms.algorithm import ANY_CORE
from agents.algorithms.off_policy import (
    ActorCriticSteps,
    OffPolicyConfig,
    OffPolicyLearner,
    Target,
    row_of,
    sequence_replay,
)
from agents.algorithms.seen import Seen, Steps, Windows
from agents.critic import Critic
from agents.optimiser import LearningConfig, Optimiser
from agents.parallel import Threads
from agents.policy import Policy
from agents.replay import Replay, ReplayConfig, SequenceReplay, SequenceReplayConfig
from agents.vectors import Vectors
from envs.errors import InputError


class ActionCriticConfig(OffPolicyConfig):
    """What the settings of learners of actors and of critics of their actions begin with. The learning rate is the
    actor's."""

    critic_learning_rate: float = Field(1e-3, gt=0)
    """Step size of the critics at the start."""
    final_critic_learning_rate: float | None = Field(None, ge=0)
    """Step size of the critics at the end of the budget; none: the same as at the start."""
    optimiser_eps: float = Field(1e-8, gt=0)
    """Added to the root of the squared gradient by adam, adamw and rmsprop; small, as actors near a bound have small
    gradients."""
    max_grad_norm: float = Field(float("inf"), gt=0)
    """Gradients of the actor, and of the critics, are scaled down to this norm; infinite: never."""
    batch_size: int = Field(256, ge=1)
    """Rows, or with memory windows, per gradient step."""
    tau: float = Field(0.005, gt=0, le=1)
    """Share of the way that targets go to the learnt weights at a time; 1: they become equal."""
    actor_every: int = Field(1, ge=1)
    """Gradient steps of the critics for one of the actor."""

    @property
    def of_critic(self) -> LearningConfig:
        """The critics' share of the settings."""
        return self.model_copy(
            update={"learning_rate": self.critic_learning_rate, "final_learning_rate": self.final_critic_learning_rate}
        )


class OwnCriticConfig(ActionCriticConfig):
    """What the settings of DDPG, TD3 and SAC begin with, whose critics know what their actors do."""

    replay: ReplayConfig = ReplayConfig(capacity=200_000)
    """The memory: its size, steps of reward (1 for networks that remember), and priorities."""
    window: int = Field(16, ge=1)
    """With memory: steps that are learnt from at a time."""
    burn_in: int = Field(8, ge=0)
    """With memory: steps before those, which only fill it."""


class ActionCriticLearner(ActorCriticSteps, OffPolicyLearner[Replay | SequenceReplay]):
    """Base: they say what an action is worth, and how the actor is to change."""

    cores: ClassVar[tuple[str, ...]] = ANY_CORE
    losses: ClassVar[tuple[str, ...]] = ("critic_loss", "value", "actor_loss")
    members: ClassVar[int]
    """Critics."""
    config: OwnCriticConfig

    def __init__(self, policy: Policy, config: OwnCriticConfig, seed: int = 0, threads: Threads | None = None) -> None:
        """See `Algorithm`; a gradient step is too small to share among threads."""
        super().__init__(policy, config, _new_replay(policy, config), seed)
        self.vectors = Vectors(policy.action_space, policy.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.critic = self._new_critic().to(policy.device)
        self._actor_step = Optimiser(list(policy.parameters()), config)
        self._critic_step = Optimiser(list(self.critic.parameters()), config.of_critic)
        self._critic_target = Target(self.critic, self._critic_step.weights, config)
        self._parts |= {
            "critic": self.critic,
            "critic_target": self._critic_target,
            "actor_step": self._actor_step,
            "critic_step": self._critic_step,
        }
        self._steps = 0
        self._actor_loss = torch.zeros((), device=policy.device)

    def _new_critic(self) -> Critic:
        return Critic(self.policy, self.vectors.width, members=self.members)

    def _learn(self, progress: float) -> Tensor:
        """See `OffPolicyLearner`."""
        seen = self._draw(progress)
        loss, value = self._critic_loss(seen)
        self._critic_step.minimise(loss, progress)
        self._steps += 1
        if self._steps % self.config.actor_every == 0:
            loss_of_actor = self._improve(seen, progress)
            self._actor_loss = loss_of_actor.detach()
        self._follow()
        return torch.stack([loss.detach(), value, self._actor_loss])

    def _draw(self, progress: float) -> Seen:
        size = self.config.batch_size
        if isinstance(self.replay, SequenceReplay):
            return Windows(self.replay.sample(size, self._rng, progress), self.config.burn_in, self.config.gamma)
        return Steps(self.replay.sample(size, self._rng, progress))

    def _critic_loss(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Sum over the critics of their mean squared error, and the mean value."""
        with torch.no_grad():
            target = seen.reward + seen.discount * self._worth_after(seen)
        value = self._values(seen)
        square = (value - target).square().sum(0)
        if self.config.replay.prioritised:
            error = square.detach().sqrt()
            self.replay.update_priorities(seen.rows, error if error.ndim == 1 else error.amax(1))
        return mean_over(square, seen.drawn), value.detach().mean()

    def _values(self, seen: Seen) -> Tensor:
        """[K, ...] of the actions that were taken."""
        features = seen.now(self.critic.state, seen.blank)
        values: Tensor = self.critic(features, self.vectors.of(seen.action))
        return values.squeeze(0)

    def _worth_after(self, seen: Seen) -> Tensor:
        """[...] value of what follows each row; without a gradient."""
        raise NotImplementedError

    def _improve(self, seen: Seen, progress: float) -> Tensor:
        """A gradient step of the actor, and of what goes with it; returns its loss."""
        raise NotImplementedError

    def _follow(self) -> None:
        """Targets follow."""
        self._critic_target.follow()

    def _critic_features(self, seen: Seen) -> Tensor:
        """[..., width] what the critics know of the states, without a gradient."""
        with torch.no_grad():
            return seen.now(self.critic.state, seen.blank)


def _new_replay(policy: Policy, config: OwnCriticConfig) -> Replay | SequenceReplay:
    """Of transitions; or of windows, where `policy` remembers."""
    if not policy.memory_size:
        return Replay(config.replay, config.gamma, row_of(policy), policy.device)
    if config.replay.n_step > 1:
        raise InputError(f"replay.n_step = {config.replay.n_step}: with a policy that remembers it must be 1.")
    settings = config.replay.model_dump(exclude={"n_step"})
    return sequence_replay(policy, SequenceReplayConfig(**settings, window=config.burn_in + config.window))


def mean_over(rows: Tensor, weight: Tensor | None) -> Tensor:
    """Mean of `rows` [...] with `weight` [...], which has mean 1 or none is given."""
    return (rows if weight is None else rows * weight).mean()
