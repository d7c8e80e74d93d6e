"""Running the row browser: in the foreground for `corpus serve`, or beside the Dagster UI."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.corpus import process_owner
from corpus_pipeline.settings import Settings
from corpus_pipeline.web import connections
from corpus_pipeline.web.app import create_app
from corpus_pipeline.web.index_worker import Indexer
from corpus_pipeline.web.options import LOOPBACK, Options
from corpus_pipeline.web.security import TOKEN

USERS_FILE = "users.json"
_PATIENCE = 5.0  # seconds for which a page waits for the database
# seconds after which a thread that computes lets another one go on: a page lets go of the interpreter some fifty times, and
# each time it would wait this long (5 ms by default) for each thread that counts
_TURN = 0.0005
_MESSAGE_BYTES = 512 << 10  # of a WebSocket: twice what the guard reads of a question


def default_options(settings: Settings, **chosen: Any) -> Options:
    """Options for the corpus of some settings: who acts is the user of this machine, users are in CORPUS_HOME."""
    if chosen.pop("oidc", False):
        if settings.oidc is None:
            raise UsageError("--oidc needs CORPUS_OIDC_ISSUER, CORPUS_OIDC_CLIENT_ID and CORPUS_OIDC_ROLES")
        chosen["oidc"] = settings.oidc
    chosen.setdefault("users", settings.home / USERS_FILE)
    chosen.setdefault("loopback_user", process_owner())
    chosen.setdefault("secure_cookies", settings.web_url.startswith("https://"))
    chosen.setdefault("token", settings.web_token)
    chosen.setdefault("proxy_secret", settings.proxy_secret)
    return Options(**chosen).with_token()


def open_corpus(settings: Settings) -> Corpus:
    """A corpus for pages: none of them hangs for minutes while the database is away."""
    corpus = Corpus.open(settings)
    corpus.store.patience = _PATIENCE
    return corpus


def server(
    app: ASGIApp, options: Options, *, sockets: bool = False, limits: connections.Limits | None = None
) -> uvicorn.Server:
    """A server that has not begun yet; `sockets`: whether the application has WebSockets, too."""
    config = uvicorn.Config(
        app,
        http=connections.bounded(limits or connections.Limits(), options.is_trusted_proxy),
        log_level="warning",
        access_log=False,  # addresses hold what people searched for
        server_header=False,
        proxy_headers=False,  # the address that connects decides which proxy is believed
        ws="auto" if sockets else "none",
        ws_max_size=_MESSAGE_BYTES,
        ws_max_queue=8,
        ws_per_message_deflate=False,  # a few bytes would become a message of that size
        timeout_graceful_shutdown=3,
    )
    sys.setswitchinterval(_TURN)
    return uvicorn.Server(config)


def listen(options: Options) -> socket.socket:
    """A listening socket, so that a port in use is an error before anything starts. Raises UsageError."""
    if options.socket is not None:
        return _listen_at(options.socket)
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


def _listen_at(path: Path) -> socket.socket:
    """A socket in the file system for its owner and its group: the proxy runs in that group. Raises UsageError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
                if other.connect_ex(str(path)) == 0:
                    raise UsageError(f"{path} is in use. Choose another --socket, or stop what uses it")
            path.unlink()  # left behind by one that was killed
        before = os.umask(0o117)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
    except OSError as error:
        listener.close()
        raise UsageError(f"cannot listen at {path}: {error.strerror or error}. Choose another --socket") from error
    except UsageError:
        listener.close()
        raise
    listener.listen(128)
    return listener


def url_of(options: Options, port: int) -> str:
    """Where a browser on this machine finds it."""
    host = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def first_address(options: Options, url: str) -> str:
    """`url` as it is shown to the person who started the server: with the token that tells this person from others."""
    return url if options.demands_login or options.token is None else f"{url}/?{TOKEN}={options.token}"


def url_for_others(options: Options, url: str) -> str:
    """`url`, under the name by which browsers of other machines may ask when it listens for them."""
    if options.host in LOOPBACK or not options.allow_hosts:
        return url
    return f"http://{options.allow_hosts[0]}:{urlsplit(url).port}"


def run(corpus: Corpus, options: Options, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; `ready` is called with the first address. Raises UsageError when the address cannot be used."""
    listener = listen(options)
    with listener, Indexer(corpus):
        at = f"unix:{options.socket}" if options.socket else url_of(options, listener.getsockname()[1])
        ready(first_address(options, at))
        server(create_app(corpus, options), options).run(sockets=[listener])


@dataclass
class Background:
    """A row browser in a thread of this process."""

    url: str
    _server: uvicorn.Server
    _thread: threading.Thread

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)


def start_background(
    app: ASGIApp, options: Options, *, sockets: bool = False, limits: connections.Limits | None = None
) -> Background:
    """Start an application beside something else and return once it answers.

    port 0 takes a free one. Raises UsageError when the address cannot be used.
    """
    listener = listen(options)
    running = server(app, options, sockets=sockets, limits=limits)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, name="row browser", daemon=True)
    thread.start()
    deadline = time.monotonic() + 15
    while not running.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    at = f"unix:{options.socket}" if options.socket else url_of(options, listener.getsockname()[1])
    return Background(at, running, thread)
