"""Layers: fully connected networks and their derivatives on blocks of rows, compiled.

Weights of K networks of one shape lie in one vector, layer by layer as [K, outputs, inputs] and [K, outputs], which is
how `agents.optimiser` keeps stacked ones. What layers give for a block of rows lies in one vector, too, the inputs
first: [rows, sizes[0]], [rows, sizes[1]], and so on.
"""

from __future__ import annotations

import numpy as np

from envs.compiled import compiled_sums
from envs.core import Floats, Ints

ROWS = 64
"""In a block, at most: with their networks they stay in the nearest caches."""
LINEAR, RELU, TANH = 0, 1, 2
ACTIVATIONS = {"relu": RELU, "tanh": TANH}
FEW = 8
"""Outputs below which a layer is computed number by number."""


@compiled_sums
def block(vector: Floats, start: int, rows: int, columns: int) -> Floats:
    """[rows, columns] that begin at `start`."""
    return vector[start : start + rows * columns].reshape((rows, columns))


@compiled_sums
def values_size(sizes: Ints) -> int:
    """Numbers that layers give for a block, with its inputs."""
    return last_place(sizes, ROWS) + ROWS * int(sizes[-1])


@compiled_sums
def last_place(sizes: Ints, rows: int) -> int:
    """Where among them the last layer's are, for so many rows."""
    place = 0
    for layer in range(len(sizes) - 1):
        place += rows * sizes[layer]
    return place


@compiled_sums
def fill(numbers: Floats, first: int, given: Floats, start: int, width: int) -> None:
    """Write the rows of `given` from `start` on, their first `width` columns, to `numbers` [rows, ...] from the column
    `first` on."""
    for r in range(len(numbers)):
        for column in range(width):
            numbers[r, first + column] = given[start + r, column]


@compiled_sums
def weights_size(sizes: Ints) -> int:
    """Weights and biases of one network."""
    total = 0
    for layer in range(len(sizes) - 1):
        total += sizes[layer + 1] * (sizes[layer] + 1)
    return total


@compiled_sums
def add_product(result: Floats, left: Floats, right: Floats) -> None:
    """Add left [n, k] @ right [k, m] to result [n, m]; `right` has its rows in one piece.

    Eight terms for two rows at a time: each number that is loaded is then used often enough to keep the adders busy.
    """
    rows, columns = result.shape  # not those of `right`: so the compiler knows that rows of the result do not overlap
    depth = left.shape[1]
    even, whole = rows - rows % 2, depth - depth % 8
    for k in range(0, whole, 8):
        for r in range(0, even, 2):
            a0, a1, a2, a3 = left[r, k], left[r, k + 1], left[r, k + 2], left[r, k + 3]
            a4, a5, a6, a7 = left[r, k + 4], left[r, k + 5], left[r, k + 6], left[r, k + 7]
            b0, b1, b2, b3 = left[r + 1, k], left[r + 1, k + 1], left[r + 1, k + 2], left[r + 1, k + 3]
            b4, b5, b6, b7 = left[r + 1, k + 4], left[r + 1, k + 5], left[r + 1, k + 6], left[r + 1, k + 7]
            for c in range(columns):
                w0, w1, w2, w3 = right[k, c], right[k + 1, c], right[k + 2, c], right[k + 3, c]
                w4, w5, w6, w7 = right[k + 4, c], right[k + 5, c], right[k + 6, c], right[k + 7, c]
                result[r, c] += a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3 + a4 * w4 + a5 * w5 + a6 * w6 + a7 * w7
                result[r + 1, c] += b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3 + b4 * w4 + b5 * w5 + b6 * w6 + b7 * w7
        for r in range(even, rows):
            for c in range(columns):
                total = result[r, c]
                for step in range(8):
                    total += left[r, k + step] * right[k + step, c]
                result[r, c] = total
    for k in range(whole, depth - 3, 4):
        whole += 4
        for r in range(rows):
            a0, a1, a2, a3 = left[r, k], left[r, k + 1], left[r, k + 2], left[r, k + 3]
            for c in range(columns):
                w0, w1, w2, w3 = right[k, c], right[k + 1, c], right[k + 2, c], right[k + 3, c]
                result[r, c] += a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
    for k in range(whole, depth):
        for r in range(rows):
            factor = left[r, k]
            for c in range(columns):
                result[r, c] += factor * right[k, c]


@compiled_sums
def tanh(x: np.float32) -> np.float32:
    """By a quotient of polynomials, which vectors of numbers can be put through; off by 3e-7 at most.

    The coefficients are those of the Eigen library's float32 tanh.
    """
    x = max(np.float32(-7.90531110763549805), min(np.float32(7.90531110763549805), x))
    s = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * s + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * s + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@compiled_sums
