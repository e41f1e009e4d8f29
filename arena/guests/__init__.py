"""Guests: anybody's agent as a player. Functions, classes, networks of other programs, and programs in any language.

What they do is checked and may be timed (`arena.guests.referee`): whoever breaks the rules loses that game.
"""
