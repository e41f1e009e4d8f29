"""Tiny games of several seats with one right answer each, and what tests need to learn them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from agents.crew import Crew, Experience
from agents.experience import experience
from agents.play import Step, play
from agents.player import PolicyPlayer
from envs.core import Array, Bools, EnvSpec, Floats, Ints, TimeStep, game_seeds
from envs.player import Decision, Player
from envs.scene import Circle, Scene
from envs.seats import choices, obs_layout, own_action
from envs.side import post_of

Spaces = tuple[spaces.Space[Any], ...]


def sees(width: int) -> spaces.Space[Any]:
    return spaces.Box(-np.inf, np.inf, (width,), np.float32)


class JointGame:
    """Base: a clock, and a hint in [-1, 1) drawn when a game starts. Games say `views` and `rules`."""

    obs: ClassVar[Spaces] = (sees(1), sees(1))
    actions: ClassVar[Spaces] = (spaces.Discrete(2),) * 2
    teams: ClassVar[tuple[int, ...]] = (0, 0)
    roles: ClassVar[tuple[str, ...]] = ()
    limit: ClassVar[int] = 1
    """Steps after which a game is truncated."""

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.spec = EnvSpec(
            id=f"{type(self).__name__}-v0",
            observation_spaces=self.obs,
            action_spaces=self.actions,
            teams=self.teams,
            max_steps=self.limit,
            step_seconds=1.0,
            zero_sum=False,
            symmetric=not self.roles,
            roles=self.roles,
        )
        self.clock, self.number = np.zeros(num_envs, np.int64), np.zeros(num_envs, np.int64)
        self.hint = np.zeros(num_envs)

    def views(self) -> Sequence[Array]:
        """[P] of [B, D_p]."""
        return [self.hint[:, None]] * self.spec.seats

    def rules(self, action: Sequence[Array]) -> tuple[Array, Bools]:
        """Rewards [B, P] of the step that `clock` counts last, which games it ends, [B]; `action` [P] of [B, ...]."""
        raise NotImplementedError

    def acts(self) -> Bools:
        """[B, P]."""
        return np.ones((self.num_envs, self.spec.seats), np.bool_)

    def reset(self, seed: int | Ints) -> TimeStep:
        self.rng = np.random.default_rng(game_seeds(seed, self.num_envs))
        self.number[:] = 0
        self.begin(np.ones(self.num_envs, np.bool_))
        never, nothing = np.zeros(self.num_envs, np.bool_), np.zeros((self.num_envs, self.spec.seats))
        return self.show(nothing, never, never.copy(), self.seen(), nothing * np.nan)

    def step(self, action: Array) -> TimeStep:
        self.clock += 1
        own = [own_action(space, action[:, seat]) for seat, space in enumerate(self.actions)]
        reward, terminated = self.rules(own)
        truncated = (self.clock >= self.limit) & ~terminated
        ended, final_obs = terminated | truncated, self.seen()
        score = np.where(ended[:, None], reward, np.nan)
        self.begin(ended)
        return self.show(np.array(reward, np.float64), terminated, truncated, final_obs, score)

    def begin(self, which: Bools) -> None:
        self.hint[which] = self.rng.uniform(-1, 1, int(which.sum()))
        self.clock[which] = 0
        self.number[which] += 1

    def seen(self) -> Array:
        whole = np.zeros((self.num_envs, self.spec.seats, *obs_layout(self.spec)[0]), np.float32)
        for seat, view in enumerate(self.views()):
            whole[:, seat, : view.shape[1]] = view
        return whole

    def legal(self) -> Bools:
        whole = np.zeros((self.num_envs, self.spec.seats, choices(self.spec)), np.bool_)
        for seat, space in enumerate(self.actions):
            if isinstance(space, spaces.Discrete):
                whole[:, seat, : space.n] = self.acts()[:, seat, None]
                whole[:, seat, :1] = True
        return whole

    def show(self, reward: Floats, terminated: Bools, truncated: Bools, final_obs: Array, score: Floats) -> TimeStep:
        return TimeStep(self.seen(), self.legal(), self.acts(), reward, terminated, truncated, final_obs, score)

    def get_state(self) -> dict[str, Array]:
        return {"clock": self.clock.copy(), "hint": self.hint.copy()}

    def set_state(self, state: Mapping[str, Array]) -> None:
        for name, array in state.items():
            getattr(self, name)[:] = array

    def draw(self, row: int) -> Scene:
        return Scene(-1.0, 1.0, -1.0, 1.0, (0, 0, 0), (Circle(float(self.hint[row]), 0.0, 0.1, (255, 0, 0)),), 100)


class Chorus(JointGame):
    """Both say whether the hint is positive, and are paid only if both are right."""

    def rules(self, action: Sequence[Array]) -> tuple[Array, Bools]:
        right = (self.hint > 0).astype(np.int64)
        both = (action[0] == right) & (action[1] == right)
        return np.stack([both, both], 1) * 1.0, np.ones(self.num_envs, np.bool_)


class Sum(JointGame):
    """Two numbers from 0 to 2 that are alike and whose sum is two and the hint. One game: one step."""

    actions = (spaces.Box(0, 2, (1,), np.float32),) * 2

    def rules(self, action: Sequence[Array]) -> tuple[Array, Bools]:
        one, other = action[0][:, 0], action[1][:, 0]
        pay = -np.square(one + other - 2 - self.hint) - np.square(one - other)
        return np.stack([pay, pay], 1), np.ones(self.num_envs, np.bool_)


class Hunt(JointGame):
    """The prey is best off in the last of three places whatever happens; the hunter, who sees more and moves in two
    numbers, is paid for coming where the prey is. Its second number should be the hint."""

    obs, roles, teams = (sees(3), sees(1)), ("hunter", "prey"), (0, 1)
    actions = (spaces.Box(-1, 1, (2,), np.float32), spaces.Discrete(3))

    def views(self) -> Sequence[Array]:
        return [np.stack([self.hint, self.hint**2, np.ones(self.num_envs)], 1), np.ones((self.num_envs, 1))]

    def rules(self, action: Sequence[Array]) -> tuple[Array, Bools]:
        gap = action[0][:, 0] - (action[1] - 1)
        hunter = -np.square(gap) - np.square(action[0][:, 1] - self.hint)
        return np.stack([hunter, (action[1] == 2) + 0.1 * np.abs(gap)], 1), np.ones(self.num_envs, np.bool_)


class Ledger(JointGame):
    """Three seats see who they are, which game it is and its clock, so that every row tells where it comes from.
    Games whose number is even are ended by the rules in the second step, others by the limit in the third."""

    obs, actions, teams = (sees(3), sees(4), sees(4)), (spaces.Discrete(4),) * 3, (0, 1, 1)
    roles, limit = ("lone", "pair", "pair"), 3

    def views(self) -> Sequence[Array]:
        place = np.arange(self.num_envs) * 1000 + self.number
        common = [place, self.clock]
        return [
            np.stack([*common, np.full(self.num_envs, seat), *([np.ones(self.num_envs)] * (seat > 0))], 1)
            for seat in range(3)
        ]

    def rules(self, action: Sequence[Array]) -> tuple[Array, Bools]:
        pay = np.stack([self.number * 10 + self.clock + 0.1 * seat for seat in range(3)], 1)
        return pay, (self.clock == 2) & (self.number % 2 == 0)

    def acts(self) -> Bools:
        """The last seat waits in the first step."""
        acts = super().acts()
        acts[:, 2] = self.clock > 0
        return acts


class Same:
    """A player that always does the same."""

    memory_size, keep_memory = 0, False

    def __init__(self, action: Array, name: str = "same") -> None:
        self._action, self.name = action, name

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: np.random.Generator) -> Decision:
        return Decision(np.repeat(self._action[None], len(obs), 0), memory, {})


def seated(
    game: JointGame, crew: Crew, seed: int = 0, strangers: Mapping[int, Player] | None = None, greedy: bool = False
) -> tuple[Iterator[Step], dict[str, int]]:
    """Endless play, and which player is on which post: the crew everywhere, but for the seats of `strangers` in every
    second game."""
    posts = list(crew.policies)
    of_seat = [post_of(crew.policies, game.spec, seat) for seat in range(game.spec.seats)]
    players: list[Player] = [PolicyPlayer(policy, "learner", greedy) for policy in crew.behaviours.values()]
    seating = np.tile([posts.index(post or posts[0]) for post in of_seat], (game.num_envs, 1))
    for seat, stranger in (strangers or {}).items():
        rows = slice(None) if of_seat[seat] is None else slice(1, None, 2)
        seating[rows, seat] = len(players)
        players.append(stranger)
    return play(game, players, seating, seed), {post: index for index, post in enumerate(posts)}


def seen(steps: Iterator[Step], length: int, learns: Mapping[str, int], crew: Crew) -> Experience:
    return experience(steps, length, 0, learns, crew.sees)


def learn(game: JointGame, crew: Crew, updates: int, length: int, seed: int = 0, **more: Any) -> None:
    """`updates` rollouts of `length` steps."""
    steps, learns = seated(game, crew, seed, **more)
    for update in range(updates):
        crew.update(seen(steps, length, learns, crew), update / updates)


def score(game: JointGame, crew: Crew, greedy: bool = True, **more: Any) -> list[float]:
    """[P] mean rewards of 10 steps."""
    steps, _ = seated(game, crew, 99, greedy=greedy, **more)
    return list(np.mean([step.after.reward.mean(0) for step in islice(steps, 10)], 0))
