"""Replays against plain lists of rows: nothing is lost, nothing is joined that does not belong together."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from agents.replay import (
    Replay,
    ReplayConfig,
    Row,
    SequenceReplay,
    SequenceReplayConfig,
    Sequences,
    Transitions,
    available_bytes,
    bytes_needed,
)
from agents.replay.available import GIB, refuse_beyond
from agents.replay.priorities import Priorities, PriorityConfig
from agents.replay.sumtree import build, fill, find, put
from agents.rollout import Rollout
from envs.errors import InputError

GAMMA, ACTIONS, MEMORY = 0.9, 3, 2
VECTOR = spaces.Box(-9, 9, (2,), np.float32)
IMAGE = spaces.Box(0, 255, (1, 3, 2), np.uint8)
EXTRAS = {"id": (), "pair": (2,)}


class Source:
    """Makes rollouts at random; each step of each lane has its own number, in the extra "id"."""

    def __init__(
        self, seed: int, obs: spaces.Box = VECTOR, masks: bool = False, ends: float = 0.15, cuts: float = 0.15
    ) -> None:
        self.rng, self.space, self.masks = np.random.default_rng(seed), obs, masks
        self.ends, self.cuts = ends, cuts
        self.made = 0
        self.after: tuple[Tensor, Tensor, Tensor] | None = None

    def views(self, *shape: int) -> Tensor:
        drawn = self.rng.integers(0, 256, (*shape, *self.space.shape))
        return torch.from_numpy(drawn.astype(self.space.dtype))

    def flags(self, share: float, *shape: int) -> Tensor:
        return torch.from_numpy(self.rng.random(shape) < share)

    def rollout(self, steps: int, lanes: int, fresh: bool = False) -> tuple[Rollout, Tensor]:
        """T x N steps, and the memory [T, N, H] before each; `fresh` games do not continue those before."""
        obs, memory = self.views(steps + 1, lanes), torch.from_numpy(self.rng.random((steps + 1, lanes, MEMORY), "f4"))
        legal = self.flags(0.5, steps + 1, lanes, ACTIONS) | torch.tensor([not self.masks, True, not self.masks])
        if self.after is not None and not fresh:
            obs[0], legal[0], memory[0] = self.after
        self.after = obs[-1], legal[-1], memory[-1]
        terminated = self.flags(self.ends, steps, lanes)
        truncated = self.flags(self.cuts, steps, lanes) & ~terminated
        final_at = truncated.nonzero()
        order = torch.from_numpy(self.rng.permutation(len(final_at)))
        number = torch.arange(self.made, self.made + steps * lanes, dtype=torch.float32).view(steps, lanes)
        self.made += steps * lanes
        rollout = Rollout(
            obs=obs, legal=legal, acts=self.flags(0.5, steps, lanes) | (not self.masks),
            action=torch.from_numpy(self.rng.integers(0, ACTIONS, (steps, lanes))),
            reward=torch.from_numpy(self.rng.standard_normal((steps, lanes), "f4")),
            terminated=terminated, truncated=truncated, score=torch.zeros(steps, lanes),
            memory=memory[0], last_memory=memory[-1],
            final_obs=self.views(len(final_at)), final_memory=torch.zeros(len(final_at), MEMORY),
            final_at=final_at[order], extras={"id": number, "pair": torch.stack([number, -number], -1)},
        )  # fmt: skip
        return rollout, memory[:-1]


class Lists:
    """The reference: one dict per row, each with the dict of the lane's next row once that has come."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.rows: list[dict[str, Any]] = []
        self.last: list[dict[str, Any]] = []

    def add(self, rollout: Rollout, memory: Tensor, fresh: bool) -> None:
        finals = {(t, n): view for (t, n), view in zip(rollout.final_at.tolist(), rollout.final_obs, strict=True)}
        between = len(self.last) == rollout.lane_count and all(r["terminated"] or r["truncated"] for r in self.last)
        fresh = fresh and not between  # where all games had ended anyway, fresh ones are simply the next ones
        if fresh:
            for row in self.last:
                row["truncated"] |= not row["terminated"]
        for t in range(len(rollout.acts)):
            now = []
            for n in range(rollout.lane_count):
                names = ("obs", "legal", "action", "reward", "acts")
                row = {name: getattr(rollout, name)[t, n] for name in names}
                row |= {name: bool(getattr(rollout, name)[t, n]) for name in ("terminated", "truncated")}
                all_legal = torch.ones(ACTIONS, dtype=torch.bool)
                row["view"] = finals.get((t, n), rollout.obs[t + 1, n])
                row["view_legal"] = all_legal if (t, n) in finals else rollout.legal[t + 1, n]
                row |= {"memory": memory[t, n], "id": int(rollout.extras["id"][t, n]), "next": None}
                row["lane_view"] = rollout.obs[t + 1, n]
                row["lane_legal"] = rollout.legal[t + 1, n]
                if self.last and not (fresh and t == 0):
                    self.last[n]["next"] = row
                now.append(row)
            self.last = now
            self.rows += now
        self.rows = self.rows[-self.capacity :]

    def by_id(self) -> dict[int, dict[str, Any]]:
        return {row["id"]: row for row in self.rows}

    def transition(self, row: dict[str, Any], steps: int) -> tuple[float, float, dict[str, Any]]:
        """Reward, discount and the row whose view is bootstrapped from."""
        reward, scale = 0.0, 1.0
        for _ in range(steps):
            reward += scale * float(row["reward"])
            scale *= GAMMA
            if row["terminated"]:
                return reward, 0.0, row
            if row["truncated"] or row["next"] is None:
                break
            last, row = row, row["next"]
        else:
            row = last
        return reward, scale, row

    def windows(self, length: int) -> dict[int, list[dict[str, Any]]]:
        """The rows of every window, by the id of the first."""
        found = {}
        for row in self.rows:
            window = [row]
            while len(window) < length and window[-1]["next"] is not None:
                window.append(window[-1]["next"])
            if len(window) == length:
                found[row["id"]] = window
        return found


