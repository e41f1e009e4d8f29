"""Action distributions against torch's own, and the promises that torch's do not make."""

from __future__ import annotations

import itertools
from typing import cast

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest, norm
from torch import Tensor
from torch import distributions as reference

from agents.distributions import (
    ActionDist,
    Bernoulli,
    Categorical,
    EpsilonGreedy,
    Gaussian,
    Jittered,
    box_bounds,
    box_width,
    distribution,
    head_width,
)
from envs.errors import InputError
from tests.minds import always

ROWS = (5, 4)
BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))


def numbers(*shape: int, seed: int = 0, scale: float = 2.0) -> Tensor:
    """Parameters of a head, its own axis first."""
    return torch.from_numpy(np.random.default_rng(seed).normal(0, scale, shape))


def last(parameters: Tensor) -> Tensor:
    """The same with that axis last, as torch has it."""
    return parameters.movedim(0, -1)


def test_categorical() -> None:
    logits = numbers(6, *ROWS)
    ours, theirs = Categorical(logits), reference.Categorical(logits=last(logits))
    for action in range(6):
        chosen = torch.full(ROWS, action)
        torch.testing.assert_close(ours.log_prob(chosen), theirs.log_prob(chosen))
    torch.testing.assert_close(ours.entropy(), theirs.entropy())
    assert torch.equal(ours.mode(), last(logits).argmax(-1))


def test_masked_categorical() -> None:
    logits = numbers(6, *ROWS)
    legal = torch.from_numpy(np.random.default_rng(1).random((*ROWS, 6)) < 0.5)
    legal[..., 2] = True
    ours = Categorical(logits, legal)
    theirs = reference.Categorical(logits=last(logits).masked_fill(~legal, -torch.inf))
    for action in range(6):
        chosen, allowed = torch.full(ROWS, action), legal[..., action]
        torch.testing.assert_close(ours.log_prob(chosen)[allowed], theirs.log_prob(chosen)[allowed])
        assert (ours.log_prob(chosen)[~allowed].exp() == 0).all()
    finite = torch.where(legal, theirs.logits.exp() * theirs.logits, 0.0)
    torch.testing.assert_close(ours.entropy(), -finite.sum(-1))
    assert legal.gather(-1, ours.mode().unsqueeze(-1)).all()


@given(st.integers(1, 7), st.data())
def test_one_legal_action_is_certain_to_the_bit(actions: int, data: st.DataObject) -> None:
    """Log-probability and entropy are 0, and so are their gradients: who does not act learns nothing."""
    only = data.draw(st.integers(0, actions - 1))
    size = data.draw(st.sampled_from([0.01, 1.0, 100.0, 1e6]))
    logits = numbers(actions, 3, seed=only, scale=size).float().requires_grad_()
    legal = torch.zeros(3, actions, dtype=torch.bool)
    legal[:, only] = True
    dist, chosen = Categorical(logits, legal), torch.full((3,), only)
    for draw in (0.0, 0.5, BELOW_ONE):
        assert torch.equal(dist.sample(always(draw)), chosen)
    assert torch.equal(dist.mode(), chosen)
    assert dist.log_prob(chosen).tolist() == [0, 0, 0]
    assert dist.entropy().tolist() == [0, 0, 0]
    (gradient,) = torch.autograd.grad((dist.log_prob(chosen) + dist.entropy()).sum(), logits)
    assert (gradient == 0).all()


