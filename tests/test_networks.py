"""Layers, encoders and named heads: against torch's, against papers, and with stacked weights."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import stack_module_state

from agents.networks import MLP, Conv, Heads, Linear, NoisyLinear, Normaliser
from envs.errors import InputError

DQN = (84, 84, 4)


@pytest.fixture(autouse=True)
def seed() -> None:
    """Tests draw from torch's global generator."""
    torch.manual_seed(0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(*rows: int, shape: tuple[int, ...] = (20, 24, 3), seed: int = 0) -> Tensor:
    """Whole numbers 0 to 255 as float32."""
    return torch.randint(256, (*rows, *shape), generator=seeded(seed)).float()


def test_heads_are_one_product_with_their_own_gains() -> None:
    heads = Heads(16, {"actor": 6, "value": 1}, {"actor": 0.01, "value": 3.0})
    actor, value = heads.linear.weight.split([6, 1])
    torch.testing.assert_close(actor @ actor.T, 1e-4 * torch.eye(6))
    torch.testing.assert_close(value @ value.T, 9 * torch.eye(1))
    x = torch.randn(3, 4, 16)
    read = heads(x)
    torch.testing.assert_close(read["actor"], (x @ actor.T).movedim(-1, 0))
    torch.testing.assert_close(read["value"], (x @ value.T).movedim(-1, 0))


def test_linear() -> None:
    layer, x = Linear(8, 3), torch.randn(2, 5, 8)
    assert (layer.bias == 0).all()
    nn.init.normal_(layer.bias)
    torch.testing.assert_close(layer(x), x @ layer.weight.T + layer.bias)


@pytest.mark.parametrize(("name", "module"), [("tanh", nn.Tanh), ("relu", nn.ReLU)])
def test_mlp(name: str, module: type[nn.Module]) -> None:
    mlp = MLP(5, (8, 6), name)
    first, second = nn.Linear(5, 8), nn.Linear(8, 6)
    theirs = nn.Sequential(first, module(), second, module())
    with torch.no_grad():
        for ours, copy in zip(mlp.layers, (first, second), strict=True):
            assert isinstance(ours, Linear)
            ours.bias.add_(torch.randn_like(ours.bias))
            copy.weight.copy_(ours.weight)
            copy.bias.copy_(ours.bias)
    x = torch.randn(7, 5)
    torch.testing.assert_close(mlp(x), theirs(x))
    assert mlp.width == 6


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 1000))
def test_running_statistics_are_those_of_all_rows(sizes: list[int], seed: int) -> None:
    """In whatever portions they came (Chan et al. 1979)."""
    rng = np.random.default_rng(seed)
    rows = torch.from_numpy(rng.normal(rng.normal(size=3) * 5, rng.uniform(0.1, 4, 3), (sum(sizes), 3)))
    running = Normaliser(3).double()
    for part in rows.split(sizes):
        running.update(part)
    torch.testing.assert_close(running.mean, rows.mean(0))
    torch.testing.assert_close(running.var, rows.var(0, unbiased=False))
    assert running.count.item() == len(rows)


