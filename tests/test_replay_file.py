"""The file of a replay: small, whole or refused, whatever has happened to it."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.replay import Replay, read_replay, write_replay
from arena.replay.record import record
from arena.replay.replay import LARGEST_FILE, TYPES, dump, parse
from envs.errors import InputError

Change = Callable[[dict[str, Any]], None]


def replay(actions: Any = None, **change: Any) -> Replay:
    """One of nobody's game."""
    said: dict[str, Any] = {
        "env": "SlimeVolley-v0",
        "options": {"lives": 1},
        "seed": 2**64 - 1,
        "players": ("ada:1000", "<script>"),
        "ratings": (25.5, None),
        "actions": np.array([[0, 6], [3, 2], [1, 1]]) if actions is None else actions,
        "score": (1.0, -0.0),
        "ended": "limit",
        "rules": "SlimeVolley-v0 abc",
        "state_hash": "00" * 32,
        "title": "größter Sieg",
    }
    return Replay(**{**said, **change})


def sealed(change: Change) -> bytes:
    """A file in which something was changed by somebody who knows how to seal it."""
    tree = json.loads(dump(replay()))
    change(tree)
    body = {key: value for key, value in tree.items() if key not in ("format", "seal")}
    tree["seal"] = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return json.dumps(tree).encode()


def put(**values: Any) -> Change:
    return lambda tree: tree.update(values)


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_replay(replay(), tmp_path / "x.replay")
    found = read_replay(tmp_path / "x.replay")
    assert found.actions.dtype == np.int64
    assert np.array_equal(found.actions, replay().actions)
    for name in ("env", "options", "seed", "players", "ratings", "score", "ended", "rules", "state_hash", "title"):
        assert getattr(found, name) == getattr(replay(), name), name
    assert np.signbit(found.score[1])
    assert [file.name for file in tmp_path.iterdir()] == ["x.replay"]  # no draft is left


@given(st.data())
def test_actions_of_every_kind(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(TYPES))
    shape = data.draw(st.sampled_from([(0, 1), (1, 1), (5, 2), (4, 3, 2), (2, 1, 3, 2)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    if kind.kind == "f":
        actions = rng.normal(size=shape).astype(kind)
    elif kind.kind == "b":
        actions = rng.random(shape) < 0.5
    else:
        span = np.iinfo(kind)
        top = data.draw(st.sampled_from([min(7, span.max), span.max]))
        actions = rng.integers(data.draw(st.sampled_from([0, max(span.min, -7)])), top, shape, kind, endpoint=True)
    seats = shape[1]
    one = replay(actions, players=("x",) * seats, ratings=(None,) * seats, score=(0.0,) * seats)
    found = parse(dump(one), "x").actions
    assert found.dtype == actions.dtype
    assert np.array_equal(found, actions)


def test_a_long_game_takes_a_few_kilobytes(tmp_path: Path) -> None:
    _, [game] = record("SlimeVolley-v0", ["baseline", "tracker"], 1, 3)
    assert game.steps == 3000
    write_replay(game, tmp_path / "game.replay")
    size = (tmp_path / "game.replay").stat().st_size
    print(f"{game.steps} steps in {size} bytes")
    assert size < 3000
    _, [noise] = record("SlimeVolley-v0", ["random", "random"], 1, 3)
    assert len(dump(noise)) < 1200 + noise.steps  # two of six choices at random are 5.2 bits, or 0.87 bytes in base64


def test_every_truncation_is_refused() -> None:
    data = dump(replay())
    for length in range(len(data)):
        with pytest.raises(InputError, match=r"^x .*\.$"):
            parse(data[:length], "x")


def test_every_flipped_bit_is_refused() -> None:
    data = dump(replay())
    for place in range(len(data)):
        for bit in (1, 4, 128):
            wrong = bytearray(data)
            wrong[place] ^= bit
            with pytest.raises(InputError, match=r"^x .*\.$"):
                parse(bytes(wrong), "x")


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^x .*\.$"):
        parse(data, "x")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put(format=2), "format 2, and this arena reads format 1"),
        (put(format=None), "format None"),
        (put(env=3), "'env' is missing or of another type"),
        (lambda tree: tree.pop("score"), "'score' is missing"),
        (put(more=1), "says 'more', which replays do not have"),
        (put(seed=-1), "seed is not from 0"),
        (put(seed=2**64), "seed is not from 0"),
        (put(seed=1.5), "'seed' is missing or of another type"),
        (put(seed=True), "'seed' is missing or of another type"),
        (put(players=["ada"]), "2 seats, 1 players and 2 scores"),
        (put(players=["ada", 3]), "name is no text"),
        (put(score=[1.0, "2"]), "score or rating is no number"),
        (put(score=[1.0, float("nan")]), "score or rating is no number"),
        (put(ratings=[True, None]), "score or rating is no number"),
        (put(ended="boredom"), "ended by 'boredom'"),
        (put(type="object"), "cannot be of type 'object'"),
        (put(packed="complex128"), "packed as 'complex128'"),
        (put(shape=[3, 0]), "cannot have the shape"),
        (put(shape=[3]), "cannot have the shape"),
        (put(shape=[-3, 2]), "cannot have the shape"),
        (put(shape=[3, 2.0]), "cannot have the shape"),
        (put(shape=[4, 2]), "do not have the length"),
        (put(shape=[2, 2]), "do not have the length"),
        (put(shape=[1 << 40, 2]), "larger than"),
        (put(shape=[3, 2], actions=packed(bytes(1 << 26))), "do not have the length"),  # a bomb
        (put(actions="no base64!"), "no replay that can be played"),
        (put(actions=base64.b64encode(b"no zlib").decode()), "no replay that can be played"),
        (put(actions=packed(bytes(6))[:-8]), "no replay that can be played|do not have the length"),
    ],
)
def test_what_is_sealed_and_still_no_replay(change: Change, said: str) -> None:
    with pytest.raises(InputError, match=rf"^x .*({said})[^\n]*\.$"):
        parse(sealed(change), "x")


def test_what_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.replay"
    with huge.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(InputError, match="more than 16 MB"):
        read_replay(huge)
    deep = tmp_path / "deep.replay"
    deep.write_bytes(b"[" * 200_000)
    with pytest.raises(InputError, match="cannot be read as JSON"):
        read_replay(deep)
    with pytest.raises(InputError, match="No such file"):
        read_replay(tmp_path / "none.replay")
    with pytest.raises(InputError, match="Is a directory"):
        read_replay(tmp_path)


def test_where_a_replay_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.replay"):
        write_replay(replay(), tmp_path / "x.json")
    with pytest.raises(InputError, match="No such file or directory"):
        write_replay(replay(), tmp_path / "none" / "x.replay")
    with pytest.raises(InputError, match="type complex128 cannot be kept"):
        write_replay(replay(np.zeros((2, 2), complex)), tmp_path / "x.replay")
