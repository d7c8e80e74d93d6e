"""Keeping the search index up beside the row browser: a process of low priority whenever it is behind."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading

from corpus_pipeline import child_processes
from corpus_pipeline.errors import CorpusError
from corpus_pipeline.service import Corpus, search_index

_LOOK_SECONDS = 15.0
_AFTER_FAILURE = 600.0
_log = logging.getLogger(__name__)


class Indexer:
    """Runs `corpus index --polite` whenever there is something to index. Use it as a context manager, or start and stop it.

    look_seconds: between two looks.
    """

    def __init__(self, corpus: Corpus, look_seconds: float = _LOOK_SECONDS) -> None:
        self._corpus = corpus
        self._look_seconds = look_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_up, name="indexer", daemon=True)

    def start(self) -> None:
        if self._corpus.settings.index:
            self._thread.start()

    def stop(self) -> None:
        """Stop it, and the process that it has started: that goes on where it was when it is started again."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def __enter__(self) -> Indexer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _keep_up(self) -> None:
        pause = self._look_seconds / 5  # the first look soon, but not before the first page
        while not self._ended.wait(pause):
            pause = self._look_seconds
            try:
                behind = search_index.is_behind(self._corpus.store, self._corpus.settings.search_folder)
            except (CorpusError, OSError):  # the database is away: later
                continue
            if behind and not self._run():
                _log.warning(
                    "the search index could not be made; searches look through the rows. `corpus index` says why"
                )
                pause = _AFTER_FAILURE

    def _run(self) -> bool:
        settings = self._corpus.settings
        environment = os.environ | {
            "CORPUS_HOME": str(settings.home),
            "CORPUS_DATABASE_URL": settings.database_url,
        }
        command = [sys.executable, "-m", "corpus_pipeline", "index", "--polite"]
        quiet = subprocess.DEVNULL
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            preexec_fn=child_processes.end_with_parent,
        )
        while child.poll() is None:
            if self._ended.wait(0.2):
                child_processes.end([child])
                return True
        return child.returncode == 0
