"""PettingZoo's environments as ours: what they show and pay, deaths, masks, workers, and what is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import pettingzoo
import pytest
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv

import envs
from envs.check import check_env, fingerprint
from envs.core import Array, BatchEnv, TimeStep, game_seeds
from envs.errors import InputError
from envs.foreign.to_pettingzoo import aec_env, parallel_env
from envs.foreign.visitor import NO_LIMIT, SEEDS
from envs.foreign.zoo import find as finding
from envs.foreign.zoo.find import find
from envs.foreign.zoo.workers import Workers
from envs.sampling import random_action
from envs.scene import Text
from envs.seats import action_layout, own_action, own_legal, own_obs, widened
from tests.sources import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

HERE = __name__
TURNS: list[tuple[str, dict[str, Any], str]] = [
    ("pettingzoo:connect_four_v3", {}, ""),
    ("pettingzoo:tictactoe_v3", {}, ""),
    ("pettingzoo:go_v5", {"board_size": 3, "max_steps": 12}, ""),
    ("pettingzoo:chess_v6", {"max_steps": 6}, "chess"),
    ("pettingzoo:leduc_holdem_v4", {}, "rlcard"),
    ("pettingzoo:texas_holdem_v4", {}, "rlcard"),
]
AT_ONCE: list[tuple[str, dict[str, Any], str]] = [
    ("pettingzoo:rps_v2", {"max_cycles": 4}, ""),
    ("mpe2:simple_spread_v3", {"max_cycles": 4}, "mpe2"),
    ("mpe2:simple_tag_v3", {"max_cycles": 4, "continuous_actions": True}, "mpe2"),
    ("mpe2:simple_adversary_v3", {"max_cycles": 4}, "mpe2"),
    ("mpe2:simple_speaker_listener_v4", {"max_cycles": 4}, "mpe2"),
    ("mpe2:simple_reference_v3", {"max_cycles": 4}, "mpe2"),
]


def need(package: str) -> None:
    if package and find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


class Walk(ParallelEnv[str, Any, Any]):  # type: ignore[misc]
    """Each agent dies when its time has come; a step pays what it has been told."""

    metadata = {"name": "walk_v0", "max_cycles": 9}

    def __init__(
        self, lives: Mapping[str, int], cut: tuple[str, ...] = (), born: int = 0, masked: bool = False
    ) -> None:
        """`lives`: steps of each agent; those in `cut` are truncated; at step `born` there is another."""
        self.lives, self.cut, self.born, self.masked = lives, cut, born, masked
        self.possible_agents = [*lives, *(["late"] if born == 99 else [])]
        self.render_mode = None

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Box(1, 9, (2,), np.float32) if agent == "last" else spaces.Box(0, 9, (1,), np.float32)

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Discrete(3, start=5)

    def seen(self, agents: list[str]) -> dict[str, Any]:
        return {agent: np.full(self.observation_space(agent).shape, self.time + 1, np.float32) for agent in agents}

    def infos(self) -> dict[str, Any]:
        return {a: {"action_mask": np.array([0, 1, self.time % 2])} if self.masked else {} for a in self.agents}

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.time = 0
        self.agents = list(self.lives)
        return self.seen(self.agents), self.infos()

    def step(self, actions: dict[str, Any]) -> Any:
        assert set(actions) == set(self.agents), "all who live act, and nobody else"
        assert all(action in (5, 6, 7) for action in actions.values())
        self.time += 1
        seen = self.seen(self.agents)
        gone = {agent: self.time >= self.lives[agent] for agent in self.agents}
        over = {agent: gone[agent] and agent not in self.cut for agent in gone}
        short = {agent: gone[agent] and agent in self.cut for agent in gone}
        paid = {agent: float(action) for agent, action in actions.items()}
        self.agents = [agent for agent in self.agents if not gone[agent]]
        if self.time == self.born:
            self.agents.append("late")
        return seen, paid, over, short, self.infos()


class Auction(AECEnv[str, Any, Any]):  # type: ignore[misc]
    """Three bid in turn; who bids 0 is out, the last one has won.

    Careless with its rewards: the dictionary keeps what it paid before, and what is added up is right all the same.
    The loser of a round pays the others at once, so that those who are not on turn are paid too.
    """

    metadata = {"name": "auction_v0", "render_modes": []}

    def __init__(self, careless: bool = False) -> None:
        super().__init__()
        self.careless = careless
        self.render_mode = None
        self.possible_agents = ["bidder_0", "bidder_1", "bidder_2"]

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Dict({"observation": spaces.Discrete(50), "action_mask": spaces.Box(0, 1, (4,), np.int8)})

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Discrete(4)

    def observe(self, agent: str) -> Any:
        mine = agent == self.agent_selection
        return {"observation": min(self.rounds, 49), "action_mask": np.array([1, 1, mine, mine], np.int8)}

    def reset(self, seed: int | None = None, options: Any = None) -> None:
        self.dice = np.random.default_rng(seed)
        self.rounds = 0
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.25)  # a welcome, which nobody may lose
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, Any] = {agent: {} for agent in self.agents}
        self.agent_selection = self.agents[0]

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        self.rounds += 1
        paid = dict.fromkeys(self.agents, 0.5 * int(action))
        paid[agent] = -1.0 - float(self.dice.integers(3))
        living = [each for each in self.agents if not self.terminations[each]]
        after = living[(living.index(agent) + 1) % len(living)]
        if action == 0:
            self.terminations[agent] = True
            living.remove(agent)
        if len(living) == 1:
            self.terminations[living[0]] = True
            paid[living[0]] += 10.0
        for each, amount in paid.items():
            self.rewards[each] = amount + (self.rewards[each] if self.careless else 0.0)
            self._cumulative_rewards[each] += amount
        self.agent_selection = after
        self._deads_step_first()


def auction(careless: bool = False) -> Auction:
    return Auction(careless)


def drawn(env: BatchEnv, now: TimeStep, rng: np.random.Generator) -> Array:
    shape, dtype = action_layout(env.spec)
    rows = [
        widened(random_action(space, own_legal(space, now.legal[:, seat]), rng), shape, dtype)
        for seat, space in enumerate(env.spec.action_spaces)
    ]
    return np.stack(rows, axis=1)


@pytest.mark.parametrize(("id", "options", "package"), TURNS + AT_ONCE, ids=str)
def test_a_hundred_random_games(id: str, options: dict[str, Any], package: str) -> None:
    need(package)
    env = envs.make(id, 4, **options)
    spec, turns = env.spec, (id, options, package) in TURNS
    rng = np.random.default_rng(0)
    now, games, total = env.reset(0), 0, np.zeros((4, spec.seats))
    while games < 100:
        assert (now.acts.sum(axis=1) == (1 if turns else spec.seats)).all()
        assert (own_legal(spec.action_spaces[0], now.legal[:, 0]).sum(axis=1)[~now.acts[:, 0]] == 1).all()
        now = env.step(drawn(env, now, rng))
        total += now.reward
        ended = now.terminated | now.truncated
        np.testing.assert_allclose(now.score[ended], total[ended])
        total[ended] = 0
        games += int(ended.sum())
        for seat, space in enumerate(spec.observation_spaces):
            for row in own_obs(space, now.obs[:, seat]):
                assert row in space
    assert spec.max_steps == options.get("max_steps", options.get("max_cycles", NO_LIMIT))


def raw_scores(env: Any, seed: int, actions: list[Any]) -> dict[str, float]:
    """What each agent is paid who plays `actions` in PettingZoo's own loop."""
    given, sums = iter(actions), dict.fromkeys(env.possible_agents, 0.0)
    env.reset(seed=seed)
    for agent in env.agent_iter():
        _, reward, terminated, truncated, _ = env.last()
        sums[agent] += reward
        env.step(None if terminated or truncated else next(given))
    assert next(given, None) is None, "as many actions as there were turns"
    return sums


