"""Policies as players: one network in a seat, or a pool of frozen ones that draw who plays each game."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.random import Generator
from torch import Tensor
from torch.func import stack_module_state
from torch.nn import Parameter

from agents.policy import Output, Policy
from envs.core import Array, Bools, Floats, Ints
from envs.layout import action_dtype, action_shape
from envs.player import Decision, Player


class PolicyPlayer:
    """A policy that samples its actions, or takes the most probable ones (`greedy`)."""

    keep_memory = False

    def __init__(self, policy: Policy, name: str, greedy: bool = False) -> None:
        """The policy is used as it is, not copied: what it learns, the player plays."""
        self.policy, self.name, self.greedy = policy, name, greedy
        self.memory_size = policy.memory_size
        self._device = policy.device

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`; extras are "logprob" [n] and what the policy adds, such as "value" [n]."""
        with torch.inference_mode():
            mask = None if legal.all() else _tensor(legal, self._device)
            output: Output = self.policy(_tensor(obs, self._device), mask, _tensor(memory, self._device))
            action = output.dist.mode() if self.greedy else output.dist.sample(rng)
            extras = {"logprob": output.dist.log_prob(action), **output.extras}
            return Decision(_array(action), _array(output.memory), {k: _array(v) for k, v in extras.items()})


class Holding:
    """A player that decides every `hold` steps of a game and repeats its action in between.

    The memory holds the steps left, the action, and the memory of the player inside.
    """

    keep_memory = False

    def __init__(self, player: Player, hold: int, action_space: spaces.Space[Any]) -> None:
        """`player` is asked in the first step of a game, and in every `hold`-th after it."""
        self.name, self._player, self._hold = player.name, player, hold
        self._shape, self._dtype = action_shape(action_space), action_dtype(action_space)
        self._width = int(np.prod(self._shape))
        self.memory_size = 1 + self._width + player.memory_size

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`; there are no extras."""
        memory = memory.copy()
        rows = np.flatnonzero(memory[:, 0] == 0)
        if len(rows):
            inside = slice(1 + self._width, None)
            decision = self._player.act(obs[rows], legal[rows], memory[rows, inside], rng)
            memory[rows, 0] = self._hold
            memory[rows, 1 : inside.start] = decision.action.reshape(len(rows), -1)
            memory[rows, inside] = decision.memory
        memory[:, 0] -= 1
        action = memory[:, 1 : 1 + self._width].astype(self._dtype)
        return Decision(action.reshape(len(obs), *self._shape), memory, {})


def seated(policy: Policy, name: str, greedy: bool) -> Player:
    """The player that `policy` is in a game at full rate: it keeps its actions as long as it did in training."""
    player = PolicyPlayer(policy, name, greedy)
    return player if policy.config.hold == 1 else Holding(player, policy.config.hold, policy.action_space)


class Pool:
    """Frozen policies as one player: each game is played by a member drawn when it starts.

    Members of one architecture are stacked and answer in one batched product, so a step costs much the same however
    many there are. The first column of the memory holds who plays (1 + index; 0 is a new game), so a member never
    changes in mid-game.
    """

    keep_memory = False

    def __init__(self, policies: Sequence[Policy], weights: Sequence[float], name: str = "pool") -> None:
        """`weights` are the members' shares of games, in any unit; not all 0."""
        self.name = name
        self.memory_size = 1 + max(policy.memory_size for policy in policies)
        shares = np.asarray(weights, np.float64)
        self._bounds = np.cumsum(shares / shares.sum())
        kinds = [
            (policy.config, policy.head.config) if policy.stackable else index for index, policy in enumerate(policies)
        ]
        self._stack_of = np.array([_first(kinds, kind) for kind in kinds])
        self._stacks = {
            stack: _Stack([policy for policy, own in zip(policies, self._stack_of, strict=True) if own == stack])
            for stack in np.unique(self._stack_of).tolist()
        }
        self._place = np.array([np.sum(self._stack_of[:i] == own) for i, own in enumerate(self._stack_of)])

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`; extras hold "member" [n], the index of who played."""
        member = memory[:, 0].astype(np.int64) - 1
        fresh = member < 0
        if fresh.any():
            drawn = np.searchsorted(self._bounds, rng.random(int(fresh.sum())), side="right")
            member[fresh] = np.minimum(drawn, len(self._bounds) - 1)
        memory = memory.copy()
        memory[:, 0] = member + 1
        action: Array | None = None
        for key, stack in self._stacks.items():
            rows = np.flatnonzero(self._stack_of[member] == key)
            if len(rows) or action is None:  # the first is asked even for nothing: it knows what an action is
                chosen, kept = stack.act(self._place[member[rows]], obs[rows], legal[rows], memory[rows, 1:], rng)
                action = np.zeros((len(obs), *chosen.shape[1:]), chosen.dtype) if action is None else action
                action[rows], memory[rows, 1 : 1 + kept.shape[1]] = chosen, kept
        assert action is not None
        return Decision(action, memory, {"member": member})


class _Stack:
    """Policies of one architecture, weights stacked [K, ...]."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policy = _stacked(policies) if len(policies) > 1 else deepcopy(policies[0])
        self._count = len(policies)

    def act(self, member: Ints, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> tuple[Array, Array]:
        """Actions [n, ...] and memory [n, H] of `member` [n] for rows n."""
        if self._count == 1:
            decision = PolicyPlayer(self._policy, "").act(obs, legal, memory[:, : self._policy.memory_size], rng)
            return decision.action, decision.memory
        order = np.argsort(member, kind="stable")
        sizes = np.bincount(member, minlength=self._count)
        place = np.empty_like(order)  # of a row among those of its member
        place[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        at, shape = (torch.from_numpy(member), torch.from_numpy(place)), (self._count, int(sizes.max()))
        with torch.inference_mode():
            mask = None if legal.all() else _grouped(legal, at, shape)
            held = _grouped(memory[:, : self._policy.memory_size], at, shape)
            output: Output = self._policy(_grouped(obs, at, shape), mask, held)
            return output.dist.sample(rng)[at].numpy(), output.memory[at].numpy()


def _stacked(policies: Sequence[Policy]) -> Policy:
    """One policy whose weights are those of all, frozen, each with a leading axis K."""
    parameters, buffers = stack_module_state([*policies])
    together = deepcopy(policies[0])
    for name, value in parameters.items():
        owner, _, leaf = name.rpartition(".")
        together.get_submodule(owner).register_parameter(leaf, Parameter(value.detach(), requires_grad=False))
    for name, value in buffers.items():
        owner, _, leaf = name.rpartition(".")
        together.get_submodule(owner).register_buffer(leaf, value)
    return together


def _first(kinds: Sequence[object], kind: object) -> int:
    """Index of the first equal entry."""
    return next(index for index, other in enumerate(kinds) if other == kind)


def _grouped(values: Array, at: tuple[Tensor, Tensor], shape: tuple[int, int]) -> Tensor:
    """Rows [n, ...] at (member, place) of [K, most, ...], padded with ones, so that every row has a legal action."""
    rows = torch.from_numpy(values)
    grouped = rows.new_ones((*shape, *rows.shape[1:]))
    grouped[at] = rows
    return grouped


def _tensor(values: Array, device: torch.device) -> Tensor:
    return torch.from_numpy(values).to(device)


def _array(values: Tensor) -> Array:
    return values.cpu().numpy()
