"""Scripted players of slime volleyball: encoding, the 2015 network against recorded play, and their order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

import envs
from agents.play import play
from envs.core import Array, Bools
from envs.errors import InputError
from envs.player import Player
from envs.sampling import random_action
from envs.slime_volley.actions import ACTION_NAMES, BUTTONS, encode
from envs.slime_volley.bots import BOTS, bot

DATA = Path(__file__).parent / "data" / "slime_golden.npz"
FORMS = ("discrete", "multibinary", "box")


@lru_cache(maxsize=1)
def golden() -> dict[str, Array]:
    with np.load(DATA) as archive:
        return dict(archive)


def pressed(action: Array, form: str) -> Bools:
    """What the rules make of an action: forward, backward, jump [..., 3]."""
    return BUTTONS[action] > 0 if form == "discrete" else action > 0


@pytest.mark.parametrize("form", FORMS)
def test_every_button_combination_survives_encoding(form: str) -> None:
    space = envs.make("SlimeVolley-v0", actions=form).spec.action_spaces[0]
    buttons = np.array(list(product([False, True], repeat=3)))
    action = encode(buttons, space)
    assert all(row in space for row in action)
    assert action.dtype == space.dtype
    got = pressed(action, form)
    forward, backward, jump = buttons.T
    if form == "discrete":  # has no name for both at once, which is the same as neither
        forward, backward = forward & ~backward, backward & ~forward
    np.testing.assert_array_equal(got, np.stack([forward, backward, jump], axis=1))


def test_discrete_actions_are_in_the_documented_order() -> None:
    assert ACTION_NAMES[2] == "forward+jump"
    for buttons, name in zip(BUTTONS, ACTION_NAMES, strict=True):
        said = [word for word, down in zip(("forward", "backward", "jump"), buttons, strict=True) if down]
        assert "+".join(said) == ("" if name == "noop" else name)


def test_encode_refuses_other_games() -> None:
    with pytest.raises(InputError, match="slime volleyball"):
        encode(np.zeros(3, np.bool_), spaces.Discrete(4))


def replay(player: Player, side: str, episode: int) -> Iterator[tuple[Array, Array]]:
    """The player's action and the recorded one, step by step, as it is shown what was recorded."""
    z = golden()
    start, length = z["episode_start"][episode], z["episode_length"][episode]
    seen = np.concatenate([z[f"init_obs_{side}"][None, episode], z[f"obs_{side}"][start : start + length - 1]])
    memory = np.zeros((1, player.memory_size), np.float32)
    legal, rng = np.ones((1, 0), np.bool_), np.random.default_rng(0)
    for obs, recorded in zip(seen, z[f"action_{side}"][start : start + length], strict=True):
        action, memory, _ = player.act(obs[None], legal, memory, rng)
        yield action[0], recorded


@pytest.mark.parametrize("side", ["left", "right"])
def test_baseline_repeats_a_recorded_game(side: str) -> None:
    """3,000 steps of the original, baseline against baseline without noise: memory carries over points."""
    episode = list(golden()["episode_kind"]).index("baseline(right) vs baseline(left) eps=0.00")
    player = bot("baseline", envs.make("SlimeVolley-v0", actions="multibinary", dtype="float64").spec)
    pairs = list(replay(player, side, episode))
    assert len(pairs) == 3000
    assert all((action == recorded).all() for action, recorded in pairs)
    assert len({tuple(recorded) for _, recorded in pairs}) >= 4  # it did play


def some_views(rows: int) -> Array:
    """Views from the recorded games, [rows, 12]."""
    seen = golden()["obs_right"]
    return seen[np.random.default_rng(1).choice(len(seen), rows, replace=False)]


@pytest.mark.parametrize("name", ["noop", "tracker", "baseline"])
def test_bots_do_not_depend_on_the_batch(name: str) -> None:
    player = bot(name, envs.make("SlimeVolley-v0").spec)
    rng = np.random.default_rng(2)
    obs, legal = some_views(301), np.ones((301, 6), np.bool_)
    memory = rng.uniform(-1, 1, (301, player.memory_size))
    together = player.act(obs, legal, memory, rng)
    for rows in (1, 4, 7):
        for row in range(0, 301, 43):
            part = slice(row, row + rows)
            alone = player.act(obs[part], legal[part], memory[part], rng)
            np.testing.assert_array_equal(alone.action, together.action[part])
            np.testing.assert_array_equal(alone.memory, together.memory[part])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", BOTS)
def test_bots_speak_every_action_space(name: str, form: str) -> None:
    spec = envs.make("SlimeVolley-v0", actions=form).spec
    player = bot(name, spec)
    assert player.name == name
    legal = np.ones((9, 6 if form == "discrete" else 0), np.bool_)
    decision = player.act(some_views(9), legal, np.zeros((9, player.memory_size), np.float32), np.random.default_rng(0))
    assert decision.action.dtype == spec.action_spaces[0].dtype
    assert all(row in spec.action_spaces[0] for row in decision.action)
    assert decision.memory.shape == (9, player.memory_size)


def mean_score(left: str, right: str, games: int = 60) -> float:
    """Mean score of the left player over the first game of each of `games` courts."""
    env = envs.make("SlimeVolley-v0", games, max_steps=1000)
    players = [bot(left, env.spec), bot(right, env.spec)]
    score = np.full(games, np.nan)
    for step in play(env, players, np.tile([0, 1], (games, 1)), seed=3):
        score = np.where(np.isnan(score), step.after.score[:, 0], score)
        if not np.isnan(score).any():
            return float(score.mean())
    raise AssertionError("unreachable")


def test_bots_stand_in_the_expected_order() -> None:
    assert mean_score("tracker", "random") > 3.5
    assert mean_score("baseline", "random") > 3.5
    assert -2.5 < mean_score("tracker", "baseline") < 0
    assert mean_score("baseline", "noop") > 3.5


def test_memory_can_be_kept_between_games() -> None:
    spec = envs.make("SlimeVolley-v0").spec
    assert not bot("baseline", spec).keep_memory
    assert bot("baseline", spec, keep_memory=True).keep_memory
    with pytest.raises(InputError, match="no memory"):
        bot("tracker", spec, keep_memory=True)


def test_unknown_bot_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'baseline'"):
        bot("basline", envs.make("SlimeVolley-v0").spec)


def test_random_actions_are_legal_and_even() -> None:
    legal = np.array([[True, False, True, False, False, True]] * 3000 + [[False] * 5 + [True]] * 10)
    action = random_action(spaces.Discrete(6), legal, np.random.default_rng(0))
    assert legal[np.arange(len(legal)), action].all()
    counts = np.bincount(action[:3000], minlength=6)
    assert (abs(counts[[0, 2, 5]] - 1000) < 120).all()


def test_random_actions_need_a_bounded_space() -> None:
    with pytest.raises(InputError, match="random actions"):
        random_action(spaces.Box(-np.inf, np.inf, (2,)), np.ones((3, 0), np.bool_), np.random.default_rng(0))
