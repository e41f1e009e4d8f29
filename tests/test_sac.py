"""SAC, for continuous and Discrete actions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.algorithms import registry
from agents.algorithms.sac import SAC
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
    step_of_adam,
    trained,
    worth,
)
from tests.learners import every_seed, learn, score
from tests.probes import Aim, Contract, Masked, Patience, Recall, Salary, Signs

START = math.log(0.3)
SMALL: dict[str, Any] = {"temperature": 0.3, "gamma": 0.7}


class Actor(nn.Module):
    """One hidden layer, as anybody would write it."""

    def __init__(self, learner: SAC, inputs: int, outputs: int) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(inputs, 32), nn.Linear(32, outputs)
        with torch.no_grad():
            for mine, theirs in zip(self.parameters(), learner.policy.parameters(), strict=True):
                mine.copy_(theirs)

    def forward(self, obs: Tensor) -> Tensor:
        said: Tensor = self.out(torch.relu(self.hidden(obs)))
        return said

    def draw(self, obs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Actions between -1 and 1, and their log-densities."""
        mean, log_std = self(obs).split(1, 1)
        raw = mean + log_std.exp() * noise
        density = torch.distributions.Normal(mean, log_std.exp()).log_prob(raw)
        return raw.tanh(), (density - (1 - raw.tanh().square()).log()).squeeze(1)


def test_a_step_is_the_papers() -> None:
    """Haarnoja et al. 2018, algorithm 1: critics, actor, temperature, in this order."""
    learner = fed("sac", Steer, SMALL)
    rows = learner.replay.sample(256, np.random.default_rng(5))
    learner._rng = np.random.default_rng(5)
    learner._noise.manual_seed(6)
    rng = torch.Generator().manual_seed(6)
    first, second = (torch.randn(256, 1, generator=rng) for _ in range(2))
    critics, slow = ([plain_q(learner.critic, k) for k in range(2)] for _ in range(2))
    actor = Actor(learner, 1, 2)

    def lower(networks: list[nn.Sequential], obs: Tensor, action: Tensor) -> Tensor:
        return torch.minimum(*(q(torch.cat([obs, action], 1)).squeeze(1) for q in networks))

    action, log_prob = actor.draw(rows.next_obs, first)
    target = rows.reward + rows.discount * (lower(slow, rows.next_obs, action) - 0.3 * log_prob)
    taken = torch.cat([rows.obs, (rows.action - 0.5) / 1.5], 1)
    loss = torch.stack([(q(taken).squeeze(1) - target.detach()).square().mean() for q in critics]).sum()
    step_of_adam(loss, [*critics], 1e-3)
    action, log_prob = actor.draw(rows.obs, second)
    actor_loss = (0.3 * log_prob - lower(critics, rows.obs, action)).mean()
    step_of_adam(actor_loss, [actor], 2e-3)

    said = learner._learn(0.0)
    assert said[[0, 2]].tolist() == pytest.approx([loss.item(), actor_loss.item()], rel=1e-4)
    assert all(equal_weights(q, plain_q(learner.critic, k)) for k, q in enumerate(critics))
    assert equal_weights(actor, learner.policy)
    assert log_prob.mean().item() < 1, "it is more random than wanted"
    assert learner.log_temperature.item() == pytest.approx(START - 2e-3, rel=1e-4), "so the temperature falls"


def test_a_step_with_choices_is_the_papers() -> None:
    """Christodoulou 2019, equations 10 to 12: the mean over the actions instead of a draw."""
    learner = fed("sac", Patience, SMALL)
    rows = learner.replay.sample(256, np.random.default_rng(5))
    learner._rng = np.random.default_rng(5)
    critics, slow = ([plain_q(learner.critic, k) for k in range(2)] for _ in range(2))
    actor = Actor(learner, 2, 4)

    def soft_value(networks: list[nn.Sequential], obs: Tensor) -> Tensor:
        probs, log_probs = actor(obs).softmax(1), actor(obs).log_softmax(1)
        value: Tensor = probs * (torch.minimum(*(q(obs) for q in networks)) - 0.3 * log_probs)
        return value.sum(1)

    target = (rows.reward + rows.discount * soft_value(slow, rows.next_obs)).detach()
    index = rows.action.unsqueeze(1)
    loss = torch.stack([(q(rows.obs).gather(1, index).squeeze(1) - target).square().mean() for q in critics]).sum()
    step_of_adam(loss, [*critics], 1e-3)
    actor_loss = -soft_value(critics, rows.obs).mean()
    step_of_adam(actor_loss, [actor], 2e-3)
    said = learner._learn(0.0)
    assert said[[0, 2]].tolist() == pytest.approx([loss.item(), actor_loss.item()], rel=1e-4)
    assert all(equal_weights(q, plain_q(learner.critic, k)) for k, q in enumerate(critics))
    assert equal_weights(actor, learner.policy)


