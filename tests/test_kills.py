"""kill -9 at random moments, ten times: the short run of `benchmarks/kills.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kills import disturb


@pytest.mark.timeout(300)
def test_ten_kills_lose_nothing(tmp_path: Path) -> None:
    assert disturb(tmp_path, kills=10, steps=12_000, seed=1) == []
