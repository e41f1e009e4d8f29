"""Joint steps: collected, joined, kept in a replay and drawn from the place of each seat; and views of all seats."""

from __future__ import annotations

import io
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch

from agents.algorithms import registry
from agents.collect import collect
from agents.crew import Crew
from agents.joint import NOBODY, JointRollout, collect_joint, side_by_side
from agents.policy import PolicyConfig
from agents.replay import JointBatch, JointReplay, JointReplayConfig
from agents.stacks import Layout
from envs.errors import InputError
from tests.joint_games import Hunt, Ledger, Same, seated

SMALL = PolicyConfig(hidden=(8,))
GAMES = 6


def crew_of(roles: tuple[str, ...] = ("lone", "pair"), parameters: Any = "own") -> Crew:
    return registry.build_crew("maddpg", Ledger(1).spec, roles, {}, SMALL, parameters=parameters)


def ledger(length: int, roles: tuple[str, ...] = ("lone", "pair"), games: int = GAMES) -> JointRollout:
    """Of a crew for `roles`; if it is for the pair alone, a stranger plays the other seat."""
    strangers = {0: Same(np.array(1))} if "lone" not in roles else None
    steps, learns = seated(Ledger(games), crew_of(roles), 0, strangers)
    return collect_joint(steps, length, learns)


def test_everything_is_kept() -> None:
    crew = crew_of(("pair",))
    (steps, learns), (again, _) = (seated(Ledger(GAMES), crew, 0, {0: Same(np.array(1))}) for _ in range(2))
    rollout, taken = collect_joint(steps, 7, learns), list(islice(again, 7))
    assert len(rollout) == 7
    for t, step in enumerate(taken):
        for name in ("obs", "legal", "acts"):
            assert np.array_equal(getattr(rollout, name)[t], getattr(step.before, name))
        for name in ("reward", "terminated", "truncated", "score"):
            assert np.array_equal(getattr(rollout, name)[t], getattr(step.after, name), equal_nan=True)
        assert np.array_equal(rollout.action[t], step.action)
    assert np.array_equal(rollout.obs[7], taken[-1].after.obs)
    cut = [(t, game) for t, step in enumerate(taken) for game in np.flatnonzero(step.after.truncated)]
    assert rollout.final_at.tolist() == [list(place) for place in cut]
    assert all(
        np.array_equal(view, taken[t].after.final_obs[game])
        for view, (t, game) in zip(rollout.final_obs, cut, strict=True)
    )
    assert rollout.posts == ("pair.0", "pair.1")
    assert rollout.post.tolist() == [[NOBODY, 0, 1]] * GAMES
    assert torch.equal(rollout.ended, rollout.terminated | rollout.truncated)
    with pytest.raises(InputError, match="at least one step"):
        collect_joint(steps, 0, learns)


def test_games_side_by_side() -> None:
    one, other = ledger(7), ledger(7, ("pair",), games=2)
    both = side_by_side([one, other])
    assert both.posts == ("lone.0", "pair.0", "pair.1")
    assert both.post.tolist() == [[0, 1, 2]] * GAMES + [[NOBODY, 1, 2]] * 2
    assert torch.equal(both.obs[:, :GAMES], one.obs) and torch.equal(both.obs[:, GAMES:], other.obs)
    assert torch.equal(both.truncated, torch.cat([one.truncated, other.truncated], 1))
    step, game = both.final_at.unbind(1)
    assert both.truncated[step, game].all() and len(step) == both.truncated.sum()
    assert torch.equal(both.final_obs[-1], other.final_obs[-1]) and game[-1] >= GAMES
    assert side_by_side([one]) is one
    with pytest.raises(InputError, match="number of steps"):
        side_by_side([one, ledger(6)])
    with pytest.raises(InputError, match="no rollouts"):
        side_by_side([])


