"""Money and tokens, from the ledger."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from corpus_pipeline.service.queries import progress
from corpus_pipeline.web.context import reply, site_of, word_in

KEYS = ["day", "consumer", "strategy", "model", "file"]


def page(request: Request) -> Response:
    by = word_in(request, "by", KEYS) or "strategy"
    return reply(request, "cost.html", site_of(request).corpus.store.fetch(progress.money, by), keys=KEYS)
