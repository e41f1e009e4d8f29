"""Formats: properties of the pairing functions, whatever the entrants and results."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.tournaments.config import FORMATS, TournamentConfig, format_of
from arena.tournaments.formats.bracket import seeded
from arena.tournaments.formats.elimination import EXTRA, Elimination
from arena.tournaments.formats.ladder import KingOfTheHill, RatingLadder
from arena.tournaments.formats.round_robin import Gauntlet, RoundRobin
from arena.tournaments.formats.swiss import Swiss, limit, pair
from arena.tournaments.matching import matching, perfect
from arena.tournaments.pairing import Format, Outcome, Pairing, Played
from arena.tournaments.scores import scores


def players(count: int) -> list[str]:
    """In the order of their seeds."""
    return [f"p{place}" for place in range(1, count + 1)]


def by_seed(pairing: Pairing) -> Outcome:
    """The better seed wins everything."""
    first, second = int(pairing.first[1:]), int(pairing.second[1:])
    return Outcome(4, 0, 0) if first < second else Outcome(0, 0, 4)


def by_chance(seed: int, drawn: float = 0.2) -> dict[Pairing, Outcome]:
    """Any result, the same whenever a pairing is asked for."""

    class Table(dict[Pairing, Outcome]):
        def __missing__(self, pairing: Pairing) -> Outcome:
            rng = random.Random(f"{seed} {tuple(pairing)}")
            if rng.random() < drawn:
                self[pairing] = Outcome(1, 2, 1)
            else:
                self[pairing] = rng.choice([Outcome(3, 0, 1), Outcome(0, 2, 2), Outcome(2, 1, 1), Outcome(0, 0, 4)])
            return self[pairing]

    return Table()


def course(format: Format, names: list[str], results: object, shuffle: int | None = None) -> dict[Pairing, Outcome]:
    """Play to the end, one pairing after the other, and check that nothing that was to be played goes away."""
    played: dict[Pairing, Outcome] = {}
    rng = random.Random(shuffle)
    while wanted := format.pairings(names, played):
        assert len(set(wanted)) == len(wanted) and not set(wanted) & played.keys()
        chosen = wanted[0] if shuffle is None else rng.choice(wanted)
        played[chosen] = results(chosen) if callable(results) else results[chosen]  # type: ignore[index]
        after = format.pairings(names, played)
        assert set(wanted) - {chosen} <= set(after)
        assert len(played) <= 5000
    return played


def check_order(format: Format, names: list[str], played: Played) -> None:
    order = format.order(names, played)
    assert sorted(name for group in order for name in group) == sorted(names)
    assert all(group == sorted(group, key=names.index) for group in order)


ANY = st.tuples(st.sampled_from(list(FORMATS)), st.integers(2, 17), st.integers(0, 10**6))


@settings(max_examples=60)
@given(ANY)
def test_every_format_ends_and_does_not_depend_on_the_order_of_arrival(chosen: tuple[str, int, int]) -> None:
    kind, count, seed = chosen
    names = players(count)
    entrants = [{"name": name, "player": name} for name in names]
    format = format_of(TournamentConfig.model_validate({"format": kind, "game": {"id": "x"}, "entrants": entrants}))
    in_order = course(format, names, by_chance(seed))
    assert course(format, names, by_chance(seed), shuffle=seed) == in_order
    check_order(format, names, in_order)
    assert len(in_order) <= format.most(names) * (
        1 if kind not in ("single-elimination", "double-elimination") else 1 + EXTRA
    )
    assert max(pairing.round for pairing in in_order) <= format.rounds(names)
    for round in {pairing.round for pairing in in_order}:
        busy = [name for one in in_order if one.round == round and not one.leg for name in one[1:3]]
        if kind != "gauntlet":
            assert len(busy) == len(set(busy))  # nobody is in two places


@given(st.integers(2, 24), st.integers(1, 3))
def test_round_robin(count: int, cycles: int) -> None:
    names, format = players(count), RoundRobin(cycles)
    schedule = format.schedule(names)
    met = [frozenset(pairing[1:3]) for pairing in schedule]
    assert {pair: met.count(pair) for pair in met} == {frozenset(two): cycles for two in combinations(names, 2)}
    assert len(schedule) == format.most(names) and max(one.round for one in schedule) == format.rounds(names)
    for round in range(1, format.rounds(names) + 1):
        assert sum(one.round == round for one in schedule) == count // 2
    for name in names:  # who is named first says nothing, but it is shared fairly all the same
        firsts = sum(one.first == name for one in schedule) - sum(one.second == name for one in schedule)
        assert abs(firsts) <= 2 * cycles


@given(st.integers(2, 15), st.data())
def test_gauntlet(count: int, data: st.DataObject) -> None:
    names, own = players(count), data.draw(st.integers(1, count - 1))
    met = [frozenset(one[1:3]) for one in Gauntlet(own).schedule(names)]
    assert len(met) == len(set(met)) == own * (count - own) == Gauntlet(own).most(names)
    assert all(len(pair & set(names[:own])) == 1 for pair in met)


def pairable(vertices: frozenset[int], graph: list[frozenset[int]]) -> bool:
    """By trying everything."""
    if not vertices:
        return True
    first = min(vertices)
    return any(pairable(vertices - {first, other}, graph) for other in graph[first] & vertices)


GRAPHS = st.integers(1, 9).flatmap(
    lambda n: st.lists(st.sampled_from(list(combinations(range(n), 2)) or [(0, 0)]), max_size=18).map(
        lambda edges: [
            frozenset({a for a, b in edges if b == v} | {b for a, b in edges if a == v}) - {v} for v in range(n)
        ]
    )
)


@settings(max_examples=300)
@given(GRAPHS)
def test_matching_is_as_large_as_can_be(graph: list[frozenset[int]]) -> None:
    mate = matching(graph)
    assert all(other == -1 or (mate[other] == vertex and other in graph[vertex]) for vertex, other in enumerate(mate))
    size = sum(other >= 0 for other in mate)
    everybody = frozenset(range(len(graph)))
    largest = max(
        len(some)
        for count in range(len(graph) + 1)
        for some in map(frozenset, combinations(everybody, count))
        if pairable(some, graph)
    )
    assert size == largest
    assert perfect(graph, sorted(everybody)) == (largest == len(graph))


def test_matching_through_blossoms() -> None:
    """Two triangles that a path joins: without shrinking them the search runs in circles."""
    edges = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 5)]
    graph = [frozenset({a for a, b in edges if b == v} | {b for a, b in edges if a == v}) for v in range(8)]
    assert -1 not in matching(graph)


@settings(max_examples=200)
@given(GRAPHS, st.data())
def test_a_round_is_found_wherever_there_is_one(graph: list[frozenset[int]], data: st.DataObject) -> None:
    count = len(graph)
    points = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=count, max_size=count))
    rested = data.draw(st.sets(st.integers(0, count - 1)))
    ranked = sorted(range(count), key=lambda one: -points[one])
    everybody = frozenset(range(count))
    byes = [one for one in everybody if one not in rested and pairable(everybody - {one}, graph)] if count % 2 else []
    exists = bool(byes) if count % 2 else pairable(everybody, graph)
    if not exists:
        with pytest.raises(ValueError, match="no round is left"):
            pair(ranked, points, graph, rested)
        return
    pairs, free = pair(ranked, points, graph, rested)
    assert sorted([one for two in pairs for one in two] + ([] if free is None else [free])) == list(range(count))
    assert all(b in graph[a] for a, b in pairs)
    assert free is None or (free not in rested and points[free] == min(points[one] for one in byes))


@settings(max_examples=60)
@given(st.integers(2, 20), st.integers(0, 10**6), st.floats(0, 1))
def test_swiss(count: int, seed: int, drawn: float) -> None:
    """As many rounds as are certain: nobody meets anybody twice, or rests twice, and equals meet where they can."""
    names, format = players(count), Swiss(limit(count))
    played = course(format, names, by_chance(seed, drawn))
    met = [frozenset(one[1:3]) for one in played]
    assert len(met) == len(set(met)) == format.rounds(names) * (count // 2)
    byes = format.byes(names, played)
    assert all(len(rounds) == 1 for rounds in byes.values())
    assert len(byes) == (format.rounds(names) if count % 2 else 0)
    check_order(format, names, played)


def test_swiss_pairs_halves_of_a_group() -> None:
    names = players(8)
    first = Swiss(3).pairings(names, {})
    assert [one[1:3] for one in first] == [("p1", "p5"), ("p2", "p6"), ("p3", "p7"), ("p4", "p8")]
    second = Swiss(3).pairings(names, {one: by_seed(one) for one in first})
    assert [one[1:3] for one in second] == [("p1", "p3"), ("p2", "p4"), ("p5", "p7"), ("p6", "p8")]
    last = course(Swiss(3), names, by_seed)
    assert Swiss(3).order(names, last)[0] == ["p1"]


def test_tie_breaks_by_hand() -> None:
    """Three who beat each other in a circle, and a bye in each round."""
    names = players(3)
    played = {
        Pairing(1, "p1", "p2"): Outcome(3, 0, 1),
        Pairing(2, "p2", "p3"): Outcome(2, 0, 2),
    }
    found = scores(names, played, {"p3": (1,), "p1": (2,)})
    assert [found[name].matches for name in names] == [2.0, 0.5, 1.5]
    assert [found[name].points for name in names] == [3.0, 3.0, 2.0]
    # p1: met p2 (0.5 points), and rested: as one with its own 2 points
    assert [found[name].buchholz for name in names] == [0.5 + 2.0, 2.0 + 1.5, 0.5 + 1.5]
    assert [found[name].sonneborn_berger for name in names] == [0.5 + 2.0, 0.75, 0.25 + 1.5]
    assert found["p2"].met["p1"] == Outcome(1, 0, 3) and found["p1"].byes == (2,)


def test_seeds_meet_late() -> None:
    assert seeded(8) == [0, 7, 3, 4, 1, 6, 2, 5]
    for size in (2, 4, 8, 16, 32):
        order = seeded(size)
        assert sorted(order) == list(range(size))
        for part in (2, 4, 8):
            if part < size:  # the best `part` are one in each part of the bracket
                width = size // part
                assert all(min(order[at : at + width]) < part for at in range(0, size, width))


@given(st.integers(2, 33))
def test_the_best_seeds_come_far_if_they_win(count: int) -> None:
    names = players(count)
    single = Elimination(1)
    order = single.order(names, course(single, names, by_seed))
    assert order[0] == ["p1"] and order[1] == ["p2"]
    assert [sorted(group) for group in order[2:3]] == ([sorted(names[2:4])] if count >= 3 else [])
    first = [pairing for pairing in single.pairings(names, {}) if pairing.round == 1]
    byes = [one for one in names if not any(one in pairing[1:3] for pairing in first)]
    assert byes == names[: len(byes)] and len(byes) == (1 << (count - 1).bit_length()) - count
    double = Elimination(2)
    order = double.order(names, course(double, names, by_seed))
    assert order[:4] == [[name] for name in names[:4]]


@settings(max_examples=60)
@given(st.integers(2, 20), st.integers(0, 10**6), st.sampled_from([1, 2]), st.sampled_from([1, 3, 5]))
def test_elimination(count: int, seed: int, lives: int, best_of: int) -> None:
    names, format = players(count), Elimination(1 if lives == 1 else 2, best_of)
    played = course(format, names, by_chance(seed), shuffle=seed)
    stands = [stand for stand in format.stands(names, played) if stand.first and stand.second]
    defeats = {name: sum(stand.loser == name for stand in stands) for name in names}
    champion, *others = format.order(names, played)
    assert len(champion) == 1 and defeats[champion[0]] < lives
    assert all(defeats[name] == lives for group in others for name in group)
    assert lives * (count - 1) <= len(stands) <= lives * (count - 1) + (lives - 1)
    for stand in stands:
        assert stand.over and 1 <= len(stand.legs) <= best_of + EXTRA
        won = [sum(leg.wins > leg.losses for leg in stand.legs), sum(leg.wins < leg.losses for leg in stand.legs)]
        assert max(won) <= best_of // 2 + 1 or len(stand.legs) > best_of


def test_the_final_is_played_again_if_the_undefeated_loses_it() -> None:
    names, format = players(4), Elimination(2)
    played = course(format, names, by_seed)
    assert len(played) == 6  # 3 + 2 + the final
    final = max(played)
    assert final[1:3] == ("p1", "p2")
    upset = {**played, final: Outcome(0, 0, 4)}
    (again,) = format.pairings(names, upset)
    assert set(again[1:3]) == {"p1", "p2"} and again.round == final.round + 1
    assert format.order(names, {**upset, again: by_seed(again)})[0] == ["p1"]
    other = Outcome(0, 0, 4) if again.first == "p1" else Outcome(4, 0, 0)
    assert format.order(names, {**upset, again: other})[0] == ["p2"]


def test_an_even_match_goes_on_and_then_to_the_better_seed() -> None:
    names, format = players(2), Elimination(1, 3)
    played = course(format, names, lambda pairing: Outcome(1, 2, 1))
    assert len(played) == 3 + EXTRA and format.order(names, played) == [["p1"], ["p2"]]
    legs = [Outcome(2, 0, 2), Outcome(1, 0, 3), Outcome(3, 0, 1), Outcome(2, 0, 2), Outcome(1, 0, 3)]
    played = course(format, names, lambda pairing: legs[pairing.leg])
    assert len(played) == 5 and format.order(names, played) == [["p2"], ["p1"]]
    legs = [Outcome(3, 0, 1), Outcome(3, 0, 1)]
    assert len(course(format, names, lambda pairing: legs[pairing.leg])) == 2  # it cannot be caught up with


def test_king_of_the_hill() -> None:
    names, format = ["p3", "p1", "p4", "p2"], KingOfTheHill()
    played = course(format, names, by_seed)
    assert [one[1:3] for one in sorted(played)] == [("p3", "p1"), ("p1", "p4"), ("p1", "p2")]
    assert format.order(names, played)[0] == ["p1"]
    longer = course(KingOfTheHill(5), names, by_seed)
    assert [one.second for one in sorted(longer)][3:] == ["p3", "p4"]


@settings(max_examples=20)
@given(st.permutations(players(9)))
def test_a_rating_ladder_sorts(names: list[str]) -> None:
    """Who always wins comes to the top."""
    format = RatingLadder(40)
    order = [name for group in format.order(names, course(format, names, by_seed)) for name in group]
    assert order[0] == "p1" and order[-1] == "p9"
