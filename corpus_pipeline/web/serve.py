"""Running the row browser: in the foreground for `corpus serve`, or beside the Dagster UI."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.corpus import who
from corpus_pipeline.settings import Settings
from corpus_pipeline.web.app import create_app
from corpus_pipeline.web.indexer import Indexer
from corpus_pipeline.web.options import Options

USERS_FILE = "users.json"
_PATIENCE = 5.0  # seconds for which a page waits for the database


def default_options(settings: Settings, **chosen: Any) -> Options:
    """Options for the corpus of some settings: who acts is the user of this machine, users are in CORPUS_HOME."""
    chosen.setdefault("users", settings.home / USERS_FILE)
    chosen.setdefault("loopback_user", who())
    chosen.setdefault("secure_cookies", settings.web_url.startswith("https://"))
    return Options(**chosen)


def _server(corpus: Corpus, options: Options) -> uvicorn.Server:
    # a page must not hang for minutes while the database is away
    corpus.store.patience = _PATIENCE
    config = uvicorn.Config(
        create_app(corpus, options),
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,  # addresses hold what people searched for
        server_header=False,
        proxy_headers=False,  # the address that connects decides which proxy is believed
        ws="none",
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(config)


def _listen(options: Options) -> socket.socket:
    """A listening socket, so that a port in use is told before anything starts. Raises UsageError."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on {options.host}:{options.port}: {error.strerror}. Choose another --port, or stop what uses it"
        ) from error
    listener.listen(128)
    return listener


def url_of(options: Options, port: int) -> str:
    """Where a browser on this machine finds it."""
    host = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(corpus: Corpus, options: Options, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; `ready` is told the URL. Raises UsageError when the address cannot be used."""
    listener = _listen(options)
    with listener, Indexer(corpus):
        ready(url_of(options, listener.getsockname()[1]))
        _server(corpus, options).run(sockets=[listener])


@dataclass
class Background:
    """A row browser in a thread of this process."""

    url: str
    _corpus: Corpus
    _server: uvicorn.Server
    _thread: threading.Thread
    _indexer: Indexer

    def stop(self) -> None:
        """Stop it and close its corpus."""
        self._indexer.stop()
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._corpus.close()


def start_background(settings: Settings, **chosen: Any) -> Background:
    """Start the row browser beside something else and return once it answers; `chosen` are fields of `Options`.

    port 0 takes a free one. Raises UsageError when the address cannot be used or would let anybody in.
    """
    options = default_options(settings, **chosen)
    listener = _listen(options)
    corpus = Corpus.open(settings)
    server = _server(corpus, options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="row browser", daemon=True)
    thread.start()
    deadline = time.monotonic() + 15
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    indexer = Indexer(corpus)
    indexer.start()
    return Background(url_of(options, listener.getsockname()[1]), corpus, server, thread, indexer)
