"""Snapshot: a crew of policies frozen to one file, safetensors with a JSON header. Reading one runs no code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from agents.heads import HeadConfig
from agents.policy import Policy, PolicyConfig
from envs.config import parse
from envs.core import PLAYER
from envs.errors import InputError

KEY, FORMAT = "arena", 3
Policies = Mapping[str, Policy]
"""Of a crew, by post (see `envs.side`); one for all seats has the post `PLAYER`."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A crew as it was read from a file."""

    policies: Policies
    """In evaluation mode, without gradients."""
    meta: Mapping[str, Any]
    """What the writer noted: for a league's snapshots env, member, step, parent."""

    @property
    def policy(self) -> Policy:
        """The only one.

        Raises:
            InputError: there are several.
        """
        return only(self.policies)


def only(policies: Policies) -> Policy:
    """The policy of a crew of one.

    Raises:
        InputError: there are several.
    """
    if len(policies) > 1:
        raise InputError(f"a crew of {', '.join(policies)} has not one policy but {len(policies)}.")
    return next(iter(policies.values()))


def save_snapshot(path: Path, policies: Policy | Policies, meta: Mapping[str, Any]) -> None:
    """Freeze `policies` to `path`, whole or not at all. Equal weights and `meta` give equal bytes.

    Raises:
        InputError: the file cannot be written.
    """
    data = snapshot_bytes(policies, meta)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as fault:
        raise InputError(f"cannot write {path}: {fault.strerror}.") from None
    finally:
        temporary.unlink(missing_ok=True)


def snapshot_bytes(policies: Policy | Policies, meta: Mapping[str, Any]) -> bytes:
    """What `save_snapshot` writes."""
    crew = {PLAYER: policies} if isinstance(policies, Policy) else policies
    header = {"format": FORMAT, "crew": {post: _outline(policy) for post, policy in crew.items()}, "meta": dict(meta)}
    weights = {
        f"{post}/{name}": value.detach().cpu().contiguous()
        for post, policy in crew.items()
        for name, value in policy.state_dict().items()
    }
    return save(weights, {KEY: json.dumps(header, sort_keys=True)})


def _outline(policy: Policy) -> dict[str, Any]:
    """All that makes a policy but its weights."""
    return {
        "obs_space": _space_to_json(policy.obs_space),
        "action_space": _space_to_json(policy.action_space),
        "policy": policy.config.model_dump(mode="json"),
        "head": policy.head.config.model_dump(mode="json"),
        "own_encoder": policy.own_encoder,
    }


def load_snapshot(path: Path, encoder: nn.Module | None = None) -> Snapshot:
    """Read a snapshot.

    Args:
        encoder: one of the shape that the policy was made with, if that was its maker's own.

    Raises:
        InputError: no such file, one that is truncated, foreign, or of another format, or one that lacks its encoder.
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
    policies, meta = _read_header(text, path, encoder)
    unfit = InputError(f"the weights in {path} do not fit the network that its header describes.")
    if any(name.partition("/")[0] not in policies for name in weights):
        raise unfit
    for post, policy in policies.items():
        own = {name.removeprefix(f"{post}/"): value for name, value in weights.items() if name.startswith(f"{post}/")}
        try:
            policy.load_state_dict(own)
        except RuntimeError:
            raise unfit from None
        policy.eval().requires_grad_(False)
    return Snapshot(policies, meta)


def _read_header(text: str, path: Path, encoder: nn.Module | None) -> tuple[Policies, dict[str, Any]]:
    """Policies of the right shape, and what the writer noted."""
    try:
        header = json.loads(text)
        if header["format"] != FORMAT:
            raise InputError(f"{path} has format {header['format']}; this version reads format {FORMAT}.")
        policies = {post: _policy(outline, path, encoder) for post, outline in header["crew"].items()}
        if not policies:
            raise KeyError("crew")
        return policies, dict(header["meta"])
    except InputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, AssertionError) as fault:
        raise InputError(f"{path} is not a snapshot of this program: its header has a wrong {fault!r}.") from None


def _policy(outline: Mapping[str, Any], path: Path, encoder: nn.Module | None) -> Policy:
    if outline["own_encoder"] != (encoder is not None):
        given = "give it as encoder=" if encoder is None else "it needs none"
        raise InputError(f"{path} {'was' if encoder is None else 'was not'} made with an encoder of its own: {given}.")
    config = parse(PolicyConfig, outline["policy"], str(path))
    obs_space, action_space = (_space_from_json(outline[name]) for name in ("obs_space", "action_space"))
    head: HeadConfig = TypeAdapter(HeadConfig).validate_python(outline["head"])
    return Policy(obs_space, action_space, config, head, encoder)


def _space_to_json(space: spaces.Space[Any]) -> dict[str, Any]:
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "multibinary", "n": int(space.shape[0])}
    if isinstance(space, spaces.MultiDiscrete):
        return {
            "kind": "multidiscrete",
            "nvec": space.nvec.tolist(),
            "start": space.start.tolist(),
            "dtype": str(space.dtype),
        }
    if isinstance(space, spaces.Tuple):
        return {"kind": "tuple", "parts": [_space_to_json(part) for part in space.spaces]}
    if isinstance(space, spaces.Dict):
        return {"kind": "dict", "parts": [[name, _space_to_json(part)] for name, part in space.spaces.items()]}
    assert isinstance(space, spaces.Box)  # a policy has no other head or encoder
    bounds = {"low": _bound(space.low), "high": _bound(space.high)}
    return {"kind": "box", "dtype": str(space.dtype), "shape": list(space.shape), **bounds}


def _bound(side: NDArray[Any]) -> Any:
    """One number where all are alike, as in images."""
    first = side.flat[0]
    return first.item() if bool((side == first).all()) else side.tolist()


def _space_from_json(data: Mapping[str, Any]) -> spaces.Space[Any]:
    if data["kind"] == "discrete":
        return spaces.Discrete(data["n"], start=data["start"])
    if data["kind"] == "multibinary":
        return spaces.MultiBinary(data["n"])
    if data["kind"] == "multidiscrete":
        return spaces.MultiDiscrete(data["nvec"], np.dtype(data["dtype"]).type, start=data["start"])
    if data["kind"] == "tuple":
        return spaces.Tuple([_space_from_json(part) for part in data["parts"]])
    if data["kind"] == "dict":
        # A list, because a dict would be sorted, and an action's numbers lie in the order of the parts.
        return spaces.Dict([(name, _space_from_json(part)) for name, part in data["parts"]])
    dtype = np.dtype(data["dtype"]).type
    low, high = (np.broadcast_to(np.array(data[name], dtype), data["shape"]) for name in ("low", "high"))
    return spaces.Box(low, high, dtype=dtype)


def freeze(policies: Policies) -> Policies:
    """Copies of `policies` as they are now, without gradients."""
    return {post: deepcopy(policy).eval().requires_grad_(False) for post, policy in policies.items()}


def same_weights(a: Policy, b: Policy) -> bool:
    """Whether two policies of one shape are equal to the bit."""
    ours, theirs = a.state_dict(), b.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)
