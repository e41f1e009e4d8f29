"""Verify: is everything in a run folder as it was written? Also while it is being written.

The log is read in one transaction, so it is seen at one moment. A file is announced before it is replaced (see
`arena.store.manifest`), so one that does not fit its row is looked at again: only if the row is still the same,
it is not a new file that fits a new row.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from arena.store.about import read_about
from arena.store.database import Database
from arena.store.files import is_draft, sha256
from arena.store.findings import Fault, Findings
from arena.store.manifest import Manifest
from arena.store.verify_log import check_log
from envs.errors import InputError

LOG, METRICS = "league.sqlite", "metrics.jsonl"
UNSEALED = {LOG, f"{LOG}-wal", f"{LOG}-shm", METRICS, "lock", "report.html"}
"""Files of a run that have no hash as a whole."""
FOREIGN = ("tensorboard/",)
"""Folders that other programs write into."""
REPLAY = r"replays/[^/]*\.replay"
"""Files with a seal of their own. They follow from the log, so that one may be missing."""
SNAPSHOT = r"snapshots/[A-Za-z0-9_][A-Za-z0-9_.-]*-\d+\.safetensors"


def verify(path: str | Path) -> list[Fault]:
    """What is wrong with the run folder `path`; nothing, if it is as it was written.

    Raises:
        InputError: no run there, or one of another format.
    """
    return examine(path).faults


def examine(path: str | Path) -> Findings:
    """The same, with what else was seen."""
    path = Path(path)
    findings = Findings()
    try:
        read_about(path)
    except InputError:
        if not _spoilt(path):
            raise
    _check_metrics(path / METRICS, findings)
    findings.files += 1
    if not (path / LOG).exists():
        findings.add("missing", LOG, f"{LOG} is missing, so nothing else can be checked.")
        return findings
    try:
        with closing(Database(path / LOG, write=False)) as db:
            check_log(db, findings)
            _check_files(db, path, findings)
    except (InputError, sqlite3.Error) as fault:
        reason = str(fault).rstrip(".")
        findings.add("damaged", LOG, f"{LOG} cannot be read: {reason}.")
    return findings


def _spoilt(path: Path) -> bool:
    """Whether run.json is not what was written once, but its folder is a run all the same."""
    try:
        with closing(Database(path / LOG, write=False)) as db:
            return _file_fault(Manifest(db, path), path, "run.json") is not None
    except InputError:
        return False


def _check_metrics(path: Path, findings: Findings) -> None:
    """Every line is a JSON object; a last one without its end is being written, or was when its writer died."""
    findings.files += 1
    if not path.exists():
        findings.add("missing", METRICS, f"{METRICS} is missing.")
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                findings.notes.append(f"the last line of {METRICS} is not whole: the next one to write drops it.")
            elif not _is_object(line):
                where = f"{METRICS}: line {number}"
                findings.add("damaged", where, f"line {number} of {METRICS} is no JSON object.")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _check_files(db: Database, path: Path, findings: Findings) -> None:
    """Every file against its hash, and the folder for files that have none."""
    there = {file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()}
    manifest = Manifest(db, path)
    names = manifest.names()  # asked last: whatever is there by now has been announced
    findings.files += len(names)
    findings.faults += [fault for name in names if (fault := _file_fault(manifest, path, name))]
    for name in sorted(there - set(names) - UNSEALED):
        if name.startswith(FOREIGN):
            continue
        if is_draft(Path(name)):
            findings.notes.append(f"{name} is a draft: it is being written, or the next one to write removes it.")
        elif re.fullmatch(REPLAY, name):
            findings.files += 1
            _check_replay(path / name, name, findings)
        elif re.fullmatch(SNAPSHOT, name):
            findings.notes.append(f"{name} is not in the index yet: it is new, or the next one to write repeats it.")
        else:
            findings.add("unknown", name, f"{name} is no file of this run.")


def _check_replay(path: Path, name: str, findings: Findings) -> None:
    """A replay against its own seal; whether the game is the one it says, tells `arena replay verify`."""
    from arena.replay.replay import parse

    try:
        parse(path.read_bytes(), name)
    except FileNotFoundError:
        return
    except OSError as reason:
        findings.add("damaged", name, f"{name} cannot be read: {reason.strerror or reason}.")
    except InputError as fault:
        findings.add("changed", name, str(fault))


def _file_fault(manifest: Manifest, root: Path, name: str) -> Fault | None:
    """What is wrong with a file that the manifest names."""
    while True:
        noted = manifest.noted(name)
        if noted is None:
            return None
        try:
            found = (size, _) = (root / name).stat().st_size, sha256(root / name)
        except FileNotFoundError:
            fault = Fault("missing", name, f"{name} is missing.")
            fits = noted.hash is None  # announced, but never written
        except OSError as reason:
            return Fault("damaged", name, f"{name} cannot be read: {reason.strerror or reason}.")
        else:
            fits = found in ((noted.size, noted.hash), (noted.next_size, noted.next_hash))
            if noted.size is not None and size < noted.size:
                fault = Fault("truncated", name, f"{name} is truncated: {size:,} of its {noted.size:,} bytes are left.")
            else:
                fault = Fault("changed", name, f"{name} has been changed: it does not fit its hash.")
        if fits:
            return None
        if manifest.noted(name) == noted:
            return fault
