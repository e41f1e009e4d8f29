"""alpha-rank: published values, the chain solved in another way, and the limit of infinite alpha."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from arena.ratings.alpha_rank import alpha_rank
from envs.errors import InputError

Floats = NDArray[np.float64]
RPS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


def random_game(rng: np.random.Generator, n: int, ties: float = 0.0) -> Floats:
    upper = np.triu(np.where(rng.random((n, n)) < ties, 0.0, rng.uniform(-1, 1, (n, n))), 1)
    return upper - upper.T


def fixation(payoff: Floats, resident: int, mutant: int, alpha: float, m: int) -> float:
    """Section 2 of the paper, one copying step after the other."""
    total, product = 1.0, 1.0
    for mutants in range(1, m):
        own = ((mutants - 1) * payoff[mutant, mutant] + (m - mutants) * payoff[mutant, resident]) / (m - 1)
        rest = ((m - mutants - 1) * payoff[resident, resident] + mutants * payoff[resident, mutant]) / (m - 1)
        product *= math.exp(-alpha * (own - rest))
        total += product
    return 1 / total


def by_eigenvectors(rates: Floats) -> Floats:
    """Stationary distribution of the chain in which each step tries one of the others."""
    n = len(rates)
    chain = rates / (n - 1) * (1 - np.eye(n))
    chain += np.diag(1 - chain.sum(axis=1))
    values, vectors = np.linalg.eig(chain.T)
    stationary = np.real(vectors[:, np.argmin(abs(values - 1))])
    found: Floats = stationary / stationary.sum()
    return found


def test_published_values() -> None:
    """The commitment game of Han et al. (2013), "Good agreements make good friends", whose stationary distribution
    OpenSpiel's tests of alpha-rank give to eight digits: not zero-sum, population 20, alpha 0.1."""
    r, t, p, s, delta, eps = 1.0, 2.0, 0.0, -1.0, 4.0, 0.25
    payoff = np.array(
        [
            [r - eps / 2, r - eps, 0, s + delta - eps, r - eps],
            [r, r, s, s, s],
            [0, t, p, p, p],
            [t - delta, t, p, p, p],
            [r, t, p, p, p],
        ]
    )
    published = [0.40966787, 0.07959841, 0.20506998, 0.08505983, 0.2206039]
    np.testing.assert_allclose(alpha_rank(payoff, alpha=0.1, population=20), published, atol=5e-9)


@pytest.mark.parametrize("alpha", [0.01, 1.0, 100.0, math.inf])
def test_rock_paper_scissors_is_even(alpha: float) -> None:
    """The first example of the paper."""
    np.testing.assert_allclose(alpha_rank(RPS, alpha), 1 / 3, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("zero_sum", [True, False])
def test_the_chain_step_by_step(zero_sum: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, alpha, m = 6, float(rng.uniform(0.1, 3)), int(rng.integers(2, 15))
    payoff = random_game(rng, n) if zero_sum else rng.normal(size=(n, n))
    rates = np.array([[fixation(payoff, a, b, alpha, m) if a != b else 0.0 for b in range(n)] for a in range(n)])
    if zero_sum:
        u = alpha * m / (m - 1) * payoff.T
        closed = (1 - np.exp(-u[u != 0])) / (1 - np.exp(-m * u[u != 0]))  # the closed form of the docstring
        np.testing.assert_allclose(rates[u != 0], closed)
    np.testing.assert_allclose(alpha_rank(payoff, alpha, m), by_eigenvectors(rates), atol=1e-10)


@given(st.integers(2, 8), st.integers(0, 10**6), st.sampled_from([0.0, 0.3, 0.8]))
@settings(max_examples=60)
def test_the_limit(n: int, seed: int, ties: float) -> None:
    """Infinite alpha by the eigenvectors of its own chain, and as what large alphas come to."""
    payoff = random_game(np.random.default_rng(seed), n, ties)
    limit = alpha_rank(payoff, population=7)
    rates = np.where(payoff.T > 0, 1.0, np.where(payoff.T == 0, 1 / 7, 0.0))
    np.testing.assert_allclose(limit, by_eigenvectors(rates), atol=1e-9)
    smallest = abs(payoff[payoff != 0]).min() if payoff.any() else 1.0
    np.testing.assert_allclose(alpha_rank(payoff, 40 / smallest, 7), limit, atol=1e-9)


def test_who_is_dominated_gets_nothing() -> None:
    payoff = np.zeros((4, 4))
    payoff[:3, :3], payoff[:3, 3], payoff[3, :3] = RPS, 0.1, -0.1
    np.testing.assert_allclose(alpha_rank(payoff), [1 / 3, 1 / 3, 1 / 3, 0], atol=1e-12)
    shares = [alpha_rank(payoff, alpha)[3] for alpha in (0.1, 1, 10, 100)]
    assert shares == sorted(shares, reverse=True) and shares[-1] < 1e-12 < shares[0]


def test_who_beats_all_gets_all() -> None:
    rng = np.random.default_rng(0)
    payoff = random_game(rng, 9)
    payoff[4], payoff[:, 4] = 0.2, -0.2
    payoff[4, 4] = 0
    assert alpha_rank(payoff)[4] == pytest.approx(1)
    ladder = np.sign(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    np.testing.assert_allclose(alpha_rank(ladder), [0, 0, 0, 0, 1])
    np.testing.assert_allclose(alpha_rank(np.zeros((5, 5))), 1 / 5)
    np.testing.assert_allclose(alpha_rank(np.zeros((1, 1))), 1)


def test_a_strength_that_is_tiny_is_still_exact() -> None:
    """Shares far below rounding: two players, one better by u, stand as rho(a, b) to rho(b, a), here e^-(m - 1)u."""
    payoff = np.array([[0.0, -1.0], [1.0, 0.0]])
    for alpha, m in ((5.0, 10), (8.0, 30)):
        u = alpha * m / (m - 1)
        shares = alpha_rank(payoff, alpha, m)
        assert math.log(shares[1] / shares[0]) == pytest.approx((m - 1) * u, rel=1e-12)


@given(st.integers(2, 7), st.integers(0, 10**6))
@settings(max_examples=30)
def test_relabelling(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    payoff, order = random_game(rng, n, ties=0.3), rng.permutation(n)
    for alpha in (2.0, math.inf):
        np.testing.assert_allclose(
            alpha_rank(payoff[np.ix_(order, order)], alpha), alpha_rank(payoff, alpha)[order], atol=1e-10
        )


def test_what_is_refused() -> None:
    for alpha, population in ((0.0, 50), (-1.0, 50), (math.nan, 50), (1.0, 1)):
        with pytest.raises(InputError, match="alpha above 0"):
            alpha_rank(RPS, alpha, population)
    with pytest.raises(InputError, match="zero-sum"):
        alpha_rank(np.array([[2.0, 0], [0, 1]]))
    with pytest.raises(InputError, match="too large"):
        alpha_rank(np.array([[2.0, 0], [0, 1]]), 1e4)
    with pytest.raises(InputError, match="filled"):
        alpha_rank(np.full((2, 2), np.nan))


def test_many_players() -> None:
    payoff = random_game(np.random.default_rng(0), 200, ties=0.1)
    np.testing.assert_allclose(alpha_rank(payoff, 1.0).sum(), 1)
    limit = alpha_rank(payoff)
    rates = np.where(payoff.T > 0, 1.0, np.where(payoff.T == 0, 1 / 50, 0.0)) * (1 - np.eye(200))
    np.testing.assert_allclose(limit @ rates, limit * rates.sum(axis=1), atol=1e-12)  # what comes in goes out
