from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from corpus_pipeline_tests.servers.tcp_proxy import TcpProxy


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := self.request.recv(65536):
                self.server.received += len(data)
                self.request.sendall(data)


@pytest.fixture
def echo() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        server.received = 0
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy(echo) -> Iterator[TcpProxy]:
    with TcpProxy(*echo.server_address) as proxy:
        yield proxy


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection((proxy.host, proxy.port), timeout=5)


def say(client: socket.socket, text: bytes) -> bytes:
    client.sendall(text)
    return client.recv(1024)


def test_it_forwards_both_ways_and_passes_on_the_end(proxy):
    with connect(proxy) as client:
        assert say(client, b"hello") == b"hello"
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1024) == b""


def test_latency_is_added_in_each_direction(proxy):
    proxy.latency = 0.1
    with connect(proxy) as client:
        started = time.monotonic()
        assert say(client, b"hello") == b"hello"
        assert time.monotonic() - started >= 0.2


def test_a_reset_ends_open_connections_and_lets_new_ones_pass(proxy):
    with connect(proxy) as client:
        assert say(client, b"hello") == b"hello"
        proxy.reset_all()
        with pytest.raises(ConnectionResetError):
            client.recv(1024)
    with connect(proxy) as client:
        assert say(client, b"again") == b"again"


def test_a_black_hole_answers_nothing_until_it_is_healed(proxy):
    with connect(proxy) as client:
        assert say(client, b"hello") == b"hello"
        proxy.black_hole()
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            say(client, b"lost?")
        proxy.heal()
        client.settimeout(5)
        assert client.recv(1024) == b"lost?"


def test_a_transfer_is_cut_after_as_many_bytes_as_asked(proxy, echo):
    proxy.cut_after(100_000)
    with connect(proxy) as client, pytest.raises(OSError):
        client.sendall(b"x" * 1_000_000)
        while client.recv(65536):
            pass
        raise AssertionError("the connection ended without an error")
    deadline = time.monotonic() + 5
    while echo.received < 100_000 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert echo.received == 100_000
    with connect(proxy) as client:
        assert say(client, b"again") == b"again"


def test_a_target_that_is_gone_resets_the_client():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        # the reset may come before `connect` has returned
        with TcpProxy(*unused.getsockname()) as proxy, pytest.raises(ConnectionResetError), connect(proxy) as client:
            client.recv(1024)
