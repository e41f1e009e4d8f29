"""Options of the slime volleyball games."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from envs.config import Config


class SlimeOptions(Config):
    """What can be set with `envs.make("SlimeVolley-v0", ...)`."""

    lives: int = Field(5, ge=1, le=1000)
    """Points a side may lose before the game ends."""
    max_steps: int = Field(3000, ge=1)
    """Steps after which the game is truncated; 30 are one second."""
    serve_delay: int = Field(30, ge=0)
    """Steps for which a served ball hangs in the air."""
    score_reward: float = Field(1.0, ge=0)
    """Reward for a point won; minus this for a point lost."""
    survival_bonus: float = 0.0
    """Reward added at every step; negative for a time cost."""
    frame_skip: int = Field(1, ge=1)
    """Steps of the rules for which an action is held; rewards add up, and the last view is shown."""
    actions: Literal["discrete", "multibinary", "box"] = "discrete"
    """6 sensible button combinations, 3 buttons, or 3 floats that press a button above 0."""
    fence: Literal["original", "solid"] = "original"
    """"original" can be squeezed through, as in the 2020 game; "solid" cannot."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of state and observation; float64 repeats the original to the last bit."""


class SlimeSimpleOptions(SlimeOptions):
    """The simplified game: one point, a time cost, a large reward at the end."""

    lives: int = Field(1, ge=1, le=1000)
    """Points a side may lose before the game ends."""
    max_steps: int = Field(750, ge=1)
    """Steps after which the game is truncated; 30 are one second."""
    score_reward: float = Field(10.0, ge=0)
    """Reward for a point won; minus this for a point lost."""
    survival_bonus: float = -0.01
    """Reward added at every step."""
