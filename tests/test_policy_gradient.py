"""A2C, REINFORCE and OffPAC against their formulas, written out plainly and left to autograd."""

from __future__ import annotations

import io
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

import envs
from agents.algorithms import registry
from agents.algorithms.a2c import A2C, A2CConfig
from agents.algorithms.algorithm import ActorCriticConfig
from agents.algorithms.offpac import OffPAC, OffPACConfig
from agents.algorithms.reinforce import Reinforce, ReinforceConfig
from agents.collect import collect, collect_games
from agents.play import play
from agents.player import PolicyPlayer
from agents.policy import Policy
from agents.returns import gae, importance, next_values, per_decision, vtrace
from agents.rollout import Rollout, bootstrap, evaluate
from envs.core import BatchEnv
from tests.minds import GRU, everywhere, new_policy
from tests.toy import Race

PLAIN = {"advantage": "none", "final_learning_rate": None, "entropy": 0.05, "gamma": 0.9}
ENVS: dict[str, Callable[[int], BatchEnv]] = {
    "turns": Race,
    "box": partial(envs.make, "SlimeVolley-v0", actions="box", lives=1, max_steps=50, serve_delay=2),
}
LSTM = {"core": "lstm", "core_width": 5}


def experience(env: BatchEnv, policy: Policy, steps: int = 60, seed: int = 0) -> Rollout:
    return collect(play(env, [PolicyPlayer(policy, "")], everywhere(env.num_envs, env.spec.seats), seed), steps)


def textbook_step(
    policy: Policy, rollout: Rollout, advantage: Tensor, target: Tensor, config: ActorCriticConfig, weight: Tensor
) -> None:
    """One Adam step on the sum of the three losses; rows of seats that did not act have no policy to improve."""
    optimiser = torch.optim.Adam(policy.parameters(), lr=config.learning_rate, eps=1e-5)
    logprob, entropy, value = evaluate(policy, rollout)
    acts = rollout.acts
    loss = -(advantage * logprob)[acts].mean() - config.entropy * entropy[acts].mean()
    loss = loss + config.value * (weight * (value - target) ** 2).mean() / 2
    loss.backward()
    torch.nn.utils.clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    optimiser.step()


def assert_same_weights(one: Policy, other: Policy) -> None:
    for (name, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=2e-5), f"{name}: {a} is not {b}"


@pytest.mark.parametrize("core", [{}, GRU, LSTM], ids=["mlp", "gru", "lstm"])
@pytest.mark.parametrize("name", ENVS)
def test_a2c_is_the_textbooks(name: str, core: dict[str, Any]) -> None:
    env = ENVS[name](6)
    policy = new_policy(env.spec, **core)
    theirs, rollout = deepcopy(policy), experience(env, policy)
    config = A2CConfig(**PLAIN, lam=0.8)
    A2C(policy, config).update(rollout)
    value, ends = rollout.extras["value"], (rollout.terminated, rollout.truncated)
    following = next_values(value, *bootstrap(theirs, rollout), *ends)
    advantage = gae(rollout.reward, value, following, *ends, 0.9, 0.8)
    textbook_step(theirs, rollout, advantage, advantage + value, config, torch.ones_like(value))
    assert_same_weights(policy, theirs)


@pytest.mark.parametrize("baseline", [False, True])
def test_reinforce_is_the_textbooks(baseline: bool) -> None:
    """Returns are counted by hand, game by game; a game that the limit cut goes on with the baseline's value of its
    last view, or ends there without one."""
    env = Race(30)
    policy = new_policy(env.spec)
    policy.head.outputs.linear.bias.data[0] += 1.0  # small steps: some games last to the limit
    theirs = deepcopy(policy)
    rollout = collect_games(play(env, [PolicyPlayer(policy, "")], everywhere(30), 0), 2)
    config = ReinforceConfig(**PLAIN, baseline=baseline)
    metrics = Reinforce(policy, config).update(rollout)
    last, final = bootstrap(theirs, rollout)
    returns = torch.zeros_like(rollout.reward)
    for lane in range(rollout.lane_count):
        ahead = float(last[lane]) if baseline else 0.0
        for t in reversed(range(len(rollout))):
            if rollout.terminated[t, lane]:
                ahead = 0.0
            elif rollout.truncated[t, lane]:
                ahead = float(final[t, lane]) if baseline else 0.0
            ahead = float(rollout.reward[t, lane]) + 0.9 * ahead
            returns[t, lane] = ahead
    assert rollout.truncated.any() and rollout.terminated.any()
    value = rollout.extras["value"]
    weight = rollout.acts / rollout.acts.float().mean() * baseline
    textbook_step(theirs, rollout, returns - value * baseline, returns, config, weight)
    assert_same_weights(policy, theirs)
    assert ("value_loss" in metrics) == baseline


