"""Admission: can a league be played as its config says? Asked before anything is on disk."""

from __future__ import annotations

import torch

from arena.league.config import LeagueConfig
from envs.errors import InputError
from envs.registry import build
from envs.slime_volley.bots import bot


def check(config: LeagueConfig) -> None:
    """Raise an InputError where `config` cannot be played."""
    game, training = config.game, config.training
    spec = build(game.id, 1, game.options).spec
    own = build(game.id, 1, {**game.options, **training.options}).spec
    for name in config.anchors:
        bot(name, spec)
    if spec.seats != 2 or not spec.symmetric:
        raise InputError(f"{game.id} is not a symmetric game of two seats, which self-play here needs.")
    if (own.observation_spaces, own.action_spaces) != (spec.observation_spaces, spec.action_spaces):
        raise InputError("training.options must leave observations and actions as they are in rated games.")
    if training.games < 2 * training.streams:
        raise InputError(
            f"training.games = {training.games} cannot be shared by training.streams = {training.streams}: "
            "each needs at least 2 games."
        )
    device(config.device)


def device(name: str) -> torch.device:
    """Where networks learn: "auto", "cpu" or "cuda"."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda: torch sees no GPU here; use device = auto or cpu.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
