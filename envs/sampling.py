"""Uniform random actions: what random players and conformance checks draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.random import Generator

from envs.core import Array, Bools
from envs.errors import InputError
from envs.layout import action_dtype, is_composite, parts


def random_action(space: spaces.Space[Any], legal: Bools, rng: Generator) -> Array:
    """One action of `space` for each row of `legal` [n, A], [n, *action_shape]; only legal ones where A > 0.

    Raises:
        InputError: a space that is not Discrete, MultiBinary, MultiDiscrete, a bounded Box or made of these.
    """
    if isinstance(space, spaces.Discrete):
        return _legal_index(legal[:, : space.n], rng).astype(space.dtype)
    rows = len(legal)
    drawn = [_draw(part, rows, rng) for part in parts(space)]
    if is_composite(space):
        drawn = [np.concatenate([each.reshape(rows, -1) for each in drawn], axis=1)]
    return drawn[0].astype(action_dtype(space))


def _draw(part: spaces.Space[Any], rows: int, rng: Generator) -> Array:
    """`rows` actions of a simple space, [rows, *part.shape]; choices counted from 0."""
    if isinstance(part, spaces.Discrete):
        return rng.integers(part.n, size=rows)
    if isinstance(part, spaces.MultiDiscrete):
        return rng.integers(part.nvec, size=(rows, *part.nvec.shape))
    if isinstance(part, spaces.MultiBinary):
        return rng.integers(2, size=(rows, *part.shape))
    if isinstance(part, spaces.Box) and part.is_bounded():
        return rng.uniform(part.low, part.high, (rows, *part.shape))
    raise InputError(f"cannot draw random actions of {part}.")


def _legal_index(legal: Bools, rng: Generator) -> Array:
    """The k-th legal action of each row, k uniform: the first place where more than k have been passed."""
    if legal.all():
        return rng.integers(legal.shape[1], size=len(legal))
    passed = legal.cumsum(axis=1)
    chosen = rng.integers(passed[:, -1])
    first: Array = (passed > chosen[:, None]).argmax(axis=1)
    return first
