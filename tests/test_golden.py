"""Slime volleyball against games recorded from the original (SlimeVolleyGym 0.1.0, float64)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from envs.core import Array, game_seeds
from envs.random import philox
from envs.registry import make
from envs.slime_volley.batch import SlimeVolley

DATA = Path(__file__).parent / "data"
BALL, LEFT, RIGHT = slice(0, 4), slice(4, 8), slice(8, 12)


@pytest.fixture(scope="module")
def golden() -> dict[str, Array]:
    return dict(np.load(DATA / "slime_golden.npz"))


@pytest.fixture(scope="module")
def transitions() -> dict[str, Array]:
    return dict(np.load(DATA / "slime_transitions.npz"))


def _slime(num_envs: int, dtype: str, **options: object) -> SlimeVolley:
    env = make("SlimeVolley-v0", num_envs, actions="multibinary", dtype=dtype, **options)
    assert isinstance(env, SlimeVolley)
    env.reset(0)
    return env


def test_every_recorded_game_replays_to_the_last_bit(golden: dict[str, Array]) -> None:
    starts, lengths = golden["episode_start"], golden["episode_length"]
    games, longest = len(starts), int(lengths.max())
    env = _slime(games, "float64")
    columns = (golden[f"serve_{name}"] for name in ("episode", "step", "v"))
    serves = {(int(game), int(step)): v for game, step, v in zip(*columns, strict=True)}
    ball = env.get_state()["ball"]
    for game in range(games):
        ball[game, 2:] = serves[game, -1]
    env.set_state({"ball": ball})
    steps = 0
    for t in range(longest):
        live = np.flatnonzero(lengths > t)
        rows = starts[live] + t
        action = np.zeros((games, 2, 3), np.int8)
        action[live, 0], action[live, 1] = golden["action_left"][rows], golden["action_right"][rows]
        after = env.step(action)
        state = env.get_state()
        for game in live.tolist():
            if (game, t) in serves:
                state["ball"][game, 2:] = serves[game, t]
        env.set_state({"ball": state["ball"]})
        ended = after.terminated[live] | after.truncated[live]
        np.testing.assert_array_equal(ended, golden["done"][rows])
        np.testing.assert_array_equal(after.final_obs[live, 0], golden["obs_left"][rows])
        np.testing.assert_array_equal(after.final_obs[live, 1], golden["obs_right"][rows])
        np.testing.assert_array_equal(after.reward[live, 1], golden["reward"][rows])
        np.testing.assert_array_equal(after.reward[live, 0], -golden["reward"][rows])
        go, kept = live[~ended], rows[~ended]  # a game that ended has been restarted already
        played = np.concatenate([state["ball"], state["left"], state["right"]], 1)[go]
        np.testing.assert_array_equal(played, golden["state"][kept])
        np.testing.assert_array_equal(state["delay"][go], golden["delay"][kept])
        np.testing.assert_array_equal(state["lives"][go, 0], golden["lives_left"][kept])
        np.testing.assert_array_equal(state["lives"][go, 1], golden["lives_right"][kept])
        steps += len(live)
    assert steps == 41_354


def _inject(env: SlimeVolley, recorded: dict[str, Array]) -> tuple[dict[str, Array], Array, Array]:
    """Play every recorded transition in a game of its own; returns the state after, as arrays and in one, and the
    rewards of the right side."""
    pre = recorded["pre"]
    bodies = {"ball": pre[:, BALL], "left": pre[:, LEFT], "right": pre[:, RIGHT]}
    env.set_state({**bodies, "ball_prev_x": pre[:, 0], "delay": recorded["delay_pre"]})
    after = env.step(np.stack([recorded["action_left"], recorded["action_right"]], 1))
    state = env.get_state()
    scored = recorded["reward"] != 0
    state["ball"][scored, 2:] = recorded["post"][scored, 2:4]  # the new serve is drawn, not computed
    return state, np.concatenate([state["ball"], state["left"], state["right"]], 1), after.reward[:, 1]


def test_every_recorded_transition_is_exact_in_float64(transitions: dict[str, Array]) -> None:
    state, bodies, reward = _inject(_slime(len(transitions["pre"]), "float64"), transitions)
    np.testing.assert_array_equal(reward, transitions["reward"])
    np.testing.assert_array_equal(bodies, transitions["post"])
    np.testing.assert_array_equal(state["delay"], transitions["delay_post"])
    np.testing.assert_array_equal(state["lives"], transitions["lives"][:, ::-1])


def test_transitions_agree_in_float32_but_for_ties(transitions: dict[str, Array]) -> None:
    _, bodies, reward = _inject(_slime(len(transitions["pre"]), "float32"), transitions)
    close = np.isclose(bodies, transitions["post"], rtol=0, atol=2e-4).all(1)
    # The rest sit on a threshold: one more push-out increment, or a contact that just happens or does not.
    assert close.mean() > 0.99
    assert (reward == transitions["reward"]).mean() > 0.995


def test_a_held_action_is_the_same_as_repeating_it() -> None:
    held, plain = (make("SlimeVolley-v0", 64, frame_skip=skip, lives=1) for skip in (3, 1))
    held.reset(3), plain.reset(3)
    rng = np.random.default_rng(0)
    running = np.ones(64, np.bool_)
    for _ in range(150):
        action = rng.integers(0, 6, (64, 2))
        skipped = held.step(action)
        reward, over = np.zeros((64, 2)), np.zeros(64, np.bool_)
        for _ in range(3):
            after = plain.step(action)
            reward += np.where(over[:, None], 0, after.reward)
            over |= after.terminated | after.truncated
        np.testing.assert_array_equal(skipped.terminated[running], over[running])
        np.testing.assert_array_equal(skipped.reward[running], reward[running])
        running &= ~over  # from here on the plain game has been played on for a step or two
        np.testing.assert_array_equal(skipped.obs[running], after.obs[running])
    assert not running.all()


def _fingerprint(steps: int, dtype: str, fence: str) -> list[float]:
    env = make("SlimeVolley-v0", 3, dtype=dtype, fence=fence, lives=2)
    env.reset(5)
    rng = np.random.default_rng(1)
    sums = []
    for _ in range(steps):
        after = env.step(rng.integers(0, 6, (3, 2)))
        sums.append(float(after.obs.sum(dtype=np.float64)))
    return sums


@pytest.mark.parametrize(("dtype", "fence"), [("float32", "original"), ("float64", "solid")])
def test_plain_python_gives_the_same_bits(dtype: str, fence: str) -> None:
    code = f"import tests.test_golden as t; print(t._fingerprint(400, {dtype!r}, {fence!r}))"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    plain = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, timeout=120,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout.strip() == str(_fingerprint(400, dtype, fence))


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0), 0, (0xFF1DAE59, 0x6CD10DF2)),
        ((0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFF, (0x2C3F628B, 0xAB4FD7AD)),
        ((0x243F6A88, 0x85A308D3), 0x13198A2E, (0xDD7CE038, 0xF62A4C12)),
    ],
)
def test_philox_gives_the_published_words(counter: tuple[int, int], key: int, expected: tuple[int, int]) -> None:
    """Known answers of Random123 (Salmon et al. 2011)."""
    words = philox(np.uint64(counter[0]), np.uint64(counter[1]), np.uint64(key))
    assert tuple(int(word) for word in words) == expected


def test_serves_fill_their_range_evenly() -> None:
    env = _slime(4096, "float64")
    ball = env.get_state()["ball"]
    assert np.abs(ball[:, 2]).max() <= 20 and ball[:, 3].min() >= 10 and ball[:, 3].max() <= 25
    assert abs(ball[:, 2].mean()) < 0.6 and abs(ball[:, 3].mean() - 17.5) < 0.25  # 3 standard errors
    assert abs(np.corrcoef(ball[:, 2], ball[:, 3])[0, 1]) < 0.05


def test_the_solid_fence_cannot_be_squeezed_through() -> None:
    """The example of the specification, section 11.1: through the original fence, but not through the solid one."""
    points = {}
    for fence in ("original", "solid"):
        env = _slime(1, "float64", fence=fence)
        env.set_state({
            "ball": np.array([[1.195, 2.509, -0.749, -8.204]]), "ball_prev_x": np.array([1.195]),
            "right": np.array([[2.652, 1.5, 0.0, 0.0]]), "delay": np.array([0]),
        })  # fmt: skip
        forward = np.array([[[0, 0, 0], [1, 0, 0]]], np.int8)
        points[fence] = sum(float(env.step(forward).reward[0, 1]) for _ in range(3))
    assert points["original"] == 1
    assert points["solid"] <= 0


def test_seeds_can_be_given_per_game() -> None:
    seeds = game_seeds(7, 5)
    together, alone = make("SlimeVolley-v0", 5), make("SlimeVolley-v0", 1)
    for game, seed in enumerate(seeds):
        np.testing.assert_array_equal(together.reset(7).obs[game], alone.reset(np.array([seed])).obs[0])
