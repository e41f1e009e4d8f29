"""DDPG and TD3: what a gradient step is, what goes on where it was left, and whether they learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.algorithms import registry
from agents.algorithms.ddpg import DDPG
from agents.algorithms.td3 import TD3
from agents.policy import PolicyConfig
from envs.errors import InputError
from tests.actor_critics import (
    FAST,
    Steer,
    changes_something,
    check_resume,
    equal_weights,
    fed,
    fields,
    plain_q,
    rollout,
    step_of_adam,
)
from tests.learners import every_seed, learn, score
from tests.probes import Aim, Buttons, Masked, Patience, Recall, Signs

RECURRENT: dict[str, Any] = {"core": "gru", "core_width": 16}


def test_a_step_of_td3_is_the_papers() -> None:
    """Both critics towards the lower target value at a blurred action, then the actor up the first critic."""
    learner = fed("td3", Steer, {"actor_every": 1, "target_every": 1, "tau": 0.1, "gamma": 0.7, "raw_penalty": 0.3})
    assert isinstance(learner, TD3)
    rows: Any = learner.replay.sample(256, np.random.default_rng(5))
    learner._rng = np.random.default_rng(5)
    noise = torch.randn(256, 1, generator=torch.Generator().manual_seed(6))
    learner._noise.manual_seed(6)
    critics = [plain_q(learner.critic, k) for k in range(2)]
    slow = [plain_q(learner.critic, k) for k in range(2)]  # targets begin as the critics are
    actor = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1))
    with torch.no_grad():
        for mine, theirs in zip(actor.parameters(), learner.policy.parameters(), strict=True):
            mine.copy_(theirs)

    aim = (actor(rows.next_obs).tanh() + (noise * 0.2).clamp(-0.5, 0.5)).clamp(-1, 1)
    lower = torch.minimum(*(q(torch.cat([rows.next_obs, aim], 1)).squeeze(1) for q in slow))
    target = (rows.reward + rows.discount * lower).detach()
    taken = torch.cat([rows.obs, (rows.action - 0.5) / 1.5], 1)
    loss = sum((q(taken).squeeze(1) - target).square().mean() for q in critics)
    assert isinstance(loss, Tensor)
    step_of_adam(loss, [*critics], 1e-3)
    raw = actor(rows.obs)
    actor_loss = 0.3 * raw.square().mean() - critics[0](torch.cat([rows.obs, raw.tanh()], 1)).mean()
    step_of_adam(actor_loss, [actor], 2e-3)

    before = learner._critic_target.weights.clone()
    said = learner._learn(0.0)
    assert said[[0, 2]].tolist() == pytest.approx([loss.item(), actor_loss.item()], rel=1e-4)
    assert all(equal_weights(q, plain_q(learner.critic, k)) for k, q in enumerate(critics))
    assert equal_weights(actor, learner.policy)
    weights = learner._critic_step.weights
    assert torch.allclose(learner._critic_target.weights, before + 0.1 * (weights - before), atol=1e-7)


def test_ddpg_believes_its_one_critic() -> None:
    learner = fed("ddpg", Steer, {})
    assert isinstance(learner, DDPG)
    seen = learner._draw(0.0)
    q, actor = plain_q(learner.critic, 0), learner.policy
    obs = seen._next_obs  # type: ignore[union-attr]
    action = torch.tanh(actor.head.outputs(actor.encode(obs))["actor"]).T
    wanted = q(torch.cat([obs, action], 1)).squeeze(1)
    assert torch.allclose(learner._worth_after(seen), wanted, atol=1e-6)


def test_targets_begin_equal_and_follow_late() -> None:
    learner = fed("td3", Steer, {"tau": 0.5})
    assert isinstance(learner, TD3)
    pairs = [(learner._actor_target, learner._actor_step), (learner._critic_target, learner._critic_step)]
    assert all(torch.equal(target.weights, step.weights) for target, step in pairs)
    first = [step.weights.clone() for _, step in pairs]
    learner._learn(0.0)
    assert torch.equal(first[0], learner._actor_step.weights), "the actor waits for every second step"
    assert not torch.equal(first[1], learner._critic_step.weights)
    assert all(torch.equal(target.weights, was) for (target, _), was in zip(pairs, first, strict=True))
    learner._learn(0.0)
    assert not torch.equal(first[0], learner._actor_step.weights)
    for (target, step), was in zip(pairs, first, strict=True):
        assert torch.allclose(target.weights, (was + step.weights) / 2, atol=1e-6)


def test_noise_is_large_first_and_then_falls() -> None:
    learner = fed("ddpg", Steer, {"start": 600, "noise": 0.4, "final_noise": 0.1, "first_noise": 2.0}, rollouts=0)
    noises = []
    for progress in (0.0, 0.5, 1.0):
        noises.append(float(learner.behaviour.head.noise))
        learner.update(rollout(learner, Steer), progress)
    assert [*noises, float(learner.behaviour.head.noise)] == pytest.approx([2.0, 2.0, 0.25, 0.1])


@pytest.mark.parametrize(
    ("name", "probe", "core"),
    [
        ("ddpg", Aim, "none"),
        ("ddpg", Signs, "gru"),
        ("ddpg", Buttons, "lstm"),
        ("td3", Aim, "none"),
        ("td3", Aim, "gru"),
    ],
)
def test_it_goes_on_where_it_was_left(name: str, probe: Any, core: str) -> None:
    check_resume(name, probe, core)


@pytest.mark.parametrize(("name", "field"), [*fields("ddpg"), *fields("td3")])
def test_every_setting_changes_something(name: str, field: str) -> None:
    assert changes_something(name, field)


def test_what_it_does_not_admit() -> None:
    see, four = spaces.Box(-1, 1, (2,)), spaces.Discrete(4)
    with pytest.raises(InputError, match=r"td3 does not admit actions in Discrete\(4\): use .*ddpg"):
        registry.build("td3", see, four)
    with pytest.raises(InputError, match=r"needs continuous actions with bounds.*ppo"):
        registry.build("ddpg", see, spaces.Box(-np.inf, np.inf, (2,)))
    with pytest.raises(InputError, match=r"replay.n_step = 3.*must be 1"):
        registry.build("ddpg", see, four, {"replay": {"n_step": 3}}, PolicyConfig(core="gru"))


COMPOSITE = spaces.Dict(
    {"aim": spaces.Box(-1, 3, (2,)), "fire": spaces.MultiBinary(2), "gear": spaces.MultiDiscrete([2, 3])}
)


@pytest.mark.parametrize("space", [spaces.MultiDiscrete([3, 2]), COMPOSITE, spaces.Tuple([spaces.Discrete(3)] * 2)])
def test_any_actions(space: spaces.Space[Any]) -> None:
    """The gradient reaches every output of the actor."""
    learner = registry.build("ddpg", spaces.Box(-1, 1, (2,)), space, {"entropy": 0.0}, PolicyConfig(**FAST))
    assert isinstance(learner, DDPG)
    obs = torch.rand(64, 2)
    dist, _ = learner.policy.read(learner.policy.encode(obs), None)
    gain = learner._gain(dist, learner.critic.state.encode(obs)).sum()
    (gradient,) = torch.autograd.grad(gain, [learner.policy.head.outputs.linear.weight])
    assert (gradient.abs().sum(1) > 0).all()


SETTINGS: dict[str, Any] = {
    "start": 0, "updates_per_step": 0.025, "batch_size": 128, "learning_rate": 3e-3, "critic_learning_rate": 1e-2,
    "gamma": 0.9, "tau": 0.05,
}  # fmt: skip


@every_seed
@pytest.mark.parametrize("name", ["ddpg", "td3"])
def test_continuous_actions(name: str, seed: int) -> None:
    assert score(Aim, learn(name, Aim, seed, 20, SETTINGS, FAST)) > Aim.solved


@every_seed
def test_what_is_seen_matters(seed: int) -> None:
    assert score(Signs, learn("ddpg", Signs, seed, 15, SETTINGS, FAST)) > Signs.solved


@every_seed
def test_credit_over_two_steps(seed: int) -> None:
    """The second view does not say what was done before, so only rewards of two steps tell."""
    settings = {**SETTINGS, "replay": {"n_step": 2}}
    assert score(Patience, learn("ddpg", Patience, seed, 15, settings, FAST)) > Patience.solved


@every_seed
def test_buttons(seed: int) -> None:
    settings = {**SETTINGS, "entropy": 0.05}
    assert score(Buttons, learn("ddpg", Buttons, seed, 30, settings, FAST)) > Buttons.solved


@every_seed
def test_masks(seed: int) -> None:
    assert score(Masked, learn("ddpg", Masked, seed, 15, SETTINGS, FAST)) > Masked.solved


@every_seed
def test_memory(seed: int) -> None:
    settings = {**SETTINGS, "window": 5, "burn_in": 0, "batch_size": 64, "entropy": 0.2}
    assert score(Recall, learn("ddpg", Recall, seed, 25, settings, {**FAST, **RECURRENT})) > Recall.solved
