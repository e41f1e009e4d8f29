"""The network: its parts against torch's, and what a policy promises of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from agents.cores import GRU
from agents.heads import ActorCriticHead
from agents.networks import MLP, Heads, Linear, Normaliser
from agents.policy import Policy, PolicyConfig
from envs.core import EnvSpec
from envs.errors import InputError
from tests.minds import SHAPES, new_policy

OBS = spaces.Box(-np.inf, np.inf, (5,), np.float32)
ACTIONS: list[spaces.Space[Any]] = [
    spaces.Discrete(4),
    spaces.MultiBinary(3),
    spaces.Box(np.array([-1, 0], np.float32), np.array([1, 3], np.float32)),
    spaces.Box(-np.inf, np.inf, (2,)),
]


def spec_of(action_space: spaces.Space[Any]) -> EnvSpec:
    """A game of one seat with these actions."""
    return EnvSpec("Test-v0", (OBS,), (action_space,), (0,), 10, 1.0, False, True)


@pytest.mark.parametrize("action_space", ACTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_unrolling_is_step_by_step(shape: dict[str, Any], action_space: spaces.Space[Any]) -> None:
    policy = new_policy(spec_of(action_space), **shape)
    rng = np.random.default_rng(0)
    obs = torch.from_numpy(rng.normal(size=(4, 7, 5))).float()
    ended = torch.from_numpy(rng.random((4, 7)) < 0.3)
    memory = torch.from_numpy(rng.normal(size=(4, policy.memory_size))).float()
    legal = torch.ones(4, 7, 4, dtype=torch.bool) if isinstance(action_space, spaces.Discrete) else None
    action = torch.from_numpy(np.array([[action_space.sample() for _ in range(7)] for _ in range(4)]))
    dist, extras = policy.unroll(obs, legal, memory, ended)
    value = extras["value"]
    for t in range(7):
        output = policy(obs[:, t], None, memory)
        torch.testing.assert_close(output.extras["value"], value[:, t])
        torch.testing.assert_close(output.dist.log_prob(action[:, t]), dist.log_prob(action)[:, t])
        torch.testing.assert_close(output.dist.entropy().expand(4), dist.entropy().expand(4, 7)[:, t])
        memory = output.memory * ~ended[:, t].unsqueeze(1)


def test_a_feed_forward_policy_carries_no_memory() -> None:
    policy = new_policy(spec_of(ACTIONS[0]))
    assert policy.memory_size == 0
    assert policy(torch.zeros(3, 5), None, torch.zeros(3, 0)).memory.shape == (3, 0)


def test_weights_follow_the_seed() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return nn.utils.parameters_to_vector(Policy(OBS, ACTIONS[0], PolicyConfig(core="gru")).parameters())

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_a_fresh_policy_has_no_preferences() -> None:
    """The actor's gain is small, so that what it tries first is decided by chance."""
    torch.manual_seed(0)
    policy = Policy(OBS, spaces.Discrete(4), PolicyConfig())
    dist = policy(torch.randn(100, 5), None, torch.zeros(100, 0)).dist
    assert (dist.entropy() > 0.999 * np.log(4)).all()


def test_heads_are_one_product_with_their_own_gains() -> None:
    heads = Heads(16, {"actor": 6, "value": 1}, {"actor": 0.01, "value": 3.0})
    actor, value = heads.linear.weight.split([6, 1])
    torch.testing.assert_close(actor @ actor.T, 1e-4 * torch.eye(6))
    torch.testing.assert_close(value @ value.T, 9 * torch.eye(1))
    x = torch.randn(3, 4, 16)
    read = heads(x)
    torch.testing.assert_close(read["actor"], (x @ actor.T).movedim(-1, 0))
    torch.testing.assert_close(read["value"], (x @ value.T).movedim(-1, 0))


def test_linear() -> None:
    layer = Linear(8, 3, gain=2.0)
    torch.testing.assert_close(layer.weight @ layer.weight.T, 4 * torch.eye(3))
    assert (layer.bias == 0).all()