@pytest.mark.parametrize(
    ("id", "options", "package"),
    [*TURNS[:2], *TURNS[4:], (f"{HERE}:auction", {}, ""), (f"{HERE}:auction", {"careless": True}, "")],
    ids=str,
)
def test_turns_pay_what_the_raw_environment_does(id: str, options: dict[str, Any], package: str) -> None:
    """Game for game, nothing lost and nothing counted twice."""
    need(package)
    env, found = envs.make(id, 1, **options), find(id)
    assert found
    raw = found.create(options)
    seeds = np.random.default_rng(int(game_seeds(7, 1)[0]))
    rng = np.random.default_rng(1)
    now, games, paid = env.reset(7), 0, []
    actions: list[int] = []
    while games < 8:
        action = drawn(env, now, rng)
        actions.append(int(action[0, now.acts[0].argmax()]))
        now = env.step(action)
        paid.append(now.reward[0])
        if now.terminated[0]:
            expected = raw_scores(raw, int(seeds.integers(SEEDS)), actions)
            np.testing.assert_allclose(now.score[0], list(expected.values()))
            np.testing.assert_allclose(np.sum(paid, axis=0), now.score[0])
            assert now.score.any()
            games, actions, paid = games + 1, [], []


def test_rewards_come_when_they_fall_due() -> None:
    """Those who wait are paid in the step in which somebody else pays them."""
    env = envs.make(f"{HERE}:auction", 1)
    env.reset(0)
    first = env.step(np.array([[2, 0, 0]])).reward[0]
    assert first[0] <= -1 + 0.25  # what it pays, and the welcome
    np.testing.assert_array_equal(first[1:], [1.0, 1.0])
    np.testing.assert_array_equal(env.step(np.array([[0, 3, 0]])).reward[0, [0, 2]], [1.5, 1.5])


