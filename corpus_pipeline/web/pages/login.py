"""Logging in and out, with guesses slowed down by name and by address."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import math

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from corpus_pipeline.addresses import neighbourhood
from corpus_pipeline.service.records.pages import LoginPage
from corpus_pipeline.web import users
from corpus_pipeline.web.context import Form, Site, first, home, local, read_form, reply, require_token, site_of
from corpus_pipeline.web.peers import user_of
from corpus_pipeline.web.security import cookie, device_cookie
from corpus_pipeline.web.sessions import DEVICE, Person

_LONGEST = 1024


def form(request: Request) -> Response:
    if not site_of(request).options.has_login_page:
        raise HTTPException(404, "Nobody has to log in here.")
    return reply(request, "login.html", _page(None), to=request.query_params.get("to", ""))


def _page(error: str | None) -> LoginPage:
    return {"error": error}


async def log_in(request: Request) -> Response:
    """Check a name and a password. What is wrong with them is not told."""
    fields = await read_form(request)
    site, session = site_of(request), request.scope["session"]
    if not site.options.login or site.options.users is None:
        raise HTTPException(404, "Nobody has to log in here.")
    require_token(request, fields)
    name, password = first(fields, "name")[:_LONGEST], fields.get("password", [""])[0][:_LONGEST]
    address, device = address_of(request), site.sessions.known_device(request.cookies.get(DEVICE), name)
    tries = (
        [(site.brake, f"device {device}")]
        if device
        else [(site.crowd_brake, neighbourhood(address)), (site.brake, f"name {name}")]
    )
    wait = max(brake.begin(key) for brake, key in tries)
    if wait > 0:
        seconds = math.ceil(wait)
        sentence = f"Too many wrong passwords. Try again in {seconds} s."
        return _again(request, fields, 429, sentence, {"Retry-After": str(seconds)})
    loop = asyncio.get_running_loop()
    user = await loop.run_in_executor(site.hashing, users.check, site.options.users, name, password)
    if user is None:
        await run_in_threadpool(note, site, name, "login refused", address)
        return _again(request, fields, 403, "That name and password do not belong together.", {})
    for brake, key in tries:
        brake.passed(key)
    await run_in_threadpool(note, site, name, "login", address)
    # where they wanted to go; under Dagster's address its first page
    answer = RedirectResponse(local(first(fields, "to")) if first(fields, "to") else home(request), 303)
    session = site.sessions.begin(Person(name, user.role), user.credential, user=user_of(request.scope))
    answer.headers.append("Set-Cookie", cookie(session, site.options))
    answer.headers.append("Set-Cookie", device_cookie(site.sessions.device(name), site.options))
    return answer


def address_of(request: Request) -> str:
    """The address of a browser: the one that a trusted proxy names last, else that of the connection."""
    address = request.client.host if request.client else "?"
    if site_of(request).options.is_trusted_proxy(address):
        # a proxy may add a line of its own after those of the client: together they are one list
        named = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(named))
    return address


def _again(request: Request, fields: Form, status: int, sentence: str, headers: dict[str, str]) -> Response:
    answer = reply(request, "login.html", _page(sentence), status=status, to=first(fields, "to"))
    answer.headers.update(headers)
    return answer


def note(site: Site, name: str, action: str, address: str) -> None:
    """Put who came, or was refused, into the audit log."""
    if not site.options.read_only:
        site.corpus.acting_as(name or "?").note(action, address)


def _log_out_everywhere(site: Site, name: str, address: str) -> None:
    """End the sessions of a name here, and by the users file those at every other server of this home."""
    site.sessions.end_all(name)
    if site.options.login and site.options.users is not None and users.role_of(site.options.users, name) is not None:
        users.log_out(site.options.users, name)
    note(site, name, "logout everywhere", address)


async def log_out(request: Request) -> Response:
    fields = await read_form(request)
    site, session = site_of(request), request.scope["session"]
    require_token(request, fields)
    person = request.scope["person"]
    if person is not None and first(fields, "everywhere") == "yes":
        await run_in_threadpool(_log_out_everywhere, site, person.name, address_of(request))
    site.sessions.end(session)
    answer = RedirectResponse("/login" if site.options.has_login_page else home(request), 303)
    answer.headers.append("Set-Cookie", cookie(site.sessions.new_id(), site.options))
    return answer
