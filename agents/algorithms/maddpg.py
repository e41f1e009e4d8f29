"""Multi-agent deep deterministic policy gradient (Lowe et al. 2017): actors that see what is theirs, and in training a
critic for each post that sees what all seats see and do.

Seats are turned so that a critic's own comes first, so one critic serves all seats of a role. Whoever else learns does
in a target what its own slow actor would; what strangers (frozen opponents, bots) did next is taken as it was. Choices
and buttons reach the critics through the straight-through Gumbel-softmax; a target draws them from the slow actor,
which is what plays, where a deterministic actor has its one action.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from gymnasium import spaces
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from agents.algorithms.action_critic import ActionCriticConfig
from agents.algorithms.algorithm import ANY_ACTION, Metrics, acting_weight
from agents.algorithms.ddpg import NoiseConfig, RelaxedConfig, with_entropy
from agents.algorithms.off_policy import ActorCriticSteps, Target
from agents.crew import Experience, Sees
from agents.critic import CentralCritics
from agents.heads import Actor, ActorHead, HeadConfig
from agents.joint import NOBODY, JointRollout
from agents.optimiser import Optimiser
from agents.policy import Policy
from agents.replay import JointBatch, JointReplay, JointReplayConfig
from agents.stacks import Kind, Layout, by_mind, kinds
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

    def __init__(self, policies: Mapping[str, Policy], spec: EnvSpec, config: MADDPGConfig, seed: int = 0) -> None:
        """`policies` by post; `seed` decides the critics' weights and all draws.

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
        self._settle(0.0)

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
        views = batch.obs.flatten(2)
        with torch.no_grad():
            target = self._target(batch)
        value = self.critic(self._joined(views, batch.action.flatten(2)))
        square = (value - target).square()
        if batch.known is not None:
            square = square * self._by_post(batch.known.expand_as(batch.reward))
        posts = len(self.policies)
        loss = square.sum() / target[0].numel()
        self._critic_step.minimise(loss, progress)
        self._steps += 1
        if self._steps % self.config.actor_every == 0:
            self._actor_loss = self._improve(batch, views, progress) / posts
        self._critic_target.follow()
        self._actor_target.follow()
        return torch.stack([loss.detach() / posts, value.detach().mean(), self._actor_loss])

    def _joined(self, views: Tensor, actions: Tensor) -> Tensor:
        """[C, n, inputs] what the critics read: views and actions of all seats [M, m, ...]."""
        rows = torch.cat([views, actions], -1)
        return rows.view(len(self.policies), -1, rows.shape[-1])

    def _by_post(self, rows: Tensor) -> Tensor:
        """[C, n] of [M, m]."""
        return rows.reshape(len(self.policies), -1)

    def _target(self, batch: JointBatch) -> Tensor:
        """[C, n] reward and what is worth, by the least of the slow critics, what the slow actors would do next."""
        critic: CentralCritics = self._critic_target.network
        rows = self._joined(batch.next_obs.flatten(2), self._next_actions(batch).view(*batch.reward.shape, -1))
        worth = critic(rows)
        least: Tensor = worth[0] if len(worth) == 1 else worth.amin(0)
        return torch.addcmul(self._by_post(batch.reward), self._by_post(batch.discount), least, value=self.config.gamma)

    def _next_actions(self, batch: JointBatch) -> Tensor:
        """[M * m * P, V] of minds by the slow actors, of strangers as they were."""
        if batch.same is None:
            return self._act(batch, slice(None))
        return self._act(batch, slice(1)).index_select(0, batch.same)

    def _act(self, batch: JointBatch, asked: slice) -> Tensor:
        """The same in the rows of the minds `asked` alone."""
        obs = batch.next_obs[asked].flatten(0, 2)
        mind = batch.mind[: len(obs)]
        legal = None if batch.next_legal is None else batch.next_legal[asked].flatten(0, 2)
        if batch.next_action is None:
            vectors = obs.new_zeros(len(obs), self._layout.width)
        else:
            vectors = batch.next_action[asked].flatten(0, 2)
        slow: Sequence[Policy] = self._actor_target.network
        for kind, network, (rows, real) in zip(self._kinds, slow, by_mind(mind, self._kinds), strict=True):
            if not rows.numel():
                continue
            seen = obs.index_select(0, rows.flatten()).view(*rows.shape, -1)
            mask = None if legal is None or not kind.choices else legal[rows][..., : kind.choices]
            dist, _ = kind.read(network, seen[..., : kind.width], mask)
            own = self._near(kind, kind.vectors.chosen(dist, self._noise))
            at, own = (rows.flatten(), own.flatten(0, 1)) if real is None else (rows[real], own[real])
            vectors[at, : kind.vectors.width] = own
        return vectors

    def _near(self, kind: Kind, action: Tensor) -> Tensor:
        """Vectors [..., V] whose value stands for that of `action`: these themselves."""
        return action

    def _improve(self, batch: JointBatch, views: Tensor, progress: float) -> Tensor:
        """A step of all actors up the gradient of their posts' critics, with what others did as it was (equation 6);
        returns the sum of their losses."""
        own, cost = [], []
        for kind in self._kinds:
            minds, config = kind.minds, self.config
            mask = None if batch.legal is None or not kind.choices else batch.legal[minds][..., : kind.choices]
            dist, raw = kind.read(kind.network, batch.obs[minds, :, 0, : kind.width], mask)
            vector = kind.vectors.drawn(dist, config.temperature, config.straight_through, self._noise)
            own.append(functional.pad(vector, (0, self._layout.width - kind.vectors.width)))
            penalty = config.raw_penalty * raw.square().mean(0)
            cost.append(with_entropy(penalty, dist, -config.entropy))
        actions = torch.cat([torch.cat(own), batch.action[:, :, 1:].flatten(2)], -1)
        gain = self.critic.first(self._joined(views, actions))
        loss = self._by_post(torch.cat(cost)) - gain
        for weight in (batch.known, None if batch.acts is None else acting_weight(batch.acts)):
            if weight is not None:
                loss = loss * self._by_post(weight.expand_as(batch.reward))
        total = loss.sum() / loss.shape[1]
        self._actor_step.minimise(total, progress)
        return total.detach()

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
