"""Makes our games known to Gymnasium's and PettingZoo's registries. Imports no game and compiles nothing."""

from __future__ import annotations

import pettingzoo
from gymnasium.envs.registration import register, registry

from envs.registry import INCOMPLETE

SLIME_IDS = ("SlimeVolley-v0", "SlimeVolleySimple-v0")


def register_gymnasium() -> None:
    """So that `gymnasium.make(id)` and `gymnasium.make_vec(id, num_envs)` work. Safe to call again."""
    for id in SLIME_IDS:
        if id not in registry:
            register(
                id,
                entry_point="envs.slime_volley.gymnasium_face:SeatEnv",
                vector_entry_point="envs.slime_volley.gymnasium_face:SeatVectorEnv",
                kwargs={"game": id},
            )
    for id in INCOMPLETE:
        if id not in registry:
            register(id, entry_point="envs.foreign.to_gymnasium:make_game", kwargs={"game": id})


def register_pettingzoo() -> None:
    """So that `pettingzoo.make("parallel" | "aec", "slime_volley_v0")` works. Safe to call again.

    PettingZoo has had a registry since 1.27; with older versions `envs.slime_volley_v0` is the way.
    """
    if not hasattr(pettingzoo, "register"):
        return
    if "slime_volley-v0" not in pettingzoo.aec_registry:
        pettingzoo.register("aec", "slime_volley_v0", "envs.slime_volley_v0:env")
        pettingzoo.register("parallel", "slime_volley_v0", "envs.slime_volley_v0:parallel_env")
