"""Conformance: every registered game keeps the contract, and the kit catches each way of breaking it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import envs
from envs.check import RULES, ContractError, check_env, fingerprint, record
from envs.check.case import play
from envs.check.report import report
from envs.classic_control.tasks import TASKS
from envs.core import Array, Bools, Ints, TimeStep
from envs.foreign.visitor import NO_LIMIT
from envs.registry import INCOMPLETE
from envs.scene import Scene
from tests.sources import ROOT
from tests.toy import GOAL, Race

OPTIONS: list[Any] = [
    {},
    {"actions": "multibinary", "dtype": "float64"},
    {"actions": "box", "survival_bonus": 0.01},
    {"fence": "solid", "serve_delay": 0},
    {"lives": 2, "max_steps": 90},
]


SLIMES = ("SlimeVolley-v0", "SlimeVolleySimple-v0")
TINY = ("RockPaperScissors-v0", "BiasedRockPaperScissors-v0", "KuhnPoker-v0")


OTHERS = sorted(set(envs.ids()) - {*SLIMES, *TINY, *TASKS, *INCOMPLETE})
"""Without tests of the contract elsewhere, as games of one seat have."""


@pytest.mark.parametrize("id", OTHERS)
def test_every_other_game_keeps_the_contract(id: str) -> None:
    spec = envs.make(id).spec
    options = {"max_steps": 60} if spec.max_steps > 60 and "max_steps" in spec.options else {}
    check_env(partial(envs.make, id, **options), steps=150)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("id", SLIMES)
def test_registered_games_keep_the_contract(id: str, options: dict[str, Any]) -> None:
    check_env(lambda num_envs: envs.make(id, num_envs, **options), steps=700)


@pytest.mark.parametrize("id", TINY)
def test_tiny_games_keep_the_contract(id: str) -> None:
    check_env(partial(envs.make, id), steps=60)


def test_the_toy_keeps_the_contract() -> None:
    check_env(Race, steps=60)


@pytest.mark.parametrize("id", SLIMES)
def test_play_is_the_same_in_another_process_and_without_compiler(id: str) -> None:
    code = f"import envs, envs.check as c; print(c.fingerprint(lambda n: envs.make({id!r}, n, max_steps=80)))"
    here = fingerprint(partial(envs.make, id, max_steps=80))
    for extra in ({}, {"NUMBA_DISABLE_JIT": "1", "PYTHONHASHSEED": "1"}):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT, capture_output=True, text=True, check=True, timeout=120, env=os.environ | extra,
        )  # fmt: skip
        assert done.stdout.strip() == here


def test_fingerprints_tell_games_apart() -> None:
    one, same, other = (fingerprint(Race, steps=20, seed=seed) for seed in (0, 0, 1))
    assert one == same != other


Edit = Callable[[TimeStep], TimeStep]


def edited(edit: Edit) -> Callable[[int], Race]:
    """Race, with what `step` returns passed through `edit`."""

    class Edited(Race):
        def step(self, action: Array) -> TimeStep:
            return edit(super().step(action))

    return Edited


def over(step: TimeStep) -> Bools:
    return step.terminated | step.truncated


EDITS: dict[str, tuple[Edit, str]] = {
    "wide observations": (lambda s: s._replace(obs=s.obs.astype(np.float64)), "obs of seat 0 has dtype"),
    "observations outside": (lambda s: s._replace(obs=s.obs * 2), "outside its space"),
    "nan observations": (lambda s: s._replace(obs=s.obs * np.float32(np.nan)), "not finite"),
    "flat observations": (lambda s: s._replace(obs=s.obs[:, 0]), "obs has shape"),
    "nan rewards": (lambda s: s._replace(reward=s.reward * np.nan), "reward is not finite"),
    "whole rewards": (lambda s: s._replace(reward=s.reward.astype(int)), "reward has dtype"),
    "one reward": (lambda s: s._replace(reward=s.reward[:, 0]), "reward has shape"),
    "generous rewards": (lambda s: s._replace(reward=abs(s.reward)), "zero_sum"),
    "flags as bytes": (lambda s: s._replace(truncated=s.truncated.view(np.int8)), "truncated has dtype"),
    "merged flags": (lambda s: s._replace(truncated=over(s), terminated=over(s)), "at once"),
    "truncation as termination": (
        lambda s: s._replace(truncated=s.terminated, terminated=s.truncated), "truncated before the step",
    ),
    "no truncation": (lambda s: s._replace(truncated=s.truncated & False), "goes on after 6 steps"),
    "zero scores": (lambda s: s._replace(score=np.nan_to_num(s.score)), "score though no game ended"),
    "no scores": (lambda s: s._replace(score=s.score * np.nan), "no score though"),
    "lost last view": (lambda s: s._replace(final_obs=s.final_obs * 0), "final_obs differs"),
    "everything legal": (lambda s: s._replace(legal=s.legal | True), "idle seat"),
    "nothing legal": (lambda s: s._replace(legal=s.legal & ~s.acts[:, :, None]), "no legal action"),
    "all act": (lambda s: s._replace(acts=s.acts[:, :1]), "acts has shape"),
    "short mask": (lambda s: s._replace(legal=s.legal[:, :, :2]), "legal has shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_wrong_steps_are_caught(name: str) -> None:
    edit, message = EDITS[name]
    with pytest.raises(ContractError, match=message):
        check_env(edited(edit), steps=60)


class Forgetful(Race):
    """Its dice do not follow from the seed."""

    source = np.random.default_rng(0)

    def throw(self) -> Ints:
        return self.source.integers(3, size=self.num_envs)


class Leftover(Race):
    """A reset in the middle of a game leaves the total."""

    def begin(self, which: Bools) -> None:
        self.total[which & (self.total >= GOAL)] = 0
        self.steps[which] = 0


class SharedDice(Race):
    """All games use the dice of the first."""

    def throw(self) -> Ints:
        return np.broadcast_to(super().throw()[:1], (self.num_envs,))


class SameArrays(Race):
    """Returns its own buffer again and again."""

    buffer: Array | None = None

    def observe(self) -> Array:
        if self.buffer is None:
            self.buffer = np.zeros((self.num_envs, 2, 2), np.float32)
        self.buffer[...] = super().observe()
        return self.buffer


class LentMask(Race):
    """Returns one mask for ever, which anybody may overwrite."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.masks = {turn: self._mask(turn) for turn in (0, 1)}

    def _mask(self, turn: int) -> Bools:
        self.steps[:] = turn
        return super().legal()

    def legal(self) -> Bools:
        turns = set(self.steps % 2)
        return self.masks[int(turns.pop())] if len(turns) == 1 else super().legal()


