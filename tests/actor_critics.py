"""What the tests of DDPG, TD3 and SAC share: learners with rows to learn from, and what every one of them must keep."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agents.algorithms import registry
from agents.algorithms.action_critic import ActionCriticConfig, ActionCriticLearner
from agents.collect import collect
from agents.critic import Critic
from agents.networks import Linear
from agents.policy import PolicyConfig
from agents.rollout import Rollout
from envs.core import Array, Bools
from tests.learners import STEPS, steps_of
from tests.probes import Aim, Patience, Probe

FAST: dict[str, Any] = {"hidden": (32,), "activation": "relu"}
"""A small network."""
RATES: dict[str, Any] = {"learning_rate": 2e-3, "critic_learning_rate": 1e-3}


class Steer(Aim):
    """The same for three steps, unless one shoots past the middle."""

    limit = 3

    def rules(self, action: Array) -> tuple[Array, Bools]:
        return super().rules(action)[0], action[:, 0] > 1


def rollout(learner: ActionCriticLearner, probe: type[Probe], seed: int = 0) -> Rollout:
    """Six steps of 64 games."""
    return collect(steps_of(probe, learner.behaviour, seed), 6)


def fed(
    name: str, probe: type[Probe], settings: dict[str, Any], policy: dict[str, Any] | None = None, rollouts: int = 1
) -> Any:
    """A learner with rows in its replay that has learnt nothing yet."""
    spec, shape = probe(1).spec, PolicyConfig(**{**FAST, **(policy or {})})
    spaces = spec.observation_spaces[0], spec.action_spaces[0]
    learner = registry.build(name, *spaces, {"start": 10**6, **RATES, **settings}, shape, seed=3)
    assert isinstance(learner, ActionCriticLearner)
    for seed in range(rollouts):
        learner.update(rollout(learner, probe, seed))
    return learner


def trained(name: str, probe: type[Probe], seed: int, updates: int, settings: dict[str, Any]) -> Any:
    """A learner after `updates` rollouts of `probe`."""
    spec = probe(1).spec
    spaces = spec.observation_spaces[0], spec.action_spaces[0]
    learner = registry.build(name, *spaces, settings, PolicyConfig(**FAST), seed)
    steps = steps_of(probe, learner.behaviour, seed)
    for update in range(updates):
        learner.update(collect(steps, STEPS), update / updates)
    return learner


def plain_q(critic: Critic, member: int) -> nn.Sequential:
    """One of its members with one hidden layer, as anybody would write it."""
    (hidden,) = critic.layers
    assert isinstance(hidden, Linear)
    layers = [hidden, critic.last]
    plain = [nn.Linear(layer.weight.shape[2], layer.weight.shape[1]) for layer in layers]
    with torch.no_grad():
        for mine, theirs in zip(plain, layers, strict=True):
            mine.weight.copy_(theirs.weight[member])
            mine.bias.copy_(theirs.bias[member])
    return nn.Sequential(plain[0], nn.ReLU(), plain[1])


def step_of_adam(loss: Tensor, networks: list[nn.Module], rate: float) -> None:
    """Down the gradient of `loss`."""
    optimiser = torch.optim.Adam([weight for network in networks for weight in network.parameters()], rate, eps=1e-8)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def equal_weights(one: nn.Module, other: nn.Module) -> bool:
    """But for rounding."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(mine, theirs, atol=2e-6) for mine, theirs in pairs)


def check_resume(name: str, probe: type[Probe], core: str) -> None:
    """Saved and loaded, it learns on to the last bit as if nothing had happened."""
    settings = {"start": 0, "updates_per_step": 0.01, "batch_size": 16, "window": 3, "burn_in": 1}
    policy = {"core": core, "core_width": 6, "normalise_obs": True}
    one, other = (fed(name, probe, settings, policy) for _ in range(2))
    other.update(rollout(other, probe, 7))  # must leave no trace
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    said = [learner.update(rollout(learner, probe, 8), 0.5) for learner in (one, other)]
    assert said[0] == said[1]
    assert said[0]["gradient_steps"] >= 3
    assert torch.equal(one._actor_step.weights, other._actor_step.weights)
    assert torch.equal(one._critic_target.weights, other._critic_target.weights)


