"""How a game of classic control begins: every number of the state drawn evenly from its own interval."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.compiled import compiled
from envs.random import uniforms

Number: Any = Any


@compiled
def begin(row: Number, state: Number, clock: Number, total: Number, stream: Number,
          low: Number, high: Number, score: Number) -> None:  # fmt: skip
    """Replace game `row` by a new one, and write the return of the old one into `score` [B, 1].

    Args:
        state: [B, S]; number k is drawn from `low[k]` to `high[k]`.
        clock: [B] steps since the game began.
        total: [B] rewards since then.
        stream: [B, 2] seed and number of games so far, which together decide the start.
    """
    score[row, 0] = total[row]
    clock[row] = 0
    total[row] = 0.0
    size = len(low)
    pairs = (size + 1) // 2
    for pair in range(pairs):
        first, second = uniforms(stream[row, 0], stream[row, 1] * np.uint64(pairs) + np.uint64(pair))
        k = 2 * pair
        state[row, k] = low[k] + (high[k] - low[k]) * first
        if k + 1 < size:
            state[row, k + 1] = low[k + 1] + (high[k + 1] - low[k + 1]) * second
    stream[row, 1] += np.uint64(1)
