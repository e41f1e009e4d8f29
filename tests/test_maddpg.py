"""MADDPG and MATD3: what a gradient step is, what goes on where it was left, and whether they learn."""

from __future__ import annotations

import io
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.algorithms import registry
from agents.algorithms.maddpg import MADDPG
from agents.algorithms.matd3 import MATD3
from agents.central import Autograd, Compiled
from agents.joint import NOBODY, collect_joint
from agents.networks import Linear
from agents.parallel import Threads
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from agents.replay import JointBatch
from agents.snapshot import load_snapshot, save_snapshot
from envs.errors import InputError
from tests.actor_critics import equal_weights, step_of_adam
from tests.joint_games import Chorus, Hunt, JointGame, Ledger, Same, Spaces, Sum, learn, score, seated, seen, sees
from tests.learners import every_seed
from tests.minds import frozen

FAST = PolicyConfig(hidden=(32,), activation="relu")
RATES: dict[str, Any] = {"learning_rate": 2e-3, "critic_learning_rate": 1e-3}


class Steps(JointGame):
    """Two seats that see and do different things, in games of four steps that one of them can end."""

    obs, roles, teams, limit = (sees(3), sees(1)), ("left", "right"), (0, 1), 4
    actions: ClassVar[Spaces] = (spaces.Box(-1, 3, (2,), np.float32), spaces.Box(0, 1, (1,), np.float32))

    def views(self) -> Any:
        return [np.stack([self.hint, self.clock, self.hint**2], 1), self.hint[:, None]]

    def rules(self, action: Any) -> Any:
        left, right = action[0][:, 0] - self.hint, action[1][:, 0] * self.hint
        return np.stack([left - right, right], 1), action[0][:, 1] > 2.5


class Words(Steps):
    """The same with choices, of which the first seat has more; the last two are forbidden to it where the hint is
    negative."""

    actions = (spaces.Discrete(5), spaces.Discrete(2))

    def rules(self, action: Any) -> Any:
        left, right = action[0] * 0.3 - self.hint, action[1] * self.hint
        return np.stack([left - right, right], 1), action[0] == 0

    def legal(self) -> Any:
        legal = super().legal()
        legal[self.hint < 0, 0, 3:] = False
        return legal


def crew_of(
    name: str, game: type[JointGame], settings: dict[str, Any], parameters: Any = "shared", seed: int = 3, **more: Any
) -> MADDPG:
    roles = tuple(dict.fromkeys(game(1).spec.roles))
    shape = PolicyConfig(**{"hidden": (32,), "activation": "relu", **more})
    crew = registry.build_crew(name, game(1).spec, roles, settings, shape, seed, parameters=parameters)
    assert isinstance(crew, MADDPG)
    return crew


def fed(name: str, game: type[JointGame], settings: dict[str, Any], parameters: Any = "shared") -> MADDPG:
    """A crew with rows in its replay that has learnt nothing yet."""
    crew = crew_of(name, game, {"start": 10**6, "batch_size": 64, **RATES, **settings}, parameters)
    steps, learns = seated(game(32), crew)
    crew.update(collect_joint(steps, 12, learns))
    return crew


both = pytest.mark.parametrize("how", [Compiled, Autograd])
"""Ways to find gradients."""


def following(crew: MADDPG, batch: JointBatch) -> Tensor:
    """[M * m * P, V] what the slow actors would do next, and what strangers did."""
    actions = crew._gradients.next_actions(batch, crew._noise)
    return actions if batch.same is None else actions[batch.same]


def plain(layers: list[Linear], member: int | None = None) -> nn.Sequential:
    """One of stacked networks, as anybody would write it."""
    found: list[nn.Module] = []
    for layer in layers:
        weight, bias = (part if member is None else part[member] for part in (layer.weight, layer.bias))
        mine = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            mine.weight.copy_(weight)
            mine.bias.copy_(bias)
        found += [mine, nn.ReLU()]
    return nn.Sequential(*found[:-1])


