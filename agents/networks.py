"""Building blocks: layers that also run with stacked weights, encoders, named heads, running statistics.

Stacked: every parameter has one more leading axis K, inputs are [K, n, in], and K networks run in one product.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from envs.errors import InputError

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu}


class Linear(nn.Module):
    """Affine map with orthogonal weights and zero bias (Saxe et al. 2014)."""

    def __init__(self, inputs: int, outputs: int, gain: float = math.sqrt(2)) -> None:
        """`gain` scales the orthogonal matrix."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.orthogonal_(self.weight, gain)

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        return _affine(x, self.weight, self.bias)


def _affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """One product, whether the weights are stacked or not."""
    if weight.ndim == 2:
        return F.linear(x, weight, bias)
    return torch.baddbmm(bias.unsqueeze(-2), x, weight.mT)


class MLP(nn.Module):
    """Fully connected encoder; `width` is the size of its output."""

    def __init__(
        self, inputs: int, hidden: Sequence[int], activation: str, kind: type[Linear] = Linear, axes: int = 1
    ) -> None:
        """One layer of `kind` per entry of `hidden`, none: the input passes through. The last `axes` of inputs, which
        hold `inputs` numbers, are taken as one."""
        super().__init__()
        self._axes = axes
        sizes = [inputs, *hidden]
        self.layers = nn.ModuleList(kind(a, b) for a, b in pairwise(sizes))
        self.activation = ACTIVATIONS[activation]
        self.width = sizes[-1]

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., width]."""
        if self._axes > 1:
            x = x.flatten(-self._axes)
        for layer in self.layers:
            x = self.activation(layer(x))
        return x


class Conv(nn.Module):
    """Convolutional encoder of images [..., height, width, channels] or [..., channels, height, width]."""

    def __init__(self, shape: Sequence[int], layers: str, activation: str, scale: float) -> None:
        """`shape` of one image; `layers` is a key of `CONVOLUTIONS`; pixels are divided by `scale`.

        Raises:
            InputError: an image that is too small for the layers.
        """
        super().__init__()
        self._last = shape[-1] <= shape[0]  # where the channels are: there are fewer of them than of pixels
        channels, *size = (shape[-1], *shape[:-1]) if self._last else shape
        self._scale, self.activation = scale, ACTIVATIONS[activation]
        plan, self.width = CONVOLUTIONS[layers]
        self.layers = nn.ModuleList()
        for out, kernel, stride in plan:
            if min(size) < kernel:
                raise InputError(f"images of {tuple(shape)} are too small for the encoder {layers!r}: use 'mlp'.")
            self.layers.append(nn.Conv2d(channels, out, kernel, stride))
            nn.init.orthogonal_(self.layers[-1].weight, math.sqrt(2))  # type: ignore[arg-type]
            nn.init.zeros_(self.layers[-1].bias)  # type: ignore[arg-type]
            channels, size = out, [(side - kernel) // stride + 1 for side in size]
        self.last = Linear(channels * math.prod(size), self.width)

    def forward(self, x: Tensor) -> Tensor:
        """[..., *shape] -> [..., width]."""
        rows = x.shape[:-3]
        x = x.reshape(-1, *x.shape[-3:]) / self._scale
        if self._last:
            x = x.movedim(-1, 1)
        for layer in self.layers:
            x = self.activation(layer(x))
        return self.activation(self.last(x.flatten(1))).reshape(*rows, self.width)


CONVOLUTIONS: dict[str, tuple[tuple[tuple[int, int, int], ...], int]] = {
    "conv": (((16, 3, 2), (32, 3, 2)), 128),
    "dqn": (((32, 8, 4), (64, 4, 2), (64, 3, 1)), 512),
}
"""Channels, kernel and stride of each layer, and the width of the output; "dqn" is that of Mnih et al. 2015."""


class NoisyLinear(Linear):
    """Affine map with noisy weights while it trains: factorised Gaussian noise (Fortunato et al. 2018, eq. 9-11)."""

    noise_in: Tensor
    noise_out: Tensor

    def __init__(self, inputs: int, outputs: int, gain: float = math.sqrt(2)) -> None:
        """`gain` scales the orthogonal matrix; the noise starts at 0.5 / sqrt(inputs), as in the paper."""
        super().__init__(inputs, outputs, gain)
        self.weight_scale = nn.Parameter(torch.full((outputs, inputs), 0.5 / math.sqrt(inputs)))
        self.bias_scale = nn.Parameter(torch.full((outputs,), 0.5 / math.sqrt(inputs)))
        self.register_buffer("noise_in", torch.zeros(inputs))
        self.register_buffer("noise_out", torch.zeros(outputs))

    def resample(self, generator: torch.Generator) -> None:
        """Draw the noise anew; it stays until the next draw."""
        for noise in (self.noise_in, self.noise_out):
            draw = torch.randn(noise.shape, generator=generator)
            noise.copy_(draw.sign() * draw.abs().sqrt())

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        if not self.training:
            return super().forward(x)
        weight = self.weight + self.weight_scale * self.noise_out.unsqueeze(-1) * self.noise_in.unsqueeze(-2)
        return _affine(x, weight, self.bias + self.bias_scale * self.noise_out)


class Heads(nn.Module):
    """Named read-outs of one feature vector. Linear ones are kept in one matrix, so that they cost one product.

    They are given with their own axis first, [width, ...]: torch splits and reduces a short last axis far slower.
    """

    def __init__(
        self,
        inputs: int,
        widths: Mapping[str, int],
        gains: Mapping[str, float],
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        noisy: bool = False,
    ) -> None:
        """`widths` in the order of the outputs; `gains` scale each head's initial weights; `hidden` layers of each."""
        super().__init__()
        self.widths = dict(widths)
        kind = NoisyLinear if noisy else Linear
        if not hidden:
            self.linear = kind(inputs, sum(widths.values()))
            with torch.no_grad():
                for name, rows in zip(widths, self.linear.weight.split(list(widths.values())), strict=True):
                    nn.init.orthogonal_(rows, gains[name])
            return
        self.branches = nn.ModuleDict()
        for name, width in widths.items():
            branch = MLP(inputs, hidden, activation, kind)
            self.branches[name] = nn.Sequential(branch, kind(branch.width, width, gains[name]))

    def last(self, name: str) -> Linear:
        """The layer that gives the head `name`: its own, or the one in which the heads have their rows in order."""
        if "branches" not in self._modules:
            return self.linear
        layer = self.branches[name].get_submodule("1")
        assert isinstance(layer, Linear)
        return layer

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """[..., inputs] -> name: [width, ...]."""
        if "branches" in self._modules:
            return {name: branch(x).movedim(-1, 0).contiguous() for name, branch in self.branches.items()}
        parts = self.linear(x).movedim(-1, 0).contiguous().split(list(self.widths.values()))
        return dict(zip(self.widths, parts, strict=True))


