"""A bucket of any S3-compatible store as export target.

    <prefix>/<name>/<name>-<sha256>.jsonl   never changes: its name holds the hash of its content
    <prefix>/<name>/manifest.json           points to it; written last
    <prefix>/<name>/README.md               dataset card of this export
    <prefix>/<name>/croissant.json          the same for data catalogues
    <prefix>/dataset_info.json, README.md   cover all exports below the prefix

Needed permissions on the prefix: PutObject, GetObject, AbortMultipartUpload, ListBucket and ListBucketMultipartUploads;
none to delete, but for `corpus remove --objects`. Without the two lists an export still works: it then says that the
overview and the leftovers of killed uploads were not looked after. What a store may lack (conditional writes,
checksums) is not needed for correctness either: an uploaded file is read back and hashed before the manifest points to
it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError

from corpus_pipeline.errors import TargetUnavailable
from corpus_pipeline.stages.export import proof
from corpus_pipeline.stages.export.croissant import CROISSANT
from corpus_pipeline.stages.export.dataset_cards import CARD, overview
from corpus_pipeline.stages.export.manifest import StoredFile, parse, stored_files
from corpus_pipeline.stages.export.targets.base import (
    MANIFEST,
    Check,
    Damage,
    OnStep,
    Target,
    blocks,
    file_suffix,
)
from corpus_pipeline.stages.export.targets.s3_client import (
    ABSENT,
    DENIED,
    EXISTS,
    START_AGAIN,
    UNSUPPORTED,
    Addressing,
    code_of,
    explained,
    md5,
    wants_virtual,
)
from corpus_pipeline.stages.export.writer import FileFacts

PART_BYTES = 8 << 20
_MOST_PARTS = 9_000  # S3 allows 10,000
_UPLOADS = 3
_PROBE = ".corpus-pipeline-check"
_PROBE_CONTENT = b"written by a check\n"
_BESIDE = (MANIFEST, CROISSANT, CARD, proof.LEAVES, proof.ENVELOPE)  # what lies beside the data of an export
_CONTENT_TYPES = {"json": "application/json", "md": "text/markdown"}

T = TypeVar("T")


class S3Target(Target):
    """Exports below one prefix of a bucket."""

    def __init__(
        self,
        client: Any,
        bucket: str,
        prefix: str = "",
        *,
        part_bytes: int = PART_BYTES,
        addressing: Addressing = "auto",
        virtual: Callable[[], Any] | None = None,
    ) -> None:
        """addressing: of the client, for messages. virtual: makes a client with the other addressing; the first request
        finds out whether the store asks for it."""
        self._given = client
        self._addressing = addressing
        self._virtual = virtual
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._part_bytes = part_bytes

    @property
    def _client(self) -> Any:
        if self._virtual is not None:
            make, self._virtual = self._virtual, None
            if wants_virtual(self._given, self._bucket, self._key(_PROBE)):
                self._given, self._addressing = make(), "virtual"
        return self._given

    def uri(self, path: str) -> str:
        return f"s3://{self._bucket}/{self._key(path)}"

    def check(self) -> Check:
        try:
            self._put(_PROBE, _PROBE_CONTENT)
            with self._explained(), self._open(_PROBE) as stream:
                whole = stream.read() == _PROBE_CONTENT
            conditional = self._refuses_overwrite()
            listings = {"objects": self._listed(self._folders()), "uploads": self._listed(self._open_uploads(""))}
        except (TargetUnavailable, FileNotFoundError) as error:
            return Check(False, str(error))
        if not whole:
            return Check(False, f"{self.uri(_PROBE)} came back with other bytes. Do not trust this store.")
        sentence = f"exports go to {self.uri('')}"
        if not conditional:
            sentence += "; the store ignores conditional writes, which does no harm here"
        unlisted = [what for what, found in listings.items() if found is None]
        if unlisted:
            sentence += f"; the key may not list {' and '.join(unlisted)}, so nobody looks after these"
        return Check(True, sentence, conditional_writes=conditional)

    def refresh_overview(self) -> list[str]:
        """Writes the overview until a look at the manifests afterwards finds nothing new: no one's entry is lost."""
        exports = self._manifests()
        while exports is not None:
            for path, content in overview(exports).items():
                self._put(path, content)
            before, exports = exports, self._manifests()
            if exports == before:
                return []
        return [f"the key may not list {self.uri('')}: dataset_info.json and README.md were not renewed"]

    def _prepare(self, folder: str) -> list[str]:
        """Aborts the uploads that killed exporters of this dataset file left open."""
        uploads = self._listed(self._open_uploads(f"{folder}/"))
        if uploads is None:
            return ["unfinished uploads could not be listed: set a lifecycle rule that aborts them"]
        for key, upload in uploads:
            with contextlib.suppress(ClientError):  # it may have been completed or aborted in between
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
        return []

    def _stored(self, role: str, folder: str, file: FileFacts) -> StoredFile:
        path = f"{folder}-{file.sha256}{file_suffix(role, file.compression)}"
        return StoredFile(role, path, None, file.lines, file.bytes, file.sha256, file.compression)  # type: ignore[arg-type]

    def _put_file(self, folder: str, stored: StoredFile, file: FileFacts, on_step: OnStep) -> None:
        """Uploads and reads back until what is there is right; an earlier or another exporter may have seen to that."""
        refusal = ""
        for _ in range(_UPLOADS):
            damage = self._damage(folder, stored)
            if damage is None:
                return
            with self._explained():
                try:
                    self._upload(f"{folder}/{stored.path}", stored, file, on_step, overwrite=not damage.missing)
                except ClientError as error:
                    if code_of(error) not in START_AGAIN:
                        raise
                    refusal = f" (the store's last word: {error})"
            on_step(f"{stored.role}.verify.before")
        damage = self._damage(folder, stored)
        if damage is not None:
            raise TargetUnavailable(
                f"{self.uri(damage.path)} was uploaded {_UPLOADS} times, and still {damage.sentence}{refusal}."
                " Check the store and what lies between, then run the export again. The previous export is untouched."
            )

    def _upload(self, path: str, stored: StoredFile, file: FileFacts, on_step: OnStep, *, overwrite: bool) -> None:
        arguments = {
            "Bucket": self._bucket,
            "Key": self._key(path),
            "ContentType": "application/gzip" if stored.compression == "gzip" else "application/jsonl",
            "Metadata": {"sha256": stored.sha256},
        }
        with file.path.open("rb") as stream:
            if file.bytes > self._part_bytes:
                self._upload_parts(stream, file.bytes, stored.role, arguments, on_step, overwrite=overwrite)
            else:
                body = stream.read()
                on_step(f"{stored.role}.put.before")
                self._conditionally(
                    lambda **condition: self._client.put_object(
                        **arguments, Body=body, ContentMD5=md5(body), **condition
                    ),
                    overwrite,
                )
        on_step(f"{stored.role}.put.after")

    def _upload_parts(
        self, stream: BinaryIO, size: int, role: str, arguments: dict[str, Any], on_step: OnStep, *, overwrite: bool
    ) -> None:
        place = {key: arguments[key] for key in ("Bucket", "Key")}
        upload = self._client.create_multipart_upload(**arguments)["UploadId"]
        try:
            parts = []
            for number, body in enumerate(blocks(stream, max(self._part_bytes, -(-size // _MOST_PARTS))), start=1):
                on_step(f"{role}.part.before")
                answer = self._client.upload_part(
                    **place, UploadId=upload, PartNumber=number, Body=body, ContentMD5=md5(body)
                )
                sums = {key: value for key, value in answer.items() if key.startswith("Checksum")}
                parts.append({"PartNumber": number, "ETag": answer["ETag"], **sums})
                on_step(f"{role}.part.after")
            on_step(f"{role}.complete.before")
            written = self._conditionally(
                lambda **condition: self._client.complete_multipart_upload(
                    **place, UploadId=upload, MultipartUpload={"Parts": parts}, **condition
                ),
                overwrite,
            )
        except Exception:
            self._abort(place, upload)
            raise
        if not written:
            self._abort(place, upload)

    def _abort(self, place: Mapping[str, str], upload: str) -> None:
        with contextlib.suppress(ClientError, BotoCoreError):
            self._client.abort_multipart_upload(**place, UploadId=upload)

    def _conditionally(self, call: Callable[..., Any], overwrite: bool) -> bool:
        """Writes only where nothing is, if the store can; False when something is there, named by our hash."""
        try:
            call(**({} if overwrite else {"IfNoneMatch": "*"}))
        except ClientError as error:
            if code_of(error) in EXISTS:
                return False
            if overwrite or code_of(error) not in UNSUPPORTED:
                raise
            call()
        return True

    def _put(self, path: str, content: bytes) -> None:
        with self._explained():
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(path),
                Body=content,
                ContentType=_CONTENT_TYPES.get(path.rpartition(".")[2], "text/plain"),
                ContentMD5=md5(content),
            )

    def _put_large(self, path: str, file: FileFacts) -> None:
        stored = StoredFile("data", path, None, file.lines, file.bytes, file.sha256, file.compression)
        with self._explained():
            self._upload(path, stored, file, lambda step: None, overwrite=True)

    def _tidy(self, folder: str, files: tuple[StoredFile, ...], on_step: OnStep) -> None:
        """Older versions stay: the key may not delete. A lifecycle rule of the bucket can."""

    def _there(self, folder: str, stored: StoredFile) -> bool:
        return True  # nothing is ever deleted here

    def _is_whole(self, folder: str, stored: StoredFile) -> bool:
        with self._explained():
            try:
                head = self._client.head_object(Bucket=self._bucket, Key=self._key(f"{folder}/{stored.path}"))
            except ClientError as error:
                if code_of(error) in ABSENT | DENIED:
                    return False
                raise
        return int(head["ContentLength"]) == stored.bytes

    def _take_back(self, folder: str, objects: bool) -> tuple[list[str], list[str]]:
        """The manifest first: who begins with it finds all or nothing. The objects go when somebody asks for it: exporting
        needs no key that may delete."""
        place, manifest = self.uri(folder), self._old_manifest(folder)
        listed = self._listed(self._objects(f"{folder}/"))
        keys = [] if listed is None else [key for key in listed if self._is_ours(folder, key)]
        if listed is None:  # older versions are not found then
            named = [file.path for file in stored_files(manifest)] if manifest is not None else []
            keys = [self._key(f"{folder}/{name}") for name in (*_BESIDE, *named)] if manifest is not None else []
        if not keys:
            return [], []
        if not objects:
            return [], [
                f"{len(keys)} objects below {place}: an export needs no key that may delete; --objects deletes them"
            ]
        removed, left = self._delete([self._key(f"{folder}/{MANIFEST}"), *keys])
        if listed is None:
            left.append(f"older versions below {place}, if any: the key may not list them; delete them there")
        elif len(listed) > len(keys):
            left.append(f"{place}: objects that are not ours lie there")
        return removed, [*left, *self.refresh_overview()]

    def _delete(self, keys: Sequence[str]) -> tuple[list[str], list[str]]:
        """(addresses that were deleted, what was not: one sentence)."""
        removed, kept, hidden = list[str](), list[str](), 0
        for key in dict.fromkeys(keys):
            address = f"s3://{self._bucket}/{key}"
            with self._explained():
                try:
                    answer = self._client.delete_object(Bucket=self._bucket, Key=key)
                except ClientError as error:
                    if code_of(error) not in DENIED | UNSUPPORTED:
                        raise
                    kept.append(address)
                    continue
            removed.append(address)
            hidden += bool(answer.get("DeleteMarker"))
        left = []
        if kept:
            left.append(f"{', '.join(kept)}: the key may not delete; grant DeleteObject and repeat the command")
        if hidden:
            left.append(f"the bucket keeps versions: {hidden} of the deleted objects are still there as older versions")
        return removed, left

    def _is_ours(self, folder: str, key: str) -> bool:
        """Whether an object of a dataset file's folder is one that exports write."""
        name = key.removeprefix(self._key(f"{folder}/"))
        return name in _BESIDE or re.fullmatch(re.escape(folder) + r"-[0-9a-f]{64}\..+", name) is not None

    def _objects(self, path: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._key(path))
        for page in pages:
            for entry in page.get("Contents", ()):
                yield entry["Key"]

    def _open(self, path: str) -> BinaryIO:
        with self._explained():
            try:
                return cast(BinaryIO, self._client.get_object(Bucket=self._bucket, Key=self._key(path))["Body"])
            except ClientError as error:
                # without the permission to list, a store says 403 for what is not there
                if code_of(error) in ABSENT | DENIED:
                    raise FileNotFoundError(self.uri(path)) from error
                raise

    def _damage(self, folder: str, file: StoredFile) -> Damage | None:
        with self._explained():
            return super()._damage(folder, file)

    def _manifest(self, folder: str) -> dict[str, Any] | None:
        path = f"{folder}/{MANIFEST}"
        try:
            with self._explained(), self._open(path) as stream:
                return parse(stream.read(), self.uri(path))
        except FileNotFoundError:
            return None

    def _manifests(self) -> list[tuple[str, Mapping[str, Any]]] | None:
        folders = self._listed(self._folders())
        if folders is None:
            return None
        with ThreadPoolExecutor(max_workers=16) as pool:
            found = list(pool.map(self._old_manifest, folders))
        return [(folder, manifest) for folder, manifest in zip(folders, found, strict=True) if manifest is not None]

    def _folders(self) -> Iterator[str]:
        start = self._key("")
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start, Delimiter="/")
        for page in pages:
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"][len(start) :].rstrip("/")

    def _open_uploads(self, path: str) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket, Prefix=self._key(path)
        )
        for page in pages:
            for upload in page.get("Uploads", ()):
                yield upload["Key"], upload["UploadId"]

    def _listed(self, listing: Iterator[T]) -> list[T] | None:
        """All of a listing; None when the key may not list, or the store cannot."""
        with self._explained():
            try:
                return list(listing)
            except ClientError as error:
                if code_of(error) in DENIED | UNSUPPORTED:
                    return None
                if code_of(error) == "NoSuchUpload":
                    return []  # what rclone answers as long as a bucket has had no upload
                raise

    def _refuses_overwrite(self) -> bool:
        """Whether the store honours If-None-Match, tried on an object that is there."""
        with self._explained():
            return not self._conditionally(
                lambda **condition: self._client.put_object(
                    Bucket=self._bucket, Key=self._key(_PROBE), Body=_PROBE_CONTENT, **condition
                ),
                overwrite=False,
            )

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _explained(self) -> contextlib.AbstractContextManager[None]:
        return explained(self.uri(""), self._addressing)
