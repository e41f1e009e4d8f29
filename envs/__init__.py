"""Worlds: rules over a batch of games. Numpy and numba; no torch."""
