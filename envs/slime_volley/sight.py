"""Sight: what the seats of slime volleyball see, put together to where everything is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.core import Array, EnvSpec, Floats
from envs.slime_volley.actions import BUTTONS
from envs.slime_volley.court import Court

COURT = Court()


class Bodies(NamedTuple):
    """World frame, game units and units/s."""

    ball: Floats
    """[4] x, y, vx, vy."""
    players: Floats
    """[P, 4] the same of each."""


def is_court(spec: EnvSpec) -> bool:
    """Whether `spec` is slime volleyball with all of its observation."""
    width = 4 + 4 * spec.seats + (spec.seats > 2)
    return spec.id.startswith("SlimeVolley") and all(space.shape == (width,) for space in spec.observation_spaces)


def sides(spec: EnvSpec) -> NDArray[np.int64]:
    """[P] -1 for a seat on the left, +1 on the right."""
    return np.array([1 if team else -1 for team in spec.teams])


def bodies(obs: Array, spec: EnvSpec) -> Bodies:
    """Where everything is, by the views `obs` [P, D] of all seats. At a point it is the step before, as views are."""
    side = sides(spec)
    seen = np.asarray(obs, np.float64) * COURT.obs_scale
    flip = np.stack([side, np.ones_like(side), side, np.ones_like(side)], axis=1)
    return Bodies(seen[-1, 4:8] * flip[-1], seen[:, :4] * flip)


def buttons(action: Array, spec: EnvSpec) -> NDArray[np.bool_]:
    """[P, 3] forward, backward, jump of `action` [P, *action_shape]."""
    if isinstance(spec.action_spaces[0], spaces.Discrete):
        return BUTTONS[action] > 0
    return np.asarray(action) > 0
