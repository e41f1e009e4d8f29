"""Actions of slime volleyball: three buttons, and how each action space spells them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.core import Array, Bools
from envs.errors import InputError

ACTION_NAMES = ("noop", "forward", "forward+jump", "jump", "backward+jump", "backward")
"""[6] of the Discrete actions, in their order; forward is towards the fence."""

BUTTONS: NDArray[np.int8] = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1], [0, 1, 1], [0, 1, 0]], np.int8)
"""[6, 3] forward, backward, jump (0 or 1) of each Discrete action."""

# [forward, backward, jump] -> Discrete action. Forward and backward together cancel, as in the rules.
_DISCRETE: NDArray[np.int64] = np.array([[[0, 3], [5, 4]], [[1, 2], [0, 3]]])

BUTTONS.flags.writeable = _DISCRETE.flags.writeable = False


def encode(buttons: Bools, space: spaces.Space[Any]) -> Array:
    """`buttons` [..., 3] (forward, backward, jump; true when pressed) as actions of `space`.

    Returns:
        [...] int64 for Discrete(6), [..., 3] int8 for MultiBinary(3), [..., 3] -1 or +1 for Box(3).

    Raises:
        InputError: `space` is none of these.
    """
    pressed = np.asarray(buttons, np.bool_)
    if isinstance(space, spaces.Discrete) and space.n == len(BUTTONS):
        index = pressed.astype(np.intp)
        return _DISCRETE[index[..., 0], index[..., 1], index[..., 2]]
    if space.shape != (3,) or not isinstance(space, (spaces.MultiBinary, spaces.Box)):
        raise InputError(f"{space} does not fit slime volleyball: it takes Discrete(6) or 3 buttons.")
    if isinstance(space, spaces.MultiBinary):
        return pressed.astype(space.dtype)
    return np.where(pressed, 1, -1).astype(space.dtype)
