"""A pool of frozen policies plays as its members would, one by one."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

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
    """Views, legal actions, memory, and the member on each row."""
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
    return obs, legal, rng.normal(size=(count, width)).astype(np.float32), member


@pytest.mark.parametrize("actions", ["discrete", "multibinary", "box"])
@pytest.mark.parametrize("mixture", MIXTURES)
def test_stacked_is_member_by_member(mixture: str, actions: str) -> None:
    spec = envs.make("SlimeVolley-v0", actions=actions).spec
    policies = [new_policy(spec, seed, sharpness=4.0, **shape) for seed, shape in enumerate(MIXTURES[mixture])]
    widest = max(policy.memory_size for policy in policies)
    obs, legal, memory, member = rows_for(spec, 60, len(policies), widest)
    pool = Pool(policies, member)
    assert pool.memory_size == widest
    before = memory.copy()
    decision = pool.act(obs, legal, memory, always(0.3))
    assert np.array_equal(memory, before)
    assert decision.memory.shape == memory.shape and decision.extras == {}
    for index, policy in enumerate(policies):
        rows, width = np.flatnonzero(member == index), policy.memory_size
        alone = PolicyPlayer(policy, "").act(obs[rows], legal[rows], memory[rows, :width], always(0.3))
        np.testing.assert_allclose(decision.action[rows], alone.action, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(decision.memory[rows, :width], alone.memory, rtol=1e-4, atol=1e-5)
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
    rng, obs_space = np.random.default_rng(0), policies[0].obs_space
    obs = rng.integers(-3, 4, size=(40, *(obs_space.shape or ()))).astype(obs_space.dtype)
    space = policies[0].action_space
    legal = rng.random((40, int(space.n) if isinstance(space, spaces.Discrete) else 0)) < 0.5
    legal[:, :1] = True
    member = rng.choice([index for index in range(len(policies)) if index != 1], size=40)
    pool = Pool(policies, member)
    memory = rng.normal(size=(40, pool.memory_size)).astype(np.float32)
    decision = pool.act(obs, legal, memory, always(draw))
    assert decision.action.dtype == PolicyPlayer(policies[0], "").act(obs, legal, memory, always(0)).action.dtype
    for index, policy in enumerate(policies):
        rows, width = np.flatnonzero(member == index), policy.memory_size
        alone = PolicyPlayer(policy, "").act(obs[rows], legal[rows], memory[rows, :width], always(draw))
        np.testing.assert_allclose(decision.action[rows], alone.action, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(decision.memory[rows, :width], alone.memory, rtol=1e-4, atol=1e-4)


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
    obs, legal, memory, member = rows_for(spec, 50, 3, 0)
    everything = Pool(policies, member).act(obs, np.ones_like(legal), memory, always(0.8)).action
    masked = Pool(policies, member).act(obs, legal, memory, always(0.8)).action
    assert legal[np.arange(50), masked].all()
    assert not legal[np.arange(50), everything].all()


@pytest.mark.parametrize("mixture", ["alike", "recurrent", "mixed"])
def test_lanes_have_the_same_member_for_ever(mixture: str) -> None:
    """One that always takes the same action does so on its own lanes, from game to game, and on no other."""
    env = Race(20)
    policies = [new_policy(env.spec, seed, **shape) for seed, shape in enumerate(MIXTURES[mixture])]
    for index, policy in enumerate(policies):
        policy.head.outputs.linear.bias.data[index % 3] = 100.0
    member = np.random.default_rng(0).integers(len(policies), size=40)
    steps = list(islice(play(env, [Pool(policies, member)], everywhere(20), seed=0), 30))
    expected = (member % 3).reshape(20, 2)
    assert sum(step.after.terminated.sum() + step.after.truncated.sum() for step in steps) > 60
    for step in steps:
        assert np.array_equal(step.action, np.where(step.before.acts, expected, 0))


def test_what_a_member_remembers_is_its_own() -> None:
    """In play, beside a member of a wider memory, step by step as if each were alone on its lanes."""
    env, other = Race(6), Race(6)
    policies = [new_policy(env.spec, 0, 1e4, **GRU), new_policy(env.spec, 1, 1e4, core="gru", core_width=3)]
    member = np.array([0, 1, 1, 0, 1, 1])
    pool, bystander = Pool(policies, member), PolicyPlayer(new_policy(env.spec, 2, 1e4), "")
    assert pool.memory_size == 7
    players = [bystander, *(PolicyPlayer(policy, "") for policy in policies)]
    played = islice(play(env, [bystander, pool], np.array([[0, 1]] * 6), 3, np.arange(6)), 20)
    alone = islice(play(other, players, np.stack([np.zeros(6, np.int64), 1 + member], 1), 3, np.arange(6)), 20)
    for one, two in zip(played, alone, strict=True):
        assert np.array_equal(one.action, two.action)
        for index, width in enumerate((7, 3)):
            kept = one.memory[1][member == index]
            np.testing.assert_allclose(kept[:, :width], two.memory[1 + index], rtol=1e-4, atol=1e-5)
            assert not kept[:, width:].any()


def test_who_has_no_lane_does_not_count() -> None:
    spec = Race(1).spec
    policies = [new_policy(spec, **GRU), new_policy(spec, 1, sharpness=4.0), new_policy(spec, **GRU)]
    pool = Pool(policies, np.ones(5, np.int64))
    assert pool.memory_size == 0
    obs, legal, memory, _ = rows_for(spec, 5, 3, 0)
    alone = PolicyPlayer(policies[1], "").act(obs, legal, memory, always(0.4))
    assert np.array_equal(pool.act(obs, legal, memory, always(0.4)).action, alone.action)


def test_a_pool_is_frozen() -> None:
    """What its members learn later does not reach it, alone or stacked."""
    spec = envs.make("SlimeVolley-v0").spec
    for count in (1, 2):
        policies = [new_policy(spec, seed, sharpness=4.0) for seed in range(count)]
        obs, legal, memory, _ = rows_for(spec, 50, count, 0)
        pool = Pool(policies, np.arange(50) % count)
        before = pool.act(obs, legal, memory, always(0.3)).action
        for policy in policies:
            policy.head.outputs.linear.weight.data.neg_()
        assert np.array_equal(pool.act(obs, legal, memory, always(0.3)).action, before)