def turn(weights: Floats, start: int, count: int, member: int, sizes: Ints, turned: Floats) -> None:
    """Write the matrices of one network to `turned` as [inputs, outputs], for `forward`.

    Args:
        start: where in `weights` the K = `count` networks begin.
        member: which of them.
    """
    place = 0
    for layer in range(len(sizes) - 1):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        own = block(weights, start + member * outputs * inputs, outputs, inputs)
        across = block(turned, place, inputs, outputs)
        for o in range(outputs):
            for i in range(inputs):
                across[i, o] = own[o, i]
        start += count * outputs * (inputs + 1)
        place += outputs * inputs


@compiled_sums
def forward(
    weights: Floats, start: int, count: int, member: int, sizes: Ints, turned: Floats, activation: int, rows: int,
    values: Floats,
) -> Floats:  # fmt: skip
    """Fill `values`, whose inputs are there, for `rows`; returns the last ones, [rows, sizes[-1]]."""
    place, source = 0, 0
    zero = np.float32(0)
    last = len(sizes) - 2
    y = block(values, 0, rows, sizes[0])
    for layer in range(len(sizes) - 1):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        x = y
        source += rows * inputs
        y = block(values, source, rows, outputs)
        biases = start + count * outputs * inputs + member * outputs
        bias = weights[biases : biases + outputs]
        if outputs < FEW:
            own = block(weights, start + member * outputs * inputs, outputs, inputs)
            for r in range(rows):
                for o in range(outputs):
                    total = zero
                    for i in range(inputs):
                        total += x[r, i] * own[o, i]
                    y[r, o] = bias[o] + total
        else:
            for r in range(rows):
                for o in range(outputs):
                    y[r, o] = bias[o]
            add_product(y, x, block(turned, place, inputs, outputs))
        if layer < last:
            _activate(y, activation)
        start += count * outputs * (inputs + 1)
        place += outputs * inputs
    return y


@compiled_sums
def _activate(y: Floats, activation: int) -> None:
    zero = np.float32(0)
    rows, columns = y.shape
    if activation == RELU:
        for r in range(rows):
            for c in range(columns):
                y[r, c] = y[r, c] if y[r, c] > zero else zero
    else:
        for r in range(rows):
            for c in range(columns):
                y[r, c] = tanh(y[r, c])


@compiled_sums
def backward(
    weights: Floats, start: int, count: int, member: int, sizes: Ints, activation: int, rows: int, values: Floats,
    slopes: Floats, gradient: Floats,
) -> Floats:  # fmt: skip
    """Carry slopes back through the layers, by the chain rule.

    Args:
        values: as `forward` left them.
        slopes: laid out like `values`; those of the last layer are there, the others are overwritten.
        gradient: laid out like `weights`: what the rows add to it; empty: nothing is added.

    Returns the slopes of the first layer before its activation, [rows, sizes[1]]: those of the inputs are left to the
    caller, who may want few of them.
    """
    zero, one = np.float32(0), np.float32(1)
    layers = len(sizes) - 1
    y_at = last_place(sizes, rows) + rows * sizes[layers]
    place = start + count * weights_size(sizes)
    slope = block(slopes, y_at - rows * sizes[layers], rows, sizes[layers])
    for layer in range(layers - 1, -1, -1):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        y_at -= rows * outputs
        y, slope = block(values, y_at, rows, outputs), block(slopes, y_at, rows, outputs)
        if layer < layers - 1:
            if activation == RELU:
                for r in range(rows):
                    for o in range(outputs):
                        slope[r, o] = slope[r, o] if y[r, o] > zero else zero
            else:
                for r in range(rows):
                    for o in range(outputs):
                        slope[r, o] *= one - y[r, o] * y[r, o]
        place -= count * outputs * (inputs + 1)
        x_at = y_at - rows * inputs
        if len(gradient):
            x, own = (
                block(values, x_at, rows, inputs),
                block(gradient, place + member * outputs * inputs, outputs, inputs),
            )
            if inputs < outputs:  # the longer side goes in vectors
                result, left, right = np.zeros((inputs, outputs), np.float32), x.T, slope
            else:
                result, left, right = own, slope.T, x
            add_product(result, left, right)
            if inputs < outputs:
                for o in range(outputs):
                    for i in range(inputs):
                        own[o, i] += result[i, o]
            biases = place + count * outputs * inputs + member * outputs
            for r in range(rows):
                for o in range(outputs):
                    gradient[biases + o] += slope[r, o]
        if layer:
            before = block(slopes, x_at, rows, inputs)
            for r in range(rows):
                for i in range(inputs):
                    before[r, i] = zero
            add_product(before, slope, block(weights, place + member * outputs * inputs, outputs, inputs))
    return slope
