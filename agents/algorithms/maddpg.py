"""Multi-agent deep deterministic policy gradient (Lowe et al. 2017): actors that see what is theirs, and in training a
critic for each post that sees what all seats see and do.

Seats are turned so that a critic's own comes first, so one critic serves all seats of a role. Whoever else learns does
in a target what its own slow actor would; what strangers (frozen opponents, bots) did next is taken as it was. Choices
and buttons reach the critics through the straight-through Gumbel-softmax; a target draws them from the slow actor,
which is what plays, where a deterministic actor has its one action.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from gymnasium import spaces
from pydantic import Field
from torch import Tensor, nn

from agents.algorithms.action_critic import ActionCriticConfig
from agents.algorithms.algorithm import ANY_ACTION, Metrics
from agents.algorithms.ddpg import NoiseConfig, RelaxedConfig
from agents.algorithms.off_policy import ActorCriticSteps, Target
from agents.central import Autograd, Compiled, Gradients, Loss, Networks
from agents.crew import Experience, Sees
from agents.critic import CentralCritics
from agents.heads import Actor, ActorHead, HeadConfig
from agents.joint import NOBODY, JointRollout
from agents.optimiser import Optimiser
from agents.parallel import Threads
from agents.policy import Policy
from agents.replay import JointReplay, JointReplayConfig
from agents.stacks import Layout, kinds
from envs.core import EnvSpec
from envs.errors import InputError
from envs.seats import choices, obs_layout


class MADDPGConfig(RelaxedConfig, NoiseConfig, ActionCriticConfig):
    """Settings of MADDPG. The paper's: both step sizes 0.01, tau 0.01, a gradient step every 100 steps of games."""

    learning_rate: float = Field(3e-3, gt=0)
    """Step size of the actors at the start."""
    critic_learning_rate: float = Field(1e-2, gt=0)
    """Step size of the critics at the start."""
    gamma: float = Field(0.95, ge=0, le=1)
    """Discount per env step."""
    batch_size: int = Field(1024, ge=1)
    """Rows per gradient step and post: steps of games from one of its seats. The networks of an ensemble share them."""
    updates_per_step: float = Field(0.02, gt=0)
    """Gradient steps per step of a game, with all its seats; taken after each rollout, fractions are carried."""
    start: int = Field(2000, ge=0)
    """Steps of games that are collected before the first gradient step."""
    tau: float = Field(0.02, gt=0, le=1)
    """Share of the way that targets go to the learnt weights at a time; 1: they become equal."""
    entropy: float = Field(0.03, ge=0)
    """Weight of the entropy of choices and buttons in what the actors climb: nothing else keeps them exploring."""
    replay: JointReplayConfig = JointReplayConfig()
    """The memory: how many steps of games it holds."""
    ensemble: int = Field(1, ge=1)
    """Networks of each post, one of which, drawn when a game starts, plays it; each learns from its own games."""


