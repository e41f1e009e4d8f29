"""Simulate: a game played again from its seed and actions, and looked at after any of its steps."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from arena.replay.replay import Replay
from arena.replay.rules import refuse_others
from arena.result import Ending
from envs.arrays import has_state
from envs.core import Array, BatchEnv, Bools, Floats, TimeStep
from envs.errors import InputError
from envs.registry import build
from envs.scene import Scene
from envs.seats import action_layout

SPACING = 128
"""Steps between two moments at which the state of the game is kept, so that no visit costs more than these."""
KEPT = 64
"""Moments that are remembered as they were seen."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A game after one of its steps."""

    scene: Scene
    """Of a game that has ended: how it ended where the env can draw that (`draw_end`), else the step before, since
    the next game has begun already."""
    step: int
    """Steps since the game began."""
    obs: Array
    """[P, *obs_shape] what each seat sees; at the end the last view."""
    legal: Bools
    """[P, A] allowed actions; none at the end."""
    acts: Bools
    """[P] whose next action matters; nobody's at the end."""
    reward: Floats
    """[P] of this step; zeros at step 0."""
    total: Floats
    """[P] rewards added up since the game began."""
    action: Array | None
    """[P, *action_shape] that led here; None at step 0."""
    score: tuple[float, ...] | None
    """[P] result if the game ended with this step."""
    ended: Ending | None = None
    """How it ended if it did."""


class _Seen(NamedTuple):
    """What is known after a step without a picture."""

    step: int
    now: TimeStep
    total: Floats


class Simulation:
    """A game that can be visited at any of its steps. Where the env can be saved, its state is kept now and then."""

    def __init__(self, env: BatchEnv, seed: int, actions: Sequence[Array] | Array = ()) -> None:
        """Start the game.

        Args:
            env: of one game; nobody else may step it.
            seed: of the game itself, as `Result` has it.
            actions: [T] of [P, *action_shape]; more may follow, see `append`.

        Raises:
            ValueError: an env of more games than one.
        """
        if env.num_envs != 1:
            raise ValueError(f"a simulation visits one game, not {env.num_envs}.")
        self.env = env
        self.seed = seed
        self.actions: list[Array] = list(actions)
        self._seen = self._start()
        self._saves = has_state(env)
        self._marks: list[_Mark] = []
        self._mark()
        self._moments: OrderedDict[int, Moment] = OrderedDict()

    @property
    def steps(self) -> int:
        """Steps for which there are actions."""
        return len(self.actions)

    def append(self, action: Array) -> None:
        """One more step: `action` [P, *action_shape]."""
        self.actions.append(np.array(action))

    def at(self, step: int) -> Moment:
        """The game after `step` steps, 0 before the first.

        Raises:
            InputError: a step that the game does not have, an action that cannot be played, or a game that ends before.
        """
        known = self._moments.get(step)
        if known is not None:
            return known
        if not 0 <= step <= self.steps:
            raise InputError(f"there is no step {step}: the game has {self.steps}.")
        before = self._before_end(step)
        self._go(step)
        moment = self._moment(before)
        self._moments[step] = moment
        if len(self._moments) > KEPT:
            self._moments.popitem(last=False)
        return moment

    def end(self) -> _Seen:
        """How the game ends, without a picture.

        Raises:
            InputError: an action that cannot be played, or a game that ends before its last step or not with it.
        """
        self._go(self.steps)
        if not _over(self._seen.now):
            raise InputError(f"the game does not end with its {self.steps} steps.")
        return self._seen

    def _before_end(self, step: int) -> Scene | None:
        """The scene of the step before, if `step` might be the last one; None where that is not needed."""
        if step == 0 or step < self.steps or hasattr(self.env, "draw_end"):
            return None
        known = self._moments.get(step - 1)
        if known is not None:
            return known.scene
        self._go(step - 1)
        return self.env.draw(0)

    def _go(self, step: int) -> None:
        """Be at `step`: from where the game stands, or from the nearest kept state before it."""
        if self._seen.step != step:
            mark = self._marks[bisect_right(self._marks, step, key=lambda mark: mark.seen.step) - 1]
            if not mark.seen.step <= self._seen.step <= step:
                self._return_to(mark)
        while self._seen.step < step:
            self._play()

    def _play(self) -> None:
        """One step onwards."""
        step, before, total = self._seen
        if _over(before):
            raise InputError(f"the game ends with step {step} of the {self.steps} that there are actions for.")
        now = self.env.step(self.actions[step][None])
        self._seen = _Seen(step + 1, now, total + now.reward[0])
        if self._saves and (step + 1) % SPACING == 0 and step + 1 > self._marks[-1].seen.step:
            self._mark()

    def _start(self) -> _Seen:
        now = self.env.reset(np.array([self.seed], np.uint64))
        return _Seen(0, now, np.zeros(self.env.spec.seats))

    def _mark(self) -> None:
        self._marks.append(_Mark(self._seen, self.env.get_state() if self._saves else None))

    def _return_to(self, mark: _Mark) -> None:
        if mark.state is None:
            self._seen = self._start()
        else:
            self.env.set_state(mark.state)
            self._seen = mark.seen

    def _moment(self, before: Scene | None) -> Moment:
        """What is seen now."""
        step, now, total = self._seen
        over = _over(now)
        if over and hasattr(self.env, "draw_end"):
            scene = self.env.draw_end(0)
        else:
            scene = before if over and before is not None else self.env.draw(0)
        return Moment(
            scene=scene,
            step=step,
            obs=now.final_obs[0] if over else now.obs[0],
            legal=np.zeros_like(now.legal[0]) if over else now.legal[0],
            acts=np.zeros_like(now.acts[0]) if over else now.acts[0],
            reward=now.reward[0],
            total=total,
            action=self.actions[step - 1] if step else None,
            score=tuple(map(float, now.score[0])) if over else None,
            ended=ending(now) if over else None,
        )


