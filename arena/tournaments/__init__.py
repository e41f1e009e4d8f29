"""Tournaments: who meets whom, as pure functions of what has been played, and run folders that they are played into."""
