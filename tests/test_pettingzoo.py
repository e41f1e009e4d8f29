"""The PettingZoo face: PettingZoo's own conformance tests, and what they do not ask."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pettingzoo
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, render_test, seed_test

import envs
from envs import slime_volley_v0
from envs.core import Array
from envs.errors import InputError
from envs.foreign.screen import Screen
from envs.foreign.to_pettingzoo import ParallelGame

AGENTS = ["left", "right"]
FORMS = ("discrete", "multibinary", "box")


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    """PettingZoo reports many faults as warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Observations are unbounded, as in the original, and the seats have better names than numbers.
        warnings.filterwarnings("ignore", message="Agent's (minimum|maximum) observation space value is")
        warnings.filterwarnings("ignore", message="We recommend agents to be named")
        yield


@pytest.mark.parametrize("form", FORMS)
def test_parallel_api(form: str) -> None:
    parallel_api_test(slime_volley_v0.parallel_env(actions=form), num_cycles=600)
    parallel_api_test(slime_volley_v0.parallel_env(actions=form, max_steps=50), num_cycles=100)


def test_api_in_turns() -> None:
    api_test(slime_volley_v0.env(max_steps=200), num_cycles=300)
    api_test(slime_volley_v0.raw_env(max_steps=200), num_cycles=300)


def test_seeds() -> None:
    parallel_seed_test(slime_volley_v0.parallel_env, num_cycles=300)
    seed_test(slime_volley_v0.env, num_cycles=300)


def test_rendering() -> None:
    render_test(slime_volley_v0.env)


def test_pictures() -> None:
    env = slime_volley_v0.parallel_env(render_mode="rgb_array")
    env.reset(seed=1)
    first = env.render()
    for _ in range(40):
        env.step({"left": 1, "right": 5})
    second = env.render()
    assert first is not None
    assert second is not None
    assert first.shape == second.shape == (500, 1200, 3)
    assert first.dtype == np.uint8
    assert (first != second).any()
    silent = slime_volley_v0.parallel_env()
    silent.reset()
    assert silent.render() is None


def test_games_are_those_of_the_batch_env() -> None:
    """Same start, same actions, same bits; the last views are not lost in a restart."""
    face = slime_volley_v0.parallel_env(lives=1)
    batch = envs.make("SlimeVolley-v0", lives=1)
    seen, _ = face.reset(seed=4)
    now = batch.reset(np.random.default_rng(4).integers(2**63, size=1))
    rng = np.random.default_rng(0)
    for at in range(1000):
        assert face.agents == AGENTS
        for seat, agent in enumerate(AGENTS):
            np.testing.assert_array_equal(seen[agent], now.final_obs[0, seat], err_msg=f"step {at}")
        action = rng.integers(6, size=(1, 2))
        seen, reward, terminated, truncated, info = face.step(dict(zip(AGENTS, action[0], strict=True)))
        now = batch.step(action)
        assert list(reward.values()) == now.reward[0].tolist()
        assert set(terminated.values()) == {bool(now.terminated[0])}
        assert set(truncated.values()) == {bool(now.truncated[0])}
        if now.terminated[0]:
            break
        assert info == {"left": {}, "right": {}}
    assert face.agents == []
    assert [info[agent]["score"] for agent in AGENTS] == now.score[0].tolist()
    np.testing.assert_array_equal(seen["right"], now.final_obs[0, 1])
    assert (now.final_obs != now.obs).any()


def test_unseeded_games_differ_and_follow_from_the_last_seed() -> None:
    def starts(env: ParallelGame) -> list[Array]:
        return [env.reset(seed=seed)[0]["left"] for seed in (7, None, None)]

    one, two = starts(slime_volley_v0.parallel_env()), starts(slime_volley_v0.parallel_env())
    np.testing.assert_array_equal(one, two)
    assert (one[0] != one[1]).any()
    assert (one[1] != one[2]).any()


@pytest.mark.skipif(not hasattr(pettingzoo, "register"), reason="PettingZoo has a registry since 1.27")
def test_registered() -> None:
    parallel = pettingzoo.make("parallel", "slime_volley_v0", lives=2)
    assert parallel.possible_agents == AGENTS
    turns: Any = pettingzoo.make("aec", "slime_volley_v0")
    turns.reset(seed=0)
    assert turns.agent_selection == "left"


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(InputError, match="did you mean 'lives'"):
        slime_volley_v0.parallel_env(live=3)
    with pytest.raises(InputError, match="did you mean 'human'"):
        slime_volley_v0.parallel_env(render_mode="humane")
    env = slime_volley_v0.parallel_env()
    with pytest.raises(InputError, match="reset"):
        env.step({"left": 0, "right": 0})
    env.reset()
    for actions in (
        {"left": 0},
        {"left": 0, "right": 6},
        {"left": 0.5, "right": 0},
        {"left": 0, "right": [0, 1]},
    ):
        with pytest.raises(InputError, match="SlimeVolley-v0"):
            env.step(actions)


class FakeWindow:
    """Counts pictures; is closed by its user at the third."""

    def __init__(self, title: str, width: int, height: int) -> None:
        self.is_open = True
        self.shown = 0
        self.paces: list[float] = []

    def show(self, scene: object) -> None:
        assert self.is_open
        self.shown += 1

    def pressed(self) -> list[str]:
        return ["quit"] if self.shown == 3 else []

    def pace(self, fps: float) -> None:
        self.paces.append(fps)

    def close(self) -> None:
        self.is_open = False


def test_a_watched_game_runs_at_its_own_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envs.draw.Window", FakeWindow)
    env = slime_volley_v0.parallel_env(render_mode="human")
    env.reset(seed=0)
    for _ in range(5):
        env.step({"left": 0, "right": 0})
    screen: Screen = env._screen
    window: Any = screen._window
    assert window.shown == 3
    assert window.paces == pytest.approx([30, 30])
    assert env.render() is None
    env.close()
    assert screen._window is None
