"""The table of particle games: who is in the world, how they are built, and which rules pay them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from envs.mpe import adversary, speaker_listener, spread, tag
from envs.mpe.options import AdversaryOptions, MpeOptions, SpreadOptions, TagOptions
from envs.mpe.world import ALONG
from envs.scene import Color

SENSITIVITY = 5.0
"""What an action pushes with, unless said otherwise."""
BLUE, RED, GREEN, GREY, BLACK = (70, 70, 170), (170, 70, 70), (70, 170, 70), (110, 110, 110), (50, 50, 50)
PRIMARIES: tuple[Color, ...] = ((170, 60, 60), (60, 150, 60), (60, 60, 170))
"""Of the landmarks of `SpeakerListener-v0`."""


@dataclass(frozen=True, slots=True)
class Body:
    """One agent or landmark."""

    size: float
    """Radius."""
    color: Color
    solid: bool = False
    """Others bump into it."""
    reach: float = 1.0
    """Greatest coordinate at which a game may start with it."""
    accel: float = SENSITIVITY
    """What an agent's action pushes with; 0: it cannot move."""
    top_speed: float = math.inf


@dataclass(frozen=True, slots=True)
class Scenario:
    """One game: everything that the batch class is not."""

    rules: Any
    """Module with `look(position, velocity, said, goal, hunters, obs)` and `pay(position, goal, size, hunters, share,
    reward)`: `position` [B, E, 2] agents first, `velocity` [B, P, 2], `said` [B, W], `goal` [B] place among the
    landmarks, `size` [E], the other fields of this table; they write `obs` [B, P, D] and `reward` [B, P]."""
    names: tuple[str, ...]
    """[P] mpe2's names of the agents; without the number, their roles."""
    agents: tuple[Body, ...]
    """[P]."""
    landmarks: tuple[Body, ...]
    sees: tuple[int, ...]
    """[P] how many numbers each agent sees."""
    hunters: int = 0
    """Agents from the first on that play against the others: a team of their own."""
    goals: int = 1
    """Landmarks among which the goal is drawn; 1 where no landmark is special."""
    words: int = 0
    """What the first agent, which cannot move, can say; 0 where all are mute."""
    share: float = 1.0
    """`SpreadOptions.local_ratio`."""
    obs_names: tuple[str, ...] = ()
    """[D] what the numbers of an observation are, where all agents see the same."""

    @property
    def roles(self) -> tuple[str, ...]:
        """[P] names without their numbers."""
        return tuple(name.rpartition("_")[0] for name in self.names)

    @property
    def choices(self) -> tuple[int, ...]:
        """[P] of each agent's actions."""
        return tuple(len(ALONG) if agent.accel else self.words for agent in self.agents)


def _named(role: str, count: int) -> tuple[str, ...]:
    return tuple(f"{role}_{number}" for number in range(count))


def _spread(options: MpeOptions) -> Scenario:
    assert isinstance(options, SpreadOptions)
    count = options.N
    others = _named("other", count - 1)
    places = [f"{thing}_{axis}" for thing in (*_named("landmark", count), *others) for axis in "xy"]
    words = [f"{other}_word_{word}" for other in others for word in range(2)]
    own = ("velocity_x", "velocity_y", "position_x", "position_y")
    return Scenario(
        rules=spread,
        names=_named("agent", count),
        agents=(Body(0.15, BLUE, solid=True),) * count,
        landmarks=(Body(0.05, BLACK),) * count,
        sees=(len(own) + len(places) + len(words),) * count,
        share=options.local_ratio,
        obs_names=(*own, *places, *words),
    )


def _tag(options: MpeOptions) -> Scenario:
    assert isinstance(options, TagOptions)
    bad, good, obstacles = options.num_adversaries, options.num_good, options.num_obstacles
    most = 4 + 2 * (obstacles + bad + good - 1) + 2 * good
    return Scenario(
        rules=tag,
        names=_named("adversary", bad) + _named("agent", good),
        agents=(Body(0.075, RED, solid=True, accel=3.0, top_speed=1.0),) * bad
        + (Body(0.05, GREEN, solid=True, accel=4.0, top_speed=1.3),) * good,
        landmarks=(Body(0.2, BLACK, solid=True, reach=0.9),) * obstacles,
        sees=(most,) * bad + (most - 2,) * good,
        hunters=bad,
    )


def _adversary(options: MpeOptions) -> Scenario:
    assert isinstance(options, AdversaryOptions)
    count = options.N
    return Scenario(
        rules=adversary,
        names=("adversary_0", *_named("agent", count)),
        agents=(Body(0.15, RED),) + (Body(0.15, BLUE),) * count,
        landmarks=(Body(0.08, BLACK),) * count,
        sees=(4 * count,) + (4 * count + 2,) * count,
        hunters=1,
        goals=count,
    )


def _speaker_listener(options: MpeOptions) -> Scenario:
    words = len(PRIMARIES)
    return Scenario(
        rules=speaker_listener,
        names=("speaker_0", "listener_0"),
        agents=(Body(0.075, GREY, accel=0.0), Body(0.075, GREY)),
        landmarks=tuple(Body(0.04, color) for color in PRIMARIES),
        sees=(words, 2 + 2 * words + words),
        goals=words,
        words=words,
    )


SCENARIOS: dict[str, tuple[type[MpeOptions], Callable[[MpeOptions], Scenario]]] = {
    "Spread-v0": (SpreadOptions, _spread),
    "Tag-v0": (TagOptions, _tag),
    "Adversary-v0": (AdversaryOptions, _adversary),
    "SpeakerListener-v0": (MpeOptions, _speaker_listener),
}
"""Every game by its id: model of its options, and the game that they make."""
