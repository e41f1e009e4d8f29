"""The distribution of an action that has several parts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from numpy.random import Generator
from torch import Tensor

from agents.distributions.action_dist import ActionDist


class Joint:
    """Independent parts, whose actions stand side by side in one vector: MultiDiscrete and composite spaces."""

    def __init__(self, parts: Sequence[ActionDist], sizes: Sequence[int | None], dtype: torch.dtype) -> None:
        """`sizes` of the parts' actions; None for a Categorical, whose action is a single number without an axis."""
        self.parts, self._sizes, self._dtype = parts, sizes, dtype

    def sample(self, rng: Generator) -> Tensor:
        """[..., K]."""
        return self._join([part.sample(rng) for part in self.parts])

    def mode(self) -> Tensor:
        """[..., K]."""
        return self._join([part.mode() for part in self.parts])

    def log_prob(self, action: Tensor) -> Tensor:
        """Sum over the parts; `action` is [..., K]."""
        pieces = action.split([size or 1 for size in self._sizes], -1)
        terms = [
            part.log_prob(piece.squeeze(-1).long() if size is None else piece)
            for part, size, piece in zip(self.parts, self._sizes, pieces, strict=True)
        ]
        return torch.stack(terms).sum(0)

    def entropy(self) -> Tensor:
        """Sum over the parts."""
        return torch.stack([part.entropy() for part in self.parts]).sum(0)

    def _join(self, actions: Sequence[Tensor]) -> Tensor:
        pieces = [
            (action.unsqueeze(-1) if size is None else action).to(self._dtype)
            for action, size in zip(actions, self._sizes, strict=True)
        ]
        return torch.cat(pieces, -1)
