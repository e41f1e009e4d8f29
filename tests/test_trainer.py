"""A stretch of self-play: who sits where, what the learner gets to see of it, and that threads change nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch

import arena.self_play as self_play_module
import envs
from agents.algorithms.algorithm import Metrics
from agents.algorithms.ppo import PPO, PPOConfig
from agents.crew import Experience, Independent, Sees
from agents.joint import JointRollout
from agents.parallel import Threads
from agents.play import Step
from agents.policy import Policy
from agents.rollout import Rollout, evaluate
from arena.self_play import Opponent, alone, self_play
from arena.trainer import Stretch, TrainingConfig, mean, means, share_of_points
from envs.core import PLAYER, BatchEnv
from envs.errors import InputError
from envs.registry import build
from envs.slime_volley.bots import bot
from tests.minds import GRU, new_policy, same

ENV = "SlimeVolley-v0"
SPEC = envs.make(ENV).spec
SHORT = {"max_steps": 50, "serve_delay": 2}


class Learning:
    """A crew of one that learns nothing and keeps what it is given."""

    sees: Sees = "own"

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.policies = self.behaviours = {PLAYER: policy}
        self.rollouts: list[Rollout] = []
        self.progress: list[float] = []

    def update(self, experience: Experience, progress: float = 0.0) -> Metrics:
        assert not isinstance(experience, JointRollout) and set(experience) == {PLAYER}
        self.rollouts.append(experience[PLAYER])
        self.progress.append(progress)
        return {"kl": 0.5}

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        raise NotImplementedError


def past(*policies: Policy) -> list[Opponent]:
    """Frozen crews of one each."""
    return [{PLAYER: policy} for policy in policies]


def stretch(
    learning: Learning,
    opponents: Sequence[Opponent],
    seed: int = 0,
    threads: int = 1,
    share: float = 1 / 3,
    **change: Any,
) -> Stretch:
    """12 games in 2 streams, a `share` of them against the opponents."""
    settings = {"games": 12, "streams": 2, "steps": 40, "options": {"lives": 1}, **change}
    pool = [(opponent, share / len(opponents)) for opponent in opponents]
    streams = self_play(learning, ENV, SHORT, pool, TrainingConfig(**settings), seed)
    return Stretch(learning, streams, Threads(threads))


def played(opponents: Sequence[Opponent], rollouts: int = 2, **change: Any) -> Learning:
    learning = Learning(new_policy(SPEC))
    running = stretch(learning, opponents, **change)
    for number in range(rollouts):
        running.iterate(number / rollouts)
    return learning


def test_the_learner_gets_both_seats_of_its_own_games_and_one_of_the_others() -> None:
    learning = played(past(new_policy(SPEC, 1), new_policy(SPEC, 2)))
    for rollout in learning.rollouts:
        assert rollout.lane_count == 2 * (2 * 4 + 2)
        logprob, _, value = evaluate(learning.policy, rollout)
        torch.testing.assert_close(logprob, rollout.extras["logprob"], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(value, rollout.extras["value"], atol=1e-5, rtol=1e-4)
        for stream in (rollout.lanes(torch.arange(10)), rollout.lanes(torch.arange(10, 20))):
            pairs = stream.reward[:, :8].reshape(-1, 4, 2)
            assert (pairs.sum(2) == 0).all()  # zero-sum, so these are the two sides of a game
    assert learning.progress == [0.0, 0.5]


def test_without_a_past_it_plays_itself() -> None:
    for learning in (played([]), played(past(new_policy(SPEC, 1)), share=0.0)):
        assert learning.rollouts[0].lane_count == 24
    assert played(past(new_policy(SPEC, 1)), share=1.0).rollouts[0].lane_count == 12


def test_the_past_plays_as_it_did() -> None:
    """Who always jumps is seen to jump, in the games against it and nowhere else."""
    frozen, jumper = new_policy(SPEC, 1), new_policy(SPEC, 1)
    jumper.head.outputs.linear.bias.data[3] = 100.0
    height = []
    for other in (frozen, jumper):
        learning = Learning(new_policy(SPEC))
        learning.policy.head.outputs.linear.bias.data[0] = 100.0  # stands still
        running = stretch(learning, past(other))
        running.iterate(0.0)
        height.append(learning.rollouts[0].obs[:, :, 9])  # the opponent's y
    assert (height[1][2:, 8:10].max(0).values > 0.3).all() and (height[1][2:, 18:].max(0).values > 0.3).all()
    assert (height[1][:, :8] == height[1][0, 0]).all()


def test_scripted_players_are_met_beside_the_past() -> None:
    """A tracker runs after the ball; it has its share of the games, and the frozen policy has its own."""
    learning = Learning(new_policy(SPEC))
    running = stretch(learning, [*past(new_policy(SPEC, 1)), bot("tracker", SPEC)], share=2 / 3)
    running.iterate(0.0)
    assert learning.rollouts[0].lane_count == 2 * (2 * 2 + 2 + 2)


def test_a_game_has_the_same_opponent_for_a_whole_stretch() -> None:
    """Each of four who press one button for ever is seen in its share of the games, from game to game."""
    others = [new_policy(SPEC, seed) for seed in range(1, 5)]
    for button, policy in enumerate(others):
        policy.head.outputs.linear.bias.data[button] = 100.0
    learning = Learning(new_policy(SPEC))
    config = TrainingConfig(games=24, streams=2, steps=40, options={"lives": 1})
    streams = self_play(learning, ENV, SHORT, [(one, 0.25) for one in past(*others)], config, 0)
    for stream in streams:
        seen: list[Step] = []
        stream._watch = lambda env, step, seen=seen: seen.append(step)
        for _ in range(3):
            stream.collect()
        assert sum(int((step.after.terminated | step.after.truncated).sum()) for step in seen) > 12
        pressed = np.array([step.action.reshape(-1)[step.lanes[1]] for step in seen])
        assert pressed.shape == (120, 12)  # nobody is left to play itself
        assert (pressed == pressed[0]).all()
        assert np.bincount(pressed[0]).tolist() == [3, 3, 3, 3]


def test_games_go_on_from_rollout_to_rollout_and_begin_anew_with_a_stretch() -> None:
    learning = played(past(new_policy(SPEC, 1)))
    first, second = learning.rollouts
    assert torch.equal(first.obs[-1], second.obs[0])
    assert not torch.equal(first.obs[0], second.obs[0])
    assert torch.equal(played(past(new_policy(SPEC, 1)), seed=1).rollouts[0].obs[0, :, :4], first.obs[0, :, :4])


def test_threads_change_nothing_seeds_and_streams_do() -> None:
    one, two, other = (
        played(past(new_policy(SPEC, 1, **GRU)), threads=threads, seed=seed).rollouts
        for threads, seed in ((1, 0), (2, 0), (1, 1))
    )
    assert all(same(a, b) for a, b in zip(one, two, strict=True))
    assert not any(same(a, b) for a, b in zip(one, other, strict=True))
    assert not same(one[0].lanes(torch.arange(10)), one[0].lanes(torch.arange(10, 20)))


def test_figures_of_the_games_that_ended() -> None:
    """Metrics are the algorithm's own; beside them are the lengths of games, and scores against the past."""
    learning = Learning(new_policy(SPEC))
    running = stretch(learning, past(new_policy(SPEC, 1)), steps=90)
    assert running.iterate(0.0) == {"kl": 0.5}
    rollout = learning.rollouts[0]
    assert running.steps == 12 * 90
    lanes = [0, 2, 4, 6, 8, 9, 10, 12, 14, 16, 18, 19]  # one of each game: four mirrored ones, two others, twice
    assert sorted(running.lengths) == sorted(rollout.lanes(torch.tensor(lanes)).lengths.tolist())
    scores = torch.cat([rollout.score[:, 8:10], rollout.score[:, 18:]], 1)
    scores = scores[~scores.isnan()]
    assert set(scores.tolist()) == {-1.0, 0.0, 1.0}  # lost, cut by the limit, won
    assert sorted(running.scores) == sorted(scores.tolist())
    points = [{-1.0: 0.0, 0.0: 0.5, 1.0: 1.0}[score] for score in scores.tolist()]
    assert share_of_points(running.scores) == pytest.approx(np.mean(points))


