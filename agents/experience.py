"""Experience: what a crew saw and did, in the form in which it learns from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agents.collect import collect, collect_games
from agents.crew import Experience, Sees
from agents.joint import JointRollout, collect_joint, side_by_side
from agents.play import Step
from agents.rollout import Rollout, cat
from envs.errors import InputError


def experience(steps: Iterator[Step], length: int, episodes: int, learns: Mapping[str, int], sees: Sees) -> Experience:
    """Of the next `length` steps, or, where that is 0, of the first `episodes` games of each row.

    Args:
        learns: index of the player who is the crew's, by post.
        sees: what is kept of each step, see `agents.crew.Crew`.

    Raises:
        InputError: whole games of a crew that learns from joint steps.
    """
    if sees == "joint":
        if not length:
            raise InputError("this algorithm learns from steps, not from whole episodes: set steps, not episodes.")
        return collect_joint(steps, length, learns)
    found: dict[str, Rollout] = {}
    kept: list[Step] = []
    source = steps if len(learns) == 1 else _noted(steps, kept)
    for post, player in learns.items():
        central = sees == "central"
        if length:
            found[post] = collect(source, length, player, central=central)
        else:
            found[post] = collect_games(source, episodes, player, central=central)
        source = iter(kept)
    return found


def _noted(steps: Iterator[Step], kept: list[Step]) -> Iterator[Step]:
    """`steps`, each of which is kept for the next post."""
    for step in steps:
        kept.append(step)
        yield step


def together(parts: Sequence[Experience]) -> Experience:
    """That of games side by side."""
    joint = [part for part in parts if isinstance(part, JointRollout)]
    if joint:
        return side_by_side(joint)
    rollouts = [part for part in parts if not isinstance(part, JointRollout)]
    return {post: cat([part[post] for part in rollouts]) for post in rollouts[0]}
