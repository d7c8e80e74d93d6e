"""Runs of backfills that wait in the queue while a flag covers them; that the backfill ends complete is in test_daemon."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from corpus_pipeline.defs import backfill_holds
from corpus_pipeline.defs.backfill_holds import HOLD_TAG, OVER, PAUSED
from corpus_pipeline.defs.dagster_internals import (
    SINGLETON_REPOSITORY_NAME,
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from corpus_pipeline.defs.names import Names
from corpus_pipeline.defs.sensors import pause_flags
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.dagster.conftest import Home, tick


@dg.job
def _nothing() -> None:
    """A job without a step."""


@pytest.fixture
def waiting(home: Home) -> Iterator[tuple[str, str]]:
    """(dataset file below a flag, its run that waits in the queue)."""
    name = home.add(f"waits_{len(home.corpus.files())}")
    home.corpus.pause([name], None, False, "the prices")
    tags = {"dagster/partition": name, HOLD_TAG: PAUSED}
    run = home.instance.create_run_for_job(_nothing, tags=tags)
    location = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("corpus"), SINGLETON_REPOSITORY_NAME)
    home.instance.run_storage.replace_job_origin(run, RemoteJobOrigin(location, run.job_name))
    enqueued = dg.DagsterEvent(dg.DagsterEventType.PIPELINE_ENQUEUED.value, run.job_name, message="it waits")
    home.instance.report_dagster_event(enqueued, run.run_id)
    yield name, run.run_id
    home.corpus.resume([], None, True)
    home.instance.delete_run(run.run_id)


def found(home: Home, run_id: str) -> tuple[str, str]:
    run = home.instance.get_run_by_id(run_id)
    assert run is not None
    return run.tags[HOLD_TAG], run.status.value


def test_a_run_waits_as_long_as_the_flag_and_no_longer(home: Home, waiting: tuple[str, str]) -> None:
    name, run_id = waiting
    tick(home, pause_flags)
    assert found(home, run_id) == (PAUSED, "QUEUED")
    home.corpus.resume([name], None, False)
    tick(home, pause_flags)
    assert found(home, run_id) == (OVER, "QUEUED")


def test_a_flag_over_another_stage_holds_nothing(home: Home, waiting: tuple[str, str]) -> None:
    name, run_id = waiting
    home.corpus.resume([name], None, False)
    home.corpus.pause([name], Stage.EXPORT, False, "not out yet")
    tick(home, pause_flags)
    assert found(home, run_id) == (OVER, "QUEUED")


def test_a_backfill_is_not_kept_open_for_ever(
    home: Home, waiting: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_BACKFILL_HOLD_HOURS", "0")
    tick(home, pause_flags)
    assert found(home, waiting[1]) == (PAUSED, "CANCELED")


def test_a_run_whose_file_was_removed_waits_no_longer_and_stops_nobody(home: Home, waiting: tuple[str, str]) -> None:
    name, run_id = waiting
    home.instance.add_run_tags(run_id, {"dagster/partition": f"{name}_that_is_no_more"})
    tick(home, pause_flags)
    assert found(home, run_id) == (PAUSED, "CANCELED")


def test_runs_of_another_corpus_are_left_alone(home: Home, waiting: tuple[str, str]) -> None:
    other = Names("other", ("other",))
    assert backfill_holds.release(home.instance, home.corpus, other, []) == 0
    assert found(home, waiting[1]) == (PAUSED, "QUEUED")


def test_a_queue_that_does_not_know_the_tag_is_not_relied_on(home: Home) -> None:
    assert backfill_holds.possible(home.instance)
    limits = [{"key": HOLD_TAG, "value": PAUSED, "limit": 1}]
    with dg.instance_for_test(overrides={"concurrency": {"runs": {"tag_concurrency_limits": limits}}}) as instance:
        assert not backfill_holds.possible(instance)
    with dg.instance_for_test() as instance:
        assert not backfill_holds.possible(instance)
