"""The network: its parts against torch's, and what a policy promises of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from agents.heads import ActorCriticHead
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
