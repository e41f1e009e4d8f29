"""How fast a tournament is played: a double round robin of a league's snapshots, on one worker and on two, and the same
pairs one after the other with `arena.play`.

    python -m benchmarks.tournament RUN [--players 32] [--games 100]

Asked: two workers at least 1.6 times one, and faster than pair by pair.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import combinations
from pathlib import Path

import arena
from arena.execution import make_executor
from arena.store import RunFolder
from arena.tournaments.config import GameConfig, TournamentConfig
from arena.tournaments.entrants import candidates
from arena.tournaments.tournament import Tournament
from envs.registry import build

GAME = "SlimeVolleySimple-v0"
SAMPLE = 40
"""About so many pairs are also played by themselves."""


def tournament(texts: list[str], games: int, workers: int) -> tuple[float, str]:
    """Games per second, starting and ending of workers included, and the fingerprint."""
    entrants = candidates(texts, GAME, {}, build(GAME, 1, {}).spec)
    config = TournamentConfig(
        format="double-round-robin",
        game=GameConfig(id=GAME),
        entrants=tuple(one.entrant() for one in entrants),
        games=games,
    )
    with tempfile.TemporaryDirectory() as folder, Tournament.create(Path(folder) / "run", config) as made:
        began = time.perf_counter()
        with make_executor("serial" if workers == 1 else "process", workers) as executor:
            made.run(executor)
        return made.games / (time.perf_counter() - began), made.fingerprint()


def main() -> None:
    """Read the command line, play, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a league")
    parser.add_argument("--players", type=int, default=32)
    parser.add_argument("--games", type=int, default=100, help="of each pair and cycle")
    arguments = parser.parse_args()
    with RunFolder.open(arguments.run) as run:
        texts = [f"{arguments.run}@{one.name}" for one in run.snapshots()][: arguments.players]
    pairs = list(combinations(texts, 2))
    pairs = pairs[:: max(1, len(pairs) // SAMPLE)]  # beginners play short games, so of all kinds
    began = time.perf_counter()
    for pair in pairs:
        arena.play(GAME, pair, games=arguments.games)
    alone = len(pairs) * arguments.games / (time.perf_counter() - began)
    print(f"{len(texts)} players; pair by pair {alone:.0f} games/s", flush=True)
    speeds, prints = [], set()
    for workers in (1, 2):
        speed, fingerprint = tournament(texts, arguments.games, workers)
        speeds.append(speed)
        prints.add(fingerprint)
        print(f"{workers} worker(s): {speed:.0f} games/s, fingerprint {fingerprint[:16]}", flush=True)
    print(
        f"two workers {speeds[1] / speeds[0]:.2f} times one; fingerprints {'equal' if len(prints) == 1 else 'DIFFER'}"
    )


if __name__ == "__main__":
    main()
