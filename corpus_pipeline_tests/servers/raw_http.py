"""A server that says any bytes: one real connection for each reply, closed behind it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress


class RawServer:
    """Set `say` to what the next requests are answered with: HTTP responses, whole or not. requests: as they came."""

    def __init__(self) -> None:
        self.say: Callable[[bytes], Iterable[bytes]] = lambda request: [b""]
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            request = read_request(connection)
            self.requests.append(request)
            for piece in self.say(request):
                connection.sendall(piece)


def read_request(connection: socket.socket) -> bytes:
    """One request with its body, by its Content-Length."""
    raw = b""
    while b"\r\n\r\n" not in raw and (piece := connection.recv(65536)):
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    while len(body) < length and (piece := connection.recv(65536)):
        raw, body = raw + piece, body + piece
    return raw


def response(
    body: bytes, status: int = 200, headers: Iterable[tuple[str, str]] = (("Content-Type", "application/json"),)
) -> bytes:
    """A whole response."""
    lines = [f"HTTP/1.1 {status} said", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@contextmanager
def saying() -> Iterator[RawServer]:
    """A running server."""
    server = RawServer()
    try:
        yield server
    finally:
        server.close()
