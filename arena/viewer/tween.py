"""Tween: what lies between two steps of a game, so that 30 steps a second are smooth at 60 pictures a second."""

from __future__ import annotations

from dataclasses import replace

from envs.scene import Circle, HalfDisc, Line, Picture, Rectangle, Scene, Shape, Text

JUMP = 1 / 12
"""Share of the visible width: what moves further in one step is not shown in between (a new serve)."""


def between(before: Scene, after: Scene, share: float) -> Scene:
    """`after` with its shapes on their way there: `share` 0 is where they were `before`, 1 where they are."""
    if share >= 1 - 1e-9 or before is after or len(before.shapes) != len(after.shapes):
        return after
    reach = JUMP * (after.right - after.left)
    pairs = zip(before.shapes, after.shapes, strict=True)
    return replace(after, shapes=tuple(_between(old, new, share, reach) for old, new in pairs))


def _between(old: Shape, new: Shape, share: float, reach: float) -> Shape:
    if old == new or type(old) is not type(new) or isinstance(new, Text | Picture):
        return new
    if not isinstance(old, Text | Picture) and old.color == new.color:
        match old, new:
            case Circle() | HalfDisc(), Circle() | HalfDisc():
                if _near((new.x - old.x, new.y - old.y), reach):
                    return replace(new, x=_mixed(old.x, new.x, share), y=_mixed(old.y, new.y, share))
            case Line(), Line():
                return _line(old, new, share, reach)
            case Rectangle(), Rectangle():
                return _rectangle(old, new, share, reach)
    return new


def _line(old: Line, new: Line, share: float, reach: float) -> Line:
    if not _near((new.x0 - old.x0, new.y0 - old.y0), reach) or not _near((new.x1 - old.x1, new.y1 - old.y1), reach):
        return new
    x0, y0 = _mixed(old.x0, new.x0, share), _mixed(old.y0, new.y0, share)
    return replace(new, x0=x0, y0=y0, x1=_mixed(old.x1, new.x1, share), y1=_mixed(old.y1, new.y1, share))


def _rectangle(old: Rectangle, new: Rectangle, share: float, reach: float) -> Rectangle:
    """One that keeps its size is on its way; one that does not is another."""
    x, y = new.left - old.left, new.bottom - old.bottom
    if not _near((x, y), reach) or max(abs(new.right - old.right - x), abs(new.top - old.top - y)) > 1e-6:
        return new
    x, y = (share - 1) * x, (share - 1) * y
    return replace(new, left=new.left + x, right=new.right + x, bottom=new.bottom + y, top=new.top + y)


def _near(way: tuple[float, float], reach: float) -> bool:
    return abs(way[0]) + abs(way[1]) <= reach


def _mixed(old: float, new: float, share: float) -> float:
    return old + share * (new - old)
