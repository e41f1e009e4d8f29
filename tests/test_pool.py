"""A pool of frozen policies plays as its members would, one by one."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from scipy.stats import chisquare

import envs
from agents.heads import Actor, ActorCritic, ActorHead, HeadConfig, Q, QHead
from agents.networks import MLP
from agents.play import play
from agents.player import PolicyPlayer, Pool
from agents.policy import Policy, PolicyConfig
from envs.core import Array, EnvSpec, Floats, Ints
from tests.minds import GRU, NORMALISED, always, everywhere, new_policy
from tests.toy import Race

MIXTURES: dict[str, list[dict[str, Any]]] = {
    "alike": [{}] * 4,
    "recurrent": [GRU] * 3,
    "normalised": [{**GRU, **NORMALISED}] * 3,
    "mixed": [{}, GRU, {"hidden": (5, 9)}, {}, {**GRU, "core_width": 3}, {"activation": "relu"}, GRU],
}


@pytest.fixture(autouse=True)
def seed() -> None:
    """Tests draw from torch's global generator."""
    torch.manual_seed(0)


def rows_for(spec: EnvSpec, count: int, members: int, width: int) -> tuple[Array, Array, Floats, Ints]:
    """Views, legal actions, memory with the member in its first column, and the member."""
    rng = np.random.default_rng(0)
    size = spec.observation_spaces[0].shape
    assert size is not None
    obs = rng.normal(size=(count, *size)).astype(np.float32)
    space = spec.action_spaces[0]
    choices = int(space.n) if isinstance(space, spaces.Discrete) else 0
    legal = rng.random((count, choices)) < 0.5
    if choices:
        legal[np.arange(count), rng.integers(choices, size=count)] = True
    member = rng.integers(members, size=count)
    member[member == 1] = 0  # nobody for one of them
    memory = rng.normal(size=(count, width)).astype(np.float32)
    memory[:, 0] = member + 1
    return obs, legal, memory, member


