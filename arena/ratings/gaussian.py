"""Moments of a truncated Gaussian: TrueSkill's v and w, in float64, safe for any gap between two players.

Herbrich, Minka & Graepel, "TrueSkill: A Bayesian Skill Rating System" (2006), table 1 and section 4. There, t
is the gap in skill and e the draw margin, both divided by the spread c of the difference in performance; N
and F are density and distribution of the standard normal. After a win the difference is known to exceed e:

    v = N(t - e) / F(t - e)
    w = v (v + t - e)

and after a draw to lie between -e and e; with D = F(e - t) - F(-e - t):

    v = (N(-e - t) - N(e - t)) / D
    w = v^2 + ((e - t) N(e - t) + (e + t) N(e + t)) / D

v moves the mean, w shrinks the variance (0 < w < 1). Far in the tails numerator and denominator underflow, so
there both are divided by the density first: with Mills' ratio M(y) = F(-y) / N(y), F(-y) = N(y) M(y).
"""

from __future__ import annotations

import math

from envs.compiled import compiled

TAIL = 5.0
"""From here on the continued fraction below is exact to the last bits."""
NARROW = 1e-4
"""Draw margins below this are taken to second order: the direct differences would cancel."""


@compiled
def density(x: float) -> float:
    """Standard normal density."""
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


@compiled
def below(x: float) -> float:
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@compiled
def tail_excess(y: float) -> float:
    """1 / M(y) - y for y >= TAIL, by Laplace's continued fraction 1 / (y + 2 / (y + 3 / (y + ...)))."""
    fraction = y
    for level in range(24, 1, -1):
        fraction = y + level / fraction
    return 1.0 / fraction


@compiled
def win_moments(t: float, e: float) -> tuple[float, float]:
    """v and w after a win."""
    x = t - e
    if x < -TAIL:
        excess = tail_excess(-x)
        return excess - x, (excess - x) * excess
    v = density(x) / below(x)
    return v, v * (v + x)


@compiled
def draw_moments(t: float, e: float) -> tuple[float, float]:
    """v and w after a draw; e > 0."""
    gap = abs(t)
    if e < NARROW:
        v, w = gap * (e * e / 3.0 - 1.0), 1.0 - e * e / 3.0
    elif gap - e < TAIL:
        a, b = e - gap, -e - gap
        mass = below(a) - below(b)
        v = (density(b) - density(a)) / mass
        w = v * v + (a * density(a) - b * density(b)) / mass
    else:
        near, far = gap - e, gap + e
        ratio = math.exp(-2.0 * gap * e)  # N(far) / N(near)
        mass = 1.0 / (near + tail_excess(near)) - ratio / (far + tail_excess(far))
        v = math.expm1(-2.0 * gap * e) / mass
        w = v * v + (far * ratio - near) / mass
    return math.copysign(v, -t) if gap > 0.0 else 0.0, min(max(w, 0.0), 1.0)
