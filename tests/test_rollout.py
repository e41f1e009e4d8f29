"""Rollouts lose nothing on the way from the games to the learner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import envs
from agents.collect import collect
from agents.play import Step, play
from agents.player import PolicyPlayer
from agents.policy import Policy
from agents.rollout import Rollout, bootstrap, cat, evaluate
from envs.core import BatchEnv
from envs.slime_volley.bots import bot
from tests.minds import GRU, SHAPES, everywhere, new_player, same
from tests.toy import Race

SHORT: dict[str, Any] = {"lives": 1, "max_steps": 50, "serve_delay": 2}
"""Games that end at a point or at the limit, whichever comes first."""
GAMES, STEPS = 6, 120


def slime(actions: str = "discrete", games: int = GAMES, **options: Any) -> BatchEnv:
    return envs.make("SlimeVolley-v0", games, **{**SHORT, "actions": actions, **options})


def steps_of(env: BatchEnv, player: PolicyPlayer, seed: int = 0) -> Iterator[Step]:
    return play(env, [player], everywhere(env.num_envs), seed)


def both_ends(rollout: Rollout) -> bool:
    """Whether games ended by the rules and by the limit, and not only at the last step."""
    return bool(rollout.terminated[:-1].any() and rollout.truncated[:-1].any())


@pytest.mark.parametrize("actions", ["discrete", "multibinary", "box"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_evaluating_reproduces_what_was_recorded(shape: dict[str, Any], actions: str) -> None:
    env = slime(actions)
    player = new_player(env.spec, **shape)
    rollout = collect(steps_of(env, player), STEPS)
    assert both_ends(rollout)
    logprob, entropy, value = evaluate(player.policy, rollout)
    torch.testing.assert_close(logprob, rollout.extras["logprob"], atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(value, rollout.extras["value"], atol=1e-5, rtol=1e-5)
    assert logprob.shape == entropy.shape == value.shape == (STEPS, GAMES * 2)
    assert logprob.requires_grad and entropy.requires_grad and value.requires_grad


def test_evaluating_turns_with_masks() -> None:
    """Who does not act has one legal action: log-probability and entropy are exactly 0."""
    env = Race(16)
    player = new_player(env.spec, sharpness=3.0, **GRU)
    rollout = collect(steps_of(env, player), 40)
    assert both_ends(rollout)
    assert (rollout.acts.sum(1) == 16).all()
    logprob, entropy, value = evaluate(player.policy, rollout)
    torch.testing.assert_close(logprob, rollout.extras["logprob"])
    torch.testing.assert_close(value, rollout.extras["value"])
    assert (logprob[~rollout.acts] == 0).all() and (rollout.extras["logprob"][~rollout.acts] == 0).all()
    assert (entropy[~rollout.acts] == 0).all()
    assert (entropy[rollout.acts] > 0).all()


def test_memory_matters_in_the_test_above() -> None:
    """Without clearing the memory where games ended, or from another first memory, the values differ."""
    env = slime()
    player = new_player(env.spec, **GRU)
    steps = steps_of(env, player)
    collect(steps, 10)
    rollout = collect(steps, STEPS)
    never = torch.zeros_like(rollout.ended)
    for memory, ended in ((rollout.memory, never), (torch.zeros_like(rollout.memory), rollout.ended)):
        _, extras = player.policy.unroll(rollout.obs[:-1].transpose(0, 1), None, memory, ended.T)
        value = extras["value"]
        assert (value.T - rollout.extras["value"]).abs().max() > 1e-2


@pytest.mark.parametrize("shape", [{}, GRU], ids=str)
def test_collecting_twice_continues_the_same_games(shape: dict[str, Any]) -> None:
    player = new_player(slime().spec, **shape)
    whole = collect(steps_of(slime(), player), 80)
    steps = steps_of(slime(), player)
    first, second = collect(steps, 55), collect(steps, 25)
    assert torch.equal(first.obs, whole.obs[:56]) and torch.equal(second.obs, whole.obs[55:])
    assert torch.equal(first.legal, whole.legal[:56]) and torch.equal(second.legal, whole.legal[55:])
    for name in ("acts", "action", "reward", "terminated", "truncated"):
        assert torch.equal(torch.cat([getattr(first, name), getattr(second, name)]), getattr(whole, name))
    for name, extra in whole.extras.items():
        assert torch.equal(torch.cat([first.extras[name], second.extras[name]]), extra)
    assert torch.equal(first.memory, whole.memory)
    assert torch.equal(first.last_memory, second.memory)
    assert torch.equal(second.last_memory, whole.last_memory)
    shifted = second.final_at + torch.tensor([55, 0])
    assert torch.equal(torch.cat([first.final_at, shifted]), whole.final_at)
    assert torch.equal(torch.cat([first.final_obs, second.final_obs]), whole.final_obs)


@pytest.mark.parametrize("shape", [{}, GRU], ids=str)
def test_the_value_after_a_rollout_is_the_first_one_of_the_next(shape: dict[str, Any]) -> None:
    env = slime()
    player = new_player(env.spec, **shape)
    steps = steps_of(env, player)
    for length in (SHORT["max_steps"], 1, 9):  # the first ends together with games
        rollout = collect(steps, length)
        last, _ = bootstrap(player.policy, rollout)
        follow = collect(steps, 1)
        torch.testing.assert_close(last, follow.extras["value"][0])


@pytest.mark.parametrize("shape", [{}, GRU], ids=str)
def test_a_truncated_game_shows_the_view_that_would_have_come_next(shape: dict[str, Any]) -> None:
    """Against the same games under a later limit, up to the step at which the first ones are cut."""
    limit = SHORT["max_steps"]
    player = new_player(slime().spec, **shape)
    rollout = collect(steps_of(slime(lives=5), player), limit)
    longer = collect(steps_of(slime(lives=5, max_steps=1000), player), limit + 1)
    step, lane = rollout.final_at.unbind(1)
    assert torch.equal(rollout.final_at, rollout.truncated.nonzero())
    assert step.tolist() == [limit - 1] * GAMES * 2
    assert torch.equal(rollout.final_obs, longer.obs[limit, lane])
    assert not torch.equal(rollout.final_obs, rollout.obs[limit, lane])
    assert longer.terminated.sum() == 0
    _, final = bootstrap(player.policy, rollout)
    torch.testing.assert_close(final[step, lane], longer.extras["value"][limit, lane])
    assert (final[~rollout.truncated] == 0).all()


def test_memory_at_truncation_is_that_of_the_game_that_was_cut() -> None:
    env = slime()
    player = new_player(env.spec, **GRU)
    rollout = collect(steps_of(env, player), STEPS)
    assert both_ends(rollout)
    memory, met = rollout.memory, []
    with torch.no_grad():
        for t in range(STEPS):
            memory = player.policy(rollout.obs[t], None, memory).memory
            met.append(memory)
            memory = memory * ~rollout.ended[t].unsqueeze(1)
    step, lane = rollout.final_at.unbind(1)
    torch.testing.assert_close(rollout.final_memory, torch.stack(met)[step, lane])
    torch.testing.assert_close(rollout.last_memory, memory)
    assert torch.equal(rollout.final_at, rollout.truncated.nonzero())


def test_lanes() -> None:
    env = slime()
    player = new_player(env.spec, **GRU)
    rollout = collect(steps_of(env, player), STEPS)
    index = torch.tensor([7, 0, 11, 3])
    part = rollout.lanes(index)
    assert part.lane_count == 4
    for name in ("obs", "legal", "acts", "action", "reward", "terminated", "truncated", "ended"):
        assert torch.equal(getattr(part, name), getattr(rollout, name)[:, index])
    assert torch.equal(part.memory, rollout.memory[index])
    for whole, less in zip(evaluate(player.policy, rollout), evaluate(player.policy, part), strict=True):
        torch.testing.assert_close(less, whole[:, index])
    for whole, less in zip(bootstrap(player.policy, rollout), bootstrap(player.policy, part), strict=True):
        torch.testing.assert_close(less, whole[..., index])
    assert same(rollout.lanes(torch.arange(rollout.lane_count)), rollout)
    assert rollout.lanes(torch.tensor([1])).lanes(torch.tensor([0])).lane_count == 1


def test_cat_puts_lanes_side_by_side() -> None:
    env = slime()
    player = new_player(env.spec, **GRU)
    rollout = collect(steps_of(env, player), STEPS)
    parts = [rollout.lanes(torch.arange(a, b)) for a, b in ((0, 5), (5, 6), (6, 12))]
    joined = cat(parts)
    order = (joined.final_at[:, 0] * joined.lane_count + joined.final_at[:, 1]).argsort()
    assert torch.equal(joined.final_at[order], rollout.final_at)
    assert torch.equal(joined.final_obs[order], rollout.final_obs)
    assert torch.equal(joined.final_memory[order], rollout.final_memory)
    for whole, less in zip(evaluate(player.policy, rollout), evaluate(player.policy, joined), strict=True):
        torch.testing.assert_close(less, whole)
    for whole, less in zip(bootstrap(player.policy, rollout), bootstrap(player.policy, joined), strict=True):
        torch.testing.assert_close(less, whole)
    assert same(cat([rollout]), rollout)


def test_a_player_gets_its_own_lanes_and_no_others() -> None:
    """The learner sits left, right, on both sides and nowhere; it saw what the env showed those seats."""
    env = slime(games=4)
    seating = np.array([[0, 1], [1, 0], [0, 0], [1, 1]])
    learner, random = new_player(env.spec, **GRU), bot("random", env.spec)
    seen: list[Step] = []

    def record(steps: Iterator[Step]) -> Iterator[Step]:
        for step in steps:
            seen.append(step)
            yield step

    rollout = collect(record(play(env, [learner, random], seating, seed=3)), STEPS)
    games, seats = np.array([0, 1, 2, 2]), np.array([0, 1, 0, 1])
    assert rollout.lane_count == 4 and both_ends(rollout)
    for t, step in enumerate(seen):
        assert np.array_equal(rollout.obs[t], step.before.obs[games, seats])
        assert np.array_equal(rollout.obs[t + 1], step.after.obs[games, seats])
        assert np.array_equal(rollout.action[t], step.action[games, seats])
        assert np.array_equal(rollout.reward[t], step.after.reward[games, seats])
        assert np.array_equal(rollout.score[t], step.after.score[games, seats], equal_nan=True)
        assert np.array_equal(rollout.terminated[t], step.after.terminated[games])
        assert np.array_equal(rollout.truncated[t], step.after.truncated[games])
    for (t, lane), view in zip(rollout.final_at.tolist(), rollout.final_obs, strict=True):
        assert np.array_equal(view, seen[t].after.final_obs[games[lane], seats[lane]])
    logprob, _, value = evaluate(learner.policy, rollout)
    torch.testing.assert_close(logprob, rollout.extras["logprob"], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(value, rollout.extras["value"], atol=1e-5, rtol=1e-4)


def test_rollouts_are_dry_and_their_own() -> None:
    """No graph hangs on them, and playing on does not change them."""
    env = slime()
    player = new_player(env.spec, **GRU)
    steps = steps_of(env, player)
    rollout = collect(steps, 5)
    copy = rollout.to("cpu").lanes(torch.arange(rollout.lane_count))
    collect(steps, 40)
    assert same(rollout, copy)
    tensors = [getattr(rollout, name) for name in Rollout.__slots__ if name != "extras"]
    assert not any(tensor.requires_grad for tensor in [*tensors, *rollout.extras.values()])


def test_a_policy_that_has_learnt_is_played_at_once() -> None:
    """The player holds the policy itself: after a change the next steps come from the new weights."""
    env = slime()
    player = new_player(env.spec)
    steps = steps_of(env, player)
    collect(steps, 3)
    with torch.no_grad():
        player.policy.head.outputs.linear.bias[-1] = 50.0
    assert isinstance(player.policy, Policy)
    assert (collect(steps, 2).extras["value"] > 40).all()
