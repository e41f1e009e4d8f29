"""Matrix games: payoffs, equilibria, options, and what a watcher sees."""

from __future__ import annotations

import warnings
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pettingzoo.test import parallel_api_test, parallel_seed_test

import envs
from arena.match import match
from envs.check import check_env
from envs.errors import InputError
from envs.foreign.to_pettingzoo import ParallelGame
from envs.scene import Scene, Text
from envs.slime_volley.bots import bot
from envs.tiny import TinyGame

ROCK, PAPER, SCISSORS = range(3)
PLAIN, BIASED = "RockPaperScissors-v0", "BiasedRockPaperScissors-v0"
DILEMMA = ((3.0, 0.0), (5.0, 1.0))
"""The prisoner's dilemma: cooperate, defect."""


def pays(id: str, **options: Any) -> NDArray[np.float64]:
    """[A, A, 2] what the seats get, played in the game itself."""
    spec = envs.make(id, **options).spec
    choices = spec.action_spaces[0].n  # type: ignore[attr-defined]
    actions = np.array(list(product(range(choices), repeat=2)))
    env = envs.make(id, len(actions), **options)
    env.reset(0)
    after = env.step(actions)
    assert after.terminated.all() and not after.truncated.any()
    np.testing.assert_array_equal(after.score, after.reward)
    return after.reward.astype(np.float64).reshape(choices, choices, 2)


@pytest.mark.parametrize(("id", "rock"), [(PLAIN, 1), (BIASED, 2)])
def test_who_beats_whom(id: str, rock: int) -> None:
    paid = pays(id)
    for winner, loser, stake in ((ROCK, SCISSORS, rock), (PAPER, ROCK, 1), (SCISSORS, PAPER, 1)):
        assert paid[winner, loser].tolist() == [stake, -stake]
        assert paid[loser, winner].tolist() == [-stake, stake]
    assert not paid[[0, 1, 2], [0, 1, 2]].any()


@pytest.mark.parametrize(("id", "equilibrium"), [(PLAIN, [1 / 3, 1 / 3, 1 / 3]), (BIASED, [1 / 4, 1 / 2, 1 / 4])])
def test_nothing_wins_against_the_equilibrium(id: str, equilibrium: list[float]) -> None:
    np.testing.assert_allclose(pays(id)[:, :, 0] @ equilibrium, 0, atol=1e-15)


def test_the_rule_for_biased_stakes() -> None:
    a, b, c = 0.5, 3.0, 1.25
    paid = pays(PLAIN, payoff=((0, -a, b), (a, 0, -c), (-b, c, 0)))[:, :, 0]
    np.testing.assert_allclose(paid @ np.array([c, b, a]), 0, atol=1e-15)


def test_games_that_are_not_zero_sum() -> None:
    assert envs.make(PLAIN).spec.zero_sum
    env = partial(envs.make, PLAIN, payoff=DILEMMA)
    check_env(env, steps=20)
    assert not env().spec.zero_sum
    paid = pays(PLAIN, payoff=DILEMMA)
    np.testing.assert_array_equal(paid[:, :, 0], DILEMMA)
    np.testing.assert_array_equal(paid[:, :, 1], np.transpose(DILEMMA))


@pytest.mark.parametrize(
    ("payoff", "said"),
    [
        (((0.0, 1.0),), "as many columns as rows"),
        (((0.0,),), "at least 2"),
        (((0.0, float("nan")), (1.0, 0.0)), "finite"),
    ],
)
def test_tables_that_are_refused(payoff: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        envs.make(PLAIN, payoff=payoff)


def test_an_unknown_option() -> None:
    with pytest.raises(InputError, match="did you mean 'payoff'"):
        envs.make(BIASED, pay_off=DILEMMA)


def test_there_is_nothing_to_see() -> None:
    env = envs.make(PLAIN, 2)
    now = env.reset(3)
    assert now.obs.shape == (2, 2, 1) and (now.obs == 1).all() and now.acts.all() and now.legal.all()
    assert (env.step(np.array([[0, 1], [2, 2]])).obs == 1).all()
    assert isinstance(env, TinyGame) and env.chances.tolist() == [1.0]


def texts(scene: Scene) -> list[str]:
    return [shape.text for shape in scene.shapes if isinstance(shape, Text)]


def test_the_picture_shows_the_last_game() -> None:
    env = envs.make(BIASED, 2)
    env.reset(0)
    assert texts(env.draw(0)).count("?") == 2
    env.step(np.array([[ROCK, SCISSORS], [PAPER, PAPER]]))
    assert {"rock", "scissors", "+2", "-2"} <= set(texts(env.draw(0)))
    assert texts(env.draw(1)).count("0") == 2
    env = envs.make(PLAIN, payoff=DILEMMA)
    env.reset(0)
    env.step(np.array([[0, 1]]))
    assert {"0", "1", "+5"} <= set(texts(env.draw(0)))


@pytest.mark.parametrize("id", [PLAIN, BIASED])
def test_pettingzoo_face(id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="We recommend agents to be named")
        parallel_api_test(ParallelGame(envs.make(id), ["first", "second"], "rps", None), num_cycles=20)
    parallel_seed_test(lambda: ParallelGame(envs.make(id), ["first", "second"], "rps", None), num_cycles=20)


def test_bots_can_play() -> None:
    spec = envs.make(PLAIN).spec
    results = match(PLAIN, {}, [bot("random", spec), bot("random", spec)], games=600, seed=0)
    scores = [result.score[0] for result in results]
    assert {-1.0, 0.0, 1.0} == set(scores) and abs(np.mean(scores)) < 0.15
    assert all(result.steps == 1 and sum(result.score) == 0 for result in results)
