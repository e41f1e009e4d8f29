"""Ensembles: policies of several networks, one of which, drawn when a game starts, plays it (Lowe et al. 2017, 4.3).

The networks lie in one set of stacked weights [K, ...]. The last column of what a player remembers holds who plays
(1 + index; 0 is a new game), so a network never changes in mid-game.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import Parameter

from agents.distributions import ActionDist
from envs.core import Floats


def stack_into(network: nn.Module, others: Sequence[nn.Module], axis: str = "new") -> None:
    """Give `network` the weights of itself and all `others`, which have its shape.

    Args:
        axis: "new": each weight gets a leading axis; "first": they have one, and are joined along it.
    """
    join = torch.stack if axis == "new" else torch.cat
    theirs = [dict(other.named_parameters()) for other in others]
    for name, own in list(network.named_parameters()):
        owner, _, leaf = name.rpartition(".")
        whole = join([own.detach(), *(weights[name].detach() for weights in theirs)])
        network.get_submodule(owner).register_parameter(leaf, Parameter(whole))


def draw(memory: Floats, members: int, rng: Generator) -> Floats:
    """`memory` [n, 1] in which everybody who starts a game knows who of `members` plays it."""
    fresh = np.flatnonzero(memory[:, -1] == 0)
    if not len(fresh):
        return memory
    memory = memory.copy()
    memory[fresh, -1] = 1 + rng.integers(members, size=len(fresh))
    return memory


class Groups:
    """Rows [n, ...] in the order of who of K answers them, as [K, most, ...], and back."""

    def __init__(self, member: Tensor, members: int) -> None:
        """`member` [n] int64."""
        sizes = torch.bincount(member, minlength=members)
        order = torch.argsort(member, stable=True)
        place = torch.empty_like(order)  # of a row among those of its member
        first = (sizes.cumsum(0) - sizes)[member[order]]
        place[order] = torch.arange(len(order), device=order.device) - first
        self.at = member, place
        self.shape = members, int(sizes.max()) if len(member) else 0

    def split(self, rows: Tensor) -> Tensor:
        """[n, ...] -> [K, most, ...], padded with ones, so that every row has a legal action."""
        grouped = rows.new_ones((*self.shape, *rows.shape[1:]))
        grouped[self.at] = rows
        return grouped


class Grouped:
    """A distribution over rows [n] that is known over rows [K, most]."""

    def __init__(self, dist: ActionDist, groups: Groups) -> None:
        """`dist` is over the rows that `groups` makes."""
        self._dist, self._groups = dist, groups

    def sample(self, rng: Generator) -> Tensor:
        """See `ActionDist`; rows of padding draw, too."""
        return self._dist.sample(rng)[self._groups.at]

    def mode(self) -> Tensor:
        """See `ActionDist`."""
        return self._dist.mode()[self._groups.at]

    def log_prob(self, action: Tensor) -> Tensor:
        """See `ActionDist`."""
        grouped = action.new_zeros((*self._groups.shape, *action.shape[1:]))
        grouped[self._groups.at] = action
        return self._dist.log_prob(grouped)[self._groups.at]

    def entropy(self) -> Tensor:
        """See `ActionDist`."""
        return self._dist.entropy()[self._groups.at]
