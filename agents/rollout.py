"""Rollout: what one player saw and did, as a frozen value. Always dry: `evaluate` and `attach` give the graph back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from numpy.random import Generator
from torch import Tensor

from agents.policy import Policy
from agents.returns import discounted, next_values
from agents.transfer import sent
from envs.errors import InputError

MEMORY = "memory"
"""Name, among the extras, of what was remembered before each step [T, N, H], where it was kept."""


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
    """[T, N, ...] each, what the policy returned beside the action, under its names: "logprob", "value", ..."""

    @property
    def ended(self) -> Tensor:
        """[T, N] a game ended with this step."""
        return self.terminated | self.truncated

    @property
    def lane_count(self) -> int:
        """N."""
        return self.acts.shape[1]

    @property
    def returns(self) -> Tensor:
        """[G] sum of the rewards of each game that ended, lane by lane; of what lies in this rollout, if it began
        before it. Games too many (see `collect_games`) are left out."""
        lane, first, last = self._games()
        total = torch.cat([self.reward.new_zeros(1, self.lane_count), self.reward]).double().cumsum(0)
        return total[last + 1, lane] - total[first, lane]

    @property
    def lengths(self) -> Tensor:
        """[G] steps of the same games."""
        _, first, last = self._games()
        return last + 1 - first

    def _games(self) -> tuple[Tensor, Tensor, Tensor]:
        """Lane, first and last step, [G] each, of the games that ended, lane by lane."""
        lane, last = (self.ended & ~self.score.isnan()).T.nonzero().unbind(1)
        fresh = torch.ones_like(lane, dtype=torch.bool)
        fresh[1:] = lane[1:] != lane[:-1]
        return lane, (last.roll(1) + 1).masked_fill(fresh, 0), last

    def mc_returns(self, gamma: float, values: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Monte-Carlo returns [T, N]: discounted rewards from each step to the end of its game.

        A game that was cut, by the limit or by the end of the rollout, is worth what was seen of it; with `values`, as
        `bootstrap` gives them, the value of its last view is added.
        """
        ends = (self.terminated, self.truncated)
        nothing = torch.zeros_like(self.reward)
        following = nothing if values is None else next_values(nothing, *values, *ends)
        return discounted(self.reward, following, *ends, gamma)

    def __len__(self) -> int:
        """T."""
        return len(self.acts)

    def __getitem__(self, steps: slice) -> Rollout:
        """The steps `rollout[a:b]`, which share their data with this one.

        Raises:
            InputError: not a slice of consecutive steps, or of none; or one of a player that remembers, and what it
                remembered was not kept (see `collect`).
        """
        if not isinstance(steps, slice) or steps.step not in (None, 1):
            raise InputError(f"rollout[{steps}]: take consecutive steps, as in rollout[3:7].")
        start, stop, _ = steps.indices(len(self))
        if start >= stop:
            raise InputError(f"rollout[{steps.start}:{steps.stop}] of {len(self)} steps is empty.")
        kept = (self.final_at[:, 0] >= start) & (self.final_at[:, 0] < stop)
        return replace(
            self,
            **{name: getattr(self, name)[start : stop + (name in _LONGER)] for name in _TIMED},
            memory=self._memory_before(start),
            last_memory=self._memory_before(stop),
            final_obs=self.final_obs[kept],
            final_memory=self.final_memory[kept],
            final_at=self.final_at[kept] - self.final_at.new_tensor([start, 0]),
            extras={name: extra[start:stop] for name, extra in self.extras.items()},
        )

    def _memory_before(self, step: int) -> Tensor:
        """[N, H]."""
        if step == len(self):
            return self.last_memory
        if step == 0 or not self.memory.shape[1]:
            return self.memory
        if MEMORY not in self.extras:
            raise InputError(f"what was remembered at step {step} was not kept: collect with keep_memory=True.")
        return self.extras[MEMORY][step]

    def lanes(self, index: Tensor) -> Rollout:
        """The lanes `index` [n], distinct, in that order; or those where `index` [N] is true.

        Raises:
            InputError: a lane twice.
        """
        index = index.nonzero().squeeze(1) if index.dtype == torch.bool else index
        where = torch.full((self.lane_count,), -1, device=index.device)
        where[index] = torch.arange(len(index), device=index.device)
        if int((where >= 0).sum()) != len(index):
            raise InputError("a lane cannot be taken twice.")
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

    def shuffle(self, rng: Generator) -> Rollout:
        """The same lanes in another order."""
        return self.lanes(self._shuffled(rng))

    def minibatches(self, lanes_per_batch: int, rng: Generator) -> Iterator[Rollout]:
        """All lanes in a new order, `lanes_per_batch` at a time; the last part may have fewer."""
        for part in self._shuffled(rng).split(lanes_per_batch):
            yield self.lanes(part)

    def _shuffled(self, rng: Generator) -> Tensor:
        return torch.from_numpy(rng.permutation(self.lane_count)).to(self.acts.device)

    def with_extras(self, extras: Mapping[str, Tensor]) -> Rollout:
        """The same with more `extras`, [T, N, ...] each, which follow wherever lanes and steps are taken."""
        wrong = [name for name, extra in extras.items() if extra.shape[:2] != self.acts.shape]
        if wrong:
            raise InputError(f"extras {wrong} must begin with the axes {tuple(self.acts.shape)}, steps and lanes.")
        return replace(self, extras={**self.extras, **extras})

    def to(self, device: torch.device | str) -> Rollout:
        """The same values on `device`."""
        plain = {f.name: sent(getattr(self, f.name), device) for f in fields(self) if f.name != "extras"}
        return Rollout(**plain, extras={name: sent(extra, device) for name, extra in self.extras.items()})


