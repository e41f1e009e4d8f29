"""Settings of a league: what a run file may say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from arena.config import parse_budget
from arena.league.matchmaking import MatchmakingConfig
from arena.league.pbt import PBTConfig
from arena.league.promotion import PromotionConfig
from arena.league.roles import LEARNING, MATCHMAKING, MET, Role
from arena.learner import AgentConfig
from arena.trainer import TrainingConfig
from envs.config import Config
from envs.errors import InputError, unknown


class GameConfig(Config):
    """The game that is rated."""

    id: str = "SlimeVolley-v0"
    """Registered id."""
    options: dict[str, Any] = {}
    """Its options, in training and in rated games alike."""


class ResourcesConfig(Config):
    """What a job takes of an executor's machines; without an executor it has all of this one."""

    cpus: int = Field(1, ge=1)
    """Cores, and threads of a stretch of training."""
    gpus: float = Field(0.0, ge=0)
    """GPUs; a share such as 0.25 lets four jobs have one together."""

    @field_validator("gpus")
    @classmethod
    def _whole(cls, gpus: float) -> float:
        if gpus > 1 and gpus != int(gpus):
            raise ValueError(f"gpus = {gpus:g}: a share of one, or a whole number")
        return gpus


class ResetConfig(Config):
    """When a learner starts again from random weights. What it was stays in the league as snapshots."""

    win_share: float = Field(0.7, gt=0.5, le=1)
    """As soon as it wins this share, draws half, against everybody it may meet."""
    steps: int = Field(0, ge=0)
    """After so many env steps since it last started, whatever it wins; 0: never for that reason."""
    chance: float = Field(1.0, gt=0, le=1)
    """Probability of the reset when it is due; otherwise it goes on as it is."""


class LearnerConfig(AgentConfig):
    """One member that learns."""

    name: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    """What its snapshots are called."""
    role: Role = "main"
    """What it is for; the role decides matchmaking where nothing is said. Exploiters are not champions."""
    matchmaking: MatchmakingConfig | None = None
    """Whom it meets; none: as the league's `matchmaking` says for mains, and as its role does for exploiters."""
    reset: ResetConfig | None = None
    """When it starts again; none: never, but for exploiters, who do when they have succeeded."""
    games: int | None = Field(None, ge=4)
    """Games played side by side while it trains; none: as the league's `training` says."""
    steps: int | None = Field(None, ge=1)
    """Steps per rollout; none: likewise. Learners from a replay want few games and short rollouts."""
    snapshot_steps: int | None = Field(None, ge=1)
    """Env steps in a stretch; none: likewise."""
    resources: ResourcesConfig | None = None
    """What a stretch of it takes; none: as the league's `resources` says."""

    @model_validator(mode="before")
    @classmethod
    def _by_role(cls, data: Any) -> Any:
        """What the role decides."""
        role = data.get("role", "main") if isinstance(data, dict) else "main"
        if role == "main" or role not in LEARNING:
            return data
        return {"reset": {}, "matchmaking": MATCHMAKING[role], **data}


class EvaluationConfig(Config):
    """Rated games: each new snapshot meets every anchor and some of the other snapshots."""

    games: int = Field(64, ge=2)
    """Games per pairing, seats swapped in pairs on equal serves."""
    rivals: int = Field(4, ge=0)
    """Snapshots that a new one meets: the best so far, and others at random. Meta-strategies (nash, ...) are only as
    good as the table is full: then as many as there will be."""
    final_games: int = Field(256, ge=0)
    """More games at the end of a run: among the best four, and between each of them and each anchor."""
    greedy: bool = True
    """Snapshots take their most probable action; otherwise they sample."""
    resources: ResourcesConfig = ResourcesConfig()
    """What a block of these games takes."""


