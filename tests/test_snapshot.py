"""A snapshot file gives the same policy back, and says in a sentence why another file does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import envs
from agents.heads import Actor, ActorCritic, ActorHead, HeadConfig, Q, QHead
from agents.policy import Policy, PolicyConfig
from agents.snapshot import KEY, freeze, load_snapshot, only, same_weights, save_snapshot
from envs.core import PLAYER
from envs.errors import InputError
from envs.layout import parts
from tests.minds import GRU, SHAPES, new_policy

META = {"env": "SlimeVolley-v0", "member": "ada", "step": 12, "parent": None}


def a_policy(actions: str = "discrete", **shape: Any) -> Policy:
    return new_policy(envs.make("SlimeVolley-v0", actions=actions).spec, **shape)


@pytest.mark.parametrize("actions", ["discrete", "multibinary", "box"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_round_trip(shape: dict[str, Any], actions: str, tmp_path: Path) -> None:
    policy = a_policy(actions, **shape)
    save_snapshot(tmp_path / "one.safetensors", policy, META)
    read = load_snapshot(tmp_path / "one.safetensors")
    assert dict(read.meta) == META
    assert (read.policy.obs_space, read.policy.action_space) == (policy.obs_space, policy.action_space)
    assert read.policy.config == policy.config
    assert same_weights(read.policy, policy)
    obs, memory = torch.randn(9, 12), torch.randn(9, policy.memory_size)
    one, other = policy(obs, None, memory), read.policy(obs, None, memory)
    assert torch.equal(one.dist.mode(), other.dist.mode())
    assert torch.equal(one.dist.entropy(), other.dist.entropy())
    assert torch.equal(one.extras["value"], other.extras["value"])
    assert torch.equal(one.memory, other.memory)
    assert not any(weight.requires_grad for weight in read.policy.parameters())


def test_equal_policies_give_equal_bytes(tmp_path: Path) -> None:
    policy = a_policy(**GRU)
    save_snapshot(tmp_path / "one", policy, META)
    save_snapshot(tmp_path / "two", policy, dict(reversed(META.items())))
    save_snapshot(tmp_path / "three", load_snapshot(tmp_path / "one").policy, META)
    one, two, three = ((tmp_path / name).read_bytes() for name in ("one", "two", "three"))
    assert one == two == three
    with torch.no_grad():
        policy.head.outputs.linear.bias[0] += 1e-3
    save_snapshot(tmp_path / "one", policy, META)  # and it replaces what was there
    assert (tmp_path / "one").read_bytes() != two
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three", "two"]


def test_freeze_is_a_copy() -> None:
    crew = {"predator": a_policy(), "prey": a_policy(seed=1)}
    frozen = freeze(crew)
    assert list(frozen) == list(crew)
    for post, policy in crew.items():
        assert same_weights(policy, frozen[post])
        policy.head.outputs.linear.bias.data += 1
        assert not same_weights(policy, frozen[post])
        assert not any(weight.requires_grad for weight in frozen[post].parameters())
        assert not frozen[post].training and policy.training


def small(seed: int, sees: int, does: spaces.Space[Any], **shape: Any) -> Policy:
    """With random weights."""
    torch.manual_seed(seed)
    return Policy(spaces.Box(-1, 1, (sees,)), does, PolicyConfig(**{"hidden": (5,), **shape}))


def a_crew() -> dict[str, Policy]:
    """Posts that see and do different things, with networks of different shapes; one post's name begins another's."""
    return {
        "prey.1": small(0, 4, spaces.Discrete(3)),
        "prey.10": small(1, 4, spaces.Discrete(3), **GRU),
        "predator": small(2, 7, BOX, activation="relu"),
    }


def test_a_crew(tmp_path: Path) -> None:
    """One file, in which each weight is called "post/name"."""
    crew = a_crew()
    save_snapshot(tmp_path / "one", crew, META)
    read = load_snapshot(tmp_path / "one")
    assert dict(read.meta) == META and read.policies.keys() == crew.keys()
    for post, policy in crew.items():
        found = read.policies[post]
        assert (found.obs_space, found.action_space) == (policy.obs_space, policy.action_space)
        assert found.config == policy.config
        assert same_weights(found, policy)
        assert not found.training and not any(weight.requires_grad for weight in found.parameters())
        assert_same_play(policy, found)
    with safe_open(tmp_path / "one", framework="pt") as file:
        names = set(file.keys())
        header = json.loads(file.metadata()[KEY])
    assert names == {f"{post}/{name}" for post, policy in crew.items() for name in policy.state_dict()}
    assert header["format"] == 3 and set(header["crew"]) == set(crew)


def test_equal_crews_give_equal_bytes(tmp_path: Path) -> None:
    crew = a_crew()
    save_snapshot(tmp_path / "one", crew, META)
    save_snapshot(tmp_path / "two", freeze(crew), dict(reversed(META.items())))
    save_snapshot(tmp_path / "three", load_snapshot(tmp_path / "one").policies, META)
    one, two, three = ((tmp_path / name).read_bytes() for name in ("one", "two", "three"))
    assert one == two == three


def test_a_policy_alone_is_a_crew_of_one(tmp_path: Path) -> None:
    policy = a_policy()
    save_snapshot(tmp_path / "one", policy, META)
    save_snapshot(tmp_path / "two", {PLAYER: policy}, META)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert set(load_snapshot(tmp_path / "one").policies) == {PLAYER}


def test_one_policy_of_several_is_not_the_only_one(tmp_path: Path) -> None:
    crew = a_crew()
    save_snapshot(tmp_path / "one", crew, META)
    with pytest.raises(InputError, match=r"^a crew of predator, prey.1, prey.10 has not one policy but 3\.$"):
        _ = load_snapshot(tmp_path / "one").policy
    assert only({"prey.1": crew["prey.1"]}) is crew["prey.1"]


def test_a_crew_that_lacks_weights_or_has_too_many(tmp_path: Path) -> None:
    path, fits = tmp_path / "a", "do not fit the network"
    save_snapshot(path, a_crew(), META)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    without = {name: value for name, value in kept.items() if not name.startswith("prey.1/")}
    for weights in (without, {**kept, "prey.1/more": torch.zeros(1)}, {**kept, "stranger/weight": torch.zeros(1)}):
        save_file(weights, path, header)
        assert fits in complaint(path)


def complaint(path: Path) -> str:
    with pytest.raises(InputError) as fault:
        load_snapshot(path)
    said = str(fault.value)
    assert "\n" not in said and str(path) in said and said.endswith(".") and not said.endswith("..")
    return said


def test_a_truncated_file(tmp_path: Path) -> None:
    save_snapshot(tmp_path / "whole", a_policy(), META)
    data, cut = (tmp_path / "whole").read_bytes(), tmp_path / "cut"
    for length in (0, 1, 7, 8, 9, 100, len(data) // 2, len(data) - 1):
        cut.write_bytes(data[:length])
        assert "is not a whole snapshot file" in complaint(cut)
    cut.write_bytes(data + b"!")
    assert "is not a whole snapshot file" in complaint(cut)


def test_other_files(tmp_path: Path) -> None:
    assert "no snapshot at" in complaint(tmp_path / "none")
    (tmp_path / "text").write_text("These are no weights, but long enough to hold a length.")
    assert "is not a whole snapshot file" in complaint(tmp_path / "text")
    assert "is not a whole snapshot file" in complaint(tmp_path)
    save_file({"weight": torch.zeros(3)}, tmp_path / "foreign", {"format": "pt"})
    assert "another program" in complaint(tmp_path / "foreign")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "torch")
    assert "is not a whole snapshot file" in complaint(tmp_path / "torch")


Header = Callable[[dict[str, Any]], Any]


def forge(path: Path, change: Header, weights: Mapping[str, torch.Tensor] = {}) -> str:
    """What is said of a snapshot whose header was changed, or whose weights were replaced."""
    save_snapshot(path, a_policy(), META)
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()[KEY])
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    changed = change(header)
    save_file({**kept, **weights}, path, {KEY: changed if isinstance(changed, str) else json.dumps(changed)})
    return complaint(path)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_another_format(tmp_path: Path, number: int) -> None:
    message = f"has format {number}; this version reads format 3"
    assert message in forge(tmp_path / "a", lambda h: {**h, "format": number})


def test_weights_of_another_network(tmp_path: Path) -> None:
    path, fits = tmp_path / "a", "do not fit the network"
    assert fits in forge(path, other(lambda h: {**h, "policy": {**h["policy"], "hidden": [7]}}))
    assert fits in forge(path, other(lambda h: {**h, "action_space": {"kind": "discrete", "n": 5, "start": 0}}))
    assert fits in forge(path, lambda h: h, {"player/more": torch.zeros(1)})
    assert fits in forge(path, lambda h: {**h, "crew": {"prey": h["crew"]["player"]}})


def other(change: Header) -> Header:
    """Of what the header says of its only policy."""
    return lambda h: {**h, "crew": {"player": change(h["crew"]["player"])}}


@pytest.mark.parametrize(
    "change",
    [
        lambda h: "no json",
        lambda h: "null",
        lambda h: "[]",
        lambda h: "3",
        lambda h: {},
        lambda h: {**h, "format": "one"},
        other(lambda h: {**h, "policy": None}),
        other(lambda h: {**h, "policy": {**h["policy"], "hidden": "wide"}}),
        other(lambda h: {**h, "policy": {**h["policy"], "depth": 3}}),
        other(lambda h: {**h, "obs_space": {"kind": "sphere"}}),
        other(lambda h: {**h, "obs_space": {**h["obs_space"], "dtype": "float7"}}),
        other(lambda h: {**h, "obs_space": {**h["obs_space"], "low": "zero"}}),
        other(lambda h: {**h, "action_space": {"kind": "discrete", "n": -1}}),
        other(lambda h: {**h, "action_space": {"kind": "multibinary"}}),
        other(lambda h: {key: value for key, value in h.items() if key != "own_encoder"}),
        other(lambda h: None),
        lambda h: {**h, "crew": {}},
        lambda h: {**h, "crew": None},
        lambda h: {**h, "crew": ["player"]},
        lambda h: {key: value for key, value in h.items() if key != "crew"},
        lambda h: {key: value for key, value in h.items() if key != "meta"},
    ],
)
def test_headers_that_make_no_sense(change: Header, tmp_path: Path) -> None:
    forge(tmp_path / "a", change)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    for path in (tmp_path / "none" / "a.safetensors", tmp_path / "taken"):
        with pytest.raises(InputError, match="cannot write"):
            save_snapshot(path, a_policy(), META)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


FLAT = spaces.Box(np.array([-1, -np.inf, 0], np.float32), np.array([1, np.inf, 0.1], np.float32))
IMAGE = spaces.Box(0, 255, (20, 24, 3), np.uint8)
BOX = spaces.Box(np.array([-1, 0.1], np.float32), np.array([1, 3], np.float32))
UNBOUNDED = spaces.Box(-np.inf, np.inf, (2,))
ACTIONS: list[spaces.Space[Any]] = [
    spaces.Discrete(4),
    spaces.Discrete(4, start=-2),
    spaces.MultiBinary(3),
    spaces.MultiDiscrete([3, 2]),
    spaces.MultiDiscrete([3, 2], dtype=np.int32, start=[1, -1]),
    BOX,
    UNBOUNDED,
    spaces.Tuple((spaces.Discrete(2), BOX)),
    spaces.Dict([("z", spaces.Discrete(3)), ("a", spaces.Tuple((spaces.MultiBinary(2), BOX)))]),
]
LSTM: dict[str, Any] = {"core": "lstm", "core_width": 5}


def reread(path: Path, policy: Policy, encoder: nn.Module | None = None) -> Policy:
    """`policy` after a round trip; everything that describes it is equal."""
    save_snapshot(path / "one", policy, META)
    read = load_snapshot(path / "one", encoder).policy
    assert (read.obs_space, read.action_space) == (policy.obs_space, policy.action_space)
    assert (read.config, read.head.config) == (policy.config, policy.head.config)
    assert same_weights(read, policy)
    return read


def views(policy: Policy, count: int = 9) -> torch.Tensor:
    """[count, *obs_shape]."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(256, size=(count, *(policy.obs_space.shape or ())))
    return torch.from_numpy(drawn.astype(policy.obs_space.dtype))