def test_all_at_once_shows_what_the_raw_environment_does() -> None:
    need("mpe2")
    id, options = "mpe2:simple_tag_v3", {"max_cycles": 6}
    env, found = envs.make(id, 1, **options), find(id)
    assert found
    raw = found.create(options)
    seeds = np.random.default_rng(int(game_seeds(3, 1)[0]))
    rng = np.random.default_rng(1)
    now = env.reset(3)
    seen, _ = raw.reset(seed=int(seeds.integers(SEEDS)))
    for _ in range(15):
        for seat, agent in enumerate(raw.possible_agents):
            own = seen[agent]
            np.testing.assert_array_equal(now.obs[0, seat, : len(own)], own)
            assert not now.obs[0, seat, len(own) :].any()
        action = drawn(env, now, rng)
        now = env.step(action)
        chosen = {agent: int(action[0, seat]) for seat, agent in enumerate(raw.possible_agents)}
        seen, paid, _, cut, _ = raw.step(chosen)
        assert now.reward[0].tolist() == pytest.approx(list(paid.values()))
        assert now.truncated[0] == all(cut.values())
        assert not now.terminated[0]
        if now.truncated[0]:
            np.testing.assert_array_equal(now.final_obs[0, 0], seen["adversary_0"])
            seen, _ = raw.reset(seed=int(seeds.integers(SEEDS)))


def walk(**options: Any) -> Walk:
    return Walk(**options)


def test_a_dead_agents_seat_stays() -> None:
    env = envs.make(f"{HERE}:walk", 1, lives={"first": 1, "second": 3, "last": 2})
    now = env.reset(0)
    assert env.spec.seat_names == ("first", "second", "last")
    np.testing.assert_array_equal(now.obs[0], [[1, 0], [1, 0], [1, 1]])
    assert now.acts.all() and now.legal.all()
    now = env.step(np.array([[1, 2, 0]]))
    np.testing.assert_array_equal(now.reward, [[6, 7, 5]])
    np.testing.assert_array_equal(now.acts, [[False, True, True]])
    np.testing.assert_array_equal(now.legal[0, 0], [True, False, False])
    np.testing.assert_array_equal(now.obs[0], [[0, 0], [2, 0], [2, 2]])
    now = env.step(np.array([[0, 0, 0]]))
    np.testing.assert_array_equal(now.reward, [[0, 5, 5]])
    np.testing.assert_array_equal(now.obs[0], [[0, 0], [3, 0], [1, 1]])  # next to 0 where there is no 0
    assert not now.terminated.any()
    now = env.step(np.array([[0, 0, 0]]))
    assert now.terminated[0] and not now.truncated[0]
    np.testing.assert_array_equal(now.final_obs[0], [[0, 0], [4, 0], [1, 1]])
    np.testing.assert_array_equal(now.obs[0], [[1, 0], [1, 0], [1, 1]])
    np.testing.assert_array_equal(now.score, [[6, 17, 10]])


@pytest.mark.parametrize(
    ("lives", "cut", "truncated", "last_views"),
    [
        ({"a": 2, "b": 2}, (), False, [3, 3]),
        ({"a": 2, "b": 2}, ("a", "b"), True, [3, 3]),
        ({"a": 2, "b": 2}, ("b",), True, [0, 3]),  # the rules ended a, something was yet to come for b
        ({"a": 1, "b": 2}, ("b",), True, [0, 3]),
        ({"a": 1, "b": 2}, ("a",), False, [0, 3]),  # the last step decides
    ],
)
def test_how_a_game_ends(lives: dict[str, int], cut: tuple[str, ...], truncated: bool, last_views: list[int]) -> None:
    env = envs.make(f"{HERE}:walk", 1, lives=lives, cut=cut)
    env.reset(0)
    env.step(np.zeros((1, 2), np.int64))
    now = env.step(np.zeros((1, 2), np.int64))
    assert (now.truncated[0], now.terminated[0]) == (truncated, not truncated)
    assert now.final_obs[0, :, 0].tolist() == last_views


