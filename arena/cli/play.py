"""`arena play`: take a seat yourself, at the keyboard or with a gamepad."""

from __future__ import annotations

import json as jsonlib
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import Positional

from envs.errors import InputError

if TYPE_CHECKING:
    from arena.viewer.human_match import HumanMatch
    from arena.viewer.session_setup import Set


def play(
    players: Positional[tuple[str, ...]] = (),
    env: str = "",
    rating: float | None = None,
    join: str = "",
    name: str = "human",
    best_of: int = 3,
    side: Literal["left", "right"] | None = None,
    seed: int | None = None,
    speed: float = 1.0,
    replays: bool = False,
    save: Path | None = None,
    sample: bool = False,
    width: int | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    json: bool = False,
) -> int:
    """Play a game yourself: against a snapshot or a bot, against a friend at the same keyboard, or alone.

    Keys: arrows, or a d w s; two people share them, the left one has the letters. Number keys or clicks make a choice,
    such as a move on a board. A gamepad works too. space pauses, r shows the last point again, h shows all keys, q
    quits. Only games that were played to their end count.

    Args:
        players: who plays, from left to right: human, DIR (its champion), DIR@NAME or DIR@NAME:STEP of a run folder, a
            snapshot file, a player in the box or a bot. Without any, you against the ladder in the box; without
            "human", you against whoever is named; "human human", two people.
        env: id of the game, see `arena envs`; without it that of the opponent, or slime volleyball.
        rating: how strong the opponent shall be: the snapshot of DIR, or without one the player in the box, whose
            TrueSkill mean is nearest.
        join: be a member of the league DIR under this name: every game is rated and goes into its log.
        name: what you are called, if you do not join a league.
        best_of: games in a match; it ends when somebody has won more than half of them.
        side: where you play, in every game; without it, sides are swapped from game to game.
        seed: decides everything random; without it, other games every time.
        speed: 0.5 is half as fast, for beginners; games of a league are played at 1.
        replays: show every point again, slowly.
        save: store the games as replays: a FILE.replay (with a number from the second game on), or a folder.
        sample: snapshots draw their actions as in training, instead of taking the most probable.
        width: of the window in pixels; without it, what the game asks for.
        set: option of the env as key=value, such as lives=1; may be repeated.
        json: print one object: env, seed, players, ratings (null for whoever has none), games (players and score by
            seat, steps, seed, ended), won (games of the last match), winner (null for a draw or an unfinished match),
            finished, seconds, saved (files), league (null, or run, name, logged, waiting: games in the inbox).
    """
    _check(best_of, seed, speed, width, name)
    if join and speed != 1:
        raise InputError("--join: games of a league are played at full speed, so leave out --speed.")
    if join and sample:
        raise InputError("--join: snapshots play as they do in the league's rated games, so leave out --sample.")
    from arena.config import parse_assignments
    from arena.viewer.session import SessionOptions, open_session
    from arena.viewer.session_setup import Wish, set_up

    targets = Targets(save) if save else None
    chosen = secrets.randbelow(2**31) if seed is None else seed
    wish = Wish(players, env, parse_assignments(set), rating, join, name, best_of, side, chosen, sample)
    ready = set_up(wish)
    session = open_session(ready.match, ready.hands, SessionOptions(speed, replays, bool(join)), width)
    seconds = session.run()
    saved = _save(ready.match, targets) if targets else []
    if json:
        print(jsonlib.dumps(_figures(ready, chosen, seconds, saved, join)))
    else:
        print(_told(ready, saved, join))
    return 0


def _check(best_of: int, seed: int | None, speed: float, width: int | None, name: str) -> None:
    if not 1 <= best_of <= 10_000:
        raise InputError(f"--best-of must be from 1 to 10000, not {best_of}.")
    if seed is not None and seed < 0:
        raise InputError(f"--seed must be 0 or more, not {seed}.")
    if not 0.1 <= speed <= 4:
        raise InputError(f"--speed must be from 0.1 to 4, not {speed:g}.")
    if width is not None and not 100 <= width <= 8192:
        raise InputError(f"--width must be from 100 to 8192, not {width}.")
    if not name.strip() or len(name) > 40 or not name.isprintable():
        raise InputError(f"--name must have 1 to 40 letters, not {name!r}.")


