"""Kernels: targets, and gradients of critics and actors, compiled. Shapes are those of `agents.replay.JointBatch`.

Rows go through the networks a block at a time, forwards and back, so that all that is known of a block stays near.
Each kernel does the rows `begin` to `end` of every post or mind, so that threads can share them.
"""

from __future__ import annotations

import numpy as np

from agents.central.actions import choose, relax, slope_of
from agents.central.layers import ROWS, backward, block, fill, forward, last_place, turn, values_size, weights_size
from envs.compiled import compiled_sums
from envs.core import Bools, Floats, Ints


@compiled_sums
def act(
    weights: Floats, start: int, sizes: Ints, activation: int, of: Ints, rows: Ints, real: Bools, obs: Floats,
    legal: Bools, uniform: Floats, blur: Floats, vectors: Floats, begin: int, end: int,
) -> None:  # fmt: skip
    """Write what the actors of one kind would do to the rows of `vectors` [n, V] that are theirs.

    Args:
        weights: of actors, of which those of the kind, [K, ...], begin at `start`.
        of: parts of an action.
        rows: [K, most] who of n is whose; those that `real` [K, most] does not have are padding. Empty: all are real.
        obs: [n, D].
        legal: [n, A]; empty: everything is.
        uniform: [K, most, slots].
        blur: [K, most, width] noise on continuous numbers; empty: none.
    """
    count, width = len(rows), sizes[-1]
    values, turned = np.empty(values_size(sizes), np.float32), np.empty(weights_size(sizes), np.float32)
    chances = np.empty(width, np.float32)
    allowed, still = np.zeros(0, np.bool_), np.zeros(0, np.float32)
    for member in range(count):
        turn(weights, start, count, member, sizes, turned)
        for first in range(begin, end, ROWS):
            size = min(ROWS, end - first)
            seen = block(values, 0, size, sizes[0])
            for r in range(size):
                row = rows[member, first + r]
                for column in range(sizes[0]):
                    seen[r, column] = obs[row, column]
            raw = forward(weights, start, count, member, sizes, turned, activation, size, values)
            for r in range(size):
                if len(real) and not real[member, first + r]:
                    continue
                row = rows[member, first + r]
                own = legal[row, :width] if len(legal) else allowed
                noise = blur[member, first + r] if len(blur) else still
                choose(raw[r], of, own, uniform[member, first + r], noise, chances, vectors[row])


@compiled_sums
def worth(
    weights: Floats, sizes: Ints, activation: int, twins: int, posts: int, obs: Floats, vectors: Floats, at: Ints,
    result: Floats, begin: int, end: int,
) -> None:  # fmt: skip
    """Write to `result` [C, n] the least that the T critics of each post give.

    Args:
        obs: [C * n, P * D].
        vectors: [.., V], of which `at` [C * n * P] says whose are whose.
    """
    rows = result.shape[1]
    values, turned = np.empty(values_size(sizes), np.float32), np.empty(weights_size(sizes), np.float32)
    views = obs.shape[1]
    for post in range(posts):
        for twin in range(twins):
            member = twin * posts + post
            turn(weights, 0, twins * posts, member, sizes, turned)
            for first in range(begin, end, ROWS):
                size = min(ROWS, end - first)
                read = block(values, 0, size, sizes[0])
                for r in range(size):
                    _read(read[r], obs, vectors, at, post * rows + first + r, views)
                found = forward(weights, 0, twins * posts, member, sizes, turned, activation, size, values)
                for r in range(size):
                    value = found[r, 0]
                    if twin == 0 or value < result[post, first + r]:
                        result[post, first + r] = value


@compiled_sums
def _read(read: Floats, obs: Floats, vectors: Floats, at: Ints, row: int, views: int) -> None:
    """What a critic reads: all views, then the vectors of all seats."""
    width = vectors.shape[1]
    seats = (len(read) - views) // width
    for column in range(views):
        read[column] = obs[row, column]
    for seat in range(seats):
        whose = at[row * seats + seat]
        for column in range(width):
            read[views + seat * width + column] = vectors[whose, column]


@compiled_sums
def critic_gradient(
    weights: Floats, sizes: Ints, activation: int, twins: int, posts: int, obs: Floats, action: Floats, target: Floats,
    scale: Floats, gradient: Floats, begin: int, end: int,
) -> tuple[float, float]:  # fmt: skip
    """Add the gradient of the mean squared errors, summed over all critics, to `gradient`; returns what the rows add to
    that sum, and to the mean of all values.

    Args:
        obs, action: [C * n, P * D] and [C * n, P * V].
        target: [C, n].
        scale: [C * n] weights of rows.
    """
    rows, views = target.shape[1], obs.shape[1]
    values, turned = np.empty(values_size(sizes), np.float32), np.empty(weights_size(sizes), np.float32)
    slopes = np.empty(values_size(sizes), np.float32)
    loss, mean = 0.0, 0.0
    for post in range(posts):
        for twin in range(twins):
            member = twin * posts + post
            turn(weights, 0, twins * posts, member, sizes, turned)
            for first in range(begin, end, ROWS):
                size = min(ROWS, end - first)
                read = block(values, 0, size, sizes[0])
                place = post * rows + first
                fill(read, 0, obs, place, views)
                fill(read, views, action, place, sizes[0] - views)
                found = forward(weights, 0, twins * posts, member, sizes, turned, activation, size, values)
                slope = block(slopes, last_place(sizes, size), size, 1)
                for r in range(size):
                    error = found[r, 0] - target[post, first + r]
                    mean += found[r, 0]
                    loss += scale[place + r] * error * error
                    slope[r, 0] = 2 * scale[place + r] * error / rows
                backward(weights, 0, twins * posts, member, sizes, activation, size, values, slopes, gradient)
    return loss / rows, mean / (rows * posts * twins)


