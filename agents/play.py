"""play(): the one loop. Training, matches and recording are consumers of the steps it yields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from envs.core import Array, BatchEnv, Floats, Ints, TimeStep
from envs.layout import action_dtype, action_shape
from envs.player import Decision, Player


class Step(NamedTuple):
    """One step of all games, before and after."""

    before: TimeStep
    lanes: Sequence[Ints]
    """[players] of [N_k]: which lanes (game * P + seat) each player holds; the same at every step."""
    memory: Sequence[Floats]
    """[players] of [N_k, H_k]: what each player remembered before it acted, over its own lanes."""
    action: Array
    """[B, P, *action_shape]."""
    extras: Sequence[Mapping[str, Array]]
    """[players] of [N_k, ...] arrays over the player's own lanes."""
    after: TimeStep
    carried: Sequence[Floats]
    """[players] of [N_k, H_k]: what each player remembered after it acted."""
    next_memory: Sequence[Floats]
    """The same, cleared where a game ended."""


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
    space = env.spec.action_spaces[0]
    action = np.zeros((env.num_envs, env.spec.seats, *action_shape(space)), action_dtype(space))
    while True:
        decisions = [
            _decide(player, now, own, held, rng)
            for player, own, held, rng in zip(players, lanes, memory, rngs, strict=True)
        ]
        action = np.empty_like(action)
        flat = action.reshape(-1, *action.shape[2:])
        for own, decision in zip(lanes, decisions, strict=True):
            flat[own] = decision.action
        after = env.step(action)
        carried = [decision.memory for decision in decisions]
        following = _clear(players, lanes, carried, after)
        yield Step(now, lanes, memory, action, [d.extras for d in decisions], after, carried, following)
        memory, now = following, after


def _decide(player: Player, now: TimeStep, lanes: Ints, memory: Floats, rng: np.random.Generator) -> Decision:
    return player.act(rows(now.obs, lanes), rows(now.legal, lanes), memory, rng)


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
