"""Gymnasium's games as ours, in every autoreset mode, and ours of one seat as Gymnasium's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env as gymnasium_check
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import envs
from envs.check import ContractError, check_env
from envs.core import Array, BatchEnv, game_seeds
from envs.draw import rgb_array
from envs.errors import InputError
from envs.foreign.from_gymnasium import NO_LIMIT, SEEDS, Games, Vector
from envs.foreign.to_gymnasium import Game
from envs.layout import pack, unpack
from envs.registry import INCOMPLETE
from envs.sampling import random_action
from envs.scene import Picture as Painted
from envs.scene import Text
from tests.toy import Race

MODES = (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED)


class Odd(gymnasium.Env[Any, Any]):
    """Shows a Dict, takes a Tuple, and refuses what is not in it; the die ends it, or its own patience."""

    observation_space = spaces.Dict({"pair": spaces.Box(-9, 9, (2,), np.float64), "face": spaces.Discrete(3, start=1)})
    action_space = spaces.Tuple(
        (spaces.Discrete(2, start=5), spaces.Box(-1, 1, (2,)), spaces.MultiDiscrete([2, 3], start=[1, -1]))
    )

    def look(self) -> dict[str, Any]:
        return {"pair": self.np_random.uniform(-9, 9, 2), "face": self.np_random.integers(1, 4)}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.look(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert action in self.action_space
        worth = float(action[0] + action[1].sum() + action[2].sum())
        terminated = bool(self.np_random.random() < 0.2)
        return self.look(), worth, terminated, terminated, {"die": 1}


class Picture(gymnasium.Env[Any, Any]):
    """Shows an image, takes buttons."""

    observation_space = spaces.Box(0, 255, (4, 5, 3), np.uint8)
    action_space = spaces.MultiBinary(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.np_random.integers(0, 256, (4, 5, 3), np.uint8), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert action in self.action_space
        terminated = bool(self.np_random.random() < 0.2)
        return self.np_random.integers(0, 256, (4, 5, 3), np.uint8), float(action.sum()), terminated, False, {}


class Talker(Picture):
    """Its observations have no fixed size."""

    observation_space = spaces.Sequence(spaces.Discrete(2))  # type: ignore[assignment]


gymnasium.register("Odd-v0", f"{__name__}:Odd", max_episode_steps=9)
gymnasium.register("Picture-v0", f"{__name__}:Picture", max_episode_steps=9)
gymnasium.register("Talker-v0", f"{__name__}:Talker")

IDS: list[tuple[str, dict[str, Any]]] = [
    ("FrozenLake-v1", {"is_slippery": False}),
    ("Blackjack-v1", {}),
    ("gym:CartPole-v1", {"max_episode_steps": 15}),
    ("gym:Pendulum-v1", {"max_episode_steps": 15}),
    ("Odd-v0", {}),
    ("Picture-v0", {}),
    ("gym:SlimeVolleySimple-v0", {"opponent": "noop", "max_episode_steps": 20}),
]


@pytest.mark.parametrize(("id", "options"), IDS, ids=str)
def test_the_contract(id: str, options: dict[str, Any]) -> None:
    check_env(lambda num_envs: envs.make(id, num_envs, **options), steps=120, saves=False)


def test_the_kit_knows_what_can_be_saved() -> None:
    with pytest.raises(ContractError, match="get_state of games that cannot be saved is accepted"):
        check_env(Race, steps=60, saves=False)
    with pytest.raises(InputError, match="Blackjack-v1 is Gymnasium's: the state"):
        check_env(lambda num_envs: envs.make("Blackjack-v1", num_envs), steps=60)


@pytest.mark.parametrize(("id", "options"), IDS, ids=str)
def test_games_are_gymnasiums(id: str, options: dict[str, Any]) -> None:
    """The same as a plain loop over single environments, which are seeded once."""
    ours = envs.make(id, 2, **options)
    theirs = [gymnasium.make(id.removeprefix("gym:"), **options) for _ in range(2)]
    native, space = theirs[0].action_space, ours.spec.action_spaces[0]
    rng = np.random.default_rng(0)
    now = ours.reset(3)
    seeds = [int(seed) & SEEDS for seed in game_seeds(3, 2)]
    seen = [env.reset(seed=seed)[0] for env, seed in zip(theirs, seeds, strict=True)]
    returns, ends = [0.0, 0.0], 0
    for _ in range(100):
        for row, env in enumerate(theirs):
            np.testing.assert_array_equal(now.obs[row, 0], shown(env.observation_space, seen[row]))
        action = random_action(space, now.legal[:, 0], rng)
        now = ours.step(action[:, None])
        for row, env in enumerate(theirs):
            seen[row], reward, terminated, truncated, _ = env.step(unpack(native, action[row]))
            returns[row] += float(reward)
            assert now.reward[row, 0] == reward
            assert now.terminated[row] == terminated
            assert now.truncated[row] == (truncated and not terminated)
            np.testing.assert_array_equal(now.final_obs[row, 0], shown(env.observation_space, seen[row]))
            if terminated or truncated:
                assert now.score[row, 0] == pytest.approx(returns[row])
                returns[row], ends = 0.0, ends + 1
                seen[row] = env.reset()[0]
    assert ends > 3


def shown(space: spaces.Space[Any], observation: Any) -> Array:
    flat: Any = spaces.flatten(space, observation)
    return np.asarray(observation) if space.dtype == np.uint8 else np.asarray(flat, np.float32)


def test_spaces_become_arrays() -> None:
    odd, picture, lake = (envs.make(id).spec for id in ("Odd-v0", "Picture-v0", "FrozenLake-v1"))
    (box,) = odd.observation_spaces
    assert isinstance(box, spaces.Box)
    assert box.shape == (5,) and box.dtype == np.float32
    assert picture.observation_spaces == (Picture.observation_space,)
    assert lake.observation_spaces[0].shape == (16,)
    assert "start" not in str(odd.action_spaces[0])
    assert (odd.max_steps, envs.make("Blackjack-v1").spec.max_steps) == (9, NO_LIMIT)
    assert dict(envs.make("FrozenLake-v1", is_slippery=False).spec.options) == {"is_slippery": False}
    assert envs.make("gym:CartPole-v1").spec.step_seconds == pytest.approx(0.02)


def vector(id: str, mode: AutoresetMode, options: dict[str, Any], num_envs: int = 3) -> Vector:
    make = [lambda: gymnasium.make(id.removeprefix("gym:"), **options)] * num_envs
    return Vector(SyncVectorEnv(make, autoreset_mode=mode))


def transitions(env: BatchEnv, actions: Array, steps: int) -> Iterator[list[tuple[Any, ...]]]:
    """Of each game, all steps that are not idle; `actions` [games, steps, 1, ...] are used up one by one."""
    found: list[list[tuple[Any, ...]]] = [[] for _ in range(env.num_envs)]
    now = env.reset(5)
    for _ in range(steps):
        action = np.stack([actions[row, len(found[row])] for row in range(env.num_envs)])
        after = env.step(action)
        for row in range(env.num_envs):
            if now.acts[row, 0]:
                parts = (now.obs, action, after.reward, after.terminated, after.truncated, after.final_obs, after.score)
                found[row].append(tuple(part[row].tolist() for part in parts))
            else:
                check_idle(now, after, row, env)
        now = after
    yield from found


def check_idle(now: Any, after: Any, row: int, env: BatchEnv) -> None:
    """What a row shows before and after the step in which Gymnasium only resets."""
    assert now.terminated[row] or now.truncated[row], "only after the end of a game"
    assert now.obs[row, 0] in env.spec.observation_spaces[0]
    assert not now.obs[row, 0].any()
    assert after.reward[row, 0] == 0
    assert not after.terminated[row] and not after.truncated[row]
    assert after.acts[row, 0]
    assert after.legal[row].all()
    if now.legal.shape[2]:
        assert now.legal[row, 0].sum() == 1


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize(("id", "options"), IDS, ids=str)
def test_vector_envs_show_the_transitions_of_single_ones(id: str, options: dict[str, Any], mode: AutoresetMode) -> None:
    single, many = envs.make(id, 3, **options), vector(id, mode, options)
    space = single.spec.action_spaces[0]
    assert str(many.spec.action_spaces) == str(single.spec.action_spaces)
    assert many.spec.observation_spaces == single.spec.observation_spaces
    assert many.spec.max_steps == min(single.spec.max_steps + (mode is AutoresetMode.NEXT_STEP), NO_LIMIT)
    choices = space.n if isinstance(space, spaces.Discrete) else 0
    drawn = random_action(space, np.ones((3 * 101, choices), np.bool_), np.random.default_rng(1))
    actions = drawn.reshape(3, 101, 1, *drawn.shape[1:])
    expected, found = (list(transitions(env, actions, 100)) for env in (single, many))
    for one, other in zip(expected, found, strict=True):
        ends = sum(step[3] or step[4] for step in other)
        assert ends > 2
        idle = 100 - len(other)
        assert idle in (ends - 1, ends) if mode is AutoresetMode.NEXT_STEP else idle == 0
        np.testing.assert_equal(other, one[: len(other)])


def test_a_vector_env_with_rules_of_its_own() -> None:
    """Gymnasium's vectorised CartPole takes one seed for all its games, and resets in the next step."""
    env = Vector(gymnasium.make_vec("CartPole-v1", 3, vectorization_mode="vector_entry_point"))
    assert env.spec.max_steps == 501
    one = env.reset(1)
    np.testing.assert_array_equal(one.obs, env.reset(1).obs)
    idle = 0
    for _ in range(60):
        now = env.step(np.ones((3, 1), np.int64))
        idle += int((~now.acts).sum())
        np.testing.assert_array_equal(~now.acts[:, 0], now.terminated)
    assert idle > 9