class MADDPG(ActorCriticSteps):
    """Learns all posts of one side, or of all, together. A `Crew`."""

    Config: ClassVar[type[MADDPGConfig]] = MADDPGConfig
    actions: ClassVar[tuple[type[spaces.Space[Any]], ...]] = ANY_ACTION
    cores: ClassVar[tuple[str, ...]] = ("none",)
    losses: ClassVar[tuple[str, ...]] = ("critic_loss", "value", "actor_loss")
    twins: ClassVar[int] = 1
    """Critics of each post."""
    sees: Sees = "joint"
    config: MADDPGConfig

    @classmethod
    def head(cls, config: MADDPGConfig) -> HeadConfig:
        """An actor with noise, or several."""
        return Actor(spread="noise", members=config.ensemble)

    def __init__(
        self, policies: Mapping[str, Policy], spec: EnvSpec, config: MADDPGConfig, seed: int = 0,
        threads: Threads | None = None,
    ) -> None:  # fmt: skip
        """`policies` by post; `seed` decides the critics' weights and all draws; `threads` share large batches.

        Raises:
            InputError: a game or networks that it does not admit.
        """
        self._kinds = kinds(policies)
        self.policies = self.behaviours = dict(policies)
        shape, _ = obs_layout(spec)
        _admit(spec, shape, policies)
        first = next(iter(policies.values()))
        self._layout = Layout(spec)
        self._mind_of = {
            policy: kind.first + index * policy.members
            for kind in self._kinds
            for index, policy in enumerate(kind.policies)
        }
        minds = len(policies) * config.ensemble
        widths = shape[0], self._layout.width, choices(spec)
        self.replay = JointReplay(config.replay, spec.seats, minds, widths, first.device)
        super().__init__(config, seed, {"replay": self.replay})
        hidden = (*first.config.hidden, *first.config.head_hidden)
        inputs = spec.seats * (widths[0] + widths[1])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.critic = CentralCritics(len(policies), self.twins, inputs, hidden, first.config.activation)
        self.critic.to(first.device)
        actors = nn.ModuleList(kind.network for kind in self._kinds)
        self._actor_step = Optimiser(list(actors.parameters()), config)
        for kind in self._kinds:
            kind.share()
        self._critic_step = Optimiser(list(self.critic.parameters()), config.of_critic)
        self._actor_target = Target(actors, self._actor_step.weights, config)
        self._critic_target = Target(self.critic, self._critic_step.weights, config)
        self._parts |= {
            **{f"policy.{post}": policy for post, policy in policies.items()},
            "critic": self.critic,
            "actor_target": self._actor_target,
            "critic_target": self._critic_target,
            "actor_step": self._actor_step,
            "critic_step": self._critic_step,
        }
        self._steps = 0
        self._actor_loss = torch.zeros((), device=first.device)
        self._networks = Networks(
            self._kinds, self._actor_step.weights, self._actor_target.network, self._actor_target.weights,
            self.critic, self._critic_step.weights, self._critic_target.network, self._critic_target.weights,
            len(policies), config.ensemble, self._layout.width,
        )  # fmt: skip
        self._gradients: Gradients = (
            Compiled(self._networks, self._loss(), threads)
            if first.device.type == "cpu"
            else Autograd(self._networks, self._loss())
        )
        self._settle(0.0)

    def _loss(self) -> Loss:
        """What is lowered."""
        config = self.config
        return Loss(config.gamma, config.temperature, config.straight_through, config.entropy, config.raw_penalty)

    def update(self, experience: Experience, progress: float = 0.0) -> Metrics:
        """See `Crew`: keep `experience`, then take the gradient steps that are due."""
        assert isinstance(experience, JointRollout)
        first = torch.tensor([*(self._mind_of[self.policies[post]] for post in experience.posts), NOBODY])
        of_seat = first[experience.post.long()]  # NOBODY is the last
        mind = torch.where(of_seat < 0, of_seat, of_seat + experience.member)
        self.replay.add(experience, self._layout.of(experience.action), mind)
        played = len(experience) * int((experience.post >= 0).any(1).sum())
        return self._go_on(played, len(self.replay), progress)

    def _ready(self) -> bool:
        """See `ReplayLearner`."""
        return self.replay.ready

    def _learn(self, progress: float) -> Tensor:
        """See `ReplayLearner`: a step of all critics together, and one of all actors."""
        batch = self.replay.sample(max(1, self.config.batch_size // self.config.ensemble), self._rng)
        posts = len(self.policies)
        following = self._gradients.next_actions(batch, self._noise)
        (loss, value), gradient = self._gradients.of_critics(batch, following)
        self._critic_step.step(gradient, progress)
        self._steps += 1
        if self._steps % self.config.actor_every == 0:
            total, gradient = self._gradients.of_actors(batch, self._noise)
            self._actor_step.step(gradient, progress)
            self._actor_loss = total / posts
        self._critic_target.follow()
        self._actor_target.follow()
        return torch.stack([loss / posts, value, self._actor_loss])

    def _settle(self, progress: float) -> Metrics:
        """See `ReplayLearner`: the noise of what is played next."""
        noise = self.config.noise_at(progress, self._rows >= self.config.start)
        for policy in self.policies.values():
            assert isinstance(policy.head, ActorHead)
            policy.head.noise.fill_(noise)
        return {"noise": noise, **super()._settle(progress)}


def _admit(spec: EnvSpec, shape: tuple[int, ...], policies: Mapping[str, Policy]) -> None:
    """Refuse what cannot be done, and say what can."""
    if len(shape) != 1:
        raise InputError(f"{spec.id}: critics that see all seats need flat observations, not {shape}: use ippo.")
    for policy in policies.values():
        if policy.norm_obs is not None or policy.own_encoder:
            raise InputError("maddpg and matd3 need policy.normalise_obs = False and no encoder of your own.")
