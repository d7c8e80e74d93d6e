"""Whoever has the page of a run open is told of its events by another process's storage, as they come."""

from __future__ import annotations

import queue
import time

import pytest
from dagster import EventLogEntry

from corpus_pipeline.defs.storage import Events


def entry(text: str, run_id: str = "run") -> EventLogEntry:
    return EventLogEntry(error_info=None, level="info", user_message=text, run_id=run_id, timestamp=time.time())


def test_events_are_told_as_they_come_and_only_those_of_the_run(tmp_path):
    reader, writer = Events(str(tmp_path)), Events(str(tmp_path))
    told: queue.Queue[str] = queue.Queue()
    cursors = []

    def callback(event: EventLogEntry, cursor: str) -> None:
        cursors.append(cursor)
        told.put(event.user_message)

    writer.store_event(entry("before"))
    reader.watch("run", None, callback)
    assert told.get(timeout=20) == "before"
    for text in ("one", "two"):
        writer.store_event(entry("of another run", "other"))
        writer.store_event(entry(text))
        assert told.get(timeout=20) == text
    reader.end_watch("run", callback)
    writer.store_event(entry("three"))
    reader.watch("run", cursors[-1], callback)  # the page was opened again
    assert told.get(timeout=20) == "three"
    reader.end_watch("run", callback)
    with pytest.raises(queue.Empty):
        told.get(timeout=0.5)
    for storage in (reader, writer):
        storage.dispose()
