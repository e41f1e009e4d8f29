"""Board games: PettingZoo's move for move, counted games, the kit's contract, scripted players, pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import envs
from arena.match import match
from envs.boards import bots
from envs.boards.shapes import BOARDS
from envs.bots import bot, names
from envs.check import check_env, fingerprint
from envs.core import Array, BatchEnv, game_seeds
from envs.draw import rgb_array
from envs.errors import InputError
from envs.sampling import random_action
from envs.scene import Scene, Text
from tests.sources import ROOT

FOUR, THREE = "ConnectFour-v0", "TicTacToe-v0"
THEIRS = {FOUR: "connect_four_v3", THREE: "tictactoe_v3"}


def theirs(id: str) -> Any:
    """PettingZoo's game."""
    pytest.importorskip("pettingzoo.classic", reason="pettingzoo is not installed")
    return import_module(f"pettingzoo.classic.{THEIRS[id]}").env()


def pair(move: int, mover: int) -> Array:
    """Actions [1, 2] in which `mover` plays `move`."""
    return np.array([[move, 0] if mover == 0 else [0, move]])


@pytest.mark.filterwarnings("ignore:The old environment creation API:DeprecationWarning")
@pytest.mark.parametrize("id", BOARDS)
def test_games_agree_with_pettingzoo(id: str) -> None:
    """What both see, who moves, what is legal and what it pays, in 60 random games."""
    other, ours, rng = theirs(id), envs.make(id, 1), np.random.default_rng(0)
    assert list(ours.spec.seat_names) == other.possible_agents
    ends = {-1.0: 0, 0.0: 0, 1.0: 0}
    for _ in range(60):
        other.reset()
        now, over = ours.reset(0), False
        while not over:
            mover = ours.spec.seat_names.index(other.agent_selection)
            mask = other.observe(other.agent_selection)["action_mask"]
            assert now.acts.tolist() == [[mover == 0, mover == 1]]
            np.testing.assert_array_equal(now.legal[0, mover], mask == 1)
            assert now.legal[0, 1 - mover].tolist() == [True] + [False] * (len(mask) - 1)
            move = int(random_action(ours.spec.action_spaces[mover], now.legal[:, mover], rng)[0])
            now = ours.step(pair(move, mover))
            other.step(move)
            over = bool(now.terminated[0])
            assert not now.truncated.any()
            for seat, name in enumerate(ours.spec.seat_names):
                np.testing.assert_array_equal(now.final_obs[0, seat], other.observe(name)["observation"].reshape(-1))
                assert now.reward[0, seat] == other.rewards[name]
                assert over == other.terminations[name]
                assert now.score[0, seat] == other.rewards[name] if over else np.isnan(now.score[0, seat])
        ends[float(now.score[0, 0])] += 1
    assert ends[1.0] > 5 and ends[-1.0] > 5 and (ends[0.0] > 1 or id == FOUR)


def lines_of_play(id: str, depth: int) -> tuple[list[int], int]:
    """Sequences of 1 to `depth` moves after which the game goes on, counted by length, and those that end a game."""
    cells, counts, ended = np.zeros((1, BOARDS[id].cells), np.int8), [], 0
    for turn in range(depth):
        following = []
        for move in range(BOARDS[id].actions):
            before = cells[cells[:, move] == 0]
            if len(before):
                env = envs.make(id, len(before))
                env.reset(0)
                env.set_state({"cells": before, "moves": np.full(len(before), turn)})
                over = env.step(np.full((len(before), 2), move)).terminated
                ended += int(over.sum())
                following.append(env.get_state()["cells"][~over])
        cells = np.concatenate(following)
        counts.append(len(cells))
    return counts, ended


def test_all_games_of_tic_tac_toe() -> None:
    """255,168 complete games (published), and 9, 72, 504, 3024 openings."""
    counts, ended = lines_of_play(THREE, 9)
    assert counts[:4] == [9, 72, 504, 3024] and counts[-1] == 0
    assert ended == 255_168


def test_openings_of_connect_four() -> None:
    """Sequences of moves: 7 to the n, but the seventh finds a column full where six lie in it."""
    counts, ended = lines_of_play(FOUR, 7)
    assert counts[:6] == [7, 49, 343, 2401, 16_807, 117_649]
    assert counts[6] + ended == 823_536