def test_seats_get_what_is_theirs() -> None:
    """Rows, masks and actions as wide as the seats of the player; and views of all seats in cyclic order."""
    steps, learns = seated(Ledger(4), crew_of(parameters="shared"))
    lone = collect(steps, 7, learns["lone"])
    assert lone.obs.shape == (8, 4, 3) and lone.final_obs.shape[1:] == (3,)
    steps, _ = seated(Ledger(4), crew_of(parameters="shared"))
    wide = collect(steps, 7, learns["pair"], central=True)
    assert wide.obs.shape == (8, 8, 12) and len(wide.final_obs)
    for seen in (wide.obs.flatten(0, 1), wide.final_obs):
        first, second, third = seen.split(4, 1)
        own = first[:, 2]
        assert torch.equal(second[:, 2], (own + 1) % 3) and torch.equal(third[:, 2], (own + 2) % 3)
        for other in (second, third):
            assert torch.equal(other[:, :2], first[:, :2])  # of the same game and time
    assert torch.equal(wide.final_obs[:, 1], torch.full_like(wide.final_obs[:, 1], 3))
    steps, learns = seated(Hunt(4), registry.build_crew("ppo", Hunt(1).spec, ("hunter", "prey"), {}, SMALL))
    prey = collect(steps, 3, learns["prey"])
    assert prey.obs.shape == (4, 4, 1) and prey.legal.shape == (4, 4, 3)
    assert prey.action.dtype == torch.int64 and prey.action.shape == (3, 4)
    hunter = collect(steps, 3, learns["hunter"])
    assert hunter.legal.shape == (4, 4, 0) and hunter.action.shape == (3, 4, 2)


def replay_of(capacity: int = 1000, minds: int = 3) -> JointReplay:
    return JointReplay(JointReplayConfig(capacity=capacity), 3, minds, (4, 4, 4))


def fill(replay: JointReplay, rollout: JointRollout) -> None:
    """A mind for each post, in order of the names of seats."""
    names = ("lone.0", "pair.0", "pair.1")
    mind = torch.tensor([*(names.index(name) for name in rollout.posts), NOBODY])[rollout.post.long()]
    vectors = Layout(Ledger(1).spec).of(rollout.action)
    replay.add(rollout, vectors, mind.expand(rollout.action.shape))


def real_steps(rollouts: list[JointRollout]) -> dict[tuple[int, int], dict[str, Any]]:
    """By number of game and clock what happened, and what was seen next."""
    found = {}
    for rollout in rollouts:
        cut = {tuple(place): view for place, view in zip(rollout.final_at.tolist(), rollout.final_obs, strict=True)}
        for t in range(len(rollout)):
            for game in range(rollout.acts.shape[1]):
                number, clock = (int(value) for value in rollout.obs[t, game, 0, :2])
                found[number, clock] = {
                    "obs": rollout.obs[t, game],
                    "action": torch.nn.functional.one_hot(rollout.action[t, game].long(), 4).float(),
                    "reward": rollout.reward[t, game].float(),
                    "legal": rollout.legal[t, game],
                    "acts": rollout.acts[t, game],
                    "terminated": bool(rollout.terminated[t, game]),
                    "truncated": bool(rollout.truncated[t, game]),
                    "next_obs": cut.get((t, game), rollout.obs[t + 1, game]),
                    "next_legal": None if (t, game) in cut else rollout.legal[t + 1, game],
                }
    return found


def check_rows(
    batch: JointBatch, real: dict[tuple[int, int], dict[str, Any]], minds: range
) -> set[tuple[int, int, int]]:
    """Every row is a step that happened, from the place of its mind; returns which (mind, number, clock) there are."""
    drawn, strangers = set(), 0 not in minds
    assert batch.legal is not None and batch.next_legal is not None and batch.acts is not None
    for mind in minds:
        for row in range(batch.obs.shape[1]):
            number, clock, seat = (int(value) for value in batch.obs[mind, row, 0, :3])
            assert seat == mind
            step = real[number, clock]
            turned = [(seat + turn) % 3 for turn in range(3)]
            for name in ("obs", "action"):
                assert torch.equal(getattr(batch, name)[mind, row], step[name][turned])
            assert batch.reward[mind, row] == step["reward"][seat]
            assert torch.equal(batch.legal[mind, row], step["legal"][seat])
            assert batch.acts[mind, row] == step["acts"][seat]
            assert batch.discount[mind, row] == (not step["terminated"])
            who = batch.mind.reshape(len(batch.obs), -1, 3)[mind, row].tolist()
            assert who == [NOBODY if strangers and place == 0 else place for place in turned]
            if not step["terminated"]:
                assert torch.equal(batch.next_obs[mind, row], step["next_obs"][turned])
                legal = step["next_legal"]
                wanted = torch.ones(3, 4, dtype=torch.bool) if legal is None else legal[turned]
                assert torch.equal(batch.next_legal[mind, row], wanted)
            if strangers and not step["terminated"]:
                assert not step["truncated"], "nobody knows what a stranger would have done next"
                assert batch.next_action is not None
                place = turned.index(0)
                assert torch.equal(batch.next_action[mind, row, place], real[number, clock + 1]["action"][0])
            drawn.add((mind, number, clock))
    return drawn


