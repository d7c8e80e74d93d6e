"""What one connection may take: time for its headers and its body, bytes of headers, and places among the others.

uvicorn has no limit for any of these: a client that sends a byte a minute, or nothing, keeps its connection for good.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from corpus_pipeline.addresses import neighbourhood


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes and numbers that hold for each connection.

    header_seconds: from its first moment, or from the first byte of a further request, until the headers are there.
    body_seconds: from there to the end of the body. reader_seconds: for which a client may take nothing of an answer.
    by_address, in_all: connections at the same time; the addresses of an IPv6 network (/64) are one.
    """

    header_seconds: float = 10.0
    body_seconds: float = 30.0
    reader_seconds: float = 60.0
    header_bytes: int = 64 << 10
    by_address: int = 64
    in_all: int = 512


_moments = itertools.count()  # finer than the clock: many connections come within one look of the event loop


class Bounded(HttpToolsProtocol):
    """uvicorn's own, with these limits; `is_proxy` names the addresses from which many people come."""

    limits = Limits()
    is_proxy: Callable[[str | None], bool] = staticmethod(lambda address: False)

    _deadline: asyncio.TimerHandle | None = None
    _reader_deadline: asyncio.TimerHandle | None = None
    _since = 0
    _header_bytes = 0
    _reading_headers = True
    _beside = 0  # bytes of the frame of a body: heads and extensions of chunks, and trailers

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._make_room()
        if not transport.is_closing():
            self._within(self.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._at_ease()
        self._cancel_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self._is_idle():
            self._within(self.limits.header_seconds)  # of a further request; it may begin with empty lines
        in_body = not self._reading_headers
        if in_body:
            self._beside += len(data)
        else:
            self._header_bytes += len(data)
        super().data_received(data)
        counted = self._header_bytes if self._reading_headers else self._beside if in_body else 0
        if counted > self.limits.header_bytes:
            self._refuse(431, b"The headers are too long.\n")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading_headers = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reading_headers:  # a trailer comes after the request was judged: it says nothing here
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._beside = max(self._beside - 9 * len(body), 0)  # chunks of one byte are allowed; nothing is saved up
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self._reading_headers, self._header_bytes, self._beside = False, 0, 0
        self._within(self.limits.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._reading_headers = True
        self._at_ease()

    def handle_websocket_upgrade(self) -> None:
        self._at_ease()
        self._cancel_reader()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._cancel_reader()
        self._reader_deadline = self.loop.call_later(self.limits.reader_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel_reader()
        super().resume_writing()

    def _is_idle(self) -> bool:
        """Whether nothing is being answered here."""
        return self.cycle is None or self.cycle.response_complete

    def _make_room(self) -> None:
        """Close the oldest connection that waits for its client, of the same address or of all, when there are too many.

        Refusing the new one would let anyone who holds many of them keep others out.
        """
        own, limits = self._address(), self.limits
        others = [
            other
            for other in self.connections
            if other is not self and isinstance(other, Bounded) and not other.transport.is_closing()
        ]
        if own is not None and not self.is_proxy(own):
            near = neighbourhood(own)
            same = [other for other in others if neighbourhood(other._address() or "") == near]
            if len(same) >= limits.by_address:
                self._close_one(same)
        if len(others) >= limits.in_all:
            self._close_one(others)

    def _close_one(self, among: list[Bounded]) -> None:
        """Close the one that has waited longest for its client; this one when all of them are being answered."""
        waiting = [other for other in among if not other._is_being_answered()]
        (min(waiting, key=lambda other: other._since) if waiting else self).transport.abort()

    def _is_being_answered(self) -> bool:
        return not self._is_idle() and not self.cycle.more_body

    def _address(self) -> str | None:
        return self.client[0] if self.client else None

    def _within(self, seconds: float) -> None:
        self._at_ease()
        self._since = next(_moments)
        self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _at_ease(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cancel_reader(self) -> None:
        if self._reader_deadline is not None:
            self._reader_deadline.cancel()
            self._reader_deadline = None

    def _too_slow(self) -> None:
        self._refuse(408, b"The request came too slowly.\n")

    def _refuse(self, status: int, sentence: bytes) -> None:
        """Say why, where no answer has begun, and close the connection."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            lines = (
                b"HTTP/1.1 %d %s"
                % (status, {408: b"Request Timeout", 431: b"Request Header Fields Too Large"}[status]),
                b"content-type: text/plain; charset=utf-8",
                b"content-length: %d" % len(sentence),
                b"connection: close\r\n\r\n",
            )
            self.transport.write(b"\r\n".join(lines) + sentence)
        self.transport.close()


def bounded(limits: Limits, is_proxy: Callable[[str | None], bool]) -> type[Bounded]:
    """The protocol of a server with these limits."""
    return type("Bounded", (Bounded,), {"limits": limits, "is_proxy": staticmethod(is_proxy)})
