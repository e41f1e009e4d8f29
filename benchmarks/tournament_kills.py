"""Is a tournament the same whatever happens to it? With 1, 2 and 4 workers, and killed at random moments and resumed.

    python -m benchmarks.tournament_kills [--kills 20] [--seed 7]

A double round robin of the box and the bots on SlimeVolleySimple-v0: all fingerprints must be equal, the folder clean.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from arena.ladder import LADDER

BOTS = ("baseline", "tracker", "random")
GAMES = 40
WORKERS = ("1", "2", "4")
KILLS = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
SOONEST, LATEST = 1.2, 4.0
"""s after which a process is killed."""
ARENA = (sys.executable, "-m", "arena")


def begin(out: Path, workers: str) -> list[str]:
    """The command of a new tournament."""
    game = ("--env", "SlimeVolleySimple-v0", "--games", str(GAMES))
    told = ("--workers", workers, "--out", str(out), "--json")
    return [*ARENA, "tournament", "double-round-robin", *LADDER, *BOTS, *game, *told]


def fingerprint(said: str) -> str | None:
    """Of a tournament that is over; None if it is not."""
    last = json.loads(said.strip().splitlines()[-1]) if said.strip() else {"ended": ""}
    return str(last["fingerprint"]) if last["ended"] == "over" else None


def killed(out: Path, kills: int, rng: random.Random) -> tuple[int, str]:
    """Kill it `kills` times, or as often as it lasts, then let it end: how often it was, and its fingerprint."""
    done, command = 0, begin(out, "2")
    while True:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )
        try:
            said, _ = process.communicate(timeout=rng.uniform(SOONEST, LATEST) if done < kills else None)
        except subprocess.TimeoutExpired:
            process.send_signal(rng.choice(KILLS))
            said, _ = process.communicate()
            done += 1
        found = fingerprint(said)
        if found:
            return done, found
        if (out / "run.json").exists():
            command = [*ARENA, "tournament", "resume", str(out), "--workers", rng.choice(WORKERS), "--json"]


def main() -> None:
    """Read the command line, play, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prints = set()
        for workers in WORKERS:
            ran = subprocess.run(begin(Path(folder) / workers, workers), capture_output=True, text=True, check=True)
            prints.add(fingerprint(ran.stdout))
            print(f"{workers} worker(s): {fingerprint(ran.stdout)}", flush=True)
        run = Path(folder) / "killed"
        times, found = killed(run, arguments.kills, random.Random(arguments.seed))
        prints.add(found)
        print(f"{times} kills: {found}")
        print("equal" if len(prints) == 1 else "THEY DIFFER", flush=True)
        subprocess.run([*ARENA, "league", "verify", str(run)], check=False)


if __name__ == "__main__":
    main()
