"""Record: replays of games as they are played, by anybody who plays a match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.api import Anybody, MatchOutcome, play
from arena.execution import Executor
from arena.guests.limits import Limits
from arena.match import FREE, Lineup, Progress, Result, Tape
from arena.replay.batch import finals
from arena.replay.replay import Replay
from arena.replay.rules import rules_of
from arena.stats.sprt import Sprt
from envs.core import Array
from envs.errors import InputError
from envs.registry import build
from envs.seats import action_layout


def record(
    env: str,
    players: Sequence[Anybody],
    games: int = 1,
    seed: int = 0,
    *,
    options: Mapping[str, Any] | None = None,
    greedy: bool = True,
    workers: int | None = None,
    executor: Executor | str | None = None,
    progress: Progress | None = None,
    lineup: Lineup | None = None,
    keep: int | None = None,
    sprt: Sprt | None = None,
    limits: Limits = FREE,
    trust: bool = False,
    logs: Path | None = None,
    tested: bool = True,
) -> tuple[MatchOutcome, list[Replay]]:
    """`arena.play`, and replays of the first `keep` games (None: of all), each played again to be sure of it.

    A game that somebody forfeited has none: its score does not follow from its actions.

    Raises:
        InputError: as `arena.play`; a game that does not play the same twice; or actions that are not kept.
    """
    tapes: dict[int, Tape] = {}

    def tape_of(first: int) -> Tape | None:
        left = games if keep is None else keep - first
        if left <= 0:
            return None
        tapes[first] = Tape(range(left))
        return tapes[first]

    outcome = play(
        env, players, games, seed, options=options, greedy=greedy, workers=workers, executor=executor,
        progress=progress, lineup=lineup, tape_of=tape_of, sprt=sprt, limits=limits, trust=trust, logs=logs,
        tested=tested,
    )  # fmt: skip
    kept = [(place, one) for place, one in enumerate(outcome.results[:keep]) if one.ended != "forfeit"]
    _, dtype = action_layout(build(env, 1, options or {}).spec)
    starts = sorted(tapes)
    actions = []
    for place, result in kept:
        first = max(start for start in starts if start <= place)
        actions.append(tapes[first].actions(place - first, result.steps, dtype))
    return outcome, replays_of([one for _, one in kept], actions, options or {})


def replays_of(
    results: Sequence[Result],
    actions: Sequence[Array],
    options: Mapping[str, Any],
    ratings: Mapping[str, float] | None = None,
    titles: Sequence[str] = (),
) -> list[Replay]:
    """Replays of games of one kind that ended with `results` after the `actions`; each is played again.

    Args:
        ratings: means by name.
        titles: why each is kept; none: no reason.

    Raises:
        InputError: a game that does not end the same when it is played again.
    """
    if not results:
        return []
    env, known = results[0].env, ratings or {}
    rules = rules_of(env, options)
    ends = finals(env, options, [result.seed for result in results], actions)
    replays = []
    for place, (result, taken, end) in enumerate(zip(results, actions, ends, strict=True)):
        if end is None or (end.steps, end.score, end.ended) != (result.steps, result.score, result.ended):
            raise InputError(f"{env} does not play the same game again from its seed and actions: it has no replays.")
        replays.append(
            Replay(
                env=env,
                options=dict(options),
                seed=result.seed,
                players=result.players,
                ratings=tuple(known.get(name) for name in result.players),
                actions=taken,
                score=result.score,
                ended=result.ended,
                rules=rules,
                state_hash=end.state_hash,
                title=titles[place] if titles else "",
            )
        )
    return replays
