"""Our games as PettingZoo's: PettingZoo's own conformance tests on every game, and what they do not ask."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pettingzoo
import pytest
from gymnasium import spaces
from pettingzoo import AECEnv
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)

import envs
from envs import slime_volley_v0
from envs.core import Array, EnvSpec, TimeStep
from envs.errors import InputError
from envs.foreign.face import Face, forbids
from envs.foreign.screen import Screen
from envs.foreign.to_pettingzoo import ParallelGame, aec_env, parallel_env
from envs.foreign.to_pettingzoo_turns import TurnGame
from envs.sampling import random_action
from envs.seats import own_legal, own_obs
from tests.toy import Race

AGENTS = ["left", "right"]
FORMS = ("discrete", "multibinary", "box")
SPECS = {id: envs.make(id).spec for id in envs.ids()}
GAMES = [id for id, spec in SPECS.items() if spec.seats > 1]
AT_ONCE = [id for id in GAMES if envs.make(id).reset(0).acts.all()]


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    """PettingZoo reports many faults as warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Observations are unbounded, as in the original, and the seats have better names than numbers.
        warnings.filterwarnings("ignore", message="Agent's (minimum|maximum) observation space value is")
        warnings.filterwarnings("ignore", message="We recommend agents to be named")
        # Some games have seats that differ, boards that are empty at first, and one number to see.
        warnings.filterwarnings("ignore", message="Agents have different observation space sizes")
        warnings.filterwarnings("ignore", message="Observations are different shapes")
        warnings.filterwarnings("ignore", message="Observation numpy array is all zeros")
        warnings.filterwarnings("ignore", message="Observation is a single number")
        # PettingZoo knows its own games with masks, whose observations are dicts, by their names.
        warnings.filterwarnings("ignore", message="Observation is not a NumPy array")
        warnings.filterwarnings("ignore", message="Observation space for each agent probably should be")
        yield


def short(id: str) -> dict[str, Any]:
    """Options that let games end soon, where there are such."""
    return {"max_steps": 12} if "max_steps" in SPECS[id].options else {}


@pytest.mark.parametrize("id", GAMES)
def test_every_game_is_one_of_pettingzoos(id: str) -> None:
    parallel_api_test(parallel_env(id, **short(id)), num_cycles=60)
    api_test(aec_env(id, **short(id)), num_cycles=60)
    parallel_seed_test(partial(parallel_env, id, **short(id)), num_cycles=60)
    seed_test(partial(aec_env, id, **short(id)), num_cycles=60)


@pytest.mark.parametrize("id", GAMES)
def test_every_game_renders(id: str) -> None:
    render_test(partial(aec_env, id))


@pytest.mark.parametrize("id", [id for id in AT_ONCE if "max_steps" in SPECS[id].options])
def test_every_game_ends_at_its_limit(id: str) -> None:
    """PettingZoo counts cycles, in which all agents act: games of turns have none."""

    def limited(make: Any) -> Any:
        return lambda max_cycles: make(id, max_steps=max_cycles)

    max_cycles_test(SimpleNamespace(parallel_env=limited(parallel_env), env=limited(aec_env)))


@pytest.mark.parametrize("id", GAMES)
def test_both_faces_play_the_game(id: str) -> None:
    """Same start, same actions: the agents see, may do and are paid what the seats do."""
    spec = SPECS[id]
    together, turns = parallel_env(id, masked=True, **short(id)), aec_env(id, masked=True, **short(id))
    batch = envs.make(id, **short(id))
    rng = np.random.default_rng(0)
    seen, _ = together.reset(seed=4)
    turns.reset(seed=4)
    now, over, names = batch.reset(np.random.default_rng(4).integers(2**63, size=1)), False, spec.seat_names
    for _ in range(300):
        rows = []
        for seat, (name, space) in enumerate(zip(names, spec.action_spaces, strict=True)):
            legal = own_legal(space, now.legal[:, seat])
            check_view(seen[name], spec, seat, now)
            check_view(turns.observe(name), spec, seat, now)
            rows.append(random_action(space, legal, rng))
        for seat in np.flatnonzero(now.acts[0]).tolist():
            assert turns.agent_selection == names[seat]
            turns.step(rows[seat][0])
        # Whoever has no turn may say what it likes.
        said = {name: rows[seat][0] if now.acts[0, seat] else 0 * rows[seat][0] for seat, name in enumerate(names)}
        seen, paid, terminated, truncated, infos = together.step(said)
        wide = np.zeros((1, spec.seats, max(row.size for row in rows)), rows[0].dtype)
        for seat, row in enumerate(rows):
            wide[0, seat, : row.size] = row.reshape(-1)
        now = batch.step(wide if rows[0].ndim > 1 else wide[..., 0])
        assert list(paid.values()) == [turns.rewards[name] for name in names] == now.reward[0].tolist()
        assert set(terminated.values()) == set(turns.terminations.values()) == {bool(now.terminated[0])}
        assert set(truncated.values()) == set(turns.truncations.values()) == {bool(now.truncated[0])}
        over = bool(now.terminated[0] or now.truncated[0])
        if over:
            break
    assert over
    for seat, name in enumerate(names):
        assert infos[name] == turns.infos[name] == {"score": now.score[0, seat]}
        last = seen[name]["observation"] if isinstance(seen[name], dict) else seen[name]
        np.testing.assert_array_equal(last, own_obs(spec.observation_spaces[seat], now.final_obs[:, seat])[0])
    leaving = []
    for agent in turns.agent_iter():
        leaving.append(agent)
        turns.step(None)
    assert tuple(leaving) == names and not turns.agents


