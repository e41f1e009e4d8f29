"""Crews: who is on which post, how each is made, and what those that learn apart keep to themselves."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch.nn.utils import parameters_to_vector

from agents.algorithms import registry
from agents.crew import Independent
from agents.ensemble import draw
from agents.heads import Actor
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from agents.snapshot import load_snapshot, save_snapshot
from envs.errors import InputError
from tests.joint_games import Chorus, Hunt, Ledger, Same, seated, seen, sees

SMALL = PolicyConfig(hidden=(8,))


def weights(policy: Policy) -> torch.Tensor:
    return parameters_to_vector(policy.parameters()).detach()


@pytest.mark.parametrize("name", ["ppo", "maddpg", "dqn"])
def test_posts(name: str) -> None:
    """A policy per role, or per seat of a role in its team; with the spaces of its seats."""
    spec = Ledger(1).spec
    shared = registry.build_crew(name, spec, ("lone", "pair"), {}, SMALL)
    own = registry.build_crew(name, spec, ("pair",), {}, SMALL, parameters="own")
    assert list(shared.policies) == ["lone", "pair"] and list(own.policies) == ["pair.0", "pair.1"]
    assert shared.policies["lone"].obs_space == sees(3) and own.policies["pair.1"].obs_space == sees(4)
    assert not torch.equal(weights(own.policies["pair.0"]), weights(own.policies["pair.1"]))
    assert shared.sees == ("joint" if name == "maddpg" else "own")
    assert registry.posts_of(spec, ("lone", "pair"), "shared") == {"lone": 0, "pair": 1}
    assert registry.posts_of(Chorus(1).spec, ("player",), "own") == {"player.0": 0, "player.1": 1}
    with pytest.raises(InputError, match="did you mean 'pair'"):
        registry.build_crew(name, spec, ("pairs",), {}, SMALL)


def test_a_crew_of_one_is_what_build_gives() -> None:
    spec = Chorus(1).spec
    crew = registry.build_crew("ppo", spec, ("player",), {}, SMALL, seed=5)
    alone = registry.build("ppo", spec.observation_spaces[0], spec.action_spaces[0], {}, SMALL, seed=5)
    assert torch.equal(weights(crew.policies["player"]), weights(alone.policy))
    steps, learns = seated(Chorus(8), crew)
    experience = seen(steps, 4, learns, crew)
    assert isinstance(experience, dict)
    assert crew.update(experience, 0.5) == alone.update(experience["player"], 0.5)
    assert torch.equal(weights(crew.policies["player"]), weights(alone.policy))


def test_seeds_and_encoders() -> None:
    def crew(seed: int, **more: Any) -> list[torch.Tensor]:
        made = registry.build_crew("ppo", Hunt(1).spec, ("hunter", "prey"), {}, SMALL, seed, **more)
        return [weights(policy) for policy in made.policies.values()]

    one, same, other = crew(1), crew(1), crew(2)
    assert all(torch.equal(*pair) for pair in zip(one, same, strict=True))
    assert not any(torch.equal(*pair) for pair in zip(one, other, strict=True))
    encoder = torch.nn.Linear(1, 6)
    encoder.width = 6  # type: ignore[assignment]
    made = registry.build_crew("ppo", Chorus(1).spec, ("player",), {}, SMALL, encoder=encoder, parameters="own")
    encoders = [policy.encoder for policy in made.policies.values()]
    assert len({id(one) for one in (encoder, *encoders)}) == 3, "each has a copy of its own"


def test_everybody_learns_from_its_own_lanes() -> None:
    crew = registry.build_crew("a2c", Hunt(1).spec, ("hunter", "prey"), {}, SMALL)
    assert isinstance(crew, Independent)
    steps, learns = seated(Hunt(8), crew)
    experience = seen(steps, 4, learns, crew)
    assert isinstance(experience, dict)
    before = {post: weights(policy).clone() for post, policy in crew.policies.items()}
    metrics = crew.update({"prey": experience["prey"]})
    assert metrics and all(name.startswith("prey/") for name in metrics)
    assert torch.equal(weights(crew.policies["hunter"]), before["hunter"])
    assert not torch.equal(weights(crew.policies["prey"]), before["prey"])
    assert {name.split("/")[0] for name in crew.update(experience)} == {"hunter", "prey"}
    file = io.BytesIO()
    torch.save(crew.state_dict(), file)
    file.seek(0)
    other = registry.build_crew("a2c", Hunt(1).spec, ("hunter", "prey"), {}, SMALL, seed=9)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert crew.update(experience, 0.3) == other.update(experience, 0.3)


def test_the_learner_may_have_some_seats_alone() -> None:
    crew = registry.build_crew("ppo", Hunt(1).spec, ("hunter",), {}, SMALL)
    steps, learns = seated(Hunt(8), crew, 0, {1: Same(np.array(0))})
    experience = seen(steps, 4, learns, crew)
    assert isinstance(experience, dict) and list(experience) == ["hunter"]
    assert experience["hunter"].lane_count == 8
    assert "policy_loss" in crew.update(experience)


def ensemble(members: int = 3, space: spaces.Space[Any] | None = None) -> Policy:
    torch.manual_seed(0)
    return Policy(sees(4), space or spaces.Discrete(5), PolicyConfig(hidden=(6,)), Actor(members=members))


def test_an_ensemble_is_several_networks_in_one() -> None:
    """Each row is answered by the network that its memory names, whoever else is asked."""
    policy, obs = ensemble(), torch.randn(40, 4)
    legal = torch.rand(40, 5) < 0.7
    legal[:, 0] = True
    member = torch.randint(3, (40,))
    memory = (member + 1).float().unsqueeze(1)
    with torch.no_grad():
        out = policy(obs, legal, memory)
    encoder: Any = policy.encoder
    layers = [encoder.layers[0], policy.head.outputs.last("actor")]
    for row, who in enumerate(member.tolist()):
        hidden = torch.tanh(layers[0].weight[who] @ obs[row] + layers[0].bias[who])
        logits = (layers[1].weight[who] @ hidden + layers[1].bias[who]).detach()
        wanted = logits.masked_fill(~legal[row], -1e9).log_softmax(0)
        for action in range(5):
            asked = torch.full((40,), action)
            assert torch.allclose(out.dist.log_prob(asked)[row], wanted[action], atol=1e-5)
        assert out.dist.entropy()[row] == pytest.approx(float(-(wanted.exp() * wanted).sum()), abs=1e-5)
        assert out.dist.mode()[row] == wanted.argmax()
    drawn = torch.stack([out.dist.sample(np.random.default_rng(seed)) for seed in range(50)])
    assert legal.gather(1, drawn.T).all()
    assert torch.equal(out.memory, memory) and torch.equal(out.extras["member"], member)


def test_who_plays_is_drawn_when_a_game_starts() -> None:
    memory = np.zeros((3000, 1), np.float32)
    drawn = draw(memory, 3, np.random.default_rng(0))
    assert not memory.any() and np.bincount(drawn[:, 0].astype(int)).tolist() == pytest.approx(
        [0, 1000, 1000, 1000], abs=90
    )
    assert draw(drawn, 3, np.random.default_rng(1)) is drawn
    drawn[:5] = 0
    assert (draw(drawn, 3, np.random.default_rng(1))[5:] == drawn[5:]).all()
    player = PolicyPlayer(ensemble(space=spaces.Box(-1, 1, (2,))), "")
    obs, legal = np.zeros((30, 4), np.float32), np.ones((30, 0), np.bool_)
    decision = player.act(obs, legal, np.zeros((30, 1), np.float32), np.random.default_rng(0))
    assert np.array_equal(decision.extras["member"] + 1, decision.memory[:, 0])
    assert decision.action.shape == (30, 2)


def test_an_ensemble_travels_in_a_snapshot(tmp_path: Any) -> None:
    policy = ensemble()
    assert policy.memory_size == 1 and not policy.stackable
    save_snapshot(tmp_path / "a", policy, {})
    loaded = load_snapshot(tmp_path / "a").policy
    assert torch.equal(weights(loaded), weights(policy)) and loaded.members == 3
    with pytest.raises(InputError, match="an ensemble cannot have"):
        Policy(sees(4), spaces.Discrete(5), PolicyConfig(core="gru"), Actor(members=2))
