"""The court as data: every length, speed and time of the game, and who plays where.

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
    obs_scale: float = 10.0
    """Observations are divided by this."""
    score_reward: float = 1.0
    """Reward for a point won, and minus that for one lost."""
    survival_bonus: float = 0.0
    """Reward for every step, whatever happens."""

    def constants(self, dtype: DTypeLike) -> Floats:
        """[fields] as one array of `dtype`."""
        return np.array(self, dtype)


class Lineup(NamedTuple):
    """Who plays where; every field is by seat."""

    sides: tuple[float, ...]
    """[P] -1 plays left of the fence, +1 right."""
    starts: tuple[float, ...]
    """[P] distance from the fence at the start."""
    places: tuple[float, ...] = ()
    """[P] last number of an observation, by which mates share the work: 0 front, 1 back. Empty: nothing is added."""
    seat_names: tuple[str, ...] = ()
    """[P], empty for the default ones."""


DUEL = Lineup(sides=(-1.0, 1.0), starts=(12.0, 12.0))
DOUBLES = Lineup(
    sides=(-1.0, -1.0, 1.0, 1.0),
    starts=(7.0, 17.0, 7.0, 17.0),  # in the middle of the near and the far half of one's side, which meet at 12
    places=(0.0, 1.0, 0.0, 1.0),
    seat_names=("left_front", "left_back", "right_front", "right_back"),
)
