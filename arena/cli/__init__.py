"""The command line: a table of commands, and the rules that hold for all of them.

A command is a plain function with typed, documented parameters that returns an exit code. Its module is
imported when the command is used, so `arena --help` needs nothing heavy. To add one, write the function and
a line in `COMMANDS`.

Exit codes: 0 done, 1 a check failed, 2 bad input (one sentence on standard error), 130 interrupted (also where a
league was asked to end and has ended cleanly), 141 the reader of standard output went away, 143 terminated.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple, cast

import arena


class Command(NamedTuple):
    """One line of the table."""

    target: str
    """`module:function`."""
    summary: str
    """What it does, for `arena --help`."""


COMMANDS: dict[str, Command] = {
    "league run": Command("arena.cli.league:run", "Train and rate a population, as a preset or a file says."),
    "league resume": Command("arena.cli.league:resume", "Go on with a run as if it had never stopped."),
    "league status": Command("arena.cli.league_status:status", "What a league is doing, once or live."),
    "league leaderboard": Command("arena.cli.league_leaderboard:leaderboard", "Ratings of everybody, in many ways."),
    "league plan": Command("arena.cli.league_plan:plan", "What a league will take: minutes, games, disk."),
    "league rate": Command("arena.cli.league_rate:rate", "More rating games, where they say most."),
    "league exploit": Command("arena.cli.league_exploit:exploit", "Train an adversary against one player alone."),
    "league add": Command("arena.cli.league_members:add", "Add a member to a league, running or stopped."),
    "league retire": Command("arena.cli.league_members:retire", "Retire a member of a league."),
    "league verify": Command("arena.cli.league_verify:verify", "Check every file and row against its hash."),
    "league export": Command("arena.cli.league_export:export", "Write all games as CSV or JSON."),
    "league import": Command("arena.cli.league_import:import_games", "Add games that were played elsewhere."),
    "train": Command("arena.cli.train:train", "Let an algorithm learn a game of one seat or team."),
    "eval": Command("arena.cli.eval:eval", "Play a snapshot in a game of one seat or team."),
    "curve": Command("arena.cli.curve:curve", "Draw how runs learnt: mean and spread over their seeds."),
    "algorithms": Command("arena.cli.algorithms:algorithms", "List the algorithms and what they admit."),
    "match": Command("arena.cli.match:match", "Let two players meet many times: wins, mean score, interval."),
    "tournament": Command("arena.cli.tournament:tournament", "Let many players meet: round robin, Swiss, knock-out."),
    "tournament resume": Command("arena.cli.tournament:resume", "Go on with a tournament that was stopped."),
    "tournament show": Command("arena.cli.tournament:show", "Table or bracket of a tournament, as it is now."),
    "players check": Command("arena.cli.players:check", "Try an agent of your own: legal moves, time, the same twice?"),
    "play": Command("arena.cli.play:play", "Play a game yourself, with the keyboard or a gamepad."),
    "watch": Command("arena.cli.watch:watch", "See a match or a replay in a window, a terminal or a file."),
    "replay show": Command("arena.cli.replay:show", "What a stored game is."),
    "replay list": Command("arena.cli.replay:list_replays", "Name the stored games of a folder or run."),
    "replay verify": Command("arena.cli.replay:verify", "Play stored games again: do they end as they say?"),
    "replay export": Command("arena.cli.replay_export:export", "Write a stored game as film, page or JSON."),
    "report": Command("arena.cli.report:report", "Write what runs say as one page to look at."),
    "dashboard": Command("arena.cli.dashboard:dashboard", "The report of a league in a browser, while it runs."),
    "envs": Command("arena.cli.envs:envs", "List the games."),
    "envs check": Command("arena.cli.envs:check", "Say what a game is, and what it lacks or breaks."),
    "bench env": Command("arena.cli.bench:env", "Speed of the game rules and their public faces."),
    "bench train": Command("arena.cli.bench:train", "Speed of self-play PPO, and where its time goes."),
    "bench match": Command("arena.cli.bench:match", "Speed of evaluation games."),
    "bench league": Command("arena.cli.bench:league", "What a step costs as opponents grow from 1 to 32."),
    "bench ratings": Command("arena.cli.bench:ratings", "Speed of the ratings, and of a long log."),
    "bench scale": Command("arena.cli.bench:scale", "How games and training scale with workers, on each executor."),
    "doctor": Command("arena.cli.doctor:doctor", "Check this installation and say how to mend it."),
}

HELP = """\
usage: arena COMMAND [OPTIONS]

A self-play league in a box: train a population, rate every snapshot, match and watch the players.
And single-agent reinforcement learning on the same path.

examples:
  arena league run slime-laptop --out runs/first     train a small league, a few minutes
  arena match runs/first@champion baseline           does its best player beat the 2015 baseline?
  arena watch runs/first@champion baseline           see it play
  arena train ppo CartPole-v1                        let one algorithm learn one game

commands:
{commands}

`arena COMMAND --help` explains a command; most take --json to print one JSON object.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (default: that of this process) and return its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(args)
        sys.stdout.flush()  # a reader that went away shows here, not in the interpreter's shutdown
    except KeyboardInterrupt:
        print("arena: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except ValueError as fault:
        from envs.errors import InputError

        if not isinstance(fault, InputError):
            raise
        print(f"arena: {fault}", file=sys.stderr)
        return 2
    return code


def _run(args: list[str]) -> int:
    if not args or args[0] in ("-h", "--help"):
        print(HELP.format(commands=_listing("")), end="")
        return 0
    if args == ["--version"]:
        print(f"selfplay-arena {arena.__version__}")
        return 0
    group = f"{args[0]} "
    is_group = args[0] not in COMMANDS and any(name.startswith(group) for name in COMMANDS)
    if is_group and (not args[1:] or args[1] in ("-h", "--help")):
        print(f"usage: arena {args[0]} COMMAND [OPTIONS]\n\ncommands:\n{_listing(group)}")
        return 0
    from arena.cli.arguments import bind

    name, rest = _split(args)
    return bind(_load(COMMANDS[name].target), rest, f"arena {name}")()


def _split(args: list[str]) -> tuple[str, list[str]]:
    """The command that `args` begin with, and what follows it."""
    for words in (2, 1):
        name = " ".join(args[:words])
        if name in COMMANDS:
            return name, args[words:]
    from envs.errors import InputError, unknown

    if args[0].startswith("-"):
        raise InputError(f"unknown option {args[0]!r}: options follow a command, see `arena --help`.")
    grouped = any(name.startswith(f"{args[0]} ") for name in COMMANDS)
    raise unknown("command", " ".join(args[:2]) if grouped else args[0], _names(with_group=not grouped))


def _names(with_group: bool) -> set[str]:
    """What may be typed: whole commands, and with `with_group` the first words of the others too."""
    names = set(COMMANDS)
    return names | {name.split()[0] for name in COMMANDS} if with_group else names


def _load(target: str) -> Callable[..., int]:
    module, function = target.split(":")
    return cast("Callable[..., int]", getattr(import_module(module), function))


def _listing(prefix: str) -> str:
    """Commands that begin with `prefix`, one per line with their summaries."""
    chosen = {name: command for name, command in COMMANDS.items() if name.startswith(prefix)}
    width = max(map(len, chosen))
    return "\n".join(f"  {name:<{width}}  {command.summary}" for name, command in chosen.items())
