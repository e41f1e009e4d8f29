"""Spaces of actions: how many numbers a head must give for one, and the distribution that they describe."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor

from agents.distributions.action_dist import ActionDist
from agents.distributions.choice import Bernoulli, Categorical
from agents.distributions.joint import Joint
from envs.errors import InputError
from envs.layout import parts

BoxDist = Callable[[Tensor, slice], ActionDist]
"""The distribution of continuous numbers from their parameters [K, ...] and their place among all continuous ones."""


def head_width(space: spaces.Space[Any]) -> int:
    """How many numbers a policy head must give for actions in `space`.

    Raises:
        InputError: a kind of space that no distribution here covers.
    """
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiDiscrete) and len(space.shape) == 1:
        return int(space.nvec.sum())
    if isinstance(space, spaces.MultiBinary | spaces.Box) and len(space.shape) == 1:
        return int(space.shape[0])
    if isinstance(space, spaces.Tuple | spaces.Dict):
        return sum(head_width(part) for part in parts(space))
    raise InputError(
        f"no policy head for actions in {space}: use Discrete, MultiDiscrete, MultiBinary(n), a flat Box, "
        "or a Tuple or Dict of these."
    )


def box_width(space: spaces.Space[Any]) -> int:
    """How many of the numbers of an action in `space` are continuous."""
    return sum(int(part.shape[0]) for part in parts(space) if isinstance(part, spaces.Box))


def box_bounds(space: spaces.Space[Any]) -> tuple[Tensor, Tensor]:
    """`low` and `high` of the continuous numbers of `space`, [box_width] each; infinite where there is no bound."""
    boxes = [part for part in parts(space) if isinstance(part, spaces.Box)]
    low, high = ([torch.as_tensor(side(box), dtype=torch.float32) for box in boxes] for side in (_low, _high))
    return (torch.cat(low), torch.cat(high)) if boxes else (torch.zeros(0), torch.zeros(0))


def _low(box: spaces.Box) -> Any:
    return box.low


def _high(box: spaces.Box) -> Any:
    return box.high


def distribution(space: spaces.Space[Any], parameters: Tensor, legal: Tensor | None, box: BoxDist) -> ActionDist:
    """What `parameters` [head_width, ...] say about actions in `space`; `legal` is for Discrete only."""
    if isinstance(space, spaces.Discrete):
        return Categorical(parameters, legal)
    if isinstance(space, spaces.MultiBinary):
        return Bernoulli(parameters)
    if isinstance(space, spaces.MultiDiscrete):
        counts = space.nvec.tolist()
        dists = [Categorical(logits) for logits in parameters.split(counts)]
        return Joint(dists, [None] * len(counts), torch.int64)
    if isinstance(space, spaces.Box):
        return box(parameters, slice(0, parameters.shape[0]))
    dists_of, sizes, start, done = [], [], 0, 0
    for part in parts(space):
        width = head_width(part)
        piece = parameters[start : start + width]
        start += width
        if isinstance(part, spaces.Box):
            dists_of.append(box(piece, slice(done, done + width)))
            done += width
        else:
            dists_of.append(distribution(part, piece, None, box))
        sizes.append(None if isinstance(part, spaces.Discrete) else math.prod(part.shape or ()))
    return Joint(dists_of, sizes, torch.float32)
