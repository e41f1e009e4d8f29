"""Rollout: what one player saw and did, as a frozen value. Always dry: `evaluate` gives the graph back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.play import Step
from agents.policy import Policy
from envs.core import Array


@dataclass(frozen=True, slots=True)
class Rollout:
    """T steps of N lanes, time first. Where a game ends, the next row is the first view of the next game."""

    obs: Tensor
    """[T + 1, N, *obs_shape]; the last row is where the next rollout begins."""
    legal: Tensor
    """[T + 1, N, A]."""
    acts: Tensor
    """[T, N] whether the action mattered."""
    action: Tensor
    """[T, N, *action_shape]."""
    reward: Tensor
    """[T, N]."""
    terminated: Tensor
    """[T, N] the rules ended the game with this step."""
    truncated: Tensor
    """[T, N] the step limit did."""
    score: Tensor
    """[T, N] the seat's result where a game ended, NaN elsewhere."""
    memory: Tensor
    """[N, H] before the first step."""
    last_memory: Tensor
    """[N, H] before the step after the last."""
    final_obs: Tensor
    """[E, *obs_shape] last view of each truncated game."""
    final_memory: Tensor
    """[E, H] memory with which that view would have been met."""
    final_at: Tensor
    """[E, 2] its step and lane."""
    extras: Mapping[str, Tensor]
    """[T, N, ...] each, what the policy returned beside the action: "logprob", "value"."""

    @property
    def ended(self) -> Tensor:
        """[T, N] a game ended with this step."""
        return self.terminated | self.truncated

    @property
    def lane_count(self) -> int:
        """N."""
        return self.acts.shape[1]

    def lanes(self, index: Tensor) -> Rollout:
        """The lanes `index` [n], in that order."""
        where = torch.full((self.lane_count,), -1, device=index.device)
        where[index] = torch.arange(len(index), device=index.device)
        lane = where[self.final_at[:, 1]]
        kept = lane >= 0
        timed = {name: getattr(self, name).index_select(1, index) for name in _TIMED}
        return replace(
            self,
            **timed,
            memory=self.memory[index],
            last_memory=self.last_memory[index],
            final_obs=self.final_obs[kept],
            final_memory=self.final_memory[kept],
            final_at=torch.stack([self.final_at[kept, 0], lane[kept]], 1),
            extras={name: extra.index_select(1, index) for name, extra in self.extras.items()},
        )

    def to(self, device: torch.device | str) -> Rollout:
        """The same values on `device`."""
        plain = {f.name: getattr(self, f.name).to(device) for f in fields(self) if f.name != "extras"}
        return Rollout(**plain, extras={name: extra.to(device) for name, extra in self.extras.items()})


_TIMED = ("obs", "legal", "acts", "action", "reward", "terminated", "truncated", "score")


def cat(rollouts: list[Rollout]) -> Rollout:
    """The lanes of all `rollouts`, side by side; all must have the same T."""
    if len(rollouts) == 1:
        return rollouts[0]
    first = rollouts[0]
    joined = {name: torch.cat([getattr(r, name) for r in rollouts], 1) for name in _TIMED}
    stacked = {
        name: torch.cat([getattr(r, name) for r in rollouts])
        for name in ("memory", "last_memory", "final_obs", "final_memory")
    }
    shift = np.cumsum([0, *(r.lane_count for r in rollouts[:-1])])
    at = [
        r.final_at + torch.tensor([0, int(s)], device=r.final_at.device) for r, s in zip(rollouts, shift, strict=True)
    ]
    extras = {name: torch.cat([r.extras[name] for r in rollouts], 1) for name in first.extras}
    return Rollout(**joined, **stacked, final_at=torch.cat(at), extras=extras)


