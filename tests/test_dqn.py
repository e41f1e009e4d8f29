"""DQN against the textbook: targets and losses of the papers row by row, left to autograd and torch's own Adam."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn import functional as F

from agents.algorithms import registry
from agents.algorithms.dqn import DQN, DQNConfig, temporal_difference
from agents.collect import collect
from agents.heads import QHead
from agents.play import play
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from agents.replay import Replay, Row, Transitions
from agents.rollout import Rollout
from envs.core import Array
from envs.errors import InputError
from tests.learners import every_seed, learn, score, values
from tests.minds import everywhere, frozen
from tests.probes import Aim, Bandit, Contract, Masked, Patience, Salary, Signs
from tests.toy import Race

SMALL: dict[str, Any] = {
    "batch_size": 16, "start": 0, "updates_per_step": 0.25, "learning_rate": 3e-3, "tau": 0.3, "explore": 0.2,
    "final_learning_rate": None,
}  # fmt: skip
SWITCHES: dict[str, dict[str, Any]] = {
    "plain": {},
    "double": {"double": True},
    "duelling": {"duelling": True},
    "noisy": {"noisy": True},
    "quantiles": {"quantiles": 3},
    "prioritised": {"replay": {"prioritised": True}},
    "steps": {"replay": {"n_step": 3}},
    "rainbow": {
        "double": True,
        "duelling": True,
        "noisy": True,
        "quantiles": 3,
        "replay": {"prioritised": True, "n_step": 3},
    },
}


def config_of(**settings: Any) -> DQNConfig:
    return DQNConfig.model_validate({**SMALL, **settings})


def new_policy(config: DQNConfig, seed: int = 0, **shape: Any) -> Policy:
    """For Race, with random weights."""
    torch.manual_seed(seed)
    spec = Race(1).spec
    small = PolicyConfig(**{"hidden": (12,), **shape})
    return Policy(spec.observation_spaces[0], spec.action_spaces[0], small, DQN.head(config))


def new_learner(config: DQNConfig, seed: int = 0) -> DQN:
    return DQN(new_policy(config), config, seed)


def experience(count: int, steps: int = 8) -> list[Rollout]:
    """Rollouts that follow each other, of a policy that does anything; with masks and ends of both kinds."""
    policy = new_policy(config_of())
    assert isinstance(policy.head, QHead)
    policy.head.epsilon.fill_(1.0)
    stream = play(Race(4), [PolicyPlayer(policy, "")], everywhere(4), 13)
    rollouts = [collect(stream, steps) for _ in range(count)]
    assert rollouts[0].terminated.any() and rollouts[0].truncated.any() and not rollouts[0].legal.all()
    return rollouts


def textbook_values(policy: Policy, obs: Tensor) -> Tensor:
    """[n, A, Q]: advantages less their mean, plus the state's value (Wang et al. 2016, equation 9)."""
    assert isinstance(policy.head, QHead)
    heads = policy.head.outputs(policy.encode(obs))
    advantage: Tensor = heads["actor"].T.reshape(len(obs), policy.head.config.quantiles, -1).transpose(1, 2)
    if "value" not in heads:
        return advantage
    state: Tensor = heads["value"].T.unsqueeze(1)
    return state + advantage - advantage.mean(1, keepdim=True)


def textbook_target(online: Tensor, slow: Tensor, batch: Transitions, row: int, config: DQNConfig) -> Tensor:
    """[Q] of one row: its reward, and what the best legal action is worth that the judge chooses; both networks'
    values of the view that followed are [A, Q]."""
    judged = (online if config.double else slow).mean(1)
    legal = range(len(judged)) if batch.next_legal is None else batch.next_legal[row].nonzero().flatten().tolist()
    choice = max(legal, key=lambda action: judged[action].item())
    return batch.reward[row] + batch.discount[row] * slow[choice]


