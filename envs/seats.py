"""Seats that differ: the arrays of a game are as wide as the widest seat needs, and each player gets its own part.

Observations of flat seats [D_p] lie at the front of rows of the greatest D, with zeros behind; legal actions likewise,
False behind; actions at the front of the widest action. Where seats have actions of different kinds, all are vectors
of float32, as composites are (`envs.layout`), so a choice is a whole number in the first column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from envs.core import Array, Bools, EnvSpec
from envs.errors import InputError
from envs.layout import action_dtype, action_shape

Space = spaces.Space[Any]


def obs_layout(spec: EnvSpec) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of one seat's row in `TimeStep.obs`.

    Raises:
        InputError: seats that see arrays of different shapes which are not flat, or of different types.
    """
    kinds = {(space.shape or (), np.dtype(space.dtype)) for space in spec.observation_spaces}
    if len(kinds) == 1:
        return kinds.pop()
    shapes, dtypes = {shape for shape, _ in kinds}, {dtype for _, dtype in kinds}
    if any(len(shape) != 1 for shape in shapes) or len(dtypes) > 1:
        raise InputError(
            f"{spec.id}: seats that differ must all see flat arrays of one type, not {sorted(map(str, kinds))}."
        )
    return (max(shape[0] for shape in shapes),), dtypes.pop()


def action_layout(spec: EnvSpec) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of one seat's action in the array that `BatchEnv.step` takes."""
    kinds = {(action_shape(space), action_dtype(space)) for space in spec.action_spaces}
    if len(kinds) == 1:
        return kinds.pop()
    shapes, dtypes = {shape for shape, _ in kinds}, {dtype for _, dtype in kinds}
    width = max(int(np.prod(shape)) for shape in shapes)
    return (width,), dtypes.pop() if len(dtypes) == 1 and len(set(map(len, shapes))) == 1 else np.dtype(np.float32)


def seat_kinds(spec: EnvSpec) -> list[int]:
    """[P] the first seat that sees and does things of the same kind, for each seat."""
    spaces_of = list(zip(spec.observation_spaces, spec.action_spaces, strict=True))
    return [spaces_of.index(own) for own in spaces_of]


def choices(spec: EnvSpec) -> int:
    """A: the most choices that a seat has; 0 where no seat's action is one choice."""
    return max((int(space.n) for space in spec.action_spaces if isinstance(space, spaces.Discrete)), default=0)


def own_obs(space: Space, rows: Array) -> Array:
    """What a seat that sees `space` finds in `rows` [n, *widest]: [n, *its own shape]."""
    shape = space.shape or ()
    return rows if rows.shape[1:] == shape else rows[:, : shape[0]]


def own_legal(space: Space, rows: Bools) -> Bools:
    """The legal actions of a seat that does `space`, of `rows` [n, A]; none unless it is Discrete."""
    own = int(space.n) if isinstance(space, spaces.Discrete) else 0
    return rows if rows.shape[1] == own else rows[:, :own]


def own_action(space: Space, rows: Array) -> Array:
    """A seat's actions [n, *its own shape] of `rows` [n, *widest]."""
    shape = action_shape(space)
    if rows.shape[1:] == shape:
        return rows.astype(action_dtype(space), copy=False)
    flat = rows.reshape(len(rows), -1)[:, : int(np.prod(shape))]
    return flat.reshape(len(rows), *shape).astype(action_dtype(space))


def widened(action: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Actions [n, *own shape] of a seat as [n, *`shape`], the widest: zeros behind."""
    if action.shape[1:] == shape:
        return action
    wide = np.zeros((len(action), *shape), dtype)
    own = action.reshape(len(action), -1)
    wide.reshape(len(action), -1)[:, : own.shape[1]] = own
    return wide
