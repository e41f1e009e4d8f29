"""Scheduling: which rating games say most. Pure functions of ratings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from arena.ratings.gaussian import density
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings

Pair = tuple[str, str]


def gain(a: Rating, b: Rating) -> float:
    """Variance of both skills that one more game takes away, expected by TrueSkill, in square skill points.

    Before the game its outcome is uncertain; where it is nearly certain, or where both are well known, little is
    learnt. Herbrich et al. (2006), table 1, without draws: each variance v shrinks by v^2 / c^2 w, and over both
    outcomes w is N(t)^2 / (F(t) F(-t)).
    """
    beta = TrueSkillSettings().beta
    first, second = a.stderr**2, b.stderr**2
    square = first + second + 2 * beta**2
    t = (a.mean - b.mean) / math.sqrt(square)
    sure = 0.25 * math.erfc(-t / math.sqrt(2)) * math.erfc(t / math.sqrt(2))
    if sure < 1e-12:
        return 0.0
    return (first**2 + second**2) / square * density(t) ** 2 / sure


def doubt(a: Rating, b: Rating) -> float:
    """0..1/2: chance that the two are in the other order than their means say."""
    spread = math.hypot(a.stderr, b.stderr)
    return 0.5 * math.erfc(abs(a.mean - b.mean) / max(spread, 1e-12) / math.sqrt(2))


def best_pairs(
    ratings: Mapping[str, Rating],
    count: int,
    sigma: float,
    fixed: Iterable[str] = (),
    top: int = 0,
    able: Callable[[str, str], bool] = lambda a, b: True,
) -> list[Pair]:
    """The `count` pairs to play next, nobody in two of them, until every sigma is at most `sigma`; none then.

    Each still uncertain player is paired with whom it learns most from. A pair whose order is in doubt counts double,
    and for the `top` first by mean, whose order people look at, three times.

    Args:
        ratings: of everybody who may play.
        fixed: players whose own sigma does not matter.
        top: see above; 0: nobody.
        able: whether two can meet.
    """
    still = set(fixed)
    open_ = [name for name, rating in ratings.items() if rating.stderr > sigma and name not in still]
    if not open_ or len(ratings) < 2:
        return []
    leaders = set(sorted(ratings, key=lambda name: -ratings[name].mean)[:top])

    def worth(a: str, b: str) -> float:
        many = 1 + 2 * doubt(ratings[a], ratings[b]) * (3 if a in leaders and b in leaders else 1)
        return gain(ratings[a], ratings[b]) * many

    found = sorted(
        ((worth(a, b), a, b) for a in open_ for b in ratings if a != b and able(a, b)),
        key=lambda one: (-one[0], *one[1:]),
    )
    return _apart(((a, b) for _, a, b in found), count)


def _apart(pairs: Iterable[Pair], count: int) -> list[Pair]:
    """The first `count` of `pairs` that share nobody."""
    chosen: list[Pair] = []
    busy: set[str] = set()
    for a, b in pairs:
        if busy.isdisjoint((a, b)):
            chosen.append((a, b))
            busy |= {a, b}
        if len(chosen) == count:
            break
    return chosen


def largest(ratings: Mapping[str, Rating], names: Sequence[str]) -> float:
    """The largest sigma of `names`; 0 without any."""
    return max((ratings[name].stderr for name in names if name in ratings), default=0.0)
