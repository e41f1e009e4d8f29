"""Self-play in games of many seats: who gets how many games, who sits where, and what the learner sees of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.algorithms import registry
from agents.algorithms.algorithm import Metrics
from agents.crew import Crew, Experience, Independent, Sees
from agents.joint import JointRollout
from agents.parallel import Threads
from agents.play import Step, play
from agents.player import PolicyPlayer, Pool
from agents.policy import Policy, PolicyConfig
from agents.rollout import Rollout, evaluate
from agents.snapshot import freeze
from arena.learner import roles_of
from arena.self_play import Opponent, alone, held, lineup, self_play, sit
from arena.trainer import Stream, Stretch, TrainingConfig
from envs.bots import bot
from envs.core import PLAYER, EnvSpec, Ints
from envs.errors import InputError
from envs.side import Squad, covers
from tests.parlours import GAMES, STEPS, Parlour, open_house

SPECS: dict[str, EnvSpec] = {id: Parlour(id, 1).spec for id in GAMES}
HUNT, MEET, LONELY, PAIRS = SPECS.values()


@pytest.fixture(autouse=True)
def games() -> Any:
    with open_house():
        yield


def crew_of(spec: EnvSpec, plays: str = "", seed: int = 0, parameters: Any = "shared", hidden: int = 5) -> Crew:
    """A fresh one for the team in which the role `plays` is."""
    shape = PolicyConfig(hidden=(hidden,))
    return registry.build_crew("ppo", spec, roles_of(spec, plays), None, shape, seed, parameters=parameters)


def set_in_its_ways(spec: EnvSpec, choice: int, plays: str = "", parameters: Any = "shared") -> Mapping[str, Policy]:
    """A frozen crew of which everybody always chooses the same."""
    crew = crew_of(spec, plays, seed=choice, parameters=parameters)
    for policy in crew.policies.values():
        policy.head.outputs.linear.bias.data[choice] = 100.0
    return freeze(crew.policies)


class Watching:
    """A crew that learns nothing and keeps what it is given."""

    def __init__(self, policies: Mapping[str, Policy], sees: Sees = "own") -> None:
        self.policies = self.behaviours = policies
        self.sees: Sees = sees
        self.seen: list[Experience] = []

    def update(self, experience: Experience, progress: float = 0.0) -> Metrics:
        self.seen.append(experience)
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def rollouts(self) -> Mapping[str, Rollout]:
        """The last ones."""
        last = self.seen[-1]
        assert not isinstance(last, JointRollout)
        return last


def trained(
    spec: EnvSpec, crew: Crew, opponents: Sequence[tuple[Opponent, float]], seed: int = 0, **change: Any
) -> Stretch:
    """One iteration of a stretch of 12 games in 2 streams."""
    config = TrainingConfig(**{"games": 12, "streams": 2, "steps": 2 * STEPS, **change})
    stretch = Stretch(crew, self_play(crew, spec.id, {}, opponents, config, seed), Threads(1))
    stretch.iterate(0.0)
    return stretch


def teams_of(spec: EnvSpec, who: Ints) -> Ints:
    """[games, T] of a lineup, in which the seats of a team always belong together."""
    found = np.stack([who[:, spec.teams.index(team)] for team in range(max(spec.teams) + 1)], 1)
    assert np.array_equal(found[:, list(spec.teams)], who)
    return found


# Who sits where.


@given(
    st.sampled_from([PAIRS, LONELY]),
    st.integers(1, 200),
    st.lists(st.floats(0, 1), max_size=5),
    st.floats(0, 1),
    st.floats(0, 0.999),
)
def test_shares(spec: EnvSpec, count: int, parts: list[float], part: float, turn: float) -> None:
    """Everybody gets its share of the games, but for rounding; the learner always plays, and takes teams by turns."""
    whole = sum(parts)
    shares = [one / whole * part for one in parts] if whole > 1e-6 else []
    who = teams_of(spec, lineup(spec, {PLAYER: 0}, shares, count, turn))
    assert who.shape == (count, max(spec.teams) + 1)
    own, met = (who == 0).sum(1), np.any(who, axis=1)
    assert (own[met] == 1).all() and (own[~met] == who.shape[1]).all()
    assert met.sum() == round(sum(shares) * count)
    assert not met[: count - met.sum()].any()  # the learner's own games come first
    others = who[met]
    for index, share in enumerate(shares, start=1):
        seats = (others == index).sum() / (who.shape[1] - 1)
        assert abs(seats - share / sum(shares) * met.sum() if sum(shares) else seats) <= 1 + 1e-6
        assert seats == 0 or share > 0
    if met.any():
        sits = np.bincount(np.nonzero(others == 0)[1], minlength=who.shape[1])
        assert sits.max() - sits.min() <= 1


def test_shares_that_are_whole_numbers_of_games() -> None:
    who = lineup(PAIRS, {PLAYER: 0}, [0.3, 0.125, 0.0, 0.075], 1000, 0.5)
    assert np.bincount(who.max(1)).tolist() == [500, 300, 125, 0, 75]
    for index in (1, 2, 4):
        left, right = (teams_of(PAIRS, who) == index).sum(0)
        assert abs(left - right) <= 1


def test_who_gets_a_game_more_is_left_to_chance() -> None:
    """Over many turns each has its share, however small; and somebody without a share has nothing."""
    shares = [0.1, 0.0, 0.25, 0.65]
    games = sum(
        np.bincount(lineup(PAIRS, {PLAYER: 0}, shares, 6, turn).max(1), minlength=5)
        for turn in (np.arange(200) + 0.5) / 200
    )
    np.testing.assert_allclose(np.asarray(games)[1:] / 1200, shares, atol=0.01)


def test_in_a_free_for_all_the_others_differ() -> None:
    """As far as there are others; each opponent has its share of the seats that the learner leaves."""
    who = lineup(LONELY, {PLAYER: 0}, [0.25, 0.25, 0.25, 0.25], 24, 0.5)
    assert np.bincount(who.reshape(-1)).tolist() == [24, 12, 12, 12, 12]
    assert all(len(set(row)) == 3 for row in who.tolist())
    alone = lineup(LONELY, {PLAYER: 0}, [0.5], 24, 0.5)
    assert np.bincount(alone.reshape(-1)).tolist() == [36 + 12, 24]


def test_who_can_fill_one_team_is_always_there() -> None:
    for plays, team in (("hunter", 0), ("deer", 1)):
        who = teams_of(HUNT, lineup(HUNT, {plays: 0}, [0.5, 0.5], 10, 0.3))
        assert (who[:, team] == 0).all() and (who[:, 1 - team] > 0).all()
        assert np.bincount(who[:, 1 - team]).tolist() == [0, 5, 5]
    both = teams_of(HUNT, lineup(HUNT, {"hunter": 0, "deer": 0}, [1.0], 10, 0.3))
    assert (both == 0).sum(0).tolist() == [5, 5]


def test_a_game_of_one_team_is_played_alone() -> None:
    assert not lineup(MEET, {"guide": 0, "guest": 0}, [1.0], 5, 0.0).any()


# Who is asked for which seats.


def test_players_of_several_posts() -> None:
    """The learner's come first, one for each post that is played; then pools, one for each kind of seat."""
    crew = crew_of(HUNT, parameters="own")
    assert list(crew.policies) == ["hunter.0", "hunter.1", "deer.0"]
    others = [set_in_its_ways(HUNT, choice) for choice in (0, 1)]
    who = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 0], [2, 2, 0]])
    players, seating, learns = sit(HUNT, crew, others, who)
    assert learns == {"hunter.0": 0, "hunter.1": 1, "deer.0": 2}
    learner = [player.policy for player in players if isinstance(player, PolicyPlayer)]
    assert all(mine is own for mine, own in zip(learner, crew.behaviours.values(), strict=True))
    assert all(isinstance(player, Pool) for player in players[3:]) and len(players) == 5
    assert seating[:2].tolist() == [[0, 1, 2], [0, 1, seating[1, 2]]]
    hunters, deer = seating[2, 0], seating[1, 2]
    assert {hunters, deer} == {3, 4}
    assert seating[2:].tolist() == [[hunters, hunters, 2]] * 2
    for step in islice(play(Parlour("Hunt-v0", 4), players, seating, 0), 5):
        assert step.action[1, 2] == 0 and step.action[2:, :2].tolist() == [[0, 0], [1, 1]]


