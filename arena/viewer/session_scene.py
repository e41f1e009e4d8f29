"""What is written over a game that people play: names, points, countdown, whose move it is, results."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from arena.viewer.hud import COINS, Caption, inks, signed, unit_of, with_caption
from arena.viewer.human_controls import board_keys, game_id
from envs.boards.scene import middle
from envs.boards.shapes import BOARDS
from envs.core import EnvSpec
from envs.scene import Color, Rectangle, Scene, Shape, Text
from envs.slime_volley.sight import is_court

if TYPE_CHECKING:
    from arena.viewer.human_game import HumanGame
    from arena.viewer.human_match import HumanMatch
    from arena.viewer.session import Phase

ACCENT: Color = (240, 150, 40)
PLATE: Color = (24, 28, 34)
BRIGHT, DIM = (238, 238, 238), (170, 175, 182)
"""On a plate."""
TOP, BOTTOM = 5.0, 2.4
"""Margins, in 20ths of the height."""


@dataclass(frozen=True, slots=True)
class Board:
    """How a session stands."""

    match: HumanMatch
    phase: Phase
    live: bool
    """Time goes on without anybody deciding."""
    left: float
    """s until the phase ends."""
    mover: int | None
    """Seat of the person who has to choose."""
    speed: float
    replays: bool
    """Every point is shown again."""
    rated: bool
    """Games count."""
    focus: int | None
    """The only seat of the team that is steered."""


def dressed(scene: Scene, board: Board) -> Scene:
    """`scene` with all of that over it, and, where it leaves no room for it, around it."""
    scene = framed(scene, board.match.spec, board.live)
    page = _Page(scene)
    shapes = [*_labels(board, page)]
    if board.mover is not None:
        shapes.append(page.foot(_prompt(board, board.mover)))
    match board.phase:
        case "countdown":
            shapes.append(page.line(str(max(1, math.ceil(board.left))), 4.9, 2.2, page.ink))
            shapes += [page.line(text, 6.5 + 1.2 * at, 0.9, page.dim) for at, text in enumerate(_sides(board))]
        case "paused":
            again = "" if board.rated else "   n: start again"
            shapes += page.plate(["paused", f"space: go on{again}   q: quit"])
        case "replay":
            shapes.append(page.line("replay   (r, space: skip)", 4.2, 1.2, ACCENT))
        case "result" if board.live:
            shapes += page.plate(_result(board))
        case "result":  # what lies on the table shall be seen
            shapes.append(page.foot("   ".join(_result(board))))
        case "over":
            shapes += page.plate(_outcome(board))
        case _:
            pass
    captioned = with_caption(scene, _caption(board))
    return replace(captioned, shapes=captioned.shapes + tuple(shapes))


def framed(scene: Scene, spec: EnvSpec, live: bool) -> Scene:
    """`scene` with margins: slime volleyball keeps its sky free; others get one at the top, and at the bottom one for
    prompts, unless the game is `live`."""
    if is_court(spec):
        return scene
    unit = unit_of(scene)
    return replace(scene, top=scene.top + TOP * unit, bottom=scene.bottom - (0 if live else BOTTOM * unit))


class _Page:
    """Where text goes on a scene, in its own units."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.unit = scene, unit_of(scene)
        self.middle = (scene.left + scene.right) / 2
        self.room = 0.94 * (scene.right - scene.left)
        self.ink, self.dim = inks(scene)

    def line(self, text: str, down: float, height: float, color: Color) -> Text:
        """Centred, `down` units below the top."""
        return Text(self.middle, self.scene.top - down * self.unit, text, height * self.unit, color, room=self.room)

    def foot(self, text: str) -> Text:
        """In the margin at the bottom."""
        y = self.scene.bottom + 0.9 * self.unit
        return Text(self.middle, y, text, 1.1 * self.unit, ACCENT, room=self.room)

    def plate(self, lines: list[str]) -> Iterator[Shape]:
        """Lines on a dark plate over the middle: the first one large."""
        heights = [3.2, *(1.3 for _ in lines[1:])]
        tall = sum(heights) * 1.2 + 0.8
        wide = max(0.5 * height * len(line) for height, line in zip(heights, lines, strict=True)) + 3
        half = min(wide * self.unit, self.room) / 2
        center = (self.scene.top + self.scene.bottom) / 2 - self.unit
        top = center + tall / 2 * self.unit
        yield Rectangle(self.middle - half, top - tall * self.unit, self.middle + half, top, PLATE)
        y = top - 0.4 * self.unit
        for height, line in zip(heights, lines, strict=True):
            y -= 0.6 * height * self.unit
            color = BRIGHT if height > 2 else DIM
            yield Text(self.middle, y, line, height * self.unit, color, room=1.9 * half)
            y -= 0.6 * height * self.unit


