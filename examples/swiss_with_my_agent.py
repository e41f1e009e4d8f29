"""A Swiss of the players in the box, the scripted ones, and an agent of your own that remembers.

python examples/swiss_with_my_agent.py
python examples/swiss_with_my_agent.py runs/NAME@top4 --games 64 --workers 2 --out runs/swiss
"""

from __future__ import annotations

import argparse

import numpy as np

import arena
from envs.core import Array

FORWARD, JUMP_FORWARD, JUMP, BACKWARD = 1, 2, 3, 5
USUAL = ["novice", "player", "tracker", "baseline", "random"]


class Waiter:
    """Guesses where the ball comes down from how it has moved, waits there, and jumps. One object plays one game."""

    def __init__(self) -> None:
        """A new game."""
        self.before = np.zeros(2)

    def act(self, obs: Array) -> int:
        """The action for a view of 12 numbers: own x, y, vx, vy, then those of the ball and of the opponent."""
        ball = obs[4:6]
        dx, dy = ball - self.before
        self.before = ball.copy()
        steps = min(max(ball[1] - 0.2, 0.0) / -dy, 20.0) if dy < 0 else 5.0
        away = ball[0] + steps * dx + 0.08 - obs[0]
        if np.hypot(*(ball - obs[:2])) < 0.35:
            return JUMP_FORWARD if away < 0.05 else JUMP
        return FORWARD if away < 0 else BACKWARD


def main() -> None:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("opponents", nargs="*", default=USUAL, help="whoever `arena tournament` takes")
    parser.add_argument("--games", type=int, default=8, help="of a pairing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes that play")
    parser.add_argument("--out", help="run folder: for `arena tournament show`, `arena watch`, `arena report`")
    arguments = parser.parse_args()
    outcome = arena.tournament(
        "swiss",
        [Waiter, *arguments.opponents],
        arguments.games,
        arguments.seed,
        options={"lives": 2},
        workers=arguments.workers,
        out=arguments.out,
    )
    print(outcome)
    mine = outcome.cross_table.names.index("Waiter")
    for other, share in zip(outcome.cross_table.names, outcome.cross_table.win_share[mine], strict=True):
        if other != "Waiter" and not np.isnan(share):
            print(f"Waiter got {share:.0%} of the points against {other}")
    print(f"fingerprint {outcome.fingerprint[:16]}: the same for any number of workers")


if __name__ == "__main__":
    main()