def test_wanted_entropy_counts_what_is_legal() -> None:
    learner = fed("sac", Masked, {"target_share": 0.5})
    legal = torch.tensor([[True, True, False, False], [True, True, True, True]])
    assert learner._wanted(legal).tolist() == pytest.approx([0.5 * math.log(2), 0.5 * math.log(4)])
    assert learner._wanted(None) == pytest.approx(0.5 * math.log(4))


@pytest.mark.parametrize("probe", [Steer, Patience])
@pytest.mark.parametrize("core", ["none", "gru", "lstm"])
def test_it_goes_on_where_it_was_left(probe: Any, core: str) -> None:
    check_resume("sac", probe, core)


@pytest.mark.parametrize(("name", "field"), fields("sac"))
def test_every_setting_changes_something(name: str, field: str) -> None:
    assert changes_something(name, field)


@pytest.mark.parametrize("space", [spaces.MultiBinary(2), spaces.Tuple([spaces.Discrete(2)])])
def test_what_it_does_not_admit(space: spaces.Space[Any]) -> None:
    with pytest.raises(InputError, match=r"sac does not admit actions in .*: use .*ddpg"):
        registry.build("sac", spaces.Box(-1, 1, (2,)), space)


SETTINGS: dict[str, Any] = {
    "start": 0, "updates_per_step": 0.025, "batch_size": 128, "learning_rate": 3e-3, "critic_learning_rate": 1e-2,
    "gamma": 0.9, "tau": 0.05, "target_share": 0.2,
}  # fmt: skip


@every_seed
def test_continuous_actions(seed: int) -> None:
    assert score(Aim, learn("sac", Aim, seed, 15, SETTINGS, FAST)) > Aim.solved


@every_seed
def test_what_is_seen_matters(seed: int) -> None:
    assert score(Signs, learn("sac", Signs, seed, 15, SETTINGS, FAST)) > Signs.solved


@every_seed
def test_credit_over_two_steps(seed: int) -> None:
    """The second view does not say what was done before, so only rewards of two steps tell."""
    settings = {**SETTINGS, "replay": {"n_step": 2}}
    assert score(Patience, learn("sac", Patience, seed, 15, settings, FAST)) > Patience.solved


@every_seed
@pytest.mark.parametrize("name", ["ddpg", "sac"])
def test_a_limit_is_not_an_end_and_an_end_is(name: str, seed: int) -> None:
    """Reward 1 for ever is worth 1 / (1 - gamma), and for five steps what is left of it."""
    settings = {**SETTINGS, "tau": 0.1, "learn_temperature": False, "temperature": 1e-6}
    if name == "ddpg":
        settings = {key: SETTINGS[key] for key in SETTINGS if key != "target_share"} | {"tau": 0.1}
    salary, contract = (trained(name, probe, seed, 30, settings) for probe in (Salary, Contract))
    assert worth(salary, Salary).numpy() == pytest.approx(10, rel=0.03)
    left = torch.tensor([(1 - 0.9**steps) / 0.1 for steps in (5, 4, 3, 2, 1)])
    error = worth(contract, Contract)[:5] - left.unsqueeze(1)
    assert error.abs().max() < 0.15


@every_seed
def test_masks(seed: int) -> None:
    assert score(Masked, learn("sac", Masked, seed, 15, SETTINGS, FAST)) > Masked.solved


@every_seed
def test_memory(seed: int) -> None:
    settings = {**SETTINGS, "window": 5, "burn_in": 4, "batch_size": 64}
    assert (
        score(Recall, learn("sac", Recall, seed, 20, settings, {**FAST, "core": "lstm", "core_width": 16}))
        > Recall.solved
    )