def filled(seed: int, replay: Replay | SequenceReplay, shapes: list[tuple[int, int, bool]], **source: Any) -> Lists:
    """Add rollouts of (T, N, fresh) to `replay` and to lists."""
    games, lists = Source(seed, **source), Lists(replay.config.capacity)
    for i, (steps, lanes, fresh) in enumerate(shapes):
        fresh = fresh or i == 0 or lanes != shapes[i - 1][1]
        rollout, memory = games.rollout(steps, lanes, fresh)
        if isinstance(replay, Replay):
            replay.add(rollout)
        else:
            replay.add(rollout, memory)
        lists.add(rollout, memory, fresh)
        assert len(replay) == len(lists.rows)
    return lists


def row_of(obs: spaces.Box = VECTOR, memory: int = 0) -> Row:
    return Row(obs, spaces.Discrete(ACTIONS), EXTRAS, memory)


def check(batch: Transitions, lists: Lists, steps: int) -> None:
    """Every transition is the one that the lists say."""
    known = lists.by_id()
    numbers = batch.extras["id"].long().tolist()
    for number, i in dict(zip(numbers, range(len(numbers)), strict=True)).items():  # each row once
        row = known[number]
        reward, discount, last = lists.transition(row, steps)
        assert torch.equal(batch.obs[i], row["obs"])
        assert torch.equal(batch.action[i], row["action"])
        assert float(batch.reward[i]) == pytest.approx(reward, abs=1e-5)
        assert float(batch.discount[i]) == pytest.approx(discount)
        if discount:
            assert torch.equal(batch.next_obs[i], last["view"])
        assert torch.equal(batch.extras["pair"][i], torch.tensor([number, -number], dtype=torch.float32))
        if batch.legal is not None and batch.next_legal is not None:
            assert torch.equal(batch.legal[i], row["legal"])
            if discount:
                assert torch.equal(batch.next_legal[i], last["view_legal"])
        assert bool(row["acts"]) if batch.acts is None else bool(batch.acts[i]) == bool(row["acts"])


