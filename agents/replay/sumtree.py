"""A binary tree of sums over leaves: drawing a leaf in proportion to its value takes log2(leaves) steps."""

from __future__ import annotations

import numpy as np

from envs.compiled import compiled
from envs.core import Floats, Ints


@compiled
def find(tree: Floats, points: Floats) -> Ints:
    """Leaves [n] at `points` [n] of the line 0..total on which each leaf occupies its value.

    `tree` [2 R]: node i is the sum of nodes 2 i and 2 i + 1, the root is node 1, and leaf j is node R + j; any R will
    do. A leaf of value 0 is never found, however `points` were rounded.
    """
    leaves = len(tree) // 2
    found = np.empty(len(points), np.int64)
    for i in range(len(points)):
        point, node = points[i], 1
        while node < leaves:
            node *= 2
            if point >= tree[node] and tree[node + 1] > 0.0:
                point -= tree[node]
                node += 1
        found[i] = node - leaves
    return found


@compiled
def put(tree: Floats, index: Ints, values: Floats) -> None:
    """Set the leaves `index` [n] to `values` [n], the last one where an index comes twice."""
    leaves = len(tree) // 2
    for i in range(len(index)):
        node = leaves + index[i]
        tree[node] = values[i]
        while node > 1:
            node //= 2
            tree[node] = tree[2 * node] + tree[2 * node + 1]


@compiled
def fill(tree: Floats, start: int, stop: int, value: float) -> None:
    """Set the leaves `start`..`stop` - 1 to `value`."""
    leaves = len(tree) // 2
    if start < stop:
        first, last = leaves + start, leaves + stop - 1
        tree[first : last + 1] = value
        while last > 1:
            first, last = max(1, first // 2), last // 2
            for node in range(first, last + 1):
                tree[node] = tree[2 * node] + tree[2 * node + 1]


@compiled
def build(tree: Floats) -> None:
    """Sum up the whole tree; the sums depend on the leaves alone, not on the order in which they were set."""
    for node in range(len(tree) // 2 - 1, 0, -1):
        tree[node] = tree[2 * node] + tree[2 * node + 1]
