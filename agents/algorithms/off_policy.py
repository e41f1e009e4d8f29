"""What learners from a replay share: when to take gradient steps, slow copies of networks, and state to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from agents.algorithms.algorithm import Metrics
from agents.optimiser import LearningConfig, Optimiser
from agents.policy import Policy
from agents.replay import Replay, Row, SequenceReplay, SequenceReplayConfig
from agents.rollout import MEMORY, Rollout


class OffPolicyConfig(LearningConfig):
    """What the settings of all learners from a replay begin with."""

    gamma: float = Field(0.99, ge=0, le=1)
    """Discount per env step."""
    batch_size: int = Field(128, ge=1)
    """Rows, or windows of steps, per gradient step."""
    updates_per_step: float = Field(0.25, gt=0)
    """Gradient steps per row (step of one lane) that is collected; taken after each rollout, fractions are carried."""
    start: int = Field(1000, ge=0)
    """Rows that are collected before the first gradient step."""
    tau: float = Field(1.0, gt=0, le=1)
    """Share of the way that targets go to the learnt weights at a time; 1: they become equal."""
    target_every: int = Field(1, ge=1)
    """Gradient steps after which targets go."""
    max_grad_norm: float = Field(10.0, gt=0)
    """Gradients are scaled down to this norm."""


class Stateful(Protocol):
    """What can be saved and gone on with."""

    def state_dict(self) -> Mapping[str, Any]:
        """In tensors and plain values."""
        ...

    def load_state_dict(self, state: Any) -> object:
        """Go on where `state_dict` was taken."""
        ...


class Target:
    """A slow copy of a network, for targets that stand still for a while (Mnih et al. 2015; Lillicrap et al. 2016)."""

    def __init__(self, source: nn.Module, weights: Tensor, config: OffPolicyConfig) -> None:
        """It starts equal.

        Args:
            weights: all parameters of `source`, in order, as the one vector of its optimiser.
        """
        self.network = _slow(source)
        """In training mode like `source`; without gradients. Running statistics are those of `source` itself."""
        self._source, self._config, self._steps = weights, config, 0
        self.weights = parameters_to_vector(self.network.parameters())
        """All of its parameters, which are views of this vector."""
        vector_to_parameters(self.weights, self.network.parameters())

    def follow(self) -> None:
        """To be called after each gradient step: go `tau` of the way to the source at every `target_every`-th."""
        self._steps += 1
        if self._steps % self._config.target_every == 0:
            self.weights.lerp_(self._source, self._config.tau)

    def state_dict(self) -> dict[str, Any]:
        """Its weights and its clock."""
        return {"network": self.network.state_dict(), "steps": self._steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.network.load_state_dict(state["network"])
        self._steps = state["steps"]


def _slow(source: nn.Module) -> Any:
    """A copy without gradients; what scales observations is shared, so that both see alike."""
    norm = getattr(source, "norm_obs", None)
    return deepcopy(source, {} if norm is None else {id(norm): norm}).requires_grad_(False)


class ReplayLearner:
    """Base of all that learn from a replay: the clock of gradient steps, and everything with a state."""

    losses: ClassVar[tuple[str, ...]]
    """Names of what `_learn` returns."""

    def __init__(self, config: OffPolicyConfig, seed: int, parts: Mapping[str, Stateful]) -> None:
        """`seed` decides what is drawn from the replay, and all noise."""
        self.config = config
        self._rng = np.random.default_rng(seed)
        self._noise = torch.Generator().manual_seed(seed)
        self._rows, self._owed = 0, 0.0
        self._parts: dict[str, Stateful] = dict(parts)
        """Everything with a state; those who derive add networks, targets and optimisers."""

    def _go_on(self, rows: int, stored: int, progress: float) -> Metrics:
        """Take the gradient steps that are due now that `rows` more are there, of which the replay keeps `stored`.
        Losses are their means."""
        steps = [self._learn(progress) for _ in range(self._due(rows))]
        means = torch.stack(steps).mean(0).tolist() if steps else []
        metrics = {"gradient_steps": float(len(steps)), "replay_rows": float(stored)}
        return {**dict(zip(self.losses, means, strict=False)), **metrics, **self._settle(progress)}

    def _due(self, rows: int) -> int:
        """Gradient steps to take now that `rows` more are there."""
        self._rows += rows
        self._owed += self.config.updates_per_step * min(rows, max(0, self._rows - self.config.start))
        if not self._ready():
            self._owed = 0.0
        due = int(self._owed)
        self._owed -= due
        return due

    def _ready(self) -> bool:
        """Whether there is something to learn from."""
        return True

    def _learn(self, progress: float) -> Tensor:
        """One gradient step; returns the `losses` as one tensor, which nobody waits for."""
        raise NotImplementedError

    def _settle(self, progress: float) -> Metrics:
        """What is to be done before the next rollout is played, and what to say about it."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """See `Algorithm`. Tensors share memory with the learner: save or copy them before it goes on."""
        return {
            **{name: part.state_dict() for name, part in self._parts.items()},
            "rows": self._rows,
            "owed": self._owed,
            "rng": self._rng.bit_generator.state,
            "noise": self._noise.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Algorithm`."""
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self._rows, self._owed = state["rows"], state["owed"]
        self._rng.bit_generator.state = state["rng"]
        self._noise.set_state(state["noise"])


