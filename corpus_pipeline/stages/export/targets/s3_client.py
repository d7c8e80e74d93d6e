"""The S3 client, and what its errors mean: codes by what follows from them, and advice for people."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from collections.abc import Iterator
from typing import Any, Literal

import boto3
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from urllib3.exceptions import NewConnectionError

from corpus_pipeline.addresses import Forbidden, of_server
from corpus_pipeline.errors import TargetUnavailable
from corpus_pipeline.lazy_patterns import lazily

Checksums = Literal["when_required", "when_supported"]
Addressing = Literal["auto", "path", "virtual"]

ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
DENIED = frozenset({"AccessDenied", "403", "Forbidden"})
EXISTS = frozenset({"PreconditionFailed", "412"})
UNSUPPORTED = frozenset({"NotImplemented", "501", "MethodNotAllowed", "405"})
# another exporter swept or finished our upload, the wire garbled it, the store lost its way or asks to start again
START_AGAIN = frozenset(
    {"NoSuchUpload", "ConditionalRequestConflict", "409", "BadDigest", "InvalidPart", "InternalError", "500"}
)

# a store that wants the bucket in the host name says so in its own words: these, or a sentence about the style
_VIRTUAL_WANTED = frozenset({"SecondLevelDomainForbidden", "PathStyleDomainForbidden", "InvalidPathAccess"})
_STYLE = lazily(r"virtual[- ]?host|path[- ]?style", re.IGNORECASE)
_USE_VIRTUAL = "set CORPUS_S3_ADDRESSING=virtual: this store wants the bucket in the host name"
_USE_PATH = "see whether this host name is known; if only the endpoint alone is, set CORPUS_S3_ADDRESSING=path"

_ADVICE = {
    "NoSuchBucket": "create the bucket, or correct CORPUS_EXPORT_URL",
    "AccessDenied": "grant the key PutObject and GetObject on the prefix",
    "InvalidAccessKeyId": "correct AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "correct AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "renew the AWS credentials",
}


def connect(
    endpoint_url: str | None = None, checksums: Checksums = "when_required", addressing: Addressing = "auto"
) -> Any:
    """A boto3 S3 client with credentials from AWS_*. Raises TargetUnavailable.

    addressing: where the bucket stands, in the path or as virtual host (BUCKET.ENDPOINT); auto is the path for a store of
    your own and boto3's choice for AWS (see `wants_virtual`).

    endpoint_url: of any S3-compatible store; None is AWS.
    checksums: "when_supported" lets boto3 add its CRC headers and trailers, which some S3-compatible stores refuse
    (boto/boto3#4392); our own hashes do not depend on it.
    """
    style = addressing if addressing != "auto" else "path" if endpoint_url else None
    config = Config(
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=20,
        retries={"mode": "standard", "total_max_attempts": 5},
        s3={"addressing_style": style} if style is not None else None,
    )
    try:
        client = boto3.session.Session().client("s3", endpoint_url=endpoint_url, config=config)
    except (BotoCoreError, ValueError) as error:
        raise TargetUnavailable(f"no S3 client: {error}. Set AWS_* and CORPUS_S3_ENDPOINT_URL.") from error
    # every connection of this client goes to an address that was checked; also the one to a proxy
    client._endpoint.http_session._pool_classes_by_scheme.update({"http": _Pool, "https": _SecurePool})
    return client


class _Checked:
    """A connection whose name is resolved once: to addresses that are checked, one of which it is made to."""

    _dns_host: str
    port: int
    in_the_clear = True

    def _new_conn(self) -> Any:
        name = self._dns_host
        try:
            addresses = of_server(name, self.port, in_the_clear=self.in_the_clear)
            for address in addresses:
                self._dns_host = address
                try:
                    return super()._new_conn()  # type: ignore[misc]
                except NewConnectionError:
                    if address == addresses[-1]:
                        raise
        except Forbidden as error:
            raise TargetUnavailable(
                f"CORPUS_S3_ENDPOINT_URL: {error}. Use https, and name the store by the address that it has."
            ) from None
        except OSError as error:
            raise NewConnectionError(self, f"{name} does not resolve: {error}") from error  # type: ignore[arg-type]
        finally:
            self._dns_host = name  # the certificate must have it


class _Connection(_Checked, AWSHTTPConnection):
    pass


class _SecureConnection(_Checked, AWSHTTPSConnection):
    in_the_clear = False


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def wants_virtual(client: Any, bucket: str, key: str) -> bool:
    """Whether the store refuses a bucket in the path. Asked by reading a small object, which need not be there."""
    try:
        client.get_object(Bucket=bucket, Key=key)["Body"].close()
    except ClientError as error:
        return _is_about_style(error)
    except BotoCoreError:  # not to be reached: what is done next says so
        return False
    return False


def _is_about_style(error: Exception) -> bool:
    return code_of(error) in _VIRTUAL_WANTED or (isinstance(error, ClientError) and bool(_STYLE.search(str(error))))


def advice_on(error: ClientError | BotoCoreError, addressing: Addressing) -> str:
    """What to do about what the store, or the way to it, refuses."""
    if _is_about_style(error):
        return _USE_VIRTUAL
    if isinstance(error, EndpointConnectionError) and addressing == "virtual":
        return _USE_PATH
    return _ADVICE.get(code_of(error), "see whether the store is up and CORPUS_S3_ENDPOINT_URL is right")


@contextlib.contextmanager
def explained(place: str, addressing: Addressing = "auto") -> Iterator[None]:
    """Turns what the store or the way to it refuses into TargetUnavailable that says what to do."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        advice = advice_on(error, addressing)
        raise TargetUnavailable(
            f"cannot use {place}: {error}. Do this: {advice}; then run the export again."
            " The previous export is untouched."
        ) from error


def code_of(error: Exception) -> str:
    """The code of a store's answer, "" for any other failure."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def md5(content: bytes) -> str:
    """For Content-MD5, the checksum that most S3-compatible stores check: it guards the wire, not against people."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
