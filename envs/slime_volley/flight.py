"""Flight: where a ball goes if nobody touches it, by the rules of the game itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.compiled import compiled
from envs.core import Floats
from envs.slime_volley.court import Court
from envs.slime_volley.rules import bounce, court_of, hit_edges, hit_solid_fence, move_ball

LONGEST = 600
"""Steps after which a flight is given up; a ball in free fall is down long before."""
COURT = Court()


@compiled
def _fly(x: Any, y: Any, vx: Any, vy: Any, solid: Any, constants: Any, path: Any) -> int:
    """Write where the ball is after each step into `path` [LONGEST, 2]; returns the steps until it is down."""
    c = court_of(constants)
    for step in range(len(path)):
        last_x = x
        x, y, vx, vy = move_ball(x, y, vx, vy, c)
        x, y, vx, vy = bounce(x, y, vx, vy, c.zero, c.fence_top, c.zero, c.zero, c.fence_half_width, c)
        if solid:
            x, vx = hit_solid_fence(x, y, vx, last_x, c)
        x, y, vx, vy, down = hit_edges(x, y, vx, vy, last_x, solid, c)
        path[step, 0], path[step, 1] = x, y
        if down:
            return step + 1
    return len(path)


def flight(ball: Floats, solid: bool, court: Court = COURT) -> Floats:
    """[n, 2] x and y of `ball` [4] (x, y, vx, vy; game units, world frame) after each step until it is down."""
    path = np.empty((LONGEST, 2))
    x, y, vx, vy = (float(number) for number in ball)
    steps = _fly(x, y, vx, vy, solid, court.constants(np.float64), path)
    return path[:steps]