def plain_critics(crew: MADDPG) -> list[list[nn.Sequential]]:
    """[T][C]."""
    layers: Any = [*crew.critic.layers, crew.critic.last]
    count = len(crew.policies)
    return [[plain(layers, twin * count + post) for post in range(count)] for twin in range(crew.twins)]


def plain_actor(policy: Policy) -> nn.Sequential:
    encoder: Any = policy.encoder
    return plain([*encoder.layers, policy.head.outputs.last("actor")])


def read(batch: JointBatch, post: int, obs: Tensor, actions: list[Tensor]) -> Tensor:
    """[n, inputs] all views of `obs`, then all `actions` [P] of vectors, each as wide as the widest."""
    widest = batch.action.shape[-1]
    padded = [nn.functional.pad(action, (0, widest - action.shape[1])) for action in actions]
    return torch.cat([obs[post].flatten(1), *padded], 1)


@both
@pytest.mark.parametrize("parameters", ["shared", "own"])
@pytest.mark.parametrize("name", ["maddpg", "matd3"])
def test_a_step_is_the_papers(name: str, parameters: str, how: Any) -> None:
    """All critics towards what the slow actors would do next, then each actor up its own critic while the other did
    what it did (Lowe et al. 2017, equations 5 and 6; Ackermann et al. 2019)."""
    settings = {"tau": 0.1, "gamma": 0.7, "raw_penalty": 0.3, "actor_every": 1, "target_every": 1}
    crew = fed(name, Steps, settings, parameters)
    crew._gradients = how(crew._networks, crew._loss())
    batch = crew.replay.sample(64, np.random.default_rng(5))
    crew._rng = np.random.default_rng(5)
    crew._noise.manual_seed(6)
    noise = torch.Generator().manual_seed(6)
    policies, critics, slow = list(crew.policies.values()), plain_critics(crew), plain_critics(crew)
    actors = [plain_actor(policy) for policy in policies]
    widths, views = (2, 1), (3, 1)

    def act(post: int, obs: Tensor) -> Tensor:
        raw: Tensor = actors[post](obs[:, : views[post]])
        return raw.tanh()

    next_actions = []
    for post in range(2):  # rows of both posts are of the same steps
        place = 0 if post == 0 else 1
        action = act(post, batch.next_obs[0, :, place])
        if isinstance(crew, MATD3):
            drawn = torch.randn(1, 64, widths[post], generator=noise)[0]
            action = (action + (drawn * 0.2).clamp(-0.5, 0.5)).clamp(-1, 1)
        next_actions.append(action)
    loss = torch.zeros(())
    for post in range(2):
        order = next_actions if post == 0 else next_actions[::-1]
        next_rows = read(batch, post, batch.next_obs, order)
        worth = torch.stack([each[post](next_rows).squeeze(1) for each in slow]).amin(0)
        target = (batch.reward[post] + 0.7 * batch.discount[post] * worth).detach()
        rows = read(batch, post, batch.obs, list(batch.action[post].unbind(1)))
        loss = loss + sum((each[post](rows).squeeze(1) - target).square().mean() for each in critics)
    step_of_adam(loss, [each for twin in critics for each in twin], 1e-3)
    actor_loss = torch.zeros(())
    for post in range(2):
        own = batch.obs[post, :, 0]
        raw = actors[post](own[:, : views[post]])
        rows = read(batch, post, batch.obs, [raw.tanh(), batch.action[post, :, 1]])
        actor_loss = actor_loss + 0.3 * raw.square().mean() - critics[0][post](rows).mean()
    step_of_adam(actor_loss, [*actors], 2e-3)

    before = crew._actor_target.weights.clone(), crew._critic_target.weights.clone()
    said = crew._learn(0.0)
    assert said[[0, 2]].tolist() == pytest.approx([loss.item() / 2, actor_loss.item() / 2], rel=1e-4)
    for mine, theirs in zip(critics, plain_critics(crew), strict=True):
        assert all(equal_weights(*pair) for pair in zip(mine, theirs, strict=True))
    assert all(equal_weights(mine, plain_actor(policy)) for mine, policy in zip(actors, policies, strict=True))
    pairs = (crew._actor_target, crew._actor_step), (crew._critic_target, crew._critic_step)
    for was, (slow_copy, source) in zip(before, pairs, strict=True):
        assert torch.allclose(slow_copy.weights, was + 0.1 * (source.weights - was), atol=1e-7)
    assert (batch.discount == 0).any() and (batch.discount == 1).any()


