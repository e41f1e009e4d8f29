"""Sequential tests and Elo intervals: closed forms, how often they are wrong, and `arena match --sprt`."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.cli import main
from arena.result import Result
from arena.stats.elo import elo_of, expected_points, lead
from arena.stats.sprt import Sprt, judge, log_likelihood_ratio, log_likelihood_ratios, parse_sprt
from arena.stats.units import PAIR, Units, points, units
from envs.errors import InputError
from tests.cli import check_refused, object_of

VALUES = np.array(PAIR)


def of_pairs(*counts: int) -> Units:
    return Units(PAIR, counts)


def test_expected_points() -> None:
    """Elo (1978): a lead of 400 is worth ten to one."""
    assert expected_points(0) == 0.5
    assert expected_points(400) == pytest.approx(10 / 11)
    assert expected_points(-35) + expected_points(35) == pytest.approx(1)
    assert elo_of(expected_points(123.0)) == pytest.approx(123.0)


def test_units_are_pairs() -> None:
    def game(own: float, other: float, seat: int, seed: int) -> Result:
        names, score = ("a", "b"), (own, other)
        return Result("x", names if seat == 0 else names[::-1], score if seat == 0 else score[::-1], 1, seed, "rules")

    games = [game(1, -1, 0, 7), game(0, 0, 1, 7), game(-1, 1, 0, 8), game(1, -1, 1, 8), game(5, -5, 0, 9)]
    assert [points(one, "a") for one in games] == [1.0, 0.5, 0.0, 1.0, 1.0]
    assert units(games, "a") == of_pairs(0, 0, 1, 1, 0)  # the last has no second
    assert units(games, "b") == of_pairs(0, 1, 1, 0, 0)
    alone = [game(1, 0, 0, seed) for seed in range(3)]
    assert units(alone, "b") == Units((0.0, 0.5, 1.0), (3, 0, 0))


def test_points_of_teams() -> None:
    """Who has several seats has their mean, and a win is more than the best of the others."""
    four = Result("x", ("a", "a", "b", "b"), (3.0, 1.0, 1.5, 1.5), 1, 0, "rules")
    assert (points(four, "a"), points(four, "b")) == (1.0, 0.0)
    three = Result("x", ("a", "b", "c"), (1.0, 1.0, 0.0), 1, 0, "rules")
    assert (points(three, "a"), points(three, "c")) == (0.5, 0.0)


def test_bounds_are_those_of_wald() -> None:
    assert Sprt(alpha=0.05, beta=0.1).bounds == pytest.approx((math.log(0.1 / 0.95), math.log(0.9 / 0.05)))


def test_the_ratio_of_wins_and_losses_is_exact() -> None:
    """With two values the mean says all, so the ratio is that of two binomials."""
    low, high = expected_points(0), expected_points(30)
    exact = 120 * math.log(high / low) + 100 * math.log((1 - high) / (1 - low))
    assert log_likelihood_ratio((0.0, 1.0), (100, 120), 0, 30) == pytest.approx(exact, rel=1e-6)


def test_the_ratio_is_that_of_two_normal_means() -> None:
    """With many pairs, it is the sum of those of normal densities."""
    pairs = np.random.default_rng(0).choice(VALUES, 4000)
    low, high = expected_points(0), expected_points(35)
    exact = float((((pairs - low) ** 2 - (pairs - high) ** 2) / (2 * pairs.var())).sum())
    counts = [int((pairs == value).sum()) for value in PAIR]
    assert log_likelihood_ratio(PAIR, counts, 0, 35) == pytest.approx(exact, rel=0.02)
    assert log_likelihood_ratio(PAIR, [0] * 5, 0, 35) == 0


@given(st.lists(st.integers(0, 40), min_size=5, max_size=5), st.floats(-50, 50), st.floats(5, 100))
def test_the_ratio_does_not_care_who_is_who(counts: list[int], elo0: float, gap: float) -> None:
    own = log_likelihood_ratio(PAIR, counts, elo0, elo0 + gap)
    other = log_likelihood_ratio(PAIR, counts[::-1], -elo0 - gap, -elo0)
    assert own == pytest.approx(-other, abs=1e-6, rel=1e-6)


@given(st.lists(st.integers(0, 40), min_size=5, max_size=5).filter(any), st.floats(0.2, 0.8))
def test_the_likeliest_distribution(counts: list[int], mean: float) -> None:
    """No other with the same mean is likelier: mixing in any two values that keep the mean does not help."""
    from arena.stats.sprt import UNSEEN, _tilt

    seen = np.array([counts], float) + UNSEEN
    share = seen / seen.sum()
    chosen = (share / (1 + _tilt(VALUES, seen, mean) * (VALUES - mean)))[0]
    assert chosen.sum() == pytest.approx(1, abs=1e-6) and chosen @ VALUES == pytest.approx(mean, abs=1e-6)
    for low in range(5):
        for high in range(low + 1, 5):
            if VALUES[low] < mean < VALUES[high]:
                mix = np.zeros(5)
                mix[low] = (VALUES[high] - mean) / (VALUES[high] - VALUES[low])
                mix[high] = 1 - mix[low]
                slope = (share[0] * (mix - chosen) / chosen).sum()  # of the log-likelihood, towards the mixture
                assert slope <= 1e-6


def wrong(test: Sprt, chances: list[float], truth: bool, tests: int, look: int, seed: int) -> float:
    """Share of `tests` that decide against `truth`, looking after every `look` pairs."""
    rng = np.random.default_rng(seed)
    counts, left, errors = np.zeros((tests, 5)), np.arange(tests), 0
    low, high = test.bounds
    while len(left):
        counts[left] += rng.multinomial(look, chances, len(left))
        ratio = log_likelihood_ratios(VALUES, counts[left], test.elo0, test.elo1)
        errors += int((ratio <= low).sum() if truth else (ratio >= high).sum())
        left = left[(ratio > low) & (ratio < high)]
    return errors / tests


def pair_chances(elo: float, draw: float, luck: float) -> list[float]:
    """Of the five results of a pair for a lead of `elo`. A share `luck` of pairs is decided by the serve, one game each
    way, as far as there are losses."""
    share = expected_points(elo)
    one = np.array([1 - share - draw / 2, draw, share - draw / 2])
    even = np.zeros(5)
    swap = luck * min(one[0], one[2])
    even[2] = 2 * swap
    rest = np.convolve([one[0] - swap, draw, one[2] - swap], [one[0] - swap, draw, one[2] - swap]) / (1 - 2 * swap)
    return list(even + rest)


@pytest.mark.parametrize(("draw", "luck"), [(0.1, 0.0), (0.5, 0.0), (0.2, 0.7)])
def test_errors_are_as_rare_as_asked_for(draw: float, luck: float) -> None:
    """1,500 tests on each side; benchmarks/sprt.py does 10,000 of many more kinds."""
    test = Sprt(elo0=0, elo1=70)
    allowed = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1500)
    for elo, truth in ((0.0, False), (70.0, True)):
        chances = pair_chances(elo, draw, luck)
        assert np.dot(chances, VALUES) == pytest.approx(expected_points(elo))
        assert wrong(test, chances, truth, 1500, 8, 3) <= allowed


@pytest.mark.parametrize("elo", [0.0, 100.0, 300.0])
def test_the_interval_holds_the_truth_as_often_as_it_says(elo: float) -> None:
    rng = np.random.default_rng(int(elo))
    drawn = rng.multinomial(100, pair_chances(elo, 0.1, 0.5), 2000)
    held = 0
    for counts in drawn:
        ends = lead(of_pairs(*counts.tolist())).ci95
        assert ends
        held += ends[0] <= elo <= ends[1]
    assert 0.93 <= held / 2000 <= 0.97


def test_extremes_stay_finite() -> None:
    won = lead(of_pairs(0, 0, 0, 0, 10))
    assert won.elo is None and won.ci95 and won.ci95[0] > 0 and won.superiority > 0.99
    none = lead(of_pairs(0, 0, 0, 0, 0))
    assert (none.elo, none.ci95, none.superiority) == (0.0, None, 0.5)
    assert judge(of_pairs(0, 0, 0, 0, 3), Sprt()).accepted is None  # three pairs prove nothing
    assert judge(of_pairs(0, 0, 0, 0, 200), Sprt()).accepted is True
    assert judge(of_pairs(200, 0, 0, 0, 0), Sprt()).accepted is False


def test_reading_a_test() -> None:
    assert parse_sprt("elo0=-5 elo1=5") == Sprt(elo0=-5, elo1=5)
    assert parse_sprt("elo1=7,alpha=0.01") == Sprt(elo1=7, alpha=0.01)
    for text, sentence in (
        ("elo=5", "did you mean 'elo1'"),
        ("elo0=5 elo1=2", "must be below elo1"),
        ("nonsense", "is not understood"),
        ("elo1=many", "elo1"),
        ("alpha=0.7", "less than 0.5"),
    ):
        with pytest.raises(InputError, match=sentence):
            parse_sprt(text)


def test_a_match_that_ends_when_it_is_decided(capsys: pytest.CaptureFixture[str]) -> None:
    """Its games are the first ones of the same match without a test, for any number of workers."""
    words = (
        "match",
        "noop",
        "random",
        "--env",
        "SlimeVolley-v0",
        "--set",
        "lives=1",
        "--set",
        "max_steps=500",
        "--seed",
        "3",
    )
    found = object_of(*words, "--sprt", "elo0=0 elo1=100", capsys=capsys)
    assert found["sprt"]["decision"] in ("H0", "H1")
    low, high = found["sprt"]["bounds"]
    assert not low < found["sprt"]["llr"] < high
    assert found["games"] % 256 == 0 and sum(found["pairs"].values()) * 2 == found["games"]
    assert object_of(*words, "--sprt", "elo0=0 elo1=100", "--workers", "2", capsys=capsys) == found
    plain = object_of(*words, "--games", str(found["games"]), capsys=capsys)
    assert plain == {key: value for key, value in found.items() if key != "sprt"}
    assert main([*words, "--sprt", "elo0=0", "elo1=100"]) == 0
    said = capsys.readouterr().out
    assert "accepted: a lead of" in said and "Elo difference" in said and "likelihood of superiority" in said


def test_too_few_games_decide_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("match", "random", "random", "--set", "lives=1", "--games", "64", "--sprt", "elo0=0 elo1=5")
    found = object_of(*words, capsys=capsys)
    assert found["sprt"]["decision"] is None and found["games"] == 64
    json.dumps(found, allow_nan=False)


def test_bad_tests_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_refused("match noop random --sprt elo2=5", "--sprt: unknown key 'elo2'", tmp_path, capsys)
    check_refused("match noop random --sprt elo0=30", "must be below elo1", tmp_path, capsys)