def assert_same_play(one: Policy, other: Policy) -> None:
    """To the bit: what is drawn, how probable it was, what is remembered, and what else is said."""
    obs, memory = views(one), torch.randn(9, one.memory_size)
    outputs = one(obs, None, memory), other(obs, None, memory)
    drawn = [output.dist.sample(np.random.default_rng(0)) for output in outputs]
    assert torch.equal(*drawn)
    assert torch.equal(*(output.dist.log_prob(drawn[0]) for output in outputs))
    assert torch.equal(*(output.memory for output in outputs))
    assert outputs[0].extras.keys() == outputs[1].extras.keys()
    assert all(torch.equal(outputs[0].extras[name], outputs[1].extras[name]) for name in outputs[0].extras)


@pytest.mark.parametrize(
    ("head", "space"),
    [(ActorCritic(), space) for space in ACTIONS]
    + [(Actor(spread=spread), space) for spread in ("noise", "learnt") for space in ACTIONS if space != UNBOUNDED]
    + [(Q(), space) for space in ACTIONS if isinstance(space, spaces.Discrete)],
    ids=str,
)
def test_every_head_for_every_action(head: HeadConfig, space: spaces.Space[Any], tmp_path: Path) -> None:
    policy = Policy(FLAT, space, PolicyConfig(**LSTM, head_hidden=(4,)), head)
    read = reread(tmp_path, policy)
    assert_same_play(policy, read)
    assert [str(part) for part in parts(read.action_space)] == [str(part) for part in parts(space)]


