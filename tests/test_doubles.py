"""Slime volleyball two against two: the duel's rules with twice the players, from both sides; views, bots, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

import envs
from agents.play import play
from envs.bots import names
from envs.check import check_env
from envs.draw import rgb_array
from envs.player import Player
from envs.scene import HalfDisc
from envs.slime_volley.bots import BOTS, bot
from tests.test_slime_mirror import FLIP, mirrored

ID, DUEL = "SlimeVolleyDoubles-v0", "SlimeVolley-v0"
OPTIONS: list[dict[str, Any]] = [
    {},
    {"actions": "multibinary", "dtype": "float64"},
    {"actions": "box", "survival_bonus": 0.01, "frame_skip": 2},
    {"fence": "solid", "serve_delay": 0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_contract(options: dict[str, Any]) -> None:
    check_env(partial(envs.make, ID, lives=1, max_steps=90, **options), steps=200)


def test_who_plays_where() -> None:
    env = envs.make(ID, 2)
    spec, now = env.spec, env.reset(0)
    assert spec.teams == (0, 0, 1, 1) and set(spec.roles) == {"player"}
    assert spec.seat_names == ("left_front", "left_back", "right_front", "right_back")
    state = env.get_state()
    assert state["left"][0, :, 0].tolist() == [-7, -17] and state["right"][0, :, 0].tolist() == [7, 17]
    assert now.obs.shape == (2, 4, 21)
    np.testing.assert_array_equal(now.obs[:, :, -1], [[0, 1, 0, 1]] * 2)
    assert names(spec) == BOTS


def test_what_is_seen() -> None:
    """Oneself, the ball, the mate, the opponents front first; x of each player on its own side."""
    env = envs.make(ID, 1, dtype="float64", serve_delay=0)
    env.reset(0)
    rng = np.random.default_rng(0)
    players = np.abs(rng.normal(8, 1, (4, 4)))
    players[:2] *= FLIP
    ball = np.array([[3.0, 20.0, 1.0, 2.0]])
    env.set_state({"left": players[None, :2], "right": players[None, 2:], "ball": ball})
    seen = env.step(np.zeros((1, 4), np.int64)).obs[0] * 10
    state = env.get_state()
    left, right, ball = state["left"][0] * FLIP, state["right"][0], state["ball"][0]
    expected = [
        [left[0], ball * FLIP, left[1], right[0], right[1]],
        [left[1], ball * FLIP, left[0], right[0], right[1]],
        [right[0], ball, right[1], left[0], left[1]],
        [right[1], ball, right[0], left[0], left[1]],
    ]
    for row, parts in zip(seen, expected, strict=True):
        np.testing.assert_allclose(row[:20], np.concatenate(parts), rtol=1e-12)


@pytest.mark.parametrize("seats", [(0, 2), (1, 3), (0, 3)], ids=str)
def test_with_two_that_stand_aside_it_is_the_duel(seats: tuple[int, int]) -> None:
    """To the last bit: two play a duel, their mates are held far above the court at every step."""
    games, rng = 32, np.random.default_rng(1)
    two, four = envs.make(DUEL, games, serve_delay=0), envs.make(ID, games, serve_delay=0)
    two.reset(0), four.reset(0)
    away = np.array([12.0, 1e4, 0.0, 0.0], np.float32)
    own = (seats[0], seats[1] - 2)
    points = 0
    for _ in range(300):
        state = two.get_state()
        both = {}
        for side, place in zip(("left", "right"), own, strict=True):
            both[side] = np.tile(away * FLIP if side == "left" else away, (games, 2, 1))
            both[side][:, place] = state[side]
        four.set_state({**state, **both})
        action = rng.integers(6, size=(games, 2))
        wide = np.zeros((games, 4), np.int64)
        wide[:, seats] = action
        one, other = two.step(action), four.step(wide)
        np.testing.assert_array_equal(one.final_obs[:, :, :8], other.final_obs[:, seats, :8])
        np.testing.assert_array_equal(one.reward, other.reward[:, seats])
        np.testing.assert_array_equal(one.terminated, other.terminated)
        assert (other.reward[:, [0, 2]] == other.reward[:, [1, 3]]).all()
        for name in ("ball", "lives", "serve_stream"):
            np.testing.assert_array_equal(two.get_state()[name], four.get_state()[name])
        points += int((one.reward[:, 0] != 0).sum())
    assert points > 50


@pytest.mark.parametrize("fence", ["original", "solid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_swapped_sides_see_and_get_the_same(dtype: str, fence: str) -> None:
    """To the last bit, whatever all do, for rallies of 64 games; each new serve is mirrored by hand."""
    games, other_side = 64, [2, 3, 0, 1]
    options = {"dtype": dtype, "fence": fence, "serve_delay": 3}
    one, two = (envs.make(ID, games, **options) for _ in range(2))
    one.reset(0)
    two.reset(1)
    two.set_state(mirrored(one.get_state()))
    rng = np.random.default_rng(2)
    points = hits = 0
    for _ in range(400):
        action = rng.integers(6, size=(games, 4))
        a, b = one.step(action), two.step(action[:, other_side])
        np.testing.assert_array_equal(a.final_obs, b.final_obs[:, other_side])
        for name in ("reward", "score"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name)[:, other_side])
        np.testing.assert_array_equal(a.terminated, b.terminated)
        speed = abs(two.get_state()["ball"][:, 2:])
        if a.reward.any():
            two.set_state(mirrored(one.get_state()))
            points += int((a.reward[:, 0] != 0).sum())
        hits += int((speed > 22.5).any(axis=1).sum())
    assert points > 100 and hits > 10


def mean_score(left: Sequence[str], right: Sequence[str], games: int = 40) -> float:
    """Mean score of the left side over the first game of each of `games` courts."""
    env = envs.make(ID, games, max_steps=1000)
    players: list[Player] = [bot(name, env.spec) for name in (*left, *right)]
    score = np.full(games, np.nan)
    for step in play(env, players, np.tile(np.arange(4), (games, 1)), seed=3):
        score = np.where(np.isnan(score), step.after.score[:, 0], score)
        if not np.isnan(score).any():
            return float(score.mean())
    raise AssertionError("unreachable")


def test_bots_stand_in_the_expected_order() -> None:
    assert mean_score(("tracker",) * 2, ("random",) * 2) > 3
    assert mean_score(("baseline",) * 2, ("random",) * 2) > 3
    assert mean_score(("tracker",) * 2, ("tracker", "noop")) > 0.5  # the back one is needed


def test_trackers_share_the_court() -> None:
    """They keep to their halves, so seldom are both near the ball."""
    env = envs.make(ID, 40)
    player = bot("tracker", env.spec)
    together = near = 0
    for count, step in enumerate(play(env, [player], np.zeros((40, 4), np.int64), seed=0)):
        obs = step.after.obs
        close = abs(obs[:, :, 0] - obs[:, :, 4]) < 0.3
        near += int(close.sum())
        together += int((close[:, 0] & close[:, 1]).sum() + (close[:, 2] & close[:, 3]).sum())
        assert (obs[:, 1, 0] > obs[:, 0, 0] - 0.3).all()
        if count == 600:
            break
    assert near > 2000 and together < 0.1 * near


def test_picture() -> None:
    env = envs.make(ID, 1)
    env.reset(0)
    scene = env.draw(0)
    bodies = [shape for shape in scene.shapes if isinstance(shape, HalfDisc)]
    assert [body.x for body in bodies] == [-7, -17, 7, 17]
    assert len({body.color for body in bodies}) == 4
    duel = [shape for shape in envs.make(DUEL).draw(0).shapes if isinstance(shape, HalfDisc)]
    assert [duel[0].color, duel[1].color] == [bodies[0].color, bodies[2].color]
    assert rgb_array(scene).shape == (500, 1200, 3)
