"""Cores: what a policy remembers between encoder and heads. The memory is one row [n, H] whatever the core."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

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

    def unroll(self, projected: Tensor, memory: Tensor, going: Tensor) -> tuple[Tensor, Tensor]:
        """T steps: `projected` [T, n, 3 H], memory [n, H], `going` [T, n, 1] 0 where it is cleared after a step.

        Returns the outputs and what was remembered after each step, before it was cleared, [T, n, H] both.
        """
        carried: Tensor = _GRUSteps.apply(  # type: ignore[no-untyped-call]
            projected, memory, going, self.from_memory.weight, self.from_memory.bias
        )
        return carried, carried


class _GRUSteps(torch.autograd.Function):
    """`GRU.step` T times with its derivative written out: a third of the time that autograd takes step by step."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, memory: Tensor, going: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """[T, n, H] memory after each step."""
        width = memory.shape[1]
        before, gates, news, inner, carried = [], [], [], [], []
        for x, go in zip(projected.unbind(0), going.unbind(0), strict=True):
            from_memory = torch.addmm(bias, memory, weight.t())
            gate = torch.sigmoid(x[:, : 2 * width] + from_memory[:, : 2 * width])
            recall = from_memory[:, 2 * width :]
            new = torch.tanh(torch.addcmul(x[:, 2 * width :], gate[:, :width], recall))
            before.append(memory)
            memory = torch.lerp(new, memory, gate[:, width:])
            gates.append(gate)
            news.append(new)
            inner.append(recall)
            carried.append(memory)
            memory = memory * go
        result = torch.stack(carried)
        ctx.save_for_backward(going, weight, *(torch.stack(part) for part in (before, gates, news, inner)))
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """By the chain rule from the last step to the first (Werbos 1990)."""
        going, weight, before, gates, news, inner = ctx.saved_tensors
        width = before.shape[2]
        reset, keep = gates[..., :width], gates[..., width:]
        # Whatever does not depend on later steps is computed for all steps at once.
        by_new = (1 - keep) * (1 - news.square())
        by_keep = (before - news) * keep * (1 - keep)
        by_reset = inner * reset * (1 - reset)
        later = torch.zeros_like(before[0])
        to_input, to_memory = [], []
        for t in range(len(before) - 1, -1, -1):
            arriving = torch.addcmul(gradients[0][t], later, going[t])
            new = arriving * by_new[t]
            shared = torch.cat([new * by_reset[t], arriving * by_keep[t]], 1)
            to_memory.append(torch.cat([shared, new * reset[t]], 1))
            to_input.append(torch.cat([shared, new], 1))
            later = torch.addmm(arriving * keep[t], to_memory[-1], weight)
        memory_side = torch.stack(to_memory[::-1]).flatten(0, 1)
        by_weight = memory_side.t() @ before.flatten(0, 1)
        return torch.stack(to_input[::-1]), later, None, by_weight, memory_side.sum(0)


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

    def unroll(self, projected: Tensor, memory: Tensor, going: Tensor) -> tuple[Tensor, Tensor]:
        """See `GRU.unroll`; `projected` is [T, n, 4 width]."""
        outputs, carried = [], []
        for x, go in zip(projected.unbind(0), going.unbind(0), strict=True):
            output, memory = self.step(x, memory)
            outputs.append(output)
            carried.append(memory)
            memory = memory * go
        return torch.stack(outputs), torch.stack(carried)


CORES: dict[str, type[NoCore] | type[GRU] | type[LSTM]] = {"none": NoCore, "gru": GRU, "lstm": LSTM}
Core = NoCore | GRU | LSTM
