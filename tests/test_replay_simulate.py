"""Replays played again: every step of every game, forwards and backwards, and thousands of them at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena.replay.record as record_module
import arena.replay.rules as rules_module
from agents.play import play
from arena.api import MatchOutcome
from arena.api import play as arena_play
from arena.match import Tape, match, run_block
from arena.records import Results
from arena.replay import Moment, Replay, Simulation, read_replay, verify
from arena.replay.batch import check
from arena.replay.record import record, replays_of
from arena.replay.replay import dump
from arena.replay.rules import rules_of
from arena.replay.simulate import simulation_of
from envs.bots import bot
from envs.core import Array, BatchEnv, TimeStep
from envs.errors import InputError
from envs.registry import build
from envs.seats import action_layout
from envs.side import seated

SLIME = "SlimeVolley-v0"
GAMES: dict[str, dict[str, Any]] = {
    SLIME: {"lives": 2, "max_steps": 400},
    "SlimeVolleyDoubles-v0": {"lives": 1, "max_steps": 200},
    "Incomplete:SlimeVolley-v0": {"lives": 1, "max_steps": 200, "hide": [0], "noise": 0.1, "dropout": 0.1},
    "ConnectFour-v0": {},
    "KuhnPoker-v0": {},
    "RockPaperScissors-v0": {},
    "Tag-v0": {},
    "SpeakerListener-v0": {},
    "MountainCarContinuous-v0": {"max_steps": 150},
    "CartPole-v1": {},
    "gym:CartPole-v1": {},
    "pettingzoo:connect_four_v3": {},
}
every_game = pytest.mark.parametrize("id", GAMES)


def recorded(id: str, games: int = 6, seed: int = 5) -> list[Replay]:
    if id.startswith("pettingzoo:"):
        pytest.importorskip("pettingzoo.classic.connect_four_v3", reason="PettingZoo's classic games are not installed")
    spec = build(id, 1, GAMES[id]).spec
    return record(id, ["random"] * (max(spec.teams) + 1), games, seed, options=GAMES[id])[1]


def seen_live(replay: Replay) -> list[TimeStep]:
    """The steps of the game, played once from its start."""
    env = build(replay.env, 1, replay.options)
    steps = [env.reset(np.array([replay.seed], np.uint64))]
    return steps + [env.step(action[None]) for action in replay.actions]


def same(moment: Moment, steps: Sequence[TimeStep]) -> None:
    """`moment` is what was seen live."""
    now, last = steps[moment.step], moment.step == len(steps) - 1
    assert np.array_equal(moment.obs, now.final_obs[0] if last else now.obs[0], equal_nan=True)
    assert np.array_equal(moment.reward, now.reward[0])
    assert moment.total == pytest.approx(sum(step.reward[0].astype(np.float64) for step in steps[: moment.step + 1]))
    assert (moment.score is not None) == (moment.ended is not None) == last
    if last:
        assert moment.score == tuple(now.score[0])
        assert not moment.legal.any()
        assert not moment.acts.any()
    else:
        assert np.array_equal(moment.legal, now.legal[0])
        assert np.array_equal(moment.acts, now.acts[0])


@every_game
def test_any_step_in_any_order(id: str) -> None:
    replay = max(recorded(id), key=lambda one: one.steps)
    steps = seen_live(replay)
    order = [*range(replay.steps + 1), *range(replay.steps, -1, -1)]
    order += random.Random(0).choices(range(replay.steps + 1), k=20)
    simulation = simulation_of(replay)
    for step in order:
        same(simulation.at(step), steps)
    assert simulation.at(0).action is None
    for step in random.Random(1).choices(range(1, replay.steps + 1), k=5):
        action = simulation.at(step).action
        assert action is not None
        assert np.array_equal(action, replay.actions[step - 1])


def test_the_picture_is_that_of_the_moment() -> None:
    replay = recorded(SLIME)[0]
    env = build(SLIME, 1, replay.options)
    env.reset(np.array([replay.seed], np.uint64))
    scenes = [env.draw(0)]
    for action in replay.actions[:-1]:
        env.step(action[None])
        scenes.append(env.draw(0))
    simulation = simulation_of(replay)
    for step in (replay.steps - 1, 0, 200, 129, 128, 127, 3):
        assert simulation.at(step).scene == scenes[step]
    assert simulation_of(replay).at(replay.steps).scene == scenes[-1]  # what comes after is the next game's


def test_the_end_of_a_board_shows_the_line() -> None:
    replay = recorded("ConnectFour-v0")[0]
    end, before = simulation_of(replay).at(replay.steps).scene, simulation_of(replay).at(replay.steps - 1).scene
    assert end != before
    assert end != simulation_of(replay).at(0).scene


def test_a_game_that_grows() -> None:
    replay = recorded(SLIME)[0]
    simulation, whole = Simulation(build(SLIME, 1, replay.options), replay.seed), simulation_of(replay)
    for step, action in enumerate(replay.actions, start=1):
        simulation.append(action)
        assert simulation.steps == step
        if step % 50 == 0 or step > replay.steps - 3:
            assert simulation.at(step).scene == whole.at(step).scene
            assert simulation.at(step // 2).scene == whole.at(step // 2).scene
    assert simulation.at(replay.steps).score == replay.score


def test_a_visit_costs_a_few_steps() -> None:
    """After the game was seen once, no visit starts from its beginning."""
    replay = recorded(SLIME)[0]
    env = Counting(build(SLIME, 1, replay.options))
    simulation = Simulation(env, replay.seed, replay.actions)
    simulation.at(replay.steps)
    for step in (399, 2, 300, 250, 1):
        env.steps = 0
        simulation.at(min(step, replay.steps))
        assert env.steps <= 128


class Counting:
    """An env that counts its steps."""

    def __init__(self, env: BatchEnv) -> None:
        self._env, self.steps = env, 0
        self.spec, self.num_envs = env.spec, env.num_envs
        self.reset, self.get_state, self.set_state, self.draw = env.reset, env.get_state, env.set_state, env.draw

    def step(self, action: Array) -> TimeStep:
        self.steps += 1
        return self._env.step(action)


def test_steps_that_are_not_there() -> None:
    replay = recorded("ConnectFour-v0")[0]
    simulation = simulation_of(replay)
    for step in (-1, replay.steps + 1):
        with pytest.raises(InputError, match=f"no step {step}: the game has {replay.steps}"):
            simulation.at(step)
    longer = Simulation(build("ConnectFour-v0", 1, {}), 0, [*replay.actions, replay.actions[0]])
    with pytest.raises(InputError, match=f"ends with step {replay.steps} of the {replay.steps + 1}"):
        longer.at(replay.steps + 1)
    with pytest.raises(ValueError, match="one game, not 2"):
        Simulation(build(SLIME, 2, {}), 0)


@every_game
def test_verify_finds_what_is_not_so(id: str) -> None:
    good = max(recorded(id), key=lambda one: one.steps)
    verify(good)
    wrong: dict[str, Replay] = {
        "when it is played again|played again": replace(good, score=tuple(points + 1 for points in good.score)),
        "another final state": replace(good, state_hash="0" * 64),
        "does not end|takes actions": replace(good, actions=good.actions[:-1]),
        "ends with step": replace(good, actions=np.concatenate([good.actions, good.actions[-1:]])),
        "with the rules 'x', and those here are": replace(good, rules="x"),
        "unknown env": replace(good, env="SlimeVolly-v0"),
        "takes actions": replace(good, actions=good.actions[:, :, None, None]),
    }
    for said, replay in wrong.items():
        with pytest.raises(InputError, match=said):
            verify(replay)
        [fault] = check([replay])
        assert fault is not None
        with pytest.raises(InputError, match=said):
            raise fault
    other = replace(good, options={**good.options, "no_such_option": 1})
    assert [fault is None for fault in check([good, other, good])] == [True, False, True]


def test_actions_that_cannot_be_played() -> None:
    good = recorded(SLIME)[0]
    for bad in (7, -1, 10**12):
        actions = good.actions.copy()
        actions[10, 1] = bad
        with pytest.raises(InputError, match="an action lies outside"):
            verify(replace(good, actions=actions))
        faults = check([good, replace(good, actions=actions)])
        assert faults[0] is None
        assert "outside" in str(faults[1])
    box = recorded("MountainCarContinuous-v0")[0]
    actions = box.actions.copy()
    actions[3] = np.nan
    assert check([replace(box, actions=actions)]) != [None]


def test_one_action_changed_is_found() -> None:
    good = recorded(SLIME, games=1)[0]
    actions = good.actions.copy()
    actions[150:160, 0] = (actions[150:160, 0] + 3) % 6
    with pytest.raises(InputError, match="played again the game"):
        verify(replace(good, actions=actions))


def test_rules_are_what_the_game_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another rule is another version, without anybody counting it up."""
    own = rules_of(SLIME, {})
    assert own.startswith("SlimeVolley-v0 ")
    assert rules_of(SLIME, {}) == own
    assert rules_of(SLIME, {"serve_delay": 0}) != own
    usual = build

    def changed(id: str, num_envs: int, options: Any) -> BatchEnv:
        return usual(id, num_envs, {**options, "frame_skip": 2})

    monkeypatch.setattr(rules_module, "build", changed)
    rules_module._rules_of.cache_clear()
    try:
        assert rules_of(SLIME, {}) != own
    finally:
        rules_module._rules_of.cache_clear()


