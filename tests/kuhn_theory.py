"""Kuhn poker once more, from the paper and by hand, to check the game and its solver against."""

from __future__ import annotations

from typing import NamedTuple

JACK, QUEEN, KING = range(3)
LINES = ("pp", "pbp", "pbb", "bp", "bb")
"""All ways to bet: p pass, b bet."""


class Place(NamedTuple):
    """Where a choice is made."""

    card: int
    second: bool
    """Whose: the second seat's."""
    history: int
    """Bits of the observation after the seat's: 1 the first passed, 2 bet, 4 the second passed, 8 bet."""


def won(first: int, second: int, line: str) -> int:
    """What the first seat wins with the cards `first` and `second`."""
    higher = 1 if first > second else -1
    return {"pp": higher, "pbp": -1, "pbb": 2 * higher, "bp": 1, "bb": 2 * higher}[line]


def equilibrium(alpha: float) -> dict[Place, float]:
    """Probability to bet in each of the 12 places; an equilibrium for `alpha` in [0, 1/3] (Kuhn 1950)."""
    opening = {JACK: alpha, QUEEN: 0.0, KING: 3 * alpha}
    calling = {JACK: 0.0, QUEEN: alpha + 1 / 3, KING: 1.0}
    after_pass = {JACK: 1 / 3, QUEEN: 0.0, KING: 1.0}
    after_bet = {JACK: 0.0, QUEEN: 1 / 3, KING: 1.0}
    return {
        **{Place(card, False, 0): chance for card, chance in opening.items()},
        **{Place(card, False, 1 + 8): chance for card, chance in calling.items()},
        **{Place(card, True, 1): chance for card, chance in after_pass.items()},
        **{Place(card, True, 2): chance for card, chance in after_bet.items()},
    }
