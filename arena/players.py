"""Players by name: how a person says on the command line, and a program in Python, who shall play.

baseline                    a scripted player of the game
master                      a trained one that is in the box, see `arena.ladder`
path/to/FILE.safetensors    a snapshot file
DIR@champion                the best snapshot of a run: highest mean - 3 standard errors of the fit to all games, or, in
                            training runs, highest mean score of an evaluation
DIR@champion:predator       the same of the players of one side, in a league whose sides are not alike
DIR@ada                     the latest snapshot of its member ada
DIR@ada:1200000             that very snapshot

Anybody else's agent is a guest, see `arena.guests.names`: FILE.py:attribute, module:attribute, cmd:./program args,
FILE.pt, FILE.onnx, FILE.zip.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from arena.guests.forms import is_guest
from arena.ladder import LADDER, rung_file
from arena.league.history import parts
from arena.league.overview import history, roles, spec_of
from arena.league.standings import LEADERS, role_of
from arena.ratings import bradley_terry
from arena.store import RunFolder, Snapshot
from envs.bots import bot, every_name
from envs.core import EnvSpec
from envs.errors import InputError, unknown
from envs.registry import build
from envs.side import Side, Squad, filled, post_of

if TYPE_CHECKING:
    from agents.snapshot import Policies

USUAL_GAME = "SlimeVolley-v0"
"""What bots play unless it is said."""
CHAMPION = "champion"
SUFFIX = ".safetensors"


def load_player(
    text: str, spec: EnvSpec | str = USUAL_GAME, greedy: bool = True, *, trust: bool = False, logs: Path | None = None
) -> Side:
    """The player that `text` names, ready to sit down in the game `spec`.

        arena.load_player("master").act(obs, legal, memory, rng)

    Args:
        spec: of the game, or its id.
        greedy: a snapshot takes its most probable action; False lets it sample, as it did in training.
        trust: read files that hold pickles, which can run any code.
        logs: folder for what programs write to standard error; without it only the last of it is kept, for the reason
            of a forfeit.

    Raises:
        InputError: nobody of that name, a file that is no snapshot, or one made for another game.
    """
    if isinstance(spec, str):
        spec = build(spec, 1, {}).spec
    if text in every_name():
        return bot(text, spec)
    if is_guest(text):
        from arena.guests.names import load_guest

        return load_guest(text, spec, greedy, trust, logs)
    return _from_file(*_file_of(text), spec, greedy)


def player_of(
    who: object, spec: EnvSpec, greedy: bool = True, *, trust: bool = False, logs: Path | None = None
) -> Side:
    """Whoever a program in Python gives: a name, a `Player` or `Squad`, a policy or another torch module, a function or
    a class (see `arena.guests.calls.guest`).

    Raises:
        InputError: it is nobody, or as for `load_player`.
    """
    if isinstance(who, str | Path):
        return load_player(str(who), spec, greedy, trust=trust, logs=logs)
    made = not isinstance(who, type)
    if isinstance(who, Squad) or (made and all(hasattr(who, part) for part in ("name", "memory_size", "act"))):
        return cast("Side", who)
    torch = sys.modules.get("torch")
    if torch and isinstance(who, torch.nn.Module):
        return _from_module(who, spec, greedy)
    if callable(who) or hasattr(who, "act"):
        from arena.guests.calls import guest

        name = getattr(who, "__name__", type(who).__name__)
        return guest(cast("Callable[..., Any]", who), "function" if name == "<lambda>" else name, spec)
    raise InputError(
        f"{who!r} is no player: give a name, a player, a function of an observation, or a class with a method act."
    )


def _from_module(module: Any, spec: EnvSpec, greedy: bool) -> Side:
    """A torch module as a player."""
    from agents.player import PolicyPlayer
    from agents.policy import Policy
    from arena.guests.networks import from_module, network_player

    name = type(module).__name__
    if isinstance(module, Policy):
        return PolicyPlayer(module, name.lower(), greedy)
    return network_player(name, spec, from_module(module), greedy)


class Home(NamedTuple):
    """The game that a snapshot was trained in."""

    env: str
    options: dict[str, Any]
    """Where they are noted: a league's snapshots do not say them."""


def home_of(text: str) -> Home | None:
    """Where the player that `text` names learnt; None for a bot, a guest, and a snapshot that does not say so.

    Raises:
        InputError: as for `load_player`.
    """
    if text in every_name() or is_guest(text):
        return None
    from agents.snapshot import load_snapshot

    meta = load_snapshot(_file_of(text)[0]).meta
    return Home(meta["env"], dict(meta.get("options", {}))) if "env" in meta else None


