"""The audit log: who did what, and when; and the removal requests in it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service.queries import progress
from corpus_pipeline.web.context import Form, acting, first, number_in, reply, site_of, word_in
from corpus_pipeline.web.rendering import counted

_SIZE = 100


def page(request: Request) -> Response:
    before = number_in(request, "before", 0, 0, 1 << 62)
    who, action = word_in(request, "who"), word_in(request, "action")
    data = site_of(request).corpus.store.fetch(
        progress.audit_page, who=who, action=action, before=before or None, limit=_SIZE
    )
    return reply(request, "audit.html", data, who=who, action=action)


def purge_report(request: Request) -> Response:
    data = site_of(request).corpus.store.fetch(progress.purge_report, request.path_params["identifier"])
    return reply(request, "purge.html", data)


def remove(request: Request, form: Form) -> tuple[str, str]:
    number = first(form, "row")
    if not number.isascii() or not number.isdigit() or len(number) > 10:
        raise UsageError("say which row is to be removed")
    if first(form, "sure") != "yes":
        raise UsageError("nothing brings a removed row back: tick that you are sure")
    report = acting(request).purge(
        first(form, "file"),
        [int(number)],
        reason=first(form, "reason")[:2000],
        copies=first(form, "copies") == "yes",
    )
    return f"Removed {counted(len(report['rows']), 'row')} for good.", f"/purges/{report['report']}"
