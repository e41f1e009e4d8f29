"""Cores against torch's cells, and what lies where in the memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agents.cores import CORES, GRU, LSTM, NoCore

GATES = {"gru": 3, "lstm": 4}


@pytest.fixture(autouse=True)
def seed() -> None:
    """Tests draw from torch's global generator."""
    torch.manual_seed(0)


def randomised(core: GRU | LSTM) -> GRU | LSTM:
    """With biases too."""
    for layer in (core.from_input, core.from_memory):
        nn.init.normal_(layer.bias)
    return core


def copy(core: GRU | LSTM, cell: nn.RNNCellBase, order: list[int]) -> None:
    """Give `cell` the weights of `core`, its gates in the cell's `order`."""
    with torch.no_grad():
        for mine, theirs in ((core.from_input, "ih"), (core.from_memory, "hh")):
            for kind, value in (("weight", mine.weight), ("bias", mine.bias)):
                gates = value.chunk(len(order))
                getattr(cell, f"{kind}_{theirs}").copy_(torch.cat([gates[gate] for gate in order]))


def test_gru_is_torchs() -> None:
    """Reset, keep, new, in that order."""
    ours, theirs = randomised(GRU(5, 7)), nn.GRUCell(5, 7)
    copy(ours, theirs, [0, 1, 2])
    x, memory = torch.randn(4, 5), torch.randn(4, 7)
    output, kept = ours(x, memory)
    assert torch.equal(output, kept)
    torch.testing.assert_close(kept, theirs(x, memory))


def test_lstm_is_torchs() -> None:
    """Gates in the order take, keep, give, new, where torch has give last; memory is output, then cell."""
    ours, theirs = randomised(LSTM(5, 7)), nn.LSTMCell(5, 7)
    copy(ours, theirs, [0, 1, 3, 2])
    x, memory = torch.randn(4, 5), torch.randn(4, 14)
    output, kept = ours(x, memory)
    hidden, cell = theirs(x, (memory[:, :7], memory[:, 7:]))
    torch.testing.assert_close(output, hidden)
    torch.testing.assert_close(kept, torch.cat([hidden, cell], 1))


@pytest.mark.parametrize(("name", "size"), [("none", 0), ("gru", 7), ("lstm", 14)])
def test_widths(name: str, size: int) -> None:
    core = CORES[name](5, 7)
    assert core.memory_size == size
    output, kept = core(torch.randn(4, 5), torch.zeros(4, size))
    assert output.shape == (4, core.width) == (4, 7 if size else 5)
    assert kept.shape == (4, size)


def test_no_core_lets_everything_through() -> None:
    core, x, memory = NoCore(5), torch.randn(4, 5), torch.zeros(4, 0)
    assert core(x, memory) == (x, memory)
    assert not list(core.parameters())


@pytest.mark.parametrize("name", GATES)
def test_a_step_from_what_was_projected_is_the_same(name: str) -> None:
    core: Any = CORES[name](5, 7)
    x, memory = torch.randn(4, 5), torch.randn(4, core.memory_size)
    for one, other in zip(core(x, memory), core.step(core.from_input(x), memory), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", GATES)
def test_stacked_cores_are_each_its_own(name: str) -> None:
    cores: Any = [randomised(CORES[name](5, 7)) for _ in range(3)]  # type: ignore[arg-type]
    together: Any = CORES[name](5, 7)
    for path in ("from_input", "from_memory"):
        for leaf in ("weight", "bias"):
            stack = torch.stack([getattr(getattr(core, path), leaf).detach() for core in cores])
            setattr(getattr(together, path), leaf, nn.Parameter(stack))
    x, memory = torch.randn(3, 4, 5), torch.randn(3, 4, together.memory_size)
    separate = [core(*rows) for core, *rows in zip(cores, x, memory, strict=True)]
    for found, each in zip(together(x, memory), zip(*separate, strict=True), strict=True):
        torch.testing.assert_close(found, torch.stack(each))


def test_a_fresh_lstm_does_not_forget_much() -> None:
    """Its forget gate starts at 1 (Jozefowicz et al. 2015), the other biases at 0."""
    core = LSTM(5, 7)
    assert core.from_input.bias.tolist() == [0.0] * 7 + [1.0] * 7 + [0.0] * 14
    assert (core.from_memory.bias == 0).all()
    cell = torch.randn(4, 7)
    kept = core(torch.zeros(4, 5), torch.cat([torch.zeros(4, 7), cell], 1))[1][:, 7:]
    torch.testing.assert_close(kept, cell * torch.sigmoid(torch.ones(())))


@pytest.mark.parametrize("name", GATES)
def test_weights_begin_orthogonal(name: str) -> None:
    core: Any = CORES[name](5, 7)
    weight: Tensor = core.from_memory.weight
    assert weight.shape == (GATES[name] * 7, 7)
    torch.testing.assert_close(weight.T @ weight, torch.eye(7), atol=1e-5, rtol=0)


def rolled(core: GRU | LSTM, projected: Tensor, memory: Tensor, going: Tensor) -> tuple[Tensor, Tensor]:
    """`core.unroll`, step by step."""
    outputs, carried = [], []
    for x, go in zip(projected, going, strict=True):
        output, memory = core.step(x, memory)
        outputs.append(output)
        carried.append(memory)
        memory = memory * go
    return torch.stack(outputs), torch.stack(carried)


@pytest.mark.parametrize("steps", [1, 6])
@pytest.mark.parametrize("name", GATES)
def test_unrolling_and_its_derivative_are_step_by_step(name: str, steps: int) -> None:
    """By what came in, by the memory before the first step, and by the weights; games end on the way."""
    core: Any = randomised(CORES[name](5, 7).double())  # type: ignore[arg-type]
    projected = torch.randn(steps, 4, GATES[name] * 7).double().requires_grad_()
    memory = torch.randn(4, core.memory_size).double().requires_grad_()
    going = (torch.rand(steps, 4, 1) < 0.7).double()
    inputs = [projected, memory, core.from_memory.weight, core.from_memory.bias]
    ours, theirs = core.unroll(projected, memory, going), rolled(core, projected, memory, going)
    weights = [torch.randn_like(part) for part in theirs]
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)
    gradients = [
        torch.autograd.grad(sum((part * w).sum() for part, w in zip(parts, weights, strict=True)), inputs)
        for parts in (ours, theirs)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", GATES)
def test_no_gradient_crosses_the_end_of_a_game(name: str) -> None:
    core: Any = CORES[name](5, 7)
    projected = torch.randn(5, 3, GATES[name] * 7, requires_grad=True)
    going = torch.ones(5, 3, 1)
    going[2, 1] = 0
    output, _ = core.unroll(projected, torch.randn(3, core.memory_size), going)
    (gradient,) = torch.autograd.grad(output[4].sum(), projected)
    reached = (gradient != 0).any(-1)
    assert reached.T.tolist() == [[True] * 5, [False] * 3 + [True] * 2, [True] * 5]


def test_a_derivative_of_the_derivative_is_refused() -> None:
    """It would be wrong: what is kept for the first has lost how it depends on the inputs."""
    core = GRU(5, 7)
    projected = torch.randn(3, 4, 21, requires_grad=True)
    output, _ = core.unroll(projected, torch.zeros(4, 7), torch.ones(3, 4, 1))
    (gradient,) = torch.autograd.grad(output.sum(), projected, create_graph=True)
    with pytest.raises(RuntimeError, match="does not require grad"):
        gradient.sum().backward()
