"""Gradients: which way central critics and their actors are to go, for whoever takes the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from agents.critic import CentralCritics
from agents.policy import Policy
from agents.replay import JointBatch
from agents.stacks import Kind


@dataclass(frozen=True, slots=True)
class Networks:
    """Actors and critics, and slow copies of both. Parameters are views of one vector of weights each."""

    kinds: Sequence[Kind]
    """Of actors."""
    actors: Tensor
    """Weights, kind by kind."""
    slow_policies: Sequence[Policy]
    """Slow copies of the kinds' networks."""
    slow_actors: Tensor
    """Weights."""
    critic: CentralCritics
    critics: Tensor
    """Weights."""
    slow_critic: CentralCritics
    slow_critics: Tensor
    """Weights."""
    posts: int
    """C."""
    ensemble: int
    """Networks of each post, so there are M = C * ensemble minds."""
    width: int
    """V, of action vectors."""


class Loss(NamedTuple):
    """What a learner is told to lower: settings of `agents.algorithms.maddpg.MADDPGConfig`."""

    gamma: float
    temperature: float
    straight_through: bool
    entropy: float
    raw_penalty: float
    smoothing: float = 0.0
    """Deviation of the noise on continuous target actions; 0: there is none, and nothing is drawn."""
    smoothing_clip: float = 0.0


class Gradients(Protocol):
    """How gradients are found; equal draws of `noise` give equal ones, up to rounding."""

    def next_actions(self, batch: JointBatch, noise: torch.Generator) -> Tensor:
        """[n, V] vectors of what the slow actors would do after each row, and of what strangers did. n is M * m * P,
        or the m * P of the first mind where `batch.same` says which are whose."""
        ...

    def of_critics(self, batch: JointBatch, next_actions: Tensor) -> tuple[Tensor, Tensor]:
        """[2] sum over all critics of the mean squared error, and mean value; and the gradient of the sum by all
        weights."""
        ...

    def of_actors(self, batch: JointBatch, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """[] sum over the posts of their actors' losses, up the gradient of the first critics with what others did as
        it was (Lowe et al. 2017, equation 6); and its gradient by all weights."""
        ...
