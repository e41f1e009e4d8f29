"""Classic control: Gymnasium's games step for step, the kit's contract, dice of our own, pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

import envs
from envs.check import check_env, fingerprint
from envs.classic_control.tasks import TASKS
from envs.core import Array, Floats
from envs.errors import InputError
from envs.sampling import random_action
from tests.sources import ROOT

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "CartPole-v0": [{}],
    "CartPole-v1": [{}, {"sutton_barto_reward": True}],
    "Pendulum-v1": [{}, {"g": 9.81}],
    "Acrobot-v1": [{}],
    "MountainCar-v0": [{}, {"goal_velocity": 0.03}],
    "MountainCarContinuous-v0": [{}, {"goal_velocity": 0.03}],
}
CASES = [(id, options) for id, found in OPTIONS.items() for options in found]


def theirs(id: str, **options: Any) -> gymnasium.Env[Any, Any]:
    """Gymnasium's own game, without what checks its use."""
    return gymnasium.make(id, disable_env_checker=True, **options)


def clever(id: str, obs: Array) -> Array:
    """Actions [1, 1] or [1, 1, 1] that reach the goal, from obs [1, 1, D]; None where there is no goal."""
    push = np.sign(obs[..., -1])
    if id == "MountainCar-v0":
        return (push + 1).astype(np.int64)
    if id == "MountainCarContinuous-v0":
        return push[..., None].astype(np.float32)
    if id == "Acrobot-v1":
        return (np.sign(obs[..., -2]) * -1 + 1).astype(np.int64)
    return (obs[..., 2] + obs[..., 3] > 0).astype(np.int64)


@pytest.mark.filterwarnings("ignore:.*out of date:DeprecationWarning")
@pytest.mark.parametrize(("id", "options"), CASES, ids=str)
def test_ten_thousand_steps_agree_with_gymnasium(id: str, options: dict[str, Any]) -> None:
    """From the same state at the start of a game everything is the same until its end, bit for bit."""
    ours, other = envs.make(id, 1, **options), theirs(id, **options)
    rng = np.random.default_rng(3)
    now = ours.reset(5)
    space = ours.spec.action_spaces[0]
    assert space == other.action_space
    assert ours.spec.observation_spaces[0] == other.observation_space
    fresh, played, ends, returned = True, 0, {"terminated": 0, "truncated": 0}, 0.0
    for _ in range(10_000):
        if fresh:
            other.reset(seed=0)
            other.unwrapped.state = ours.get_state()["state"][0]  # type: ignore[attr-defined]
            fresh, returned = False, 0.0
            willing = 0.9 if played % 3 else 0.0
        action = random_action(space, now.legal[:, 0], rng)[:, None]
        if id != "Pendulum-v1" and rng.random() < willing:
            action = clever(id, now.obs)
        now = ours.step(action)
        obs, reward, terminated, truncated, _ = other.step(action[0, 0])
        returned += float(reward)
        assert np.array_equal(now.final_obs[0, 0], obs)
        assert now.reward[0, 0] == reward
        assert now.terminated[0] == terminated
        assert now.truncated[0] == (truncated and not terminated)
        if terminated or truncated:
            assert now.score[0, 0] == pytest.approx(returned, rel=1e-9)
            ends["terminated" if terminated else "truncated"] += 1
            fresh, played = True, played + 1
        else:
            assert np.isnan(now.score[0, 0])
    assert ends["terminated"] > 3 or id == "Pendulum-v1"
    assert ends["truncated"] > 3 or id == "CartPole-v1"


@pytest.mark.parametrize("id", OPTIONS)
def test_the_contract(id: str) -> None:
    check_env(partial(envs.make, id, max_steps=40), steps=150)
    assert len(envs.make(id).spec.obs_names) == envs.make(id).reset(0).obs.shape[-1]


