"""Sources: where replays to be watched come from, files or the log of a run, and who sat in them if that is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from arena.replay.again import Again, file_of, is_stored
from arena.replay.batch import check
from arena.replay.picks import Pick, find, picks
from arena.replay.replay import SUFFIX, Replay, read_replay
from arena.store import RunFolder
from envs.errors import InputError
from envs.side import Side


def files_in(path: Path) -> list[Path]:
    """The replay files that `path` stands for: itself, or those in it, be it a folder of replays or a run.

    Raises:
        InputError: a folder without any.
    """
    if not path.is_dir():
        return [path]
    found = sorted(path.glob(f"*{SUFFIX}")) or sorted((path / "replays").glob(f"*{SUFFIX}"))
    if not found:
        raise InputError(f"{path} has no replays: `arena match --replays DIR` and leagues store some.")
    return found


def checked(paths: Sequence[Path]) -> list[Replay]:
    """The replays in these files, played again.

    Raises:
        InputError: one that is damaged, or does not end as it says; the sentence begins with its path.
    """
    replays = [read_replay(path) for path in paths]
    for path, fault in zip(paths, check(replays), strict=True):
        if fault:
            raise InputError(f"{path}: {fault}")
    return replays


def run_of(path: Path) -> Path | None:
    """The run in whose replays/ the file `path` lies; None if it lies elsewhere."""
    folder = path.absolute().parent
    return folder.parent if folder.name == "replays" and (folder.parent / "run.json").is_file() else None


def picked(run: RunFolder, what: str = "") -> list[Replay]:
    """The replays of the picks that `what` means, all of them if it is empty: those that are stored, and the others
    played again.

    Raises:
        InputError: no such pick, or a game that does not play again here as it is logged.
    """
    wanted = find(run, what) if what else picks(run)
    if not wanted:
        raise InputError(f"{run.path} has no games yet that are worth watching.")
    stored = {pick.label: read_replay(file_of(run.path, pick)) for pick in wanted if is_stored(run.path, pick)}
    missing = [pick for pick in wanted if pick.label not in stored]
    made, faults = _again(run, missing) if missing else ({}, [])
    if faults and (what or not stored | made):
        raise faults[0]
    return [{**stored, **made}[pick.label] for pick in wanted if pick.label in stored | made]


def _again(run: RunFolder, wanted: Sequence[Pick]) -> tuple[dict[str, Replay], list[InputError]]:
    """Replays by label of what can be played again, and why the others cannot."""
    made: dict[str, Replay] = {}
    faults: list[InputError] = []
    again = Again(run)
    for pick in wanted:
        try:
            made[pick.label] = again.replays([pick])[0]
        except InputError as fault:
            faults.append(fault)
    return made, faults


def sitting(run: RunFolder, replays: Iterable[Replay]) -> dict[str, Side]:
    """Those who sat in `replays` of `run`, as far as they are still there, by name."""
    again, found = Again(run, ratings={}), {}
    for name in dict.fromkeys(name for replay in replays for name in replay.players):
        try:
            found[name] = again.player(name)
        except InputError:  # somebody from elsewhere
            continue
    return found


def listing(chosen: Sequence[Pick]) -> list[dict[str, object]]:
    """Picks as rows: label, title, players, score and steps (null for promotions, whose games are not logged)."""
    return [
        {
            "label": pick.label,
            "kind": pick.kind,
            "title": pick.title,
            "players": list(pick.result.players) if pick.result else None,
            "score": list(pick.result.score) if pick.result else None,
            "steps": pick.result.steps if pick.result else None,
        }
        for pick in chosen
    ]
