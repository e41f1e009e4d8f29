"""A Swiss of 32 in which eight misbehave: it ends, each loss has its reason, and nobody is left behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from arena.cli import main
from arena.store import RunFolder
from arena.store.verify import verify
from tests.test_guests_programs import KINDS, left, naughty

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are ended as groups")

EIGHT = ("crash", "sleep", "garbage", "illegal", "huge", "exit", "fork", "stubborn")


def test_a_swiss_of_32_with_eight_that_misbehave(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, run = tmp_path / "pids", tmp_path / "swiss"
    players = [*(naughty(kind, 1, log) for kind in EIGHT), *["random", "one-ply"] * 12]
    words = ["--env", "TicTacToe-v0", "--games", "2", "--workers", "2", "--move-time", "400ms", "--untested"]
    assert main(["tournament", "swiss", *players, *words, "--out", str(run), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert left(log) == []
    assert verify(run) == []
    with RunFolder.open(run) as folder:
        results = list(folder.results())
    assert len(said["table"]) == 32
    blamed = set()
    for result in results:
        assert (result.ended == "forfeit") == bool(result.reason)
        if not result.reason:
            assert not any(name.startswith("naughty") for name in result.players)
            continue
        name = result.reason.partition(" ")[0]
        own = result.players.index(name)
        assert (result.score[own], result.score[1 - own]) == (-1, 1)
        blamed.add(name.split("-")[1])
    assert blamed == set(EIGHT) <= set(KINDS)