def textbook_loss(said: Tensor, target: Tensor, huber: float) -> Tensor:
    """Huber for a mean; Dabney et al. 2018, equation 10, for quantiles: every pair of them for itself."""
    if len(said) == 1:
        return F.huber_loss(said[0], target[0], delta=huber)
    total = torch.zeros(())
    for i, theta in enumerate(said):
        tau = (2 * i + 1) / (2 * len(said))
        for aim in target:
            below = float(aim < theta)
            total = total + abs(tau - below) * F.huber_loss(theta, aim, delta=huber) / len(target)
    return total


def resample(noise: torch.Generator, *policies: Policy) -> None:
    for policy in policies:
        assert isinstance(policy.head, QHead)
        policy.head.resample(noise)


def textbook_update(policy: Policy, config: DQNConfig, rollouts: list[Rollout], seed: int) -> Policy:
    """What `policy` becomes of `rollouts`, step by step."""
    online, slow = deepcopy(policy), deepcopy(policy)
    row = Row(policy.obs_space, policy.action_space)
    replay, rng = Replay(config.replay, config.gamma, row), np.random.default_rng(seed)
    noise = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(online.parameters(), lr=config.learning_rate, eps=config.optimiser_eps)
    taken = 0
    resample(noise, online)
    for number, rollout in enumerate(rollouts):
        replay.add(rollout)
        for _ in range(int(rollout.acts.numel() * config.updates_per_step)):
            batch = replay.sample(config.batch_size, rng, number / len(rollouts))
            resample(noise, online, slow)
            before = textbook_values(online, batch.obs)
            after = [textbook_values(network, batch.next_obs).detach() for network in (online, slow)]
            losses, errors = [], []
            for index in range(config.batch_size):
                said = before[index, batch.action[index]]
                target = textbook_target(after[0][index], after[1][index], batch, index, config)
                losses.append(textbook_loss(said, target, config.huber))
                errors.append(losses[-1] / len(said) if len(said) > 1 else target[0] - said[0])
            optimiser.zero_grad()
            (torch.stack(losses) * batch.weight).mean().backward()
            torch.nn.utils.clip_grad_norm_(online.parameters(), config.max_grad_norm)
            optimiser.step()
            replay.update_priorities(batch.rows, torch.stack(errors).detach())
            taken += 1
            if taken % config.target_every == 0:
                with torch.no_grad():
                    for ours, theirs in zip(slow.parameters(), online.parameters(), strict=True):
                        ours.add_(config.tau * (theirs - ours))
        resample(noise, online)
    return online


def assert_same(one: Policy, other: Policy) -> None:
    for (name, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=2e-5, msg=f"{name}: {a} is not {b}")


def equal(one: Policy, other: Policy) -> bool:
    """Weights, noise and epsilon, to the bit."""
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


@pytest.mark.parametrize("slow", [{"tau": 0.1}, {"target_every": 3}, {"tau": 0.5, "target_every": 2}], ids=str)
@pytest.mark.parametrize("switch", SWITCHES)
def test_updates_are_the_textbooks(switch: str, slow: dict[str, Any]) -> None:
    """Each switch alone and all together; targets that follow by and by, at once, and both."""
    config = config_of(gamma=0.9, huber=0.3, **SWITCHES[switch], **slow)
    ours, rollouts = new_learner(config, seed=5), experience(2)
    theirs = textbook_update(ours.policy, config, rollouts, seed=5)
    for number, rollout in enumerate(rollouts):
        metrics = ours.update(rollout, number / len(rollouts))
    assert metrics["gradient_steps"] == 16
    assert_same(ours.policy, theirs)


def after(settings: dict[str, Any], progress: float = 0.3) -> dict[str, Tensor]:
    """What is learnt with `settings`, and what plays next."""
    learner = new_learner(config_of(**settings))
    for rollout in experience(2):
        learner.update(rollout, progress)
    return learner.policy.state_dict()


