"""Run files, presets, overrides and budgets."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from arena.config import Budget, dump_yaml, load, parse_budget, presets
from envs.config import Config
from envs.errors import InputError


class Learner(Config):
    """One trainee of the test's model."""

    name: str = "ada"
    rate: float = Field(1e-3, gt=0)


class Pool(Config):
    """A nested table."""

    size: int = 4
    limit: float = math.inf


class Run(Config):
    """What the test reads."""

    seed: int = 0
    env: str = "SlimeVolley-v0"
    note: str | None = None
    pool: Pool = Pool(size=7)
    learners: tuple[Learner, ...] = (Learner(), Learner(name="bob"))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_toml_and_yaml_say_the_same(tmp_path: Path) -> None:
    toml = write(tmp_path, "a.toml", 'seed = 3\n[[learners]]\nname = "eve"\nrate = 3e-4\n')
    yaml = write(tmp_path, "a.yaml", "seed: 3\nlearners:\n- name: eve\n  rate: 3e-4\n")
    wanted = Run(seed=3, learners=(Learner(name="eve", rate=3e-4),))
    assert load(Run, toml) == load(Run, str(yaml)) == wanted


@given(st.builds(Run, seed=st.integers(), note=st.none() | st.text()))
def test_dump_is_read_back_as_the_same(config: Run) -> None:
    import yaml

    assert Run.model_validate(yaml.safe_load(dump_yaml(config))) == config


def test_dumped_file_runs_again(tmp_path: Path) -> None:
    config = Run(seed=9, learners=(Learner(rate=1e-5),))
    assert load(Run, write(tmp_path, "config.yaml", dump_yaml(config))) == config


def test_overrides(tmp_path: Path) -> None:
    path = write(tmp_path, "run.toml", "seed = 3\n")
    sets = ["seed=5", "pool.limit=2", "learners.1.name=cyd", "learners.1.rate=1e-2", "note=a = b"]
    assert load(Run, path, sets) == Run(
        seed=5,
        note="a = b",
        pool=Pool(size=7, limit=2),  # the rest of a default table stays as it is
        learners=(Learner(), Learner(name="cyd", rate=1e-2)),
    )
    assert load(Run, path, ["learners=[{name='solo'}]"]).learners == (Learner(name="solo"),)
    assert load(Run, path, ["seed=1", "seed=2"]).seed == 2


def test_an_override_can_put_a_file_right(tmp_path: Path) -> None:
    assert load(Run, write(tmp_path, "run.toml", "seed = 'x'\n"), ["seed=1"]).seed == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "key=value"),
        ("=3", "key=value"),
        ("sed=3", "--set: unknown key 'sed': did you mean 'seed'"),
        ("pool.sizes=3", "did you mean 'pool.size'"),
        ("learners.0.nam=x", "did you mean 'learners.0.name'"),
        ("learners.2.name=x", "learners is a list of 2"),
        ("learners.first.name=x", "learners is a list of 2"),
        ("seed=many", "seed = 'many'"),
        ("env.id=x", "env"),
    ],
)
def test_bad_overrides(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(InputError) as fault:
        load(Run, write(tmp_path, "run.toml", "env = 'a'\n"), [override])
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "seed = ", "a.toml"),
        ("a.toml", "seed = 1\nseed = 2\n", "a.toml"),
        ("a.yaml", "seed: [1", "a.yaml"),
        ("a.yaml", "seed: 1\nseed: 2\n", "'seed' is given twice"),
        ("a.yaml", "- 1\n", "must hold keys"),
        ("a.yaml", "seed: !!python/object/apply:os.getcwd []\n", "a.yaml"),
        ("a.toml", "sede = 1\n", "a.toml: unknown key 'sede': did you mean 'seed'"),
        ("a.json", "{}", "must end in .toml"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InputError) as fault:
        load(Run, write(tmp_path, name, text))
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        load(Run, tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        load(Run, tmp_path / "binary.toml")
    with pytest.raises(InputError, match="no run file"):
        load(Run, tmp_path)


def test_unknown_preset() -> None:
    with pytest.raises(InputError, match="unknown preset 'slime-labtop'"):
        load(Run, "slime-labtop")
    assert all("." not in name for name in presets())


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("120s", Budget(seconds=120)),
        ("5m", Budget(seconds=300)),
        ("1.5h", Budget(seconds=5400)),
        ("20M-steps", Budget(steps=20_000_000)),
        ("500k-steps", Budget(steps=500_000)),
        ("1.5k-steps", Budget(steps=1500)),
        ("300-steps", Budget(steps=300)),
    ],
)
def test_budgets(text: str, budget: Budget) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    "text",
    ["0", "0s", "0.0h", "0-steps", "0M-steps", "0.4-steps", "-5m", "5", "5 minutes", "", "nans", "1e9s", "²s",
     "9" * 400 + "s"],
)  # fmt: skip
def test_bad_budgets(text: str) -> None:
    with pytest.raises(InputError, match="budget"):
        parse_budget(text)
