"""Deep deterministic policy gradient (Lillicrap et al. 2016): an actor that climbs its critic.

Choices and buttons, which have no derivative, reach the critic through the Gumbel-softmax (Jang et al. 2017), as in
Lowe et al. 2017. With memory, actor and critic are recurrent and learn from windows (Heess et al. 2015).
"""

from __future__ import annotations

from typing import Any, ClassVar

from gymnasium import spaces
from pydantic import Field
from torch import Tensor

from agents.algorithms.action_critic import ActionCriticLearner, OwnCriticConfig, mean_over
from agents.algorithms.algorithm import ANY_ACTION, Metrics
from agents.algorithms.off_policy import Target
from agents.algorithms.seen import Seen
from agents.critic import Critic
from agents.distributions import ActionDist, Bernoulli, Categorical
from agents.heads import Actor, ActorHead, HeadConfig
from agents.parallel import Threads
from agents.policy import Policy
from agents.vectors import leaves
from envs.config import Config


class NoiseConfig(Config):
    """How a deterministic actor explores, and what keeps it from its bounds."""

    first_noise: float = Field(1.0, ge=0)
    """Deviation of the noise on continuous actions, in halves of their range, while the rows of `start` are played."""
    noise: float = Field(0.2, ge=0)
    """The same from then on."""
    final_noise: float | None = Field(None, ge=0)
    """The same at the end of the budget, to which it goes linearly; none: it stays."""
    raw_penalty: float = Field(1e-3, ge=0)
    """Weight of the square of the actor's raw outputs in its loss: where they are large, tanh and softmax have no
    gradient to come back by (Lowe et al. 2017 do so)."""

    def noise_at(self, progress: float, started: bool) -> float:
        """Deviation after `progress`, 0..1, of the budget; `started`: the rows of `start` have been played."""
        if not started:
            return self.first_noise
        last = self.noise if self.final_noise is None else self.final_noise
        return self.noise + (last - self.noise) * progress


class RelaxedConfig(Config):
    """How choices and buttons, which have no derivative, reach a critic: by the Gumbel-softmax."""

    temperature: float = Field(1.0, gt=0)
    """Of the Gumbel-softmax through which choices and buttons reach the critic."""
    straight_through: bool = True
    """The critic is told the choice itself, and only the gradient is the softmax's."""
    entropy: float = Field(0.01, ge=0)
    """Weight of the entropy of choices and buttons in what the actor climbs: nothing else keeps them exploring."""


class DeterministicConfig(NoiseConfig, OwnCriticConfig):
    """What the settings of DDPG and TD3 begin with."""


class DeterministicLearner(ActionCriticLearner):
    """Base: learns a deterministic actor, from what a noisy one did."""

    config: DeterministicConfig

    @classmethod
    def head(cls, config: DeterministicConfig) -> HeadConfig:
        """An actor with noise."""
        return Actor(spread="noise")

    def __init__(
        self, policy: Policy, config: DeterministicConfig, seed: int = 0, threads: Threads | None = None
    ) -> None:
        """See `Algorithm`; there is nothing for `threads` to share."""
        super().__init__(policy, config, seed, threads)
        self._actor_target = Target(policy, self._actor_step.weights, config)
        self._parts["actor_target"] = self._actor_target
        self._settle(0.0)

    def _worth_after(self, seen: Seen) -> Tensor:
        """See `ActionCriticLearner`: of what the slow actor would do, by the least of the slow critics."""
        slow: Policy = self._actor_target.network
        dist, _ = slow.read(seen.after(slow, seen.memory), seen.next_legal)
        critic: Critic = self._critic_target.network
        features = seen.after(critic.state, seen.blank)
        worth: Tensor = critic(features, self._near(self.vectors.of(dist.mode()))).squeeze(0).amin(0)
        return worth

    def _near(self, action: Tensor) -> Tensor:
        """Vectors [..., width] whose value stands for that of `action`: these themselves."""
        return action

    def _improve(self, seen: Seen, progress: float) -> Tensor:
        """See `ActionCriticLearner`: up the gradient of the first critic (Silver et al. 2014, equation 9)."""
        features = seen.now(self.policy, seen.memory)
        dist, _ = self.policy.read(features, seen.legal)
        raw = self.policy.head.outputs(features)["actor"]
        cost = self.config.raw_penalty * raw.square().mean(0) - self._gain(dist, self._critic_features(seen))
        loss = mean_over(cost, seen.weight)
        self._actor_step.minimise(loss, progress)
        return loss

    def _gain(self, dist: ActionDist, features: Tensor) -> Tensor:
        """[...] what the actor climbs where the critic knows `features` of the state."""
        return self.critic.first(features, self.vectors.of(dist.mode()))

    def _follow(self) -> None:
        """See `ActionCriticLearner`."""
        super()._follow()
        self._actor_target.follow()

    def _settle(self, progress: float) -> Metrics:
        """See `OffPolicyLearner`: the noise of what is played next."""
        noise = self.config.noise_at(progress, self._rows >= self.config.start)
        assert isinstance(self.policy.head, ActorHead)
        self.policy.head.noise.fill_(noise)
        return {"noise": noise, **super()._settle(progress)}


class DDPGConfig(RelaxedConfig, DeterministicConfig):
    """Settings of DDPG."""


class DDPG(DeterministicLearner):
    """Learns with one critic, for actions of any kind."""

    Config: ClassVar[type[DDPGConfig]] = DDPGConfig
    actions: ClassVar[tuple[type[spaces.Space[Any]], ...]] = ANY_ACTION
    members: ClassVar[int] = 1
    config: DDPGConfig

    def _gain(self, dist: ActionDist, features: Tensor) -> Tensor:
        """See `DeterministicLearner`; choices are drawn."""
        config = self.config
        noise = self.vectors.exponentials(features.shape[:-1], self._noise)
        action = self.vectors.drawn(dist, config.temperature, config.straight_through, noise)
        return with_entropy(self.critic.first(features, action), dist, config.entropy)


def with_entropy(gain: Tensor, dist: ActionDist, weight: float) -> Tensor:
    """`gain` [...] and `weight` times the entropy of the choices and buttons in `dist`."""
    for part in leaves(dist):
        if isinstance(part, Categorical | Bernoulli):
            gain = gain + weight * part.entropy()
    return gain
