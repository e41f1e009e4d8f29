"""Learner: one member that trains, and the state from which it goes on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.algorithms.ppo import PPO
from agents.parallel import Threads
from agents.policy import Policy
from arena.league.config import LearnerConfig
from envs.core import EnvSpec
from envs.errors import InputError


class Learner:
    """An algorithm and how far it has come."""

    def __init__(self, config: LearnerConfig, spec: EnvSpec, seed: int, device: torch.device, threads: Threads) -> None:
        """Start from random weights; `seed` decides them."""
        self.name = config.name
        self.stretches = 0
        """Stretches of training finished."""
        self.steps = 0
        """Env steps trained."""
        self.seconds = 0.0
        """What of the league's budget was spent when this learner was last saved."""
        weights, order = np.random.SeedSequence(seed).generate_state(2)
        torch.manual_seed(int(weights))
        policy = Policy(spec.observation_spaces[0], spec.action_spaces[0], config.policy).to(device)
        self.algorithm = PPO(policy, config.ppo, int(order), threads)

    @property
    def latest(self) -> str:
        """Name of its snapshot as it is now."""
        return f"{self.name}:{self.steps}"

    def state(self, seconds: float) -> bytes:
        """Everything the next stretch depends on; `seconds` of the league's budget are spent."""
        self.seconds = seconds
        buffer = io.BytesIO()
        counts = {"stretches": self.stretches, "steps": self.steps, "seconds": seconds}
        torch.save({**counts, "algorithm": self.algorithm.state_dict()}, buffer)
        return buffer.getvalue()

    def restore(self, path: Path) -> None:
        """Go on where `state` was written to `path`; stay at the start if there is no file yet.

        Raises:
            InputError: the file is damaged or of another network.
        """
        if not path.exists():
            return
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            self.algorithm.load_state_dict(state["algorithm"])
            self.stretches, self.steps, self.seconds = (state[name] for name in ("stretches", "steps", "seconds"))
        except Exception as fault:  # torch.load raises nearly anything on a damaged file
            reason = (str(fault).splitlines() or [repr(fault)])[0].rstrip(".:")
            raise InputError(f"{path} cannot be resumed from: {reason}.") from None
