"""Tournament: a run folder that a format is played into, block by block, by any executor.

The log is all there is: what is to be played follows from what has been, a block is logged once, and so a tournament
that was killed goes on from what is there. Its fingerprint is a hash over all games in the order of rounds and
pairings, whatever the order in which they were played.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

from arena.config import load
from arena.execution import Executor, Job, Ticket
from arena.execution.job import MatchJob, Pinned, loaded, pinned
from arena.league.population import tables
from arena.match import Tape, run_block
from arena.result import Result
from arena.store import RunFolder
from arena.store.files import sha256
from arena.store.held import Held
from arena.tournaments.blocks import Block, blocks_of, outcome_of, parse_key, place
from arena.tournaments.config import TournamentConfig, format_of
from arena.tournaments.entrants import FOLDER, OWN
from arena.tournaments.pairing import Outcome, Pairing
from arena.tournaments.scores import NOTHING
from envs.core import EnvSpec
from envs.errors import InputError, unknown
from envs.registry import build
from envs.side import Side, team_count

KIND = "tournament"
"""What run.json calls such a folder."""
WAIT = 0.25
"""Seconds between two looks at whether to stop, at most, while blocks are played elsewhere."""


class Tournament(Held):
    """An open tournament. Used by one thread."""

    def __init__(self, folder: RunFolder) -> None:
        """Read the log of `folder`.

        Raises:
            InputError: it holds no tournament, or its config.yaml cannot be read.
        """
        folder.expect(KIND)
        self.folder = folder
        self.config = load(TournamentConfig, folder.path / "config.yaml")
        self.format = format_of(self.config)
        self.spec: EnvSpec = build(self.config.game.id, 1, self.config.game.options).spec
        self.results: dict[Block, tuple[Result, ...]] = {}
        """Of every block that has been played."""
        self.running: list[Block] = []
        """Blocks that are being played."""
        self.replay_faults: list[str] = []
        """Why games that are worth watching could not be stored as replays, once it is over."""
        self.played: dict[Pairing, Outcome] = {}
        """What came of the pairings that are over."""
        self._begun: dict[Pairing, Outcome] = {}
        """The same of all of which a part has been played."""
        self._pins: dict[str, Pinned] = {}
        self._queue: deque[Block] = deque()
        read: dict[str, list[Result]] = {}
        for entry in folder.entries():
            read.setdefault(entry.block, []).append(entry.result)
        for key, results in read.items():
            block = parse_key(key)
            if block:
                self._note(block, results)

    @classmethod
    def create(cls, path: str | Path, config: TournamentConfig, command: Sequence[str] = ()) -> Self:
        """Make a run folder, with copies of the entrants' files, and open it for writing.

        Raises:
            InputError: the folder holds something already or cannot be written; or a number of games that does not let
                everybody sit everywhere equally often.
        """
        cycle = cycle_of(build(config.game.id, 1, config.game.options).spec)
        if config.games % cycle:
            more = config.games + cycle - config.games % cycle
            raise InputError(
                f"games = {config.games} of a pairing: seats change in rounds of {cycle}, so give a multiple of it, "
                f"such as {more}."
            )
        folder = RunFolder.create(path, config, config.seed, command, KIND)
        try:
            tournament = cls(folder)
            tournament.copy_files()
            return tournament
        except BaseException:
            folder.close()
            raise

    @classmethod
    def open(cls, path: str | Path, write: bool = False) -> Self:
        """Open one to read it or, with `write`, to go on with it.

        Raises:
            InputError: no tournament there, or one that another process writes.
        """
        folder = RunFolder.open(path, write)
        try:
            tournament = cls(folder)
            if write:
                tournament.copy_files()
            return tournament
        except BaseException:
            folder.close()
            raise

    @property
    def names(self) -> tuple[str, ...]:
        """Entrants, the best seed first."""
        return self.config.names

    @property
    def over(self) -> bool:
        """Whether nothing is left to be played."""
        return not self.format.pairings(self.names, self.played)

    @property
    def games(self) -> int:
        """Games that have been played."""
        return sum(outcome.games for outcome in self._begun.values())

    @property
    def most(self) -> int:
        """Games that it takes; in eliminations at most, but for matches that are even at their end."""
        return self.games if self.over else max(self.games, self.format.most(self.names) * self.config.games)

    def copy_files(self) -> None:
        """Take copies of the files of those who take part, where they are not there yet: who plays can be seen, rated
        and met when their runs are gone."""
        (self.folder.path / FOLDER).mkdir(exist_ok=True)
        for entrant in self.config.entrants:
            path = self.folder.path / entrant.file
            if entrant.file and not path.exists():
                self.folder.write_atomic(entrant.file, Path(pinned(entrant.player).text).read_bytes())

    def pinned(self, name: str) -> Pinned:
        """Who is called so, for `arena.execution.job`.

        Raises:
            InputError: its file is gone, or only the program that held the tournament has it.
        """
        if name not in self._pins:
            entrant = next(one for one in self.config.entrants if one.name == name)
            if entrant.player == OWN:
                raise InputError(f"{name} was {OWN}, which alone can let it play.")
            path = (self.folder.path / entrant.file).absolute()
            self._pins[name] = Pinned(str(path), sha256(path)) if entrant.file else pinned(entrant.player)
        return self._pins[name]

    def job(self, block: Block) -> MatchJob:
        """The block as a piece of work."""
        game = self.config.game
        return MatchJob(
            env=game.id,
            players=tuple(self.pinned(name) for name in block.players),
            names=block.players,
            games=block.games,
            seed=block.seed(self.config.seed),
            options=game.options,
            lineup=tables(self.spec),
            greedy=self.config.greedy,
            limits=self.config.limits,
            trust=self.config.trust,
        )

    def work(self, block: Block) -> Job:
        """What an executor is given to play the block."""
        return self.job(block)

    def replayed(self, key: str, player: Callable[[str], Side]) -> tuple[list[Result], Tape]:
        """The block `key` once more, and what is done in it.

        Args:
            player: the players by name, such as `self.player`.

        Raises:
            InputError: a player or file that is gone.
        """
        block, tape, game = parse_key(key), Tape(), self.config.game
        if block is None:
            raise InputError(f"{key} is no block of a tournament.")
        job = self.job(block)
        sides = [player(name) for name in block.players]
        results = run_block(
            game.id, game.options, sides, job.games, job.seed,
            lineup=job.lineup, tape=tape, limits=job.limits, names=job.names,
        )  # fmt: skip
        return results, tape

    def player(self, name: str) -> Side:
        """Who is called so, ready to sit down.

        Raises:
            InputError: nobody is, or its file is gone.
        """
        if name not in self.names:
            raise unknown("player", name, self.names)
        game = self.config.game
        return loaded(self.pinned(name), game.id, game.options, self.config.greedy, self.config.trust)

    def run(
        self,
        executor: Executor,
        stop: Callable[[], bool] = lambda: False,
        show: Callable[[Tournament], None] = lambda tournament: None,
    ) -> bool:
        """Play until it is over, and log every block as it ends; whether it is over.

        Args:
            stop: asked between blocks; what is being played then is finished.
            show: called whenever something has happened, and a few times per second.

        Raises:
            InputError: a player or file that is gone.
            JobFault: a block that failed; everything that was logged before stays.
        """
        flying: dict[Ticket, Block] = {}
        self._queue.clear()
        try:
            return self._run(executor, stop, show, flying)
        finally:
            for ticket in flying:
                executor.cancel(ticket)

    def _run(
        self,
        executor: Executor,
        stop: Callable[[], bool],
        show: Callable[[Tournament], None],
        flying: dict[Ticket, Block],
    ) -> bool:
        """The same; `flying` is who is being played."""
        while True:
            while executor.room and not stop() and (block := self._next(flying.values())) is not None:
                flying[executor.submit(self.work(block))] = block
            self.running = list(flying.values())
            show(self)
            if not flying:
                if self.over:
                    self.replay_faults = self._keep()
                return self.over
            outcomes = executor.done(WAIT)
            for outcome in outcomes:
                block = flying.pop(outcome.ticket)
                if outcome.fault is None:
                    self.folder.append_block(block.key, outcome.value)
                    self._note(block, outcome.value)
            for outcome in outcomes:
                outcome.result()  # raises what went wrong, when what went well is in the log

    def _keep(self) -> list[str]:
        from arena.tournaments.keeper import keep  # it plays tournaments again, so it imports this

        return keep(self)

    def _next(self, flying: Iterable[Block]) -> Block | None:
        """A block that can be played now, if there is one."""
        if not self._queue:
            busy = set(flying)
            cycle = cycle_of(self.spec)
            for pairing in self.format.pairings(self.names, self.played):
                parts = blocks_of(pairing, self.config.games, cycle)
                self._queue.extend(one for one in parts if one not in self.results and one not in busy)
        return self._queue.popleft() if self._queue else None

    def _note(self, block: Block, results: Sequence[Result]) -> None:
        self.results[block] = tuple(results)
        pairing = block.pairing
        total = self._begun.get(pairing, NOTHING) + outcome_of(results, pairing.first)
        self._begun[pairing] = total
        if total.games >= self.config.games:
            self.played[pairing] = total

    def ordered(self) -> list[Result]:
        """All games, in the order of rounds and pairings."""
        return [result for block in self._blocks() for result in self.results[block]]

    def _blocks(self) -> list[Block]:
        """All blocks that have been played, in this order."""
        return sorted(self.results, key=lambda block: place(block.key))

    def fingerprint(self) -> str:
        """Hash over all games and what they belong to, hexadecimal: equal tournaments have equal ones."""
        digest = hashlib.sha256()
        for block in self._blocks():
            for one in self.results[block]:
                row = [block.key, one.env, one.players, one.score, one.steps, one.seed, one.ended]
                digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        return digest.hexdigest()


def cycle_of(spec: EnvSpec) -> int:
    """Games after which both of a pairing have had every seat equally often."""
    lineup = tables(spec)
    return team_count(spec) if lineup is None else len(lineup)
