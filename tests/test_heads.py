"""Heads: every kind of action from every head, against torch's distributions; what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor
from torch import distributions as reference

from agents.heads import Actor, ActorCritic, ActorCriticHead, ActorHead, HeadConfig, Q, QHead
from agents.policy import Policy, PolicyConfig
from envs.errors import InputError
from envs.layout import action_shape, unpack

OBS = spaces.Box(-np.inf, np.inf, (5,), np.float32)
BOUNDED = spaces.Box(np.array([-1, 0], np.float32), np.array([1, 3], np.float32))
UNBOUNDED = spaces.Box(-np.inf, np.inf, (2,))
SPACES: dict[str, spaces.Space[Any]] = {
    "discrete": spaces.Discrete(4),
    "shifted": spaces.Discrete(4, start=-2),
    "binary": spaces.MultiBinary(3),
    "multidiscrete": spaces.MultiDiscrete([3, 1, 4]),
    "box": BOUNDED,
    "tuple": spaces.Tuple((BOUNDED, spaces.Discrete(3), spaces.MultiBinary(2), spaces.Box(2, 3, (1,)))),
    "dict": spaces.Dict({"go": spaces.MultiDiscrete([2, 3]), "at": spaces.Tuple((BOUNDED, spaces.Discrete(2)))}),
}
BRANCHES = [(), (7,)]
ANY = [
    *[(ActorCritic(), name) for name in SPACES],
    *[(Actor(spread=spread), name) for spread in ("noise", "learnt") for name in SPACES],
    *[(Q(duelling=d, quantiles=q, noisy=n), "discrete") for d, q, n in ((0, 1, 0), (1, 1, 0), (0, 5, 0), (1, 5, 1))],
]


@pytest.fixture(autouse=True)
def seed() -> None:
    """Tests draw from torch's global generator."""
    torch.manual_seed(0)


def with_head(head: HeadConfig, space: spaces.Space[Any], hidden: tuple[int, ...] = (), **config: Any) -> Policy:
    """A policy whose outputs are random and large."""
    torch.manual_seed(0)
    policy = Policy(OBS, space, PolicyConfig(hidden=(8,), head_hidden=hidden, **config), head)
    with torch.no_grad():
        for name, weight in policy.head.named_parameters():
            weight.add_(torch.randn_like(weight) * (0.3 if "log_std" in name or "scale" in name else 0.8))
    return policy


def read(policy: Policy, *rows: int, seed: int = 1) -> tuple[Any, dict[str, Tensor]]:
    """Distribution and extras for random views [*rows, 5]."""
    obs = torch.randn(*rows, 5, generator=torch.Generator().manual_seed(seed))
    dist, extras = policy.read(policy.encode(obs), None)
    return dist, dict(extras)


@pytest.mark.parametrize("rows", [(6,), (3, 4)], ids=str)
@pytest.mark.parametrize("hidden", BRANCHES, ids=str)
@pytest.mark.parametrize(("head", "name"), ANY, ids=str)
def test_actions_are_of_their_space(
    head: HeadConfig, name: str, hidden: tuple[int, ...], rows: tuple[int, ...]
) -> None:
    space = SPACES[name]
    policy = with_head(head, space, hidden)
    if isinstance(policy.head, ActorHead):
        policy.head.noise.fill_(0.7)
    dist, extras = read(policy, *rows)
    assert set(extras) == (set() if isinstance(head, Actor) else {"value"})
    assert all(extra.shape == rows for extra in extras.values())
    for action in (dist.sample(np.random.default_rng(0)), dist.mode()):
        assert action.shape == (*rows, *action_shape(space))
        assert dist.log_prob(action).shape == rows and dist.log_prob(action).isfinite().all()
        flat = action.reshape(-1, *action_shape(space)).detach().numpy()
        assert all(space.contains(unpack(space, one)) for one in flat)
    assert dist.entropy().expand(rows).isfinite().all()