class Meddler(Race):
    """Writes into the caller's actions."""

    def step(self, action: Array) -> TimeStep:
        after = super().step(action)
        action[...] = 0
        return after


class Lender(Race):
    """get_state returns its own arrays."""

    def get_state(self) -> dict[str, Array]:
        return {name: getattr(self, name) for name in super().get_state()}


class Borrower(Race):
    """set_state keeps the caller's arrays."""

    def set_state(self, state: Mapping[str, Array]) -> None:
        super().set_state(state)
        for name, array in state.items():
            setattr(self, name, array)


class Diceless(Race):
    """get_state leaves out the dice."""

    def get_state(self) -> dict[str, Array]:
        state = super().get_state()
        del state["dice"]
        return state


class AllOrNothing(Race):
    """set_state forgets what it is not given."""

    def set_state(self, state: Mapping[str, Array]) -> None:
        super().set_state(state)
        for name in {"total", "steps"} - set(state):
            getattr(self, name)[:] = 0


class Unquestioning(Race):
    """set_state takes any name."""

    def set_state(self, state: Mapping[str, Array]) -> None:
        super().set_state({name: array for name, array in state.items() if name in self.get_state()})


class Permissive(Race):
    """Plays any action."""

    def check(self, action: Array) -> None:
        if action.shape != (self.num_envs, 2) or action.dtype.kind not in "iu":
            raise ValueError("actions do not fit.")


class Crashing(Race):
    """Raises something else for bad actions."""

    def check(self, action: Array) -> None:
        np.zeros(3)[action]
        super().check(action)


class HalfDone(Race):
    """Notices a bad action when the first games have moved."""

    def step(self, action: Array) -> TimeStep:
        if action.shape == (self.num_envs, 2):
            self.total[0] += int((action > 2).any())
        return super().step(action)


class Broadcasting(Race):
    """Plays one row of actions in all games."""

    def step(self, action: Array) -> TimeStep:
        return super().step(np.resize(action, (self.num_envs, 2)) if action.ndim == 2 else action)


