"""Gamepads, where there are some: the left stick or the cross steers, any button of the face jumps."""

from __future__ import annotations

import os
from typing import Protocol

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pygame

DEAD = 0.4
"""Share of its way that a stick moves before it counts."""
FACE = 4
"""Buttons of the face, which come first: A, B, X, Y."""
PAUSE = 7
"""Number of the start button on most pads."""


class Stick(Protocol):
    """What is used of `pygame.joystick.Joystick`."""

    def get_numaxes(self) -> int:
        """How many axes it has."""
        ...

    def get_axis(self, axis: int, /) -> float:
        """-1 left or up, 1 right or down."""
        ...

    def get_numhats(self) -> int:
        """How many crosses it has."""
        ...

    def get_hat(self, hat: int, /) -> tuple[float, float]:
        """-1, 0, 1 across; 1 is up."""
        ...

    def get_numbuttons(self) -> int:
        """How many buttons it has."""
        ...

    def get_button(self, button: int, /) -> bool:
        """Whether it is down."""
        ...


def ways(stick: Stick) -> frozenset[str]:
    """Directions that are held on a pad."""
    x, y = (stick.get_axis(0), -stick.get_axis(1)) if stick.get_numaxes() >= 2 else (0.0, 0.0)
    if stick.get_numhats():
        hat_x, hat_y = stick.get_hat(0)
        x, y = hat_x or x, hat_y or y
    jump = any(stick.get_button(button) for button in range(min(FACE, stick.get_numbuttons())))
    held = {"left": x < -DEAD, "right": x > DEAD, "up": y > DEAD or jump, "down": y < -DEAD}
    return frozenset(way for way, down in held.items() if down)


class Gamepads:
    """All pads, also those that are plugged in later. Starts only pygame's joysticks, nothing with sound."""

    def __init__(self) -> None:
        """Look for them."""
        pygame.joystick.init()
        self._sticks: list[Stick] = []
        self._paused: set[int] = set()

    def look(self) -> None:
        """Take in what has been plugged in or out; to be called once the window has read its events."""
        if pygame.joystick.get_count() != len(self._sticks):
            self._sticks = [pygame.joystick.Joystick(number) for number in range(pygame.joystick.get_count())]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sticks)

    def ways(self, number: int) -> frozenset[str]:
        """Directions held on pad `number`, none where there is no such pad."""
        return ways(self._sticks[number]) if number < len(self._sticks) else frozenset()

    def pauses(self) -> bool:
        """Whether somebody has pressed start since the last call."""
        down = {
            number
            for number, stick in enumerate(self._sticks)
            if stick.get_numbuttons() > PAUSE and stick.get_button(PAUSE)
        }
        fresh = bool(down - self._paused)
        self._paused = down
        return fresh

    def close(self) -> None:
        """Let go of them."""
        self._sticks = []
        pygame.joystick.quit()


class Pads(Protocol):
    """What is used of `Gamepads`."""

    def look(self) -> None:
        """Take in which there are."""
        ...

    def ways(self, number: int) -> frozenset[str]:
        """Directions that are held on one."""
        ...

    def pauses(self) -> bool:
        """Whether start was pressed."""
        ...

    def close(self) -> None:
        """Let go of them."""
        ...
