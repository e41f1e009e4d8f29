"""Particle games: mpe2's step for step, the kit's contract, dice of our own, pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import envs
from envs.check import check_env, fingerprint
from envs.core import Array
from envs.draw import rgb_array
from envs.errors import InputError
from envs.mpe.scenarios import SCENARIOS
from envs.sampling import random_action
from envs.scene import Text
from envs.seats import action_layout, widened
from tests.sources import ROOT

THEIRS = {
    "Spread-v0": "simple_spread_v3",
    "Tag-v0": "simple_tag_v3",
    "Adversary-v0": "simple_adversary_v3",
    "SpeakerListener-v0": "simple_speaker_listener_v4",
}
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "Spread-v0": [{}, {"N": 5, "local_ratio": 0.2}],
    "Tag-v0": [{}, {"num_good": 3, "num_adversaries": 2, "num_obstacles": 4}],
    "Adversary-v0": [{}, {"N": 4, "max_cycles": 40}],
    "SpeakerListener-v0": [{}],
}
CASES = [(id, options) for id, found in OPTIONS.items() for options in found]


def theirs(id: str, options: dict[str, Any]) -> Any:
    """mpe2's game, parallel."""
    pytest.importorskip("mpe2", reason="mpe2 is not installed: pip install 'selfplay-arena[mpe]'")
    return import_module(f"mpe2.{THEIRS[id]}").parallel_env(**options)


def placed(game: Any, state: dict[str, Array]) -> None:
    """Put the first world of `state` into mpe2's game."""
    world = game.unwrapped.world
    for entity, place in zip(world.entities, state["position"][0], strict=True):
        entity.state.p_pos = place.copy()
    for agent, speed in zip(world.agents, state["velocity"][0], strict=True):
        agent.state.p_vel = speed.copy()
    goal = world.landmarks[state["goal"][0]] if world.landmarks else None
    for agent in world.agents:
        if hasattr(agent, "_goal_b") and not agent.movable:
            agent.goal_b = goal
        elif hasattr(agent, "_goal_a") and not hasattr(agent, "_goal_b"):
            agent.goal_a = goal


def drawn(spec: Any, legal: Array, rng: np.random.Generator) -> tuple[dict[str, Any], Array]:
    """Actions that press on for a while, for mpe2 and for us."""
    wide, dtype = action_layout(spec)
    own = [random_action(space, legal[:, seat], rng) for seat, space in enumerate(spec.action_spaces)]
    pairs = zip(spec.seat_names, own, strict=True)
    return {name: action[0] for name, action in pairs}, np.stack([widened(one, wide, dtype) for one in own], axis=1)


@pytest.mark.parametrize("continuous", [False, True], ids=["discrete", "continuous"])
@pytest.mark.parametrize(("id", "options"), CASES, ids=str)
def test_whole_games_agree_with_mpe2(id: str, options: dict[str, Any], continuous: bool) -> None:
    """From the same start on, all that is seen and paid and where all are; half the games are a scramble."""
    options = {**options, "continuous_actions": continuous}
    other, ours = theirs(id, options), envs.make(id, 1, **options)
    spec, rng, touches = ours.spec, np.random.default_rng(0), 0
    assert list(spec.seat_names) == other.possible_agents
    for name, seen, done in zip(spec.seat_names, spec.observation_spaces, spec.action_spaces, strict=True):
        assert seen == other.observation_space(name) and done == other.action_space(name)
    for game in range(12):
        other.reset(seed=game)
        now = ours.reset(game)
        if game % 2:
            ours.set_state({"position": ours.get_state()["position"] * 0.25})
        placed(other, ours.get_state())
        for count in range(1, spec.max_steps + 1):
            before = ours.get_state()
            if count % 3 == 1:
                given, action = drawn(spec, now.legal, rng)
            now = ours.step(action)
            obs, reward, terminated, truncated, _ = other.step(given)
            for seat, name in enumerate(spec.seat_names):
                width = spec.observation_spaces[seat].shape[0]  # type: ignore[index]
                np.testing.assert_allclose(now.final_obs[0, seat, :width], obs[name], rtol=0, atol=1e-6)
                assert not now.final_obs[0, seat, width:].any()
                assert now.reward[0, seat] == pytest.approx(reward[name], rel=1e-6, abs=1e-6)
                assert now.truncated[0] == truncated[name] and not terminated[name]
            assert now.truncated[0] == (count == spec.max_steps)
            if not now.truncated[0]:
                world = other.unwrapped.world
                places = np.array([entity.state.p_pos for entity in world.entities])
                np.testing.assert_allclose(ours.get_state()["position"][0], places, rtol=0, atol=1e-6)
                pushed = ours.get_state()["velocity"] - before["velocity"] * 0.75
                touches += int((abs(pushed) > 0.51).any())
    assert touches > 5 or id in ("Adversary-v0", "SpeakerListener-v0")


def test_scores_are_sums_of_rewards() -> None:
    env = envs.make("Tag-v0", 4, max_cycles=7)
    env.reset(1)
    env.set_state({"position": env.get_state()["position"] * 2})
    rng, total = np.random.default_rng(0), np.zeros((4, 4))
    for _ in range(7):
        now = env.step(rng.integers(5, size=(4, 4)))
        total += now.reward
    assert now.truncated.all() and total.any()
    np.testing.assert_allclose(now.score, total)


