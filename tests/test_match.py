"""Matches: who sits where, what counts as a game, and that nothing but the seed decides the result."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator

from arena.api import play
from arena.match import BLOCK, block_seeds, match, names_of, run_block
from arena.result import Result, student_975, summarise
from envs.core import Array, Bools, Floats
from envs.errors import InputError
from envs.player import Decision, Player
from envs.registry import make
from envs.side import Side, Squad
from envs.slime_volley.bots import bot
from tests.parlours import open_house

ENV = "SlimeVolley-v0"
SHORT: Mapping[str, Any] = {"lives": 2, "max_steps": 400}
SPEC = make(ENV, 1).spec


def bots(*names: str) -> list[Player]:
    return [bot(name, SPEC) for name in names]


class Asleep:
    """Never moves; what it is called is all that tells two of them apart."""

    memory_size = 0
    keep_memory = False

    def __init__(self, name: str) -> None:
        self.name = name

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        return Decision(np.zeros(len(obs), np.int64), memory, {})


def test_seats_swap_on_equal_serves() -> None:
    results = run_block(ENV, SHORT, bots("baseline", "random"), 10, seed=3)
    assert len(results) == 10
    for first, second in zip(results[::2], results[1::2], strict=True):
        assert first.players == ("baseline", "random") == second.players[::-1]
        assert first.seed == second.seed < 2**53
    assert len({result.seed for result in results}) == 5


def test_equal_players_on_equal_serves_mirror_each_other() -> None:
    """Nobody acts by chance here, so a swapped game is the same game with the names exchanged."""
    results = match(ENV, SHORT, [Asleep("a"), Asleep("b")], 20, seed=1)
    for first, second in zip(results[::2], results[1::2], strict=True):
        assert first.score == second.score
        assert first.steps == second.steps
    summary = summarise(results, "a")
    assert summary.score_mean == 0
    assert summary.score_ci95 == (0, 0)


def test_a_game_is_what_its_seed_says() -> None:
    """Replay one game of a block by itself."""
    result = run_block(ENV, SHORT, bots("baseline", "tracker"), 6, seed=5)[3]
    env = make(ENV, 1, **SHORT)
    now = env.reset(np.array([result.seed], np.uint64))
    left, right = bots(*result.players)
    memory: list[Floats] = [np.zeros((1, player.memory_size)) for player in (left, right)]
    for steps in itertools.count(1):  # noqa: B007
        chosen = []
        for seat, player in enumerate((left, right)):
            decision = player.act(now.obs[:, seat], now.legal[:, seat], memory[seat], np.random.default_rng())
            memory[seat] = decision.memory
            chosen.append(decision.action)
        now = env.step(np.stack(chosen, 1))
        if now.terminated[0] or now.truncated[0]:
            break
    assert steps == result.steps
    assert tuple(now.score[0].tolist()) == result.score
    assert result.ended == ("limit" if now.truncated[0] else "rules")


def test_score_and_ending() -> None:
    results = match(ENV, {"lives": 3, "max_steps": 3000}, bots("baseline", "noop"), 8, seed=0)
    for result in results:
        own = result.players.index("baseline")
        assert 1 <= result.score[own] == -result.score[1 - own] <= 3
        assert result.ended == "rules"
    cut = match(ENV, {"lives": 3, "max_steps": 20}, bots("baseline", "noop"), 8, seed=0)
    assert {(r.ended, r.steps, r.score) for r in cut} == {("limit", 20, (0.0, 0.0))}


@pytest.mark.parametrize("games", [1, 2, 5, BLOCK + 3])
def test_exactly_as_many_games_as_asked_for_on_any_number_of_workers(games: int) -> None:
    seen: list[int] = []
    options = {"lives": 1, "max_steps": 120}
    one = match(ENV, options, bots("random", "tracker"), games, seed=7, progress=seen.append)
    assert len(one) == games == sum(seen)
    assert play(ENV, ("random", "tracker"), games, seed=7, options=options, workers=3).results == tuple(one)
    assert match(ENV, options, bots("random", "tracker"), games, seed=8) != one


def test_blocks_stand_for_themselves() -> None:
    players = bots("random", "tracker")
    options = {"lives": 1, "max_steps": 120}
    whole = match(ENV, options, players, BLOCK + 10, seed=7)
    first, second = block_seeds(7, 2)
    assert whole == run_block(ENV, options, players, BLOCK, first) + run_block(ENV, options, players, 10, second)
    assert block_seeds(7, 1) == [first]


def test_the_same_player_twice() -> None:
    players = bots("baseline", "baseline")
    assert names_of(players) == ["baseline", "baseline#2"]
    summary = summarise(match(ENV, SHORT, players, 10, seed=2), "baseline")
    assert summary.games == 10
    assert summary.score_mean == 0
    assert summary.wins == summary.losses


@pytest.fixture
def parlours() -> Iterator[None]:
    """Tiny games of many seats, by their ids."""
    with open_house():
        yield


@pytest.mark.usefixtures("parlours")
def test_teams_rotate_as_far_as_they_can() -> None:
    """Three sit everywhere by turns, on equal seeds; hunters and deer stay where they are."""
    results = match("Lonely-v0", {}, [Asleep(name) for name in "abc"], 7, seed=0)
    assert [result.players for result in results[:4]] == [tuple("abc"), tuple("bca"), tuple("cab"), tuple("abc")]
    assert [len({result.seed for result in results[at : at + 3]}) for at in (0, 3)] == [1, 1]
    assert len({result.seed for result in results}) == 3
    hunters, deer = Squad("orion", {"hunter": Asleep("x")}), Squad("bambi", {"deer": Asleep("y")})
    for sides in ([hunters, deer], [deer, hunters]):
        hunts = match("Hunt-v0", {}, sides, 4, seed=0)
        assert {result.players for result in hunts} == {("orion", "orion", "bambi")}
        assert len({result.seed for result in hunts}) == 4
    alone = match("Meet-v0", {}, [Asleep("ada")], 4, seed=0)
    assert {result.players for result in alone} == {("ada", "ada")} and len({one.seed for one in alone}) == 4


@pytest.mark.usefixtures("parlours")
def test_a_lineup_says_who_sits_where() -> None:
    """Any number of players, in any seats, mixed teams too; the games of a round have the same seed."""
    lineup = [[0, 1, 2, 2], [2, 2, 0, 1], [1, 0, 0, 0]]
    players: list[Side] = [Asleep("a"), Squad("b", {"player.0": Asleep("x"), "player.1": Asleep("y")}), Asleep("c")]
    results = match("Pairs-v0", {}, players, 8, seed=1, lineup=lineup)
    names = [tuple("abc"[index] for index in seats) for seats in lineup]
    assert [result.players for result in results] == [names[game % 3] for game in range(8)]
    assert [result.seed == results[3 * (game // 3)].seed for game, result in enumerate(results)] == [True] * 8
    assert len({result.seed for result in results}) == 3
    assert [one.score for one in results[:2]] == [(0, 0, 0, 0)] * 2  # all sleep


@pytest.mark.usefixtures("parlours")
def test_rounds_are_not_cut_by_blocks() -> None:
    """A block holds whole rounds, so both of its ends have whole ones, but for the last."""
    lineup = [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    results = match("Lonely-v0", {}, [Asleep("a"), Asleep("b")], BLOCK + 5, seed=2, lineup=lineup)
    assert len(results) == BLOCK + 5
    rounds = [results[at : at + 3] for at in range(0, BLOCK + 5, 3)]
    assert all(len({result.seed for result in one}) == 1 for one in rounds)
    assert len({one[0].seed for one in rounds}) == len(rounds)


@pytest.mark.usefixtures("parlours")
@pytest.mark.parametrize(
    ("lineup", "sentence"),
    [
        ([], "Hunt-v0: a lineup names a player for each of its 3 seats."),
        ([[0, 0, 1], [0, 1]], "Hunt-v0: a lineup names a player for each of its 3 seats."),
        ([[0, 0, 2]], "Hunt-v0: a lineup counts the 2 players from 0."),
        ([[0, 0, -1]], "Hunt-v0: a lineup counts the 2 players from 0."),
        ([[1, 0, 0]], "bambi has nobody for the seat seat_0 of Hunt-v0."),
    ],
)
def test_lineups_that_cannot_be(lineup: list[list[int]], sentence: str) -> None:
    with pytest.raises(InputError) as fault:
        match("Hunt-v0", {}, [Asleep("a"), Squad("bambi", {"deer": Asleep("y")})], 2, seed=0, lineup=lineup)
    assert str(fault.value) == sentence


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"env_id": "SlimeVolley-v1"}, "did you mean 'SlimeVolley-v0'"),
        ({"options": {"live": 3}}, "did you mean 'lives'"),
        ({"players": bots("random")}, "is played by 2, not by 1"),
        ({"players": bots("random", "noop", "tracker")}, "is played by 2, not by 3"),
        ({"games": 0}, "games"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_input(changed: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {
        "env_id": ENV, "options": SHORT, "players": bots("random", "noop"), "games": 2, "seed": 0,
    }  # fmt: skip
    with pytest.raises(InputError, match=message):
        match(**(good | changed))


def results_of(scores: list[float], pairs: bool = True) -> list[Result]:
    """Games of "me" with these scores, the seats swapped within pairs on equal seeds."""
    return [
        Result("Test-v0", ("me", "you") if game % 2 == 0 else ("you", "me"),
               (s, -s) if game % 2 == 0 else (-s, s), 10 * game, game // 2 if pairs else game, "rules")
        for game, s in enumerate(scores)
    ]  # fmt: skip


def test_summary_by_hand() -> None:
    summary = summarise(results_of([3.0, -1.0, 0.0, 2.0]), "me")
    assert (summary.games, summary.wins, summary.draws, summary.losses) == (4, 2, 1, 1)
    assert summary.score_mean == 1.0
    assert summary.steps_mean == 15
    assert summary.score_ci95 == pytest.approx((1.0, 1.0))  # both pairs average 1
    other = summarise(results_of([3.0, -1.0, 0.0, 2.0]), "you")
    assert (other.wins, other.losses, other.score_mean) == (1, 2, -1.0)
    assert "2 wins, 1 draws, 1 losses in 4 games" in str(summary)


def test_interval_takes_pairs_as_units() -> None:
    scores = [3.0, 1.0, -2.0, 0.0, 5.0, 4.0]
    pairs = np.array(scores).reshape(-1, 2).mean(1)
    half = student_975(2) * pairs.std(ddof=1) / math.sqrt(3)
    summary = summarise(results_of(scores), "me")
    assert summary.score_ci95 == pytest.approx((summary.score_mean - half, summary.score_mean + half))
    half = student_975(5) * np.std(scores, ddof=1) / math.sqrt(6)
    single = summarise(results_of(scores, pairs=False), "me")
    assert single.score_ci95 == pytest.approx((single.score_mean - half, single.score_mean + half))


def test_summary_of_who_has_several_seats() -> None:
    """The mean of each player's seats counts, of the others' too; the best of the others is to be beaten."""
    games = [
        Result("Test-v0", ("me", "you", "you"), (0.5, 1.0, -1.5), 1, 0, "rules"),
        Result("Test-v0", ("you", "me", "me"), (0.5, 0.0, 1.0), 1, 1, "rules"),
        Result("Test-v0", ("you", "me", "he"), (0.0, 1.0, 2.0), 1, 2, "rules"),
    ]
    summary = summarise(games, "me")
    assert (summary.wins, summary.draws, summary.losses) == (1, 1, 1)
    assert summary.score_mean == pytest.approx((0.5 + 0.5 + 1.0) / 3)
    alone = summarise([Result("Test-v0", ("me", "me"), (1.0, 3.0), 1, 0, "rules")], "me")
    assert (alone.draws, alone.score_mean) == (1, 2.0)


def test_no_interval_from_one_pair() -> None:
    assert summarise(results_of([1.0]), "me").score_ci95 is None
    assert summarise(results_of([1.0, 3.0]), "me").score_ci95 is None
    assert "interval" not in str(summarise(results_of([1.0]), "me"))


def test_interval_covers_the_truth() -> None:
    """Serves that favour a seat tie the games of a pair together; 95 % of intervals hold 0 all the same."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        serve = rng.normal(0, 2, 15)
        scores = np.stack([serve + rng.normal(0, 1, 15), -serve + rng.normal(0, 1, 15)], 1)
        low, high = summarise(results_of(scores.reshape(-1).tolist()), "me").score_ci95 or (1, 0)
        covered += low <= 0 <= high
    assert 930 <= covered <= 970


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_both_sides_tell_the_same_story(scores: list[int]) -> None:
    results = results_of([float(score) for score in scores])
    mine, yours = summarise(results, "me"), summarise(results, "you")
    assert (mine.wins, mine.draws, mine.losses) == (yours.losses, yours.draws, yours.wins)
    assert mine.score_mean == -yours.score_mean
    assert mine.wins + mine.draws + mine.losses == mine.games == len(scores)


def test_student_quantiles() -> None:
    from scipy.stats import t

    for df in (1, 2, 3, 4, 7, 30, 1000):
        assert student_975(df) == pytest.approx(t.ppf(0.975, df), rel=2e-3)


def test_summary_of_a_stranger() -> None:
    with pytest.raises(InputError, match="unknown player 'mee': did you mean 'me'"):
        summarise(results_of([1.0]), "mee")