def test_normalising_and_back() -> None:
    running, rows = Normaliser(3), torch.randn(500, 3)
    torch.testing.assert_close(running(rows), rows)  # the identity until it has seen something
    rows = rows * torch.tensor([0.1, 1.0, 30.0]) + 4
    running.update(rows)
    scaled = running(rows)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0, unbiased=False), torch.ones(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(running.unscale(scaled), rows)
    assert running(torch.full((1, 3), 1e6)).max() == 10


def test_an_mlp_without_layers_lets_through_what_comes() -> None:
    mlp, x = MLP(5, (), "tanh"), torch.randn(7, 5)
    assert mlp.width == 5
    assert torch.equal(mlp(x), x)
    assert not list(mlp.parameters())


def test_an_mlp_reads_an_image_as_one_row() -> None:
    mlp = MLP(24, (6,), "relu", axes=3)
    flat = MLP(24, (6,), "relu")
    flat.load_state_dict(mlp.state_dict())
    x = torch.randn(2, 5, 4, 3, 2)
    torch.testing.assert_close(mlp(x), flat(x.reshape(2, 5, 24)))


@pytest.mark.parametrize(("inputs", "outputs"), [(12, 5), (5, 12), (7, 7)])
@pytest.mark.parametrize("kind", [Linear, NoisyLinear])
def test_weights_begin_orthogonal(kind: type[Linear], inputs: int, outputs: int) -> None:
    """All rows, or all columns where there are fewer, at right angles and of one length: that of the gain."""
    weight = kind(inputs, outputs, gain=1.5).weight
    small = weight @ weight.T if outputs <= inputs else weight.T @ weight
    torch.testing.assert_close(small, 2.25 * torch.eye(len(small)), atol=1e-5, rtol=0)


def test_convolutions_begin_orthogonal() -> None:
    for layer in Conv(DQN, "dqn", "relu", 255.0).layers:
        assert isinstance(layer, nn.Conv2d) and layer.bias is not None
        rows = layer.weight.flatten(1)
        torch.testing.assert_close(rows @ rows.T, 2 * torch.eye(len(rows)), atol=1e-5, rtol=0)
        assert (layer.bias == 0).all()


@pytest.mark.parametrize("layers", ["conv", "dqn"])
def test_channels_may_come_first_or_last(layers: str) -> None:
    last, first = Conv((44, 36, 3), layers, "relu", 255.0), Conv((3, 44, 36), layers, "relu", 255.0)
    first.load_state_dict(last.state_dict())
    picture = images(6, shape=(44, 36, 3))
    encoded = last(picture)
    torch.testing.assert_close(first(picture.permute(0, 3, 1, 2)), encoded)
    assert encoded.shape == (6, last.width)
    assert not torch.allclose(encoded[0], encoded[1], atol=1e-3)


def test_dqn_is_that_of_mnih_et_al() -> None:
    """2015, methods: 32 filters of 8x8 at 4, 64 of 4x4 at 2, 64 of 3x3 at 1, 512 units. Four frames of 84x84."""
    conv = Conv(DQN, "dqn", "relu", 255.0)
    module = nn.Sequential(
        nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(), nn.Conv2d(64, 64, 3, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(7 * 7 * 64, 512), nn.ReLU(),
    )  # fmt: skip
    with torch.no_grad():
        for mine, theirs in zip(conv.parameters(), module.parameters(), strict=True):
            mine.add_(torch.randn_like(mine) * 0.01)  # biases too
            theirs.copy_(mine)
    frames = images(3, shape=DQN)
    torch.testing.assert_close(conv(frames), module(frames.permute(0, 3, 1, 2) / 255), rtol=1e-4, atol=1e-5)
    assert sum(weight.numel() for weight in conv.parameters()) == 1_684_128
    assert conv.width == 512


def test_pixels_are_divided_by_their_scale() -> None:
    bytes_, fractions = Conv((20, 24, 3), "conv", "tanh", 255.0), Conv((20, 24, 3), "conv", "tanh", 1.0)
    fractions.load_state_dict(bytes_.state_dict())
    picture = images(4)
    torch.testing.assert_close(bytes_(picture), fractions(picture / 255))


@pytest.mark.parametrize("rows", [(), (5,), (3, 4), (0,), (2, 3, 2)])
def test_an_image_encoder_keeps_leading_axes(rows: tuple[int, ...]) -> None:
    conv, picture = Conv((20, 24, 3), "conv", "relu", 255.0), images(*rows)
    encoded = conv(picture)
    assert encoded.shape == (*rows, conv.width)
    torch.testing.assert_close(encoded.reshape(-1, conv.width), conv(picture.reshape(-1, 20, 24, 3)))


@pytest.mark.parametrize(
    ("layers", "enough", "too_small"),
    [("conv", (7, 7, 3), (6, 7, 3)), ("dqn", (36, 36, 4), (35, 36, 4)), ("dqn", (4, 36, 40), (4, 40, 35))],
)
def test_an_image_that_is_too_small(layers: str, enough: tuple[int, ...], too_small: tuple[int, ...]) -> None:
    """The sentence names the encoder that takes images of any size."""
    assert Conv(enough, layers, "relu", 255.0)(images(2, shape=enough)).isfinite().all()
    with pytest.raises(InputError) as fault:
        Conv(too_small, layers, "relu", 255.0)
    said = str(fault.value)
    assert str(too_small) in said and repr(layers) in said and "'mlp'" in said


def test_noise_stops_where_training_does() -> None:
    layer, x = NoisyLinear(6, 4), torch.randn(3, 6)
    plain = x @ layer.weight.T + layer.bias
    torch.testing.assert_close(layer(x), plain)  # before the first draw there is none
    layer.resample(seeded())
    noisy = layer(x)
    assert not torch.allclose(noisy, plain, atol=1e-3)
    assert torch.equal(layer(x), noisy)  # it stays until the next draw
    torch.testing.assert_close(layer.eval()(x), plain)


def test_noise_is_factorised() -> None:
    """Fortunato et al. 2018, equations 9 to 11: f(e_out) f(e_in) on weights, f(e_out) on biases, scaled by what is
    learnt."""
    layer, x = NoisyLinear(6, 4), torch.randn(3, 6)
    with torch.no_grad():
        layer.weight_scale.uniform_(0.1, 1.0)
        layer.bias_scale.uniform_(0.1, 1.0)
    layer.resample(seeded(3))
    draws = [torch.randn(size, generator=rng) for rng in [seeded(3)] for size in (6, 4)]
    e_in, e_out = (draw.sign() * draw.abs().sqrt() for draw in draws)
    weight = layer.weight + layer.weight_scale * torch.outer(e_out, e_in)
    torch.testing.assert_close(layer(x), x @ weight.T + layer.bias + layer.bias_scale * e_out)


def test_noise_has_the_size_of_the_paper() -> None:
    """E f(e)^2 = E |e| = sqrt(2 / pi), mean 0; scales begin at 0.5 / sqrt(inputs)."""
    layer = NoisyLinear(40_000, 40_000 // 4000)
    layer.resample(seeded())
    assert layer.noise_in.mean().item() == pytest.approx(0, abs=0.02)
    assert layer.noise_in.square().mean().item() == pytest.approx(math.sqrt(2 / math.pi), abs=0.02)
    for scale in (layer.weight_scale, layer.bias_scale):
        torch.testing.assert_close(scale, torch.full_like(scale, 0.5 / 200))


def test_noise_follows_its_generator() -> None:
    one, same, other = NoisyLinear(6, 4), NoisyLinear(6, 4), NoisyLinear(6, 4)
    rng = seeded(1)
    for layer, source in ((one, rng), (same, seeded(1)), (other, rng)):
        layer.resample(source)
    assert torch.equal(one.noise_in, same.noise_in) and torch.equal(one.noise_out, same.noise_out)
    assert not torch.equal(one.noise_in, other.noise_in) and not torch.equal(one.noise_out, other.noise_out)


def test_how_much_noise_is_learnt() -> None:
    layer, x = NoisyLinear(6, 4), torch.randn(3, 6)
    layer.resample(seeded())
    layer(x).sum().backward()
    assert layer.weight_scale.grad is not None and layer.bias_scale.grad is not None
    torch.testing.assert_close(layer.bias_scale.grad, 3 * layer.noise_out)
    torch.testing.assert_close(layer.weight_scale.grad, torch.outer(layer.noise_out, layer.noise_in * x.sum(0)))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", [Linear, NoisyLinear])
def test_stacked_layers_are_each_its_own(kind: type[Linear], training: bool) -> None:
    layers = [kind(6, 4).train(training) for _ in range(3)]
    for index, layer in enumerate(layers):
        nn.init.normal_(layer.bias)
        if isinstance(layer, NoisyLinear):
            layer.resample(seeded(index))
    parameters, buffers = stack_module_state([*layers])
    together, x = kind(6, 4).train(training), torch.randn(3, 5, 6)
    for name, value in {**parameters, **buffers}.items():
        delattr(together, name)
        setattr(together, name, value)
    separate = torch.stack([layer(rows) for layer, rows in zip(layers, x, strict=True)])
    torch.testing.assert_close(together(x), separate)


@pytest.mark.parametrize("noisy", [False, True])
def test_heads_with_layers_of_their_own(noisy: bool) -> None:
    heads = Heads(9, {"actor": 4, "value": 1}, {"actor": 0.01, "value": 2.0}, (6, 5), "relu", noisy)
    kind = NoisyLinear if noisy else Linear
    x = torch.randn(3, 7, 9)
    read = heads(x)
    assert list(read) == ["actor", "value"]
    for name, width, gain in (("actor", 4, 0.01), ("value", 1, 2.0)):
        layers = [layer for layer in heads.branches[name].modules() if isinstance(layer, Linear)]
        assert [type(layer) for layer in layers] == [kind] * 3
        assert [layer.weight.shape for layer in layers] == [(b, a) for a, b in pairwise((9, 6, 5, width))]
        assert heads.last(name) is layers[-1]
        end = layers[-1].weight
        torch.testing.assert_close(end @ end.T, gain**2 * torch.eye(width), atol=1e-5, rtol=0)
        hidden = layers[1](layers[0](x).relu()).relu()
        torch.testing.assert_close(read[name], layers[-1](hidden).movedim(-1, 0))
        assert read[name].shape == (width, 3, 7) and read[name].is_contiguous()


def test_heads_with_layers_of_their_own_share_none() -> None:
    heads = Heads(9, {"actor": 4, "value": 1}, {"actor": 1.0, "value": 1.0}, (6,))
    heads(torch.randn(3, 9))["value"].sum().backward()
    reached = {name for name, weight in heads.named_parameters() if weight.grad is not None}
    assert reached and all(name.startswith("branches.value.") for name in reached)


def test_the_last_layer_of_heads_without_their_own() -> None:
    heads = Heads(9, {"actor": 4, "value": 1}, {"actor": 1.0, "value": 1.0})
    assert heads.last("actor") is heads.last("value") is heads.linear
    assert heads(torch.randn(3, 7, 9))["actor"].is_contiguous()