@given(st.integers(1, 9), st.integers(0, 10_000))
def test_illegal_actions_are_never_drawn(actions: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    legal = torch.from_numpy(rng.random((200, actions)) < 0.4)
    legal[torch.arange(200), torch.from_numpy(rng.integers(actions, size=200))] = True
    dist = Categorical(numbers(actions, 200, seed=seed, scale=5.0).float(), legal)
    for source in (rng, always(0.0), always(BELOW_ONE)):
        assert legal.gather(-1, dist.sample(source).unsqueeze(-1)).all()


def test_categorical_frequencies() -> None:
    shares = np.array([0.4, 0.1, 0.0, 0.3, 0.15, 0.05])
    dist = Categorical(torch.from_numpy(np.log(shares + 1e-30)).float()[:, None].expand(6, 20_000))
    counts = np.bincount(dist.sample(np.random.default_rng(3)).numpy(), minlength=6)
    assert counts[2] == 0
    assert chisquare(counts[shares > 0], shares[shares > 0] * 20_000).pvalue > 0.01


def test_bernoulli() -> None:
    logits = numbers(3, *ROWS)
    ours = Bernoulli(logits)
    theirs = reference.Independent(reference.Bernoulli(logits=last(logits)), 1)
    for code in range(8):
        pressed = torch.tensor([code & 1, code >> 1 & 1, code >> 2 & 1]).expand(*ROWS, 3)
        torch.testing.assert_close(ours.log_prob(pressed.to(torch.int8)), theirs.log_prob(pressed.double()))
    torch.testing.assert_close(ours.entropy(), theirs.entropy())
    assert torch.equal(ours.mode(), (last(logits) > 0).to(torch.int8))


def test_bernoulli_far_out() -> None:
    """A button that is pressed for sure has no entropy, and its log-probability stays finite."""
    dist = Bernoulli(torch.tensor([[200.0], [-200.0]]))
    assert dist.entropy().item() == pytest.approx(0)
    assert dist.log_prob(torch.tensor([[1, 0]])).item() == 0
    assert dist.log_prob(torch.tensor([[0, 1]])).item() == -400


def test_bernoulli_frequencies() -> None:
    shares = np.array([0.2, 0.5, 0.97])
    logits = torch.from_numpy(np.log(shares / (1 - shares))).float()
    pressed = Bernoulli(logits[:, None].expand(3, 20_000)).sample(np.random.default_rng(0))
    assert pressed.dtype == torch.int8
    for share, button in zip(shares, pressed.double().mean(0).tolist(), strict=True):
        assert button == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 20_000))
    together = (pressed[:, 0] & pressed[:, 1]).double().mean().item()
    assert together == pytest.approx(0.1, abs=0.01)  # buttons are independent


def test_gaussian() -> None:
    mean, log_std, action = numbers(3, *ROWS), numbers(3, seed=1, scale=0.5), numbers(*ROWS, 3, seed=2)
    ours = Gaussian(mean, log_std)
    theirs = reference.Independent(reference.Normal(last(mean), log_std.exp()), 1)
    torch.testing.assert_close(ours.log_prob(action), theirs.log_prob(action))
    torch.testing.assert_close(ours.entropy(), theirs.entropy().expand(ROWS))
    assert torch.equal(ours.mode(), last(mean))


def test_squashed_gaussian() -> None:
    low, high = torch.tensor([-1.0, 0.0, -3.0]).double(), torch.tensor([1.0, 5.0, -2.0]).double()
    mean, log_std = numbers(3, *ROWS, scale=1.0), numbers(3, seed=1, scale=0.5)
    ours = Gaussian(mean, log_std, low, high)
    squash = [reference.TanhTransform(), reference.AffineTransform((low + high) / 2, (high - low) / 2)]
    normal = reference.Normal(last(mean), log_std.exp())
    theirs = reference.Independent(reference.TransformedDistribution(normal, squash), 1)
    action = low + (high - low) * torch.from_numpy(np.random.default_rng(2).uniform(0.01, 0.99, (*ROWS, 3)))
    torch.testing.assert_close(ours.log_prob(action), theirs.log_prob(action))
    torch.testing.assert_close(ours.mode(), torch.tanh(last(mean)) * (high - low) / 2 + (low + high) / 2)


@pytest.mark.parametrize(("mean", "log_std"), [(0.0, 0.0), (0.7, -1.0), (-1.5, 0.3), (0.0, -3.0)])
def test_squashed_density_integrates_to_one(mean: float, log_std: float) -> None:
    low, high = torch.tensor([-0.5]).double(), torch.tensor([2.5]).double()
    grid = (torch.arange(400_000).double() + 0.5) / 400_000 * (high - low) + low
    dist = Gaussian(torch.full((1, 400_000), mean).double(), torch.tensor([log_std]).double(), low, high)
    density = dist.log_prob(grid.unsqueeze(-1)).exp()
    assert float(density.mean() * (high - low)) == pytest.approx(1, abs=1e-3)


