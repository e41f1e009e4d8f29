"""Replays: games as seed and actions, a few kilobytes each, which anybody can play again and check."""

from arena.replay.replay import Replay, read_replay, write_replay
from arena.replay.simulate import Moment, Simulation, verify

__all__ = ["Moment", "Replay", "Simulation", "read_replay", "verify", "write_replay"]
