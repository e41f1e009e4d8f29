"""Snapshot: a policy frozen to one file, safetensors with a JSON header. Reading one runs no code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from agents.policy import Policy, PolicyConfig
from envs.config import parse
from envs.errors import InputError

KEY, FORMAT = "arena", 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A policy as it was read from a file."""

    policy: Policy
    """In evaluation mode, without gradients."""
    meta: Mapping[str, Any]
    """What the writer noted: for a league's snapshots env, member, step, parent."""


def save_snapshot(path: Path, policy: Policy, meta: Mapping[str, Any]) -> None:
    """Freeze `policy` to `path`, whole or not at all. Equal weights and `meta` give equal bytes.

    Raises:
        InputError: the file cannot be written.
    """
    header = {
        "format": FORMAT,
        "obs_space": _space_to_json(policy.obs_space),
        "action_space": _space_to_json(policy.action_space),
        "policy": policy.config.model_dump(mode="json"),
        "meta": dict(meta),
    }
    weights = {name: value.detach().cpu().contiguous() for name, value in policy.state_dict().items()}
    data = save(weights, {KEY: json.dumps(header, sort_keys=True)})
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as fault:
        raise InputError(f"cannot write {path}: {fault.strerror}.") from None
    finally:
        temporary.unlink(missing_ok=True)


def load_snapshot(path: Path) -> Snapshot:
    """Read a snapshot.

    Raises:
        InputError: no such file, or one that is truncated, foreign, or of a later format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except FileNotFoundError:
        raise InputError(f"no snapshot at {path}.") from None
    except (SafetensorError, OSError) as fault:
        raise InputError(f"{path} is not a whole snapshot file: {fault}.") from None
    if text is None:
        raise InputError(f"{path} holds weights of another program: it has no arena header.")
    policy, meta = _read_header(text, path)
    try:
        policy.load_state_dict(weights)
    except RuntimeError:
        raise InputError(f"the weights in {path} do not fit the network that its header describes.") from None
    return Snapshot(policy.eval().requires_grad_(False), meta)


def _read_header(text: str, path: Path) -> tuple[Policy, dict[str, Any]]:
    """A policy of the right shape, and what the writer noted."""
    try:
        header = json.loads(text)
        if header["format"] > FORMAT:
            raise InputError(f"{path} has format {header['format']}; this version reads up to {FORMAT}.")
        config = parse(PolicyConfig, header["policy"], str(path))
        obs_space, action_space = (_space_from_json(header[name]) for name in ("obs_space", "action_space"))
        return Policy(obs_space, action_space, config), dict(header["meta"])
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AssertionError) as fault:
        raise InputError(f"{path} is not a snapshot of this program: its header has a wrong {fault!r}.") from None


def _space_to_json(space: spaces.Space[Any]) -> dict[str, Any]:
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n)}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "multibinary", "n": int(space.shape[0])}
    assert isinstance(space, spaces.Box)  # a policy has no other head or encoder
    bounds = {"low": space.low.tolist(), "high": space.high.tolist()}
    return {"kind": "box", "dtype": str(space.dtype), **bounds}


def _space_from_json(data: Mapping[str, Any]) -> spaces.Space[Any]:
    if data["kind"] == "discrete":
        return spaces.Discrete(data["n"])
    if data["kind"] == "multibinary":
        return spaces.MultiBinary(data["n"])
    dtype = np.dtype(data["dtype"]).type
    return spaces.Box(np.array(data["low"], dtype), np.array(data["high"], dtype), dtype=dtype)


def freeze(policy: Policy) -> Policy:
    """A copy of `policy` as it is now, without gradients."""
    copy = Policy(policy.obs_space, policy.action_space, policy.config)
    copy.load_state_dict({name: value.detach().clone() for name, value in policy.state_dict().items()})
    return copy.to(next(policy.parameters()).device).eval().requires_grad_(False)


def same_weights(a: Policy, b: Policy) -> bool:
    """Whether two policies of one shape are equal to the bit."""
    ours, theirs = a.state_dict(), b.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)