def test_a_limit_of_ones_own() -> None:
    env = envs.make(f"{HERE}:walk", 1, lives={"a": 5, "b": 9}, max_steps=6)
    assert env.spec.max_steps == 6
    env.reset(0)
    ends = [env.step(np.zeros((1, 2), np.int64)) for _ in range(12)]
    assert [bool(now.truncated[0]) for now in ends] == ([False] * 5 + [True]) * 2
    np.testing.assert_array_equal(ends[5].final_obs[0, :, 0], [0, 7])


def test_masks_become_legal_and_leave_the_observation() -> None:
    env = envs.make("pettingzoo:tictactoe_v3", 1)
    now = env.reset(0)
    assert now.obs.shape == (1, 2, 18)
    now = env.step(np.array([[4, 0]]))
    assert now.legal[0, 1].sum() == 8 and not now.legal[0, 1, 4]
    assert now.legal[0, 0].tolist() == [True] + [False] * 8
    with pytest.raises(InputError, match="player_2 may not do 4 now"):
        env.step(np.array([[0, 4]]))
    assert env.step(np.array([[8, 5]])).acts.tolist() == [[True, False]]  # who does not act may say anything

    masked = envs.make(f"{HERE}:walk", 1, lives={"a": 4, "b": 4}, masked=True)
    assert masked.reset(0).legal[0].tolist() == [[False, True, False]] * 2
    assert masked.step(np.ones((1, 2), np.int64)).legal[0].tolist() == [[False, True, True]] * 2


def test_teams_roles_and_sides() -> None:
    need("mpe2")
    for id, teams, roles, symmetric in (
        ("mpe2:simple_tag_v3", (0, 0, 0, 1), ("adversary",) * 3 + ("agent",), False),
        ("mpe2:simple_adversary_v3", (0, 1, 1), ("adversary", "agent", "agent"), False),
        ("mpe2:simple_crypto_v3", (0, 1, 1), ("eve", "bob", "alice"), False),
        ("mpe2:simple_world_comm_v3", (0, 0, 0, 0, 1, 1), None, False),
        ("mpe2:simple_spread_v3", (0, 0, 0), ("agent",) * 3, True),
        ("mpe2:simple_speaker_listener_v4", (0, 0), ("speaker", "listener"), False),
        ("pettingzoo:connect_four_v3", (0, 1), ("player",) * 2, True),
        ("pettingzoo:go_v5", (0, 1), ("player",) * 2, True),
    ):
        spec = envs.make(id).spec
        assert (spec.teams, spec.symmetric) == (teams, symmetric), id
        assert roles is None or spec.roles == roles
    spec = envs.make("mpe2:simple_spread_v3", 1, teams=[0, 1, 0], roles=["a", "b", "a"]).spec
    assert (spec.teams, spec.roles, spec.symmetric) == ((0, 1, 0), ("a", "b", "a"), False)
    alike = envs.make(f"{HERE}:walk", 1, lives={"first": 1, "last": 1}).spec
    assert alike.roles == ("first", "last") and not alike.symmetric


