"""Promotion: what games between a candidate and its forerunner prove. How often tests are wrong is in test_sprt."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from arena.league.promotion import Evidence, PromotionConfig, judge
from arena.result import Result
from arena.stats.elo import expected_points

SPRT = PromotionConfig(rule="sprt", elo0=0, elo1=35, alpha=0.05, beta=0.05, most=20_000, batch=32)


def results(points: list[float]) -> list[Result]:
    """Games of "new" against "old", seats swapped in pairs."""
    score = {1.0: (1.0, -1.0), 0.5: (0.0, 0.0), 0.0: (-1.0, 1.0)}
    games = []
    for place, point in enumerate(points):
        own, other = score[point]
        first = place % 2 == 0
        players, scores = (("new", "old"), (own, other)) if first else (("old", "new"), (other, own))
        games.append(Result("x", players, scores, 10, place // 2, "rules"))
    return games


def test_a_share_of_wins() -> None:
    config = PromotionConfig(rule="win_share", win_share=0.6, games=10)
    assert judge(results([1.0] * 6 + [0.0] * 4), "new", config).promoted is True
    assert judge(results([1.0] * 5 + [0.5] + [0.0] * 4), "new", config).promoted is False
    assert judge(results([1.0] * 5 + [0.5] * 2 + [0.0] * 3), "new", config).promoted is True  # 6 points
    assert judge(results([1.0] * 6), "new", config).promoted is None  # more games are to come
    assert judge(results([1.0, 0.5, 0.0, 1.0]), "new", config) == Evidence(None, 4, 2, 1, 1, None)


def test_the_test_is_that_of_matches() -> None:
    """Its settings are handed on; what it does with them is in test_sprt."""
    config = PromotionConfig(rule="sprt", elo0=5, elo1=50, alpha=0.05, beta=0.1)
    assert config.test.bounds == pytest.approx((math.log(0.1 / 0.95), math.log(0.9 / 0.05)))
    assert (config.test.elo0, config.test.elo1) == (5, 50)


def verdict(lead: float, draws: float, seed: int) -> tuple[bool, int]:
    """The test of a candidate whose true lead is `lead` Elo."""
    rng, chance = np.random.default_rng(seed), expected_points(lead)
    points: list[float] = []
    while True:
        chances = [chance - draws / 2, draws, 1 - chance - draws / 2]
        points += rng.choice([1.0, 0.5, 0.0], SPRT.batch, p=chances).tolist()
        found = judge(results(points), "new", SPRT)
        if found.promoted is not None:
            return found.promoted, found.games


def test_a_clear_lead_needs_few_games() -> None:
    assert all(verdict(250, 0.2, seed) < (True, 200) and verdict(250, 0.2, seed)[0] for seed in range(5))


def test_the_games_end_somewhere() -> None:
    """At the last game a candidate without proof is turned down."""
    config = PromotionConfig(rule="sprt", most=8, batch=4)
    assert judge(results([1.0, 0.0] * 4), "new", config).promoted is False
    assert judge(results([1.0, 0.0] * 2), "new", config).promoted is None


def test_the_log_shows_the_evidence() -> None:
    said = str(judge(results([1.0] * 90 + [0.0] * 2), "new", SPRT))
    assert "promoted after 92 games: 90 won, 0 drawn, 2 lost, log-likelihood ratio +" in said


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ValidationError, match="must be below elo1"):
        PromotionConfig(elo0=10, elo1=5)
