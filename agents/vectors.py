"""Vectors: an action of any kind as numbers that a critic reads, with or without a gradient to who chose it.

Choices are one-hot, buttons 0 or 1, continuous numbers -1 to 1 between their bounds.
"""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn import functional as F

from agents.distributions import ActionDist, Bernoulli, Categorical, Joint, box_bounds, head_width
from envs.layout import columns, parts


class Vectors:
    """The vectors of actions in one space."""

    def __init__(self, space: spaces.Space[Any], device: torch.device | str = "cpu") -> None:
        """Continuous parts must have bounds."""
        self._space = space
        self.width = head_width(space)
        """Numbers per action."""
        low, high = (bound.to(device) for bound in box_bounds(space))
        self._centre, self.half = (high + low) / 2, (high - low) / 2
        """[box_width] half of the range of each continuous number."""
        kinds = [[isinstance(part, spaces.Box)] * head_width(part) for part in parts(space)]
        self.continuous = torch.tensor([one for part in kinds for one in part], device=device)
        """[width] whether a number is continuous, not part of a choice or a button."""

    def of(self, action: Tensor) -> Tensor:
        """[..., width] of actions [..., *action_shape]; the gradient of continuous numbers passes."""
        if isinstance(self._space, spaces.Box):
            return (action - self._centre) / self.half
        flat = action.unsqueeze(-1) if isinstance(self._space, spaces.Discrete) else action
        pieces, done = [], 0
        for part, place in columns(self._space):
            numbers = flat[..., place]
            if isinstance(part, spaces.Box):
                own = slice(done, done := done + numbers.shape[-1])
                pieces.append((numbers - self._centre[own]) / self.half[own])
            elif isinstance(part, spaces.MultiBinary):
                pieces.append(numbers.float())
            else:
                counts = part.nvec.tolist() if isinstance(part, spaces.MultiDiscrete) else [head_width(part)]
                pieces += [F.one_hot(x.long(), n).float() for x, n in zip(numbers.unbind(-1), counts, strict=True)]
        return torch.cat(pieces, -1)

    def drawn(self, dist: ActionDist, temperature: float, hard: bool, rng: torch.Generator) -> Tensor:
        """[..., width] of what `dist` may choose, carrying its gradient: continuous numbers as they are, choices and
        buttons through the Gumbel-softmax (Jang et al. 2017, equation 2).

        Args:
            temperature: of the softmax.
            hard: the value is the choice itself, though the gradient is the softmax's (section 2.2 there).
        """
        pieces, done = [], 0
        for part in leaves(dist):
            if isinstance(part, Categorical | Bernoulli):
                pieces.append(_relaxed(part, temperature, hard, rng))
            else:
                mode = part.mode()
                own = slice(done, done := done + mode.shape[-1])
                pieces.append((mode - self._centre[own]) / self.half[own])
        return torch.cat(pieces, -1) if len(pieces) > 1 else pieces[0]

    def chosen(self, dist: ActionDist, rng: torch.Generator) -> Tensor:
        """[..., width] of what `dist` would choose, without a gradient: continuous numbers as they are, choices and
        buttons drawn."""
        pieces, done = [], 0
        for part in leaves(dist):
            if isinstance(part, Categorical):
                pieces.append(_one_of(part, rng))
            elif isinstance(part, Bernoulli):
                draw = torch.rand(part.logits.shape, generator=rng).to(part.logits.device)
                pieces.append((draw < part.logits.sigmoid()).to(part.logits.dtype))
            else:
                mode = part.mode()
                own = slice(done, done := done + mode.shape[-1])
                pieces.append((mode - self._centre[own]) / self.half[own])
        return torch.cat(pieces, -1) if len(pieces) > 1 else pieces[0]


def _one_of(dist: Categorical, rng: torch.Generator) -> Tensor:
    """[..., A] one-hot, by the inverse of the cumulative distribution; see `Categorical.sample`."""
    cumulative = dist.log_probs.exp().cumsum(0)
    draw = torch.rand(cumulative.shape[1:], generator=rng).to(cumulative.device)
    passed = (cumulative > draw * (1 - 1e-6) * cumulative[-1]).to(cumulative.dtype)
    passed[1:] -= passed[:-1].clone()
    return passed.movedim(0, -1)


def leaves(dist: ActionDist) -> list[ActionDist]:
    """The simple distributions that `dist` is made of, in order."""
    return [leaf for part in dist.parts for leaf in leaves(part)] if isinstance(dist, Joint) else [dist]


def _relaxed(dist: Categorical | Bernoulli, temperature: float, hard: bool, rng: torch.Generator) -> Tensor:
    """[..., A] a draw and its gradient."""
    if isinstance(dist, Categorical):
        logits = dist.log_probs.movedim(0, -1)
        gumbel = -_exponential(logits, rng).log()
        soft = ((logits + gumbel) / temperature).softmax(-1)
        choice = F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
    else:
        logistic = _exponential(dist.logits, rng).log() - _exponential(dist.logits, rng).log()
        soft = ((dist.logits + logistic) / temperature).sigmoid()
        choice = (soft > 0.5).to(soft.dtype)
    return choice + (soft - soft.detach()) if hard else soft


def _exponential(like: Tensor, rng: torch.Generator) -> Tensor:
    """Standard exponential draws; minus their logarithm is a Gumbel draw."""
    draw = torch.empty(like.shape).exponential_(generator=rng)
    return draw.clamp_min(1e-20).to(like.device)
