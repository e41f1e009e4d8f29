"""Actions: what the raw outputs of actors mean as vectors, and the way back of slopes, compiled row by row.

The parts of an action are rows of `agents.vectors.Vectors.parts`; noise is drawn beforehand, see there.
"""

from __future__ import annotations

import math

import numpy as np

from agents.distributions.choice import ILLEGAL as _ILLEGAL
from agents.vectors import BUTTONS, CHOICE
from envs.compiled import compiled
from envs.core import Bools, Floats, Ints

ILLEGAL = np.float32(_ILLEGAL)


@compiled
def softmax(raw: Floats, legal: Bools, chances: Floats) -> float:
    """Write that of `raw` [width] to `chances`; `legal` is empty where everything is allowed. Returns what is to be
    taken off `raw` to have the logarithms."""
    top, total = -np.inf, 0.0
    for at in range(len(raw)):
        if not len(legal) or legal[at]:
            top = max(top, raw[at])
    for at in range(len(raw)):
        chances[at] = 0.0 if len(legal) and not legal[at] else math.exp(raw[at] - top)
        total += chances[at]
    for at in range(len(raw)):
        chances[at] /= total
    return top + math.log(total)


@compiled
def choose(raw: Floats, of: Ints, legal: Bools, uniform: Floats, blur: Floats, chances: Floats, vector: Floats) -> None:
    """Write to `vector` [width] what `raw` [width] would choose, see `Vectors.chosen`.

    Args:
        uniform: draws [slots], one for each choice and each button.
        blur: noise [width] on continuous numbers; empty: none.
        chances: [width], overwritten.
    """
    slot = 0
    for part in range(len(of)):
        kind, start, width = of[part, 0], of[part, 1], of[part, 2]
        own = slice(start, start + width)
        if kind == CHOICE:
            softmax(raw[own], legal, chances[own])
            left = uniform[slot] * (1 - 1e-6)  # so that rounding cannot carry it past the last possible action
            slot += 1
            chosen = -1
            for at in range(start, start + width):
                vector[at] = 0.0
                left -= chances[at]
                if chosen < 0 and left < 0:
                    chosen = at
            vector[chosen] = 1.0
        elif kind == BUTTONS:
            for at in range(start, start + width):
                vector[at] = 1.0 if uniform[slot] < 1 / (1 + math.exp(-raw[at])) else 0.0
                slot += 1
        else:
            for at in range(start, start + width):
                vector[at] = math.tanh(raw[at])
                if len(blur):
                    vector[at] = min(1.0, max(-1.0, vector[at] + blur[at]))


@compiled
def relax(
    raw: Floats, of: Ints, legal: Bools, exponential: Floats, temperature: float, hard: bool, chances: Floats,
    logs: Floats, soft: Floats, vector: Floats,
) -> float:  # fmt: skip
    """Write to `vector` [width] what `raw` may choose, see `Vectors.drawn`; returns the entropy of choices and buttons.

    Args:
        exponential: draws [slots], one for each action of a choice and two for each button.
        chances, logs, soft: [width], for `slope_of`.
    """
    entropy, slot = 0.0, 0
    for part in range(len(of)):
        kind, start, width = of[part, 0], of[part, 1], of[part, 2]
        own = slice(start, start + width)
        if kind == CHOICE:
            shift = softmax(raw[own], legal, chances[own])
            top, best = -np.inf, start
            for at in range(start, start + width):
                logs[at] = ILLEGAL if len(legal) and not legal[at - start] else raw[at] - shift
                entropy -= chances[at] * logs[at]
                soft[at] = (logs[at] - math.log(max(exponential[slot], 1e-20))) / temperature
                slot += 1
                if soft[at] > top:
                    top, best = soft[at], at
            total = 0.0
            for at in range(start, start + width):
                soft[at] = math.exp(soft[at] - top)
                total += soft[at]
            for at in range(start, start + width):
                soft[at] /= total
                vector[at] = (1.0 if at == best else 0.0) if hard else soft[at]
        elif kind == BUTTONS:
            for at in range(start, start + width):
                p = chances[at] = 1 / (1 + math.exp(-raw[at]))
                entropy += max(raw[at], 0.0) + math.log1p(math.exp(-abs(raw[at]))) - p * raw[at]
                noise = math.log(max(exponential[slot], 1e-20)) - math.log(max(exponential[slot + 1], 1e-20))
                slot += 2
                soft[at] = 1 / (1 + math.exp(-(raw[at] + noise) / temperature))
                vector[at] = (1.0 if soft[at] > 0.5 else 0.0) if hard else soft[at]
        else:
            for at in range(start, start + width):
                vector[at] = soft[at] = math.tanh(raw[at])
    return entropy


@compiled
def slope_of(
    raw: Floats,
    of: Ints,
    temperature: float,
    entropy: float,
    chances: Floats,
    logs: Floats,
    soft: Floats,
    slope: Floats,
) -> None:
    """Turn `slope` [width], that of a loss by the vector, into that by `raw`; the loss also has `entropy` times the
    entropy in it. After `relax`."""
    for part in range(len(of)):
        kind, start, width = of[part, 0], of[part, 1], of[part, 2]
        if kind == CHOICE:
            mean, total = 0.0, 0.0
            for at in range(start, start + width):
                mean += slope[at] * soft[at]
            for at in range(start, start + width):
                by_soft = soft[at] * (slope[at] - mean) / temperature
                slope[at] = by_soft - entropy * chances[at] * (logs[at] + 1)
                total += slope[at]
            for at in range(start, start + width):
                slope[at] -= chances[at] * total
        elif kind == BUTTONS:
            for at in range(start, start + width):
                p = chances[at]
                by_soft = slope[at] * soft[at] * (1 - soft[at]) / temperature
                slope[at] = by_soft - entropy * raw[at] * p * (1 - p)
        else:
            for at in range(start, start + width):
                slope[at] *= 1 - soft[at] * soft[at]
