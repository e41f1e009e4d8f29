"""Population-based training: who copies whom, and what is tried."""

from __future__ import annotations

from collections import Counter

import numpy as np

from arena.league.pbt import PBTConfig, exploit, explore, numbers
from arena.ratings.rating import Rating

CONFIG = PBTConfig(every=1, quantile=0.25, settings=("learning_rate", "replay.n_step"), factor=1.25)
EIGHT = {name: Rating(10.0 + 5 * place, 1.0, 99) for place, name in enumerate("abcdefgh")}


def test_who_is_behind_copies_who_is_ahead() -> None:
    donors = Counter(exploit("a", EIGHT, CONFIG, np.random.default_rng(seed)) for seed in range(200))
    assert set(donors) == {"g", "h"} and min(donors.values()) > 60  # the best quarter, alike
    assert exploit("b", EIGHT, CONFIG, np.random.default_rng(0)) in ("g", "h")
    for name in "cdefgh":
        assert exploit(name, EIGHT, CONFIG, np.random.default_rng(0)) is None


def test_nobody_copies_on_a_doubtful_lead() -> None:
    close = {"a": Rating(25, 1.0, 9), "b": Rating(26.9, 1.0, 9)}
    assert exploit("a", close, CONFIG, np.random.default_rng(0)) is None
    assert exploit("a", close | {"b": Rating(27.1, 1.0, 9)}, CONFIG, np.random.default_rng(0)) == "b"


def test_unrated_learners_take_no_part() -> None:
    rng = np.random.default_rng(0)
    assert exploit("a", {"a": None, "b": Rating(30, 1, 9)}, CONFIG, rng) is None
    assert exploit("a", {"a": Rating(20, 1, 9), "b": None}, CONFIG, rng) is None
    assert exploit("a", {"a": Rating(20, 1, 9)}, CONFIG, rng) is None


def test_settings_go_up_or_down_by_the_factor() -> None:
    settings = {"learning_rate": 1e-3, "gamma": 0.99, "replay": {"n_step": 8, "prioritised": True}}
    seen = [explore(settings, CONFIG, np.random.default_rng(seed)) for seed in range(40)]
    assert {round(one["learning_rate"], 9) for one in seen} == {1.25e-3, 8e-4}
    assert {one["replay"]["n_step"] for one in seen} == {10, 6}  # a whole number stays one
    assert all(one["gamma"] == 0.99 and one["replay"]["prioritised"] is True for one in seen)
    assert settings == {"learning_rate": 1e-3, "gamma": 0.99, "replay": {"n_step": 8, "prioritised": True}}


def test_numbers_are_named_with_dots() -> None:
    assert numbers({"a": 1, "b": True, "c": {"d": 0.5, "e": "x"}}) == ["a", "c.d"]


def test_off_by_default() -> None:
    assert PBTConfig().every == 0