@both
def test_choices_reach_the_critics_through_the_gumbel_softmax(how: Any) -> None:
    """Straight through: the critic is told the choice, the gradient is the softmax's; forbidden ones are never made."""
    crew = fed("maddpg", Words, {"temperature": 0.5, "entropy": 0.2, "raw_penalty": 0.3})
    crew._gradients = how(crew._networks, crew._loss())
    batch = crew.replay.sample(64, np.random.default_rng(5))
    assert batch.legal is not None and not batch.legal.all()
    crew._noise.manual_seed(6)
    noise = torch.Generator().manual_seed(6)
    policies, critics = list(crew.policies.values()), plain_critics(crew)[0]
    actors = [plain_actor(policy) for policy in policies]
    loss = torch.zeros(())
    for post, (view, count) in enumerate(((3, 5), (1, 2))):
        logits = actors[post](batch.obs[post, :, 0, :view])
        raw = logits.square().mean()
        logits = logits.masked_fill(~batch.legal[post, :, :count], -1e9).log_softmax(1)
        gumbel = -torch.empty(1, 64, count).exponential_(generator=noise)[0].log()
        soft = ((logits + gumbel) / 0.5).softmax(1)
        hard = nn.functional.one_hot(soft.argmax(1), count).float()
        rows = read(batch, post, batch.obs, [hard + soft - soft.detach(), batch.action[post, :, 1]])
        entropy = -(logits.exp() * logits).sum(1).mean()
        loss = loss + 0.3 * raw - critics[post](rows).mean() - 0.2 * entropy
    step_of_adam(loss, [*actors], 2e-3)
    total, gradient = crew._gradients.of_actors(batch, crew._noise)
    crew._actor_step.step(gradient)
    assert total.item() == pytest.approx(loss.item(), rel=1e-4)
    assert all(equal_weights(mine, plain_actor(policy)) for mine, policy in zip(actors, policies, strict=True))


@both
def test_targets_draw_choices_as_they_are_played(how: Any) -> None:
    """From the slow actors, with the probabilities of the policy, and never what is forbidden."""
    crew = fed("maddpg", Words, {})
    crew._gradients = how(crew._networks, crew._loss())
    one = crew.replay.sample(8, np.random.default_rng(0))
    counts = torch.zeros(2, 8, 2, 5)
    for _ in range(400):
        counts += following(crew, one).view(2, 8, 2, 5)
    assert (counts.sum(-1) == 400).all()
    assert one.next_legal is not None and not counts[~one.next_legal].any()
    policy = crew.policies["left"]
    dist, _ = policy.read(policy.encode(one.next_obs[0, :, 0]), one.next_legal[0, :, 0])
    assert torch.allclose(counts[0, :, 0] / 400, dist.log_probs.exp().T, atol=0.1)  # type: ignore[attr-defined]


@both
def test_strangers_are_believed_and_their_seats_not_learnt(how: Any) -> None:
    """What they did next is in the target as it was."""
    crew = registry.build_crew("maddpg", Ledger(1).spec, ("pair",), {"start": 10**6}, FAST, 0, parameters="own")
    assert isinstance(crew, MADDPG)
    crew._gradients = how(crew._networks, crew._loss())
    steps, learns = seated(Ledger(8), crew, 0, {0: Same(np.array(3))})
    crew.update(collect_joint(steps, 12, learns))
    batch = crew.replay.sample(50, np.random.default_rng(0))
    assert batch.known is None and (batch.mind.reshape(2, 50, 3)[0] == [0, 1, -1]).all()
    next_actions = following(crew, batch).view(2, 50, 3, 4)
    going = batch.discount[0] == 1
    assert torch.equal(next_actions[0, going, 2], torch.eye(4)[3].expand(int(going.sum()), 4))
    assert torch.equal(next_actions[1, going, 1], torch.eye(4)[3].expand(int(going.sum()), 4))


