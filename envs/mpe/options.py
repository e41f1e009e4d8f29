"""Options of the particle games, under mpe2's names."""

from __future__ import annotations

from pydantic import Field

from envs.config import Config


class MpeOptions(Config):
    """What can be set with `envs.make("SpeakerListener-v0", ...)`."""

    max_cycles: int = Field(25, ge=1)
    """Steps after which a game is truncated."""
    continuous_actions: bool = False
    """Actions are vectors of strengths from 0 to 1 instead of one choice."""


class SpreadOptions(MpeOptions):
    """What can be set with `envs.make("Spread-v0", ...)`."""

    N: int = Field(3, ge=1)
    """Agents, and as many landmarks."""
    local_ratio: float = Field(0.5, ge=0, le=1)
    """Share of an agent's own touches in its reward; the rest is the landmarks', which all have in common."""


class TagOptions(MpeOptions):
    """What can be set with `envs.make("Tag-v0", ...)`."""

    num_good: int = Field(1, ge=1)
    """Agents that are hunted."""
    num_adversaries: int = Field(3, ge=1)
    """Agents that hunt."""
    num_obstacles: int = Field(2, ge=0)
    """Discs in the way."""


class AdversaryOptions(MpeOptions):
    """What can be set with `envs.make("Adversary-v0", ...)`."""

    N: int = Field(2, ge=1)
    """Agents that know the goal, and as many landmarks."""
