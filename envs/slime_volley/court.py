"""The court as data: every length, speed and time of the game, and who plays on which side.

Game units; one step is `dt` seconds; the origin is on the ground line under the fence, y up.
The figures are those of SlimeVolleyGym 0.1.0 (Ha, 2020).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from envs.core import Floats


class Court(NamedTuple):
    """Constants of the rules; the compiled rules get them as scalars of one float type."""

    zero: float = 0.0
    one: float = 1.0
    two: float = 2.0
    dt: float = 1 / 30
    """s."""
    gravity: float = (-9.8 * 2) * 1.5
    """units/s^2; the product differs from -29.4 in the last bit, and recorded games need that bit."""
    half_width: float = 24.0
    ceiling: float = 48.0
    ground: float = 1.5
    player_radius: float = 1.5
    ball_radius: float = 0.5
    fence_half_width: float = 0.5
    fence_top: float = 3.5
    run_speed: float = 17.5
    jump_speed: float = 13.5
    ball_speed: float = 22.5
    """Cap, applied when the ball moves."""
    nudge: float = 0.1
    """Push-out increment of a collision; nudge * dt is the gap left when something is put back at an edge."""
    serve_height: float = 12.0
    serve_vx: float = 20.0
    """Serves leave with vx in +-serve_vx."""
    serve_vy_low: float = 10.0
    serve_vy_high: float = 25.0
    start_x: float = 12.0
    """Distance of a player from the fence at the start."""
    obs_scale: float = 10.0
    """Observations are divided by this."""
    score_reward: float = 1.0
    """Reward for a point won, and minus that for one lost."""
    survival_bonus: float = 0.0
    """Reward for every step, whatever happens."""

    def constants(self, dtype: DTypeLike) -> Floats:
        """[fields] as one array of `dtype`."""
        return np.array(self, dtype)


DUEL = (-1.0, 1.0)
"""Side of each seat: -1 plays left of the fence, +1 right."""