class Mixed(Steps):
    """Actions of all kinds; the second seat does not act at every step."""

    actions = (
        spaces.Tuple([spaces.Discrete(3), spaces.Box(-1, 3, (2,), np.float32), spaces.MultiBinary(2)]),
        spaces.MultiDiscrete([2, 3]),
    )

    def rules(self, action: Any) -> Any:
        left, right = action[0][:, 0] * 0.3 - self.hint, action[1][:, 0] * self.hint
        return np.stack([left - right, right], 1), action[0][:, 3] * action[0][:, 4] > 0

    def acts(self) -> Any:
        return np.stack([np.ones(self.num_envs, np.bool_), self.clock % 2 == 0], 1)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("game", [Steps, Words, Mixed])
@pytest.mark.parametrize(
    ("name", "parameters", "settings"),
    [
        ("maddpg", "shared", {}),
        ("matd3", "own", {"straight_through": False, "raw_penalty": 0.3}),
        ("matd3", "shared", {"ensemble": 3, "entropy": 0.5, "temperature": 0.4}),
    ],
)
def test_compiled_gradients_are_those_of_autograd(
    name: str, parameters: str, settings: dict[str, Any], game: type[JointGame], activation: str
) -> None:
    """With layers of a head's own, sizes that fill no vector, and a last block that is not full."""
    shape: dict[str, Any] = {"hidden": (9, 32), "head_hidden": (13,), "activation": activation}
    crew = crew_of(name, game, {"start": 10**6, "batch_size": 690, **RATES, **settings}, parameters, **shape)
    assert isinstance(crew._gradients, Compiled)
    with torch.no_grad():  # as far as after some learning, so that nothing is near zero
        for vector in (crew._actor_step.weights, crew._critic_step.weights, crew._actor_target.weights):
            vector.add_(torch.randn(len(vector), generator=torch.Generator().manual_seed(1)), alpha=0.3)
    steps, learns = seated(game(32), crew)
    crew.update(collect_joint(steps, 12, learns))
    batch = crew.replay.sample(690 // crew.config.ensemble, np.random.default_rng(5))
    assert (batch.acts is not None) is (game is Mixed) and (batch.legal is not None) is (game is Words)
    assert (batch.same is None) is (crew.config.ensemble > 1)
    found: list[tuple[Any, ...]] = []
    for gradients in (crew._gradients, Autograd(crew._networks, crew._loss())):
        noise = torch.Generator().manual_seed(2)
        actions = gradients.next_actions(batch, noise)
        found.append((actions, *gradients.of_critics(batch, actions), *gradients.of_actors(batch, noise)))
    (actions, *mine), (expected, *theirs) = found
    assert torch.allclose(actions, expected, atol=1e-6) and len(actions.unique(dim=0)) > 2
    for one, other in zip(mine, theirs, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)
    assert all(float(gradient.abs().max()) > 1e-3 for gradient in (mine[1], mine[3]))


def test_threads_share_large_batches() -> None:
    """And change nothing."""
    learnt = []
    for count in (1, 3):
        settings, shape = {"start": 0, "batch_size": 700, "updates_per_step": 0.01}, PolicyConfig(hidden=(32,))
        crew = registry.build_crew("matd3", Words(1).spec, ("left", "right"), settings, shape, 3, "cpu", Threads(count))
        steps, learns = seated(Words(32), crew)
        said = crew.update(collect_joint(steps, 12, learns))
        assert said["gradient_steps"] == 3
        learnt.append(
            (said, [weights.tolist() for policy in crew.policies.values() for weights in policy.parameters()])
        )
    assert learnt[0] == learnt[1]


def test_seats_change_between_games() -> None:
    """A duel in which the learner meets itself, and in every second game a stranger: every row is from a seat of its
    own, and a post that nobody has played learns nothing."""
    crew = crew_of("maddpg", Chorus, {"start": 10**6, "batch_size": 32})
    steps, learns = seated(Chorus(6), crew, 0, {1: Same(np.array(1))})
    rollout = collect_joint(steps, 20, learns)
    assert rollout.post.tolist() == [[0, 0], [0, NOBODY]] * 3
    crew.update(rollout)
    batch = crew.replay.sample(500, np.random.default_rng(0))
    second = batch.mind.reshape(500, 2)[:, 1]
    assert 0.25 < (second == NOBODY).mean() < 0.42  # a third of the learner's seats are opposite a stranger
    lone = registry.build_crew("maddpg", Ledger(1).spec, ("lone", "pair"), {"start": 0}, FAST, 0)
    assert isinstance(lone, MADDPG)
    weights = {post: nn.utils.parameters_to_vector(policy.parameters()) for post, policy in lone.policies.items()}
    steps, learns = seated(Ledger(8), lone, 0)
    rollout = collect_joint(steps, 30, {"pair": learns["pair"]})
    assert lone.update(rollout)["gradient_steps"] > 0
    for post, was in weights.items():
        same = torch.equal(was, nn.utils.parameters_to_vector(lone.policies[post].parameters()))
        assert same is (post == "lone")


def test_an_ensemble_learns_from_its_own_games() -> None:
    """Each network from those in which it was drawn; a game is played by one from start to end."""
    crew = crew_of("maddpg", Steps, {"start": 10**6, "ensemble": 3, "batch_size": 48})
    steps, learns = seated(Steps(64), crew)
    rollout = collect_joint(steps, 20, learns)
    member, ended = rollout.member, rollout.ended
    assert set(member.flatten().tolist()) == {0, 1, 2}
    same = (member[1:] == member[:-1]).all(2)
    assert same[~ended[:-1]].all() and not same[ended[:-1]].all()
    crew.update(rollout)
    batch = crew.replay.sample(16, np.random.default_rng(0))
    assert batch.mind.reshape(6, 16, 2)[:, :, 0].tolist() == [[mind] * 16 for mind in range(6)]
    assert batch.same is None
    before = [weight.clone() for weight in crew.policies["left"].parameters()]
    crew._learn(0.0)
    for was, now in zip(before, crew.policies["left"].parameters(), strict=True):
        assert len(now) == 3 and all(not torch.equal(a, b) for a, b in zip(was, now, strict=True))


def test_an_ensemble_is_frozen_whole(tmp_path: Any) -> None:
    crew = crew_of("maddpg", Steps, {"ensemble": 2})
    policy = frozen(crew.policies["left"])
    save_snapshot(tmp_path / "a", policy, {})
    loaded = load_snapshot(tmp_path / "a").policy
    obs, rng = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32), np.random.default_rng(1)
    memory = np.zeros((9, 1), np.float32)
    player = PolicyPlayer(loaded, "", greedy=True)
    first = player.act(obs, np.ones((9, 0), np.bool_), memory, rng)
    assert set(first.memory[:, 0]) == {1.0, 2.0}
    again = player.act(obs, np.ones((9, 0), np.bool_), first.memory, rng)
    assert np.array_equal(first.action, again.action) and np.array_equal(first.memory, again.memory)
    encoder: Any = loaded.encoder
    for row, who in enumerate(first.memory[:, 0]):
        layers = [*encoder.layers, loaded.head.outputs.last("actor")]
        raw = plain(layers, int(who) - 1)(torch.from_numpy(obs[row])).detach()
        assert np.allclose(first.action[row], raw.tanh().numpy() * 2 + 1, atol=1e-5)