def test_squashed_samples_follow_the_density() -> None:
    """Unsquashed again, they are normal."""
    low, high = torch.tensor([-0.5]), torch.tensor([2.5])
    dist = Gaussian(torch.full((1, 4000), 0.4), torch.tensor([-0.5]), low, high)
    drawn = dist.sample(np.random.default_rng(5)).double()
    raw = torch.atanh((drawn - 1.0) / 1.5).flatten().numpy()
    assert kstest(raw, norm(0.4, np.exp(-0.5)).cdf).pvalue > 0.01


@given(st.floats(-100, 100, width=32), st.floats(0.0009765625, 100, width=32), st.integers(0, 1000))
def test_squashed_actions_stay_inside_their_bounds(start: float, size: float, seed: int) -> None:
    """However far out the mean is, and whatever the rounding: an env may refuse anything beyond."""
    space = spaces.Box(np.float32(start), np.float32(start) + np.float32(size), (1,), np.float32)
    low, high = torch.from_numpy(space.low), torch.from_numpy(space.high)
    means = torch.linspace(-30, 30, 50).unsqueeze(0)
    dist = Gaussian(means, torch.tensor([1.0]), low, high)
    drawn = dist.sample(np.random.default_rng(seed))
    assert drawn.dtype == torch.float32
    for action in (drawn, dist.mode()):
        assert all(space.contains(row) for row in action.numpy())
        assert dist.log_prob(action).isfinite().all()


def test_samples_are_a_function_of_the_generator() -> None:
    parameters = numbers(3, *ROWS).float()
    box, half = torch.ones(3), torch.tensor([0.5])
    for dist in (
        Categorical(parameters),
        Bernoulli(parameters),
        Gaussian(parameters, torch.zeros(3)),
        EpsilonGreedy(parameters, None, half),
        Jittered(parameters, half, -box, box),
        distribution(spaces.MultiDiscrete([2, 1]), parameters, None, plain),
    ):
        one, same, other = (dist.sample(np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert torch.equal(one, same)
        assert not torch.equal(one, other)


def test_head_widths() -> None:
    assert head_width(spaces.Discrete(6)) == 6
    assert head_width(spaces.MultiBinary(3)) == 3
    assert head_width(spaces.Box(-1, 1, (2,))) == 2
    for space in (spaces.Box(-1, 1, (2, 2)), spaces.MultiBinary([2, 2]), spaces.Text(3)):
        with pytest.raises(InputError, match="no policy head"):
            head_width(cast("spaces.Space[object]", space))


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("masked", [False, True])
def test_epsilon_greedy(masked: bool, epsilon: float) -> None:
    """The best legal action with 1 - epsilon, and each legal one, that too, with an equal share of epsilon."""
    values = numbers(5, *ROWS)
    legal = torch.from_numpy(np.random.default_rng(1).random((*ROWS, 5)) < 0.5) | ~torch.tensor(masked)
    legal[..., 2] = True
    dist = EpsilonGreedy(values, legal if masked else None, torch.tensor([epsilon]))
    best = last(values).masked_fill(~legal, -torch.inf).argmax(-1)
    expected = epsilon * legal / legal.sum(-1, keepdim=True)
    expected += (1 - epsilon) * torch.nn.functional.one_hot(best, 5)
    probs = torch.stack([dist.log_prob(torch.full(ROWS, action)) for action in range(5)], -1).exp()
    torch.testing.assert_close(probs, expected, check_dtype=False)
    torch.testing.assert_close(probs.sum(-1), torch.ones(ROWS), check_dtype=False)
    assert torch.equal(dist.mode(), best)
    surprise = torch.where(expected > 0, -expected * expected.log(), 0.0).sum(-1)
    torch.testing.assert_close(dist.entropy(), surprise, check_dtype=False, atol=1e-6, rtol=1e-5)


def test_epsilon_greedy_frequencies() -> None:
    values = torch.tensor([1.0, 5.0, 7.0, 2.0])[:, None].expand(4, 20_000)
    legal = torch.tensor([True, True, False, True]).expand(20_000, 4)
    drawn = EpsilonGreedy(values, legal, torch.tensor([0.6])).sample(np.random.default_rng(0))
    counts = np.bincount(drawn.numpy(), minlength=4)
    assert counts[2] == 0
    assert chisquare(counts[[0, 1, 3]], np.array([0.2, 0.6, 0.2]) * 20_000).pvalue > 0.01


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0])
def test_epsilon_greedy_never_draws_what_is_illegal_or_without_probability(epsilon: float) -> None:
    values = numbers(4, 300).float()
    legal = torch.from_numpy(np.random.default_rng(2).random((300, 4)) < 0.5)
    legal[:, 1] = True
    dist = EpsilonGreedy(values, legal, torch.tensor([epsilon]))
    for source in (np.random.default_rng(0), always(0.0), always(BELOW_ONE)):
        drawn = dist.sample(source)
        assert legal.gather(-1, drawn.unsqueeze(-1)).all()
        assert epsilon > 0 or torch.equal(drawn, dist.mode())


