"""`arena league plan`: what a league will take, before it is started."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from typing import Annotated

import tyro
from tyro.conf import Positional


def plan(
    source: Positional[str],
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    budget: str | None = None,
    json: bool = False,
) -> int:
    """Estimate minutes, games and disk of a league, from a few seconds of training on this machine. Nothing is kept.

    Args:
        source: name of a preset, or a run file.
        set: change a key of it as dotted.key=value; may be repeated.
        budget: how long, as for `arena league run`.
        json: print one object: source, budget, seconds, steps, stretches, snapshots, games, disk (bytes), speed (env
            steps of training per second), rating (share of the time for rated games).
    """
    from arena.config import load, parse_budget
    from arena.league import LeagueConfig
    from arena.league.plan import plan as estimate

    if budget is not None:
        parse_budget(budget)
    changes = [*set, *([f"budget={budget}"] if budget is not None else [])]
    config = load(LeagueConfig, source, changes)
    found = estimate(config)
    if json:
        print(jsonlib.dumps({"source": source, "budget": config.budget, **asdict(found)}))
        return 0
    print(f"{source}: {len(config.learners)} learners, budget {config.budget}; an estimate for this machine:")
    print(f"time   about {found.seconds / 60:.1f} minutes, {found.rating:.0%} of it for rated games")
    print(f"steps  {found.steps:,} at {found.speed:,.0f} per second, in {found.stretches} stretches")
    print(f"games  {found.games:,} rated ones, of {found.snapshots} snapshots")
    print(f"disk   {found.disk / 2**20:.1f} MiB")
    return 0
