"""Names of algorithms, and how one is made for a game. A new algorithm is one file and one line here, or `register`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch
from gymnasium import spaces
from torch import nn

from agents.algorithms.algorithm import Algorithm
from agents.distributions import head_width
from agents.parallel import Threads
from agents.policy import Policy, PolicyConfig
from envs.config import Config, parse
from envs.errors import InputError, unknown


@dataclass(frozen=True, slots=True)
class Entry:
    """An algorithm, or a variant of one, by name."""

    name: str
    target: str | type[Algorithm]
    """Its class, or "module:Class"."""
    summary: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the variant sets; whoever uses it may set it otherwise."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    """The same for its network."""
    games: int = 16
    """Games side by side, unless somebody says otherwise."""
    steps: int = 32
    """Steps per rollout; 0: whole episodes."""

    @property
    def algorithm(self) -> type[Algorithm]:
        """The class."""
        if not isinstance(self.target, str):
            return self.target
        module, name = self.target.split(":")
        found: type[Algorithm] = getattr(import_module(module), name)
        return found


_HERE = "agents.algorithms"
_WIDE = {"hidden": (256, 256), "activation": "relu"}
_VALUES = {"activation": "relu"}
_OURS = (
    Entry("reinforce", f"{_HERE}.reinforce:Reinforce", "policy gradient by the returns of whole episodes", steps=0),
    Entry(
        "reinforce-baseline",
        f"{_HERE}.reinforce:Reinforce",
        "the same, less a learnt value of the state",
        settings={"baseline": True, "advantage": "centre"},
        steps=0,
    ),
    Entry("a2c", f"{_HERE}.a2c:A2C", "advantage actor-critic: one step on each rollout of all games"),
    Entry("ppo", f"{_HERE}.ppo:PPO", "proximal policy optimisation: clipped steps, several passes"),
    Entry("offpac", f"{_HERE}.offpac:OffPAC", "off-policy actor-critic: another policy acts, V-trace corrects"),
    Entry("dqn", f"{_HERE}.dqn:DQN", "action values from a replay", policy=_VALUES, steps=8),
    Entry(
        "double-dqn",
        f"{_HERE}.dqn:DQN",
        "the same, and one network chooses what the other one rates",
        settings={"double": True},
        policy=_VALUES,
        steps=8,
    ),
    Entry(
        "duelling-dqn",
        f"{_HERE}.dqn:DQN",
        "the same, from the value of the state and advantages, with priorities",
        settings={"double": True, "duelling": True, "replay": {"prioritised": True}},
        policy=_VALUES,
        steps=8,
    ),
    Entry(
        "rainbow",
        f"{_HERE}.dqn:DQN",
        "all additions to DQN at once; the distribution of returns is one of quantiles, not of categories",
        settings={
            "double": True,
            "duelling": True,
            "noisy": True,
            "epsilon": 0.0,
            "final_epsilon": 0.0,
            "quantiles": 16,
            "replay": {"prioritised": True, "n_step": 3},
        },
        policy=_VALUES,
        steps=8,
    ),
    Entry(
        "drqn",
        f"{_HERE}.drqn:DRQN",
        "DQN with memory: from windows of steps, with stored states and burn-in",
        settings={"double": True},
        policy={**_VALUES, "core": "gru"},
        steps=8,
    ),
    Entry("ddpg", f"{_HERE}.ddpg:DDPG", "deterministic policy gradient, for any actions", policy=_WIDE, steps=4),
    Entry(
        "td3", f"{_HERE}.td3:TD3", "the same with twin critics, delayed: for continuous actions", policy=_WIDE, steps=4
    ),
    Entry("sac", f"{_HERE}.sac:SAC", "soft actor-critic: as random as it can afford", policy=_WIDE, steps=4),
)
ENTRIES: dict[str, Entry] = {entry.name: entry for entry in _OURS}


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
) -> Algorithm:
    """A learner with random weights for a game with these spaces.

    Args:
        settings: of the algorithm; a mapping is read as by `parse_settings`.
        policy: shape of its network.
        seed: decides the weights and everything that it draws.
        encoder: of your own, see `Policy`.

    Raises:
        InputError: an unknown name or setting, or a game or network that the algorithm does not admit.
    """
    found = entry(name)
    config = settings if isinstance(settings, Config) else parse_settings(name, settings or {})
    if not isinstance(config, found.algorithm.Config):
        raise InputError(f"{name} needs settings of {found.algorithm.Config.__name__}, not {type(config).__name__}.")
    shape = PolicyConfig(**found.policy) if policy is None else policy
    _admit(found, action_space, shape)
    weights, draws = (int(word) for word in torch.randint(2**31, (2,), generator=torch.Generator().manual_seed(seed)))
    torch.manual_seed(weights)
    cls = found.algorithm
    network = Policy(obs_space, action_space, shape, cls.head(config), encoder).to(device)
    return cls(network, config, draws, threads)


def _admit(found: Entry, space: spaces.Space[Any], shape: PolicyConfig) -> None:
    """Refuse what the algorithm cannot do, and say what can."""
    algorithm = found.algorithm
    head_width(space)  # or nobody can
    if not isinstance(space, algorithm.actions):
        others = [name for name, other in ENTRIES.items() if isinstance(space, other.algorithm.actions)]
        raise InputError(f"{found.name} does not admit actions in {space}: use {' or '.join(others)}.")
    if shape.core not in algorithm.cores:
        others = [name for name, other in ENTRIES.items() if _admits(other, space, shape.core)]
        alternative = f"use policy.core {' or '.join(map(repr, algorithm.cores))}, or {', '.join(others)}"
        raise InputError(f"{found.name} does not admit policy.core {shape.core!r}: {alternative}.")


def _admits(other: Entry, space: spaces.Space[Any], core: str) -> bool:
    return isinstance(space, other.algorithm.actions) and core in other.algorithm.cores
