"""Replay memories, fed by rollouts: of transitions, of windows of steps, and of steps of all seats together."""

from agents.replay.available import available_bytes
from agents.replay.joint import JointBatch, JointReplay, JointReplayConfig
from agents.replay.row import Row, bytes_needed
from agents.replay.sequences import SequenceReplay, SequenceReplayConfig, Sequences
from agents.replay.transitions import Replay, ReplayConfig, Transitions

__all__ = [
    "JointBatch",
    "JointReplay",
    "JointReplayConfig",
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
