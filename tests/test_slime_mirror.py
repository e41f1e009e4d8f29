"""Slime volleyball is the same game from both sides."""

from __future__ import annotations

import numpy as np
import pytest

import envs
from envs.core import Array

FLIP = np.array([-1, 1, -1, 1])


def mirrored(state: dict[str, Array]) -> dict[str, Array]:
    """The world seen from behind."""
    return {
        "ball": state["ball"] * FLIP,
        "ball_prev_x": -state["ball_prev_x"],
        "left": state["right"] * FLIP,
        "right": state["left"] * FLIP,
        "lives": state["lives"][:, ::-1],
    }


@pytest.mark.parametrize("fence", ["original", "solid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_swapped_seats_see_and_get_the_same(dtype: str, fence: str) -> None:
    """To the last bit, whatever both do, for rallies of 64 games; each new serve is mirrored by hand."""
    games = 64
    options = {"dtype": dtype, "fence": fence, "serve_delay": 3}
    one, two = (envs.make("SlimeVolley-v0", games, **options) for _ in range(2))
    one.reset(0)
    two.reset(1)
    two.set_state(mirrored(one.get_state()))
    rng = np.random.default_rng(2)
    points = hits = 0
    for _ in range(400):
        action = rng.integers(6, size=(games, 2))
        a, b = one.step(action), two.step(action[:, ::-1])
        np.testing.assert_array_equal(a.final_obs[:, 0], b.final_obs[:, 1])
        np.testing.assert_array_equal(a.final_obs[:, 1], b.final_obs[:, 0])
        for name in ("reward", "score"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name)[:, ::-1])
        np.testing.assert_array_equal(a.terminated, b.terminated)
        speed = abs(two.get_state()["ball"][:, 2:])
        if a.reward.any():
            two.set_state(mirrored(one.get_state()))
            points += int((a.reward[:, 0] != 0).sum())
        hits += int((speed > 22.5).any(axis=1).sum())  # faster than the cap: just hit
    assert points > 100
    assert hits > 10
