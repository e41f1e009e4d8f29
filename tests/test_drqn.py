"""DRQN against the textbook: each window stepped through by itself, one view at a time, left to autograd."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from agents.algorithms import registry
from agents.algorithms.drqn import DRQN, DRQNConfig
from agents.algorithms.off_policy import memories
from agents.collect import collect
from agents.heads import QHead
from agents.play import play
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from agents.replay import Row, SequenceReplay, Sequences
from agents.rollout import Rollout
from envs.errors import InputError
from tests.learners import every_seed, learn, score, values
from tests.minds import everywhere
from tests.probes import Recall, Salary
from tests.test_dqn import assert_same, equal, textbook_loss
from tests.toy import Race

SMALL: dict[str, Any] = {
    "batch_size": 6, "start": 0, "updates_per_step": 0.05, "learning_rate": 3e-3, "tau": 0.3, "gamma": 0.9,
    "burn_in": 3, "replay": {"window": 8}, "final_learning_rate": None,
}  # fmt: skip
SWITCHES: dict[str, dict[str, Any]] = {
    "plain": {},
    "double": {"double": True},
    "duelling": {"duelling": True},
    "no burn-in": {"burn_in": 0},
    "steps": {"n_step": 3},
    "prioritised": {"replay": {"window": 8, "prioritised": True}},
    "all": {
        "double": True,
        "duelling": True,
        "noisy": True,
        "quantiles": 3,
        "n_step": 2,
        "replay": {"window": 8, "prioritised": True},
    },
}


def config_of(**settings: Any) -> DRQNConfig:
    return DRQNConfig.model_validate({**SMALL, **settings})


def new_policy(config: DRQNConfig, seed: int = 0, core: Any = "gru") -> Policy:
    torch.manual_seed(seed)
    spec = Race(1).spec
    shape = PolicyConfig(hidden=(9,), core=core, core_width=5)
    return Policy(spec.observation_spaces[0], spec.action_spaces[0], shape, DRQN.head(config))


def new_learner(config: DRQNConfig, seed: int = 0, core: Any = "gru") -> DRQN:
    return DRQN(new_policy(config, core=core), config, seed)


def experience(policy: Policy, count: int, keep_memory: bool = True) -> list[Rollout]:
    """Rollouts that follow each other, with masks and ends of both kinds."""
    player = deepcopy(policy)
    assert isinstance(player.head, QHead)
    player.head.epsilon.fill_(1.0)
    stream = play(Race(4), [PolicyPlayer(player, "")], everywhere(4), 13)
    rollouts = [collect(stream, 10, keep_memory=keep_memory) for _ in range(count)]
    assert rollouts[0].terminated.any() and rollouts[0].truncated.any() and not rollouts[0].legal.all()
    return rollouts


def quantiles(policy: Policy, obs: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """[Q, A] at one view, and the memory after it."""
    output, memory = policy.core(policy.encode(obs.unsqueeze(0)), memory.unsqueeze(0))
    assert isinstance(policy.head, QHead)
    return policy.head.quantiles(output).squeeze(-1), memory.squeeze(0)


def textbook_window(policy: Policy, batch: Sequences, row: int, burn_in: int) -> tuple[list[Tensor], list[Tensor]]:
    """What `policy` says of each view of a window, and of the view that followed each of its steps."""
    memory, said, following = batch.memory[row], [], []
    finals = {(int(w), int(t)): obs for (w, t), obs in zip(batch.final_at, batch.final_obs, strict=True)}
    for step in range(batch.reward.shape[1] + 1):
        if step == burn_in:
            memory = memory.detach()
        values, memory = quantiles(policy, batch.obs[row, step], memory)
        said.append(values)
        if (row, step) in finals:
            following.append(quantiles(policy, finals[row, step], memory)[0])
        elif step < batch.reward.shape[1]:
            fresh = memory * ~batch.ended[row, step]
            following.append(quantiles(policy, batch.obs[row, step + 1], fresh)[0])
        memory = memory * ~batch.ended[row, step] if step < batch.reward.shape[1] else memory
    return said, following


def textbook_errors(
    online: Policy, slow: Policy, batch: Sequences, row: int, config: DRQNConfig
) -> tuple[Tensor, Tensor]:
    """Losses and errors of the steps of one window after the burn-in."""
    said, judged = textbook_window(online, batch, row, config.burn_in)
    _, worth = textbook_window(slow, batch, row, config.burn_in)
    losses, errors = [], []
    for step in range(config.burn_in, batch.reward.shape[1]):
        last, total, scale = step, torch.zeros(()), 1.0
        while True:
            total, scale = total + scale * batch.reward[row, last], scale * config.gamma
            if batch.ended[row, last] or last + 1 in (step + config.n_step, batch.reward.shape[1]):
                break
            last += 1
        judge = (judged if config.double else worth)[last].mean(0)
        legal = list(range(len(judge)))
        if batch.legal is not None and not batch.truncated[row, last]:
            legal = batch.legal[row, last + 1].nonzero().flatten().tolist()
        choice = max(legal, key=judge.tolist().__getitem__)
        target = (total + scale * (not batch.terminated[row, last]) * worth[last][:, choice]).detach()
        ours = said[step][:, batch.action[row, step]]
        losses.append(textbook_loss(ours, target, config.huber))
        errors.append(losses[-1] / len(ours) if len(ours) > 1 else (target - ours)[0].abs())
    return torch.stack(losses), torch.stack(errors).detach()


def textbook_update(policy: Policy, config: DRQNConfig, rollouts: list[Rollout], seed: int) -> Policy:
    online, slow = deepcopy(policy), deepcopy(policy)
    assert isinstance(online.head, QHead) and isinstance(slow.head, QHead)
    row = Row(policy.obs_space, policy.action_space, memory=policy.memory_size)
    replay, rng = SequenceReplay(config.replay, row), np.random.default_rng(seed)
    noise = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(online.parameters(), lr=config.learning_rate, eps=config.optimiser_eps)
    online.head.resample(noise)
    for number, rollout in enumerate(rollouts):
        replay.add(rollout, rollout.extras["memory"])
        for _ in range(int(rollout.acts.numel() * config.updates_per_step)):
            batch = replay.sample(config.batch_size, rng, number / len(rollouts))
            online.head.resample(noise)
            slow.head.resample(noise)
            both = [textbook_errors(online, slow, batch, index, config) for index in range(config.batch_size)]
            losses, errors = (torch.stack(parts) for parts in zip(*both, strict=True))
            optimiser.zero_grad()
            (losses * batch.weight.unsqueeze(1)).mean().backward()
            torch.nn.utils.clip_grad_norm_(online.parameters(), config.max_grad_norm)
            optimiser.step()
            replay.update_priorities(batch.rows, 0.9 * errors.amax(1) + 0.1 * errors.mean(1))
            with torch.no_grad():
                for ours, theirs in zip(slow.parameters(), online.parameters(), strict=True):
                    ours.add_(config.tau * (theirs - ours))
        online.head.resample(noise)
    return online


@pytest.mark.parametrize("core", ["gru", "lstm"])
@pytest.mark.parametrize("switch", SWITCHES)
def test_updates_are_the_textbooks(switch: str, core: str) -> None:
    config = config_of(**SWITCHES[switch])
    ours = new_learner(config, seed=5, core=core)
    rollouts = experience(ours.policy, 2)
    theirs = textbook_update(ours.policy, config, rollouts, seed=5)
    for number, rollout in enumerate(rollouts):
        metrics = ours.update(rollout, number / len(rollouts))
    assert metrics["gradient_steps"] == 4
    assert_same(ours.policy, theirs)


@pytest.mark.parametrize(
    "change",
    [
        *(change for name, change in SWITCHES.items() if name != "plain"),
        {"batch_size": 5},
        {"updates_per_step": 0.2},
        {"replay": {"window": 7}},
        {"replay": {"window": 8, "capacity": 66}},
    ],
    ids=str,
)
def test_every_setting_does_something(change: dict[str, Any]) -> None:
    """Those that DRQN has for itself; of the others see test_dqn."""
    plain, changed = (new_learner(config_of(**settings)) for settings in ({}, change))
    for rollout in experience(plain.policy, 2):
        plain.update(rollout)
        changed.update(rollout)
    ours, theirs = plain.policy.state_dict(), changed.policy.state_dict()
    assert ours.keys() != theirs.keys() or not equal(plain.policy, changed.policy)


@pytest.mark.parametrize("core", ["gru", "lstm"])
def test_what_was_remembered_need_not_be_kept(core: str) -> None:
    """The policy that played can say it again."""
    policy = new_policy(config_of(), core=core)
    for kept, bare in zip(experience(policy, 2), experience(policy, 2, keep_memory=False), strict=True):
        assert "memory" in kept.extras and "memory" not in bare.extras
        torch.testing.assert_close(memories(policy, bare), kept.extras["memory"])


def test_nothing_is_learnt_before_a_lane_holds_a_window() -> None:
    learner = new_learner(config_of(replay={"window": 15}))
    steps = [learner.update(rollout)["gradient_steps"] for rollout in experience(learner.policy, 2)]
    assert steps == [0, 4]


@pytest.mark.parametrize("switch", ["plain", "all"])
def test_resuming_is_never_having_stopped(switch: str) -> None:
    config = config_of(**SWITCHES[switch])
    straight = new_learner(config, seed=3)
    rollouts = experience(straight.policy, 4)
    for rollout in rollouts[:2]:
        straight.update(rollout)
    file = io.BytesIO()
    torch.save(straight.state_dict(), file)
    file.seek(0)
    resumed = DRQN(new_policy(config, seed=9), config, seed=7)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for rollout in rollouts[2:]:
        assert straight.update(rollout) == resumed.update(rollout)
    assert equal(straight.policy, resumed.policy)


def test_what_is_not_admitted() -> None:
    obs, action = Race(1).spec.observation_spaces[0], Race(1).spec.action_spaces[0]
    with pytest.raises(InputError, match=r"drqn does not admit policy.core 'none': .*dqn"):
        registry.build("drqn", obs, action, policy=PolicyConfig())
    with pytest.raises(InputError, match=r"burn_in = 8 leaves nothing of replay.window = 8"):
        registry.parse_settings("drqn", {"burn_in": 8, "replay": {"window": 8}})


PROBE: dict[str, Any] = {
    "batch_size": 32, "start": 0, "updates_per_step": 1 / 64, "learning_rate": 1e-2, "gamma": 0.9, "tau": 0.2,
    "final_learning_rate": 1e-3, "burn_in": 2, "replay": {"window": 8},
}  # fmt: skip
GRU = {"core": "gru", "core_width": 16}


@every_seed
def test_memory(seed: int) -> None:
    assert score(Recall, learn("drqn", Recall, seed, 30, PROBE, GRU)) > Recall.solved


@every_seed
def test_a_limit_is_not_an_end(seed: int) -> None:
    policy = learn("drqn", Salary, seed, 36, PROBE, GRU)
    assert values(Salary, policy) == pytest.approx(10, rel=0.1)