def _caption(board: Board) -> Caption:
    """Names and points from left to right, and the small print."""
    match, game = board.match, board.match.game
    entrants = [match.entrants[who] for who in game.order]
    totals = [float(game.total[match.spec.teams.index(team)]) for team in range(len(game.order))]
    court = is_court(match.spec)
    status = ["h: keys"]
    if board.speed != 1:
        status.insert(0, f"{board.speed:g}x")
    if board.replays:
        status.insert(0, "with replays")
    if board.focus is not None:
        status.insert(0, f"you steer {match.spec.seat_names[board.focus]}")
    return Caption(
        names=[entrant.name for entrant in entrants],
        ratings=[entrant.rating for entrant in entrants],
        points=[str(own) for own in game.points] if court else [signed(own) for own in totals],
        title="rated" if board.rated else "",
        game=len(match.games) + (game.result is None),
        games=match.best_of,
        won=[match.won[who] for who in game.order],
        step=game.steps,
        rally=None,
        status=" · ".join(status),
        room=COINS if court else 1.0,
    )


def _prompt(board: Board, seat: int) -> str:
    """Who is to choose what."""
    person = board.match.game.people[seat]
    if game_id(board.match.spec) in BOARDS:
        return f"{person.name}: press a number, or click"
    legal = board.match.game.legal(seat)
    lines = [line for line, able in zip(person.controls.legend, legal, strict=True) if able]
    return f"{person.name}:   " + "   ".join(line.replace("\t", ": ") for line in lines)


def _sides(board: Board) -> list[str]:
    """Where everybody who plays by hand sits, and with which keys."""
    game, spec = board.match.game, board.match.spec
    lines: dict[str, str] = {}
    two = len(set(spec.teams)) == 2
    for seat, person in game.people.items():
        side = f" plays {('left', 'right')[spec.teams[seat]]}" if two and spec.symmetric else ""
        side = side or (f" plays {spec.roles[seat]}" if two else "")
        lines.setdefault(f"{person.name}{side}", f"{person.name}{side}: {_keys(board, seat)}")
    return list(lines.values())


def legends(game: HumanGame) -> list[str]:
    """What all seats of people can do, each line once."""
    return list(dict.fromkeys(line for person in game.people.values() for line in person.controls.legend))


def _keys(board: Board, seat: int) -> str:
    """Of a person, in a few words."""
    person = board.match.game.people[seat]
    alone = len({id(one.hands) for one in board.match.game.people.values()}) == 1
    if alone:
        return "   ".join(line.replace("\t", ": ") for line in legends(board.match.game))
    return "arrows" if "left" in person.hands.keys else "a d w s"


def _labels(board: Board, page: _Page) -> Iterator[Shape]:
    """On a board, the key of every move that a person may make now."""
    id = game_id(board.match.spec)
    if board.mover is None or id not in BOARDS:
        return
    shape, legal = BOARDS[id], board.match.game.legal(board.mover)
    for action, key in enumerate(board_keys(shape)):
        x, y = middle(shape, action)
        if legal[action]:
            yield Text(x, shape.rows + 0.25 if shape.falls else y, key, 0.4, page.dim)


def _result(board: Board) -> list[str]:
    """Of the game that has just ended."""
    match, game = board.match, board.match.game
    assert game.result is not None
    points = [signed(game.result.score[match.spec.teams.index(team)]) for team in range(len(match.order))]
    if is_court(match.spec):
        points = [str(own) for own in game.points]
    winner = match.winner_of(game)
    if len(match.order) == 1:
        return ["game over", f"score {points[0]} in {game.result.steps} steps"]
    title = "a draw" if winner is None else f"{match.entrants[winner].name} wins"
    return [title, " : ".join(points)]


def _outcome(board: Board) -> list[str]:
    """Of the match."""
    match = board.match
    keys = "return: another match   q: quit"
    if len(match.entrants) == 1:
        scores = [signed(game.result.score[0]) for game in match.games if game.result]
        return ["game over", f"score {', '.join(scores)}", keys]
    winner = match.winner
    title = "the match is drawn" if winner is None else f"{match.entrants[winner].name} wins the match"
    won = "   ".join(f"{entrant.name} {count}" for entrant, count in zip(match.entrants, match.won, strict=True))
    return [title, f"games won: {won}", keys]
