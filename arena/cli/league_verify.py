"""`arena league verify`: is everything in a run folder as it was written?"""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from pathlib import Path

from tyro.conf import Positional


def verify(dir: Positional[Path], json: bool = False) -> int:
    """Check every file and every row of a run against its hash, also while the run is going on.

    Exit code 0: all is as it was written. 1: something is not; each fault is one sentence.

    Args:
        dir: run folder, of a league or of `arena train`.
        json: print one object: run, clean, faults (kind: missing, changed, truncated, unknown or damaged; where;
            sentence), notes (sentences about what looks odd and is no fault), files, blocks, games (how many were
            checked).
    """
    from arena.store.verify import examine

    found = examine(dir)
    if json:
        faults = [asdict(fault) for fault in found.faults]
        counts = {"files": found.files, "blocks": found.blocks, "games": found.games}
        said = {"run": str(dir), "clean": not faults, "faults": faults, "notes": found.notes, **counts}
        print(jsonlib.dumps(said))
    else:
        for sentence in (*map(str, found.faults), *found.notes):
            print(sentence)
        count = len(found.faults)
        verdict = f"{count} fault{'s' * (count != 1)}" if count else "clean"
        print(f"{dir}: {verdict}; {found.files} files, {found.blocks:,} blocks and {found.games:,} games checked")
    return 1 if found.faults else 0
