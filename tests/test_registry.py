"""Algorithms by name: variants and settings, what is refused in which sentence, and names of one's own."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from gymnasium import spaces
from torch import nn

from agents.algorithms import registry
from agents.algorithms.a2c import A2C, A2CConfig
from agents.algorithms.algorithm import Algorithm
from agents.algorithms.dqn import DQN, DQNConfig
from agents.algorithms.ppo import PPOConfig
from agents.algorithms.registry import ENTRIES, Entry, build, entry, names, parse_settings, register
from agents.heads import ActorCritic, HeadConfig
from agents.policy import PolicyConfig
from envs.errors import InputError

OBS = spaces.Box(-1, 1, (3,))
BOX = spaces.Box(-1, 1, (2,))
ACTIONS: dict[str, spaces.Space[Any]] = {
    "choices": spaces.Discrete(3),
    "buttons": spaces.MultiBinary(2),
    "several": spaces.MultiDiscrete([2, 3]),
    "floats": BOX,
    "tuple": spaces.Tuple((spaces.Discrete(2), BOX)),
    "dict": spaces.Dict({"at": BOX, "go": spaces.Discrete(2)}),
}
SMALL = PolicyConfig(hidden=(4,))
ALONE = [name for name in names() if not entry(name).joint]
"""Those that learn one policy; the others are tested with crews."""


def said(*arguments: Any, **more: Any) -> str:
    """The sentence in which `build` refuses."""
    with pytest.raises(InputError) as fault:
        build(*arguments, **more)
    sentence = str(fault.value)
    assert "\n" not in sentence and sentence.endswith((".", "?")) and not sentence.endswith("..")
    return sentence


def weights(learner: Algorithm) -> torch.Tensor:
    return nn.utils.parameters_to_vector(learner.policy.parameters()).detach()


def test_every_name_is_there() -> None:
    assert names() == [
        "reinforce", "reinforce-baseline", "a2c", "ppo", "ippo", "mappo", "offpac", "dqn", "double-dqn", "duelling-dqn",
        "rainbow", "drqn", "ddpg", "td3", "sac", "maddpg", "matd3",
    ]  # fmt: skip
    for name in names():
        found = entry(name)
        assert found.name == name and found.summary
        assert isinstance(parse_settings(name, {}), found.algorithm.Config)  # what a variant sets, it has


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", ALONE)
def test_each_is_built_or_says_who_would_be(name: str, action: str) -> None:
    """And whoever it names, can."""
    space, found = ACTIONS[action], entry(name)
    if isinstance(space, found.algorithm.actions):
        learner = build(name, OBS, space, seed=0)
        assert isinstance(learner, found.algorithm)
        assert (learner.policy.obs_space, learner.policy.action_space) == (OBS, space)
        assert learner.policy.config == PolicyConfig(**found.policy)
        return
    sentence = said(name, OBS, space)
    assert sentence.startswith(f"{name} does not admit actions in {space}: use ")
    others = sentence.rpartition("use ")[2].rstrip(".").split(" or ")
    assert others and all(build(other, OBS, space) for other in others)


@pytest.mark.parametrize("core", ["none", "gru", "lstm"])
@pytest.mark.parametrize("name", ALONE)
def test_memory_is_there_or_who_admits_it(name: str, core: Any) -> None:
    space = BOX if name == "td3" else ACTIONS["choices"]
    shape = PolicyConfig(hidden=(4,), core=core, core_width=3)
    admitted = entry(name).algorithm.cores
    if core in admitted:
        assert build(name, OBS, space, policy=shape).policy.memory_size == {"none": 0, "gru": 3, "lstm": 6}[core]
        return
    sentence = said(name, OBS, space, policy=shape)
    start = f"{name} does not admit policy.core {core!r}: use policy.core {' or '.join(map(repr, admitted))}, or "
    assert sentence.startswith(start)
    for other in sentence.removeprefix(start).rstrip(".").split(", "):
        assert build(other, OBS, space, policy=shape)


def test_actions_that_nobody_admits() -> None:
    """The sentence names kinds of actions that somebody does."""
    assert "use Discrete" in said("ppo", OBS, spaces.Text(3))
    assert "use Discrete" in said("dqn", OBS, spaces.Text(3))
    assert "use Discrete" in said("ppo", OBS, spaces.Box(-1, 1, (2, 2)))


@pytest.mark.parametrize(
    ("wrong", "right"), [("pppo", "ppo"), ("dueling-dqn", "duelling-dqn"), ("reinforce-base", "reinforce-baseline")]
)
def test_an_unknown_name(wrong: str, right: str) -> None:
    assert said(wrong, OBS, BOX) == f"unknown algorithm {wrong!r}: did you mean {right!r}?"
    with pytest.raises(InputError, match="did you mean"):
        parse_settings(wrong, {})


def test_a_name_that_is_like_no_other() -> None:
    assert said("zzz", OBS, BOX) == f"unknown algorithm 'zzz': choose one of {', '.join(sorted(names()))}."


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("ppo", {"gama": 0.9}, "settings: unknown key 'gama': did you mean 'gamma'?"),
        ("dqn", {"doubel": True}, "settings: unknown key 'doubel': did you mean 'double'?"),
        ("dqn", {"replay": {"n_stepp": 3}}, "settings: unknown key 'replay.n_stepp': did you mean 'replay.n_step'?"),
        ("rainbow", {"replay": {"n_stepp": 3}}, "did you mean 'replay.n_step'?"),
        ("a2c", {"gamma": 1.5}, "settings: gamma = 1.5: "),
        ("a2c", {"optimiser": "adm"}, "settings: optimiser = 'adm': "),
        ("a2c", {"clip": 0.2}, "settings: unknown key 'clip'"),
    ],
)
def test_settings_that_are_wrong(name: str, settings: dict[str, Any], sentence: str) -> None:
    assert sentence in said(name, OBS, spaces.Discrete(2), settings)
    with pytest.raises(InputError, match=r"^my\.toml: "):
        parse_settings(name, settings, "my.toml")


def test_settings_of_another_algorithm() -> None:
    sentence = said("a2c", OBS, BOX, PPOConfig())
    assert sentence == "a2c needs settings of A2CConfig, not PPOConfig."


def test_what_a_variant_sets_can_be_set_otherwise() -> None:
    plain, rainbow = parse_settings("dqn", {}), parse_settings("rainbow", {})
    assert isinstance(plain, DQNConfig) and isinstance(rainbow, DQNConfig)
    assert (plain.double, plain.noisy, plain.quantiles, plain.replay.n_step) == (False, False, 1, 1)
    assert (rainbow.double, rainbow.noisy, rainbow.replay.n_step, rainbow.replay.prioritised) == (True, True, 3, True)
    other = parse_settings("rainbow", {"noisy": False, "replay": {"n_step": 5}})
    assert isinstance(other, DQNConfig)
    assert (other.double, other.noisy, other.replay.n_step) == (True, False, 5)
    assert other.replay.prioritised  # what lies beside it stays


def test_nothing_that_is_set_is_kept_for_the_next() -> None:
    before = parse_settings("rainbow", {})
    parse_settings("rainbow", {"replay": {"n_step": 5}, "double": False})
    assert parse_settings("rainbow", {}) == before


@pytest.mark.parametrize("name", ALONE)
def test_equal_seeds_give_equal_weights(name: str) -> None:
    """Whatever torch's global generator was left with."""
    found = []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        found.append(weights(build(name, OBS, BOX if name == "td3" else spaces.Discrete(3), seed=seed)))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_settings_may_be_read_already() -> None:
    config = A2CConfig(gamma=0.5)
    learner = build("a2c", OBS, BOX, config, SMALL)
    assert isinstance(learner, A2C)
    assert learner.config is config and learner.policy.config is SMALL