def jittered(noise: float, spread: float = 1.0) -> tuple[Jittered, Tensor, Tensor, Tensor]:
    """One for ROWS of three numbers, what its point is, and the bounds."""
    low, high = torch.tensor([-1.0, 0.0, -3.0]), torch.tensor([1.0, 5.0, -2.0])
    raw = numbers(3, *ROWS, scale=spread).float()
    point = low + (last(raw).tanh() + 1) / 2 * (high - low)
    return Jittered(raw, torch.tensor([noise]), low, high), point, low, high


def test_jittered() -> None:
    """A Gaussian around the point; its deviation is in halves of the range."""
    dist, point, low, high = jittered(0.4)
    torch.testing.assert_close(dist.mode(), point)
    theirs = reference.Independent(reference.Normal(point, (0.2 * (high - low)).expand_as(point)), 1)
    action = point + 0.1
    torch.testing.assert_close(dist.log_prob(action), theirs.log_prob(action))
    torch.testing.assert_close(dist.entropy(), theirs.entropy())
    draw = 0.5 * (high - low) / 2 * 0.4
    torch.testing.assert_close(dist.sample(always(0.5)), torch.minimum(point + draw, high))


def test_jittered_is_cut_at_its_bounds() -> None:
    dist, _, low, high = jittered(3.0, spread=20.0)
    drawn = torch.stack([dist.sample(np.random.default_rng(seed)) for seed in range(50)])
    assert ((drawn >= low) & (drawn <= high)).all()
    assert (drawn == low).any() and (drawn == high).any()
    assert ((dist.mode() >= low) & (dist.mode() <= high)).all()


def test_jittered_without_noise_is_its_point() -> None:
    dist, point, _, _ = jittered(0.0)
    assert torch.equal(dist.sample(np.random.default_rng(0)), dist.mode())
    assert dist.log_prob(dist.mode()).isfinite().all() and dist.entropy().isfinite().all()
    assert (dist.log_prob(point + 0.1) < dist.log_prob(dist.mode())).all()


@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("size", [0.5, 8.0])
def test_a_reparametrised_sample_knows_how_probable_it_is(size: float, bounded: bool) -> None:
    """Also near the bounds, where going back through atanh would lose all digits."""
    low, high = torch.tensor([-1.0, 0.0, -3.0]).double(), torch.tensor([1.0, 5.0, -2.0]).double()
    mean, log_std = numbers(3, *ROWS, scale=size), numbers(*ROWS, 3, seed=1, scale=0.3)
    dist = Gaussian(mean, log_std, low, high) if bounded else Gaussian(mean, log_std)
    noise = numbers(*ROWS, 3, seed=2, scale=1.0)
    action, logprob = dist.rsample(noise)
    raw = last(mean) + log_std.exp() * noise
    torch.testing.assert_close(action, low + (raw.tanh() + 1) / 2 * (high - low) if bounded else raw)
    normal = reference.Normal(last(mean), log_std.exp()).log_prob(raw)
    # log(1 - tanh(x)^2) = log 4 - 2 x - 2 log(1 + e^-2x)
    squash = np.log(4) - 2 * raw - 2 * torch.log1p(torch.exp(-2 * raw)) + ((high - low) / 2).log()
    torch.testing.assert_close(logprob, (normal - (squash if bounded else 0)).sum(-1))
    if size < 1:
        torch.testing.assert_close(logprob, dist.log_prob(action), rtol=1e-4, atol=1e-4)