@pytest.mark.parametrize(("name", "module"), [("tanh", nn.Tanh), ("relu", nn.ReLU)])
def test_mlp(name: str, module: type[nn.Module]) -> None:
    mlp = MLP(5, (8, 6), name)
    first, second = nn.Linear(5, 8), nn.Linear(8, 6)
    theirs = nn.Sequential(first, module(), second, module())
    with torch.no_grad():
        for ours, copy in zip(mlp.layers, (first, second), strict=True):
            assert isinstance(ours, Linear)
            ours.bias.add_(torch.randn_like(ours.bias))
            copy.weight.copy_(ours.weight)
            copy.bias.copy_(ours.bias)
    x = torch.randn(7, 5)
    torch.testing.assert_close(mlp(x), theirs(x))
    assert mlp.width == 6


def test_gru_is_torchs() -> None:
    ours, theirs = GRU(5, 7), nn.GRUCell(5, 7)
    with torch.no_grad():
        for mine, weight, bias in (
            (ours.from_input, theirs.weight_ih, theirs.bias_ih),
            (ours.from_memory, theirs.weight_hh, theirs.bias_hh),
        ):
            mine.bias.add_(torch.randn_like(mine.bias))
            weight.copy_(mine.weight)
            bias.copy_(mine.bias)
    x, memory = torch.randn(4, 5), torch.randn(4, 7)
    output, kept = ours(x, memory)
    assert torch.equal(output, kept)
    torch.testing.assert_close(kept, theirs(x, memory))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 1000))
def test_running_statistics_are_those_of_all_rows(sizes: list[int], seed: int) -> None:
    """In whatever portions they came (Chan et al. 1979)."""
    rng = np.random.default_rng(seed)
    rows = torch.from_numpy(rng.normal(rng.normal(size=3) * 5, rng.uniform(0.1, 4, 3), (sum(sizes), 3)))
    running = Normaliser(3).double()
    for part in rows.split(sizes):
        running.update(part)
    torch.testing.assert_close(running.mean, rows.mean(0))
    torch.testing.assert_close(running.var, rows.var(0, unbiased=False))
    assert running.count.item() == len(rows)


def test_normalising_and_back() -> None:
    running, rows = Normaliser(3), torch.randn(500, 3)
    torch.testing.assert_close(running(rows), rows)  # the identity until it has seen something
    rows = rows * torch.tensor([0.1, 1.0, 30.0]) + 4
    running.update(rows)
    scaled = running(rows)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0, unbiased=False), torch.ones(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(running.unscale(scaled), rows)
    assert running(torch.full((1, 3), 1e6)).max() == 10


def test_statistics_learn_nothing_by_gradient() -> None:
    policy = new_policy(spec_of(ACTIONS[0]), normalise_obs=True, normalise_value=True)
    assert not any("norm" in name for name, _ in policy.named_parameters())
    assert {name for name, _ in policy.named_buffers()} == {
        f"{which}.{what}" for which in ("norm_obs", "head.norm_value") for what in ("mean", "var", "count")
    }


def test_values_come_in_the_units_of_returns() -> None:
    policy = new_policy(spec_of(ACTIONS[0]), normalise_value=True)
    plain = new_policy(spec_of(ACTIONS[0]))
    plain.load_state_dict({k: v for k, v in policy.state_dict().items() if "norm" not in k})
    assert isinstance(policy.head, ActorCriticHead) and policy.head.norm_value is not None
    policy.head.norm_value.mean.fill_(7.0)
    policy.head.norm_value.var.fill_(9.0)
    obs, none = torch.randn(6, 5), torch.zeros(6, 0)
    scaled, raw = policy(obs, None, none).extras["value"], plain(obs, None, none).extras["value"]
    torch.testing.assert_close(scaled, raw * 3 + 7)


@pytest.mark.parametrize(
    ("obs", "action", "message"),
    [
        (spaces.Discrete(3), spaces.Discrete(2), "no encoder"),
        (spaces.Box(0, 1, (4, 4)), spaces.Discrete(2), "no encoder"),
        (OBS, spaces.Box(-1, 1, (2, 2)), "no policy head"),
        (OBS, spaces.Text(3), "no policy head"),
    ],
    ids=str,
)
def test_spaces_that_nothing_covers(obs: spaces.Space[Any], action: spaces.Space[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Policy(obs, action, PolicyConfig())
