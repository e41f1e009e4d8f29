"""Vectors: an action of any kind as numbers that a critic reads, with or without a gradient to who chose it.

Choices are one-hot, buttons 0 or 1, continuous numbers -1 to 1 between their bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn import functional as F

from agents.distributions import ActionDist, Bernoulli, Categorical, Joint, box_bounds, head_width
from envs.core import Ints
from envs.layout import columns, parts

CHOICE, BUTTONS, NUMBERS = 0, 1, 2


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
        self.parts = _parts_of(space)
        """[parts, 3] kind (CHOICE, BUTTONS or NUMBERS), first number and numbers of each simple part."""
        kind, sizes = self.parts[:, 0], self.parts[:, 2]
        self.continuous = torch.from_numpy(np.repeat(kind == NUMBERS, sizes)).to(device)
        """[width] whether a number is continuous, not part of a choice or a button."""
        choices, buttons = sizes[kind == CHOICE], int(sizes[kind == BUTTONS].sum())
        self._slots = int(choices.sum()) + 2 * buttons, len(choices) + buttons
        """Draws that an action takes of `exponentials`, and of `uniforms`."""

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

    def exponentials(self, rows: Sequence[int], rng: torch.Generator) -> Tensor:
        """Noise for `drawn` [*rows, slots]: a standard exponential draw for each action of a choice, two for a button.
        Minus the logarithm of one is a Gumbel draw."""
        return torch.empty(*rows, self._slots[0]).exponential_(generator=rng).to(self.half.device)

    def uniforms(self, rows: Sequence[int], rng: torch.Generator) -> Tensor:
        """Noise for `chosen` [*rows, slots]: a draw from [0, 1) for each choice and each button."""
        return torch.rand(*rows, self._slots[1], generator=rng).to(self.half.device)

    def drawn(self, dist: ActionDist, temperature: float, hard: bool, noise: Tensor) -> Tensor:
        """[..., width] of what `dist` may choose, carrying its gradient: continuous numbers as they are, choices and
        buttons through the Gumbel-softmax (Jang et al. 2017, equation 2).

        Args:
            temperature: of the softmax.
            hard: the value is the choice itself, though the gradient is the softmax's (section 2.2 there).
            noise: `exponentials`.
        """
        pieces, done = [], 0
        noises = _Slots(noise)
        for part in leaves(dist):
            if isinstance(part, Categorical):
                logits = part.log_probs.movedim(0, -1)
                gumbel = -noises.take(logits.shape[-1]).clamp_min(1e-20).log()
                soft = ((logits + gumbel) / temperature).softmax(-1)
                choice = F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
            elif isinstance(part, Bernoulli):
                one, other = (
                    noises.take(2 * part.logits.shape[-1]).clamp_min(1e-20).log().unflatten(-1, (-1, 2)).unbind(-1)
                )
                soft = ((part.logits + one - other) / temperature).sigmoid()
                choice = (soft > 0.5).to(soft.dtype)
            else:
                mode = part.mode()
                own = slice(done, done := done + mode.shape[-1])
                pieces.append((mode - self._centre[own]) / self.half[own])
                continue
            pieces.append(choice + (soft - soft.detach()) if hard else soft)
        return torch.cat(pieces, -1) if len(pieces) > 1 else pieces[0]

    def chosen(self, dist: ActionDist, noise: Tensor) -> Tensor:
        """[..., width] of what `dist` would choose, without a gradient: continuous numbers as they are, choices and
        buttons drawn by the `noise` of `uniforms`."""
        pieces, done = [], 0
        noises = _Slots(noise)
        for part in leaves(dist):
            if isinstance(part, Categorical):
                pieces.append(_one_of(part, noises.take(1).squeeze(-1)))
            elif isinstance(part, Bernoulli):
                pieces.append((noises.take(part.logits.shape[-1]) < part.logits.sigmoid()).to(part.logits.dtype))
            else:
                mode = part.mode()
                own = slice(done, done := done + mode.shape[-1])
                pieces.append((mode - self._centre[own]) / self.half[own])
        return torch.cat(pieces, -1) if len(pieces) > 1 else pieces[0]


class _Slots:
    """Noise [..., slots] that is used from left to right."""

    def __init__(self, noise: Tensor) -> None:
        self._noise, self._at = noise, 0

    def take(self, count: int) -> Tensor:
        """The next [..., count]."""
        self._at += count
        return self._noise[..., self._at - count : self._at]


def _one_of(dist: Categorical, draw: Tensor) -> Tensor:
    """[..., A] one-hot, by the inverse of the cumulative distribution at `draw` [...]; see `Categorical.sample`."""
    cumulative = dist.log_probs.exp().cumsum(0)
    passed = (cumulative > draw * (1 - 1e-6) * cumulative[-1]).to(cumulative.dtype)
    passed[1:] -= passed[:-1].clone()
    return passed.movedim(0, -1)


def leaves(dist: ActionDist) -> list[ActionDist]:
    """The simple distributions that `dist` is made of, in order."""
    return [leaf for part in dist.parts for leaf in leaves(part)] if isinstance(dist, Joint) else [dist]


def _parts_of(space: spaces.Space[Any]) -> Ints:
    """See `Vectors.parts`."""
    found: list[tuple[int, int, int]] = []
    start = 0
    for part in parts(space):
        if isinstance(part, spaces.Box | spaces.MultiBinary):
            pieces = [(NUMBERS if isinstance(part, spaces.Box) else BUTTONS, head_width(part))]
        else:
            counts = part.nvec.tolist() if isinstance(part, spaces.MultiDiscrete) else [head_width(part)]
            pieces = [(CHOICE, count) for count in counts]
        for kind, width in pieces:
            found.append((kind, start, width))
            start += width
    return np.array(found, np.int64)