class Normaliser(nn.Module):
    """Running mean and variance of a stream of rows [*, width] (Chan et al. 1979), part of the weights."""

    mean: Tensor
    var: Tensor
    count: Tensor

    def __init__(self, width: int) -> None:
        """Starts as the identity."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("var", torch.ones(width))
        self.register_buffer("count", torch.zeros(1))

    @torch.no_grad()
    def update(self, rows: Tensor) -> None:
        """Take `rows` [n, width] into the statistics."""
        n = len(rows)
        mean, var = rows.mean(0), rows.var(0, unbiased=False)
        total = self.count + n
        shift = mean - self.mean
        spread = self.var * self.count + var * n + shift.square() * self.count * n / total
        self.mean.add_(shift * n / total)
        self.var.copy_(spread / total)
        self.count.copy_(total)

    def forward(self, x: Tensor) -> Tensor:
        """To mean 0 and variance 1, cut at 10 deviations."""
        return ((x - self.mean.unsqueeze(-2)) / self.std).clamp(-10, 10)

    def unscale(self, x: Tensor) -> Tensor:
        """From mean 0 and variance 1 back to the units of the stream."""
        return x * self.std + self.mean.unsqueeze(-2)

    @property
    def std(self) -> Tensor:
        """Standard deviation, broadcast over rows."""
        return (self.var + 1e-8).sqrt().unsqueeze(-2)
