"""PPO against the textbook: the loss of the paper, written out plainly and left to autograd."""

from __future__ import annotations

import io
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor

import envs
from agents.algorithms.algorithm import take_statistics, value_variance
from agents.algorithms.ppo import PPO, PPOConfig
from agents.collect import collect
from agents.heads import ActorCriticHead
from agents.parallel import Threads
from agents.play import play
from agents.player import PolicyPlayer
from agents.policy import Policy
from agents.returns import gae, next_values
from agents.rollout import Rollout, bootstrap, evaluate
from envs.core import BatchEnv
from tests.minds import GRU, NORMALISED, everywhere, new_policy
from tests.toy import Race

WHOLE = PPOConfig(epochs=1, minibatch_rows=10**9, shards=1)
"""One gradient step on everything."""
ENVS: dict[str, Any] = {
    "turns": Race,
    **{
        actions: partial(envs.make, "SlimeVolley-v0", actions=actions, lives=1, max_steps=50, serve_delay=2)
        for actions in ("discrete", "multibinary", "box")
    },
}


def experience(env: BatchEnv, policy: Policy, steps: int = 90, seed: int = 0) -> Rollout:
    """A rollout of `policy` against itself, whose old log-probabilities are off, so that clipping has work to do."""
    rollout = collect(play(env, [PolicyPlayer(policy, "")], everywhere(env.num_envs), seed), steps)
    old = rollout.extras["logprob"]
    noise = torch.randn(old.shape, generator=torch.Generator().manual_seed(seed)) * 0.3
    return replace(rollout, extras={**rollout.extras, "logprob": old + noise * rollout.acts})


def textbook_loss(policy: Policy, rollout: Rollout, advantage: Tensor, target: Tensor, config: PPOConfig) -> Tensor:
    """Schulman et al. (2017), equation 9, negated; a seat that did not act has no policy to improve."""
    logprob, entropy, value = evaluate(policy, rollout)
    ratio = (logprob - rollout.extras["logprob"]).exp()
    clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
    surrogate = torch.minimum(ratio * advantage, clipped * advantage)[rollout.acts].mean()
    value_loss = ((value - target) ** 2 / 2).mean() / value_variance(policy)
    return -surrogate + config.value * value_loss - config.entropy * entropy[rollout.acts].mean()


def textbook_update(policy: Policy, rollout: Rollout, config: PPOConfig) -> None:
    """`config.epochs` gradient steps on the whole rollout."""
    value, ends = rollout.extras["value"], (rollout.terminated, rollout.truncated)
    following = next_values(value, *bootstrap(policy, rollout), *ends)
    advantage = gae(rollout.reward, value, following, *ends, config.gamma, config.lam)
    target = advantage + value
    if config.advantage == "whiten":
        acted = advantage[rollout.acts]
        advantage = (advantage - acted.mean()) / acted.std(correction=0)
    optimiser = torch.optim.Adam(policy.parameters(), lr=config.learning_rate, eps=1e-5)
    for _ in range(config.epochs):
        optimiser.zero_grad()
        textbook_loss(policy, rollout, advantage, target, config).backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), config.max_grad_norm)
        optimiser.step()
    take_statistics(policy, rollout.obs[:-1], target)


def assert_same_weights(one: Policy, other: Policy, rtol: float, atol: float) -> None:
    """Trained weights; running statistics aside."""
    for (name, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=rtol, atol=atol), f"{name}: {a} is not {b}"