@pytest.fixture(scope="module")
def interpreted() -> dict[str, str]:
    """Fingerprints of all games in a process that does not compile, by id."""
    code = "import sys, envs, envs.check as c\n"
    code += "for id in sys.argv[1:]: print(id, c.fingerprint(lambda n: envs.make(id, n, max_steps=80)))"
    done = subprocess.run(
        [sys.executable, "-c", code, *OPTIONS], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.mark.parametrize("id", OPTIONS)
def test_play_is_the_same_without_compiler(id: str, interpreted: dict[str, str]) -> None:
    assert interpreted[id] == fingerprint(partial(envs.make, id, max_steps=80))


@pytest.mark.filterwarnings("ignore:.*out of date:DeprecationWarning")
@pytest.mark.parametrize("id", OPTIONS)
def test_starts_are_spread_like_gymnasiums(id: str) -> None:
    """The first states of many games fill the interval that Gymnasium draws from, evenly and independently."""
    env, other = envs.make(id, 4000), theirs(id)
    env.reset(1)
    starts: Floats = env.get_state()["state"]
    task = TASKS[id]
    width = task.rules.HIGH - task.rules.LOW
    unit = (starts - task.rules.LOW)[:, width > 0] / width[width > 0]
    assert (starts[:, width == 0] == 0).all()
    assert unit.min() >= 0
    assert unit.max() < 1
    np.testing.assert_allclose(unit.mean(axis=0), 0.5, atol=0.02)
    np.testing.assert_allclose(unit.std(axis=0), 12**-0.5, atol=0.01)
    assert abs(np.corrcoef(unit.T) - np.eye(unit.shape[1])).max() < 0.06
    drawn = np.empty((300, starts.shape[1]))
    for row in range(len(drawn)):
        other.reset(seed=row)
        drawn[row] = other.unwrapped.state  # type: ignore[attr-defined]
    assert (drawn >= task.rules.LOW - 1e-6).all() and (drawn <= task.rules.HIGH + 1e-6).all()
    np.testing.assert_allclose(np.ptp(drawn, axis=0), width, rtol=0.1)


def test_numbers_beyond_the_box_count_as_its_bound() -> None:
    for id in ("Pendulum-v1", "MountainCarContinuous-v0"):
        steps = []
        for throttle in (50.0, float(envs.make(id).spec.action_spaces[0].high[0])):  # type: ignore[attr-defined]
            env = envs.make(id, 2)
            env.reset(0)
            steps.append(env.step(np.full((2, 1, 1), throttle)))
        for one, other in zip(*steps, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("id", OPTIONS)
def test_states_are_pictures(id: str) -> None:
    env = envs.make(id, 1)
    env.reset(0)
    still = env.draw(0)
    assert env.draw(0) == still
    before = env.get_state()["state"]
    env.set_state({"state": before + 0.2})
    assert env.draw(0) != still, "the picture follows the state"
    assert 300 < still.width < 1000
    assert 100 < still.height < 1000


def test_faults_name_what_is_wrong() -> None:
    with pytest.raises(InputError, match="unknown key 'max_step': did you mean 'max_steps'"):
        envs.make("CartPole-v1", max_step=3)
    with pytest.raises(InputError, match="max_steps = 0"):
        envs.make("Pendulum-v1", max_steps=0)
    env = envs.make("Acrobot-v1", 2)
    env.reset(0)
    with pytest.raises(InputError, match="lies outside Discrete"):
        env.step(np.array([[1], [3]]))
    with pytest.raises(InputError, match="do not fit Discrete"):
        env.step(np.array([[1.0], [0.0]]))


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", "MountainCarContinuous-v0", "Acrobot-v1"])
def test_a_held_action_is_the_same_action_again(id: str) -> None:
    """A step with `frame_skip` is so many steps, or as many as the game still has; its rewards add up."""
    skip, games = 7, 5
    held, single = envs.make(id, games, frame_skip=skip, max_steps=100), envs.make(id, games, max_steps=100)
    space, rng = held.spec.action_spaces[0], np.random.default_rng(0)
    now = held.reset(3)
    assert held.spec.max_steps == 15
    ends = 0
    single.reset(3)
    for _ in range(60):
        action = random_action(space, now.legal[:, 0], rng)[:, None]
        state, now = single.get_state(), held.step(action)
        for row in range(games):
            single.set_state(state)
            reward = 0.0
            for _ in range(skip):
                after = single.step(action)
                reward += float(after.reward[row, 0])
                if after.terminated[row] or after.truncated[row]:
                    break
            assert (after.terminated[row], after.truncated[row]) == (now.terminated[row], now.truncated[row])
            assert np.array_equal(after.final_obs[row], now.final_obs[row])
            assert float(now.reward[row, 0]) == pytest.approx(reward)
            assert np.array_equal(after.score[row], now.score[row], equal_nan=True)
            ends += bool(now.terminated[row] or now.truncated[row])
        single.set_state(held.get_state())
    assert ends > games
    check_env(lambda n: envs.make(id, n, frame_skip=skip), steps=300)
