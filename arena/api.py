"""The scripting API of matches: `arena.play`, `arena.make_env`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.match import Lineup, MatchSummary, Progress, Result, match, names_of, summarise
from arena.players import load_player
from envs.registry import build
from envs.registry import make as make_env
from envs.side import Side

__all__ = ["MatchOutcome", "make_env", "play"]


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """What came out of a match. Printing it gives one line."""

    env: str
    """Id of the game."""
    players: tuple[str, ...]
    """What the results call the players, in the order in which they were given."""
    seed: int
    results: tuple[Result, ...]
    """One for each game, in order."""
    summary: MatchSummary
    """The match from the first player's side."""

    def __str__(self) -> str:
        """The line."""
        return f"{self.env}, {' against '.join(self.players)}, seed {self.seed}: {self.summary}"


def play(
    env: str,
    players: Sequence[str | Side],
    games: int = 1000,
    seed: int = 0,
    *,
    options: Mapping[str, Any] | None = None,
    greedy: bool = True,
    workers: int = 1,
    progress: Progress | None = None,
    lineup: Lineup | None = None,
) -> MatchOutcome:
    """Let players meet, seats swapped from game to game on equal serves.

    Args:
        env: id of the game; `arena envs` lists them.
        players: who plays, one for each team, as on the command line ("baseline", "FILE.safetensors", "DIR@champion",
            "DIR@NAME", "DIR@NAME:STEP"), or any `Player` or `Squad`.
        seed: decides everything random; the same match gives the same outcome for any number of workers.
        options: of the env, such as `{"lives": 1}`.
        greedy: snapshots take their most probable action; False lets them sample.
        workers: threads that share the work.
        progress: called with the number of games that have ended since the last call.
        lineup: who sits where, an index into `players` for each seat of the game, for each game of a round, such as
            [[0, 1, 2, 2], [2, 2, 0, 1]]; the games of a round have the same serves. Without it one player a team, which
            rotate.

    Raises:
        InputError: an unknown game, option or player, or a number out of range.
    """
    options = dict(options or {})
    spec = build(env, 1, options).spec
    seated = [load_player(who, spec, greedy) if isinstance(who, str) else who for who in players]
    results = match(env, options, seated, games, seed, workers, progress, lineup)
    names = names_of(seated)
    return MatchOutcome(env, tuple(names), seed, tuple(results), summarise(results, names[0]))
