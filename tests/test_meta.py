"""Meta-solvers: equilibria certified by linear programs, published examples, and what relabelling must not change."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.optimize import linprog, minimize

from arena.ratings.meta import SOLVERS, nash, nash_averaging, project, projected_replicator, uniform
from envs.errors import InputError

Floats = NDArray[np.float64]
Solver = Callable[[Floats], Floats]
RPS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
BIASED = np.array([[0.0, -1, 2], [1, 0, -1], [-2, 1, 0]])


def antisymmetric(upper: NDArray[Any]) -> Floats:
    above = np.triu(upper, 1).astype(np.float64)
    return above - above.T


TIED: st.SearchStrategy[Floats] = st.integers(1, 9).flatmap(
    lambda n: arrays(np.float64, (n, n), elements=st.sampled_from([-1.0, 0.0, 1.0, 2.0])).map(antisymmetric)
)
"""Small whole numbers: many ties, so that equilibria are whole polytopes."""


def logs(rng: np.random.Generator, n: int) -> Floats:
    """Means of 0 to 40 games a pair."""
    games = rng.integers(0, 41, (n, n))
    wins = rng.binomial(games, rng.random((n, n)))
    return antisymmetric(np.where(games > 0, (2 * wins - games) / np.maximum(games, 1), 0.0))


def certify(payoff: Floats, p: Floats) -> None:
    """`p` is an equilibrium, and no equilibrium lies in a direction in which the entropy still grows.

    Entropy is concave, so that is all that a maximum takes; its slope at p is -log p - 1.
    """
    assert (p >= 0).all() and p.sum() == pytest.approx(1, abs=1e-12)
    assert (payoff @ p).max() < 1e-9 * max(abs(payoff).max(), 1)
    slope = -np.log(np.maximum(p, 1e-30))
    best = linprog(-slope, A_ub=payoff, b_ub=np.zeros(len(p)), A_eq=np.ones((1, len(p))), b_eq=[1], method="highs")
    assert best.success
    assert -best.fun <= slope @ p + 1e-5


@given(TIED)
def test_nash_is_the_equilibrium_of_largest_entropy(payoff: Floats) -> None:
    certify(payoff, nash(payoff))


@pytest.mark.parametrize("n", [2, 5, 20, 60, 200])
def test_nash_of_logs_and_of_random_games(n: int) -> None:
    rng = np.random.default_rng(n)
    for payoff in (logs(rng, n), antisymmetric(rng.normal(size=(n, n))), antisymmetric(rng.integers(-1, 2, (n, n)))):
        certify(payoff, nash(payoff))


def test_nash_where_a_bound_is_met() -> None:
    """Of all equilibria over four players that draw, the even one loses to the fifth, so the best lies at the edge.

    Checked against another method of optimisation.
    """
    payoff = np.zeros((5, 5))
    payoff[4, :4] = [3, -1, -1, 0.5]
    payoff[:4, 4] = -payoff[4, :4]
    found = nash(payoff)
    certify(payoff, found)
    other = minimize(
        lambda p: float(p @ np.log(np.maximum(p, 1e-12))),
        np.array([0.1, 0.4, 0.4, 0.1, 0]), bounds=[(1e-12, 1)] * 4 + [(0, 0)], method="SLSQP", tol=1e-12,
        constraints=[{"type": "eq", "fun": lambda p: p.sum() - 1}, {"type": "ineq", "fun": lambda p: -payoff[4] @ p}],
    )  # fmt: skip
    assert other.success and payoff[4] @ found == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found, other.x, atol=1e-5)


@pytest.mark.parametrize(
    ("payoff", "expected"),
    [
        (RPS, [1 / 3, 1 / 3, 1 / 3]),
        (BIASED, [1 / 4, 1 / 2, 1 / 4]),
        (4.6 * RPS, [1 / 3, 1 / 3, 1 / 3]),
        (np.zeros((4, 4)), [1 / 4] * 4),
        (np.zeros((1, 1)), [1]),
        (np.array([[0.0, 0.01], [-0.01, 0]]), [1, 0]),
        (np.array([[0.0, 0, 1], [0, 0, 0], [-1, 0, 0]]), [1 / 2, 1 / 2, 0]),
    ],
)
def test_known_equilibria(payoff: Floats, expected: list[float]) -> None:
    np.testing.assert_allclose(nash(payoff), expected, atol=1e-10)


@given(TIED, st.data())
def test_copies_share_the_mass_of_one(payoff: Floats, data: st.DataObject) -> None:
    """Balduzzi et al. (2018): copies of an agent change nothing but how its own mass is split, evenly.

    With scissors twice, rock-paper-scissors has (1/3, 1/3, 1/6, 1/6). With several equilibria the entropy of the
    split counts too, so the theorem is about the one-equilibrium case; the even split holds in all.
    """
    which = data.draw(st.integers(0, len(payoff) - 1))
    rows = [*range(len(payoff)), which]
    p = nash(payoff[np.ix_(rows, rows)])
    assert p[-1] == pytest.approx(p[which], abs=1e-8)
    rows = [0, 1, 2, 2]
    np.testing.assert_allclose(nash(RPS[np.ix_(rows, rows)]), [1 / 3, 1 / 3, 1 / 6, 1 / 6], atol=1e-10)


def test_copies_change_nobodys_skill() -> None:
    rng = np.random.default_rng(0)
    payoff = antisymmetric(rng.normal(size=(7, 7)))
    rows = [0, 1, 2, 3, 4, 5, 6, 3, 3, 5]
    twice = payoff[np.ix_(rows, rows)]
    np.testing.assert_allclose(nash_averaging(twice), nash_averaging(payoff)[rows], atol=1e-9)
    assert nash(twice)[[3, 7, 8]].sum() == pytest.approx(nash(payoff)[3], abs=1e-9)


@pytest.mark.parametrize("name", SOLVERS)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 8))
@settings(max_examples=15)
def test_relabelling_relabels(name: str, seed: int, n: int) -> None:
    few: dict[str, Solver] = {**SOLVERS, "projected-replicator": partial(projected_replicator, steps=300)}
    solver = few[name]
    rng = np.random.default_rng(seed)
    payoff, order = logs(rng, n), rng.permutation(n)
    found = solver(payoff)
    assert (found >= 0).all() and found.sum() == pytest.approx(1)
    np.testing.assert_allclose(solver(payoff[np.ix_(order, order)]), found[order], atol=1e-6)


@pytest.mark.parametrize("name", SOLVERS)
def test_solvers_know_rock_paper_scissors(name: str) -> None:
    np.testing.assert_allclose(SOLVERS[name](RPS), 1 / 3, atol=1e-9)


@pytest.mark.parametrize("name", ["nash", "alpha-rank", "projected-replicator"])
def test_who_loses_to_everybody_is_not_played(name: str) -> None:
    payoff = np.zeros((4, 4))
    payoff[:3, :3], payoff[:3, 3], payoff[3, :3] = RPS, 0.5, -0.5
    found = SOLVERS[name](payoff)
    np.testing.assert_allclose(found[:3], 1 / 3, atol=0.01)
    assert found[3] < 0.01


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_do_not_matter(scale: float) -> None:
    rng = np.random.default_rng(3)
    payoff = logs(rng, 12)
    for solver in (nash, projected_replicator, uniform):
        np.testing.assert_allclose(solver(payoff * scale), solver(payoff), atol=1e-9)


@pytest.mark.parametrize("n", [3, 10, 40])
def test_replicators_average_to_an_equilibrium(n: int) -> None:
    rng = np.random.default_rng(n)
    payoff = antisymmetric(rng.uniform(-1, 1, (n, n)))
    free = projected_replicator(payoff, exploration=0.0)
    assert (payoff @ free).max() < 0.01
    held = projected_replicator(payoff, exploration=0.1)
    assert held.min() >= 0.1 / n - 1e-12
    assert (payoff @ held).max() < 0.12
    np.testing.assert_allclose(projected_replicator(payoff, exploration=1.0, steps=3), 1 / n)
    np.testing.assert_allclose(projected_replicator(BIASED, exploration=0.0), nash(BIASED), atol=0.01)


@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(0.001, 1)), st.floats(0, 1))
def test_projection_to_the_nearest_distribution(shares: Floats, exploration: float) -> None:
    """Of relative entropy sum q log(q / p), convex in q: no corner of the set lies downhill from the nearest point."""
    floor = exploration / len(shares)
    nearest = shares.copy()
    project(nearest, floor)
    assert nearest.sum() == pytest.approx(1) and (nearest >= floor - 1e-12).all()
    corners = floor + (1 - exploration) * np.eye(len(shares))
    slope = np.log(np.maximum(nearest, 1e-300) / shares)
    assert ((corners - nearest) @ slope).min() > -1e-9


def test_nash_averaging() -> None:
    """0 for whom the equilibrium plays, below for others (Balduzzi et al. 2018)."""
    payoff = np.zeros((4, 4))
    payoff[:3, :3], payoff[:3, 3], payoff[3, :3] = RPS, [0.2, 0.5, 0.8], [-0.2, -0.5, -0.8]
    np.testing.assert_allclose(nash_averaging(payoff), [0, 0, 0, -0.5], atol=1e-10)


def test_what_is_refused() -> None:
    for zero_sum in (nash, nash_averaging):
        with pytest.raises(InputError, match="zero-sum"):
            zero_sum(np.array([[0.0, 1], [1, 0]]))
    for solver in SOLVERS.values():
        with pytest.raises(InputError, match="filled"):
            solver(np.array([[0.0, np.nan], [np.nan, 0]]))
        with pytest.raises(InputError, match="columns"):
            solver(np.zeros((0, 0)))
    wrong: list[dict[str, Any]] = [
        {"exploration": 2.0},
        {"exploration": float("nan")},
        {"rate": 0.0},
        {"rate": 0.6},
        {"steps": 0},
    ]
    for setting in wrong:
        with pytest.raises(InputError, match="exploration"):
            projected_replicator(RPS, **setting)
