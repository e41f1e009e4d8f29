"""Heads: what a policy reads out of its features. Each is a config, which snapshots keep, and its module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import torch
from gymnasium import spaces
from pydantic import Field
from torch import Tensor, nn

from agents.distributions import (
    ActionDist,
    EpsilonGreedy,
    Gaussian,
    Jittered,
    box_bounds,
    box_width,
    distribution,
    head_width,
    within_reach,
)
from agents.networks import MLP, Heads, Linear, NoisyLinear, Normaliser
from envs.config import Config
from envs.errors import InputError


class ActorCritic(Config):
    """A distribution of actions, and the value of the state."""

    kind: Literal["actor-critic"] = "actor-critic"
    """Which head this is."""
    central: int = Field(0, ge=0)
    """Numbers of a row [own view | others'], where a network of its own gives the value from that (Yu et al. 2022);
    0: the value comes from what the actor knows."""


class Q(Config):
    """The value of every action (Mnih et al. 2015)."""

    kind: Literal["q"] = "q"
    """Which head this is."""
    duelling: bool = False
    """Values are that of the state plus advantages (Wang et al. 2016)."""
    quantiles: int = Field(1, ge=1)
    """Quantiles of the return that are learnt for each action (Dabney et al. 2018); 1: its mean alone."""
    noisy: bool = False
    """Learnt noise in the weights of the heads explores (Fortunato et al. 2018)."""


class Actor(Config):
    """A distribution of actions and nothing else."""

    kind: Literal["actor"] = "actor"
    """Which head this is."""
    spread: Literal["noise", "learnt"] = "noise"
    """Continuous actions: a point with exploration noise (DDPG), or a Gaussian whose deviation is learnt (SAC)."""
    members: int = Field(1, ge=1)
    """Networks of this shape, one of which, drawn when a game starts, plays it (Lowe et al. 2017, section 4.3)."""


HeadConfig = Annotated[ActorCritic | Q | Actor, Field(discriminator="kind")]


class Trunk(NamedTuple):
    """What a head is built on."""

    width: int
    """Of the features."""
    hidden: tuple[int, ...]
    """Layers of each head's own."""
    activation: str
    layers: tuple[int, ...]
    """Of the encoder, for whoever sees more and has one of its own."""


Reading = tuple[ActionDist, Mapping[str, Tensor]]
"""A distribution of actions, and extras by name."""


class ActorCriticHead(nn.Module):
    """See `ActorCritic`. Continuous actions have a deviation that does not depend on the state."""

    low: Tensor
    high: Tensor

    def __init__(self, config: ActorCritic, trunk: Trunk, space: spaces.Space[Any], normalise_value: bool) -> None:
        """`normalise_value`: the value is predicted in units of its running deviation."""
        super().__init__()
        self.config, self._space = config, space
        widths, gains = {"actor": head_width(space), "value": 1}, {"actor": 0.01, "value": 1.0}
        if config.central:
            del widths["value"]
        self.outputs = Heads(trunk.width, widths, gains, trunk.hidden, trunk.activation)
        self.central = CentralValue(config.central, trunk) if config.central else None
        self.norm_value = Normaliser(1) if normalise_value else None
        self.log_std = nn.Parameter(torch.zeros(box_width(space))) if box_width(space) else None
        low, high = box_bounds(space)
        self._bounded = bool((low.isfinite() & high.isfinite()).all())
        self.register_buffer("low", low if len(low) and self._bounded else None)
        self.register_buffer("high", high if len(high) and self._bounded else None)

    def forward(self, features: Tensor, legal: Tensor | None, wide: Tensor | None = None) -> Reading:
        """Distribution, and "value" [...], from features [..., width]; a central value from rows `wide` [..., central],
        and none without them."""
        heads = self.outputs(features)
        dist = distribution(self._space, heads["actor"], legal, self._gaussian)
        if self.central is None:
            return dist, {"value": self._in_units(heads["value"].squeeze(0))}
        return dist, {} if wide is None else {"value": self.central_value(wide)}

    def central_value(self, wide: Tensor) -> Tensor:
        """[...] of rows [own view | others'] [..., central]."""
        assert self.central is not None
        return self._in_units(self.central(wide).squeeze(-1))

    def _in_units(self, value: Tensor) -> Tensor:
        """From the unit of the value to that of returns."""
        if self.norm_value is None:
            return value
        return self.norm_value.unscale(value.unsqueeze(-1)).squeeze(-1)

    @torch.no_grad()
    def take_returns(self, returns: Tensor) -> None:
        """Take `returns` [n] into the unit of the value, and change its layer so that all values stay as they are
        (PopArt, van Hasselt et al. 2016, equations 1 and 2)."""
        norm = self.norm_value
        if norm is None:
            return
        mean, std = norm.mean.clone(), norm.std.squeeze(-2)
        norm.update(returns.unsqueeze(1))
        layer = self.outputs.last("value") if self.central is None else self.central.last
        layer.weight[-1] *= (std / norm.std.squeeze(-2)).squeeze()
        layer.bias[-1:] = (layer.bias[-1:] * std + mean - norm.mean) / norm.std.squeeze(-2)

    def _gaussian(self, mean: Tensor, place: slice) -> Gaussian:
        assert self.log_std is not None
        log_std = self.log_std[..., place].unsqueeze(-2)
        if not self._bounded:
            return Gaussian(mean, log_std)
        low, high = (bound[..., place].unsqueeze(-2) for bound in (self.low, self.high))
        return Gaussian(within_reach(mean), log_std, low, high)


class CentralValue(nn.Module):
    """The value of a state by what all seats see of it; feed-forward, whatever the actor remembers."""

    def __init__(self, width: int, trunk: Trunk) -> None:
        """In the shape of the actor's network, for rows of `width` numbers."""
        super().__init__()
        self.encoder = MLP(width, (*trunk.layers, *trunk.hidden), trunk.activation)
        self.last = Linear(self.encoder.width, 1, gain=1.0)

    def forward(self, wide: Tensor) -> Tensor:
        """[..., width] -> [..., 1]."""
        value: Tensor = self.last(self.encoder(wide))
        return value


class QHead(nn.Module):
    """See `Q`. With probability `epsilon`, a buffer that the learner sets, the action is any."""

    epsilon: Tensor

    def __init__(self, config: Q, trunk: Trunk, space: spaces.Space[Any], normalise_value: bool) -> None:
        """Raises InputError for actions that are not Discrete, and where values should be normalised."""
        super().__init__()
        if not isinstance(space, spaces.Discrete):
            raise InputError(f"action values need Discrete actions, not {space}.")
        _no_value_to_normalise(normalise_value)
        self.config, self._actions = config, int(space.n)
        widths = {"actor": self._actions * config.quantiles}
        if config.duelling:
            widths["value"] = config.quantiles
        gains = dict.fromkeys(widths, 1.0)
        self.outputs = Heads(trunk.width, widths, gains, trunk.hidden, trunk.activation, config.noisy)
        self.register_buffer("epsilon", torch.zeros(()))

    def forward(self, features: Tensor, legal: Tensor | None) -> Reading:
        """Distribution, and "value" [...] of the best legal action, from features [..., width]."""
        dist = EpsilonGreedy(self.quantiles(features).mean(0), legal, self.epsilon.unsqueeze(-1))
        return dist, {"value": dist.values.amax(0)}

    def quantiles(self, features: Tensor) -> Tensor:
        """[quantiles, A, ...] of the return of every action."""
        heads = self.outputs(features)
        rows = features.shape[:-1]
        values: Tensor = heads["actor"].view(self.config.quantiles, self._actions, *rows)
        if self.config.duelling:
            values = values - values.mean(1, keepdim=True) + heads["value"].unsqueeze(1)
        return values

    def resample(self, generator: torch.Generator) -> None:
        """Draw the noise of noisy layers anew."""
        for module in self.modules():
            if isinstance(module, NoisyLinear):
                module.resample(generator)


class ActorHead(nn.Module):
    """See `Actor`. `noise`, a buffer that the learner sets, is the deviation of exploration in halves of the range."""

    low: Tensor
    high: Tensor
    noise: Tensor

    def __init__(self, config: Actor, trunk: Trunk, space: spaces.Space[Any], normalise_value: bool) -> None:
        """Raises InputError for continuous actions without bounds, and where values should be normalised."""
        super().__init__()
        _no_value_to_normalise(normalise_value)
        self.config, self._space = config, space
        widths, gains = {"actor": head_width(space)}, {"actor": 0.01}
        if box_width(space) and config.spread == "learnt":
            widths["log_std"], gains["log_std"] = box_width(space), 0.01
        self.outputs = Heads(trunk.width, widths, gains, trunk.hidden, trunk.activation)
        low, high = box_bounds(space)
        if not (low.isfinite() & high.isfinite()).all():
            raise InputError(f"this algorithm needs continuous actions with bounds, not {space}: ppo and a2c do not.")
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        self.register_buffer("noise", torch.zeros(()))

    def forward(self, features: Tensor, legal: Tensor | None) -> Reading:
        """Distribution from features [..., width]; no extras."""
        return self.describe(self.outputs(features), legal), {}

    def describe(self, heads: Mapping[str, Tensor], legal: Tensor | None) -> ActionDist:
        """The distribution that the raw `heads` mean."""

        def box(parameters: Tensor, place: slice) -> ActionDist:
            low, high = (bound[..., place].unsqueeze(-2) for bound in (self.low, self.high))
            if self.config.spread == "noise":
                return Jittered(parameters, self.noise.unsqueeze(-1), low, high)
            return Gaussian(parameters, heads["log_std"][place].movedim(0, -1).clamp(-20, 2), low, high)

        return distribution(self._space, heads["actor"], legal, box)


def _no_value_to_normalise(asked: bool) -> None:
    if asked:
        raise InputError("policy.normalise_value = True: only policies with a state value (a2c, ppo, ...) have one.")


Head = ActorCriticHead | QHead | ActorHead


def build_head(config: HeadConfig, trunk: Trunk, space: spaces.Space[Any], normalise_value: bool) -> Head:
    """The module that `config` describes."""
    if isinstance(config, ActorCritic):
        return ActorCriticHead(config, trunk, space, normalise_value)
    if isinstance(config, Q):
        return QHead(config, trunk, space, normalise_value)
    return ActorHead(config, trunk, space, normalise_value)
