"""Protocol: what is said between arena and a program, one JSON object on a line; see examples/subprocess_agent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium import spaces

from arena.guests.fault import Fault, clipped
from arena.guests.limits import Limits
from arena.guests.table import Request
from envs.core import Array, EnvSpec
from envs.layout import is_composite, parts

VERSION = 1
Space = spaces.Space[Any]


def line(message: dict[str, Any]) -> bytes:
    """`message` as it is sent."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def hello(spec: EnvSpec, seat: int, limits: Limits) -> bytes:
    """The first line: which game, as who sits in `seat` knows it, and how much time there is."""
    game = {
        "id": spec.id,
        "options": json.loads(json.dumps(dict(spec.options), default=str)),
        "seats": spec.seats,
        "teams": list(spec.teams),
        "role": spec.roles[seat],
        "max_steps": spec.max_steps,
        "observation": {**space_told(spec.observation_spaces[seat]), "names": list(spec.obs_names)},
        "action": space_told(spec.action_spaces[seat]),
    }
    times = {"move": limits.move, "game": limits.game}
    return line({"type": "hello", "protocol": VERSION, "game": game, "limits": times})


def space_told(space: Space) -> dict[str, Any]:
    """A space of observations or actions."""
    if is_composite(space):
        return {"kind": "parts", "parts": [space_told(part) for part in parts(space)]}
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n)}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "multibinary", "shape": list(space.shape)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "multidiscrete", "n": space.nvec.tolist()}
    if isinstance(space, spaces.Box):
        bounds = {"low": _bound(space.low), "high": _bound(space.high)}
        return {"kind": "box", "shape": list(space.shape), "type": str(space.dtype), **bounds}
    return {"kind": "other", "shape": list(space.shape or ()), "type": str(space.dtype)}


def _bound(side: Array) -> float | list[Any] | None:
    """One number where all are alike; null where there is no bound."""
    if not np.isfinite(side).all():
        return None
    first = side.flat[0]
    return float(first) if bool((side == first).all()) else list(side.tolist())


def new_game(request: Request) -> bytes:
    """A game begins."""
    return line({"type": "game", "game": request.game, "seed": request.seed})


def act(request: Request) -> bytes:
    """A move is wanted."""
    legal = {"legal": np.flatnonzero(request.legal).tolist()} if len(request.legal) else {}
    return line({"type": "act", "game": request.game, "step": request.step, "obs": request.obs.tolist(), **legal})


def over(game: int, score: float | None) -> bytes:
    """A game has ended."""
    known = None if score is None or not math.isfinite(score) else score
    return line({"type": "over", "game": game, "score": known})


BYE = line({"type": "bye"})


def read(answer: bytes, wanted: Iterable[str]) -> dict[str, Any]:
    """A line of a program, which must say all that is `wanted`.

    Raises:
        Fault: it is no JSON object, or something is missing; or the program says why it cannot go on ("error").
    """
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        shown = clipped(answer[:80].decode(errors="replace"), 60)
        raise Fault(f"wrote {shown!r}, which is no line of the protocol")
    if "error" in said:
        raise Fault(clipped(str(said["error"])))
    for key in wanted:
        if key not in said:
            raise Fault(f"answered without {key!r}")
    return said


def greeted(answer: bytes) -> bool:
    """Reads the program's hello; whether it wants to be asked where it has no choice too.

    Raises:
        Fault: it is none, or of another version.
    """
    said = read(answer, ("type", "protocol"))
    if said["type"] != "hello":
        raise Fault(f"said {clipped(repr(said['type']), 40)} instead of hello")
    if said["protocol"] != VERSION:
        raise Fault(
            f"speaks version {clipped(repr(said['protocol']), 20)} of the protocol, and this is version {VERSION}"
        )
    return said.get("watches") is True
