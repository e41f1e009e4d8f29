"""MAPPO and IPPO: PPO with a value of what all seats see, or without one."""

from __future__ import annotations

import io
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from agents.algorithms import registry
from agents.algorithms.algorithm import value_mask
from agents.algorithms.ppo import PPO, PPOConfig
from agents.collect import collect
from agents.crew import Crew, Independent
from agents.heads import ActorCritic, ActorCriticHead
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from agents.returns import gae, next_values
from agents.rollout import Rollout, evaluate
from agents.snapshot import load_snapshot, save_snapshot
from envs.core import Array, Bools
from envs.errors import InputError
from tests.joint_games import Chorus, Hunt, JointGame, Ledger, Sum, learn, score, seated, seen, sees
from tests.learners import every_seed
from tests.minds import frozen

WHOLE: dict[str, Any] = {"epochs": 1, "minibatch_rows": 10**9, "shards": 1, "entropy": 0.05, "gamma": 0.9}


def crew_of(game: type[JointGame], settings: dict[str, Any] | None = None, name: str = "mappo", **policy: Any) -> Crew:
    roles = tuple(dict.fromkeys(game(1).spec.roles))
    shape = PolicyConfig(**{"hidden": (8,), **policy})
    return registry.build_crew(name, game(1).spec, roles, settings or {}, shape, seed=1)


def rollout_of(crew: Crew, game: type[JointGame], post: str, length: int = 9, seed: int = 0) -> Rollout:
    steps, learns = seated(game(6), crew, seed)
    return collect(steps, length, learns[post], central=True)


def central(policy: Policy, rows: Tensor) -> Tensor:
    """[...] what the policy's central value says, as anybody would write it."""
    assert isinstance(policy.head, ActorCriticHead) and policy.head.central is not None
    layers: Any = policy.head.central.encoder.layers
    for layer in layers:
        rows = torch.tanh(rows @ layer.weight.T + layer.bias)
    last = policy.head.central.last
    value: Tensor = (rows @ last.weight.T + last.bias).squeeze(-1)
    return value


@pytest.mark.parametrize("core", ["none", "gru"])
@pytest.mark.parametrize("post", ["lone", "pair"])
def test_an_update_is_a_step_down_the_textbook_loss(post: str, core: str) -> None:
    """That of PPO, with values and bootstraps that see all seats (Yu et al. 2022)."""
    crew = crew_of(Ledger, {**WHOLE, "advantage": "none"}, core=core, core_width=5)
    assert isinstance(crew, Independent) and crew.sees == "central"
    rollout = rollout_of(crew, Ledger, post)
    assert "value" not in rollout.extras and rollout.obs.shape[2] == (11 if post == "lone" else 12)
    learner = crew.algorithms[post]
    assert isinstance(learner, PPO)
    policy, theirs = learner.policy, deepcopy(learner.policy)
    with torch.no_grad():
        values = central(theirs, rollout.obs)
        final = torch.zeros_like(rollout.reward)
        final[tuple(rollout.final_at.T)] = central(theirs, rollout.final_obs).to(final.dtype)
        ends = (rollout.terminated, rollout.truncated)
        following = next_values(values[:-1], values[-1], final, *ends)
        advantage = gae(rollout.reward, values[:-1], following, *ends, 0.9, 0.95)
        target = advantage + values[:-1]
    width = (policy.obs_space.shape or (0,))[0]
    optimiser = torch.optim.Adam(theirs.parameters(), lr=1e-3, eps=1e-5)
    logprob, entropy, _ = evaluate(theirs, deepcopy(_cut(rollout, width)))
    ratio = (logprob - rollout.extras["logprob"]).exp()
    surrogate = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
    value_loss = ((central(theirs, rollout.obs[:-1]) - target) ** 2 / 2).mean()
    acted = rollout.acts
    loss = -surrogate[acted].mean() + 0.5 * value_loss - 0.05 * entropy[acted].mean()
    loss.backward()
    nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
    optimiser.step()
    before = parameters_to_vector(policy.parameters()).detach().clone()
    learner.update(rollout)
    assert torch.allclose(
        parameters_to_vector(policy.parameters()), parameters_to_vector(theirs.parameters()), rtol=1e-3, atol=2e-5
    )
    assert not torch.allclose(before, parameters_to_vector(policy.parameters()), atol=1e-4)


