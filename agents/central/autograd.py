"""Gradients by autograd, on any device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from agents.algorithms.algorithm import acting_weight
from agents.algorithms.ddpg import with_entropy
from agents.algorithms.td3 import blurred
from agents.central.gradients import Loss, Networks
from agents.replay import JointBatch
from agents.stacks import by_mind


class Autograd:
    """A `Gradients`."""

    def __init__(self, networks: Networks, loss: Loss) -> None:
        """The networks' weights may change later; the networks not."""
        self._networks, self._loss = networks, loss

    @torch.no_grad()
    def next_actions(self, batch: JointBatch, noise: torch.Generator) -> Tensor:
        """See `Gradients`."""
        asked = slice(None) if batch.same is None else slice(1)
        obs = batch.next_obs[asked].flatten(0, 2)
        mind = batch.mind[: len(obs)]
        legal = None if batch.next_legal is None else batch.next_legal[asked].flatten(0, 2)
        if batch.next_action is None:
            vectors = obs.new_zeros(len(obs), self._networks.width)
        else:
            vectors = batch.next_action[asked].flatten(0, 2)
        kinds = self._networks.kinds
        for kind, network, (rows, real) in zip(kinds, self._networks.slow_policies, by_mind(mind, kinds), strict=True):
            if not rows.numel():
                continue
            seen = obs.index_select(0, rows.flatten()).view(*rows.shape, -1)
            mask = None if legal is None or not kind.choices else legal[rows][..., : kind.choices]
            dist, _ = kind.read(network, seen[..., : kind.width], mask)
            own = kind.vectors.chosen(dist, kind.vectors.uniforms(rows.shape, noise))
            if self._loss.smoothing and kind.continuous:
                own = torch.where(kind.vectors.continuous, blurred(own, self._loss, noise), own)
            at, own = (rows.flatten(), own.flatten(0, 1)) if real is None else (rows[real], own[real])
            vectors[at, : kind.vectors.width] = own
        return vectors

    def of_critics(self, batch: JointBatch, next_actions: Tensor) -> tuple[Tensor, Tensor]:
        """See `Gradients`."""
        networks = self._networks
        if batch.same is not None:
            next_actions = next_actions.index_select(0, batch.same)
        with torch.no_grad():
            following = next_actions.view(*batch.reward.shape, -1)
            worth = networks.slow_critic(self._joined(batch.next_obs.flatten(2), following)).amin(0)
            reward, discount = self._by_post(batch.reward), self._by_post(batch.discount)
            target = torch.addcmul(reward, discount, worth, value=self._loss.gamma)
        value = networks.critic(self._joined(batch.obs.flatten(2), batch.action.flatten(2)))
        square = (value - target).square()
        if batch.known is not None:
            square = square * self._by_post(batch.known.expand_as(batch.reward))
        loss = square.sum() / target[0].numel()
        return torch.stack([loss, value.mean()]).detach(), _by_weights(loss, networks.critic)

    def of_actors(self, batch: JointBatch, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """See `Gradients`."""
        networks, config = self._networks, self._loss
        own, cost = [], []
        for kind in networks.kinds:
            minds = kind.minds
            mask = None if batch.legal is None or not kind.choices else batch.legal[minds][..., : kind.choices]
            dist, raw = kind.read(kind.network, batch.obs[minds, :, 0, : kind.width], mask)
            drawn = kind.vectors.exponentials(raw.shape[1:], noise)
            vector = kind.vectors.drawn(dist, config.temperature, config.straight_through, drawn)
            own.append(functional.pad(vector, (0, networks.width - kind.vectors.width)))
            penalty = config.raw_penalty * raw.square().mean(0)
            cost.append(with_entropy(penalty, dist, -config.entropy))
        actions = torch.cat([torch.cat(own), batch.action[:, :, 1:].flatten(2)], -1)
        gain = networks.critic.first(self._joined(batch.obs.flatten(2), actions))
        loss = self._by_post(torch.cat(cost)) - gain
        for weight in row_weights(batch):
            loss = loss * self._by_post(weight)
        total = loss.sum() / loss.shape[1]
        return total.detach(), _by_weights(total, *(kind.network for kind in networks.kinds))

    def _joined(self, views: Tensor, actions: Tensor) -> Tensor:
        """[C, n, inputs] what the critics read: views and actions of all seats [M, m, ...]."""
        rows = torch.cat([views, actions], -1)
        return rows.view(self._networks.posts, -1, rows.shape[-1])

    def _by_post(self, rows: Tensor) -> Tensor:
        """[C, n] of [M, m]."""
        return rows.reshape(self._networks.posts, -1)


def row_weights(batch: JointBatch) -> list[Tensor]:
    """Weights [M, m] of rows in the losses of actors: whether anything is known, and whether they act."""
    weights = [] if batch.known is None else [batch.known.expand_as(batch.reward)]
    return weights if batch.acts is None else [*weights, acting_weight(batch.acts)]


def _by_weights(loss: Tensor, *networks: torch.nn.Module) -> Tensor:
    """The gradient by all weights, as one vector."""
    weights = [weight for network in networks for weight in network.parameters()]
    parts = torch.autograd.grad(loss, weights, materialize_grads=True)
    return torch.cat([part.reshape(-1) for part in parts])