@pytest.mark.parametrize("continuous", [False, True], ids=["discrete", "continuous"])
@pytest.mark.parametrize(("id", "options"), CASES, ids=str)
def test_the_contract(id: str, options: dict[str, Any], continuous: bool) -> None:
    options = {"max_cycles": 9, **options, "continuous_actions": continuous}
    check_env(partial(envs.make, id, **options), steps=90)


def test_who_plays_what() -> None:
    spec = envs.make("Tag-v0").spec
    assert spec.seat_names == ("adversary_0", "adversary_1", "adversary_2", "agent_0")
    assert spec.roles == ("adversary",) * 3 + ("agent",) and spec.teams == (0, 0, 0, 1) and not spec.symmetric
    assert envs.make("Spread-v0").spec.teams == (0, 0, 0) and envs.make("Spread-v0").spec.symmetric
    assert len(envs.make("Spread-v0").spec.obs_names) == 18
    spec = envs.make("SpeakerListener-v0").spec
    assert spec.roles == ("speaker", "listener") and spec.teams == (0, 0)
    assert spec.action_spaces == (spaces.Discrete(3), spaces.Discrete(5))


def test_what_is_said_is_heard_in_the_same_step() -> None:
    env = envs.make("SpeakerListener-v0", 3)
    assert not env.reset(0).obs[:, 1, -3:].any()
    for words in ([0, 1, 2], [2, 2, 0]):
        now = env.step(np.array([[word, 0] for word in words]))
        np.testing.assert_array_equal(now.obs[:, 1, -3:], np.eye(3)[words])


def test_a_number_beyond_the_box_is_its_bound() -> None:
    one, other = (envs.make("Spread-v0", 2, continuous_actions=True) for _ in range(2))
    one.reset(0), other.reset(0)
    wild = np.random.default_rng(0).normal(0.5, 2, (2, 3, 5)).astype(np.float32)
    kept = wild.copy()
    np.testing.assert_array_equal(one.step(wild).obs, other.step(wild.clip(0, 1)).obs)
    np.testing.assert_array_equal(wild, kept)


def test_starts_are_even_and_differ() -> None:
    env = envs.make("Adversary-v0", 4000)
    env.reset(3)
    state = env.get_state()
    places = state["position"]
    assert abs(places).max() < 1 and abs(places.mean(axis=0)).max() < 0.05
    assert abs((places**2).mean(axis=0) - 1 / 3).max() < 0.03
    assert abs(np.bincount(state["goal"]) - 2000).max() < 130
    assert len(np.unique(places)) > 0.999 * places.size
    obstacles = envs.make("Tag-v0", 1000)
    obstacles.reset(0)
    assert 0.89 < obstacles.get_state()["position"][:, 4:].max() < 0.9


@pytest.mark.parametrize(
    ("id", "options", "sentence"),
    [
        ("Spread-v0", {"n": 3}, "unknown key 'n'"),
        ("Spread-v0", {"local_ratio": 1.5}, "local_ratio"),
        ("Tag-v0", {"num_goods": 2}, "did you mean 'num_good'"),
        ("Adversary-v0", {"max_cycles": 0}, "max_cycles"),
        ("SpeakerListener-v0", {"N": 3}, "unknown key 'N'"),
    ],
)
def test_wrong_options(id: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        envs.make(id, **options)


def test_the_speaker_has_no_more_than_its_words() -> None:
    env = envs.make("SpeakerListener-v0", 2)
    env.reset(0)
    before = env.get_state()
    with pytest.raises(InputError, match="outside its space"):
        env.step(np.array([[0, 4], [3, 0]]))
    for name, array in env.get_state().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.fixture(scope="module")
def interpreted() -> dict[str, str]:
    """Fingerprints of all games in a process that does not compile, by id."""
    code = "import sys, envs, envs.check as c\n"
    code += "for id in sys.argv[1:]: print(id, c.fingerprint(lambda n: envs.make(id, n), steps=60))"
    done = subprocess.run(
        [sys.executable, "-c", code, *SCENARIOS], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.mark.parametrize("id", SCENARIOS)
def test_play_is_the_same_without_compiler(id: str, interpreted: dict[str, str]) -> None:
    assert interpreted[id] == fingerprint(partial(envs.make, id), steps=60)


@pytest.mark.parametrize(("id", "options"), CASES, ids=str)
def test_pictures(id: str, options: dict[str, Any]) -> None:
    env = envs.make(id, 2, **options)
    env.reset(0)
    picture = rgb_array(env.draw(1))
    assert picture.shape == (700, 700, 3) and len(np.unique(picture.reshape(-1, 3), axis=0)) > 5
    env.set_state({"position": env.get_state()["position"] + 7})
    scene = env.draw(0)
    assert scene.right > 7  # whoever strays stays in sight
    says = [shape.text for shape in scene.shapes if isinstance(shape, Text)]
    assert says == (["speaker_0 says 0.00, 0.00, 0.00"] if id == "SpeakerListener-v0" else [])
