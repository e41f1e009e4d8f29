"""Distributions of choices against torch's own, and the promises that torch's do not make."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import distributions as reference

from agents.distributions import Bernoulli, Categorical, EpsilonGreedy
from tests.minds import always
from tests.parameters import ROWS, last, numbers

BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))


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
