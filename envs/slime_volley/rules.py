"""Slime volleyball: the rules, one scalar function per paragraph, compiled over a batch of games.

Nothing here knows of ids, seeds, players or pictures. A function takes and returns plain numbers; `step_games`
runs them over B games. Literals would turn float32 into float64, so every constant comes from the `Court`.
With NUMBA_DISABLE_JIT=1 the same source runs as Python and gives the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.compiled import compiled
from envs.random import uniforms
from envs.slime_volley.court import Court

LEFT_LIVES, RIGHT_LIVES, DELAY, STEPS, LOSER = range(5)
"""Columns of `counts`: lives of the two sides, frozen steps left of the serve, steps since the game began, and the
side (-1, +1, 0 nobody) that lost the last point, for the picture."""
FORWARD, BACKWARD, JUMP = 1, 2, 4
"""Bits of a button code."""

Number: Any = Any


@compiled
def move_player(x: Number, y: Number, vx: Number, vy: Number, side: Number, code: Number, c: Court) -> Any:
    """One player, one step: immediate horizontal speed, ballistic jump, clamped to its own half."""
    wanted = c.zero
    if code & FORWARD and not code & BACKWARD:
        wanted = -c.run_speed
    elif code & BACKWARD and not code & FORWARD:
        wanted = c.run_speed
    vy = vy + c.gravity * c.dt
    if y <= c.ground + c.nudge * c.dt:  # standing
        vy = c.jump_speed if code & JUMP else c.zero
    vx = wanted * side
    x = x + vx * c.dt
    y = y + vy * c.dt
    if y <= c.ground:
        y = c.ground
        vy = c.zero
    nearest = c.fence_half_width + c.player_radius
    farthest = c.half_width - c.player_radius
    if side * x <= nearest:
        vx = c.zero
        x = side * nearest
    if side * x >= farthest:
        vx = c.zero
        x = side * farthest
    return x, y, vx, vy


@compiled
def move_ball(x: Number, y: Number, vx: Number, vy: Number, c: Court) -> Any:
    """One free step of the ball, semi-implicit Euler; the speed cap acts here and nowhere else."""
    vy = vy + c.gravity * c.dt
    square = vx * vx + vy * vy
    if square > c.ball_speed * c.ball_speed:
        speed = np.sqrt(square)
        vx = vx / speed * c.ball_speed
        vy = vy / speed * c.ball_speed
    return x + vx * c.dt, y + vy * c.dt, vx, vy


@compiled
def bounce(
    x: Number, y: Number, vx: Number, vy: Number,
    disc_x: Number, disc_y: Number, disc_vx: Number, disc_vy: Number, radius: Number, c: Court,
) -> Any:  # fmt: skip
    """The ball off a disc: pushed out along the contact normal, then reflected in the disc's frame.

    As in the original, bodies that separate already are reflected too.
    """
    reach = (c.ball_radius + radius) * (c.ball_radius + radius)
    dx = x - disc_x
    dy = y - disc_y
    square = dx * dx + dy * dy
    if not reach > square:
        return x, y, vx, vy
    distance = np.sqrt(square)
    if distance > c.zero:
        nx = dx / distance
        ny = dy / distance
    else:  # centre on centre has no normal: push up
        nx = c.zero
        ny = c.one
    while reach > square:
        x = x + c.nudge * nx
        y = y + c.nudge * ny
        dx = x - disc_x
        dy = y - disc_y
        square = dx * dx + dy * dy
    ux = vx - disc_vx
    uy = vy - disc_vy
    along = ux * nx + uy * ny
    ux = ux - nx * (along * c.two)
    uy = uy - ny * (along * c.two)
    return x, y, ux + disc_vx, uy + disc_vy


@compiled
def hit_fence(x: Number, y: Number, vx: Number, last_x: Number, c: Court) -> Any:
    """The original fence: a test whether the ball crossed a face in this step. Returns x, vx."""
    gap = c.nudge * c.dt
    face = c.fence_half_width + c.ball_radius
    if x <= face and last_x > face and y <= c.fence_top:
        vx = -vx
        x = face + gap
    if x >= -face and last_x < -face and y <= c.fence_top:
        vx = -vx
        x = -face - gap
    return x, vx


@compiled
def hit_solid_fence(x: Number, y: Number, vx: Number, from_x: Number, c: Court) -> Any:
    """The repaired fence: below its top the ball stays on the side it was on, whatever pushed it. Returns x, vx."""
    gap = c.nudge * c.dt
    face = c.fence_half_width + c.ball_radius
    if y <= c.fence_top:
        if from_x > c.zero and x <= face:
            vx = abs(vx)
            x = face + gap
        elif from_x <= c.zero and x >= -face:
            vx = -abs(vx)
            x = -face - gap
    return x, vx


@compiled
def hit_edges(x: Number, y: Number, vx: Number, vy: Number, last_x: Number, solid: Number, c: Court) -> Any:
    """Walls, ground, ceiling, fence, in this order. Returns x, y, vx, vy and whether the ball is down."""
    gap = c.nudge * c.dt
    wall = c.half_width - c.ball_radius
    if x <= -wall:
        vx = -vx
        x = -wall + gap
    if x >= wall:
        vx = -vx
        x = wall - gap
    if y <= c.ground + c.ball_radius:
        return x, y, vx, vy, True
    if y >= c.ceiling - c.ball_radius:
        vy = -vy
        y = c.ceiling - c.ball_radius - gap
    if not solid:
        x, vx = hit_fence(x, y, vx, last_x, c)
    return x, y, vx, vy, False


@compiled
def serve(ball: Number, counts: Number, stream: Number, serve_delay: Number, c: Court) -> None:
    """Put the ball above the fence; `stream` [seed, serves so far] alone decides its velocity."""
    first, second = uniforms(stream[0], stream[1])
    stream[1] = stream[1] + np.uint64(1)
    ball[0] = c.zero
    ball[1] = c.serve_height
    ball[2] = -c.serve_vx + c.two * c.serve_vx * first
    ball[3] = c.serve_vy_low + (c.serve_vy_high - c.serve_vy_low) * second
    ball[4] = c.zero
    counts[DELAY] = serve_delay


@compiled
def observe(ball_x: Number, ball_y: Number, ball_vx: Number, ball_vy: Number,
            players: Number, sides: Number, obs: Number, c: Court) -> None:  # fmt: skip
    """Write every seat's view [P, 4 + 4P]: itself, the ball, its team, the others; x grows away from the fence.

    Each player's x is measured on its own side, so all seats see the world as if they played on the right.
    """
    seats = len(sides)
    for seat in range(seats):
        side = sides[seat]
        obs[seat, 0] = players[seat, 0] * side / c.obs_scale
        obs[seat, 1] = players[seat, 1] / c.obs_scale
        obs[seat, 2] = players[seat, 2] * side / c.obs_scale
        obs[seat, 3] = players[seat, 3] / c.obs_scale
        obs[seat, 4] = ball_x * side / c.obs_scale
        obs[seat, 5] = ball_y / c.obs_scale
        obs[seat, 6] = ball_vx * side / c.obs_scale
        obs[seat, 7] = ball_vy / c.obs_scale
        at = 8
        for mates in (True, False):
            for other in range(seats):
                if other != seat and (sides[other] == side) == mates:
                    obs[seat, at] = players[other, 0] * sides[other] / c.obs_scale
                    obs[seat, at + 1] = players[other, 1] / c.obs_scale
                    obs[seat, at + 2] = players[other, 2] * sides[other] / c.obs_scale
                    obs[seat, at + 3] = players[other, 3] / c.obs_scale
                    at += 4


@compiled
def court_of(k: Number) -> Court:
    """The constants as scalars."""
    return Court(
        k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7], k[8], k[9], k[10], k[11],
        k[12], k[13], k[14], k[15], k[16], k[17], k[18], k[19], k[20], k[21], k[22],
    )  # fmt: skip


@compiled
def start_games(
    which: Number, ball: Number, players: Number, counts: Number, stream: Number,
    constants: Number, sides: Number, starts: Number, limits: Number, obs: Number, score: Number,
) -> None:  # fmt: skip
    """Begin a new game in every row where `which` [B] is true, with players `starts` [P] away from the fence.

    Its first view goes into `obs`, and the result of the game that it replaces into `score` [B, P]: the lives that a
    side has more than the other.
    """
    c = court_of(constants)
    lives, serve_delay = limits[0], limits[2]
    for row in range(len(which)):
        if which[row]:
            lead = counts[row, RIGHT_LIVES] - counts[row, LEFT_LIVES]
            for seat in range(len(sides)):
                score[row, seat] = lead * sides[seat]
                players[row, seat, 0] = starts[seat] * sides[seat]
                players[row, seat, 1] = c.ground
                players[row, seat, 2] = c.zero
                players[row, seat, 3] = c.zero
            counts[row, LEFT_LIVES] = lives
            counts[row, RIGHT_LIVES] = lives
            counts[row, STEPS] = 0
            counts[row, LOSER] = 0
            serve(ball[row], counts[row], stream[row], serve_delay, c)
            b = ball[row]
            observe(b[0], b[1], b[2], b[3], players[row], sides, obs[row], c)


@compiled
def step_games(
    ball: Number, players: Number, counts: Number, stream: Number,
    constants: Number, sides: Number, limits: Number, codes: Number, action: Number,
    obs: Number, reward: Number, over: Number,
) -> int:  # fmt: skip
    """One step of B games. Returns how many ended, or -1 (and nothing has happened) if an action is out of range.

    Args:
        ball: [B, 5] x, y, vx, vy, and x before the last move.
        players: [B, P, 4] x, y, vx, vy.
        counts: [B, 5] see the column names above.
        stream: [B, 2] seed and number of serves so far.
        sides: [P] -1 left, +1 right.
        limits: [5] lives, max_steps, serve_delay, whether the fence is solid, rule steps per call.
        codes: [A] button code of each action.
        action: [B, P] index into `codes`.
        obs, reward, over: written, [B, P, 4 + 4P] (wider rows keep what lies behind), [B, P], and [2, B] terminated
            and truncated.
    """
    # The body of the loop is one piece on purpose: as a function of its own it runs half as fast.
    c = court_of(constants)
    max_steps, serve_delay, solid, frame_skip = limits[1], limits[2], limits[3], limits[4]
    seats = len(sides)
    for row in range(len(ball)):
        for seat in range(seats):
            if action[row, seat] < 0 or action[row, seat] >= len(codes):
                return -1
    before = np.empty_like(players[0])
    ended = 0
    for row in range(len(ball)):
        crew = players[row]
        for seat in range(seats):
            reward[row, seat] = c.zero
        for _ in range(frame_skip):
            x, y, vx, vy, last_x = ball[row, 0], ball[row, 1], ball[row, 2], ball[row, 3], ball[row, 4]
            old_x, old_y, old_vx, old_vy = x, y, vx, vy
            for seat in range(seats):
                for k in range(4):
                    before[seat, k] = crew[seat, k]
                crew[seat, 0], crew[seat, 1], crew[seat, 2], crew[seat, 3] = move_player(
                    crew[seat, 0], crew[seat, 1], crew[seat, 2], crew[seat, 3],
                    sides[seat], codes[action[row, seat]], c,
                )  # fmt: skip
            if counts[row, DELAY] > 0:
                counts[row, DELAY] -= 1
            else:
                last_x = x
                x, y, vx, vy = move_ball(x, y, vx, vy, c)
            for seat in range(seats):
                x, y, vx, vy = bounce(
                    x,
                    y,
                    vx,
                    vy,
                    crew[seat, 0],
                    crew[seat, 1],
                    crew[seat, 2],
                    crew[seat, 3],
                    c.player_radius,
                    c,
                )
            # The stub on top of the fence is a disc that does not move.
            x, y, vx, vy = bounce(x, y, vx, vy, c.zero, c.fence_top, c.zero, c.zero, c.fence_half_width, c)
            if solid:
                x, vx = hit_solid_fence(x, y, vx, old_x, c)
            x, y, vx, vy, down = hit_edges(x, y, vx, vy, last_x, solid, c)
            ball[row, 0], ball[row, 1], ball[row, 2], ball[row, 3], ball[row, 4] = x, y, vx, vy, last_x
            counts[row, STEPS] += 1

            point = c.zero  # +1 for the right side, -1 for the left
            if down:
                if x <= c.zero:
                    point = c.one
                    counts[row, LEFT_LIVES] -= 1
                    counts[row, LOSER] = -1
                else:
                    point = -c.one
                    counts[row, RIGHT_LIVES] -= 1
                    counts[row, LOSER] = 1
                serve(ball[row], counts[row], stream[row], serve_delay, c)
                # The original shows the view before the point once more, and the new serve one step later.
                observe(old_x, old_y, old_vx, old_vy, before, sides, obs[row], c)
            else:
                observe(x, y, vx, vy, crew, sides, obs[row], c)
            for seat in range(seats):
                reward[row, seat] += point * sides[seat] * c.score_reward + c.survival_bonus
            terminated = counts[row, LEFT_LIVES] <= 0 or counts[row, RIGHT_LIVES] <= 0
            truncated = counts[row, STEPS] >= max_steps and not terminated
            over[0, row], over[1, row] = terminated, truncated
            if terminated or truncated:
                ended += 1
                break
    return ended
