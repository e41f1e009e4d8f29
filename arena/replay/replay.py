"""Replay: one game as seed, actions, players and the version of its rules; and the file that holds it.

A .replay file is one JSON object. Its actions are packed: in the smallest type that holds them, seat after seat,
so that zlib finds what repeats, as base64. `seal` is the SHA-256 of all the rest. A file says nothing that is
executed and nothing that could grow without bounds: sizes are checked before anything is unpacked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from arena.result import Ending
from arena.store.files import write_atomic
from envs.core import Array
from envs.errors import InputError

FORMAT = 1
"""Of the file; counted up when programs of another format could not read it."""
SUFFIX = ".replay"
LARGEST_FILE = 1 << 24
"""Bytes."""
LARGEST_ACTIONS = 1 << 27
"""Bytes of the unpacked actions."""
SMALL = tuple(np.dtype(name) for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32"))
"""Types in which whole numbers are packed where they fit."""
TYPES = tuple(
    np.dtype(name)
    for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "bool")
)
FIELDS = {
    "env": str, "options": dict, "seed": int, "players": list, "ratings": list, "shape": list, "type": str,
    "packed": str, "actions": str, "score": list, "ended": str, "rules": str, "state_hash": str, "title": str,
}  # fmt: skip
"""What a file says beside its format and its seal, and in which type of JSON."""


@dataclass(frozen=True, eq=False)
class Replay:
    """One game that can be played again."""

    env: str
    """Id of the game."""
    options: Mapping[str, Any]
    """With which `envs.registry.build` makes it."""
    seed: int
    """Of the game itself, from 0 below 2**64."""
    players: tuple[str, ...]
    """[P] names by seat."""
    ratings: tuple[float | None, ...]
    """[P] mean of each player's rating when the replay was stored; None where there was none."""
    actions: Array
    """[T, P, *action_shape] of all seats, as wide as the widest (`envs.seats`)."""
    score: tuple[float, ...]
    """[P] in the game's own units."""
    ended: Ending
    """By its rules or at the step limit; a game that was forfeited has no replay that could be verified."""
    rules: str
    """Version of the rules that it was played with, see `arena.replay.rules`."""
    state_hash: str
    """SHA-256 of how it ended, hexadecimal, see `arena.replay.simulate.state_hash`."""
    title: str = ""
    """Why it was kept, such as "biggest upset"."""

    @property
    def steps(self) -> int:
        """T."""
        return len(self.actions)


def write_replay(replay: Replay, path: str | Path) -> None:
    """Write `replay` to `path`, which is replaced as a whole.

    Raises:
        InputError: a name that does not end in .replay, or a place that cannot be written to.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise InputError(f"cannot write a replay to {path}: its name must end in {SUFFIX}.")
    try:
        write_atomic(path, dump(replay))
    except OSError as fault:
        raise InputError(f"cannot write {path}: {fault.strerror or fault}.") from None


def read_replay(path: str | Path) -> Replay:
    """The replay in the file `path`: whole and unchanged, but not yet played again (`verify`).

    Raises:
        InputError: no such file, or one that is damaged, of another format or no replay at all.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as fault:
        raise InputError(f"cannot read {path}: {fault.strerror or fault}.") from None
    return parse(data, str(path))


def dump(replay: Replay) -> bytes:
    """The file of `replay`."""
    actions = np.asarray(replay.actions)
    packed = _smallest(actions)
    series = np.moveaxis(packed, 0, -1)  # each number's own course through the game
    data = np.ascontiguousarray(series).astype(packed.dtype.newbyteorder("<")).tobytes()
    body = {
        "env": replay.env,
        "options": dict(replay.options),
        "seed": int(replay.seed),
        "players": list(replay.players),
        "ratings": list(replay.ratings),
        "shape": list(actions.shape),
        "type": actions.dtype.name,
        "packed": packed.dtype.name,
        "actions": base64.b64encode(zlib.compress(data, 9)).decode(),
        "score": list(replay.score),
        "ended": replay.ended,
        "rules": replay.rules,
        "state_hash": replay.state_hash,
        "title": replay.title,
    }
    return _text({"format": FORMAT, **body, "seal": _seal(body)})


