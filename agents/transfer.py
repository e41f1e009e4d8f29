"""Transfer: from arrays of games, which are in main memory, to the device where networks are, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from envs.core import Array


def sent(values: Tensor, device: torch.device | str) -> Tensor:
    """The same values on `device`.

    To a GPU they go through page-locked memory, so that the copy goes on while this thread does; torch's allocator of
    such memory does not hand it out again before the copy has ended.
    """
    device = torch.device(device)
    if device.type != "cuda" or values.is_cuda:
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def sent_array(values: Array, device: torch.device | str) -> Tensor:
    """An array on `device`; in main memory the tensor shares it."""
    return sent(torch.from_numpy(values), device)


def received(values: Tensor) -> Array:
    """An array in main memory, once it is there."""
    return values.cpu().numpy()