def check_view(seen: Any, spec: EnvSpec, seat: int, now: TimeStep) -> None:
    own, space = own_obs(spec.observation_spaces[seat], now.obs[:, seat])[0], spec.action_spaces[seat]
    if isinstance(space, spaces.Discrete):
        np.testing.assert_array_equal(seen["action_mask"], own_legal(space, now.legal[:, seat])[0])
        seen = seen["observation"]
    np.testing.assert_array_equal(seen, own)


def test_masks_are_shown_where_actions_are_forbidden() -> None:
    class Picky(Race):
        """The first seat may not add 3."""

        def legal(self) -> Any:
            legal = super().legal()
            legal[:, 0, 2] = False
            return legal

    assert not forbids(Race(2))
    assert forbids(Picky(2))
    face = Face(Picky(1), ["a_0", "b_0"], masked=True)
    assert isinstance(face.observation_spaces["a_0"], spaces.Dict)
    views = face.views(Picky(1).reset(0), over=False)
    assert [views[agent]["action_mask"].tolist() for agent in ("a_0", "b_0")] == [[1, 1, 0], [1, 0, 0]]
    plain = Face(Race(1), ["a_0", "b_0"], masked=False)
    assert plain.observation_spaces["a_0"] == Race(1).spec.observation_spaces[0]


class Rests(Race):
    """Nobody acts at every second step, and it pays a quarter all the same."""

    def acts(self) -> Any:
        return super().acts() & (self.steps % 2 == 0)[:, None]

    def step(self, action: Array) -> TimeStep:
        now = super().step(action)
        return now._replace(reward=now.reward + 0.25)


def test_steps_in_which_nobody_acts_pass_by_themselves() -> None:
    game: AECEnv[str, Any, Any] = TurnGame(Rests(1), ["a_0", "b_0"], "rests_v0", None)
    game.reset(seed=0)
    turns = 0
    while not any(game.terminations.values()) and not any(game.truncations.values()):
        assert game.agent_selection == "a_0"
        game.step(0)
        turns += 1
        assert game.rewards["b_0"] in (0.5, 0.5 - 1, 0.5 + 1, 0.25 - 1, 0.25 + 1)
    assert turns == 3


def test_composite_actions_go_as_they_are_called() -> None:
    class Pair(Race):
        """Adds the sum of both parts."""

        def __init__(self, num_envs: int) -> None:
            super().__init__(num_envs)
            both = spaces.Tuple((spaces.Discrete(2), spaces.Box(0, 1, (1,))))
            object.__setattr__(self.spec, "action_spaces", (both, both))

        def acts(self) -> Any:
            return np.ones((self.num_envs, 2), np.bool_)

        def step(self, action: Array) -> TimeStep:
            assert action.tolist() == [[[1.0, 0.5], [0.0, 0.25]]]
            return super().step(np.ones((1, 2), np.int64))

    half, quarter = np.array([0.5], np.float32), np.array([0.25], np.float32)
    game = ParallelGame(Pair(1), ["a_0", "b_0"], "pair_v0", None)
    game.reset(seed=0)
    game.step({"a_0": (1, half), "b_0": (0, quarter)})
    with pytest.raises(InputError, match=r"a_0: .* is no action of Tuple"):
        game.step({"a_0": (1,), "b_0": (0, quarter)})
    turns = TurnGame(Pair(1), ["a_0", "b_0"], "pair_v0", None)
    turns.reset(seed=0)
    turns.step((1, half))
    turns.step((0, quarter))


def test_bad_actions_in_turns_are_one_sentence() -> None:
    env = aec_env("KuhnPoker-v0")
    env.reset(seed=0)
    for action in (2, -1, 0.5, [0, 1], None):
        with pytest.raises(InputError, match="KuhnPoker-v0: seat_0"):
            env.step(action)
    with pytest.raises(InputError, match="did you mean 'KuhnPoker-v0'"):
        aec_env("KuhnPoke-v0")
    with pytest.raises(InputError, match="did you mean 'rgb_array'"):
        parallel_env("KuhnPoker-v0", render_mode="rgb")


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
    monkeypatch.setattr("envs.window.Window", FakeWindow)
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
