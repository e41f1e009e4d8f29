"""Arithmetic that repeats NumPy's to the last bit, where the plain expression would not."""

from __future__ import annotations

import math
from typing import Any

from envs.compiled import compiled

Number: Any = Any
SPLITTER = 134217729.0
"""2**27 + 1."""


@compiled
def square(x: Number, two: Number) -> Any:
    """`x ** two` as NumPy has it for a float64, `two` being 2.0 in a variable.

    It is the C library's `pow`, which now and then errs in the last bit where x * x does not, and chaotic games
    make a difference of it. As `pow` errs by little more than half a unit, x * x is taken where its own rounding
    error, found exactly (Dekker 1971), is clearly below that.
    """
    product = x * x
    wide = SPLITTER * x
    high = wide - (wide - x)
    low = x - high
    error = ((high * high - product) + 2.0 * high * low) + low * low
    if product + 1.2 * error == product:
        return product
    return math.pow(x, two)
