"""What one connection and one person may take: slow ones end, many of one do not keep another one's page from coming."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress

import httpx
import pytest

from corpus_pipeline.service.queries import rows as queries_rows
from corpus_pipeline.service.queries import statistics
from corpus_pipeline.states import Stage
from corpus_pipeline.store.row_queries import Filter
from corpus_pipeline.web import create_app, users
from corpus_pipeline.web import shares as web_shares
from corpus_pipeline.web.connections import Limits
from corpus_pipeline.web.diff import MOST_TURNS, PAGE, compared
from corpus_pipeline.web.options import Options, Role
from corpus_pipeline.web.serve import start_background
from corpus_pipeline.web.shares import Kind, Shares, give_way

QUICK = Limits(header_seconds=0.3, body_seconds=0.3, reader_seconds=0.3, by_address=5, in_all=8)
TOKEN = "a token of this test"
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def refused_at_once(monkeypatch):
    monkeypatch.setattr(web_shares, "_REFUSAL_SECONDS", 0.0)


@contextmanager
def served(corpus, limits: Limits, **options) -> Iterator[str]:
    """The row browser on a port of its own; yields host:port."""
    chosen = Options(port=0, token=TOKEN, **options) if "login" not in options else Options(port=0, **options)
    running = start_background(create_app(corpus, chosen), chosen, limits=limits)
    try:
        yield running.url.removeprefix("http://")
    finally:
        running.stop()


def connected(place: str) -> socket.socket:
    host, port = place.split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server ends the connection; a server that never does ends the test by its time limit."""
    got = b""
    try:
        while part := connection.recv(1 << 16):
            got += part
    except ConnectionError:
        pass
    return got


def asks(path: str, place: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {place}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /files HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Part: ",
        b"\r\n\r\n",
        b"POST /pause HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nreason=",
        b"POST /pause HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    ],
    ids=["nothing", "headers", "empty lines", "body", "chunks"],
)
def test_a_request_that_is_never_whole_ends(corpus, begun):
    with served(corpus, QUICK) as place, connected(place) as slow:
        slow.sendall(begun)
        said = rest(slow)
    assert said.startswith((b"HTTP/1.1 408", b"HTTP/1.1 403", b"HTTP/1.1 401")), said


def test_a_body_that_trickles_into_an_answer_that_is_there_ends_too(corpus):
    with served(corpus, QUICK) as place, connected(place) as slow:
        head = f"POST /pause HTTP/1.1\r\nHost: {place}\r\nContent-Length: 1000000\r\n\r\n"
        slow.sendall(head.encode())
        ended = threading.Event()

        def trickle() -> None:
            while not ended.wait(0.05):
                try:
                    slow.send(b"x")
                except OSError:
                    return

        sender = threading.Thread(target=trickle)
        sender.start()
        said = rest(slow)
        ended.set()
        sender.join()
    assert said.startswith(b"HTTP/1.1 403")


def test_a_second_request_on_a_kept_connection_has_the_same_time(corpus):
    with served(corpus, QUICK) as place, connected(place) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert slow.recv(12) == b"HTTP/1.1 200"
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        assert b"HTTP/1.1 408" in rest(slow)


def test_half_a_request_behind_a_whole_one_ends_too(corpus):
    with served(corpus, QUICK) as place, connected(place) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /healthz HTTP/1.1\r\nHost:")
        assert rest(slow).startswith(b"HTTP/1.1 200")


