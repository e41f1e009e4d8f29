"""The lower-level API, as research uses it: rollouts with a graph, from one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch

import envs
from agents.policy import Policy
from agents.rollout import evaluate
from agents.sampler import Sampler
from envs.errors import InputError
from examples.lower_level import ppo, reinforce
from tests.minds import GRU, NORMALISED, new_policy, same
from tests.probes import Masked, Patience, Salary, Signs
from tests.toy import Race

LSTM: dict[str, Any] = {"core": "lstm", "core_width": 5}
CORES = pytest.mark.parametrize("shape", [{}, GRU, LSTM, {**GRU, **NORMALISED}], ids=str)
GAMES = 4


def race(**shape: Any) -> tuple[Race, Policy]:
    """Two seats, turns and masks."""
    env = Race(GAMES)
    return env, new_policy(env.spec, **shape)


@CORES
def test_steps_continue_the_same_games(shape: dict[str, Any]) -> None:
    env, policy = race(**shape)
    whole = Sampler(env, policy, seed=3).steps(30)
    sampler = Sampler(Race(GAMES), policy, seed=3)
    parts = [sampler.steps(length) for length in (12, 18)]
    assert same(parts[0], whole[:12]) and same(parts[1], whole[12:])
    assert whole.lane_count == 2 * GAMES and whole.ended.any()
    assert not same(Sampler(Race(GAMES), policy, seed=4).steps(30), whole)


@CORES
@pytest.mark.parametrize("kind", ["steps", "episodes"])
def test_the_graph_is_that_of_what_was_sampled(shape: dict[str, Any], kind: str) -> None:
    env, policy = race(**shape)
    sampler, dry = (Sampler(e, policy, seed=1) for e in (env, Race(GAMES)))
    rollout = sampler.steps(30, graph=True) if kind == "steps" else sampler.episodes(2 * GAMES, graph=True)
    recorded = dry.steps(30) if kind == "steps" else dry.episodes(2 * GAMES)
    for name in ("logprob", "value"):
        torch.testing.assert_close(rollout.extras[name], recorded.extras[name], atol=1e-5, rtol=1e-4)
        assert not recorded.extras[name].requires_grad
    loss = -(rollout.extras["logprob"] * rollout.mc_returns(0.99))[rollout.acts].mean()
    loss = loss + rollout.extras["value"].square().mean() - rollout.extras["entropy"].mean()
    loss.backward()
    again = evaluate(policy, recorded)
    expected = -(again.logprob * recorded.mc_returns(0.99))[recorded.acts].mean()
    expected = expected + again.value.square().mean() - again.entropy.mean()
    gradients = torch.autograd.grad(expected, list(policy.parameters()))
    for weight, gradient in zip(policy.parameters(), gradients, strict=True):
        assert weight.grad is not None
        torch.testing.assert_close(weight.grad, gradient, atol=1e-5, rtol=1e-4)
    assert any(bool(gradient.any()) for gradient in gradients)


@CORES
@pytest.mark.parametrize("count", [1, 3, GAMES, 10])
def test_episodes_are_whole_and_as_many_as_asked_for(shape: dict[str, Any], count: int) -> None:
    env, policy = race(**shape)
    sampler = Sampler(env, policy)
    for _ in range(2):
        rollout = sampler.episodes(count)
        assert rollout.lane_count == 2 * min(count, GAMES)
        counted = ~rollout.score.isnan()
        assert int(counted.sum()) == 2 * count and len(rollout.returns) == 2 * count
        per_lane = counted.sum(0)
        assert int(per_lane.max() - per_lane.min()) <= 1
        assert (rollout.obs[0, :, 0] == 0).all(), "a new race"
        assert (rollout.memory == 0).all()
        logprob, _, value = evaluate(policy, rollout)
        torch.testing.assert_close(logprob, rollout.extras["logprob"], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(value, rollout.extras["value"], atol=1e-5, rtol=1e-4)


def test_other_games_every_time() -> None:
    env = Signs(GAMES)
    sampler = Sampler(env, new_policy(env.spec))
    first, second = sampler.episodes(GAMES), sampler.episodes(GAMES)
    assert not torch.equal(first.obs, second.obs)


def test_episodes_end_the_games_of_steps() -> None:
    """The env is one: what `steps` goes on with is never what `episodes` left behind."""
    env = Patience(GAMES)
    sampler = Sampler(env, new_policy(env.spec))
    sampler.steps(1)
    assert (sampler.episodes(GAMES).obs[0, :, 0] == 1).all()
    rollout = sampler.steps(3)
    assert (rollout.obs[0, :, 0] == 1).all()
    torch.testing.assert_close(evaluate(sampler.policy, rollout).value, rollout.extras["value"])


def test_greedy() -> None:
    """The most probable legal action, where drawing would often take another."""
    policy = new_policy(Masked(1).spec, sharpness=0.1)
    for greedy in (False, True):
        rollout = Sampler(Masked(64), policy, greedy=greedy).steps(3)
        most_probable = policy(rollout.obs[:-1], rollout.legal[:-1], rollout.memory).dist.mode()
        assert torch.equal(rollout.action, most_probable) == greedy


def test_what_is_learnt_is_played() -> None:
    env = Salary(GAMES)
    policy = new_policy(env.spec)
    sampler = Sampler(env, policy)
    sampler.steps(2)
    with torch.no_grad():
        for weight in policy.parameters():
            weight.zero_()
    assert (sampler.steps(2).extras["value"] == 0).all()


def test_no_episode_is_refused() -> None:
    env, policy = race()
    with pytest.raises(InputError, match="at least one episode"):
        Sampler(env, policy).episodes(0)


def mean_return(policy: Policy) -> float:
    """Of 100 games that it plays as well as it can."""
    env = envs.make("CartPole-v1", 50)
    return float(Sampler(env, policy, seed=1, greedy=True).episodes(100).returns.mean())


def test_reinforce_in_twenty_lines_learns_cartpole() -> None:
    assert mean_return(reinforce(envs.make("CartPole-v1", 32), updates=18)) > 475


@pytest.mark.parametrize(("updates", "score"), [(20, 150), pytest.param(50, 475, marks=pytest.mark.slow)])
def test_ppo_in_twenty_lines_learns_cartpole(updates: int, score: float) -> None:
    """An untrained one scores 9."""
    assert mean_return(ppo(envs.make("CartPole-v1", 32), updates)) > score


@pytest.mark.parametrize("function", [reinforce, ppo], ids=lambda function: function.__name__)
def test_twenty_lines_are_twenty_lines(function: Callable[..., Policy]) -> None:
    """Of code, the signature included."""
    lines = inspect.getsource(function).splitlines()
    assert len([line for line in lines if not line.strip().startswith(('"""', "#"))]) <= 20
