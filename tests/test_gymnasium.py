"""The Gymnasium face: Gymnasium's own checks, single and vector games, and the opponent in the other seat."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from numpy.random import Generator

import envs
from envs.core import Array, Bools, Floats
from envs.errors import InputError
from envs.player import Decision
from envs.slime_volley.bots import bot
from envs.slime_volley.gymnasium_face import SeatEnv, SeatVectorEnv
from tests.sources import ROOT

IDS = ("SlimeVolley-v0", "SlimeVolleySimple-v0")


class Witness:
    """Stands still and notes what it is shown; remembers how many steps it has played."""

    name = "witness"
    memory_size = 1

    def __init__(self, keep_memory: bool = False) -> None:
        self.keep_memory = keep_memory
        self.seen: list[Array] = []
        self.memories: list[Array] = []

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        self.seen.append(obs.copy())
        self.memories.append(memory[:, 0].copy())
        return Decision(np.zeros(len(obs), np.int64), memory + 1, {})


def single(id: str = "SlimeVolley-v0", **options: Any) -> SeatEnv:
    env = gymnasium.make(id, **options).unwrapped
    assert isinstance(env, SeatEnv)
    return env


def vector(num_envs: int, id: str = "SlimeVolley-v0", **options: Any) -> SeatVectorEnv:
    games = gymnasium.make_vec(id, num_envs=num_envs, **options)
    assert isinstance(games, SeatVectorEnv)
    return games


@pytest.mark.parametrize("seat", ["left", "right"])
@pytest.mark.parametrize("form", ["discrete", "multibinary", "box"])
@pytest.mark.parametrize("id", IDS)
def test_gymnasium_finds_no_fault(id: str, form: str, seat: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Observations are unbounded, as in the original.
        warnings.filterwarnings("ignore", message=".*A Box observation space (minimum|maximum) value is")
        check_env(single(id, actions=form, seat=seat), skip_render_check=True)


def test_pictures_are_in_order() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*A Box observation space (minimum|maximum) value is")
        check_env(single())
    env = single(render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    assert picture is not None
    assert picture.shape == (500, 1200, 3)
    games = vector(3, render_mode="rgb_array")
    games.reset(seed=0)
    pictures = games.render()
    assert pictures is not None
    assert len(pictures) == 3
    assert (pictures[0] == picture).all()


@pytest.mark.parametrize("seat", ["left", "right"])
def test_learner_and_opponent_sit_where_they_should(seat: str) -> None:
    witness = Witness()
    env = single(seat=seat, opponent=witness)
    obs, _ = env.reset(seed=11)
    batch = envs.make("SlimeVolley-v0")
    now = batch.reset(np.array([11]))
    own, other = (0, 1) if seat == "left" else (1, 0)
    rng = np.random.default_rng(0)
    for _ in range(60):
        np.testing.assert_array_equal(obs, now.obs[0, own])
        action = np.zeros((1, 2), np.int64)
        action[0, own] = rng.integers(6)
        obs, reward, *_ = env.step(action[0, own])
        np.testing.assert_array_equal(witness.seen[-1][0], now.obs[0, other])
        now = batch.step(action)
        assert reward == now.reward[0, own]


@pytest.mark.parametrize("seat", ["left", "right"])
def test_infos_count_lives_from_the_own_side(seat: str) -> None:
    """Two that stand still: every point shows in reward, lives and score alike, the last one too."""
    env = single(seat=seat, opponent="noop", lives=3)
    _, info = env.reset(seed=0)
    own, other, total, ended = 3, 3, 0.0, False
    assert info == {"lives": 3, "opponent_lives": 3}
    while not ended:
        _, reward, ended, truncated, info = env.step(0)
        own, other, total = own - (reward < 0), other - (reward > 0), total + reward
        assert not truncated
        assert (info["lives"], info["opponent_lives"]) == (own, other)
    assert info["score"] == total == own - other
    assert min(own, other) == 0 < max(own, other) < 3
    with pytest.raises(ResetNeeded):
        env.step(0)


def test_lives_at_the_step_limit() -> None:
    """Truncated in the very step of a point, and one step before it."""
    env = single(opponent="noop")
    env.reset(seed=0)
    point = next(at for at in range(1, 3000) if env.step(0)[1])
    for limit, lost in ((point, 1), (point - 1, 0)):
        env = single(opponent="noop", max_steps=limit)
        env.reset(seed=0)
        info = [env.step(0)[4] for _ in range(limit)][-1]
        assert info["lives"] + info["opponent_lives"] == 10 - lost
        assert info["score"] == info["lives"] - info["opponent_lives"]


def test_truncation_is_not_termination() -> None:
    env = single(max_steps=40, opponent="noop")
    env.reset(seed=0)
    ends = [env.step(0)[2:4] for _ in range(40)]
    assert ends == [(False, False)] * 39 + [(False, True)]


def test_vector_games_are_single_games() -> None:
    """Game i of a vector plays what a single game with seed + i does, up to and with its end."""
    games = vector(5, opponent="baseline", lives=1)
    assert games.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    obs, infos = games.reset(seed=20)
    singles = [single(opponent="baseline", lives=1) for _ in range(5)]
    for i, env in enumerate(singles):
        first, info = env.reset(seed=20 + i)
        np.testing.assert_array_equal(first, obs[i])
        assert info == {"lives": infos["lives"][i], "opponent_lives": infos["opponent_lives"][i]}
    playing = set(range(5))
    rng = np.random.default_rng(0)
    for _ in range(1000):
        action = rng.integers(6, size=5)
        obs, reward, terminated, truncated, infos = games.step(action)
        for i in list(playing):
            alone = singles[i].step(action[i])
            assert alone[1:4] == (reward[i], terminated[i], truncated[i])
            ended = alone[2] or alone[3]
            last = infos["final_obs"][i] if ended else obs[i]
            np.testing.assert_array_equal(alone[0], last)
            if ended:
                assert infos["_final_obs"][i]
                assert infos["_final_info"][i]
                assert alone[4] == {key: infos["final_info"][key][i] for key in alone[4]}
                assert all(infos["final_info"][f"_{key}"][i] for key in alone[4])
                assert infos["lives"][i] == 1
                assert (obs[i] != last).any()
                playing.discard(i)
        if not playing:
            return
    raise AssertionError("some game did not end")


def test_final_entries_are_those_of_the_games_that_ended() -> None:
    games = vector(6, opponent="random", lives=1, serve_delay=0)
    games.reset(seed=0)
    partly = 0
    for _ in range(200):
        _, _, terminated, truncated, infos = games.step(games.action_space.sample())
        ended = terminated | truncated
        assert ("final_obs" in infos) == bool(ended.any())
        if ended.any():
            np.testing.assert_array_equal(infos["_final_obs"], ended)
            np.testing.assert_array_equal(infos["_final_info"], ended)
            assert [row is not None for row in infos["final_obs"]] == ended.tolist()
            partly += not ended.all()
    assert partly > 3


def test_vector_seeds() -> None:
    games = vector(3, opponent="noop")
    counted, _ = games.reset(seed=5)
    listed, _ = games.reset(seed=[5, 6, 7])
    np.testing.assert_array_equal(counted, listed)
    games.reset(seed=5)
    one, _ = games.reset()
    games.reset(seed=5)
    two, _ = games.reset()
    np.testing.assert_array_equal(one, two)
    assert (one != counted).any()
    some, _ = games.reset(seed=[5, None, 7])
    np.testing.assert_array_equal(some[[0, 2]], counted[[0, 2]])
    with pytest.raises(InputError, match="2 seeds for 3 games"):
        games.reset(seed=[1, 2])


@pytest.mark.parametrize("keep", [False, True])
def test_opponent_forgets_between_games_unless_it_keeps_its_memory(keep: bool) -> None:
    witness = Witness(keep)
    env = single(opponent=witness, max_steps=4)
    for _ in range(2):
        env.reset(seed=0)
        while not env.step(0)[3]:
            pass
    again = [4, 5, 6, 7] if keep else [0, 1, 2, 3]
    assert np.concatenate(witness.memories).tolist() == [0, 1, 2, 3, *again]

    witness = Witness(keep)
    games = vector(2, opponent=witness, max_steps=4)
    games.reset(seed=0)
    for _ in range(8):
        games.step(np.zeros(2, np.int64))
    assert np.stack(witness.memories)[:, 1].tolist() == [0, 1, 2, 3, *again]


def test_players_can_be_passed_as_they_are() -> None:
    player = bot("baseline", envs.make("SlimeVolley-v0").spec, keep_memory=True)
    one, two = single(opponent=player), single(opponent="baseline")
    np.testing.assert_array_equal(one.reset(seed=3)[0], two.reset(seed=3)[0])
    for _ in range(50):
        np.testing.assert_array_equal(one.step(2)[0], two.step(2)[0])


def test_opponents_that_draw_follow_the_seed() -> None:
    def play(seed: int) -> Array:
        env = single(opponent="random")
        env.reset(seed=seed)
        return np.stack([env.step(0)[0] for _ in range(40)])

    np.testing.assert_array_equal(play(1), play(1))
    assert (play(1) != play(2)).any()


def test_importing_by_id_is_enough() -> None:
    """Gymnasium's "module:id" needs no import of ours before it."""
    code = "import gymnasium; print(gymnasium.make('envs:SlimeVolleySimple-v0').reset(seed=0)[0].shape)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "(12,)"


def test_registering_twice_is_quiet() -> None:
    from envs.registration import register_gymnasium, register_pettingzoo

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        register_gymnasium()
        register_pettingzoo()
    assert all(id in gymnasium.registry for id in IDS)


def test_bad_input_is_one_sentence() -> None:
    for wrong, message in (
        ({"opponent": "basline"}, "did you mean 'baseline'"),
        ({"seat": "rihgt"}, "did you mean 'right'"),
        ({"live": 3}, "did you mean 'lives'"),
        ({"lives": 0}, "lives"),
        ({"actions": "buttons"}, "actions"),
    ):
        with pytest.raises(InputError, match=message):
            SeatEnv("SlimeVolley-v0", **wrong)
    with pytest.raises(InputError, match="render_mode"):
        SeatVectorEnv("SlimeVolley-v0", render_mode="human")
    env = single()
    env.reset()
    for action in (6, -1, 1.5, [1, 2]):
        with pytest.raises(InputError, match="SlimeVolley-v0"):
            env.step(action)
    games = vector(3)
    games.reset()
    with pytest.raises(InputError, match="shape"):
        games.step(np.zeros(2, np.int64))
