"""Action distributions against torch's own, and the promises that torch's do not make."""

from __future__ import annotations

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

from agents.distributions import Bernoulli, Categorical, Gaussian, head_width
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
    for dist in (Categorical(parameters), Bernoulli(parameters), Gaussian(parameters, torch.zeros(3))):
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
