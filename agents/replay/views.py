"""Views: what rows saw, and beside them a table of views that are no row's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from agents.replay.available import available_bytes, refuse_beyond
from agents.replay.row import Row, spare_views
from envs.core import Array, Ints


class Views:
    """The views of R rows at places 0..R - 1, and from place R on a table with a list of its free places."""

    def __init__(self, rows: int, row: Row) -> None:
        self._rows, self._row = rows, row
        self.obs: Array = np.zeros((rows + spare_views(rows), *(row.obs.shape or ())), row.obs.dtype)
        """[R + table, *obs_shape]."""
        self.legal: Array | None = None
        """[R + table, A] once an action was forbidden. Of a truncated game's last view no mask is known: all legal."""
        self._free: Ints = np.arange(len(self.obs) - 1, rows - 1, -1)
        """[table] the places in the table; the free ones stand first."""
        self._free_count = len(self._free)

    def begin_masks(self) -> None:
        """Store masks from now on; so far everything was legal."""
        self.legal = np.ones((len(self.obs), self._row.legal), np.bool_)

    def store(self, obs: Array, legal: Array | None) -> Ints:
        """Put the views `obs` [n, ...] with their masks (None: all legal) into the table; returns their places [n]."""
        if len(obs) > self._free_count:
            self._grow(max(len(self._free), len(obs)))
        self._free_count -= len(obs)
        places = self._free[self._free_count : self._free_count + len(obs)].copy()
        self.obs[places] = obs
        if self.legal is not None:
            self.legal[places] = True if legal is None else legal
        return places

    def release(self, places: Ints) -> None:
        """The places [n] in the table may be used again."""
        self._free[self._free_count : self._free_count + len(places)] = places
        self._free_count += len(places)

    def _grow(self, more: int) -> None:
        """Make room for `more` views in the table.

        Raises:
            InputError: they do not fit into memory.
        """
        size = len(self.obs)
        refuse_beyond((size + more) * self._row.view_bytes, self._rows, available_bytes())
        self.obs = np.concatenate([self.obs, np.zeros((more, *self.obs.shape[1:]), self.obs.dtype)])
        if self.legal is not None:
            self.legal = np.concatenate([self.legal, np.ones((more, self._row.legal), np.bool_)])
        free = self._free[: self._free_count]
        self._free = np.concatenate([free, np.arange(size + more - 1, size - 1, -1), self._free[self._free_count :]])
        self._free_count += more

    def state_dict(self, rows: int) -> dict[str, Any]:
        """The views of the first `rows` rows and those in the table."""
        used = np.setdiff1d(np.arange(self._rows, len(self.obs)), self._free[: self._free_count])
        masks = {} if self.legal is None else {"legal": self.legal[:rows], "table_legal": self.legal[used]}
        free = self._free[: self._free_count].copy()  # in order: it says where the next views will lie
        arrays = {"obs": self.obs[:rows], "table_obs": self.obs[used], "used": used, "free": free, **masks}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        arrays = {name: tensor.numpy() for name, tensor in state.items()}
        used, free, rows = arrays["used"], arrays["free"], len(arrays["obs"])
        size = self._rows + len(used) + len(free)
        if size > len(self.obs):
            self._grow(size - len(self.obs))
        self.obs = self.obs[:size]
        self._free = np.concatenate([free, used])
        self._free_count = len(free)
        self.obs[:rows], self.obs[used] = arrays["obs"], arrays["table_obs"]
        self.legal = None
        if "legal" in arrays:
            self.legal = np.ones((len(self.obs), self._row.legal), np.bool_)
            self.legal[:rows], self.legal[used] = arrays["legal"], arrays["table_legal"]
