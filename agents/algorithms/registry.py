"""Names of algorithms, and how one is made for a game. A new algorithm is one file and one line in `entries`, or
`register`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from agents.algorithms.algorithm import Algorithm
from agents.algorithms.entries import OURS
from agents.algorithms.entries import Entry as Entry
from agents.crew import Crew, Independent
from agents.distributions import head_width
from agents.heads import HeadConfig
from agents.parallel import Threads
from agents.policy import Policy, PolicyConfig
from envs.config import Config, parse
from envs.core import EnvSpec
from envs.errors import InputError, unknown
from envs.seats import obs_layout
from envs.side import posts

ENTRIES: dict[str, Entry] = {entry.name: entry for entry in OURS}


def register(entry: Entry) -> None:
    """Make an algorithm known by its name to Python and, in the same process, to the command line.

    Raises:
        InputError: the name is taken.
    """
    if entry.name in ENTRIES:
        raise InputError(f"there is an algorithm {entry.name!r} already: choose another name.")
    ENTRIES[entry.name] = entry


def names() -> list[str]:
    """All algorithms, in the order in which one would read about them."""
    return list(ENTRIES)


def entry(name: str) -> Entry:
    """The entry called `name`.

    Raises:
        InputError: there is none.
    """
    if name not in ENTRIES:
        raise unknown("algorithm", name, ENTRIES)
    return ENTRIES[name]


def parse_settings(name: str, settings: Mapping[str, Any], where: str = "settings") -> Config:
    """The settings of algorithm `name`: its defaults, what the variant sets, and `settings`.

    Raises:
        InputError: an unknown name or key, or a value out of range; `where` names the source.
    """
    found = entry(name)
    model: type[Config] = found.algorithm.Config
    return parse(model, over(found.settings, settings), where)


def over(preset: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`preset` with what is `own` in its place, inside nested settings too."""
    inside = {
        name: over(preset[name], value)
        for name, value in own.items()
        if isinstance(value, Mapping) and isinstance(preset.get(name), Mapping)
    }
    return {**preset, **own, **inside}


def build(
    name: str,
    obs_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    settings: Config | Mapping[str, Any] | None = None,
    policy: PolicyConfig | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    threads: Threads | None = None,
    encoder: nn.Module | None = None,
    others: int = 0,
) -> Algorithm:
    """A learner with random weights for a seat with these spaces.

    Args:
        settings: of the algorithm; a mapping is read as by `parse_settings`.
        policy: shape of its network.
        seed: decides the weights and everything that it draws.
        encoder: of your own, see `Policy`.
        others: numbers that the other seats see, for a central value.

    Raises:
        InputError: an unknown name or setting, or a game or network that the algorithm does not admit.
    """
    found, config = entry(name), _config(name, settings)
    if found.joint:
        raise InputError(f"{name} learns all seats of a game together: build_crew makes it, from the game's spec.")
    shape = PolicyConfig(**found.policy) if policy is None else policy
    _admit(found, action_space, shape)
    weights, draws = _seeds(seed)
    torch.manual_seed(weights)
    cls = found.algorithm
    network = Policy(obs_space, action_space, shape, _head(cls, config, obs_space, others), encoder).to(device)
    return cls(network, config, draws, threads)


def build_crew(
    name: str,
    spec: EnvSpec,
    roles: Sequence[str],
    settings: Config | Mapping[str, Any] | None = None,
    policy: PolicyConfig | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    threads: Threads | None = None,
    parameters: Literal["shared", "own"] = "shared",
    encoder: nn.Module | None = None,
) -> Crew:
    """A crew with random weights for the seats of `roles` in a game.

    Args:
        parameters: "shared": the seats of one role have one policy; "own": each seat of a role in its team has one.

    The rest is as for `build`, and so are the errors.
    """
    found, config = entry(name), _config(name, settings)
    if found.joint:
        return _joint(found, spec, posts_of(spec, roles, parameters), config, policy, seed, device, threads, encoder)
    central = bool(getattr(config, "central", False))
    others = (spec.seats - 1) * int(np.prod(obs_layout(spec)[0])) if central else 0
    algorithms = {}
    for index, (post, seat) in enumerate(posts_of(spec, roles, parameters).items()):
        spaces_of = spec.observation_spaces[seat], spec.action_spaces[seat]
        own = _seed_of(seed, index)
        algorithms[post] = build(name, *spaces_of, config, policy, own, device, threads, deepcopy(encoder), others)
    return Independent(algorithms, "central" if central else "own")


