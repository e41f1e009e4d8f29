"""`arena players`: agents of other people, tried out."""

from __future__ import annotations

import json as jsonlib
import sys
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from envs.errors import InputError


def check(
    player: Positional[str],
    env: str = "",
    move_time: str = "",
    game_time: str = "",
    trust: bool = False,
    logs: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    json: bool = False,
) -> int:
    """Try an agent in a short game: does it play by the rules, how long does it take, does it do the same twice?

    A match or tournament does the same before its first game. The exit code is 1 if the agent is refused, with what it
    did wrong.

    Args:
        player: FILE.py:NAME or module:NAME (a function of an observation, or a class with a method act), "cmd:./program
            args" that speaks the protocol of examples/subprocess_agent, FILE.pt (TorchScript), FILE.onnx, FILE.zip
            (stable-baselines3), or anybody whom `arena match` knows.
        env: id of the game, see `arena envs`; without it that in which a snapshot was trained, or slime volleyball.
        move_time: time that it may take for a move, such as 20ms; without it programs have 10s.
        game_time: time that it may take for all of its moves of a game, such as 10s.
        trust: read files of stable-baselines3, which hold pickles and so can run any code.
        logs: folder for what a program writes to standard error.
        set: option of the env as key=value, such as lives=1; may be repeated.
        json: print one object: player, env, moves, median and longest (time for a move, s), repeatable (whether it did
            the same in the same game), error (null, or why it is refused).
    """
    from arena.config import parse_assignments
    from arena.guests.admission import admit
    from arena.guests.limits import parse_limits, plain
    from arena.players import game_of, load_player
    from envs.registry import build

    env, options = game_of([player], env, parse_assignments(set))
    limits = parse_limits(move_time, game_time)
    spec = build(env, 1, options).spec
    try:
        found = admit(load_player(player, spec, trust=trust, logs=logs), env, options, limits, twice=True)
    except InputError as fault:
        if json:
            print(jsonlib.dumps({"player": player, "env": env, "error": str(fault)}))
        print(f"arena: {fault}", file=sys.stderr)
        return 1
    if json:
        print(jsonlib.dumps({**found.figures(), "error": None}))
        return 0
    print(f"{found.player} plays {env}: {found.moves} moves of a short game, all legal")
    print(f"time for a move: {plain(found.median)} (median), {plain(found.longest)} (longest)")
    again = "yes" if found.repeatable else "no: a match with it does not come out the same twice"
    print(f"the same game again, the same moves: {again}")
    return 0