BASE: dict[str, Any] = {
    "start": 0, "updates_per_step": 0.01, "batch_size": 16, "tau": 0.5, "optimiser_eps": 1e-3, "max_grad_norm": 1.0,
}  # fmt: skip
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "optimiser": ({}, {"optimiser": "rmsprop"}),
    "optimiser_eps": ({}, {"optimiser_eps": 1e-2}),
    "learning_rate": ({}, {"learning_rate": 1e-2}),
    "final_learning_rate": ({}, {"final_learning_rate": 0.0}),
    "schedule": ({"final_learning_rate": 0.0}, {"schedule": "cosine"}),
    "max_grad_norm": ({}, {"max_grad_norm": 1e-3}),
    "gamma": ({}, {"gamma": 0.5}),
    "batch_size": ({}, {"batch_size": 17}),
    "updates_per_step": ({}, {"updates_per_step": 0.02}),
    "start": ({}, {"start": 500}),
    "tau": ({}, {"tau": 0.1}),
    "target_every": ({"target_every": 1}, {"target_every": 2}),
    "critic_learning_rate": ({}, {"critic_learning_rate": 1e-2}),
    "final_critic_learning_rate": ({}, {"final_critic_learning_rate": 0.0}),
    "replay": ({}, {"replay": {"prioritised": True}}),
    "actor_every": ({"actor_every": 1}, {"actor_every": 2}),
    "window": ({"burn_in": 1, "window": 3}, {"window": 4}),
    "burn_in": ({"burn_in": 1, "window": 3}, {"burn_in": 0, "window": 4}),
    "first_noise": ({"start": 10**6}, {"first_noise": 0.1}),
    "noise": ({}, {"noise": 0.5}),
    "final_noise": ({}, {"final_noise": 0.9}),
    "raw_penalty": ({}, {"raw_penalty": 1.0}),
    "temperature": ({}, {"temperature": 0.3}),
    "straight_through": ({}, {"straight_through": False}),
    "entropy": ({}, {"entropy": 1.0}),
    "smoothing": ({}, {"smoothing": 0.0}),
    "smoothing_clip": ({}, {"smoothing_clip": 0.01}),
    "learn_temperature": ({}, {"learn_temperature": False}),
    "target_entropy": ({}, {"target_entropy": 0.3}),
    "target_share": ({}, {"target_share": 0.1}),
}
"""Of every field: settings before and after it changes."""
REMEMBERS = ("window", "burn_in")


def fields(name: str) -> list[Any]:
    """Every setting of `name`, for parametrise."""
    model = registry.entry(name).algorithm.Config
    assert issubclass(model, ActionCriticConfig)
    return [pytest.param(name, field, id=f"{name}-{field}") for field in model.model_fields]


def changes_something(name: str, field: str) -> bool:
    """Whether learners that differ in `field` alone learn, or play, otherwise."""
    before, after = CHANGES[field]
    return _learnt(name, field, before) != _learnt(name, field, {**before, **after})


def _learnt(name: str, field: str, settings: dict[str, Any]) -> tuple[float, ...]:
    """Numbers that tell what was learnt from the same rollouts, and how it then plays."""
    shape = {"core": "gru", "core_width": 6} if field in REMEMBERS else {}
    discrete = field in ("temperature", "straight_through", "entropy", "target_share") and name != "td3"
    probe = Patience if discrete else Steer
    learner = fed(name, probe, {**BASE, **settings}, shape, rollouts=0)
    for progress in (0.3, 0.6):
        learner.update(_recorded(name, probe, field in REMEMBERS), progress)
    weights = [learner._actor_step.weights, learner._critic_step.weights, learner._critic_target.weights]
    return (*(float(part.double().sum()) for part in weights), float(learner.behaviour.head.noise))


@cache
def _recorded(name: str, probe: type[Probe], remembers: bool) -> Rollout:
    shape = {"core": "gru", "core_width": 6} if remembers else {}
    return rollout(fed(name, probe, {}, shape, rollouts=0), probe)


@torch.no_grad()
def worth(learner: Any, probe: type[Probe]) -> Tensor:
    """[T, N] what the critics say, on average, about what was done in six steps."""
    played = rollout(learner, probe)
    features = learner.critic.state.encode(played.obs[:-1])
    if learner.critic.layers[0].weight.shape[2] == features.shape[-1]:  # it knows all actions at once
        index = played.action.expand(1, learner.members, *played.action.shape)
        values: Tensor = learner.critic(features).gather(0, index)
    else:
        values = learner.critic(features, learner.vectors.of(played.action))
    return values.mean((0, 1))
