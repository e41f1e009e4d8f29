"""MATD3 (Ackermann et al. 2019, "Reducing overestimation bias in multi-agent domains using double centralized
critics"): MADDPG with what TD3 adds to DDPG, twin critics, blurred target actions, and actors that wait."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from agents.algorithms.maddpg import MADDPG, MADDPGConfig
from agents.algorithms.td3 import TwinConfig, blurred
from agents.stacks import Kind


class MATD3Config(TwinConfig, MADDPGConfig):
    """Settings of MATD3."""


class MATD3(MADDPG):
    """Learns with two critics per post. Choices and buttons in targets are drawn, which blurs them enough."""

    Config: ClassVar[type[MATD3Config]] = MATD3Config
    twins: ClassVar[int] = 2
    config: MATD3Config

    def _near(self, kind: Kind, action: Tensor) -> Tensor:
        """See `MADDPG`: continuous numbers are blurred."""
        continuous = kind.vectors.continuous
        return torch.where(continuous, blurred(action, self.config, self._noise), action) if any(continuous) else action
