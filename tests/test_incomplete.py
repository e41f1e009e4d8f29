"""Incomplete: what is hidden, noisy or dropped; the kit's contract; faults."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import envs
from envs.check import check_env, fingerprint
from envs.core import Array
from envs.errors import InputError
from envs.incomplete import Incomplete
from envs.registry import INCOMPLETE
from tests.sources import ROOT
from tests.toy import Race

SHOWN = {
    "IncompleteCartPole-v0": ("CartPole-v0", [0, 1, 2]),
    "IncompleteCartPole-v1": ("CartPole-v1", [0, 1, 2]),
    "IncompleteCartPolePositions-v1": ("CartPole-v1", [0, 2]),
    "IncompletePendulum-v1": ("Pendulum-v1", [0, 1]),
    "IncompleteAcrobot-v1": ("Acrobot-v1", [0, 1, 2, 3]),
    "IncompleteMountainCar-v0": ("MountainCar-v0", [0]),
    "IncompleteMountainCarContinuous-v0": ("MountainCarContinuous-v0", [0]),
}


def actions(env: Any, rng: np.random.Generator) -> Array:
    space = env.spec.action_spaces[0]
    if isinstance(space, spaces.Discrete):
        return rng.integers(space.n, size=(env.num_envs, 1))
    return rng.uniform(space.low, space.high, (env.num_envs, 1, 1))


@pytest.mark.parametrize("id", INCOMPLETE)
def test_registered_tasks_hide_what_they_say(id: str) -> None:
    inside, shown = SHOWN[id]
    env, whole = envs.make(id, 3, max_steps=25), envs.make(inside, 3, max_steps=25)
    assert envs.make(id).spec.max_steps == envs.make(inside).spec.max_steps
    assert env.spec.id == id
    assert env.spec.obs_names == tuple(whole.spec.obs_names[place] for place in shown)
    rng = np.random.default_rng(0)
    one, other = env.reset(4), whole.reset(4)
    for _ in range(60):
        np.testing.assert_array_equal(one.obs, other.obs[..., shown])
        np.testing.assert_array_equal(one.final_obs, other.final_obs[..., shown])
        np.testing.assert_array_equal(one.reward, other.reward)
        np.testing.assert_array_equal(one.score, other.score)
        action = actions(whole, rng)
        one, other = env.step(action), whole.step(action)


@pytest.mark.parametrize("id", INCOMPLETE)
@pytest.mark.parametrize("veil", [{}, {"noise": 0.3, "dropout": 0.2}], ids=str)
def test_the_contract(id: str, veil: dict[str, Any]) -> None:
    check_env(partial(envs.make, id, max_steps=20, **veil), steps=60)


@pytest.mark.parametrize(
    "veil", [{"hide": [0]}, {"noise": 0.1}, {"dropout": 1.0}, {"hide": [1], "dropout": 0.3}], ids=str
)
def test_any_flat_game_can_be_wrapped(veil: dict[str, Any]) -> None:
    check_env(lambda num_envs: Incomplete(Race(num_envs), **veil), steps=60)
    check_env(partial(envs.make, "Incomplete:SlimeVolley-v0", max_steps=40, **veil), steps=100)


def test_bounds_stay_true() -> None:
    def bounds(**veil: Any) -> tuple[list[float], list[float]]:
        (space,) = envs.make(
            "MountainCar-v0" if not veil else "Incomplete:MountainCar-v0", **veil
        ).spec.observation_spaces
        assert isinstance(space, spaces.Box)
        return space.low.round(3).tolist(), space.high.round(3).tolist()

    low, high = bounds()
    assert bounds(hide=["velocity"]) == (low[:1], high[:1])
    assert bounds(noise=0.1) == ([-np.inf] * 2, [np.inf] * 2)
    assert bounds(dropout=0.1) == (low, high)
    env = Incomplete(Shifted(1), dropout=0.5)
    (one, _) = env.spec.observation_spaces
    assert isinstance(one, spaces.Box)
    assert one.low.tolist() == [0, 0]
    assert one.high.tolist() == [2, 2]


class Shifted(Race):
    """Race whose observations lie between 1 and 2."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        space = spaces.Box(1, 2, (2,), np.float32)
        object.__setattr__(self.spec, "observation_spaces", (space, space))

    def observe(self) -> Array:
        return super().observe() + 1


