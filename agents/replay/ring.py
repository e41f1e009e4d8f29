"""A ring of rows: the newest steps of all lanes, stored once each, with the view that follows each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.replay.available import available_bytes, refuse_beyond
from agents.replay.row import Row, bytes_needed
from agents.replay.views import Views
from agents.rollout import Rollout
from envs.core import Array
from envs.errors import InputError


class Ring:
    """R rows in the order (step, lane), the newest over the oldest; row number j ever added is at place j modulo R.

    The column "view" leads from each row to the view after it, which is that of the lane's next row or stands in the
    table beside the rows: the last view of a truncated game, or the one after a lane's newest step. So no image is
    stored twice. A rollout that does not begin with the views at which the last one stopped belongs to other games:
    those that stood there are marked truncated. The number of lanes may change at such a beginning.
    """

    def __init__(self, capacity: int, row: Row, prioritised: bool) -> None:
        """Make room; `prioritised` only counts the memory for it.

        Raises:
            InputError: it does not fit into memory.
        """
        refuse_beyond(bytes_needed(capacity, row, prioritised), capacity, available_bytes())
        self.capacity, self.row = capacity, row
        self.added = 0
        """Rows ever added."""
        self.lanes = 0
        """N of the newest rows."""
        self.views = Views(capacity, row)
        self.columns = {name: np.zeros((capacity, *shape), dtype) for name, (shape, dtype) in row.columns().items()}
        """[R, ...] each. "view" is the row's own place where the game terminated and nothing comes after."""
        self.always_acts = True
        """Whether every row ever added held a decision."""

    def __len__(self) -> int:
        """Rows that are stored."""
        return min(self.added, self.capacity)

    def add(self, rollout: Rollout, memory: Tensor | None) -> bool:
        """Store all T x N rows of `rollout`, or the newest that fit; True if it continues the games stored last.

        Raises:
            InputError: one step of all lanes does not fit.
        """
        steps, lanes = rollout.acts.shape
        if lanes > self.capacity:
            raise InputError(f"a replay of {self.capacity} rows cannot hold one step of {lanes} lanes: ask for more.")
        continues = self._join(_numpy(rollout.obs[0]), lanes)
        stop = self.added + steps * lanes
        start = max(self.added, stop - self.capacity)
        for low, high in spans(start, stop, self.capacity):
            old = self.columns["view"][low:high]
            self.views.release(old[old >= self.capacity])
        self._write(rollout, memory, start, stop)
        self._lead(rollout, start, stop)
        self.added, self.lanes = stop, lanes
        return continues

    def _join(self, obs: Array, lanes: int) -> bool:
        """Lead from the newest rows to the views `obs` [N, *obs_shape] that come now, if they are those awaited."""
        newest = np.arange(self.added - self.lanes, self.added) % self.capacity
        going = ~(self.columns["terminated"][newest] | self.columns["truncated"][newest])
        waiting = newest[going]
        awaited = self.columns["view"][waiting]
        continues = lanes == self.lanes
        if continues:
            came = obs[going].astype(self.views.obs.dtype, copy=False)
            continues = self.views.obs[awaited].tobytes() == came.tobytes()
        if continues:
            self.columns["view"][waiting] = (self.added + np.flatnonzero(going)) % self.capacity
            self.views.release(awaited)
        else:
            self.columns["truncated"][waiting] = True
        return continues

    def _write(self, rollout: Rollout, memory: Tensor | None, start: int, stop: int) -> None:
        """Fill the rows `start`..`stop` - 1, but for where the view after them stands."""
        if self.views.legal is None and not rollout.legal.all():
            self.views.begin_masks()
        self.always_acts = self.always_acts and bool(rollout.acts.all())
        plain = ("action", "reward", "terminated", "truncated", "acts")
        pairs = [(self.columns[name], getattr(rollout, name)) for name in plain]
        pairs += [(self.columns[f"extras.{name}"], rollout.extras[name]) for name in self.row.extras]
        pairs.append((self.views.obs[: self.capacity], rollout.obs[:-1]))
        if self.views.legal is not None:
            pairs.append((self.views.legal[: self.capacity], rollout.legal[:-1]))
        if memory is not None:
            pairs.append((self.columns["memory"], memory))
        for column, values in pairs:
            _put(column, _numpy(values).reshape(-1, *column.shape[1:])[start - stop :], start)

    def _lead(self, rollout: Rollout, start: int, stop: int) -> None:
        """Say where the view after each of the rows `start`..`stop` - 1 stands, and store those beside the ring."""
        steps, lanes = rollout.acts.shape
        rows = np.arange(start, stop)
        view = (rows + lanes) % self.capacity
        terminated = _numpy(rollout.terminated).reshape(-1)[start - stop :]
        view[terminated] = rows[terminated] % self.capacity
        final = _numpy(rollout.final_at) @ np.array([lanes, 1]) - (steps * lanes - len(rows))
        kept = final >= 0
        view[final[kept]] = self.views.store(_numpy(rollout.final_obs)[kept], None)
        going = np.flatnonzero(~_numpy(rollout.ended[-1]))
        masks = None if self.views.legal is None else _numpy(rollout.legal[-1])[going]
        view[len(rows) - lanes + going] = self.views.store(_numpy(rollout.obs[-1])[going], masks)
        _put(self.columns["view"], view, start)

    def state_dict(self) -> dict[str, Any]:
        """What is stored, in tensors that share the ring's memory: save or copy them before the next `add`."""
        size = len(self)
        return {
            "capacity": self.capacity,
            "added": self.added,
            "lanes": self.lanes,
            "always_acts": self.always_acts,
            "views": self.views.state_dict(size),
            "columns": {name: torch.from_numpy(column[:size]) for name, column in self.columns.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises:
            InputError: it is of a replay of another capacity.
        """
        if state["capacity"] != self.capacity:
            raise InputError(
                f"the saved replay has room for {state['capacity']:,} rows and this one for {self.capacity:,}: "
                f"set capacity = {state['capacity']}."
            )
        self.added, self.lanes, self.always_acts = state["added"], state["lanes"], state["always_acts"]
        self.views.load_state_dict(state["views"])
        for name, column in self.columns.items():
            column[: len(self)] = state["columns"][name].numpy()
        self.columns["view"][len(self) :] = 0  # what stood there before has no places in the table any more


def spans(start: int, stop: int, rows: int) -> list[tuple[int, int]]:
    """The rows `start`..`stop` - 1, at most `rows`, of a ring of `rows` as plain ranges of places."""
    first, last = start % rows, start % rows + stop - start
    return [(first, last)] if last <= rows else [(first, rows), (0, last - rows)]


def _put(column: Array, values: Array, start: int) -> None:
    """Write `values` [n, ...] from row `start` on, around the ring's end."""
    done = 0
    for low, high in spans(start, start + len(values), len(column)):
        np.copyto(column[low:high], values[done : done + high - low], casting="same_kind")
        done += high - low


def _numpy(tensor: Tensor) -> Array:
    array: Array = tensor.numpy(force=True)
    return array
