"""Controls: what a person's hands mean in a game. Steering goes on whatever they do; a choice is waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from envs.boards.scene import cell_at, middle
from envs.boards.shapes import BOARDS, Board
from envs.core import Array, Bools, EnvSpec
from envs.errors import InputError
from envs.layout import action_dtype
from envs.registry import INCOMPLETE, INCOMPLETE_PREFIX
from envs.slime_volley.actions import encode

Space = spaces.Space[Any]
Ways = frozenset[str]
"""Of left, right, up and down, those that are held."""
DIGITS = "1234567890"
CHOICE_KEYS = DIGITS + "abcdefgijkmopsuvwxyz"
"""In the order of a seat's actions; the letters that a session needs itself are left out."""
KEYS_OF_TWO = ("12345", "67890")
"""Of two people who choose at the same time, the left one's first."""
NAMES: dict[str, tuple[str, ...]] = {
    "KuhnPoker-v0": ("check or fold", "bet or call"),
    "RockPaperScissors-v0": ("rock", "paper", "scissors"),
    "BiasedRockPaperScissors-v0": ("rock", "paper", "scissors"),
}
"""What choices are called, by game."""


class HandsLike(Protocol):
    """What controls look at, see `arena.viewer.human.Hands`."""

    typed: list[str]
    click: tuple[float, float] | None

    def ways(self) -> Ways:
        """Directions that are held."""
        ...


class Controls(Protocol):
    """How one seat is played."""

    waits: bool
    """Whether time stands still until its person has decided."""
    legend: tuple[str, ...]
    """A line for each thing that can be done, "keys<tab>what"."""

    def action(self, hands: HandsLike, legal: Bools) -> Array | None:
        """What is done [*action_shape]; None: nothing yet. legal [A]."""
        ...

    def rest(self, legal: Bools) -> Array:
        """What is done where nobody decides."""
        ...


class Steering:
    """Directions, held down."""

    waits = False

    def __init__(self, does: Callable[[Ways], Array], legend: Sequence[str]) -> None:
        """`does` makes an action of the directions that are held."""
        self._does, self.legend = does, tuple(legend)

    def action(self, hands: HandsLike, legal: Bools) -> Array:
        """See `Controls`."""
        return self._does(hands.ways())

    def rest(self, legal: Bools) -> Array:
        """As with hands off."""
        return self._does(frozenset())


class Choosing:
    """One of a few actions, by its key or by a click on its place."""

    def __init__(
        self,
        keys: Sequence[str],
        names: Sequence[str],
        spot: Callable[[float, float], int | None] = lambda x, y: None,
        waits: bool = True,
        dtype: Any = np.int64,
    ) -> None:
        """One key and one name for each action; `spot` says which lies at a place of the scene."""
        self.keys, self.waits = tuple(keys), waits
        self.legend = tuple(f"{key}\t{name}" for key, name in zip(keys, names, strict=True))
        self._spot, self._dtype = spot, dtype
        self._last = 0

    def action(self, hands: HandsLike, legal: Bools) -> Array | None:
        """The latest legal choice; where nobody waits for one, the one before that."""
        chosen = [self.keys.index(key) for key in hands.typed if key in self.keys]
        if hands.click:
            spot = self._spot(*hands.click)
            chosen += [] if spot is None else [spot]
        able = [choice for choice in chosen if legal[choice]]
        if able:
            self._last = able[-1]
        elif self.waits:
            return None
        return np.asarray(self._last, self._dtype)

    def rest(self, legal: Bools) -> Array:
        """The first legal choice."""
        return np.asarray(legal.argmax(), self._dtype)


def controls_of(spec: EnvSpec, people: int = 1) -> list[Controls]:
    """[P] how a person plays each seat of the game `spec`.

    Args:
        people: who share the keyboard.

    Raises:
        InputError: actions that keys cannot say.
    """
    return [_of_seat(spec, seat, people) for seat in range(spec.seats)]


def game_id(spec: EnvSpec) -> str:
    """Of the game itself, where `spec` is one with components hidden."""
    inside = spec.id.removeprefix(INCOMPLETE_PREFIX)
    return INCOMPLETE[inside][0] if inside in INCOMPLETE else inside


