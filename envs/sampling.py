"""Uniform random actions: what random players and conformance checks draw."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces
from numpy.random import Generator

from envs.core import Array, Bools
from envs.errors import InputError


def random_action(space: spaces.Space[Any], legal: Bools, rng: Generator) -> Array:
    """One action of `space` for each row of `legal` [n, A], [n, *action_shape]; only legal ones where A > 0.

    Raises:
        InputError: a space that is not Discrete, MultiBinary or a bounded Box.
    """
    drawn: Array
    rows = len(legal)
    if isinstance(space, spaces.Discrete):
        drawn = _legal_index(legal[:, : space.n], rng)
    elif isinstance(space, spaces.MultiBinary):
        drawn = rng.integers(2, size=(rows, *space.shape))
    elif isinstance(space, spaces.Box) and space.is_bounded():
        drawn = rng.uniform(space.low, space.high, (rows, *space.shape))
    else:
        raise InputError(f"cannot draw random actions of {space}.")
    return drawn.astype(space.dtype)


def _legal_index(legal: Bools, rng: Generator) -> Array:
    """The k-th legal action of each row, k uniform: the first place where more than k have been passed."""
    if legal.all():
        return rng.integers(legal.shape[1], size=len(legal))
    passed = legal.cumsum(axis=1)
    chosen = rng.integers(passed[:, -1])
    first: Array = (passed > chosen[:, None]).argmax(axis=1)
    return first
