"""RunFolder: one run on disk. Whatever moment its process dies at, the folder stays whole and readable.

run.json         format, versions, seed, command: written once
config.yaml      the resolved config; `arena league run DIR/config.yaml` starts the same run again
league.sqlite    results in order and the index of snapshots, see `arena.store.log`
snapshots/       one safetensors file per frozen policy
metrics.jsonl    one JSON object per line, appended
resume/          what training needs to go on, one file per learner
lock             held by the process that writes
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel

from arena.config import dump_yaml
from arena.result import Result
from arena.store.files import (
    append_line,
    drop_torn_line,
    make_folder,
    read_lines,
    sha256,
    sweep_drafts,
    write_atomic,
)
from arena.store.lock import Lock, holder
from arena.store.log import Log, Snapshot
from envs.errors import InputError

FORMAT = 1
"""Layout of the folder; counted up when an older program could not read it."""
PACKAGES = ("selfplay-arena", "torch", "numpy", "numba", "gymnasium", "trueskill", "safetensors")
"""Distributions whose versions a run notes."""


class RunFolder:
    """An open run. One process may write, any number may read meanwhile; used by one thread."""

    def __init__(self, path: Path, about: dict[str, Any], lock: Lock | None) -> None:
        """Use `create` or `open`."""
        self.path = path
        self.about = about
        """What run.json says: format, kind, created, seed, command, python, versions."""
        self._lock = lock
        self._log = Log(path / "league.sqlite", write=lock is not None)
        if lock:
            drop_torn_line(path / "metrics.jsonl")
            sweep_drafts(path)

    @classmethod
    def create(
        cls, path: str | Path, config: BaseModel, seed: int, command: Sequence[str] = (), kind: str = "league"
    ) -> Self:
        """Start a run in a new (or empty) folder and open it for writing. It appears whole or not at all.

        Args:
            config: written in full, so that the run can be started again from its folder.
            command: the words that it was started with, for the record.
            kind: "league" or "training".

        Raises:
            InputError: the folder holds something already, or cannot be written; nothing has changed then.
        """

        def fill(folder: Path) -> None:
            (folder / "snapshots").mkdir()
            (folder / "resume").mkdir()
            (folder / "config.yaml").write_text(dump_yaml(config), encoding="utf-8")
            Log.create(folder / "league.sqlite")
            write_atomic(folder / "run.json", json.dumps(about, indent=2).encode())  # last: now it is a run

        about = {**_about_now(seed, command), "kind": kind}
        try:
            _refuse_taken(Path(path))
            make_folder(Path(path).absolute(), fill)
        except OSError as fault:
            raise InputError(f"cannot write to {path}: {fault.strerror or fault}.") from None
        return cls.open(path, write=True)

    @classmethod
    def open(cls, path: str | Path, write: bool = False) -> Self:
        """Open a run to read it or, with `write`, to go on with it.

        Raises:
            InputError: no run there, one of a later format, or, for writing, one that another process writes.
        """
        path = Path(path)
        about = _read_about(path)
        lock = _take_lock(path) if write else None
        try:
            return cls(path, about, lock)
        except BaseException:
            if lock:
                lock.release()
            raise

    def close(self) -> None:
        """Close the log and let others write."""
        self._log.close()
        if self._lock:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def expect(self, kind: str) -> None:
        """Raise an InputError if this is a run of another kind."""
        own = _kind(self.about)
        if own != kind:
            raise InputError(f"{self.path} is a {own} run: {_advice(self.path, own)}.")

    def writer(self) -> str | None:
        """Process id of whoever writes this run now; None if nobody does."""
        return holder(self.path / "lock")

    def append_block(self, key: str, results: Iterable[Result]) -> bool:
        """Log a block of games in one transaction; False, and nothing changes, if `key` is logged already."""
        return self._log.append(key, results)

    def blocks(self) -> set[str]:
        """Keys of all blocks in the log."""
        return self._log.keys()

    def results(self) -> Iterator[Result]:
        """All games, in the order they were logged."""
        return self._log.results()

    def games(self) -> int:
        """How many games are in the log."""
        return len(self._log)

    def snapshot_path(self, member: str, step: int) -> Path:
        """Where the snapshot of `member` at `step` belongs.

        Raises:
            InputError: a member's name that cannot be part of a file's name, or of member:step.
        """
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", member):
            raise InputError(f"member name {member!r} may only have letters, digits, '_', '.' and '-'.")
        return self.path / "snapshots" / f"{member}-{step}.safetensors"

    def add_snapshot(self, member: str, step: int, parent: str | None = None) -> Snapshot:
        """Index the file at `snapshot_path(member, step)`, which must be complete.

        A snapshot that is indexed already keeps its place, so a stretch of training may be repeated.
        """
        path = self.snapshot_path(member, step)
        file = path.relative_to(self.path).as_posix()
        snapshot = Snapshot(f"{member}:{step}", member, step, file, parent, time.time(), sha256(path))
        self._log.add_snapshot(snapshot)
        return snapshot

    def snapshots(self) -> list[Snapshot]:
        """All snapshots, in the order they were added."""
        return self._log.snapshots()

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        """Add one line to metrics.jsonl; NaN and infinity become null."""
        append_line(self.path / "metrics.jsonl", record)

    def metrics(self) -> Iterator[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        return read_lines(self.path / "metrics.jsonl")

    def write_atomic(self, name: str, data: bytes) -> None:
        """Replace the file `name` (such as "resume/ada.pt") as a whole."""
        write_atomic(self.path / name, data)


def _about_now(seed: int, command: Sequence[str]) -> dict[str, Any]:
    """What run.json says about a run that starts now."""
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "command": list(command),
        "python": sys.version.split()[0],
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str | None:
    """Version of an installed distribution; None for one that runs from its source tree."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _refuse_taken(path: Path) -> None:
    """Raise if anything is at `path` already, unless it is an empty folder."""
    if (path / "run.json").exists():
        raise InputError(f"{path} already holds a run: {_advice(path, _kind(_read_about(path)))}.")
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file: choose a new folder.")
    if path.is_dir() and any(path.iterdir()):
        raise InputError(f"{path} is not empty and holds no run: choose a new folder.")


def _kind(about: Mapping[str, Any]) -> str:
    """ "league" or "training"; older runs do not say so, and are leagues."""
    return str(about.get("kind", "league"))


def _advice(path: Path, kind: str) -> str:
    """How to go on with a run of `kind`."""
    command = "league resume" if kind == "league" else "train --resume"
    return f"`arena {command} {path}` goes on"


def _read_about(path: Path) -> dict[str, Any]:
    """run.json, if it is one of ours that we understand."""
    if not path.is_dir():
        raise InputError(f"there is no run folder {path}: `arena league run` and `arena train` make one with --out.")
    try:
        about = json.loads((path / "run.json").read_bytes())
        written = int(about["format"])
    except OSError as fault:
        reason = f"run.json: {fault.strerror or fault}"
        raise InputError(f"{path} is no run folder ({reason}).") from None
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{path} is no run folder of arena (run.json is not ours).") from None
    if written > FORMAT:
        raise InputError(f"{path} has format {written}, but this arena reads up to {FORMAT}: update it.")
    return dict(about)


def _take_lock(path: Path) -> Lock:
    lock = Lock(path / "lock")
    try:
        holder = lock.take()
    except OSError as fault:
        raise InputError(f"cannot write to {path}: {fault.strerror or fault}.") from None
    if holder:
        raise InputError(f"{path} is being written by process {holder}: wait until it ends, or stop it.")
    return lock