def test_a_post_that_is_not_played_has_no_player() -> None:
    _, _, learns = sit(HUNT, crew_of(HUNT), [set_in_its_ways(HUNT, 0)], np.array([[0, 0, 1]] * 3))
    assert learns == {"hunter": 0}


def test_crews_of_different_posts_and_bots_in_one_game() -> None:
    """Shared parameters, own ones, and a bot: each seat is taken by who covers it."""
    shared, own = set_in_its_ways(PAIRS, 0), set_in_its_ways(PAIRS, 1, parameters="own")
    own["player.0"].head.outputs.linear.bias.data[2] = 200.0
    who = np.array([[0, 0, 1, 1], [0, 0, 2, 2], [3, 3, 0, 0], [2, 2, 0, 0], [1, 1, 0, 0]])
    players, seating, learns = sit(PAIRS, crew_of(PAIRS), [shared, own, bot("random", PAIRS)], who)
    assert list(learns) == [PLAYER] and (seating >= 0).all()
    assert players[seating[2, 0]].name == "random"
    seen = list(islice(play(Parlour("Pairs-v0", 5), players, seating, 0), 20))
    action = np.array([step.action for step in seen])
    assert (action[:, 0, 2:] == 0).all() and (action[:, 4, :2] == 0).all()
    assert (action[:, 1, 2:] == [2, 1]).all() and (action[:, 3, :2] == [2, 1]).all()
    assert len(np.unique(action[:, 2, :2])) == 3


