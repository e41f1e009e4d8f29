"""Replay memories, fed by rollouts: single transitions (`Replay`) and windows of steps (`SequenceReplay`)."""

from agents.replay.available import available_bytes
from agents.replay.row import Row, bytes_needed
from agents.replay.sequences import SequenceReplay, SequenceReplayConfig, Sequences
from agents.replay.transitions import Replay, ReplayConfig, Transitions

__all__ = [
    "Replay",
    "ReplayConfig",
    "Row",
    "SequenceReplay",
    "SequenceReplayConfig",
    "Sequences",
    "Transitions",
    "available_bytes",
    "bytes_needed",
]
