"""Building blocks: layers that also run with stacked weights, encoders, the GRU core, running statistics.

Stacked: every parameter has one more leading axis K, inputs are [K, n, in], and K networks run in one product.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
        if self.weight.ndim == 2:
            return F.linear(x, self.weight, self.bias)
        return torch.baddbmm(self.bias.unsqueeze(-2), x, self.weight.mT)


class MLP(nn.Module):
    """Fully connected encoder; `width` is the size of its output."""

    def __init__(self, inputs: int, hidden: Sequence[int], activation: str) -> None:
        """One layer per entry of `hidden`."""
        super().__init__()
        sizes = [inputs, *hidden]
        self.layers = nn.ModuleList(Linear(a, b) for a, b in pairwise(sizes))
        self.activation = ACTIVATIONS[activation]
        self.width = sizes[-1]

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., width]."""
        for layer in self.layers:
            x = self.activation(layer(x))
        return x


class Heads(nn.Module):
    """Named linear read-outs of one feature vector, kept in one matrix so that they cost one product.

    They are given with their own axis first, [width, ...]: torch splits and reduces a short last axis far slower.
    """

    def __init__(self, inputs: int, widths: Mapping[str, int], gains: Mapping[str, float]) -> None:
        """`widths` in the order of the outputs; `gains` scale each head's initial weights."""
        super().__init__()
        self.widths = dict(widths)
        self.linear = Linear(inputs, sum(widths.values()))
        with torch.no_grad():
            for name, rows in zip(widths, self.linear.weight.split(list(widths.values())), strict=True):
                nn.init.orthogonal_(rows, gains[name])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """[..., inputs] -> name: [width, ...]."""
        parts = self.linear(x).movedim(-1, 0).contiguous().split(list(self.widths.values()))
        return dict(zip(self.widths, parts, strict=True))


class GRU(nn.Module):
    """Gated recurrent unit (Cho et al. 2014), one step at a time; the memory is its state."""

    def __init__(self, inputs: int, width: int) -> None:
        """`width` is H."""
        super().__init__()
        self.width = self.memory_size = width
        self.from_input = Linear(inputs, 3 * width, gain=1.0)
        self.from_memory = Linear(width, 3 * width, gain=1.0)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """[n, inputs], [n, H] -> output [n, H] and the next memory [n, H]."""
        reset_x, keep_x, new_x = self.from_input(x).chunk(3, -1)
        reset_m, keep_m, new_m = self.from_memory(memory).chunk(3, -1)
        keep = torch.sigmoid(keep_x + keep_m)
        new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_m) * new_m)
        memory = new + keep * (memory - new)
        return memory, memory


class NoCore(nn.Module):
    """A core that remembers nothing: H is 0, so no caller asks whether a policy is recurrent."""

    memory_size = 0

    def __init__(self, width: int) -> None:
        """`width` passes through."""
        super().__init__()
        self.width = width

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """`x` and `memory` as they came."""
        return x, memory


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
