"""What keys, clicks and gamepads mean in each game."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from gymnasium import spaces

from arena.viewer.gamepad import ways
from arena.viewer.human import ARROWS, BOTH, LETTERS, Hands, key_maps
from arena.viewer.human_controls import board_keys, controls_of
from arena.viewer.human_window import place_in
from envs import make
from envs.boards.scene import cell_at, middle
from envs.boards.shapes import BOARDS
from envs.errors import InputError
from envs.scene import Scene

FREE = np.ones(9, np.bool_)


def doing(id: str, *held: str, seat: int = 0, typed: tuple[str, ...] = (), **options: object) -> list[float]:
    """What somebody in `seat` does with these keys down."""
    env = make(id, 1, **options)
    hands = Hands(BOTH)
    hands.feel(held, typed)
    action = controls_of(env.spec)[seat].action(hands, FREE)
    assert action is not None
    return np.atleast_1d(action).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("seat", "held", "button"),
    [
        (0, ("right",), [1, 0, 0]),
        (0, ("a",), [0, 1, 0]),
        (1, ("right",), [0, 1, 0]),
        (1, ("a", "w"), [1, 0, 1]),
        (0, ("up",), [0, 0, 1]),
        (0, (), [0, 0, 0]),
    ],
)
def test_towards_the_fence_is_forward_on_both_sides(seat: int, held: tuple[str, ...], button: list[int]) -> None:
    assert doing("SlimeVolley-v0", *held, seat=seat, actions="multibinary") == button


def test_directions_in_other_games() -> None:
    assert [doing("Spread-v0", key) for key in ("left", "right", "down", "up")] == [[1], [2], [3], [4]]
    assert doing("Spread-v0", "d", continuous_actions=True) == [0, 0, 1, 0, 0]
    assert [doing("MountainCar-v0", *held) for held in (("left",), (), ("right",))] == [[0], [1], [2]]
    assert [doing("Pendulum-v1", *held) for held in (("left",), (), ("right",))] == [[2], [0], [-2]]
    assert [doing("MountainCarContinuous-v0", *held) for held in (("left",), (), ("right",))] == [[-1], [0], [1]]
    assert doing("SpeakerListener-v0", typed=("3",)) == [2]


def test_a_cart_with_hands_off_is_pushed_by_turns() -> None:
    env = make("CartPole-v1")
    (controls,), hands = controls_of(env.spec), Hands(BOTH)
    pushes = [str(controls.action(hands, FREE)) for _ in range(6)]
    assert pushes.count("1") == 3
    assert set(pairwise(pushes)) == {("0", "1"), ("1", "0")}


def test_games_that_keys_cannot_say_are_refused() -> None:
    many = replace(make("TicTacToe-v0").spec, id="Many-v0", action_spaces=(spaces.Discrete(99),) * 2)
    with pytest.raises(InputError, match="a seat has 99 actions"):
        controls_of(many)
    with pytest.raises(InputError, match="Many-v0 cannot be played by a person"):
        controls_of(replace(many, action_spaces=(spaces.MultiBinary(4),) * 2))


@pytest.mark.parametrize("id", sorted(BOARDS))
def test_a_click_on_a_cell_is_its_action_and_its_number_lies_on_it(id: str) -> None:
    board = BOARDS[id]
    for cell in range(board.cells):
        assert cell_at(board, *middle(board, cell)) == (cell % board.columns if board.falls else cell)
    assert cell_at(board, -0.1, 1.0) is None
    assert cell_at(board, 1.0, 99.0) is None
    assert sorted(board_keys(board)) == sorted("123456789"[: board.actions])
    if not board.falls:  # as one reads
        assert middle(board, board_keys(board).index("1")) == (0.5, 2.5)
        assert middle(board, board_keys(board).index("9")) == (2.5, 0.5)


def test_pixels_are_places_of_the_scene() -> None:
    scene = Scene(-4, 4, 0, 4, (0, 0, 0), (), 800)
    assert place_in(scene, (800, 400), (400, 200)) == (0, 2)
    assert place_in(scene, (800, 800), (400, 200)) == (0, 4)  # black above and below
    assert place_in(scene, (1600, 400), (400, 400)) == (-4, 0)


def test_two_people_have_keys_of_their_own() -> None:
    assert key_maps([0, 1]) == [LETTERS, ARROWS]
    assert key_maps([1]) == [BOTH]
    left, right = (Hands(keys) for keys in key_maps([0, 1]))
    for hands in (left, right):
        hands.feel({"a", "up"})
    assert left.ways() == {"left"}
    assert right.ways() == {"up"}


def test_a_tap_between_two_steps_counts_once() -> None:
    hands = Hands(BOTH)
    hands.feel((), ["up"])
    hands.feel(())
    assert hands.ways() == {"up"}
    hands.forget()
    assert hands.ways() == frozenset()


class Pad:
    def __init__(self, x: float = 0, y: float = 0, hat: tuple[int, int] = (0, 0), down: tuple[int, ...] = ()) -> None:
        self._axes, self._hat, self._down = (x, y), hat, down

    def get_numaxes(self) -> int:
        return 2

    def get_axis(self, axis: int, /) -> float:
        return self._axes[axis]

    def get_numhats(self) -> int:
        return 1

    def get_hat(self, hat: int, /) -> tuple[float, float]:
        return self._hat

    def get_numbuttons(self) -> int:
        return 8

    def get_button(self, button: int, /) -> bool:
        return button in self._down


def test_a_gamepad_steers_with_stick_cross_and_buttons() -> None:
    assert ways(Pad(x=-0.9)) == {"left"}
    assert ways(Pad(x=0.2, y=-0.3)) == frozenset()
    assert ways(Pad(y=-1)) == {"up"}
    assert ways(Pad(hat=(1, 1))) == {"right", "up"}
    assert ways(Pad(down=(2,))) == {"up"}
    assert ways(Pad(down=(6,))) == frozenset()
