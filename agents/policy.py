"""Policy: encoder -> core -> head. The encoder runs once, however many outputs read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from agents.cores import CORES, Core, NoCore
from agents.distributions import ActionDist
from agents.heads import ActorCritic, Head, HeadConfig, Reading, Trunk, build_head
from agents.networks import MLP, Conv, Normaliser
from envs.config import Config
from envs.errors import InputError


class PolicyConfig(Config):
    """Shape of a policy network."""

    encoder: Literal["auto", "mlp", "conv", "dqn"] = "auto"
    """What reads observations: layers `hidden`, a small convolution, or that of Mnih et al. 2015; "auto": "conv" for
    images, "mlp" for the rest."""
    hidden: tuple[PositiveInt, ...] = (64, 64)
    """Width of each encoder layer, after the convolution where there is one; may be empty."""
    activation: Literal["tanh", "relu"] = "tanh"
    """Nonlinearity of the encoder and of the heads' own layers."""
    core: Literal["none", "gru", "lstm"] = "none"
    """Memory between encoder and heads."""
    core_width: int = Field(64, ge=1)
    """Width of the core's output."""
    head_hidden: tuple[PositiveInt, ...] = ()
    """Width of each layer that a head has for itself; with an empty `hidden`, actor and critic share nothing."""
    hold: int = Field(1, ge=1)
    """Env steps for which an action is kept before the next decision, in training and ever after."""
    normalise_obs: bool = False
    """Scale observations by their running mean and variance."""
    normalise_rows: int = Field(0, ge=0)
    """Observations after which their mean and variance stand still; 0: never. What a policy sees changes as it gets
    better, and moving units can undo a policy that has stopped to learn."""
    normalise_value: bool = False
    """Let the value head predict returns scaled by their running mean and variance."""


class Output(NamedTuple):
    """What a policy says about n rows."""

    dist: ActionDist
    memory: Tensor
    """[n, H]."""
    extras: Mapping[str, Tensor]
    """[n] each; "value" is the expected return, where the head has one."""


class Policy(nn.Module):
    """A network that decides: with a critic on the same trunk, with action values, or as an actor alone."""

    def __init__(
        self,
        obs_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: PolicyConfig | None = None,
        head: HeadConfig | None = None,
        encoder: nn.Module | None = None,
    ) -> None:
        """Weights are drawn from torch's global generator.

        Args:
            encoder: of your own, from [n, *obs_shape] float32 to [n, encoder.width], in place of `config.encoder`.

        Raises:
            InputError: spaces that the network does not cover, or an encoder that does not say how wide it is.
        """
        super().__init__()
        self.obs_space, self.action_space = obs_space, action_space
        self.config = config or PolicyConfig()
        shape = obs_space.shape or ()
        if self.config.normalise_obs and len(shape) != 1:
            raise InputError(f"policy.normalise_obs = True: only flat observations can be, not {obs_space}.")
        self.norm_obs = Normaliser(shape[0]) if self.config.normalise_obs else None
        self.own_encoder = encoder is not None
        """Whether the encoder is the user's."""
        self.encoder = _encoder(obs_space, self.config) if encoder is None else encoder
        width = getattr(self.encoder, "width", None)
        if not isinstance(width, int):
            raise InputError(f"the encoder {type(encoder).__name__} must have an int `width`: the size of its output.")
        self.core: Core = CORES[self.config.core](width, self.config.core_width)
        self.memory_size = self.core.memory_size
        trunk = Trunk(self.core.width, self.config.head_hidden, self.config.activation)
        self.head: Head = build_head(head or ActorCritic(), trunk, action_space, self.config.normalise_value)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    @property
    def stackable(self) -> bool:
        """Whether several of this shape can run as one with stacked weights."""
        return isinstance(self.encoder, MLP) and not self.own_encoder

    def forward(self, obs: Tensor, legal: Tensor | None, memory: Tensor) -> Output:
        """One step for n rows: obs [n, *obs_shape], legal [n, A] or None where every action is, memory [n, H]."""
        features, memory = self.core(self.encode(obs), memory)
        dist, extras = self.read(features, legal)
        return Output(dist, memory, extras)

    def unroll(self, obs: Tensor, legal: Tensor | None, memory: Tensor, ended: Tensor) -> Reading:
        """T steps of n lanes, lanes first: obs [n, T, ...], legal [n, T, A] or None, memory [n, H] before the first,
        ended [n, T] after each.

        Returns the distribution and the extras of every step, rows [n, T].
        """
        return self.read(self.trunk(obs, memory, ended)[0], legal)

    def trunk(self, obs: Tensor, memory: Tensor, ended: Tensor) -> tuple[Tensor, Tensor]:
        """Features [n, T, width] of T steps of n lanes, and what was remembered after each, [n, T, H].

        The memory is as a step left it: it is cleared, for the next step, where a game `ended` [n, T].
        """
        features = self.encode(obs)
        if isinstance(self.core, NoCore):
            return features, memory.unsqueeze(1).expand(*obs.shape[:2], 0)
        projected = self.core.from_input(features).transpose(0, 1)
        going = (~ended).to(memory.dtype).T.unsqueeze(-1)
        outputs, carried = self.core.unroll(projected, memory, going)
        return outputs.transpose(0, 1), carried.transpose(0, 1)

    def take_obs(self, obs: Tensor) -> None:
        """Take what was seen, [..., *obs_shape], into the running mean and variance of observations, if there are."""
        norm, rows = self.norm_obs, self.config.normalise_rows
        if norm is not None and (not rows or float(norm.count) < rows):
            norm.update(obs.reshape(-1, obs.shape[-1]).to(norm.mean))

    def encode(self, obs: Tensor) -> Tensor:
        """[..., *obs_shape] -> [..., width]; games may see in another precision than networks think in."""
        obs = obs.float()
        if self.norm_obs is not None:
            obs = self.norm_obs(obs)
        if not self.own_encoder:
            encoded: Tensor = self.encoder(obs)
            return encoded
        axes = len(self.obs_space.shape or ())
        rows = obs.shape[: obs.ndim - axes]
        flat: Tensor = self.encoder(obs.reshape(-1, *obs.shape[obs.ndim - axes :]))
        return flat.reshape(*rows, flat.shape[-1])

    def read(self, features: Tensor, legal: Tensor | None) -> Reading:
        """Distribution and extras [...] from features [..., width]."""
        reading: Reading = self.head(features, legal)
        return reading


def _encoder(space: spaces.Space[Any], config: PolicyConfig) -> nn.Module:
    """The encoder that `config` names, for observations in `space`."""
    shape = space.shape or ()
    image = len(shape) == 3
    if not isinstance(space, spaces.Box) or not (image or len(shape) == 1):
        raise InputError(
            f"no encoder for observations in {space}: use a flat Box, an image, or an encoder of your own."
        )
    kind = config.encoder if config.encoder != "auto" else "conv" if image else "mlp"
    if kind == "mlp":
        return MLP(int(np.prod(shape)), config.hidden, config.activation, axes=len(shape))
    if not image:
        raise InputError(f"policy.encoder = {kind!r} reads images, not {space}: use 'mlp'.")
    scale = 255.0 if space.dtype == np.uint8 else 1.0
    conv = Conv(shape, kind, config.activation, scale)
    return Chain(conv, MLP(conv.width, config.hidden, config.activation))


class Chain(nn.Sequential):
    """Encoders one after the other."""

    def __init__(self, *encoders: nn.Module) -> None:
        """The last one's `width` is that of all."""
        super().__init__(*encoders)
        self.width = encoders[-1].width