def _loose(*policies: Any) -> tuple[Any, ...]:
    """Without types, which do not know what an encoder is made of."""
    return policies


def test_everybody_gets_the_weights_that_were_learnt() -> None:
    """Policies of posts are views of the stacked weights."""
    crew = fed("maddpg", Chorus, {}, "own")
    one, other = crew.policies.values()
    crew._learn(0.0)
    assert list(crew.policies) == ["player.0", "player.1"]
    stacked, *own = (each.encoder.layers[0].weight for each in _loose(crew._kinds[0].network, one, other))
    assert all(torch.equal(*pair) for pair in zip(stacked, own, strict=True))
    assert not torch.equal(stacked[0], stacked[1])


@pytest.mark.parametrize("ensemble", [1, 2])
@pytest.mark.parametrize(("name", "parameters"), [("maddpg", "shared"), ("matd3", "own")])
@pytest.mark.parametrize("game", [Steps, Words])
def test_it_goes_on_where_it_was_left(game: type[JointGame], name: str, parameters: str, ensemble: int) -> None:
    """To the bit, through a file."""
    settings = {"start": 0, "updates_per_step": 0.02, "batch_size": 16, "ensemble": ensemble}
    one, other = (crew_of(name, game, settings, parameters, seed) for seed in (3, 4))
    for crew in (one, other):
        steps, learns = seated(game(16), crew)
        crew.update(collect_joint(steps, 12, learns))
    steps, learns = seated(game(16), other, 7)
    other.update(collect_joint(steps, 12, learns))  # must leave no trace
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    said = []
    for crew in (one, other):
        steps, learns = seated(game(16), crew, 9)
        said.append([crew.update(collect_joint(steps, 12, learns), 0.5) for _ in range(2)])
    assert said[0] == said[1]
    assert said[0][1]["gradient_steps"] >= 3
    assert torch.equal(one._actor_step.weights, other._actor_step.weights)
    assert torch.equal(one._critic_target.weights, other._critic_target.weights)
    assert torch.equal(one._actor_target.weights, other._actor_target.weights)