class LeagueConfig(Config):
    """A league."""

    game: GameConfig = GameConfig()
    """The game."""
    seed: int = Field(0, ge=0)
    """Decides everything random."""
    budget: str = "5m"
    """Training and rating time such as "200s" or "1h", or env steps such as "20M-steps": then equal seeds give equal
    runs."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks learn."""
    threads: int = Field(0, ge=0)
    """Threads to use; 0: one per core. They change the speed and nothing else. On an executor (`arena league run
    --executor`) a stretch has as many as its `resources.cpus`."""
    sync: bool = False
    """Learners train by rounds, all from what was known before the round, and are rated when the last has ended: then
    equal seeds give equal runs on any executor, if the budget is in steps. Otherwise nobody waits: on an executor of
    several workers learners meet whoever is there, which depends on who was faster."""
    resources: ResourcesConfig = ResourcesConfig()
    """What a stretch of training takes."""
    learners: tuple[LearnerConfig, ...] = Field(min_length=1)
    """Members that train, in turns."""
    anchors: tuple[str, ...] = ("baseline", "random")
    """Scripted players of the game, which are rated as fixed points; met in training only where a learner's
    `matchmaking.anchors` says so."""
    matchmaking: MatchmakingConfig = MATCHMAKING["main"]
    """Whom mains meet, unless they say it themselves."""
    training: TrainingConfig = TrainingConfig()
    """How experience is made."""
    promotion: PromotionConfig = PromotionConfig()
    """When a snapshot enters the pool."""
    pbt: PBTConfig = PBTConfig()
    """Population-based training of settings; off unless it is asked for."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """How snapshots are rated."""
    replays: bool = True
    """Keep replays of the games that are worth watching (`arena.replay.picks`) in DIR/replays."""

    @field_validator("budget")
    @classmethod
    def _budget(cls, text: str) -> str:
        parse_budget(text)
        return text

    @field_validator("learners")
    @classmethod
    def _learners(cls, learners: tuple[LearnerConfig, ...], info: ValidationInfo) -> tuple[LearnerConfig, ...]:
        names = [learner.name for learner in learners]
        if len(set(names)) < len(names):
            raise ValueError("two learners have the same name")
        for name in names:
            check_name(name)
        if len({learner.policy.hold for learner in learners}) > 1:
            raise ValueError("learners that meet must have the same policy.hold")
        return learners

    @field_validator("anchors")
    @classmethod
    def _anchors(cls, anchors: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        names = [*anchors, *(learner.name for learner in info.data.get("learners", ()))]
        if len(set(names)) < len(names):
            raise ValueError("two anchors, or an anchor and a learner, have the same name")
        return anchors

    @field_validator("matchmaking")
    @classmethod
    def _matchmaking(cls, config: MatchmakingConfig, info: ValidationInfo) -> MatchmakingConfig:
        learners = info.data.get("learners", ())
        for one in (config, *(learner.matchmaking for learner in learners if learner.matchmaking)):
            check_against(one, [learner.name for learner in learners])
        return config

    def training_of(self, learner: LearnerConfig) -> TrainingConfig:
        """How the experience of `learner` is made."""
        own = {name: getattr(learner, name) for name in ("games", "steps", "snapshot_steps")}
        return self.training.model_copy(update={key: value for key, value in own.items() if value is not None})

    def resources_of(self, learner: LearnerConfig) -> ResourcesConfig:
        """What a stretch of `learner` takes."""
        return learner.resources or self.resources

    def matchmaking_of(self, learner: LearnerConfig) -> MatchmakingConfig:
        """Whom `learner` meets."""
        return learner.matchmaking or self.matchmaking


def check_against(config: MatchmakingConfig, names: Iterable[str]) -> None:
    """Raise an InputError if `config` looks for somebody who is neither a role nor one of the members `names`."""
    for name in config.against:
        if name not in (*MET, *names):
            raise unknown("member or role", name, {*MET, *names})


def check_name(name: str) -> None:
    """Raise an InputError if no member may be called `name`."""
    if name == "champion":
        raise InputError("nobody may be called champion: DIR@champion is the best of a run.")
