"""`arena league add|retire`: members that come into a league, running or stopped, or leave it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional

from envs.errors import InputError, unknown


def add(
    dir: Positional[Path],
    name: Positional[str],
    player: str | None = None,
    like: str | None = None,
    role: Literal["main", "main-exploiter", "league-exploiter", "historical", "anchor"] | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
) -> int:
    """Add a member to a league. One that is running takes it in before its next stretch of training.

    Either somebody who stands still (--player), rated, and met in training if its role is "historical"; or a learner
    like one that is there (--like), which starts from random weights.

    Args:
        dir: run folder.
        name: what it is called.
        player: a bot of the game, a snapshot FILE.safetensors, or DIR@NAME of any run; its snapshot is copied.
        like: learner whose algorithm, settings, network and matchmaking it gets.
        role: what it is for; without it, anchor with --player, and main with --like.
        set: change a key of the learner as dotted.key=value, such as settings.entropy=0.01; may be repeated.
    """
    from arena.config import parse_assignments
    from arena.league.overview import learner_spec_of
    from arena.store import RunFolder

    if (player is None) == (like is None):
        raise InputError("give --player, for somebody who stands still, or --like, for a learner: one of them.")
    if set and like is None:
        raise InputError("--set changes a learner: give --like too.")
    fixed = ("historical", "anchor")
    chosen = role or ("anchor" if player else "main")
    if (chosen in fixed) != (player is not None):
        other = "of those who stand still: give --player" if chosen in fixed else "of learners: give --like"
        raise InputError(f"role {chosen} is one {other}.")
    payload: dict[str, Any] = {"name": name, "role": chosen}
    if like is not None:
        with RunFolder.open(dir) as run:
            payload["learner"] = _over(learner_spec_of(run, like), parse_assignments(set))
        if role and role != payload["learner"].get("role"):
            payload["learner"].pop("matchmaking", None)
            payload["learner"].pop("reset", None)
    else:
        payload["player"] = _file(str(player))
    return _ask(dir, "add", payload)


def retire(dir: Positional[Path], name: Positional[str]) -> int:
    """Retire a member: from now on it neither trains nor is met. Its games and snapshots stay, and are still rated.

    Args:
        dir: run folder, of a league that runs or is stopped.
        name: the member, without a step.
    """
    from arena.store import RunFolder

    with RunFolder.open(dir) as run:
        names = [member.name for member in run.members()]
    if name not in names:
        raise unknown("member", name, names)
    return _ask(dir, "retire", {"name": name})


def _ask(dir: Path, kind: str, payload: Mapping[str, Any]) -> int:
    """Do it now if nobody writes the run, or else ask whoever does."""
    from arena.store import RunFolder

    with RunFolder.open(dir) as run:
        writer = run.writer()
        if writer:
            run.request(kind, payload)
            print(f"asked process {writer}, which runs {dir}: it will be done before its next stretch of training")
            return 0
    from arena.league import League
    from arena.league.membership import admit

    with League.open(dir, write=True) as league:
        print(f"{dir}: {admit(league.population, kind, payload)}")
    return 0


def _file(player: str) -> str:
    """A bot's name, or the absolute path of a snapshot."""
    from arena.players import file_of
    from envs.bots import every_name

    return player if player in every_name() else str(file_of(player).absolute())


def _over(tree: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`tree` with `changes` in it, tables merged."""
    inside = {
        key: _over(tree[key], value)
        for key, value in changes.items()
        if isinstance(value, Mapping) and isinstance(tree.get(key), Mapping)
    }
    return {**tree, **changes, **inside}
