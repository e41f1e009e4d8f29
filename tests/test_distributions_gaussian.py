"""Distributions of continuous numbers against torch's own; bounds, noise, and samples that carry a gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm
from torch import Tensor
from torch import distributions as reference

from agents.distributions import Gaussian, Jittered, within_reach
from agents.policy import Policy
from tests.minds import always
from tests.parameters import ROWS, last, numbers


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


def test_a_mean_far_beyond_the_bounds_is_taken_back() -> None:
    """Its actions are as probable as those of any other; it can come back, and goes no farther."""
    raw = torch.tensor([-30.0, -5.5, 0.3, 5.5, 30.0], requires_grad=True)
    assert within_reach(raw).tolist() == pytest.approx([-5, -5, 0.3, 5, 5])
    for sign, passed in ((1.0, [0, 0, 1, 1, 1]), (-1.0, [-1, -1, -1, 0, 0])):  # a step goes against the gradient
        (slope,) = torch.autograd.grad((within_reach(raw) * sign).sum(), raw)
        assert slope.tolist() == passed
    policy = Policy(spaces.Box(-1, 1, (3,), np.float32), spaces.Box(0, 2, (2,), np.float32))
    with torch.no_grad():
        policy.head.outputs.last("actor").bias.fill_(30.0)
        output = policy(torch.rand(1000, 3), None, torch.zeros(1000, 0))
    action = output.dist.sample(np.random.default_rng(0))
    assert float(action.mean()) > 1.99
    assert float(output.dist.log_prob(action).min()) > -20  # of a mean of 30 it would be -500


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
