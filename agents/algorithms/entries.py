"""Entries: every algorithm and variant that is known by a name, and what it sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from agents.algorithms.algorithm import Algorithm
from agents.crew import JointCrew


@dataclass(frozen=True, slots=True)
class Entry:
    """An algorithm, or a variant of one, by name."""

    name: str
    target: str | type[Algorithm] | type[JointCrew]
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
    joint: bool = False
    """It learns all posts together, so that only `build_crew` makes one."""

    @property
    def algorithm(self) -> type[Algorithm]:
        """The class; of a joint one, what it says about itself, see `crew`."""
        found: type[Algorithm] = self._load()
        return found

    @property
    def crew(self) -> type[JointCrew]:
        """The class of a joint one."""
        found: type[JointCrew] = self._load()
        return found

    def _load(self) -> Any:
        if not isinstance(self.target, str):
            return self.target
        module, name = self.target.split(":")
        return getattr(import_module(module), name)


_HERE = "agents.algorithms"
_WIDE = {"hidden": (256, 256), "activation": "relu"}
_VALUES = {"activation": "relu"}
OURS = (
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
    Entry("ippo", f"{_HERE}.ppo:PPO", "ppo by its name among many seats: everybody learns from its own view alone"),
    Entry(
        "mappo",
        f"{_HERE}.ppo:PPO",
        "the same, but in training the value sees what all seats see",
        settings={"central": True},
    ),
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
    Entry(
        "maddpg",
        f"{_HERE}.maddpg:MADDPG",
        "ddpg for many seats: critics see in training what all seats see and do",
        policy=_VALUES,
        steps=25,
        joint=True,
    ),
    Entry(
        "matd3",
        f"{_HERE}.matd3:MATD3",
        "the same with twin critics, delayed",
        policy=_VALUES,
        steps=25,
        joint=True,
    ),
)
