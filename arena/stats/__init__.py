"""Statistics of matches that a referee would accept: Elo differences with intervals, sequential tests."""
