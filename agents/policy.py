"""Policy: encoder -> core -> heads. The encoder runs once, however many heads read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from gymnasium import spaces
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from agents.distributions import ActionDist, Bernoulli, Categorical, Gaussian, head_width
from agents.networks import GRU, MLP, Heads, NoCore, Normaliser
from envs.config import Config
from envs.errors import InputError


class PolicyConfig(Config):
    """Shape of a policy network."""

    hidden: tuple[PositiveInt, ...] = Field((64, 64), min_length=1)
    """Width of each encoder layer."""
    activation: Literal["tanh", "relu"] = "tanh"
    """Nonlinearity of the encoder."""
    core: Literal["none", "gru"] = "none"
    """Memory between encoder and heads."""
    core_width: int = Field(64, ge=1)
    """H, width of the core's memory."""
    hold: int = Field(1, ge=1)
    """Env steps for which an action is kept before the next decision, in training and ever after."""
    normalise_obs: bool = False
    """Scale observations by their running mean and variance."""
    normalise_value: bool = False
    """Let the value head predict returns scaled by their running mean and variance."""


class Output(NamedTuple):
    """What a policy says about n rows."""

    dist: ActionDist
    memory: Tensor
    """[n, H]."""
    extras: Mapping[str, Tensor]
    """[n] each; "value" is the expected return."""


class Policy(nn.Module):
    """An actor and a critic on one trunk."""

    low: Tensor | None
    high: Tensor | None

    def __init__(
        self, obs_space: spaces.Space[object], action_space: spaces.Space[object], config: PolicyConfig
    ) -> None:
        """Weights are drawn from torch's global generator.

        Raises:
            InputError: spaces that the network does not cover.
        """
        super().__init__()
        if not isinstance(obs_space, spaces.Box) or len(obs_space.shape) != 1:
            raise InputError(f"no encoder for observations in {obs_space}: use a flat Box.")
        self.obs_space, self.action_space, self.config = obs_space, action_space, config
        self.norm_obs = Normaliser(obs_space.shape[0]) if config.normalise_obs else None
        self.norm_value = Normaliser(1) if config.normalise_value else None
        self.encoder = MLP(obs_space.shape[0], config.hidden, config.activation)
        width = self.encoder.width
        self.core: GRU | NoCore = GRU(width, config.core_width) if config.core == "gru" else NoCore(width)
        self.memory_size = self.core.memory_size
        widths = {"actor": head_width(action_space), "value": 1}
        self.heads = Heads(self.core.width, widths, gains={"actor": 0.01, "value": 1.0})
        if isinstance(action_space, spaces.Box):
            self.log_std = nn.Parameter(torch.zeros(action_space.shape))
            bounded = bool(action_space.is_bounded("both"))
            self.register_buffer("low", torch.as_tensor(action_space.low) if bounded else None)
            self.register_buffer("high", torch.as_tensor(action_space.high) if bounded else None)

    def forward(self, obs: Tensor, legal: Tensor | None, memory: Tensor) -> Output:
        """One step for n rows: obs [n, *obs_shape], legal [n, A] or None where every action is, memory [n, H]."""
        features, memory = self.core(self.encode(obs), memory)
        dist, value = self.read(features, legal)
        return Output(dist, memory, {"value": value})

    def unroll(self, obs: Tensor, legal: Tensor | None, memory: Tensor, ended: Tensor) -> tuple[ActionDist, Tensor]:
        """T steps of n lanes, lanes first: obs [n, T, ...], legal [n, T, A] or None, memory [n, H] before the first,
        ended [n, T] after each.

        Returns the distribution and the value of every step, rows [n, T].
        """
        features = self.encode(obs)
        if self.memory_size:
            outputs = []
            for t in range(obs.shape[1]):
                output, memory = self.core(features[:, t], memory)
                memory = memory * ~ended[:, t].unsqueeze(-1)
                outputs.append(output)
            features = torch.stack(outputs, 1)
        return self.read(features, legal)

    def encode(self, obs: Tensor) -> Tensor:
        """[..., *obs_shape] -> [..., width]; games may see in another precision than networks think in."""
        obs = obs.float()
        encoded: Tensor = self.encoder(obs if self.norm_obs is None else self.norm_obs(obs))
        return encoded

    def read(self, features: Tensor, legal: Tensor | None) -> tuple[ActionDist, Tensor]:
        """Distribution and value [...] from features [..., width]."""
        heads = self.heads(features)
        value = heads["value"].squeeze(0)
        if self.norm_value is not None:
            value = self.norm_value.unscale(value.unsqueeze(-1)).squeeze(-1)
        return self._dist(heads["actor"], legal), value

    def _dist(self, parameters: Tensor, legal: Tensor | None) -> ActionDist:
        if isinstance(self.action_space, spaces.Discrete):
            return Categorical(parameters, legal)
        if isinstance(self.action_space, spaces.MultiBinary):
            return Bernoulli(parameters)
        low, high = (None if bound is None else bound.unsqueeze(-2) for bound in (self.low, self.high))
        return Gaussian(parameters, self.log_std.unsqueeze(-2), low, high)