class _Mark(NamedTuple):
    """A moment to which the game can return."""

    seen: _Seen
    state: dict[str, Array] | None
    """None: by starting again."""


def check_fit(replay: Replay) -> None:
    """Raise an InputError if the game of `replay` is unknown here, or has other rules, seats or actions."""
    refuse_others(replay.env, replay.options, replay.rules)
    spec = build(replay.env, 1, replay.options).spec
    shape, dtype = action_layout(spec)
    if replay.actions.shape[1:] != (spec.seats, *shape) or replay.actions.dtype != dtype:
        raise InputError(
            f"{replay.env} takes actions {dtype} of shape {(spec.seats, *shape)} in a step, not "
            f"{replay.actions.dtype} of {replay.actions.shape[1:]}."
        )


def simulation_of(replay: Replay) -> Simulation:
    """`replay` to be looked at; whether it is what it says, tells `verify`.

    Raises:
        InputError: an unknown game, or one that has other rules or seats here.
    """
    check_fit(replay)
    return Simulation(build(replay.env, 1, replay.options), replay.seed, replay.actions)


def verify(replay: Replay) -> None:
    """Play `replay` again. For many, `arena.replay.batch.check` is faster.

    Raises:
        InputError: it cannot be played here, or does not end as it says.
    """
    seen = simulation_of(replay).end()
    score = tuple(map(float, seen.now.score[0]))
    compare(replay, score, ending(seen.now), state_hash(replay.env, seen.step, seen.now, seen.total))


def compare(replay: Replay, score: tuple[float, ...], ended: Ending, state: str) -> None:
    """Raise an InputError unless `replay` says this of how it ends."""
    if score != replay.score:
        raise InputError(f"played again the game ends {_told(score)}, but the replay says {_told(replay.score)}.")
    if (ended, state) != (replay.ended, replay.state_hash):
        raise InputError("played again the game has the score that the replay says, but another final state.")


def _told(score: Sequence[float]) -> str:
    return " : ".join(f"{points + 0.0:g}" for points in score)


def state_hash(env: str, step: int, now: TimeStep, total: Floats, row: int = 0) -> str:
    """SHA-256 of how game `row` ended with `step`, hexadecimal: of all that is seen of the end of any game, be its
    inner state known or not. `total` [P] are the rewards of the whole game, float64."""
    seen = np.ascontiguousarray(now.final_obs[row])
    words = [env, step, ending(now, row), [float(one) for one in now.score[row]], [float(one) for one in total]]
    words += [list(seen.shape), seen.dtype.newbyteorder("<").str]
    digest = hashlib.sha256(json.dumps(words).encode())
    digest.update(seen.astype(seen.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def ending(now: TimeStep, row: int = 0) -> Ending:
    """How game `row`, which has just ended, did."""
    return "limit" if now.truncated[row] else "rules"


def _over(now: TimeStep) -> bool:
    return bool(now.terminated[0] or now.truncated[0])
