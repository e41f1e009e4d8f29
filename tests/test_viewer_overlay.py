"""Overlays: arrows, landings, buttons and probabilities where they belong, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from agents.player import PolicyPlayer
from arena.viewer.overlay import OVERLAYS, SECONDS, available
from arena.viewer.playback import Playback
from envs import make
from envs.bots import Random
from envs.core import Array
from envs.player import Decision
from envs.scene import Circle, Line, Rectangle, Shape, Text
from envs.slime_volley.actions import ACTION_NAMES, BUTTONS
from envs.slime_volley.bots import bot
from envs.slime_volley.flight import flight
from envs.slime_volley.scene import NIGHT
from envs.slime_volley.sight import bodies, buttons
from tests.test_viewer_insight import policy_of


class Always:
    """Does the same at every step."""

    name, memory_size, keep_memory = "always", 0, False

    def __init__(self, action: object) -> None:
        self._action = np.asarray(action)

    def act(self, obs: Array, legal: Array, memory: Array, rng: object) -> Decision:
        return Decision(np.stack([self._action] * len(obs)), memory, {})


def added(playback: Playback, *names: str) -> list[Shape]:
    """What overlays `names` draw."""
    playback.overlays = set()
    plain = playback.scene().shapes
    playback.overlays = set(names)
    shapes = list(playback.scene().shapes)
    return [shape for shape in shapes if shape not in plain]


def court(left: object = 0, right: object = 0, steps: int = 20, **options: object) -> Playback:
    env = make("SlimeVolley-v0", 1, **{"serve_delay": 0, **options})
    playback = Playback(env, [Always(left), Always(right)], seed=2)
    for _ in range(steps):
        playback.step()
    return playback


@pytest.mark.parametrize("id", ["SlimeVolley-v0", "SlimeVolleyDoubles-v0"])
def test_what_seats_see_is_where_things_are(id: str) -> None:
    env = make(id, 1, dtype="float64")
    rng = np.random.default_rng(0)
    now = env.reset(3)
    for _ in range(80):
        now = env.step(rng.integers(0, 6, (1, env.spec.seats)))
    state, seen = env.get_state(), bodies(now.obs[0], env.spec)
    np.testing.assert_allclose(seen.ball, state["ball"][0], atol=1e-12)
    players = np.concatenate([state["left"][0].reshape(-1, 4), state["right"][0].reshape(-1, 4)])
    np.testing.assert_allclose(seen.players, players, atol=1e-12)


@pytest.mark.parametrize("fence", ["original", "solid"])
def test_the_landing_is_where_the_ball_lands(fence: str) -> None:
    """Players who hide in the corners and are not hit."""
    env = make("SlimeVolley-v0", 1, serve_delay=0, fence=fence, lives=1, dtype="float64")
    compared = 0
    for seed in range(40):
        now = env.reset(seed)
        path = flight(bodies(now.obs[0], env.spec).ball, fence == "solid")
        for step in range(len(path) + 1):
            before = env.get_state()["ball"][0]
            now = env.step(np.full((1, 2), ACTION_NAMES.index("backward")))
            if now.terminated[0]:
                break
            np.testing.assert_allclose(env.get_state()["ball"][0, :2], path[step], atol=1e-9)
            if np.abs(env.get_state()["ball"][0, 0]) > 18:  # near the players
                break
        else:
            raise AssertionError("the ball has not landed")
        if now.terminated[0]:
            assert step == len(path) - 1
            assert abs(path[-1, 0] - before[0]) < 1
            compared += 1
    assert compared > 10


def test_the_landing_is_marked_on_the_ground() -> None:
    playback = court(steps=5)
    x, y = flight(bodies(playback.game.at(5).obs, playback.spec).ball, False)[-1]
    cross = [shape for shape in added(playback, "landing") if isinstance(shape, Line)]
    assert len(cross) == 2
    for line in cross:
        assert (line.x0 + line.x1) / 2 == pytest.approx(x)
        assert min(line.y0, line.y1) > 0 and max(line.y0, line.y1) < 1.5
    dots = [shape for shape in added(playback, "landing") if isinstance(shape, Circle)]
    assert len(dots) > 3 and y < min(dot.y for dot in dots)


def test_arrows_show_where_things_will_be() -> None:
    playback = court(right=ACTION_NAMES.index("forward"), steps=4)
    state = bodies(playback.game.at(4).obs, playback.spec)
    shafts = [s for s in added(playback, "velocity") if isinstance(s, Line)][::3]  # each arrow is a shaft and a head
    assert len(shafts) == 2  # the left player stands
    for shaft, body, lift in zip(shafts, (state.ball, state.players[1]), (0, 0.75), strict=True):
        assert (shaft.x0, shaft.y0) == pytest.approx((body[0], body[1] + lift))
        assert (shaft.x1 - shaft.x0, shaft.y1 - shaft.y0) == pytest.approx(tuple(body[2:] * SECONDS))


def test_arrows_move_with_the_ball_between_steps() -> None:
    playback = court(steps=4)
    playback.advance(1 / 60)
    shaft = next(shape for shape in added(playback, "velocity") if isinstance(shape, Line))
    centre = next(s for s in playback.scene().shapes if isinstance(s, Circle) and s.color == NIGHT.ball)
    assert (shaft.x0, shaft.y0) == pytest.approx((centre.x, centre.y))


def test_nothing_is_pointed_at_while_a_point_is_won() -> None:
    """What seats see at that step is the step before, but the picture shows the next serve."""
    playback = court()
    while not playback.game.points:
        playback.step()
    assert added(playback, "velocity", "landing") == []
    playback.step()
    playback.step()
    assert added(playback, "velocity", "landing")


@pytest.mark.parametrize("action", range(6))
@pytest.mark.parametrize("seat", [0, 1])
def test_keys_light_up_in_the_direction_of_the_picture(action: int, seat: int) -> None:
    playback = court(action if seat == 0 else 0, action if seat == 1 else 0)
    color = (NIGHT.left, NIGHT.right)[seat]
    squares = [s for s in added(playback, "actions") if isinstance(s, Rectangle)]
    own = sorted((s for s in squares if (s.left > 0) == bool(seat)), key=lambda square: square.left)
    forward, backward, jump = BUTTONS[action].astype(bool)
    west, east = (backward, forward) if seat == 0 else (forward, backward)
    assert [square.color == color for square in own] == [west, jump, east]


@pytest.mark.parametrize("actions", ["multibinary", "box"])
def test_keys_of_other_action_spaces(actions: str) -> None:
    env = make("SlimeVolley-v0", 1, actions=actions)
    given = np.array([[1, 0, 1], [0, 1, 0]]) if actions == "multibinary" else np.array([[0.1, -1, 1], [-1, 0.5, 0]])
    assert buttons(given, env.spec).tolist() == [[True, False, True], [False, True, False]]
    playback = Playback(env, [Always(given[0].astype(env.spec.action_spaces[0].dtype)), bot("noop", env.spec)])
    playback.step()
    assert added(playback, "actions")


def test_everybody_of_a_team_has_keys() -> None:
    env = make("SlimeVolleyDoubles-v0", 1)
    playback = Playback(env, [Always(3), Always(0)])
    playback.step()
    lit = [s for s in added(playback, "actions") if isinstance(s, Rectangle) and s.color == NIGHT.left]
    assert len(lit) == 2 and lit[0].bottom > lit[1].top


def bars_of(playback: Playback) -> list[Rectangle]:
    return [s for s in added(playback, "probabilities") if isinstance(s, Rectangle)][1::2]  # [0::2] are the floors


def test_bars_are_as_high_as_actions_were_probable() -> None:
    env = make("SlimeVolley-v0", 1, serve_delay=0)
    playback = Playback(env, [PolicyPlayer(policy_of(env, seed), f"p{seed}") for seed in (0, 1)], seed=1)
    for _ in range(9):
        playback.step()
    told = playback.game.insight.probabilities(playback.game.at(8))
    action = playback.game.at(9).action
    assert action is not None and told[0] is not None and told[1] is not None
    bars, unit = bars_of(playback), 1.1
    assert len(bars) == 12
    odds = [*told[0], *told[1]]
    for bar, odd in zip(bars, odds, strict=True):
        assert bar.top - bar.bottom == pytest.approx(max(unit * odd, 0.05), abs=1e-5)
    assert bars[int(action[0])].color == NIGHT.left
    assert bars[6 + int(action[1])].color == NIGHT.right
    assert sum(bar.color in (NIGHT.left, NIGHT.right) for bar in bars) == 2


def test_arrows_below_the_bars_are_mirrored_on_the_right() -> None:
    env = make("SlimeVolley-v0", 1)
    playback = Playback(env, [PolicyPlayer(policy_of(env, seed), f"p{seed}") for seed in (0, 1)])
    playback.step()
    signs = [s.text for s in added(playback, "probabilities") if isinstance(s, Text)]
    assert signs == [*"•→↗↑↖←", *"•←↖↑↗→"]


def test_a_board_game_shows_choices_and_only_of_who_moved() -> None:
    env = make("ConnectFour-v0", 1)
    playback = Playback(env, [PolicyPlayer(policy_of(env, seed), f"p{seed}") for seed in (0, 1)])
    playback.step()
    assert available(playback.game) == ["actions", "probabilities", "chance"]
    assert len(bars_of(playback)) == 7
    assert [s.text for s in added(playback, "actions") if isinstance(s, Text)]


@pytest.mark.parametrize(
    ("id", "known"),
    [
        ("SlimeVolley-v0", ["velocity", "landing", "actions"]),
        ("Incomplete:SlimeVolley-v0", ["actions"]),
        ("CartPole-v1", ["actions"]),
        ("Pendulum-v1", []),
        ("Spread-v0", ["actions"]),
        ("KuhnPoker-v0", ["actions"]),
    ],
)
def test_overlays_that_mean_nothing_are_not_offered(id: str, known: list[str]) -> None:
    env = make(id, 1, **({"hide": [6, 7]} if id.startswith("Incomplete:") else {}))
    teams = max(env.spec.teams) + 1
    playback = Playback(env, [Random(env.spec.action_spaces[0]) for _ in range(teams)])
    playback.step()
    assert available(playback.game) == known
    for name in OVERLAYS:
        assert bool(added(playback, name)) == (name in known)
