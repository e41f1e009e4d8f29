"""Stacks: the policies of many posts as a few networks with stacked weights, so that all are asked in one product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from agents.distributions import ActionDist
from agents.ensemble import stack_into
from agents.heads import ActorHead
from agents.policy import Policy
from agents.vectors import Vectors
from envs.core import EnvSpec, Ints
from envs.errors import InputError
from envs.seats import own_action


class Layout:
    """Actions of all seats of a game as vectors of one width V, zeros behind."""

    def __init__(self, spec: EnvSpec) -> None:
        """Raises InputError for continuous actions without bounds."""
        self._spaces = spec.action_spaces
        self._vectors = [Vectors(space) for space in self._spaces]
        if not all(vectors.half.isfinite().all() for vectors in self._vectors):
            raise InputError(f"{spec.id}: critics of actions need continuous actions with bounds: use mappo or ippo.")
        self.width = max(vectors.width for vectors in self._vectors)
        """V."""

    def of(self, action: Tensor) -> Tensor:
        """[T, B, P, V] of `action` [T, B, P, *widest]."""
        steps, games, seats = action.shape[:3]
        whole = torch.zeros(steps, games, seats, self.width)
        for seat, (space, vectors) in enumerate(zip(self._spaces, self._vectors, strict=True)):
            rows = action[:, :, seat].flatten(0, 1).numpy()
            own = vectors.of(torch.from_numpy(own_action(space, rows)))
            whole[:, :, seat, : vectors.width] = own.view(steps, games, -1)
        return whole


class Kind:
    """The minds of policies of one shape."""

    def __init__(self, policies: Sequence[Policy], first: int) -> None:
        """Their minds are numbered from `first` on, policy by policy."""
        self.policies, self.first = policies, first
        self.count = len(policies) * policies[0].members
        self.vectors = Vectors(policies[0].action_space, policies[0].device)
        self.network = policies[0] if len(policies) == 1 else _stacked(policies)
        """With weights [count, ...], or where there is one mind without that axis."""
        space = policies[0].action_space
        self.choices = int(space.n) if isinstance(space, spaces.Discrete) else 0
        """A of its own, where actions are one choice."""
        self.continuous = bool(self.vectors.continuous.any())
        """Whether an action has continuous numbers."""
        self.width = (policies[0].obs_space.shape or (0,))[0]
        """D of its own."""

    def read(self, network: Policy, obs: Tensor, legal: Tensor | None) -> tuple[ActionDist, Tensor]:
        """What the actors say at obs [count, n, D], and the numbers behind it [parameters, count, n]; `network` has the
        weights, which need not be the newest."""
        assert isinstance(network.head, ActorHead)
        heads = network.head.outputs(network.encode(obs))
        return network.head.describe(heads, legal), heads["actor"]

    @property
    def minds(self) -> slice:
        """Which they are."""
        return slice(self.first, self.first + self.count)

    def share(self) -> None:
        """Let the policies' weights be views of the network's, which have been moved."""
        if len(self.policies) == 1:
            return
        together = dict(self.network.named_parameters())
        for index, policy in enumerate(self.policies):
            k = policy.members
            place = index if k == 1 else slice(index * k, (index + 1) * k)
            for name, parameter in policy.named_parameters():
                parameter.data = together[name].data[place]


def kinds(policies: Mapping[str, Policy]) -> list[Kind]:
    """Those of one shape together, in the order of `policies`."""
    found: list[list[Policy]] = []
    for policy in policies.values():
        like = next((group for group in found if _alike(group[0], policy)), None)
        if like is None:
            found.append([policy])
        else:
            like.append(policy)
    made: list[Kind] = []
    for group in found:
        made.append(Kind(group, sum(kind.count for kind in made)))
    return made


def _alike(one: Policy, other: Policy) -> bool:
    return (one.obs_space, one.action_space, one.config) == (other.obs_space, other.action_space, other.config)


def _stacked(policies: Sequence[Policy]) -> Policy:
    network = deepcopy(policies[0])
    stack_into(network, policies[1:], "new" if network.members == 1 else "first")
    return network


def by_mind(mind: Ints, kind_of: Sequence[Kind]) -> list[tuple[Tensor, Tensor | None]]:
    """For each kind the rows of its minds among `mind` [n], -1 for nobody: indices [count, most], and which of these
    [count, most] are not mere padding; None: all."""
    order = np.argsort(mind, kind="stable")
    sizes = np.bincount(mind + 1, minlength=1 + sum(kind.count for kind in kind_of))
    starts = np.cumsum(sizes) - sizes
    found: list[tuple[Tensor, Tensor | None]] = []
    for kind in kind_of:
        own = slice(1 + kind.first, 1 + kind.first + kind.count)
        size, start = sizes[own], starts[own]
        most = int(size.max())
        if (size == most).all():
            rows = order[start[0] : start[0] + kind.count * most].reshape(kind.count, most)
            found.append((torch.from_numpy(rows), None))
        else:
            step = np.arange(most)
            rows = order.take(start[:, None] + step, mode="clip")
            found.append((torch.from_numpy(rows), torch.from_numpy(step < size[:, None])))
    return found
