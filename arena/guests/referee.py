"""Referee: looks after the players of a block that may misbehave, and says who has lost a game for it.

Guests are asked game by game and timed. Players of other code that play whole batches are checked as they are. Who
comes with arena is not touched: a block without strangers has no referee and costs nothing.

What a forfeit is worth: the side that is at fault gets the lowest score of the game (`EnvSpec.scores`), and where
there is one other side, that gets the highest; among several, the others have what they had earned so far. In a game
whose scores have no bounds the side at fault gets 1 less than anybody had earned so far, and the others theirs. If all
sides are at fault in one step, all get the lowest.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from gymnasium import spaces
from numpy.random import Generator

from arena.guests.fault import Fault, clipped, told
from arena.guests.guest import Forfeit, Guest
from arena.guests.limits import Limits
from arena.guests.moves import Space, default_action, taken
from arena.guests.seated import Seated
from envs.core import Array, Bools, EnvSpec, Floats, Ints
from envs.player import Decision, Player
from envs.seats import seat_kinds
from envs.side import Side, Squad

OURS = ("envs", "agents", "arena")
"""Packages whose players are trusted."""


class Loss(NamedTuple):
    """A game that was forfeited."""

    score: tuple[float, ...]
    """[P]."""
    reason: str
    """Who did what, a sentence without its full stop."""


def stranger(player: Player) -> bool:
    """Whether somebody must look after `player`."""
    module = type(player).__module__
    return isinstance(player, Guest) or module.partition(".")[0] not in OURS or module.startswith("arena.guests.")


def together(sides: Sequence[Side]) -> int | None:
    """How many games may be played side by side; None: any number."""
    players = [one for side in sides for one in (side.players.values() if isinstance(side, Squad) else [side])]
    bounds = [one.together for one in players if isinstance(one, Guest) and one.together is not None]
    return min(bounds, default=None)


class Referee:
    """Of one block. A context: at its end all guests have left."""

    def __init__(self, spec: EnvSpec, limits: Limits, everybody: bool = False) -> None:
        """Nobody sits yet. `everybody` is looked after, not only strangers."""
        self._everybody = everybody
        self._spec, self._limits = spec, limits
        self._watched: list[tuple[Ints, Seated | Checked]] = []
        """The lanes of each stranger who sits now."""
        self._known: dict[tuple[int, int, int], Seated | Checked] = {}
        """Strangers by identity, the kind of their seats, and how many of the same sit before them."""
        self._names: Sequence[Sequence[str]] = ()
        self._earned = np.zeros((0, spec.seats))

    @property
    def needed(self) -> bool:
        """Whether there are strangers among those who sit."""
        return bool(self._watched)

    def seat(self, players: Sequence[Player], seating: Ints, names: Sequence[Sequence[str]]) -> list[Player]:
        """Let `players` sit as `seating` [B, P] says, for new games: the same, strangers under supervision.

        Args:
            names: [B][P] what they are called.
        """
        self._watched, self._names = [], names
        self._earned = np.zeros(seating.shape)
        kinds, met = seat_kinds(self._spec), Counter[tuple[int, int]]()
        flat = seating.reshape(-1)
        sitting: list[Player] = []
        for index, player in enumerate(players):
            lanes = np.flatnonzero(flat == index)
            if not len(lanes) or not (self._everybody or stranger(player)):
                sitting.append(player)
                continue
            seat = int(lanes[0]) % self._spec.seats
            same = (id(player), kinds[seat])
            key = (*same, met[same])
            met[same] += 1
            if key not in self._known:
                self._known[key] = (
                    player.sit(self._limits)
                    if isinstance(player, Guest)
                    else Checked(player, self._spec.action_spaces[seat], self._limits)
                )
            watched = self._known[key]
            watched.begin()
            self._watched.append((lanes, watched))
            sitting.append(watched)
        return sitting

    def spent(self, name: str) -> list[float]:
        """Time for each move of the player `name` so far, s."""
        return [one for watched in self._known.values() if watched.name == name for one in watched.spent]

    def losses(self, reward: Floats) -> dict[int, Loss]:
        """The games that were forfeited at the last step, which does not count any more in them.

        Args:
            reward: [B, P] of that step.

        Raises:
            Forfeit: where there shall be none.
        """
        seats = self._spec.seats
        guilty: dict[int, dict[int, str]] = {}
        for lanes, watched in self._watched:
            for row, fault in watched.take_faults().items():
                game, seat = divmod(int(lanes[row]), seats)
                guilty.setdefault(game, {})[seat] = f"{self._names[game][seat]} {fault}"
        if guilty and self._limits.forfeits == "abort":
            raise Forfeit(f"{next(iter(next(iter(guilty.values())).values()))}.")
        losses = {}
        for game, faults in guilty.items():
            score = forfeit_score(self._spec, self._earned[game], list(faults))
            losses[game] = Loss(score, "; ".join(dict.fromkeys(faults.values())))
        self._earned += reward
        return losses

    def over(self, games: Bools, score: Floats) -> None:
        """The games marked [B] have ended with `score` [B, P], and what is played in their place does not count."""
        for lanes, watched in self._watched:
            rows = np.flatnonzero(games[lanes // self._spec.seats])
            watched.leave(rows.tolist(), score.reshape(-1)[lanes[rows]].tolist())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        for watched in self._known.values():
            watched.close()


def forfeit_score(spec: EnvSpec, earned: Floats, guilty: Sequence[int]) -> tuple[float, ...]:
    """[P] what a game is worth in which the seats `guilty` are at fault, after rewards of `earned` [P]."""
    at_fault = {spec.teams[seat] for seat in guilty}
    others = set(spec.teams) - at_fault
    low, high = spec.scores or (float(min(earned)) - 1.0, None)
    decided = len(set(spec.teams)) == 2 and len(others) == 1 and high is not None
    return tuple(
        low if team in at_fault else high if decided and high is not None else float(earned[seat])
        for seat, team in enumerate(spec.teams)
    )


class Checked:
    """A player of other code that plays whole batches, under supervision. It cannot be stopped in mid-move: its time is
    looked at when it has answered, and shared among its games."""

    def __init__(self, player: Player, space: Space, limits: Limits) -> None:
        """`space` is that of its actions."""
        self.name, self.memory_size, self.keep_memory = player.name, player.memory_size, player.keep_memory
        self.spent: list[float] = []
        self._player, self._space, self._limits = player, space, limits
        self._faults: dict[int, str] = {}
        self._out: set[int] = set()
        self._used: Floats = np.zeros(0)

    def begin(self) -> None:
        """See `Seated.begin`."""
        self._faults, self._out, self._used = {}, set(), np.zeros(0)

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`."""
        action = default_action(self._space, legal)
        rows = [row for row in range(len(obs)) if row not in self._out]
        if not rows:
            return Decision(action, memory, {})
        if not len(self._used):
            self._used = np.zeros(len(obs))
        began = time.perf_counter()
        try:
            decision = self._player.act(obs, legal, memory, rng)
            given = _rows(decision.action, len(obs))
            kept = _memory(decision.memory, len(obs), self.memory_size)
        except (Exception, SystemExit) as fault:
            said = str(fault) if isinstance(fault, Fault) else f"raised {told(fault)}"
            self._fail(dict.fromkeys(rows, said))
            return Decision(action, memory, {})
        spent = (time.perf_counter() - began) / len(rows)
        self.spent.append(spent)
        if not self._limits.timed and _all_fit(self._space, given, legal):
            return decision._replace(memory=kept)
        for row in rows:
            late = self._limits.broken(spent, float(self._used[row]))
            try:
                if late:
                    raise Fault(late)
                action[row] = taken(self._space, given[row], legal[row])
            except Fault as fault:
                self._fail({row: str(fault)})
        self._used += spent
        return Decision(action, kept, decision.extras)

    def _fail(self, faults: dict[int, str]) -> None:
        self._faults |= {row: clipped(fault, 300) for row, fault in faults.items()}
        self._out |= faults.keys()

    def take_faults(self) -> dict[int, str]:
        """See `Seated.take_faults`."""
        faults, self._faults = self._faults, {}
        return faults

    def leave(self, rows: Sequence[int], scores: Sequence[float] | None) -> None:
        """See `Seated.leave`."""
        self._out |= set(rows)

    def close(self) -> None:
        """Nothing is left to do."""


def _all_fit(space: Space, action: Array, legal: Bools) -> bool:
    """Whether all actions [n, ...] are plainly legal, which is quicker to see for all than for each."""
    if not isinstance(space, spaces.Discrete) or action.shape != (len(legal),) or action.dtype.kind not in "iu":
        return False
    fits = (action >= 0) & (action < space.n)
    return bool(fits.all()) and bool(legal[np.arange(len(legal)), action].all())


def _rows(action: Array, count: int) -> Array:
    """Actions [n, ...].

    Raises:
        Fault: of another number.
    """
    given = np.asarray(action)
    if not given.ndim or len(given) != count:
        raise Fault(f"answered with actions of shape {given.shape} for {count} games")
    return given


def _memory(memory: Floats, count: int, width: int) -> Floats:
    kept = np.asarray(memory)
    if kept.shape != (count, width):
        raise Fault(f"answered with a memory of shape {kept.shape}, not {(count, width)}")
    return kept