def _joint(
    found: Entry,
    spec: EnvSpec,
    seats: Mapping[str, int],
    config: Config,
    policy: PolicyConfig | None,
    seed: int,
    device: torch.device | str,
    threads: Threads | None,
    encoder: nn.Module | None,
) -> Crew:
    """All posts at once; `seats` has one seat of each."""
    shape = PolicyConfig(**found.policy) if policy is None else policy
    weights, draws = _seeds(seed)
    torch.manual_seed(weights)
    policies = {}
    for post, seat in seats.items():
        space = spec.action_spaces[seat]
        _admit(found, space, shape)
        head = found.crew.head(config)
        policies[post] = Policy(spec.observation_spaces[seat], space, shape, head, deepcopy(encoder)).to(device)
    return found.crew(policies, spec, config, draws, threads)


def _config(name: str, settings: Config | Mapping[str, Any] | None) -> Config:
    """Of algorithm `name`; a mapping is read as by `parse_settings`."""
    config: Config = settings if isinstance(settings, Config) else parse_settings(name, settings or {})
    wanted: type[Config] = entry(name).algorithm.Config
    if not isinstance(config, wanted):
        raise InputError(f"{name} needs settings of {wanted.__name__}, not {type(config).__name__}.")
    return config


def _seeds(seed: int) -> tuple[int, int]:
    """Of weights, and of everything else that is drawn."""
    weights, draws = torch.randint(2**31, (2,), generator=torch.Generator().manual_seed(seed)).tolist()
    return weights, draws


def posts_of(spec: EnvSpec, roles: Sequence[str], parameters: Literal["shared", "own"]) -> dict[str, int]:
    """The posts of `roles`, and the first seat of each.

    Raises:
        InputError: a role that the game does not have.
    """
    for role in roles:
        if role not in spec.roles:
            raise unknown(f"role of {spec.id}", role, spec.roles)
    first: dict[str, int] = {}
    for seat, (role, own) in enumerate(posts(spec)):
        if role in roles:
            first.setdefault(role if parameters == "shared" else own, seat)
    return first


def _seed_of(seed: int, index: int) -> int:
    """Of the post `index`; the first has that of its crew, so that a crew of one is what `build` gives."""
    return seed if index == 0 else int(np.random.SeedSequence([seed, index]).generate_state(1)[0])


def _head(cls: type[Algorithm], config: Config, obs_space: spaces.Space[Any], others: int) -> HeadConfig:
    """The head that the algorithm asks for, and how much its value sees."""
    head = cls.head(config)
    if not getattr(config, "central", False):
        return head
    return head.model_copy(update={"central": int(np.prod(obs_space.shape or ())) + others})


def _admit(found: Entry, space: spaces.Space[Any], shape: PolicyConfig) -> None:
    """Refuse what the algorithm cannot do, and say what can."""
    algorithm = found.algorithm
    head_width(space)  # or nobody can
    if not isinstance(space, algorithm.actions):
        others = [name for name, other in ENTRIES.items() if _admits(other, found, space, None)]
        raise InputError(f"{found.name} does not admit actions in {space}: use {' or '.join(others)}.")
    if shape.core not in algorithm.cores:
        others = [name for name, other in ENTRIES.items() if _admits(other, found, space, shape.core)]
        alternative = f"use policy.core {' or '.join(map(repr, algorithm.cores))}, or {', '.join(others)}"
        raise InputError(f"{found.name} does not admit policy.core {shape.core!r}: {alternative}.")


def _admits(other: Entry, found: Entry, space: spaces.Space[Any], core: str | None) -> bool:
    """Whether `other` can be used where `found` cannot; `core` None: with a memory of its own choice."""
    admits = isinstance(space, other.algorithm.actions) and (core is None or core in other.algorithm.cores)
    return admits and other.joint <= found.joint
