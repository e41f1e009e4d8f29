"""Returns and advantages: pure functions of time-major tensors [T, N].

`terminated` and `truncated` are [T, N] and never true together. The discount is per env step. `next_value` is the value
of what follows each step, as `next_values` gives it: 0 after a terminal step, the last view's own after a truncated
one. `ratio` is pi(a|x) / mu(a|x), of the policy that is learnt to the one that acted; see `importance`. Results are
targets, so no graph hangs on them.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import torch
from torch import Tensor


def next_values(
    value: Tensor, last_value: Tensor, final_value: Tensor, terminated: Tensor, truncated: Tensor
) -> Tensor:
    """[T, N] value of what follows each step: 0 after a terminal one, the last view's own value after a truncated one.

    Args:
        value: [T, N] of the views acted on.
        last_value: [N] of the view after the last step.
        final_value: [T, N] of the last view of a game where `truncated`, anything elsewhere.
    """
    following = torch.cat([value[1:], last_value.unsqueeze(0)])
    following = torch.where(truncated, final_value, following)
    return following.masked_fill(terminated, 0.0)


@torch.no_grad()
def gae(
    reward: Tensor, value: Tensor, next_value: Tensor, terminated: Tensor, truncated: Tensor,
    gamma: float, lam: float,
) -> Tensor:  # fmt: skip
    """Generalised advantage estimates [T, N] (Schulman et al. 2016, equation 16); the trace stops where a game ends."""
    error = reward + gamma * next_value - value
    return _accumulate(error, gamma * lam * _going(terminated, truncated, error))


@torch.no_grad()
def discounted(reward: Tensor, next_value: Tensor, terminated: Tensor, truncated: Tensor, gamma: float) -> Tensor:
    """Discounted returns [T, N] (Sutton and Barto 2018, equation 3.9), bootstrapped with `next_value` where a game
    was cut and after the last step."""
    ended = terminated | truncated
    total = reward + gamma * torch.where(ended, next_value, torch.zeros_like(next_value))
    total[-1] = reward[-1] + gamma * next_value[-1]
    return _accumulate(total, gamma * _going(terminated, truncated, total))


@torch.no_grad()
def n_step(
    reward: Tensor, next_value: Tensor, terminated: Tensor, truncated: Tensor, gamma: float, n: int
) -> Tensor:  # fmt: skip
    """n-step returns [T, N] (Sutton and Barto 2018, equation 7.1): `n` >= 1 rewards, then the value of what follows.

    Fewer rewards where the game, or the rollout, ends sooner.
    """
    once = reward + gamma * next_value
    going = _going(terminated, truncated, once)[:-1].bool()
    total = once
    for _ in range(n - 1):
        longer = reward[:-1] + gamma * total[1:]
        total = torch.cat([torch.where(going, longer, once[:-1]), once[-1:]])
    return total


@torch.no_grad()
def importance(logprob: Tensor, behaviour_logprob: Tensor, clip: float = inf) -> Tensor:
    """Importance ratios min(pi / mu, clip), from log-probabilities of the same actions; 1 where a seat did not act."""
    return (logprob - behaviour_logprob).exp().clamp(max=clip)


class VTrace(NamedTuple):
    """What V-trace gives; both [T, N]."""

    target: Tensor
    """v_s, what the value function should say."""
    advantage: Tensor
    """Weight of the log-probability's gradient; the ratio is in it already."""


@torch.no_grad()
def vtrace(
    ratio: Tensor, reward: Tensor, value: Tensor, next_value: Tensor, terminated: Tensor, truncated: Tensor,
    gamma: float, lam: float = 1.0, rho_clip: float = 1.0, c_clip: float = 1.0,
) -> VTrace:  # fmt: skip
    """V-trace (Espeholt et al. 2018): targets of equation 1, with lambda as in remark 2, and the advantage
    rho_s (r_s + gamma v_{s+1} - V(x_s)) of their section 4.2.

    `rho_clip` decides whose value is learnt (infinite: that of pi), `c_clip` only how fast. On-policy, with both at 1
    or more, targets are lambda-returns.
    """
    rho = ratio.clamp(max=rho_clip)
    going = _going(terminated, truncated, rho)
    error = rho * (reward + gamma * next_value - value)
    target = value + _accumulate(error, gamma * lam * ratio.clamp(max=c_clip) * going)
    following = torch.where(going[:-1].bool(), target[1:], next_value[:-1])
    return VTrace(target, rho * (reward + gamma * torch.cat([following, next_value[-1:]]) - value))


@torch.no_grad()
def retrace(
    ratio: Tensor, reward: Tensor, q: Tensor, next_value: Tensor, terminated: Tensor, truncated: Tensor,
    gamma: float, lam: float = 1.0,
) -> Tensor:  # fmt: skip
    """Retrace(lambda) targets [T, N] for action values (Munos et al. 2016, equation 3, with c = lambda min(1, ratio)).

    Args:
        q: [T, N] value of the action that was taken.
        next_value: [T, N] what follows, as everywhere here: the mean of pi's action values in the next view.
    """
    error = reward + gamma * next_value - q
    trace = torch.zeros_like(error)
    trace[:-1] = lam * ratio[1:].clamp(max=1.0)
    return q + _accumulate(error, gamma * trace * _going(terminated, truncated, error))


@torch.no_grad()
def per_decision(
    ratio: Tensor, reward: Tensor, next_value: Tensor, terminated: Tensor, truncated: Tensor,
    gamma: float, lam: float = 1.0, clip: float = inf,
) -> Tensor:  # fmt: skip
    """Off-policy lambda-returns [T, N] of Off-PAC (Degris et al. 2012, section 2.3): r + (1 - lambda) gamma V(x')
    + lambda gamma rho' R', where rho' = min(ratio, `clip`) is of the next step's action.

    With lambda 1 and no clip this is per-decision importance sampling (Precup et al. 2000): its mean under mu is the
    value of the action under pi. A step's own ratio is not in it: it weighs the gradient, rho (R - V) grad log pi.
    """
    going = _going(terminated, truncated, reward)
    share = torch.zeros_like(going)
    share[:-1] = lam * going[:-1]
    decay = torch.zeros_like(going)
    decay[:-1] = gamma * share[:-1] * ratio[1:].clamp(max=clip)
    return _accumulate(reward + gamma * (1 - share) * next_value, decay)


def _going(terminated: Tensor, truncated: Tensor, like: Tensor) -> Tensor:
    """[T, N] 1 where the game goes on after the step, 0 where it ended; numbers like those of `like`."""
    return (~(terminated | truncated)).to(like.dtype)


def _accumulate(total: Tensor, decay: Tensor) -> Tensor:
    """total[t] += decay[t] * total[t + 1] from the end to the beginning, in place; what follows the last is 0."""
    for t in range(len(total) - 2, -1, -1):
        total[t].addcmul_(decay[t], total[t + 1])
    return total