@pytest.mark.parametrize("id", BOARDS)
def test_the_contract(id: str) -> None:
    check_env(partial(envs.make, id), steps=120)


def played(id: str, moves: str) -> tuple[BatchEnv, list[Any]]:
    """One game, the moves one digit each."""
    env = envs.make(id, 1)
    env.reset(0)
    return env, [env.step(pair(int(move), turn % 2)) for turn, move in enumerate(moves)]


@pytest.mark.parametrize(
    ("id", "moves", "score"),
    [
        (FOUR, "010101", None),
        (FOUR, "0101010", 1),  # a column
        (FOUR, "60101020", -1),
        (FOUR, "0011223", 1),  # a row
        (FOUR, "01123223633", 1),  # a rising diagonal
        (FOUR, "65543443033", 1),  # a falling one
        (FOUR, "0556631", None),  # a row does not go on at the other side
        (THREE, "01346", 1),
        (THREE, "03142", 1),
        (THREE, "831425", -1),
        (THREE, "01428", 1),
        (THREE, "20416", 1),
        (THREE, "012475368", 0),
    ],
)
def test_lines(id: str, moves: str, score: int | None) -> None:
    """They end a game at once, and nothing else does."""
    _, steps = played(id, moves)
    assert not any(step.terminated[0] for step in steps[:-1])
    assert steps[-1].terminated[0] == (score is not None)
    if score is not None:
        assert steps[-1].score.tolist() == [[score, -score]]
        assert not steps[-1].obs.any() and steps[-1].acts.tolist() == [[True, False]]


def test_who_waits_is_not_listened_to_but_must_speak_the_language() -> None:
    env, _ = played(FOUR, "333333")
    with pytest.raises(InputError, match="no room"):
        env.step(pair(3, 0))
    with pytest.raises(InputError, match="outside"):
        env.step(np.array([[0, 7]]))
    now = env.step(np.array([[2, 3]]))
    assert now.acts.tolist() == [[False, True]] and now.legal[0, 1].tolist() == [c != 3 for c in range(7)]


def texts(scene: Scene) -> list[str]:
    return [shape.text for shape in scene.shapes if isinstance(shape, Text)]


def test_pictures() -> None:
    env, _ = played(FOUR, "010")
    assert texts(env.draw(0)) == ["second to move"]
    env, _ = played(FOUR, "0101010")
    assert texts(env.draw(0)) == ["before:", "the first won", "first to move"]
    assert texts(played(THREE, "831425")[0].draw(0))[1] == "the second won"
    assert texts(played(THREE, "012475368")[0].draw(0))[1] == "a draw"
    for id in BOARDS:
        assert len(np.unique(rgb_array(played(id, "12")[0].draw(0)).reshape(-1, 3), axis=0)) > 4


def mean_score(id: str, one: str, other: str, games: int = 200) -> tuple[float, float]:
    """Mean score of `one` against `other`, when it moves first and when it moves second."""
    spec = envs.make(id).spec
    results = match(id, {}, [bot(one, spec), bot(other, spec)], games=games, seed=0)
    first = [result.score[0] for result in results if result.players[0] == one]
    second = [result.score[1] for result in results if result.players[0] != one]
    assert len(first) == len(second) == games // 2
    return sum(first) / len(first), sum(second) / len(second)


def test_names_of_the_bots() -> None:
    assert names(envs.make(FOUR).spec) == ("one-ply", "random")
    assert names(envs.make(THREE).spec) == ("one-ply", "perfect", "random")
    with pytest.raises(InputError, match="did you mean 'one-ply'"):
        bot("oneply", envs.make(FOUR).spec)
    with pytest.raises(InputError, match="unknown player of ConnectFour-v0 'perfect'"):
        bot("perfect", envs.make(FOUR).spec)


@pytest.mark.parametrize("id", BOARDS)
def test_one_ply_beats_random(id: str) -> None:
    first, second = mean_score(id, "one-ply", "random")
    assert first > second > 0.4