def test_one_policy_on_several_posts_is_one_member() -> None:
    crew = crew_of(PAIRS, seed=3)
    policy = freeze(crew.policies)[PLAYER]
    players, _, _ = sit(PAIRS, crew_of(PAIRS), [{"player.0": policy, "player.1": policy}], np.array([[0, 0, 1, 1]]))
    (pool,) = (player for player in players if isinstance(player, Pool))
    assert len(pool._stacks) == 1 and pool._stacks[0][1]._count == 1


def test_a_squad_of_bots_is_met() -> None:
    """Where seats do different things a bot is a squad, and takes the team that is left."""
    random = bot("random", HUNT)
    assert isinstance(random, Squad)
    learner = Watching(crew_of(HUNT, "deer").policies)
    trained(HUNT, learner, [(random, 1.0)])
    rollout = learner.rollouts()["deer"]
    assert rollout.lane_count == 12 and rollout.obs.shape[2] == 2


# What the learner sees.


@pytest.mark.parametrize("plays", ["hunter", "deer"])
def test_a_specialist_learns_from_its_own_seats(plays: str) -> None:
    """From all of them, as narrow as they are, against each opponent in its share of the games."""
    other = "deer" if plays == "hunter" else "hunter"
    learner = Watching(crew_of(HUNT, plays).policies)
    trained(HUNT, learner, [(set_in_its_ways(HUNT, choice, other), 0.5) for choice in (0, 1)])
    assert set(learner.rollouts()) == {plays}
    rollout = learner.rollouts()[plays]
    seats = GAMES[HUNT.id].roles.count(plays)
    assert rollout.lane_count == 12 * seats
    assert rollout.obs.shape[2:] == (GAMES[HUNT.id].sees[plays],)
    assert rollout.legal.shape[2] == GAMES[HUNT.id].does[plays]
    expected = torch.tensor([0.0, 1.0] * 12 if seats == 2 else [2.0] * 12)
    assert torch.equal(rollout.obs[0, :, 0], expected)  # the seat is the first number seen
    logprob, _, value = evaluate(learner.policies[plays], rollout)
    torch.testing.assert_close(logprob, rollout.extras["logprob"], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(value, rollout.extras["value"], atol=1e-5, rtol=1e-4)


def test_a_crew_learns_from_every_seat_of_its_own_games() -> None:
    """6 games of a stream: the first 3 it plays alone, then it hunts twice and hides once, or the other way round."""
    learner = Watching(crew_of(HUNT).policies)
    stretch = trained(HUNT, learner, [(set_in_its_ways(HUNT, 0), 0.5)], streams=1, games=6)
    rollouts = learner.rollouts()
    hunting = np.arange(3, 6) % 2 == 0
    assert rollouts["hunter"].lane_count == 2 * (3 + hunting.sum())
    assert rollouts["deer"].lane_count == 3 + (~hunting).sum()
    assert stretch.steps == 6 * 2 * STEPS


def test_posts_of_own_parameters_learn_apart() -> None:
    learner = Watching(crew_of(PAIRS, parameters="own").policies)
    assert list(learner.policies) == ["player.0", "player.1"]
    trained(PAIRS, learner, [(set_in_its_ways(PAIRS, 0), 1.0)])
    for place, rollout in enumerate(learner.rollouts().values()):
        assert rollout.lane_count == 12
        assert set(rollout.obs[0, :, 0].tolist()) == {place, place + 2.0}  # on both sides


def test_threads_change_nothing_seeds_do() -> None:
    def seen(seed: int, threads: int) -> list[torch.Tensor]:
        learner = Watching(crew_of(HUNT).policies)
        config = TrainingConfig(games=12, streams=2, steps=5)
        opponents = [(set_in_its_ways(HUNT, 0), 0.2), (bot("random", HUNT), 0.3)]
        streams = self_play(learner, HUNT.id, {}, opponents, config, seed)
        stretch = Stretch(learner, streams, Threads(threads))
        for _ in range(2):
            stretch.iterate(0.0)
        return [rollout.reward for one in learner.seen if isinstance(one, Mapping) for rollout in one.values()]

    whole = seen(0, 1)
    assert all(torch.equal(a, b) for a, b in zip(whole, seen(0, 2), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(whole, seen(1, 1), strict=True))


@pytest.mark.parametrize("sees", ["own", "central", "joint"])
def test_scores_are_means_over_the_learners_seats(sees: Sees) -> None:
    """Of games with others alone; lengths are those of all."""
    learner = Watching(crew_of(HUNT).policies, sees)
    opponents: list[tuple[Opponent, float]] = [(set_in_its_ways(HUNT, 0), 0.5)]
    config = TrainingConfig(games=4, streams=1, steps=STEPS)
    (stream,) = self_play(learner, HUNT.id, {}, opponents, config, 0)
    seen: list[Step] = []
    stream._watch = lambda env, step: seen.append(step)
    experience = stream.collect()
    assert isinstance(experience, JointRollout) == (sees == "joint")
    score = seen[-1].after.score
    mine = np.isin(stream._seating, list(stream._learns.values()))
    assert mine.all(1).tolist() == [True, True, False, False]
    expected = [score[game, mine[game]].mean() for game in (2, 3)]
    assert stream.scores.tolist() == pytest.approx(expected) and len(set(score[2].round(6))) > 1
    assert stream.lengths.tolist() == [STEPS] * 4


def test_central_views_hold_what_the_others_see() -> None:
    learner = Watching(crew_of(HUNT, "hunter").policies, "central")
    crew = registry.build_crew("mappo", HUNT, ("hunter",), None, PolicyConfig(hidden=(5,)))
    assert crew.sees == "central"
    learner.policies = learner.behaviours = crew.policies
    trained(HUNT, learner, [(set_in_its_ways(HUNT, 0, "deer"), 1.0)])
    seen = learner.rollouts()["hunter"].obs[0]
    assert seen.shape == (24, 4 + 2 * 4)
    assert seen[:2, [0, 4, 8]].tolist() == [[0, 1, 2], [1, 2, 0]]  # seats in cyclic order
    assert not seen[:, [10, 11]][0::2].any()  # the deer sees two numbers


def test_alone_in_a_game_of_one_team() -> None:
    """Every seat is the learner's, in whole games as in steps, and each game has its score."""
    crew = crew_of(MEET)
    learner = Watching(crew.policies)
    (stream,) = alone(learner, MEET.id, {}, 7, 0, steps=2 * STEPS)
    stream.collect()
    assert len(stream.scores) == 14 and stream.steps == 7 * 2 * STEPS
    (stream,) = alone(learner, MEET.id, {}, 7, 0, episodes=2)
    found = stream.collect()
    assert isinstance(found, Mapping) and set(found) == {"guide", "guest"}
    assert [rollout.obs.shape[1:] for rollout in found.values()] == [(7, 2), (7, 3)]
    counted = torch.stack([rollout.score for rollout in found.values()])
    counted = counted[:, ~counted[0].isnan()]
    assert counted.shape == (2, 14) and torch.equal(counted[0], counted[1])  # they win together
    assert sorted(stream.scores) == sorted(counted[0].tolist())
    assert stream.steps == 14 * STEPS == stream.lengths.sum()


def test_whole_games_are_nothing_for_who_learns_from_joint_steps() -> None:
    learner = Watching(crew_of(MEET).policies, "joint")
    (stream,) = alone(learner, MEET.id, {}, 3, 0, episodes=1)
    with pytest.raises(InputError, match="learns from steps, not from whole episodes: set steps"):
        stream.collect()


def test_actions_are_held_as_long_as_anybody_of_the_crew_does() -> None:
    spaces_of = PAIRS.observation_spaces[0], PAIRS.action_spaces[0]
    crew = {"front": Policy(*spaces_of, PolicyConfig(hold=3)), "back": Policy(*spaces_of, PolicyConfig(hold=3))}
    assert held(crew) == {"frame_skip": 3}
    assert held({PLAYER: Policy(*spaces_of)}) == {}


def test_it_learns_while_it_plays() -> None:
    """With real PPO on every post: all weights of those who play change, and of nobody else."""
    crew = crew_of(HUNT, "hunter", parameters="own")
    assert isinstance(crew, Independent) and covers(crew.policies, HUNT, 0)
    other = set_in_its_ways(HUNT, 0, "deer")
    before, still = freeze(crew.policies), freeze(other)
    stretch = trained(HUNT, crew, [(other, 1.0)])
    metrics = stretch._crew.update({}, 0.0)
    assert metrics == {}  # nobody has played
    for post in crew.policies:
        assert not torch.equal(crew.policies[post].head.outputs.linear.weight, before[post].head.outputs.linear.weight)
    assert torch.equal(other["deer"].head.outputs.linear.weight, still["deer"].head.outputs.linear.weight)


def test_streams_are_played_apart() -> None:
    config = TrainingConfig(games=12, streams=3, steps=4)
    streams = self_play(crew_of(LONELY), LONELY.id, {}, [], config, 0)
    assert len(streams) == 3 and all(isinstance(stream, Stream) for stream in streams)
    assert [stream._env.num_envs for stream in streams] == [4, 4, 4]
    views = [stream.collect()[PLAYER].obs for stream in streams]  # type: ignore[index]
    assert not torch.equal(views[0], views[1])
