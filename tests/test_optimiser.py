"""One vector of weights moves as torch moves separate ones; schedules, groups, and going on from a saved state."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.utils import parameters_to_vector

from agents.algorithms import registry
from agents.algorithms.algorithm import value_mask
from agents.collect import collect
from agents.optimiser import LearningConfig, Optimiser
from agents.policy import Policy, PolicyConfig
from tests.learners import steps_of
from tests.probes import Aim, Probe, Signs

SIZES = [(3, 4), (4,), (2, 4), ()]
RULES: dict[str, Callable[[list[Parameter], float], torch.optim.Optimizer]] = {
    "adam": lambda weights, rate: torch.optim.Adam(weights, lr=rate, eps=1e-5),
    "adamw": lambda weights, rate: torch.optim.AdamW(weights, lr=rate, eps=1e-5),
    "rmsprop": lambda weights, rate: torch.optim.RMSprop(weights, lr=rate, alpha=0.99, eps=1e-5),
    "sgd": lambda weights, rate: torch.optim.SGD(weights, lr=rate),
}


@pytest.fixture(autouse=True)
def seed() -> None:
    """Tests draw from torch's global generator."""
    torch.manual_seed(0)


def some_weights(seed: int = 0) -> list[Parameter]:
    rng = torch.Generator().manual_seed(seed)
    return [Parameter(torch.randn(size, generator=rng)) for size in SIZES]


def losses(weights: list[Parameter], count: int = 5) -> Iterator[Tensor]:
    """Of different sizes, so that some gradients are cut and others are not; the last weight is in none."""
    for scale in range(count):
        yield sum(((weight - 1) ** 3).sum() for weight in weights[:-1]) * 10.0 ** (scale - 3)  # type: ignore[misc]


@pytest.mark.parametrize("rule", RULES)
def test_a_step_is_torchs(rule: Any) -> None:
    ours, theirs = some_weights(), some_weights()
    optimiser = Optimiser(ours, LearningConfig(optimiser=rule, learning_rate=0.02))
    reference = RULES[rule](theirs, 0.02)
    cut = []
    for mine, other in zip(losses(ours), losses(theirs), strict=True):
        reference.zero_grad()
        other.backward()
        theirs[-1].grad = torch.zeros(())
        norm = nn.utils.clip_grad_norm_(theirs, 0.5)
        cut.append(bool(norm > 0.5))
        torch.testing.assert_close(optimiser.minimise(mine), norm)
        reference.step()
        for one, another in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one, another, rtol=1e-4, atol=1e-6)
    assert len(set(cut)) == 2


def test_gradients_are_cut_to_the_norm() -> None:
    weights = some_weights()
    optimiser = Optimiser(weights, LearningConfig(optimiser="sgd", learning_rate=1.0, max_grad_norm=2.0))
    for size, moved in ((1.5, 1.5), (50.0, 2.0)):
        before, gradient = optimiser.weights.clone(), torch.randn(len(optimiser.weights))
        gradient *= size / gradient.norm()
        assert optimiser.step(gradient).item() == pytest.approx(size, rel=1e-4)
        torch.testing.assert_close(before - optimiser.weights, gradient * moved / size, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("schedule", "half", "quarter"), [("linear", 6.0, 8.0), ("cosine", 6.0, 10 - 4 * (1 - 0.5**0.5))]
)
def test_step_sizes_over_the_budget(schedule: Any, half: float, quarter: float) -> None:
    config = LearningConfig(optimiser="sgd", learning_rate=10, final_learning_rate=2, schedule=schedule)
    optimiser = Optimiser(some_weights(), config)
    for progress, rate in ((0.0, 10.0), (0.25, quarter), (0.5, half), (1.0, 2.0)):
        assert optimiser.rate(progress) == pytest.approx(rate)
        before, gradient = optimiser.weights.clone(), torch.full((len(optimiser.weights),), 0.01)
        optimiser.step(gradient, progress)
        torch.testing.assert_close(before - optimiser.weights, gradient * rate, rtol=1e-3, atol=1e-6)


def test_without_a_last_step_size_the_first_one_stays() -> None:
    optimiser = Optimiser(some_weights(), LearningConfig(learning_rate=0.3))
    assert [optimiser.rate(progress) for progress in (0.0, 0.5, 1.0)] == [0.3] * 3
    given = Optimiser(some_weights(), LearningConfig(learning_rate=0.3, final_learning_rate=0.0), learning_rate=0.1)
    assert [given.rate(progress) for progress in (0.0, 0.5, 1.0)] == pytest.approx([0.1, 0.05, 0.0])


def masks() -> dict[str, Tensor]:
    """Two groups of scattered weights, which cross the borders of parameters."""
    one, other = torch.zeros(25, dtype=torch.bool), torch.zeros(25, dtype=torch.bool)
    one[[0, 3, 4, 11, 12, 13, 24]] = True
    other[[5, 14, 15]] = True
    return {"one": one, "other": other}