SHAPES = st.lists(
    st.tuples(st.integers(1, 14), st.sampled_from([3, 3, 3, 1, 5]), st.booleans()), min_size=1, max_size=7
)
ONE_LANE = st.lists(st.tuples(st.integers(1, 30), st.just(1), st.booleans()), min_size=1, max_size=7)


@settings(deadline=None, max_examples=40)
@given(
    shapes=SHAPES | ONE_LANE, capacity=st.integers(5, 40), steps=st.integers(1, 4), seed=st.integers(0, 999),
    image=st.booleans(), masks=st.booleans(), prioritised=st.booleans(),
)  # fmt: skip
def test_transitions_are_those_of_the_lists(
    shapes: list[tuple[int, int, bool]],
    capacity: int,
    steps: int,
    seed: int,
    image: bool,
    masks: bool,
    prioritised: bool,
) -> None:
    """Around the ring's end, more steps than fit, other lanes, games cut short, one and several steps of reward."""
    obs = IMAGE if image else VECTOR
    replay = Replay(ReplayConfig(capacity=capacity, n_step=steps, prioritised=prioritised), GAMMA, row_of(obs))
    lists = filled(seed, replay, shapes, obs=obs, masks=masks)
    batch = replay.sample(600, np.random.default_rng(seed))
    check(batch, lists, steps)
    assert set(batch.extras["id"].long().tolist()) == set(lists.by_id()), "some rows are never drawn"
    assert batch.obs.dtype == batch.next_obs.dtype == (torch.uint8 if image else torch.float32)


def windows_match(batch: Sequences, lists: Lists, length: int) -> None:
    known = lists.windows(length)
    finals = {tuple(at): view for at, view in zip(batch.final_at.tolist(), batch.final_obs, strict=True)}
    assert len(finals) == int(batch.truncated.sum())
    assert torch.equal(batch.ended, batch.terminated | batch.truncated)
    numbers = batch.extras["id"][:, 0].long().tolist()
    for number, i in dict(zip(numbers, range(len(numbers)), strict=True)).items():  # each window once
        window = known[number]
        assert batch.extras["id"][i].long().tolist() == [row["id"] for row in window]
        assert torch.equal(batch.memory[i], window[0]["memory"])
        for name in ("obs", "action", "reward"):
            assert torch.equal(getattr(batch, name)[i, :length], torch.stack([row[name] for row in window]))
        for name in ("terminated", "truncated"):
            assert getattr(batch, name)[i].tolist() == [row[name] for row in window]
        if not batch.ended[i, -1]:
            assert torch.equal(batch.obs[i, -1], window[-1]["lane_view"])
        for j, row in enumerate(window):
            if row["truncated"]:
                assert torch.equal(finals[i, j], row["view"])
            if batch.legal is not None:
                assert torch.equal(batch.legal[i, j], row["legal"])
            assert bool(row["acts"]) if batch.acts is None else bool(batch.acts[i, j]) == bool(row["acts"])
        if batch.legal is not None and not batch.ended[i, -1]:
            assert torch.equal(batch.legal[i, -1], window[-1]["lane_legal"])


@settings(deadline=None, max_examples=40)
@given(
    shapes=SHAPES | ONE_LANE, capacity=st.integers(20, 60), window=st.integers(1, 4), seed=st.integers(0, 999),
    image=st.booleans(), masks=st.booleans(), prioritised=st.booleans(),
)  # fmt: skip
def test_windows_are_those_of_the_lists(
    shapes: list[tuple[int, int, bool]],
    capacity: int,
    window: int,
    seed: int,
    image: bool,
    masks: bool,
    prioritised: bool,
) -> None:
    obs = IMAGE if image else VECTOR
    config = SequenceReplayConfig(capacity=capacity, window=window, prioritised=prioritised)
    replay = SequenceReplay(config, row_of(obs, MEMORY))
    lists = filled(seed, replay, shapes, obs=obs, masks=masks)
    possible = lists.windows(window)
    assert replay.windows == len(possible)
    if not possible:
        with pytest.raises(InputError, match=f"window of {window} steps yet"):
            replay.sample(1, np.random.default_rng(0))
        return
    batch = replay.sample(800, np.random.default_rng(seed))
    assert batch.obs.shape[:2] == (800, window + 1)
    windows_match(batch, lists, window)
    assert set(batch.extras["id"][:, 0].long().tolist()) == set(possible), "some windows are never drawn"


