"""Parameters of action distributions, for tests."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

ROWS = (5, 4)


def numbers(*shape: int, seed: int = 0, scale: float = 2.0) -> Tensor:
    """Parameters of a head, its own axis first."""
    return torch.from_numpy(np.random.default_rng(seed).normal(0, scale, shape))


def last(parameters: Tensor) -> Tensor:
    """The same with that axis last, as torch has it."""
    return parameters.movedim(0, -1)
