"""Exact values, best responses and exploitability: against brute force over all pure strategies, and published ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import envs
from agents.heads import Q
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from arena.equilibrium import (
    Tree,
    best_response,
    exploitability,
    meta_game,
    mixture,
    nash_conv,
    policy_strategy,
    profile,
    strategy,
    tree_of,
    uniform,
    value,
)
from arena.match import match
from arena.ratings.meta import nash
from envs.core import Array, Bools
from envs.errors import InputError
from tests.kuhn_theory import LINES, Place, equilibrium, won

Floats = NDArray[np.float64]
KUHN, RPS, BIASED = "KuhnPoker-v0", "RockPaperScissors-v0", "BiasedRockPaperScissors-v0"


@cache
def tree(id: str) -> Tree:
    return tree_of(id)


def place_of(obs: Array) -> Place:
    bits = obs.astype(int).tolist()
    return Place(bits[:3].index(1), bool(bits[3]), sum(bit << at for at, bit in enumerate(bits[4:])))


def from_theory(bets: Mapping[Place, float]) -> Floats:
    """The strategy that bets with these probabilities."""

    def decide(obs: Array, legal: Bools) -> Floats:
        chance = np.array([bets[place_of(row)] for row in obs])
        return np.stack([1 - chance, chance], axis=1)

    return strategy(tree(KUHN), decide)


def random_bets(rng: np.random.Generator) -> dict[Place, float]:
    return {place: float(rng.choice([0, 1, rng.random()])) for place in equilibrium(0)}


def line_chance(first: int, second: int, line: str, one: Mapping[Place, float], two: Mapping[Place, float]) -> float:
    """How likely the seats' own choices make a line of betting; `one` sits first."""
    history, chance = 0, 1.0
    for turn, move in enumerate(line):
        bets = (one, two)[turn % 2][Place((first, second)[turn % 2], turn % 2 == 1, history)]
        chance *= bets if move == "b" else 1 - bets
        history += (1, 2, 4, 8)[2 * (turn % 2) + "pb".index(move)]
    return chance


def expected(one: Mapping[Place, float], two: Mapping[Place, float]) -> float:
    """What the first seat wins on average, by the rules of `kuhn_theory` alone."""
    return sum(
        line_chance(first, second, line, one, two) * won(first, second, line) / 6
        for first, second in permutations(range(3), 2)
        for line in LINES
    )


def pure(second: bool) -> list[dict[Place, float]]:
    """All 64 pure strategies of a seat."""
    places = [place for place in equilibrium(0) if place.second == second]
    return [dict(zip(places, map(float, bets), strict=True)) for bets in product((0, 1), repeat=6)]


def brute(bets: Mapping[Place, float]) -> tuple[float, float]:
    """The most that the first seat, and the second, can get against `bets`."""
    return max(expected(one, bets) for one in pure(False)), max(-expected(bets, two) for two in pure(True))


def test_the_tree_of_kuhn_poker() -> None:
    found = tree(KUHN)
    assert len(found.seat) == 12 and (found.seat == 0).sum() == 6 and len(found.chance) == 30
    assert {place_of(obs) for obs in found.obs} == set(equilibrium(0))
    assert found.legal.all()
    assert sorted(map(tuple, found.score.tolist())) == sorted(
        (float(w), float(-w)) for a, b in permutations(range(3), 2) for line in LINES for w in [won(a, b, line)]
    )


@pytest.mark.parametrize("seed", range(6))
def test_against_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = random_bets(rng), random_bets(rng)
    mine, theirs = from_theory(one), from_theory(two)
    both = profile(tree(KUHN), (mine, theirs))
    assert value(tree(KUHN), both) == pytest.approx([expected(one, two), -expected(one, two)], abs=1e-12)
    first, second = brute(one)
    replies = [best_response(tree(KUHN), mine, seat) for seat in (0, 1)]
    assert [worth for worth, _ in replies] == pytest.approx([first, second], abs=1e-12)
    assert exploitability(tree(KUHN), mine) == pytest.approx((first + second) / 2, abs=1e-12)
    assert nash_conv(tree(KUHN), mine) == pytest.approx(first + second, abs=1e-12)
    for seat, (worth, reply) in enumerate(replies):
        assert value(tree(KUHN), reply)[seat] == pytest.approx(worth, abs=1e-12)
        own = tree(KUHN).seat == seat
        assert set(np.unique(reply[own])) <= {0.0, 1.0} and (reply[~own] == mine[~own]).all()


def test_uniform_play() -> None:
    """11/24: worth 1/8 to the first seat, and the best replies win 1/2 and 5/12."""
    bets = dict.fromkeys(equilibrium(0), 0.5)
    even = uniform(tree(KUHN))
    np.testing.assert_array_equal(even, from_theory(bets))
    assert brute(bets) == pytest.approx((1 / 2, 5 / 12))
    assert exploitability(tree(KUHN), even) == pytest.approx(11 / 24, abs=1e-12)
    assert value(tree(KUHN), even) == pytest.approx([1 / 8, -1 / 8], abs=1e-12)
    assert exploitability(tree(RPS), uniform(tree(RPS))) == pytest.approx(0, abs=1e-15)
    assert exploitability(tree(BIASED), uniform(tree(BIASED))) == pytest.approx(1 / 3)