class Brushstroke(Race):
    """Drawing throws the dice."""

    def draw(self, row: int) -> Scene:
        self.throw()
        return super().draw(row)


class Alone(Race):
    """Makes one game whatever is asked for."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(1)


class Lopsided(Race):
    """Calls itself symmetric, but one seat has more actions."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.spec = replace(self.spec, action_spaces=(spaces.Discrete(3), spaces.Discrete(2)))


BROKEN = {
    Forgetful: "the same seed and actions in a new env",
    Leftover: "reset in the middle of a game",
    SharedDice: "alone and beside others",
    SameArrays: "changed after it was returned",
    LentMask: "after the caller overwrote",
    Meddler: "wrote into the caller's actions",
    Lender: "overwrote what get_state returned",
    Borrower: "from a saved state",
    Diceless: "from a saved state",
    AllOrNothing: "array by array",
    Unquestioning: "an unknown name is accepted",
    Permissive: "action -1 .* is accepted",
    Crashing: "crashes instead of raising ValueError",
    HalfDone: "after refused actions",
    Broadcasting: "without the last game is accepted",
    Brushstroke: "after drawing",
    Alone: "num_envs = 1",
    Lopsided: "spaces differ",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_broken_games_are_caught(broken: type[Race]) -> None:
    with pytest.raises(ContractError, match=BROKEN[broken]):
        check_env(broken, steps=60)


class Hunt(Race):
    """Seats that differ: a hunter, who sees two numbers and does one of three things, and a hare with more of both."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.spec = replace(
            self.spec,
            observation_spaces=(spaces.Box(0, 1, (2,), np.float32), spaces.Box(0, 1, (3,), np.float32)),
            action_spaces=(spaces.Discrete(3), spaces.Discrete(5)),
            symmetric=False,
            roles=("hunter", "hare"),
        )

    def check(self, action: Array) -> None:
        super().check(np.minimum(action, [3, 2]) if (action[:, 1] < 5).all() else action)

    def observe(self) -> Array:
        seen = np.zeros((self.num_envs, 2, 3), np.float32)
        seen[:, :, :2] = super().observe()
        seen[:, 1, 2] = 1
        return seen

    def legal(self) -> Bools:
        legal = np.zeros((self.num_envs, 2, 5), np.bool_)
        legal[:, :, 0] = True
        legal[:, 0, :3] |= self.acts()[:, :1]
        legal[:, 1] |= self.acts()[:, 1:]
        return legal


class Mixed(Hunt):
    """One chooses, the other turns a wheel: actions of both kinds share an array of float32."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.spec = replace(self.spec, action_spaces=(spaces.Box(-1, 1, (2,)), spaces.Discrete(5)))

    def check(self, action: Array) -> None:
        if action.shape != (self.num_envs, 2, 2) or not np.isfinite(action).all():
            raise ValueError("actions do not fit.")
        choice = action[:, 1, 0]
        if ((choice < 0) | (choice > 4) | (choice % 1 > 0)).any():
            raise ValueError("no such choice.")

    def step(self, action: Array) -> TimeStep:
        Mixed.check(self, action)
        inner = np.minimum(action[:, :, 0].clip(0).astype(np.int64), 2)
        checking, self.check = self.check, lambda action: None  # type: ignore[method-assign]
        after = super().step(inner)
        self.check = checking  # type: ignore[method-assign]
        return after

    def legal(self) -> Bools:
        legal = super().legal()
        legal[:, 0] = False
        return legal


@pytest.mark.parametrize("game", [Hunt, Mixed])
def test_seats_may_differ(game: type[Race]) -> None:
    check_env(game, steps=60)


class Overflowing(Hunt):
    """Shows the hunter what only the hare may see."""

    def observe(self) -> Array:
        seen = super().observe()
        seen[:, 0, 2] = 1
        return seen


def respecified(**changes: Any) -> Callable[[int], Race]:
    """Hunt, but it says something else of itself."""

    class Respecified(Hunt):
        def __init__(self, num_envs: int) -> None:
            super().__init__(num_envs)
            self.spec = replace(self.spec, **changes)

    return Respecified


@pytest.mark.parametrize(
    ("game", "fault"),
    [
        (Overflowing, "seat 0 is not padded with zeros"),
        (respecified(roles=("player", "player")), "seats of role 'player' are not alike"),
        (respecified(roles=("hunter",)), "spec.roles has 1 entries for 2 seats"),
        (respecified(seat_names=("one", "one")), "not all different"),
        (respecified(observation_spaces=(spaces.Box(0, 1, (2,)), spaces.Box(0, 9, (3,), np.int8))), "flat arrays of"),
    ],
)
def test_faults_of_seats_that_differ_are_caught(game: Callable[[int], Race], fault: str) -> None:
    with pytest.raises(ContractError, match=fault):
        check_env(game, steps=60)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"teams": (0, 1, 1), "roles": ("player",) * 3}, "teams are not of one size"),
        ({"roles": ("one", "two")}, "symmetric, but there are roles: two, one"),
    ],
)
def test_what_symmetric_means(changes: dict[str, Any], fault: str) -> None:
    case = play(Race, 20, 2, 0)
    spec = replace(case.spec, **changes)
    three: dict[str, Any] = {
        name: (getattr(spec, name)[0],) * spec.seats for name in ("observation_spaces", "action_spaces")
    }
    names = tuple(f"seat_{seat}" for seat in range(spec.seats))
    with pytest.raises(ContractError, match=fault):
        record.spec(replace(case, spec=replace(spec, seat_names=names, **three)))