@compiled_sums
def actor_gradient(
    weights: Floats, start: int, count: int, sizes: Ints, activation: int, of: Ints, minds: int, ensemble: int,
    critics: Floats, critic_sizes: Ints, critic_activation: int, networks: int, obs: Floats, action: Floats,
    legal: Bools, exponential: Floats, scale: Floats, temperature: float, hard: bool, penalty: float, entropy: float,
    widest: int, gradient: Floats, begin: int, end: int,
) -> float:  # fmt: skip
    """Add the gradient of what the actors of one kind are to lower to `gradient`; returns what the rows add to the sum
    over them of its means: `penalty` times the mean square of their raw outputs, minus `entropy` times theirs, minus
    their critics' values.

    Args:
        weights, gradient: of actors, of which those of the kind, K = `count`, begin at `start`.
        minds: number of the first.
        ensemble: minds that share a critic.
        critics: weights of `networks` critics, of which the first ones of the posts come first.
        obs, action: [M, m, P * D] and [M, m, P * V], own seat first.
        legal: [M, m, A]; empty: everything is.
        exponential: [K, m, slots].
        scale: [M, m] weights of rows.
        widest: V.
    """
    rows, views = obs.shape[1], obs.shape[2]
    width, hidden = sizes[-1], critic_sizes[1]
    per_post = rows * ensemble
    values, turned = np.empty(values_size(sizes), np.float32), np.empty(weights_size(sizes), np.float32)
    slopes = np.empty(values_size(sizes), np.float32)
    worths, across = np.empty(values_size(critic_sizes), np.float32), np.empty(weights_size(critic_sizes), np.float32)
    ascents = np.empty(values_size(critic_sizes), np.float32)
    drawn = np.empty((3, ROWS, width), np.float32)
    chances, logs, soft = drawn[0], drawn[1], drawn[2]
    columns = np.empty((width, hidden), np.float32)
    allowed, nothing = np.zeros(0, np.bool_), np.zeros(0, np.float32)
    total = 0.0
    for member in range(count):
        mind = minds + member
        post = mind // ensemble
        turn(weights, start, count, member, sizes, turned)
        turn(critics, 0, networks, post, critic_sizes, across)
        first_layer = block(critics, post * hidden * critic_sizes[0], hidden, critic_sizes[0])
        for column in range(width):
            for unit in range(hidden):
                columns[column, unit] = first_layer[unit, views + column]
        for first in range(begin, end, ROWS):
            size = min(ROWS, end - first)
            fill(block(values, 0, size, sizes[0]), 0, obs[mind], first, sizes[0])
            raw = forward(weights, start, count, member, sizes, turned, activation, size, values)
            read = block(worths, 0, size, critic_sizes[0])
            fill(read, 0, obs[mind], first, views)
            fill(read, views, action[mind], first, critic_sizes[0] - views)
            for r in range(size):
                vector = read[r, views : views + width]
                own = legal[mind, first + r, :width] if len(legal) else allowed
                noise = exponential[member, first + r]
                chance = relax(raw[r], of, own, noise, temperature, hard, chances[r], logs[r], soft[r], vector)
                for column in range(views + width, views + widest):
                    read[r, column] = np.float32(0)
                square = 0.0
                for column in range(width):
                    square += raw[r, column] * raw[r, column]
                total += scale[mind, first + r] * (penalty * square / width - entropy * chance) / per_post
            found = forward(critics, 0, networks, post, critic_sizes, across, critic_activation, size, worths)
            ascent = block(ascents, last_place(critic_sizes, size), size, 1)
            for r in range(size):
                total -= scale[mind, first + r] * found[r, 0] / per_post
                ascent[r, 0] = -scale[mind, first + r] / per_post
            deep = backward(critics, 0, networks, post, critic_sizes, critic_activation, size, worths, ascents, nothing)
            slope = block(slopes, last_place(sizes, size), size, width)
            for r in range(size):
                share = scale[mind, first + r] / per_post
                for column in range(width):
                    by = np.float32(0)
                    for unit in range(hidden):
                        by += deep[r, unit] * columns[column, unit]
                    slope[r, column] = by
                slope_of(raw[r], of, temperature, -entropy * share, chances[r], logs[r], soft[r], slope[r])
                for column in range(width):
                    slope[r, column] += 2 * penalty * share * raw[r, column] / width
            backward(weights, start, count, member, sizes, activation, size, values, slopes, gradient)
    return total