def test_the_lists_know_a_return_by_hand() -> None:
    """The reference itself: three steps of one lane, cut in the third."""
    replay, games = Replay(ReplayConfig(capacity=9, n_step=2), 0.5, row_of()), Source(0, ends=0, cuts=0)
    rollout, _ = games.rollout(3, 1, fresh=True)
    rollout.reward[:, 0] = torch.tensor([1.0, 10.0, 100.0])
    rollout.truncated[2, 0] = True
    view = games.views(1)
    made = {name: getattr(rollout, name) for name in Rollout.__slots__}
    replay.add(Rollout(**{**made, "final_obs": view, "final_at": torch.tensor([[2, 0]])}))
    batch = replay.sample(60, np.random.default_rng(0))
    seen = {
        int(n): (float(r), float(d)) for n, r, d in zip(batch.extras["id"], batch.reward, batch.discount, strict=True)
    }
    assert seen == {0: (6.0, 0.25), 1: (60.0, 0.25), 2: (100.0, 0.5)}
    at = batch.extras["id"].long()
    assert torch.equal(batch.next_obs[at == 0][0], rollout.obs[2, 0])
    assert torch.equal(batch.next_obs[at == 1][0], view[0]) and torch.equal(batch.next_obs[at == 2][0], view[0])


def test_more_truncated_games_than_there_was_room_for() -> None:
    """Every step is the last: the table of views grows, and its places are used again."""
    replay = Replay(ReplayConfig(capacity=40), GAMMA, row_of())
    games, lists = Source(3, ends=0.1, cuts=1), Lists(40)
    for i in range(30):
        rollout, memory = games.rollout(4, 3, fresh=i == 0)
        replay.add(rollout)
        lists.add(rollout, memory, i == 0)
    check(replay.sample(300, np.random.default_rng(0)), lists, 1)
    assert len(replay.state_dict()["ring"]["views"]["used"]) == sum(row["truncated"] for row in lists.rows)
    assert sum(row["truncated"] for row in lists.rows) > 30 and len(replay._ring.views.obs) < 40 + 3 * 40


def test_images_are_stored_once() -> None:
    replay = Replay(ReplayConfig(capacity=60), GAMMA, row_of(IMAGE))
    games = Source(4, IMAGE, ends=0, cuts=0)
    for _ in range(40):
        replay.add(games.rollout(1, 3)[0])
    assert len(replay.state_dict()["ring"]["views"]["used"]) == 3, "only the views after the newest steps"


def test_masks_that_begin_late_and_end() -> None:
    """Without masks there are none; the rows from before the first one were all legal."""
    replay, lists = Replay(ReplayConfig(capacity=30), GAMMA, row_of()), Lists(30)
    games = Source(5)
    for i, masks in enumerate([False, True, True, False]):
        games.masks = masks
        rollout, memory = games.rollout(4, 2, fresh=i == 0)
        replay.add(rollout)
        lists.add(rollout, memory, i == 0)
        batch = replay.sample(200, np.random.default_rng(i))
        assert (batch.legal is None) == (batch.acts is None) == (i == 0)
        check(batch, lists, 1)


def test_what_cannot_be_held_is_refused() -> None:
    games = Source(0)
    rollout, memory = games.rollout(2, 4)
    with pytest.raises(InputError, match="one step of 4 lanes"):
        Replay(ReplayConfig(capacity=3), GAMMA, row_of()).add(rollout)
    with pytest.raises(InputError, match="without rows"):
        Replay(ReplayConfig(capacity=3), GAMMA, row_of()).sample(1, np.random.default_rng(0))
    narrow = SequenceReplay(SequenceReplayConfig(capacity=11, window=3), row_of(memory=MEMORY))
    with pytest.raises(InputError, match="capacity = 12"):
        narrow.add(rollout, memory)
    wide = SequenceReplay(SequenceReplayConfig(capacity=12, window=3), row_of(memory=MEMORY))
    with pytest.raises(InputError, match="before each of the 2 steps"):
        wide.add(rollout)


