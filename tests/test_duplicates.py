"""Duplicates: players who cannot change sides are compared where they had the same task."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.league.history import changes_sides, compared, parts
from arena.ratings.duplicates import Duplicate, duplicates
from arena.ratings.games import games_of
from arena.ratings.raters import RATERS
from arena.ratings.trueskill import rate
from arena.result import Result, summarise
from envs.core import EnvSpec
from tests.histories import game
from tests.parlours import GAMES, Parlour

SPECS: dict[str, EnvSpec] = {id: Parlour(id, 1).spec for id in GAMES}
HUNT, MEET, LONELY, PAIRS = SPECS.values()


def hunt(hunter: str, deer: str, score: float, seed: int = 0) -> Result:
    """Two hunters, who share what the deer loses."""
    return game([hunter, hunter, deer], [score / 2, score / 2, -score], seed)


def alone(name: str, score: float, seed: int = 0) -> Result:
    return game([name, name], [score, score], seed)


def found(results: list[Result]) -> list[tuple[tuple[str, ...], tuple[float, ...], int]]:
    return [(one.players, one.score, one.seed) for one in duplicates(results)]


def test_predators_and_prey() -> None:
    """Who met the same others on the same seed is compared, with the mean over its seats."""
    log = [
        hunt("orion:0", "bambi:0", 2, seed=5),
        hunt("orion:9", "bambi:0", 6, seed=5),  # two hunters, one deer
        hunt("orion:9", "bambi:9", 1, seed=5),  # and two deer, one hunter
        hunt("orion:0", "bambi:9", 3, seed=6),  # nobody had this before
        hunt("orion:9", "bambi:9", 4, seed=6),
    ]
    assert found(log) == [
        (("orion:9", "orion:0"), (3.0, 1.0), 5),
        (("bambi:9", "bambi:0"), (-1.0, -6.0), 5),
        (("orion:9", "orion:0"), (2.0, 1.5), 6),
    ]


def test_teams_that_play_alone() -> None:
    """Everybody with one of those before on the same seed, whom the seed picks."""
    log = [alone(name, score, seed) for seed in (1, 2) for name, score in (("a", 3), ("b", 1), ("c", 3))]
    assert found(log) == [
        (("b", "a"), (1, 3), 1), (("c", "b"), (3, 1), 1), (("b", "a"), (1, 3), 2), (("c", "a"), (3, 3), 2),
    ]  # fmt: skip


def test_other_seats_or_mates_are_another_task() -> None:
    assert found([game(["a", "x", "y"], [1, 0, 0]), game(["b", "y", "x"], [2, 0, 0])]) == []
    assert found([game(["a", "x", "x"], [1, 0, 0]), game(["x", "a", "x"], [2, 0, 0])]) == []
    assert found([game(["a", "x"], [1, 0], 1), game(["b", "x"], [2, 0], 2)]) == []


def test_who_has_the_same_task_again_has_its_last_score() -> None:
    log = [alone("a", 1), alone("a", 5), alone("b", 3)]
    assert found(log) == [(("b", "a"), (3, 5), 0)]


def test_each_game_is_compared_once_and_everybody_with_many() -> None:
    log = [alone(f"p{number}", number, seed) for seed in range(40) for number in range(8)]
    met = [one.players for one in duplicates(log)]
    assert len(met) == 40 * 7
    assert {other for name, other in met if name == "p7"} == {f"p{number}" for number in range(7)}


def test_the_length_is_that_of_the_later_game() -> None:
    one = Result("Test-v0", ("a", "a"), (1, 1), 7, 3, "rules")
    other = Result("Test-v0", ("b", "b"), (1, 1), 9, 3, "rules")
    assert duplicates([one, other]) == [Duplicate(("b", "a"), (1, 1), 3, 9)]


logs = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(-2, 2), st.integers(0, 2)), max_size=25
)


@given(logs, st.permutations("abcxyz"))
def test_names_do_not_matter(log: list[tuple[str, str, int, int]], others: list[str]) -> None:
    """Another name for everybody is another name in the outcome, and nothing else; ratings too."""
    to = dict(zip("abcxyz", others, strict=True))
    one = duplicates([hunt(a, x, score, seed) for a, x, score, seed in log])
    two = duplicates([hunt(to[a], to[x], score, seed) for a, x, score, seed in log])
    assert [(*(to[name] for name in first.players), first.score) for first in one] == [
        (*second.players, second.score) for second in two
    ]
    ratings, again = rate(games_of(one)), rate(games_of(two))
    assert {to[name]: rating for name, rating in ratings.items()} == again


@given(logs)
def test_each_compares_two_who_had_the_same_task(log: list[tuple[str, str, int, int]]) -> None:
    games = [hunt(a, x, score, seed) for a, x, score, seed in log]
    for one in duplicates(games):
        assert one.players[0] != one.players[1]
        assert len({name in "abc" for name in one.players}) == 1  # a hunter is never compared with a deer
        tasks = [
            {(result.players[2 if name in "abc" else 0], held(result, name)) for result in games
             if name in result.players and result.seed == one.seed}
            for name in one.players
        ]  # fmt: skip
        assert any((other, one.score[0]) in tasks[0] and (other, one.score[1]) in tasks[1] for other, _ in tasks[0])


def held(result: Result, name: str) -> float:
    return float(np.mean([score for who, score in zip(result.players, result.score, strict=True) if who == name]))


@given(st.permutations(range(6)), st.lists(st.integers(-3, 3), min_size=6, max_size=6))
def test_the_order_of_the_log_does_not_matter_to_who_did_better(order: list[int], scores: list[int]) -> None:
    """With one game of each: as many comparisons, each between the scores that the two had."""
    log = [alone("abcdef"[player], scores[player]) for player in range(6)]
    for places in (range(6), order):
        compared_once = duplicates([log[index] for index in places])
        assert len(compared_once) == 5
        for one in compared_once:
            assert one.score == tuple(scores["abcdef".index(name)] for name in one.players)


def test_equal_scores_are_draws() -> None:
    games = compared([alone(name, 1.0, seed) for seed in range(4) for name in "ab"], MEET)
    assert games.draw_rate() == 1.0
    ratings = rate(games)
    assert ratings["a"].mean == pytest.approx(ratings["b"].mean) and ratings["a"].stderr < 8


@pytest.mark.parametrize("rater", [name for name in RATERS if name != "openskill"])
def test_every_rater_finds_the_truth(rater: str) -> None:
    """Hunters of skill 0 to 3 against deer of skill 0 to 3, on games that are easy or hard for one side: a game's seed
    decides more than the players do, and it cancels."""
    rng = np.random.default_rng(0)
    log = []
    for seed in range(40):
        favour = rng.normal(0, 10)
        for a, x in itertools.product(range(4), range(4)):
            log.append(hunt(f"h:{a}", f"d:{x}", a - x + favour + rng.normal(0, 0.5), seed))
    rest = rng.permutation(len(log))
    ratings = RATERS[rater].rate(compared([log[index] for index in rest], HUNT))
    assert sorted(ratings) == [*(f"d:{x}" for x in range(4)), *(f"h:{a}" for a in range(4))]
    for side in "hd":
        means = [ratings[f"{side}:{number}"].mean for number in range(4)]
        assert means == sorted(means) and means[3] > means[0]


def test_who_can_change_sides_is_compared_face_to_face() -> None:
    assert [changes_sides(spec) for spec in (HUNT, MEET, LONELY, PAIRS)] == [False, False, True, True]
    log = [game(["a", "a", "b", "b"], [1, 1, -1, -1], 3)] * 2
    games = compared(log, PAIRS)
    assert len(games) == 2 and games.names == ("a", "b") and games.score.tolist() == [1, -1] * 2
    table = [game(["a", "b", "b"], [-1, 2, 0], 3)]
    games = compared(table, LONELY)
    assert games.names == ("a", "b") and games.score.tolist() == [-1, 1]


def test_games_of_mixed_teams_say_nothing_of_sides() -> None:
    mixed = game(["a", "b", "a", "b"], [1, 1, -1, -1])
    assert len(compared([mixed], PAIRS)) == 0
    assert len(compared([mixed, game(["a", "a", "b", "b"], [1, 1, -1, -1])], PAIRS)) == 1


def test_a_bot_is_another_player_in_each_part() -> None:
    log = [hunt("orion:0", "random", 1), hunt("diana:0", "random", 4), hunt("random", "bambi:0", 3)]
    log += [hunt("orion:0", "bambi:0", 2), hunt("orion:0", "faline:0", 5)]
    games = compared(log, HUNT)
    assert set(games.names) == {"orion:0", "diana:0", "random@hunter", "bambi:0", "faline:0", "random@deer"}
    assert parts(log, HUNT) == {
        "orion:0": "hunter", "diana:0": "hunter", "random@hunter": "hunter",
        "bambi:0": "deer", "faline:0": "deer", "random@deer": "deer",
    }  # fmt: skip
    assert parts(log, PAIRS) == {} == parts([], MEET)


def test_means_over_seats_everywhere() -> None:
    """A game, and a match in a few numbers, say the same of who had several seats."""
    log = [game(["a", "b", "b"], [0.5, 1.0, -1.5], 1), game(["b", "a", "b"], [1.0, 0.5, -1.5], 1)]
    assert games_of(log).score.tolist() == [0.5, -0.25, -0.25, 0.5]
    a, b = summarise(log, "a"), summarise(log, "b")
    assert (a.wins, a.losses, a.score_mean) == (2, 0, 0.5)
    assert (b.wins, b.losses, b.score_mean) == (0, 2, -0.25)
    assert len(games_of([game(["a", "a"], [1.0, 0.0])])) == 0  # it only met itself
