"""Learner: a crew that learns, how far it has come, and the state from which it goes on, here or in another process."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

import numpy as np
import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import nn

from agents.algorithms import registry
from agents.crew import Crew
from agents.parallel import Threads
from agents.policy import PolicyConfig
from envs.config import Config, nested
from envs.core import EnvSpec
from envs.errors import InputError, unknown


class AgentConfig(Config):
    """Who learns: an algorithm, its settings, and its network."""

    algorithm: str = "ppo"
    """Name of the algorithm; `arena algorithms` lists them."""
    settings: dict[str, Any] = Field({}, validate_default=True)
    """Settings of the algorithm; those left out are its own."""
    policy: PolicyConfig = Field(default_factory=PolicyConfig, validate_default=True)
    """Its network."""
    plays: str = ""
    """Where teams are not alike: a role of the team that it plays, such as "adversary"; empty: all seats."""
    parameters: Literal["shared", "own"] = "shared"
    """Seats of one role share a network, or each has its own."""

    @field_validator("algorithm")
    @classmethod
    def _algorithm(cls, name: str) -> str:
        registry.entry(name)
        return name

    @field_validator("settings")
    @classmethod
    def _settings(cls, settings: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """All of them, so that a run's file says what it was trained with."""
        if "algorithm" not in info.data:  # which was refused
            return settings
        entry = registry.entry(info.data["algorithm"])
        model: type[Config] = entry.algorithm.Config
        return nested(model, registry.over(entry.settings, settings)).model_dump(mode="json")

    @field_validator("policy", mode="before")
    @classmethod
    def _policy(cls, policy: Any, info: ValidationInfo) -> Any:
        """What the algorithm sets where nothing is said."""
        given = policy.model_dump(exclude_unset=True) if isinstance(policy, PolicyConfig) else policy
        if "algorithm" not in info.data or not isinstance(given, Mapping):
            return policy
        return {**registry.entry(info.data["algorithm"]).policy, **given}