def test_the_memory_of_one_step_is_the_rollouts() -> None:
    replay = SequenceReplay(SequenceReplayConfig(capacity=12, window=1), row_of(memory=MEMORY))
    rollout, memory = Source(0).rollout(1, 2)
    replay.add(rollout)
    batch = replay.sample(20, np.random.default_rng(0))
    assert torch.equal(batch.memory, memory[0, batch.extras["id"][:, 0].long()])


@settings(deadline=None, max_examples=40)
@given(leaves=st.integers(1, 70), seed=st.integers(0, 999))
def test_the_tree_is_its_sums(leaves: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tree, plain = np.zeros(2 * leaves), np.zeros(leaves)
    for _ in range(6):
        low, high = np.sort(rng.integers(0, leaves + 1, 2))
        fill(tree, low, high, 2.5)
        plain[low:high] = 2.5
        index, values = rng.integers(0, leaves, 5), rng.random(5) * rng.integers(0, 2, 5)
        put(tree, index, values)
        for place, value in zip(index, values, strict=True):
            plain[place] = value
        assert np.array_equal(tree[leaves:], plain)
        assert tree[1] == pytest.approx(plain.sum(), abs=1e-12)
        again = np.concatenate([np.zeros(leaves), plain])
        build(again)
        assert np.array_equal(again[1:], tree[1:]), "the sums depend on how the leaves came there"
    if plain.any():
        points = rng.random(4000) * tree[1]
        found = find(tree, points)
        assert (plain[found] > 0).all()
        assert (plain[find(tree, np.array([0.0, tree[1], tree[1] * 2]))] > 0).all()


def test_rows_are_drawn_in_proportion() -> None:
    """Chi-square of a million draws over 37 rows; strata only make it smaller."""
    rng = np.random.default_rng(0)
    rows = Priorities(37, PriorityConfig(prioritised=True, alpha=0.7, least=0.01))
    rows.renew(0, 37)
    given = rng.random(37) * 3
    rows.update(torch.arange(37), torch.from_numpy(given))
    share = (given + 0.01) ** 0.7
    share /= share.sum()
    counts = np.zeros(37)
    for _ in range(2000):
        index, weight = rows.draw(500, rng, 0.5)
        counts += np.bincount(index, minlength=37)
    expected = (37 * share[index]) ** -0.7  # beta half way from 0.4 to 1
    np.testing.assert_allclose(weight, expected / expected.max(), rtol=1e-5)
    assert ((counts - 1e6 * share) ** 2 / (1e6 * share)).sum() < 60  # 36 degrees of freedom: 0.7 % lie above
    strata, _ = rows.draw(10_000, rng, 0.0)
    assert np.abs(np.bincount(strata, minlength=37) - 1e4 * share).max() < 3, "the draws are not stratified"


def test_new_rows_have_the_highest_priority_so_far() -> None:
    config = ReplayConfig(capacity=12, prioritised=True, alpha=1.0, least=1e-9)
    replay, games = Replay(config, GAMMA, row_of()), Source(1)
    replay.add(games.rollout(2, 3)[0])
    replay.update_priorities(torch.arange(6), torch.tensor([0.5, -7.0, 0.1, 0.1, 0.1, 0.1]))
    replay.update_priorities(torch.tensor([1]), torch.tensor([2.0]))
    replay.add(games.rollout(3, 3)[0])
    expected = [7.0, 7.0, 7.0, 0.1, 0.1, 0.1] + [7.0] * 6
    np.testing.assert_allclose(replay.state_dict()["priorities"]["leaves"], expected, rtol=1e-6)


def test_windows_keep_their_priorities_while_more_come() -> None:
    """Of 4 steps of 2 lanes the first 2 begin a window of 3; of 2 more the next 2, until the first are overwritten."""
    config = SequenceReplayConfig(capacity=14, window=3, prioritised=True, alpha=1.0, least=1e-9)
    replay, games = SequenceReplay(config, row_of()), Source(1)
    replay.add(games.rollout(4, 2)[0])
    replay.update_priorities(torch.arange(4), torch.tensor([3.0, 0.1, 0.2, 0.4]))
    replay.add(games.rollout(2, 2)[0])
    leaves = replay.state_dict()["priorities"]["leaves"]
    np.testing.assert_allclose(leaves, [3.0, 0.1, 0.2, 0.4, 3.0, 3.0, 3.0, 3.0, 0, 0, 0, 0], rtol=1e-6)
    replay.add(games.rollout(2, 2)[0])
    leaves = replay.state_dict()["priorities"]["leaves"]
    np.testing.assert_allclose(leaves, [0, 0, 0.2, 0.4] + [3.0] * 8 + [0, 0], rtol=1e-6)


def test_priorities_that_are_not_numbers_are_refused() -> None:
    replay = Replay(ReplayConfig(capacity=12, prioritised=True), GAMMA, row_of())
    replay.add(Source(1).rollout(2, 3)[0])
    before = replay.state_dict()["priorities"]["leaves"].clone()
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(FloatingPointError):
            replay.update_priorities(torch.tensor([0, 1]), torch.tensor([1.0, wrong]))
    assert torch.equal(replay.state_dict()["priorities"]["leaves"], before)


def test_updated_priorities_steer_the_draws() -> None:
    replay = Replay(ReplayConfig(capacity=12, prioritised=True), GAMMA, row_of())
    replay.add(Source(1).rollout(4, 3)[0])
    replay.update_priorities(torch.arange(12), torch.where(torch.arange(12) == 5, 1.0, 0.0))
    batch = replay.sample(200, np.random.default_rng(0))
    assert (batch.rows == 5).float().mean() > 0.98
    assert (batch.extras["id"] == 5).equal(batch.rows == 5)


def test_weights_are_one_where_drawing_is_uniform() -> None:
    replay = Replay(ReplayConfig(capacity=12), GAMMA, row_of())
    replay.add(Source(1).rollout(4, 3)[0])
    replay.update_priorities(torch.arange(3), torch.ones(3))
    assert torch.equal(replay.sample(5, np.random.default_rng(0)).weight, torch.ones(5))


def saved(state: Mapping[str, Any]) -> Any:
    """Through a file, without pickles."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def equal(one: Any, other: Any) -> bool:
    """Whether two batches or states are equal to the bit."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, tuple):
        return all(equal(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


@pytest.mark.parametrize("prioritised", [False, True])
@pytest.mark.parametrize("kind", ["transitions", "windows"])
@pytest.mark.parametrize("before", [2, 9], ids=["partly filled", "gone around"])
def test_a_saved_replay_goes_on_to_the_bit(kind: str, prioritised: bool, before: int) -> None:
    """The same samples after the same further rollouts and priorities, with views in the table and masks."""

    def new() -> Replay | SequenceReplay:
        if kind == "transitions":
            return Replay(ReplayConfig(capacity=50, n_step=3, prioritised=prioritised), GAMMA, row_of())
        config = SequenceReplayConfig(capacity=50, window=3, prioritised=prioritised)
        return SequenceReplay(config, row_of(memory=MEMORY))

    def add(replay: Replay | SequenceReplay, rollout: Rollout, memory: Tensor) -> None:
        if isinstance(replay, Replay):
            replay.add(rollout)
        else:
            replay.add(rollout, memory)

    games, one, other = Source(2, masks=True, ends=0.4, cuts=0.4), new(), new()
    for _ in range(before):
        add(one, *games.rollout(4, 2))
    drawn = one.sample(20, np.random.default_rng(1))
    one.update_priorities(drawn.rows, drawn.reward.reshape(20, -1).sum(1))
    add(other, *Source(8).rollout(6, 4))  # what it held before does not matter
    state = saved(one.state_dict())
    assert len(state["ring"]["columns"]["reward"]) == len(one) == min(before * 8, 50)
    other.load_state_dict(state)
    assert equal(saved(other.state_dict()), state)
    for i in range(8):
        mine, its = (each.sample(30, np.random.default_rng(i), 0.3) for each in (one, other))
        assert equal(mine, its), [name for name in mine._fields if not equal(getattr(mine, name), getattr(its, name))]
        for each in (one, other):
            each.update_priorities(mine.rows, mine.weight + i)
        rollout, memory = games.rollout(3, 2, fresh=i == 5)
        add(one, rollout, memory)
        add(other, rollout, memory)
    assert not equal(one.sample(30, np.random.default_rng(0)), one.sample(30, np.random.default_rng(1)))


def test_a_state_of_another_capacity_is_refused() -> None:
    one, other = (Replay(ReplayConfig(capacity=size), GAMMA, row_of()) for size in (20, 30))
    with pytest.raises(InputError, match="capacity = 20"):
        other.load_state_dict(one.state_dict())


def test_memory_is_counted_before_it_is_taken() -> None:
    """What is counted is what the arrays take; and more than there is, is refused with what would fit."""
    row = Row(IMAGE, spaces.Discrete(ACTIONS), {"logprob": ()}, 5)
    replay = SequenceReplay(SequenceReplayConfig(capacity=3200, prioritised=True), row)
    replay._ring.views.begin_masks()
    views = replay._ring.views
    assert views.legal is not None and replay._priorities is not None
    arrays = [views.obs, views.legal, *replay._ring.columns.values(), replay._priorities._tree]
    assert bytes_needed(3200, row, prioritised=True) == sum(array.nbytes for array in arrays)
    huge = spaces.Box(0, 255, (100, 100, 100), np.uint8)
    with pytest.raises(
        InputError, match=r"needs [\d,.]+ GiB .* [\d,.]+ GiB are available: ask for at most [\d,]+ rows"
    ):
        Replay(ReplayConfig(capacity=10**9), GAMMA, Row(huge, spaces.Discrete(2)))


def test_the_refusal_names_what_fits() -> None:
    refuse_beyond(GIB, 1000, GIB)
    refuse_beyond(GIB, 1000, None)
    with pytest.raises(InputError, match=r"1,000 rows needs 2.00 GiB .* 0.50 GiB are available: .* 250 rows"):
        refuse_beyond(2 * GIB, 1000, GIB // 2)


def written(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MACHINE = {"proc/meminfo": "MemTotal: 9999 kB\nMemAvailable:    1000 kB\n"}
V2 = {
    "proc/self/cgroup": "0::/a/b\n",
    "sys/fs/cgroup/a/b/memory.max": "max\n",
    "sys/fs/cgroup/a/b/memory.current": "5\n",
}


def test_available_memory_is_that_of_the_tightest_limit(tmp_path: Path) -> None:
    assert available_bytes(written(tmp_path / "none", {"other": ""})) is None
    assert available_bytes(written(tmp_path / "machine", MACHINE)) == 1_024_000
    around = {
        "sys/fs/cgroup/a/memory.max": "9000",
        "sys/fs/cgroup/a/memory.current": "8000",
        "sys/fs/cgroup/a/memory.stat": "anon 7500\ninactive_file 500\n",
    }
    assert available_bytes(written(tmp_path / "v2", {**MACHINE, **V2})) == 1_024_000
    assert available_bytes(written(tmp_path / "v2 around", {**MACHINE, **V2, **around})) == 1500
    inside = {"sys/fs/cgroup/memory.max": "700", "sys/fs/cgroup/memory.current": "900"}
    assert available_bytes(written(tmp_path / "container", {**MACHINE, **V2, **inside})) == 0
    v1 = {
        "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/a\n0::/\n",
        "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "5000\n",
        "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "4000\n",
        "sys/fs/cgroup/memory/a/memory.stat": "total_inactive_file 30\n",
    }
    assert available_bytes(written(tmp_path / "v1", {**MACHINE, **v1})) == 1030
