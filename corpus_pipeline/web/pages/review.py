"""New rows drawn at random, for people to judge."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.errors import UsageError
from corpus_pipeline.states import ReviewVerdict
from corpus_pipeline.web.context import Form, acting, file_name, first, number_in, reply, site_of

_SIZE = 10


def page(request: Request) -> Response:
    name = file_name(request)
    limit = number_in(request, "limit", _SIZE, 1, 100)
    return reply(request, "review.html", site_of(request).corpus.review(name, limit=limit))


def judge(request: Request, form: Form) -> tuple[str, str]:
    row, verdict = first(form, "row"), first(form, "verdict")
    if verdict not in list(ReviewVerdict):
        raise UsageError("a new row is good or bad")
    note = first(form, "note")[:2000] or None
    acting(request).judge_rows([row], ReviewVerdict(verdict), note)
    return f"{row} is {verdict}.", first(form, "back")
