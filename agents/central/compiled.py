"""Gradients on the processor, by compiled kernels: at the sizes of such networks autograd takes several times as long
to keep its accounts as to multiply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from agents.algorithms.td3 import blur
from agents.central.autograd import row_weights
from agents.central.gradients import Loss, Networks
from agents.central.kernels import act, actor_gradient, critic_gradient, worth
from agents.central.layers import ACTIVATIONS
from agents.distributions import head_width
from agents.parallel import Threads
from agents.policy import Policy
from agents.replay import JointBatch
from agents.stacks import Kind, by_mind
from envs.core import Floats, Ints

Value = TypeVar("Value")
SHARE = 256
"""Rows that are worth a thread."""
SHARES = 8
"""Parts of the rows, at most."""
NO_MASK = np.zeros((0, 0), np.bool_)
NO_MASKS = np.zeros((0, 0, 0), np.bool_)
NO_BLUR = np.zeros((0, 0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Of the actors of a kind."""

    kind: Kind
    start: int
    """Where in the vector of all actors their weights begin."""
    sizes: Ints
    """Numbers that each layer reads, and those that the last one gives."""
    activation: int


class Compiled:
    """A `Gradients`, for networks on the processor."""

    def __init__(self, networks: Networks, loss: Loss, threads: Threads | None = None) -> None:
        """The networks' weights may change later; the networks not. Many rows are shared among `threads`."""
        self._networks, self._loss, self._threads = networks, loss, threads or Threads(1)
        self._shapes: list[_Shape] = []
        start = 0
        for kind in networks.kinds:
            policy = kind.policies[0]
            sizes = _sizes(kind.width, policy)
            activation = ACTIVATIONS[policy.config.activation]
            self._shapes.append(_Shape(kind, start, sizes, activation))
            start += sum(weight.numel() for weight in kind.network.parameters())
        critic = networks.critic
        self._critic_sizes = np.array(critic.sizes, np.int64)
        self._critic_activation = ACTIVATIONS[critic.activation]
        self._actors, self._critics = networks.actors.numpy(), networks.critics.numpy()
        self._slow_actors, self._slow_critics = networks.slow_actors.numpy(), networks.slow_critics.numpy()

    def next_actions(self, batch: JointBatch, noise: torch.Generator) -> Tensor:
        """See `Gradients`."""
        asked = slice(None) if batch.same is None else slice(1)
        obs = batch.next_obs[asked].flatten(0, 2)
        mind = batch.mind[: len(obs)]
        if batch.next_action is None:
            vectors = torch.zeros(len(obs), self._networks.width)
        else:
            vectors = batch.next_action[asked].flatten(0, 2)
        kinds, loss = self._networks.kinds, self._loss
        for shape, (rows, real) in zip(self._shapes, by_mind(mind, kinds), strict=True):
            if not rows.numel():
                continue
            kind = shape.kind
            uniform = kind.vectors.uniforms(rows.shape, noise).numpy()
            blurred = loss.smoothing and kind.continuous
            moved = (
                blur((*rows.shape, kind.vectors.width), loss.smoothing, loss.smoothing_clip, noise).numpy()
                if blurred
                else NO_BLUR
            )
            mask = NO_MASK
            if batch.next_legal is not None and kind.choices:
                mask = batch.next_legal[asked].flatten(0, 2).numpy()
            given = (
                self._slow_actors, shape.start, shape.sizes, shape.activation, kind.vectors.parts, rows.numpy(),
                NO_MASK if real is None else real.numpy(), obs.numpy(), mask, uniform, moved, vectors.numpy(),
            )  # fmt: skip
            self._shared(rows.shape[1], partial(act, *given))
        return vectors

    def of_critics(self, batch: JointBatch, next_actions: Tensor) -> tuple[Tensor, Tensor]:
        """See `Gradients`."""
        networks, posts = self._networks, self._networks.posts
        views = batch.next_obs.flatten(0, 1).flatten(1).numpy()
        at = np.arange(len(next_actions)) if batch.same is None else batch.same.numpy()
        least = np.empty((posts, batch.reward.numel() // posts), np.float32)
        shape = self._critic_sizes, self._critic_activation, networks.critic.twins, posts
        given = self._slow_critics, *shape, views, next_actions.numpy(), at, least
        self._shared(least.shape[1], partial(worth, *given))
        reward, discount = batch.reward.numpy().reshape(posts, -1), batch.discount.numpy().reshape(posts, -1)
        target = reward + np.float32(self._loss.gamma) * discount * least
        scale = np.ones(target.size, np.float32)
        if batch.known is not None:
            scale *= batch.known.expand_as(batch.reward).reshape(-1).numpy()
        seen, done = (part.flatten(0, 1).flatten(1).numpy() for part in (batch.obs, batch.action))

        def gradient_of(begin: int, end: int) -> tuple[float, float, Floats]:
            gradient = np.zeros_like(self._critics)
            sums = critic_gradient(self._critics, *shape, seen, done, target, scale, gradient, begin, end)
            return *sums, gradient

        losses, values, gradients = zip(*self._shared(least.shape[1], gradient_of), strict=True)
        return torch.tensor([sum(losses), sum(values)]), _total(gradients)

    def of_actors(self, batch: JointBatch, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """See `Gradients`."""
        networks, loss = self._networks, self._loss
        views, done = (part.flatten(2).numpy() for part in (batch.obs, batch.action))
        scale = np.ones(batch.reward.shape, np.float32)
        for weight in row_weights(batch):
            scale *= weight.numpy()
        rows = batch.reward.shape[1]
        draws = [shape.kind.vectors.exponentials((shape.kind.count, rows), noise).numpy() for shape in self._shapes]

        def gradient_of(begin: int, end: int) -> tuple[float, Floats]:
            gradient, total = np.zeros_like(self._actors), 0.0
            for shape, drawn in zip(self._shapes, draws, strict=True):
                kind = shape.kind
                mask = NO_MASKS if batch.legal is None or not kind.choices else batch.legal.numpy()
                total += actor_gradient(
                    self._actors, shape.start, kind.count, shape.sizes, shape.activation, kind.vectors.parts,
                    kind.first, networks.ensemble, self._critics, self._critic_sizes, self._critic_activation,
                    networks.critic.twins * networks.posts, views, done, mask, drawn, scale, loss.temperature,
                    loss.straight_through, loss.raw_penalty, loss.entropy, networks.width, gradient, begin, end,
                )  # fmt: skip
            return total, gradient

        totals, gradients = zip(*self._shared(rows, gradient_of), strict=True)
        return torch.tensor(sum(totals)), _total(gradients)

    def _shared(self, rows: int, work: Callable[[int, int], Value]) -> list[Value]:
        """What `work` gives for parts of the rows; which parts does not depend on the threads."""
        parts = max(1, min(SHARES, rows // SHARE))
        cuts = [rows * part // parts for part in range(parts + 1)]
        return self._threads.run([partial(work, *cut) for cut in pairwise(cuts)])


def _total(gradients: Sequence[Floats]) -> Tensor:
    """Their sum, in order."""
    whole = gradients[0]
    for gradient in gradients[1:]:
        whole += gradient
    return torch.from_numpy(whole)


def _sizes(width: int, policy: Policy) -> Ints:
    """See `_Shape`."""
    hidden = (*policy.config.hidden, *policy.config.head_hidden)
    return np.array([width, *hidden, head_width(policy.action_space)], np.int64)
