"""Distributions of continuous numbers: a Gaussian, unbounded or squashed, and a point with noise around it."""

from __future__ import annotations

import math
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class Gaussian:
    """K floats, unbounded, or squashed by tanh into [low, high] (Haarnoja et al. 2018, appendix C)."""

    def __init__(self, mean: Tensor, log_std: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> None:
        """`mean` is [K, ...]; `log_std` broadcasts to [..., K], as do `low` and `high`, both or neither."""
        self.mean = mean.movedim(0, -1)
        self.log_std = log_std.expand_as(self.mean)
        self.low, self.high = low, high
        self.centre = None if low is None or high is None else (high + low) / 2
        self.half = None if low is None or high is None else (high - low) / 2

    def sample(self, rng: Generator) -> Tensor:
        """[..., K] float32."""
        noise = torch.from_numpy(rng.standard_normal(tuple(self.mean.shape), dtype="float32"))
        return self._squash(self.mean + self.log_std.exp() * noise.to(self.mean.device))

    def mode(self) -> Tensor:
        """The image of the mean."""
        return self._squash(self.mean)

    def log_prob(self, action: Tensor) -> Tensor:
        """Density in the units of the action."""
        correction: Tensor | float = 0.0
        if self.half is not None and self.centre is not None:
            unit = ((action - self.centre) / self.half).clamp(-1 + 1e-6, 1 - 1e-6)
            action = torch.atanh(unit)
            correction = torch.log(1 - unit.square()) + self.half.log()
        z = (action - self.mean) / self.log_std.exp()
        density = -0.5 * z.square() - self.log_std - 0.5 * math.log(2 * math.pi)
        return (density - correction).sum(-1)

    def rsample(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """An action that carries the gradient, from standard normal `noise` [..., K], and its log-probability [...].

        The logarithm of the derivative of tanh is 2 (log 2 - x - softplus(-2 x)), which does not cancel at the bounds.
        """
        raw = self.mean + self.log_std.exp() * noise
        density = -0.5 * noise.square() - self.log_std - 0.5 * math.log(2 * math.pi)
        if self.half is not None:
            density = density - 2 * (math.log(2) - raw - F.softplus(-2 * raw)) - self.half.log()
        return self._squash(raw), density.sum(-1)

    def entropy(self) -> Tensor:
        """Of the Gaussian before squashing: the squashed one has no closed form, and this moves the same way."""
        return (self.log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)

    def _squash(self, raw: Tensor) -> Tensor:
        if self.half is None or self.centre is None:
            return raw
        # Clamped, because rounding may carry the product a little past a bound, and an env may refuse that.
        return (torch.tanh(raw) * self.half + self.centre).clamp(self.low, self.high)


FARTHEST = 5.0
"""Of a mean before it is squashed: tanh of it is 0.9999. An action that lies farther out cannot be told from the bound,
so its density by a mean that lies there, too, would be far off, and ratios of densities would grow without end."""


def within_reach(mean: Tensor) -> Tensor:
    """`mean` cut at `FARTHEST`; of gradients, those pass that lead back inside."""
    if not (torch.is_grad_enabled() and mean.requires_grad):
        return mean.clamp(-FARTHEST, FARTHEST)
    held: Tensor = _Held.apply(mean)  # type: ignore[no-untyped-call]
    return held


class _Held(torch.autograd.Function):
    """See `within_reach`."""

    @staticmethod
    def forward(ctx: Any, mean: Tensor) -> Tensor:
        """Cut."""
        ctx.save_for_backward(mean)
        return mean.clamp(-FARTHEST, FARTHEST)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """A step goes against the gradient."""
        (mean,), (gradient,) = ctx.saved_tensors, gradients
        outwards = (mean.abs() > FARTHEST) & (gradient * mean < 0)
        return gradient.masked_fill(outwards, 0.0)


class Jittered:
    """A point in [low, high] with Gaussian noise around it, cut at the bounds: exploration of DDPG and TD3."""

    def __init__(self, raw: Tensor, noise: Tensor, low: Tensor, high: Tensor) -> None:
        """`raw` is [K, ...], of which tanh is taken; `noise` is a deviation in halves of the range [...]."""
        self._half, self._low, self._high = (high - low) / 2, low, high
        self._mean = torch.tanh(raw.movedim(0, -1)) * self._half + (high + low) / 2
        self._noise = noise.unsqueeze(-1)

    def sample(self, rng: Generator) -> Tensor:
        """[..., K] float32."""
        draw = torch.from_numpy(rng.standard_normal(tuple(self._mean.shape), dtype="float32")).to(self._mean.device)
        return (self._mean + self._noise * self._half * draw).clamp(self._low, self._high)

    def mode(self) -> Tensor:
        """The point, [..., K]; it carries the gradient."""
        return self._mean.clamp(self._low, self._high)

    def log_prob(self, action: Tensor) -> Tensor:
        """Density of the Gaussian before it is cut; with next to no noise it is that of a hundred-thousandth."""
        deviation = (self._noise * self._half).clamp_min(1e-5).expand_as(self._mean)
        return Gaussian(self._mean.movedim(-1, 0), deviation.log()).log_prob(action)

    def entropy(self) -> Tensor:
        """Of the Gaussian before it is cut."""
        deviation = (self._noise * self._half).clamp_min(1e-5).expand_as(self._mean)
        return Gaussian(self._mean.movedim(-1, 0), deviation.log()).entropy()
