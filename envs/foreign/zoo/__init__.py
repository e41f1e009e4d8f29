"""PettingZoo's environments as games of fixed seats, played in this process or in workers: see `from_pettingzoo`."""
