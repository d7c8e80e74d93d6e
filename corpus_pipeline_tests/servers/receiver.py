"""A real receiver of webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson


class Receiver:
    """What a server was told, headers in lower case; `refuse` is how many of the next messages it answers with 503."""

    def __init__(self, url: str = "") -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.refused: list[str] = []  # delivery ids
        self.refuse = 0
        self.url = url

    def events(self) -> list[tuple[str, str]]:
        return [(body["stage"], body["event"]) for body in (orjson.loads(raw) for _, raw in self.heard)]


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            refused, receiver.refuse = receiver.refuse > 0, max(0, receiver.refuse - 1)
            if refused:
                receiver.refused.append(headers["x-corpus-delivery"])
            else:
                receiver.heard.append((headers, body))
            self.send_response(503 if refused else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
