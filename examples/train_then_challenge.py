"""Train a little league, send its champion up against the players in the box, and look into one of its games.

python examples/train_then_challenge.py
python examples/train_then_challenge.py --budget 3m --out runs/challenger
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import arena

RUNGS = ["beginner", "novice", "player", "baseline"]


def main() -> None:
    """Read the command line, train, and play."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", default="60s", help="of training, such as 3m or 2M-steps")
    parser.add_argument("--set", action="append", default=[], help="setting of the league as key=value; repeatable")
    parser.add_argument("--games", type=int, default=16, help="with each of the players in the box")
    parser.add_argument("--out", type=Path, default=Path("runs") / time.strftime("challenger-%Y%m%d-%H%M%S"))
    arguments = parser.parse_args()

    with arena.League.create(arguments.out, "slime-laptop", [f"budget={arguments.budget!r}", *arguments.set]) as league:
        league.run()
        for standing in league.leaderboard()[:3]:
            print(f"{standing.name}: rating {standing.rating.mean:.1f} ± {standing.rating.stderr:.1f}")

    champion = f"{arguments.out}@champion"
    outcome = arena.tournament("gauntlet", {"champion": champion, **{name: name for name in RUNGS}}, arguments.games)
    print(outcome)

    match = arena.Match("SlimeVolley-v0", {"champion": champion, "baseline": "baseline"}, options={"lives": 1})
    hopes = [seen["champion"].value or 0.0 for seen in match]  # what its network expects, +1 won to -1 lost
    result = match.play()
    print(
        f"one point against the baseline, {result.steps} steps: score {result.score[0]:+.0f}; "
        f"the champion hoped for {hopes[0]:+.2f} at the serve, {max(hopes):+.2f} at best, {hopes[-1]:+.2f} at last"
    )
    match.save(arguments.out / "challenge.replay", "the champion against the baseline")
    print(f"arena watch {arguments.out / 'challenge.replay'}")


if __name__ == "__main__":
    main()
