"""Membership: players that come into a league after it has begun, or leave it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.parallel import Threads
from agents.snapshot import load_snapshot, save_snapshot
from arena.league import human
from arena.league.admission import check_side
from arena.league.config import LearnerConfig, check_against, check_name
from arena.league.population import BOT, TURNS, Population, learner_spec
from arena.league.roles import FIXED, LEARNING
from arena.learner import Learner, device
from arena.players import fitting
from envs.bots import bot, every_name
from envs.config import Config, parse
from envs.errors import InputError, unknown


class Addition(Config):
    """Who shall come."""

    name: str
    """What the member is called."""
    role: str
    """What it is for; a learner's role or one of `FIXED`."""
    learner: dict[str, Any] | None = None
    """Settings, as in a run file, of one that learns."""
    player: str | None = None
    """A bot of the game, or an absolute path of a snapshot file, for one that stands still."""


class Retirement(Config):
    """Who shall leave."""

    name: str
    """The member, without a step."""


def admit(population: Population, kind: str, payload: Mapping[str, Any]) -> str:
    """Do what a request asks, all of it or nothing; a sentence that says what was done.

    Args:
        kind: "add", with a payload as for `Addition`, "retire", for `Retirement`, or "human", for `human.Played`.

    Raises:
        InputError: it cannot be done; nothing has changed then.
    """
    try:
        with population.folder.transaction():
            if kind == "retire":
                return retire(population, parse(Retirement, payload, kind).name)
            if kind == "add":
                return add(population, parse(Addition, payload, kind))
            if kind == human.REQUEST:
                return human.take_in(population.folder, payload)
            raise unknown("request", kind, ("add", "retire", human.REQUEST))
    finally:
        population.refresh()


def add(population: Population, asked: Addition) -> str:
    """Add a learner, or a player who stands still."""
    name, role, folder = asked.name, asked.role, population.folder
    if name in population.members:
        raise InputError(f"there is a member {name!r} already: choose another name.")
    if (asked.learner is None) == (asked.player is None):
        raise InputError(f"{name}: a learner or a player is needed, one of them.")
    if role not in (choices := LEARNING if asked.learner is not None else FIXED):
        raise unknown("role", role, choices)
    if asked.learner is not None:
        config = parse(LearnerConfig, {**asked.learner, "name": name, "role": role}, f"member {name}")
        _check(population, config)
        turns = min(map(population.turns, population.learners), default=0)
        folder.add_member(name, role, {**learner_spec(config), TURNS: turns})
    elif asked.player in every_name():
        if (name, role) != (asked.player, "anchor"):
            raise InputError(f"the bot {asked.player} is an anchor in a league and is called that, not {name!r}.")
        bot(name, population.spec)
        folder.add_member(name, role, {BOT: name})
    else:
        _bring(population, name, role, Path(str(asked.player)))
    return f"added {name} ({role})"


def retire(population: Population, name: str) -> str:
    """From now on `name` neither trains nor is met; its games and snapshots stay."""
    changed = population.folder.retire_member(name)
    return f"retired {name}" if changed else f"{name} was retired already"


def _check(population: Population, config: LearnerConfig) -> None:
    """Raise an InputError where `config` does not fit the league."""
    check_name(config.name)
    check_against(config.matchmaking or population.config.matchmaking, population.members)
    _check_hold(population, config.policy.hold)
    check_side(config, population.spec)
    _ = Learner(config.name, config, population.spec, 0, device("cpu"), Threads(1)).crew


def _check_hold(population: Population, hold: int) -> None:
    holds = {population.configs[learner.name].policy.hold for learner in population.learners}
    if holds and hold not in holds:
        raise InputError(f"policy.hold = {hold}: those who meet in training must have the same, {holds.pop()}.")


def _bring(population: Population, name: str, role: str, file: Path) -> None:
    """A copy of the snapshot `file` becomes NAME:0."""
    check_name(name)
    policies, spec = load_snapshot(file).policies, population.spec
    fitting(policies, spec, file)
    if role == "historical":
        for policy in policies.values():
            _check_hold(population, policy.config.hold)
    folder = population.folder
    folder.add_member(name, role, {"snapshot": f"{name}:0"})
    save_snapshot(folder.snapshot_path(name, 0), policies, {"env": spec.id, "member": name, "step": 0, "parent": None})
    folder.add_snapshot(name, 0, None)
