"""A program that misbehaves on command: naughty.py KIND [STEP [LOG]]. It plays well up to the step, then does it.

Of the standard library alone, as anybody's program would be. It plays the first legal action, or zeros.
LOG gets the process ids of all that it starts, so that a test can see whether they are gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

KIND = sys.argv[1]
STEP = int(sys.argv[2]) if len(sys.argv) > 2 else 0
LOG = sys.argv[3] if len(sys.argv) > 3 else None


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def note(pid: int) -> None:
    if LOG:
        with open(LOG, "a") as file:
            file.write(f"{pid}\n")


def forever() -> None:
    while True:
        time.sleep(3600)


def child(apart: bool) -> None:
    """A process that outlives its parent, if it can; `apart`: in a session of its own."""
    pid = os.fork()
    if pid:
        note(pid)
        return
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if apart:
        os.setsid()
    forever()


def good(message: dict[str, Any]) -> Any:
    if game["action"]["kind"] == "discrete":
        return message["legal"][0]
    return [0] * game["action"]["shape"][0]


def misbehave(message: dict[str, Any]) -> None:
    """What is said instead of a good answer, if it comes to that."""
    if KIND == "crash":
        raise RuntimeError("something is broken in here")
    if KIND == "exit":
        sys.exit(3)
    if KIND == "killed":
        os.kill(os.getpid(), signal.SIGSEGV)
    if KIND in ("sleep", "stubborn"):
        if KIND == "stubborn":
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
        forever()
    if KIND == "busy":
        while True:
            pass
    if KIND == "garbage":
        sys.stdout.write("Thinking... \x1b[31m best move: 3\n")
        sys.stdout.flush()
    elif KIND == "binary":
        sys.stdout.buffer.write(b"\xff\x00\xfe{\n")
        sys.stdout.buffer.flush()
    elif KIND == "deep":
        sys.stdout.write("[" * 100_000 + "\n")
        sys.stdout.flush()
    elif KIND == "illegal":
        say({"action": 10**30})
    elif KIND == "text":
        say({"action": "left"})
    elif KIND == "nothing":
        say({"move": 1})
    elif KIND == "nan":
        sys.stdout.write('{"action": NaN}\n')
        sys.stdout.flush()
    elif KIND == "huge":
        while True:
            sys.stdout.write("x" * 1_000_000)
    elif KIND == "flood":
        while True:
            say({"action": good(message)})
    elif KIND == "twice":
        say({"action": good(message)})
        say({"action": good(message)})
    elif KIND == "noise":  # on standard error, more than any pipe holds; then it goes on
        sys.stderr.write("noise " * 1_000_000)
        say({"action": good(message)})
    elif KIND in ("fork", "apart"):
        for _ in range(3):
            child(KIND == "apart")
        sys.exit(4)
    elif KIND == "mute":
        os.close(1)
        forever()
    elif KIND == "late":
        time.sleep(0.5)
        say({"action": good(message)})
    else:
        raise SystemExit(f"unknown kind {KIND}")


note(os.getpid())
if KIND == "deaf":
    forever()
if KIND == "apart-later":  # has a child that has left its group before it has even begun
    child(apart=True)
if KIND == "stillborn":
    sys.exit("no configuration found")
game = json.loads(sys.stdin.readline())["game"]
if KIND == "impolite":
    say({"type": "hi"})
elif KIND == "modern":
    say({"type": "hello", "protocol": 99})
else:
    say({"type": "hello", "protocol": 1})
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "bye":
        if KIND == "clinging":
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            forever()
        break
    if message["type"] == "act":
        if message["step"] >= STEP and KIND not in ("clinging", "fine"):
            misbehave(message)
        else:
            say({"action": good(message)})
