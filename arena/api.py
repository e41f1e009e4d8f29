"""The scripting API of matches: `arena.play`, `arena.make_env`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.cast import Anybody, Players, Seating, cast_of
from arena.execution import Executor, lent
from arena.execution.parts import PartJob, play_parts, travelling
from arena.guests.admission import admit, needs_admission
from arena.guests.limits import Limits
from arena.listener import Listener, OnGame, OnStep
from arena.match import FREE, MatchSummary, Progress, Tape, match, parts, summarise
from arena.records import Results
from arena.result import Result
from arena.stats.sprt import Sprt, decided
from envs.errors import InputError
from envs.registry import build
from envs.registry import make as make_env

__all__ = ["Anybody", "MatchOutcome", "make_env", "play"]


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """What came out of a match. Printing it gives one line."""

    env: str
    """Id of the game."""
    players: tuple[str, ...]
    """What they are called, in the order in which they were given."""
    seed: int
    results: Results
    """One for each game, in order: a tuple with `records()`, `arrays()` and `frame()`. Where a mixture sat, they name
    who it was."""
    summary: MatchSummary
    """The match from the first player's side."""

    def __str__(self) -> str:
        """The line."""
        return f"{self.env}, {' against '.join(self.players)}, seed {self.seed}: {self.summary}"


def play(
    env: str,
    players: Players,
    games: int = 1000,
    seed: int = 0,
    *,
    options: Mapping[str, Any] | None = None,
    greedy: bool = True,
    workers: int | None = None,
    executor: Executor | str | None = None,
    progress: Progress | None = None,
    lineup: Sequence[Seating] | None = None,
    tape_of: Callable[[int], Tape | None] = lambda first: None,
    sprt: Sprt | None = None,
    limits: Limits = FREE,
    trust: bool = False,
    logs: Path | None = None,
    tested: bool = True,
    on_step: OnStep | None = None,
    on_point: OnStep | None = None,
    on_game: OnGame | None = None,
) -> MatchOutcome:
    """Let players meet, seats swapped from game to game on equal serves.

        outcome = arena.play("SlimeVolley-v0", ["master", lambda obs: 2], games=20)
        outcome.summary.score_mean, outcome.results.arrays()["score"]
        arena.play("SlimeVolleyDoubles-v0", {"ada": "master", "bob": "tracker", "cy": "baseline"}, games=20,
                   lineup=[["ada", "bob", "cy", "cy"], ["cy", "cy", "ada", "bob"]])
        arena.play("SlimeVolley-v0", ["master", "tracker"], games=2, on_point=lambda seen: print(seen.points))

    Args:
        env: id of the game; `arena envs` lists them.
        players: who plays, one for each team, as on the command line ("baseline", "FILE.safetensors", "DIR@champion",
            "DIR@NAME", "DIR@NAME:STEP", "FILE.py:NAME", "cmd:./program"), any `Player` or `Squad`, a function of an
            observation (and of the legal actions), a class whose objects have such a method `act`, a torch module, or
            a `Mixture` of these. A mapping gives them names of your own.
        seed: decides everything random; the same match gives the same outcome for any number of workers.
        options: of the env, such as `{"lives": 1}`.
        greedy: snapshots take their most probable action; False lets them sample.
        workers: processes that share the work; the games are cut into blocks of 256. Without `workers` and `executor`
            all is played in this process. Functions and classes of your own can be sent to workers if they are at the
            top of a module.
        executor: where to play: "serial", "process" or "ray", or one that `arena.execution.make_executor` made.
        progress: called with the number of games that have ended since the last call.
        lineup: who sits where, a name or an index into `players` for each seat of the game, for each game of a round;
            the games of a round have the same serves. Without it one player a team, which rotate. With it there may be
            any number of players.
        tape_of: see `arena.match.match`; `arena.replay.record` makes replays of the games.
        sprt: a test of whether the first of two is ahead, which ends the match when it is decided; it looks after every
            256 games, and `games` are how many there are at most.
        limits: of time, for who does not come with arena, and what becomes of a game in which one breaks the rules.
        trust: read files that hold pickles.
        logs: folder for what programs write to standard error.
        tested: strangers show in a short game that they play by the rules, before the first game that counts.
        on_step: called with each `GameStep` of each game, which is played in this process. Up to 256 games are played
            side by side, so steps of many games come by turns: `GameStep.game` says which it is.
        on_point: the same for steps with which somebody wins a point, in games that have points (`arena.points`).
        on_game: called with a game's place in the match and its `Result` when it ends; with workers, in the order of
            places. Callbacks change nothing in the match.

    Raises:
        InputError: an unknown game, option or player, a number out of range, a player that failed its test or cannot be
            sent to a worker.
        JobFault: with workers, a block that failed by a mistake in the program.
    """
    options = dict(options or {})
    spec = build(env, 1, options).spec
    cast = cast_of(players, spec, greedy, trust=trust, logs=logs)
    rows = cast.lineup(spec, lineup)
    first = cast.names[0]
    if sprt and len(cast.names) != 2:
        raise InputError(f"a sequential test tells who of two is ahead, not of {len(cast.names)}.")
    if tested:
        for side in {id(side): side for side in cast.sides if needs_admission(side)}.values():
            admit(side, env, options, limits)
    ended = decided(sprt, first) if sprt else None

    def until(results: Sequence[Result]) -> bool:
        return ended is not None and ended(cast.credited(results))

    if executor is None and workers in (None, 1):
        listener = Listener(on_step, on_point, on_game) if on_step or on_point or on_game else None
        played = match(
            env, options, cast.sides, games, seed, progress, rows, tape_of, limits, until, listener, cast.draw
        )
    elif on_step or on_point:
        raise InputError("on_step and on_point see games that are played in this process: leave workers out.")
    else:
        who = travelling(cast.given)
        jobs = [
            PartJob(env, options, who, cast.called, rows, cast.drawing, limits, greedy, trust, logs, *part[1:],
                    tape_of(part.first))
            for part in parts(games, seed, len(rows))
        ]  # fmt: skip
        tell = _Told(progress, on_game)

        def enough(results: Sequence[Result]) -> bool:
            tell(results)
            return until(results)

        with lent(executor, workers) as here:
            played = play_parts(here, jobs, enough)
    results = Results(played)
    return MatchOutcome(env, cast.names, seed, results, summarise(cast.credited(results), first))


class _Told:
    """Tells of games that were played elsewhere."""

    def __init__(self, progress: Progress | None, on_game: OnGame | None) -> None:
        self._progress, self._on_game = progress, on_game
        self._count = 0

    def __call__(self, results: Sequence[Result]) -> None:
        """Of those of `results` that are new."""
        if self._progress:
            self._progress(len(results) - self._count)
        for game in range(self._count, len(results)):
            if self._on_game:
                self._on_game(game, results[game])
        self._count = len(results)
