"""Worlds: rules over a batch of games. Numpy and numba; no torch."""

__arena__ = True  # says to `arena` that this package is its own
