"""Self-play: who sits where while a learner trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.crew import Crew
from agents.player import PolicyPlayer, Pool
from agents.policy import Policy
from agents.snapshot import Policies
from arena.trainer import Stream, TrainingConfig, Watch
from envs.core import EnvSpec, Ints
from envs.player import Player
from envs.registry import build
from envs.seats import seat_kinds
from envs.side import Side, filled, post_of, seated, team_count

Opponent = Policies | Side
"""A frozen crew, which is played together with others of its kind; or anybody else, such as a bot."""


def self_play(
    crew: Crew,
    env_id: str,
    options: Mapping[str, Any],
    opponents: Sequence[tuple[Opponent, float]],
    config: TrainingConfig,
    seed: int,
) -> list[Stream]:
    """Games in which a learner meets itself and `opponents`.

    Those hold actions as long as the learner, and each has its share of all games; what is left of 1 the learner plays
    against itself, in all seats. Elsewhere it takes the seats of one team, by turns of each that it can fill, and an
    opponent takes those of every other. A game has the same opponent for a whole stretch.
    """
    each = config.games // config.streams
    everything = {**options, **config.options, **held(crew.policies)}
    seeds = np.random.SeedSequence(seed).generate_state(config.streams, np.uint64) >> np.uint64(11)
    streams = []
    for one in seeds.tolist():
        env = build(env_id, each, everything)
        turn = float(np.random.default_rng(one).random())
        who = lineup(env.spec, crew.policies, [share for _, share in opponents], each, turn)
        players, seating, learns = sit(env.spec, crew, [opponent for opponent, _ in opponents], who)
        streams.append(Stream(env, players, seating, learns, crew.sees, one, steps=config.steps))
    return streams


def alone(
    crew: Crew,
    env_id: str,
    options: Mapping[str, Any],
    games: int,
    seed: int,
    *,
    steps: int = 0,
    episodes: int = 0,
    watch: Watch | None = None,
) -> list[Stream]:
    """`games` games in which the learner has all seats; `steps` or `episodes` of each per experience."""
    env = build(env_id, games, {**options, **held(crew.policies)})
    players, seating, learns = sit(env.spec, crew, [], np.zeros((games, env.spec.seats), np.int64))
    return [Stream(env, players, seating, learns, crew.sees, seed, steps=steps, episodes=episodes, watch=watch)]


def held(policies: Policies) -> dict[str, int]:
    """Options of an env in which each step is one decision of `policies`."""
    hold = max(policy.config.hold for policy in policies.values())
    return {"frame_skip": hold} if hold > 1 else {}


def lineup(spec: EnvSpec, posts: Mapping[str, object], shares: Sequence[float], games: int, turn: float) -> Ints:
    """[games, P] who sits where: 0 is the learner, k + 1 the opponent of `shares[k]`.

    Args:
        posts: the learner's.
        shares: of all games; what is left of 1 the learner plays against itself.
        turn: 0..1, decides who gets a game more where shares are no whole numbers of games.
    """
    teams, count = np.array(spec.teams), team_count(spec)
    own = filled(posts, spec)
    met = round(sum(shares) * games) if count > 1 else 0
    who = np.zeros((games, count), np.int64)
    if met:
        bounds = np.cumsum(shares) / sum(shares)
        drawn = 1 + np.minimum(np.searchsorted(bounds, (np.arange(met) + turn) / met, "right"), len(shares) - 1)
        rows = np.arange(games - met, games)
        mine = np.array(own)[rows % len(own)]
        for place in range(count - 1):  # in games of more than two teams the others differ
            other = np.roll(drawn, place * met // (count - 1))
            who[rows, (mine + 1 + place) % count] = other
        who[rows, mine] = 0
    return who[:, teams]


def sit(
    spec: EnvSpec, crew: Crew, opponents: Sequence[Opponent], who: Ints
) -> tuple[list[Player], Ints, dict[str, int]]:
    """Players, seating [B, P], and which of the players is the learner's on each post, for sides as in `lineup`."""
    players: list[Player] = []
    seating = np.full_like(who, -1)
    learns: dict[str, int] = {}
    for post, policy in crew.behaviours.items():
        seats = [seat for seat in range(spec.seats) if post_of(crew.policies, spec, seat) == post]
        if (who[:, seats] == 0).any():
            learns[post] = len(players)
            seating[:, seats] = np.where(who[:, seats] == 0, len(players), seating[:, seats])
            players.append(PolicyPlayer(policy, "learner"))
    frozen = {index for index, one in enumerate(opponents, start=1) if isinstance(one, Mapping)}
    _seat_pools(spec, opponents, who, sorted(frozen), players, seating)
    rest = [index for index in range(1, len(opponents) + 1) if index not in frozen]
    if np.isin(who, rest).any():
        sides: list[Any] = [opponents[index - 1] for index in rest]
        place = np.full(len(opponents) + 1, -1)
        place[rest] = np.arange(len(rest))
        more, where = seated(spec, sides, place[who])
        theirs = np.isin(who, rest)
        seating[theirs] = where[theirs] + len(players)
        players += more
    return players, seating, learns


def _seat_pools(
    spec: EnvSpec, opponents: Sequence[Opponent], who: Ints, frozen: Sequence[int], players: list[Player], seating: Ints
) -> None:
    """One pool of frozen policies for each kind of seat."""
    kind_of = np.array(seat_kinds(spec))
    for kind in np.unique(kind_of).tolist():
        lanes = np.isin(who, frozen) & (kind_of == kind)
        if not lanes.any():
            continue
        policies: list[Policy] = []
        index_of: dict[tuple[int, int], int] = {}
        for row in np.unique(np.stack([who[lanes], np.nonzero(lanes)[1]], 1), axis=0).tolist():
            crew: Any = opponents[row[0] - 1]
            policy = crew[post_of(crew, spec, row[1])]
            known = next((at for at, other in enumerate(policies) if other is policy), None)
            if known is None:
                policies.append(policy)
                known = len(policies) - 1
            index_of[row[0], row[1]] = known
        seats = np.nonzero(lanes)[1]
        member = np.array([index_of[one, seat] for one, seat in zip(who[lanes].tolist(), seats.tolist(), strict=True)])
        seating[lanes] = len(players)
        players.append(Pool(policies, member))
