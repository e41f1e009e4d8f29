"""Optimiser: all weights of a network as one vector, so that a step costs the same few calls whatever the layers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import Parameter

from envs.config import Config


class LearningConfig(Config):
    """How weights follow a gradient; settings of algorithms begin with these."""

    optimiser: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    """Rule of the step."""
    optimiser_eps: float = Field(1e-5, gt=0)
    """Added to the root of the squared gradient by adam, adamw and rmsprop."""
    learning_rate: float = Field(1e-3, gt=0)
    """Step size at the start."""
    final_learning_rate: float | None = Field(None, ge=0)
    """Step size at the end of the budget; none: the same as at the start."""
    schedule: Literal["linear", "cosine"] = "linear"
    """The way from the first step size to the last."""
    max_grad_norm: float = Field(0.5, gt=0)
    """Gradients are scaled down to this norm."""


class Optimiser:
    """Moves `parameters`, which become views of one vector, by gradients that are such vectors."""

    def __init__(
        self, parameters: Sequence[Parameter], config: LearningConfig, rates: Mapping[str, Tensor] | None = None,
        learning_rate: float | None = None,
    ) -> None:  # fmt: skip
        """Take the parameters over.

        Args:
            rates: named groups: masks over the vector of the entries whose step size has that name, see `scale`.
            learning_rate: in place of the config's at the start.
        """
        self.parameters = list(parameters)
        self.config = config
        self._first = learning_rate or config.learning_rate
        self.weights, parts = _one_vector(self.parameters)
        for parameter, part in zip(self.parameters, parts, strict=True):
            parameter.data = part
        groups, self._places = _groups(self.weights, rates or {})
        self._optimiser = _RULES[config.optimiser](groups, self._first, config)

    def minimise(self, loss: Tensor, progress: float = 0.0) -> Tensor:
        """One step down the gradient of `loss`; returns the gradient's norm before it was cut."""
        parts = torch.autograd.grad(loss, self.parameters, materialize_grads=True)
        return self.step(torch.cat([part.reshape(-1) for part in parts]), progress)

    def step(self, gradient: Tensor, progress: float = 0.0) -> Tensor:
        """One step against `gradient` (all weights, one vector); returns its norm before it was cut."""
        norm: Tensor = torch.linalg.vector_norm(gradient)
        if math.isfinite(self.config.max_grad_norm):
            gradient = gradient * (self.config.max_grad_norm / (norm + 1e-6)).clamp(max=1.0)
        rate = self.rate(progress)
        for group, places in zip(self._optimiser.param_groups, self._places, strict=True):
            group["lr"] = rate * group["scale"]
            for weight, place in zip(group["params"], places, strict=True):
                weight.grad = gradient[place]
        self._move()
        return norm

    @torch.no_grad()
    def _move(self) -> None:
        """A step of torch's optimiser; where its kernel is known and it has begun, by that alone: for few weights torch
        takes several times as long to get there."""
        kernel = _KERNELS.get(type(self._optimiser))
        if kernel is None or not self._optimiser.state:
            self._optimiser.step()
            return
        for group in self._optimiser.param_groups:
            (beta1, beta2), rest = group["betas"], {key: group[key] for key in ("lr", "eps", "weight_decay")}
            for weight in group["params"]:
                state = self._optimiser.state[weight]
                state["step"] += 1
                kernel(
                    [weight], [weight.grad], [state["exp_avg"]], [state["exp_avg_sq"]], [], [state["step"]],
                    beta1=beta1, beta2=beta2, amsgrad=False, maximize=False, **rest,
                )  # fmt: skip

    def scale(self, name: str, factor: float) -> None:
        """Multiply the step size of the group `name` by `factor` from now on."""
        for group in self._optimiser.param_groups:
            if group["name"] == name:
                group["scale"] = factor

    def rate(self, progress: float) -> float:
        """Step size after `progress`, 0..1, of the budget."""
        last = self.config.final_learning_rate
        if last is None:
            return self._first
        done = progress if self.config.schedule == "linear" else (1 - math.cos(math.pi * progress)) / 2
        return self._first + (last - self._first) * done

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on, without the weights."""
        return self._optimiser.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self._optimiser.load_state_dict(dict(state))


def _one_vector(parameters: Sequence[Parameter]) -> tuple[Tensor, list[Tensor]]:
    """All weights in one vector, and the views of it that are the parameters."""
    whole = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
    parts = whole.split([parameter.numel() for parameter in parameters])
    return whole, [part.view_as(parameter) for part, parameter in zip(parts, parameters, strict=True)]


def _groups(weights: Tensor, rates: Mapping[str, Tensor]) -> tuple[list[dict[str, Any]], list[list[slice]]]:
    """Groups for torch, each of the contiguous pieces of `weights` that it owns, and the places of those."""
    owner = torch.zeros(len(weights), dtype=torch.int64)
    for index, mask in enumerate(rates.values(), start=1):
        owner[mask] = index
    names = ["", *rates]
    cuts = [0, *(torch.nonzero(owner.diff()).flatten() + 1).tolist(), len(owner)]
    pieces: list[list[slice]] = [[] for _ in names]
    for start, stop in pairwise(cuts):
        pieces[int(owner[start])].append(slice(start, stop))
    kept = [(name, places) for name, places in zip(names, pieces, strict=True) if places]
    groups = [
        {"params": [Parameter(weights[place]) for place in places], "name": name, "scale": 1.0} for name, places in kept
    ]
    return groups, [places for _, places in kept]


def _adam(groups: Any, rate: float, config: LearningConfig) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, lr=rate, eps=config.optimiser_eps, fused=True)


def _adamw(groups: Any, rate: float, config: LearningConfig) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=rate, eps=config.optimiser_eps, fused=True)


def _rmsprop(groups: Any, rate: float, config: LearningConfig) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(groups, lr=rate, alpha=0.99, eps=config.optimiser_eps)


def _sgd(groups: Any, rate: float, config: LearningConfig) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=rate)


_KERNELS: dict[type[torch.optim.Optimizer], Any] = {
    torch.optim.Adam: torch._fused_adam_,
    torch.optim.AdamW: torch._fused_adamw_,
}
_RULES = {"adam": _adam, "adamw": _adamw, "rmsprop": _rmsprop, "sgd": _sgd}
