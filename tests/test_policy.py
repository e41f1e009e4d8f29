"""What a policy promises of its encoder, core and heads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from agents.heads import Actor, ActorCritic, ActorCriticHead, HeadConfig, Q
from agents.networks import Conv
from agents.policy import Policy, PolicyConfig
from envs.core import EnvSpec
from envs.errors import InputError
from envs.layout import pack
from tests.minds import GRU, SHAPES, new_policy

OBS = spaces.Box(-np.inf, np.inf, (5,), np.float32)
ACTIONS: list[spaces.Space[Any]] = [
    spaces.Discrete(4),
    spaces.MultiBinary(3),
    spaces.Box(np.array([-1, 0], np.float32), np.array([1, 3], np.float32)),
    spaces.Box(-np.inf, np.inf, (2,)),
    spaces.MultiDiscrete([3, 2]),
    spaces.Tuple((spaces.Discrete(3), spaces.Box(-1, 1, (2,)), spaces.MultiBinary(2))),
]
LSTM: dict[str, Any] = {"core": "lstm", "core_width": 5}
CORES: list[dict[str, Any]] = [{}, GRU, LSTM]
IMAGE = spaces.Box(0, 255, (12, 14, 3), np.uint8)


@pytest.fixture(autouse=True)
def seed() -> None:
    """Tests draw from torch's global generator."""
    torch.manual_seed(0)


class Own(nn.Module):
    """An encoder of one's own, for rows alone: it refuses leading axes, and counts how often it runs."""

    width = 6

    def __init__(self, shape: tuple[int, ...] = (5,)) -> None:
        super().__init__()
        self.shape, self.calls = shape, 0
        self.layer = nn.Linear(int(np.prod(shape)), 6)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        assert obs.shape[1:] == self.shape and obs.dtype == torch.float32
        self.calls += 1
        out: torch.Tensor = self.layer(obs.flatten(1) / 10).tanh()
        return out


def spec_of(action_space: spaces.Space[Any]) -> EnvSpec:
    """A game of one seat with these actions."""
    return EnvSpec("Test-v0", (OBS,), (action_space,), (0,), 10, 1.0, False, True)


def views(space: spaces.Space[Any], *rows: int, seed: int = 0) -> torch.Tensor:
    """[*rows, *obs_shape] of the space's own type."""
    rng, shape = np.random.default_rng(seed), space.shape or ()
    drawn = rng.integers(256, size=(*rows, *shape)) if len(shape) == 3 else rng.normal(size=(*rows, *shape))
    return torch.from_numpy(drawn.astype(space.dtype))


@pytest.mark.parametrize("action_space", ACTIONS, ids=str)
@pytest.mark.parametrize("shape", [*SHAPES, LSTM], ids=str)
def test_unrolling_is_step_by_step(shape: dict[str, Any], action_space: spaces.Space[Any]) -> None:
    policy = new_policy(spec_of(action_space), **shape)
    rng = np.random.default_rng(0)
    obs = torch.from_numpy(rng.normal(size=(4, 7, 5))).float()
    ended = torch.from_numpy(rng.random((4, 7)) < 0.3)
    memory = torch.from_numpy(rng.normal(size=(4, policy.memory_size))).float()
    legal = torch.ones(4, 7, 4, dtype=torch.bool) if isinstance(action_space, spaces.Discrete) else None
    drawn = [[pack(action_space, action_space.sample()) for _ in range(7)] for _ in range(4)]
    action = torch.from_numpy(np.array(drawn))
    dist, extras = policy.unroll(obs, legal, memory, ended)
    value = extras["value"]
    for t in range(7):
        output = policy(obs[:, t], None, memory)
        torch.testing.assert_close(output.extras["value"], value[:, t])
        torch.testing.assert_close(output.dist.log_prob(action[:, t]), dist.log_prob(action)[:, t])
        torch.testing.assert_close(output.dist.entropy().expand(4), dist.entropy().expand(4, 7)[:, t])
        memory = output.memory * ~ended[:, t].unsqueeze(1)


