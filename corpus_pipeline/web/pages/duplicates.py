"""Rows dropped as duplicates beside what is kept, and the button that keeps a row anyway."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service.records.pages import DuplicatesPage
from corpus_pipeline.stages.clean.text_differences import MAX_MARKED
from corpus_pipeline.store.duplicates import ORDERS, ROW
from corpus_pipeline.web.context import Form, acting, file_name, first, number_in, reply, site_of, word_in

_SIZE = 25


def page(request: Request) -> Response:
    name = file_name(request)
    sort = word_in(request, "sort", list(ORDERS)) or ROW
    after = number_in(request, "after", 0, 0, (1 << 32) - 1)
    limit = number_in(request, "limit", _SIZE, 1, 200)
    corpus = site_of(request).corpus
    data: DuplicatesPage = {
        **corpus.duplicates(name, sort=sort, after=after, limit=limit),
        "kept_anyway": corpus.kept_anyway(name),
    }
    return reply(request, "duplicates.html", data, after=after, longest=MAX_MARKED)


def keep(request: Request, form: Form) -> tuple[str, str]:
    rows, undo = form.get("row", []), first(form, "undo") == "yes"
    reason = first(form, "reason")[:2000]
    if not reason:
        raise UsageError("say why: the reason is kept with the row and in the audit log")
    if not rows:
        raise UsageError("mark the rows that are to be kept")
    kept = acting(request).keep(rows, reason, undo=undo)
    done = "Cleaning decides again about" if undo else "Kept from now on:"
    as_it_was = f" Unchanged from the source: {', '.join(kept.unchanged)}." if kept.unchanged else ""
    return (
        f"{done} {', '.join(kept.rows)}.{as_it_was} The next run of {', '.join(kept.run)} takes it into account.",
        first(form, "back"),
    )
