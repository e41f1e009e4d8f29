"""Rollout: what one player saw and did, as a frozen value. Always dry: `evaluate` gives the graph back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.play import Step, rows
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
    """Take `length` >= 1 steps from `steps` and keep what concerns the lanes of `player`.

    The stream goes on where this rollout stops, so calling again continues the same games.
    """
    timed, extras = _Columns(), _Columns()
    finals: list[tuple[Array, Array, Array]] = []
    for t, step in enumerate(islice(steps, length)):
        lanes, seats = step.lanes[player], step.action.shape[1]
        take = partial(rows, lanes=lanes)
        if t == 0:
            memory = step.memory[player]
        before, after = step.before, step.after
        for name, values in (("obs", before.obs), ("legal", before.legal)):
            timed.put(name, t, length + 1, take(values))
        for name, values in (("acts", before.acts), ("action", step.action), ("reward", after.reward)):
            timed.put(name, t, length, take(values))
        timed.put("score", t, length, take(after.score))
        for name, flags in (("terminated", after.terminated), ("truncated", after.truncated)):
            timed.put(name, t, length, take(flags[:, None].repeat(seats, 1)))
        for name, values in step.extras[player].items():
            extras.put(name, t, length, values)
        if after.truncated.any():
            cut = np.flatnonzero(timed["truncated"][t])
            finals.append(
                (take(after.final_obs)[cut], step.carried[player][cut], np.stack([np.full_like(cut, t), cut], 1))
            )
    timed.put("obs", length, length + 1, take(after.obs))
    timed.put("legal", length, length + 1, take(after.legal))
    none = (timed["obs"][0, :0], memory[:0], np.zeros((0, 2), np.int64))
    final_obs, final_memory, final_at = (
        torch.from_numpy(np.concatenate(part)) for part in zip(none, *finals, strict=True)
    )
    return Rollout(
        **{name: torch.from_numpy(column) for name, column in timed.items()},
        memory=torch.from_numpy(np.array(memory)),
        last_memory=torch.from_numpy(np.array(step.next_memory[player])),
        final_obs=final_obs,
        final_memory=final_memory,
        final_at=final_at,
        extras={name: torch.from_numpy(column) for name, column in extras.items()},
    )


class _Columns(dict[str, Array]):
    """Arrays [T, N, ...] that are filled one step at a time: each value is copied once, and freed while it is hot."""

    def put(self, name: str, t: int, length: int, values: Array) -> None:
        if t == 0:
            self[name] = np.empty((length, *values.shape), values.dtype)
        self[name][t] = values


class Evaluation(NamedTuple):
    """What a policy says about a rollout, with its graph attached; all [T, N]."""

    logprob: Tensor
    entropy: Tensor
    value: Tensor


def evaluate(policy: Policy, rollout: Rollout) -> Evaluation:
    """Log-probability of the recorded actions, entropy and value under `policy`.

    The policy that collected the rollout reproduces what it recorded (recurrent ones from `rollout.memory`).
    """
    lanes_first = [
        part.transpose(0, 1) for part in (rollout.obs[:-1], rollout.legal[:-1], rollout.ended, rollout.action)
    ]
    obs, legal, ended, action = lanes_first
    dist, value = policy.unroll(obs, legal, rollout.memory, ended)
    return Evaluation(*(rows.transpose(0, 1) for rows in (dist.log_prob(action), dist.entropy(), value)))


@torch.no_grad()
def bootstrap(policy: Policy, rollout: Rollout) -> tuple[Tensor, Tensor]:
    """Values of the views nobody acted on: after the last step [N], and of truncated games' last views [T, N]."""
    last = policy(rollout.obs[-1], None, rollout.last_memory).extras["value"]
    final = torch.zeros_like(rollout.reward)
    if len(rollout.final_at):
        step, lane = rollout.final_at.unbind(1)
        final[step, lane] = policy(rollout.final_obs, None, rollout.final_memory).extras["value"].to(final.dtype)
    return last, final
