"""Kuhn poker: three cards, one bet. The smallest game in which bluffing is right.

H. W. Kuhn, "A simplified two-person poker" (1950). Jack, queen and king; each seat antes 1 and gets one card.
Seat 0 passes or bets 1. After a bet, seat 1 folds (passes) or calls (bets). After a pass, seat 1 passes, which shows
the cards, or bets, and seat 0 folds or calls. The higher card wins what lies on the table.

* **Id** `KuhnPoker-v0`.
* **Seats** 0 acts first, 1 second; a view says which, so one policy can play both, and matches swap seats.
* **Actions** `Discrete(2)`: 0 pass (check, fold), 1 bet (call). The seat that waits has only 0; what it sends is not
  looked at.
* **Observation** [8], each 0 or 1: own card is the jack, the queen, the king; own seat is the second; the first
  passed, bet; the second passed, bet.
* **Reward** at the end of a hand what was won: 1 or 2, lost: -1 or -2. Score: the same.
* **End** terminated after 2 or 3 steps, never truncated.
* **Equilibrium** worth -1/18 per hand to the first seat. It bets the jack with probability alpha, any in [0, 1/3],
  and the king with 3 alpha, passes the queen and calls with it with alpha + 1/3. The second seat bets the jack after
  a pass with 1/3, calls with the queen with 1/3, and never passes the king.
* **Options** none.
* **Versions** v0.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.arrays import constant, copies, overwrite
from envs.compiled import compiled
from envs.config import Config
from envs.core import Array, Bools, EnvSpec, Ints, TimeStep, game_seeds
from envs.kuhn_scene import kuhn_scene
from envs.layout import checked
from envs.random import uniforms
from envs.scene import Scene

Number: Any = Any
DEALS = np.array([(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)])
"""[6, 2] cards of the seats, 0 jack, 1 queen, 2 king: all deals, equally likely."""
VIEW = ("jack", "queen", "king", "second", "first_passed", "first_bet", "second_passed", "second_bet")
ONE_OF_THREE = np.eye(3, dtype=np.float32)


class KuhnOptions(Config):
    """What can be set with `envs.make("KuhnPoker-v0")`: nothing."""


class KuhnPoker:
    """B hands side by side; observations float32 [B, 2, 8], rewards and scores float64."""

    def __init__(self, id: str, options: KuhnOptions, num_envs: int = 1) -> None:
        """Lay out the arrays of `num_envs` hands; `reset` deals."""
        self.num_envs = num_envs
        self.spec = EnvSpec(
            id=id,
            observation_spaces=(spaces.Box(0.0, 1.0, (len(VIEW),), np.float32),) * 2,
            action_spaces=(spaces.Discrete(2),) * 2,
            teams=(0, 1),
            max_steps=3,
            step_seconds=1.0,
            zero_sum=True,
            symmetric=True,
            options=options.model_dump(),
            obs_names=VIEW,
            scores=(-2.0, 2.0),
        )
        self.chances = constant((len(DEALS),), 1 / len(DEALS), np.float64)
        self._pairs = spaces.MultiDiscrete([2, 2])
        self._rows = np.arange(num_envs)
        self._cards = np.zeros((num_envs, 2), np.int64)
        self._moves = np.full((num_envs, 3), -1)
        self._shown = np.full((num_envs, 5), -1)
        self._stream = np.zeros((num_envs, 2), np.uint64)
        self._never = constant((num_envs,), False, np.bool_)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Deal all hands; see `BatchEnv.reset`."""
        self._stream[:, 0] = game_seeds(seed, self.num_envs)
        self._stream[:, 1] = 0
        deals = np.zeros(self.num_envs, np.int64)
        deal(np.ones(self.num_envs, np.bool_), self._stream, deals)
        return self.start(deals)

    def start(self, which: Ints) -> TimeStep:
        """See `TinyGame.start`; the ways to begin are `DEALS`."""
        self._cards[:] = DEALS[which]
        self._moves[:] = -1
        self._shown[:] = -1
        obs, no_score = self._views(), np.full((self.num_envs, 2), np.nan)
        nothing = np.zeros((self.num_envs, 2))
        return TimeStep(obs, *self._turns(), nothing, self._never, self._never, obs.copy(), no_score)

    def step(self, action: Array) -> TimeStep:
        """Play one move of each hand; see `BatchEnv.step`.

        Raises:
            InputError: an action outside its space; no hand has moved then.
        """
        given = checked(self._pairs, action, self.num_envs, self.spec.id)
        turn = (self._moves >= 0).sum(axis=1)
        mover = turn % 2
        bets = given[self._rows, mover] == 1
        faced = (turn > 0) & (self._moves[self._rows, turn - 1] == 1)
        self._moves[self._rows, turn] = bets
        over = faced | ((turn == 1) & ~bets)
        showdown = np.sign(self._cards[:, 0] - self._cards[:, 1]) * (1 + bets)
        won = np.where(faced & ~bets, np.where(mover == 0, -1, 1), showdown) * over  # by the first seat
        reward = np.stack([won, -won], axis=1).astype(np.float64)
        last = self._views()
        if not over.any():
            never, no_score = self._never, np.full((self.num_envs, 2), np.nan)
            return TimeStep(last, *self._turns(), reward, never, never, last, no_score)
        self._again(over)
        score = np.where(over[:, None], reward, np.nan)
        return TimeStep(self._views(), *self._turns(), reward, over, self._never, last, score)

    def _again(self, over: Bools) -> None:
        """Deal anew where a hand is `over` [B]; it stays on show."""
        self._shown[over] = np.concatenate([self._cards[over], self._moves[over]], axis=1)
        deals = np.zeros(self.num_envs, np.int64)
        deal(over, self._stream, deals)
        self._cards[over] = DEALS[deals[over]]
        self._moves[over] = -1

    def _views(self) -> Array:
        """[B, 2, 8]."""
        obs = np.zeros((self.num_envs, 2, len(VIEW)), np.float32)
        obs[:, :, :3] = ONE_OF_THREE[self._cards]
        obs[:, 1, 3] = 1
        for place, move in enumerate(self._moves[:, :2].T):
            obs[:, :, 4 + 2 * place] = (move == 0)[:, None]
            obs[:, :, 5 + 2 * place] = (move == 1)[:, None]
        return obs

    def _turns(self) -> tuple[Bools, Bools]:
        """`legal` [B, 2, 2] and `acts` [B, 2]."""
        mover = (self._moves >= 0).sum(axis=1) % 2
        acts = np.stack([mover == 0, mover == 1], axis=1)
        return np.stack([np.ones_like(acts), acts], axis=2), acts

    def get_state(self) -> dict[str, Array]:
        """Copies of the whole state.

        `cards` [B, 2] of the seats, 0 jack, 1 queen, 2 king; `moves` [B, 3] 0 pass, 1 bet, -1 not yet; `shown` [B, 5]
        cards and moves of the hand before, -1 if there was none, which only the picture shows; `stream` [B, 2] seed
        and number of deals so far.
        """
        return copies(self._arrays())

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite any subset of what `get_state` names, between steps.

        Raises:
            InputError: an unknown name or a wrong shape; nothing has been written then.
        """
        overwrite(self._arrays(), state)

    def _arrays(self) -> dict[str, Array]:
        return {"cards": self._cards, "moves": self._moves, "shown": self._shown, "stream": self._stream}

    def draw(self, row: int) -> Scene:
        """Hand `row` as it stands, with open cards, and the hand before it."""
        return self.draw_for(row, (0, 1))

    def draw_for(self, row: int, seats: Collection[int]) -> Scene:
        """The same as those in `seats` see it: only their own cards are open."""
        hand = [*self._cards[row].tolist(), *self._moves[row].tolist()]
        return kuhn_scene(hand, self._shown[row].tolist(), seats)

    def draw_end(self, row: int) -> Scene:
        """How the hand before ended, with open cards."""
        shown = self._shown[row].tolist()
        return kuhn_scene(shown, shown, over=True)


@compiled
def deal(which: Number, stream: Number, deals: Number) -> None:
    """Draw a deal of 6 where `which` [B], from the seed and number of deals so far in `stream` [B, 2]."""
    for row in range(len(which)):
        if which[row]:
            first, _ = uniforms(stream[row, 0], stream[row, 1])
            deals[row] = int(6.0 * first)
            stream[row, 1] += np.uint64(1)