def parse(data: bytes, where: str) -> Replay:
    """The replay of the file `data`, which is called `where`.

    Raises:
        InputError: as `read_replay`.
    """
    if len(data) > LARGEST_FILE:
        raise InputError(f"{where} is no replay: it has more than {LARGEST_FILE >> 20} MB.")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError(f"{where} is no replay or has been damaged: it cannot be read as JSON.") from None
    if not isinstance(tree, dict) or "format" not in tree or "seal" not in tree:
        raise InputError(f"{where} is no replay: it does not say its format and its seal.")
    if tree["format"] != FORMAT:
        raise InputError(f"{where} is a replay of format {tree['format']!r}, and this arena reads format {FORMAT}.")
    body = {key: value for key, value in tree.items() if key not in ("format", "seal")}
    if tree["seal"] != _seal(body):
        raise InputError(f"{where} has been damaged or changed: it does not fit its seal.")
    for key, kind in FIELDS.items():
        if type(body.get(key)) is not kind:
            raise InputError(f"{where} is no replay: its {key!r} is missing or of another type.")
    if strange := body.keys() - FIELDS:
        raise InputError(f"{where} is no replay: it says {min(strange)!r}, which replays do not have.")
    try:
        return _made(body)
    except (ValueError, TypeError, OverflowError, zlib.error, binascii.Error) as fault:
        reason = " ".join(str(fault).split()).rstrip(".")
        raise InputError(f"{where} is no replay that can be played: {reason}.") from None


def _made(body: Mapping[str, Any]) -> Replay:
    """The replay that `body` describes; ValueErrors say what is wrong with it."""
    actions = _unpacked(body)
    seats = actions.shape[1]
    players, ratings, score = body["players"], body["ratings"], body["score"]
    if not len(players) == len(ratings) == len(score) == seats:
        raise ValueError(f"it has actions of {seats} seats, {len(players)} players and {len(score)} scores")
    if not all(isinstance(name, str) for name in players):
        raise ValueError("a player's name is no text")
    if not all(_number(value) for value in score) or not all(value is None or _number(value) for value in ratings):
        raise ValueError("a score or rating is no number")
    if not 0 <= body["seed"] < 1 << 64:
        raise ValueError("its seed is not from 0 below 2**64")
    if body["ended"] not in get_args(Ending):
        raise ValueError(f"it ended by {body['ended']!r}, which is none of {', '.join(get_args(Ending))}")
    return Replay(
        env=body["env"],
        options=body["options"],
        seed=body["seed"],
        players=tuple(players),
        ratings=tuple(None if value is None else float(value) for value in ratings),
        actions=actions,
        score=tuple(map(float, score)),
        ended=body["ended"],
        rules=body["rules"],
        state_hash=body["state_hash"],
        title=body["title"],
    )


def _unpacked(body: Mapping[str, Any]) -> Array:
    """[T, P, *action_shape]."""
    shape = body["shape"]
    if not all(type(size) is int and size >= 0 for size in shape) or not 2 <= len(shape) <= 8 or not shape[1]:
        raise ValueError(f"its actions cannot have the shape {shape!r}")
    kinds = {kind.name: kind for kind in TYPES}
    if body["type"] not in kinds or body["packed"] not in kinds:
        raise ValueError(f"its actions cannot be of type {body['type']!r} packed as {body['packed']!r}")
    kind, packed = kinds[body["type"]], kinds[body["packed"]]
    size = math.prod(shape) * packed.itemsize
    if math.prod(shape) * max(kind.itemsize, packed.itemsize) > LARGEST_ACTIONS:
        raise ValueError(f"its actions are larger than {LARGEST_ACTIONS >> 20} MB")
    unzip = zlib.decompressobj()
    data = unzip.decompress(base64.b64decode(body["actions"], validate=True), size + 1)
    if len(data) != size or not unzip.eof or unzip.unused_data:
        raise ValueError("its actions do not have the length that it says")
    series = np.frombuffer(data, packed.newbyteorder("<")).reshape(*shape[1:], shape[0])
    return np.ascontiguousarray(np.moveaxis(series, -1, 0)).astype(kind)


def _smallest(actions: Array) -> Array:
    """`actions` in the smallest type that holds them as they are."""
    if actions.dtype not in TYPES:
        raise InputError(f"actions of type {actions.dtype} cannot be kept in a replay.")
    if actions.dtype.kind not in "iu" or not actions.size:
        return actions
    low, high = int(actions.min()), int(actions.max())
    fits = (kind for kind in SMALL if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return actions.astype(next(fits, actions.dtype))


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _seal(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_text(body)).hexdigest()


def _text(tree: Mapping[str, Any]) -> bytes:
    """JSON, the same for the same values."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