def test_a_reparametrised_sample_carries_the_gradient() -> None:
    """That of the action and of its log-probability, checked by finite differences."""
    low, high = torch.tensor([-1.0, 0.0]).double(), torch.tensor([1.0, 5.0]).double()
    noise = numbers(4, 2, seed=2, scale=1.0)

    def both(mean: Tensor, log_std: Tensor) -> tuple[Tensor, Tensor]:
        return Gaussian(mean, log_std, low, high).rsample(noise)

    inputs = numbers(2, 4, scale=1.0).requires_grad_(), numbers(4, 2, seed=1, scale=0.3).requires_grad_()
    assert torch.autograd.gradcheck(both, inputs)
    action, _ = both(*inputs)
    assert all((part != 0).all() for part in torch.autograd.grad(action.sum(), inputs))


def plain(parameters: Tensor, place: slice) -> Gaussian:
    """Of deviations that tell which numbers they are of."""
    return Gaussian(parameters, torch.tensor([0.1, 0.2, 0.3])[place])


MIXED = spaces.Tuple((spaces.Box(-1, 1, (2,)), spaces.Discrete(3), spaces.Dict({"b": spaces.MultiBinary(2)}),
                      spaces.MultiDiscrete([2, 3]), spaces.Box(-1, 1, (1,))))  # fmt: skip


def test_multidiscrete() -> None:
    """Independent choices; log-probabilities and entropies add up."""
    logits = numbers(5, *ROWS)
    dist = distribution(spaces.MultiDiscrete([2, 3]), logits, None, plain)
    pieces = [reference.Categorical(logits=piece) for piece in last(logits).split([2, 3], -1)]
    for first, second in itertools.product(range(2), range(3)):
        action = torch.tensor([first, second]).expand(*ROWS, 2)
        expected = pieces[0].log_prob(action[..., 0]) + pieces[1].log_prob(action[..., 1])
        torch.testing.assert_close(dist.log_prob(action), expected)
    torch.testing.assert_close(dist.entropy(), pieces[0].entropy() + pieces[1].entropy())
    assert torch.equal(dist.mode(), torch.stack([piece.logits.argmax(-1) for piece in pieces], -1))
    drawn = dist.sample(np.random.default_rng(0))
    assert drawn.dtype == torch.int64 and drawn.shape == (*ROWS, 2)


def test_a_composite_action_is_its_parts_side_by_side() -> None:
    """In one float32 vector, each part at its place, continuous ones with their own deviations."""
    parameters = numbers(head_width(MIXED), *ROWS).float()
    dist = distribution(MIXED, parameters, None, plain)
    alone: list[ActionDist] = [
        plain(parameters[:2], slice(0, 2)), Categorical(parameters[2:5]), Bernoulli(parameters[5:7]),
        distribution(spaces.MultiDiscrete([2, 3]), parameters[7:12], None, plain),
        plain(parameters[12:], slice(2, 3)),
    ]  # fmt: skip
    rng, again = np.random.default_rng(0), np.random.default_rng(0)
    action, parts = dist.sample(rng), [part.sample(again) for part in alone]
    assert action.dtype == torch.float32 and action.shape == (*ROWS, 8)
    pieces = [part.unsqueeze(-1) if part.ndim == 2 else part for part in parts]
    assert torch.equal(action, torch.cat([piece.float() for piece in pieces], -1))
    logprob = torch.stack([one.log_prob(part) for one, part in zip(alone, parts, strict=True)])
    torch.testing.assert_close(dist.log_prob(action), logprob.sum(0))
    entropy = torch.stack([one.entropy().expand(ROWS) for one in alone])
    torch.testing.assert_close(dist.entropy(), entropy.sum(0))
    best = [one.mode().float() for one in alone]
    assert torch.equal(dist.mode(), torch.cat([b.unsqueeze(-1) if b.ndim == 2 else b for b in best], -1))


def test_bounds_and_widths_of_composite_spaces() -> None:
    assert (head_width(MIXED), box_width(MIXED)) == (13, 3)
    low, high = box_bounds(spaces.Tuple((spaces.Box(-2, 1, (2,)), spaces.Discrete(3), spaces.Box(0, np.inf, (1,)))))
    assert (low.tolist(), high.tolist()) == ([-2, -2, 0], [1, 1, np.inf])
    assert [bound.shape for bound in box_bounds(spaces.Discrete(3))] == [(0,), (0,)]
    assert head_width(spaces.MultiDiscrete([2, 3])) == 5
