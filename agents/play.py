"""play(): the one loop. Training, matches and recording are consumers of the steps it yields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from envs.core import Array, BatchEnv, EnvSpec, Floats, Ints, TimeStep
from envs.errors import InputError
from envs.player import Player
from envs.seats import action_layout, own_legal, own_obs, widened


class Step(NamedTuple):
    """One step of all games, before and after."""

    before: TimeStep
    lanes: Sequence[Ints]
    """[players] of [N_k]: which lanes (game * P + seat) each player holds; the same at every step."""
    memory: Sequence[Floats]
    """[players] of [N_k, H_k]: what each player remembered before it acted, over its own lanes."""
    action: Array
    """[B, P, *action_shape]; as wide as the widest seat's, see `envs.seats`."""
    extras: Sequence[Mapping[str, Array]]
    """[players] of [N_k, ...] arrays over the player's own lanes."""
    after: TimeStep
    carried: Sequence[Floats]
    """[players] of [N_k, H_k]: what each player remembered after it acted."""
    next_memory: Sequence[Floats]
    """The same, cleared where a game ended."""
    sights: Sequence[Sight]
    """[players] what the seats of each player see and do."""


def play(
    env: BatchEnv,
    players: Sequence[Player],
    seating: Ints,
    seed: int,
    game_seeds: Ints | None = None,
) -> Iterator[Step]:
    """Play for ever; take as many steps as you want with `itertools.islice`.

    Args:
        seating: [B, P] index into `players` of who sits in which seat of which game.
        seed: decides the games and, one stream per player, everything players draw.
        game_seeds: [B] seeds of the games themselves, if they are not to follow from `seed`.
    """
    source = np.random.SeedSequence(seed)
    rngs = [np.random.default_rng(child) for child in source.spawn(len(players))]
    lanes = [np.flatnonzero(seating.reshape(-1) == index) for index in range(len(players))]
    memory: Sequence[Floats] = [
        np.zeros((len(own), p.memory_size), np.float32) for own, p in zip(lanes, players, strict=True)
    ]
    now = env.reset(seed if game_seeds is None else game_seeds)
    sights = [sight(env.spec, own) for own in lanes]
    shape, dtype = action_layout(env.spec)
    while True:
        decisions = [
            player.act(view.obs(now, own), view.legal(now, own), held, rng)
            for player, view, own, held, rng in zip(players, sights, lanes, memory, rngs, strict=True)
        ]
        flat = np.empty((env.num_envs * env.spec.seats, *shape), dtype)
        for own, decision in zip(lanes, decisions, strict=True):
            flat[own] = widened(decision.action, shape, dtype)
        action = flat.reshape(env.num_envs, env.spec.seats, *shape)
        after = env.step(action)
        carried = [decision.memory for decision in decisions]
        following = _clear(players, lanes, carried, after)
        yield Step(now, lanes, memory, action, [d.extras for d in decisions], after, carried, following, sights)
        memory, now = following, after


class Sight(NamedTuple):
    """What seats of one kind see and do."""

    obs_space: spaces.Space[Any]
    action_space: spaces.Space[Any]

    def obs(self, now: TimeStep, lanes: Ints) -> Array:
        """[N, *obs_shape] on `lanes`."""
        return own_obs(self.obs_space, rows(now.obs, lanes))

    def legal(self, now: TimeStep, lanes: Ints) -> Array:
        """[N, A] on `lanes`."""
        return own_legal(self.action_space, rows(now.legal, lanes))


def sight(spec: EnvSpec, lanes: Ints) -> Sight:
    """Of whoever holds `lanes` [N].

    Raises:
        InputError: seats of different kinds: that takes as many players.
    """
    seats = np.unique(lanes % spec.seats)
    kinds = [Sight(spec.observation_spaces[seat], spec.action_spaces[seat]) for seat in seats]
    if any(kind != kinds[0] for kind in kinds):
        names = ", ".join(spec.seat_names[seat] for seat in seats)
        raise InputError(f"{spec.id}: one player cannot sit in {names}, who see and do different things.")
    return kinds[0] if kinds else Sight(spec.observation_spaces[0], spec.action_spaces[0])


def rows(values: Array, lanes: Ints) -> Array:
    """A player's rows [N, ...] of `values` [B, P, ...]; no copy where it holds all lanes."""
    flat = values.reshape(values.shape[0] * values.shape[1], *values.shape[2:])
    return flat if len(lanes) == len(flat) else flat[lanes]


def _clear(
    players: Sequence[Player], lanes: Sequence[Ints], memory: Sequence[Floats], after: TimeStep
) -> Sequence[Floats]:
    """Memory for the next step: zero where a game ended, unless the player keeps it."""
    if not any(player.memory_size for player in players):
        return memory
    ended = (after.terminated | after.truncated).repeat(after.acts.shape[1])
    return [
        held if player.keep_memory or not player.memory_size else held * ~ended[own, None]
        for player, own, held in zip(players, lanes, memory, strict=True)
    ]
