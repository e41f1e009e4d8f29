"""Distributions of choices: one of several actions, by probability or by value, and buttons."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

ILLEGAL = -1e9
"""Logit of a forbidden action: finite, so that 0 * log 0 is 0 and not NaN; exp of it is exactly 0."""


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


class EpsilonGreedy:
    """The action of the highest value, but any legal one alike with probability epsilon."""

    def __init__(self, values: Tensor, legal: Tensor | None, epsilon: Tensor) -> None:
        """`values` is [A, ...], `legal` [..., A], `epsilon` broadcasts to [...]."""
        self.values = values if legal is None else values.masked_fill(~legal.movedim(-1, 0), -torch.inf)
        self._epsilon = epsilon

    def sample(self, rng: Generator) -> Tensor:
        """[...] int64."""
        return Categorical(self._log_probs()).sample(rng)

    def mode(self) -> Tensor:
        """[...] int64."""
        return self.values.argmax(0)

    def log_prob(self, action: Tensor) -> Tensor:
        """`action` is [...] int64."""
        return self._log_probs().gather(0, action.unsqueeze(0)).squeeze(0)

    def entropy(self) -> Tensor:
        """Between 0 and log A."""
        log_probs = self._log_probs()
        return -(log_probs.exp() * log_probs).sum(0)

    def _log_probs(self) -> Tensor:
        legal = self.values > -torch.inf
        probs = self._epsilon * legal / legal.sum(0)
        greedy = torch.zeros_like(probs).scatter_(0, self.mode().unsqueeze(0), 1.0)
        return (probs + (1 - self._epsilon) * greedy).log().clamp_min(ILLEGAL)


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
