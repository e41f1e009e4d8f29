"""Action distributions: log-probability, entropy, mode, and sampling from the caller's generator.

Rows are [...], any number of axes. Parameters come with their own axis first, as `networks.Heads` gives them; actions
have it last, as everywhere else. Samples are drawn with NumPy generators, so a match is a function of
its seed on every device.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from gymnasium import spaces
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from envs.errors import InputError

ILLEGAL = -1e9
"""Logit of a forbidden action: finite, so that 0 * log 0 is 0 and not NaN; exp of it is exactly 0."""


class ActionDist(Protocol):
    """What a policy head says about the next action."""

    def sample(self, rng: Generator) -> Tensor:
        """Draw one action per row."""
        ...

    def mode(self) -> Tensor:
        """The most probable action per row."""
        ...

    def log_prob(self, action: Tensor) -> Tensor:
        """Log-probability (density for continuous actions) of `action`, [...]."""
        ...

    def entropy(self) -> Tensor:
        """Entropy, nats, [...]."""
        ...


class Categorical:
    """One of A actions; illegal ones have probability exactly 0."""

    def __init__(self, logits: Tensor, legal: Tensor | None = None) -> None:
        """`logits` is [A, ...], `legal` [..., A]; legal None: every action is."""
        if legal is not None:
            logits = logits.masked_fill(~legal.movedim(-1, 0), ILLEGAL)
        self.log_probs = F.log_softmax(logits, dim=0)

    def sample(self, rng: Generator) -> Tensor:
        """Inverse of the cumulative distribution; an action of probability 0 is never drawn."""
        cumulative = self.log_probs.exp().cumsum(0)
        draw = torch.from_numpy(rng.random(tuple(self.log_probs.shape[1:]), dtype="float32"))
        # A little under 1, so that rounding cannot carry the draw past the last possible action.
        threshold = draw.to(cumulative.device) * (1 - 1e-6) * cumulative[-1]
        return (cumulative <= threshold).sum(0)

    def mode(self) -> Tensor:
        """[...] int64."""
        return self.log_probs.argmax(0)

    def log_prob(self, action: Tensor) -> Tensor:
        """`action` is [...] int64."""
        return self.log_probs.gather(0, action.unsqueeze(0)).squeeze(0)

    def entropy(self) -> Tensor:
        """Between 0 and log A."""
        return -(self.log_probs.exp() * self.log_probs).sum(0)


class Bernoulli:
    """K independent buttons."""

    def __init__(self, logits: Tensor) -> None:
        """`logits` is [K, ...]."""
        self.logits = logits.movedim(0, -1)

    def sample(self, rng: Generator) -> Tensor:
        """[..., K] int8."""
        draw = torch.from_numpy(rng.random(tuple(self.logits.shape), dtype="float32")).to(self.logits.device)
        return (draw < self.logits.sigmoid()).to(torch.int8)

    def mode(self) -> Tensor:
        """[..., K] int8."""
        return (self.logits > 0).to(torch.int8)

    def log_prob(self, action: Tensor) -> Tensor:
        """`action` is [..., K] of 0 and 1."""
        pressed = action.to(self.logits.dtype)
        return -F.binary_cross_entropy_with_logits(self.logits, pressed, reduction="none").sum(-1)

    def entropy(self) -> Tensor:
        """Sum over the buttons."""
        p = self.logits.sigmoid()
        return (F.softplus(self.logits) - p * self.logits).sum(-1)


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

    def entropy(self) -> Tensor:
        """Of the Gaussian before squashing: the squashed one has no closed form, and this moves the same way."""
        return (self.log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)

    def _squash(self, raw: Tensor) -> Tensor:
        if self.half is None or self.centre is None:
            return raw
        # Clamped, because rounding may carry the product a little past a bound, and an env may refuse that.
        return (torch.tanh(raw) * self.half + self.centre).clamp(self.low, self.high)


def head_width(space: spaces.Space[object]) -> int:
    """How many numbers a policy head must give for actions in `space`.

    Raises:
        InputError: a kind of space that no distribution here covers.
    """
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiBinary) and len(space.shape) == 1:
        return int(space.shape[0])
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return int(space.shape[0])
    raise InputError(f"no policy head for actions in {space}: use Discrete, MultiBinary(n) or a flat Box.")
