"""Returns and advantages, against loops written from their definitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from agents.returns import discounted, gae, importance, n_step, next_values, per_decision, retrace, vtrace

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


@given(cases(), GAMMA, st.sampled_from([1, 2, 3, 20]))
def test_n_step_returns_are_n_rewards_and_a_value(case: Case, gamma: float, n: int) -> None:
    found = n_step(case.reward, case.following, *case.ends, gamma, n)
    for t, lane in case.cells:
        steps = min(n, horizon(case, t, lane))
        gain = n_step_advantage(case, t, lane, steps, gamma) + float(case.value[t, lane])
        assert float(found[t, lane]) == pytest.approx(gain, abs=1e-9)


CLIP = st.sampled_from([0.5, 1.0, 2.0, float("inf")])


def ratios(case: Case) -> Tensor:
    """Made-up importance ratios, around 1."""
    return torch.from_numpy(np.exp(np.random.default_rng(len(case.value)).normal(size=case.reward.shape)))


def goes_on(case: Case, t: int, lane: int) -> bool:
    """Whether step `t + 1` is in the rollout and of the same game."""
    return horizon(case, t, lane) > 1


@given(cases(), GAMMA, LAM, CLIP, CLIP)
def test_vtrace_is_its_sum(case: Case, gamma: float, lam: float, rho_clip: float, c_clip: float) -> None:
    """Espeholt et al. (2018), equation 1: each error under the product of the traces before it."""
    ratio = ratios(case)
    found = vtrace(ratio, case.reward, case.value, case.following, *case.ends, gamma, lam, rho_clip, c_clip)

    def rho(t: int, lane: int) -> float:
        return min(rho_clip, float(ratio[t, lane]))

    def error(t: int, lane: int) -> float:
        gain = float(case.reward[t, lane]) + gamma * value_after(case, t, lane)
        return rho(t, lane) * (gain - float(case.value[t, lane]))

    def target(s: int, lane: int) -> float:
        total, trace = float(case.value[s, lane]), 1.0
        for t in range(s, s + horizon(case, s, lane)):
            total += gamma ** (t - s) * trace * error(t, lane)
            trace *= lam * min(c_clip, float(ratio[t, lane]))
        return total

    for t, lane in case.cells:
        after = target(t + 1, lane) if goes_on(case, t, lane) else value_after(case, t, lane)
        advantage = rho(t, lane) * (float(case.reward[t, lane]) + gamma * after - float(case.value[t, lane]))
        assert float(found.target[t, lane]) == pytest.approx(target(t, lane), abs=1e-9)
        assert float(found.advantage[t, lane]) == pytest.approx(advantage, abs=1e-9)


@given(cases(), GAMMA, LAM)
def test_retrace_is_its_sum(case: Case, gamma: float, lam: float) -> None:
    """Munos et al. (2016), equation 3: the first error counts in full, later ones under the traces in between."""
    ratio = ratios(case)
    found = retrace(ratio, case.reward, case.value, case.following, *case.ends, gamma, lam)
    for s, lane in case.cells:
        total, trace = float(case.value[s, lane]), 1.0
        for t in range(s, s + horizon(case, s, lane)):
            trace *= lam * min(1.0, float(ratio[t, lane])) if t > s else 1.0
            gain = float(case.reward[t, lane]) + gamma * value_after(case, t, lane)
            total += gamma ** (t - s) * trace * (gain - float(case.value[t, lane]))
        assert float(found[s, lane]) == pytest.approx(total, abs=1e-9)


@given(cases(), GAMMA, LAM, CLIP)
def test_per_decision_returns_are_their_recursion(case: Case, gamma: float, lam: float, clip: float) -> None:
    ratio = ratios(case)
    found = per_decision(ratio, case.reward, case.following, *case.ends, gamma, lam, clip)

    def expected(t: int, lane: int) -> float:
        gain, after = float(case.reward[t, lane]), value_after(case, t, lane)
        if not goes_on(case, t, lane):
            return gain + gamma * after
        rho = min(clip, float(ratio[t + 1, lane]))
        return gain + gamma * ((1 - lam) * after + lam * rho * expected(t + 1, lane))

    for t, lane in case.cells:
        assert float(found[t, lane]) == pytest.approx(expected(t, lane), abs=1e-9)


@given(cases(), GAMMA, LAM)
def test_on_policy_all_corrections_vanish(case: Case, gamma: float, lam: float) -> None:
    """With ratios of 1 every target is the lambda-return, that is the advantage estimate and the value."""
    once, ends = torch.ones_like(case.reward), case.ends
    returns = gae(case.reward, case.value, case.following, *ends, gamma, lam) + case.value
    corrected = vtrace(once, case.reward, case.value, case.following, *ends, gamma, lam)
    torch.testing.assert_close(corrected.target, returns)
    torch.testing.assert_close(retrace(once, case.reward, case.value, case.following, *ends, gamma, lam), returns)
    torch.testing.assert_close(per_decision(once, case.reward, case.following, *ends, gamma, lam), returns)
    whole = discounted(case.reward, case.following, *ends, gamma)
    full = vtrace(once, case.reward, case.value, case.following, *ends, gamma)
    torch.testing.assert_close(full.advantage, whole - case.value)
    torch.testing.assert_close(n_step(case.reward, case.following, *ends, gamma, 20), whole)


def test_importance() -> None:
    new, old = torch.tensor([[0.5, 0.2, 1.0]]).log(), torch.tensor([[0.25, 0.4, 1.0]]).log()
    torch.testing.assert_close(importance(new, old), torch.tensor([[2.0, 0.5, 1.0]]))
    torch.testing.assert_close(importance(new, old, clip=1.0), torch.tensor([[1.0, 0.5, 1.0]]))


def test_corrected_returns_are_those_of_the_other_policy() -> None:
    """All games of three coin tosses, as likely as mu plays them: the means are pi's values, whatever the critic says.

    The reward of a step is the number of heads so far. Without clips both estimates are free of bias.
    """
    pi, mu, gamma, steps = torch.tensor([0.2, 0.8]), torch.tensor([0.6, 0.4]), 0.9, 3
    action = torch.cartesian_prod(*[torch.arange(2)] * steps).T  # [3, 8]
    reward = action.cumsum(0).double()
    chance = mu[action].double().prod(0)
    ratio = importance(pi[action].log(), mu[action].log()).double()
    over = torch.zeros_like(reward, dtype=torch.bool)
    over[-1] = True
    # A critic that says anything, but the same of games that are the same so far.
    value = torch.from_numpy(np.random.default_rng(0).normal(size=reward.shape))
    value[0], value[1] = value[0, 0], value[1, [0, 0, 0, 0, 4, 4, 4, 4]]
    value[2] = value[2, [0, 0, 2, 2, 4, 4, 6, 6]]
    ends = (over, torch.zeros_like(over))
    following = next_values(value, value[0], value, *ends)
    worth = sum(gamma**t * 0.8 * (t + 1) for t in range(steps))
    seen = vtrace(ratio, reward, value, following, *ends, gamma, rho_clip=torch.inf, c_clip=torch.inf).target[0]
    assert float(chance @ seen) == pytest.approx(worth)
    later = per_decision(ratio, reward, following, *ends, gamma)[0]
    assert float(chance @ (ratio[0] * later)) == pytest.approx(worth)
    clipped = vtrace(ratio, reward, value, following, *ends, gamma).target[0]
    assert abs(float(chance @ clipped) - worth) > 0.05


@given(cases(), GAMMA, LAM)
def test_retrace_leaves_the_true_action_values_alone(case: Case, gamma: float, lam: float) -> None:
    """Where rewards are what they must be for q to be true, targets are q, whoever played."""
    reward = case.value - gamma * case.following
    found = retrace(ratios(case), reward, case.value, case.following, *case.ends, gamma, lam)
    torch.testing.assert_close(found, case.value)


def test_targets_carry_no_graph_and_take_games_in_double_precision() -> None:
    """Rewards come as the game gives them, values as networks do."""
    reward, over = torch.ones(4, 2, dtype=torch.float64), torch.zeros(4, 2, dtype=torch.bool)
    value = torch.ones(4, 2, requires_grad=True)
    ends, ratio = (over, over), torch.ones(4, 2, requires_grad=True)
    results = [
        gae(reward, value, value, *ends, 0.9, 0.9),
        discounted(reward, value, *ends, 0.9),
        n_step(reward, value, *ends, 0.9, 2),
        *vtrace(ratio, reward, value, value, *ends, 0.9),
        retrace(ratio, reward, value, value, *ends, 0.9),
        per_decision(ratio, reward, value, *ends, 0.9),
        importance(ratio, value),
    ]
    assert not any(result.requires_grad for result in results)
    assert all(result.shape == (4, 2) for result in results)