@pytest.mark.parametrize("alpha", [0, 0.1, 0.25, 1 / 3])
def test_the_known_equilibria(alpha: float) -> None:
    known = from_theory(equilibrium(alpha))
    assert value(tree(KUHN), known) == pytest.approx([-1 / 18, 1 / 18], abs=1e-15)
    assert exploitability(tree(KUHN), known) == pytest.approx(0, abs=1e-15)


def test_beyond_the_family_there_is_something_to_exploit() -> None:
    bets = equilibrium(1 / 3)
    greedier = {place: min(1.0, chance + 0.1 * (place.card == 0)) for place, chance in bets.items()}
    assert exploitability(tree(KUHN), from_theory(greedier)) > 0.005


@pytest.mark.parametrize(("id", "shares"), [(RPS, [1 / 3, 1 / 3, 1 / 3]), (BIASED, [1 / 4, 1 / 2, 1 / 4])])
def test_matrix_games(id: str, shares: list[float]) -> None:
    game = tree(id)
    assert len(game.seat) == 2 and len(game.chance) == 9
    known = strategy(game, lambda obs, legal: np.tile(shares, (len(obs), 1)))
    assert exploitability(game, known) == pytest.approx(0, abs=1e-15)
    rock = strategy(game, lambda obs, legal: np.eye(3)[[0, 0]])
    assert exploitability(game, rock) == 1
    assert best_response(game, rock, 1)[1].tolist() == [[1, 0, 0], [0, 1, 0]]


def test_a_game_that_is_not_zero_sum() -> None:
    """The prisoner's dilemma: who cooperates could have 5 instead of 3; mutual defection is an equilibrium worth 1."""
    game = tree_of(RPS, {"payoff": ((3.0, 0.0), (5.0, 1.0))})
    cooperate, defect = np.eye(2)[[0, 0]], np.eye(2)[[1, 1]]
    assert (nash_conv(game, cooperate), exploitability(game, cooperate)) == (4.0, 2.0)
    assert value(game, defect).tolist() == [1.0, 1.0] and nash_conv(game, defect) == 0
    assert value(game, profile(game, (cooperate, defect))).tolist() == [0.0, 5.0]


@pytest.mark.parametrize("id", ["SlimeVolley-v0", "CartPole-v1", "Incomplete:KuhnPoker-v0"])
def test_larger_games_are_refused(id: str) -> None:
    with pytest.raises(InputError, match="too large"):
        tree_of(id)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda w: sum(w) > 0.01), st.integers(0, 10**6))
def test_a_mixture_plays_like_its_members_drawn_by_weight(weights: list[float], seed: int) -> None:
    """Against anybody, in either seat, its score is the mean of theirs."""
    rng = np.random.default_rng(seed)
    game = tree(KUHN)
    members = [from_theory(random_bets(rng)) for _ in range(3)]
    mixed, anybody = mixture(game, members, weights), from_theory(random_bets(rng))
    assert np.allclose(mixed.sum(axis=1), 1) and (mixed >= 0).all()
    for seats in ((0, 1), (1, 0)):
        worth = [
            value(game, profile(game, [(one, anybody)[at] for at in seats]))[seats[0]] for one in (*members, mixed)
        ]
        assert worth[3] == pytest.approx(np.average(worth[:3], weights=weights), abs=1e-9)


def test_a_mixture_is_not_the_mean_of_probabilities() -> None:
    """After a pass, a member that always bets the jack is not there any more."""
    always, never = (from_theory(dict.fromkeys(equilibrium(0), chance)) for chance in (1.0, 0.0))
    mixed = mixture(tree(KUHN), [always, never], [1, 1])
    places = [place_of(obs) for obs in tree(KUHN).obs]
    assert mixed[places.index(Place(0, False, 0))].tolist() == [0.5, 0.5]
    assert mixed[places.index(Place(0, False, 9))].tolist() == [1.0, 0.0]
    np.testing.assert_allclose(mixture(tree(KUHN), [always, never], [0, 5]), never)


def test_pure_members_can_mix_to_an_equilibrium() -> None:
    members = [np.eye(3)[[choice, choice]] for choice in range(3)]
    assert all(exploitability(tree(BIASED), each) >= 1 for each in members)
    assert exploitability(tree(BIASED), mixture(tree(BIASED), members, [1, 2, 1])) == pytest.approx(0, abs=1e-15)


def test_the_table_of_who_meets_whom() -> None:
    """Entry by entry; zero-sum; and a population mixed by its Nash equilibrium is exploited by none of its members."""
    rng = np.random.default_rng(0)
    bets = [random_bets(rng) for _ in range(6)]
    members = [from_theory(each) for each in bets]
    table = meta_game(tree(KUHN), members)
    for row, one in enumerate(bets):
        for column, two in enumerate(bets):
            assert table[row, column] == pytest.approx((expected(one, two) - expected(two, one)) / 2, abs=1e-12)
    np.testing.assert_allclose(table, -table.T, atol=1e-15)
    mixed = mixture(tree(KUHN), members, nash(table))
    assert meta_game(tree(KUHN), [mixed, *members])[1:, 0].max() < 1e-9
    np.testing.assert_allclose(
        meta_game(tree(RPS), [np.eye(3)[[at, at]] for at in range(3)]), [[0, -1, 1], [1, 0, -1], [-1, 1, 0]]
    )