def test_the_parts_of_an_action_stay_in_their_order(tmp_path: Path) -> None:
    """Which is that of the space, not of the alphabet: a head's outputs lie in it."""
    read = reread(tmp_path, Policy(FLAT, ACTIONS[-1])).action_space
    assert isinstance(read, spaces.Dict)
    assert list(read) == ["z", "a"]


@pytest.mark.parametrize("encoder", ["conv", "mlp"])
def test_images(encoder: Any, tmp_path: Path) -> None:
    """Bounds of all pixels are one number in the file."""
    policy = Policy(IMAGE, spaces.Discrete(3), PolicyConfig(encoder=encoder, hidden=(6,)))
    assert_same_play(policy, reread(tmp_path, policy))
    with safe_open(tmp_path / "one", framework="pt") as file:
        header = json.loads(file.metadata()[KEY])
    assert header["crew"]["player"]["obs_space"] == {
        "kind": "box",
        "dtype": "uint8",
        "shape": [20, 24, 3],
        "low": 0,
        "high": 255,
    }


def test_bounds_that_differ_are_kept_one_by_one(tmp_path: Path) -> None:
    low = np.zeros((20, 24, 3), np.uint8)
    low[3, 4, 1] = 7
    policy = Policy(spaces.Box(low, np.full_like(low, 255), dtype=np.uint8), spaces.Discrete(2))
    read = reread(tmp_path, policy).obs_space
    assert isinstance(read, spaces.Box) and np.array_equal(read.low, low)


