"""An HTTP server of files that does what servers do to those who copy from them: ranges, entity tags, cuts, redirections,
changes between two requests; and the part of the Hugging Face hub's API by which its library finds the files of a dataset."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    status: int = 0


@dataclass
class FileServer:
    """files: path -> bytes. What may be set while it runs: cuts: bytes after which the next answers break off; refuse: statuses
    of the next answers; tags: whether entity tags are sent (`strong`, `weak`, `none`); ranges: whether ranges are honoured;
    redirects: path -> Location; lie_about_range: answer a range with another one."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    refuse: list[int] = field(default_factory=list)
    tags: str = "strong"
    ranges: bool = True
    chunked: bool = False
    lie_about_range: bool = False
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)  # OWNER/NAME -> answer of the hub's API
    private: str = ""  # the token without which datasets are not there
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_dataset(self, name: str, files: dict[str, bytes], *, configs: list[Any] | None = None) -> str:
        """A dataset with these files; returns its commit."""
        commit = hashlib.sha1(json.dumps(sorted(files)).encode()).hexdigest()
        card = {} if configs is None else {"cardData": {"configs": configs}}
        self.datasets[name] = {
            "id": name,
            "sha": commit,
            "siblings": [{"rfilename": path} for path in [".gitattributes", "README.md", *files]],
            **card,
        }
        for path, content in files.items():
            self.files[f"/blobs/{commit}/{path}"] = content
            self.redirects[f"/datasets/{name}/resolve/{commit}/{path}"] = f"/blobs/{commit}/{path}"
        return commit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def files(self) -> FileServer:
        return self.server.files  # type: ignore[attr-defined]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        own, seen = self.files, Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
        own.asked.append(seen)
        if own.refuse:
            seen.status = self._say(own.refuse.pop(0), b"not now")
        elif path in own.redirects:
            seen.status = self._say(302, b"", {"Location": own.redirects[path]})
        elif path.startswith("/api/datasets/"):
            seen.status = self._dataset("/".join(path.split("/")[3:5]), path, seen)
        elif path in own.files:
            seen.status = self._file(own.files[path], seen)
        else:
            seen.status = self._say(404, b"no such file")

    def _dataset(self, name: str, path: str, seen: Asked) -> int:
        own = self.files
        allowed = not own.private or seen.headers.get("authorization") == f"Bearer {own.private}"
        if name not in own.datasets or not allowed:
            return self._say(404, b"{}", {"X-Error-Code": "RepoNotFound", "Content-Type": "application/json"})
        if "/revision/" in path and path.rpartition("/")[2] not in (own.datasets[name]["sha"], "main"):
            return self._say(404, b"{}", {"X-Error-Code": "RevisionNotFound", "Content-Type": "application/json"})
        return self._say(200, json.dumps(own.datasets[name]).encode(), {"Content-Type": "application/json"})

    def _file(self, content: bytes, seen: Asked) -> int:
        own, headers = self.files, dict[str, str]()
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        if own.tags != "none":
            headers["ETag"] = tag if own.tags == "strong" else f"W/{tag}"
        if seen.headers.get("if-none-match") == tag:
            return self._say(304, b"", headers)
        start, status = 0, 200
        asked = seen.headers.get("range")
        if asked and own.ranges and seen.headers.get("if-range") == headers.get("ETag"):
            start, status = int(asked.removeprefix("bytes=").rstrip("-")), 206
            if start >= len(content):
                return self._say(416, b"", headers)
            start = max(0, start - 7) if own.lie_about_range else start
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self._say(status, content[start:], headers, cut=own.cuts.pop(0) if own.cuts else None)

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None) -> int:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.files.chunked and status == 200:
            self.send_header("Transfer-Encoding", "chunked")
        elif status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD" or status == 304:
            return status
        sent = body if cut is None else body[:cut]
        if self.files.chunked and status == 200:
            self.wfile.write(f"{len(sent):x}\r\n".encode() + sent + b"\r\n" + (b"0\r\n\r\n" if cut is None else b""))
        else:
            self.wfile.write(sent)
        if cut is not None:
            self.close_connection = True
        return status

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running() -> Iterator[FileServer]:
    """A server on a loopback port."""
    files = FileServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.files = files  # type: ignore[attr-defined]
    files.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
