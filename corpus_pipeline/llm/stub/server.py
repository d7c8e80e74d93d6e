"""Running the stand-in: in the foreground (`serve`) or in a thread of this process (`running`)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.llm.stub.app import TRANSPORT, StubApp
from corpus_pipeline.llm.stub.options import StubOptions

_START_SECONDS = 15.0


class _Protocol(HttpToolsProtocol):
    """uvicorn's own, with the connection in the scope, so that the application can reset it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]


@dataclass(frozen=True)
class RunningStub:
    """A stand-in in this process; `app` gives its counters and takes another fault mix."""

    base_url: str
    port: int
    app: StubApp


def serve(host: str, port: int, options: StubOptions) -> None:
    """Serve until interrupted."""
    app = StubApp(options)
    try:
        _server(app, host, port).run()
    finally:
        app.invoice.close()


@contextmanager
def running(options: StubOptions | None = None, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[RunningStub]:
    """A stand-in in a thread; port 0 takes a free one. Raises CorpusError when it does not come up."""
    app = StubApp(options or StubOptions())
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    bound = listener.getsockname()[1]
    server = _server(app, host, bound)
    thread = threading.Thread(target=server.run, args=([listener],), name="corpus-stub", daemon=True)
    thread.start()
    try:
        _await_start(server, thread)
        yield RunningStub(f"http://{host}:{bound}/v1", bound, app)
    finally:
        server.should_exit = True
        server.force_exit = True  # faults leave calls that never end
        thread.join(timeout=5)
        listener.close()
        app.invoice.close()


def _server(app: StubApp, host: str, port: int) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=120,
        timeout_graceful_shutdown=1,
        backlog=1024,
    )
    return uvicorn.Server(config)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise CorpusError("the stand-in model server did not start; try another port: `corpus llm-stub --port N`.")
        time.sleep(0.01)
