"""Live: players who go on playing a match, one action at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.play import sight
from arena.replay.simulate import Moment
from envs.core import Array, EnvSpec
from envs.player import Player
from envs.seats import action_layout, own_legal, own_obs, widened
from envs.side import Side, seated


class Live:
    """The players of one game after another, and what they remember."""

    def __init__(self, spec: EnvSpec, sides: Sequence[Side], seed: int) -> None:
        """`sides` are in the order of the teams; `seed` decides the games and all that players draw.

        Raises:
            InputError: a side that has nobody for a seat.
        """
        players, seating = seated(spec, sides, np.array([spec.teams]))
        self.seats: list[Player] = [players[index] for index in seating[0]]
        """[P] who sits where."""
        self._players = players
        self._seed = seed
        self._lanes = [np.flatnonzero(seating[0] == index) for index in range(len(players))]
        self._sights = [sight(spec, lanes) for lanes in self._lanes]
        self._rngs = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(len(players))]
        self._memory = [
            np.zeros((len(lanes), player.memory_size), np.float32)
            for lanes, player in zip(self._lanes, players, strict=True)
        ]
        self._shape, self._dtype = action_layout(spec)
        self._seat_count = spec.seats

    def game_seed(self, game: int) -> int:
        """Of game 0, 1, ...; 53 bits, as in matches."""
        source = np.random.SeedSequence(self._seed, spawn_key=(game,))
        return int(source.generate_state(1, np.uint64)[0] >> np.uint64(11))

    def act(self, now: Moment) -> Array:
        """What all do at `now`: [P, *action_shape], as wide as the widest."""
        action = np.empty((self._seat_count, *self._shape), self._dtype)
        for index, player in enumerate(self._players):
            lanes, seen = self._lanes[index], self._sights[index]
            if now.step == 0 and not player.keep_memory:
                self._memory[index] = np.zeros_like(self._memory[index])
            obs = own_obs(seen.obs_space, now.obs[lanes])
            legal = own_legal(seen.action_space, now.legal[lanes])
            decision = player.act(obs, legal, self._memory[index], self._rngs[index])
            self._memory[index] = decision.memory
            action[lanes] = widened(decision.action, self._shape, self._dtype)
        return action
