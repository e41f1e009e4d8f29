"""`arena train`: an algorithm learns a game of one seat, or of one team."""

from __future__ import annotations

import json as jsonlib
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import Positional

from arena.cli.board import board, check_board
from envs.errors import InputError, unknown

if TYPE_CHECKING:
    from arena.trainer import Watch
    from arena.training import TrainConfig, Training
    from arena.training.defaults import Resolved

STOPPING = "finishing this stretch, press again to stop at once"


def train(
    algorithm: Positional[str | None] = None,
    env: Positional[str | None] = None,
    policy: str | None = None,
    steps: str | None = None,
    episodes: str | None = None,
    seed: int | None = None,
    games: int | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    plain: bool = False,
    eval_every: str | None = None,
    out: Path | None = None,
    render: bool = False,
    tensorboard: bool = False,
    resume: Path | None = None,
    json: bool = False,
) -> int:
    """Let an algorithm learn a game of one seat or team: `arena train ppo CartPole-v1`.

    While it learns it is evaluated and kept as snapshots, so afterwards `arena eval DIR@champion` measures it,
    `arena watch DIR@champion` shows it, and `arena curve DIR` draws how it learnt. Settings that are tuned for this
    algorithm in this game are used where there are any, and whatever you say goes before them.

    Ctrl-C ends it after the present stretch of training (exit code 130; SIGTERM: 143), and a second one at once;
    `arena train --resume DIR` goes on as if it had never stopped.

    Args:
        algorithm: name, see `arena algorithms`.
        env: id of the game, see `arena envs`.
        policy: network: mlp sees the present alone, gru and lstm remember.
        steps: budget in env steps, such as 50000, 100k or 1M; with --resume, so much more.
        episodes: budget in games instead; with --resume, so many more.
        seed: decides everything random; the same seed gives the same weights.
        games: games played side by side.
        set: change a setting as key=value; may be repeated. Keys of the algorithm: learning_rate=1e-3, gamma=0.99; of
            its network: policy.hidden=[64,64]; of the run: steps=32 or episodes=1 (of each game per rollout),
            budget=60s, options.KEY (of the env), evaluation.episodes=50, device=cuda, threads=2; DIR/config.yaml of a
            run has all of them.
        plain: leave tuned settings aside: only the algorithm's own defaults, and yours.
        eval_every: evaluate each time after so many env steps; without it, twenty times.
        out: run folder to make; without it, runs/ALGORITHM-ENV-DATE-TIME.
        render: watch the first of the games in a window while it learns.
        tensorboard: write curves to DIR/tensorboard too.
        resume: run folder to go on with, with its own settings.
        json: print one object at the end: run, algorithm, env, tuned (whether tuned settings were used; null with
            --resume), ended (budget, interrupted or terminated), budget_share, seconds, training_seconds (without
            evaluations), steps, episodes, steps_per_second (of training), peak_rss_mib, last and champion (the last and
            the best evaluation: snapshot, steps, games, score_mean, score_ci95, score_min, steps_mean).
    """
    if resume:
        given = {"ALGORITHM": algorithm, "ENV": env, "--policy": policy, "--seed": seed, "--games": games, "--out": out,
                 "--eval-every": eval_every, "--set": set or None, "--plain": plain or None}  # fmt: skip
        extra = [name for name, value in given.items() if value is not None]
        if extra:
            raise InputError(f"--resume goes on with the run's own settings: leave out {', '.join(extra)}.")
        return _resume(resume, _budget(steps, episodes), render, tensorboard, json)
    if algorithm is None or env is None:
        raise InputError("missing ALGORITHM and ENV, as in `arena train ppo CartPole-v1`; see `arena train --help`.")
    from arena.training import Training

    changes = _changes(policy, _budget(steps, episodes), seed, games, eval_every, set)
    resolved = _resolve(algorithm, env, changes, plain)
    config = resolved.config
    name = re.sub(r"[^\w.-]+", "-", f"{algorithm}-{env}")
    folder = out or Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    with _window(config, render) as watch:
        if tensorboard:
            check_board()  # both before there is a folder
        with Training.create(folder, config, ["arena", *sys.argv[1:]]) as training:
            which = "tuned settings" if resolved.tuned else "default settings"
            told = f"{algorithm} on {env}, {which}, {config.budget}, seed {config.seed}: {folder}"
            print(told, file=sys.stderr, flush=True)
            return _run(training, None, watch, tensorboard, json, resolved.tuned)