@pytest.mark.parametrize("normalised", [{}, NORMALISED], ids=["plain", "normalised"])
@pytest.mark.parametrize("core", [{}, GRU], ids=["mlp", "gru"])
@pytest.mark.parametrize("name", ENVS)
def test_an_update_is_a_step_down_the_textbook_loss(
    name: str, core: dict[str, Any], normalised: dict[str, Any]
) -> None:
    env = ENVS[name](8)
    policy = new_policy(env.spec, **core, **normalised)
    rollout = experience(env, policy)
    config = WHOLE.model_copy(update={"epochs": 3, "entropy": 0.05, "clip": 0.15, "gamma": 0.9})
    theirs = deepcopy(policy)
    metrics = PPO(policy, config).update(rollout)
    textbook_update(theirs, rollout, config)
    assert 0.1 < metrics["clipped"] < 0.9
    assert rollout.terminated.any() and rollout.truncated.any()
    assert not torch.equal(policy.head.outputs.linear.weight, new_policy(env.spec, **core).head.outputs.linear.weight)
    assert_same_weights(policy, theirs, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"clip": 0.4},
        {"entropy": 0.0},
        {"entropy": 0.5},
        {"value": 0.0},
        {"value": 2.0},
        {"gamma": 0.5},
        {"lam": 0.0},
        {"max_grad_norm": 1e-6},
        {"advantage": "none"},
        {"learning_rate": 1e-2},
    ],
    ids=str,
)
def test_every_term_is_the_textbooks(change: dict[str, Any]) -> None:
    """And every setting does something: the update differs from the one without it."""
    env = Race(8)
    rollout = experience(env, new_policy(env.spec), 24)
    ours, theirs, plain = (new_policy(env.spec) for _ in range(3))
    config = WHOLE.model_copy(update=change)
    PPO(ours, config).update(rollout)
    PPO(plain, WHOLE).update(rollout)
    textbook_update(theirs, rollout, config)
    assert_same_weights(ours, theirs, rtol=1e-3, atol=1e-6)
    with pytest.raises(AssertionError):
        assert_same_weights(ours, plain, rtol=1e-3, atol=1e-6)


def test_metrics() -> None:
    env = Race(8)
    policy = new_policy(env.spec)
    rollout = experience(env, policy)
    with torch.no_grad():
        logprob, entropy, _ = evaluate(policy, rollout)
    log_ratio = (logprob - rollout.extras["logprob"])[rollout.acts]
    metrics = PPO(policy, WHOLE).update(rollout)
    assert metrics["entropy"] == pytest.approx(float(entropy[rollout.acts].mean()), rel=1e-5)
    assert metrics["kl"] == pytest.approx(float((log_ratio.exp() - 1 - log_ratio).mean()), rel=1e-4)
    assert 0 < metrics["clipped"] <= float(((log_ratio.exp() - 1).abs() > WHOLE.clip).float().mean())
    assert metrics["explained_variance"] <= 1
    assert metrics["value_loss"] > 0
    assert metrics["epochs"] == 1


def updated(config: PPOConfig, threads: int = 1, seed: int = 0, updates: int = 3) -> Policy:
    """A policy after some updates on fixed rollouts."""
    env = ENVS["discrete"](6)
    policy = new_policy(env.spec, **GRU, **NORMALISED)
    rollouts = [experience(env, policy, 32, seed) for seed in range(updates)]
    ppo = PPO(policy, config, seed, Threads(threads))
    for rollout in rollouts:
        ppo.update(rollout)
    return policy


def equal(one: Policy, other: Policy) -> bool:
    """Weights and statistics, to the bit."""
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_threads_change_nothing_seeds_do() -> None:
    config = PPOConfig(minibatch_rows=32 * 5, shards=3)
    one = updated(config)
    assert equal(one, updated(config, threads=2))
    assert equal(one, updated(config, threads=3))
    assert not equal(one, updated(config, seed=1))


def test_shards_change_no_more_than_rounding() -> None:
    one = updated(PPOConfig(minibatch_rows=32 * 5, shards=1))
    for shards in (2, 5, 50):
        cut = updated(PPOConfig(minibatch_rows=32 * 5, shards=shards))
        assert_same_weights(one, cut, rtol=1e-3, atol=1e-4)


def test_a_minibatch_larger_than_the_rollout_is_the_rollout() -> None:
    assert equal(updated(PPOConfig(minibatch_rows=12 * 32)), updated(PPOConfig(minibatch_rows=10**9)))
    assert not equal(updated(PPOConfig(minibatch_rows=6 * 32)), updated(PPOConfig(minibatch_rows=10**9)))


def test_a_minibatch_smaller_than_a_lane_is_one_lane() -> None:
    assert equal(updated(PPOConfig(minibatch_rows=1)), updated(PPOConfig(minibatch_rows=32)))


