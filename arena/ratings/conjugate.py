"""Conjugate: the compiled loops of `arena.ratings.many`, over players and the neighbours of each.

A matrix is given by its diagonal `own` [n], and by -`weight` [m] for each player's neighbours `other` [m], of which
those of player i are at `start[i]` to `start[i + 1]`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.ratings.davidson import terms
from arena.ratings.pairs import Floats, Ints
from envs.compiled import compiled

EXACT = 1e-11
"""Of the right side that conjugate gradients leave, when they must be exact."""


@compiled
def derivatives(
    place: Ints, count: Floats, of: Ints, value: Floats, players: int, pairs: int
) -> tuple[float, Floats, Floats, Floats, Floats, Floats]:
    """As `arena.ratings.davidson.derivatives`, the second ones in the parts of `Curvature`."""
    size = len(value)
    last, rest = size - 1, size - players
    height, slope = 0.0, np.zeros(size)
    own, weight, across, others = np.zeros(players), np.zeros(pairs), np.zeros((players, rest)), np.zeros((rest, rest))
    sign = (1.0, -1.0, 1.0, -1.0)
    for cell in range(len(place)):
        height, by_lead, by_draw, both, mixed, alone = terms(place[cell], count[cell], value, height)
        weight[of[cell]] += both
        for k in range(4):
            slope[place[cell, k]] += sign[k] * by_lead
            if k < 2:
                own[place[cell, k]] += both
                across[place[cell, k], rest - 1] += sign[k] * mixed
                for other in range(2, 4):
                    across[place[cell, k], place[cell, other] - players] += sign[k] * sign[other] * both
            else:
                seat = place[cell, k] - players
                others[seat, rest - 1] += sign[k] * mixed
                others[rest - 1, seat] += sign[k] * mixed
                for other in range(2, 4):
                    others[seat, place[cell, other] - players] += sign[k] * sign[other] * both
        slope[last] += by_draw
        others[rest - 1, rest - 1] += alone
    return height, slope, own, weight, across, others


@compiled
def solve(start: Ints, other: Ints, weight: Floats, own: Floats, right: Floats) -> Floats:
    """[n, k] what the matrix with the diagonal `own` [n] and the other elements -`weight` maps to `right` [n, k]."""
    size, columns = right.shape
    found, left = np.zeros((size, columns)), right.copy()
    way, image = np.empty((size, columns)), np.empty((size, columns))
    rest, goal = np.zeros(columns), np.zeros(columns)
    for i in range(size):
        for k in range(columns):
            way[i, k] = left[i, k] / own[i]
            rest[k] += left[i, k] * way[i, k]
    goal[:] = rest * EXACT**2
    along, share = np.zeros(columns), np.zeros(columns)
    for _ in range(10 * size + 100):
        if (rest <= goal).all():
            break
        along[:] = 0.0
        for i in range(size):
            for k in range(columns):
                image[i, k] = own[i] * way[i, k]
            for at in range(start[i], start[i + 1]):
                for k in range(columns):
                    image[i, k] -= weight[at] * way[other[at], k]
            for k in range(columns):
                along[k] += way[i, k] * image[i, k]
        for k in range(columns):
            share[k] = rest[k] / along[k] if rest[k] > goal[k] else 0.0
        before = rest.copy()
        rest[:] = 0.0
        for i in range(size):
            for k in range(columns):
                found[i, k] += share[k] * way[i, k]
                left[i, k] -= share[k] * image[i, k]
                rest[k] += left[i, k] ** 2 / own[i]
        for i in range(size):
            for k in range(columns):
                if before[k] > goal[k]:
                    way[i, k] = left[i, k] / own[i] + rest[k] / before[k] * way[i, k]
    return found


@compiled
def search(
    start: Ints, other: Ints, weight: Floats, own: Floats, one: int, close: float, farthest: int,
    found: Floats, left: Floats, way: Floats, image: Floats, reached: Ints, inside: NDArray[np.bool_],
) -> tuple[float, int]:  # fmt: skip
    """Conjugate gradients from the player `one` outwards: the variance that they see, and how many they have `reached`.

    Args:
        found, left, way, image: [n] zeros; the first two are the row of the inverse so far, and what it leaves.
        reached: [n] those where they are not 0.
        inside: [n] false.
    """
    reached[0], inside[one], count = one, True, 1
    left[one], way[one] = 1.0, 1.0 / own[one]
    rest, seen, step = 1.0 / own[one], 0.0, 0.0
    for _ in range(farthest):
        known = count
        for at in range(known):
            i = reached[at]
            image[i] += own[i] * way[i]
            for edge in range(start[i], start[i + 1]):
                j = other[edge]
                if not inside[j]:
                    inside[j], reached[count] = True, j
                    count += 1
                image[j] -= weight[edge] * way[i]
        along = 0.0
        for at in range(known):
            along += way[reached[at]] * image[reached[at]]
        share = rest / along
        last, step = step, share * rest
        seen += step
        before, rest = rest, 0.0
        for at in range(count):
            i = reached[at]
            found[i] += share * way[i]
            left[i] -= share * image[i]
            image[i] = 0.0
            rest += left[i] ** 2 / own[i]
        if step < close * seen and step < last:
            coming = step * step / (last - step)  # of a geometric series
            if coming < close * seen:
                seen += coming
                break
        for at in range(count):
            i = reached[at]
            way[i] = left[i] / own[i] + rest / before * way[i]
    return seen, count


@compiled
def nearby(
    start: Ints, other: Ints, weight: Floats, own: Floats, rows: Ints, group: Ints, close: float, farthest: int
) -> tuple[Floats, Floats]:
    """[k] variances of `rows` as `search` sees them, and what it leaves of each in its own group, 0..1."""
    size = len(own)
    found, left, way, image = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    reached, inside = np.empty(size, np.int64), np.zeros(size, np.bool_)
    near, drift = np.empty(len(rows)), np.zeros(len(rows))
    for k in range(len(rows)):
        near[k], count = search(
            start, other, weight, own, rows[k], close, farthest, found, left, way, image, reached, inside
        )
        for at in range(count):
            i = reached[at]
            drift[k] += left[i]
            found[i], left[i], way[i], image[i], inside[i] = 0.0, 0.0, 0.0, 0.0, False
    return near, drift


@compiled
def beside(
    start: Ints, other: Ints, weight: Floats, own: Floats, rows: Ints, group: Ints, close: float, farthest: int
) -> tuple[Floats, Floats]:
    """[k, k] covariances of `rows` as `search` sees them, and what it leaves of each."""
    size = len(own)
    found, left, way, image = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    reached, inside = np.empty(size, np.int64), np.zeros(size, np.bool_)
    near, drift = np.empty((len(rows), len(rows))), np.zeros(len(rows))
    for k in range(len(rows)):
        _, count = search(start, other, weight, own, rows[k], close, farthest, found, left, way, image, reached, inside)
        for column in range(len(rows)):
            near[k, column] = found[rows[column]]
        for at in range(count):
            i = reached[at]
            drift[k] += left[i]
            found[i], left[i], way[i], image[i], inside[i] = 0.0, 0.0, 0.0, 0.0, False
    return near, drift


@compiled
def components(start: Ints, other: Ints) -> Ints:
    """[n] number of the group of each: chains of games lead to all others of its group, and to nobody else."""
    size = len(start) - 1
    group, waiting = np.full(size, -1), np.empty(size, np.int64)
    number = 0
    for one in range(size):
        if group[one] >= 0:
            continue
        group[one], waiting[0], count = number, one, 1
        while count:
            count -= 1
            i = waiting[count]
            for at in range(start[i], start[i + 1]):
                j = other[at]
                if group[j] < 0:
                    group[j], waiting[count] = number, j
                    count += 1
        number += 1
    return group
