"""Kuhn poker: every deal and line of betting against the rules written down once more, and the published value."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections import Counter
from functools import partial

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test
from scipy.stats import chisquare

import envs
from arena.match import match
from envs.check import fingerprint
from envs.core import Array
from envs.errors import InputError
from envs.foreign.to_pettingzoo import ParallelGame
from envs.kuhn import DEALS, VIEW, KuhnOptions, KuhnPoker
from envs.scene import Scene, Text
from envs.slime_volley.bots import bot
from envs.tiny import TinyGame
from tests.kuhn_theory import LINES, equilibrium, won
from tests.sources import ROOT

ID = "KuhnPoker-v0"
PASS, BET = 0, 1


def played(line: str, games: int = len(DEALS)) -> tuple[KuhnPoker, list[Array]]:
    """All deals side by side, `line` ("pb": pass, bet) played in each; the env, and what each step said of scores."""
    env = KuhnPoker(ID, KuhnOptions(), games)
    env.start(np.arange(games))
    scores = []
    for turn, move in enumerate(line):
        action = np.zeros((games, 2), np.int64)
        action[:, turn % 2] = "pb".index(move)
        scores.append(env.step(action).score)
    return env, scores


@pytest.mark.parametrize("line", LINES)
def test_every_hand(line: str) -> None:
    """6 deals x 5 lines of betting: 30 hands, and there are no others."""
    _, scores = played(line)
    assert all(np.isnan(score).all() for score in scores[:-1])
    expected = [won(first, second, line) for first, second in DEALS.tolist()]
    np.testing.assert_array_equal(scores[-1], np.stack([expected, np.negative(expected)], axis=1))


def test_what_is_seen() -> None:
    env = KuhnPoker(ID, KuhnOptions(), 1)
    now = env.start(np.array([DEALS.tolist().index([1, 2])]))  # queen against king

    def seen(obs: Array, seat: int) -> set[str]:
        return {name for name, shown in zip(VIEW, obs[0, seat], strict=True) if shown}

    assert (seen(now.obs, 0), seen(now.obs, 1)) == ({"queen"}, {"king", "second"})
    assert now.acts.tolist() == [[True, False]] and now.legal.tolist() == [[[True, True], [True, False]]]
    now = env.step(np.array([[PASS, PASS]]))
    assert (seen(now.obs, 0), seen(now.obs, 1)) == ({"queen", "first_passed"}, {"king", "second", "first_passed"})
    assert now.acts.tolist() == [[False, True]] and now.legal.tolist() == [[[True, False], [True, True]]]
    now = env.step(np.array([[PASS, BET]]))
    assert seen(now.obs, 0) == {"queen", "first_passed", "second_bet"}
    assert now.acts.tolist() == [[True, False]] and not now.terminated.any()
    now = env.step(np.array([[BET, PASS]]))
    assert now.terminated.all() and now.score.tolist() == [[-2, 2]]
    assert seen(now.final_obs, 1) == {"king", "second", "first_passed", "second_bet"}
    assert now.acts.tolist() == [[True, False]]


def test_who_waits_is_not_listened_to() -> None:
    one, other = (KuhnPoker(ID, KuhnOptions(), 6) for _ in range(2))
    for env in (one, other):
        env.start(np.arange(6))
    for mine, theirs in (([PASS, PASS], [PASS, BET]), ([PASS, BET], [BET, BET]), ([BET, PASS], [BET, BET])):
        steps = [env.step(np.tile(action, (6, 1))) for env, action in ((one, mine), (other, theirs))]
        np.testing.assert_array_equal(steps[0].reward, steps[1].reward)


def test_all_deals_are_equally_likely() -> None:
    """Over seeds, and over the hands that one seed deals after each other."""
    env = KuhnPoker(ID, KuhnOptions(), 3000)
    env.reset(0)
    fold = np.array([[BET, PASS]]).repeat(3000, axis=0)
    for _ in range(4):
        counts = Counter(map(tuple, env.get_state()["cards"].tolist()))
        assert set(counts) == set(map(tuple, DEALS.tolist()))
        assert chisquare(list(counts.values())).pvalue > 1e-3
        env.step(fold)
        env.step(np.zeros_like(fold))
    later = KuhnPoker(ID, KuhnOptions(), 1)
    later.reset(7)
    hands = []
    for _ in range(1200):
        hands.append(tuple(later.get_state()["cards"][0].tolist()))
        later.step(np.array([[BET, PASS]]))
        later.step(np.array([[PASS, PASS]]))
    assert chisquare(list(Counter(hands).values())).pvalue > 1e-3


def test_chances() -> None:
    env = envs.make(ID)
    assert isinstance(env, TinyGame)
    assert len(env.chances) == len(DEALS) and env.chances.sum() == pytest.approx(1) and np.ptp(env.chances) == 0


@pytest.mark.parametrize("alpha", [0.0, 0.2, 1 / 3])
def test_equilibrium_play_is_worth_what_kuhn_said(alpha: float) -> None:
    """-1/18 a hand for the first seat, in play: 4 standard errors of 150,000 first hands."""
    rows = 150_000
    env = KuhnPoker(ID, KuhnOptions(), rows)
    now, rng = env.reset(1), np.random.default_rng(2)
    score = np.full(rows, np.nan)
    for _ in range(3):
        card, second = now.obs[:, :, :3].argmax(axis=2), now.obs[:, :, 3] == 1
        history = now.obs[:, :, 4:] @ [1, 2, 4, 8]
        bets = np.zeros((rows, 2))
        for seat in (0, 1):
            for place, chance in equilibrium(alpha).items():
                here = (card[:, seat] == place.card) & (second[:, seat] == place.second)
                bets[here & (history[:, seat] == place.history), seat] = chance
        now = env.step((rng.random((rows, 2)) < bets * now.acts).astype(np.int64))
        score = np.where(np.isnan(score), now.score[:, 0], score)
    assert abs(score.mean() + 1 / 18) < 4 * score.std() / rows**0.5 < 0.02


def test_seats_are_swapped_on_equal_cards() -> None:
    spec = envs.make(ID).spec
    results = match(ID, {}, [bot("random", spec), bot("random", spec)], games=400, seed=0)
    for one, other in zip(results[::2], results[1::2], strict=True):
        assert one.seed == other.seed and one.players == other.players[::-1]
    assert {result.steps for result in results} == {2, 3}
    assert {abs(result.score[0]) for result in results} == {1.0, 2.0}


def test_the_same_without_compiler() -> None:
    code = f"import envs, envs.check as c; print(c.fingerprint(lambda n: envs.make({ID!r}, n)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120, env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert done.stdout.strip() == fingerprint(partial(envs.make, ID))


def test_there_are_no_options() -> None:
    with pytest.raises(InputError, match="unknown key 'ante'"):
        envs.make(ID, ante=2)


def texts(scene: Scene) -> list[str]:
    return [shape.text for shape in scene.shapes if isinstance(shape, Text)]


def test_pictures() -> None:
    env, _ = played("pb", games=1)  # jack against queen
    shown = texts(env.draw(0))
    assert {"J", "Q", "check", "bet", "the first hand"} <= set(shown)
    env.step(np.array([[PASS, PASS]]))
    assert "before: J against Q, check, bet, fold: 1 to the second" in texts(env.draw(0))
    for line, told in (
        ("bp", "before: J against Q, bet, fold: 1 to the first"),
        ("bb", "before: J against Q, bet, call: 2 to the second"),
        ("pp", "before: J against Q, check, check: 1 to the second"),
    ):
        assert told in texts(played(line, games=1)[0].draw(0))


def test_pettingzoo_face() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="We recommend agents to be named")
        parallel_api_test(ParallelGame(envs.make(ID), ["first", "second"], "kuhn", None), num_cycles=60)
    parallel_seed_test(lambda: ParallelGame(envs.make(ID), ["first", "second"], "kuhn", None), num_cycles=60)