def collect(steps: Iterator[Step], length: int, player: int = 0) -> Rollout:
    """Take `length` steps from `steps` and keep what concerns the lanes of `player`.

    The stream goes on where this rollout stops, so calling again continues the same games.
    """
    columns: dict[str, list[Array]] = {name: [] for name in _TIMED}
    extras: dict[str, list[Array]] = {}
    finals: list[tuple[Array, Array, Array]] = []
    memory = last_memory = np.zeros((0, 0), np.float32)
    view = None
    for t, step in enumerate(islice(steps, length)):
        lanes, seats = step.lanes[player], step.action.shape[1]
        view = _Lanes(lanes, everywhere=len(lanes) == step.action.shape[0] * seats)
        if t == 0:
            memory = step.memory[player]
        for name, column in (
            ("obs", step.before.obs),
            ("legal", step.before.legal),
            ("acts", step.before.acts),
        ):
            columns[name].append(view(column))
        columns["action"].append(view(step.action))
        columns["reward"].append(view(step.after.reward))
        columns["score"].append(view(step.after.score))
        for name, flags in (("terminated", step.after.terminated), ("truncated", step.after.truncated)):
            columns[name].append(flags.repeat(seats)[lanes])
        for name, extra in step.extras[player].items():
            extras.setdefault(name, []).append(extra)
        if step.after.truncated.any():
            cut = np.flatnonzero(columns["truncated"][-1])
            at = np.stack([np.full_like(cut, t), cut], 1)
            finals.append((view(step.after.final_obs)[cut], step.carried[player][cut], at))
        last_memory = step.next_memory[player]
    assert view is not None, "length must be at least 1"
    columns["obs"].append(view(step.after.obs))
    columns["legal"].append(view(step.after.legal))
    timed = {name: torch.from_numpy(np.stack(column)) for name, column in columns.items()}
    none = (timed["obs"].numpy()[0, :0], memory[:0], np.zeros((0, 2), np.int64))
    final_obs, final_memory, final_at = (
        torch.from_numpy(np.concatenate(part)) for part in zip(none, *finals, strict=True)
    )
    return Rollout(
        **timed,
        memory=torch.from_numpy(np.array(memory)),
        last_memory=torch.from_numpy(np.array(last_memory)),
        final_obs=final_obs,
        final_memory=final_memory,
        final_at=final_at,
        extras={name: torch.from_numpy(np.stack(extra)) for name, extra in extras.items()},
    )


class _Lanes:
    """Picks a player's rows out of arrays [B, P, ...]."""

    def __init__(self, lanes: Array, everywhere: bool) -> None:
        self.lanes, self.everywhere = lanes, everywhere

    def __call__(self, column: Array) -> Array:
        flat = column.reshape(column.shape[0] * column.shape[1], *column.shape[2:])
        return flat if self.everywhere else flat[self.lanes]


class Evaluation(NamedTuple):
    """What a policy says about a rollout, with its graph attached; all [T, N]."""

    logprob: Tensor
    entropy: Tensor
    value: Tensor


def evaluate(policy: Policy, rollout: Rollout) -> Evaluation:
    """Log-probability of the recorded actions, entropy and value under `policy`.

    The policy that collected the rollout reproduces what it recorded (recurrent ones from `rollout.memory`).
    """
    dist, value = policy.unroll(rollout.obs[:-1], rollout.legal[:-1], rollout.memory, rollout.ended)
    return Evaluation(dist.log_prob(rollout.action), dist.entropy(), value)


@torch.no_grad()
def bootstrap(policy: Policy, rollout: Rollout) -> tuple[Tensor, Tensor]:
    """Values of the views nobody acted on: after the last step [N], and of truncated games' last views [T, N]."""
    last = policy(rollout.obs[-1], None, rollout.last_memory).extras["value"]
    final = torch.zeros_like(rollout.reward)
    if len(rollout.final_at):
        step, lane = rollout.final_at.unbind(1)
        final[step, lane] = policy(rollout.final_obs, None, rollout.final_memory).extras["value"].to(final.dtype)
    return last, final
