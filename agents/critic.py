"""Critics: the value of an action in a state, by several networks in one set of stacked weights."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from agents.cores import NoCore
from agents.networks import ACTIVATIONS, MLP, Linear, Normaliser
from agents.policy import Policy


class StackedMLP(nn.Module):
    """K networks of one shape. Their weights have one more leading axis, so K answers cost one product."""

    def _build(self, members: int, sizes: Sequence[int], activation: str) -> None:
        """K is `members`, layers have `sizes`; weights come from torch's global generator."""
        self._activation, self._members = ACTIVATIONS[activation], members
        self.layers = nn.ModuleList(_stacked(members, a, b) for a, b in pairwise(sizes[:-1]))
        self.last = _stacked(members, sizes[-2], sizes[-1], gain=1.0)

    def answers(self, x: Tensor) -> Tensor:
        """[K, n, outputs] to `x` [K, n, inputs]."""
        for layer in self.layers:
            x = self._activation(layer(x))
        values: Tensor = self.last(x)
        return values


class CentralCritics(StackedMLP):
    """For each of C posts T critics of what all seats see and do (Lowe et al. 2017)."""

    def __init__(self, posts: int, twins: int, inputs: int, hidden: Sequence[int], activation: str) -> None:
        """C is `posts`, T is `twins`; they read `inputs` numbers."""
        super().__init__()
        self.sizes = (inputs, *hidden, 1)
        """Numbers that each layer reads, and the one that the last gives."""
        self.activation, self.twins = activation, twins
        self._build(twins * posts, self.sizes, activation)
        self._posts = posts

    def forward(self, x: Tensor) -> Tensor:
        """[T, C, n] of `x` [C, n, inputs]."""
        if self.twins > 1:
            x = x.repeat(self.twins, 1, 1)
        return self.answers(x).view(self.twins, self._posts, -1)

    def first(self, x: Tensor) -> Tensor:
        """[C, n] by the first critic of each post."""
        if self.twins == 1:
            return self.answers(x).squeeze(-1)
        for layer in self.layers:
            x = self._activation(self._first(layer, x))
        return self._first(self.last, x).squeeze(-1)

    def _first(self, layer: nn.Module, x: Tensor) -> Tensor:
        assert isinstance(layer, Linear)
        return torch.baddbmm(layer.bias[: self._posts].unsqueeze(-2), x, layer.weight[: self._posts].mT)


class Critic(StackedMLP):
    """K critics for what a policy sees.

    `state` is what they know before they hear of an action: a policy without its head, so that it reads images and
    remembers like the actor does; the K share it. As the action comes after it, they can be asked about any action at
    any step of a game (Heess et al. 2015, "Memory-based control", section 3). Flat observations without memory pass
    through it, and then the K share nothing (Fujimoto et al. 2018).
    """

    def __init__(self, policy: Policy, actions: int, outputs: int = 1, members: int = 2) -> None:
        """In the shape of `policy`; weights of the K come from torch's global generator, those of `state` are copies.

        Args:
            actions: width of the action vectors; 0: none are given, and each output is the value of one action.
            outputs: values per row.
            members: K.
        """
        super().__init__()
        config, width = policy.config, policy.core.width
        self.state = _without_head(policy)
        hidden = config.head_hidden or (width,)
        if isinstance(policy.core, NoCore) and len(policy.obs_space.shape or ()) == 1 and not policy.own_encoder:
            width = (policy.obs_space.shape or ())[0]
            self.state.encoder, hidden = MLP(width, (), config.activation), (*config.hidden, *config.head_hidden)
        self._build(members, [width + actions, *hidden, outputs], config.activation)

    @property
    def norm_obs(self) -> Normaliser | None:
        """The policy's own: both see alike."""
        return self.state.norm_obs

    def forward(self, features: Tensor, action: Tensor | None = None) -> Tensor:
        """[outputs, K, ...] of `features` [..., width] that `state` gives and the action vectors [..., actions]."""
        x = features if action is None else torch.cat([features, action], -1)
        rows = x.shape[:-1]
        values = self.answers(x.reshape(1, -1, x.shape[-1]).expand(self._members, -1, -1))
        return values.movedim(-1, 0).reshape(-1, self._members, *rows)

    def first(self, features: Tensor, action: Tensor) -> Tensor:
        """[...] the value that the first of them gives, at the cost of one."""
        x = torch.cat([features, action], -1)
        for layer in self.layers:
            x = self._activation(_of_first(layer, x))
        return _of_first(self.last, x).squeeze(-1)


def _of_first(layer: nn.Module, x: Tensor) -> Tensor:
    """[..., outputs] by the first of stacked layers."""
    assert isinstance(layer, Linear)
    return F.linear(x, layer.weight[0], layer.bias[0])


def _without_head(policy: Policy) -> Policy:
    """A copy that shares what scales observations."""
    instead: dict[int, Any] = {id(policy.head): nn.Identity()}
    if policy.norm_obs is not None:
        instead[id(policy.norm_obs)] = policy.norm_obs
    return deepcopy(policy, instead)


def _stacked(members: int, inputs: int, outputs: int, gain: float = 2**0.5) -> Linear:
    """`members` layers as one with weights [K, outputs, inputs]."""
    layers = [Linear(inputs, outputs, gain) for _ in range(members)]
    together = layers[0]
    for name in ("weight", "bias"):
        setattr(together, name, nn.Parameter(torch.stack([getattr(layer, name).detach() for layer in layers])))
    return together
