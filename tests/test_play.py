"""play(): the one loop that training, matches and recording run on."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator

import envs
from agents.play import Step, play
from envs.core import Array, BatchEnv, Bools, Floats, Ints
from envs.player import Decision, Player
from envs.slime_volley.bots import bot
from tests.minds import everywhere, new_player

ENDS: dict[str, Any] = {"lives": 1, "max_steps": 50, "serve_delay": 2}
"""About half of the games end at a point and half at the limit."""
MIXED: Ints = np.array([[0, 1], [1, 0], [0, 0], [1, 1], [1, 1]])


def slime(games: int = 5, **options: Any) -> BatchEnv:
    return envs.make("SlimeVolley-v0", games, **{**ENDS, **options})


def take(players: list[Player], seating: Ints, seed: int = 0, steps: int = 120, **options: Any) -> list[Step]:
    return list(islice(play(slime(len(seating), **options), players, seating, seed), steps))


class Spy:
    """Counts in its memory how often it has been asked, plays one action, and notes what it drew and saw."""

    memory_size = 2

    def __init__(self, name: str = "spy", action: int = 0, keep_memory: bool = False) -> None:
        self.name, self.action, self.keep_memory = name, action, keep_memory
        self.drawn: list[float] = []
        self.seen: list[Array] = []

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        self.drawn.append(rng.random())
        self.seen.append(obs)
        return Decision(np.full(len(obs), self.action), memory + np.array([1, 2], np.float32), {})


def test_memory_is_cleared_where_a_game_ended_and_nowhere_else() -> None:
    steps = take([Spy(action=2), Spy("other", action=5)], MIXED)
    ended = np.array([step.after.terminated | step.after.truncated for step in steps])
    assert any(step.after.terminated.any() for step in steps) and any(s.after.truncated.any() for s in steps)
    age = np.zeros(len(MIXED), np.int64)
    for step, over in zip(steps, ended, strict=True):
        for lanes, memory, carried in zip(step.lanes, step.memory, step.carried, strict=True):
            assert np.array_equal(memory, np.stack([age, 2 * age], 1)[lanes // 2])
            assert np.array_equal(carried, memory + np.array([1, 2]))
        age = np.where(over, 0, age + 1)


def test_a_player_may_keep_its_memory() -> None:
    keeper, other = Spy(keep_memory=True), Spy("other")
    steps = take([keeper, other], MIXED)
    assert [float(step.memory[0].min()) for step in steps] == list(range(120))
    assert [float(step.memory[0][:, 0].max()) for step in steps] == list(range(120))
    assert max(float(step.memory[1].max()) for step in steps) < 120


def test_memory_goes_from_step_to_step() -> None:
    for now, then in pairwise(take([Spy(), Spy("other", keep_memory=True)], MIXED)):
        assert now.after is then.before
        for given, held in zip(now.next_memory, then.memory, strict=True):
            assert np.array_equal(given, held)


def test_each_player_acts_in_its_own_seats_on_its_own_views() -> None:
    players = [Spy(action=1), Spy("other", action=4)]
    steps = take([*players], MIXED, steps=60)
    for t, step in enumerate(steps):
        assert np.array_equal(step.action, np.where(MIXED == 0, 1, 4))
        for index, player in enumerate(players):
            assert np.array_equal(step.lanes[index], np.flatnonzero(MIXED.reshape(-1) == index))
            assert np.array_equal(player.seen[t], step.before.obs[index == MIXED])


def test_each_player_draws_from_its_own_stream() -> None:
    """Whoever else plays, and however much they draw, a player's numbers stay the same."""
    alone, first, second = Spy(), Spy(), Spy("other")
    take([alone], everywhere(5))
    take([first, second, bot("random", slime().spec)], np.array([[0, 2], [2, 1], [1, 0], [2, 2], [2, 2]]))
    assert first.drawn == alone.drawn
    assert set(first.drawn).isdisjoint(second.drawn)
    again = Spy()
    take([again], everywhere(5), seed=1)
    assert set(again.drawn).isdisjoint(alone.drawn)


def test_a_bot_in_another_game_does_not_change_what_a_policy_does() -> None:
    spec = slime().spec
    seating = np.array([[0, 0], [0, 0], [1, 1]])
    one, other = (take([new_player(spec), bot(guest, spec)], seating) for guest in ("noop", "random"))
    assert all(np.array_equal(a.action[:2], b.action[:2]) for a, b in zip(one, other, strict=True))
    assert not all(np.array_equal(a.action, b.action) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("actions", ["discrete", "multibinary", "box"])
def test_equal_seeds_give_equal_games(actions: str) -> None:
    def actions_of(seed: int) -> tuple[Array, Array]:
        env = slime(actions=actions)
        players = [new_player(env.spec, core="gru"), bot("random", env.spec)]
        steps = list(islice(play(env, players, MIXED, seed), 60))
        assert steps[0].action.shape == (5, 2, *(env.spec.action_spaces[0].shape or ()))
        assert steps[0].action.dtype == env.spec.action_spaces[0].dtype
        return np.array([s.action for s in steps]), np.array([s.after.obs for s in steps])

    one, same, other = (actions_of(seed) for seed in (0, 0, 1))
    assert np.array_equal(one[0], same[0]) and np.array_equal(one[1], same[1])
    assert not np.array_equal(one[0], other[0]) and not np.array_equal(one[1], other[1])


def test_the_seed_decides_serves_too_unless_games_have_their_own() -> None:
    def balls(seed: int, game_seeds: Ints | None = None) -> Array:
        steps = islice(play(slime(), [Spy()], everywhere(5), seed, game_seeds), 8)
        return np.array([step.after.obs[:, 1, 4:6] for step in steps])

    seeds = np.array([7, 7, 8, 9, 7], np.uint64)
    assert not np.array_equal(balls(0), balls(1))
    assert np.array_equal(balls(0, seeds), balls(1, seeds))
    twins = balls(0, seeds)
    assert np.array_equal(twins[:, 0], twins[:, 1]) and np.array_equal(twins[:, 0], twins[:, 4])
    assert not np.array_equal(twins[:, 0], twins[:, 2])


def test_a_player_without_a_seat_is_no_harm() -> None:
    steps = take([Spy(), bot("baseline", slime().spec)], everywhere(3), steps=3)
    assert steps[-1].lanes[1].size == 0
    assert steps[-1].memory[1].shape == (0, 7)


def test_steps_do_not_change_afterwards() -> None:
    steps, copies = [], []
    for step in islice(play(slime(), [Spy(), bot("random", slime().spec)], MIXED, 0), 60):
        arrays = [*step.before, *step.after, step.action, *step.memory, *step.carried, *step.next_memory]
        steps.append(arrays)
        copies.append([array.copy() for array in arrays])
    for arrays, before in zip(steps, copies, strict=True):
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(arrays, before, strict=True))
