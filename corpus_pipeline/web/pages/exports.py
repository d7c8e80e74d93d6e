"""Exports: their manifests, their lines, where each line comes from, and the file itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from starlette.concurrency import iterate_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from corpus_pipeline.service import browse, overview, pages
from corpus_pipeline.service.browse import parse_address
from corpus_pipeline.web.site import number_in, person_of, reply, site_of

_SIZE = 25
_CHUNK = 1 << 18


def all_exports(request: Request) -> Response:
    return reply(request, "exports.html", {"exports": site_of(request).corpus.store.fetch(overview.export_list)})


def one(request: Request) -> Response:
    data = site_of(request).corpus.store.fetch(overview.export, request.path_params["identifier"])
    return reply(request, "export.html", data)


def lines(request: Request) -> Response:
    identifier: int = request.path_params["identifier"]
    after = number_in(request, "line", number_in(request, "after", 0, 0, 1 << 48) + 1, 1, 1 << 48) - 1
    data = site_of(request).corpus.store.fetch(pages.export_lines, identifier, after=after, limit=_SIZE)
    return reply(request, "export_lines.html", data)


def trace(request: Request) -> Response:
    identifier, line = request.path_params["identifier"], request.path_params["line"]
    data = site_of(request).corpus.store.fetch(browse.trace_export, identifier, line)
    return reply(request, "trace.html", data, number=parse_address(data["row"])[1])


def download(request: Request) -> Response:
    site = site_of(request)
    export = site.corpus.store.fetch(overview.export, request.path_params["identifier"])
    name, manifest = export["name"], site.corpus.target.manifest(export["name"])
    stored = next((file for file in (manifest or {}).get("files", ()) if file.get("sha256") == export["sha256"]), None)
    if stored is None:
        raise HTTPException(
            410, "A newer export took the place of this one; its manifest and its lines are still here."
        )
    if not site.options.read_only:
        detail = {"export": export["id"], "sha256": export["sha256"]}
        overview.note(site.corpus.store, person_of(request).name, "download", name, detail)
    packed = stored.get("compression") == "gzip"
    return StreamingResponse(
        iterate_in_threadpool(_chunks(site.corpus.target.open(name))),
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
