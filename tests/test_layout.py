"""Actions in arrays: shapes, round trips, random draws and refusals for every kind of space."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from envs.check import ContractError, check_env
from envs.core import Array, Bools, TimeStep
from envs.errors import InputError
from envs.layout import action_dtype, action_shape, checked, columns, counted_from_zero, pack, parts, unpack
from envs.sampling import random_action
from tests.toy import Race

BOX = spaces.Box(np.array([-1, 0, 2]), np.array([1, 5, 3]), dtype=np.float64)
TUPLE = spaces.Tuple((spaces.Discrete(3, start=5), BOX, spaces.MultiBinary(2)))
DICT = spaces.Dict({"z": spaces.MultiDiscrete([2, 4]), "a": spaces.Discrete(2), "m": TUPLE})
SHAPES: list[tuple[spaces.Space[Any], tuple[int, ...], str]] = [
    (spaces.Discrete(4), (), "int64"),
    (spaces.Discrete(4, start=-2), (), "int64"),
    (spaces.MultiBinary(3), (3,), "int8"),
    (spaces.MultiDiscrete([3, 2], start=[1, -1]), (2,), "int64"),
    (spaces.MultiDiscrete(np.array([[3, 2], [4, 5]])), (2, 2), "int64"),
    (BOX, (3,), "float64"),
    (spaces.Box(0, 255, (2, 2), np.uint8), (2, 2), "uint8"),
    (TUPLE, (6,), "float32"),
    (DICT, (9,), "float32"),
]


@pytest.mark.parametrize(("space", "shape", "dtype"), SHAPES, ids=str)
def test_random_actions_are_actions_of_the_space(space: spaces.Space[Any], shape: tuple[int, ...], dtype: str) -> None:
    assert action_shape(space) == shape
    assert action_dtype(space) == dtype
    choices = space.n if isinstance(space, spaces.Discrete) else 0
    drawn = random_action(space, np.ones((50, choices), np.bool_), np.random.default_rng(0))
    assert drawn.shape == (50, *shape)
    assert drawn.dtype == dtype
    assert checked(space, drawn, 50, "here") is drawn
    for row in drawn:
        native = unpack(space, row)
        assert native in space
        again = pack(space, native)
        assert again.dtype == dtype
        np.testing.assert_allclose(again, row, rtol=1e-6)
    seen = [len(np.unique(column)) for column in drawn.reshape(50, -1).T]
    assert min(seen) > 1, "every number varies"


@pytest.mark.parametrize("space", [space for space, _, _ in SHAPES], ids=str)
def test_native_actions_survive_the_array(space: spaces.Space[Any]) -> None:
    space.seed(0)
    for _ in range(20):
        native = space.sample()
        again, flat = (np.asarray(spaces.flatten(space, each)) for each in (unpack(space, pack(space, native)), native))
        np.testing.assert_allclose(again, flat, rtol=1e-6)


def test_parts_lie_in_order() -> None:
    assert list(DICT.spaces) == ["a", "m", "z"], "Gymnasium sorts the keys of a plain dict"
    places = [(type(part), place.start, place.stop) for part, place in columns(DICT)]
    assert places == [
        (spaces.Discrete, 0, 1),
        (spaces.Discrete, 1, 2),
        (spaces.Box, 2, 5),
        (spaces.MultiBinary, 5, 7),
        (spaces.MultiDiscrete, 7, 9),
    ]
    native = unpack(DICT, np.array([1, 2, 0.5, 1, 9, 0, 1, 1, 3], np.float32))
    assert native["a"] == 1
    assert native["m"][0] == 7, "counted from the space's start"
    assert native["m"][1].tolist() == [0.5, 1, 3], "clipped to the box"
    assert native["m"][2].tolist() == [0, 1]
    assert native["z"].tolist() == [1, 3]
    unsorted = spaces.Dict([("z", spaces.Discrete(2)), ("a", BOX)])
    assert [type(part) for part in parts(unsorted)] == [spaces.Discrete, spaces.Box]


@pytest.mark.parametrize(
    ("space", "bad"),
    [
        (spaces.Discrete(3, start=2), np.array([3])),
        (spaces.Discrete(3), np.array([-1])),
        (spaces.Discrete(3), np.array([1.0])),
        (spaces.Discrete(3), np.array([[1]])),
        (spaces.MultiBinary(2), np.array([[0, 2]])),
        (spaces.MultiDiscrete([2, 3]), np.array([[2, 0]])),
        (BOX, np.array([[0, np.nan, 0]])),
        (BOX, np.array([[0, np.inf, 0]])),
        (BOX, np.array([["a", "b", "c"]])),
        (TUPLE, np.array([[3, 0, 0, 0, 0, 0]])),
        (TUPLE, np.array([[0.5, 0, 0, 0, 0, 0]])),
        (TUPLE, np.array([[0, 0, 0, 0, 0]])),
        (TUPLE, np.array([[0, np.nan, 0, 0, 0, 0]])),
    ],
    ids=str,
)
def test_what_is_no_action_is_refused(space: spaces.Space[Any], bad: Array) -> None:
    with pytest.raises(InputError, match="here: "):
        checked(space, bad, 1, "here")


def test_other_spaces_are_refused() -> None:
    with pytest.raises(InputError, match="not a space of actions"):
        parts(spaces.Tuple((spaces.Discrete(2), spaces.Text(3))))
    with pytest.raises(InputError, match="cannot draw random actions"):
        random_action(spaces.Box(-np.inf, np.inf, (1,)), np.ones((2, 0), np.bool_), np.random.default_rng(0))


def test_choices_counted_from_zero() -> None:
    for space, shape, _ in SHAPES:
        plain = counted_from_zero(space)
        assert action_shape(plain) == shape
        for part in parts(plain):
            if isinstance(part, spaces.Discrete | spaces.MultiDiscrete):
                assert not np.any(part.start)


def test_the_kit_knows_composite_games() -> None:
    check_env(Combined, steps=60)


@pytest.mark.parametrize("start", [1, 0])
def test_the_kit_catches_composite_faults(start: int) -> None:
    class Careless(Combined):
        def __init__(self, num_envs: int) -> None:
            super().__init__(num_envs)
            space = spaces.Tuple((spaces.Discrete(3, start=start), spaces.Box(0, 1, (1,))))
            self.spec = replace(self.spec, action_spaces=(space, space))

        def split(self, action: Array) -> Array:
            return np.nan_to_num(action[..., 0]).astype(np.int64) % 3

    with pytest.raises(ContractError, match="counted from 0" if start else "is accepted"):
        check_env(Careless, steps=60)


class Combined(Race):
    """Race whose action is a choice of how much to add, and a number that means nothing."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        space = spaces.Tuple((spaces.Discrete(3), spaces.Box(0, 1, (1,))))
        self.spec = replace(self.spec, action_spaces=(space, space))

    def step(self, action: Array) -> TimeStep:
        if action.shape != (self.num_envs, 2, 2):
            raise InputError("actions do not fit.")
        return super().step(self.split(action))

    def legal(self) -> Bools:
        return np.ones((self.num_envs, 2, 0), np.bool_)

    def split(self, action: Array) -> Array:
        """The choices [B, 2]."""
        rows = checked(self.spec.action_spaces[0], action.reshape(-1, 2), 2 * self.num_envs, "Combined")
        return rows[:, 0].reshape(-1, 2).astype(np.int64)