def test_policy_space_response_oracles_come_to_the_equilibrium() -> None:
    """Lanctot et al. (2017) with exact replies: from one bad player to exploitability below 1e-9, in Kuhn poker and in
    rock-paper-scissors, where replying to the latest player alone goes round for ever."""
    for id in (KUHN, RPS, BIASED):
        game = tree(id)
        members = [best_response(game, uniform(game), 0)[1]]
        latest = members[0]
        for _ in range(30):
            mixed = mixture(game, members, nash(meta_game(game, members)))
            members.append(reply_in_both_seats(game, mixed))
            latest = reply_in_both_seats(game, latest)
        assert exploitability(game, mixed) < 1e-9
        assert exploitability(game, latest) > 0.15


def reply_in_both_seats(game: Tree, strategy_: Floats) -> Floats:
    return profile(game, [best_response(game, strategy_, seat)[1] for seat in (0, 1)])


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0], [-1.0, 2.0], [float("nan"), 1.0]])
def test_weights_that_are_no_shares(weights: list[float]) -> None:
    with pytest.raises(InputError, match="shares"):
        mixture(tree(RPS), [uniform(tree(RPS))] * 2, weights)


def test_strategies_that_are_none() -> None:
    for wrong in (np.ones((12, 2)), np.tile([1.5, -0.5], (12, 1)), np.full((12, 2), np.nan)):
        with pytest.raises(InputError, match="add up to 1"):
            strategy(tree(KUHN), lambda obs, legal, wrong=wrong: wrong)  # type: ignore[misc]
    with pytest.raises(InputError, match="shape"):
        strategy(tree(KUHN), lambda obs, legal: np.ones((12, 3)) / 3)
    with pytest.raises(InputError, match="one for each seat"):
        profile(tree(KUHN), [uniform(tree(KUHN))])


def network(id: str, seed: int = 0, head: Any = None, **config: Any) -> Policy:
    """A policy with weights far from 0, so that it has opinions."""
    spec = envs.make(id).spec
    torch.manual_seed(seed)
    policy = Policy(spec.observation_spaces[0], spec.action_spaces[0], PolicyConfig(hidden=(8,), **config), head)
    with torch.no_grad():
        for weight in policy.parameters():
            weight.add_(torch.randn_like(weight))
    return policy


@pytest.mark.parametrize("core", ["none", "gru", "lstm"])
@pytest.mark.parametrize("id", [KUHN, BIASED])
def test_a_policy_scores_in_matches_what_its_strategy_is_worth(id: str, core: str) -> None:
    """With memory too: 4 standard errors of 6,000 games against another network."""
    policies = [network(id, seed, core=core, **({"core_width": 4} if core != "none" else {})) for seed in (0, 1)]
    one, two = (policy_strategy(tree(id), policy) for policy in policies)
    worth = [float(value(tree(id), profile(tree(id), pair))[0]) for pair in ((one, two), (two, one))]
    players = [PolicyPlayer(policy, name) for policy, name in zip(policies, "ab", strict=True)]
    results = match(id, {}, players, games=12_000, seed=3)
    for first, expected_score in zip("ab", worth, strict=True):
        scores = [result.score[0] for result in results if result.players[0] == first]
        assert abs(np.mean(scores) - expected_score) < 4 * np.std(scores) / len(scores) ** 0.5 < 0.2
    assert exploitability(tree(id), one) > 0.01


def test_greedy_policies() -> None:
    policy = network(KUHN)
    free, greedy = policy_strategy(tree(KUHN), policy), policy_strategy(tree(KUHN), policy, greedy=True)
    np.testing.assert_array_equal(greedy.argmax(axis=1), free.argmax(axis=1))
    assert set(np.unique(greedy)) == {0.0, 1.0} and (free > 0).all()


def test_action_values_are_strategies_too() -> None:
    policy = network(KUHN, head=Q())
    greedy = policy_strategy(tree(KUHN), policy, greedy=True)
    np.testing.assert_allclose(policy_strategy(tree(KUHN), policy), greedy)
    policy.head.epsilon.fill_(0.2)  # type: ignore[operator]
    np.testing.assert_allclose(policy_strategy(tree(KUHN), policy), 0.8 * greedy + 0.1, atol=1e-6)


def test_policies_without_a_strategy_here() -> None:
    with pytest.raises(InputError, match=r"policy\.hold = 2"):
        policy_strategy(tree(KUHN), network(KUHN, hold=2))
    with pytest.raises(InputError, match="another game"):
        policy_strategy(tree(KUHN), network(RPS))
    wide = Policy(spaces.Box(0, 1, (8,)), spaces.Discrete(3), PolicyConfig(hidden=(4,)))
    with pytest.raises(InputError, match="another game"):
        policy_strategy(tree(KUHN), wide)