def test_games_that_do_not_say_how_long_they_last_may_be_truncated_at_any_time() -> None:
    case = play(Race, 60, 3, 0)
    assert any(step.truncated.any() for step in case.steps)
    record.ends(replace(case, spec=replace(case.spec, max_steps=NO_LIMIT)))
    with pytest.raises(ContractError, match="truncated before the step limit"):
        record.ends(replace(case, spec=replace(case.spec, max_steps=NO_LIMIT - 1)))


class Fussy(Race):
    """Refuses what is not legal: the kit may not play what it once drew in another game."""

    def throw(self) -> Ints:
        self.forbidden = super().throw() % 2 == 0
        return super().throw()

    def begin(self, which: Bools) -> None:
        super().begin(which)
        if not hasattr(self, "forbidden"):
            self.forbidden = np.zeros(self.num_envs, np.bool_)
        self.forbidden[which] = False

    def legal(self) -> Bools:
        legal = super().legal()
        legal[:, :, 2] &= ~self.forbidden[:, None]
        return legal

    def step(self, action: Array) -> TimeStep:
        self.check(action)
        if (self.forbidden[:, None] & (action == 2)).any():
            raise ValueError("not legal now.")
        return super().step(action)

    def get_state(self) -> dict[str, Array]:
        return {**super().get_state(), "forbidden": self.forbidden.copy()}

    def set_state(self, state: Mapping[str, Array]) -> None:
        super().set_state({name: array for name, array in state.items() if name != "forbidden"})
        if "forbidden" in state:
            self.forbidden = np.array(state["forbidden"])


def test_only_legal_actions_are_played() -> None:
    check_env(Fussy, steps=60)


def test_a_report_tells_of_every_rule() -> None:
    found = report(Race, steps=60)
    assert found.sound and found.saves and found.in_turns and not found.masked
    assert (found.steps, found.games) == (60, 3) and found.ended > 20 and found.steps_per_second > 0
    assert list(found.faults)[:3] == ["play", "spec", "arrays"] and len(found.faults) == len(RULES) + 1
    assert report(Fussy, steps=60).masked
    assert not report(Hunt, steps=60).masked
    broken = report(Diceless, steps=60)
    assert not broken.sound
    said = [name for name, fault in broken.faults.items() if fault]
    assert said == ["saves"] and str(broken.faults["saves"]).endswith(".")


class Crasher(Race):
    """Goes well for some steps."""

    def step(self, action: Array) -> TimeStep:
        return super().step(action if self.steps.max() < 4 else action[:0])


def test_a_report_of_what_cannot_be_played_or_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    found = report(Crasher, steps=60)
    assert found.faults == {"play": "actions do not fit."} and not found.sound
    monkeypatch.setattr("envs.check.report.ROOM", 2400)  # bytes; 96 for the views of a step
    assert report(Race, steps=60).steps == 25


def test_restarts_must_have_been_seen() -> None:
    with pytest.raises(ContractError, match="no game ended"):
        check_env(Race, steps=2)
