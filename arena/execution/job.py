"""MatchJob: a block of games as data, which any process can play and which comes to the same results in all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from arena.execution.files import hash_of, opened
from arena.guests.forms import is_guest
from arena.guests.limits import Limits
from arena.ladder import LADDER
from arena.match import FREE, Lineup, Tape, run_block
from arena.players import file_of, load_player
from arena.result import Result
from envs.bots import every_name
from envs.registry import build
from envs.side import Side

CACHED = 64
"""Players that a process keeps, at most."""


class Pinned(NamedTuple):
    """A player as data: what was named, found once, so that a run which goes on cannot change who plays."""

    text: str
    """For `load_player`; a file is named by its whole path."""
    hash: str = ""
    """SHA-256 of its file, hexadecimal; "" if there is none."""


@dataclass(frozen=True, slots=True)
class MatchJob:
    """One block: all of its games side by side, see `arena.match.run_block`. Calling it plays."""

    env: str
    """Id of the game."""
    players: tuple[Pinned, ...]
    """One for each team, or, with `lineup`, any number."""
    names: tuple[str, ...]
    """What results call them, all different."""
    games: int
    seed: int
    """Of the block."""
    options: Mapping[str, Any]
    """Of the env."""
    lineup: Lineup | None = None
    """As for `arena.match.match`."""
    greedy: bool = True
    """Whether snapshots take their most probable action."""
    limits: Limits = FREE
    """For guests."""
    trust: bool = False
    """Whether files may be read that hold pickles."""
    logs: Path | None = None
    """Folder for what programs write to standard error."""

    @property
    def files(self) -> dict[str, str]:
        """Paths by hash, of what another machine needs to play it."""
        return {who.hash: who.text for who in self.players if who.hash}

    def __call__(self) -> list[Result]:
        """Play; games in the order in which they started.

        Raises:
            InputError: an unknown env, option or player, or a file that is not the one it was.
        """
        return self.play()

    def play(self, tape: Tape | None = None) -> list[Result]:
        """The same; what is done in them goes on `tape`."""
        how = (self.env, self.options, self.greedy, self.trust, self.logs)
        sides = [loaded(who, *how) for who in self.players]
        return run_block(
            self.env, self.options, sides, self.games, self.seed,
            lineup=self.lineup, tape=tape, limits=self.limits, names=self.names,
        )  # fmt: skip


def pinned(text: str) -> Pinned:
    """The player that `text` names for `load_player`, as it is now.

    Raises:
        InputError: nobody of that name in a run, or a file that cannot be read.
    """
    if text in every_name() or text in LADDER:
        return Pinned(text)
    path = Path(text)
    if "@" in text and not path.is_file() and not is_guest(text):
        path = file_of(text)
    return Pinned(str(path.absolute()), hash_of(path)) if path.is_file() else Pinned(text)


def loaded(
    who: Pinned,
    env: str,
    options: Mapping[str, Any],
    greedy: bool = True,
    trust: bool = False,
    logs: Path | None = None,
) -> Side:
    """A player, which is kept for the blocks to come where that cannot matter: files and bots remember nothing.

    Args:
        trust: as for `load_player`, like what follows.

    Raises:
        InputError: as for `load_player`, or its file is not the one it was.
    """
    kept = who.hash or who.text in every_name() or who.text in LADDER
    load = _kept if kept else _load
    return load(who, env, json.dumps(dict(options), sort_keys=True), greedy, trust, logs)


def _load(who: Pinned, env: str, options: str, greedy: bool, trust: bool, logs: Path | None) -> Side:
    spec = build(env, 1, json.loads(options)).spec
    if not who.hash:
        return load_player(who.text, spec, greedy, trust=trust, logs=logs)
    with opened(who.hash, who.text) as path:
        return load_player(str(path), spec, greedy, trust=trust, logs=logs)


_kept = lru_cache(CACHED)(_load)