BASE: dict[str, Any] = {
    "start": 0, "updates_per_step": 0.02, "batch_size": 16, "tau": 0.5, "optimiser_eps": 1e-3, "max_grad_norm": 1.0,
}  # fmt: skip
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "optimiser": ({}, {"optimiser": "rmsprop"}),
    "optimiser_eps": ({}, {"optimiser_eps": 1e-2}),
    "learning_rate": ({}, {"learning_rate": 1e-2}),
    "final_learning_rate": ({}, {"final_learning_rate": 0.0}),
    "schedule": ({"final_learning_rate": 0.0}, {"schedule": "cosine"}),
    "max_grad_norm": ({}, {"max_grad_norm": 1e-3}),
    "gamma": ({}, {"gamma": 0.5}),
    "batch_size": ({}, {"batch_size": 18}),
    "updates_per_step": ({}, {"updates_per_step": 0.04}),
    "start": ({}, {"start": 150}),
    "tau": ({}, {"tau": 0.1}),
    "target_every": ({"target_every": 1}, {"target_every": 2}),
    "critic_learning_rate": ({}, {"critic_learning_rate": 2e-3}),
    "final_critic_learning_rate": ({}, {"final_critic_learning_rate": 0.0}),
    "actor_every": ({"actor_every": 1}, {"actor_every": 2}),
    "replay": ({}, {"replay": {"capacity": 40}}),
    "ensemble": ({}, {"ensemble": 2}),
    "first_noise": ({"start": 10**6}, {"first_noise": 0.1}),
    "noise": ({}, {"noise": 0.5}),
    "final_noise": ({}, {"final_noise": 0.9}),
    "raw_penalty": ({}, {"raw_penalty": 1.0}),
    "temperature": ({}, {"temperature": 0.3}),
    "straight_through": ({}, {"straight_through": False}),
    "entropy": ({}, {"entropy": 1.0}),
    "smoothing": ({}, {"smoothing": 0.0}),
    "smoothing_clip": ({}, {"smoothing_clip": 0.01}),
}
"""Of every field: settings before and after it changes."""


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field) for name in ("maddpg", "matd3") for field in registry.entry(name).crew.Config.model_fields],
)
def test_every_setting_changes_something(name: str, field: str) -> None:
    before, after = CHANGES[field]
    assert learnt(name, field, before) != learnt(name, field, {**before, **after})


def learnt(name: str, field: str, settings: dict[str, Any]) -> tuple[float, ...]:
    """Numbers that tell what was learnt from the same rollouts, and how it then plays."""
    game = Words if field in ("temperature", "straight_through", "entropy") else Steps
    crew = crew_of(name, game, {**BASE, **settings})
    steps, learns = seated(game(8), crew_of(name, game, {}))
    for progress in (0.3, 0.6):
        crew.update(collect_joint(steps, 12, learns), progress)
    weights = [crew._actor_step.weights, crew._critic_step.weights, crew._critic_target.weights]
    return (*(float(part.double().sum()) for part in weights), noise_of(crew))


