"""A run folder with some of everything in it, made without training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from arena.result import Result
from arena.store import RunFolder
from envs.config import Config

ENV = "SlimeVolley-v0"


class Run(Config):
    """The part of a league's config that its readers need."""

    budget: str = "1k-steps"
    game: dict[str, Any] = {"id": ENV, "options": {}}
    anchors: tuple[str, ...] = ("baseline",)
    learners: tuple[dict[str, str], ...] = ({"name": "ada"},)


def result(number: int) -> Result:
    """A game of two, told from others by its number."""
    players = ("ada:1000", "bob:1000") if number % 2 else ("bob:1000", "ada:1000")
    return Result(ENV, players, (1.5, -1.5), number, seed=2**53 - 1 - number, ended="rules")


def fill(folder: RunFolder) -> None:
    """Four blocks of games, two snapshots, a resume file, metrics, members, events and requests."""
    for block in range(4):
        folder.append_block(f"b/{block}", [result(4 * block + game) for game in range(4)])
    parent = None
    for step in (0, 1000):
        folder.snapshot_path("ada", step).write_bytes(b"%d" % step * 100)
        parent = folder.add_snapshot("ada", step, parent).name
        folder.write_atomic("resume/ada.pt", b"%d" % step * 500)
        folder.append_metrics({"kind": "training", "steps": step})
    folder.add_member("ada", "main", {"algorithm": "ppo"})
    folder.add_member("eve", "exploiter", {"algorithm": "ppo"}, parent="ada")
    folder.retire_member("eve")
    folder.request("add", {"name": "bob"})
    folder.request("retire", {"name": "ada"})
    folder.done(1, "bob trains from now on.")


def make(path: Path) -> Path:
    """Such a folder, closed."""
    with RunFolder.create(path, Run(), seed=3, command=["league", "run"]) as folder:
        fill(folder)
    return path
