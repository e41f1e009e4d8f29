"""`arena tournament`: many players meet, in one of many formats; `arena tournament resume|show`."""

from __future__ import annotations

import csv as csvlib
import io
import json as jsonlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import Positional

from arena.cli.executors import ExecutorName, RayAddress, Workers, opened
from envs.errors import InputError

if TYPE_CHECKING:
    from arena.execution import Executor
    from arena.tournaments.table import Line
    from arena.tournaments.tournament import Tournament

STOPPING = "finishing the games that are being played, press again to stop at once"


def tournament(
    format: Positional[str],
    players: Positional[tuple[str, ...]],
    games: int = 64,
    rounds: int = 0,
    best_of: int = 1,
    challengers: int = 1,
    seeding: Literal["given", "rating"] = "given",
    env: str = "",
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    seed: int = 0,
    sample: bool = False,
    executor: ExecutorName = "",
    workers: Workers = None,
    ray_address: RayAddress = "",
    move_time: str = "",
    game_time: str = "",
    forfeits: Literal["lose", "abort"] = "lose",
    trust: bool = False,
    untested: bool = False,
    out: Path | None = None,
    csv: Path | None = None,
    json: bool = False,
) -> int:
    """Let many players meet: a table or bracket with tie-breaks, intervals and ratings, in a run folder.

    Formats: round-robin, double-round-robin, gauntlet, swiss, single-elimination, double-elimination, king-of-the-hill,
    rating-ladder. Seats are swapped from game to game on equal serves. In a game of more than two sides, two players
    meet by turns: one alone, the other in all the other sides. Every pairing is logged when it ends: after Ctrl-C (exit
    code 130; SIGTERM: 143) or a crash `arena tournament resume DIR` goes on, and `arena tournament show DIR` looks on
    meanwhile. The fingerprint at the end is that of all games: the same seed gives the same for any number of workers.

    Args:
        format: how they meet.
        players: two or more: as for `arena match`, or DIR@all and DIR@top8: all snapshots of a run, or its best eight.
        games: of a pairing, an even number; in an elimination, of a leg.
        rounds: of a swiss, king-of-the-hill or rating-ladder; how often each two meet in a round-robin or gauntlet; 0:
            as many as the format has.
        best_of: legs of a match in an elimination, an odd number.
        challengers: of a gauntlet: so many, the first ones, meet all others.
        seeding: best seed first as given, or by rating: TrueSkill in the league that they come from.
        env: id of the game, see `arena envs`. Without it, that in which the first snapshot was trained, or slime
            volleyball between bots.
        set: option of the env as key=value, such as lives=1; may be repeated.
        seed: decides everything random.
        sample: snapshots draw their actions as in training, instead of taking the most probable.
        move_time: time that an agent of your own has for a move, such as 20ms; without it programs have 10s. Limits
            make results depend on the clock where somebody comes near them, so there is one worker unless it is said.
        game_time: time that it has for all of its moves of a game, such as 10s.
        forfeits: "lose", and who crashes, answers with no legal action or not in time loses that game; "abort", and
            everything ends with the reason.
        trust: read files of stable-baselines3, which hold pickles and so can run any code.
        untested: agents of your own do without the short game in which they show that they play by the rules.
        out: run folder to make; without it, runs/FORMAT-DATE-TIME.
        csv: write the table to this file, too.
        json: print one object: run, env, format, seed, rounds, games, seconds, ended (over, interrupted or terminated),
            winner (name or null), fingerprint, table (best first: place, name, seed, match_points, pairings, byes,
            buchholz, sonneborn_berger, games, wins, draws, losses, points, score_mean, score_low, score_high, elo,
            elo_low, elo_high; the last six may be null, and these ends are of 95 % intervals).
    """
    from arena.config import parse_assignments
    from arena.guests.limits import parse_limits
    from arena.players import game_of
    from arena.tournaments.config import GameConfig, TournamentConfig, check_format
    from arena.tournaments.entrants import by_rating, candidates, expand
    from arena.tournaments.tournament import Tournament
    from envs.config import parse
    from envs.registry import build

    check_format(format)
    _check(csv)
    texts = expand(players)
    game, options = game_of(texts, env, parse_assignments(set))
    spec = build(game, 1, options).spec
    limits = parse_limits(move_time, game_time, forfeits)
    chosen = candidates(texts, game, options, spec, trust, None if untested else limits)
    if seeding == "rating":
        chosen = by_rating(chosen)
    told: dict[str, Any] = {
        "format": format,
        "game": GameConfig(id=game, options=options),
        "entrants": tuple(one.entrant() for one in chosen),
        "games": games,
        "rounds": rounds,
        "best_of": best_of,
        "challengers": challengers,
        "seed": seed,
        "greedy": not sample,
        "move_time": move_time,
        "game_time": game_time,
        "forfeits": forfeits,
        "trust": trust,
    }
    config = parse(TournamentConfig, told, format)
    folder = out or Path("runs") / f"{format}-{time.strftime('%Y%m%d-%H%M%S')}"
    with (
        opened(executor, workers, ray_address, limits.timed) as here,
        Tournament.create(folder, config, ["arena", *sys.argv[1:]]) as made,
    ):
        return _run(made, here, csv, json)