@pytest.mark.parametrize("obs_space", [OBS, IMAGE], ids=["flat", "image"])
@pytest.mark.parametrize("own", [False, True], ids=["", "own"])
@pytest.mark.parametrize("core", CORES, ids=str)
def test_the_trunk_is_step_by_step(core: dict[str, Any], own: bool, obs_space: spaces.Box) -> None:
    """Features and what is carried: as a step left it, though the next step does not see it where a game ended."""
    encoder = Own(obs_space.shape) if own else None
    policy = Policy(obs_space, spaces.Discrete(2), PolicyConfig(hidden=(6,), **core), encoder=encoder)
    obs, ended = views(obs_space, 4, 7), torch.rand(4, 7) < 0.4
    memory = first = torch.randn(4, policy.memory_size)
    features, carried = policy.trunk(obs, first, ended)
    assert features.shape == (4, 7, policy.core.width) and carried.shape == (4, 7, policy.memory_size)
    for t in range(7):
        feature, memory = policy.core(policy.encode(obs[:, t]), memory)
        torch.testing.assert_close(features[:, t], feature, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(carried[:, t], memory, rtol=1e-4, atol=1e-4)
        memory = memory * ~ended[:, t].unsqueeze(1)


@pytest.mark.parametrize("core", CORES[1:], ids=str)
def test_nothing_is_remembered_of_a_game_that_ended(core: dict[str, Any]) -> None:
    policy = Policy(OBS, spaces.Discrete(2), PolicyConfig(**core))
    obs, other = views(OBS, 1, 5), views(OBS, 1, 5, seed=1)
    other[:, 3:] = obs[:, 3:]
    memory, goes_on = torch.randn(1, policy.memory_size), torch.zeros(1, 5, dtype=torch.bool)
    ends = goes_on.clone()
    ends[:, 2] = True
    for ended, forgets in ((ends, True), (goes_on, False)):
        one, another = (policy.trunk(seen, memory, ended)[0][:, 3:] for seen in (obs, other))
        assert torch.equal(one, another) == forgets


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


@pytest.mark.parametrize("obs_space", [OBS, IMAGE], ids=["flat", "image"])
@pytest.mark.parametrize("head", [ActorCritic(), Q(duelling=True), Actor(spread="learnt")], ids=lambda head: head.kind)
@pytest.mark.parametrize("core", CORES, ids=str)
def test_the_encoder_runs_once(core: dict[str, Any], head: HeadConfig, obs_space: spaces.Box) -> None:
    """However many heads read it, and for all steps together."""
    for own in (None, Own(obs_space.shape)):
        policy = Policy(obs_space, spaces.Discrete(3), PolicyConfig(head_hidden=(4,), **core), head, own)
        calls: list[None] = []
        policy.encoder.register_forward_hook(lambda *_, calls=calls: calls.append(None))
        policy(views(obs_space, 4), None, torch.zeros(4, policy.memory_size))
        assert len(calls) == 1
        ended = torch.zeros(4, 7, dtype=torch.bool)
        policy.unroll(views(obs_space, 4, 7), None, torch.zeros(4, policy.memory_size), ended)
        assert len(calls) == 2


@pytest.mark.parametrize("obs_space", [OBS, IMAGE, spaces.Box(0, 1, (4, 4))], ids=str)
def test_an_encoder_of_ones_own(obs_space: spaces.Space[Any]) -> None:
    """It reads what no encoder here does, and it is asked for rows alone, be there none."""
    own = Own(obs_space.shape or ())
    policy = Policy(obs_space, spaces.Discrete(2), encoder=own)
    assert policy.encoder is own and policy.own_encoder and not policy.stackable
    obs = views(obs_space, 3, 4)
    encoded = policy.encode(obs)
    assert encoded.shape == (3, 4, 6)
    torch.testing.assert_close(encoded.reshape(12, 6), own(obs.reshape(12, *own.shape).float()), rtol=1e-4, atol=1e-4)
    assert policy.encode(obs[:0]).shape == (0, 4, 6)
    value = policy(obs[:, 0], None, torch.zeros(3, 0)).extras["value"]
    weights = dict(policy.named_parameters())
    torch.autograd.grad(value.sum(), weights["encoder.layer.weight"])  # what it learns, it learns with the rest


def test_an_encoder_of_ones_own_sees_normalised_views() -> None:
    policy = Policy(OBS, spaces.Discrete(2), PolicyConfig(normalise_obs=True), encoder=Own())
    obs = views(OBS, 50) * 30 + 7
    raw = policy.encode(obs)
    assert policy.norm_obs is not None
    policy.norm_obs.update(obs)
    torch.testing.assert_close(policy.encode(obs), policy.encoder(policy.norm_obs(obs)))
    assert not torch.allclose(policy.encode(obs), raw, atol=0.1)


def test_an_encoder_that_does_not_say_how_wide_it_is() -> None:
    with pytest.raises(InputError, match="the encoder Linear must have an int `width`"):
        Policy(OBS, spaces.Discrete(2), encoder=nn.Linear(5, 6))


@pytest.mark.parametrize(
    ("encoder", "reads", "layers"),
    [
        ("auto", IMAGE, "conv"),
        ("conv", IMAGE, "conv"),
        ("mlp", IMAGE, "mlp"),
        ("auto", OBS, "mlp"),
        ("mlp", OBS, "mlp"),
    ],
)
def test_which_encoder_reads_what(encoder: Any, reads: spaces.Box, layers: str) -> None:
    policy = Policy(reads, spaces.Discrete(2), PolicyConfig(encoder=encoder, hidden=(9,)))
    kinds = [type(module) for module in policy.encoder.modules()]
    assert (Conv in kinds) == (layers == "conv")
    assert policy.core.width == 9
    assert policy(views(reads, 3), None, torch.zeros(3, 0)).extras["value"].shape == (3,)


def test_whole_numbers_are_scaled_and_fractions_are_not() -> None:
    """A picture of bytes looks like the same picture in fractions."""
    pictures = views(IMAGE, 4)
    bytes_ = Policy(IMAGE, spaces.Discrete(2))
    fractions = Policy(spaces.Box(0, 1, IMAGE.shape), spaces.Discrete(2))
    fractions.load_state_dict(bytes_.state_dict())
    torch.testing.assert_close(fractions.encode(pictures / 255), bytes_.encode(pictures))


@pytest.mark.parametrize(
    ("obs", "config", "message"),
    [
        (OBS, {"encoder": "conv"}, "policy.encoder = 'conv' reads images, not .*: use 'mlp'"),
        (OBS, {"encoder": "dqn"}, "policy.encoder = 'dqn' reads images"),
        (IMAGE, {"encoder": "dqn"}, "too small for the encoder 'dqn': use 'mlp'"),
        (IMAGE, {"normalise_obs": True}, "only flat observations"),
    ],
)
def test_encoders_that_cannot_read_it(obs: spaces.Box, config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Policy(obs, spaces.Discrete(2), PolicyConfig(**config))


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


@pytest.mark.parametrize("rows", [0, 8])
def test_statistics_may_come_to_a_stop(rows: int) -> None:
    policy = new_policy(spec_of(ACTIONS[0]), normalise_obs=True, normalise_rows=rows)
    assert policy.norm_obs is not None
    policy.norm_obs.count.zero_()
    for _ in range(5):
        policy.take_obs(torch.randn(2, 2, 5))
    assert float(policy.norm_obs.count) == (8 if rows else 20)