def _cut(rollout: Rollout, width: int) -> Rollout:
    """With own views alone."""
    return replace(rollout, obs=rollout.obs[..., :width], final_obs=rollout.final_obs[..., :width])


def test_ippo_is_ppo() -> None:
    """By another name."""
    one, other = (crew_of(Chorus, name=name) for name in ("ippo", "ppo"))
    steps, learns = seated(Chorus(6), one)
    experience = seen(steps, 5, learns, one)
    assert one.sees == other.sees == "own"
    assert one.update(experience) == other.update(experience)
    assert registry.entry("ippo").algorithm is registry.entry("ppo").algorithm is registry.entry("mappo").algorithm


def test_it_plays_with_its_own_view(tmp_path: Any) -> None:
    """While it learns, and as a snapshot; the value is for those who show it everything."""
    policy = crew_of(Ledger).policies["lone"]
    save_snapshot(tmp_path / "a", policy, {})
    for each in (policy, frozen(policy), load_snapshot(tmp_path / "a").policy):
        obs, legal = np.ones((5, 3), np.float32), np.ones((5, 4), np.bool_)
        decision = PolicyPlayer(each, "").act(obs, legal, np.zeros((5, 0), np.float32), np.random.default_rng(0))
        assert set(decision.extras) == {"logprob"}
        wide = torch.ones(5, 11)
        said = each(wide, None, torch.zeros(5, 0))
        assert torch.allclose(said.extras["value"], central(each, wide))
        assert torch.equal(said.dist.log_probs, each(wide[:, :3], None, torch.zeros(5, 0)).dist.log_probs)
        with pytest.raises(InputError, match="reads rows of 11 numbers, not of 3: collect with central=True"):
            each.central_value(torch.ones(5, 3))


def test_the_critic_learns_from_what_others_see() -> None:
    """Of two alike views the value differs where the others' do."""

    class Blind(Chorus):
        """The first seat sees nothing; the hint, which the other one sees, is what both are paid."""

        def views(self) -> list[Array]:
            return [np.zeros((self.num_envs, 1)), self.hint[:, None]]

        def rules(self, action: Any) -> tuple[Array, Bools]:
            return np.stack([self.hint, self.hint], 1), np.ones(self.num_envs, np.bool_)

    explained = {}
    for name in ("mappo", "ippo"):
        crew = crew_of(Blind, {"learning_rate": 1e-2}, name, hidden=(16,))
        steps, learns = seated(Blind(64), crew)
        for _ in range(30):
            said = crew.update(seen(steps, 8, learns, crew))
        rollout = collect(steps, 8, learns["player"], central=name == "mappo").lanes(torch.arange(0, 128, 2))
        values = evaluate(crew.policies["player"], rollout).value
        explained[name] = 1 - float((values - rollout.reward).var() / rollout.reward.var())
    assert explained["mappo"] > 0.8 and explained["ippo"] < 0.1 and "explained_variance" in said


