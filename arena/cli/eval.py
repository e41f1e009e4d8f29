"""`arena eval`: how good is a snapshot in a game of one seat, or of one team?"""

from __future__ import annotations

import json as jsonlib
from typing import Annotated

import tyro
from tyro.conf import Positional

from envs.errors import InputError


def eval(
    snapshot: Positional[str],
    env: Positional[str | None] = None,
    episodes: int = 100,
    seed: int = 0,
    sample: bool = False,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    json: bool = False,
) -> int:
    """Play a snapshot in a game of one seat or team: mean score with its 95 % interval, and length of games.

    A snapshot is FILE.safetensors, or DIR@champion, DIR@NAME or DIR@NAME:STEP of a run folder.

    Args:
        snapshot: who plays.
        env: id of the game; without it, the one that it was trained in, with the same options.
        episodes: how many games.
        seed: decides everything random.
        sample: it draws its actions as in training, instead of taking the most probable.
        set: option of the env as key=value, such as max_steps=200; may be repeated.
        json: print one object: snapshot, env, seed, games, score_mean, score_ci95 (low and high, or null), score_min,
            steps_mean.
    """
    from arena.config import parse_assignments
    from arena.match import match
    from arena.players import home_of, load_player
    from arena.training.evaluation import evaluation
    from envs.registry import build
    from envs.side import team_count

    if episodes < 1 or seed < 0:
        raise InputError(f"--episodes must be 1 or more and --seed 0 or more, not {episodes} and {seed}.")
    home = home_of(snapshot)
    game = env or (home.env if home else None)
    if game is None:
        raise InputError(f"{snapshot} does not say what game it plays: give its id, as in `arena eval {snapshot} ENV`.")
    options = {**(home.options if home and home.env == game else {}), **parse_assignments(set)}
    spec = build(game, 1, options).spec
    if team_count(spec) != 1:
        raise InputError(f"{game} is played by {team_count(spec)}: `arena match` lets players meet in it.")
    player = load_player(snapshot, spec, greedy=not sample)
    found = evaluation(match(game, options, [player], episodes, seed), player.name)
    if json:
        print(jsonlib.dumps({"snapshot": player.name, "env": game, "seed": seed, **found.figures()}))
    else:
        print(f"{game}, seed {seed}: {found}")
    return 0
