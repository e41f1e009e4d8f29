"""`arena replay show|verify|list`: what stored games are, and whether they are what they say."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

if TYPE_CHECKING:
    from arena.replay import Replay


def show(file: Positional[Path], json: bool = False) -> int:
    """What a replay is: game, players, result, and how large it is. It is played again to be sure of it.

    Args:
        file: a .replay file.
        json: print one object: file, env, options, rules, seed, players, ratings (null for who had none), score,
            ended (rules, limit or forfeit), steps, seconds (of play), state_hash, title, bytes.
    """
    from arena.replay.sources import checked
    from envs.registry import build

    replay = checked([file])[0]
    seconds = replay.steps * build(replay.env, 1, replay.options).spec.step_seconds
    if json:
        print(jsonlib.dumps({"file": str(file), **facts(replay), "seconds": seconds, "bytes": file.stat().st_size}))
        return 0
    how = {"rules": "by its rules", "limit": "at the step limit", "forfeit": "by a forfeit"}[replay.ended]
    print(f"{file}: {replay.title or 'a game'}, {file.stat().st_size:,} bytes")
    print(f"{replay.env}{_options(replay)}, seed {replay.seed}, rules {replay.rules}")
    for name, rating, score in zip(replay.players, replay.ratings, replay.score, strict=True):
        print(f"  {name}{'' if rating is None else f' (rated {rating:.1f})'}: {score + 0.0:g}")
    print(f"ended {how} after {replay.steps:,} steps, {seconds:.1f} s of play; played again it ends the same")
    return 0


def verify(files: Positional[tuple[Path, ...]], json: bool = False) -> int:
    """Play replays again: does each end as it says?

    Exit code 0: all do. 1: some do not, or are damaged; each fault is one sentence.

    Args:
        files: .replay files, or folders with some, or run folders.
        json: print one object: replays (how many were checked), steps (in all), faults (file, sentence).
    """
    from arena.replay.batch import check
    from arena.replay.replay import read_replay
    from arena.replay.sources import files_in
    from envs.errors import InputError

    if not files:
        raise InputError("no replay to verify: name files or a folder, as in `arena replay verify DIR`.")
    paths = [path for one in files for path in files_in(one)]
    faults: dict[Path, str] = {}
    read: dict[Path, Replay] = {}
    for path in paths:
        try:
            read[path] = read_replay(path)
        except InputError as fault:
            faults[path] = str(fault)
    for path, wrong in zip(read, check(list(read.values())), strict=True):
        if wrong:
            faults[path] = f"{path}: {wrong}"
    steps = sum(replay.steps for replay in read.values())
    if json:
        told = [{"file": str(path), "sentence": faults[path]} for path in paths if path in faults]
        print(jsonlib.dumps({"replays": len(paths), "steps": steps, "faults": told}))
    else:
        for path in paths:
            if path in faults:
                print(faults[path])
        verdict = f"{len(faults)} of them not" if faults else "all end as they say"
        print(f"{len(paths):,} replay{'s' * (len(paths) != 1)}, {steps:,} steps: {verdict}")
    return 1 if faults else 0


def list_replays(dir: Positional[Path], json: bool = False) -> int:
    """Name the replays in a folder or a run: who played, the score, how long, and why they are kept.

    Args:
        dir: folder with .replay files, or a run folder.
        json: print one object: dir, replays (as in `arena replay show --json`, less seconds), damaged (sentences).
    """
    from arena.replay.replay import read_replay
    from arena.replay.sources import files_in
    from envs.errors import InputError

    rows: list[dict[str, Any]] = []
    damaged = []
    for path in files_in(dir):
        try:
            rows.append({"file": str(path), **facts(read_replay(path)), "bytes": path.stat().st_size})
        except InputError as fault:
            damaged.append(str(fault))
    if json:
        print(jsonlib.dumps({"dir": str(dir), "replays": rows, "damaged": damaged}))
        return 0
    for row in rows:
        who = " - ".join(dict.fromkeys(row["players"]))
        score = " : ".join(f"{points + 0.0:g}" for points in row["score"])
        print(f"{Path(row['file']).name:<34}  {who}  {score}  {row['steps']:,} steps  {row['title']}".rstrip())
    print("\n".join(damaged), end="\n" if damaged else "")
    return 0


def facts(replay: Replay) -> dict[str, Any]:
    """What a replay says, less its actions."""
    return {
        "env": replay.env,
        "options": dict(replay.options),
        "rules": replay.rules,
        "seed": replay.seed,
        "players": list(replay.players),
        "ratings": list(replay.ratings),
        "score": list(replay.score),
        "ended": replay.ended,
        "steps": replay.steps,
        "state_hash": replay.state_hash,
        "title": replay.title,
    }


def _options(replay: Replay) -> str:
    said = ", ".join(f"{key}={value}" for key, value in replay.options.items())
    return f" ({said})" if said else ""