@pytest.mark.parametrize(
    ("id", "options", "sentence"),
    [
        ("pettingzoo:conect_four_v3", {}, "did you mean 'pettingzoo:connect_four_v3'"),
        ("mpe2:simple_tag_v2", {}, "did you mean 'mpe2:simple_tag_v3'"),
        ("pettingzoo:simple_tag_v3", {}, "did you mean 'mpe2:simple_tag_v3'"),
        ("mpe2:simple_tag_v3", {"max_cycle": 3}, "did you mean 'max_cycles'"),
        ("mpe2:simple_tag_v3", {"procesess": 3}, "did you mean 'processes'"),
        ("mpe2:simple_tag_v3", {"teams": [0, 1]}, "teams needs 4 numbers"),
        ("mpe2:simple_tag_v3", {"teams": [0, 1, 1, 3]}, "without gaps"),
        ("mpe2:simple_tag_v3", {"roles": ["a"] * 4}, "seats of role 'a' see or do different things"),
        ("mpe2:simple_tag_v3", {"roles": ["a"]}, "roles needs 4 names"),
        ("mpe2:simple_tag_v3", {"processes": -1}, "processes = -1"),
        ("no_such_module:game_v0", {}, "no module named 'no_such_module' is installed"),
        ("json:game_v0", {}, "no environment 'game_v0' in module 'json'"),
        ("json:loads", {}, "json:loads: "),
        (f"{HERE}:nobody", {}, "does not say which possible_agents"),
        (f"{HERE}:something", {}, "makes a dict, which is no ParallelEnv"),
        (f"{HERE}:walk", {"lives": {"a": 3}, "born": 99}, "late are not there when a game starts"),
        (f"{HERE}:talk", {}, "have no fixed size"),
    ],
)
def test_faults_are_one_sentence(id: str, options: dict[str, Any], sentence: str) -> None:
    if "mpe2" in id or "mpe2" in sentence:
        need("mpe2")
    with pytest.raises(InputError, match=sentence) as fault:
        envs.make(id, 1, **options)
    assert "\n" not in str(fault.value)


def nobody() -> Walk:
    return Walk({})


def something() -> dict[str, int]:
    return {}


def talk() -> Any:
    class Talk(Walk):
        def observation_space(self, agent: str) -> spaces.Space[Any]:
            return spaces.Sequence(spaces.Discrete(2))

        def seen(self, agents: list[str]) -> dict[str, Any]:
            return dict.fromkeys(agents, ())

    return Talk({"a": 2})


def test_births_are_refused() -> None:
    env = envs.make(f"{HERE}:walk", 1, lives={"a": 5, "b": 5}, born=2)
    env.reset(0)
    env.step(np.zeros((1, 2), np.int64))
    with pytest.raises(InputError, match=r"agents are born in the middle of a game \(late\)"):
        env.step(np.zeros((1, 2), np.int64))


@pytest.mark.parametrize("fractions", [0.5, np.nan, np.inf, -1.0, 3.0])
def test_seats_of_different_kinds_are_checked_each_for_itself(fractions: float) -> None:
    env = envs.make(f"{HERE}:mixed", 1)
    assert action_layout(env.spec) == ((2,), np.dtype(np.float32))
    now = env.reset(0)
    assert now.legal.shape == (1, 2, 3) and not now.legal[0, 1].any()
    env.step(np.array([[[2, 0], [0.5, -0.5]]], np.float32))
    with pytest.raises(InputError, match="mixed"):
        env.step(np.array([[[fractions, 0], [0.5, -0.5]]], np.float32))


def mixed() -> Any:
    class Mixed(Walk):
        def action_space(self, agent: str) -> spaces.Space[Any]:
            return spaces.Discrete(3) if agent == "a" else spaces.Box(-1, 1, (2,))

        def step(self, actions: dict[str, Any]) -> Any:
            assert all(action in self.action_space(agent) for agent, action in actions.items())
            return super().step(dict.fromkeys(actions, 6))

    return Mixed({"a": 2, "b": 3})


def kuhn() -> Any:
    return aec_env("KuhnPoker-v0", masked=False)


def court() -> Any:
    return parallel_env("SlimeVolley-v0", max_steps=40)


MADE_HERE: list[tuple[str, dict[str, Any]]] = [
    (f"{HERE}:walk", {"lives": {"first": 1, "second": 3, "last": 2}, "cut": ("second",)}),
    (f"{HERE}:auction", {}),
    (f"{HERE}:mixed", {}),
    (f"{HERE}:kuhn", {}),
    (f"{HERE}:court", {}),
    ("pettingzoo:tictactoe_v3", {}),
    ("pettingzoo:tictactoe_v3", {"processes": 2}),
]


@pytest.mark.parametrize(("id", "options"), MADE_HERE, ids=str)
def test_the_contract(id: str, options: dict[str, Any]) -> None:
    check_env(partial(envs.make, id, **options), steps=60, saves=False)


