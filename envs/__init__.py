"""Worlds: rules over a batch of games. Numpy and numba; no torch.

`envs.make("SlimeVolley-v0", num_envs=4096)` makes B games that step together. Importing this package also
makes the games known to Gymnasium and PettingZoo; none is loaded or compiled before it is made.
"""

from envs.registration import register_gymnasium, register_pettingzoo
from envs.registry import ids, make

__arena__ = True  # says to `arena` that this package is its own
__all__ = ["ids", "make"]

register_gymnasium()
register_pettingzoo()
