"""Options of the classic control games: Gymnasium's, the step limit, and frame skip."""

from __future__ import annotations

from pydantic import Field

from envs.config import Config


class ClassicOptions(Config):
    """What can be set with `envs.make("Acrobot-v1", ...)`."""

    max_steps: int = Field(500, ge=1)
    """Steps after which a game is truncated."""
    frame_skip: int = Field(1, ge=1)
    """Steps of the rules for which an action is held; rewards add up, and the last view is shown."""


class CartPoleOptions(ClassicOptions):
    """What can be set with `envs.make("CartPole-v1", ...)`."""

    sutton_barto_reward: bool = False
    """Reward 0 at every step and -1 where the pole falls, instead of 1 at every step."""


class ShortCartPoleOptions(CartPoleOptions):
    """What can be set with `envs.make("CartPole-v0", ...)`."""

    max_steps: int = Field(200, ge=1)
    """Steps after which a game is truncated."""


class PendulumOptions(ClassicOptions):
    """What can be set with `envs.make("Pendulum-v1", ...)`."""

    max_steps: int = Field(200, ge=1)
    """Steps after which a game is truncated."""
    g: float = 10.0
    """Gravity, m/s^2."""


class MountainCarOptions(ClassicOptions):
    """What can be set with `envs.make("MountainCar-v0", ...)`."""

    max_steps: int = Field(200, ge=1)
    """Steps after which a game is truncated."""
    goal_velocity: float = Field(0.0, ge=0)
    """Least velocity with which the goal counts as reached, per step."""


class MountainCarContinuousOptions(MountainCarOptions):
    """What can be set with `envs.make("MountainCarContinuous-v0", ...)`."""

    max_steps: int = Field(999, ge=1)
    """Steps after which a game is truncated."""
