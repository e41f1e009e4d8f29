"""Rollouts lose nothing on the way from the games to the learner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import envs
from agents.collect import collect, collect_games
from agents.heads import Actor, Reading
from agents.play import Step, play
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from agents.rollout import Rollout, attach, bootstrap, cat, evaluate
from envs.core import BatchEnv
from envs.errors import InputError
from envs.slime_volley.bots import bot
from tests.minds import GRU, SHAPES, everywhere, new_player, new_policy, same
from tests.toy import Race

SHORT: dict[str, Any] = {"lives": 1, "max_steps": 50, "serve_delay": 2}
"""Games that end at a point or at the limit, whichever comes first."""
GAMES, STEPS = 6, 120
LSTM: dict[str, Any] = {"core": "lstm", "core_width": 5}
CORES = pytest.mark.parametrize("shape", [{}, GRU, LSTM], ids=str)


def slime(actions: str = "discrete", games: int = GAMES, **options: Any) -> BatchEnv:
    return envs.make("SlimeVolley-v0", games, **{**SHORT, "actions": actions, **options})


def steps_of(env: BatchEnv, player: PolicyPlayer, seed: int = 0) -> Iterator[Step]:
    return play(env, [player], everywhere(env.num_envs), seed)


def both_ends(rollout: Rollout) -> bool:
    """Whether games ended by the rules and by the limit, and not only at the last step."""
    return bool(rollout.terminated[:-1].any() and rollout.truncated[:-1].any())


@pytest.mark.parametrize("actions", ["discrete", "multibinary", "box"])
@pytest.mark.parametrize("shape", [*SHAPES, LSTM], ids=str)
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


@CORES
def test_a_slice_is_a_rollout(shape: dict[str, Any]) -> None:
    """It is what would have been collected there, and evaluates to the same."""
    env = slime()
    player = new_player(env.spec, **shape)
    whole = collect(steps_of(env, player), STEPS, keep_memory=True)
    assert len(whole) == STEPS and both_ends(whole)
    steps = steps_of(slime(), player)
    parts = [collect(steps, length, keep_memory=True) for length in (37, 50, 33)]
    for part, start, stop in zip(parts, (None, 37, -33), (37, 87, None), strict=True):
        assert same(whole[start:stop], part)
    middle = whole[37:87][10:30]
    logprob, _, value = evaluate(player.policy, middle)
    torch.testing.assert_close(logprob, whole.extras["logprob"][47:67], atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(value, whole.extras["value"][47:67], atol=1e-5, rtol=1e-5)
    last, final = bootstrap(player.policy, middle)
    torch.testing.assert_close(last, whole.extras["value"][67])
    assert torch.equal(final != 0, middle.truncated) and middle.truncated.any()


@CORES
def test_steps_in_sequence_are_joined(shape: dict[str, Any]) -> None:
    player = new_player(slime().spec, **shape)
    whole = collect(steps_of(slime(), player), STEPS, keep_memory=True)
    steps = steps_of(slime(), player)
    assert same(cat([collect(steps, length, keep_memory=True) for length in (37, 50, 33)], axis="time"), whole)
    assert same(cat([whole[:10], whole[10:11], whole[11:]], "time"), whole)


def test_what_cannot_be_cut_or_joined_is_refused() -> None:
    env = slime()
    steps = steps_of(env, new_player(env.spec, **GRU))
    first, skipped, third = (collect(steps, 5) for _ in range(3))
    assert len(skipped) == 5
    for wrong, words in ((slice(3, 3), "empty"), (slice(0, 4, 2), "consecutive"), (slice(1, 4), "keep_memory=True")):
        with pytest.raises(InputError, match=words):
            first[wrong]
    with pytest.raises(InputError, match="consecutive"):
        first[3]  # type: ignore[index]
    assert len(first[:5]) == 5
    with pytest.raises(InputError, match="follow each other"):
        cat([first, third], "time")
    with pytest.raises(InputError, match="as many of the other axis"):
        cat([first, collect(steps, 4)])
    with pytest.raises(InputError, match="extras"):
        cat([first, third.with_extras({"more": third.reward})])
    with pytest.raises(InputError, match="no rollouts"):
        cat([])
    with pytest.raises(InputError, match="twice"):
        first.lanes(torch.tensor([2, 2]))
    with pytest.raises(InputError, match="axes"):
        first.with_extras({"more": first.reward[1:]})
    with pytest.raises(InputError, match="length"):
        collect(steps, 0)


def test_shuffle_and_minibatches_are_all_lanes_once() -> None:
    env = slime()
    rollout = collect(steps_of(env, new_player(env.spec, **GRU)), STEPS)
    number = torch.arange(rollout.lane_count).expand(STEPS, -1)
    rollout = rollout.with_extras({"number": number})
    mixed = rollout.shuffle(np.random.default_rng(1))
    order = mixed.extras["number"][0]
    assert not torch.equal(order, number[0])
    assert same(mixed, rollout.lanes(order)) and same(mixed.lanes(order.argsort()).lanes(order), mixed)
    rng = np.random.default_rng(2)
    epochs = [list(rollout.minibatches(5, rng)) for _ in range(2)]
    seen = [torch.cat([part.extras["number"][0] for part in parts]) for parts in epochs]
    assert [part.lane_count for part in epochs[0]] == [5, 5, 2]
    assert all(torch.equal(lanes.sort().values, number[0]) for lanes in seen) and not torch.equal(*seen)
    for part in epochs[0]:
        assert same(part, rollout.lanes(part.extras["number"][0]))


def test_lanes_by_mask() -> None:
    env = slime()
    rollout = collect(steps_of(env, new_player(env.spec)), STEPS)
    mask = torch.arange(rollout.lane_count) % 3 == 0
    assert same(rollout.lanes(mask), rollout.lanes(torch.tensor([0, 3, 6, 9])))


def test_games_and_monte_carlo_returns() -> None:
    """Against a walk through each lane, game by game."""
    env = slime()
    player = new_player(env.spec)
    rollout = collect(steps_of(env, player), STEPS)
    assert both_ends(rollout) and rollout.reward.any()
    gamma, values = 0.9, bootstrap(player.policy, rollout)
    last, final = values
    returns, lengths = [], []
    plain, valued = torch.zeros_like(rollout.reward), torch.zeros_like(rollout.reward)
    for lane in range(rollout.lane_count):
        start = 0
        for t in range(STEPS):
            over = bool(rollout.ended[t, lane])
            if over or t == STEPS - 1:
                after = 0.0 if rollout.terminated[t, lane] else float(final[t, lane] if over else last[lane])
                for s in range(start, t + 1):
                    seen = sum(gamma ** (k - s) * float(rollout.reward[k, lane]) for k in range(s, t + 1))
                    plain[s, lane], valued[s, lane] = seen, seen + gamma ** (t + 1 - s) * after
            if over:
                returns.append(float(rollout.reward[start : t + 1, lane].sum()))
                lengths.append(t + 1 - start)
                start = t + 1
    assert rollout.returns.tolist() == returns and rollout.lengths.tolist() == lengths
    torch.testing.assert_close(rollout.mc_returns(gamma), plain)
    torch.testing.assert_close(rollout.mc_returns(gamma, values), valued)
    assert not torch.allclose(plain, valued)


def test_no_game_has_ended() -> None:
    env = slime()
    rollout = collect(steps_of(env, new_player(env.spec)), 3)
    assert rollout.returns.shape == rollout.lengths.shape == (0,)


class Telling(Policy):
    """A policy that says more than it must."""

    def read(self, features: Tensor, legal: Tensor | None, wide: Tensor | None = None) -> Reading:
        dist, extras = super().read(features, legal, wide)
        return dist, {**extras, "features": features, "doubt": dist.entropy()}


@CORES
def test_what_a_policy_says_is_kept_under_its_name(shape: dict[str, Any]) -> None:
    env = slime()
    torch.manual_seed(0)
    config = PolicyConfig(hidden=(12,), **shape)
    policy = Telling(env.spec.observation_spaces[0], env.spec.action_spaces[0], config)
    rollout = collect(steps_of(env, PolicyPlayer(policy, "")), STEPS, keep_memory=True)
    width = policy.core.width
    assert set(rollout.extras) == {"logprob", "value", "features", "doubt", "memory"}
    assert rollout.extras["features"].shape == (STEPS, GAMES * 2, width)
    part = rollout.lanes(torch.tensor([4, 2]))[20:60]
    assert torch.equal(part.extras["features"], rollout.extras["features"][20:60, [4, 2]])
    wet = attach(policy, part)
    for name in ("logprob", "value", "features", "doubt"):
        torch.testing.assert_close(wet.extras[name], part.extras[name], atol=2e-4, rtol=1e-4)
        assert wet.extras[name].requires_grad and not part.extras[name].requires_grad
    assert torch.equal(wet.extras["entropy"], wet.extras["doubt"])
    assert torch.equal(wet.extras["memory"], part.extras["memory"])


@pytest.mark.parametrize("theirs", [{}, GRU, LSTM], ids=str)
@pytest.mark.parametrize("ours", [{}, GRU, LSTM], ids=str)
def test_evaluating_another_policy(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """As if it had watched step by step, with an empty memory where games begin."""
    env = slime()
    rollout = collect(steps_of(env, new_player(env.spec, **theirs)), STEPS)
    assert both_ends(rollout)
    policy = new_policy(env.spec, seed=7, **ours)
    said, met = [], []
    with torch.no_grad():
        memory = torch.zeros(rollout.lane_count, policy.memory_size)
        for t in range(STEPS):
            output = policy(rollout.obs[t], None, memory)
            said.append((output.dist.log_prob(rollout.action[t]), output.dist.entropy(), output.extras["value"]))
            met.append(output.memory)
            memory = output.memory * ~rollout.ended[t].unsqueeze(1)
        last = policy(rollout.obs[-1], None, memory).extras["value"]
        step, lane = rollout.final_at.unbind(1)
        final = policy(rollout.final_obs, None, torch.stack(met)[step, lane]).extras["value"]
    for found, expected in zip(evaluate(policy, rollout), zip(*said, strict=True), strict=True):
        torch.testing.assert_close(found, torch.stack(expected), atol=1e-5, rtol=1e-4)
    if ours != theirs:  # of the same width, what was recorded is taken
        found_last, found_final = bootstrap(policy, rollout)
        torch.testing.assert_close(found_last, last)
        torch.testing.assert_close(found_final[step, lane], final)


def test_a_policy_without_a_critic_values_nothing() -> None:
    env = slime("box")
    policy = Policy(env.spec.observation_spaces[0], env.spec.action_spaces[0], None, Actor())
    rollout = collect(steps_of(env, PolicyPlayer(policy, "")), 5)
    assert set(rollout.extras) == {"logprob"}
    assert (evaluate(policy, rollout).value == 0).all()
    assert set(attach(policy, rollout).extras) == {"logprob", "entropy"}


@pytest.mark.parametrize("quota", [1, 3, [2, 1] * GAMES], ids=str)
def test_whole_games(quota: int | list[int]) -> None:
    """The first games of every lane, of which none is cut; what a lane plays beyond them has no weight."""
    env = slime()
    player = new_player(env.spec, **GRU)
    wanted = np.broadcast_to(np.asarray(quota), (GAMES * 2,))
    stream = steps_of(env, player)
    rollout = collect_games(stream, np.asarray(quota) if isinstance(quota, list) else quota)
    plain = collect(steps_of(slime(), player), len(rollout))
    assert torch.equal(rollout.obs, plain.obs) and torch.equal(rollout.action, plain.action)
    assert torch.equal(rollout.last_memory, plain.last_memory) and torch.equal(rollout.final_at, plain.final_at)
    lengths = []
    for lane, games in enumerate(wanted.tolist()):
        ends = plain.ended[:, lane].nonzero().flatten().tolist()[:games]
        assert len(ends) == games
        stop = ends[-1] + 1
        assert rollout.acts[:stop, lane].all() and not rollout.acts[stop:, lane].any()
        assert torch.equal(rollout.score[ends, lane], plain.score[ends, lane])
        assert int((~rollout.score[:, lane].isnan()).sum()) == games
        lengths += np.diff([-1, *ends]).tolist()
    assert rollout.lengths.tolist() == lengths and len(rollout.returns) == wanted.sum()
    counted = ~rollout.score.isnan()
    assert counted[-1].any(), "not one step more than needed"
    assert not rollout.acts.all(), "some lane waited"
    assert same(collect(stream, 4), collect(_after(steps_of(slime(), player), len(rollout)), 4))


def _after(steps: Iterator[Step], count: int) -> Iterator[Step]:
    for _ in range(count):
        next(steps)
    return steps


def test_more_steps_than_were_expected() -> None:
    """Room is made while games last longer."""
    env = slime(max_steps=400, lives=5)
    player = new_player(env.spec)
    rollout = collect_games(steps_of(env, player), 2)
    assert len(rollout) > 520
    assert same(
        rollout.lanes(rollout.acts[-1]),
        collect(steps_of(slime(max_steps=400, lives=5), player), len(rollout)).lanes(rollout.acts[-1]),
    )


@pytest.mark.parametrize(("quota", "words"), [(0, "at least one"), ([1, -1], "negative"), ([1, 1, 1], r"\(12,\)")])
def test_wrong_numbers_of_games(quota: int | list[int], words: str) -> None:
    env = slime()
    with pytest.raises(InputError, match=words):
        collect_games(steps_of(env, new_player(env.spec)), quota if isinstance(quota, int) else np.array(quota))