@pytest.mark.parametrize("correction", ["vtrace", "per-decision"])
def test_offpac_corrects_for_who_acted(correction: Any) -> None:
    env = Race(6)
    policy, actor = new_policy(env.spec), new_policy(env.spec, seed=1)
    theirs, rollout = deepcopy(policy), experience(env, actor)
    config = OffPACConfig(**PLAIN, lam=0.8, clip=1.5, updates=1, correction=correction)
    metrics = OffPAC(policy, config).update(rollout)
    with torch.no_grad():
        seen = evaluate(theirs, rollout)
    ends = rollout.terminated, rollout.truncated
    following = next_values(seen.value, *bootstrap(theirs, rollout), *ends)
    ratio = importance(seen.logprob, rollout.extras["logprob"])
    assert metrics["ratio"] == pytest.approx(float(ratio.mean())) and ratio.std() > 0.1
    if correction == "vtrace":
        target, advantage = vtrace(ratio, rollout.reward, seen.value, following, *ends, 0.9, 0.8, 1.5, 1.5)
        weight = torch.ones_like(ratio)
    else:
        target = per_decision(ratio, rollout.reward, following, *ends, 0.9, 0.8, 1.5)
        weight = ratio.clamp(max=1.5)
        advantage = weight * (target - seen.value)
    textbook_step(theirs, rollout, advantage, target, config, weight)
    assert_same_weights(policy, theirs)


def test_the_policy_that_acts_follows_and_is_softer() -> None:
    env = Race(4)
    policy = new_policy(env.spec, sharpness=5.0)
    learner = OffPAC(policy, OffPACConfig(behaviour_every=2, temperature=2.0, updates=1))
    rollout = experience(env, learner.behaviour)
    obs, memory = rollout.obs[0], rollout.memory

    def logits(of: Policy) -> Tensor:
        log_probs: Tensor = of(obs, None, memory).dist.log_probs.detach()
        return log_probs - log_probs.mean(0)

    torch.testing.assert_close(logits(learner.behaviour), logits(policy) / 2)
    before = logits(learner.behaviour)
    learner.update(rollout)
    torch.testing.assert_close(logits(learner.behaviour), before)
    learner.update(rollout)
    torch.testing.assert_close(logits(learner.behaviour), logits(policy) / 2)
    assert not torch.equal(before, logits(learner.behaviour))


def test_a_softer_gaussian_is_wider_and_as_high() -> None:
    env = ENVS["box"](4)
    policy = new_policy(env.spec)
    learner = OffPAC(policy, OffPACConfig(temperature=3.0))
    obs, memory = torch.randn(5, 12), torch.zeros(5, 0)
    ours, theirs = learner.behaviour(obs, None, memory).dist, policy(obs, None, memory).dist
    torch.testing.assert_close(ours.mean, theirs.mean)
    torch.testing.assert_close(ours.log_std.exp(), theirs.log_std.exp() * 3)


CHANGES: dict[str, list[dict[str, Any]]] = {
    "reinforce": [
        {"baseline": True}, {"advantage": "none"}, {"gamma": 0.5}, {"entropy": 0.5}, {"learning_rate": 0.1},
        {"final_learning_rate": 1.0}, {"schedule": "cosine", "final_learning_rate": 1.0}, {"optimiser": "rmsprop"},
        {"optimiser": "sgd"}, {"optimiser": "adamw", "learning_rate": 0.1}, {"optimiser_eps": 1.0},
        {"max_grad_norm": 1e-6},
    ],
    "a2c": [{"lam": 0.0}, {"advantage": "whiten"}, {"value": 5.0}, {"value_rate": 0.1}, {"advantage": "none"}],
    "offpac": [
        {"lam": 0.0}, {"correction": "per-decision"}, {"clip": 0.1}, {"replay": 1}, {"updates": 2},
        {"advantage": "none"},
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "change"), [(name, each) for name in CHANGES for each in CHANGES[name]], ids=str)
def test_every_setting_does_something(name: str, change: dict[str, Any]) -> None:
    def learnt(settings: dict[str, Any]) -> Policy:
        env = Race(4)
        learner = registry.build(name, env.spec.observation_spaces[0], env.spec.action_spaces[0], settings)
        for seed in range(3):
            rollout = experience(env, new_policy(env.spec, seed=seed), 20, seed)
            learner.update(rollout, seed / 3)
        return learner.policy

    ours, plain = learnt(change), learnt({})
    assert any(not torch.equal(a, b) for a, b in zip(ours.parameters(), plain.parameters(), strict=True))


@pytest.mark.parametrize("core", [{}, GRU], ids=["mlp", "gru"])
@pytest.mark.parametrize("name", ["reinforce", "reinforce-baseline", "a2c", "offpac", "ppo"])
def test_going_on_from_a_file(name: str, core: dict[str, Any]) -> None:
    """A learner that is saved and loaded goes on to the same bits, what it keeps and draws included."""
    env = Race(4)
    spec = env.spec

    def new(seed: int) -> Any:
        policy = new_policy(spec, **core, normalise_obs=True, normalise_value=True).config
        return registry.build(name, spec.observation_spaces[0], spec.action_spaces[0], {}, policy, seed)

    def train(learner: Any, seeds: range) -> None:
        for seed in seeds:
            learner.update(experience(env, learner.behaviour, 12, seed), seed / 8)

    straight, stopped, resumed = new(0), new(0), new(1)
    train(straight, range(8))
    train(stopped, range(5))
    file = io.BytesIO()
    torch.save(stopped.state_dict(), file)
    file.seek(0)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    train(resumed, range(5, 8))
    ours, theirs = resumed.state_dict()["policy"], straight.state_dict()["policy"]
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