def test_a_vector_env_must_know_its_mode() -> None:
    games = SyncVectorEnv([lambda: gymnasium.make("Blackjack-v1")])
    games.metadata = {}
    with pytest.raises(InputError, match="do not say in which autoreset_mode"):
        Vector(games)


@pytest.mark.parametrize(
    ("id", "options", "sentence"),
    [
        ("FrozenLake-v7", {}, "unknown env 'FrozenLake-v7': did you mean 'FrozenLake"),
        ("CartPol-v1", {}, "unknown env 'CartPol-v1': did you mean 'CartPole-v1'"),
        ("gym:Nothing-v0", {}, "gym:Nothing-v0: .*doesn't exist"),
        ("no_such_module:Game-v0", {}, "No module named 'no_such_module'"),
        ("FrozenLake-v1", {"slippery": 1}, "FrozenLake-v1: .*unexpected keyword argument 'slippery'"),
        ("Talker-v0", {}, "Talker-v0: observations of Sequence.* have no fixed size"),
        ("Incomplete:Picture-v0", {}, "only flat observations have components to hide"),
    ],
)
def test_faults_are_one_sentence(id: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        envs.make(id, **options)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(id: str, **_: Any) -> Any:
        raise gymnasium.error.DependencyNotInstalled('Box2D is not installed, run `pip install "gymnasium[box2d]"`')

    monkeypatch.setattr(gymnasium, "make", missing)
    with pytest.raises(
        InputError, match=r'^gym:Needy-v0: Box2D is not installed, run `pip install "gymnasium\[box2d\]"`.$'
    ):
        envs.make("gym:Needy-v0")


def test_the_picture_says_what_is_known() -> None:
    env = envs.make("Blackjack-v1", 1)
    env.reset(0)
    words = [shape.text for shape in env.draw(0).shapes if isinstance(shape, Text)]
    assert words == ["Blackjack-v1", "step 0", "return 0"]


def test_games_close() -> None:
    games = Games("gym:CartPole-v1", 2)
    games.reset(0)
    games.close()
    vector("Odd-v0", AutoresetMode.SAME_STEP, {}).close()


@pytest.mark.filterwarnings("ignore::UserWarning")  # of what Gymnasium's own CartPole and Pendulum are guilty too
@pytest.mark.filterwarnings("ignore:.*out of date:DeprecationWarning")
@pytest.mark.parametrize("id", INCOMPLETE)
def test_gymnasium_takes_ours(id: str) -> None:
    env = gymnasium.make(id, max_steps=30)
    gymnasium_check(env.unwrapped, skip_render_check=True)
    ours = envs.make(id, 1, max_steps=30)
    seen, _ = env.reset(seed=2)
    now = ours.reset(np.random.default_rng(2).integers(2**63, size=1, dtype=np.uint64))
    env.action_space.seed(0)
    over = False
    while not over:
        np.testing.assert_array_equal(seen, now.obs[0, 0])
        action = env.action_space.sample()
        seen, reward, terminated, truncated, info = env.step(action)
        now = ours.step(pack(env.action_space, action)[None, None])
        over = terminated or truncated
        assert (reward, terminated, truncated) == (now.reward.item(), now.terminated.item(), now.truncated.item())
    np.testing.assert_array_equal(seen, now.final_obs[0, 0])
    assert info["score"] == now.score.item()
    with pytest.raises(ResetNeeded):
        env.unwrapped.step(action)


def test_gymnasium_sees_pictures_of_ours() -> None:
    env = gymnasium.make("IncompleteCartPole-v1", render_mode="rgb_array")
    env.reset(seed=0)
    image: Any = env.render()
    assert image.shape == (300, 600, 3)
    assert image.std() > 1
    env.close()


def test_gymnasium_gets_games_of_one_seat_only() -> None:
    with pytest.raises(InputError, match="1 games of 2 seats"):
        Game(Race(1))
    with pytest.raises(InputError, match="2 games of 1 seats"):
        Game(envs.make("CartPole-v1", 2))


def test_the_picture_is_its_own_where_it_is_asked_for() -> None:
    env = envs.make("gym:CartPole-v1", 1, render_mode="rgb_array")
    env.reset(0)
    scene = env.draw(0)
    (picture,) = scene.shapes
    assert isinstance(picture, Painted)
    own = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    own.reset(seed=int(game_seeds(0, 1)[0]) & SEEDS)
    np.testing.assert_array_equal(rgb_array(scene), own.render())
