"""Policies as players: one network in a seat, or a pool of frozen ones that draw who plays each game."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.func import functional_call, stack_module_state

from agents.policy import Output, Policy
from envs.core import Array, Bools, Floats
from envs.player import Decision


class PolicyPlayer:
    """A policy that samples its actions, or takes the most probable ones (`greedy`)."""

    keep_memory = False

    def __init__(self, policy: Policy, name: str, greedy: bool = False) -> None:
        """The policy is used as it is, not copied: what it learns, the player plays."""
        self.policy, self.name, self.greedy = policy, name, greedy
        self.memory_size = policy.memory_size
        self._device = next(policy.parameters()).device

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`; extras are "logprob" and "value", [n] each."""
        with torch.inference_mode():
            mask = None if legal.all() else _tensor(legal, self._device)
            output: Output = self.policy(_tensor(obs, self._device), mask, _tensor(memory, self._device))
            action = output.dist.mode() if self.greedy else output.dist.sample(rng)
            extras = {"logprob": output.dist.log_prob(action), **output.extras}
            return Decision(_array(action), _array(output.memory), {k: _array(v) for k, v in extras.items()})


class Pool:
    """Frozen policies of one architecture as one player: each game is played by a member drawn when it starts.

    Their weights are stacked, so a step costs one batched product however many members there are. The first column
    of the memory holds who plays (1 + index; 0 is a new game), so a member never changes in mid-game.
    """

    keep_memory = False

    def __init__(self, policies: Sequence[Policy], weights: Sequence[float], name: str = "pool") -> None:
        """`weights` are the members' shares of games, in any unit; not all 0."""
        self.name = name
        # functional_call puts weights into the module it calls: a module of our own, so that threads do not meet.
        self._skeleton = deepcopy(policies[0]).to("meta")
        self._stacked = stack_module_state([*policies])  # parameters and buffers, each [K, ...]
        shares = np.asarray(weights, np.float64)
        self._bounds = np.cumsum(shares / shares.sum())
        self.memory_size = 1 + policies[0].memory_size

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`; extras hold "member" [n], the index of who played."""
        member = memory[:, 0].astype(np.int64) - 1
        fresh = member < 0
        if fresh.any():
            drawn = np.searchsorted(self._bounds, rng.random(int(fresh.sum())), side="right")
            member[fresh] = np.minimum(drawn, len(self._bounds) - 1)
        order = np.argsort(member, kind="stable")
        sizes = np.bincount(member, minlength=len(self._bounds))
        place = np.arange(len(member)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        at = (torch.from_numpy(member[order]), torch.from_numpy(place))
        rows = torch.from_numpy(order)
        shape = (len(sizes), int(sizes.max()))
        with torch.inference_mode():
            mask = None if legal.all() else _grouped(legal, rows, at, shape)
            inputs = (_grouped(obs, rows, at, shape), mask, _grouped(memory[:, 1:], rows, at, shape))
            output: Output = functional_call(self._skeleton, self._stacked, inputs, strict=True)
            back = torch.empty_like(rows)
            back[rows] = torch.arange(len(rows))
            action = output.dist.sample(rng)[at][back]
            kept = output.memory[at][back]
        memory = np.concatenate([(member + 1)[:, None].astype(np.float32), kept.numpy()], 1)
        return Decision(action.numpy(), memory, {"member": member})


def _grouped(values: Array, rows: Tensor, at: tuple[Tensor, Tensor], shape: tuple[int, int]) -> Tensor:
    """Rows [n, ...] laid out by member [K, most, ...], padded with ones (so that every padded row has a legal action)."""
    flat = torch.from_numpy(values)
    grouped = flat.new_ones((*shape, *flat.shape[1:]))
    grouped[at] = flat[rows]
    return grouped


def _tensor(values: Array, device: torch.device) -> Tensor:
    return torch.from_numpy(values).to(device)


def _array(values: Tensor) -> Array:
    return values.cpu().numpy()
