"""Set up a session: from what was asked for on the command line to who sits where in which game."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from arena.config import load
from arena.ladder import LADDER, rungs
from arena.league import human
from arena.league.difficulty import nearest, ratings
from arena.league.history import changes_sides
from arena.league.overview import outline
from arena.players import CHAMPION, champion, find_snapshot, game_of, load_player
from arena.result import Result
from arena.store import RunFolder
from arena.viewer.human import BOTH, Hands, human_side, key_maps
from arena.viewer.human_controls import Controls, controls_of
from arena.viewer.human_match import Guest, HumanMatch, Person, game_seeds
from envs.bots import names as bots_of
from envs.core import EnvSpec
from envs.errors import InputError
from envs.registry import build
from envs.side import Side, team_count, unlike

HUMAN = "human"
"""A person, as a player is named."""
OPPONENT = "player"
"""Who is met in slime volleyball if nobody is named: the middle of the ladder in the box."""
BOTS = ("tracker", "one-ply", "random")
"""Who is met in other games: the first that plays them."""
LEFT_AND_RIGHT = ("left", "right")
Where = Literal["left", "right"]


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    players: Sequence[str]
    env: str = ""
    options: Mapping[str, Any] | None = None
    rating: float | None = None
    join: str = ""
    """Name under which the person is a member of the league; none: nothing is logged."""
    name: str = HUMAN
    best_of: int = 3
    side: Where | None = None
    seed: int = 0
    sample: bool = False


@dataclass(frozen=True)
class Set:
    """What is ready to begin."""

    match: HumanMatch
    hands: tuple[Hands, ...]
    league: Path | None
    """Run folder that the games go to."""
    waiting: list[str]
    """Process ids, one for each game that has not been logged yet as that process writes the run."""


def set_up(wish: Wish) -> Set:
    """Whoever plays, ready to begin.

    Raises:
        InputError: a player, game or option that is not there, or a wish that cannot be had.
    """
    words = list(wish.players)
    folder = _folder_of(words)
    if wish.join:
        folder = _league(folder, wish)
    words, env, options = _game(words, folder, wish)
    world = build(env, 1, options)
    spec, teams = world.spec, team_count(world.spec)
    controls_of(spec)  # or a person cannot play it
    if teams == 1:  # a folder only says which game
        words = [word for word, said in zip(words, wish.players, strict=True) if not Path(said).is_dir()]
    anywhere = HUMAN not in words and wish.side is None
    if HUMAN not in words:
        words.insert(0, HUMAN)
    if wish.rating is not None and len(words) >= teams and not any(Path(word).is_dir() for word in wish.players):
        named = " and ".join(word for word in words if word != HUMAN) or "nobody else"
        raise InputError(f"--rating picks an opponent, and {named} is named already: leave out one of them.")
    if len(words) < teams:
        words += [_opponent(spec, wish)] * (teams - len(words))
    if anywhere and unlike(spec):  # several bodies are hard to steer at once
        words.insert(_smallest(spec), words.pop(0))
    people = words.count(HUMAN)
    if len(words) != teams:
        alone = f"played alone: `arena play --env {spec.id}`" if teams == 1 else f"played by {teams}, not {len(words)}"
        raise InputError(f"{spec.id} is {alone}.")
    if wish.join and (people > 1 or teams > 2):
        raise InputError("--join is for one person and one opponent, or for one person alone.")
    if wish.side:
        words = _on_side(words, wish.side, people)
    hands, entrants = _entrants(words, spec, wish, folder)
    waiting: list[str] = []

    def done(result: Result) -> None:
        if wish.join and folder:
            writer = human.record(folder, wish.join, result)
            if writer:
                waiting.append(writer)
            else:
                waiting.clear()  # whatever waited has been logged too

    seeds = game_seeds(wish.seed)
    if wish.join and folder and not changes_sides(spec):
        seeds = chain(_tasks(folder, wish.join, {one.name for one in entrants if isinstance(one, Guest)}), seeds)
    swap = people == 1 and wish.side is None
    match = HumanMatch(world, entrants, wish.best_of, seeds, swap, done=done)
    return Set(match, hands, folder if wish.join else None, waiting)


def _folder_of(words: Sequence[str]) -> Path | None:
    """The run folder that the first player of one comes from."""
    for word in words:
        folder = word.rpartition("@")[0] or word
        if word != HUMAN and Path(folder).is_dir():
            return Path(folder)
    return None


def _league(folder: Path | None, wish: Wish) -> Path:
    if folder is None:
        raise InputError(f"--join needs a player of a league: `arena play DIR@{CHAMPION} --join {wish.join}`.")
    with RunFolder.open(folder) as run:
        run.expect("league")
        human.check_person(run, wish.join)
    human.settle(folder)  # what was left in the inbox
    return folder


def _game(words: Sequence[str], folder: Path | None, wish: Wish) -> tuple[list[str], str, dict[str, Any]]:
    """The players with folders replaced by one of their snapshots, and the game that they play."""
    team = None if wish.side is None else 1 - LEFT_AND_RIGHT.index(wish.side)
    named = [_in_folder(word, wish, team) for word in words]
    if wish.join and folder:
        if wish.env or wish.options:
            raise InputError("--join plays the game of the league as it is: leave out --env and --set.")
        with RunFolder.open(folder) as run:
            game = outline(run).game
        return named, game.id, dict(game.options)
    others = [word for word in named if word != HUMAN]
    if folder and others and not wish.env:
        with RunFolder.open(folder) as run:
            if run.about.get("kind", "league") == "league":
                game = outline(run).game
                return named, game.id, {**game.options, **(wish.options or {})}
    return named, *game_of(others, wish.env, wish.options or {})


def _in_folder(word: str, wish: Wish, team: int | None) -> str:
    """A folder alone stands for its champion, or for whoever is as strong as was asked for."""
    folder, at, who = word.rpartition("@")
    if at and Path(folder).is_dir():
        with RunFolder.open(folder) as run:
            bots = [one.name for one in run.members() if "bot" in one.spec]
        return who if who in bots else word
    if word == HUMAN or not Path(word).is_dir():
        return word
    with RunFolder.open(word) as run:
        if wish.rating is not None:
            return f"{word}@{nearest(run, wish.rating, team)}"
        return f"{word}@{_champion(run, team)}"


def _champion(run: RunFolder, team: int | None) -> str:
    """Name of the champion; where teams are not alike, of the one who leaves the smaller team to the person."""
    if run.about.get("kind", "league") != "league":
        return champion(run).name
    game = outline(run).game
    spec = build(game.id, 1, game.options).spec
    if not unlike(spec):
        return champion(run).name
    other = team if team is not None else 1 - _smallest(spec)
    return champion(run, spec.roles[spec.teams.index(other)]).name


def _smallest(spec: EnvSpec) -> int:
    """The team of the fewest seats."""
    sizes = [spec.teams.count(team) for team in range(team_count(spec))]
    return sizes.index(min(sizes))


def _opponent(spec: EnvSpec, wish: Wish) -> str:
    """Who is met if nobody is named."""
    if spec.id not in ("SlimeVolley-v0", "SlimeVolleySimple-v0"):
        if wish.rating is not None:
            raise InputError("--rating picks among the players of a run: `arena play DIR --rating 20`.")
        return next(name for name in BOTS if name in bots_of(spec))
    if wish.rating is None:
        return OPPONENT
    rating = wish.rating
    return min(rungs(), key=lambda rung: abs(rung.skill - rating)).name


def _on_side(words: list[str], side: Where, people: int) -> list[str]:
    if people != 1 or len(words) != 2:
        raise InputError("--side is for one person in a game of two sides.")
    mine = LEFT_AND_RIGHT.index(side)
    return words if words.index(HUMAN) == mine else words[::-1]


def _entrants(
    words: Sequence[str], spec: EnvSpec, wish: Wish, folder: Path | None
) -> tuple[tuple[Hands, ...], list[Person | Guest]]:
    """Everybody, in the order of the teams of the first game, and the hands of the people."""
    seats = [team for team, word in enumerate(words) if word == HUMAN]
    if len(seats) > 2:
        raise InputError(f"{len(seats)} people do not fit at one keyboard: two at most.")
    controls = controls_of(spec, len(seats))
    hands = tuple(Hands(keys) for keys in (key_maps(seats) if len(seats) > 1 else [BOTH]))
    greedy = not wish.sample
    if wish.join and folder:
        greedy = _greedy(folder)
    entrants: list[Person | Guest] = []
    for team, word in enumerate(words):
        if word == HUMAN:
            number = seats.index(team)
            name = wish.join or (wish.name if len(seats) == 1 else f"{wish.name} {number + 1}")
            sit = partial(_sit, name, spec, controls, hands[number])
            entrants.append(Person(name, sit))
        else:
            entrants.append(Guest(load_player(word, spec, greedy), _rating(word)))
    _check_names(entrants, folder if wish.join else None)
    return hands, entrants


def _sit(name: str, spec: EnvSpec, controls: Sequence[Controls], hands: Hands, team: int) -> Side:
    return human_side(name, spec, team, controls, hands)


def _greedy(folder: Path) -> bool:
    """Whether snapshots of the league take their most probable actions in rated games."""
    from arena.league.config import LeagueConfig

    return load(LeagueConfig, folder / "config.yaml").evaluation.greedy


def _rating(word: str) -> float | None:
    """Mean of a player of a league or of the ladder."""
    if word in LADDER:
        return next(rung.skill for rung in rungs() if rung.name == word)
    folder, at, who = word.rpartition("@")
    if not at:
        return None
    with RunFolder.open(folder) as run:
        if run.about.get("kind", "league") != "league":
            return None
        known = ratings(run).get(find_snapshot(run, who).name)
    return known.mean if known else None


def _check_names(entrants: Sequence[Person | Guest], league: Path | None) -> None:
    people = [one.name for one in entrants if isinstance(one, Person)]
    guests = [one.name for one in entrants if isinstance(one, Guest)]
    for name in people:
        if name in guests or people.count(name) > 1:
            raise InputError(f"two players are called {name!r}: --name gives yours another name.")
    if league:
        with RunFolder.open(league) as run:
            for name in guests:
                human.rated_name(run, name)


def _tasks(folder: Path, name: str, others: set[str]) -> Iterator[int]:
    """Seeds of games of `others` that the person has not played: where nobody can change sides, players are compared
    in games of the same seed, see `arena.ratings.duplicates`."""
    with RunFolder.open(folder) as run:
        seen: dict[int, None] = {}
        own = set()
        for game in run.meetings():
            if name in game.players:
                own.add(game.seed)
            elif not others or others & set(game.players):
                seen.setdefault(game.seed)
    yield from (seed for seed in seen if seed not in own)
