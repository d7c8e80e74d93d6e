"""Rows of a dataset file, one conversation, lines that became none, and a selection to take along."""

from __future__ import annotations

from starlette.concurrency import iterate_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.service.queries import progress, row_detail, row_filter, rows
from corpus_pipeline.service.records.pages import RejectsPage, RowsPage
from corpus_pipeline.service.records.rows import RowStory
from corpus_pipeline.states import Stage
from corpus_pipeline.store.row_queries import Filter
from corpus_pipeline.web.context import acting, file_name, number_in, reply, site_of, word_in
from corpus_pipeline.web.diff import Column, compared

_STAGES = [stage.value for stage in Stage]
_SIZE = 25
_PLACE = ("stage", "search", "after", "limit", "form")  # what a query may name beside conditions


def wanted(request: Request) -> Filter:
    """The filter that the query names. Raises UsageError (400, not the 404 of a page) for what has no meaning."""
    stage = Stage(word_in(request, "stage", _STAGES) or Stage.INGEST)
    where = {key: value for key, value in request.query_params.items() if value and key not in _PLACE}
    try:
        return row_filter.parse(stage, where, word_in(request, "search"))
    except UnknownName as error:
        raise UsageError(str(error)) from error


def page(request: Request) -> Response:
    name, filter_ = file_name(request), wanted(request)
    after = number_in(request, "after", 0, 0, (1 << 32) - 1)
    limit = number_in(request, "limit", _SIZE, 1, rows.MOST_ROWS)
    corpus = site_of(request).corpus
    store, index = corpus.store, corpus.settings.search_folder
    found = rows.row_page_in_slices(store, name, filter_, after=after, limit=limit, index=index)
    data: RowsPage = {
        "name": name,
        "stage": filter_.stage.value,
        "rows": [rows.found_dict(name, row) for row in found.found],
        "after": after,
        "next_after": found.next_after,
        "stopped_at": found.stopped_at,
        "last": found.last,
    }
    if request.scope["json"]:
        return reply(request, "rows.html", data)
    asked = {
        "stage": filter_.stage.value,
        "search": filter_.search,
        **row_filter.pairs(filter_),
        "limit": None if limit == _SIZE else limit,
    }
    words = store.fetch(progress.filter_words, name)
    return reply(
        request,
        "rows.html",
        data,
        words=words,
        chosen=asked,
        is_open=filter_.is_open,
        conditions=_choices(filter_.stage),
    )


def _choices(stage: Stage) -> dict[str, tuple[str, ...] | None]:
    """The conditions of a stage with their words, None for free text."""
    return {key: known.words[stage] for key, known in row_filter.CONDITIONS.items() if stage in known.words}


def one(request: Request) -> Response:
    name, number = file_name(request), request.path_params["number"]
    version = number_in(request, "version", 0, 0, 1 << 31)
    place = f"{name}@{version}" if version else name
    data = site_of(request).corpus.store.fetch(row_detail.story, place, number)
    if request.scope["json"]:
        return reply(request, "row.html", data)
    choice = request.query_params.get("with") or ""
    return reply(request, "row.html", data, columns=_columns(data, choice), choice=choice)


def _columns(data: RowStory, choice: str) -> list[Column]:
    """What stands side by side: the raw conversation, the cleaned one where it differs, and the chosen made one."""
    texts = [("raw", data["turns"])]
    if "cleaned" in data and "turns" in data["cleaned"]:
        texts.append(("cleaned", data["cleaned"]["turns"]))
    for made in data.get("augmented", []):
        if choice == f"{made['strategy']}/{made['sample']}":
            texts.append((made["strategy"], made["turns"]))
    return compared(texts)


def rejects(request: Request) -> Response:
    name, after = file_name(request), number_in(request, "after", 0, 0, (1 << 32) - 1)
    found = site_of(request).corpus.store.fetch(rows.rejects, name, after=after, limit=_SIZE + 1)
    next_after = found[_SIZE - 1]["row"] if len(found) > _SIZE else None
    data: RejectsPage = {"name": name, "rejects": found[:_SIZE], "next_after": next_after}
    return reply(request, "rejects.html", data)


def selection(request: Request) -> Response:
    name, filter_ = file_name(request), wanted(request)
    form = word_in(request, "form", ["records", "rows"]) or "records"
    site = site_of(request)
    site.corpus.files([name])  # an unknown one is an error before the first byte
    if request.method == "HEAD":
        raise HTTPException(405, "A selection is made while it is sent.")
    if not site.options.read_only:
        search = {"search": filter_.search} if filter_.search else {}
        chosen = {"stage": filter_.stage.value, **row_filter.pairs(filter_), **search}
        acting(request).note("download", name, {"selection": chosen, "form": form})
    index = site.corpus.settings.search_folder
    lines = rows.selection(site.corpus.store, name, filter_, as_records=form == "records", index=index)
    return StreamingResponse(
        iterate_in_threadpool(lines),
        media_type="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="{name}-selection.jsonl"'},
    )
