"""A short torture run with its seed: real processes, a real server. `make torture` runs it for as long as you like."""

from __future__ import annotations

import pytest

from corpus_pipeline_tests.torture.torture import run


@pytest.mark.mariadb
@pytest.mark.usefixtures("mariadb_server")
def test_a_short_run_with_a_fixed_seed() -> None:
    score = run(minutes=2, seed=5, database="mariadb", rows=25, rounds=2)
    assert score.problems == [], "\n".join(score.lines())
    assert score.kills >= 1
