"""How does a league as a whole do against a bot? Its snapshots' Nash mixture meets it, drawing who plays each game.

python -m benchmarks.mixture RUN perfect [--games 1000]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from arena.league import League
from arena.match import match
from arena.ratings.nash import nash
from arena.result import Result
from envs.bots import bot

LEAST = 0.001
"""Who is drawn more seldom than this is left out."""


def against(run: Path, name: str, games: int, seed: int = 0) -> tuple[dict[str, float], list[Result]]:
    """The mixture [name: share], and the games it played, players as the league's rated games seat them."""
    with League.open(run) as league:
        population, game = league.population, league.config.game
        snapshots = [one.name for one in population.past() if one.role != "anchor"]
        shares = nash(league.rated.payoff.among(snapshots).filled())
        mixture = {one: float(share) for one, share in zip(snapshots, shares, strict=True) if share >= LEAST}
        rng = np.random.default_rng(seed)
        counts = rng.multinomial(games // 2, np.array(list(mixture.values())) / sum(mixture.values()))
        results: list[Result] = []
        for one, pairs in zip(mixture, counts.tolist(), strict=True):
            if pairs:
                players = [population.player(one), bot(name, population.spec)]
                results += match(game.id, game.options, players, 2 * pairs, seed)
        return mixture, results


def main() -> None:
    """Read the command line, play, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a league")
    parser.add_argument("bot")
    parser.add_argument("--games", type=int, default=1000)
    arguments = parser.parse_args()
    mixture, results = against(arguments.run, arguments.bot, arguments.games)
    print(", ".join(f"{name} {share:.2f}" for name, share in mixture.items()))
    margins = []
    for result in results:
        theirs = result.players.index(arguments.bot)
        margins.append(result.score[1 - theirs] - result.score[theirs])
    won, lost = (sum(sign * margin > 0 for margin in margins) for sign in (1, -1))
    print(f"{len(results)} games: won {won / len(results):.1%}, lost {lost / len(results):.1%}")


if __name__ == "__main__":
    main()
