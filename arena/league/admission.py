"""Admission: can a league be played as its config says? Asked before anything is on disk."""

from __future__ import annotations

from agents.parallel import Threads
from arena.league.config import LeagueConfig
from arena.league.pbt import numbers
from arena.learner import Learner, device
from envs.errors import InputError, unknown
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
    _check_pbt(config)
    for learner in config.learners:  # whether its algorithm admits the game, its algorithm knows
        Learner(learner.name, learner, own, 0, device(config.device), Threads(1))


def _check_pbt(config: LeagueConfig) -> None:
    if not config.pbt.every:
        return
    kinds = [(one.role, one.algorithm, one.policy) for one in config.learners]
    if not any(kinds.count(kind) > 1 for kind in kinds):
        raise InputError("pbt.every: to copy each other, two learners must have the same role, algorithm and network.")
    known = {name for one in config.learners for name in numbers(one.settings)}
    for key in config.pbt.settings:
        if key not in known:
            raise unknown("setting in pbt.settings", key, known)
