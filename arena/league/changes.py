"""Changes: what happens to members between two stretches of training: promotion, reset, copying, coming and going."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from agents.algorithms import registry
from agents.snapshot import snapshot_bytes
from arena.execution.agenda import Work
from arena.league import pbt
from arena.league.history import changes_sides
from arena.league.matchmaking import View, latest
from arena.league.membership import admit
from arena.league.population import Population
from arena.league.promotion import Evidence, judge
from arena.league.rated import RatedGames
from arena.league.trial import Trial
from arena.learner import Learner, seed_for
from arena.result import Result
from envs.errors import InputError

TOLD = 8
"""Things that happened lately, which a display may show."""
SHAPE = ("role", "algorithm", "policy", "plays", "parameters")
"""Settings in which learners must be equal to copy each other."""
CYCLES = 3
"""Cycles that are told of at a time, at most: the strongest."""


class Changes:
    """Decides by the log and by seeds, so that a run that is resumed decides the same."""

    def __init__(self, population: Population, rated: RatedGames) -> None:
        """They are looked at, and the population is changed."""
        self._population, self._rated = population, rated
        self.told: deque[str] = deque(maxlen=TOLD)
        """What happened in this process, the latest last."""
        self._cycles: set[frozenset[str]] = set()

    def view(self, learner: Learner) -> View:
        """What is known when `learner` is to be matched. Nothing is known of one that has just started again."""
        everybody, rated = self._population.past(), self._rated
        own = [one.name for one in everybody if one.member == learner.name]
        whole = self._population.meets_itself(learner)  # and so anybody; asked once, as there may be many
        past = [one for one in everybody if whole or self._population.can_train(learner, one.name)]
        newest = learner.parent or learner.name
        return View(learner.name, newest, past, rated.payoff, rated.scores, rated.ratings, own)

    def renew(self, learner: Learner) -> bool:
        """Before a stretch of `learner`: start again, or copy somebody, where that is due and was not done yet; whether
        it was."""
        return learner.renewed != learner.stretches and (self._reset(learner) or self._copy(learner))

    def _reset(self, learner: Learner) -> bool:
        config = self._population.configs[learner.name].reset
        if config is None or learner.steps == learner.born:
            return False
        view = self.view(learner).only(self._population.matchmaking(learner.name).against)
        others = latest(view, self._population.matchmaking(learner.name)) > 0
        known = others.any() and changes_sides(self._population.spec)  # or they are not on its scale
        lowest = float(view.wins[others].min()) if known else 0.0
        age = learner.steps - learner.born
        if lowest >= config.win_share:
            reason = f"it wins {lowest:.0%} or more against everybody it looks for"
        elif config.steps and age >= config.steps:
            reason = f"{age:,} env steps have passed"
        else:
            return False
        if self._rng("reset", learner).random() >= config.chance:
            return False
        learner.start_again()
        self._tell("reset", learner, {"reason": reason, "generation": learner.generation})
        return True

    def _copy(self, learner: Learner) -> bool:
        config = self._population.config.pbt
        if not config.every or not learner.stretches or learner.stretches % config.every:
            return False
        own, rng = self._population.configs[learner.name], self._rng("copy", learner)
        peers = {one.name: one for one in self._population.learners if self._alike(one, learner)}
        ratings = {name: self._rated.ratings.get(peer.parent or "") for name, peer in peers.items()}
        donor = pbt.exploit(learner.name, ratings, config, rng)
        if donor is None:
            return False
        settings = pbt.explore(peers[donor].settings, config, rng)
        try:
            registry.parse_settings(own.algorithm, settings)
        except InputError:  # varied out of its range
            settings = dict(peers[donor].settings)
        parent = peers[donor].parent or peers[donor].latest
        learner.become(peers[donor], settings, parent)
        changed = {key: value for key, value in settings.items() if value != own.settings.get(key)}
        self._tell("copied", learner, {"donor": parent, "settings": changed})
        return True

    def _alike(self, one: Learner, other: Learner) -> bool:
        """Whether one can continue with the weights of the other."""
        a, b = self._population.configs[one.name], self._population.configs[other.name]
        return [getattr(a, name) for name in SHAPE] == [getattr(b, name) for name in SHAPE]

    def promote(self, learner: Learner) -> Work[bool]:
        """Whether what `learner` has become enters the pool, by games with what it was when it last did."""
        config = self._population.config.promotion
        if config.rule == "schedule" or learner.parent is None:
            return True
        evidence = yield from self._evidence(learner)
        kind = "promoted" if evidence.promoted else "not promoted"
        self._tell(kind, learner, {"candidate": learner.latest, "against": learner.parent, "evidence": str(evidence)})
        return bool(evidence.promoted)

    def _evidence(self, learner: Learner) -> Work[Evidence]:
        config, whole = self._population.config.promotion, self._population.config
        assert learner.parent is not None
        name, needs = learner.latest, whole.evaluation.resources
        candidate, against = snapshot_bytes(learner.crew.policies, {}), self._population.pinned(learner.parent)
        size, most = (config.games, config.games) if config.rule == "win_share" else (config.batch, config.most)
        results: list[Result] = []
        while True:
            count = min(size, most - len(results))
            seed = seed_for(whole.seed, "promotion", name, len(results))
            trial = Trial(
                whole.game.id, whole.game.options, candidate, name, against, count + count % 2, seed,
                whole.evaluation.greedy, needs.cpus, needs.gpus,
            )  # fmt: skip
            results += (yield [trial])[0]
            evidence = judge(results, name, config)
            if evidence.promoted is not None:
                return evidence

    def find_cycles(self) -> None:
        """Tell of rock-paper-scissors cycles among snapshots that were not known before."""
        from arena.ratings.cycles import cycles

        active = [one.name for one in self._population.past()]
        found = cycles(self._rated.payoff.among(active), CYCLES) if len(active) > 2 else []
        for cycle in found:
            members = frozenset(cycle.players)
            if members not in self._cycles:
                self._cycles.add(members)
                detail = {"players": list(cycle.players), "strength": cycle.strength}
                self._note("cycle", None, detail, f"cycle|{'|'.join(cycle.players)}")

    def answer_requests(self) -> None:
        """Do what other processes have asked for: members that come and go."""
        folder = self._population.folder
        for request in folder.requests():
            try:
                with folder.transaction():
                    answer = admit(self._population, request.kind, request.payload)
                    folder.done(request.id, answer)
            except InputError as fault:
                answer = f"refused: {fault}"
                folder.done(request.id, answer)
            self.told.append(answer)
            self._rated.read()  # roles may have changed

    def _tell(self, kind: str, learner: Learner, detail: dict[str, Any]) -> None:
        self._note(kind, learner.name, detail, f"{kind}|{learner.name}|{learner.stretches}")

    def _note(self, kind: str, member: str | None, detail: dict[str, Any], key: str) -> None:
        if self._population.folder.append_event(kind, member, detail, key):
            self.told.append(f"{kind}{f' {member}' if member else ''}: {told(detail)}")

    def _rng(self, what: str, learner: Learner) -> np.random.Generator:
        return np.random.default_rng(seed_for(self._population.config.seed, what, learner.name, learner.stretches))


def told(detail: dict[str, Any]) -> str:
    """An event's detail for people."""
    parts = []
    for name, value in detail.items():
        shown = " > ".join(map(str, value)) if isinstance(value, list) else value
        parts.append(f"{shown:.2f}" if isinstance(shown, float) else f"{name} {shown}" if name != "reason" else shown)
    return ", ".join(map(str, parts))
