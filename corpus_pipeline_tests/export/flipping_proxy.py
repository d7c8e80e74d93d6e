"""A TCP proxy that alters bytes on their way: `old` becomes `new` (of the same length), a given number of times."""

from __future__ import annotations

import contextlib
import socket
import threading


class FlippingProxy:
    """Forwards a loopback port to `target_port`. Use as a context manager.

    upstream: whether to alter what the client sends, else what the server answers. times: how often; then it is honest.
    """

    def __init__(self, target_port: int, old: bytes, new: bytes, *, upstream: bool, times: int) -> None:
        assert len(old) == len(new)
        self._target_port = target_port
        self._change = (old, new)
        self._upstream = upstream
        self.left = times
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> FlippingProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target_port))
                for source, sink, altered in ((client, server, self._upstream), (server, client, not self._upstream)):
                    threading.Thread(target=self._pump, args=(source, sink, altered), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, altered: bool) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(1 << 16):
                sink.sendall(self._altered(block) if altered else block)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _altered(self, block: bytes) -> bytes:
        with self._lock:
            if self.left <= 0 or self._change[0] not in block:
                return block
            self.left -= 1
        return block.replace(*self._change, 1)