def references(space: spaces.Space[Any], logits: Tensor, log_std: Tensor) -> Iterator[tuple[Any, bool, Tensor]]:
    """Torch's distributions of the simple parts of `space`, in order, whether actions are vectors, and entropies."""
    if isinstance(space, spaces.Tuple | spaces.Dict):
        inner = space.spaces if isinstance(space, spaces.Tuple) else space.spaces.values()
        for part in inner:
            width, floats = sizes(part)
            yield from references(part, logits[..., :width], log_std[..., :floats])
            logits, log_std = logits[..., width:], log_std[..., floats:]
    elif isinstance(space, spaces.Discrete):
        choice = reference.Categorical(logits=logits)
        yield choice, False, choice.entropy()
    elif isinstance(space, spaces.MultiBinary):
        buttons = reference.Independent(reference.Bernoulli(logits=logits), 1)
        yield buttons, True, buttons.entropy()
    elif isinstance(space, spaces.MultiDiscrete):
        for piece in logits.split(space.nvec.tolist(), -1):
            choice = reference.Categorical(logits=piece)
            yield choice, False, choice.entropy()
    else:
        assert isinstance(space, spaces.Box)
        low, high = torch.from_numpy(space.low), torch.from_numpy(space.high)
        normal = reference.Normal(logits, log_std.exp().expand_as(logits))
        squash = [reference.TanhTransform(), reference.AffineTransform((low + high) / 2, (high - low) / 2)]
        bounded = bool(low.isfinite().all())
        dist = reference.TransformedDistribution(normal, squash if bounded else [])
        yield reference.Independent(dist, 1), True, reference.Independent(normal, 1).entropy()


def sizes(space: spaces.Space[Any]) -> tuple[int, int]:
    """Numbers that a head gives for `space`, and how many of them are continuous."""
    if isinstance(space, spaces.Tuple):
        pairs = [sizes(part) for part in space.spaces]
        return sum(a for a, _ in pairs), sum(b for _, b in pairs)
    if isinstance(space, spaces.Discrete):
        return int(space.n), 0
    if isinstance(space, spaces.MultiDiscrete):
        return int(space.nvec.sum()), 0
    count = int(np.prod(space.shape or ()))
    return count, count * isinstance(space, spaces.Box)


