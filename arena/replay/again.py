"""Again: games of the log of a league or tournament as replays. Their block is played again by the recorded snapshots,
which is the same games wherever arithmetic is, and whether it is shows in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from arena.league.config import LeagueConfig
from arena.league.overview import TOURNAMENT, history
from arena.league.population import BOT, RatedBlock, block_of
from arena.learner import seed_for
from arena.match import Tape, run_block
from arena.ratings.rating import Rating
from arena.ratings.trueskill import rate
from arena.replay.picks import PROMOTION, Pick
from arena.replay.record import replays_of
from arena.replay.replay import Replay, read_replay
from arena.result import Result
from arena.store import RunFolder
from arena.store.about import kind_of
from envs.core import EnvSpec
from envs.errors import InputError, unknown
from envs.registry import build
from envs.seats import action_layout
from envs.side import Side

Played = tuple[Sequence[Result], Tape]
"""A block that has been played, and what was done in all of its games."""


class Again:
    """Plays blocks of a league or tournament again."""

    def __init__(
        self,
        run: RunFolder,
        player: Callable[[str], Side] | None = None,
        ratings: Mapping[str, Rating] | None = None,
    ) -> None:
        """The players are those of `run`, or whom `player` gives for their names.

        Args:
            ratings: of everybody, if they are known already; else TrueSkill.

        Raises:
            InputError: neither of them, or its config.yaml cannot be read.
        """
        from arena.config import load
        from arena.tournaments.tournament import Tournament

        self._run = run
        self._tournament = Tournament(run) if kind_of(run.about) == TOURNAMENT else None
        if self._tournament:
            game: Any = self._tournament.config.game
        else:
            run.expect("league")
            self._config = load(LeagueConfig, run.path / "config.yaml")
            game = self._config.game
        self._options: Mapping[str, Any] = game.options
        self.spec: EnvSpec = build(game.id, 1, game.options).spec
        self.player = player or lru_cache(maxsize=64)(self._load)
        if ratings is None:
            ratings = rate(history(run)) if run.games() else {}
        self._ratings = {name: one.mean for name, one in ratings.items()}

    def _load(self, name: str) -> Side:
        """Who is called so, as it sat in rated games."""
        if self._tournament:
            return self._tournament.player(name)
        from agents.player import seated
        from agents.snapshot import load_snapshot
        from envs.bots import bot

        bots = {one.name: one.spec[BOT] for one in self._run.members() if BOT in one.spec}
        if name in bots:
            return bot(bots[name], self.spec)
        snapshots = {one.name: one for one in self._run.snapshots()}
        if name not in snapshots:
            raise unknown("player", name, {*bots, *snapshots})
        policies = load_snapshot(self._run.path / snapshots[name].file).policies
        return seated(policies, name, self._config.evaluation.greedy)

    def play(self, key: str) -> Played:
        """The block `key` of the log."""
        if self._tournament:
            return self._tournament.replayed(key, self.player)
        return self._play(block_of(key, self.spec, self._config.seed))

    def _promotion(self, key: str) -> Played:
        """The first games of a promotion match, "promotion|candidate|against"."""
        _, candidate, against = key.split("|")
        config = self._config.promotion
        games = config.games if config.rule == "win_share" else min(config.batch, config.most)
        seed = seed_for(self._config.seed, PROMOTION, candidate, 0)
        return self._play(RatedBlock(key, (candidate, against), games + games % 2, seed))

    def _play(self, block: RatedBlock) -> Played:
        tape, game = Tape(), self._config.game
        players = [self.player(name) for name in block.players]
        results = run_block(game.id, game.options, players, block.games, block.seed, lineup=block.lineup, tape=tape)
        return results, tape

    def replays(self, picks: Sequence[Pick], played: Callable[[str], Played | None] = lambda key: None) -> list[Replay]:
        """The games that are picked, in order; a block with several of them is played once.

        Args:
            played: the block of that key if it is still known what was done in it.

        Raises:
            InputError: a block whose games are not those of the log here, or a player that is gone.
        """
        made: dict[str, Replay] = {}
        for key in dict.fromkeys(pick.block for pick in picks):
            own = [pick for pick in picks if pick.block == key]
            results, tape = played(key) or (self._promotion(key) if own[0].kind == PROMOTION else self.play(key))
            chosen = [_most_telling(results) if pick.game is None else pick.game for pick in own]
            for pick, game in zip(own, chosen, strict=True):
                if pick.result is not None and results[game] != pick.result:
                    raise InputError(
                        f"game {game} of {key} does not play again here as it is logged (another processor or version "
                        "of torch): it cannot be shown."
                    )
            _, dtype = action_layout(self.spec)
            games = [results[game] for game in chosen]
            actions = [tape.actions(game, results[game].steps, dtype) for game in chosen]
            titles = [pick.title for pick in own]
            replays = replays_of(games, actions, self._options, self._ratings, titles)
            made |= {pick.label: replay for pick, replay in zip(own, replays, strict=True)}
        return [made[pick.label] for pick in picks]


def _most_telling(results: Sequence[Result]) -> int:
    """The game that the first player, who is promoted, won by most; the shortest of these."""
    name = results[0].players[0]

    def lead(game: int) -> tuple[float, int]:
        result = results[game]
        own: list[float] = []
        others: list[float] = []
        for player, score in zip(result.players, result.score, strict=True):
            (own if player == name else others).append(score)
        return max(own) - max(others, default=0.0), -result.steps

    return max(range(len(results)), key=lead)


def file_of(run: Path, pick: Pick) -> Path:
    """Where the replay of `pick` belongs."""
    return run / "replays" / f"{pick.label}.replay"


def is_stored(run: Path, pick: Pick) -> bool:
    """Whether the file of `pick` is there and holds the game that it names."""
    try:
        stored = read_replay(file_of(run, pick))
    except InputError:
        return False
    seen = (stored.players, stored.seed, stored.score, stored.steps, stored.title)
    logged = pick.result
    if logged is None:
        return stored.title == pick.title
    return seen == (logged.players, logged.seed, logged.score, logged.steps, pick.title)
