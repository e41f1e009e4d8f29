"""Ids of games and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import gymnasium

from envs.config import parse
from envs.core import BatchEnv
from envs.errors import InputError, unknown

Maker = Callable[[str, int, dict[str, Any]], BatchEnv]
INCOMPLETE_PREFIX = "Incomplete:"
"""Before any id: the same game with components of the observation hidden."""
INCOMPLETE: dict[str, tuple[str, tuple[str, ...]]] = {
    "IncompleteCartPole-v0": ("CartPole-v0", ("angular_velocity",)),
    "IncompleteCartPole-v1": ("CartPole-v1", ("angular_velocity",)),
    "IncompleteCartPolePositions-v1": ("CartPole-v1", ("velocity", "angular_velocity")),
    "IncompletePendulum-v1": ("Pendulum-v1", ("angular_velocity",)),
    "IncompleteAcrobot-v1": ("Acrobot-v1", ("angular_velocity_1", "angular_velocity_2")),
    "IncompleteMountainCar-v0": ("MountainCar-v0", ("velocity",)),
    "IncompleteMountainCarContinuous-v0": ("MountainCarContinuous-v0", ("velocity",)),
}
"""Registered partially observable games: which game is inside, and what of it is hidden."""


def make(id: str, num_envs: int = 1, **options: Any) -> BatchEnv:
    """`num_envs` games of kind `id`, stepped together: `build` with the options as keywords."""
    return build(id, num_envs, options)


def build(id: str, num_envs: int, options: Mapping[str, Any]) -> BatchEnv:
    """`num_envs` games of kind `id` with `options`, whatever their keys are.

    `id` is one of `ids()`, any id that Gymnasium knows ("FrozenLake-v1"; "gym:CartPole-v1" for Gymnasium's own of a
    name that is ours too; "module:ID" to import the module that registers it), any environment of PettingZoo's
    ("pettingzoo:connect_four_v3", "mpe2:simple_tag_v3"; `envs.foreign.zoo.find`), or "Incomplete:" before any of
    these, to hide components of its observation (`envs.incomplete`).

    Raises:
        InputError: an unknown id or option, or an option outside its range.
    """
    if num_envs < 1:
        raise InputError(f"{id}: num_envs must be at least 1, not {num_envs}.")
    return _maker(id)(id, num_envs, dict(options))


def ids() -> list[str]:
    """All ids of our own."""
    return sorted(_MAKERS)


def _maker(id: str) -> Maker:
    """Who makes `id`: our own game of that name, what a prefix says, or Gymnasium."""
    if id in _MAKERS:
        return _MAKERS[id]
    if id.startswith(INCOMPLETE_PREFIX):
        return _incomplete
    known = gymnasium.registry
    if id in known or id.startswith("gym:"):
        return _gymnasium
    if ":" in id:  # "module:name" is PettingZoo's, or Gymnasium's own "module:ID"
        return _pettingzoo
    everything = {*_MAKERS, *known}
    raise unknown("env", id, everything if get_close_matches(id, everything, n=1, cutoff=0.5) else _MAKERS)


def _gymnasium(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.foreign.from_gymnasium import Games

    return Games(id, num_envs, options)


def _pettingzoo(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.foreign.from_pettingzoo import Games
    from envs.foreign.zoo.find import find

    found = find(id)
    return Games(found, num_envs, options) if found else _gymnasium(id, num_envs, options)


def _slime(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.slime_volley.batch import SlimeVolley
    from envs.slime_volley.court import DOUBLES, DUEL
    from envs.slime_volley.options import SlimeOptions, SlimeSimpleOptions

    model = SlimeSimpleOptions if id == "SlimeVolleySimple-v0" else SlimeOptions
    return SlimeVolley(id, parse(model, options, id), num_envs, DOUBLES if id == "SlimeVolleyDoubles-v0" else DUEL)


def _incomplete(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.incomplete import Incomplete, IncompleteOptions

    inside, hide = INCOMPLETE[id] if id in INCOMPLETE else (id.removeprefix(INCOMPLETE_PREFIX), ())
    own = {key: value for key, value in options.items() if key in IncompleteOptions.model_fields}
    veil = parse(IncompleteOptions, {"hide": hide, **own}, id)
    try:
        env = build(inside, num_envs, {key: value for key, value in options.items() if key not in own})
    except InputError:
        for key in options:
            if get_close_matches(key, IncompleteOptions.model_fields, n=1, cutoff=0.7) and key not in own:
                raise InputError(f"{id}: {unknown('key', key, IncompleteOptions.model_fields)}") from None
        raise
    return Incomplete(env, veil.hide, veil.noise, veil.dropout, id)


def _classic(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.classic_control.batch import ClassicControl
    from envs.classic_control.tasks import TASKS

    return ClassicControl(id, parse(TASKS[id].options, options, id), num_envs)


def _matrix(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.matrix import MATRIX_GAMES, MatrixGame

    return MatrixGame(id, parse(MATRIX_GAMES[id], options, id), num_envs)


def _kuhn(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.kuhn import KuhnOptions, KuhnPoker

    return KuhnPoker(id, parse(KuhnOptions, options, id), num_envs)


def _board(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.boards.batch import BoardGame
    from envs.boards.shapes import BoardOptions

    return BoardGame(id, parse(BoardOptions, options, id), num_envs)


def _mpe(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.mpe.batch import Mpe
    from envs.mpe.scenarios import SCENARIOS

    return Mpe(id, parse(SCENARIOS[id][0], options, id), num_envs)


_MAKERS: dict[str, Maker] = {
    "SlimeVolley-v0": _slime,
    "SlimeVolleySimple-v0": _slime,
    "SlimeVolleyDoubles-v0": _slime,
    "CartPole-v0": _classic,
    "CartPole-v1": _classic,
    "Pendulum-v1": _classic,
    "Acrobot-v1": _classic,
    "MountainCar-v0": _classic,
    "MountainCarContinuous-v0": _classic,
    "RockPaperScissors-v0": _matrix,
    "BiasedRockPaperScissors-v0": _matrix,
    "KuhnPoker-v0": _kuhn,
    "ConnectFour-v0": _board,
    "TicTacToe-v0": _board,
    "Spread-v0": _mpe,
    "Tag-v0": _mpe,
    "Adversary-v0": _mpe,
    "SpeakerListener-v0": _mpe,
    **dict.fromkeys(INCOMPLETE, _incomplete),
}