CHANGES: list[dict[str, Any]] = [
    *(change for name, change in SWITCHES.items() if name != "plain"),
    {"gamma": 0.5},
    {"huber": 0.01},
    {"batch_size": 8},
    {"updates_per_step": 0.5},
    {"start": 70},
    {"tau": 0.5},
    {"target_every": 5},
    {"epsilon": 0.5, "explore": 0.6},
    {"final_epsilon": 0.2},
    {"explore": 0.6},
    {"replay": {"capacity": 40}},
    {"optimiser": "sgd"},
    {"optimiser_eps": 1e-2},
    {"learning_rate": 1e-2},
    {"final_learning_rate": 1e-4},
    {"max_grad_norm": 1e-3},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_every_setting_does_something(change: dict[str, Any]) -> None:
    plain, changed = after({"explore": 0.7} if "epsilon" in change else {}), after(change)
    assert plain.keys() != changed.keys() or any(
        value.shape != changed[name].shape or not torch.equal(value, changed[name]) for name, value in plain.items()
    )


def test_every_setting_is_among_them() -> None:
    tried = {name for change in CHANGES for name in change}
    assert tried | {"schedule"} == set(DQNConfig.model_fields)  # schedule: see test_optimiser


def test_a_target_begins_as_the_policy_is() -> None:
    learner = new_learner(config_of(tau=1e-9))
    ours, slow = dict(learner.policy.named_parameters()), dict(learner._slow.named_parameters())
    assert all(torch.equal(value, slow[name]) for name, value in ours.items())
    assert all(value.data_ptr() != slow[name].data_ptr() for name, value in ours.items())


def test_a_target_follows_when_it_is_told_to() -> None:
    """Every third step the whole way: after 8 gradient steps it is as the policy was after 6."""
    learner = new_learner(config_of(tau=1.0, target_every=3, updates_per_step=1 / 64))
    weights = []
    for rollout in experience(8):
        learner.update(rollout)
        weights.append(learner._optimiser.weights.clone())
    assert torch.equal(learner._target.weights, weights[5])
    assert not torch.equal(weights[5], weights[7])


def test_targets_and_policy_see_alike() -> None:
    """Observations are scaled by the same statistics, which are those of everything that was seen."""
    config = config_of()
    learner = DQN(new_policy(config, normalise_obs=True), config)
    rollouts = experience(2)
    for rollout in rollouts:
        learner.update(rollout)
    seen = torch.cat([r.obs[:-1].flatten(0, 1) for r in rollouts])
    scale = learner.policy.norm_obs
    assert scale is not None and scale is learner._slow.norm_obs
    torch.testing.assert_close(scale.mean, seen.mean(0))


def test_gradient_steps_follow_the_rows() -> None:
    """64 rows a rollout: none before 100, then about a third of a step for each, and fractions wait."""
    learner = new_learner(config_of(start=100, updates_per_step=43 / 128))
    steps = [learner.update(rollout)["gradient_steps"] for rollout in experience(4)]
    assert steps == [0, 9, 21, 22]


def test_epsilon_falls_with_the_budget() -> None:
    learner = new_learner(config_of(epsilon=0.8, final_epsilon=0.2, explore=0.5))
    head = learner.policy.head
    assert isinstance(head, QHead) and float(head.epsilon) == pytest.approx(0.8)
    for progress, epsilon in ((0.0, 0.8), (0.25, 0.5), (0.5, 0.2), (1.0, 0.2)):
        assert learner.update(experience(1)[0], progress)["epsilon"] == pytest.approx(epsilon)
        assert float(head.epsilon) == pytest.approx(epsilon)
    assert DQNConfig(explore=0.0, final_epsilon=0.1).epsilon_at(0.0) == pytest.approx(0.1)


def test_actions_are_as_random_as_epsilon_says() -> None:
    """Of Race's three actions a random one is the best in a third of all cases."""
    learner = new_learner(config_of(epsilon=0.6, final_epsilon=0.6))
    rollout = collect(play(Race(500), [PolicyPlayer(learner.behaviour, "")], everywhere(500), 0), 1)
    greedy = collect(play(Race(500), [PolicyPlayer(learner.behaviour, "", True)], everywhere(500), 0), 1)
    odd = (rollout.action != greedy.action)[rollout.acts].float().mean()
    assert float(odd) == pytest.approx(0.6 * 2 / 3, abs=0.06)


def test_noise_explores_and_a_frozen_policy_has_none() -> None:
    learner = new_learner(config_of(noisy=True))
    obs, legal, memory = torch.rand(5, 2), None, torch.zeros(5, 0)
    said = []
    for rollout in experience(2):
        said.append(learner.behaviour(obs, legal, memory).extras["value"])
        learner.update(rollout)
    before = deepcopy(learner.behaviour)
    learner._resample(learner.policy)
    assert not torch.equal(before(obs, legal, memory).extras["value"], said[0])
    assert not torch.equal(before(obs, legal, memory).extras["value"], learner.policy(obs, legal, memory)[2]["value"])
    still = frozen(learner.policy)
    quiet = still(obs, legal, memory).extras["value"]
    assert not torch.equal(quiet, learner.policy(obs, legal, memory).extras["value"])
    learner._resample(learner.policy)
    assert torch.equal(quiet, frozen(learner.policy)(obs, legal, memory).extras["value"])


def test_noise_and_epsilon_are_switches_of_their_own() -> None:
    """Rainbow explores by its noise alone, as in the paper, unless it is told otherwise."""
    assert config_of(noisy=True, epsilon=0.5).epsilon_at(0.0) == 0.5
    rainbow = registry.parse_settings("rainbow", {})
    assert isinstance(rainbow, DQNConfig) and rainbow.noisy
    assert [rainbow.epsilon_at(progress) for progress in (0.0, 0.5, 1.0)] == [0, 0, 0]
    both = registry.parse_settings("rainbow", {"final_epsilon": 0.04})
    assert isinstance(both, DQNConfig) and both.epsilon_at(1.0) == 0.04


@pytest.mark.parametrize("switch", ["plain", "rainbow"])
def test_resuming_is_never_having_stopped(switch: str) -> None:
    config = config_of(tau=0.3, target_every=2, updates_per_step=0.22, final_learning_rate=0, **SWITCHES[switch])
    straight, rollouts = new_learner(config, seed=3), experience(4)
    for number, rollout in enumerate(rollouts[:2]):
        straight.update(rollout, number / 4)
    file = io.BytesIO()
    torch.save(straight.state_dict(), file)
    file.seek(0)
    resumed = DQN(new_policy(config, seed=9), config, seed=7)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for number, rollout in enumerate(rollouts[2:], start=2):
        ours, theirs = straight.update(rollout, number / 4), resumed.update(rollout, number / 4)
        assert ours == theirs
    assert equal(straight.policy, resumed.policy)
    assert torch.equal(straight._target.weights, resumed._target.weights)


def test_seeds_decide() -> None:
    learners = [new_learner(config_of(), seed) for seed in (1, 1, 2)]
    for rollout in experience(2):
        for learner in learners:
            learner.update(rollout)
    assert equal(learners[0].policy, learners[1].policy)
    assert not equal(learners[0].policy, learners[2].policy)


def test_the_step_of_any_number_of_axes() -> None:
    """Rows are [...]: what holds for [Q, n] holds for [Q, n, T]."""
    values, target = torch.randn(2, 4, 3, 5).unbind(0)
    flat = temporal_difference(values.flatten(1), target.flatten(1), 0.7)
    for whole, part in zip(temporal_difference(values, target, 0.7), flat, strict=True):
        assert torch.equal(whole.flatten(-2), part)


def test_what_is_not_admitted() -> None:
    obs = Race(1).spec.observation_spaces[0]
    with pytest.raises(InputError, match=r"dqn does not admit actions in .*: use .*ppo"):
        registry.build("dqn", obs, Aim.actions)
    with pytest.raises(InputError, match=r"dqn does not admit policy.core 'gru': .*drqn"):
        registry.build("dqn", obs, spaces.Discrete(2), policy=PolicyConfig(core="gru"))


def test_variants_are_switches() -> None:
    settings = {name: registry.parse_settings(name, {}) for name in ("dqn", "double-dqn", "duelling-dqn", "rainbow")}
    switched = {
        name: [config.double, config.duelling, config.replay.prioritised, config.noisy, config.quantiles > 1]
        for name, config in settings.items()
        if isinstance(config, DQNConfig)
    }
    assert switched == {
        "dqn": [False] * 5,
        "double-dqn": [True, *[False] * 4],
        "duelling-dqn": [True, True, True, False, False],
        "rainbow": [True] * 5,
    }
    deeper = registry.parse_settings("rainbow", {"replay": {"capacity": 77}})
    assert isinstance(deeper, DQNConfig) and deeper.replay.capacity == 77 and deeper.replay.n_step == 3


PROBE: dict[str, Any] = {
    "batch_size": 128, "start": 0, "updates_per_step": 1 / 64, "learning_rate": 1e-2, "gamma": 0.9, "tau": 0.2,
    "final_learning_rate": 1e-3,
}  # fmt: skip


class Waiting(Patience):
    """Patience, but the second view says whether one has waited: else an action value stands for two states."""

    obs_size = 3

    def view(self) -> Array:
        waited = self.total == 0
        return np.stack([self.clock == 0, (self.clock == 1) & waited, (self.clock == 1) & ~waited], axis=1)


QUIET = [name for name, switch in SWITCHES.items() if "noisy" not in switch]
"""Those that try everything at first: noise, drawn once for each rollout, need not find the one good arm."""


@every_seed
@pytest.mark.parametrize("switch", QUIET)
def test_bandit(seed: int, switch: str) -> None:
    assert score(Bandit, learn("dqn", Bandit, seed, 15, {**PROBE, **SWITCHES[switch]})) == 1


@every_seed
@pytest.mark.parametrize("switch", ["plain", "noisy", "rainbow"])
def test_what_is_seen_matters(seed: int, switch: str) -> None:
    assert score(Signs, learn("dqn", Signs, seed, 26, {**PROBE, **SWITCHES[switch]})) > Signs.solved


@every_seed
@pytest.mark.parametrize("switch", QUIET)
def test_credit_over_two_steps(seed: int, switch: str) -> None:
    assert score(Waiting, learn("dqn", Waiting, seed, 20, {**PROBE, **SWITCHES[switch]})) > Waiting.solved


@every_seed
def test_who_does_not_look_ahead_does_not_wait(seed: int) -> None:
    assert score(Waiting, learn("dqn", Waiting, seed, 20, {**PROBE, "gamma": 0.0})) == pytest.approx(0.4)


@every_seed
@pytest.mark.parametrize("switch", ["plain", "steps", "rainbow"])
def test_a_limit_is_not_an_end(seed: int, switch: str) -> None:
    """Reward 1 for ever is worth 1 / (1 - gamma), though the limit cuts every fifth step."""
    policy = learn("dqn", Salary, seed, 50, {**PROBE, **SWITCHES[switch]})
    assert values(Salary, frozen(policy)) == pytest.approx(10, rel=0.03)


@every_seed
@pytest.mark.parametrize("switch", ["plain", "rainbow"])
def test_an_end_is_an_end(seed: int, switch: str) -> None:
    policy = learn("dqn", Contract, seed, 50, {**PROBE, **SWITCHES[switch]})
    left = (1 - 0.9 ** np.arange(5, 0, -1)) / (1 - 0.9)
    assert values(Contract, frozen(policy)) == pytest.approx(left[:, None].repeat(64, 1), abs=0.15)


@every_seed
@pytest.mark.parametrize("switch", ["plain", "double"])
def test_masks(seed: int, switch: str) -> None:
    assert score(Masked, learn("dqn", Masked, seed, 30, {**PROBE, **SWITCHES[switch]})) > Masked.solved