_TIMED = ("obs", "legal", "acts", "action", "reward", "terminated", "truncated", "score")
_LONGER = ("obs", "legal")
"""They have a row more, for what follows the last step."""


def cat(rollouts: Sequence[Rollout], axis: Literal["lanes", "time"] = "lanes") -> Rollout:
    """The lanes of all `rollouts` side by side, or their steps one after the other.

    Raises:
        InputError: none; different numbers of the other axis, or different extras; steps that do not follow each other.
    """
    if not rollouts:
        raise InputError("no rollouts to join.")
    if len(rollouts) == 1:
        return rollouts[0]
    if len({(len(r) if axis == "lanes" else r.lane_count, frozenset(r.extras)) for r in rollouts}) > 1:
        raise InputError(f"rollouts joined along {axis} need the same extras and as many of the other axis.")
    return _side_by_side(rollouts) if axis == "lanes" else _in_sequence(rollouts)


def _side_by_side(rollouts: Sequence[Rollout]) -> Rollout:
    joined = {name: torch.cat([getattr(r, name) for r in rollouts], 1) for name in _TIMED}
    stacked = {
        name: torch.cat([getattr(r, name) for r in rollouts])
        for name in ("memory", "last_memory", "final_obs", "final_memory")
    }
    extras = {name: torch.cat([r.extras[name] for r in rollouts], 1) for name in rollouts[0].extras}
    return Rollout(**joined, **stacked, final_at=_shifted(rollouts, 1), extras=extras)


def _in_sequence(rollouts: Sequence[Rollout]) -> Rollout:
    for one, after in pairwise(rollouts):
        if not (torch.equal(one.obs[-1], after.obs[0]) and torch.equal(one.last_memory, after.memory)):
            raise InputError("rollouts joined along time must follow each other: one begins where another did not end.")
    last = rollouts[-1]
    joined = {
        name: torch.cat([*(getattr(r, name)[: len(r)] for r in rollouts), getattr(last, name)[len(last) :]])
        for name in _TIMED
    }
    finals = {name: torch.cat([getattr(r, name) for r in rollouts]) for name in ("final_obs", "final_memory")}
    extras = {name: torch.cat([r.extras[name] for r in rollouts]) for name in last.extras}
    return replace(
        last, **joined, **finals, memory=rollouts[0].memory, final_at=_shifted(rollouts, 0), extras=extras
    )  # fmt: skip


def _shifted(rollouts: Sequence[Rollout], axis: int) -> Tensor:
    """`final_at` of all, where those of each come after those before it on `axis`."""
    places, begin = [], 0
    for rollout in rollouts:
        places.append(rollout.final_at + rollout.final_at.new_tensor([begin * (axis == 0), begin * (axis == 1)]))
        begin += rollout.acts.shape[axis]
    return torch.cat(places)


class Evaluation(NamedTuple):
    """What a policy says about a rollout, with its graph attached; all [T, N]."""

    logprob: Tensor
    entropy: Tensor
    value: Tensor


def evaluate(policy: Policy, rollout: Rollout) -> Evaluation:
    """Log-probability of the recorded actions, entropy and value (0 without a critic) under any `policy`.

    The policy that collected the rollout reproduces what it recorded (recurrent ones from `rollout.memory`). A policy
    with another width of memory begins with an empty one.
    """
    said = _said(policy, rollout)
    value = said["value"] if "value" in said else torch.zeros_like(said["logprob"])
    return Evaluation(said["logprob"], said["entropy"], value)


def attach(policy: Policy, rollout: Rollout) -> Rollout:
    """The same rollout with what `policy` says about it in its extras, graph attached: "logprob" of the recorded
    actions, "entropy", and all that the policy returns beside its actions, such as "value"."""
    return rollout.with_extras(_said(policy, rollout))


def _said(policy: Policy, rollout: Rollout) -> dict[str, Tensor]:
    """[T, N, ...] by name."""
    timed = (rollout.obs[:-1], rollout.legal[:-1], rollout.ended, rollout.action)
    obs, legal, ended, action = (part.transpose(0, 1) for part in timed)
    dist, extras = policy.unroll(obs, legal, _first_memory(policy, rollout), ended)
    said = {"logprob": dist.log_prob(action), "entropy": dist.entropy(), **extras}
    return {name: rows.transpose(0, 1) for name, rows in said.items()}


def _first_memory(policy: Policy, rollout: Rollout) -> Tensor:
    """[N, H] of `policy` before the first step."""
    fits = rollout.memory.shape[1] == policy.memory_size
    return rollout.memory if fits else rollout.memory.new_zeros(rollout.lane_count, policy.memory_size)


@torch.no_grad()
def bootstrap(policy: Policy, rollout: Rollout) -> tuple[Tensor, Tensor]:
    """Values of the views nobody acted on: after the last step [N], and of truncated games' last views [T, N].

    A policy with another width of memory than the one that played remembers this rollout and nothing before it.
    """
    last_memory, final_memory = rollout.last_memory, rollout.final_memory
    step, lane = rollout.final_at.unbind(1)
    if last_memory.shape[1] != policy.memory_size:
        obs, ended = rollout.obs[:-1].transpose(0, 1), rollout.ended.T
        carried = policy.trunk(obs, _first_memory(policy, rollout), ended)[1]
        last_memory, final_memory = carried[:, -1] * ~ended[:, -1:], carried[lane, step]
    last = policy(rollout.obs[-1], None, last_memory).extras["value"]
    final = torch.zeros_like(rollout.reward)
    if len(rollout.final_at):
        final[step, lane] = policy(rollout.final_obs, None, final_memory).extras["value"].to(final.dtype)
    return last, final
