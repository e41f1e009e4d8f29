"""Moves: is what a guest answered an action of the game, and a legal one?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces

from arena.guests.fault import Fault, clipped
from envs.core import Array, Bools
from envs.errors import InputError
from envs.layout import action_dtype, action_shape, checked

Space = spaces.Space[Any]


def taken(space: Space, given: Any, legal: Bools) -> Array:
    """[*action_shape] the action that `given` is, as arrays have it (choices count from 0); `legal` [A].

    Raises:
        Fault: it is none, or not legal now.
    """
    if isinstance(space, spaces.Discrete):
        return np.asarray(_choice(given, int(space.n), legal), action_dtype(space))
    try:
        action = np.asarray(given)
    except (ValueError, TypeError, OverflowError):
        raise Fault(f"answered with {_shown(given)}, which is no array of numbers") from None
    shape = action_shape(space)
    if action.dtype.kind not in "iufb":
        raise Fault(f"answered with {_shown(given)}, which is no array of numbers")
    if action.shape != shape:
        raise Fault(f"answered with an action of shape {action.shape}, not {shape}")
    if action.dtype.kind == "f" and not np.isfinite(action).all():
        raise Fault("answered with an action that is not a finite number")
    whole = action.astype(np.int64) if action.dtype.kind == "f" and (action == np.floor(action)).all() else action
    fitting = action if isinstance(space, spaces.Box) or (len(shape) and action_dtype(space).kind == "f") else whole
    try:
        checked(space, fitting[None], 1, "")
    except InputError:
        raise Fault(f"answered with {_shown(given)}, which is not an action of {space}") from None
    return fitting.astype(action_dtype(space))


def _choice(given: Any, count: int, legal: Bools) -> int:
    """One of `count` choices."""
    value = given.item() if isinstance(given, np.ndarray | np.generic) and np.size(given) == 1 else given
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise Fault(f"answered with {_shown(given)}, which is not the number of an action")
    if isinstance(value, float | np.floating) and not math.isfinite(value):
        raise Fault("answered with an action that is not a finite number")
    if value != int(value) or not 0 <= value < count:
        raise Fault(f"answered with {_shown(value)}, which is not one of the actions 0 to {count - 1}")
    if not legal[int(value)]:
        raise Fault(f"answered with the action {int(value)}, which is not legal there")
    return int(value)


def default_action(space: Space, legal: Bools) -> Array:
    """[n, *action_shape] a legal action for each row of `legal` [n, A], to fill rows whose action does not count."""
    if isinstance(space, spaces.Discrete):
        return np.asarray(legal.argmax(axis=1), action_dtype(space))
    action: Array = np.zeros((len(legal), *action_shape(space)), action_dtype(space))
    if isinstance(space, spaces.Box):
        np.clip(action, space.low, space.high, out=action)
    return action


def _shown(given: Any) -> str:
    """`given`, short."""
    try:
        text = repr(given) if not isinstance(given, int) or abs(given) < 10**40 else "a huge number"
    except Exception as fault:  # it is a stranger's object
        text = f"something without a repr ({type(fault).__name__})"
    return clipped(text, 60)
