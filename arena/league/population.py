"""Population: the members of a league, who learn or stand still, and the players that they are in a game."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from agents.parallel import Threads
from agents.player import seated
from agents.snapshot import Policies, load_snapshot
from arena.execution.job import MatchJob, Pinned
from arena.league.config import LeagueConfig, LearnerConfig
from arena.league.matchmaking import MatchmakingConfig, Past
from arena.league.overview import roles
from arena.learner import Learner, seed_for
from arena.match import Lineup
from arena.self_play import Opponent
from arena.store import Member, RunFolder, Snapshot
from envs.bots import bot
from envs.config import parse
from envs.core import EnvSpec
from envs.errors import unknown
from envs.side import Side, filled, team_count, unlike

Pair = tuple[str, str]
BOT = "bot"
"""Key of an anchor's spec: the scripted player that it is. Other anchors are snapshots."""
LEARNER = "learner"
"""Key of a learner's spec: its part of the run file."""
HERE = torch.device("cpu")
"""Where learners are while they do not train."""
TURNS = "turns"
"""Key of the spec of a learner that was added later: the turns that the others had had by then."""


class Population:
    """Who is in the league of a run folder; read from there, so that what was added to it is found."""

    def __init__(self, folder: RunFolder, config: LeagueConfig, spec: EnvSpec) -> None:
        """Members and learners as the folder has them.

        Raises:
            InputError: a resume file that cannot be read.
        """
        self.folder, self.config, self.spec = folder, config, spec
        self.threads = Threads(config.threads or None)
        self.everybody: list[Learner] = []
        """All learners, retired ones too."""
        self.configs: dict[str, LearnerConfig] = {}
        """Of each of them, by name."""
        self._policies = lru_cache(maxsize=256)(self._load_policies)
        self._files: dict[str, Snapshot] = {}
        self.refresh()

    @classmethod
    def enrol(cls, folder: RunFolder, config: LeagueConfig) -> None:
        """Write the members that `config` names into a new folder."""
        known = {member.name for member in folder.members()}
        for name in config.anchors:
            if name not in known:
                folder.add_member(name, "anchor", {BOT: name})
        for learner in config.learners:
            if learner.name not in known:
                folder.add_member(learner.name, learner.role, learner_spec(learner))

    def refresh(self) -> None:
        """Take in what the folder says of the members now; learners keep what they have learnt since."""
        self.members: dict[str, Member] = {member.name: member for member in self.folder.members()}
        self.parts: Mapping[str, str] = roles(self.folder)
        """Role of every member, by name; "retired" for those who are."""
        self.configs = {
            name: parse(LearnerConfig, member.spec[LEARNER], f"member {name}")
            for name, member in self.members.items()
            if LEARNER in member.spec
        }
        present = {learner.name: learner for learner in self.everybody}
        self.everybody = [present.get(name) or self._load(config) for name, config in self.configs.items()]

    def reload(self) -> None:
        """Forget what learners have learnt since the folder was written."""
        self.everybody = []
        self.refresh()

    @property
    def learners(self) -> list[Learner]:
        """Those that train."""
        return [learner for learner in self.everybody if self.members[learner.name].status == "active"]

    def turns(self, learner: Learner) -> int:
        """Turns that `learner` has had; one that came late does not make up for those before."""
        late: int = self.members[learner.name].spec.get(TURNS, 0)
        return late + learner.stretches

    def seed_of(self, config: LearnerConfig) -> int:
        """That of a learner."""
        return seed_for(self.config.seed, "learner", config.name)

    def _load(self, config: LearnerConfig) -> Learner:
        learner = Learner(config.name, config, self.spec, self.seed_of(config), HERE, self.threads)
        learner.restore(self.resume_path(config.name))
        return learner

    def resume_path(self, name: str) -> Path:
        """Where the state of the learner `name` belongs."""
        return self.folder.path / "resume" / f"{name}.pt"

    @property
    def anchors(self) -> tuple[str, ...]:
        """Names, as players, of the active anchors."""
        snapshots = {snapshot.member: snapshot.name for snapshot in self.folder.snapshots()}
        return tuple(
            name if BOT in member.spec else snapshots[name]
            for name, member in self.members.items()
            if member.role == "anchor" and member.status == "active" and (BOT in member.spec or name in snapshots)
        )

    def past(self) -> list[Past]:
        """Everybody frozen who may be met: anchors first, then snapshots, oldest first."""
        parts = self.parts
        bots = [Past(name, name, "anchor") for name, one in self.members.items() if BOT in one.spec]
        frozen = [Past(one.name, one.member, parts.get(one.member, "historical")) for one in self.folder.snapshots()]
        return [one for one in (*bots, *frozen) if parts.get(one.member) != "retired"]

    def matchmaking(self, name: str) -> MatchmakingConfig:
        """Whom the learner `name` meets."""
        return self.config.matchmaking_of(self.configs[name])

    def player(self, name: str) -> Side:
        """The anchor or snapshot `name` as it sits in rated games."""
        member = self.members.get(name)
        if member and BOT in member.spec:
            return bot(member.spec[BOT], self.spec)
        return seated(self._policies(name), name, self.config.evaluation.greedy)

    def opponent(self, name: str) -> Opponent:
        """The same in training: a snapshot as its policies, which can be stacked with others."""
        member = self.members.get(name)
        return bot(member.spec[BOT], self.spec) if member and BOT in member.spec else self._policies(name)

    def _load_policies(self, name: str) -> Policies:
        member, _, step = name.rpartition(":")
        return load_snapshot(self.folder.snapshot_path(member, int(step))).policies

    def can_meet(self, a: str, b: str) -> bool:
        """Whether games of the two say something: where teams are not alike, one must fill what the other leaves."""
        if a == b or not unlike(self.spec):
            return a != b
        first, second = self._fills(a), self._fills(b)
        return (0 in first and 1 in second) or (1 in first and 0 in second)

    def can_train(self, learner: Learner, name: str) -> bool:
        """Whether the player `name` can take the seats that `learner` leaves."""
        return self.meets_itself(learner) or self.can_meet(learner.latest, name)

    def _fills(self, name: str) -> list[int]:
        """The teams that the player `name` can fill."""
        member = self.members.get(name)
        if member and BOT in member.spec:
            return list(range(team_count(self.spec)))
        learner = next((one for one in self.everybody if one.name == name.rpartition(":")[0]), None)
        posts = dict.fromkeys(learner.posts) if learner else self._policies(name)
        return filled(posts, self.spec)

    def meets_itself(self, learner: Learner) -> bool:
        """Whether it can take all seats of a game."""
        return len(filled(dict.fromkeys(learner.posts), self.spec)) == team_count(self.spec)

    def blocks(self, kind: str, pair: Pair, games: int) -> list[RatedBlock]:
        """What the two play when they are to be compared: a match, or, in a game of one team, each the same games
        alone; in one of more than two teams, each against a table of the other by turns.

        Args:
            kind: of the blocks' keys. Where nobody changes sides, blocks of one kind have the same seeds.
        """
        seats = [(name,) for name in pair] if team_count(self.spec) == 1 else [pair]
        return [block_of(f"{kind}|{'|'.join(names)}|{games}", self.spec, self.config.seed) for names in seats]

    def is_frozen(self, name: str) -> bool:
        """Whether there is a snapshot `name`."""
        if name not in self._files:
            self._files = {snapshot.name: snapshot for snapshot in self.folder.snapshots()}
        return name in self._files

    def pinned(self, name: str) -> Pinned:
        """The anchor or snapshot `name` for another process."""
        member = self.members.get(name)
        if member and BOT in member.spec:
            return Pinned(member.spec[BOT])
        if not self.is_frozen(name):
            raise unknown(f"player of {self.folder.path}", name, self._files)
        snapshot = self._files[name]
        return Pinned(str((self.folder.path / snapshot.file).absolute()), snapshot.hash)

    def job(self, block: RatedBlock) -> MatchJob:
        """The games of `block`, to be played anywhere."""
        game, players = self.config.game, tuple(self.pinned(name) for name in block.players)
        return MatchJob(
            game.id, players, block.players, block.games, block.seed, game.options,
            lineup=block.lineup, greedy=self.config.evaluation.greedy,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RatedBlock:
    """Rated games, of which the log knows the key once they have been played."""

    key: str
    players: tuple[str, ...]
    games: int
    seed: int
    lineup: Lineup | None = None
    """See `arena.match.match`."""


def block_of(key: str, spec: EnvSpec, seed: int) -> RatedBlock:
    """The block "kind|name|...|games" of a league with this `seed`: its key says all that it takes to play it."""
    kind, *names, games = key.split("|")
    alone = team_count(spec) == 1
    common = seed_for(seed, "duplicate", kind, int(games))
    own = seed_for(seed, key) if spec.symmetric and not alone else common
    return RatedBlock(key, tuple(names), int(games), own, None if alone else tables(spec))


def tables(spec: EnvSpec) -> Lineup | None:
    """[2 T, P] who of two players sits where in a game of more teams: each alone in each team by turns, and the other
    in all others. None where there are no more teams than players, who just rotate."""
    if team_count(spec) <= 2:
        return None
    teams = range(team_count(spec))
    return [[int((team == place) == bool(one)) for team in spec.teams] for place in teams for one in (0, 1)]


def learner_spec(config: LearnerConfig) -> dict[str, Any]:
    """What the folder keeps of a learner."""
    return {LEARNER: config.model_dump(mode="json")}
