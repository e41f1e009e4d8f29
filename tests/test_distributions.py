"""Action distributions together: what all promise, and actions of several parts."""

from __future__ import annotations

import itertools
from typing import cast

import numpy as np
import pytest
import torch
from gymnasium import spaces
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
from tests.parameters import ROWS, last, numbers

MIXED = spaces.Tuple((spaces.Box(-1, 1, (2,)), spaces.Discrete(3), spaces.Dict({"b": spaces.MultiBinary(2)}),
                      spaces.MultiDiscrete([2, 3]), spaces.Box(-1, 1, (1,))))  # fmt: skip


def plain(parameters: Tensor, place: slice) -> Gaussian:
    """Of deviations that tell which numbers they are of."""
    return Gaussian(parameters, torch.tensor([0.1, 0.2, 0.3])[place])


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
