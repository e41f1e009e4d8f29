"""A policy that holds its actions plays at full rate what it learnt on skipped steps."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from agents.play import play
from agents.player import Holding, PolicyPlayer, seated
from agents.policy import Policy, PolicyConfig
from envs.core import PLAYER, Array, Bools, Floats
from envs.player import Decision
from envs.registry import make
from envs.side import Squad


class Counter:
    """Plays 0, 1, 2, ... 5, 0, ...: its memory counts its decisions."""

    name, memory_size, keep_memory = "counter", 1, False

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: np.random.Generator) -> Decision:
        return Decision(memory[:, 0].astype(np.int64) % 6, memory + 1, {})


def test_actions_are_kept_and_every_game_begins_with_a_decision() -> None:
    env = make("SlimeVolley-v0", 4, lives=1, max_steps=10)
    holding = Holding(Counter(), 3, env.spec.action_spaces[0])
    steps = list(islice(play(env, [holding], np.zeros((4, 2), np.int64), 0), 12))
    played = np.stack([step.action for step in steps])
    expected = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 0, 0]  # the limit cuts the fourth decision short
    np.testing.assert_array_equal(played, np.array(expected)[:, None, None].repeat(4, 1).repeat(2, 2))


@pytest.mark.parametrize("actions", ["discrete", "multibinary", "box"])
@pytest.mark.parametrize("core", ["none", "gru"])
def test_full_rate_is_the_skipped_game(actions: str, core: str) -> None:
    torch.manual_seed(0)
    skipped = make("SlimeVolley-v0", 32, lives=1, actions=actions, frame_skip=3)
    full = make("SlimeVolley-v0", 32, lives=1, actions=actions)
    config = PolicyConfig.model_validate({"hold": 3, "core": core, "core_width": 8})
    policy = Policy(skipped.spec.observation_spaces[0], skipped.spec.action_spaces[0], config)
    with torch.no_grad():  # a fresh policy hardly prefers anything; make it move
        policy.head.outputs.linear.weight.mul_(100)
    nobody = np.zeros((32, 2), np.int64)
    player = seated({PLAYER: policy}, "x", True)
    assert isinstance(player, Holding)
    ends = []
    for env, who, limit in ((skipped, PolicyPlayer(policy, "x", True), 60), (full, player, 180)):
        first: dict[int, tuple[float, ...]] = {}
        for step in islice(play(env, [who], nobody, 5), limit):
            for game in np.flatnonzero(step.after.terminated).tolist():
                first.setdefault(game, tuple(step.after.score[game].tolist()))
        ends.append(first)
    assert ends[0] == ends[1] and len(ends[0]) > 10


def test_without_holding_nobody_stands_between() -> None:
    env = make("SlimeVolley-v0", 1)
    policy = Policy(env.spec.observation_spaces[0], env.spec.action_spaces[0], PolicyConfig())
    assert isinstance(seated({PLAYER: policy}, "x", True), PolicyPlayer)


def test_a_crew_sits_down_post_by_post() -> None:
    """Each holds its actions as it learnt to; the name is that of all."""
    spec = make("SlimeVolley-v0", 1).spec
    spaces_of = spec.observation_spaces[0], spec.action_spaces[0]
    crew = {"front": Policy(*spaces_of, PolicyConfig(hold=2)), "back": Policy(*spaces_of)}
    squad = seated(crew, "ada", False)
    assert isinstance(squad, Squad) and squad.name == "ada" and list(squad.players) == ["front", "back"]
    front, back = squad.players.values()
    assert isinstance(front, Holding) and isinstance(back, PolicyPlayer)
    assert back.policy is crew["back"] and not back.greedy
