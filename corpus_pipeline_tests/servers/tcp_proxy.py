"""A TCP proxy that breaks connections on purpose: latency, resets, silence, cut transfers, lost replies of COMMIT.

It runs an asyncio loop in a thread of its own; its methods may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
import struct
import threading
from collections.abc import Callable

READ_SIZE = 64 * 1024
COM_QUERY = 0x03
OK_PACKET = 0x00


class Link:
    """One proxied connection: what the client and the server hang on."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.broken_commit: CommitFault | None = None  # its reply is still to come

    def reset(self) -> None:
        """Both sides see a connection reset by its peer."""
        for writer in (self.client, self.server):
            _reset(writer)


class TcpProxy:
    """Forwards a loopback port to `(host, port)`. Use as a context manager.

    latency: seconds that each chunk waits in each direction.
    """

    def __init__(self, host: str, port: int, *, latency: float = 0.0) -> None:
        self.target = (host, port)
        self.latency = latency
        self.host = "127.0.0.1"
        self.port = 0
        self.connections = 0
        self._links: set[Link] = set()
        self._open = asyncio.Event()
        self._cut_after: int | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> TcpProxy:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # --- faults ---

    def reset_all(self) -> None:
        """RST on every open connection; new ones are forwarded."""
        self._call(lambda: [link.reset() for link in list(self._links)])

    def black_hole(self) -> None:
        """From now on nothing passes in either direction, and nothing is closed, until `heal`."""
        self._call(self._open.clear)

    def heal(self) -> None:
        """Ends the black hole: what was held back passes."""
        self._call(self._open.set)

    def cut_after(self, upstream_bytes: int) -> None:
        """Once, on the connection on which the client has sent that many bytes: the server gets them and an end, the
        client a reset."""
        self._call(lambda: setattr(self, "_cut_after", upstream_bytes))

    # --- forwarding ---

    def _call(self, function: Callable[[], object]) -> None:
        async def wrapped() -> None:
            function()

        asyncio.run_coroutine_threadsafe(wrapped(), self._loop).result(10)

    async def _listen(self) -> None:
        self._open.set()
        self._server = await asyncio.start_server(self._accept, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for link in list(self._links):
            link.reset()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            server_reader, server = await asyncio.open_connection(*self.target)
        except OSError:
            _reset(client)
            return
        link = Link(client, server)
        self._links.add(link)
        try:
            pumps = (self._upstream(reader, link), self._downstream(server_reader, link))
            await asyncio.gather(*pumps)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            link.reset()
        finally:
            self._links.discard(link)
            for writer in (client, server):
                with contextlib.suppress(OSError):
                    writer.close()

    async def _upstream(self, reader: asyncio.StreamReader, link: Link) -> None:
        """Client to server."""
        sent = 0
        while chunk := await reader.read(READ_SIZE):
            sent += len(chunk)
            if self._cut_after is not None and sent >= self._cut_after:
                limit, self._cut_after = self._cut_after, None
                await self._forward(chunk[: len(chunk) - (sent - limit)], link.server)
                _reset(link.client)
                link.server.close()
                return
            await self._forward(chunk, link.server)
        await self._finish(link.server)

    async def _downstream(self, reader: asyncio.StreamReader, link: Link) -> None:
        """Server to client."""
        while chunk := await reader.read(READ_SIZE):
            await self._forward(chunk, link.client)
        await self._finish(link.client)

    async def _forward(self, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        if self.latency:
            await asyncio.sleep(self.latency)
        await self._open.wait()
        writer.write(chunk)
        await writer.drain()

    async def _finish(self, writer: asyncio.StreamWriter) -> None:
        """Passes on the end of a stream."""
        await self._open.wait()
        with contextlib.suppress(OSError):
            if writer.can_write_eof():
                writer.write_eof()


class CommitFault(enum.Enum):
    """What happens to a COMMIT on its way."""

    CUT_BEFORE = "the connection is reset before the server sees it: nothing is committed"
    LOSE_REPLY = "the server commits, its OK is thrown away, the connection is reset: committed, unknown to the client"
    SILENCE = "the server commits, its OK is thrown away, the connection stays open: the client waits for its timeout"


class CommitProxy(TcpProxy):
    """A proxy that reads the client/server protocol and breaks the COMMIT that it is told to break: of MySQL, or of
    PostgreSQL (`PostgresCommitProxy`).

    The client must speak plain text (no TLS) without compression. Packets are: 3 bytes length (little endian), 1 byte
    sequence number, payload; a command starts with sequence number 0, its first byte is the kind of command.
    https://mariadb.com/kb/en/0-packet/
    """

    async def _packet(self, reader: asyncio.StreamReader, *, first: bool) -> bytes:
        """One packet with its header; b"" at the end of the stream. first: of the client's."""
        return await _read_packet(reader)

    def _is_commit(self, packet: bytes) -> bool:
        is_command = packet[3] == 0 and len(packet) > 4 and packet[4] == COM_QUERY
        return is_command and packet[5:32].lstrip().upper().startswith(b"COMMIT")

    def _is_done(self, packet: bytes) -> bool:
        return packet[4] == OK_PACKET

    def __init__(self, host: str, port: int, *, latency: float = 0.0) -> None:
        super().__init__(host, port, latency=latency)
        self.commits = 0
        self.happened = threading.Event()
        self._fault: CommitFault | None = None
        self._spare = 0

    def __enter__(self) -> CommitProxy:
        super().__enter__()
        return self

    def break_commit(self, fault: CommitFault, *, after: int = 0) -> None:
        """Breaks one COMMIT of any connection, after `after` more that pass; `happened` is set when it is done."""

        def arm() -> None:
            self.happened.clear()
            self._fault, self._spare = fault, after

        self._call(arm)

    async def _upstream(self, reader: asyncio.StreamReader, link: Link) -> None:
        first = True
        while packet := await self._packet(reader, first=first):
            first = False
            fault = self._fault_for(packet)
            if fault is CommitFault.CUT_BEFORE:
                link.reset()
                self.happened.set()
                return
            link.broken_commit = fault
            await self._forward(packet, link.server)
        await self._finish(link.server)

    async def _downstream(self, reader: asyncio.StreamReader, link: Link) -> None:
        while packet := await self._packet(reader, first=False):
            # a COMMIT that the server itself refuses is not ours to break: its error passes, `happened` stays unset
            if link.broken_commit is None or not self._is_done(packet):
                await self._forward(packet, link.client)
                continue
            self.happened.set()
            if link.broken_commit is CommitFault.LOSE_REPLY:
                link.reset()
                return
            await self._swallow(reader)
            return
        await self._finish(link.client)

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        """Reads on and passes on nothing, not even the end."""
        while await reader.read(READ_SIZE):
            pass

    def _fault_for(self, packet: bytes) -> CommitFault | None:
        if not self._is_commit(packet):
            return None
        self.commits += 1
        if self._fault is None:
            return None
        if self._spare:
            self._spare -= 1
            return None
        fault, self._fault = self._fault, None
        return fault


class PostgresCommitProxy(CommitProxy):
    """The same for PostgreSQL. Messages are: 1 byte kind (the client's first has none), 4 bytes length (big endian, its own
    four bytes in it), payload. https://www.postgresql.org/docs/current/protocol-message-formats.html
    """

    async def _packet(self, reader: asyncio.StreamReader, *, first: bool) -> bytes:
        head = 4 if first else 5
        try:
            header = await reader.readexactly(head)
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            return b""
        return header + await reader.readexactly(int.from_bytes(header[-4:], "big") - 4)

    def _is_commit(self, packet: bytes) -> bool:
        return packet[:1] == b"Q" and packet[5:11].upper() == b"COMMIT"

    def _is_done(self, packet: bytes) -> bool:
        return packet[:1] == b"C"


async def _read_packet(reader: asyncio.StreamReader) -> bytes:
    """One MySQL packet with its header; b"" at the end of the stream."""
    try:
        header = await reader.readexactly(4)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return b""
    return header + await reader.readexactly(int.from_bytes(header[:3], "little"))


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN: closing a socket that lingers for zero seconds."""
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
