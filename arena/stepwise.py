"""Stepwise: one game that is played step by step, looked into, steered, drawn and saved: `arena.Match`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.random import Generator

from agents.play import play
from arena.cast import Players, Seating, cast_of
from arena.game_step import Course, GameStep, Seats
from arena.guests.fault import Fault
from arena.guests.guest import Forfeit
from arena.guests.limits import Limits
from arena.guests.moves import taken
from arena.guests.referee import Referee
from arena.match import FREE, block_seeds, round_seeds
from arena.replay.simulate import Moment, Simulation
from arena.result import Ending, Result
from envs.core import Array, Bools, Floats
from envs.errors import InputError, unknown
from envs.player import Decision, Player
from envs.registry import build
from envs.seats import own_legal
from envs.side import seated

if TYPE_CHECKING:
    from arena.replay.replay import Replay
    from envs.draw import Image


class Match:
    """One game, step by step.

        match = arena.Match("SlimeVolley-v0", ["master", "baseline"], seed=1)
        for seen in match:                        # or match.step(), or match.play() to the end
            left, right = seen.seats
            left.obs, left.legal, left.action, left.probabilities, left.value, left.reward
        match.result, match.save("game.replay")

    With the same seed it is the game that `arena.play(..., games=1)` plays, however it is looked at.
    """

    def __init__(
        self,
        env: str,
        players: Players,
        seed: int = 0,
        *,
        seats: Seating | None = None,
        game_seed: int | None = None,
        options: Mapping[str, Any] | None = None,
        greedy: bool = True,
        limits: Limits = FREE,
        trust: bool = False,
        logs: Path | None = None,
    ) -> None:
        """Nothing is played before the first step.

        Args:
            env: id of the game; `arena envs` lists them.
            players: as for `arena.play`.
            seed: decides everything random.
            seats: who sits where, a name or an index into `players` for each seat; without it one player a team.
            game_seed: of the game itself, as `Result.seed` says it, for the serves of a game that has been played.
            options: of the env.
            greedy: snapshots take their most probable action; False lets them sample.
            limits: of time, for who does not come with arena.
            trust: read files that hold pickles.
            logs: folder for what programs write to standard error.

        Raises:
            InputError: an unknown game, option or player, or somebody who cannot sit there.
        """
        if seed < 0 or (game_seed or 0) < 0:
            raise InputError("the seeds of a match are 0 or more.")
        self._env = build(env, 1, options or {})
        self.spec = self._env.spec
        self._options = dict(options or {})
        cast = cast_of(players, self.spec, greedy, trust=trust, logs=logs)
        block = block_seeds(seed, 1)[0]
        self.seed = int(round_seeds(block, 1)[0]) if game_seed is None else game_seed
        """Of the game itself."""
        row = cast.lineup(self.spec, None if seats is None else [seats])[:1]
        who = cast.draw(np.array(row, np.int64), block)
        self.players = tuple(cast.called[index] for index in who[0])
        """[P] who sits where."""
        sitting, seating = seated(self.spec, cast.sides, who)
        self._referee = Referee(self.spec, limits)
        watched = self._referee.seat(sitting, seating, [self.players])
        self._hands = [_Steered(player) for player in watched]
        self._seats = Seats(self.spec, sitting, seating, [self.players])
        self._course = Course(self._seats)
        self._play = play(self._env, self._hands, seating, block, np.array([self.seed], np.uint64))
        self._actions: list[Array] = []
        self._simulation: Simulation | None = None
        self.result: Result | None = None
        """Once it is over."""

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.result is not None

    @property
    def steps(self) -> int:
        """Played so far."""
        return len(self._actions)

    @property
    def now(self) -> Moment:
        """What is there to be seen before the next step, or at the end."""
        return self.at(self.steps)

    def at(self, step: int) -> Moment:
        """The game after so many of its steps: what all see and may do, as wide as the widest needs, and a picture.

        Raises:
            InputError: it has not come so far.
        """
        if self._simulation is None:
            self._simulation = Simulation(build(self.spec.id, 1, self._options), self.seed)
        for action in self._actions[self._simulation.steps :]:
            self._simulation.append(action)
        return self._simulation.at(step)

    def step(self, actions: Mapping[int | str, Any] | None = None) -> GameStep:
        """Play on by one step.

        Args:
            actions: what some seats do whatever their players decide, by number or name of the seat, or by the name of
                the player for all of its seats.

        Raises:
            InputError: the game is over, there is no such seat, or an action is not legal there.
            Forfeit: somebody broke the rules, and the game is over; `result` says so too.
        """
        if self.over:
            raise InputError(f"the game is over after {self.steps} steps.")
        self._steer(actions or {})
        step = next(self._play)
        losses = self._referee.losses(step.after.reward) if self._referee.needed else {}
        if losses:
            self._end(losses[0].score, "forfeit", losses[0].reason)
            raise Forfeit(f"{losses[0].reason}.")
        self._actions.append(step.action[0])
        self._course.see(step)
        seen = self._course.step(0)
        if seen.score is not None:
            self._end(seen.score, "limit" if step.after.truncated[0] else "rules")
        return seen

    def __iter__(self) -> Iterator[GameStep]:
        """Play on to the end; who breaks the rules ends it."""
        while not self.over:
            try:
                seen = self.step()
            except Forfeit:
                return
            yield seen

    def play(self) -> Result:
        """Play on to the end."""
        for _ in self:
            pass
        assert self.result is not None
        return self.result

    def picture(self, step: int | None = None, width: int | None = None) -> Image:
        """[H, W, 3] uint8, the game after so many steps; None: as it is.

        Args:
            width: pixels; None: as the game asks.
        """
        from envs.draw import rgb_array

        return rgb_array(self.at(self.steps if step is None else step).scene, width)

    def replay(self, title: str = "") -> Replay:
        """The game that has been played, which is played again to be sure of it.

        Raises:
            InputError: it is not over, somebody forfeited it, or it does not end the same when it is played again.
        """
        from arena.replay.record import replays_of

        if self.result is None:
            raise InputError(
                f"a replay is of a whole game, and this one has gone on for {self.steps} steps: play() it."
            )
        if self.result.ended == "forfeit":
            raise InputError("a game that was forfeited has no replay: its score does not follow from what was done.")
        return replays_of([self.result], [np.stack(self._actions)], self._options, titles=[title])[0]

    def save(self, path: str | Path, title: str = "") -> None:
        """Write `replay` to a file, for `arena watch` and `arena replay`.

        Raises:
            InputError: as for `replay`, or a name that does not end in .replay, or a place that cannot be written to.
        """
        from arena.replay.replay import write_replay

        write_replay(self.replay(title), path)

    def close(self) -> None:
        """Let programs that play go, before the game is over."""
        self._referee.__exit__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def _steer(self, actions: Mapping[int | str, Any]) -> None:
        """Note what seats are made to do in the next step."""
        orders: dict[int, Array] = {}
        legal = self.now.legal if actions else None
        for who, action in actions.items():
            for seat in self._which(who):
                space = self.spec.action_spaces[seat]
                assert legal is not None
                try:
                    orders[seat] = taken(space, action, own_legal(space, legal[seat : seat + 1])[0])
                except Fault as fault:
                    told = str(fault).removeprefix("answered with ")
                    raise InputError(f"{self.spec.seat_names[seat]} cannot do {told}.") from None
        for index, hand in enumerate(self._hands):
            held = self._seats.rows[0]
            own = {int(held[seat]): action for seat, action in orders.items() if self._seats.seating[0, seat] == index}
            hand.orders = own

    def _which(self, who: int | str) -> list[int]:
        """Seats that are meant."""
        if isinstance(who, int):
            if not 0 <= who < self.spec.seats:
                raise InputError(f"{self.spec.id} has the seats 0 to {self.spec.seats - 1}, not {who}.")
            return [who]
        if who in self.spec.seat_names:
            return [self.spec.seat_names.index(who)]
        if who not in self.players:
            raise unknown("player or seat", who, (*self.players, *self.spec.seat_names))
        return [seat for seat, name in enumerate(self.players) if name == who]

    def _end(self, score: tuple[float, ...], ended: Ending, reason: str = "") -> None:
        self.result = Result(self.spec.id, self.players, score, self.steps, self.seed, ended, reason)
        if self._referee.needed:
            self._referee.over(np.ones(1, np.bool_), np.array([score]))
        self.close()


class _Steered:
    """A player whose action can be replaced in some seats. It is asked all the same, and remembers what it thought."""

    def __init__(self, player: Player) -> None:
        self.name, self.memory_size, self.keep_memory = player.name, player.memory_size, player.keep_memory
        self.orders: dict[int, Array] = {}
        """By row, for the next step."""
        self._player = player

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`."""
        decision = self._player.act(obs, legal, memory, rng)
        if not self.orders:
            return decision
        action = np.array(decision.action)
        for row, order in self.orders.items():
            action[row] = order
        return decision._replace(action=action)
