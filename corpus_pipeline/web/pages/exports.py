"""Exports: their manifests, their lines, where each line comes from, and the file itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from starlette.concurrency import iterate_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from corpus_pipeline.service.queries import lineage, progress, rows
from corpus_pipeline.service.records.pages import ExportsPage
from corpus_pipeline.stages.export.manifest import stored_files
from corpus_pipeline.web.context import acting, number_in, reply, site_of
from corpus_pipeline.web.shares import give_way

_SIZE = 25
_CHUNK = 1 << 18


def all_exports(request: Request) -> Response:
    data: ExportsPage = {"exports": site_of(request).corpus.store.fetch(progress.export_list)}
    return reply(request, "exports.html", data)


def one(request: Request) -> Response:
    data = site_of(request).corpus.store.fetch(progress.export, request.path_params["identifier"])
    return reply(request, "export.html", data)


def lines(request: Request) -> Response:
    identifier: int = request.path_params["identifier"]
    after = number_in(request, "line", number_in(request, "after", 0, 0, 1 << 48) + 1, 1, 1 << 48) - 1
    data = site_of(request).corpus.store.fetch(rows.export_lines, identifier, after=after, limit=_SIZE)
    return reply(request, "export_lines.html", data)


def trace(request: Request) -> Response:
    identifier, line = request.path_params["identifier"], request.path_params["line"]
    data = site_of(request).corpus.store.fetch(lineage.trace_export, identifier, line)
    return reply(request, "trace.html", data)


def download(request: Request) -> Response:
    site = site_of(request)
    export = site.corpus.store.fetch(progress.export, request.path_params["identifier"])
    name = export["name"]
    stored = next(file for file in stored_files(export["manifest"]) if file.role == "data")
    try:
        opened = site.corpus.target.open_stored(name, stored)
    except FileNotFoundError as error:
        raise HTTPException(
            410, "A newer export took the place of this one; its manifest and its lines are still here."
        ) from error
    if not site.options.read_only:
        detail = {"export": export["id"], "sha256": export["sha256"]}
        acting(request).note("download", name, detail)
    packed = stored.compression == "gzip"
    return StreamingResponse(
        iterate_in_threadpool(_chunks(opened)),
        media_type="application/gzip" if packed else "application/x-ndjson",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.jsonl{".gz" if packed else ""}"',
            "Content-Length": str(export["bytes"]),
            "ETag": f'"{export["sha256"]}"',
        },
    )


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
            give_way()