def test_lengths_count_from_the_start_of_a_game_and_steps_add_up() -> None:
    running = stretch(Learning(new_policy(SPEC)), past(new_policy(SPEC, 1)), steps=40)
    seen = []
    for _ in range(3):
        running.iterate(0.0)
        seen += running.lengths.tolist()
    assert running.steps == 3 * 12 * 40
    assert max(seen) == 50  # the limit, which is longer than a rollout


def test_figures_of_nothing_are_not_numbers() -> None:
    """A stretch begins with fresh games, so in a short first rollout none ends."""
    running = stretch(Learning(new_policy(SPEC)), past(new_policy(SPEC, 1)), steps=5)
    running.iterate(0.0)
    assert math.isnan(mean(running.lengths)) and math.isnan(share_of_points(running.scores))
    mirror = stretch(Learning(new_policy(SPEC)), [], steps=90)
    mirror.iterate(0.0)
    assert mean(mirror.lengths) > 0 and math.isnan(share_of_points(mirror.scores))
    assert mean([1.0, math.nan, 2.0]) == 1.5


def test_means_are_over_the_updates_that_know() -> None:
    """Those of a learner with a replay say nothing of losses while it only collects."""
    assert means([{"rows": 1.0}, {"rows": 3.0, "loss": 2.0}, {"rows": 5.0, "loss": math.nan}]) == {"rows": 3, "loss": 2}
    assert means([]) == {}


