"""What goes between a worker and its reader: a list in JSON, and bytes behind it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import orjson

_LENGTHS = struct.Struct("<II")

# of the worker
OPEN, CALL, STOP, SETTLED, END = "open", "call", "stop", "settled", "end"
# of the reader
READY, REPLY, FAILED, REFUSED = "ready", "reply", "failed", "refused"


class Wire(asyncio.Protocol):
    """One end. Frames that are sent in one turn of the event loop go out together.

    got: told each frame. lost: told when the other end is gone.
    """

    def __init__(self, got: Callable[[list[Any], bytes], None], lost: Callable[[], None]) -> None:
        self._got, self._lost = got, lost
        self._transport: Any = None
        self._buffer = bytearray()
        self._out: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._transport = None
        self._lost()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        while end - at >= _LENGTHS.size:
            head, body = _LENGTHS.unpack_from(buffer, at)
            begins = at + _LENGTHS.size
            if end - begins < head + body:
                break
            with memoryview(buffer) as view:
                said, content = (
                    orjson.loads(view[begins : begins + head]),
                    bytes(view[begins + head : begins + head + body]),
                )
            at = begins + head + body
            self._got(said, content)
        del buffer[:at]

    def send(self, said: list[Any], content: bytes = b"") -> None:
        """Send a frame; nothing once the other end has closed."""
        if self._transport is None:
            return
        if not self._out:
            asyncio.get_running_loop().call_soon(self.flush)
        head = orjson.dumps(said)
        self._out += (_LENGTHS.pack(len(head), len(content)), head, content)

    def flush(self) -> None:
        """Hand over what was sent in this turn."""
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def close(self) -> None:
        """Hand over the rest and hang up."""
        self.flush()
        if self._transport is not None:
            self._transport.close()