class ActorCriticSteps(ReplayLearner):
    """What learners of actors and of critics of their actions have beside: two optimisers, and how far they are."""

    _actor_step: Optimiser
    _critic_step: Optimiser
    _steps: int
    """Gradient steps of the critics."""
    _actor_loss: Tensor
    """The last one, as the actor may be learnt less often."""

    def _settle(self, progress: float) -> Metrics:
        """See `ReplayLearner`."""
        return {
            "learning_rate": self._actor_step.rate(progress),
            "critic_learning_rate": self._critic_step.rate(progress),
        }

    def state_dict(self) -> dict[str, Any]:
        """See `Algorithm`."""
        return {**super().state_dict(), "steps": self._steps, "actor_loss": self._actor_loss}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Algorithm`."""
        super().load_state_dict(state)
        self._steps, self._actor_loss = state["steps"], state["actor_loss"]


ReplayT = TypeVar("ReplayT", bound=Replay | SequenceReplay)


class OffPolicyLearner(ReplayLearner, Generic[ReplayT]):
    """Base of the learners of one policy from a replay: they say what one gradient step is."""

    def __init__(self, policy: Policy, config: OffPolicyConfig, replay: ReplayT, seed: int) -> None:
        """See `ReplayLearner`."""
        super().__init__(config, seed, {"policy": policy, "replay": replay})
        self.policy = self.behaviour = policy
        self.replay: ReplayT = replay

    def update(self, rollout: Rollout, progress: float = 0.0) -> Metrics:
        """See `Algorithm`: keep `rollout`, then take the gradient steps that are due."""
        self.policy.take_obs(rollout.obs[:-1])
        if isinstance(self.replay, SequenceReplay):
            self.replay.add(rollout, memories(self.behaviour, rollout))
        else:
            self.replay.add(rollout)
        return self._go_on(rollout.acts.numel(), len(self.replay), progress)

    def _ready(self) -> bool:
        """See `ReplayLearner`."""
        return not isinstance(self.replay, SequenceReplay) or bool(self.replay.windows)


def row_of(policy: Policy) -> Row:
    """What a replay keeps of the steps of `policy`."""
    return Row(policy.obs_space, policy.action_space, memory=policy.memory_size)


def sequence_replay(policy: Policy, config: SequenceReplayConfig) -> SequenceReplay:
    """A replay of windows for the steps of `policy`, with what it remembered."""
    return SequenceReplay(config, row_of(policy), policy.device)


@torch.no_grad()
def memories(policy: Policy, rollout: Rollout) -> Tensor:
    """[T, N, H] before each step: as it was kept, or as `policy`, which must not have changed since, has it."""
    if MEMORY in rollout.extras:
        return rollout.extras[MEMORY]
    device, ended = policy.device, rollout.ended.T
    obs, first = rollout.obs[:-1].transpose(0, 1).to(device), rollout.memory.to(device)
    carried = policy.trunk(obs, first, ended.to(device))[1].cpu()
    after = (carried * ~ended.unsqueeze(-1)).transpose(0, 1)
    return torch.cat([rollout.memory.unsqueeze(0).cpu(), after[:-1]])
