"""Is the champion a specialist? It meets every snapshot of its own league, and the one it does worst against is told.

python -m benchmarks.history RUN [--games 200]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.progress import track

from arena.league import League
from arena.match import match
from arena.players import champion
from arena.result import MatchSummary, summarise


def against_all(run: Path, games: int, seed: int = 0) -> list[tuple[str, MatchSummary]]:
    """The champion of `run` and every other snapshot of it: who it was, and the games from the champion's side, the
    worst first."""
    with League.open(run) as league:
        population, game = league.population, league.config.game
        name = champion(league.folder).name
        others = [one.name for one in population.past() if one.role != "anchor" and one.name != name]
        met = []
        for other in track(others, f"{name} meets its league"):
            players = [population.player(name), population.player(other)]
            results = match(game.id, game.options, players, games, seed)
            met.append((other, summarise(results, name)))
        return sorted(met, key=lambda pair: pair[1].score_mean)


def main() -> None:
    """Read the command line, play, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a league")
    parser.add_argument("--games", type=int, default=200, help="against each snapshot")
    arguments = parser.parse_args()
    met = against_all(arguments.run, arguments.games)
    for other, summary in met[:5]:
        print(f"against {other}: {summary}")
    beaten = sum(summary.score_mean > 0 for _, summary in met)
    print(f"{len(met)} snapshots met, {beaten} beaten on average; worst mean score {met[0][1].score_mean:+.3f}")


if __name__ == "__main__":
    main()