@pytest.mark.parametrize("rule", RULES)
def test_groups_have_their_own_step_sizes(rule: Any) -> None:
    config = LearningConfig(optimiser=rule, learning_rate=0.02, max_grad_norm=0.1)
    plain, grouped = Optimiser(some_weights(), config), Optimiser(some_weights(), config, masks())
    torch.testing.assert_close(plain.weights, grouped.weights)
    factors = torch.ones(25)
    for name, factor in (("one", 3.0), ("other", 0.0)):
        grouped.scale(name, factor)
        factors[masks()[name]] = factor
    before, gradient = plain.weights.clone(), torch.randn(25)
    norms = [optimiser.step(gradient, progress=0.7) for optimiser in (plain, grouped)]
    assert torch.equal(*norms)  # gradients are cut by the norm of all of them, as without groups
    torch.testing.assert_close(grouped.weights - before, (plain.weights - before) * factors, rtol=1e-3, atol=1e-6)


def test_groups_of_one_step_size_change_nothing() -> None:
    config = LearningConfig(learning_rate=0.02)
    plain, grouped = Optimiser(some_weights(), config), Optimiser(some_weights(), config, masks())
    for seed in range(4):
        gradient = torch.randn(25, generator=torch.Generator().manual_seed(seed))
        plain.step(gradient)
        grouped.step(gradient)
    torch.testing.assert_close(plain.weights, grouped.weights)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_it_goes_on_from_its_state(rule: Any, grouped: bool) -> None:
    """To the bit, through a file that is read without running code; the step sizes of groups are in it."""
    config = LearningConfig(optimiser=rule, learning_rate=0.02, final_learning_rate=0.0)
    gradients = [torch.randn(25, generator=torch.Generator().manual_seed(seed)) for seed in range(6)]
    first = Optimiser(some_weights(), config, masks() if grouped else None)
    first.scale("one", 0.5)
    for gradient in gradients[:3]:
        first.step(gradient, 0.2)
    file = io.BytesIO()
    torch.save({"weights": first.weights, "state": first.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    second = Optimiser(some_weights(seed=9), config, masks() if grouped else None)
    second.weights.copy_(saved["weights"])
    second.load_state_dict(saved["state"])
    for gradient in gradients[3:]:
        assert torch.equal(first.step(gradient, 0.6), second.step(gradient, 0.6))
    assert torch.equal(first.weights, second.weights)


def test_parameters_are_views_of_one_vector() -> None:
    """Before and after steps, and after weights were loaded: what moves the vector moves them, and the reverse."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    other = deepcopy(network)
    begun = parameters_to_vector(network.parameters()).clone()
    optimiser = Optimiser(list(network.parameters()), LearningConfig(), {"last": torch.arange(26) >= 16})
    assert torch.equal(optimiser.weights, begun)

    def together() -> None:
        assert torch.equal(parameters_to_vector(network.parameters()), optimiser.weights)
        start = optimiser.weights.data_ptr()
        end = start + 4 * len(optimiser.weights)
        assert all(start <= weight.data_ptr() < end for weight in network.parameters())

    together()
    optimiser.minimise(network(torch.randn(5, 3)).square().sum())
    assert not torch.equal(optimiser.weights, begun)
    together()
    network.load_state_dict(other.state_dict())
    assert torch.equal(optimiser.weights, begun)
    together()
    optimiser.weights.zero_()
    assert (network(torch.randn(5, 3)) == 0).all()


SHAPES: dict[str, dict[str, Any]] = {
    "linear": {"hidden": (6,)},
    "branches": {"hidden": (6,), "head_hidden": (5,)},
    "apart": {"hidden": (), "head_hidden": (5,)},
    "recurrent": {"hidden": (6,), "core": "gru", "core_width": 4},
}


def value_alone(policy: Policy) -> Tensor:
    """Which of all weights have a gradient from the value and none from the actions, by trying it out."""
    torch.manual_seed(0)
    features = policy.trunk(torch.randn(50, 3, 1), torch.zeros(50, policy.memory_size), torch.zeros(50, 3) > 0)[0]
    heads = policy.head.outputs(features)
    weights = list(policy.parameters())
    reached = [
        torch.cat([part.flatten() for part in torch.autograd.grad(
            (heads[name] * torch.randn_like(heads[name])).sum(), weights, retain_graph=True, materialize_grads=True
        )]) != 0
        for name in ("value", "actor")
    ]  # fmt: skip
    return reached[0] & ~reached[1]


@pytest.mark.parametrize("probe", [Signs, Aim])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_value_head_has_its_own_step_size(shape: str, probe: type[Probe]) -> None:
    """`value_rate` moves what only the value reads at another speed, and nothing else."""
    spec = probe(1).spec
    moved, mask = [], torch.zeros(0)
    for value_rate in (1.0, 3.0):
        settings = {"value_rate": value_rate, "optimiser": "sgd", "learning_rate": 0.1, "max_grad_norm": 1e9}
        spaces = spec.observation_spaces[0], spec.action_spaces[0]
        learner = registry.build("a2c", *spaces, settings, PolicyConfig(**SHAPES[shape]), seed=1)
        before = parameters_to_vector(learner.policy.parameters()).clone()
        mask = value_alone(learner.policy)
        assert torch.equal(mask, value_mask(learner.policy))
        learner.update(collect(steps_of(probe, learner.policy, 0), 3))
        moved.append(parameters_to_vector(learner.policy.parameters()).detach() - before)
    assert mask.any() and not mask.all() and (moved[0][mask] != 0).all()
    torch.testing.assert_close(moved[1][~mask], moved[0][~mask], rtol=1e-3, atol=1e-7)
    torch.testing.assert_close(moved[1][mask], 3 * moved[0][mask], rtol=1e-3, atol=1e-7)