def test_perfect_play_never_loses() -> None:
    """Nor can it be beaten by a player that misses nothing at once; and it beats chance."""
    spec = envs.make(THREE).spec
    for other in ("random", "one-ply"):
        results = match(THREE, {}, [bot("perfect", spec), bot(other, spec)], games=400, seed=1)
        own = [result.score[result.players.index("perfect")] for result in results]
        assert min(own) == 0.0 and np.mean(own) > (0.7 if other == "random" else 0.01)
    assert mean_score(THREE, "perfect", "one-ply") > (0.0, -0.01)


def seen(id: str, moves: str) -> tuple[Array, Array]:
    """What the mover sees and may do after `moves`, 500 times over."""
    _, steps = played(id, moves)
    mover = len(moves) % 2
    return steps[-1].obs[:, mover].repeat(500, axis=0), steps[-1].legal[:, mover].repeat(500, axis=0)


@pytest.mark.parametrize(
    ("id", "name", "moves", "good"),
    [
        (FOUR, "one-ply", "010101", {0}),  # wins rather than blocks
        (FOUR, "one-ply", "01010", {0}),  # blocks
        (FOUR, "one-ply", "3", set(range(7))),
        (THREE, "one-ply", "041", {2}),
        (THREE, "perfect", "4", {0, 2, 6, 8}),  # a corner holds against the centre
        (THREE, "perfect", "0", {4}),  # the centre alone holds against a corner
        (THREE, "perfect", "048", {1, 3, 5, 7}),  # no corner against two of them
    ],
)
def test_what_bots_play(id: str, name: str, moves: str, good: set[int]) -> None:
    """All good moves and no other are drawn, evenly."""
    obs, legal = seen(id, moves)
    player = bots.bot(name, envs.make(id).spec)
    action = player.act(obs, legal, np.zeros((500, 0), np.float32), np.random.default_rng(0)).action
    counts = np.bincount(action, minlength=BOARDS[id].actions)
    assert set(np.flatnonzero(counts)) == good
    assert counts[sorted(good)].min() > 0.6 * 500 / len(good)


@pytest.mark.parametrize("id", BOARDS)
def test_play_is_the_same_without_compiler(id: str) -> None:
    code = f"import envs, envs.check as c; print(c.fingerprint(lambda n: envs.make({id!r}, n)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120, env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert done.stdout.strip() == fingerprint(partial(envs.make, id))


def test_there_are_no_options() -> None:
    with pytest.raises(InputError, match="unknown key 'rows'"):
        envs.make(FOUR, rows=8)


@pytest.mark.parametrize(("id", "most"), [("ConnectFour-v0", 8), ("TicTacToe-v0", 4)])
def test_openings(id: str, most: int) -> None:
    """Up to so many moves, each number as often, nobody has won, and a game alone opens as it does beside others."""
    games = 2000
    env = envs.make(id, games, opening=most)
    now = env.reset(seed=3)
    cells = env.get_state()["cells"]
    moves = (cells > 0).sum(axis=1)
    shares = np.bincount(moves, minlength=most + 1)[: most + 1] / games
    assert moves.max() == most
    assert shares[: most // 2] == pytest.approx(1 / (most + 1), abs=0.03)
    assert ((cells == 1).sum(axis=1) - (cells == 2).sum(axis=1) == moves % 2).all()
    assert (now.acts.argmax(axis=1) == moves % 2).all()
    alone = envs.make(id, 1, opening=most)
    seeds = game_seeds(3, games)
    for row in range(0, games, 400):
        alone.reset(seed=seeds[row : row + 1])
        assert (alone.get_state()["cells"][0] == cells[row]).all()
    assert len(np.unique(cells, axis=0)) > games / 20


def test_an_opening_leaves_a_move_and_no_winner() -> None:
    """Even where more moves are asked for than the board has cells."""
    env = envs.make("TicTacToe-v0", 500, opening=50)
    env.reset(seed=0)
    cells = env.get_state()["cells"].reshape(-1, 3, 3)
    assert ((cells == 0).any(axis=(1, 2))).all()
    for piece in (1, 2):
        own = cells == piece
        diagonals = own[:, [0, 1, 2], [0, 1, 2]].all(1) | own[:, [0, 1, 2], [2, 1, 0]].all(1)
        assert not (own.all(1).any(1) | own.all(2).any(1) | diagonals).any()
    second = envs.make("TicTacToe-v0", 500, opening=50)
    second.reset(seed=1)
    assert (second.get_state()["cells"].reshape(-1, 3, 3) != cells).any()