def _changes(
    policy: str | None,
    budget: str | None,
    seed: int | None,
    games: int | None,
    eval_every: str | None,
    assignments: tuple[str, ...],
) -> dict[str, Any]:
    """What the options say, as keys of a run; those of their own go before --set."""
    from arena.config import parse_assignments, parse_count
    from arena.training.defaults import CORES, sort_keys

    changes = sort_keys(parse_assignments(assignments))
    if policy and policy not in CORES:
        raise unknown("--policy", policy, CORES)
    if policy:
        changes["policy"] = {**changes.get("policy", {}), "core": CORES[policy]}
    if eval_every:
        every = parse_count(eval_every, "--eval-every")
        changes["evaluation"] = {**changes.get("evaluation", {}), "every": every}
    own = {"budget": budget, "seed": seed, "games": games}
    return {**changes, **{key: value for key, value in own.items() if value is not None}}


def _resolve(algorithm: str, env: str, changes: dict[str, Any], plain: bool) -> Resolved:
    from arena.training.defaults import resolve

    return resolve(algorithm, env, changes, plain, "train")


def _budget(steps: str | None, episodes: str | None) -> str | None:
    from arena.config import parse_count

    if steps and episodes:
        raise InputError("--steps and --episodes: a budget is one of them.")
    if steps:
        return f"{parse_count(steps, '--steps')}-steps"
    return f"{parse_count(episodes, '--episodes')}-episodes" if episodes else None


def _resume(path: Path, more: str | None, render: bool, tensorboard: bool, json: bool) -> int:
    from arena.training import Training

    if tensorboard:
        check_board()
    with Training.open(path, write=True) as training, _window(training.config, render) as watch:
        if not more and training.share() >= 1:
            told = f"the budget of {training.config.budget} is spent: train on with --steps, such as 50k"
            print(told, file=sys.stderr)
        return _run(training, more, watch, tensorboard, json, None)


def _run(
    training: Training, more: str | None, watch: Watch | None, tensorboard: bool, json: bool, tuned: bool | None
) -> int:  # fmt: skip
    """Run it, show it, and report; the exit code."""
    from arena.cli.program import command
    from arena.cli.signals import StopSignals
    from arena.cli.train_display import display
    from arena.cli.train_outcome import TrainOutcome

    path, config = training.folder.path, training.config
    share = training.share()
    try:
        with ExitStack() as stack:
            record = stack.enter_context(board(path, training.steps, tensorboard))
            show = stack.enter_context(display(f"{config.algorithm} on {config.env}, {path}"))
            stop = stack.enter_context(StopSignals(lambda: show.tell(STOPPING)))
            training.run(more, stop.asked, show, record, watch)
    except KeyboardInterrupt:
        on = command("train", "--resume", path)
        print(f"stopped at once; what was stored stays, and `{on}` goes on from there", file=sys.stderr)
        return 130
    share = show.last.share if show.last else share
    finished = share >= 1 or not stop.asked()
    outcome = TrainOutcome.of(training, "budget" if finished else stop.word, share, tuned)
    if json:
        print(jsonlib.dumps(outcome.as_json()))
    else:
        outcome.print()
    return 0 if finished else stop.exit_code


@contextmanager
def _window(config: TrainConfig, wanted: bool) -> Iterator[Watch | None]:
    """Who looks on, if that is `wanted`."""
    if not wanted:
        yield None
        return
    from arena.viewer.onlooker import Onlooker

    onlooker = Onlooker(config.env, config.options)
    try:
        yield onlooker
    finally:
        onlooker.close()
