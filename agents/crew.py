"""Crew: what learns together, one policy per post, and what it learns from.

Posts are those of `envs.side`: a role, or with parameters of its own each seat of a role in its team.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol

from gymnasium import spaces

from agents.algorithms.algorithm import Algorithm, Metrics
from agents.heads import HeadConfig
from agents.joint import JointRollout
from agents.parallel import Threads
from agents.policy import Policy
from agents.rollout import Rollout
from envs.core import EnvSpec

Sees = Literal["own", "central", "joint"]
"""What experience must hold: rollouts of each post's own lanes; those, with rows [own view | others'], see
`agents.collect.collect`; or everything that all seats saw and did."""
Experience = Mapping[str, Rollout] | JointRollout
"""A rollout for each post that was played ("own", "central"), or one for all ("joint")."""


class Crew(Protocol):
    """Improves a policy per post. It knows no env and no opponents."""

    @property
    def policies(self) -> Mapping[str, Policy]:
        """By post; what is learnt and frozen to snapshots."""
        ...

    @property
    def behaviours(self) -> Mapping[str, Policy]:
        """By post; what plays in training."""
        ...

    @property
    def sees(self) -> Sees:
        """What experience must hold."""
        ...

    def update(self, experience: Experience, progress: float = 0.0) -> Metrics:
        """Improve the policies; `progress` 0..1 through the budget drives what is scheduled."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything the next update depends on, in tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        ...


class JointCrew(Crew, Protocol):
    """A crew that learns all posts together, as the registry makes it."""

    Config: ClassVar[type[Any]]
    """Its settings."""
    actions: ClassVar[tuple[type[spaces.Space[Any]], ...]]
    """Kinds of actions it admits."""
    cores: ClassVar[tuple[str, ...]]
    """Kinds of memory it admits."""

    @classmethod
    def head(cls, config: Any) -> HeadConfig:
        """The head that its policies must have."""
        ...

    def __init__(
        self, policies: Mapping[str, Policy], spec: EnvSpec, config: Any, seed: int = 0, threads: Threads | None = None
    ) -> None:
        """`policies` by post, for seats of a game with `spec`; `seed` decides what it draws; `threads` share work."""
        ...


class Independent:
    """A crew in which everybody learns for itself, from its own lanes."""

    def __init__(self, algorithms: Mapping[str, Algorithm], sees: Sees = "own") -> None:
        """`algorithms` by post."""
        self.algorithms = dict(algorithms)
        self.sees: Sees = sees

    @property
    def policies(self) -> Mapping[str, Policy]:
        """See `Crew`."""
        return {post: algorithm.policy for post, algorithm in self.algorithms.items()}

    @property
    def behaviours(self) -> Mapping[str, Policy]:
        """See `Crew`."""
        return {post: algorithm.behaviour for post, algorithm in self.algorithms.items()}

    def update(self, experience: Experience, progress: float = 0.0) -> Metrics:
        """See `Crew`. Metrics are called "post/name" where there are several posts; one that was not played learns
        nothing and says nothing."""
        assert not isinstance(experience, JointRollout)
        if len(self.algorithms) == 1:
            (post,) = self.algorithms
            return self.algorithms[post].update(experience[post], progress)
        return {
            f"{post}/{name}": value
            for post, algorithm in self.algorithms.items()
            if post in experience
            for name, value in algorithm.update(experience[post], progress).items()
        }

    def state_dict(self) -> dict[str, Any]:
        """See `Crew`."""
        return {post: algorithm.state_dict() for post, algorithm in self.algorithms.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Crew`."""
        for post, algorithm in self.algorithms.items():
            algorithm.load_state_dict(state[post])
