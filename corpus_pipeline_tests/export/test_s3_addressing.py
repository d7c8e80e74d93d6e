"""Where the bucket stands: in the path, or in the host name for stores that refuse the path."""

from __future__ import annotations

import http.server
import socket
import threading

import pytest

from corpus_pipeline.errors import TargetUnavailable, UsageError
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.export.targets import open_target
from corpus_pipeline_tests.export.making import chat, described, rows, spooled

WORDS = {
    "a code of its own": ("SecondLevelDomainForbidden", "Use the third-level domain."),
    "another code": ("PathStyleDomainForbidden", "Forbidden here."),
    "a sentence": ("InvalidRequest", "Only virtual-hosted-style requests are served."),
}


class HostedOnly(http.server.BaseHTTPRequestHandler):
    """A store that serves BUCKET.localhost and refuses a bucket in the path, in `refusal`'s words."""

    protocol_version = "HTTP/1.1"
    refusal = WORDS["a sentence"]

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        objects: dict[str, bytes] = self.server.objects  # type: ignore[attr-defined]
        path = self.path.partition("?")[0]
        if not self.headers["Host"].startswith("shelf."):
            code, sentence = self.refusal
            return self.answer(403, f"<Error><Code>{code}</Code><Message>{sentence}</Message></Error>".encode())
        if self.command == "PUT":
            objects[path] = body
            return self.answer(200, b"")
        if path == "/":
            return self.answer(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        if path not in objects:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
        return self.answer(200, objects[path])

    do_GET = do_PUT = do_HEAD = do_POST = handle_any  # noqa: N815

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store(monkeypatch):
    """(endpoint, its objects); every NAME.localhost is this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), HostedOnly)
    server.objects = {}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    real = socket.getaddrinfo

    def resolve(host, *rest, **more):
        return real("127.0.0.1" if str(host).endswith("localhost") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for name, value in (("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_DEFAULT_REGION", "r")):
        monkeypatch.setenv(name, value)
    yield f"http://localhost:{server.server_address[1]}", server.objects  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("refusal", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("addressing", ["auto", "virtual"])
def test_the_bucket_goes_into_the_host_name_where_the_store_asks_for_it(
    store, tmp_path, monkeypatch, refusal, addressing
):
    monkeypatch.setattr(HostedOnly, "refusal", refusal)
    endpoint, objects = store
    target = open_target("s3://shelf/exports", endpoint_url=endpoint, addressing=addressing)
    data = spooled(tmp_path, rows([chat("q", "a")]))
    target.publish(described(data), data)
    (key,) = [key for key in objects if key.endswith(".jsonl")]
    assert objects[key] == b"".join(line + b"\n" for line in rows([chat("q", "a")]))
    assert target.holds("notes", data.sha256) and not target.holds("notes", "0" * 64)
    objects.pop(key)
    assert not target.holds("notes", data.sha256)


def test_a_store_that_is_told_the_path_and_refuses_it_names_the_setting(store, tmp_path):
    target = open_target("s3://shelf", endpoint_url=store[0], addressing="path")
    check = target.check()
    assert not check.ok and "CORPUS_S3_ADDRESSING=virtual" in check.sentence
    data = spooled(tmp_path, rows([chat("q", "a")]))
    with pytest.raises(TargetUnavailable, match="CORPUS_S3_ADDRESSING"):
        target.publish(described(data), data)


def test_the_setting_knows_its_words():
    assert Settings.from_env({"CORPUS_S3_ADDRESSING": "virtual"}).s3_addressing == "virtual"
    with pytest.raises(UsageError, match="auto, path or virtual"):
        Settings.from_env({"CORPUS_S3_ADDRESSING": "host"})
