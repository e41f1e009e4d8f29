"""Sources: where the games on show come from: players who play on, or replays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from arena.replay.replay import Replay
from arena.replay.simulate import simulation_of
from arena.viewer.game import Game
from arena.viewer.live import Live
from envs.core import BatchEnv
from envs.player import Player
from envs.side import Side, Squad, post_of


def live_games(
    env: BatchEnv, live: Live, names: Sequence[str], ratings: Sequence[float | None], games: int | None
) -> Iterator[Game]:
    """Game after game of the players in `live`."""
    for index in count() if games is None else range(games):
        yield Game(env, live.game_seed(index), names, ratings=ratings, seats=live.seats, act=live.act)


def stored_game(replay: Replay, players: Mapping[str, Side]) -> Game:
    """A game from a replay; `players`, by name, can be asked what they think.

    Raises:
        InputError: an unknown game, or one that has other rules or seats here.
    """
    simulation = simulation_of(replay)
    spec = simulation.env.spec
    seats: list[Player | None] = []
    for seat, name in enumerate(replay.players):
        side = players.get(name)
        post = post_of(side.players, spec, seat) if isinstance(side, Squad) else None
        seats.append((side.players[post] if post else None) if isinstance(side, Squad) else side)
    teams = [[seat for seat, own in enumerate(spec.teams) if own == team] for team in range(max(spec.teams) + 1)]
    return Game(
        simulation.env,
        replay.seed,
        [" + ".join(dict.fromkeys(replay.players[seat] for seat in team)) for team in teams],
        actions=replay.actions,
        ratings=[replay.ratings[team[0]] for team in teams],
        title=replay.title,
        seats=seats,
    )
