"""Worker processes: they die, are killed, leave things behind, and outlive nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from arena.execution import Job, JobFault, in_turn, make_executor
from arena.execution.executor import KILLS
from arena.execution.nursery import shared
from arena.execution.process import ProcessExecutor
from envs.errors import InputError
from tests.jobs import (
    Greedy,
    double,
    end,
    end_once,
    leave_child,
    leave_child_and_end,
    look,
    stay,
    tally,
    unsendable,
    wait_for,
)
from tests.sources import ROOT

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a foster parent")


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(2) as made:
        yield made


def lives(pid: int) -> bool:
    """Whether there is such a process, and not only its exit code."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return not stat.parent.parent.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(true: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether it comes true in that time."""
    limit = time.monotonic() + seconds
    while not true():
        if time.monotonic() > limit:
            return False
        time.sleep(0.01)
    return True


def test_workers_are_kept_and_have_one_thread(executor: ProcessExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAID_BY", "the parent")
    seen = [outcome.result() for _, outcome in in_turn(executor, [look] * 6)]
    assert {one["pid"] for one in seen} == set(executor.pids)
    assert len(executor.pids) <= 2
    assert os.getpid() not in executor.pids
    assert {(one["threads"], one["OMP_NUM_THREADS"], one["MKL_NUM_THREADS"]) for one in seen} == {(1, "1", "1")}
    assert {(one["folder"], one["SAID_BY"]) for one in seen} == {(os.getcwd(), "the parent")}


def test_they_work_at_once(executor: ProcessExecutor, tmp_path: Path) -> None:
    """And what finishes first is handed over first."""
    slow = executor.submit(partial(wait_for, tmp_path / "mark", 1))
    quick = executor.submit(partial(double, 2))
    assert [one.ticket for one in executor.done()] == [quick]
    assert executor.done(timeout=0.01) == []
    (tmp_path / "mark").touch()
    assert [one.ticket for one in executor.done()] == [slow]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("exit", "2 workers: with exit code 3 (2 times)"),
        ("crash", "2 workers: by signal SIGSEGV (2 times)"),
        ("kill", "10 workers: by signal SIGKILL (10 times)"),
    ],
)
def test_a_job_that_ends_workers_is_given_up(executor: ProcessExecutor, how: str, said: str) -> None:
    jobs: list[Job] = [partial(double, 1), partial(end, how), *(partial(double, number) for number in range(2, 6))]
    found = dict(in_turn(executor, jobs))
    assert str(found[1].fault) == f"a job ended {said}."
    assert isinstance(found[1].fault, JobFault)
    assert [found[place].value for place in (0, 2, 3, 4, 5)] == [2, 4, 6, 8, 10]


def test_a_job_whose_worker_dies_is_run_again_and_counted_once(executor: ProcessExecutor, tmp_path: Path) -> None:
    jobs = [partial(end_once, tmp_path / str(number % 2), number) for number in range(6)]
    found = list(in_turn(executor, jobs))
    assert sorted((place, one.result()) for place, one in found) == [(number, 2 * number) for number in range(6)]


def test_kills_from_outside_are_no_fault_of_a_job(executor: ProcessExecutor, tmp_path: Path) -> None:
    """Which may be hit many times, and then crash once."""
    job = executor.submit(partial(wait_for, tmp_path / "mark", 1))
    for count in range(KILLS - 2):
        os.kill(executor.pids[0], signal.SIGSEGV if count == 3 else signal.SIGKILL)
        assert executor.done(timeout=0.05) == []
    (tmp_path / "mark").touch()
    assert [(one.ticket, one.result()) for one in executor.done()] == [(job, 2)]


def test_jobs_take_the_cores_that_they_say() -> None:
    """And are not overtaken; one that wants more than there are runs alone. Each begins with one thread."""
    cpus = (2, 1, 2, 2, 1, 4, 1, 3, 1, 1, 1)
    with ProcessExecutor(3) as executor:
        found = dict(in_turn(executor, map(Greedy, cpus)))
    runs = [found[place].result() for place in range(len(cpus))]
    for one in runs:
        together = sum(other.cpus for other in runs if other.began <= one.began < other.ended)
        assert together <= 3 or together == one.cpus == 4
    alone = runs[5]
    assert all(other.ended < alone.began for other in runs[:5])
    assert all(alone.ended < other.began for other in runs[6:])
    assert {one.threads for one in runs} == {1}


def test_workers_that_are_killed_while_idle_are_replaced(executor: ProcessExecutor, tmp_path: Path) -> None:
    list(in_turn(executor, [partial(double, number) for number in range(4)]))
    killed = executor.pids
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: not any(map(lives, killed)))
    found = [one.result() for _, one in in_turn(executor, [partial(tally, tmp_path, number) for number in range(4)])]
    assert sorted(found) == [0, 2, 4, 6]
    assert len(list(tmp_path.iterdir())) == 4
    assert not set(killed) & set(executor.pids)