def resume(
    dir: Positional[Path],
    executor: ExecutorName = "",
    workers: Workers = None,
    ray_address: RayAddress = "",
    csv: Path | None = None,
    json: bool = False,
) -> int:
    """Go on with a tournament as if it had never stopped.

    Args:
        dir: run folder.
        csv: write the table to this file, too.
        json: print one object at the end, as `arena tournament --json` does.
    """
    from arena.tournaments.tournament import Tournament

    _check(csv)
    with Tournament.open(dir, write=True) as found:
        if found.over:
            print(f"{dir} is over: nothing is left to be played", file=sys.stderr)
        with opened(executor, workers, ray_address, found.config.limits.timed) as here:
            return _run(found, here, csv, json)


def show(dir: Positional[Path], csv: Path | None = None, picture: Path | None = None, json: bool = False) -> int:
    """The table or bracket of a tournament as it is, also while it is being played.

    Args:
        dir: run folder.
        csv: write the table to this file.
        picture: write the bracket or cross table to this file, which is an SVG.
        json: print one object, as `arena tournament --json` does; ended is running if it is not over.
    """
    from arena.tournaments.picture import drawn
    from arena.tournaments.tournament import Tournament

    _check(csv)
    if picture is not None and picture.suffix != ".svg":
        raise InputError(f"--picture {picture}: it is an SVG, so let the name of its file end in .svg.")
    with Tournament.open(dir) as found:
        _tell(found, "over" if found.over else "running", 0.0, csv, json)
        if picture is not None:
            _write(picture, drawn(found))
    return 0


def _run(found: Tournament, executor: Executor, csv: Path | None, json: bool) -> int:
    """Play it, show it, and report; the exit code."""
    from arena.cli.program import command
    from arena.cli.signals import StopSignals
    from arena.cli.tournament_display import display
    from arena.execution import JobFault

    began, path = time.monotonic(), found.folder.path
    on = command("tournament", "resume", path)
    try:
        with (
            display(found) as watch,
            StopSignals(lambda: watch.tell(STOPPING)) as stop,
        ):
            over = found.run(executor, stop.asked, watch)
    except KeyboardInterrupt:
        print(f"stopped at once; what was logged stays, and `{on}` goes on from there", file=sys.stderr)
        return 130
    except JobFault as fault:
        raise InputError(f"{str(fault).rstrip('.')}; what was logged stays, and `{on}` goes on from there.") from None
    _tell(found, "over" if over else stop.word, time.monotonic() - began, csv, json)
    if not over:
        print(f"{stop.word}; `{on}` goes on from there", file=sys.stderr)
    return 0 if over else stop.exit_code


def _tell(found: Tournament, ended: str, seconds: float, csv: Path | None, json: bool) -> None:
    """Print what came of it."""
    from arena.cli.tournament_display import print_outcome
    from arena.tournaments.table import table

    lines = table(found)
    if csv is not None:
        _write(csv, _csv(lines))
    if not json:
        print_outcome(found, lines, ended)
        return
    alone = [line.place for line in lines].count(1) == 1 and found.config.format != "gauntlet"  # challengers come first
    winner = lines[0].name if ended == "over" and alone else None
    said = {
        "run": str(found.folder.path),
        "env": found.spec.id,
        "format": found.config.format,
        "seed": found.config.seed,
        "rounds": found.format.rounds(found.names),
        "games": found.games,
        "seconds": seconds,
        "ended": ended,
        "winner": winner,
        "fingerprint": found.fingerprint(),
        "table": [line.figures() for line in lines],
    }
    print(jsonlib.dumps(said))


def _csv(lines: list[Line]) -> str:
    text = io.StringIO()
    rows = [line.figures() for line in lines]
    writer = csvlib.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _check(path: Path | None) -> None:
    """Raise before anything is played if there is no folder for the file."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise InputError(f"cannot write to {path}: {'it is a folder' if path.is_dir() else 'there is no such folder'}.")


def _write(path: Path, text: str) -> None:
    from arena.store.files import write_atomic

    try:
        write_atomic(path, text.encode())
    except OSError as fault:
        raise InputError(f"cannot write to {path}: {fault.strerror or fault}.") from None
