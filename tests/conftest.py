"""No display, no sound, one thread: set before anything imports pygame or torch; subprocesses inherit it."""

import os
from pathlib import Path

from hypothesis import settings

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["SDL_AUDIODRIVER"] = "dummy"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

# Of two processes that compile at once, one may overwrite what the other has put in numba's cache: each has its own.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parent.parent / ".pytest_cache" / f"numba-{worker}")

settings.register_profile("arena", deadline=None)  # no test may fail because the machine is busy
settings.load_profile("arena")