def _of_seat(spec: EnvSpec, seat: int, people: int) -> Controls:
    id, space, team = game_id(spec), spec.action_spaces[seat], spec.teams[seat]
    if id.startswith("SlimeVolley"):
        return _slime(space, team)
    if id == "CartPole-v0" or id == "CartPole-v1":
        return _cartpole()
    if id in ("Acrobot-v1", "MountainCar-v0"):
        return Steering(lambda ways: np.asarray(1 + _across(ways)), ["left/right or a/d\tpush"])
    if id == "Pendulum-v1":  # a torque to the left is positive
        return Steering(lambda ways: np.array([-2.0 * _across(ways)], np.float32), ["left/right or a/d\tpush"])
    if spec.roles[seat] == "speaker":
        return _speaker(space)
    if id in ("Spread-v0", "Tag-v0", "Adversary-v0", "SpeakerListener-v0"):
        return _particle(space)
    if isinstance(space, spaces.Discrete):
        return _choices(spec, int(space.n), id, team, people)
    if isinstance(space, spaces.Box) and space.shape in ((1,), (2,)) and space.is_bounded():
        return _levers(space)
    raise InputError(
        f"{spec.id} cannot be played by a person: keys can say Discrete actions and one or two levers, not {space}."
    )


def _across(ways: Ways) -> int:
    """-1 left, +1 right, 0 neither or both."""
    return int("right" in ways) - int("left" in ways)


def _along(ways: Ways) -> int:
    """-1 down, +1 up, 0 neither or both."""
    return int("up" in ways) - int("down" in ways)


def _slime(space: Space, team: int) -> Controls:
    forward = "right" if team == 0 else "left"  # towards the fence
    back = "left" if team == 0 else "right"

    def does(ways: Ways) -> Array:
        return encode(np.array([forward in ways, back in ways, "up" in ways]), space)

    return Steering(does, ["left/right or a/d\trun", "up or w\tjump"])


def _cartpole() -> Controls:
    """There is no doing nothing: with hands off the cart is pushed by turns, which moves it nowhere."""
    last = [0]

    def does(ways: Ways) -> Array:
        side = _across(ways)
        last[0] = 1 - last[0] if side == 0 else int(side > 0)
        return np.asarray(last[0])

    return Steering(does, ["left/right or a/d\tpush the cart"])


def _particle(space: Space) -> Controls:
    legend = ["arrows or w/a/s/d\tmove"]
    if isinstance(space, spaces.Discrete):  # nowhere, left, right, down, up
        order = ("left", "right", "down", "up")

        def chosen(ways: Ways) -> Array:
            return np.asarray(next((1 + at for at, way in enumerate(order) if way in ways), 0))

        return Steering(chosen, legend)

    def pushed(ways: Ways) -> Array:
        return np.array([0, "left" in ways, "right" in ways, "down" in ways, "up" in ways], np.float32)

    return Steering(pushed, legend)


def _speaker(space: Space) -> Controls:
    """Whoever speaks says the word that was chosen last until there is another one."""
    if isinstance(space, spaces.Discrete):
        words = int(space.n)
        return Choosing(DIGITS[:words], [f"say word {word + 1}" for word in range(words)], waits=False)
    raise InputError("a person can speak in SpeakerListener-v0 with continuous_actions=false only.")


def _choices(spec: EnvSpec, count: int, id: str, team: int, people: int) -> Controls:
    """One key for each action. Where people choose at the same time, each has keys of their own."""
    keys = CHOICE_KEYS
    if people > 1 and id in ("RockPaperScissors-v0", "BiasedRockPaperScissors-v0"):
        keys = KEYS_OF_TWO[min(team, 1)]
    if count > len(keys):
        raise InputError(
            f"{spec.id} cannot be played by a person: a seat has {count} actions, and there are {len(keys)} keys."
        )
    if id in BOARDS:
        board = BOARDS[id]
        keys = board_keys(board)
        return Choosing(keys, _board_names(board), lambda x, y: cell_at(board, x, y))
    known = NAMES.get(id, ())
    names = known if len(known) == count else tuple(f"action {action}" for action in range(count))
    return Choosing(keys[:count], names, dtype=action_dtype(spec.action_spaces[0]))


def board_keys(board: Board) -> str:
    """[A] the key of each action: columns from the left, or cells as one reads them."""
    if board.falls:
        return DIGITS[: board.actions]
    order = sorted(range(board.cells), key=lambda cell: (-middle(board, cell)[1], middle(board, cell)[0]))
    return "".join(DIGITS[order.index(cell)] for cell in range(board.cells))


def _board_names(board: Board) -> list[str]:
    what = "column" if board.falls else "cell"
    return [f"{what} {key}" for key in board_keys(board)]


def _levers(space: spaces.Box) -> Controls:
    """Each number of the action at its lowest, its middle or its highest: across for the first, along for the other."""
    low, high = space.low, space.high

    def does(ways: Ways) -> Array:
        pulled = np.array([_across(ways), _along(ways)][: len(low)])
        return np.where(pulled > 0, high, np.where(pulled < 0, low, (low + high) / 2)).astype(low.dtype)

    legend = ["left/right or a/d\tfirst lever", "up/down or w/s\tsecond lever"]
    return Steering(does, list(compress(legend, [True, len(low) > 1])))