def noise_of(crew: MADDPG) -> float:
    """That of all policies."""
    (noise,) = {float(policy.head.noise) for policy in _loose(*crew.policies.values())}
    return noise


def test_noise_is_large_first() -> None:
    crew = crew_of("maddpg", Steps, {"start": 120, "noise": 0.4, "final_noise": 0.1, "first_noise": 2.0})
    steps, learns = seated(Steps(8), crew)
    noises = [crew.update(seen(steps, 12, learns, crew), progress)["noise"] for progress in (0.0, 0.5, 1.0)]
    assert noises == pytest.approx([2.0, 0.25, 0.1])
    assert noise_of(crew) == pytest.approx(0.1)


def test_what_it_does_not_admit() -> None:
    class Free(Chorus):
        actions = (spaces.Box(-np.inf, np.inf, (1,), np.float32),) * 2

    class Picture(Chorus):
        obs = (spaces.Box(0, 1, (8, 8, 3), np.float32),) * 2

    with pytest.raises(InputError, match="continuous actions with bounds"):
        crew_of("maddpg", Free, {})
    with pytest.raises(InputError, match="flat observations"):
        crew_of("maddpg", Picture, {})
    with pytest.raises(InputError, match="normalise_obs"):
        crew_of("matd3", Chorus, {}, normalise_obs=True)
    with pytest.raises(InputError, match=r"does not admit policy\.core 'gru'"):
        crew_of("maddpg", Chorus, {}, core="gru")
    with pytest.raises(InputError, match="build_crew makes it"):
        registry.build("maddpg", sees(1), spaces.Discrete(2))
    with pytest.raises(InputError, match="unknown role"):
        registry.build_crew("maddpg", Hunt(1).spec, ("hunted",))


LEARNING: dict[str, Any] = {
    "start": 0, "updates_per_step": 0.02, "batch_size": 128, "learning_rate": 3e-3, "critic_learning_rate": 1e-2,
    "tau": 0.05, "gamma": 0.9,
}  # fmt: skip


@every_seed
@pytest.mark.parametrize(
    ("name", "parameters", "ensemble"),
    [("maddpg", "shared", 1), ("maddpg", "own", 1), ("matd3", "own", 1), ("maddpg", "shared", 2)],
)
def test_a_team_adds_up(name: str, parameters: str, ensemble: int, seed: int) -> None:
    """Continuous actions whose worth depends on what the other one does."""
    crew = crew_of(name, Sum, {**LEARNING, "ensemble": ensemble}, parameters, seed)
    assert score(Sum(256), crew)[0] < -0.1
    learn(Sum(64), crew, 25 * ensemble, 8, seed)
    assert score(Sum(256), crew)[0] > -0.03


@every_seed
@pytest.mark.parametrize("name", ["maddpg", "matd3"])
def test_a_team_agrees(name: str, seed: int) -> None:
    crew = crew_of(name, Chorus, LEARNING, "own", seed)
    learn(Chorus(64), crew, 30, 8, seed)
    assert score(Chorus(256), crew)[0] > 0.9


@every_seed
@pytest.mark.parametrize("name", ["maddpg", "matd3"])
def test_a_hunter_finds_its_prey(name: str, seed: int) -> None:
    """Interests that are not the same, views and actions of different kinds."""
    crew = crew_of(name, Hunt, LEARNING, "shared", seed)
    learn(Hunt(64), crew, 35, 8, seed)
    hunter, prey = score(Hunt(256), crew)
    assert hunter > -0.1 and prey > 0.95


@every_seed
def test_a_hunter_learns_against_a_stranger(seed: int) -> None:
    crew = registry.build_crew("maddpg", Hunt(1).spec, ("hunter",), LEARNING, FAST, seed)
    stranger = {1: Same(np.array(0))}
    learn(Hunt(64), crew, 25, 8, seed, strangers=stranger)
    assert score(Hunt(256), crew, strangers=stranger)[0] > -0.1
