"""Where exports go: a folder, or a bucket of any S3-compatible store."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from corpus_pipeline.errors import UsageError
from corpus_pipeline.stages.export.targets.base import Check, Damage, Published, Target
from corpus_pipeline.stages.export.targets.folder import FolderTarget

__all__ = ["Check", "Damage", "Published", "Target", "open_target"]


def open_target(
    export_url: str,
    *,
    endpoint_url: str | None = None,
    checksums: Literal["when_required", "when_supported"] = "when_required",
    addressing: Literal["auto", "path", "virtual"] = "auto",
) -> Target:
    """The target that CORPUS_EXPORT_URL names: a path, file://PATH or s3://BUCKET/PREFIX. Writes nothing yet.

    endpoint_url, checksums, addressing: see `targets.s3_client.connect`. Raises UsageError.
    """
    if export_url.startswith("s3://"):
        # boto3 takes long to import
        from corpus_pipeline.stages.export.targets.s3 import S3Target
        from corpus_pipeline.stages.export.targets.s3_client import connect

        bucket, _, prefix = export_url.removeprefix("s3://").partition("/")
        if not bucket:
            raise UsageError("CORPUS_EXPORT_URL names no bucket. Use s3://BUCKET/PREFIX")
        client = connect(endpoint_url, checksums, addressing)
        either = partial(connect, endpoint_url, checksums, "virtual") if endpoint_url and addressing == "auto" else None
        return S3Target(client, bucket, prefix, addressing=addressing, virtual=either)
    if "://" in export_url and not export_url.startswith("file://"):
        raise UsageError(f"CORPUS_EXPORT_URL {export_url!r} is of no known kind. Use a folder or s3://BUCKET/PREFIX")
    return FolderTarget(Path(export_url.removeprefix("file://")).expanduser().absolute())
