"""`arena league leaderboard`: what the match log says of everybody, in any of the known ways."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path

from tyro.conf import Positional

from envs.errors import InputError, unknown


def leaderboard(
    dir: Positional[Path], rating: str = "trueskill", seats: bool = False, most: int | None = None, json: bool = False
) -> int:
    """Ratings of every snapshot and anchor, from the match log; also while it is being written.

    With the default rating, pairs that it puts in another order than the fit to all games does, both beyond their
    intervals, are named below the table.

    Args:
        dir: run folder.
        rating: trueskill, bradley-terry (one fit to all games), elo, glicko2, openskill; nash (Nash averaging),
            alpha-rank; payoff (who wins against whom), superiority (who is better than whom, and how surely), cycles
            (who beats each other in a circle).
        seats: rate everybody once per seat, as NAME@seat0, NAME@seat1 and so on.
        most: players to show, best first, anchors being always in a table of ratings; or cycles. Without it all, but
            ten players in a printed matrix, and ten cycles.
        json: print one object: run, env, games, rating, seats; and players (best first: rank, name, role, plays).
            Ratings add unit and, per player, anchor, mean, sigma (standard error), exposed (mean - 3 sigma), games,
            wins, draws, losses, score_mean, score_ci95, against (the last six for each anchor met); trueskill also
            champion (a player's name or null) and disagreements. nash and alpha-rank: share, payoff, games per player.
            payoff: win_share, met (games); superiority: superiority; all rows and columns in the order of the players,
            null where two never met. cycles has no players, but cycles: players, margins, games, strength.
    """
    from arena.cli.leaderboard_views import VIEWS, read
    from arena.league import overview
    from arena.store import RunFolder

    if rating not in VIEWS:
        raise unknown("rating", rating, VIEWS)
    if most is not None and most < 1:
        raise InputError(f"--most must be 1 or more, not {most}.")
    with RunFolder.open(dir) as folder:
        config, games = overview.outline(folder), folder.games()
        scope = read(folder, overview.roles(folder), config.anchors, seats, most)
    view = VIEWS[rating](scope)
    if json:
        head = {"run": str(dir), "env": config.game.id, "games": games, "rating": rating, "seats": seats}
        print(jsonlib.dumps({**head, **view.figures()}))
    elif len(scope.games):
        view.show(f"{dir}: {games:,} rated games of {config.game.id}")
    else:
        print(f"{dir}: no rated games yet")
    return 0
