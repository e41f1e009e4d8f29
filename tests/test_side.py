"""Sides: which posts cover a seat, who may sit down where, and who then plays which seat."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator
from scipy.stats import chisquare

from agents.play import play
from envs.bots import RANDOM, Random, bot, every_name, names
from envs.check import check_env
from envs.core import PLAYER, Array, Bools, EnvSpec, Floats
from envs.errors import InputError
from envs.player import Decision
from envs.side import Side, Squad, can_sit, covers, post_of, posts, rotations, seated, team_count
from tests.parlours import GAMES, Parlour


class Always:
    """Chooses the same for ever."""

    memory_size, keep_memory = 0, False

    def __init__(self, name: str, choice: int = 0) -> None:
        self.name, self._choice = name, choice

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        return Decision(np.full(len(obs), self._choice), memory, {})


def spec_of(teams: tuple[int, ...], roles: tuple[str, ...] = (), symmetric: bool = True) -> EnvSpec:
    """A game of which only this matters; each role sees as many numbers as its name has letters."""
    names = roles or (PLAYER,) * len(teams)
    return EnvSpec(
        id="Any-v0",
        observation_spaces=tuple(spaces.Box(0, 1, (len(role),)) for role in names),
        action_spaces=(spaces.Discrete(2),) * len(teams),
        teams=teams,
        max_steps=1,
        step_seconds=1.0,
        zero_sum=False,
        symmetric=symmetric,
        roles=roles,
    )


TAG = spec_of((0, 0, 0, 1), ("predator", "predator", "predator", "prey"), symmetric=False)
DOUBLES = spec_of((0, 0, 1, 1), ("front", "back", "front", "back"))
TRIPLES = spec_of((0, 1, 2))
THREE_PARTS = spec_of((0, 1, 1, 2), ("cook", "waiter", "waiter", "guest"), symmetric=False)


def squad(name: str, *names: str) -> Squad:
    return Squad(name, {post: Always(f"{name} {post}") for post in names})


@pytest.mark.parametrize("id", GAMES)
def test_the_games_of_these_tests_keep_the_contract(id: str) -> None:
    check_env(partial(Parlour, id), steps=30)


def test_posts_count_the_seats_of_a_role_in_its_team() -> None:
    hunters = [("predator", f"predator.{number}") for number in range(3)]
    assert posts(TAG) == [*hunters, ("prey", "prey.0")]
    assert posts(DOUBLES) == [("front", "front.0"), ("back", "back.0")] * 2
    assert posts(TRIPLES) == [(PLAYER, f"{PLAYER}.0")] * 3
    mixed = spec_of((0, 1, 0, 1, 0), ("a", "a", "b", "a", "a"))
    assert [own for _, own in posts(mixed)] == ["a.0", "a.0", "b.0", "a.1", "a.1"]


def test_a_seats_own_post_comes_before_its_roles() -> None:
    names = {"predator": 0, "predator.1": 0}
    assert [post_of(names, TAG, seat) for seat in range(4)] == ["predator", "predator.1", "predator", None]
    assert covers(names, TAG, 0) and not covers(names, TAG, 1)
    assert not covers({"predator.0": 0, "predator.1": 0}, TAG, 0)
    assert covers({f"predator.{number}": 0 for number in range(3)}, TAG, 0)
    assert not covers({PLAYER: 0}, TAG, 0)  # a crew of one for another game


def test_a_player_sits_anywhere_a_squad_where_it_covers_a_team() -> None:
    assert [team_count(spec) for spec in (TAG, DOUBLES, TRIPLES, THREE_PARTS, spec_of((0, 0)))] == [2, 2, 3, 3, 1]
    assert can_sit(Always("a"), TAG, 0) and can_sit(Always("a"), TAG, 1)
    assert can_sit(squad("a", "prey"), TAG, 1) and not can_sit(squad("a", "prey"), TAG, 0)


def test_everybody_sits_everywhere_by_turns() -> None:
    a, b, c = (Always(name) for name in "abc")
    assert rotations([a, b], DOUBLES) == [(0, 1), (1, 0)]
    assert rotations([a, b, c], TRIPLES) == [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    assert rotations([a], spec_of((0, 0))) == [(0,)]
    whole = squad("w", "front", "back")
    assert rotations([whole, a], DOUBLES) == [(0, 1), (1, 0)]


def test_who_cannot_change_sides_does_not() -> None:
    hunters, runner = squad("h", "predator"), squad("r", "prey")
    assert rotations([hunters, runner], TAG) == [(0, 1)]
    assert rotations([runner, hunters], TAG) == [(1, 0)]
    both = squad("b", "predator", "prey")
    assert rotations([both, runner], TAG) == [(0, 1)]
    assert rotations([runner, both], TAG) == [(1, 0)]
    assert rotations([both, squad("c", "predator", "prey")], TAG) == [(0, 1), (1, 0)]
    staff = [squad("c", "cook"), squad("w", "waiter"), squad("g", "guest")]
    for turn in range(3):
        sides = staff[turn:] + staff[:turn]
        assert rotations(sides, THREE_PARTS) == [tuple((team - turn) % 3 for team in range(3))]


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=3, max_size=3))
def test_orders_seat_everybody_once_where_they_can_sit(able: list[list[bool]]) -> None:
    """All orders that do, of those that turn the first; or a sentence."""
    names = ["cook", "waiter", "guest"]
    sides = [squad(f"s{index}", *[name for name, can in zip(names, row, strict=True) if can] or ["nobody"])
             for index, row in enumerate(able)]  # fmt: skip
    turned = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    expected = [order for order in turned if all(able[index][team] for team, index in enumerate(order))]
    if expected:
        assert rotations(sides, THREE_PARTS) == expected
    else:
        with pytest.raises(InputError):
            rotations(sides, THREE_PARTS)


@pytest.mark.parametrize(
    ("sides", "spec", "sentence"),
    [
        ([Always("a")], TAG, "Any-v0 is played by 2, not by 1."),
        ([Always("a")] * 3, TAG, "Any-v0 is played by 2, not by 3."),
        (
            [squad("ada", "predator.0"), Always("b")],
            TAG,
            "ada has nobody for the seats of any team of Any-v0, whose roles are predator or prey.",
        ),
        (
            [squad("ada", "predator"), squad("bob", "predator")],
            TAG,
            "Any-v0: ada, bob cannot fill its teams (predator or prey) among them.",
        ),
    ],
)
def test_refused_in_one_sentence(sides: list[Side], spec: EnvSpec, sentence: str) -> None:
    with pytest.raises(InputError) as fault:
        rotations(sides, spec)
    assert str(fault.value) == sentence


def names_at(spec: EnvSpec, sides: list[Side], lineup: Any) -> list[list[str]]:
    """Names of the players [B][P]."""
    players, seating = seated(spec, sides, np.array(lineup))
    assert seating.shape == np.shape(lineup)
    assert set(seating.reshape(-1).tolist()) == set(range(len(players)))  # nobody is there for nothing
    return [[players[index].name for index in row] for row in seating.tolist()]


def test_squads_and_players_take_their_seats() -> None:
    ada = squad("ada", "front", "back")
    solo = Always("solo")
    assert names_at(DOUBLES, [ada, solo], [[0, 0, 1, 1], [1, 1, 0, 0]]) == [
        ["ada front", "ada back", "solo", "solo"],
        ["solo", "solo", "ada front", "ada back"],
    ]
    own = squad("own", "predator.0", "predator", "prey")
    assert names_at(TAG, [own], [[0, 0, 0, 0]]) == [["own predator.0", "own predator", "own predator", "own prey"]]


def test_mixed_teams() -> None:
    """A lineup may put players of different sides in one team."""
    a, b = squad("a", "front", "back"), squad("b", "front", "back")
    assert names_at(DOUBLES, [a, b], [[0, 1, 1, 0]]) == [["a front", "b back", "b front", "a back"]]


def test_one_player_in_seats_that_differ_is_there_once_for_each_kind() -> None:
    """As `play` wants it, which gives each player rows of one kind."""
    solo = Always("solo")
    players, seating = seated(TAG, [solo, Always("other")], np.array([[0, 0, 0, 1], [1, 1, 1, 0]]))
    assert [player.name for player in players] == ["solo", "solo", "other", "other"]
    assert seating.tolist() == [[0, 0, 0, 3], [2, 2, 2, 1]]
    assert players[0] is players[1] is solo


def test_a_seat_that_nobody_of_the_side_can_take() -> None:
    with pytest.raises(InputError, match=r"^ada has nobody for the seat seat_3 of Any-v0\.$"):
        seated(TAG, [squad("ada", "predator")], np.zeros((1, 4), np.int64))


def test_random_plays_every_game() -> None:
    """Uniformly among what each seat may do; where seats differ it is a squad, and nobody else is known there."""
    for id, kind in (("Hunt-v0", Squad), ("Meet-v0", Random), ("Lonely-v0", Random)):
        env = Parlour(id, 400)
        side = bot(RANDOM, env.spec)
        assert isinstance(side, kind) and side.name == RANDOM and names(env.spec) == (RANDOM,)
        lineup = np.zeros((400, env.spec.seats), np.int64)
        players, seating = seated(env.spec, [side], lineup)
        actions = np.concatenate([step.action for step in islice(play(env, players, seating, 0), 5)])
        for seat, space in enumerate(env.spec.action_spaces):
            assert isinstance(space, spaces.Discrete)
            assert chisquare(np.bincount(actions[:, seat], minlength=int(space.n))).pvalue > 0.001
    assert RANDOM in every_name()
    with pytest.raises(InputError, match=r"^unknown player of Lonely-v0 'baseline': choose one of random\.$"):
        bot("baseline", env.spec)


def test_everybody_plays_its_own_seats() -> None:
    """In play: each chooses its own number, so the actions say who sat where."""
    env = Parlour("Hunt-v0", 4)
    hunters = Squad("hunters", {"hunter.0": Always("x", 1), "hunter.1": Always("y", 2)})
    deer, anybody = Squad("deer", {"deer": Always("z", 1)}), Always("anybody", 0)
    lineup = np.array([[0, 0, 1], [0, 0, 2], [2, 2, 1], [2, 2, 2]])
    players, seating = seated(env.spec, [hunters, deer, anybody], lineup)
    for step in islice(play(env, players, seating, 0), 7):
        assert step.action.tolist() == [[1, 2, 1], [1, 2, 0], [0, 0, 1], [0, 0, 0]]
