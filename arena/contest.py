"""Contest: a tournament in one call, and what comes of it: `arena.tournament`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from arena.cast import Players
from arena.execution import Executor, lent
from arena.guests.limits import Limits
from arena.listener import OnGame
from arena.match import FREE
from arena.players import game_of
from arena.ratings.games import games_of
from arena.ratings.payoff import Payoff, payoff_of
from arena.records import Results, frame
from arena.tournaments.config import GameConfig, TournamentConfig, check_format
from arena.tournaments.entrants import by_rating
from arena.tournaments.own import Contest, entrants, entries
from arena.tournaments.picture import drawn
from arena.tournaments.table import Line, table
from arena.tournaments.tournament import Tournament
from envs.config import parse
from envs.errors import InputError, unknown
from envs.registry import build


@dataclass(frozen=True, slots=True)
class TournamentOutcome:
    """What came out of a tournament. Printing it gives one line for each entrant."""

    env: str
    """Id of the game."""
    format: str
    seed: int
    standings: tuple[Line, ...]
    """Everybody, the best first: place, name, match points and tie-breaks, games, mean score and rating."""
    results: Results
    """All games, in the order of rounds and pairings."""
    cross_table: Payoff
    """Who got what against whom, everybody in the order of the standings: `games`, `win_share`, `interval()`."""
    fingerprint: str
    """Hash over all games, hexadecimal: equal for equal tournaments, whoever played them."""
    picture: str
    """The bracket or cross table as SVG."""
    path: Path | None
    """The run folder, for `arena tournament show`, `arena watch` and `arena report`; None if none was asked for."""

    @property
    def winner(self) -> str | None:
        """Who is first; None if several are, and in a gauntlet, where challengers come first whatever they did."""
        if self.format == "gauntlet":
            return None
        first = [line.name for line in self.standings if line.place == 1]
        return first[0] if len(first) == 1 else None

    def records(self) -> list[dict[str, Any]]:
        """The standings as rows of plain values, as `arena tournament --json` has them."""
        return [line.figures() for line in self.standings]

    def frame(self) -> Any:
        """`records` as a pandas.DataFrame; that of the games is `results.frame()`.

        Raises:
            InputError: pandas is not installed.
        """
        return frame(self.records())

    def __str__(self) -> str:
        """A table."""
        wide = max(len(line.name) for line in self.standings)
        lines = [f"{self.format}, {self.env}, seed {self.seed}, {len(self.results)} games"]
        for line in self.standings:
            games = line.score.games
            rating = "" if line.rating is None else f"  Elo {line.rating.mean:+.0f} ± {1.96 * line.rating.stderr:.0f}"
            lines.append(
                f"{line.place:>3} {line.name:<{wide}}  {line.score.matches:g} match points, "
                f"{games.points:g} of {games.games} game points{rating}"
            )
        return "\n".join(lines)

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.picture


def tournament(
    format: str,
    players: Players,
    games: int = 64,
    seed: int = 0,
    *,
    env: str = "",
    options: Mapping[str, Any] | None = None,
    rounds: int = 0,
    best_of: int = 1,
    challengers: int = 1,
    seeding: Literal["given", "rating"] = "given",
    greedy: bool = True,
    workers: int | None = None,
    executor: Executor | str | None = None,
    limits: Limits = FREE,
    trust: bool = False,
    tested: bool = True,
    out: str | Path | None = None,
    on_game: OnGame | None = None,
) -> TournamentOutcome:
    """Let many players meet, seats swapped from game to game on equal serves.

        outcome = arena.tournament("swiss", ["master", "player", "baseline", lambda obs: 2], games=20)
        print(outcome)
        outcome.winner, outcome.standings[0].rating, outcome.cross_table.win_share, outcome.fingerprint

    Args:
        format: round-robin, double-round-robin, gauntlet, swiss, single-elimination, double-elimination,
            king-of-the-hill or rating-ladder.
        players: two or more, whatever `arena.play` takes, and DIR@all and DIR@top8: all snapshots of a run, or its best
            eight. A mapping gives them names of your own.
        games: of a pairing, an even number; in an elimination, of a leg.
        seed: decides everything random.
        env: id of the game. Without it, that in which the first snapshot was trained, or slime volleyball.
        options: of the game.
        rounds: of a swiss, king-of-the-hill or rating-ladder; how often each two meet in a round-robin or gauntlet; 0:
            as many as the format has.
        best_of: legs of a match in an elimination, an odd number.
        challengers: of a gauntlet: so many, the first ones, meet all others.
        seeding: best seed first as given, or by rating in the league that they come from.
        greedy: snapshots take their most probable action; False lets them sample.
        workers: processes that play; they change nothing but the time. Without `workers` and `executor` all is played
            in this process. Functions and classes of your own can be sent to workers if they are at the top of a
            module.
        executor: where to play: "serial", "process" or "ray", or one that `arena.execution.make_executor` made.
        limits: of time, for who does not come with arena, and what becomes of a game in which one breaks the rules.
        trust: read files that hold pickles.
        tested: strangers show in a short game that they play by the rules, before the first game that counts.
        out: run folder to make, or that of this very tournament, to go on with it. Without it nothing is kept.
        on_game: called with a count and the `Result` of each game when its block has been played.

    Raises:
        InputError: an unknown format, game, option or player, a number out of range, a player that failed its test, or
            a folder that holds something else.
        JobFault: a block that failed by a mistake in the program.
    """
    check_format(format)
    if workers is not None and workers < 1:
        raise InputError(f"a tournament needs 1 worker or more, not {workers}.")
    if seeding not in ("given", "rating"):
        raise unknown("seeding", seeding, ("given", "rating"))
    named = entries(players)
    texts = [who for _, who in named if isinstance(who, str)]
    game, settings = game_of(texts, env, options or {})
    spec = build(game, 1, settings).spec
    chosen, here = entrants(named, game, settings, spec, greedy, trust, limits if tested else None)
    if seeding == "rating":
        chosen = by_rating(chosen)
    told = {
        "format": format,
        "game": GameConfig(id=game, options=settings),
        "entrants": tuple(one.entrant() for one in chosen),
        "games": games,
        "rounds": rounds,
        "best_of": best_of,
        "challengers": challengers,
        "seed": seed,
        "greedy": greedy,
        "move_time": _time(limits.move),
        "game_time": _time(limits.game),
        "forfeits": limits.forfeits,
        "trust": trust,
    }
    config = parse(TournamentConfig, told, format)
    with TemporaryDirectory(prefix="arena-") if out is None else nullcontext(str(out)) as place:
        folder = Path(place) / "run" if out is None else Path(place)
        with _opened(folder, config) as found:
            found.here = here
            with lent(executor, workers) as where:
                found.run(where, show=_Told(found, on_game) if on_game else lambda tournament: None)
            return _outcome(found, None if out is None else folder)


class _Told:
    """Tells of games as their blocks are logged."""

    def __init__(self, found: Tournament, on_game: OnGame) -> None:
        self._known, self._on_game = set(found.results), on_game
        self._count = 0

    def __call__(self, found: Tournament) -> None:
        for block in [block for block in found.results if block not in self._known]:
            self._known.add(block)
            for result in found.results[block]:
                self._on_game(self._count, result)
                self._count += 1


def _opened(folder: Path, config: TournamentConfig) -> Contest:
    """The run folder of a tournament, to write: a new one, or the one that holds this very tournament."""
    if not (folder / "run.json").is_file():
        return Contest.create(folder, config, ["arena.tournament"])
    found = Contest.open(folder, write=True)
    if found.config != config:
        found.close()
        raise InputError(f"{folder} holds another tournament: give another folder, or the settings that it has.")
    return found


def _outcome(found: Tournament, path: Path | None) -> TournamentOutcome:
    lines, results = table(found), Results(found.ordered())
    names = [line.name for line in lines]
    return TournamentOutcome(
        env=found.spec.id,
        format=found.config.format,
        seed=found.config.seed,
        standings=tuple(lines),
        results=results,
        cross_table=payoff_of(games_of(results)).among(names),
        fingerprint=found.fingerprint(),
        picture=drawn(found),
        path=path,
    )


def _time(seconds: float | None) -> str:
    """As a config says it."""
    return "" if seconds is None else f"{seconds:.9f}s"
