"""The audit log: who did what, and when."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.service import overview
from corpus_pipeline.web.site import number_in, reply, site_of, word_in

_SIZE = 100


def page(request: Request) -> Response:
    before = number_in(request, "before", 0, 0, 1 << 62)
    who, action = word_in(request, "who"), word_in(request, "action")
    data = site_of(request).corpus.store.fetch(
        overview.audit_page, who=who, action=action, before=before or None, limit=_SIZE
    )
    return reply(request, "audit.html", data, who=who, action=action)
