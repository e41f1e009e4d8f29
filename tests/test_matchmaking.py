"""Matchmaking: who trains against whom, as closed forms of payoff and ratings."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import chisquare

from arena.league import matchmaking
from arena.league.matchmaking import BRANCHES, PRIOR, MatchmakingConfig, Past, View, draw, mixture, win_probability
from arena.ratings.payoff import Payoff
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings

BETA = TrueSkillSettings().beta
MEANS = st.floats(-50, 80)
ERRORS = st.floats(0, 9)
PAST = (
    Past("bot", "bot", "anchor"),
    Past("me:0", "me", "main"),
    Past("you:0", "you", "main"),
    Past("eve:0", "eve", "main-exploiter"),
    Past("me:1", "me", "main"),
    Past("you:1", "you", "main"),
)
CONFIG = MatchmakingConfig(mirror=1.0)


def payoff(margins: Mapping[tuple[str, str], float], games: int = 100) -> Payoff:
    """Every pair of `margins` met `games` times and one won (wins - losses) / games of them."""
    names = tuple(dict.fromkeys(name for pair in margins for name in pair))
    met, total = np.zeros((len(names), len(names)), np.int64), np.zeros((len(names), len(names)))
    for (a, b), margin in margins.items():
        i, j = names.index(a), names.index(b)
        met[i, j] = met[j, i] = games
        total[i, j], total[j, i] = games * margin, -games * margin
    return Payoff(names, "win", met, total, np.asarray(met, np.float64))


def view(
    margins: Mapping[tuple[str, str], float] | None = None,
    ratings: Mapping[str, float] | None = None,
    newest: str = "me:1",
    games: int = 100,
) -> View:
    """What "me" sees of PAST."""
    table = payoff(margins or {}, games)
    known = {name: Rating(mean, 1.0, 50) for name, mean in (ratings or {}).items()}
    own = [one.name for one in PAST if one.member == "me"]
    return View("me", newest, PAST, table, table, known, own)


def weights(name: str, seen: View, config: MatchmakingConfig = CONFIG) -> dict[str, float]:
    """What a branch gives everybody that it chooses from."""
    chosen = seen if name == "anchors" else seen.only(config.against)
    given = BRANCHES[name](chosen, config)
    return dict(zip(chosen.names, given.tolist(), strict=True))


@given(MEANS, ERRORS, MEANS, ERRORS)
def test_win_probability(a: float, a_error: float, b: float, b_error: float) -> None:
    """Two performances differ like the skills do, give or take both players' noise and both estimates' errors."""
    one, other = Rating(a, a_error, 1), Rating(b, b_error, 1)
    difference = NormalDist(a - b, (2 * BETA**2 + a_error**2 + b_error**2) ** 0.5)
    assert win_probability(one, other) == pytest.approx(1 - difference.cdf(0), abs=1e-12)
    assert win_probability(one, other) + win_probability(other, one) == pytest.approx(1)


def test_a_lead_of_beta() -> None:
    sure = [Rating(25 + BETA, 0, 100), Rating(25, 0, 100)]
    assert win_probability(*sure) == pytest.approx(NormalDist().cdf(0.5**0.5))  # 76 %


def test_chances_are_games_and_ratings_together() -> None:
    """30 wins, 10 losses and no draws are a margin of 1/2 in 40 games."""
    seen = view({("me:1", "you:0"): 0.5}, {"me:1": 25, "you:0": 40, "you:1": 25}, games=40)
    chances = dict(zip(seen.names, seen.wins.tolist(), strict=True))
    foreseen = win_probability(Rating(25, 1.0, 50), Rating(40, 1.0, 50))
    assert chances["you:0"] == pytest.approx((30 + PRIOR * foreseen) / (40 + PRIOR))
    assert chances["you:1"] == pytest.approx(0.5)  # never met, rated alike
    assert chances["eve:0"] == 0.5  # nothing is known


def test_latest_is_the_newest_of_the_others() -> None:
    assert weights("latest", view()) == {"me:0": 0, "you:0": 0, "eve:0": 1, "me:1": 0, "you:1": 1}
    mains = MatchmakingConfig(latest=1, against=("main",))
    assert weights("latest", view(), mains) == {"me:0": 0, "you:0": 0, "me:1": 0, "you:1": 1}


def test_branches_that_only_count() -> None:
    everybody = ["me:0", "you:0", "eve:0", "me:1", "you:1"]
    assert weights("uniform", view()) == dict.fromkeys(everybody, 1.0)
    assert weights("early", view()) == {name: 1 / place for place, name in enumerate(everybody, start=1)}
    newest = MatchmakingConfig(window=1, window_size=2)
    assert weights("window", view(), newest) == dict.fromkeys(everybody, 0.0) | {"me:1": 1.0, "you:1": 1.0}
    half = MatchmakingConfig(delta=1, delta_oldest=0.5)
    assert weights("delta", view(), half) == dict.fromkeys(everybody, 1.0) | {"me:0": 0.0, "you:0": 0.0}
    almost = MatchmakingConfig(delta=1, delta_oldest=0.99)
    assert weights("delta", view(), almost) == dict.fromkeys(everybody, 0.0) | {"you:1": 1.0}
    assert weights("anchors", view()) == dict.fromkeys(everybody, 0.0) | {"bot": 1.0}


def test_prioritised_fictitious_self_play() -> None:
    """Vinyals et al. (2019): f_hard = (1 - x)^p, f_var = x (1 - x)."""
    seen = view({("me:1", "you:0"): 0.6, ("me:1", "you:1"): -0.2})
    x = dict(zip(seen.only(()).names, seen.only(()).wins.tolist(), strict=True))
    assert x["you:0"] > 0.75 > 0.5 > x["you:1"]
    for power in (1.0, 2.0, 3.5):
        hard = weights("hard", seen, MatchmakingConfig(hard=1, power=power))
        assert hard == pytest.approx({name: (1 - chance) ** power for name, chance in x.items()})
    assert weights("even", seen) == pytest.approx({name: chance * (1 - chance) for name, chance in x.items()})


def test_close_in_rating() -> None:
    seen = view(ratings={"me:1": 25, "you:0": 21, "you:1": 33})
    config = MatchmakingConfig(close=1, close_width=4)
    assert weights("close", seen, config) == pytest.approx(
        {"me:0": 0, "you:0": np.exp(-1), "eve:0": 0, "me:1": 1, "you:1": np.exp(-4)}
    )
    assert not any(weights("close", view(), config).values())  # the learner is not rated itself


@pytest.mark.parametrize("name", ["nash", "replicator", "alpha_rank"])
def test_meta_strategies_play_a_cycle_alike_and_nothing_dominated(name: str) -> None:
    trio = [("me:1", "you:0"), ("you:0", "eve:0"), ("eve:0", "me:1")]
    beaten = [("me:1", "me:0"), ("you:0", "me:0"), ("eve:0", "me:0")]
    beaten += [(strong, "you:1") for strong in ("me:1", "you:0", "eve:0")]
    found = weights(name, view(dict.fromkeys((*trio, *beaten), 0.8), games=10_000))
    for strong in ("me:1", "you:0", "eve:0"):
        assert found[strong] == pytest.approx(1 / 3, abs=0.01)
    assert found["me:0"] + found["you:1"] < 0.02


@pytest.mark.parametrize("name", ["nash", "replicator"])
def test_meta_strategies_are_after_scores_not_wins(name: str) -> None:
    """In rock-paper-scissors where a win with rock is worth 2, paper is played half of the time."""
    rock, paper, scissors = "me:0", "you:0", "eve:0"
    pairs = {(paper, rock): 1.0, (scissors, paper): 1.0, (rock, scissors): 2.0}
    wins = payoff(dict.fromkeys(pairs, 1.0), 100_000)
    past = [one for one in PAST if one.name in (rock, paper, scissors)]
    found = weights(name, View("me", rock, past, wins, payoff(pairs, 100_000)))
    assert found == pytest.approx({rock: 0.25, paper: 0.5, scissors: 0.25}, abs=0.01)


def test_forgotten_are_those_once_beaten_and_lost_to_now() -> None:
    margins = {
        ("me:0", "you:0"): 0.5, ("me:1", "you:0"): -0.5,  # beaten once, and now lost to
        ("me:0", "eve:0"): -0.5, ("me:1", "eve:0"): -0.5,  # never beaten
        ("me:0", "you:1"): 0.5, ("me:1", "you:1"): 0.5,  # still beaten
    }  # fmt: skip
    found = weights("forgotten", view(margins))
    assert found["you:0"] > 0.4
    assert [name for name, weight in found.items() if weight] == ["you:0"]


def test_what_was_beaten_is_known_of_snapshots_that_are_not_looked_for() -> None:
    """Who only looks for exploiters has its own past in mind all the same."""
    margins = {("me:0", "eve:0"): 0.5, ("me:1", "eve:0"): -0.5}
    config = MatchmakingConfig(forgotten=1, against=("main-exploiter",))
    mirror, share = mixture(config, view(margins))
    assert mirror == 0 and dict(zip(view().names, share.tolist(), strict=True))["eve:0"] == 1


def test_a_mixture_is_what_its_branches_give() -> None:
    config = MatchmakingConfig(mirror=1, uniform=2, anchors=1)
    mirror, share = mixture(config, view())
    assert mirror == 0.25
    assert dict(zip(view().names, share.tolist(), strict=True)) == pytest.approx(
        {"bot": 0.25, "me:0": 0.1, "you:0": 0.1, "eve:0": 0.1, "me:1": 0.1, "you:1": 0.1}
    )


@pytest.mark.parametrize("name", sorted(set(BRANCHES) - {"anchors"}))
def test_anchors_are_met_only_where_it_is_asked_for(name: str) -> None:
    seen = view({("bot", "me:1"): 1.0, ("bot", "you:1"): 1.0}, {"me:1": 25, "bot": 25})
    mirror, share = mixture(MatchmakingConfig.model_validate({name: 1.0}), seen)
    assert share[0] == 0
    assert mirror + share.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", sorted(BRANCHES))
def test_a_branch_without_anybody_leaves_its_share_to_the_mirror(name: str) -> None:
    empty = View("me", "me:0", [], payoff({}), payoff({}))
    mirror, share = mixture(MatchmakingConfig.model_validate({"mirror": 1, name: 3}), empty)
    assert mirror == 1.0 and len(share) == 0


@pytest.mark.parametrize("name", sorted(BRANCHES))
def test_relabelling_relabels(name: str) -> None:
    """Who is who does not matter, but for the order in time and for the roles."""
    margins = {("me:1", "you:0"): 0.3, ("you:1", "me:1"): 0.4, ("me:0", "you:1"): 0.2, ("eve:0", "you:0"): 0.1}
    seen = view(margins, {"me:1": 25, "you:0": 22, "you:1": 29, "eve:0": 24, "me:0": 20})
    new = {"you": "zoe", "eve": "abe", "me": "kim", "bot": "bot"}

    def called(player: str) -> str:
        member, colon, step = player.partition(":")
        return new[member] + colon + step

    table = payoff({(called(a), called(b)): margin for (a, b), margin in margins.items()})
    past = [Past(called(one.name), new[one.member], one.role) for one in PAST]
    ratings = {called(player): rating for player, rating in seen.ratings.items()}
    other = View("kim", "kim:1", past, table, table, ratings, [called(player) for player in seen.own])
    config = MatchmakingConfig.model_validate({name: 1.0})
    assert mixture(config, other)[1] == pytest.approx(mixture(config, seen)[1], abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda some: sum(some) > 0.01), st.integers(1, 14))
def test_a_draw_is_bounded_and_keeps_the_whole(share: list[float], count: int) -> None:
    given_shares = np.array(share) / 2 / sum(share)
    drawn = draw(given_shares, count, np.random.default_rng(0))
    assert len(drawn) <= count
    assert sum(drawn.values()) == pytest.approx(0.5)
    assert all(given_shares[place] > 0 for place in drawn)
    if np.count_nonzero(given_shares) <= count:
        assert drawn == {place: value for place, value in enumerate(given_shares.tolist()) if value}


def test_a_draw_is_true_to_the_shares() -> None:
    share, rng = np.array([0.05, 0.4, 0.1, 0.25, 0.2]), np.random.default_rng(0)
    counts = np.zeros(5)
    for _ in range(4000):
        for place, part in draw(share, 2, rng).items():
            counts[place] += 2 * part
    assert counts.sum() == 8000
    assert chisquare(counts, share * 8000).pvalue > 1e-3


def test_a_run_file_must_give_somebody_a_share() -> None:
    with pytest.raises(ValidationError, match="all shares are 0"):
        MatchmakingConfig()
    assert set(CONFIG.shares()) == {"mirror", *BRANCHES}
    assert matchmaking.BRANCHES.keys() <= MatchmakingConfig.model_fields.keys()


@pytest.mark.parametrize("branch", ["nash", "replicator", "alpha_rank"])
def test_of_many_players_the_best_are_solved_for(branch: str) -> None:
    """The others get nothing; who has no rating yet counts as one of the best."""
    circle = {("me:0", "you:0"): 0.9, ("you:0", "eve:0"): 0.9, ("eve:0", "me:0"): 0.9, ("you:1", "me:0"): 0.5}
    rated = {"me:0": 30.0, "you:0": 29.0, "eve:0": 28.0, "me:1": 5.0, "you:1": 6.0, "bot": 90.0}
    seen = view(circle, rated)
    some = mixture(MatchmakingConfig(**{branch: 1.0}, solve_most=3), seen)[1]
    by_name = dict(zip(seen.names, some, strict=True))
    assert by_name["me:1"] == by_name["you:1"] == by_name["bot"] == 0
    assert [by_name[name] for name in ("me:0", "you:0", "eve:0")] == pytest.approx([1 / 3] * 3, abs=0.01)
    fresh = view(circle, {name: mean for name, mean in rated.items() if name != "you:1"})
    other = dict(zip(seen.names, mixture(MatchmakingConfig(**{branch: 1.0}, solve_most=3), fresh)[1], strict=True))
    assert other["you:1"] > 0 == other["eve:0"]
    whole = mixture(MatchmakingConfig(**{branch: 1.0}), seen)[1]
    np.testing.assert_array_equal(whole, mixture(MatchmakingConfig(**{branch: 1.0}, solve_most=5), seen)[1])
