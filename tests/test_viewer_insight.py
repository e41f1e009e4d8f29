"""What players make of a game: chances by hand, values by asking the networks oneself, bars and graphs of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from agents.heads import Actor, ActorCritic, HeadConfig
from agents.player import Holding, PolicyPlayer
from agents.policy import Policy, PolicyConfig
from arena.viewer import chances
from arena.viewer.chance_graph import COLUMNS, ROWS, SHORTEST, said
from arena.viewer.playback import Playback
from envs import make
from envs.core import BatchEnv
from envs.player import Player
from envs.scene import Picture, Rectangle, Scene, Text
from envs.slime_volley.bots import bot
from envs.slime_volley.scene import NIGHT
from tests.test_viewer import words

STEP = 1 / 30


def policy_of(env: BatchEnv, seed: int = 0, head: HeadConfig | None = None, **config: Any) -> Policy:
    torch.manual_seed(seed)
    policy = Policy(env.spec.observation_spaces[0], env.spec.action_spaces[0], PolicyConfig(**config), head)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.mul_(1.2)  # otherwise all values are near 0, and all probabilities alike
    return policy.eval()


def game(players: list[Player] | None = None, **options: Any) -> tuple[Playback, list[Policy]]:
    env = make("SlimeVolley-v0", 1, **{"lives": 3, "serve_delay": 3, **options})
    policies = [policy_of(env, seed) for seed in (0, 1)]
    return Playback(env, players or [PolicyPlayer(p, n) for p, n in zip(policies, "ab", strict=True)], 3), policies


def test_values_are_chances_by_hand() -> None:
    assert chances.even((0.0, 0.0)) == 0.5
    assert chances.even((1.0, -1.0)) == 1.0
    assert chances.even((0.4, 0.2)) == pytest.approx(0.55)  # (1 + (0.4 - 0.2) / 2) / 2
    assert chances.even((0.4, None)) == pytest.approx(0.7)
    assert chances.even((None, 0.4)) == pytest.approx(0.3)
    assert chances.even((3.0, None)) == 1.0
    assert chances.even((None, -9.0)) == 1.0
    assert chances.even((None, None)) is None


def test_a_race_by_hand() -> None:
    assert chances.race(0.3, 1, 1) == pytest.approx(0.3)
    assert chances.race(0.3, 1, 2) == pytest.approx(0.3**2)
    assert chances.race(0.3, 2, 1) == pytest.approx(0.3 + 0.7 * 0.3)
    assert chances.race(0.5, 5, 5) == pytest.approx(0.5)
    assert chances.race(0.6, 2, 2) == pytest.approx(0.6**2 + 2 * 0.4 * 0.6**2)
    assert chances.race(0.2, 3, 0) == 1.0
    assert chances.race(0.2, 0, 3) == 0.0


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.8, 1.0])
def test_a_race_is_won_by_one_of_both_and_point_by_point(chance: float) -> None:
    for own in range(1, 6):
        for other in range(1, 6):
            won = chances.race(chance, own, other)
            assert won + chances.race(1 - chance, other, own) == pytest.approx(1)
            after = chance * chances.race(chance, own, other - 1) + (1 - chance) * chances.race(chance, own - 1, other)
            assert won == pytest.approx(after)
            assert chances.game(chance, chance, own, other) == pytest.approx(won)


def test_the_present_point_counts_once_and_the_others_as_usual() -> None:
    # Two lives each; this point is won with 0.9, later ones with 0.5: 0.9 * (1 - 0.5 * 0.5) + 0.1 * 0.5 * 0.5.
    assert chances.game(0.9, 0.5, 2, 2) == pytest.approx(0.9 * 0.75 + 0.1 * 0.25)


def asked(policy: Policy, obs: Any) -> float:
    with torch.inference_mode():
        output = policy(torch.from_numpy(obs)[None], None, torch.zeros(1, policy.memory_size))
    return float(output.extras["value"][0])


def test_chances_of_points_are_what_the_networks_say() -> None:
    playback, (left, right) = game()
    for _ in range(40):
        playback.advance(STEP)
    points = {at for at, _ in playback.game.points}
    assert len(playback.game.insight.point) == 41
    for step in set(range(41)) - points:
        obs = playback.game.at(step).obs
        expected = chances.even((asked(left, obs[0]), asked(right, obs[1])))
        assert playback.game.insight.point[step] == pytest.approx(expected, abs=1e-5)
    assert np.std([value for value in playback.game.insight.point if value is not None]) > 0.01


def test_chances_of_games_follow_the_lives() -> None:
    playback, _ = game(lives=3)
    playback.next_game()
    while playback.seeking:
        playback.advance(STEP)
    seen, insight = playback.game, playback.game.insight
    assert len(insight.game) == len(insight.point) == seen.known + 1
    serves = [insight.point[at] for at in [0, *(at + 1 for at, _ in seen.points if at < seen.known)]]
    for step in range(seen.known):
        won = seen.won(step)
        lives = [3 - won[1], 3 - won[0]]
        usual = float(np.mean([p for p in serves[: sum(won) + (step not in dict(seen.points))] if p is not None]))
        point = insight.point[step]
        assert point is not None
        if step in dict(seen.points):
            assert point == float(dict(seen.points)[step] == 0)
            expected = chances.race(usual, *lives)
        else:
            expected = chances.game(point, usual, *lives)
        assert insight.game[step] == pytest.approx(expected)
    assert seen.score is not None
    assert insight.game[-1] == float(seen.score[0] > seen.score[1])


@pytest.mark.parametrize("where", [0, 1])
def test_one_value_network_is_enough(where: int) -> None:
    env = make("SlimeVolley-v0", 1, lives=1)
    policy = policy_of(env)
    sides: list[Player] = [bot("noop", env.spec), bot("noop", env.spec)]
    sides[where] = Holding(PolicyPlayer(policy, "ada"), 3, env.spec.action_spaces[0])
    playback = Playback(env, sides)
    chance = playback.game.insight.point[0]
    value = asked(policy, playback.game.at(0).obs[where])
    assert abs(value) < 1
    assert chance == pytest.approx((1 + (value if where == 0 else -value)) / 2, abs=1e-6)
    assert said(playback.game) == "chance to win the point, by the value network of ada"


def test_nothing_is_shown_where_nobody_has_a_value() -> None:
    env = make("SlimeVolley-v0", 1)
    playback = Playback(env, [PolicyPlayer(policy_of(env, head=Actor()), "blind"), bot("baseline", env.spec)])
    playback.step()
    assert not playback.game.insight.rated
    assert playback.game.insight.point == []
    assert "chance" not in words(playback.scene())
    assert not any(isinstance(shape, Picture) for shape in playback.scene().shapes)


def test_values_of_other_games_are_no_chances() -> None:
    env = make("KuhnPoker-v0", 1)
    playback = Playback(env, [PolicyPlayer(policy_of(env, seed), f"p{seed}") for seed in (0, 1)])
    playback.step()
    assert not playback.game.insight.rated
    assert "chance" not in words(playback.scene())


def test_a_board_game_has_chances_of_its_result() -> None:
    env = make("ConnectFour-v0", 1)
    first, second = (policy_of(env, seed) for seed in (0, 1))
    playback = Playback(env, [PolicyPlayer(first, "a"), PolicyPlayer(second, "b")])
    playback.step()
    obs = playback.game.at(1).obs
    assert playback.game.insight.game[1] == pytest.approx(chances.even((asked(first, obs[0]), asked(second, obs[1]))))
    playback.next_game()
    while playback.seeking:
        playback.advance(1)
    score = playback.scores[0]
    assert playback.game.insight.game[-1] == pytest.approx((1 + np.sign(score[0])) / 2)
    assert said(playback.game) == "chance to win, by both value networks"


def test_a_network_with_memory_is_asked_as_it_plays() -> None:
    """Step after step from the beginning of the game, and by its memory of then when it is rewound."""
    env = make("SlimeVolley-v0", 1, serve_delay=0)
    policy = policy_of(env, core="gru", hold=2)
    player = Holding(PolicyPlayer(policy, "ada"), 2, env.spec.action_spaces[0])
    playback = Playback(env, [player, bot("tracker", env.spec)])
    for _ in range(12):
        playback.step()
    memory = torch.zeros(1, policy.memory_size)
    for step in range(12):
        with torch.inference_mode():
            output = policy(torch.from_numpy(playback.game.at(step).obs[:1]), None, memory)
            odds = [float(output.dist.log_prob(torch.tensor([action])).exp()) for action in range(6)]
        expected = (1 + float(output.extras["value"][0])) / 2
        assert playback.game.insight.point[step] == pytest.approx(np.clip(expected, 0, 1), abs=1e-5)
        told = playback.game.insight.probabilities(playback.game.at(step))
        assert told[0] == pytest.approx(odds, abs=1e-5)
        assert told[1] is None
        memory = output.memory if step % 2 == 0 else memory


def test_a_central_value_sees_all_seats() -> None:
    env = make("SlimeVolley-v0", 1)
    policy = policy_of(env, head=ActorCritic(central=24))
    playback = Playback(env, [PolicyPlayer(policy, "a"), bot("noop", env.spec)])
    obs = playback.game.at(0).obs
    with torch.inference_mode():
        value = float(policy.central_value(torch.from_numpy(np.concatenate([obs[0], obs[1]])[None]))[0])
    assert playback.game.insight.point[0] == pytest.approx((1 + np.clip(value, -1, 1)) / 2, abs=1e-5)


def test_buttons_have_probabilities_too() -> None:
    env = make("SlimeVolley-v0", 1, actions="multibinary")
    policy = policy_of(env)
    playback = Playback(env, [PolicyPlayer(policy, "a"), bot("noop", env.spec)])
    with torch.inference_mode():
        dist = policy(torch.from_numpy(playback.game.at(0).obs[:1]), None, torch.zeros(1, 0)).dist
        both = [float(dist.log_prob(torch.tensor([[1, b, c]])).exp()) for b in (0, 1) for c in (0, 1)]
    told = playback.game.insight.probabilities(playback.game.at(0))[0]
    assert told is not None
    assert told[0] == pytest.approx(sum(both), abs=1e-5)


def bar(scene: Scene) -> tuple[Rectangle, Rectangle]:
    found = [
        s for s in scene.shapes if isinstance(s, Rectangle) and s.top > 15 and s.color in (NIGHT.left, NIGHT.right)
    ]
    return found[0], found[1]


def test_the_bar_is_divided_as_the_chance_is() -> None:
    playback, _ = game()
    for _ in range(7):
        playback.step()
    scene = playback.scene()
    left, right = bar(scene)
    chance = playback.game.insight.game[7]
    assert chance is not None
    assert left.right == right.left
    assert (left.right - left.left) / (right.right - left.left) == pytest.approx(chance)
    text = [shape.text for shape in scene.shapes if isinstance(shape, Text)]
    assert f"{round(100 * chance)}%" in text and f"{100 - round(100 * chance)}%" in text
    assert "chance to win, by both value networks" in text


def graph(playback: Playback) -> Any:
    picture = next(shape for shape in playback.scene().shapes if isinstance(shape, Picture))
    return np.frombuffer(picture.pixels, np.uint8).reshape(ROWS, COLUMNS, 3)


def test_the_history_leans_to_who_was_better() -> None:
    playback, _ = game(serve_delay=0, lives=5)
    for _ in range(SHORTEST * 20):
        playback.step()
    image, history = graph(playback), playback.game.insight.game
    for column in range(20):
        chance = history[(column + 1) * SHORTEST - 1]
        assert chance is not None
        up = int((image[: ROWS // 2, column] == NIGHT.left).all(axis=1).sum())
        down = int((image[ROWS // 2 :, column] == NIGHT.right).all(axis=1).sum())
        lean = (chance - 0.5) * ROWS
        assert (up if lean > 0 else down) == pytest.approx(abs(lean), abs=1.1)
        assert (down if lean > 0 else up) == 0
    assert (image[:, 25] == image[0, 199]).all()  # not played yet


def test_the_history_shows_no_more_than_was_seen_when_it_is_rewound() -> None:
    playback, _ = game(serve_delay=0, lives=5)
    for _ in range(30):
        playback.step()
    there = graph(playback)
    for _ in range(500):
        playback.step()
        if playback.ended:
            break
    playback.seek(30)
    np.testing.assert_array_equal(graph(playback), there)
