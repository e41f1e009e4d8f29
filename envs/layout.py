"""How an action lies in an array: one number, one vector, or the parts of a composite action in one vector.

An env of `spaces.Tuple` or `spaces.Dict` actions (composites, nested or not) takes one float32 vector [K] per seat:
its parts' numbers in order, a Dict's in its own key order. Choices are counted from 0 in arrays, whatever the
`start` of the space; `pack` and `unpack` translate to what the space itself calls an action.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.core import Array
from envs.errors import InputError

Space = spaces.Space[Any]


def is_composite(space: Space) -> bool:
    """Whether actions of `space` have parts of different kinds in one vector."""
    return isinstance(space, spaces.Tuple | spaces.Dict)


def parts(space: Space) -> list[Space]:
    """The simple spaces that `space` is made of, in order; a simple space is its own only part.

    Raises:
        InputError: a part is not Discrete, MultiBinary, MultiDiscrete or Box.
    """
    if isinstance(space, spaces.Tuple):
        return [part for inner in space.spaces for part in parts(inner)]
    if isinstance(space, spaces.Dict):
        return [part for inner in space.spaces.values() for part in parts(inner)]
    if isinstance(space, spaces.Discrete | spaces.MultiBinary | spaces.MultiDiscrete | spaces.Box):
        return [space]
    raise InputError(f"{space} is not a space of actions: use Discrete, MultiBinary, MultiDiscrete, Box or Tuple or "
                     "Dict of these.")  # fmt: skip


def action_shape(space: Space) -> tuple[int, ...]:
    """Shape of one action: () for Discrete, (K,) for a composite, else the space's own."""
    if not is_composite(space):
        return tuple(parts(space)[0].shape or ())
    return (sum(_width(part) for part in parts(space)),)


def action_dtype(space: Space) -> np.dtype[Any]:
    """Type of an action's numbers: float32 for a composite, else the space's own."""
    return np.dtype(np.float32) if is_composite(space) else np.dtype(parts(space)[0].dtype)


def columns(space: Space) -> list[tuple[Space, slice]]:
    """Each simple part, and where its numbers lie in the flattened action."""
    found = parts(space)
    ends = list(accumulate(_width(part) for part in found))
    return [(part, slice(end - _width(part), end)) for part, end in zip(found, ends, strict=True)]


def pack(space: Space, native: Any) -> Array:
    """What the space calls an action (a whole number, an array, a tuple, a dict) as [*action_shape]."""
    flat = [np.asarray(value) - _start(part) for part, value in zip(parts(space), _leaves(space, native), strict=True)]
    if not is_composite(space):
        only: Array = flat[0].astype(action_dtype(space))
        return only
    return np.concatenate([each.reshape(-1) for each in flat]).astype(np.float32)


def unpack(space: Space, action: Array) -> Any:
    """[*action_shape] as what the space calls an action. A Box part is clipped to its bounds."""
    flat = np.asarray(action).reshape(-1)
    return _native(space, iter([_value(part, flat[where]) for part, where in columns(space)]))


def checked(space: Space, action: Array, rows: int, where: str) -> Array:
    """`action` as an array [rows, *action_shape] of actions of `space`.

    Raises:
        InputError: another shape, a number that is not finite, or a choice that `space` does not have.
    """
    given = np.asarray(action)
    if given.shape != (rows, *action_shape(space)):
        raise InputError(f"{where}: actions of shape {given.shape} do not fit {rows} of {space}.")
    if given.dtype.kind not in ("iuf" if is_composite(space) or isinstance(space, spaces.Box) else "iub"):
        raise InputError(f"{where}: actions of type {given.dtype} do not fit {space}.")
    flat = given.reshape(rows, -1)
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        raise InputError(f"{where}: an action is not a finite number.")
    for part, place in columns(space):
        choices = _choices(part)
        if choices is not None and _outside(flat[:, place], choices):
            raise InputError(f"{where}: an action lies outside {part}.")
    return given


def counted_from_zero(space: Space) -> Space:
    """`space` with every `start` 0: the choices as they are counted in arrays."""
    if isinstance(space, spaces.Discrete):
        return spaces.Discrete(int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        return spaces.MultiDiscrete(space.nvec, dtype=space.dtype.type)
    if isinstance(space, spaces.Tuple):
        return spaces.Tuple([counted_from_zero(inner) for inner in space.spaces])
    if isinstance(space, spaces.Dict):
        return spaces.Dict([(key, counted_from_zero(inner)) for key, inner in space.spaces.items()])
    return space


def _width(part: Space) -> int:
    return int(np.prod(part.shape or (), dtype=int))


def _start(part: Space) -> Any:
    return part.start if isinstance(part, spaces.Discrete | spaces.MultiDiscrete) else 0


def _choices(part: Space) -> Array | None:
    """How many values each number may take, [width] or [1]; None where it is continuous."""
    if isinstance(part, spaces.Discrete):
        return np.array([part.n])
    if isinstance(part, spaces.MultiDiscrete):
        return np.asarray(part.nvec).reshape(-1)
    return np.array([2]) if isinstance(part, spaces.MultiBinary) else None


def _outside(flat: Array, choices: Array) -> bool:
    return bool(((flat < 0) | (flat >= choices) | (flat != np.floor(flat))).any())


def _value(part: Space, flat: Array) -> Any:
    """One part's numbers as what the part calls an action."""
    if isinstance(part, spaces.Discrete):
        return part.dtype.type(part.start + int(flat[0]))
    shaped = flat.reshape(part.shape or ())
    if isinstance(part, spaces.Box):
        return shaped.astype(part.dtype).clip(part.low, part.high)
    return shaped.astype(part.dtype) + np.asarray(_start(part), part.dtype)


def _native(space: Space, values: Iterator[Any]) -> Any:
    """The parts' values, put together again."""
    if isinstance(space, spaces.Tuple):
        return tuple(_native(inner, values) for inner in space.spaces)
    if isinstance(space, spaces.Dict):
        return {key: _native(inner, values) for key, inner in space.spaces.items()}
    return next(values)


def _leaves(space: Space, native: Any) -> Iterator[Any]:
    """The parts' values of an action, in order."""
    if isinstance(space, spaces.Tuple):
        for inner, value in zip(space.spaces, native, strict=True):
            yield from _leaves(inner, value)
    elif isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            yield from _leaves(inner, native[key])
    else:
        yield native
