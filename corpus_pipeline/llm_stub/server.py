"""Running the stand-in: in the foreground (`serve`) or in a thread of this process (`running`)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.llm_stub.app import TRANSPORT, StubApp
from corpus_pipeline.llm_stub.faults import FaultMix, fault_named
from corpus_pipeline.llm_stub.options import StubOptions

_START_SECONDS = 15.0
_BACKLOG = 1024


class _Protocol(HttpToolsProtocol):
    """uvicorn's own, with the connection in the scope, so that the application can reset it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]


@dataclass(frozen=True)
class RunningStub:
    """A stand-in in this process; `app` gives its counters and takes another fault mix."""

    base_url: str
    app: StubApp

    def meet(self, **shares: float) -> None:
        """From now on meet these faults, as in `meet(empty=0.5)` or `meet(**{"429": 0.1})`; without any, none."""
        mix = {fault_named(name): share for name, share in shares.items()}
        self.app.engine.mix = FaultMix(mix, self.app.options.seed)


def serve(host: str, port: int, options: StubOptions, ready: Callable[[str], None] | None = None) -> None:
    """Serve until interrupted; port 0 takes a free one. `ready` is called with the base URL as soon as calls can come.

    Raises CorpusError when the port is taken.
    """
    app = StubApp(options)
    with _listening(host, port) as listener:
        try:
            if ready is not None:
                ready(_base_url(listener))
            _server(app).run([listener])
        finally:
            app.invoice.close()


@contextmanager
def running(options: StubOptions | None = None, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[RunningStub]:
    """A stand-in in a thread; port 0 takes a free one. Raises CorpusError when it does not come up."""
    app = StubApp(options or StubOptions())
    listener = _listening(host, port)
    server = _server(app)
    thread = threading.Thread(target=server.run, args=([listener],), name="corpus-stub", daemon=True)
    thread.start()
    try:
        _await_start(server, thread)
        yield RunningStub(_base_url(listener), app)
    finally:
        server.should_exit = True
        server.force_exit = True  # faults leave calls that never end
        thread.join(timeout=5)
        listener.close()
        app.invoice.close()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CorpusError(f"{host}:{port} cannot be listened on: {error.strerror}. Try `--port 0`.") from error


def _base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"


def _server(app: StubApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
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
        backlog=_BACKLOG,
    )
    return uvicorn.Server(config)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise CorpusError("the stand-in model server did not start. Try `corpus llm-stub`.")
        time.sleep(0.01)
