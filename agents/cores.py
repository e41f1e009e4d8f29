"""Cores: what a policy remembers between encoder and heads. The memory is one row [n, H] whatever the core."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.networks import Linear


class NoCore(nn.Module):
    """A core that remembers nothing: H is 0, so no caller asks whether a policy is recurrent."""

    memory_size = 0

    def __init__(self, inputs: int, width: int = 0) -> None:
        """`inputs` pass through; `width` is not used."""
        super().__init__()
        self.width = inputs

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """`x` and `memory` as they came."""
        return x, memory


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
        return self.step(self.from_input(x), memory)

    def step(self, projected: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """The same from `from_input(x)`, which needs no memory and so can be had for all steps at once."""
        reset_x, keep_x, new_x = projected.chunk(3, -1)
        reset_m, keep_m, new_m = self.from_memory(memory).chunk(3, -1)
        keep = torch.sigmoid(keep_x + keep_m)
        new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_m) * new_m)
        memory = torch.lerp(new, memory, keep)
        return memory, memory


class LSTM(nn.Module):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    The memory is output and cell side by side, so H is twice the width. The forget gate starts at 1
    (Jozefowicz et al. 2015).
    """

    def __init__(self, inputs: int, width: int) -> None:
        """`width` is that of the output, H / 2."""
        super().__init__()
        self.width, self.memory_size = width, 2 * width
        self.from_input = Linear(inputs, 4 * width, gain=1.0)
        self.from_memory = Linear(width, 4 * width, gain=1.0)
        with torch.no_grad():
            self.from_input.bias[width : 2 * width] = 1.0

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """[n, inputs], [n, H] -> output [n, H / 2] and the next memory [n, H]."""
        return self.step(self.from_input(x), memory)

    def step(self, projected: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """The same from `from_input(x)`."""
        output, cell = memory.chunk(2, -1)
        gates = projected + self.from_memory(output)
        take, keep, give = torch.sigmoid(gates[..., : 3 * self.width]).chunk(3, -1)
        cell = keep * cell + take * torch.tanh(gates[..., 3 * self.width :])
        output = give * torch.tanh(cell)
        return output, torch.cat([output, cell], -1)


CORES: dict[str, type[NoCore] | type[GRU] | type[LSTM]] = {"none": NoCore, "gru": GRU, "lstm": LSTM}
Core = NoCore | GRU | LSTM
