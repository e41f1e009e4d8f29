"""Admission: can a league be played as its config says? Asked before anything is on disk."""

from __future__ import annotations

from agents.parallel import Threads
from arena.league.config import LeagueConfig, LearnerConfig
from arena.league.history import changes_sides
from arena.league.pbt import numbers
from arena.learner import Learner, device, roles_of
from envs.bots import bot
from envs.core import EnvSpec
from envs.errors import InputError, unknown
from envs.registry import build
from envs.side import team_count, unlike

BLIND = ("mirror", "latest", "uniform", "early", "window", "delta", "anchors")
"""Matchmaking that asks nobody's strength."""


def check(config: LeagueConfig) -> None:
    """Raise an InputError where `config` cannot be played."""
    game, training = config.game, config.training
    spec = build(game.id, 1, game.options).spec
    own = build(game.id, 1, {**game.options, **training.options}).spec
    for name in config.anchors:
        bot(name, spec)
    _check_teams(config, spec)
    _check_sight(config, spec)
    if (own.observation_spaces, own.action_spaces) != (spec.observation_spaces, spec.action_spaces):
        raise InputError("training.options must leave observations and actions as they are in rated games.")
    for part in (training, *map(config.training_of, config.learners)):
        if part.games < 2 * training.streams:
            raise InputError(
                f"games = {part.games} cannot be shared by training.streams = {training.streams}: "
                "each needs at least 2 games."
            )
    _check_pbt(config)
    if not any(config.resources_of(learner).gpus for learner in config.learners):  # else it is where it trains
        device(config.device)
    for learner in config.learners:  # whether its algorithm admits the game, its algorithm knows
        _ = Learner(learner.name, learner, own, 0, device("cpu"), Threads(1)).crew


def _check_teams(config: LeagueConfig, spec: EnvSpec) -> None:
    """Where teams are not alike: two of them, and learners for both."""
    teams = team_count(spec)
    if unlike(spec) and teams > 2:
        raise InputError(f"{spec.id} has {teams} teams that are not alike: a league can have two.")
    for one in config.learners:
        check_side(one, spec)
    if unlike(spec):
        filled = {spec.teams[spec.roles.index(one.plays)] for one in config.learners}
        lost = next((team for team in range(teams) if team not in filled), None)
        if lost is not None:
            raise InputError(
                f"{spec.id} has two sides that are not alike, and each side needs a learner: nobody plays "
                f"{spec.roles[spec.teams.index(lost)]!r}."
            )
    if not changes_sides(spec) and config.promotion.rule != "schedule":
        raise InputError(
            f'promotion.rule = "{config.promotion.rule}": in {spec.id} a snapshot cannot meet the one before it; '
            'use "schedule".'
        )


def check_side(config: LearnerConfig, spec: EnvSpec) -> None:
    """Raise an InputError unless a learner says which side it plays, where two are not alike."""
    roles_of(spec, config.plays)  # or there is no such role
    if unlike(spec) and not config.plays:
        choices = " or ".join(repr(spec.roles[spec.teams.index(team)]) for team in range(team_count(spec)))
        raise InputError(
            f"{spec.id} has sides that are not alike, so each learner's `plays` must say which, {choices}: learner "
            f"{config.name} does not say."
        )


def _check_sight(config: LeagueConfig, spec: EnvSpec) -> None:
    """Refuse what goes by ratings where those whom a learner meets are on another scale than itself."""
    if not unlike(spec):
        return
    for one in config.learners:
        for name, share in config.matchmaking_of(one).shares().items():
            if share and name not in BLIND:
                raise InputError(
                    f'learner {one.name}: matchmaking by "{name}" compares a player with those whom it meets, and in '
                    f"{spec.id} they play another part: use {', '.join(BLIND)}."
                )
        if one.reset and not one.reset.steps:
            raise InputError(
                f"learner {one.name}: reset by share of wins compares a player with those whom it meets, and in "
                f"{spec.id} they play another part: set reset.steps."
            )


def _check_pbt(config: LeagueConfig) -> None:
    if not config.pbt.every:
        return
    kinds = [(one.role, one.algorithm, one.policy, one.plays, one.parameters) for one in config.learners]
    if not any(kinds.count(kind) > 1 for kind in kinds):
        raise InputError("pbt.every: to copy each other, two learners must have the same role, algorithm and network.")
    known = {name for one in config.learners for name in numbers(one.settings)}
    for key in config.pbt.settings:
        if key not in known:
            raise unknown("setting in pbt.settings", key, known)
