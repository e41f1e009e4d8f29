"""Seeing matches: a pygame window, and a recorder that needs no display."""
