"""Overlays: what can be drawn over a game, each where it means something.

velocity       arrows at the ball and the slimes: where they will be in a fifth of a second at this speed
landing        the ball's way until it is down if nobody touches it, by the game's own rules
actions        what each seat does: the buttons, or which of its actions
probabilities  with what probability its policy chose each action
chance         the chance to win (`arena.viewer.chance_graph`)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from gymnasium import spaces

from arena.replay.simulate import Moment
from arena.viewer.game import Game
from arena.viewer.hud import TEAMS, extended, inks
from envs.core import EnvSpec, Floats
from envs.scene import Circle, Color, Line, Rectangle, Scene, Shape, Text
from envs.slime_volley.flight import flight
from envs.slime_volley.scene import Palette
from envs.slime_volley.sight import Bodies, bodies, buttons, is_court, sides

OVERLAYS = {"velocity": "v", "landing": "l", "actions": "a", "probabilities": "p", "chance": "w"}
"""Names and the keys that turn them on and off."""
SECONDS = 0.2
"""That an arrow is long, at the speed that it shows."""
MOST = 12
"""Actions of which each has a bar."""
ROW = 2.4
"""Units between the rows of two seats."""
SEATS = 4
"""Seats, on each side, that have room."""
LIFT = np.array([0.0, 0.75, 0.0, 0.0])
"""From where a slime stands to its middle."""
ARROWS = ("•", "→", "↗", "↑", "↖", "←")
"""Of the six actions of a player on the left; on the right it is the mirror's."""
MIRRORED = {"→": "←", "←": "→", "↗": "↖", "↖": "↗"}


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What is seen of a game at one time."""

    game: Game
    before: Moment
    now: Moment
    """The step after `before`, or the same."""
    share: float
    """How far from `before` to `now`, 0 to 1."""
    palette: Palette


def available(game: Game) -> list[str]:
    """The overlays that mean something in `game`."""
    found = ["velocity", "landing"] if is_court(game.spec) else []
    if all(_choices(space) for space in game.spec.action_spaces):
        found.append("actions")
        if game.insight.thinks:
            found.append("probabilities")
    return [*found, "chance"] if game.insight.rated else found


def with_overlays(scene: Scene, unit: float, names: set[str], glimpse: Glimpse) -> Scene:
    """`scene` with those of the overlays `names` that are available.

    Args:
        unit: in what sizes are given, game units.
    """
    wanted = names & set(available(glimpse.game)) - {"chance"}
    if not wanted:
        return scene
    shapes: list[Shape] = []
    if wanted & {"velocity", "landing"} and not _stale(glimpse):
        seen = _bodies(glimpse)
        if "landing" in wanted:
            shapes += _landing(scene, seen, glimpse)
        if "velocity" in wanted:
            shapes += _velocity(scene, seen)
    if wanted & {"actions", "probabilities"}:
        top = scene.top - 3.9 * unit
        if not is_court(glimpse.game.spec):
            top = scene.bottom - ROW * unit / 2
            scene = extended(scene, ROW * unit * _rows(glimpse.game.spec))
        shapes += _panels(scene, unit, top, wanted, glimpse)
    return replace(scene, shapes=(*scene.shapes, *shapes))


def _choices(space: spaces.Space[object]) -> int:
    """Bars that the actions of a seat take, 0 if they cannot be told apart like this."""
    if isinstance(space, spaces.Discrete):
        return int(space.n) if space.n <= MOST else 0
    if isinstance(space, spaces.MultiBinary) or (isinstance(space, spaces.Box) and space.shape == (3,)):
        return math.prod(space.shape or ())
    return 0


def _stale(glimpse: Glimpse) -> bool:
    """Whether a point was just won: views show the step before it then, and the picture the next serve."""
    return any(at in (glimpse.before.step, glimpse.now.step) for at, _ in glimpse.game.points)


def _bodies(glimpse: Glimpse) -> Bodies:
    """Where everything is between two steps, with the speeds of the later one."""
    spec = glimpse.game.spec
    old, new = bodies(glimpse.before.obs, spec), bodies(glimpse.now.obs, spec)
    return Bodies(_moved(old.ball, new.ball, glimpse.share), _moved(old.players, new.players, glimpse.share))


def _moved(old: Floats, new: Floats, share: float) -> Floats:
    place = old[..., :2] + share * (new[..., :2] - old[..., :2])
    return np.concatenate([place, new[..., 2:]], axis=-1)


def _velocity(scene: Scene, seen: Bodies) -> Iterator[Shape]:
    bright, _ = inks(scene)
    for x, y, vx, vy in [seen.ball, *(seen.players + LIFT)]:
        if math.hypot(vx, vy) > 0.5:
            yield from _arrow(float(x), float(y), float(vx) * SECONDS, float(vy) * SECONDS, 0.09, bright)


def _arrow(x: float, y: float, way_x: float, way_y: float, width: float, color: Color) -> Iterator[Line]:
    end_x, end_y, length = x + way_x, y + way_y, math.hypot(way_x, way_y)
    yield Line(x, y, end_x, end_y, width, color)
    head = min(5 * width, 0.6 * length) / length
    for turn in (math.radians(150), math.radians(-150)):
        cos, sin = math.cos(turn) * head, math.sin(turn) * head
        yield Line(end_x, end_y, end_x + cos * way_x - sin * way_y, end_y + sin * way_x + cos * way_y, width, color)


def _landing(scene: Scene, seen: Bodies, glimpse: Glimpse) -> Iterator[Shape]:
    solid = glimpse.game.spec.options.get("fence") == "solid"
    ball = bodies(glimpse.now.obs, glimpse.game.spec).ball  # a flight starts at a step, or it would be another
    path = flight(ball, solid)
    color = glimpse.palette.ball
    soft = _half(color, scene.background)
    for x, y in path[2:-1:3]:
        if y < scene.top:
            yield Circle(float(x), float(y), 0.13, soft)
    x = float(path[-1, 0])
    ground = 1.5
    for way in (-1, 1):
        yield Line(x + way * 0.6, ground - 0.35, x - way * 0.6, ground - 0.95, 0.2, color)


def _rows(spec: EnvSpec) -> int:
    """How many seats have their choices below each other."""
    first = sum(team == 0 for team in spec.teams)
    return min(max(first, spec.seats - first), SEATS)


def _panels(scene: Scene, unit: float, top: float, wanted: set[str], glimpse: Glimpse) -> Iterator[Shape]:
    """What each seat does, from `top` downwards: the first team on the left, others on the right."""
    game, now, spec = glimpse.game, glimpse.now, glimpse.game.spec
    court = is_court(spec)
    odds = game.insight.probabilities(glimpse.before) if "probabilities" in wanted else [None] * spec.seats
    rows = [0, 0]
    for seat in range(spec.seats):
        side = int(spec.teams[seat] != 0)
        row = rows[side]
        rows[side] += 1
        if row >= SEATS or now.action is None:
            continue
        colors = (glimpse.palette.left, glimpse.palette.right) if court else TEAMS
        pen = _Pen(scene, side, top - row * ROW * unit, unit, colors[side])
        if court and "actions" in wanted:
            yield from pen.keys(buttons(now.action, spec)[seat], sides(spec)[seat])
        if odds[seat] is not None or (not court and "actions" in wanted):
            count = _choices(spec.action_spaces[seat])
            chosen = _chosen(spec, seat, now) if glimpse.before.acts[seat] else []
            yield from pen.bars(odds[seat], chosen, _labels(spec, seat, count))


def _chosen(spec: EnvSpec, seat: int, now: Moment) -> list[int]:
    """The actions or buttons that the seat has chosen."""
    assert now.action is not None
    action = np.asarray(now.action[seat]).reshape(-1)
    if isinstance(spec.action_spaces[seat], spaces.Discrete):
        return [int(action[0])]
    return [int(at) for at in np.flatnonzero(action > 0)]


def _labels(spec: EnvSpec, seat: int, count: int) -> list[str]:
    if not is_court(spec):
        return [str(at) for at in range(count)]
    signs = ARROWS if count == len(ARROWS) else ("→", "←", "↑")
    return [MIRRORED.get(sign, sign) if spec.teams[seat] else sign for sign in signs]


class _Pen:
    """Draws one seat's row, from the edge of the picture inwards."""

    def __init__(self, scene: Scene, side: int, y: float, unit: float, color: Color) -> None:
        """`side` 0 starts at the left edge, 1 at the right; `y` is the base line."""
        self._y, self._unit, self._color, self._side = y, unit, color, side
        self._x = scene.right - 0.7 * unit if side else scene.left + 0.7 * unit
        self._bright, dim = inks(scene)
        self._dim = _half(dim, scene.background)
        self._soft = dim

    def _take(self, width: float) -> float:
        """The left end of the next `width`."""
        left = self._x - width if self._side else self._x
        self._x += (-1 if self._side else 1) * width
        return left

    def keys(self, pressed: Floats | object, side: int) -> Iterator[Shape]:
        """Three keys, left, up and right, of which those are lit that are `pressed` [3] (forward, backward, jump)."""
        forward, backward, jump = np.asarray(pressed).tolist()
        lit = (forward if side > 0 else backward, jump, backward if side > 0 else forward)
        unit, size = self._unit, 1.1 * self._unit
        left = self._take(3.9 * unit)
        for place, (on, way) in enumerate(zip(lit, ((-1, 0), (0, 1), (1, 0)), strict=True)):
            x = left + place * 1.25 * unit
            yield Rectangle(x, self._y, x + size, self._y + size, self._color if on else self._dim)
            ink = _readable(self._color) if on else self._soft
            reach = 0.3 * unit
            middle_x, middle_y = x + size / 2, self._y + size / 2
            start_x, start_y = middle_x - way[0] * reach, middle_y - way[1] * reach
            yield from _arrow(start_x, start_y, 2 * way[0] * reach, 2 * way[1] * reach, 0.1 * unit, ink)

    def bars(self, odds: Floats | None, chosen: list[int], labels: list[str]) -> Iterator[Shape]:
        """A bar for each action, as high as it was probable (none of them without `odds`), its label below."""
        unit, count = self._unit, len(labels)
        left = self._take(count * 0.75 * unit)
        for at, label in enumerate(labels):
            x = left + at * 0.75 * unit
            color = self._color if at in chosen else self._soft
            if odds is not None:
                high = 1.1 * unit * float(odds[at])
                yield Rectangle(x, self._y, x + 0.6 * unit, self._y + 0.05 * unit, self._dim)
                yield Rectangle(x, self._y, x + 0.6 * unit, self._y + max(high, 0.05 * unit), color)
            ink = self._bright if at in chosen else self._soft
            yield Text(x + 0.3 * unit, self._y - 0.5 * unit, label, 0.8 * unit, ink)


def _half(color: Color, other: Color) -> Color:
    red, green, blue = ((own + its) // 2 for own, its in zip(color, other, strict=True))
    return red, green, blue


def _readable(color: Color) -> Color:
    """Black or white, whatever can be read on `color`."""
    red, green, blue = color
    return (20, 20, 20) if 0.3 * red + 0.6 * green + 0.1 * blue > 128 else (245, 245, 245)
