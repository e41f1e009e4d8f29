"""Rules that can be read off a recording."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from envs.check.case import Case, ContractError, demand, equal
from envs.core import Array, Bools
from envs.errors import InputError
from envs.foreign.visitor import NO_LIMIT
from envs.layout import parts
from envs.seats import choices, obs_layout, own_obs


def spec(case: Case) -> None:
    """As many spaces, roles and names as seats; seats of one role are alike, and so are those of a symmetric game."""
    spec = case.spec
    demand(spec.seats >= 1, "spec.teams is empty")
    for name in ("observation_spaces", "action_spaces", "roles", "seat_names"):
        count = len(getattr(spec, name))
        demand(count == spec.seats, f"spec.{name} has {count} entries for {spec.seats} seats")
    for space in spec.action_spaces:
        try:
            simple = parts(space)
        except InputError as fault:
            raise ContractError(str(fault)) from None
        for part in simple:
            if isinstance(part, spaces.Discrete | spaces.MultiDiscrete):
                demand(not np.any(part.start), f"choices are counted from 0, but not in {part}")
    demand(spec.max_steps >= 1, f"spec.max_steps is {spec.max_steps}")
    demand(spec.step_seconds > 0, f"spec.step_seconds is {spec.step_seconds}")
    demand(len(set(spec.seat_names)) == spec.seats, f"spec.seat_names are not all different: {spec.seat_names}")
    kinds = list(zip(spec.observation_spaces, spec.action_spaces, strict=True))
    first = dict(zip(reversed(spec.roles), reversed(kinds), strict=True))
    for role, kind in zip(spec.roles, kinds, strict=True):
        demand(kind == first[role], f"seats of role {role!r} are not alike: their spaces differ")
    if spec.symmetric:
        demand(all(kind == kinds[0] for kind in kinds), "spec.symmetric, but the seats' spaces differ")
        sizes = {spec.teams.count(team) for team in spec.teams}
        demand(len(sizes) == 1, "spec.symmetric, but the teams are not of one size, so they cannot change sides")
        demand(len(first) == 1, f"spec.symmetric, but there are roles: {', '.join(first)}")
    try:
        obs_layout(spec)
    except InputError as fault:
        raise ContractError(str(fault)) from None


def arrays(case: Case) -> None:
    """Shapes, dtypes, finite numbers, observations inside their spaces and zeros behind them."""
    spec, games = case.spec, case.games
    lanes = (games, spec.seats)
    obs_shape = (*lanes, *obs_layout(spec)[0])
    expected = {
        "obs": (obs_shape, ""),
        "legal": ((*lanes, choices(spec)), "b"),
        "acts": (lanes, "b"),
        "reward": (lanes, "f"),
        "terminated": ((games,), "b"),
        "truncated": ((games,), "b"),
        "final_obs": (obs_shape, ""),
        "score": (lanes, "f"),
    }
    for at, step in enumerate(case.steps):
        for name, (shape, kind) in expected.items():
            array = getattr(step, name)
            demand(array.shape == shape, f"step {at}: {name} has shape {array.shape}, not {shape}")
            demand(array.dtype.kind in (kind or array.dtype.kind), f"step {at}: {name} has dtype {array.dtype}")
        demand(bool(np.isfinite(step.reward).all()), f"step {at}: reward is not finite")
        for seat, space in enumerate(spec.observation_spaces):
            for name in ("obs", "final_obs"):
                rows, where = getattr(step, name)[:, seat], f"step {at}: {name} of seat {seat}"
                own = own_obs(space, rows)
                _inside(space, own, where)
                behind = rows.reshape(games, -1)[:, int(np.prod(own.shape[1:])) :]
                demand(not behind.any(), f"{where} is not padded with zeros")


def _inside(space: spaces.Space[Array], rows: Array, where: str) -> None:
    demand(rows.dtype == space.dtype, f"{where} has dtype {rows.dtype}, its space {space.dtype}")
    if rows.dtype.kind == "f":
        demand(bool(np.isfinite(rows).all()), f"{where} is not finite")
    for row in rows:
        demand(row in space, f"{where} lies outside its space: {row}")


def legal(case: Case) -> None:
    """Exactly one legal action for a seat that does not act, and none beyond its space."""
    for seat, space in enumerate(case.spec.action_spaces):
        if not isinstance(space, spaces.Discrete):
            continue
        for at, step in enumerate(case.steps):
            legal = step.legal[:, seat]
            count = legal.sum(axis=-1)
            idle = ~step.acts[:, seat]
            demand(bool((count[idle] == 1).all()), f"step {at}: idle seat {seat} has not exactly one action")
            demand(not legal[:, space.n :].any(), f"step {at}: seat {seat} may do what {space} lacks")


def ends(case: Case) -> None:
    """Terminated or truncated, never both; truncated at `max_steps` and only there; final_obs and score.

    Games from elsewhere that do not say how long they last may be truncated at any time.
    """
    unlimited = case.spec.max_steps == NO_LIMIT
    played = np.zeros(case.games, np.int64)
    ends = 0
    for at, step in enumerate(case.steps):
        limit: Bools = np.equal(played, case.spec.max_steps)
        over: Bools = np.logical_or(step.terminated, step.truncated)
        demand(not (step.terminated & step.truncated).any(), f"step {at}: terminated and truncated at once")
        demand(bool((over | ~limit).all()), f"step {at}: a game goes on after {case.spec.max_steps} steps")
        early = step.truncated & ~limit
        demand(unlimited or not early.any(), f"step {at}: truncated before the step limit")
        demand(
            equal(step.final_obs[~over], step.obs[~over]),
            f"step {at}: final_obs differs from obs though no game ended",
        )
        demand(bool(np.isfinite(step.score[over]).all()), f"step {at}: no score though a game ended")
        demand(bool(np.isnan(step.score[~over]).all()), f"step {at}: a score though no game ended")
        if at == 0:
            demand(not over.any() and not step.reward.any(), "reset: a game has ended or paid already")
        ends += int(over.sum())
        played = np.where(over, 0, played) + 1
    demand(ends > 0, "no game ended, so restarts are untested: give more steps or a shorter game")


def zero_sum(case: Case) -> None:
    """Rewards add up to 0 where the spec says so."""
    if not case.spec.zero_sum:
        return
    for at, step in enumerate(case.steps):
        total = step.reward.sum(axis=1)
        demand(bool((abs(total) < 1e-6).all()), f"step {at}: spec.zero_sum, but rewards add up to {total}")
