"""No display, no sound, one thread: set before anything imports pygame or torch; subprocesses inherit it."""

import os

from hypothesis import settings

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["SDL_AUDIODRIVER"] = "dummy"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

settings.register_profile("arena", deadline=None)  # no test may fail because the machine is busy
settings.load_profile("arena")
