"""Packs: ratings read arrays out of the log, and get what they would get game by game."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from arena.ratings.batches import games_of_batches
from arena.ratings.games import Games, games_of
from arena.result import Result
from arena.store import RunFolder
from arena.store.packs import pack, unpack
from arena.store.verify import verify
from envs.errors import InputError
from tests.histories import duels, history
from tests.runs import Run

ODD = [
    Result("Race-v0", ("x", "y", "z"), (1 / 3, -1e-300, 2.5e17), 3, 0, "limit"),
    Result("Race-v0", ("x", "y", "x"), (0.1, 0.0, 0.2), 7, 1, "rules"),
    Result("Race-v0", ("x", "x", "x"), (1.0, 0.0, 2.0), 7, 1, "rules"),
    Result("Race-v0", ("y", "z", "x"), (1, 0, 2), 7, 2**53 - 1, "rules"),
]
MIXED = [
    Result("Four-v0", ("a", "a", "b", "b"), (0.1, 0.2, -0.3, 0.7), 3, 0, "rules"),
    Result("Four-v0", ("a", "b", "a", "a"), (0.1, 0.2, 0.3, 0.7), 3, 0, "rules"),
    Result("Four-v0", ("c", "d", "b", "a"), (-0.0, 0.0, 1e9 + 1, 5), 3, 0, "rules"),
]
SOLO = [Result("One-v0", ("only",), (3.5,), 9, 9, "rules")]
TOO_LONG = [Result("Race-v0", ("x", "y"), (1.0, 0.0), 2**31, 1, "rules")]
BLOCKS = [
    duels("a", "b", 9, lost=3, drawn=2), ODD, MIXED, SOLO, [*SOLO, *ODD], TOO_LONG, history(0, 40, [0, 50, 90]),
    duels("b", "c", 5),
]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    with RunFolder.create(tmp_path / "run", Run(), 0) as folder:
        for number, block in enumerate(BLOCKS):
            folder.append_block(f"b/{number}", block)
        yield folder


def same(ours: Games, theirs: Games) -> None:
    assert ours.names == theirs.names
    for name in ("start", "player", "score", "seat", "seed", "steps"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert one.dtype == other.dtype, name
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(np.signbit(one), np.signbit(other))


def read(folder: RunFolder, count: int = 0) -> Games:
    return games_of_batches(folder.batches(), folder.lineups, count)


@pytest.mark.parametrize("without", [(), (1,), (1, 3, 4), tuple(range(1, 99))])
def test_arrays_say_what_the_games_do(run: RunFolder, without: tuple[int, ...]) -> None:
    """Also where blocks of old have no packs, and where a block is one that cannot have any."""
    with closing(sqlite3.connect(run.path / "league.sqlite", isolation_level=None)) as db:
        packed = {block for (block,) in db.execute("SELECT block FROM packs")}
        assert packed == {1, 2, 3, 4, 7, 8}  # neither of several numbers of seats, nor too long
        for block in without:
            db.execute("DELETE FROM packs WHERE block = ?", (block,))
    theirs = games_of(run.meetings())
    assert len(theirs) > 40
    for count in (0, 10, 1000):
        same(read(run, count), theirs)
    assert run.games() == sum(map(len, BLOCKS))


def test_duels_alone(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", Run(), 0) as folder:
        same(read(folder), games_of([]))
        folder.append_block("b/0", duels("a", "b", 9, lost=3, drawn=2))
        folder.append_block("b/1", duels("c", "a", 2))
        same(read(folder), games_of(folder.meetings()))


def test_a_reader_sees_the_log_as_it_was_at_the_first_batch(run: RunFolder) -> None:
    with RunFolder.open(run.path) as reader:
        batches = reader.batches()
        first = next(batches)
        run.append_block("late", duels("a", "late", 4))
        games = games_of_batches([first, *batches], reader.lineups)
        assert "late" not in games.names
        assert "late" in read(reader).names


def test_runs_of_old_are_read_and_get_packs_once_they_are_written(run: RunFolder) -> None:
    path = run.path
    run.close()
    with closing(sqlite3.connect(path / "league.sqlite", isolation_level=None)) as db:
        db.execute("DROP TABLE packs")
    with RunFolder.open(path) as reader:
        same(read(reader), games_of(reader.meetings()))
    assert verify(path) == []
    with RunFolder.open(path, write=True) as folder:
        folder.append_block("new", duels("d", "a", 3))
        same(read(folder), games_of(folder.meetings()))
    assert verify(path) == []


def test_a_pack_that_cannot_be_read_is_told_of(run: RunFolder) -> None:
    with closing(sqlite3.connect(run.path / "league.sqlite", isolation_level=None)) as db:
        db.execute("UPDATE packs SET form = 'x' WHERE block = 2")
    with pytest.raises(InputError, match="arena league verify"):
        read(run)


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ("UPDATE packs SET data = zeroblob(length(data)) WHERE block = 2", "packs 2"),
        ("UPDATE packs SET form = '2f8' WHERE block = 1", "packs 1"),
        ("UPDATE packs SET data = substr(data, 25) WHERE block = 8", "packs 8"),
        ("INSERT INTO packs VALUES (99, '2f4', x'00')", "packs 99"),
        ("INSERT INTO packs VALUES (6, '2f4', x'00')", "packs 6"),
    ],
)
def test_a_pack_that_does_not_fit_its_games_is_found(run: RunFolder, damage: str, where: str) -> None:
    path = run.path
    run.close()
    assert verify(path) == []
    with closing(sqlite3.connect(path / "league.sqlite", isolation_level=None)) as db:
        db.execute(damage)
    (fault,) = verify(path)
    assert fault.where == f"league.sqlite: {where}"


def test_scores_are_narrow_where_nothing_is_lost() -> None:
    for score, form in (((1.0, -1.5), "2f4"), ((0.1, 0.0), "2f8"), ((1e300, 0.0), "2f8"), ((2.0**24 + 1, 0), "2f8")):
        packed = pack([7], [score], [12], [2**53 - 1])
        assert packed and packed[0] == form
        games = unpack(*packed)
        assert games["score"].tolist() == [list(score)] and games["seed"].tolist() == [2**53 - 1]
        assert (games["lineup"].tolist(), games["steps"].tolist()) == ([7], [12])
    assert pack([], [], [], []) is None