def test_noise_has_the_spread_asked_for() -> None:
    env, whole = envs.make("Incomplete:CartPole-v1", 4000, noise=0.25), envs.make("CartPole-v1", 4000)
    one, other = env.reset(1), whole.reset(1)
    errors = [one.obs - other.obs]
    push = np.ones((4000, 1), np.int64)
    errors.append(env.step(push).obs - whole.step(push).obs)
    flat = np.concatenate([error.reshape(4000, -1) for error in errors], axis=1)
    np.testing.assert_allclose(flat.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(flat.std(axis=0), 0.25, rtol=0.05)
    assert abs(np.corrcoef(flat.T) - np.eye(8)).max() < 0.07, "components and steps are independent"
    assert abs((flat**4).mean() / (flat**2).mean() ** 2 - 3) < 0.15, "Gaussian"


def test_dropout_shows_zeros_as_often_as_asked() -> None:
    env = envs.make("Incomplete:CartPole-v1", 4000, dropout=0.3, hide=["velocity"])
    dropped = env.reset(1).obs[:, 0] == 0
    np.testing.assert_allclose(dropped.mean(axis=0), 0.3, atol=0.03)
    assert abs(np.corrcoef(dropped.T) - np.eye(3)).max() < 0.07
    whole = envs.make("CartPole-v1", 4000).reset(1).obs[:, 0][:, [0, 2, 3]]
    np.testing.assert_array_equal(env.reset(1).obs[:, 0], np.where(dropped, 0, whole))


def test_dropout_does_not_change_the_noise() -> None:
    noisy = envs.make("Incomplete:CartPole-v1", 50, noise=1.0).reset(1).obs
    both = envs.make("Incomplete:CartPole-v1", 50, noise=1.0, dropout=0.5).reset(1).obs
    kept = both != 0
    assert 0.3 < kept.mean() < 0.7
    np.testing.assert_array_equal(both[kept], noisy[kept])


def test_play_differs_with_the_seed_alone() -> None:
    make = partial(envs.make, "IncompleteCartPole-v1", noise=0.1)
    assert fingerprint(make, seed=1) == fingerprint(make, seed=1) != fingerprint(make, seed=2)


@pytest.mark.parametrize(
    ("id", "options", "sentence"),
    [
        ("Incomplete:CartPole-v1", {"hide": [4]}, "no component 4 to hide: there are 0 to 3 .position, velocity"),
        ("Incomplete:CartPole-v1", {"hide": [-1]}, "no component -1"),
        (
            "Incomplete:CartPole-v1",
            {"hide": ["speed"]},
            "no component 'speed' to hide: there are 0 position, 1 velocity",
        ),
        ("Incomplete:SlimeVolley-v0", {"hide": ["ball"]}, "have no names: hide 'ball' by place, 0 to 11"),
        ("Incomplete:CartPole-v1", {"hide": [0, 1, 2, 3]}, "all 4 components are hidden"),
        ("Incomplete:CartPole-v1", {"noise": -1}, "noise = -1"),
        ("Incomplete:CartPole-v1", {"dropout": 1.5}, "dropout = 1.5"),
        ("Incomplete:CartPole-v1", {"nois": 1.0}, "unknown key 'nois': did you mean 'noise'"),
        ("Incomplete:CartPole-v1", {"max_step": 1}, "unknown key 'max_step': did you mean 'max_steps'"),
        ("Incomplete:CartPole-v9", {}, "unknown env 'CartPole-v9': did you mean 'CartPole-v"),
    ],
)
def test_faults_name_what_there_is(id: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        envs.make(id, **options)


def test_a_refused_state_changes_nothing() -> None:
    env = envs.make("IncompleteCartPole-v1", 2)
    env.reset(0)
    before = env.get_state()
    with pytest.raises(InputError, match="no such"):
        env.set_state({"views": before["views"] + 1, "no such": np.zeros(2)})
    with pytest.raises(InputError, match="views"):
        env.set_state({"state": before["state"] + 1, "views": np.zeros(2)})
    for name, array in env.get_state().items():
        np.testing.assert_array_equal(array, before[name])


def test_noise_is_the_same_without_compiler() -> None:
    make = "lambda n: envs.make('IncompletePendulum-v1', n, max_steps=20, noise=0.3, dropout=0.2)"
    done = subprocess.run(
        [sys.executable, "-c", f"import envs, envs.check as c; print(c.fingerprint({make}))"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120, env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    here = fingerprint(partial(envs.make, "IncompletePendulum-v1", max_steps=20, noise=0.3, dropout=0.2))
    assert done.stdout.strip() == here
