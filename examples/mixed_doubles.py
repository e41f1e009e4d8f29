"""Three players on four seats: who is the better partner of whom, and what each brings to a team.

python examples/mixed_doubles.py
python examples/mixed_doubles.py tracker baseline random --games 300
"""

from __future__ import annotations

import argparse

import arena
from arena.ratings.teams import rate
from envs.registry import make

GAME = "SlimeVolleyDoubles-v0"
LINEUP = [[0, 1, 2, 2], [2, 2, 0, 1], [0, 2, 1, 1], [1, 1, 0, 2], [1, 2, 0, 0], [0, 0, 1, 2]]
"""Games of a round: a pair against two of the third, on each side of the fence."""


def main() -> None:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("players", nargs="*", help="three bots, FILE.safetensors, or DIR@NAME of a league of doubles")
    parser.add_argument("--games", type=int, default=60)
    arguments = parser.parse_args()
    players = arguments.players or ["baseline", "tracker", "random"]
    outcome = arena.play(GAME, players, arguments.games, seed=0, lineup=LINEUP)
    for pair in dict.fromkeys(tuple(result.players[:2]) for result in outcome.results):
        scores = [result.score[0] for result in outcome.results if result.players[:2] == pair]
        print(f"{' and '.join(pair)}, left: mean score {sum(scores) / len(scores):+.2f} in {len(scores)} games")
    for name, rating in rate(outcome.results, make(GAME).spec.teams).items():
        print(f"{name}: brings {rating.mean:.1f} ± {rating.stderr:.1f} skill points to a team")


if __name__ == "__main__":
    main()