class Targets:
    """Where replays go."""

    def __init__(self, save: Path) -> None:
        """A .replay file, or a folder, where they are numbered on from those that are there.

        Raises:
            InputError: a place that cannot be written to.
        """
        from arena.replay.replay import SUFFIX

        self.save, self.single = save, save.suffix == SUFFIX
        folder = save.parent if self.single else save
        if save.is_dir() if self.single else (save.exists() and not save.is_dir()):
            raise InputError(f"cannot write {save}: it is {'a folder' if self.single else 'no folder'}.")
        if self.single and not folder.is_dir():
            raise InputError(f"cannot write {save}: there is no folder {folder}.")
        known = [re.fullmatch(r"game-(\d{1,9})", file.stem) for file in save.glob(f"*{SUFFIX}")]
        self._before = max((int(found[1]) for found in known if found), default=0)

    def file(self, number: int) -> Path:
        """Of the game `number`, counted from 1."""
        if not self.single:
            return self.save / f"game-{self._before + number}.replay"
        return self.save if number == 1 else self.save.with_stem(f"{self.save.stem}-{number}")


def _save(match: HumanMatch, targets: Targets) -> list[Path]:
    from arena.replay.replay import write_replay

    if not targets.single:
        targets.save.mkdir(parents=True, exist_ok=True)
    files = []
    for number, replay in enumerate(match.replays(), start=1):
        write_replay(replay, targets.file(number))
        files.append(targets.file(number))
    return files


def _figures(ready: Set, seed: int, seconds: float, saved: list[Path], join: str) -> dict[str, Any]:
    """For --json."""
    match = ready.match
    results = [game.result for game in match.all_games if game.result]
    league = {"run": str(ready.league), "name": join, "logged": len(results) - len(ready.waiting),
              "waiting": len(ready.waiting)}  # fmt: skip
    return {
        "env": match.spec.id,
        "seed": seed,
        "players": [entrant.name for entrant in match.entrants],
        "ratings": [entrant.rating for entrant in match.entrants],
        "games": [
            {"players": one.players, "score": one.score, "steps": one.steps, "seed": one.seed, "ended": one.ended}
            for one in results
        ],
        "won": match.won,
        "winner": match.entrants[match.winner].name if match.winner is not None else None,
        "finished": match.over,
        "seconds": round(seconds, 3),
        "saved": [str(file) for file in saved],
        "league": league if ready.league else None,
    }


def _told(ready: Set, saved: list[Path], join: str) -> str:
    """The session in one line."""
    match = ready.match
    played, begun = len(match.all_games), match.game.result is None and match.game.steps > 0
    parts = []
    if len(match.entrants) == 1:
        scores = [f"{game.result.score[0]:g}" for game in match.all_games if game.result]
        parts.append(f"{match.entrants[0].name}: " + (f"score {', '.join(scores)}" if scores else "no game finished"))
    else:
        names = " - ".join(entrant.name for entrant in match.entrants)
        won = " : ".join(map(str, match.won))
        parts.append(f"{names} {won} in {len(match.games)} game{'s' * (len(match.games) != 1)}")
        if match.winner is not None:
            parts.append(f"{match.entrants[match.winner].name} wins the match")
        elif match.over:
            parts.append("the match is drawn")
    if begun:
        parts.append("the game that was not finished does not count")
    if ready.league and ready.waiting:
        word = f"{len(ready.waiting)} of {played} games wait in the inbox of {ready.league}"
        parts.append(f"{word}, which process {ready.waiting[-1]} writes: it logs them before its next stretch")
    elif ready.league and played:
        parts.append(f"{played} rated game{'s' * (played != 1)} of {join} logged in {ready.league}")
    if saved:
        parts.append(f"saved {', '.join(map(str, saved))}")
    return "; ".join(parts)
