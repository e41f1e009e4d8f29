"""Chances: from what value heads expect of a point to the chance of a point, and of a game of several lives."""

from __future__ import annotations

from math import comb

Values = tuple[float | None, float | None]
"""Expected outcome, +1 won to -1 lost, of the left and the right side, each by its own value head."""


def even(values: Values) -> float | None:
    """Chance of the left side by the `values` of both, or of the one that has one; None if nobody has.

    A point is won or lost, so an expected outcome v is a chance of (1 + v) / 2. Where both have a value, it is the
    mean of what both say.
    """
    left, right = values
    said = [value for value in (left, None if right is None else -right) if value is not None]
    if not said:
        return None
    return min(max((1 + sum(said) / len(said)) / 2, 0.0), 1.0)


def race(chance: float, own: int, other: int) -> float:
    """Probability to win a race to the other's last life: `own` and `other` lives left, each point won with `chance`.

    The other's lives must be gone before one's own: with q = 1 - chance it is the sum over i < own of
    C(other - 1 + i, i) chance^other q^i, a negative binomial distribution.
    """
    if other <= 0:
        return 1.0
    return sum(comb(other - 1 + lost, lost) * chance**other * (1 - chance) ** lost for lost in range(own))


def game(point: float, usual: float, left: int, right: int) -> float:
    """Chance of the left side to win the game: the present point with `point`, all later ones with `usual`.

    Args:
        left: lives of the left side; `right` of the right one. The time limit is left out.
    """
    return point * race(usual, left, right - 1) + (1 - point) * race(usual, left - 1, right)
