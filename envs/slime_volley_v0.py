"""Slime volleyball for PettingZoo, used like PettingZoo's own environments.

    from envs import slime_volley_v0

    env = slime_volley_v0.parallel_env(lives=3)
    observations, infos = env.reset(seed=1)

Agents are "left" and "right". The game, its actions, observations and options are described in
`envs.slime_volley`. From PettingZoo 1.27 on `pettingzoo.make("parallel", "slime_volley_v0")` works too.
"""

from __future__ import annotations

from typing import Any

from pettingzoo import AECEnv
from pettingzoo.utils.conversions import parallel_to_aec_wrapper
from pettingzoo.utils.wrappers import OrderEnforcingWrapper

from envs.core import Array
from envs.foreign.to_pettingzoo import ParallelGame
from envs.registry import make
from envs.slime_volley import SEATS


def parallel_env(render_mode: str | None = None, **options: Any) -> ParallelGame:
    """Both seats move at once.

    Args:
        render_mode: None, "rgb_array" or "human".
        options: as for `envs.make("SlimeVolley-v0", ...)`, and checked like there.

    Raises:
        InputError: an unknown option or render mode.
    """
    return ParallelGame(make("SlimeVolley-v0", 1, **options), SEATS, "slime_volley_v0", render_mode)


def env(render_mode: str | None = None, **options: Any) -> AECEnv[str, Array, Any]:
    """The seats are asked in turn, and misuse of the API is reported; for arguments see `parallel_env`."""
    return OrderEnforcingWrapper(raw_env(render_mode, **options))


def raw_env(render_mode: str | None = None, **options: Any) -> AECEnv[str, Array, Any]:
    """`env` without the checks of its use."""
    return parallel_to_aec_wrapper(parallel_env(render_mode, **options))
