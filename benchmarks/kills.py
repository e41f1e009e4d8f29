"""A small league, killed (SIGKILL) again and again at random moments and resumed each time: is anything lost?

    python -m benchmarks.kills [--kills 100] [--seed 0] [--out FOLDER]

After each kill: every game that was committed before is still there, `arena league verify` is clean. In the end: games,
snapshots and ratings are those of the same league run without disturbance. Exit code 1 and a sentence if not.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

RUN_FILE = """\
budget = "{steps}-steps"
device = "cpu"
threads = 1
anchors = ["baseline", "random"]
matchmaking = {{ mirror = 0.5, hard = 0.5 }}
game = {{ options = {{ max_steps = 90 }} }}
training = {{ games = 8, steps = 16, snapshot_steps = 200, options = {{ lives = 1 }} }}
evaluation = {{ games = 4, rivals = 2, final_games = 4 }}
promotion = {{ rule = "win_share", win_share = 0.4, games = 4 }}
pbt = {{ every = 2 }}

[[learners]]
name = "ada"
policy = {{ hidden = [8] }}
settings = {{ minibatch_rows = 128 }}

[[learners]]
name = "bob"
policy = {{ hidden = [8] }}
settings = {{ minibatch_rows = 128 }}

[[learners]]
name = "eve"
role = "main-exploiter"
policy = {{ hidden = [8] }}
settings = {{ minibatch_rows = 128 }}
reset = {{ steps = 600 }}
"""
"""Stretches of 256 steps; everything that decides between them is switched on."""
ARENA = [sys.executable, "-m", "arena"]


def disturb(folder: Path, kills: int, steps: int, seed: int) -> list[str]:
    """Run the league twice in `folder`, once undisturbed and once killed up to `kills` times; what is wrong."""
    source = folder / "small.toml"
    source.write_text(RUN_FILE.format(steps=steps), encoding="utf-8")
    whole, broken = folder / "whole", folder / "broken"
    began = time.monotonic()
    subprocess.run([*ARENA, "league", "run", source, "--out", whole], check=True, capture_output=True)
    lasts = time.monotonic() - began
    rng, faults, done = random.Random(seed), list[str](), 0
    command = [*ARENA, "league", "run", source, "--out", broken]
    while done < kills:
        committed = _games(broken)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        start = time.monotonic()
        while not (broken / "run.json").exists() and process.poll() is None:
            time.sleep(0.01)
        # From the first moments of the process, when it rates what the one before it left, to well into a stretch.
        wait = rng.uniform(0.0, max(4.0, 8 * lasts / max(kills, 8)))
        time.sleep(max(0.0, wait - (time.monotonic() - start)))
        ended = process.poll() is not None
        process.kill()
        process.wait()
        if ended:
            break
        done += 1
        command = [*ARENA, "league", "resume", broken]
        faults += [f"after kill {done}: {fault}" for fault in _faults(broken, committed)]
        print(f"kill {done}: {len(_games(broken)):,} games", file=sys.stderr, flush=True)
    subprocess.run([*ARENA, "league", "resume", broken], check=True, capture_output=True)
    faults += _faults(broken, [])
    if _games(whole) != _games(broken):
        faults.append("the games are not those of the undisturbed run")
    if _ratings(whole) != _ratings(broken):
        faults.append("the final ratings are not those of the undisturbed run")
    if _snapshots(whole) != _snapshots(broken):
        faults.append("the snapshots are not those of the undisturbed run")
    print(f"{done} kills, {len(_games(broken)):,} games, {len(_snapshots(broken))} snapshots: {len(faults)} faults")
    return faults


def _faults(run: Path, committed: list[object]) -> list[str]:
    """What `verify` says, and whether games that were there before are gone."""
    verdict = subprocess.run([*ARENA, "league", "verify", run], check=False, capture_output=True, text=True)
    faults = [] if verdict.returncode == 0 else [verdict.stdout + verdict.stderr]
    return faults + (["committed games are gone"] if _games(run)[: len(committed)] != committed else [])


def _games(run: Path) -> list[object]:
    from arena.store import RunFolder

    if not (run / "run.json").exists():
        return []
    with RunFolder.open(run) as folder:
        return list(folder.results())


def _ratings(run: Path) -> object:
    from arena.league.overview import leaderboard
    from arena.store import RunFolder

    with RunFolder.open(run) as folder:
        return leaderboard(folder)


def _snapshots(run: Path) -> list[tuple[str, str]]:
    from arena.store import RunFolder

    with RunFolder.open(run) as folder:
        return [(snapshot.name, snapshot.hash) for snapshot in folder.snapshots()]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--steps", type=int, default=60_000, help="env steps of the league, all learners")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which it is killed")
    parser.add_argument("--out", type=Path, help="keep the two runs in this new folder")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="arena-kills-") as temporary:
        folder = asked.out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        faults = disturb(folder, asked.kills, asked.steps, asked.seed)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
