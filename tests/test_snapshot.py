"""A snapshot file gives the same policy back, and says in a sentence why another file does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import envs
from agents.policy import Policy
from agents.snapshot import KEY, freeze, load_snapshot, same_weights, save_snapshot
from envs.errors import InputError
from tests.minds import GRU, SHAPES, new_policy

META = {"env": "SlimeVolley-v0", "member": "ada", "step": 12, "parent": None}


def a_policy(actions: str = "discrete", **shape: Any) -> Policy:
    return new_policy(envs.make("SlimeVolley-v0", actions=actions).spec, **shape)


@pytest.mark.parametrize("actions", ["discrete", "multibinary", "box"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_round_trip(shape: dict[str, Any], actions: str, tmp_path: Path) -> None:
    policy = a_policy(actions, **shape)
    save_snapshot(tmp_path / "one.safetensors", policy, META)
    read = load_snapshot(tmp_path / "one.safetensors")
    assert dict(read.meta) == META
    assert (read.policy.obs_space, read.policy.action_space) == (policy.obs_space, policy.action_space)
    assert read.policy.config == policy.config
    assert same_weights(read.policy, policy)
    obs, memory = torch.randn(9, 12), torch.randn(9, policy.memory_size)
    one, other = policy(obs, None, memory), read.policy(obs, None, memory)
    assert torch.equal(one.dist.mode(), other.dist.mode())
    assert torch.equal(one.dist.entropy(), other.dist.entropy())
    assert torch.equal(one.extras["value"], other.extras["value"])
    assert torch.equal(one.memory, other.memory)
    assert not any(weight.requires_grad for weight in read.policy.parameters())


def test_equal_policies_give_equal_bytes(tmp_path: Path) -> None:
    policy = a_policy(**GRU)
    save_snapshot(tmp_path / "one", policy, META)
    save_snapshot(tmp_path / "two", policy, dict(reversed(META.items())))
    save_snapshot(tmp_path / "three", load_snapshot(tmp_path / "one").policy, META)
    one, two, three = ((tmp_path / name).read_bytes() for name in ("one", "two", "three"))
    assert one == two == three
    with torch.no_grad():
        policy.head.outputs.linear.bias[0] += 1e-3
    save_snapshot(tmp_path / "one", policy, META)  # and it replaces what was there
    assert (tmp_path / "one").read_bytes() != two
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three", "two"]


def test_freeze_is_a_copy() -> None:
    policy = a_policy()
    frozen = freeze(policy)
    assert same_weights(policy, frozen)
    policy.head.outputs.linear.bias.data += 1
    assert not same_weights(policy, frozen)
    assert not any(weight.requires_grad for weight in frozen.parameters())


def complaint(path: Path) -> str:
    with pytest.raises(InputError) as fault:
        load_snapshot(path)
    said = str(fault.value)
    assert "\n" not in said and str(path) in said and said.endswith(".") and not said.endswith("..")
    return said


def test_a_truncated_file(tmp_path: Path) -> None:
    save_snapshot(tmp_path / "whole", a_policy(), META)
    data, cut = (tmp_path / "whole").read_bytes(), tmp_path / "cut"
    for length in (0, 1, 7, 8, 9, 100, len(data) // 2, len(data) - 1):
        cut.write_bytes(data[:length])
        assert "is not a whole snapshot file" in complaint(cut)
    cut.write_bytes(data + b"!")
    assert "is not a whole snapshot file" in complaint(cut)


def test_other_files(tmp_path: Path) -> None:
    assert "no snapshot at" in complaint(tmp_path / "none")
    (tmp_path / "text").write_text("These are no weights, but long enough to hold a length.")
    assert "is not a whole snapshot file" in complaint(tmp_path / "text")
    assert "is not a whole snapshot file" in complaint(tmp_path)
    save_file({"weight": torch.zeros(3)}, tmp_path / "foreign", {"format": "pt"})
    assert "another program" in complaint(tmp_path / "foreign")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "torch")
    assert "is not a whole snapshot file" in complaint(tmp_path / "torch")


def forge(path: Path, change: Callable[[dict[str, Any]], Any], weights: Mapping[str, torch.Tensor] = {}) -> str:
    """What is said of a snapshot whose header was changed, or whose weights were replaced."""
    save_snapshot(path, a_policy(), META)
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()[KEY])
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    changed = change(header)
    save_file({**kept, **weights}, path, {KEY: changed if isinstance(changed, str) else json.dumps(changed)})
    return complaint(path)


@pytest.mark.parametrize("number", [1, 3])
def test_another_format(tmp_path: Path, number: int) -> None:
    message = f"has format {number}; this version reads format 2"
    assert message in forge(tmp_path / "a", lambda h: {**h, "format": number})


def test_weights_of_another_network(tmp_path: Path) -> None:
    path, fits = tmp_path / "a", "do not fit the network"
    assert fits in forge(path, lambda h: {**h, "policy": {**h["policy"], "hidden": [7]}})
    assert fits in forge(path, lambda h: {**h, "action_space": {"kind": "discrete", "n": 5, "start": 0}})
    assert fits in forge(path, lambda h: h, {"more": torch.zeros(1)})


@pytest.mark.parametrize(
    "change",
    [
        lambda h: "no json",
        lambda h: "null",
        lambda h: "[]",
        lambda h: "3",
        lambda h: {},
        lambda h: {**h, "format": "one"},
        lambda h: {**h, "policy": None},
        lambda h: {**h, "policy": {**h["policy"], "hidden": "wide"}},
        lambda h: {**h, "policy": {**h["policy"], "depth": 3}},
        lambda h: {**h, "obs_space": {"kind": "sphere"}},
        lambda h: {**h, "obs_space": {**h["obs_space"], "dtype": "float7"}},
        lambda h: {**h, "obs_space": {**h["obs_space"], "low": "zero"}},
        lambda h: {**h, "action_space": {"kind": "discrete", "n": -1}},
        lambda h: {**h, "action_space": {"kind": "multibinary"}},
        lambda h: {key: value for key, value in h.items() if key != "meta"},
    ],
)
def test_headers_that_make_no_sense(change: Callable[[dict[str, Any]], Any], tmp_path: Path) -> None:
    forge(tmp_path / "a", change)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    for path in (tmp_path / "none" / "a.safetensors", tmp_path / "taken"):
        with pytest.raises(InputError, match="cannot write"):
            save_snapshot(path, a_policy(), META)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