def test_the_head_is_that_of_the_settings() -> None:
    head = build("dqn", OBS, spaces.Discrete(2), {"duelling": True, "quantiles": 5}).policy.head.config
    assert (head.kind, head.model_dump()["duelling"], head.model_dump()["quantiles"]) == ("q", True, 5)


class Own(nn.Module):
    """An encoder of one's own."""

    width = 5

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 5)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layer(obs)
        return out


def test_an_encoder_of_ones_own() -> None:
    encoder = Own()
    policy = build("ppo", OBS, BOX, encoder=encoder).policy
    assert policy.encoder is encoder


class MineConfig(A2CConfig):
    """Settings of Mine."""

    boldness: float = 1.0
    """How bold."""


class Mine(A2C):
    """An algorithm of one's own: with a setting of its own, and for choices alone."""

    Config = MineConfig
    actions: ClassVar[tuple[type[spaces.Space[Any]], ...]] = (spaces.Discrete,)

    @classmethod
    def head(cls, config: Any) -> HeadConfig:
        """The usual one."""
        assert isinstance(config, MineConfig)
        return ActorCritic()


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Entry:
    """Registered for one test."""
    monkeypatch.setattr(registry, "ENTRIES", dict(ENTRIES))
    register(Entry("mine", Mine, "bold", settings={"boldness": 2.0}, policy={"hidden": (7,)}, games=3, steps=5))
    return entry("mine")


def test_an_algorithm_of_ones_own(mine: Entry) -> None:
    assert names()[-1] == "mine"
    assert (mine.algorithm, mine.games, mine.steps) == (Mine, 3, 5)
    learner = build("mine", OBS, spaces.Discrete(2), {"gamma": 0.7})
    assert isinstance(learner, Mine) and isinstance(learner.config, MineConfig)
    assert (learner.config.boldness, learner.config.gamma) == (2.0, 0.7)
    assert learner.policy.config.hidden == (7,)
    assert "did you mean 'boldness'" in said("mine", OBS, spaces.Discrete(2), {"boldnes": 3})
    assert "mine does not admit actions" in said("mine", OBS, BOX)
    assert "did you mean 'mine'" in said("mien", OBS, spaces.Discrete(2))
    assert "mine" in said("td3", OBS, spaces.Discrete(2))  # it is among those who could


@pytest.mark.parametrize("name", ["mine", "ppo"])
def test_a_name_that_is_taken(name: str, mine: Entry) -> None:
    with pytest.raises(InputError, match=f"there is an algorithm '{name}' already: choose another name"):
        register(Entry(name, Mine, "again"))
    assert entry(name).summary != "again"


def test_a_class_may_be_named_by_its_module(mine: Entry) -> None:
    register(Entry("by-name", "agents.algorithms.dqn:DQN", "the same as dqn"))
    assert entry("by-name").algorithm is DQN
