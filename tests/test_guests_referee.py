"""The referee: only games in which somebody is at fault are lost, and everything else is as if nobody had looked."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator

import arena
from arena.guests.calls import guest
from arena.guests.guest import Guest
from arena.guests.limits import Limits
from arena.guests.referee import forfeit_score, stranger, together
from arena.match import Tape, match, run_block
from arena.replay.record import record
from arena.result import Result
from arena.store import RunFolder
from arena.store.schema import SCHEMA
from arena.store.verify import verify
from envs.bots import bot
from envs.core import Array, Bools, Floats
from envs.errors import InputError
from envs.player import Decision
from envs.registry import build
from tests.runs import Run
from tests.sources import ROOT

BOARD, SLIME = "TicTacToe-v0", "SlimeVolley-v0"
SPEC = build(BOARD, 1, {}).spec
SHORT = {"lives": 1, "max_steps": 60}


class Batch:
    """A player of other code that sees whole batches: the first legal action, unless something is done to that."""

    name = "batch"
    memory_size = 1
    keep_memory = False

    def __init__(self, spoil: Any = lambda action, obs, memory: action) -> None:
        self._spoil = spoil

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        action = self._spoil(legal.argmax(axis=1), obs, memory)
        return Decision(action, memory + 1, {})


def first(obs: Any, legal: Any) -> Any:
    return legal.argmax()


def test_who_is_looked_after() -> None:
    assert stranger(Batch())
    assert stranger(guest(first, "first", SPEC))  # type: ignore[arg-type]
    assert not stranger(bot("random", SPEC))  # type: ignore[arg-type]


def test_a_good_stranger_plays_as_if_nobody_looked() -> None:
    class Ours(Batch):
        """The same, for one of the house."""

    Ours.__module__ = "envs.ours"
    theirs = match(BOARD, {}, [Batch(), bot("random", SPEC)], 30, seed=2)
    assert theirs == match(BOARD, {}, [Ours(), bot("random", SPEC)], 30, seed=2)
    timed = match(BOARD, {}, [Batch(), bot("random", SPEC)], 30, seed=2, limits=Limits(move=10.0, game=60.0))
    assert timed == theirs


def test_only_the_rows_at_fault_forfeit() -> None:
    """An illegal action where the middle is its own; the other games are those that they would have been."""

    def spoil(action: Array, obs: Array, memory: Floats) -> Array:
        return np.where(obs[:, 2 * 2] == 1, -1, action)

    seen = match(BOARD, {}, [Batch(spoil), bot("random", SPEC)], 40, seed=1)
    known = match(BOARD, {}, [Batch(), bot("random", SPEC)], 40, seed=1)
    lost = [place for place, one in enumerate(seen) if one.ended == "forfeit"]
    assert 0 < len(lost) < 40
    for place, (one, other) in enumerate(zip(seen, known, strict=True)):
        if place in lost:
            own = one.players.index("batch")
            assert (one.score[own], one.score[1 - own]) == (-1, 1)
            assert one.reason == "batch answered with -1, which is not one of the actions 0 to 8"
            assert one.steps < other.steps
        else:
            assert one == other


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda action, obs, memory: 1 / 0, "batch raised ZeroDivisionError: division by zero"),
        (lambda action, obs, memory: action[:-1], r"batch answered with actions of shape \(\d+,\) for \d+ games"),
        (lambda action, obs, memory: action + np.nan, "batch answered with an action that is not a finite number"),
        (lambda action, obs, memory: None, r"batch answered with actions of shape \(\) for"),
    ],
)
def test_a_fault_of_the_whole_batch(spoil: Any, said: str) -> None:
    import re

    results = match(BOARD, {}, [Batch(spoil), bot("random", SPEC)], 6, seed=0)
    assert {one.ended for one in results} == {"forfeit"}
    assert all(re.match(said, one.reason) for one in results), results[0].reason


def test_a_slow_batch_is_late() -> None:
    from time import sleep

    def slow(action: Array, obs: Array, memory: Floats) -> Array:
        sleep(0.02 * len(action))
        return action

    results = match(BOARD, {}, [Batch(slow), bot("random", SPEC)], 4, seed=0, limits=Limits(move=0.01))
    assert {one.reason for one in results} == {"batch gave no answer within 10 ms"}


def test_abort() -> None:
    faulty = Batch(lambda action, obs, memory: action + 50)
    with pytest.raises(InputError, match=r"^batch answered with \d+, which is not one of the actions 0 to 8\.$"):
        match(BOARD, {}, [faulty, bot("random", SPEC)], 4, seed=0, limits=Limits(forfeits="abort"))


@pytest.mark.parametrize(
    ("env", "options", "lost", "won"),
    [
        (SLIME, {"lives": 3}, -3, 3),
        (BOARD, {}, -1, 1),
        ("KuhnPoker-v0", {}, -2, 2),
        ("RockPaperScissors-v0", {}, -1, 1),
    ],
)
def test_what_a_forfeit_is_worth(env: str, options: Any, lost: float, won: float) -> None:
    """The worst that a player of the game can get, and the best for the other."""
    results = match(env, options, [Batch(lambda *_: 1 / 0), bot("random", build(env, 1, options).spec)], 2, seed=0)
    for one in results:
        own = one.players.index("batch")
        assert (one.score[own], one.score[1 - own]) == (lost, won)


@pytest.mark.parametrize("env", [SLIME, "SlimeVolleyDoubles-v0", BOARD, "ConnectFour-v0", "KuhnPoker-v0"])
def test_scores_have_the_bounds_that_the_game_says(env: str) -> None:
    spec = build(env, 1, {}).spec
    assert spec.scores is not None
    results = arena.play(env, ["random", "random"], 8).results
    assert all(spec.scores[0] <= score <= spec.scores[1] for one in results for score in one.score)


def test_forfeits_of_several_teams_and_of_games_without_bounds() -> None:
    earned = np.array([2.0, 3.0, -1.0, 4.0])
    four = replace(SPEC, teams=(0, 1, 2, 3), scores=(-9.0, 9.0))
    assert forfeit_score(four, earned, [1]) == (2.0, -9.0, -1.0, 4.0)
    pairs = replace(SPEC, teams=(0, 0, 1, 1), scores=(-9.0, 9.0))
    assert forfeit_score(pairs, earned, [1]) == (-9.0, -9.0, 9.0, 9.0)
    assert forfeit_score(pairs, earned, [1, 2]) == (-9.0,) * 4
    endless = replace(SPEC, teams=(0, 0, 1, 1), scores=None)
    assert forfeit_score(endless, earned, [1]) == (-2.0, -2.0, -1.0, 4.0)


def test_a_guest_that_plays_few_games_at_a_time() -> None:
    """Waves of three: every game has its own seed and seats, and none has more neighbours than that."""
    widest = 0

    class Table:
        watches = False

        def ask(self, requests: Any) -> Any:
            nonlocal widest
            from arena.guests.table import Reply

            widest = max(widest, len({one.game for one in requests}))
            return [Reply(one.legal.argmax(), None, 0.0) for one in requests]

        def over(self, game: int, score: float | None) -> None: ...

        def close(self) -> None: ...

    few = Guest("few", SPEC.action_spaces[0], lambda limits: Table(), 3)
    assert together([few, bot("random", SPEC)]) == 3
    tape = Tape()
    results = run_block(BOARD, {}, [few, bot("one-ply", SPEC)], 11, seed=4, tape=tape)
    whole = run_block(BOARD, {}, [bot("one-ply", SPEC)] * 2, 11, seed=4)
    assert widest <= 3
    assert [one.seed for one in results] == [one.seed for one in whole]
    assert [one.players[0] for one in results] == ["few", "one-ply"] * 5 + ["few"]
    for game, one in enumerate(results):
        assert tape.actions(game, one.steps, np.dtype(np.int64)).shape == (one.steps, 2)
    assert tape.nbytes > 0


def test_replays_of_games_in_waves(tmp_path: Path) -> None:
    """Each is played again from its tape, which shows that the tape is that of the game."""
    text = f"{ROOT}/tests/agents/fellows.py:Counting"
    outcome, replays = record(BOARD, [text, "random"], 9, options={}, tested=False)
    whole = [one for one in outcome.results if one.ended == "rules"]
    assert len(whole) < 9
    assert [(one.score, one.seed, one.steps) for one in replays] == [(one.score, one.seed, one.steps) for one in whole]


def test_names_and_reasons_are_those_of_the_results() -> None:
    wrong = Batch(lambda action, obs, memory: action - 50)
    results = run_block(BOARD, {}, [wrong, bot("random", SPEC)], 2, 0, names=["mine", "theirs"])
    assert {one.players for one in results} == {("mine", "theirs"), ("theirs", "mine")}
    assert {one.reason.partition(" ")[0] for one in results} == {"mine"}


def test_runs_of_old_are_read_verified_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their games have no column for a reason."""
    lines = [line for line in SCHEMA.splitlines() if not line.lstrip().startswith("reason TEXT")]
    before = "\n".join(lines).replace("ended TEXT NOT NULL,  ", "ended TEXT NOT NULL   ")
    assert before.count("\n") == SCHEMA.count("\n") - 2
    monkeypatch.setattr("arena.store.database.SCHEMA", before)
    old = Result(BOARD, ("a", "b"), (1.0, -1.0), 5, 3, "rules")
    with RunFolder.create(tmp_path / "run", Run(), seed=0) as folder:
        folder.append_block("one", [old])
    with sqlite3.connect(tmp_path / "run" / "league.sqlite") as db:
        db.execute("ALTER TABLE games DROP COLUMN reason")
    db.close()
    copy = shutil.copytree(tmp_path / "run", tmp_path / "copy")
    with RunFolder.open(copy) as folder:
        assert list(folder.results()) == [old]
    assert verify(copy) == []
    with sqlite3.connect(copy / "league.sqlite") as db:
        assert "reason" not in {row[1] for row in db.execute("PRAGMA table_info(games)")}
    db.close()
    new = replace(old, ended="forfeit", reason="b was late")
    with RunFolder.open(copy, write=True) as folder:
        folder.append_block("two", [new])
        assert list(folder.results()) == [old, new]
    assert verify(copy) == []