def test_resuming_is_never_having_stopped() -> None:
    env = ENVS["discrete"](6)
    config = PPOConfig(minibatch_rows=96, target_kl=0.5)
    straight = PPO(new_policy(env.spec, **GRU, **NORMALISED), config, seed=3)
    rollouts = [experience(env, straight.policy, 32, seed) for seed in range(4)]
    for rollout in rollouts[:2]:
        straight.update(rollout)
    file = io.BytesIO()
    torch.save(straight.state_dict(), file)
    for rollout in rollouts[2:]:
        straight.update(rollout)
    file.seek(0)
    resumed = PPO(new_policy(env.spec, seed=9, **GRU, **NORMALISED), config, seed=7)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for rollout in rollouts[2:]:
        resumed.update(rollout)
    assert equal(straight.policy, resumed.policy)


def test_the_learning_rate_follows_the_budget() -> None:
    env = Race(4)
    policy = new_policy(env.spec)
    rollout = experience(env, policy, 12)
    ppo = PPO(policy, PPOConfig(learning_rate=1e-3, final_learning_rate=2e-4))
    rates = [ppo.update(rollout, progress)["learning_rate"] for progress in (0.0, 0.25, 1.0)]
    assert rates == pytest.approx([1e-3, 8e-4, 2e-4])
    still = PPO(policy, PPOConfig(final_learning_rate=0))
    before = deepcopy(policy)
    still.update(rollout, 1.0)
    assert equal(policy, before)


def test_target_kl_stops_early() -> None:
    env = Race(8)
    rollout = experience(env, new_policy(env.spec), 24)
    epochs = {}
    for target in (None, 1e-9, 1e9):
        config = PPOConfig(epochs=6, minibatch_rows=48, target_kl=target)
        epochs[target] = PPO(new_policy(env.spec), config).update(rollout)["epochs"]
    assert epochs == {None: 6, 1e-9: 1, 1e9: 6}


def test_statistics_are_those_of_the_rollouts() -> None:
    """Observations and value targets as they were met; taken in after the update, not before."""
    env = ENVS["discrete"](6)
    torch.manual_seed(0)
    policy = Policy(
        env.spec.observation_spaces[0], env.spec.action_spaces[0], new_policy(env.spec, **NORMALISED).config
    )
    assert isinstance(policy.head, ActorCriticHead)
    norm_obs, norm_value = policy.norm_obs, policy.head.norm_value
    assert norm_obs is not None and norm_value is not None
    ppo = PPO(policy, PPOConfig(lam=0.9))
    obs, targets = [], []
    for seed in range(3):
        rollout = experience(env, policy, 32, seed)
        value, ends = rollout.extras["value"], (rollout.terminated, rollout.truncated)
        following = next_values(value, *bootstrap(policy, rollout), *ends)
        targets.append(value + gae(rollout.reward, value, following, *ends, ppo.config.gamma, 0.9))
        obs.append(rollout.obs[:-1].flatten(0, 1))
        ppo.update(rollout)
        seen, met = torch.cat(obs), torch.cat(targets).flatten()
        torch.testing.assert_close(norm_obs.mean, seen.mean(0), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(norm_obs.var, seen.var(0, unbiased=False), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(norm_value.mean[0], met.mean(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(norm_value.var[0], met.var(unbiased=False), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2])
def test_a_learner_that_hardly_acts(steps: int) -> None:
    """One row of a game of turns, or none, has no spread to divide by."""
    env = Race(1)
    for lane in (0, 1):
        policy = new_policy(env.spec)
        before = deepcopy(policy)
        rollout = collect(play(env, [PolicyPlayer(policy, "")], everywhere(1), 0), steps).lanes(torch.tensor([lane]))
        assert rollout.acts.sum() == (1 if steps == 2 else 1 - lane)
        metrics = PPO(policy, PPOConfig()).update(rollout)
        assert all(value.isfinite().all() for value in policy.state_dict().values())
        assert all(abs(value) < 1e6 for value in metrics.values())
        assert not equal(policy, before)  # the value is learnt in any case


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("name", ENVS)
def test_a_gpu_learns_the_same(name: str) -> None:
    env = ENVS[name](8)
    one, other = (new_policy(env.spec, **GRU, **NORMALISED) for _ in range(2))
    rollout = experience(env, one)
    other.to("cuda")
    remote = list(islice(play(ENVS[name](8), [PolicyPlayer(other, "")], everywhere(8), 0), 3))
    assert remote[-1].action.shape[:2] == (8, 2)
    for policy in (one, other):
        PPO(policy, PPOConfig(minibatch_rows=240)).update(rollout)
    assert_same_weights(one, other.to("cpu"), rtol=1e-2, atol=1e-4)
