"""Critics, the vectors of actions that they read, and what a gradient step sees of a window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from agents.algorithms import registry
from agents.algorithms.action_critic import ActionCriticLearner
from agents.algorithms.seen import Steps, Windows
from agents.critic import Critic
from agents.distributions import Bernoulli, Categorical
from agents.heads import Actor
from agents.policy import Policy, PolicyConfig
from agents.replay import Transitions
from agents.vectors import Vectors
from tests.actor_critics import Steer, fed

IMAGE, FLAT = spaces.Box(0, 255, (8, 8, 3), np.uint8), spaces.Box(-1, 1, (4,))
SHAPES: list[tuple[Any, dict[str, Any]]] = [
    (FLAT, {}),
    (FLAT, {"hidden": (), "head_hidden": (5,)}),
    (FLAT, {"hidden": ()}),
    (FLAT, {"core": "lstm"}),
    (FLAT, {"normalise_obs": True}),
    (IMAGE, {}),
]


def new_critic(obs: Any = FLAT, config: dict[str, Any] | None = None, members: int = 2) -> tuple[Policy, Critic]:
    shape = PolicyConfig(**{"hidden": (12,), **(config or {})})
    policy = Policy(obs, spaces.Box(-1, 1, (2,)), shape, Actor())
    return policy, Critic(policy, actions=2, members=members)


@pytest.mark.parametrize(("obs", "config"), SHAPES)
def test_members_answer_as_if_alone(obs: Any, config: dict[str, Any]) -> None:
    """The stacked product gives what each set of weights gives; the first can be asked alone."""
    policy, critic = new_critic(obs, config, members=3)
    seen, ended = torch.rand(5, 7, *obs.shape), torch.zeros(5, 7, dtype=torch.bool)
    features = critic.state.trunk(seen, torch.zeros(5, policy.memory_size), ended)[0]
    action = torch.rand(5, 7, 2)
    values = critic(features, action)
    assert values.shape == (1, 3, 5, 7)
    for k in range(3):
        assert torch.allclose(values[0, k], _alone(critic, k, torch.cat([features, action], -1)), atol=1e-5)
    assert torch.allclose(critic.first(features, action), values[0, 0], atol=1e-5)
    assert not torch.allclose(values[0, 1], values[0, 0], atol=1e-2)


def _alone(critic: Critic, member: int, x: Tensor) -> Tensor:
    layers: list[Any] = [*critic.layers, critic.last]
    for layer in layers[:-1]:
        x = torch.tanh(x @ layer.weight[member].T + layer.bias[member])
    values: Tensor = x @ layers[-1].weight[member].T + layers[-1].bias[member]
    return values.squeeze(-1)


def test_a_critic_owns_its_weights_and_shares_statistics() -> None:
    policy, critic = new_critic(config={"core": "gru", "normalise_obs": True})
    assert not {id(weight) for weight in policy.parameters()} & {id(weight) for weight in critic.parameters()}
    assert critic.norm_obs is policy.norm_obs
    assert not list(critic.state.head.parameters())


def test_vectors_of_every_kind_of_action() -> None:
    space = spaces.Tuple(
        [spaces.Discrete(3), spaces.Box(-1, 3, (2,)), spaces.MultiBinary(2), spaces.MultiDiscrete([2, 3])]
    )
    action = torch.tensor([[2, 3, 0, 1, 0, 1, 2], [0, -1, 1, 0, 0, 0, 1]], dtype=torch.float32)
    wanted = [[0, 0, 1, 1, -0.5, 1, 0, 0, 1, 0, 0, 1], [1, 0, 0, -1, 0, 0, 0, 1, 0, 0, 1, 0]]
    assert Vectors(space).of(action).tolist() == wanted
    assert Vectors(spaces.Discrete(3)).of(torch.tensor([1, 0])).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert Vectors(spaces.Box(0, 4, (1,))).of(torch.tensor([[3.0]])).tolist() == [[0.5]]


def test_draws_are_choices_with_the_right_odds() -> None:
    """Gumbel-max draws from the distribution itself, and never what is forbidden."""
    rng, logits = torch.Generator().manual_seed(1), torch.tensor([1.0, 0.0, 5.0])
    legal = torch.tensor([True, True, False]).expand(20_000, 3)
    three, two = Vectors(spaces.Discrete(3)), Vectors(spaces.MultiBinary(2))
    dist = Categorical(logits.unsqueeze(1).expand(3, 20_000), legal)
    drawn = three.drawn(dist, 0.5, True, three.exponentials([20_000], rng))
    assert set(drawn.flatten().tolist()) == {0.0, 1.0}
    assert drawn.mean(0).tolist() == pytest.approx([0.731, 0.269, 0], abs=0.01)
    pressed = two.drawn(
        Bernoulli(logits[:2].unsqueeze(1).expand(2, 20_000)), 0.5, True, two.exponentials([20_000], rng)
    )
    assert pressed.mean(0).tolist() == pytest.approx([0.731, 0.5], abs=0.01)


@pytest.mark.parametrize("hard", [True, False])
def test_the_gradient_is_the_softmaxs(hard: bool) -> None:
    """Jang et al. 2017, equation 2, at temperature 0.5."""
    logits = torch.tensor([[0.3, -0.2], [0.1, 0.4], [-1.0, 0.0]], requires_grad=True)
    weight, vectors = torch.rand(2, 3), Vectors(spaces.Discrete(3))
    noise = torch.empty(2, 3).exponential_(generator=torch.Generator().manual_seed(2))
    drawn = vectors.drawn(Categorical(logits), 0.5, hard, noise)
    soft = ((logits.log_softmax(0).T - noise.log()) / 0.5).softmax(1)
    (mine,) = torch.autograd.grad((drawn * weight).sum(), logits)
    (plain,) = torch.autograd.grad((soft * weight).sum(), logits)
    assert torch.allclose(mine, plain, atol=1e-6)
    assert torch.allclose(drawn, soft, atol=1e-6) is not hard


@pytest.mark.parametrize("core", ["gru", "lstm"])
@pytest.mark.parametrize("burn_in", [0, 2])
def test_a_window_is_seen_as_it_was_played(core: str, burn_in: int) -> None:
    """Every row, and what follows it, is what stepping through the games gives, over ends of games as well."""
    learner = fed("td3", Steer, {"window": 5 - burn_in, "burn_in": burn_in}, {"core": core, "core_width": 6})
    batch = learner.replay.sample(50, np.random.default_rng(0))
    seen, policy = Windows(batch, burn_in, 0.9), learner.policy
    assert len(batch.final_at), "games are cut in the middle of windows"
    now, after = [], []
    with torch.no_grad():
        for lane in range(50):
            memory = batch.memory[lane : lane + 1]
            for step in range(5):
                output, carried = policy.core(policy.encode(batch.obs[lane : lane + 1, step]), memory)
                now.append(output)
                cut = ((batch.final_at[:, 0] == lane) & (batch.final_at[:, 1] == step)).nonzero()
                view = batch.final_obs[cut[0]] if len(cut) else batch.obs[lane : lane + 1, step + 1]
                memory = carried * ~batch.ended[lane, step]
                after.append(policy.core(policy.encode(view), carried if len(cut) else memory)[0])
        mine = seen.now(policy, batch.memory), seen.after(policy, batch.memory)
    for rows, wanted in zip(mine, (now, after), strict=True):
        assert torch.allclose(rows, torch.cat(wanted).view(50, 5, -1)[:, burn_in:], atol=1e-6)
    assert torch.equal(seen.discount == 0, batch.terminated[:, burn_in:])


def test_burn_in_carries_no_gradient() -> None:
    learner = fed("td3", Steer, {"window": 2, "burn_in": 2}, {"core": "gru", "core_width": 6})
    batch = learner.replay.sample(8, np.random.default_rng(0))
    obs = batch.obs.clone().requires_grad_(True)
    features = Windows(batch._replace(obs=obs), 2, 0.9).now(learner.policy, batch.memory)
    (gradient,) = torch.autograd.grad(features.sum(), obs)
    assert not gradient[:, :2].any()
    assert gradient[:, 2:4].any()


@pytest.mark.parametrize("name", ["ddpg", "sac"])
def test_critics_learn_while_others_are_on_turn(name: str) -> None:
    """What the others do is paid in rows in which the seat itself does not act: only the actor leaves them out."""
    learner = registry.build(name, spaces.Box(-1, 1, (3,), np.float32), spaces.Discrete(2), seed=0)
    assert isinstance(learner, ActionCriticLearner)

    def seen(paid: float) -> Steps:
        flags = torch.tensor([True, False, True, False])
        return Steps(
            Transitions(
                obs=torch.arange(12.0).view(4, 3) / 12,
                action=torch.tensor([0, 0, 1, 0]),
                reward=torch.tensor([0.0, paid, 0.0, paid]),
                next_obs=torch.zeros(4, 3),
                discount=torch.zeros(4),
                legal=None,
                next_legal=None,
                acts=flags,
                extras={},
                rows=torch.arange(4),
                weight=torch.ones(4),
            )
        )

    assert seen(0.0).weight.tolist() == [2.0, 0.0, 2.0, 0.0] and seen(0.0).drawn.tolist() == [1.0] * 4
    little, much = (float(learner._critic_loss(seen(paid))[0].detach()) for paid in (0.0, -3.0))
    assert much > little + 2
