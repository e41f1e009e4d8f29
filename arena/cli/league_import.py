"""`arena league import`: games that were played elsewhere, into the log of a run."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path

from tyro.conf import Positional


def import_games(dir: Positional[Path], file: Positional[Path], json: bool = False) -> int:
    """Add foreign results to a league that is not running: all games of a file, or none of them.

    A file has the columns of `arena league export`, of which only players and score must be there. Players need not
    be members: they are rated as they are. The same file counts once.

    Args:
        dir: run folder of a league.
        file: table of games, .csv or .jsonl (JSON Lines, one object per game).
        json: print one object: run, file, games (how many were added), known (true if the file was imported before).
    """
    from arena.league.overview import outline
    from arena.store import RunFolder
    from arena.store.foreign import import_results

    with RunFolder.open(dir, write=True) as folder:
        count = import_results(folder, file, outline(folder).game.id)
    if json:
        print(jsonlib.dumps({"run": str(dir), "file": str(file), "games": count or 0, "known": count is None}))
    elif count is None:
        print(f"{file} was imported into {dir} before: nothing has changed")
    else:
        print(f"{dir}: {count:,} game{'s' * (count != 1)} from {file}")
    return 0