def test_the_nursery_may_be_killed(executor: ProcessExecutor) -> None:
    executor.submit(partial(double, 1))
    executor.done()
    os.kill(shared().pid, signal.SIGKILL)
    for pid in executor.pids:
        os.kill(pid, signal.SIGKILL)
    assert sorted(one.result() for _, one in in_turn(executor, [partial(double, 1), partial(double, 2)])) == [2, 4]


def test_cancel_ends_a_running_job(executor: ProcessExecutor, tmp_path: Path) -> None:
    tickets = [executor.submit(partial(stay, tmp_path)) for _ in range(2)]
    waiting = executor.submit(partial(double, 5))
    assert until(lambda: len(list(tmp_path.iterdir())) == 2)
    assert executor.cancel(tickets[0])
    assert [one.ticket for one in executor.done()] == [waiting]
    running = [path for path in tmp_path.iterdir() if lives(int(path.name))]
    assert len(running) == 1
    assert executor.unfinished == 1


def test_close_ends_running_jobs(tmp_path: Path) -> None:
    with ProcessExecutor(2) as executor:
        for _ in range(2):
            executor.submit(partial(stay, tmp_path))
        assert until(lambda: len(list(tmp_path.iterdir())) == 2)
    assert not any(lives(int(path.name)) for path in tmp_path.iterdir())


@pytest.mark.parametrize("deaf", [False, pytest.param(True, marks=LINUX)])
def test_what_jobs_leave_behind_ends_with_their_worker(deaf: bool) -> None:
    with ProcessExecutor(1) as executor:
        executor.submit(partial(leave_child, deaf))
        pid = executor.done()[0].result()
        assert lives(pid)
    assert until(lambda: not lives(pid))


@LINUX
def test_what_a_dead_worker_leaves_behind_ends_too(executor: ProcessExecutor, tmp_path: Path) -> None:
    executor.submit(partial(leave_child_and_end, tmp_path / "child"))
    assert executor.done()[0].fault
    assert not lives(int((tmp_path / "child").read_text()))


def test_what_cannot_be_sent(executor: ProcessExecutor) -> None:
    with pytest.raises(InputError, match=r"cannot be sent to a worker process.*at the top of a module"):
        executor.submit(lambda: 1)
    executor.submit(unsendable)
    fault = executor.done()[0].fault
    assert isinstance(fault, JobFault)
    assert "pickle" in str(fault)


def test_a_worker_starts_no_workers(executor: ProcessExecutor) -> None:
    executor.submit(partial(make_executor, "process", 1))
    with pytest.raises(InputError, match="a worker cannot start workers"):
        executor.done()[0].result()


SCRIPT = """
from functools import partial
from arena.execution import in_turn, make_executor, nursery
nursery.PRELOADED = ()  # sooner
{define}
with make_executor("process", 2) as executor:
    print(sorted(outcome.result() for _, outcome in in_turn(executor, [partial({function}, n) for n in range(3)])))
"""
OWN = "def own(number):\n    return 3 * number\n"


def python(*arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)], input=given, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_script_needs_no_guard_for_functions_of_modules(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(define="from tests.jobs import double", function="double"))
    done = python(script)
    assert (done.stdout, done.stderr) == ("[0, 2, 4]\n", "")


def test_a_script_needs_one_for_its_own_functions(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(define=OWN, function="own"))
    last = python(script).stderr.splitlines()[-1]
    assert last.endswith(
        'a worker cannot start workers: put what your program does below `if __name__ == "__main__":`.'
    )
    body = SCRIPT.format(define=OWN, function="own").replace("with make", 'if __name__ == "__main__":\n  with make')
    script.write_text(body.replace("    print", "      print"))
    done = python(script)
    assert (done.stdout, done.stderr) == ("[0, 3, 6]\n", "")


def test_from_a_console() -> None:
    done = python("-", given=SCRIPT.format(define="from tests.jobs import double", function="double"))
    assert (done.stdout, done.stderr) == ("[0, 2, 4]\n", "")
    last = python("-c", SCRIPT.format(define=OWN, function="own")).stderr.splitlines()[-1]
    assert last.endswith("workers cannot know what is defined in a console: put it into a file, and import that.")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_program(how: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C comes to the whole group of processes, as from a terminal."""
    code = """
import os, sys
from functools import partial
from pathlib import Path
from arena.execution import make_executor, nursery
from tests.jobs import stay
nursery.PRELOADED = ()
folder = Path(sys.argv[1])
with make_executor("process", 2) as executor:
    for _ in range(2):
        executor.submit(partial(stay, folder))
    (folder / str(nursery.shared().pid)).touch()
    try:
        executor.done()
    except KeyboardInterrupt:
        sys.exit(130)
"""
    program = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert until(lambda: len(list(tmp_path.iterdir())) == 3)
        os.killpg(program.pid, how)
        output, _ = program.communicate(timeout=60)
    finally:
        program.kill()
    assert output == ""
    assert program.returncode == (130 if how is signal.SIGINT else -how)
    assert until(lambda: not any(lives(int(path.name)) for path in tmp_path.iterdir()))
