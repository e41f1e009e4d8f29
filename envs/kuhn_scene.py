"""Kuhn poker as a picture: both cards open, chips on the table, and how the hand before ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from envs.scene import Circle, Color, Rectangle, Scene, Shape, Text

WIDTH = 800
"""Pixels, for 16 x 10 units."""
TABLE, STRIP, INK, DIM = (22, 84, 58), (14, 54, 38), (240, 240, 232), (150, 190, 168)
CARD, BACK, EDGE, TURN = (250, 248, 240), (58, 86, 150), (12, 40, 28), (250, 206, 72)
FACES: tuple[tuple[str, Color], ...] = (("J", (40, 40, 48)), ("Q", (176, 40, 48)), ("K", (40, 40, 48)))
CHIP, RIM = (214, 72, 60), (240, 232, 220)


def kuhn_scene(hand: Sequence[int], shown: Sequence[int], seen: Collection[int] = (0, 1), over: bool = False) -> Scene:
    """`hand` and `shown`, the hand before: two cards (0 jack, 1 queen, 2 king), then the moves 0, 1 or -1; [5] each.

    Args:
        seen: seats whose cards lie open; the others show their backs.
        over: `hand` has ended, so it is nobody's turn.
    """
    cards, moves = hand[:2], [move for move in hand[2:] if move >= 0]
    shapes: list[Shape] = []
    for seat, x in ((0, 4.0), (1, 12.0)):
        turn = len(moves) % 2 == seat and not over
        shapes += _card(x, 5.3, cards[seat] if seat in seen else None, TURN if turn else EDGE)
        shapes.append(Text(x, 9.2, ("first", "second")[seat], 0.8, TURN if turn else DIM))
        shapes.append(Text(x, 2.6, ", ".join(_words(moves)[seat::2]), 0.7, INK))
        shapes += _chips(6.4 if seat == 0 else 9.6, 1 + sum(moves[seat::2]))
    shapes.append(Rectangle(0.0, 0.0, 16.0, 1.6, STRIP))
    shapes.append(Text(8.0, 0.8, _told(shown), 0.7, DIM))
    return Scene(0.0, 16.0, 0.0, 10.0, TABLE, tuple(shapes), WIDTH)


def _card(x: float, y: float, card: int | None, edge: Color) -> Iterator[Shape]:
    """None: its back."""
    yield Rectangle(x - 1.75, y - 2.25, x + 1.75, y + 2.25 + 0.75, edge)
    yield Rectangle(x - 1.6, y - 2.1, x + 1.6, y + 2.1 + 0.75, CARD)
    if card is None:
        yield Rectangle(x - 1.3, y - 1.8, x + 1.3, y + 1.8 + 0.75, BACK)
    else:
        letter, color = FACES[card]
        yield Text(x, y + 0.35, letter, 3.4, color)


def _chips(x: float, count: int) -> Iterator[Shape]:
    """A column of chips on the table."""
    for chip in range(count):
        yield Circle(x, 4.6 + 1.3 * chip, 0.6, RIM)
        yield Circle(x, 4.6 + 1.3 * chip, 0.46, CHIP)


def _words(moves: Sequence[int]) -> list[str]:
    """What poker players call the moves."""
    words = []
    for place, move in enumerate(moves):
        faced = place > 0 and moves[place - 1] == 1
        words.append((("check", "bet"), ("fold", "call"))[faced][move])
    return words


def _told(shown: Sequence[int]) -> str:
    """The hand before, in one line."""
    if shown[0] < 0:
        return "the first hand"
    moves = [move for move in shown[2:] if move >= 0]
    words = _words(moves)
    cards = " against ".join(FACES[card][0] for card in shown[:2])
    if words[-1] == "fold":
        won, winner = 1, len(moves) % 2  # the one who did not move last
    else:
        won, winner = (2 if words[-1] == "call" else 1), int(shown[1] > shown[0])
    return f"before: {cards}, {', '.join(words)}: {won} to the {('first', 'second')[winner]}"
