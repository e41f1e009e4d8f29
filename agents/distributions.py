"""Action distributions: log-probability, entropy, mode, and sampling from the caller's generator.

Rows are [...], any number of axes. Parameters come with their own axis first, as `networks.Heads` gives them; actions
have it last, as everywhere else. Samples are drawn with NumPy generators, so a match is a function of
its seed on every device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from gymnasium import spaces
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from envs.errors import InputError
from envs.layout import parts

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


class Joint:
    """Independent parts, whose actions stand side by side in one vector: MultiDiscrete and composite spaces."""

    def __init__(self, parts: Sequence[ActionDist], sizes: Sequence[int | None], dtype: torch.dtype) -> None:
        """`sizes` of the parts' actions; None for a Categorical, whose action is a single number without an axis."""
        self.parts, self._sizes, self._dtype = parts, sizes, dtype

    def sample(self, rng: Generator) -> Tensor:
        """[..., K]."""
        return self._join([part.sample(rng) for part in self.parts])

    def mode(self) -> Tensor:
        """[..., K]."""
        return self._join([part.mode() for part in self.parts])

    def log_prob(self, action: Tensor) -> Tensor:
        """Sum over the parts; `action` is [..., K]."""
        pieces = action.split([size or 1 for size in self._sizes], -1)
        terms = [
            part.log_prob(piece.squeeze(-1).long() if size is None else piece)
            for part, size, piece in zip(self.parts, self._sizes, pieces, strict=True)
        ]
        return torch.stack(terms).sum(0)

    def entropy(self) -> Tensor:
        """Sum over the parts."""
        return torch.stack([part.entropy() for part in self.parts]).sum(0)

    def _join(self, actions: Sequence[Tensor]) -> Tensor:
        pieces = [
            (action.unsqueeze(-1) if size is None else action).to(self._dtype)
            for action, size in zip(actions, self._sizes, strict=True)
        ]
        return torch.cat(pieces, -1)


def head_width(space: spaces.Space[Any]) -> int:
    """How many numbers a policy head must give for actions in `space`.

    Raises:
        InputError: a kind of space that no distribution here covers.
    """
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiDiscrete) and len(space.shape) == 1:
        return int(space.nvec.sum())
    if isinstance(space, spaces.MultiBinary | spaces.Box) and len(space.shape) == 1:
        return int(space.shape[0])
    if isinstance(space, spaces.Tuple | spaces.Dict):
        return sum(head_width(part) for part in parts(space))
    raise InputError(
        f"no policy head for actions in {space}: use Discrete, MultiDiscrete, MultiBinary(n), a flat Box, "
        "or a Tuple or Dict of these."
    )


def box_width(space: spaces.Space[Any]) -> int:
    """How many of the numbers of an action in `space` are continuous."""
    return sum(int(part.shape[0]) for part in parts(space) if isinstance(part, spaces.Box))


def box_bounds(space: spaces.Space[Any]) -> tuple[Tensor, Tensor]:
    """`low` and `high` of the continuous numbers of `space`, [box_width] each; infinite where there is no bound."""
    boxes = [part for part in parts(space) if isinstance(part, spaces.Box)]
    low, high = ([torch.as_tensor(side(box), dtype=torch.float32) for box in boxes] for side in (_low, _high))
    return (torch.cat(low), torch.cat(high)) if boxes else (torch.zeros(0), torch.zeros(0))


def _low(box: spaces.Box) -> Any:
    return box.low


def _high(box: spaces.Box) -> Any:
    return box.high


BoxDist = Callable[[Tensor, slice], ActionDist]
"""The distribution of continuous numbers from their parameters [K, ...] and their place among all continuous ones."""


def distribution(space: spaces.Space[Any], parameters: Tensor, legal: Tensor | None, box: BoxDist) -> ActionDist:
    """What `parameters` [head_width, ...] say about actions in `space`; `legal` is for Discrete only."""
    if isinstance(space, spaces.Discrete):
        return Categorical(parameters, legal)
    if isinstance(space, spaces.MultiBinary):
        return Bernoulli(parameters)
    if isinstance(space, spaces.MultiDiscrete):
        counts = space.nvec.tolist()
        dists = [Categorical(logits) for logits in parameters.split(counts)]
        return Joint(dists, [None] * len(counts), torch.int64)
    if isinstance(space, spaces.Box):
        return box(parameters, slice(0, parameters.shape[0]))
    dists_of, sizes, start, done = [], [], 0, 0
    for part in parts(space):
        width = head_width(part)
        piece = parameters[start : start + width]
        start += width
        if isinstance(part, spaces.Box):
            dists_of.append(box(piece, slice(done, done + width)))
            done += width
        else:
            dists_of.append(distribution(part, piece, None, box))
        sizes.append(None if isinstance(part, spaces.Discrete) else math.prod(part.shape or ()))
    return Joint(dists_of, sizes, torch.float32)
