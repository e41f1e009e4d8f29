"""`arena league export`: the games of a run as a table for other programs."""

from __future__ import annotations

import sys
from pathlib import Path

from tyro.conf import Positional


def export(dir: Positional[Path], csv: Path | None = None, json: Path | None = None) -> int:
    """Write all logged games to a file, one in each line: block, env, players, score, steps, seed, ended, time.

    `arena league import` reads such files.

    Args:
        dir: run folder, of a league or of `arena train`; it may be running.
        csv: write CSV to this file; players, and scores, are separated by ";". "-" is standard output.
        json: write JSON Lines, one object per game, to this file; "-" is standard output.
    """
    from arena.store import RunFolder, exchange
    from envs.errors import InputError

    path = csv or json
    if path is None or (csv and json):
        raise InputError("give either --csv FILE or --json FILE; - is standard output.")
    kind: exchange.Kind = "csv" if csv else "json"
    with RunFolder.open(dir) as folder:
        if str(path) == "-":
            exchange.WRITERS[kind](folder.entries(), sys.stdout)
        else:
            print(f"{path}: {exchange.export(folder.entries(), path, kind):,} games of {dir}")
    return 0