def game_of(players: Sequence[str], env: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Id and options of the game that `players` play: `env` if it is said, else where the first of them that learnt
    did so, or slime volleyball; with the options of its training, unless `options` say otherwise.

    Raises:
        InputError: as for `load_player`.
    """
    home = next((home for home in map(home_of, players) if home), None)
    game = env or (home.env if home else USUAL_GAME)
    own = home.options if home and home.env == game else {}
    return game, {**own, **options}


def file_of(text: str) -> Path:
    """The snapshot file that `text`, which is no bot, names.

    Raises:
        InputError: as for `load_player`.
    """
    return _file_of(text)[0]


def _file_of(text: str) -> tuple[Path, str]:
    """The file of a snapshot, and what the player is called."""
    if text in LADDER:
        return rung_file(text), text
    path = Path(text)
    if path.is_dir():
        raise InputError(f"{text} is a folder: say {text}@{CHAMPION}, or {text}@NAME for a member of its run.")
    if path.suffix == SUFFIX or path.is_file():
        return path, path.stem
    folder, at, who = text.rpartition("@")
    if at:
        with RunFolder.open(folder) as run:
            snapshot = find_snapshot(run, who)
            return run.path / snapshot.file, snapshot.name
    if get_close_matches(text, (*every_name(), *LADDER), cutoff=0.5):
        raise unknown("player", text, (*every_name(), *LADDER))
    raise InputError(
        f"unknown player {text!r}: give a bot ({', '.join(every_name())}), a player in the box ({', '.join(LADDER)}), "
        f"a snapshot FILE{SUFFIX}, DIR@{CHAMPION} or DIR@NAME of a run, or an agent of your own, FILE.py:NAME or "
        "cmd:./program."
    )


def find_snapshot(run: RunFolder, who: str) -> Snapshot:
    """The snapshot of `run` that "champion", "member" or "member:step" stands for.

    Raises:
        InputError: the run has none of that name.
    """
    snapshots = run.snapshots()
    if not snapshots:
        raise InputError(f"{run.path} has no snapshots yet.")
    first, _, part = who.partition(":")
    if first == CHAMPION:
        return champion(run, part)
    named = {snapshot.name: snapshot for snapshot in snapshots}
    latest = {snapshot.member: snapshot for snapshot in sorted(snapshots, key=lambda s: s.step)}
    found = named.get(who) or latest.get(who)
    if found:
        return found
    member = who.partition(":")[0]
    choices = [name for name in named if name.startswith(f"{member}:")] or [CHAMPION, *latest]
    raise InputError(f"{run.path}: {unknown('player', who, choices)}")


def champion(run: RunFolder, part: str = "") -> Snapshot:
    """The snapshot of a main with the highest mean - 3 standard errors by the whole-history fit, which does not depend
    on the order of the games: anchors and exploiters do not count.

    In a training run, the one with the highest mean score, the latest if several have it.

    Args:
        part: role of its seats, in a league whose teams are not alike.

    Raises:
        InputError: no snapshot has been rated yet, or `part` is missing or unknown.
    """
    members = roles(run)
    worth = {name: one.exposed for name, one in bradley_terry.rate(history(run)).items()} if members else _means(run)
    plays = parts(run.meetings(), spec_of(run)) if members else {}
    known = tuple(dict.fromkeys(plays.values()))
    if (part or known) and part not in known:
        who = " or ".join(f"DIR@{CHAMPION}:{one}" for one in known) or f"DIR@{CHAMPION}"
        raise InputError(f"{run.path}: say {who}, not {CHAMPION}{f':{part}' if part else ''}.")
    if part:
        worth = {name: value for name, value in worth.items() if plays.get(name) == part}
    rated = [snapshot for snapshot in run.snapshots() if snapshot.name in worth]
    rated = [snapshot for snapshot in rated if not members or role_of(snapshot.name, members) in LEADERS] or rated
    if not rated:
        raise InputError(f"{run.path} has no rated games yet, so no champion: name a snapshot, as in DIR@NAME.")
    return max(rated, key=lambda snapshot: (worth[snapshot.name], snapshot.step))


def _means(run: RunFolder) -> dict[str, float]:
    """Mean score per game and seat of each snapshot of a training run, which plays alone."""
    scores: dict[str, list[float]] = {}
    for game in run.meetings():
        scores.setdefault(game.players[0], []).append(fmean(game.score))
    return {name: fmean(own) for name, own in scores.items()}


def _from_file(path: Path, name: str, spec: EnvSpec, greedy: bool) -> Side:
    """A snapshot file as a player called `name`."""
    import torch

    from agents.player import seated
    from agents.snapshot import load_snapshot

    torch.set_num_threads(1)  # a network this small is many times slower on several
    policies = load_snapshot(path).policies
    fitting(policies, spec, path)
    return seated(policies, name, greedy)


def fitting(policies: Policies, spec: EnvSpec, source: object) -> None:
    """Raise an InputError, which names `source`, unless `policies` can take all seats of a team of the game `spec`."""
    for seat in range(spec.seats):
        post = post_of(policies, spec, seat)
        if post is None:
            continue
        made_for = (policies[post].obs_space, policies[post].action_space)
        offered = (spec.observation_spaces[seat], spec.action_spaces[seat])
        if made_for != offered:
            raise InputError(
                f"{source} was made for another game: it sees {made_for[0]} and does {made_for[1]}, "
                f"but {spec.id} shows {offered[0]} and takes {offered[1]}."
            )
    if not filled(policies, spec):
        raise InputError(
            f"{source} was made for another game: it plays {', '.join(policies)}, and the roles of {spec.id} are "
            f"{', '.join(dict.fromkeys(spec.roles))}."
        )
