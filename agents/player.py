"""Policies as players: one network in a seat, a crew of them, or a pool of frozen ones on as many lanes."""

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

from agents.ensemble import Groups
from agents.policy import Output, Policy
from agents.snapshot import Policies
from agents.transfer import received, sent_array
from envs.core import PLAYER, Array, Bools, Floats, Ints
from envs.layout import action_dtype, action_shape
from envs.player import Decision, Player
from envs.side import Side, Squad


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
        memory = self.policy.begin(memory, rng)
        with torch.inference_mode():
            mask = None if legal.all() else sent_array(legal, self._device)
            output: Output = self.policy(sent_array(obs, self._device), mask, sent_array(memory, self._device))
            action = output.dist.mode() if self.greedy else output.dist.sample(rng)
            extras = {"logprob": output.dist.log_prob(action), **output.extras}
            return Decision(received(action), received(output.memory), {k: received(v) for k, v in extras.items()})


class Holding:
    """A player that decides every `hold` steps of a game and repeats its action in between.

    The memory holds the steps left, the action, and the memory of the `player` inside.
    """

    keep_memory = False

    def __init__(self, player: Player, hold: int, action_space: spaces.Space[Any]) -> None:
        """`player` is asked in the first step of a game, and in every `hold`-th after it."""
        self.name, self.player, self._hold = player.name, player, hold
        self._shape, self._dtype = action_shape(action_space), action_dtype(action_space)
        self._width = int(np.prod(self._shape))
        self.memory_size = 1 + self._width + player.memory_size

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`; there are no extras."""
        memory = memory.copy()
        rows = np.flatnonzero(memory[:, 0] == 0)
        if len(rows):
            inside = slice(1 + self._width, None)
            decision = self.player.act(obs[rows], legal[rows], memory[rows, inside], rng)
            memory[rows, 0] = self._hold
            memory[rows, 1 : inside.start] = decision.action.reshape(len(rows), -1)
            memory[rows, inside] = decision.memory
        memory[:, 0] -= 1
        action = memory[:, 1 : 1 + self._width].astype(self._dtype)
        return Decision(action.reshape(len(obs), *self._shape), memory, {})


def seated(policies: Policies, name: str, greedy: bool) -> Side:
    """What a crew is in a game at full rate: each keeps its actions as long as it did in training."""
    players = {post: _seated(policy, name, greedy) for post, policy in policies.items()}
    return players[PLAYER] if list(players) == [PLAYER] else Squad(name, players)


def _seated(policy: Policy, name: str, greedy: bool) -> Player:
    player = PolicyPlayer(policy, name, greedy)
    return player if policy.config.hold == 1 else Holding(player, policy.config.hold, policy.action_space)


class Pool:
    """Frozen policies as one player, one of them on each lane.

    Those of one architecture are stacked and answer in one batched product, so a step costs much the same however many
    there are.
    """

    keep_memory = False

    def __init__(self, policies: Sequence[Policy], member: Ints, name: str = "pool") -> None:
        """`member` [N] is who plays each of the lanes that the pool holds, in order."""
        self.name = name
        present = np.unique(member)
        policies = [policies[index] for index in present]
        self.memory_size = max(policy.memory_size for policy in policies)
        place = np.searchsorted(present, member)
        kinds = [
            (policy.config, policy.head.config) if policy.stackable else index for index, policy in enumerate(policies)
        ]
        stack_of = np.array([kinds.index(kind) for kind in kinds])
        self._stacks = []
        for stack in np.unique(stack_of).tolist():
            own = np.flatnonzero(stack_of == stack)
            rows = np.flatnonzero(stack_of[place] == stack)
            members = np.searchsorted(own, place[rows])
            self._stacks.append((rows, _Stack([policies[index] for index in own], members)))

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`, for all lanes together; there are no extras."""
        if len(self._stacks) == 1:
            return Decision(*self._stacks[0][1].act(obs, legal, memory, rng), {})
        memory, action = memory.copy(), None
        for rows, stack in self._stacks:
            chosen, kept = stack.act(obs[rows], legal[rows], memory[rows], rng)
            action = np.zeros((len(obs), *chosen.shape[1:]), chosen.dtype) if action is None else action
            action[rows], memory[rows, : kept.shape[1]] = chosen, kept
        assert action is not None
        return Decision(action, memory, {})


class _Stack:
    """Policies of one architecture, weights stacked [K, ...], and whose lane each row is."""

    def __init__(self, policies: Sequence[Policy], member: Ints) -> None:
        """`member` [n]."""
        self._policy = _stacked(policies) if len(policies) > 1 else deepcopy(policies[0])
        self._count = len(policies)
        self._device = self._policy.device
        self._groups = Groups(sent_array(member, self._device), self._count)

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> tuple[Array, Array]:
        """Actions [n, ...] and memory [n, H]."""
        held = memory[:, : self._policy.memory_size]
        if self._count == 1:
            decision = PolicyPlayer(self._policy, "").act(obs, legal, held, rng)
            return decision.action, decision.memory
        at = self._groups.at

        def split(rows: Array) -> Tensor:
            return self._groups.split(sent_array(rows, self._device))

        with torch.inference_mode():
            mask = None if legal.all() else split(legal)
            output: Output = self._policy(split(obs), mask, split(held))
            return received(output.dist.sample(rng)[at]), received(output.memory[at])


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