def test_rules_of_other_libraries_are_their_versions() -> None:
    from importlib.metadata import version

    assert rules_of("gym:CartPole-v1", {}) == f"gymnasium {version('gymnasium')}"
    assert rules_of("Incomplete:gym:CartPole-v1", {"hide": [1]}) == f"gymnasium {version('gymnasium')}"
    with pytest.raises(InputError, match="unknown env"):
        rules_of("NoSuchGame-v0", {})


def test_a_thousand_stored_games(tmp_path: Path) -> None:
    """All kinds of games, written and read again: rewound and simulated, every one ends with its score."""
    kept = record(SLIME, ["baseline", "random"], 1000, 1)[1]
    for id in ("ConnectFour-v0", "Tag-v0", "KuhnPoker-v0", "CartPole-v1", "SlimeVolleyDoubles-v0"):
        kept += recorded(id, 20)
    assert sum(one.steps for one in kept) > 500_000
    read = []
    for number, one in enumerate(kept):
        path = tmp_path / f"{number}.replay"
        path.write_bytes(dump(one))  # as `write_replay`, which waits for the disk
        read.append(read_replay(path))
    assert check(read) == [None] * len(read)
    assert [one.score for one in read] == [one.score for one in kept]
    for one in random.Random(0).sample(read, 8):  # rewound: the end, the middle, the end once more
        simulation = simulation_of(one)
        assert simulation.at(one.steps).score == one.score
        assert simulation.at(one.steps // 2).score is None
        assert simulation.at(one.steps).score == one.score
    wrong = [replace(read[7], score=(0.5, 0.5)), *read[:7]]
    assert [fault is None for fault in check(wrong)] == [False] + [True] * 7


# Taking down.


@every_game
def test_taking_down_changes_nothing(id: str) -> None:
    if id.startswith("pettingzoo:"):
        pytest.importorskip("pettingzoo.classic.connect_four_v3", reason="PettingZoo's classic games are not installed")
    spec = build(id, 1, GAMES[id]).spec
    players = [bot("random", spec) for _ in range(max(spec.teams) + 1)]
    tape = Tape([0, 3])
    plain = run_block(id, GAMES[id], players, 5, 9)
    assert run_block(id, GAMES[id], players, 5, 9, tape=tape) == plain
    _, dtype = action_layout(spec)
    replays = replays_of([plain[0], plain[3]], [tape.actions(game, plain[game].steps, dtype) for game in (0, 3)], {
        **GAMES[id]
    })  # fmt: skip
    assert [one.score for one in replays] == [plain[0].score, plain[3].score]


def test_what_a_tape_holds_is_what_was_played() -> None:
    spec = build(SLIME, 1, {"max_steps": 40}).spec
    players = [bot("random", spec), bot("tracker", spec)]
    tape = Tape([2])
    result = run_block(SLIME, {"max_steps": 40}, players, 4, 3, tape=tape)[2]
    env = build(SLIME, 4, {"max_steps": 40})
    seeds = [one.seed for one in run_block(SLIME, {"max_steps": 40}, players, 4, 3)]
    sitting, seating = seated(spec, players, np.array([[0, 1], [1, 0]] * 2))
    played = islice(play(env, sitting, seating, 3, np.array(seeds, np.uint64)), result.steps)
    assert np.array_equal(tape.actions(2, result.steps, np.dtype(np.int64)), np.stack([s.action[2] for s in played]))
    assert tape.nbytes == 2 * result.steps  # a byte for each
    with pytest.raises(ValueError, match="not in list"):
        tape.actions(1, result.steps, np.dtype(np.int64))


def test_a_match_of_several_blocks_is_taken_down_on_any_number_of_threads() -> None:
    outcome, kept = record("ConnectFour-v0", ["random", "random"], 600, 4, workers=3, keep=300)
    assert list(outcome.results) == match(
        "ConnectFour-v0", {}, [bot("random", build("ConnectFour-v0", 1, {}).spec)] * 2, 600, 4
    )
    assert [(one.players, one.seed, one.score, one.steps) for one in kept] == [
        (one.players, one.seed, one.score, one.steps) for one in outcome.results[:300]
    ]
    assert check(kept) == [None] * 300
    assert record("ConnectFour-v0", ["random", "random"], 10, 4, keep=0)[1] == []


def test_a_game_that_plays_otherwise_the_second_time_has_no_replay() -> None:
    outcome, kept = record("TicTacToe-v0", ["random", "random"], 2, 4)
    wrong = [replace(one, steps=one.steps + 1) for one in outcome.results]
    with pytest.raises(InputError, match="does not play the same game again"):
        replays_of(wrong, [one.actions for one in kept], {})


def test_forfeited_games_have_no_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = arena_play

    def given_up(*args: Any, **kwargs: Any) -> MatchOutcome:
        outcome = usual(*args, **kwargs)
        first, second, *rest = outcome.results
        return replace(outcome, results=Results((first, replace(second, ended="forfeit"), *rest)))

    monkeypatch.setattr(record_module, "play", given_up)
    outcome, kept = record("TicTacToe-v0", ["random", "random"], 4, 4, keep=3)
    assert [one.seed for one in kept] == [outcome.results[0].seed, outcome.results[2].seed]
    assert check(kept) == [None, None]
