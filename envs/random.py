"""Counter-based randomness for rules: what a game draws follows from its seed and a count, and from nothing else.

So a game plays the same alone and beside others, and two numbers are the whole state of its dice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.compiled import compiled

Number: Any = Any
M32, WEYL, MASK, SHIFT = np.uint64(0xD256D193), np.uint64(0x9E3779B9), np.uint64(0xFFFFFFFF), np.uint64(32)


@compiled
def philox(low: Number, high: Number, key: Number) -> Any:
    """Two 32-bit random words from a counter and a key: Philox2x32-10 (Salmon et al. 2011, section 3.3)."""
    for _ in range(10):
        product = M32 * low
        low = (product >> SHIFT) ^ key ^ high
        high = product & MASK
        key = (key + WEYL) & MASK
    return low, high


@compiled
def uniforms(seed: Number, count: Number) -> Any:
    """Two numbers in [0, 1), multiples of 2**-32, that belong to `count` in the stream of `seed`; both uint64."""
    first, second = philox(count & MASK, seed >> SHIFT, seed & MASK)
    width = 4294967296.0
    return first / width, second / width
