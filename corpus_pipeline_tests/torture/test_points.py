"""A sample of the crash points; `make torture` takes all of them."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus_pipeline_tests.conftest import SERVERS
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.enumerate_points import Enumerator, can_freeze, enumerator, spread

SEED = 20_240


@pytest.fixture(scope="module")
def points() -> Iterator[Enumerator]:
    folder = tempfile.TemporaryDirectory(dir=small.fast_folder(), ignore_cleanup_errors=True)
    with folder, enumerator(Path(folder.name)) as found:
        yield found


def test_every_kind_of_step_has_its_points(points: Enumerator) -> None:
    names = {point.split("#")[0] for point in points.points}
    assert len(points.points) > 300
    for expected in (
        *("before commit: lease acquire", "after commit: lease release", "before commit: ingest write_batch"),
        *("after commit: clean write_verdicts", "after commit: clean write_duplicates", "before commit: augment write"),
        *("before call", "after call", "before commit: export write_page", "export data.rename.before"),
        *("export manifest.after", "before commit: export record", "after commit: export complete"),
    ):
        assert expected in names


def test_a_kill_at_any_point_changes_nothing(points: Enumerator) -> None:
    results = [points.attempt((at, "kill")) for at in spread(points.points, 12, SEED)]
    assert [result for result in results if result.problems] == []
    assert sum(result.reached for result in results) >= 10
    # of the two calls on the wire and the one whose intent is committed ahead: an answer that arrived a moment ago is not
    # durable before the next commit, and that commit is what lets the call behind it go
    assert all(result.repeated <= 3 for result in results)


def test_a_worker_frozen_at_any_point_wakes_up_to_nothing(points: Enumerator) -> None:
    own = [point for point in points.points if can_freeze(point)]
    results = [points.attempt((at, "stop")) for at in spread(own, 4, SEED)]
    assert [result for result in results if result.problems] == []


def test_a_second_kill_during_the_recovery_changes_nothing(points: Enumerator) -> None:
    chance = random.Random(SEED)
    results = [points.attempt(*((at, "kill") for at in chance.sample(points.points, 2))) for _ in range(2)]
    assert [result for result in results if result.problems] == []


@pytest.mark.parametrize("kind", SERVERS)
def test_a_kill_on_a_server(kind: str, quick_folder: Path, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    with enumerator(quick_folder, iter(server.fresh_database, "")) as points:
        results = [points.attempt((at, "kill")) for at in spread(points.points, 2, SEED + 1)]
        assert [result for result in results if result.problems] == []
