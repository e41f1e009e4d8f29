"""SPRT: a match that ends as soon as it is decided whether one player is ahead of another.

Wald's sequential probability ratio test ("Sequential Tests of Statistical Hypotheses", 1945) of a lead of `elo1`
against one of `elo0`: after every few games, the log-likelihood ratio is compared with

    log(beta / (1 - alpha))        at or below it the lead is taken to be elo0
    log((1 - beta) / alpha)        at or above it, elo1

How games split into wins and draws is unknown, so the ratio is the generalised one: each hypothesis says what the mean
of a unit (a pair of games) is, and has the likelihood of the most likely distribution over the values of a unit that
has this mean (Van den Bergh, "The Generalized Maximum Likelihood Ratio for the Expectation Value of a Distribution",
2020). For units seen with frequencies q_i at values a_i and a mean of s, Lagrange's condition gives

    p_i = q_i / (1 + t (a_i - s)),        sum_i q_i (a_i - s) / (1 + t (a_i - s)) = 0

of which the left side falls in t, so bisection finds t. With pairs of games as units, it does not matter how much the
two games of a pair have to do with each other: the pentanomial model, which testers of chess engines use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from arena.config import parse_assignments
from arena.stats.elo import expected_points
from arena.stats.units import Game, Units, units
from envs.config import Config, parse
from envs.errors import InputError

Floats = NDArray[np.float64]
UNSEEN = 1e-3
"""Units that every value counts as having been seen more often than it was. The ratio hardly depends on it (its limit
for 0 exists, see `log_likelihood_ratios`), but without it a value that was never seen could have no probability."""
HALVINGS = 60


class Sprt(Config):
    """The two leads, and how often the test may be wrong."""

    elo0: float = 0.0
    """Lead in Elo points that is not enough."""
    elo1: float = 20.0
    """Lead in Elo points that is. The smaller the gap, the more games: to halve it takes four times as many."""
    alpha: float = Field(0.05, gt=0, lt=0.5)
    """Chance to say `elo1` where the lead is `elo0`."""
    beta: float = Field(0.05, gt=0, lt=0.5)
    """Chance to say `elo0` where the lead is `elo1`."""

    @model_validator(mode="after")
    def _apart(self) -> Sprt:
        if self.elo0 >= self.elo1:
            raise ValueError(f"elo0 = {self.elo0:g} must be below elo1 = {self.elo1:g}")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """Log-likelihood ratios at which the test ends (Wald 1945)."""
        return math.log(self.beta / (1 - self.alpha)), math.log((1 - self.beta) / self.alpha)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the units so far say."""

    accepted: bool | None
    """True: `elo1`; False: `elo0`; None: more games are needed."""
    llr: float
    """Log-likelihood ratio of `elo1` to `elo0`."""
    bounds: tuple[float, float]
    """Where it ends."""

    @property
    def word(self) -> str:
        """H1 accepted, H0 accepted or undecided."""
        return {True: "H1 accepted", False: "H0 accepted", None: "undecided"}[self.accepted]


def parse_sprt(text: str) -> Sprt:
    """Read "elo0=0 elo1=20", also with alpha and beta; what is left out has its default.

    Raises:
        InputError: another key, a value that is no number, or leads in the wrong order.
    """
    try:
        tree: dict[str, Any] = parse_assignments(text.replace(",", " ").split())
    except InputError:
        raise InputError(
            f"--sprt {text!r} is not understood: give for example 'elo0=0 elo1=20 alpha=0.05 beta=0.05'."
        ) from None
    return parse(Sprt, tree, "--sprt")


def decided(test: Sprt, player: str) -> Callable[[Sequence[Game]], bool]:
    """Tells whether games are enough to decide the test of `player`, one of two: for `until` of `arena.match.match`. It
    is asked again and again with more games, and reads each once."""
    known: Units | None = None
    read = 0

    def enough(games: Sequence[Game]) -> bool:
        nonlocal known, read
        fresh = units(games[read:], player)
        if known is None:
            known = fresh
        elif known.values == fresh.values:
            counts = zip(known.counts, fresh.counts, strict=True)
            known = Units(known.values, tuple(before + now for before, now in counts))
        read = len(games)
        return judge(known, test).accepted is not None

    return enough


def judge(seen: Units, test: Sprt) -> Verdict:
    """Whether `seen` decides the test."""
    llr = log_likelihood_ratio(seen.values, seen.counts, test.elo0, test.elo1)
    low, high = test.bounds
    return Verdict(True if llr >= high else False if llr <= low else None, llr, (low, high))


def log_likelihood_ratio(values: Sequence[float], counts: Sequence[float], elo0: float, elo1: float) -> float:
    """Of a lead of `elo1` to one of `elo0`, for units of which `counts` [K] were worth `values` [K]."""
    return float(log_likelihood_ratios(np.asarray(values), np.asarray(counts, np.float64)[None], elo0, elo1)[0])


def log_likelihood_ratios(values: Floats, counts: Floats, elo0: float, elo1: float) -> Floats:
    """The same [n] of n tests at once: `values` [K], `counts` [n, K].

    What was not seen has a share of `UNSEEN`, and may take what probability a hypothesis needs: so many wins in a row
    prove no more than that a win is likelier under `elo1`, by expected_points(elo1) / expected_points(elo0) each.
    """
    share = counts + UNSEEN
    low, high = expected_points(elo0), expected_points(elo1)
    ratio = np.log1p(_tilt(values, share, low) * (values - low)) - np.log1p(
        _tilt(values, share, high) * (values - high)
    )
    return np.asarray((counts * ratio).sum(1))


def _tilt(values: Floats, share: Floats, mean: float) -> Floats:
    """[n, 1] t of the distribution of this `mean` that is closest to the frequencies `share` [n, K]."""
    apart = values - mean
    low = np.full((len(share), 1), -1 / apart.max())
    high = np.full((len(share), 1), -1 / apart.min())
    for _ in range(HALVINGS):
        half = (low + high) / 2
        rising = (share * apart / (1 + half * apart)).sum(1, keepdims=True) > 0
        low, high = np.where(rising, half, low), np.where(rising, high, half)
    middle: Floats = (low + high) / 2
    return middle