@pytest.mark.parametrize("change", [{"normalise_obs": True}, {"normalise_value": True}, {"head_hidden": (4,)}], ids=str)
def test_the_networks_options_hold_for_it(change: dict[str, Any]) -> None:
    """What is seen, and what the value says, is taken into statistics of its own width; values stay as they were."""
    crew = crew_of(Ledger, WHOLE | {"learning_rate": 1e-9}, **change)
    rollout = rollout_of(crew, Ledger, "pair", 12)
    policy = crew.policies["pair"]
    assert isinstance(policy.head, ActorCriticHead) and policy.head.central is not None
    if "head_hidden" in change:
        layers: Any = policy.head.central.encoder.layers
        assert [len(layer.weight) for layer in layers] == [8, 4]
        return
    with torch.no_grad():
        before = policy.central_value(rollout.obs)
    crew.update({"pair": rollout})
    if "normalise_obs" in change:
        assert policy.norm_obs is not None and policy.norm_wide is not None
        rows = rollout.obs[:-1].flatten(0, 1)
        assert torch.allclose(policy.norm_wide.mean, rows.mean(0), atol=1e-3, rtol=1e-4)
        assert torch.allclose(policy.norm_obs.mean, rows[:, :4].mean(0), atol=1e-3, rtol=1e-4)
    else:
        assert policy.head.norm_value is not None and float(policy.head.norm_value.mean) != 0
        with torch.no_grad():
            assert torch.allclose(policy.central_value(rollout.obs), before, atol=1e-3)


def test_the_value_has_a_step_size_of_its_own() -> None:
    """All weights of the central network, and no others."""
    policy = crew_of(Ledger).policies["pair"]
    mask = value_mask(policy)
    names = [name for name, part in policy.named_parameters() for _ in range(part.numel())]
    assert [name for name, own in zip(names, mask, strict=True) if own] == [
        name for name in names if name.startswith("head.central")
    ]


def test_resuming_is_never_having_stopped() -> None:
    one, other = crew_of(Ledger, core="gru"), crew_of(Ledger, core="gru")
    for post in ("lone", "pair"):
        one.update({post: rollout_of(one, Ledger, post)})
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    rollouts = {post: rollout_of(one, Ledger, post, seed=3) for post in ("lone", "pair")}
    assert one.update(rollouts, 0.5) == other.update(rollouts, 0.5)


def test_what_it_does_not_admit() -> None:
    with pytest.raises(InputError, match="needs flat observations"):
        Policy(spaces.Box(0, 255, (8, 8, 3), np.uint8), Chorus.actions[0], PolicyConfig(), ActorCritic(central=200))
    steps, learns = seated(Chorus(4), crew_of(Chorus))
    rollout = collect(steps, 3, learns["player"])
    with pytest.raises(InputError, match="collect with central=True"):
        crew_of(Chorus).update({"player": rollout})


def test_alone_it_needs_no_others() -> None:
    """In a game of one seat a central value sees the same, by a network of its own."""
    learner = registry.build("mappo", sees(3), Chorus.actions[0], {}, PolicyConfig(hidden=(8,)))
    assert learner.policy.head.config == ActorCritic(central=3)
    assert "value" in learner.policy(torch.ones(2, 3), None, torch.zeros(2, 0)).extras
    assert PPOConfig(central=True).central


@every_seed
@pytest.mark.parametrize("name", ["mappo", "ippo"])
@pytest.mark.parametrize(("game", "wanted"), [(Chorus, 0.9), (Sum, -0.05)])
def test_a_team_learns(game: type[JointGame], wanted: float, name: str, seed: int) -> None:
    settings = {"learning_rate": 1e-2, "minibatch_rows": 1024, "entropy": 0.0}
    crew = registry.build_crew(name, game(1).spec, ("player",), settings, PolicyConfig(hidden=(32,)), seed)
    learn(game(128), crew, 60, 8, seed)
    assert score(game(256), crew)[0] > wanted


@every_seed
def test_a_hunter_finds_its_prey(seed: int) -> None:
    settings = {"learning_rate": 1e-2, "minibatch_rows": 1024, "entropy": 0.0}
    crew = registry.build_crew("mappo", Hunt(1).spec, ("hunter", "prey"), settings, PolicyConfig(hidden=(32,)), seed)
    learn(Hunt(128), crew, 60, 8, seed)
    hunter, prey = score(Hunt(256), crew)
    assert hunter > -0.1 and prey > 0.95
