"""Puts five snapshots in the box as the ladder: copies them, lets all of them and the bots meet, writes what they are.

    arena league run slime-laptop --set training.snapshot_steps=400_000 --budget 12M-steps --seed 0 --out runs/early
    arena league run slime-laptop --budget 60m --seed 0 --out runs/hour
    python -m benchmarks.ladder runs/early@ada:2293760 runs/early@ada:3670016 runs/early@bob:4587520 \\
        runs/early@ada:6094848 runs/hour@champion

The first run is reproducible to the byte, the second ends by the clock.
"""

from __future__ import annotations

import json
import shutil
import sys
from itertools import chain, combinations, pairwise

import arena
from arena.ladder import GAME, LADDER
from arena.players import file_of
from arena.ratings.trueskill import rate
from envs.data import asset

BOTS = ("baseline", "tracker", "random")
GAMES = 1000


def main(sources: list[str]) -> None:
    """Make the ladder of `sources`, the weakest first."""
    if len(sources) != len(LADDER):
        sys.exit(f"name {len(LADDER)} snapshots, the weakest first: {', '.join(LADDER)}.")
    folder = asset("README.md").parent / "ladder"
    folder.mkdir(exist_ok=True)
    for name, source in zip(LADDER, sources, strict=True):
        shutil.copyfile(file_of(source), folder / f"{name}.safetensors")
    played, against = [], {}
    for a, b in combinations((*LADDER, *BOTS), 2):
        outcome = arena.play(GAME, [a, b], games=GAMES, seed=0, workers=2)
        played.append(outcome.results)
        against[a, b] = outcome.summary.score_mean
        print(outcome)
    ratings = rate(list(chain.from_iterable(zip(*played, strict=True))))  # by turns: TrueSkill follows the order
    rungs = {
        name: {
            "skill": round(ratings[name].mean, 1),
            "baseline": round(against[name, BOTS[0]], 3),
            "origin": file_of(source).stem,
        }
        for name, source in zip(LADDER, sources, strict=True)
    }
    if any(rungs[low]["skill"] >= rungs[high]["skill"] for low, high in pairwise(LADDER)):
        print("warning: not every rung is above the one before", file=sys.stderr)
    (folder / "ladder.json").write_text(json.dumps(rungs, indent=1) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(json.dumps(rungs, indent=1), f"{size / 1000:.0f} kB", sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
