"""Logging in and out. Who guesses is slowed down, by address and by name."""

from __future__ import annotations

import math

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from corpus_pipeline.service.queries import progress
from corpus_pipeline.web import users
from corpus_pipeline.web.context import Form, Site, first, home, local, read_form, reply, site_of
from corpus_pipeline.web.security import cookie
from corpus_pipeline.web.sessions import Person

_LONGEST = 1024


def form(request: Request) -> Response:
    if not site_of(request).options.login:
        raise HTTPException(404, "Nobody has to log in here.")
    return reply(request, "login.html", {"error": None}, to=request.query_params.get("to", ""))


async def log_in(request: Request) -> Response:
    """Check a name and a password. What is wrong with them is not told."""
    fields = await read_form(request)
    site, session = site_of(request), request.scope["session"]
    if not site.options.login or site.options.users is None:
        raise HTTPException(404, "Nobody has to log in here.")
    if not site.sessions.token_is_right(session, first(fields, "csrf")):
        raise HTTPException(403, "The form has expired: load the page again and repeat what you did.")
    name, password = first(fields, "name")[:_LONGEST], fields.get("password", [""])[0][:_LONGEST]
    address = request.client.host if request.client else "?"
    keys = (f"address {address}", f"name {name}")
    wait = site.brake.wait(*keys)
    if wait > 0:
        seconds = math.ceil(wait)
        sentence = f"Too many wrong passwords. Try again in {seconds} s."
        return _again(request, fields, 429, sentence, {"Retry-After": str(seconds)})
    role = await run_in_threadpool(users.check, site.options.users, name, password)
    if role is None:
        site.brake.failed(*keys)
        await run_in_threadpool(_note, site, name, "login refused", address)
        return _again(request, fields, 403, "That name and password do not belong together.", {})
    site.brake.passed(*keys)
    await run_in_threadpool(_note, site, name, "login", address)
    # where they wanted to go; under Dagster's address its first page
    answer = RedirectResponse(local(first(fields, "to")) if first(fields, "to") else home(request), 303)
    answer.headers.append("Set-Cookie", cookie(site.sessions.begin(Person(name, role)), site.options))
    return answer


def _again(request: Request, fields: Form, status: int, sentence: str, headers: dict[str, str]) -> Response:
    answer = reply(request, "login.html", {"error": sentence}, status=status, to=first(fields, "to"))
    answer.headers.update(headers)
    return answer


def _note(site: Site, name: str, action: str, address: str) -> None:
    if not site.options.read_only:
        progress.note(site.corpus.store, name or "?", action, address)


async def log_out(request: Request) -> Response:
    fields = await read_form(request)
    site, session = site_of(request), request.scope["session"]
    if not site.sessions.token_is_right(session, first(fields, "csrf")):
        raise HTTPException(403, "The form has expired: load the page again and repeat what you did.")
    site.sessions.end(session)
    answer = RedirectResponse("/login" if site.options.login else home(request), 303)
    answer.headers.append("Set-Cookie", cookie(site.sessions.new_id(), site.options))
    return answer
