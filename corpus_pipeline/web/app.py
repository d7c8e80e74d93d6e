"""The application: its routes, and what becomes of errors."""

from __future__ import annotations

import logging
from importlib import resources

from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from corpus_pipeline.errors import CorpusError, StoreUnavailable, UnknownName, UsageError
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.queries import metrics
from corpus_pipeline.service.records.pages import Problem
from corpus_pipeline.web.context import Site, action, page_action, reply, site_of
from corpus_pipeline.web.options import Options, Role
from corpus_pipeline.web.pages import (
    actions,
    audit,
    cost,
    duplicates,
    exports,
    failed,
    files,
    login,
    login_oidc,
    review,
    rows,
    try_out,
)
from corpus_pipeline.web.security import Guard
from corpus_pipeline.web.shares import Kind, Shared, give_way

log = logging.getLogger(__name__)

_ASSETS = {
    "app.css": "text/css",
    "app.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class _Number(IntegerConvertor):
    """A number in a path, `{name:number}`: no longer than what a database can be asked for. Longer ones are no page."""

    regex = "[0-9]{1,18}"


register_url_convertor("number", _Number())


def create_app(corpus: Corpus, options: Options | None = None) -> Starlette:
    """The row browser over an open corpus, as an ASGI application."""
    site = Site(corpus, options or Options())
    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(Guard, options=site.options, sessions=site.sessions)],
        exception_handlers={HTTPException: _refused, CorpusError: _explained},
    )
    app.state.site = site
    corpus.store.before_read = give_way
    return app


def _routes() -> list[Route]:
    def get(path: str, endpoint: object, kind: Kind = Kind.PAGE) -> Route:
        return Route(path, endpoint, methods=["GET"], middleware=[Middleware(Shared, kind)])  # type: ignore[arg-type]

    def free(path: str, endpoint: object) -> Route:
        return Route(path, endpoint, methods=["GET"])  # type: ignore[arg-type]

    def post(path: str, endpoint: object, kind: Kind = Kind.PAGE) -> Route:
        return Route(path, endpoint, methods=["POST"], middleware=[Middleware(Shared, kind)])  # type: ignore[arg-type]

    question, download, trial = Kind.QUESTION, Kind.DOWNLOAD, Kind.TRIAL
    selection = Kind.SELECTION
    return [
        get("/", _home),
        free("/healthz", _healthy),
        get("/metrics", _metrics, question),
        free("/static/{name}", _static),
        get("/files", files.all_files),
        get("/files/{name}", files.one_file),
        get("/files/{name}/statistics", files.statistics, question),
        get("/files/{name}/reports", files.reports, question),
        get("/files/{name}/rejects", rows.rejects, question),
        get("/files/{name}/duplicates", duplicates.page, question),
        get("/files/{name}/review", review.page, question),
        get("/files/{name}/try", try_out.form),
        post("/try", page_action(try_out.run), trial),
        post("/keep", action(duplicates.keep, Role.REVIEWER)),
        post("/review", action(review.judge, Role.REVIEWER)),
        get("/files/{name}/rows", rows.page, question),
        get("/files/{name}/rows/{number:number}", rows.one, question),
        get("/files/{name}/selection.jsonl", rows.selection, selection),
        get("/failed", failed.queue, question),
        get("/failed/{identifier:number}", failed.one, question),
        post("/failed/replay", action(failed.replay)),
        post("/failed/dismiss", action(failed.dismiss, Role.REVIEWER)),
        get("/pauses", actions.pauses),
        post("/pause", action(actions.pause)),
        post("/resume", action(actions.resume)),
        post("/start", action(actions.start)),
        post("/backfill", action(actions.backfill)),
        get("/cost", cost.page),
        get("/exports", exports.all_exports),
        get("/exports/{identifier:number}", exports.one),
        get("/exports/{identifier:number}/lines", exports.lines, question),
        get("/exports/{identifier:number}/lines/{line:number}", exports.trace, question),
        get("/exports/{identifier:number}/download", exports.download, download),
        get("/audit", audit.page),
        get("/purges/{identifier:number}", audit.purge_report),
        post("/remove", action(files.remove, Role.ADMIN)),
        post("/purge", action(audit.remove, Role.ADMIN)),
        free("/login", login.form),
        free("/login/oidc", login_oidc.begin),
        free("/login/oidc/done", login_oidc.done),
        Route("/login", login.log_in, methods=["POST"]),
        Route("/logout", login.log_out, methods=["POST"]),
    ]


def _home(request: Request) -> Response:
    return RedirectResponse("/files", 307)


def _healthy(request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _metrics(request: Request) -> Response:
    return PlainTextResponse(
        site_of(request).corpus.store.fetch(metrics.text), media_type="text/plain; version=0.0.4; charset=utf-8"
    )


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _ASSETS:
        raise HTTPException(404, "There is no such file.")
    body = (resources.files("corpus_pipeline.web") / "static" / name).read_bytes()
    return Response(body, media_type=_ASSETS[name], headers={"Cache-Control": "max-age=600"})


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _error(request, error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


def _explained(request: Request, error: Exception) -> Response:
    status = 409
    if isinstance(error, UnknownName):
        status = 404
    elif isinstance(error, UsageError):
        status = 400
    elif isinstance(error, StoreUnavailable):
        log.error("a page could not be made: %s", error)
        person = request.scope.get("person")
        words = str(error) if person is not None and person.may_act else "The database is away. Try again later."
        return _error(request, 503, words)
    return _error(request, status, str(error))


def _error(request: Request, status: int, sentence: str) -> Response:
    problem: Problem = {"status": status, "error": sentence}
    return reply(request, "error.html", problem, status=status)
