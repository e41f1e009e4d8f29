"""Players by name: how a person says on the command line, and a program in Python, who shall play.

baseline                    a scripted player of the game
path/to/FILE.safetensors    a snapshot file
DIR@champion                the best rated snapshot of a run: highest TrueSkill mean - 3 standard errors, or, in
                            games of one seat, highest mean score of an evaluation
DIR@ada                     the latest snapshot of its member ada
DIR@ada:1200000             that very snapshot
"""

from __future__ import annotations

import math
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arena.league.overview import roles
from arena.league.standings import LEADERS, role_of
from arena.ratings.games import Games, games_of
from arena.ratings.trueskill import rate
from arena.store import RunFolder, Snapshot
from envs.core import EnvSpec
from envs.errors import InputError, unknown
from envs.player import Player
from envs.slime_volley.bots import BOTS, bot

CHAMPION = "champion"
SUFFIX = ".safetensors"


def load_player(text: str, spec: EnvSpec, greedy: bool = True) -> Player:
    """The player that `text` names, ready to sit down in the game `spec`.

    Args:
        greedy: a snapshot takes its most probable action; False lets it sample, as it did in training.

    Raises:
        InputError: nobody of that name, a file that is no snapshot, or one made for another game.
    """
    if text in BOTS:
        return bot(text, spec)
    return _from_file(*_file_of(text), spec, greedy)


class Home(NamedTuple):
    """The game that a snapshot was trained in."""

    env: str
    options: dict[str, Any]
    """Where they are noted: a league's snapshots do not say them."""


def home_of(text: str) -> Home | None:
    """Where the player that `text` names learnt; None for a bot, and for a snapshot that does not say so.

    Raises:
        InputError: as for `load_player`.
    """
    if text in BOTS:
        return None
    from agents.snapshot import load_snapshot

    meta = load_snapshot(_file_of(text)[0]).meta
    return Home(meta["env"], dict(meta.get("options", {}))) if "env" in meta else None


def file_of(text: str) -> Path:
    """The snapshot file that `text`, which is no bot, names.

    Raises:
        InputError: as for `load_player`.
    """
    return _file_of(text)[0]


def _file_of(text: str) -> tuple[Path, str]:
    """The file of a snapshot, and what the player is called."""
    path = Path(text)
    if path.is_dir():
        raise InputError(f"{text} is a folder: say {text}@{CHAMPION}, or {text}@NAME for a member of its run.")
    if path.suffix == SUFFIX or path.is_file():
        return path, path.stem
    folder, at, who = text.rpartition("@")
    if at:
        with RunFolder.open(folder) as run:
            snapshot = find_snapshot(run, who)
            return run.path / snapshot.file, snapshot.name
    if get_close_matches(text, BOTS, cutoff=0.5):
        raise unknown("player", text, BOTS)
    raise InputError(
        f"unknown player {text!r}: give a bot ({', '.join(BOTS)}), a snapshot FILE{SUFFIX}, "
        f"or DIR@{CHAMPION} or DIR@NAME of a run."
    )


def find_snapshot(run: RunFolder, who: str) -> Snapshot:
    """The snapshot of `run` that "champion", "member" or "member:step" stands for.

    Raises:
        InputError: the run has none of that name.
    """
    snapshots = run.snapshots()
    if not snapshots:
        raise InputError(f"{run.path} has no snapshots yet.")
    if who == CHAMPION:
        return champion(run)
    named = {snapshot.name: snapshot for snapshot in snapshots}
    latest = {snapshot.member: snapshot for snapshot in sorted(snapshots, key=lambda s: s.step)}
    found = named.get(who) or latest.get(who)
    if found:
        return found
    member = who.partition(":")[0]
    choices = [name for name in named if name.startswith(f"{member}:")] or [CHAMPION, *latest]
    raise InputError(f"{run.path}: {unknown('player', who, choices)}")


def champion(run: RunFolder) -> Snapshot:
    """The snapshot of a main with the highest exposed TrueSkill rating: anchors and exploiters do not count.

    In games of one seat, the one with the highest mean score, the latest if several have it.

    Raises:
        InputError: no snapshot has been rated yet.
    """
    worth = _worth(games_of(run.meetings()))
    members = roles(run)
    rated = [snapshot for snapshot in run.snapshots() if snapshot.name in worth]
    rated = [snapshot for snapshot in rated if not members or role_of(snapshot.name, members) in LEADERS] or rated
    if not rated:
        raise InputError(f"{run.path} has no rated games yet, so no champion: name a snapshot, as in DIR@NAME.")
    return max(rated, key=lambda snapshot: (worth[snapshot.name], snapshot.step))


def _worth(games: Games) -> dict[str, float]:
    """What the champion has most of, by player."""
    if (np.diff(games.start) > 1).any():
        return {name: rating.exposed for name, rating in rate(games).items()}
    own = {name: games.score[games.player == number] for number, name in enumerate(games.names)}
    return {name: math.fsum(scores) / len(scores) for name, scores in own.items()}


def _from_file(path: Path, name: str, spec: EnvSpec, greedy: bool) -> Player:
    """A snapshot file as a player called `name`."""
    import torch

    from agents.player import seated
    from agents.snapshot import load_snapshot

    torch.set_num_threads(1)  # a network this small is many times slower on several
    policy = load_snapshot(path).policy
    made_for = (policy.obs_space, policy.action_space)
    offered = (spec.observation_spaces[0], spec.action_spaces[0])
    if made_for != offered:
        raise InputError(
            f"{path} was made for another game: it sees {made_for[0]} and does {made_for[1]}, "
            f"but {spec.id} shows {offered[0]} and takes {offered[1]}."
        )
    return seated(policy, name, greedy)
