"""A clock that is set back under a running daemon: nothing waits until it has come to where it was."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
)

from corpus_pipeline.defs.clock_steps import ClockWatch, forget_looks_ahead
from corpus_pipeline.defs.daemon_seat import DaemonSeat
from corpus_pipeline.store import Store
from corpus_pipeline_tests.dagster.graphql import wait_for

HOUR = 3600.0


def test_looks_of_sensors_that_lie_ahead_count_as_now_and_keep_their_cursors() -> None:
    now = time.time()
    with dg.instance_for_test() as instance:
        for name, at in (("behind", now - 3), ("ahead", now + HOUR)):
            location = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "all")
            data = SensorInstigatorData(at, "key", 5, f"cursor of {name}", at, now - HOUR, None, at)
            origin = RemoteInstigatorOrigin(location, name)
            instance.add_instigator_state(
                InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, data)
            )
        before = {state.instigator_name: state.instigator_data for state in instance.all_instigator_state()}
        assert forget_looks_ahead(instance) == 1
        after = {state.instigator_name: state.instigator_data for state in instance.all_instigator_state()}
        assert after["behind"] == before["behind"]
        mended = after["ahead"]
        assert isinstance(mended, SensorInstigatorData)
        assert (mended.cursor, mended.last_run_key, mended.last_sensor_start_timestamp) == (
            "cursor of ahead",
            "key",
            now - HOUR,
        )
        for at in (mended.last_tick_timestamp, mended.last_tick_start_timestamp, mended.last_tick_success_timestamp):
            assert at is not None and now <= at <= time.time()
        assert forget_looks_ahead(instance) == 0


def test_the_daemon_is_started_again_when_the_clock_was_set_back_and_at_no_other_step(tmp_path: Path) -> None:
    ahead = [0.0]
    started: list[subprocess.Popen[bytes]] = []
    mended: list[int] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        return started[-1]

    store = Store(f"sqlite:///{tmp_path / 'corpus.db'}")
    said: list[str] = []
    clock = ClockWatch(lambda: ahead[0])
    with DaemonSeat(store, 8, start, lambda: None, said.append, lambda: mended.append(len(started)), clock):
        for step in (HOUR, -1.0, 2 * HOUR):
            ahead[0] += step
            assert not clock.was_set_back()
        ahead[0] -= HOUR
        wait_for(lambda: len(started) == 2, 20, "the second daemon")
        assert started[0].poll() is not None and started[1].poll() is None
    assert mended == [0, 1] and len(said) == 1 and "set back" in said[0]
    assert started[1].poll() is not None
