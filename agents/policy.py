"""Policy: encoder -> core -> head. The encoder runs once, however many outputs read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from numpy.random import Generator
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from agents.cores import CORES, Core, NoCore
from agents.distributions import ActionDist
from agents.ensemble import Grouped, Groups, draw, stack_into
from agents.heads import Actor, ActorCritic, ActorCriticHead, Head, HeadConfig, Reading, Trunk, build_head
from agents.networks import MLP, Conv, Normaliser
from envs.config import Config
from envs.core import Floats
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
        head = head or ActorCritic()
        central = head.central if isinstance(head, ActorCritic) else 0
        if central and len(shape) != 1:
            raise InputError(f"a value that sees all seats needs flat observations, not {obs_space}.")
        self.norm_obs = Normaliser(shape[0]) if self.config.normalise_obs else None
        self.norm_wide = Normaliser(central) if self.config.normalise_obs and central else None
        """Of the rows that a central value reads."""
        self.own_encoder = encoder is not None
        """Whether the encoder is the user's."""
        self.encoder = _encoder(obs_space, self.config) if encoder is None else encoder
        width = getattr(self.encoder, "width", None)
        if not isinstance(width, int):
            raise InputError(f"the encoder {type(encoder).__name__} must have an int `width`: the size of its output.")
        self.core: Core = CORES[self.config.core](width, self.config.core_width)
        self.memory_size = self.core.memory_size
        trunk = Trunk(self.core.width, self.config.head_hidden, self.config.activation, self.config.hidden)
        self.head: Head = build_head(head, trunk, action_space, self.config.normalise_value)
        self._central, self._width = central, shape[-1] if shape else 0
        self.members = head.members if isinstance(head, Actor) else 1
        """Networks of which one plays each game, in weights [members, ...] if there are several."""
        if self.members > 1:
            if not self._plain or self.memory_size or self.norm_obs is not None:
                raise InputError(
                    "an ensemble cannot have memory, a convolution, an encoder of your own or normalise_obs."
                )
            alone = head.model_copy(update={"members": 1})
            others = [Policy(obs_space, action_space, self.config, alone) for _ in range(self.members - 1)]
            stack_into(self, others)
            self.memory_size = 1

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    @property
    def stackable(self) -> bool:
        """Whether several of this shape can run as one with stacked weights."""
        return self._plain and self.members == 1

    @property
    def _plain(self) -> bool:
        """Whether all its layers are of a kind that can be stacked."""
        return isinstance(self.encoder, MLP) and not self.own_encoder

    def begin(self, memory: Floats, rng: Generator) -> Floats:
        """What is remembered [n, H], once all that is drawn at the start of a game has been drawn."""
        return memory if self.members == 1 else draw(memory, self.members, rng)

    def forward(self, obs: Tensor, legal: Tensor | None, memory: Tensor) -> Output:
        """One step for n rows: obs [n, *obs_shape], legal [n, A] or None where every action is, memory [n, H].

        With a central value, rows may also be [own view | others']: it is given for those, and for no others.
        """
        if self.members > 1:
            return self._by_member(obs, legal, memory)
        features, memory = self.core(self.encode(obs), memory)
        dist, extras = self.read(features, legal, self._wide(obs))
        return Output(dist, memory, extras)

    def _by_member(self, obs: Tensor, legal: Tensor | None, memory: Tensor) -> Output:
        """`forward` of several networks; "member" [n] is who answers. Where none was drawn it is the first."""
        member = (memory[:, 0].long() - 1).clamp_min(0)
        groups = Groups(member, self.members)
        dist, _ = self.read(self.encode(groups.split(obs)), None if legal is None else groups.split(legal))
        return Output(Grouped(dist, groups), memory, {"member": member})

    def unroll(self, obs: Tensor, legal: Tensor | None, memory: Tensor, ended: Tensor) -> Reading:
        """T steps of n lanes, lanes first: obs [n, T, ...] as for `forward`, legal [n, T, A] or None, memory [n, H]
        before the first, ended [n, T] after each.

        Returns the distribution and the extras of every step, rows [n, T].
        """
        return self.read(self.trunk(obs, memory, ended)[0], legal, self._wide(obs))

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
        """Take what was seen, [..., *obs_shape] or rows [own view | others'], into the running mean and variance of
        observations, if there are."""
        rows = self.config.normalise_rows
        for norm, seen in ((self.norm_obs, self._own(obs)), (self.norm_wide, self._wide(obs))):
            if norm is not None and seen is not None and (not rows or float(norm.count) < rows):
                norm.update(seen.reshape(-1, seen.shape[-1]).to(norm.mean))

    def encode(self, obs: Tensor) -> Tensor:
        """[..., *obs_shape] -> [..., width]; games may see in another precision than networks think in."""
        obs = self._own(obs).float()
        if self.norm_obs is not None:
            obs = self.norm_obs(obs)
        if not self.own_encoder:
            encoded: Tensor = self.encoder(obs)
            return encoded
        axes = len(self.obs_space.shape or ())
        rows = obs.shape[: obs.ndim - axes]
        flat: Tensor = self.encoder(obs.reshape(-1, *obs.shape[obs.ndim - axes :]))
        return flat.reshape(*rows, flat.shape[-1])

    def read(self, features: Tensor, legal: Tensor | None, wide: Tensor | None = None) -> Reading:
        """Distribution and extras [...] from features [..., width], and a central value from rows `wide`."""
        seen = () if wide is None else (self._scaled(wide),)
        reading: Reading = self.head(features, legal, *seen)
        return reading

    def central_value(self, wide: Tensor) -> Tensor:
        """[...] what the central value says about rows [own view | others'] [..., central].

        Raises:
            InputError: rows of another width, such as own views alone.
        """
        if wide.shape[-1] != self._central:
            raise InputError(
                f"the central value reads rows of {self._central} numbers, not of {wide.shape[-1]}: "
                "collect with central=True."
            )
        assert isinstance(self.head, ActorCriticHead)
        return self.head.central_value(self._scaled(wide))

    def _scaled(self, wide: Tensor) -> Tensor:
        """Rows as the central value reads them."""
        return wide.float() if self.norm_wide is None else self.norm_wide(wide.float())

    def _own(self, obs: Tensor) -> Tensor:
        """Own views [..., *obs_shape] of rows that may be [own view | others']."""
        return obs[..., : self._width] if self._central else obs

    def _wide(self, obs: Tensor) -> Tensor | None:
        """Rows [own view | others'], where there are and a central value reads them."""
        return obs if self._central and obs.shape[-1] == self._central else None


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