@pytest.mark.parametrize(
    ("head", "name"),
    [(head, name) for head in (ActorCritic(), Actor(spread="learnt")) for name in SPACES]
    + [(ActorCritic(), "unbounded")],
    ids=str,
)
def test_probabilities_are_torchs(head: HeadConfig, name: str) -> None:
    """Of actions anywhere in the space; a continuous entropy is that of the Gaussian before it is squashed."""
    space = SPACES.get(name, UNBOUNDED)
    policy, obs = with_head(head, space), torch.randn(6, 5)
    with torch.no_grad():
        for weight in policy.head.outputs.parameters():
            weight.mul_(0.3)  # at the bounds torch's have no number
    outputs = policy.head.outputs(policy.encode(obs))
    logits = outputs["actor"].movedim(0, -1)
    log_std = torch.zeros(0)
    if isinstance(policy.head, ActorCriticHead) and policy.head.log_std is not None:
        log_std = policy.head.log_std
    elif "log_std" in outputs:
        log_std = outputs["log_std"].movedim(0, -1)
    dist = policy(obs, None, torch.zeros(6, 0)).dist
    action = dist.sample(np.random.default_rng(3))
    flat = action.unsqueeze(-1) if action.ndim == 1 else action
    logprob, entropy = torch.zeros(6), torch.zeros(6)
    for theirs, vector, uncertain in references(space, logits, log_std):
        width = theirs.event_shape[0] if vector else 1
        piece, flat = flat[..., :width], flat[..., width:]
        logprob = logprob + theirs.log_prob(piece.float() if vector else piece.squeeze(-1))
        entropy = entropy + uncertain
    assert flat.shape[-1] == 0
    torch.testing.assert_close(dist.log_prob(action), logprob, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(dist.entropy().expand(6), entropy, rtol=1e-4, atol=1e-4)


def test_a_deviation_that_is_learnt_depends_on_the_state() -> None:
    """And lies between e^-20 and e^2 (Haarnoja et al. 2018); that of an actor-critic is the same everywhere."""
    policy = with_head(Actor(spread="learnt"), BOUNDED)
    dist, _ = read(policy, 6)
    assert dist.entropy().std() > 0.1
    assert with_head(ActorCritic(), BOUNDED)(torch.randn(6, 5), None, torch.zeros(6, 0)).dist.entropy().std() < 1e-6
    with torch.no_grad():
        policy.head.outputs.linear.bias[2] = 1e3
        policy.head.outputs.linear.bias[3] = -1e3
    assert read(policy, 6)[0].log_std.tolist() == [[2.0, -20.0]] * 6


@pytest.mark.parametrize("hidden", BRANCHES, ids=str)
@pytest.mark.parametrize("quantiles", [1, 5])
def test_duelling(quantiles: int, hidden: tuple[int, ...]) -> None:
    """Values are that of the state plus advantages, whose mean is 0 (Wang et al. 2016, equation 9)."""
    policy = with_head(Q(duelling=True, quantiles=quantiles), spaces.Discrete(4), hidden)
    assert isinstance(policy.head, QHead)
    features = policy.encode(torch.randn(6, 5))
    outputs = policy.head.outputs(features)
    values = policy.head.quantiles(features)
    assert values.shape == (quantiles, 4, 6)
    torch.testing.assert_close(values.mean(1), outputs["value"], rtol=1e-4, atol=1e-5)
    raw = outputs["actor"].view(quantiles, 4, 6)
    torch.testing.assert_close(values - values[:, :1], raw - raw[:, :1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [(6,), (3, 4)], ids=str)
def test_the_value_of_an_action_is_the_mean_of_its_quantiles(rows: tuple[int, ...]) -> None:
    policy = with_head(Q(quantiles=5), spaces.Discrete(4))
    assert isinstance(policy.head, QHead)
    features = policy.encode(torch.randn(*rows, 5))
    quantiles = policy.head.quantiles(features)
    assert quantiles.shape == (5, 4, *rows)
    dist, extras = policy.read(features, None)
    torch.testing.assert_close(extras["value"], quantiles.mean(0).amax(0))
    assert torch.equal(dist.mode(), quantiles.mean(0).argmax(0))


def test_the_best_action_is_a_legal_one() -> None:
    policy, obs = with_head(Q(), spaces.Discrete(4)), torch.randn(50, 5)
    legal = torch.rand(50, 4) < 0.5
    legal[torch.arange(50), torch.randint(4, (50,))] = True
    assert isinstance(policy.head, QHead)
    values = policy.head.quantiles(policy.encode(obs)).squeeze(0).T
    output = policy(obs, legal, torch.zeros(50, 0))
    masked = values.masked_fill(~legal, -torch.inf)
    torch.testing.assert_close(output.extras["value"], masked.amax(-1))
    assert torch.equal(output.dist.mode(), masked.argmax(-1))
    policy.head.epsilon.fill_(1.0)
    drawn = policy(obs, legal, torch.zeros(50, 0)).dist.sample(np.random.default_rng(0))
    assert legal[torch.arange(50), drawn].all()


def test_epsilon_is_that_of_the_buffer() -> None:
    policy = with_head(Q(), spaces.Discrete(4))
    assert isinstance(policy.head, QHead)
    rng = np.random.default_rng(0)
    for epsilon in (0.0, 0.3, 1.0):
        policy.head.epsilon.fill_(epsilon)
        dist, _ = read(policy, 8000)
        greedy = (dist.sample(rng) == dist.mode()).float().mean().item()
        assert greedy == pytest.approx(1 - 0.75 * epsilon, abs=0.02)
    assert "head.epsilon" in policy.state_dict()


def test_noise_in_the_weights_is_drawn_by_the_learner() -> None:
    policy = with_head(Q(noisy=True, duelling=True), spaces.Discrete(4), (6,))
    assert isinstance(policy.head, QHead)
    features = torch.randn(5, 8)
    seen = []
    for seed in (0, 1, 0):
        policy.head.resample(torch.Generator().manual_seed(seed))
        seen.append(policy.head.quantiles(features))
    assert torch.equal(seen[0], seen[2]) and not torch.allclose(seen[0], seen[1], atol=1e-2)
    calm = policy.eval().head.quantiles(features)  # type: ignore[operator]
    policy.head.resample(torch.Generator().manual_seed(7))
    assert torch.equal(policy.head.quantiles(features), calm)


@pytest.mark.parametrize("hidden", BRANCHES, ids=str)
def test_another_unit_changes_no_value(hidden: tuple[int, ...]) -> None:
    """Its mean and deviation are those of all returns seen, and neither values nor actions notice (PopArt)."""
    policy, obs = with_head(ActorCritic(), BOUNDED, hidden, normalise_value=True), torch.randn(20, 5)
    head, none = policy.head, torch.zeros(20, 0)
    assert isinstance(head, ActorCriticHead) and head.norm_value is not None
    before = policy(obs, None, none)
    returns = torch.randn(500) * 30 + 200
    for part in returns.split(200):
        head.take_returns(part)
    torch.testing.assert_close(head.norm_value.mean, returns.mean(0, keepdim=True))
    torch.testing.assert_close(head.norm_value.std.squeeze(), returns.std(correction=0))
    after = policy(obs, None, none)
    torch.testing.assert_close(after.extras["value"], before.extras["value"], rtol=1e-4, atol=1e-3)
    assert torch.equal(after.dist.mode(), before.dist.mode())
    assert head.outputs.last("value").bias[-1].item() == pytest.approx(-200 / 30, rel=0.1)


def test_without_a_unit_returns_change_nothing() -> None:
    policy = with_head(ActorCritic(), BOUNDED)
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    assert isinstance(policy.head, ActorCriticHead)
    policy.head.take_returns(torch.randn(50) * 30)
    assert all(torch.equal(value, before[name]) for name, value in policy.state_dict().items())


@pytest.mark.parametrize("noise", [0.0, 0.25])
def test_exploration_noise_is_that_of_the_buffer(noise: float) -> None:
    """Its unit is half of the range: 1 for the first number, 1.5 for the second."""
    policy = with_head(Actor(), BOUNDED)
    assert isinstance(policy.head, ActorHead)
    policy.head.noise.fill_(noise)
    with torch.no_grad():
        for weight in policy.head.outputs.parameters():
            weight.mul_(0.01)  # so that nothing is cut at the bounds
    dist, _ = read(policy, 20_000)
    strayed = (dist.sample(np.random.default_rng(0)) - dist.mode()).std(0)
    torch.testing.assert_close(strayed, torch.tensor([1.0, 1.5]) * noise, rtol=0.03, atol=0)


def test_an_actors_point_carries_the_gradient() -> None:
    policy = with_head(Actor(), BOUNDED)
    dist, _ = read(policy, 6)
    gradient = torch.autograd.grad(dist.mode().sum(), policy.head.outputs.linear.weight)[0]
    assert (gradient != 0).any()


@pytest.mark.parametrize("head", [Actor(), Actor(spread="learnt")], ids=lambda head: head.spread)
@pytest.mark.parametrize(
    "space",
    [UNBOUNDED, spaces.Box(0, np.inf, (1,)), spaces.Tuple((spaces.Discrete(2), UNBOUNDED))],
    ids=["both", "above", "part"],
)
def test_an_actor_needs_bounds(space: spaces.Space[Any], head: HeadConfig) -> None:
    """And the sentence names algorithms that do not."""
    with pytest.raises(InputError, match=r"needs continuous actions with bounds, not .*: ppo and a2c do not"):
        Policy(OBS, space, head=head)


@pytest.mark.parametrize("name", [name for name in SPACES if name not in ("discrete", "shifted")])
def test_action_values_are_for_choices(name: str) -> None:
    with pytest.raises(InputError, match="action values need Discrete actions, not"):
        Policy(OBS, SPACES[name], head=Q())


@pytest.mark.parametrize("head", [Q(), Actor()], ids=lambda head: head.kind)
def test_only_values_of_states_are_normalised(head: HeadConfig) -> None:
    with pytest.raises(InputError, match=r"policy.normalise_value = True: only policies with a state value"):
        Policy(OBS, spaces.Discrete(2), PolicyConfig(normalise_value=True), head)
