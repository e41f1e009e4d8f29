"""JointRollout: what all seats of a game saw and did, as a frozen value, for learners whose critics see everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from agents.columns import Columns
from agents.play import Step
from envs.core import Array
from envs.errors import InputError

NOBODY = -1
"""Post of a seat in which somebody else than the learner sits."""


@dataclass(frozen=True, slots=True)
class JointRollout:
    """T steps of B games, time first, all seats of each. Where a game ends, the next row is the next one's first view.

    Seats that differ lie in rows as wide as the widest, see `envs.seats`.
    """

    obs: Tensor
    """[T + 1, B, P, *obs_shape]; the last row is where the next rollout begins."""
    legal: Tensor
    """[T + 1, B, P, A]."""
    acts: Tensor
    """[T, B, P] whether the action mattered."""
    action: Tensor
    """[T, B, P, *action_shape]."""
    reward: Tensor
    """[T, B, P]."""
    terminated: Tensor
    """[T, B] the rules ended the game with this step."""
    truncated: Tensor
    """[T, B] the step limit did."""
    score: Tensor
    """[T, B, P] each seat's result where a game ended, NaN elsewhere."""
    member: Tensor
    """[T, B, P] int16, which of several networks of one post played, see `agents.heads.Actor.members`."""
    final_obs: Tensor
    """[E, P, *obs_shape] last views of each truncated game."""
    final_at: Tensor
    """[E, 2] its step and its place among the B."""
    post: Tensor
    """[B, P] int16, index into `posts` of who of the learner's sits there; NOBODY for anybody else."""
    posts: tuple[str, ...]
    """Names of the learner's posts."""

    def __len__(self) -> int:
        """T."""
        return len(self.acts)

    @property
    def ended(self) -> Tensor:
        """[T, B] a game ended with this step."""
        return self.terminated | self.truncated


def collect_joint(steps: Iterator[Step], length: int, learns: Mapping[str, int]) -> JointRollout:
    """Take `length` >= 1 steps from `steps` and keep what all seats saw and did; the stream goes on where this stops.

    Args:
        learns: index of the player who is the learner's, by post.

    Raises:
        InputError: no step.
    """
    if length < 1:
        raise InputError(f"length = {length}: collect at least one step.")
    timed = Columns(length)
    finals: list[tuple[Array, Array]] = []
    for t, step in enumerate(islice(steps, length)):
        before, after = step.before, step.after
        for name, values in (("obs", before.obs), ("legal", before.legal), ("acts", before.acts)):
            timed.put(name, t, values)
        for name in ("reward", "terminated", "truncated", "score"):
            timed.put(name, t, getattr(after, name))
        timed.put("action", t, step.action)
        timed.put("member", t, _members(step, learns))
        if after.truncated.any():
            cut = np.flatnonzero(after.truncated)
            finals.append((after.final_obs[cut], np.stack([np.full_like(cut, t), cut], 1)))
    timed.put("obs", t + 1, after.obs)
    timed.put("legal", t + 1, after.legal)
    none = (after.final_obs[:0], np.zeros((0, 2), np.int64))
    final_obs, final_at = (torch.from_numpy(np.concatenate(part)) for part in zip(none, *finals, strict=True))
    longer = ("obs", "legal")
    return JointRollout(
        **{name: torch.from_numpy(column[: t + 1 + (name in longer)]) for name, column in timed.items()},
        final_obs=final_obs,
        final_at=final_at,
        post=torch.from_numpy(_seats(step, learns)),
        posts=tuple(learns),
    )


def side_by_side(rollouts: Sequence[JointRollout]) -> JointRollout:
    """The games of all `rollouts` side by side.

    Raises:
        InputError: none; or different numbers of steps, or different posts.
    """
    if not rollouts:
        raise InputError("no rollouts to join.")
    first = rollouts[0]
    if len(rollouts) == 1:
        return first
    posts = tuple(dict.fromkeys(name for rollout in rollouts for name in rollout.posts))
    if len({len(rollout) for rollout in rollouts}) > 1:
        raise InputError("rollouts whose games are joined need the same number of steps.")
    timed = [f.name for f in fields(first) if f.name not in ("final_obs", "final_at", "post", "posts")]
    at, games = [], 0
    for rollout in rollouts:
        at.append(rollout.final_at + rollout.final_at.new_tensor([0, games]))
        games += rollout.acts.shape[1]
    return replace(
        first,
        **{name: torch.cat([getattr(rollout, name) for rollout in rollouts], 1) for name in timed},
        final_obs=torch.cat([rollout.final_obs for rollout in rollouts]),
        final_at=torch.cat(at),
        post=torch.cat([_renumbered(rollout, posts) for rollout in rollouts]),
        posts=posts,
    )


def _renumbered(rollout: JointRollout, posts: Sequence[str]) -> Tensor:
    """`rollout.post` as indices into `posts`."""
    table = torch.tensor([*(posts.index(name) for name in rollout.posts), NOBODY], dtype=torch.int16)
    return table[rollout.post.long()]  # NOBODY is the last


def _seats(step: Step, learns: Mapping[str, int]) -> Array:
    """[B, P] int16, see `JointRollout.post`."""
    seats = np.full_like(step.before.acts, NOBODY, np.int16)
    for index, player in enumerate(learns.values()):
        seats.reshape(-1)[step.lanes[player]] = index
    return seats


def _members(step: Step, learns: Mapping[str, int]) -> Array:
    """[B, P] int16, the extra "member" of the learner's players; 0 elsewhere."""
    members = np.zeros_like(step.before.acts, np.int16)
    for player in learns.values():
        if "member" in step.extras[player]:
            members.reshape(-1)[step.lanes[player]] = step.extras[player]["member"]
    return members