def test_rows_are_steps_that_happened() -> None:
    """In the middle of games, at their ends of both kinds, and over the border between rollouts."""
    steps, learns = seated(Ledger(GAMES), crew_of())
    rollouts = [collect_joint(steps, length, learns) for length in (5, 1, 6)]
    replay = replay_of()
    for rollout in rollouts:
        fill(replay, rollout)
    assert len(replay) == 12 * GAMES
    batch = replay.sample(600, np.random.default_rng(0))
    real = real_steps(rollouts)
    drawn = check_rows(batch, real, range(3))
    newest = {(int(game[0, 0]), int(game[0, 1])) for game in rollouts[-1].obs[-2]}
    assert drawn == {(mind, *place) for mind in range(3) for place in real if place not in newest}
    assert batch.same is not None
    flat = batch.next_obs.flatten(0, 2)
    assert torch.equal(flat[: 3 * 600][batch.same], flat)


def test_strangers_do_what_they_did() -> None:
    """And steps after which nobody knows are not drawn: a truncated game's last."""
    steps, learns = seated(Ledger(GAMES), crew_of(("pair",)), 0, {0: Same(np.array(1))})
    rollouts = [collect_joint(steps, length, learns) for length in (5, 1, 6)]
    replay = replay_of()
    for rollout in rollouts:
        fill(replay, rollout)
    batch = replay.sample(400, np.random.default_rng(0))
    assert batch.known is not None and batch.known.tolist() == [[0.0], [1.0], [1.0]]
    real = real_steps(rollouts)
    drawn = check_rows(batch, real, range(1, 3))
    newest = {(int(game[0, 0]), int(game[0, 1])) for game in rollouts[-1].obs[-2]}
    wanted = {place for place, step in real.items() if place not in newest and not step["truncated"]}
    assert drawn == {(mind, *place) for mind in (1, 2) for place in wanted}


def test_old_steps_go() -> None:
    """Also while rows of strangers wait for what comes next, and when more are added at once than fit."""
    steps, learns = seated(Ledger(GAMES), crew_of(("pair",)), 0, {0: Same(np.array(1))})
    replay = replay_of(capacity=4 * GAMES)
    for length in (1, 2, 3, 1, 7):
        rollout = collect_joint(steps, length, learns)
        fill(replay, rollout)
        if length > 1:
            batch = replay.sample(200, np.random.default_rng(length))
            oldest = rollout.obs[max(0, length - 4), :, 0, 0].min()
            if length >= 4:
                assert (batch.obs[1:, :, 0, 0] >= oldest).all()
    assert len(replay) == 4 * GAMES


def test_other_games_do_not_follow() -> None:
    """A stretch of training that begins anew: the last steps of the old one have no next."""
    first, second = ledger(4, ("pair",)), ledger(5, ("pair",), games=GAMES + 1)
    replay = replay_of()
    fill(replay, first)
    fill(replay, second)
    batch = replay.sample(500, np.random.default_rng(0))
    going = batch.discount[1:] == 1
    assert torch.equal(batch.next_obs[1:, :, 0, 0][going], batch.obs[1:, :, 0, 0][going])
    assert torch.equal(batch.next_obs[1:, :, 0, 1][going], batch.obs[1:, :, 0, 1][going] + 1)


def test_a_saved_replay_draws_the_same() -> None:
    steps, learns = seated(Ledger(GAMES), crew_of(("pair",)), 0, {0: Same(np.array(1))})
    one, other = replay_of(8 * GAMES), replay_of(8 * GAMES)
    for length in (5, 1, 4):
        fill(one, collect_joint(steps, length, learns))
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    fill(other, ledger(3))  # must leave no trace
    other.load_state_dict(torch.load(file, weights_only=True))
    more = collect_joint(steps, 3, learns)
    for replay in (one, other):
        fill(replay, more)
    batches = [replay.sample(64, np.random.default_rng(1)) for replay in (one, other)]
    for mine, theirs in zip(*batches, strict=True):
        assert (mine is None) == (theirs is None)
        assert mine is None or np.array_equal(np.asarray(mine), np.asarray(theirs))


def test_what_a_replay_refuses() -> None:
    with pytest.raises(InputError, match="without rows"):
        replay_of().sample(3, np.random.default_rng(0))
    with pytest.raises(InputError, match="cannot hold one"):
        fill(replay_of(capacity=GAMES - 1), ledger(2))
    with pytest.raises(InputError, match="room for"):
        replay_of(7).load_state_dict(replay_of(8).state_dict())
