"""Points: which games are a series of points, and who wins one: for the viewer, callbacks and stepwise matches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.core import EnvSpec, Floats

NOBODY = -1


def winners(spec: EnvSpec, reward: Floats) -> NDArray[np.int64]:
    """[B] the team that won a point with a step of rewards [B, P], `NOBODY` where none did.

    A point is a step with which one of two like teams gets more than the other; other games have none.
    """
    if not spec.symmetric or set(spec.teams) != {0, 1}:
        return np.full(len(reward), NOBODY)
    left, right = (reward[:, spec.teams.index(team)] for team in (0, 1))
    return np.where(left == right, NOBODY, (right > left).astype(np.int64))
