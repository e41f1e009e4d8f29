"""Seen: what a gradient step reads from a replay, alike for single transitions and for windows of steps.

Rows [...] are [n] transitions, or [n, L] the steps of windows after their burn-in. Networks are asked for features of
what was seen when an action was chosen (`now`) and of what followed it (`after`). A critic learns from every row, by
the weights `drawn`: while others are on turn, one waits for what they make of the game. An actor learns from its own
moves, `weight`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.algorithms.algorithm import acting_weight
from agents.policy import Policy
from agents.replay import Sequences, Transitions


class Steps:
    """Transitions, for networks that remember nothing."""

    def __init__(self, batch: Transitions) -> None:
        self._obs, self._next_obs = batch.obs, batch.next_obs
        self.action, self.reward, self.discount = batch.action, batch.reward, batch.discount
        self.legal, self.next_legal = batch.legal, batch.next_legal
        self.rows, self.drawn = batch.rows, batch.weight
        self.weight = _weight(batch.weight, batch.acts)
        self.memory = self.blank = batch.obs.new_zeros(len(batch.obs), 0)

    def now(self, network: Policy, memory: Tensor) -> Tensor:
        """[n, width]; `memory` is empty."""
        return network.encode(self._obs)

    def after(self, network: Policy, memory: Tensor) -> Tensor:
        """The same of the next view, without a gradient."""
        with torch.no_grad():
            return network.encode(self._next_obs)


class Windows:
    """Windows of steps, for networks that remember. The first `burn_in` only fill the memory (Kapturowski et al. 2019,
    section 3): they carry no loss and no gradient."""

    def __init__(self, batch: Sequences, burn_in: int, gamma: float) -> None:
        self._batch, self._burn = batch, burn_in
        own = slice(burn_in, None)
        self.action, self.reward = batch.action[:, own], batch.reward[:, own]
        self.discount = gamma * (~batch.terminated[:, own]).to(batch.reward.dtype)
        self.rows = batch.rows
        self.drawn = batch.weight.unsqueeze(1)
        self.weight = _weight(self.drawn, None if batch.acts is None else batch.acts[:, own])
        self.legal = self.next_legal = None
        if batch.legal is not None:
            self.legal = batch.legal[:, burn_in:-1]
            # Of a truncated game's last view no mask is known, and what follows it in the window is another game.
            self.next_legal = batch.legal[:, burn_in + 1 :] | batch.truncated[:, own].unsqueeze(-1)
        self.memory = batch.memory
        """[n, H] what the actor remembered when the window was played."""
        self.blank = torch.zeros_like(batch.memory)
        """[n, H] nothing: where critics, which play no games, begin."""

    def now(self, network: Policy, memory: Tensor) -> Tensor:
        """[n, L, width]; `memory` [n, H] before the first step."""
        obs, ended, burn = self._batch.obs, self._batch.ended, self._burn
        if burn:
            with torch.no_grad():
                carried = network.trunk(obs[:, :burn], memory, ended[:, :burn])[1]
            memory = carried[:, -1] * ~ended[:, burn - 1 : burn]
        return network.trunk(obs[:, burn:-1], memory, ended[:, burn:])[0]

    @torch.no_grad()
    def after(self, network: Policy, memory: Tensor) -> Tensor:
        """The same of the next views, without a gradient; that of a truncated game is its own last view."""
        batch, burn = self._batch, self._burn
        ended = torch.cat([batch.ended, batch.ended[:, :1]], 1)  # what is after the last view is not asked for
        features, carried = network.trunk(batch.obs, memory, ended)
        features = features[:, burn + 1 :].clone()
        kept = batch.final_at[:, 1] >= burn
        lane, step = batch.final_at[kept].unbind(1)
        final, _ = network.core(network.encode(batch.final_obs[kept]), carried[lane, step])
        features[lane, step - burn] = final
        return features


def _weight(importance: Tensor, acts: Tensor | None) -> Tensor:
    """Of each row's loss to an actor: that of its draw, and 0 where its action did not matter."""
    return importance if acts is None else importance * acting_weight(acts)


Seen = Steps | Windows
