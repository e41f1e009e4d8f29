"""`arena doctor`: what this installation has, what would break, and what to do about it."""

from __future__ import annotations

import json as jsonlib

from arena.health import Facts, Problem, examine, problems


def doctor(json: bool = False) -> int:
    """Check this installation: versions, threads, GPU, display, caches, name clashes.

    Every problem comes with its remedy. The exit code is 1 if one would break something.

    Args:
        json: print one object: versions, threads, gpu, display, problems, ok.
    """
    facts = examine()
    found = problems(facts)
    ok = not any(problem.level == "error" for problem in found)
    if json:
        print(jsonlib.dumps({**facts, "problems": [problem._asdict() for problem in found], "ok": ok}))
    else:
        _show(facts, found)
    return 0 if ok else 1


def _show(facts: Facts, found: list[Problem]) -> None:
    for name, version in facts["versions"].items():
        print(f"{name:<16}{version or '-'}")
    count, cards, screen = facts["threads"], facts["gpu"], facts["display"]
    cores = f"{count['usable']} of {count['processors']} processors"
    print(f"{'threads':<16}{count['torch']} in torch, {cores}")
    print(f"{'gpu':<16}{', '.join(cards['names']) or 'none that torch can use'}")
    print(f"{'display':<16}{screen['driver'] or 'none'}{'' if screen['window'] else ' (no window)'}")
    print()
    for problem in found:
        print(f"{problem.level}: {problem.what}\n  remedy: {problem.remedy}")
    if not found:
        print("no problems found.")
