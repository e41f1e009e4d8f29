"""Returns and advantages, against loops written from their definitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from agents.returns import discounted, gae, next_values

GAMMA = st.sampled_from([0.0, 0.3, 0.9, 0.99, 1.0])
LAM = st.sampled_from([0.0, 0.5, 0.95, 1.0])


@dataclass(frozen=True)
class Case:
    """Time-major arrays of a made-up rollout."""

    reward: Tensor
    value: Tensor
    last_value: Tensor
    final_value: Tensor
    terminated: Tensor
    truncated: Tensor

    @property
    def following(self) -> Tensor:
        return next_values(self.value, self.last_value, self.final_value, self.terminated, self.truncated)

    @property
    def cells(self) -> list[tuple[int, int]]:
        return [(t, lane) for t in range(len(self.value)) for lane in range(self.value.shape[1])]

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        return self.terminated, self.truncated


@st.composite
def cases(draw: st.DrawFn) -> Case:
    steps, lanes = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    how = draw(st.lists(st.integers(0, 4), min_size=steps * lanes, max_size=steps * lanes))
    end = torch.tensor(how).reshape(steps, lanes)

    def numbers(*shape: int) -> Tensor:
        return torch.from_numpy(rng.normal(size=shape))

    return Case(
        reward=numbers(steps, lanes),
        value=numbers(steps, lanes),
        last_value=numbers(lanes),
        final_value=numbers(steps, lanes),
        terminated=end == 0,
        truncated=end == 1,
    )


def value_after(case: Case, t: int, lane: int) -> float:
    """Expected return of what follows step `t`, as the value function has it."""
    if case.terminated[t, lane]:
        return 0.0
    if case.truncated[t, lane]:
        return float(case.final_value[t, lane])
    if t + 1 == len(case.value):
        return float(case.last_value[lane])
    return float(case.value[t + 1, lane])


def horizon(case: Case, t: int, lane: int) -> int:
    """Steps from `t` to the end of its game or of the rollout, this one included."""
    ended = case.terminated | case.truncated
    count = 1
    while not ended[t, lane] and t + 1 < len(ended):
        t, count = t + 1, count + 1
    return count


def n_step_advantage(case: Case, t: int, lane: int, n: int, gamma: float) -> float:
    """Schulman et al. (2016), equation 15: n rewards, then the value function."""
    rewards = sum(gamma**k * float(case.reward[t + k, lane]) for k in range(n))
    return rewards + gamma**n * value_after(case, t + n - 1, lane) - float(case.value[t, lane])


@given(cases())
def test_next_values(case: Case) -> None:
    assert case.following.flatten().tolist() == [value_after(case, t, lane) for t, lane in case.cells]


@given(cases(), GAMMA, LAM)
@settings(max_examples=200)
def test_gae_is_the_weighted_mean_of_n_step_advantages(case: Case, gamma: float, lam: float) -> None:
    """Equation 16; all estimates longer than the game, or the rollout, are the longest one."""
    found = gae(case.reward, case.value, case.following, *case.ends, gamma, lam)
    for t, lane in case.cells:
        m = horizon(case, t, lane)
        estimates = [n_step_advantage(case, t, lane, n, gamma) for n in range(1, m + 1)]
        weights = [(1 - lam) * lam ** (n - 1) for n in range(1, m)] + [lam ** (m - 1)]
        expected = sum(w * e for w, e in zip(weights, estimates, strict=True))
        assert float(found[t, lane]) == pytest.approx(expected, abs=1e-9)


@given(cases(), GAMMA)
@settings(max_examples=200)
def test_discounted_is_the_sum_of_rewards_to_the_end_and_the_value_there(case: Case, gamma: float) -> None:
    found = discounted(case.reward, case.following, *case.ends, gamma)
    for t, lane in case.cells:
        gain = n_step_advantage(case, t, lane, horizon(case, t, lane), gamma)
        assert float(found[t, lane]) == pytest.approx(gain + float(case.value[t, lane]), abs=1e-9)


@given(cases(), GAMMA)
def test_gae_with_full_traces_is_the_return_less_the_value(case: Case, gamma: float) -> None:
    whole = discounted(case.reward, case.following, *case.ends, gamma)
    advantage = gae(case.reward, case.value, case.following, *case.ends, gamma, lam=1.0)
    torch.testing.assert_close(advantage, whole - case.value)


@given(cases(), GAMMA, LAM)
def test_inputs_are_left_as_they_were(case: Case, gamma: float, lam: float) -> None:
    tensors = [*(getattr(case, name) for name in case.__dataclass_fields__), case.following]
    before = [tensor.clone() for tensor in tensors]
    gae(case.reward, case.value, tensors[-1], *case.ends, gamma, lam)
    discounted(case.reward, tensors[-1], *case.ends, gamma)
    assert all(torch.equal(tensor, old) for tensor, old in zip(tensors, before, strict=True))


@pytest.mark.parametrize("period", [1, 3, 100])
def test_a_game_cut_by_the_limit_is_worth_as_much_as_one_that_goes_on(period: int) -> None:
    """Reward 1 for ever is worth 1 / (1 - gamma) however often the limit cuts: no step has an advantage."""
    gamma, steps = 0.9, 30
    worth = torch.full((steps, 1), 1 / (1 - gamma), dtype=torch.float64)
    truncated = (torch.arange(1, steps + 1) % period == 0).unsqueeze(1)
    case = Case(torch.ones_like(worth), worth, worth[0], worth, torch.zeros_like(truncated), truncated)
    torch.testing.assert_close(discounted(case.reward, case.following, *case.ends, gamma), worth)
    for lam in (0.0, 0.95, 1.0):
        advantage = gae(case.reward, worth, case.following, *case.ends, gamma, lam)
        torch.testing.assert_close(advantage, torch.zeros_like(worth))


def test_a_game_ended_by_the_rules_is_worth_its_rewards() -> None:
    never = torch.zeros(4, 1, dtype=torch.bool)
    over = torch.tensor([[False], [False], [True], [False]])
    huge = torch.full((4, 1), 100.0)
    case = Case(torch.ones(4, 1), huge, huge[0], huge, over, never)
    found = discounted(case.reward, case.following, *case.ends, 0.5)
    assert found.flatten().tolist() == [1.75, 1.5, 1.0, 51.0]