def test_headers_without_end_are_cut_off(corpus):
    with served(corpus, Limits(header_bytes=4096)) as place, connected(place) as greedy:
        greedy.sendall(b"GET /files HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        try:
            for number in range(100_000):
                greedy.sendall(b"X-%d: %s\r\n" % (number, b"x" * 100))
        except OSError:
            return
        assert rest(greedy).startswith(b"HTTP/1.1 431")


async def _counts(scope, receive, send) -> None:
    """Answers with the bytes of the body and the names of the headers, as they are once the body is there."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    said = b"%d %s" % (size, b" ".join(name for name, _ in scope["headers"]))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said})


@contextmanager
def counting(limits: Limits) -> Iterator[str]:
    running = start_background(_counts, Options(port=0), limits=limits)
    try:
        yield running.url.removeprefix("http://")
    finally:
        running.stop()


CHUNKED = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "more"),
    [(b"1\r\na\r\n0\r\n", b"a: b\r\n" * 100), (b"1\r\na\r\n0\r\na: ", b"x" * 1000), (b"1;a=", b"x" * 1000)],
    ids=["trailers", "one trailer", "an extension of a chunk"],
)
def test_what_is_beside_a_body_without_end_is_cut_off(begun, more):
    with counting(Limits(header_bytes=4096, body_seconds=20)) as place, connected(place) as greedy:
        greedy.sendall(CHUNKED + begun)
        sent = 0
        try:
            while sent < 16 << 20:
                sent += greedy.send(more * 16)
        except OSError:
            return
        assert rest(greedy).startswith(b"HTTP/1.1 431"), "16 MiB were taken"


def test_a_trailer_is_no_header_and_small_chunks_are_a_body():
    with counting(Limits(header_bytes=4096)) as place, connected(place) as own:
        own.sendall(CHUNKED)
        own.sendall(b"1\r\nz\r\n" * 20_000)
        own.sendall(b"0\r\nx-user: admin\r\n\r\n")
        assert b"\r\n20000 host connection transfer-encoding\r\n" in rest(own)


def test_who_reads_no_answer_is_cut_off(corpus):
    with served(corpus, QUICK) as place:
        host, port = place.split(":")
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(30)
            slow.connect((host, int(port)))
            asked = asks("/static/htmx.min.js", place)
            for _ in range(400):  # answers of 20 MB that nobody reads
                try:
                    slow.sendall(asked)
                except OSError:
                    break
            said = rest_after(slow)
    assert len(said) < 400 * 40_000


def rest_after(connection: socket.socket) -> bytes:
    """What is left to read after the server had time to see that nobody reads."""
    threading.Event().wait(1.0)
    return rest(connection)


def test_half_open_connections_keep_nobody_out(corpus):
    """Ten times as many as there are places, of the same address: the oldest go, and a page comes."""
    limits = Limits(by_address=5, in_all=8)
    with served(corpus, limits) as place, ExitStack() as stack:
        half = [stack.enter_context(connected(place)) for _ in range(50)]
        for connection in half:
            with suppress(ConnectionError):
                connection.sendall(b"GET /files HTTP/1.1\r\n")
        with connected(place) as own:
            own.sendall(asks("/files.json", place))
            assert own.recv(12) == b"HTTP/1.1 200"
        ended = [connection for connection in half if rest(connection) == b""]  # the others are told 408 in their time
    assert len(ended) >= 50 - limits.by_address


def test_a_connection_that_is_being_answered_makes_no_room(corpus, monkeypatch):
    begun, go = threading.Event(), threading.Event()

    def waits(*_: object) -> dict[str, object]:
        begun.set()
        assert go.wait(30)
        return {}

    monkeypatch.setattr("corpus_pipeline.service.queries.progress.progress", lambda *_: [waits()][:0])
    with served(corpus, Limits(by_address=3, in_all=8)) as place, ExitStack() as stack:
        own = stack.enter_context(connected(place))
        own.sendall(asks("/files.json", place))
        assert begun.wait(30)
        for _ in range(20):
            stack.enter_context(connected(place)).sendall(b"GET")
        go.set()
        assert own.recv(12) == b"HTTP/1.1 200"


@pytest.fixture
def team(tmp_path):
    path = tmp_path / "users.json"
    for name in ("vera", "vic"):
        users.add(path, name, PASSWORD, Role.VIEWER)
    return path


def logged_in(place: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=f"http://{place}", timeout=60, limits=httpx.Limits(max_connections=100))
    page = client.get("/login").text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    fields = {"csrf": token, "name": name, "password": PASSWORD}
    assert client.post("/login", data=fields, headers={"Origin": f"http://{place}"}).status_code == 303
    return client


def test_sixty_statistics_of_one_viewer_do_not_keep_another_one_waiting(corpus, team, monkeypatch):
    """While every statistic hangs, vera's sixty are at most a few that run and a few that wait, and vic's pages come."""
    go, running, most = threading.Event(), [0], [0]

    def hangs(*_: object, **__: object) -> object:
        running[0] += 1
        most[0] = max(most[0], running[0])
        assert go.wait(60)
        running[0] -= 1
        raise FileNotFoundError

    share = Kind.QUESTION.value
    monkeypatch.setattr(statistics, "takes_long", hangs)
    with ExitStack() as stack:
        place = stack.enter_context(served(corpus, Limits(by_address=200), login=True, users=team))
        pool = stack.enter_context(ThreadPoolExecutor(60))
        with closing(logged_in(place, "vera")) as vera, closing(logged_in(place, "vic")) as vic:
            refused = threading.Semaphore(0)

            def ask() -> int:
                answer = vera.get("/files/hostile/statistics")
                if answer.status_code == 429:
                    assert "Retry-After" in answer.headers and "under way" in answer.text
                    refused.release()
                return answer.status_code

            asked = [pool.submit(ask) for _ in range(60)]
            for _ in range(60 - share.running - share.waiting):
                assert refused.acquire(timeout=60)
            try:
                assert [vic.get(path).status_code for path in ("/files", "/cost", "/files/hostile/rows/1")] == [200] * 3
            finally:
                go.set()
            found = [one.result() for one in asked]
    assert found.count(429) == 60 - share.running - share.waiting
    assert most[0] == share.running


def test_selections_of_one_viewer_are_made_one_at_a_time(corpus, team, monkeypatch):
    """Each takes a processor: vera's second one waits, the fifth is refused, and vic's pages come."""
    go, running, most = threading.Event(), [0], [0]

    def hangs(*_: object, **__: object) -> Iterator[bytes]:
        running[0] += 1
        most[0] = max(most[0], running[0])
        yield b"{}\n"
        assert go.wait(60)
        running[0] -= 1

    monkeypatch.setattr(queries_rows, "selection", hangs)
    share = Kind.SELECTION.value
    with ExitStack() as stack:
        place = stack.enter_context(served(corpus, Limits(by_address=200), login=True, users=team))
        pool = stack.enter_context(ThreadPoolExecutor(60))
        with closing(logged_in(place, "vera")) as vera, closing(logged_in(place, "vic")) as vic:
            refused = threading.Semaphore(0)

            def ask() -> int:
                code = vera.get("/files/hostile/selection.jsonl").status_code
                if code == 429:
                    refused.release()
                return code

            asked = [pool.submit(ask) for _ in range(20)]
            for _ in range(20 - share.running - share.waiting):
                assert refused.acquire(timeout=60)
            try:
                assert [vic.get(path).status_code for path in ("/files", "/files/hostile/rows/1")] == [200] * 2
            finally:
                go.set()
            found = [one.result() for one in asked]
    assert found.count(200) == share.running + share.waiting and most[0] == share.running == 1


def admitted(asked: bytes, place: str) -> socket.socket:
    """A connection whose request was let in, to wait its turn: as soon as the server has seen that others are gone."""
    for _ in range(100):
        own = connected(place)
        own.sendall(asked)
        own.settimeout(0.5)
        try:
            assert own.recv(12) == b"HTTP/1.1 429"
        except TimeoutError:
            return own
        own.close()
    raise AssertionError("no place becomes free")


def test_a_page_that_was_closed_while_it_waited_is_not_made(corpus, team, monkeypatch):
    go, made = threading.Event(), []

    def hangs(*_: object, **__: object) -> object:
        made.append(1)
        assert go.wait(60)
        raise FileNotFoundError

    share = Kind.QUESTION.value
    monkeypatch.setattr(statistics, "takes_long", hangs)
    with served(corpus, Limits()) as place, ExitStack() as stack:
        for _ in range(share.running + share.waiting):
            stack.enter_context(connected(place)).sendall(asks("/files/hostile/statistics.json", place))
        with connected(place) as last:  # all the others are in by the time that this one is refused
            last.sendall(asks("/files/hostile/statistics.json", place))
            assert last.recv(12) == b"HTTP/1.1 429"
        stack.close()  # the places of those that waited are free at once; those that run go on
        own = stack.enter_context(admitted(asks("/files/hostile/rows/1.json", place), place))
        go.set()
        own.settimeout(30)
        assert own.recv(12) == b"HTTP/1.1 200"
    assert len(made) == share.running


def test_a_row_of_thousands_of_long_turns_is_a_page_of_bounded_size():
    turns = [{"prompt": "\x00" * 20_000, "response": "b", "extra": {"x": "\u202e" * 5000}} for _ in range(2_000)]
    raw, cleaned = compared([("raw", turns), ("cleaned", [turn | {"prompt": "a"} for turn in turns])])
    for column in (raw, cleaned):
        assert len(column.cells) == MOST_TURNS
        shown = sum(len(piece.text) for cell in column.cells for text in cell.messages for piece in text.pieces)
        assert shown <= 2 * PAGE
    hidden = [text.cut for cell in raw.cells for text in cell.messages if text.field == "prompt"]
    assert hidden[0] == 0 and hidden[-1] == 20_000 and "more characters" in raw.cells[-1].extra


async def holding(shares: Shares, name: str, kind: Kind, go: asyncio.Event, work: object = None) -> object:
    async with shares.of(name, kind):
        found = await asyncio.to_thread(work) if callable(work) else None
        await go.wait()
        return found


def seconds_of_a_read() -> float:
    begun = time.monotonic()
    give_way()
    return time.monotonic() - begun


@pytest.mark.parametrize(
    ("greedy", "other", "waits"),
    [
        ("vera", ("vic", Kind.PAGE), True),
        ("vera", ("vera", Kind.PAGE), False),
        ("vera", ("vic", Kind.DOWNLOAD), False),  # it lasts as long as its reader likes
        (None, ("vic", Kind.PAGE), False),
    ],
    ids=["another person's page", "a page of their own", "a download", "who has few"],
)
def test_who_has_many_requests_waits_a_moment_before_each_read(greedy, other, waits):
    async def scene() -> float:
        shares, go = Shares(), asyncio.Event()
        kinds = [Kind.QUESTION] * 9 if greedy else []
        held = [asyncio.ensure_future(holding(shares, greedy, kind, go)) for kind in kinds]
        held.append(asyncio.ensure_future(holding(shares, *other, go)))
        await asyncio.sleep(0)
        reading = asyncio.ensure_future(holding(shares, greedy or "vera", Kind.SELECTION, go, seconds_of_a_read))
        await asyncio.sleep(0.5)
        go.set()
        took = await reading
        await asyncio.gather(*held)
        assert not shares._brief and not shares._under_way
        return took

    assert (asyncio.run(scene()) > 0.2) is waits
    assert seconds_of_a_read() < 0.1  # of a command, which nobody asked for


def test_rows_in_slices_are_the_rows_of_one_look(corpus, monkeypatch):
    monkeypatch.setattr(queries_rows, "_SLICE", -1.0)  # each read ends after the least that it does
    monkeypatch.setattr(queries_rows, "_RANGE", 2)
    for wanted in (Filter(Stage.INGEST), Filter(Stage.INGEST, search="a"), Filter(Stage.CLEAN, search="o")):
        for limit in (1, 3, 200):
            whole = corpus.store.fetch(queries_rows.row_page, "hostile", wanted, limit=limit)
            sliced = queries_rows.row_page_in_slices(corpus.store, "hostile", wanted, after=0, limit=limit)
            assert [row.id for row in sliced.found] == [row.id for row in whole.found] != []
            assert (sliced.next_after is None) == (whole.next_after is None) or sliced.stopped_at is not None
