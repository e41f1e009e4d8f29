"""A PettingZoo game of your own in a league: a sealed-bid auction, in which one should bid half of what it is worth.

python examples/pettingzoo_league.py [FOLDER]      # then: PYTHONPATH=examples arena league leaderboard FOLDER
"""

import sys

import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv

from arena.league import League, LeagueConfig


class Auction(ParallelEnv):
    metadata = {"name": "auction_v0"}
    possible_agents = ["bidder_0", "bidder_1"]
    observation_spaces = dict.fromkeys(possible_agents, Box(0, 1, (1,), np.float32))  # what it is worth to oneself
    action_spaces = dict.fromkeys(possible_agents, Discrete(11))  # bids of 0 to 1 in tenths

    def reset(self, seed=None, options=None):
        self.rng = np.random.default_rng(seed) if seed is not None else self.rng
        self.agents = self.possible_agents[:]
        self.worth = {agent: self.rng.random(1, np.float32) for agent in self.agents}
        return self.worth, {agent: {} for agent in self.agents}

    def step(self, bids):
        best = [agent for agent in self.agents if bids[agent] == max(bids.values())]
        gain = {a: float(self.worth[a][0] - bids[a] / 10) if best == [a] else 0.0 for a in self.agents}
        self.agents = []  # one round is a game; who bids most takes it and pays the bid, a tie sells nothing
        return self.worth, gain, dict.fromkeys(gain, True), dict.fromkeys(gain, False), {agent: {} for agent in gain}


if __name__ == "__main__":
    game, pace = {"id": "pettingzoo_league:Auction"}, {"games": 64, "steps": 8, "snapshot_steps": 8192}
    config = LeagueConfig(game=game, training=pace, learners=[{"name": "ada"}], anchors=["random"], budget="40k-steps")
    with League.create(sys.argv[1] if len(sys.argv) > 1 else "runs/auction", config) as league:
        league.run()
        print(*(f"{one.name} {one.rating.mean:.1f} {one.summary.score_mean:+.3f}" for one in league.leaderboard()))
