"""Do sequential tests and intervals keep what they say? By simulation, where the truth is known.

    python -m benchmarks.sprt            # about 10 minutes on one core; --tests and --logs make it shorter

SPRT: 10,000 tests of each kind, looked at after every 16 pairs, of players whose lead is exactly elo0 or elo1; pairs of
games whose draws, and whose luck (a share of pairs goes one game to each side), are varied. The share that decides
wrongly must not be above alpha or beta. Intervals: 2,000 matches, and 1,000 round robins, of known players; 95 %
intervals must hold the truth in 93 to 97 % of them.
"""

from __future__ import annotations

import argparse
import math
import sys
from itertools import combinations

import numpy as np

from arena.ratings.bradley_terry import BradleyTerrySettings, fit_history
from arena.ratings.games import games_of
from arena.ratings.rating import ELO
from arena.result import Result
from arena.stats.elo import expected_points, lead
from arena.stats.sprt import Sprt, log_likelihood_ratios
from arena.stats.units import PAIR, Units

VALUES = np.array(PAIR)
LOOK = 16
"""Pairs between two looks at the evidence."""


def pair_chances(elo: float, draw: float, luck: float) -> list[float]:
    """Of the five results of a pair of games for a lead of `elo`.

    Args:
        draw: chance of one in a game.
        luck: of games that the weaker would win, the share that it wins by the serve; the stronger then wins the other.
    """
    share = expected_points(elo)
    win, loss = share - draw / 2, 1 - share - draw / 2
    swap = luck * min(win, loss)
    rest = np.array([loss - swap, draw, win - swap])
    chances = np.convolve(rest, rest) / (1 - 2 * swap)
    chances[2] += 2 * swap
    return list(chances)


def wrong(test: Sprt, chances: list[float], truth: bool, tests: int, seed: int) -> tuple[float, float]:
    """Share of `tests` that decide against `truth`, and games that they take."""
    rng = np.random.default_rng(seed)
    counts, left = np.zeros((tests, 5)), np.arange(tests)
    low, high = test.bounds
    errors, games, looks = 0, 0, 0
    while len(left):
        looks += 1
        counts[left] += rng.multinomial(LOOK, chances, len(left))
        ratio = log_likelihood_ratios(VALUES, counts[left], test.elo0, test.elo1)
        errors += int((ratio <= low).sum() if truth else (ratio >= high).sum())
        going = (ratio > low) & (ratio < high)
        games += int((~going).sum()) * looks * LOOK * 2
        left = left[going]
    return errors / tests, games / tests


def sequential(tests: int) -> bool:
    """Print the errors of all kinds of tests; whether they are as rare as asked for."""
    fine = True
    print(f"SPRT, alpha = beta = 0.05, {tests:,} tests each, looked at after every {2 * LOOK} games")
    print("elo0 elo1  draws  luck    alpha   games     beta   games")
    spare = 3 * math.sqrt(0.05 * 0.95 / tests)
    for elo0, elo1 in ((0.0, 20.0), (0.0, 70.0), (-10.0, 30.0), (100.0, 140.0)):
        test = Sprt(elo0=elo0, elo1=elo1)
        for draw in (0.05, 0.5):
            for luck in (0.0, 0.7):
                one = wrong(test, pair_chances(elo0, draw, luck), False, tests, 1)
                two = wrong(test, pair_chances(elo1, draw, luck), True, tests, 2)
                ok = one[0] <= 0.05 + spare and two[0] <= 0.05 + spare
                fine = fine and ok
                print(
                    f"{elo0:4.0f} {elo1:4.0f}  {draw:5.2f} {luck:5.2f}   {one[0]:.4f} {one[1]:7,.0f}   {two[0]:.4f} "
                    f"{two[1]:7,.0f}{'' if ok else '   TOO MANY'}",
                    flush=True,
                )
    return fine


def intervals(tests: int) -> bool:
    """Print how often the interval of a match's Elo difference holds the truth; whether that is 93 to 97 %."""
    fine = True
    print(f"\nElo difference of a match, {tests:,} matches each: share of 95 % intervals that hold the truth")
    print("lead  draws  luck  " + "  ".join(f"{2 * pairs:5} games" for pairs in (50, 250, 1000)))
    for elo in (0.0, 100.0, 300.0):
        for draw in (0.05, 0.25):
            for luck in (0.0, 0.7):
                shares = []
                for pairs in (50, 250, 1000):
                    rng = np.random.default_rng(int(elo) + pairs)
                    drawn = rng.multinomial(pairs, pair_chances(elo, draw, luck), tests)
                    ends = [lead(Units(PAIR, tuple(counts))).ci95 for counts in drawn.tolist()]
                    shares.append(sum(end is not None and end[0] <= elo <= end[1] for end in ends) / tests)
                fine = fine and all(0.93 <= share <= 0.97 for share in shares)
                print(
                    f"{elo:4.0f}  {draw:5.2f} {luck:5.2f}  " + "  ".join(f"{share:11.3f}" for share in shares),
                    flush=True,
                )
    return fine


def round_robin(skills: np.ndarray, games: int, draw: float, rng: np.random.Generator) -> list[Result]:
    """A log by Davidson's model, the one that is fitted: of each two so many games, seats swapped."""
    found = []
    for one, other in combinations(range(len(skills)), 2):
        gap = (skills[one] - skills[other]) / ELO
        worth = np.array([math.exp(gap / 2), draw, math.exp(-gap / 2)])
        for number, result in enumerate(rng.choice(3, games, p=worth / worth.sum())):
            score = (1.0 - result, result - 1.0)
            names = (f"p{one}", f"p{other}")
            swap = number % 2 == 1
            found.append(
                Result("x", names[::-1] if swap else names, score[::-1] if swap else score, 1, number, "rules")
            )
    return found


def ratings(logs: int) -> bool:
    """Print the same of Bradley-Terry ratings and of differences between them."""
    fine = True
    print(f"\nBradley-Terry, {logs:,} round robins of 6 each: share of 95 % intervals that hold the truth")
    print("spread  draws  games/pair   ratings   differences")
    for spread in (50.0, 200.0):
        for draw in (0.0, 0.5):
            for games in (40, 200):
                rng = np.random.default_rng(int(spread) + games)
                held = apart = total = pairs = 0
                for _ in range(logs):
                    skills = rng.normal(0, spread, 6)
                    skills -= skills.mean()
                    fit = fit_history(games_of(round_robin(skills, games, draw, rng)), BradleyTerrySettings(initial=0))
                    for name, rating in fit.ratings().items():
                        low, high = rating.interval()
                        held += low <= skills[int(name[1:])] <= high
                        total += 1
                    for a, b in combinations(fit.names, 2):
                        gap, error = fit.difference(a, b)
                        apart += abs(gap - skills[int(a[1:])] + skills[int(b[1:])]) <= 1.96 * error
                        pairs += 1
                fine = fine and 0.93 <= held / total <= 0.97 and 0.93 <= apart / pairs <= 0.97
                print(
                    f"{spread:6.0f}  {draw:5.1f}  {games:10}   {held / total:7.3f}   {apart / pairs:11.3f}", flush=True
                )
    return fine


def main() -> int:
    """Print everything; 1 if something does not keep what it says."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tests", type=int, default=10_000, help="sequential tests of each kind")
    options.add_argument("--logs", type=int, default=1000, help="round robins of each kind; matches are twice as many")
    chosen = options.parse_args()
    done = [sequential(chosen.tests), intervals(2 * chosen.logs), ratings(chosen.logs)]
    print("\nall within their bounds" if all(done) else "\nNOT all within their bounds")
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