class Learner:
    """A crew and how far it has come."""

    def __init__(
        self,
        name: str,
        config: AgentConfig,
        spec: EnvSpec,
        seed: int,
        device: torch.device,
        threads: Threads,
        encoder: nn.Module | None = None,
    ) -> None:
        """Start from random weights; `seed` decides them. The crew is made when it is first asked for."""
        self.name = name
        self.settings = config.settings
        """Of the algorithm, as they are now: population-based training changes them."""
        self.stretches = 0
        """Stretches of training finished."""
        self.steps = 0
        """Env steps trained."""
        self.episodes = 0
        """Games that ended in training."""
        self.training_seconds = 0.0
        """Spent on its rollouts and updates."""
        self.seconds = 0.0
        """What of the run's budget was spent when this learner was last saved."""
        self.generation = 0
        """Times it has started again."""
        self.born = 0
        """Env steps when it last did."""
        self.parent: str | None = None
        """Name of the snapshot that its weights come from: its last one, or that of whom it copied."""
        self.pooled = True
        """What it is now is in the pool of the league, or is about to be."""
        self._config, self._spec, self._seed = config, spec, seed
        self.renewed = -1
        """Stretches that it had finished when it last started again or copied somebody; -1: never."""
        self._device, self._threads, self._encoder = device, threads, encoder
        self._crew: Crew | None = None
        self._weights = seed
        """Decides those of a crew that is not made yet and has no state."""
        self._state: Mapping[str, Any] | None = None
        """Of a crew that is not made yet."""
        self._posts: tuple[str, ...] = ()

    @property
    def crew(self) -> Crew:
        """What learns.

        Raises:
            InputError: a game or a network that the algorithm does not admit.
        """
        if self._crew is None:
            crew = self._build(self._weights)
            if self._state is not None:
                crew.load_state_dict(self._state)
            self._crew, self._state, self._posts = crew, None, tuple(crew.policies)
        return self._crew

    @property
    def posts(self) -> tuple[str, ...]:
        """Of the crew, see `envs.side`."""
        return self._posts or tuple(self.crew.policies)

    def _build(self, seed: int) -> Crew:
        return registry.build_crew(
            self._config.algorithm,
            self._spec,
            roles_of(self._spec, self._config.plays),
            registry.parse_settings(self._config.algorithm, self.settings),
            self._config.policy,
            seed,
            self._device,
            self._threads,
            self._config.parameters,
            deepcopy(self._encoder),
        )

    @property
    def latest(self) -> str:
        """Name of its snapshot as it is now."""
        return f"{self.name}:{self.steps}"

    def start_again(self) -> None:
        """From random weights, other ones each time, and the settings of the config."""
        self.generation += 1
        self.renewed = self.stretches
        self.born, self.parent, self.settings = self.steps, None, self._config.settings
        self._crew, self._state = None, None
        self._weights = seed_for(self._seed, "generation", self.generation)

    def become(self, donor: Learner, settings: dict[str, Any], parent: str) -> None:
        """Go on from the state of `donor`, whose last snapshot is `parent`, with other `settings`."""
        self._state = _read(_packed(donor.crew_state()))["crew"]
        self._crew, self._weights = None, seed_for(self._seed, "copy", self.stretches)
        self.settings, self.parent, self.renewed = settings, parent, self.stretches

    def crew_state(self) -> Mapping[str, Any]:
        """That of its crew, which may be in use."""
        return self.crew.state_dict() if self._state is None else self._state

    def state(self, seconds: float) -> bytes:
        """Everything the next stretch depends on; `seconds` of the run's budget are spent."""
        self.seconds = seconds
        counts = {name: getattr(self, name) for name in COUNTS}
        settings = json.dumps(self.settings, sort_keys=True)
        return _packed(self.crew_state(), **counts, settings=settings)

    def load(self, state: bytes) -> None:
        """Go on from what `state` was somewhere. The crew is made when it is asked for, and by the settings that it
        has then."""
        read = _read(state)
        for name in COUNTS:
            setattr(self, name, read[name])
        self.settings = json.loads(read["settings"])
        self._crew, self._state, self._weights = None, read["crew"], self._seed

    def restore(self, path: Path) -> None:
        """Go on where `state` was written to `path`; stay at the start if there is no file yet.

        Raises:
            InputError: the file is damaged or of another network.
        """
        if not path.exists():
            return
        try:
            self.load(path.read_bytes())
            _ = self.crew
        except Exception as fault:  # torch.load raises nearly anything on a damaged file
            reason = (str(fault).splitlines() or [repr(fault)])[0].rstrip(".:")
            raise InputError(f"{path} cannot be resumed from: {reason}.") from None


def _packed(crew: Mapping[str, Any], **more: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save({**more, "crew": crew}, buffer)
    return buffer.getvalue()


def _read(state: bytes) -> dict[str, Any]:
    read: dict[str, Any] = torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)
    return {"renewed": -1, **read}  # older ones do not say it


COUNTS = (
    "stretches", "steps", "episodes", "training_seconds", "seconds", "generation", "born", "parent",
    "pooled", "renewed",
)  # fmt: skip


def roles_of(spec: EnvSpec, plays: str) -> tuple[str, ...]:
    """Roles of the seats that a learner takes: those of the team in which the role `plays` is, or all.

    Raises:
        InputError: no such role.
    """
    if not plays:
        return tuple(dict.fromkeys(spec.roles))
    if plays not in spec.roles:
        raise unknown(f"role of {spec.id}", plays, spec.roles)
    team = spec.teams[spec.roles.index(plays)]
    return tuple(dict.fromkeys(role for role, own in zip(spec.roles, spec.teams, strict=True) if own == team))


def seed_for(seed: int, *what: str | int) -> int:
    """A seed of 53 bits for one purpose of a run that has `seed`."""
    source = np.random.SeedSequence([seed, crc32("|".join(map(str, what)).encode())])
    return int(source.generate_state(1, np.uint64)[0] >> np.uint64(11))


def device(name: str) -> torch.device:
    """Where networks learn: "auto", "cpu" or "cuda"."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda: torch sees no GPU here; use device = auto or cpu.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