@pytest.mark.parametrize("actions", ["discrete", "multibinary", "box"])
@pytest.mark.parametrize("mixture", MIXTURES)
def test_stacked_is_member_by_member(mixture: str, actions: str) -> None:
    spec = envs.make("SlimeVolley-v0", actions=actions).spec
    policies = [new_policy(spec, seed, sharpness=4.0, **shape) for seed, shape in enumerate(MIXTURES[mixture])]
    pool = Pool(policies, [1.0] * len(policies))
    obs, legal, memory, member = rows_for(spec, 60, len(policies), pool.memory_size)
    before = memory.copy()
    decision = pool.act(obs, legal, memory, always(0.3))
    assert np.array_equal(memory, before)
    assert np.array_equal(decision.extras["member"], member)
    assert np.array_equal(decision.memory[:, 0], member + 1)
    for index, policy in enumerate(policies):
        rows, width = np.flatnonzero(member == index), 1 + policy.memory_size
        alone = PolicyPlayer(policy, "").act(obs[rows], legal[rows], memory[rows, 1:width], always(0.3))
        np.testing.assert_allclose(decision.action[rows], alone.action, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(decision.memory[rows, 1:width], alone.memory, rtol=1e-4, atol=1e-5)
        assert decision.action.dtype == alone.action.dtype


BOX = spaces.Box(np.array([-1, 0], np.float32), np.array([1, 3], np.float32))
COMPOSITE = spaces.Tuple((spaces.Discrete(3), BOX, spaces.MultiBinary(2)))
OBS = spaces.Box(-np.inf, np.inf, (5,), np.float32)
IMAGE = spaces.Box(0, 255, (12, 12, 3), np.uint8)
LSTM: dict[str, Any] = {"core": "lstm", "core_width": 3}
HEADS: list[tuple[HeadConfig, spaces.Space[Any]]] = [
    *[(ActorCritic(), space) for space in (BOX, spaces.MultiDiscrete([2, 3]), COMPOSITE)],
    *[
        (Actor(spread=spread), space)
        for spread in ("noise", "learnt")
        for space in (BOX, spaces.Discrete(4), COMPOSITE)
    ],
    *[(head, spaces.Discrete(4)) for head in (Q(), Q(duelling=True, quantiles=5), Q(noisy=True, duelling=True))],
]


def member_of(
    seed: int, head: HeadConfig, space: spaces.Space[Any], obs_space: spaces.Box = OBS, **shape: Any
) -> Policy:
    """A policy with random weights, its own exploration noise, and strong preferences."""
    torch.manual_seed(seed)
    policy = Policy(obs_space, space, PolicyConfig(**{"hidden": (6,), **shape}), head)
    with torch.no_grad():
        for weight in policy.head.parameters():
            weight.add_(torch.randn_like(weight) * 0.4)
    if isinstance(policy.head, QHead):
        policy.head.epsilon.fill_(0.1 + 0.3 * seed)
        policy.head.resample(torch.Generator().manual_seed(seed))
    elif isinstance(policy.head, ActorHead):
        policy.head.noise.fill_(0.1 + 0.3 * seed)
    return policy


def assert_each_plays_as_alone(policies: list[Policy], draw: float) -> None:
    """Pool and members, asked for the same 40 views; member 1 has no row."""
    pool = Pool(policies, [1.0] * len(policies))
    rng, obs_space = np.random.default_rng(0), policies[0].obs_space
    obs = rng.integers(-3, 4, size=(40, *(obs_space.shape or ()))).astype(obs_space.dtype)
    space = policies[0].action_space
    legal = rng.random((40, int(space.n) if isinstance(space, spaces.Discrete) else 0)) < 0.5
    legal[:, :1] = True
    member = rng.choice([index for index in range(len(policies)) if index != 1], size=40)
    memory = rng.normal(size=(40, pool.memory_size)).astype(np.float32)
    memory[:, 0] = member + 1
    decision = pool.act(obs, legal, memory, always(draw))
    assert decision.action.dtype == PolicyPlayer(policies[0], "").act(obs, legal, memory[:, 1:], always(0)).action.dtype
    for index, policy in enumerate(policies):
        rows, width = np.flatnonzero(member == index), 1 + policy.memory_size
        alone = PolicyPlayer(policy, "").act(obs[rows], legal[rows], memory[rows, 1:width], always(draw))
        np.testing.assert_allclose(decision.action[rows], alone.action, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(decision.memory[rows, 1:width], alone.memory, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("draw", [0.2, 0.6])
@pytest.mark.parametrize(
    "shape", [{}, LSTM, {"hidden": (), "head_hidden": (5,)}], ids=["shared", "recurrent", "branches"]
)
@pytest.mark.parametrize(("head", "space"), HEADS, ids=str)
def test_every_head_stacked(head: HeadConfig, space: spaces.Space[Any], shape: dict[str, Any], draw: float) -> None:
    """With its own exploration noise, and in training as when it is frozen."""
    policies = [member_of(seed, head, space, **shape) for seed in range(3)]
    assert all(policy.stackable for policy in policies)
    assert_each_plays_as_alone(policies, draw)
    assert_each_plays_as_alone([policy.eval() for policy in policies], draw)


def test_heads_side_by_side() -> None:
    """Members of one shape whose heads differ are no stack, though what they read is alike."""
    heads: list[HeadConfig] = [ActorCritic(), Q(), Q(duelling=True), Actor(), Q(), ActorCritic(), Q(duelling=True)]
    assert_each_plays_as_alone([member_of(seed, head, spaces.Discrete(4)) for seed, head in enumerate(heads)], 0.6)


@pytest.mark.parametrize("encoder", ["conv", "mlp", "both"])
def test_members_that_see_images(encoder: str) -> None:
    """Convolutions are asked one after the other."""
    kinds = ["conv", "conv", "mlp", "mlp", "conv"] if encoder == "both" else [encoder] * 3
    policies = [
        member_of(seed, ActorCritic(), spaces.Discrete(4), IMAGE, encoder=kind) for seed, kind in enumerate(kinds)
    ]
    assert [policy.stackable for policy in policies] == [kind == "mlp" for kind in kinds]
    assert_each_plays_as_alone(policies, 0.6)


def test_members_with_encoders_of_their_own() -> None:
    """Nobody knows whether they are alike, even if they are of a class that is stacked otherwise."""
    policies = [
        Policy(OBS, spaces.Discrete(4), PolicyConfig(hidden=(6,)), encoder=encoder)
        for encoder in (MLP(5, (6,), "tanh"), None, MLP(5, (6,), "relu"), None, MLP(5, (7, 2), "tanh"))
    ]
    for policy in policies:
        torch.nn.init.normal_(policy.head.outputs.linear.weight)
    assert_each_plays_as_alone(policies, 0.6)


def test_without_a_mask_too() -> None:
    spec = envs.make("SlimeVolley-v0").spec
    policies = [new_policy(spec, seed, sharpness=4.0) for seed in range(3)]
    obs, legal, memory, _ = rows_for(spec, 50, 3, 1)
    everything = Pool(policies, [1, 1, 1]).act(obs, np.ones_like(legal), memory, always(0.8)).action
    masked = Pool(policies, [1, 1, 1]).act(obs, legal, memory, always(0.8)).action
    assert legal[np.arange(50), masked].all()
    assert not legal[np.arange(50), everything].all()


@pytest.mark.parametrize("mixture", ["alike", "mixed"])
def test_a_member_plays_its_game_to_the_end(mixture: str) -> None:
    env = Race(40)
    policies = [new_policy(env.spec, seed, **shape) for seed, shape in enumerate(MIXTURES[mixture])]
    pool = Pool(policies, [1.0] * len(policies))
    steps = list(islice(play(env, [pool], everywhere(40), seed=0), 60))
    member = np.array([step.extras[0]["member"] for step in steps])
    ended = np.array([(step.after.terminated | step.after.truncated).repeat(2) for step in steps])
    changed = member[1:] != member[:-1]
    assert not (changed & ~ended[:-1]).any()
    assert 0.5 < changed.sum() / ended[:-1].sum() < 1  # a new game draws anew, and may draw the same again


def test_shares_of_games_follow_the_weights() -> None:
    spec = Race(1).spec
    weights = np.array([3.0, 0.0, 1.0, 6.0])
    pool = Pool([new_policy(spec, seed) for seed in range(4)], weights.tolist())
    fresh = np.zeros((20_000, 1), np.float32)
    legal = np.ones((20_000, 3), np.bool_)
    decision = pool.act(np.zeros((20_000, 2), np.float32), legal, fresh, np.random.default_rng(0))
    counts = np.bincount(decision.extras["member"], minlength=4)
    assert counts[1] == 0
    assert chisquare(counts[[0, 2, 3]], 2000 * weights[[0, 2, 3]]).pvalue > 0.01


@pytest.mark.parametrize("weights", [[0.0, 1.0, 0.0], [0.0, 0.3, 0.0]])
def test_who_has_no_share_plays_no_game(weights: list[float]) -> None:
    """Not even by the smallest and the largest number that a generator gives."""
    spec = Race(1).spec
    pool = Pool([new_policy(spec, seed) for seed in range(3)], weights)
    for draw in (0.0, float(np.nextafter(1, 0))):
        legal, fresh = np.ones((3, 3), np.bool_), np.zeros((3, 1), np.float32)
        decision = pool.act(np.zeros((3, 2), np.float32), legal, fresh, always(draw))
        assert (decision.extras["member"] == 1).all()


def test_a_pool_without_a_seat() -> None:
    spec = Race(1).spec
    pool = Pool([new_policy(spec), new_policy(spec, **GRU)], [1, 1])
    nothing = np.zeros((0, 2), np.float32), np.zeros((0, 3), np.bool_), np.zeros((0, 8), np.float32)
    decision = pool.act(*nothing, np.random.default_rng(0))
    assert decision.action.shape == (0,) and decision.memory.shape == (0, 8)


def test_a_pool_is_frozen() -> None:
    """What its members learn later does not reach it."""
    spec = envs.make("SlimeVolley-v0").spec
    policy = new_policy(spec, sharpness=4.0)
    pool = Pool([policy], [1])
    obs, legal, memory, _ = rows_for(spec, 50, 1, 1)
    before = pool.act(obs, legal, memory, always(0.3)).action
    policy.head.outputs.linear.weight.data.neg_()
    assert np.array_equal(pool.act(obs, legal, memory, always(0.3)).action, before)