def test_ours_comes_back_as_it_went() -> None:
    """Kuhn poker through both adapters is Kuhn poker."""
    there, here = envs.make(f"{HERE}:kuhn", 1), envs.make("KuhnPoker-v0", 1)
    rng = np.random.default_rng(2)
    games = np.random.default_rng(int(game_seeds(5, 1)[0]))
    now = there.reset(5)
    for _ in range(3):
        start = np.random.default_rng(int(games.integers(SEEDS))).integers(2**63, size=1)
        ours, over = here.reset(start), False
        while not over:
            np.testing.assert_array_equal(now.obs, ours.obs)
            np.testing.assert_array_equal(now.acts, ours.acts)
            action = drawn(here, ours, rng)
            now, ours = there.step(action), here.step(action)
            np.testing.assert_array_equal(now.reward, ours.reward)
            np.testing.assert_array_equal(now.final_obs, ours.final_obs)
            over = bool(ours.terminated[0])
            assert now.terminated[0] == over


def test_workers_play_the_same_games() -> None:
    id = "pettingzoo:connect_four_v3"
    alone, shared = (fingerprint(partial(envs.make, id, processes=count), 60, games=5) for count in (0, 2))
    assert alone == shared


def test_a_fault_in_a_worker_is_told_and_ends_it() -> None:
    env: Any = envs.make(f"{HERE}:walk", 3, lives={"a": 5, "b": 5}, born=2, processes=2)
    env.reset(0)
    zeros = np.zeros((3, 2), np.int64)
    env.step(zeros)
    with pytest.raises(InputError, match="are born in the middle of a game"):
        env.step(zeros)
    with pytest.raises(InputError, match="its games are closed"):
        env.step(zeros)
    crashing: Any = envs.make(f"{HERE}:crash", 2, processes=1)
    crashing.reset(0)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        crashing.step(np.zeros((2, 1), np.int64))


def crash() -> Any:
    class Crash(Walk):
        def step(self, actions: dict[str, Any]) -> Any:
            return 1 / 0

    return Crash({"a": 4})


def test_a_worker_that_dies_is_noticed() -> None:
    env: Any = envs.make("pettingzoo:tictactoe_v3", 2, processes=2)
    env.reset(0)
    assert isinstance(env._games, Workers)
    os.kill(env._games.pids[0], signal.SIGKILL)
    with pytest.raises(InputError, match="a worker process has died"):
        env.step(np.zeros((2, 2), np.int64))


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_process(by: signal.Signals) -> None:
    code = (
        "import envs, signal, time\nif __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # jobs in the background begin deaf to it
        "    env = envs.make('pettingzoo:tictactoe_v3', 2, processes=2)\n"
        "    print(*env._games.pids, flush=True)\n    time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, stderr=-3)
    try:
        assert process.stdout
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 2 and all(map(lives, pids))
        process.send_signal(by)
        process.wait(60)
        deadline = time.monotonic() + 60
        while any(map(lives, pids)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not any(map(lives, pids))
    finally:
        process.kill()
        process.wait()


def lives(pid: int) -> bool:
    """A zombie, whose parent has not asked after it, lives no more."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not hasattr(pettingzoo, "register"), reason="PettingZoo has a registry since 1.27")
def test_registered_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    if "race-v3" not in pettingzoo.parallel_registry:
        pettingzoo.register("parallel", "race_v3", f"{HERE}:walk")
    env = envs.make("pettingzoo:race_v3", 1, lives={"a": 2})
    assert env.spec.seat_names == ("a",)
    monkeypatch.setattr(finding, "_families", list)  # what if a version has no modules to import any more?
    assert envs.make("pettingzoo:tictactoe_v3").spec.seat_names == ("player_1", "player_2")


def test_the_picture_says_what_is_known() -> None:
    env = envs.make(f"{HERE}:walk", 1, lives={"a": 4, "b": 4})
    env.reset(0)
    env.step(np.array([[0, 2]]))
    texts = [shape.text for shape in env.draw(0).shapes if isinstance(shape, Text)]
    assert texts == [f"{HERE}:walk", "step 1", "a 5", "b 7"]


def test_actions_keep_their_own_form() -> None:
    """A padded row of a Box holds the seat's own numbers in front."""
    need("mpe2")
    env = envs.make("mpe2:simple_speaker_listener_v4", 2, continuous_actions=True)
    shape, _ = action_layout(env.spec)
    assert shape == (5,)
    now = env.reset(0)
    action = drawn(env, now, np.random.default_rng(0))
    assert own_action(env.spec.action_spaces[0], action[:, 0]).shape == (2, 3)
    changed = action.copy()
    changed[:, 0, 3:] = 0.7  # behind what the speaker says
    env.reset(0)
    one = env.step(action).obs
    env.reset(0)
    np.testing.assert_array_equal(one, env.step(changed).obs)
