"""The table of tasks: which rules, spaces, names and pictures belong to an id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.classic_control import acrobot, cartpole, mountain_car, mountain_car_continuous, pendulum, scenes
from envs.classic_control.options import (
    CartPoleOptions,
    ClassicOptions,
    MountainCarContinuousOptions,
    MountainCarOptions,
    PendulumOptions,
    ShortCartPoleOptions,
)
from envs.core import Floats
from envs.scene import Scene


@dataclass(frozen=True, slots=True)
class Task:
    """One task: everything that the batch class is not."""

    options: type[ClassicOptions]
    """Model of its options."""
    rules: Any
    """Module with `start_games`, `step_games` and the bounds `LOW` and `HIGH` of a game's first state."""
    bounds: tuple[float, ...]
    """[D] largest absolute value of each number of the observation, or its upper bound where `lowest` is given."""
    action_space: spaces.Space[Any]
    """What the seat may do."""
    obs_names: tuple[str, ...]
    """[D] what the numbers of the observation are."""
    step_seconds: float
    """Real time of one step, s."""
    draw: Callable[[Floats], Scene]
    """Picture of a state [S]."""
    lowest: tuple[float, ...] = ()
    """[D] lower bounds of the observation where they are not the upper ones turned round."""

    def observation_space(self) -> spaces.Box:
        """What the seat sees."""
        high = np.array(self.bounds, np.float32)
        low = np.array(self.lowest, np.float32) if self.lowest else -high
        return spaces.Box(low, high, dtype=np.float32)


def rule_setting(options: ClassicOptions) -> float:
    """The one number besides the step limit that the rules of a task depend on."""
    if isinstance(options, CartPoleOptions):
        return float(options.sutton_barto_reward)
    if isinstance(options, PendulumOptions):
        return options.g
    return options.goal_velocity if isinstance(options, MountainCarOptions) else 0.0


def _cartpole(options: type[CartPoleOptions]) -> Task:
    return Task(
        options=options,
        rules=cartpole,
        bounds=(2 * cartpole.FARTHEST, np.inf, 2 * cartpole.STEEPEST, np.inf),
        action_space=spaces.Discrete(2),
        obs_names=("position", "velocity", "angle", "angular_velocity"),
        step_seconds=cartpole.TAU,
        draw=scenes.cartpole_scene,
    )


TASKS = {
    "CartPole-v0": _cartpole(ShortCartPoleOptions),
    "CartPole-v1": _cartpole(CartPoleOptions),
    "Pendulum-v1": Task(
        options=PendulumOptions,
        rules=pendulum,
        bounds=(1.0, 1.0, pendulum.MAX_SPEED),
        action_space=spaces.Box(-2.0, 2.0, (1,), np.float32),
        obs_names=("cosine", "sine", "angular_velocity"),
        step_seconds=pendulum.DT,
        draw=scenes.pendulum_scene,
    ),
    "Acrobot-v1": Task(
        options=ClassicOptions,
        rules=acrobot,
        bounds=(1.0, 1.0, 1.0, 1.0, acrobot.FASTEST_1, acrobot.FASTEST_2),
        action_space=spaces.Discrete(3),
        obs_names=("cosine_1", "sine_1", "cosine_2", "sine_2", "angular_velocity_1", "angular_velocity_2"),
        step_seconds=acrobot.DT,
        draw=scenes.acrobot_scene,
    ),
    "MountainCar-v0": Task(
        options=MountainCarOptions,
        rules=mountain_car,
        bounds=(mountain_car.RIGHT, mountain_car.FASTEST),
        action_space=spaces.Discrete(3),
        obs_names=("position", "velocity"),
        step_seconds=1 / 30,
        draw=scenes.mountain_car_scene,
        lowest=(mountain_car.LEFT, -mountain_car.FASTEST),
    ),
    "MountainCarContinuous-v0": Task(
        options=MountainCarContinuousOptions,
        rules=mountain_car_continuous,
        bounds=(mountain_car.RIGHT, mountain_car.FASTEST),
        action_space=spaces.Box(-1.0, 1.0, (1,), np.float32),
        obs_names=("position", "velocity"),
        step_seconds=1 / 30,
        draw=scenes.mountain_car_scene,
        lowest=(mountain_car.LEFT, -mountain_car.FASTEST),
    ),
}
"""Every task by its id."""
