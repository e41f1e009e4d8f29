"""Particles: what all games of the plane have in common, compiled over B worlds.

Entities are numbered agents first, then landmarks, **E** in all. Places and speeds are float64, as in mpe2; a world
is 2 x 2 units around 0, though nothing keeps agents inside. Every agent has mass 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.compiled import compiled
from envs.random import uniforms

Number: Any = Any
DT = 0.1
"""s."""
DAMPING = 0.25
"""Share of the speed that is lost in a step."""
STIFFNESS, MARGIN = 100.0, 1e-3
"""Force per depth of a contact, and the distance over which it sets in."""
FAR = 40.0
"""Gap, in margins, beyond which a contact pushes with less than 1e-18 and is left out."""
ALONG = np.array([(0.0, 0.0), (-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)])
"""[5, 2] where the actions of an agent that moves push it: nowhere, left, right, down, up."""


@compiled
def choose(action: Number, choices: Number, accel: Number, force: Number) -> bool:
    """What agents push with: `force` [B, P, 2], written, of `action` [B, P].

    Agents with 0 `accel` [P] do not push. Returns False where an action is not below its `choices` [P].
    """
    for row in range(len(action)):
        for seat in range(len(choices)):
            chosen = action[row, seat]
            if chosen < 0 or chosen >= choices[seat]:
                return False
            force[row, seat, 0] = (int(chosen == 2) - int(chosen == 1)) * accel[seat]
            force[row, seat, 1] = (int(chosen == 4) - int(chosen == 3)) * accel[seat]
    return True


@compiled
def steer(action: Number, accel: Number, force: Number) -> bool:
    """The same of `action` [B, P, K] float32, clipped to [0, 1]. Returns False where one is not a finite number."""
    low, high = np.float32(0), np.float32(1)
    for row in range(len(action)):
        for seat in range(len(accel)):
            for k in range(action.shape[2]):
                if not math.isfinite(action[row, seat, k]):
                    return False
                action[row, seat, k] = min(max(action[row, seat, k], low), high)
            for axis in range(2):
                force[row, seat, axis] = 0.0
                if accel[seat] > 0.0:
                    along = action[row, seat, 2 * axis + 2] - action[row, seat, 2 * axis + 1]
                    force[row, seat, axis] = np.float64(along) * accel[seat]
    return True


@compiled
def depth(gap: Number) -> Any:
    """How deep a contact is, in margins, of the gap between the discs in margins: log(1 + exp(-gap))."""
    if gap > 0.0:
        return math.log1p(math.exp(-gap))
    return math.log1p(math.exp(gap)) - gap


@compiled
def touching(places: Number, one: Number, other: Number, size: Number) -> Any:
    """Whether two discs of `size` [E] at `places` [E, 2] overlap."""
    return distance(places, one, other) < size[one] + size[other]


@compiled
def distance(places: Number, one: Number, other: Number) -> Any:
    """Between two entities at `places` [E, 2]."""
    dx = places[one, 0] - places[other, 0]
    dy = places[one, 1] - places[other, 1]
    return math.sqrt(dx * dx + dy * dy)


@compiled
def move(position: Number, velocity: Number, force: Number, size: Number, solid: Number, top_speed: Number) -> None:
    """One step of B worlds: contacts, then places by the old speeds, then the new speeds.

    Args:
        position: [B, E, 2].
        velocity: [B, P, 2]; landmarks do not move.
        force: [B, P, 2] what agents push with; contacts are added to it.
        size: [E] radius.
        solid: [E] whether others bump into it.
        top_speed: [P].
    """
    agents = velocity.shape[1]
    for row in range(len(position)):
        places, speeds, pushes = position[row], velocity[row], force[row]
        for one in range(agents):
            if solid[one]:
                for other in range(one + 1, len(places)):
                    if solid[other]:
                        away = distance(places, one, other)
                        gap = (away - (size[one] + size[other])) / MARGIN
                        if gap < FAR and away > 0.0:
                            inside = depth(gap) * MARGIN
                            for axis in range(2):
                                push = STIFFNESS * (places[one, axis] - places[other, axis]) / away * inside
                                pushes[one, axis] += push
                                if other < agents:
                                    pushes[other, axis] -= push
        for agent in range(agents):
            for axis in range(2):
                places[agent, axis] += speeds[agent, axis] * DT
                speeds[agent, axis] = speeds[agent, axis] * (1 - DAMPING) + pushes[agent, axis] * DT
            vx, vy = speeds[agent, 0], speeds[agent, 1]
            speed = math.sqrt(vx * vx + vy * vy)
            if speed > top_speed[agent]:
                speeds[agent, 0] = vx / speed * top_speed[agent]
                speeds[agent, 1] = vy / speed * top_speed[agent]


@compiled
def relative(places: Number, me: Number, start: Number, stop: Number, view: Number, at: Number) -> Any:
    """Write where entities `start` to `stop` are, seen from `me`, into `view` from place `at`; returns the next."""
    for other in range(start, stop):
        if other != me:
            view[at] = places[other, 0] - places[me, 0]
            view[at + 1] = places[other, 1] - places[me, 1]
            at += 2
    return at


@compiled
def start_worlds(which: Number, position: Number, velocity: Number, goal: Number, stream: Number,
                 reach: Number, goals: Number) -> None:  # fmt: skip
    """Begin a new game in every row where `which` [B]: all at random places, at rest.

    Args:
        goal: [B] landmark that counts, one of `goals`; 0 where there is none to choose.
        stream: [B, 2] seed and number of games so far, which together decide the start.
        reach: [E] greatest coordinate of each entity.
    """
    entities = position.shape[1]
    for row in range(len(which)):
        if which[row]:
            first = stream[row, 1] * np.uint64(entities + 1)
            for entity in range(entities):
                x, y = uniforms(stream[row, 0], first + np.uint64(entity))
                position[row, entity, 0] = reach[entity] * (2.0 * x - 1.0)
                position[row, entity, 1] = reach[entity] * (2.0 * y - 1.0)
            chance, _ = uniforms(stream[row, 0], first + np.uint64(entities))
            goal[row] = int(chance * goals)
            for agent in range(velocity.shape[1]):
                velocity[row, agent, 0] = velocity[row, agent, 1] = 0.0
            stream[row, 1] += np.uint64(1)
