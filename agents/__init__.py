"""Minds: deciding and learning."""

__arena__ = True  # says to `arena` that this package is its own
