"""What `arena watch` shows of games that have been played: files, or the picks of a league."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envs.errors import InputError

if TYPE_CHECKING:
    from arena.viewer.playback import Playback

LIST = "list"
"""Pick that lists the others."""


def are_replays(sources: Sequence[str], pick: str) -> bool:
    """Whether `sources` are replay files or folders, and no players.

    Raises:
        InputError: some of them are, and some are not.
    """
    stored = [one.endswith(".replay") or Path(one).is_dir() for one in sources]
    if any(stored) and not all(stored):
        odd = sources[stored.index(True)]
        more = f", or {odd}@champion for a player of its run" if Path(odd).is_dir() else ""
        raise InputError(f"{odd} is watched alone, without players: leave out the others{more}.")
    return bool(pick) or any(stored)


def playback_of(sources: Sequence[str], pick: str) -> Playback:
    """The replays in files, or those of a run that `pick` means, ready to be shown.

    Raises:
        InputError: a file that is damaged or does not end as it says, no such pick, or several folders.
    """
    from arena.replay.sources import checked, files_in, picked, run_of, sitting
    from arena.store import RunFolder
    from arena.viewer.playback import Playback

    folders = [Path(one) for one in sources if Path(one).is_dir()]
    if pick or any((folder / "run.json").is_file() for folder in folders):
        with RunFolder.open(only(sources)) as run:
            replays = picked(run, pick)
            return Playback.of_replays(replays, sitting(run, replays))
    paths = [path for one in sources for path in files_in(Path(one))]
    replays = checked(paths)
    home = run_of(paths[0])
    if home is None:
        return Playback.of_replays(replays)
    with RunFolder.open(home) as run:
        return Playback.of_replays(replays, sitting(run, replays))


def list_picks(sources: Sequence[str], json: bool) -> int:
    """Print what `--pick` can mean in a run."""
    from arena.replay.picks import picks
    from arena.replay.sources import listing
    from arena.store import RunFolder

    with RunFolder.open(only(sources)) as run:
        rows = listing(picks(run))
    if json:
        print(jsonlib.dumps({"run": sources[0], "picks": rows}))
        return 0
    for row in rows:
        print(f"{row['label']:<34}  {row['title']}{_told(row)}")
    print("or two players as A-vs-B, such as ada-vs-baseline")
    return 0


def _told(row: Mapping[str, Any]) -> str:
    """Who played, and the score, as far as it is known."""
    if row["players"] is None:
        return ""
    score = " : ".join(f"{points + 0.0:g}" for points in row["score"])
    return f" ({' - '.join(dict.fromkeys(row['players']))}  {score})"


def only(sources: Sequence[str]) -> Path:
    """The one run folder."""
    if len(sources) != 1:
        raise InputError(
            f"--pick chooses from one run folder, as in `arena watch DIR --pick upset`, not from {len(sources)}."
        )
    return Path(sources[0])


def ratings_of(players: Sequence[str]) -> dict[str, float]:
    """TrueSkill means of those `players` who have one: of everybody in their leagues, and of the players in the box."""
    from arena.ladder import rungs
    from arena.league.overview import history
    from arena.ratings.trueskill import rate
    from arena.store import RunFolder

    known = {rung.name: rung.skill for rung in rungs() if rung.name in players}
    for folder in dict.fromkeys(text.rpartition("@")[0] for text in players if "@" in text):
        with RunFolder.open(folder) as run:
            if run.members():  # a league
                known |= {name: one.mean for name, one in rate(history(run)).items()}
    return known
