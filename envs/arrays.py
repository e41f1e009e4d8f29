"""What batch envs do with their arrays: hand out constant ones, and copy or overwrite their state by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from envs.core import Array, BatchEnv
from envs.errors import InputError, unknown


def constant(shape: tuple[int, ...], value: Any, dtype: DTypeLike) -> Array:
    """An array that is handed out at every step, and that nobody can write to."""
    array = np.full(shape, value, dtype)
    array.flags.writeable = False
    return array


def copies(views: Mapping[str, Array]) -> dict[str, Array]:
    """A copy of each array: what `get_state` returns."""
    return {name: view.copy() for name, view in views.items()}


def overwrite(views: Mapping[str, Array], state: Mapping[str, Array]) -> None:
    """Write `state`, any subset of `views`, into them: what `set_state` does.

    Raises:
        InputError: an unknown name or a wrong shape; nothing has been written then.
    """
    for name, value in state.items():
        if name not in views:
            raise unknown("state array", name, views)
        if np.shape(value) != views[name].shape:
            raise InputError(f"state array {name!r} must have shape {views[name].shape}, not {np.shape(value)}.")
    for name, value in state.items():
        views[name][...] = value


def has_state(env: BatchEnv) -> bool:
    """Whether the state of `env` can be read; that of some foreign games cannot."""
    try:
        env.get_state()
    except InputError:
        return False
    return True
