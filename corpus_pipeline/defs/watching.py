"""Telling anyone who has the page of a run open of its events, as they come."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from corpus_pipeline.defs.dagster_internals import ConsolidatedSqliteEventLogStorage

_LOOK_SECONDS = 0.3


class WatchedEvents(ConsolidatedSqliteEventLogStorage):
    """Dagster's own waits for a change of the database file, which comes long after the event: that is in the write-ahead
    log. Here a thread looks at both files, as long as somebody watches a run.
    """

    def __init__(self, base_dir: str) -> None:
        super().__init__(base_dir)
        self._watching = threading.RLock()
        self._watcher: threading.Thread | None = None
        self._seen: list[tuple[int, int]] = []

    def watch(self, run_id: str, cursor: str | None, callback: Any) -> None:
        with self._watching:
            self._watchers[run_id][callback] = cursor
            self._seen = []  # what came between its first page and now is sent at once
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._look, name="event watch", daemon=True)
                self._watcher.start()

    def end_watch(self, run_id: str, handler: Any) -> None:
        with self._watching:
            super().end_watch(run_id, handler)

    def _look(self) -> None:
        path = Path(self.get_db_path())
        files = (path, path.with_name(f"{path.name}-wal"))
        while True:
            now = [(file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists()]
            with self._watching:
                if not any(self._watchers.values()):
                    self._watcher = None
                    return
                if now != self._seen:
                    with suppress(SQLAlchemyError):  # busy: at the next look
                        self.on_modified()
                        self._seen = now
            time.sleep(_LOOK_SECONDS)