@pytest.mark.parametrize("duelling", [False, True])
@pytest.mark.parametrize("noisy", [False, True])
def test_action_values(noisy: bool, duelling: bool, tmp_path: Path) -> None:
    """Noise in the weights is off in what was read, and epsilon is what it was."""
    policy = Policy(FLAT, spaces.Discrete(4), head=Q(noisy=noisy, duelling=duelling, quantiles=3))
    assert isinstance(policy.head, QHead)
    policy.head.epsilon.fill_(0.4)
    policy.head.resample(torch.Generator().manual_seed(0))
    read = reread(tmp_path, policy)
    assert isinstance(read.head, QHead)
    obs, none = views(policy), torch.zeros(9, 0)
    loud, calm = policy(obs, None, none).extras["value"], read(obs, None, none).extras["value"]
    assert torch.equal(loud, calm) != noisy
    assert_same_play(policy.eval(), read)
    before = read(obs, None, none).dist.mode()
    read.head.resample(torch.Generator().manual_seed(1))
    assert torch.equal(read(obs, None, none).dist.mode(), before)
    assert read.head.epsilon.item() == pytest.approx(0.4)


def test_exploration_noise_is_what_it_was(tmp_path: Path) -> None:
    policy = Policy(FLAT, BOX, head=Actor())
    assert isinstance(policy.head, ActorHead)
    policy.head.noise.fill_(0.3)
    assert_same_play(policy, reread(tmp_path, policy))


class Own(nn.Module):
    """An encoder of one's own."""

    def __init__(self, width: int = 5) -> None:
        super().__init__()
        self.width, self.layer = width, nn.Linear(3, width)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layer(obs)
        return out


def test_an_encoder_of_ones_own(tmp_path: Path) -> None:
    """No file says what it is, so it is given again; its weights come from the file."""
    policy = Policy(FLAT, spaces.Discrete(2), encoder=Own())
    again = Own()
    read = reread(tmp_path, policy, again)
    assert read.encoder is again
    assert_same_play(policy, read)


def test_an_encoder_that_is_missing_superfluous_or_another(tmp_path: Path) -> None:
    path = tmp_path / "one"
    save_snapshot(path, Policy(FLAT, spaces.Discrete(2), encoder=Own()), META)
    assert complaint(path) == f"{path} was made with an encoder of its own: give it as encoder=."
    with pytest.raises(InputError, match=r"the weights in .* do not fit the network"):
        load_snapshot(path, Own(6))
    save_snapshot(path, Policy(FLAT, spaces.Discrete(2)), META)
    with pytest.raises(InputError, match="was not made with an encoder of its own: it needs none"):
        load_snapshot(path, Own())
