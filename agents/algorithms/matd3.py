"""MATD3 (Ackermann et al. 2019, "Reducing overestimation bias in multi-agent domains using double centralized
critics"): MADDPG with what TD3 adds to DDPG, twin critics, blurred target actions, and actors that wait."""

from __future__ import annotations

from typing import ClassVar

from agents.algorithms.maddpg import MADDPG, MADDPGConfig
from agents.algorithms.td3 import TwinConfig
from agents.central import Loss


class MATD3Config(TwinConfig, MADDPGConfig):
    """Settings of MATD3."""


class MATD3(MADDPG):
    """Learns with two critics per post. Choices and buttons in targets are drawn, which blurs them enough."""

    Config: ClassVar[type[MATD3Config]] = MATD3Config
    twins: ClassVar[int] = 2
    config: MATD3Config

    def _loss(self) -> Loss:
        """See `MADDPG`: continuous numbers of target actions are blurred."""
        return super()._loss()._replace(smoothing=self.config.smoothing, smoothing_clip=self.config.smoothing_clip)
