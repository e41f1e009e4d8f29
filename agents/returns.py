"""Returns and advantages: pure functions of time-major tensors [T, N].

`terminated` and `truncated` are [T, N] and never true together. The discount is per env step.
"""

from __future__ import annotations

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


def gae(
    reward: Tensor, value: Tensor, next_value: Tensor, terminated: Tensor, truncated: Tensor,
    gamma: float, lam: float,
) -> Tensor:  # fmt: skip
    """Generalised advantage estimates [T, N] (Schulman et al. 2016, equation 16); the trace stops where a game ends."""
    advantage = reward + gamma * next_value - value
    decay = gamma * lam * (~(terminated | truncated)).to(advantage.dtype)
    for t in range(len(advantage) - 2, -1, -1):
        advantage[t].addcmul_(decay[t], advantage[t + 1])
    return advantage


def discounted(reward: Tensor, next_value: Tensor, terminated: Tensor, truncated: Tensor, gamma: float) -> Tensor:
    """Discounted returns [T, N] (Sutton and Barto 2018, equation 3.9), bootstrapped with `next_value` where a game
    was cut and after the last step."""
    ended = terminated | truncated
    total = reward + gamma * torch.where(ended, next_value, torch.zeros_like(next_value))
    total[-1] = reward[-1] + gamma * next_value[-1]
    going = (~ended).to(total.dtype) * gamma
    for t in range(len(total) - 2, -1, -1):
        total[t].addcmul_(going[t], total[t + 1])
    return total
