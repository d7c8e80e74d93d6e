"""Copying an object of an S3-compatible store: by ranges of one version of it, gone on with after a cut."""

from __future__ import annotations

import time
from pathlib import PurePosixPath
from typing import Any

from corpus_pipeline.errors import StopJob, UsageError
from corpus_pipeline.jobs.remote.copies import Copy, Fetched, OnBytes, Remote, safe_name
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.ingest.identity import DATASET_SUFFIXES

_MOST_OBJECTS = 10_000  # below one prefix
_MOST_FRUITLESS = 5
_WAIT_SECONDS = 0.5
_PIECE = 1 << 20
_CHANGED = ("PreconditionFailed", "412", "InvalidRange", "416")


def listed(address: str, settings: Settings) -> list[Remote]:
    """The object at an address, or the dataset files below it. Raises UsageError, StopJob."""
    bucket, key = _split(address)
    client = _client(settings, bucket, key)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if key and not key.endswith("/") and _is_object(client, bucket, key):
            return [_remote(bucket, key)]
        prefix = key if key.endswith("/") or not key else f"{key}/"
        keys = []
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            keys += [entry["Key"] for entry in page.get("Contents", ())]
            if len(keys) > _MOST_OBJECTS:
                raise UsageError(f"{address}: more than {_MOST_OBJECTS:,} objects lie there; name a longer prefix")
    except (ClientError, BotoCoreError) as error:
        raise _explained(address, error) from None
    found = [key for key in keys if key.lower().endswith(DATASET_SUFFIXES)]
    if not found:
        raise UsageError(
            f"{address}: no such object, and none below it ends in {', '.join(DATASET_SUFFIXES)}"
            f" ({len(keys):,} others do lie there)"
        )
    return [_remote(bucket, key) for key in sorted(found)]


def fetch(copy: Copy, settings: Settings, on_bytes: OnBytes) -> Fetched:
    """Copy the object. Raises UsageError, StopJob, and what `on_bytes` raises."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = _split(copy.remote.address)
    client = _client(settings, bucket, key)
    fruitless = 0
    while True:
        before = copy.begun
        try:
            done = _attempt(client, bucket, key, copy, settings, on_bytes)
            if done is not None:
                return done
            problem = f"the connection ended after {copy.begun:,} of {copy.size or 0:,} bytes"
        except ClientError as error:
            if _code(error) not in _CHANGED:
                raise _explained(copy.remote.address, error) from None
            copy.begin(None, None, settings.download_limit)
            problem = "the object is another one than before"
        except (BotoCoreError, OSError) as error:
            problem = str(error)
        fruitless = 0 if copy.begun > before else fruitless + 1
        if fruitless >= _MOST_FRUITLESS:
            raise StopJob(
                f"{copy.remote.address}: {problem}. {copy.begun:,} bytes are kept; the same command goes on with them."
            )
        time.sleep(_WAIT_SECONDS * fruitless)


def _attempt(client: Any, bucket: str, key: str, copy: Copy, settings: Settings, on_bytes: OnBytes) -> Fetched | None:
    """One request; None when the connection ended before the object did."""
    head = client.head_object(Bucket=bucket, Key=key)
    version, size = str(head["ETag"]), int(head["ContentLength"])
    if copy.version != version:
        copy.begin(version, size, settings.download_limit)
    elif copy.is_made:
        return copy.again()
    copy.check_room(size, settings.download_limit)
    if copy.begun < size:
        wanted = {"Range": f"bytes={copy.begun}-"} if copy.begun else {}
        body = client.get_object(Bucket=bucket, Key=key, IfMatch=version, **wanted)["Body"]
        with copy.part.open("ab") as out:
            for piece in body.iter_chunks(_PIECE):
                if copy.begun + len(piece) > size:
                    raise OSError("more bytes came than were asked for")
                out.write(piece)
                copy.begun += len(piece)
                on_bytes(copy.begun, size)
    elif size == 0:
        copy.part.touch()
    return copy.finish() if copy.begun == size else None


def _split(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not bucket:
        raise UsageError(f"{address}: names no bucket. Use s3://BUCKET/KEY, or s3://BUCKET/PREFIX/ for all below it")
    return bucket, key


def _remote(bucket: str, key: str) -> Remote:
    address = f"s3://{bucket}/{key}"
    return Remote(address, address, safe_name(PurePosixPath(key).name))


def _client(settings: Settings, bucket: str, key: str) -> Any:
    # boto3 takes long to import
    from corpus_pipeline.stages.export.targets.s3_client import connect, wants_virtual

    endpoint, style = settings.s3_endpoint_url, settings.s3_addressing
    client = connect(endpoint, addressing=style)
    if endpoint and style == "auto" and wants_virtual(client, bucket, key or "?"):
        client = connect(endpoint, addressing="virtual")
    return client


def _is_object(client: Any, bucket: str, key: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _code(error) in ("404", "NoSuchKey", "NotFound"):
            return False
        raise
    return True


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _explained(address: str, error: Exception) -> UsageError | StopJob:
    from corpus_pipeline.stages.export.targets.s3_client import code_of

    code = code_of(error)
    advice = {
        "NoSuchBucket": "there is no such bucket",
        "404": "there is no such object",
        "NoSuchKey": "there is no such object",
        "403": "the key of AWS_ACCESS_KEY_ID may not read it: grant it GetObject and ListBucket",
        "AccessDenied": "the key of AWS_ACCESS_KEY_ID may not read it: grant it GetObject and ListBucket",
        "InvalidAccessKeyId": "correct AWS_ACCESS_KEY_ID",
        "SignatureDoesNotMatch": "correct AWS_SECRET_ACCESS_KEY",
        "ExpiredToken": "renew the AWS credentials",
    }.get(code)
    if advice is not None:
        return UsageError(f"{address}: {advice}.")
    return StopJob(f"{address}: {error}. See whether the store is up and CORPUS_S3_ENDPOINT_URL is right.")