def test_learning_that_diverges_is_stopped() -> None:
    """At once, by a sentence that says what to change, however it shows."""

    class Diverging(Learning):
        def update(self, experience: Any, progress: float = 0.0) -> dict[str, float]:
            with torch.no_grad():
                self.policies[PLAYER].head.outputs.linear.bias.fill_(math.nan)
            return super().update(experience, progress)

    class Noticing(Learning):
        def update(self, experience: Any, progress: float = 0.0) -> dict[str, float]:
            raise FloatingPointError("a priority is not a finite number")

    for kind in (Diverging, Noticing):
        running = stretch(kind(new_policy(SPEC)), [])
        with pytest.raises(InputError, match=r"^learning has diverged: after 480 env steps .* lower learning_rate"):
            running.iterate(0.0)


CARTPOLE = envs.make("CartPole-v1").spec


def test_alone_in_steps() -> None:
    """One lane for each game; games go on from rollout to rollout, and their lengths and scores are whole."""
    learning = Learning(new_policy(CARTPOLE))
    running = Stretch(learning, alone(learning, "CartPole-v1", {}, 5, 0, steps=30), Threads(1))
    lengths: list[int] = []
    for number in range(3):
        running.iterate(0.0)
        assert running.steps == 5 * 30 * (number + 1)
        assert running.lengths.tolist() == running.scores.tolist()  # a point for each step
        lengths += running.lengths.tolist()
    one, two, three = learning.rollouts
    assert torch.equal(one.obs[-1], two.obs[0]) and torch.equal(two.obs[-1], three.obs[0])
    whole = torch.cat([rollout.ended for rollout in learning.rollouts])
    ends = [np.flatnonzero(lane) for lane in whole.T.numpy()]
    assert sorted(lengths) == sorted(np.concatenate([np.diff(end, prepend=-1) for end in ends]).tolist())


def test_alone_in_episodes() -> None:
    """Each rollout begins new games, other ones each time, and only the games that were asked for count."""
    learning = Learning(new_policy(CARTPOLE))
    streams = alone(learning, "CartPole-v1", {}, 3, 0, episodes=2)
    running = Stretch(learning, streams, Threads(1))
    running.iterate(0.0)
    first = running.steps
    running.iterate(0.0)
    one, two = learning.rollouts
    for rollout in (one, two):
        assert ((~rollout.score.isnan()).sum(0) == 2).all()
        assert (rollout.obs[0].abs() <= 0.05).all()  # where CartPole begins
    assert not torch.equal(one.obs[0], two.obs[0])
    assert first == int(one.acts.sum()) < one.acts.numel()
    assert running.steps == first + int(two.acts.sum())
    assert (len(running.lengths), int(running.lengths.sum())) == (6, int(two.acts.sum()))
    assert running.scores.tolist() == running.lengths.tolist()


def test_options_of_the_game_of_training_and_of_held_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, dict[str, Any]]] = []

    def spy(id: str, num_envs: int, options: Mapping[str, Any]) -> BatchEnv:
        made.append((num_envs, dict(options)))
        return build(id, num_envs, options)

    monkeypatch.setattr(self_play_module, "build", spy)
    stretch(Learning(new_policy(SPEC, hold=3)), [], games=9, options={"lives": 2, "serve_delay": 7})
    assert made == [(4, {"max_steps": 50, "serve_delay": 7, "lives": 2, "frame_skip": 3})] * 2
    made.clear()
    stretch(Learning(new_policy(SPEC)), [], options={})
    assert made == [(6, SHORT)] * 2


def test_it_learns_while_it_plays() -> None:
    """With the real PPO: the weights change, and the next rollout is played with the new ones."""
    algorithm = PPO(new_policy(SPEC), PPOConfig(minibatch_rows=200))
    crew, opponents = Independent({PLAYER: algorithm}), [(one, 0.5) for one in past(new_policy(SPEC, 1, **GRU))]
    streams = self_play(crew, ENV, SHORT, opponents, TrainingConfig(games=4, steps=8), 0)
    running = Stretch(crew, streams, Threads(1))
    before = algorithm.policy.head.outputs.linear.weight.clone()
    metrics = running.iterate(0.0)
    assert {"policy_loss", "value_loss", "entropy", "kl"} <= metrics.keys()
    assert not torch.equal(before, algorithm.policy.head.outputs.linear.weight)
